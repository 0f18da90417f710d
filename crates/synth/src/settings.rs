//! A patch as the voices need it: plain values and everything derived from them that does not
//! depend on the note.

use crate::envelope::EnvelopeSettings;
use crate::filter::{FilterSettings, Kind};
use crate::oscillator::{Blend, blend};
use crate::params as p;
use crate::{CONTROL, Patch};
use std::f32::consts::FRAC_PI_2;

/// Shape at which the pulse has its own width.
const SQUARE: f32 = 3.0;
/// Its width at the end of the shapes.
const NARROWEST: f32 = 0.95;

/// Most copies of an oscillator.
pub const UNISON: usize = 7;

/// One oscillator's knobs.
#[derive(Clone, Copy, Debug, Default)]
pub struct OscillatorSettings {
    /// Weights of its waveforms.
    pub blend: Blend,
    /// Gain in the mixer.
    pub gain: f32,
    /// Pulse width, cycles.
    pub width: f32,
    /// Frequency as a multiple of the note's.
    pub ratio: f32,
}

/// A patch, digested.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Hz.
    pub sample_rate: f32,
    /// Both oscillators.
    pub osc: [OscillatorSettings; 2],
    /// Left and right gain of each copy; the power of all is that of one.
    pub copies: [[f32; 2]; UNISON],
    /// Frequency of each copy as a multiple of the oscillator's.
    pub detune: [f32; UNISON],
    /// Whether notes start at fixed phases.
    pub retrigger: bool,
    /// Cycles by which oscillator 2 at its peak moves oscillator 1's phase.
    pub osc_fm: f32,
    /// Gain of the oscillators' product.
    pub ring: f32,
    /// Gain of the sub-oscillator.
    pub sub: f32,
    /// Gain of the noise.
    pub noise: f32,
    /// Kind, resonance, drive, morph.
    pub filter: FilterSettings,
    /// Octaves by which oscillator 2 at its peak moves the cutoff.
    pub cutoff_fm: f32,
    /// Cutoff at middle C, Hz.
    pub cutoff: f32,
    /// High-pass cutoff at middle C, Hz.
    pub high_pass: f32,
    /// Octaves of cutoff per octave of pitch.
    pub key_track: f32,
    /// Octaves of cutoff at the filter envelope's peak.
    pub env_octaves: f32,
    /// Octaves of cutoff between velocity 0 and 1.
    pub velocity_octaves: f32,
    /// Octaves of cutoff at the LFO's peak.
    pub lfo_octaves: f32,
    /// Envelope of the amplitude; its sustain is the square of the knob, so that the middle of the
    /// knob is -12 dB.
    pub amp: EnvelopeSettings,
    /// Envelope of the cutoff.
    pub filter_env: EnvelopeSettings,
    /// Hz.
    pub lfo_rate: f32,
    /// Seconds.
    pub lfo_delay: f32,
    /// Semitones at the LFO's peak.
    pub vibrato: f32,
    /// 0 to 1: by how much the LFO's trough lowers the level.
    pub tremolo: f32,
    /// Portamento time, samples.
    pub glide: f32,
    /// Semitones at full bend.
    pub bend_range: f32,
    /// 0: all notes equally loud; 1: amplitude is velocity squared.
    pub velocity: f32,
    /// Master tuning, semitones.
    pub tune: f32,
    /// Gain of everything, 1 at 0 dB.
    pub level: f32,
    /// Share of the way that smoothed values (gain, pan, brightness) still have to go after a
    /// control step.
    pub smoothing: f32,
}

impl Settings {
    /// Digests a patch.
    pub fn new(patch: &Patch, sample_rate: f32) -> Self {
        let v = |row| patch.plain(row);
        let balance = v(p::OSC_BALANCE) * FRAC_PI_2;
        let osc = |shape, width, semitones: f32, gain| OscillatorSettings {
            blend: blend(v(shape).min(SQUARE)),
            gain,
            // Past the square the pulse narrows.
            width: v(width) + (v(shape) - SQUARE).max(0.0) * (NARROWEST - v(width)),
            ratio: (semitones / 12.0).exp2(),
        };
        let (copies, detune) = unison(
            v(p::UNISON_VOICES).round() as usize + 1,
            v(p::UNISON_DETUNE) / 1200.0,
            v(p::UNISON_SPREAD),
        );
        let level = |x: f32| if x < 1e-4 { 0.0 } else { x };
        Self {
            sample_rate,
            osc: [
                osc(
                    p::OSC1_SHAPE,
                    p::OSC1_WIDTH,
                    v(p::OSC1_PITCH),
                    v(p::OSC_LEVEL) * level(balance.cos()),
                ),
                osc(
                    p::OSC2_SHAPE,
                    p::OSC2_WIDTH,
                    v(p::OSC2_PITCH) + v(p::OSC2_DETUNE) / 100.0,
                    v(p::OSC_LEVEL) * level(balance.sin()),
                ),
            ],
            copies,
            detune,
            retrigger: v(p::OSC_PHASE) >= 0.5,
            osc_fm: v(p::OSC1_FM),
            ring: v(p::RING_LEVEL),
            sub: v(p::SUB_LEVEL),
            noise: v(p::NOISE_LEVEL),
            filter: FilterSettings::new(
                Kind::ALL[(v(p::FILTER_TYPE).round() as usize).min(Kind::ALL.len() - 1)],
                v(p::FILTER_RESONANCE),
                v(p::FILTER_BOOST),
                v(p::FILTER_DRIVE),
                v(p::FILTER_MORPH),
            ),
            cutoff_fm: v(p::FILTER_FM) / 12.0,
            cutoff: v(p::FILTER_CUTOFF),
            high_pass: v(p::HIGHPASS_CUTOFF),
            key_track: v(p::FILTER_KEYTRACK),
            env_octaves: v(p::FILTER_ENV_AMOUNT) / 12.0,
            velocity_octaves: v(p::FILTER_VELOCITY) / 12.0,
            lfo_octaves: v(p::LFO_CUTOFF) / 12.0,
            amp: EnvelopeSettings::new(
                v(p::AMP_ATTACK),
                v(p::AMP_DECAY),
                v(p::AMP_SUSTAIN) * v(p::AMP_SUSTAIN),
                v(p::AMP_RELEASE),
                sample_rate,
            ),
            filter_env: EnvelopeSettings::new(
                v(p::FILTER_ATTACK),
                v(p::FILTER_DECAY),
                v(p::FILTER_SUSTAIN),
                v(p::FILTER_RELEASE),
                sample_rate,
            ),
            lfo_rate: v(p::LFO_RATE),
            lfo_delay: v(p::LFO_DELAY),
            vibrato: v(p::LFO_VIBRATO) / 100.0,
            tremolo: v(p::LFO_TREMOLO),
            glide: v(p::GLIDE) * sample_rate,
            bend_range: v(p::BEND_RANGE),
            velocity: v(p::VELOCITY),
            tune: v(p::TUNE) / 100.0,
            level: (v(p::LEVEL) * (std::f32::consts::LOG2_10 / 20.0)).exp2(),
            smoothing: (-(CONTROL as f32) / (0.005 * sample_rate)).exp(),
        }
    }
}

/// Gains and frequencies of `count` copies spread evenly over +-`octaves` of pitch and, from side to
/// side, `spread` of the width. The first copy is the one nearest the middle, so that a single one is
/// neither detuned nor moved.
fn unison(count: usize, octaves: f32, spread: f32) -> ([[f32; 2]; UNISON], [f32; UNISON]) {
    let (mut gains, mut factors) = ([[0.0; 2]; UNISON], [1.0; UNISON]);
    let count = count.clamp(1, UNISON);
    for c in 0..count {
        // The middle one, if the number is odd, then pairs outwards.
        let place = match count {
            1 => 0.0,
            _ if count % 2 == 1 => c.div_ceil(2) as f32 / (count / 2) as f32,
            _ => (2 * (c / 2) + 1) as f32 / (count - 1) as f32,
        };
        let place = if c % 2 == 0 { place } else { -place };
        factors[c] = if place == 0.0 {
            1.0
        } else {
            (octaves * place).exp2()
        };
        // High copies lean to the right on one pair and to the left on the next.
        let side = if c / 2 % 2 == 0 { place } else { -place };
        let norm = 1.0 / (count as f32).sqrt();
        let pan = spread * side;
        gains[c] = [norm * (1.0 - pan).sqrt(), norm * (1.0 + pan).sqrt()];
    }
    (gains, factors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unison_is_symmetric_and_keeps_its_power() {
        for count in 1..=UNISON {
            let (gains, factors) = unison(count, 0.02, 1.0);
            let power: f32 = gains.iter().flatten().map(|g| g * g).sum();
            assert!((power - 2.0).abs() < 1e-5, "{count} copies: power {power}");
            let mut cents: Vec<f32> = factors[..count].iter().map(|f| 1200.0 * f.log2()).collect();
            cents.sort_by(f32::total_cmp);
            for (k, c) in cents.iter().enumerate() {
                let want = match count {
                    1 => 0.0,
                    _ => 24.0 * (2.0 * k as f32 / (count - 1) as f32 - 1.0),
                };
                assert!((c - want).abs() < 0.01, "{count} copies: {cents:?}");
            }
            assert_eq!(
                factors[0] == 1.0,
                count % 2 == 1,
                "the first is the middle one"
            );
            assert!(factors[count..].iter().all(|&f| f == 1.0));
        }
        assert_eq!(unison(1, 0.02, 1.0).0[0], [1.0; 2]);
    }
}
