//! A patch as the voices need it: plain values and everything derived from them that does not
//! depend on the note.

pub mod part;

use crate::effects::EffectSettings;
use crate::envelope::EnvelopeSettings;
use crate::filter::{FilterSettings, Kind};
use crate::lfo::{LfoSettings, Shape};
use crate::matrix::{Matrix, Sum};
use crate::oscillator::{Timbre, blend};
use crate::params::{self as p, LFO_BEATS, PARAMS};
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
    /// Its waveform.
    pub timbre: Timbre,
    /// Gain in the mixer.
    pub gain: f32,
    /// 2^-32 cycles a sample at middle C.
    pub increment: f32,
}

/// A patch, digested.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Hz.
    pub sample_rate: f32,
    /// Both oscillators.
    pub osc: [OscillatorSettings; 2],
    /// Copies of each oscillator.
    pub count: usize,
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
    /// Cutoff at middle C, as a fraction of the sample rate.
    pub cutoff: f32,
    /// The high-pass's.
    pub high_pass: f32,
    /// Octaves of cutoff per octave of pitch.
    pub key_track: f32,
    /// Octaves of cutoff at the filter envelope's peak.
    pub env_octaves: f32,
    /// Octaves of cutoff between velocity 0 and 1.
    pub velocity_octaves: f32,
    /// Octaves of cutoff at LFO 1's peak.
    pub lfo_octaves: f32,
    /// Envelope of the amplitude; its sustain is the square of the knob, so that the middle of the
    /// knob is -12 dB.
    pub amp: EnvelopeSettings,
    /// Envelope of the cutoff.
    pub filter_env: EnvelopeSettings,
    /// Octaves by which the amp envelope is faster per octave of key, and at full velocity.
    pub amp_times: [f32; 2],
    /// The same of the filter envelope.
    pub filter_times: [f32; 2],
    /// Both.
    pub lfos: [LfoSettings; 2],
    /// Semitones at LFO 1's peak.
    pub vibrato: f32,
    /// 0 to 1: by how much LFO 1's trough lowers the level.
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
    /// How many notes.
    pub play_mode: PlayMode,
    /// Most notes at once.
    pub voices: usize,
    /// Semitones at full bend of a note's own channel, where the zone is split so.
    pub mpe_bend_range: Option<f32>,
    /// Semitones by which the matrix moves the pitch.
    pub shift: f32,
    /// Gain by which it moves the amplitude.
    pub swell: f32,
    /// Where it moves the voice, -1 left to 1 right.
    pub pan: f32,
    /// The slots in use.
    pub matrix: Matrix,
    /// Share of the way that smoothed values (gain, pan, brightness) still have to go after a
    /// control step.
    pub smoothing: f32,
    /// Chorus, delay, reverb.
    pub effects: EffectSettings,
}

/// How keys become notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlayMode {
    /// Each key its own.
    #[default]
    Poly,
    /// One, that every key strikes anew.
    Mono,
    /// One, that a key struck while another is held only moves.
    Legato,
}

impl Settings {
    /// Digests a patch.
    pub fn new(patch: &Patch, sample_rate: f32) -> Self {
        let mut settings = Self {
            sample_rate,
            swell: 1.0,
            smoothing: (-(CONTROL as f32) / (0.005 * sample_rate)).exp(),
            ..Self::default()
        };
        settings.digest(part::ALL, |row| patch.plain(row));
        settings.effects = EffectSettings::new(patch);
        settings
    }

    /// These settings of `patch`, moved by `sum`.
    pub fn moved(&self, patch: &Patch, sum: &Sum) -> Self {
        let mut settings = *self;
        let moved = |row: usize| PARAMS[row].plain(patch.get(row) + sum.rows[row]);
        settings.digest(sum.parts, moved);
        settings.shift = sum.pitch;
        settings.swell = sum.amp;
        settings.pan = sum.pan;
        settings
    }

    /// 2^-32 cycles a sample, so many semitones above middle C.
    fn increment(&self, semitones: f32) -> f32 {
        /// Middle C, semitones above the 440 Hz that are tuned to.
        const MIDDLE_C: f32 = -9.0;
        let hertz = 440.0 * ((MIDDLE_C + semitones) / 12.0).exp2();
        hertz / self.sample_rate * 4_294_967_296.0
    }

    /// Digests some groups of rows, `v` giving the plain values.
    fn digest(&mut self, parts: u32, v: impl Fn(usize) -> f32) {
        let has = |part: u32| parts & part != 0;
        for (n, [part, shape, width]) in [
            [part::OSC1 as usize, p::OSC1_SHAPE, p::OSC1_WIDTH],
            [part::OSC2 as usize, p::OSC2_SHAPE, p::OSC2_WIDTH],
        ]
        .into_iter()
        .enumerate()
        {
            if has(part as u32) {
                let (shape, width) = (v(shape), v(width));
                self.osc[n].timbre = Timbre {
                    blend: blend(shape.min(SQUARE)),
                    // Past the square the pulse narrows.
                    width: width + (shape - SQUARE).max(0.0) * (NARROWEST - width),
                    sync: if n == 0 {
                        (v(p::OSC1_SYNC) / 12.0).exp2()
                    } else {
                        1.0
                    },
                };
            }
        }
        if has(part::OSC1_RATIO) {
            self.osc[0].increment = self.increment(v(p::OSC1_PITCH));
        }
        if has(part::OSC2_RATIO) {
            let semitones = v(p::OSC2_PITCH) + v(p::OSC2_DETUNE) / 100.0;
            self.osc[1].increment = self.increment(semitones);
        }
        if has(part::BALANCE) {
            let balance = v(p::OSC_BALANCE) * FRAC_PI_2;
            let level = |x: f32| if x < 1e-4 { 0.0 } else { x };
            self.osc[0].gain = v(p::OSC_LEVEL) * level(balance.cos());
            self.osc[1].gain = v(p::OSC_LEVEL) * level(balance.sin());
        }
        if has(part::UNISON) {
            self.count = (v(p::UNISON_VOICES).round() as usize + 1).clamp(1, UNISON);
            (self.copies, self.detune) = unison(
                self.count,
                v(p::UNISON_DETUNE) / 1200.0,
                v(p::UNISON_SPREAD),
            );
        }
        if has(part::FILTER) {
            self.filter = FilterSettings::new(
                Kind::ALL[(v(p::FILTER_TYPE).round() as usize).min(Kind::ALL.len() - 1)],
                v(p::FILTER_RESONANCE),
                v(p::FILTER_BOOST),
                v(p::FILTER_DRIVE),
                v(p::FILTER_MORPH),
            );
        }
        if has(part::CUTOFF) {
            self.cutoff = v(p::FILTER_CUTOFF) / self.sample_rate;
            self.high_pass = v(p::HIGHPASS_CUTOFF) / self.sample_rate;
        }
        if has(part::PLAIN) {
            self.osc_fm = v(p::OSC1_FM);
            self.ring = v(p::RING_LEVEL);
            self.sub = v(p::SUB_LEVEL);
            self.noise = v(p::NOISE_LEVEL);
            self.cutoff_fm = v(p::FILTER_FM) / 12.0;
            self.key_track = v(p::FILTER_KEYTRACK);
            self.env_octaves = v(p::FILTER_ENV_AMOUNT) / 12.0;
            self.velocity_octaves = v(p::FILTER_VELOCITY) / 12.0;
            self.lfo_octaves = v(p::LFO_CUTOFF) / 12.0;
            self.vibrato = v(p::LFO_VIBRATO) / 100.0;
            self.tremolo = v(p::LFO_TREMOLO);
            self.velocity = v(p::VELOCITY);
            self.tune = v(p::TUNE) / 100.0;
        }
        if has(part::AMP_ENV) {
            self.amp = EnvelopeSettings::new(
                [v(p::AMP_ATTACK), v(p::AMP_DECAY), v(p::AMP_RELEASE)],
                v(p::AMP_SUSTAIN) * v(p::AMP_SUSTAIN),
                [v(p::AMP_ATTACK_CURVE), v(p::AMP_FALL_CURVE)],
                self.sample_rate,
            );
            self.amp_times = [v(p::AMP_KEY_TIME), 3.0 * v(p::AMP_VELOCITY_TIME)];
        }
        if has(part::FILTER_ENV) {
            self.filter_env = EnvelopeSettings::new(
                [
                    v(p::FILTER_ATTACK),
                    v(p::FILTER_DECAY),
                    v(p::FILTER_RELEASE),
                ],
                v(p::FILTER_SUSTAIN),
                [v(p::FILTER_ATTACK_CURVE), v(p::FILTER_FALL_CURVE)],
                self.sample_rate,
            );
            self.filter_times = [v(p::FILTER_KEY_TIME), 3.0 * v(p::FILTER_VELOCITY_TIME)];
        }
        if has(part::LFO) {
            self.lfos = [
                LfoSettings {
                    rate: v(p::LFO_RATE),
                    beats: LFO_BEATS[(v(p::LFO_SYNC).round() as usize).min(LFO_BEATS.len() - 1)],
                    shape: Shape::of(v(p::LFO_SHAPE)),
                    delay: v(p::LFO_DELAY),
                    fade: v(p::LFO_FADE),
                    phase: v(p::LFO_PHASE),
                    free: v(p::LFO_START) >= 0.5,
                },
                LfoSettings {
                    rate: v(p::LFO2_RATE),
                    beats: LFO_BEATS[(v(p::LFO2_SYNC).round() as usize).min(LFO_BEATS.len() - 1)],
                    shape: Shape::of(v(p::LFO2_SHAPE)),
                    delay: v(p::LFO2_DELAY),
                    fade: v(p::LFO2_FADE),
                    phase: v(p::LFO2_PHASE),
                    free: v(p::LFO2_START) >= 0.5,
                },
            ];
        }
        if has(part::LEVEL) {
            self.level = (v(p::LEVEL) * (std::f32::consts::LOG2_10 / 20.0)).exp2();
        }
        if has(part::COMMON) {
            self.retrigger = v(p::OSC_PHASE) >= 0.5;
            self.glide = v(p::GLIDE) * self.sample_rate;
            self.bend_range = v(p::BEND_RANGE);
            self.mpe_bend_range = (v(p::MPE) >= 0.5).then(|| v(p::MPE_BEND_RANGE));
            self.play_mode = match v(p::PLAY_MODE).round() as usize {
                0 => PlayMode::Poly,
                1 => PlayMode::Mono,
                _ => PlayMode::Legato,
            };
            self.voices = (v(p::VOICES).round() as usize).max(1);
            self.matrix = Matrix::new(v);
        }
    }
}

/// Gains and frequencies of `count` copies spread evenly over +-`octaves` of pitch and, from side to
/// side, `spread` of the width. The first copy is the one nearest the middle, so that a single one is
/// neither detuned nor moved.
fn unison(count: usize, octaves: f32, spread: f32) -> ([[f32; 2]; UNISON], [f32; UNISON]) {
    let (mut gains, mut factors) = ([[0.0; 2]; UNISON], [1.0; UNISON]);
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
