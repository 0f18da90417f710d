//! A patch as the voices need it: plain values and everything derived from them that does not
//! depend on the note.

use crate::envelope::EnvelopeSettings;
use crate::filter::LadderSettings;
use crate::oscillator::{Blend, blend};
use crate::params as p;
use crate::{CONTROL, Patch};
use std::f32::consts::FRAC_PI_2;

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
    /// Gain of the sub-oscillator.
    pub sub: f32,
    /// Gain of the noise.
    pub noise: f32,
    /// Resonance and drive.
    pub ladder: LadderSettings,
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
    pub filter: EnvelopeSettings,
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
            blend: blend(v(shape)),
            gain,
            width: v(width),
            ratio: (semitones / 12.0).exp2(),
        };
        let level = |x: f32| if x < 1e-4 { 0.0 } else { x };
        Self {
            sample_rate,
            osc: [
                osc(
                    p::OSC1_SHAPE,
                    p::OSC1_WIDTH,
                    v(p::OSC1_PITCH),
                    level(balance.cos()),
                ),
                osc(
                    p::OSC2_SHAPE,
                    p::OSC2_WIDTH,
                    v(p::OSC2_PITCH) + v(p::OSC2_DETUNE) / 100.0,
                    level(balance.sin()),
                ),
            ],
            sub: v(p::SUB_LEVEL),
            noise: v(p::NOISE_LEVEL),
            ladder: LadderSettings::new(v(p::FILTER_RESONANCE), v(p::FILTER_DRIVE)),
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
            filter: EnvelopeSettings::new(
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
            smoothing: (-(CONTROL as f32) / (0.005 * sample_rate)).exp(),
        }
    }
}
