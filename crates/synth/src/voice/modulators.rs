//! Modulators of a note: envelopes, LFOs, the glide, and its expression and controllers, smoothed.

use super::NoteState;
use crate::CONTROL;
use crate::controllers::ChannelControllers;
use crate::envelope::Envelope;
use crate::glide::Glide;
use crate::lfo::Lfo;
use crate::math::exp2;
use crate::params::Source;
use crate::settings::Settings;
use crate::shared::SharedState;

/// State of a note's modulators; a voice keeps a copy to return to when a step is cut.
#[derive(Clone, Copy, Debug, Default)]
pub struct Modulators {
    pub amp: Envelope,
    pub filter: Envelope,
    pub lfos: [Lfo; 2],
    pub glide: Glide,
    pub velocity: f32,
    pub volume: f32,
    pub pan: f32,
    pub brightness: f32,
    pub wheel: f32,
    pub pressure: f32,
    pub bend: f32,
}

impl Modulators {
    /// Moves on by `samples` under the settings `s`.
    #[inline(always)]
    pub fn advance(
        &mut self,
        samples: usize,
        s: &Settings,
        note: &NoteState,
        controllers: &ChannelControllers,
        shared: &SharedState,
    ) {
        let n = samples as f32;
        self.amp.advance(n, speed(&s.amp_times, note), &s.amp);
        self.filter
            .advance(n, speed(&s.filter_times, note), &s.filter_env);
        let seconds = n / s.sample_rate;
        self.lfos[0].advance(seconds, &s.lfos[0], &shared.clocks[0]);
        if s.matrix.uses(Source::Lfo2) {
            self.lfos[1].advance(seconds, &s.lfos[1], &shared.clocks[1]);
        }
        self.glide.advance(n);
        if samples == CONTROL {
            let smooth = |x: &mut f32, aim: f32| *x = aim + (*x - aim) * s.smoothing;
            smooth(&mut self.velocity, note.velocity);
            smooth(&mut self.volume, note.volume * controllers.gain);
            // As below: volume 0 is a controller's lowest, not only a passing fade.
            if self.volume < 1e-6 {
                self.volume = note.volume * controllers.gain;
            }
            smooth(&mut self.pan, note.pan + controllers.pan);
            let brightness = note.brightness + controllers.brightness;
            smooth(&mut self.brightness, brightness);
            if !s.matrix.is_empty() {
                let pressure = note.pressure.max(controllers.pressure);
                for (x, aim) in [
                    (&mut self.wheel, controllers.wheel),
                    (&mut self.pressure, pressure),
                    (&mut self.bend, controllers.bend),
                ] {
                    smooth(x, aim);
                    // They rest at 0, and must not creep there through the denormals.
                    if (*x - aim).abs() < 1e-6 {
                        *x = aim;
                    }
                }
            }
        }
    }
}

/// Factor by which key and velocity make an envelope's segments faster; `times`: octaves per octave
/// of key above middle C, and octaves between velocities 0 and 1. It is 1 at middle C and full
/// velocity.
fn speed(times: &[f32; 2], note: &NoteState) -> f32 {
    if *times == [0.0; 2] {
        return 1.0;
    }
    exp2(times[0] * (note.key - 60.0) / 12.0 + times[1] * (note.velocity - 1.0))
}
