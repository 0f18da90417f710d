//! The effects on the sum of the voices: chorus, delay, reverb. Each is bypassed exactly while its
//! mix is 0, and stops processing once its tail has fallen below -120 dBFS.

mod chorus;
mod clip;
mod delay;
mod line;
mod reverb;

pub use clip::{is_safe, safety_clip};

use crate::CONTROL;
use crate::math::Ramp;
use chorus::{Chorus, ChorusSettings};
use delay::Delay;
pub use delay::DelaySettings;
use reverb::{Reverb, ReverbSettings};
use std::f32::consts::FRAC_PI_2;

/// Amplitude (-120 dBFS) below which an effect's tail counts as silent.
const QUIET: f32 = 1e-6;
/// Fade-in, in seconds, of the input to an effect that is switched on in the middle of a sound.
const ENTRANCE: f32 = 0.03;

/// Settings of all effects.
#[derive(Clone, Copy, Debug, Default)]
pub struct EffectSettings {
    chorus: ChorusSettings,
    delay: DelaySettings,
    reverb: ReverbSettings,
}

impl EffectSettings {
    /// Reads a patch; `v` gives a row's plain value.
    pub fn new(v: impl Fn(usize) -> f32) -> Self {
        Self {
            chorus: ChorusSettings::new(&v),
            delay: DelaySettings::new(&v),
            reverb: ReverbSettings::new(&v),
        }
    }

    /// Whether every mix is 0.
    fn are_off(&self) -> bool {
        let chorus = Chorus::mix(&self.chorus);
        chorus == 0.0 && Delay::mix(&self.delay) == 0.0 && Reverb::mix(&self.reverb) == 0.0
    }
}

/// All effects, in the order of the signal.
pub struct Effects {
    chorus: Stage<Chorus>,
    delay: Stage<Delay>,
    reverb: Stage<Reverb>,
    /// Whether no effect is heard in the planned step, nor was in the one before.
    idle: bool,
}

impl Effects {
    /// Allocates everything. `sample_rate` in Hz.
    pub fn new(sample_rate: f32) -> Self {
        Self {
            chorus: Stage::new(Chorus::new(sample_rate), sample_rate),
            delay: Stage::new(Delay::new(sample_rate), sample_rate),
            reverb: Stage::new(Reverb::new(sample_rate), sample_rate),
            idle: false,
        }
    }

    /// Returns to the state after `new`.
    pub fn reset(&mut self) {
        self.idle = false;
        self.chorus.reset();
        self.delay.reset();
        self.reverb.reset();
    }

    /// Plans the next [`CONTROL`] samples, at `tempo` beats per second.
    #[inline]
    pub fn plan(&mut self, s: &EffectSettings, tempo: f32) {
        if !self.stay_idle(s) {
            self.plan_stages(s, tempo);
        }
    }

    /// Returns whether no effect is heard, and with these settings none will be in the next step.
    #[inline]
    pub fn stay_idle(&self, s: &EffectSettings) -> bool {
        self.idle && s.are_off()
    }

    fn plan_stages(&mut self, s: &EffectSettings, tempo: f32) {
        self.chorus.plan(&s.chorus);
        self.delay.plan(&s.delay.at_tempo(tempo));
        self.reverb.plan(&s.reverb);
        let [chorus, delay, reverb] = [&self.chorus.wet, &self.delay.wet, &self.reverb.wet];
        self.idle = s.are_off() && [chorus, delay, reverb].iter().all(|wet| wet.is_silent());
    }

    /// Whether no effect is heard in the planned step.
    #[inline]
    pub fn are_idle(&self) -> bool {
        self.idle
    }

    /// Whether no effect has anything left to say.
    pub fn are_silent(&self) -> bool {
        self.chorus.is_silent() && self.delay.is_silent() && self.reverb.is_silent()
    }

    /// Processes the planned step's next samples in place. Equal lengths.
    pub fn process(&mut self, left: &mut [f32], right: &mut [f32]) {
        self.chorus.process(left, right);
        self.delay.process(left, right);
        self.reverb.process(left, right);
    }
}

/// An effect without its dry path.
trait Effect {
    /// Settings of the effect.
    type Settings: Copy + Default;

    /// Mix of the effect: 0 dry, 1 wet.
    fn mix(s: &Self::Settings) -> f32;

    /// Number of samples after which everything held has been overwritten or played.
    fn memory(&self) -> usize;

    /// Forgets everything, and takes over the settings without a ramp.
    fn wake(&mut self, s: &Self::Settings);

    /// Plans the next [`CONTROL`] samples.
    fn plan(&mut self, s: &Self::Settings);

    /// Returns the wet output, left and right, at the `i`-th sample of the planned step, and the
    /// largest magnitude among the samples that were stored to be heard later.
    fn tick(&mut self, i: usize, input: [f32; 2]) -> ([f32; 2], f32);
}

/// An effect with its dry path, and its state of sleep.
struct Stage<E: Effect> {
    effect: E,
    settings: E::Settings,
    dry: Ramp,
    wet: Ramp,
    awake: bool,
    /// Gain of the effect's input, 0 to 1, and its change per sample.
    heard: f32,
    entrance: f32,
    /// Samples since anything was above [`QUIET`].
    quiet: usize,
    /// Samples of the planned step that are done.
    done: usize,
}

impl<E: Effect> Stage<E> {
    fn new(effect: E, sample_rate: f32) -> Self {
        Self {
            effect,
            settings: E::Settings::default(),
            dry: Ramp::still(1.0),
            wet: Ramp::still(0.0),
            awake: false,
            heard: 0.0,
            entrance: 1.0 / (ENTRANCE * sample_rate),
            quiet: 0,
            done: 0,
        }
    }

    fn reset(&mut self) {
        (self.dry, self.wet) = (Ramp::still(1.0), Ramp::still(0.0));
        (self.awake, self.heard, self.done) = (false, 0.0, 0);
    }

    /// Whether it sleeps, or isn't heard. What is planned may still fall asleep at the next step.
    fn is_silent(&self) -> bool {
        !self.awake || self.wet.is_silent()
    }

    fn plan(&mut self, s: &E::Settings) {
        const INVERSE: f32 = 1.0 / CONTROL as f32;
        let mix = E::mix(s);
        self.done = 0;
        if mix == 0.0 && self.wet.target == 0.0 {
            if !self.wet.is_silent() || self.awake {
                self.reset();
            }
            return;
        }
        // Equal power, and exactly 1 and 0 where there is no effect.
        self.dry.aim((mix * FRAC_PI_2).cos(), INVERSE);
        self.wet.aim((mix * FRAC_PI_2).sin(), INVERSE);
        self.settings = *s;
        // Sleep begins only here, so that the moment doesn't depend on the blocks.
        self.awake &= self.quiet <= self.effect.memory();
        if self.awake {
            self.effect.plan(s);
        }
    }

    fn process(&mut self, left: &mut [f32], right: &mut [f32]) {
        let done = self.done;
        self.done += left.len();
        if self.wet.is_silent() {
            return;
        }
        for (k, (l, r)) in left.iter_mut().zip(right).enumerate() {
            let input = [*l, *r];
            if !self.awake {
                if input == [0.0; 2] {
                    // After silence no fade-in is needed.
                    self.heard = 1.0;
                    continue;
                }
                (self.awake, self.quiet) = (true, 0);
                self.effect.wake(&self.settings);
                self.effect.plan(&self.settings);
            }
            let mut fed = input;
            if self.heard < 1.0 {
                self.heard = (self.heard + self.entrance).min(1.0);
                let gain = self.heard * self.heard * (3.0 - 2.0 * self.heard);
                fed = input.map(|x| gain * x);
            }
            let (wet, held) = self.effect.tick(done + k, fed);
            let loudest = held.max(input[0].abs()).max(input[1].abs());
            self.quiet = if loudest < QUIET { self.quiet + 1 } else { 0 };
            let [dry, gain] = [self.dry.at(done + k), self.wet.at(done + k)];
            *l = dry * input[0] + gain * wet[0];
            *r = dry * input[1] + gain * wet[1];
        }
    }
}

/// Moves `value` on to `target` by a `share` of the way: a control step's.
fn approach(value: &mut f32, target: f32, share: f32) {
    *value += share * (target - *value);
}

/// Share of the way per control step, for [`approach`], of a time constant in seconds.
fn share(seconds: f32, sample_rate: f32) -> f32 {
    1.0 - (-(CONTROL as f32) / (seconds * sample_rate)).exp()
}

#[cfg(test)]
mod tests;
