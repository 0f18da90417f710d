//! Coefficients derived from a patch: plain values and everything computed from them that does not
//! depend on the note.

use crate::effects::EffectSettings;
use crate::envelope::EnvelopeSettings;
use crate::filter::{FilterModel, FilterSettings};
use crate::lfo::LfoSettings;
use crate::matrix::{Matrix, Sum};
use crate::oscillator::{Timbre, blend};
use crate::params::{
    self as p, Group, Groups, LfoShape, LfoStart, MpeZone, PARAMS, PlayMode, StartPhase,
};
use crate::{CONTROL, Patch};
use std::f32::consts::FRAC_PI_2;

/// Shape at which the pulse has its own width.
const SQUARE: f32 = 3.0;
/// Width of the pulse at the last shape.
const NARROWEST: f32 = 0.95;

/// Most copies of an oscillator.
pub const UNISON: usize = 7;

/// Settings of one oscillator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OscillatorSettings {
    /// Waveform.
    pub timbre: Timbre,
    /// Gain in the mixer.
    pub gain: f32,
    /// Phase increment at middle C, in 2^-32 cycles a sample.
    pub increment: f32,
}

/// Coefficients derived from a patch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Sample rate in Hz.
    pub sample_rate: f32,
    /// Knobs of both oscillators.
    pub osc: [OscillatorSettings; 2],
    /// Copies of each oscillator.
    pub count: usize,
    /// Left and right gain of each copy; the power of all is that of one.
    pub copies: [[f32; 2]; UNISON],
    /// Frequency of each copy as a multiple of the oscillator's.
    pub detune: [f32; UNISON],
    /// Phases at which notes start.
    pub start_phase: StartPhase,
    /// Cycles by which oscillator 2 at its peak moves oscillator 1's phase.
    pub osc_fm: f32,
    /// Gain of the oscillators' product.
    pub ring: f32,
    /// Gain of the sub-oscillator.
    pub sub: f32,
    /// Gain of the noise.
    pub noise: f32,
    /// Model, resonance, drive, morph.
    pub filter: FilterSettings,
    /// Octaves by which oscillator 2 at its peak moves the cutoff.
    pub cutoff_fm: f32,
    /// Cutoff at middle C, as a fraction of the sample rate.
    pub cutoff: f32,
    /// Cutoff of the high-pass at middle C, as a fraction of the sample rate.
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
    /// Octaves by which the filter envelope is faster per octave of key, and at full velocity.
    pub filter_times: [f32; 2],
    /// Both low-frequency oscillators.
    pub lfos: [LfoSettings; 2],
    /// Semitones at LFO 1's peak.
    pub vibrato: f32,
    /// 0 to 1: by how much LFO 1's trough lowers the level.
    pub tremolo: f32,
    /// Portamento time, samples.
    pub glide: f32,
    /// Semitones at full bend of a channel, and of a member of an MPE zone.
    pub bend_ranges: [f32; 2],
    /// 0: all notes equally loud; 1: amplitude is velocity squared.
    pub velocity: f32,
    /// Master tuning, semitones.
    pub tune: f32,
    /// Gain of everything, 1 at 0 dB.
    pub level: f32,
    /// Play mode: a note for each key, or a single voice.
    pub play_mode: PlayMode,
    /// Most notes at once.
    pub voices: usize,
    /// Whether the channels form an MPE zone.
    pub mpe: bool,
    /// Semitones by which the matrix moves the pitch.
    pub mod_pitch: f32,
    /// Gain by which the matrix moves the amplitude, 0 to 2.
    pub mod_gain: f32,
    /// Stereo position by which the matrix moves the voice, -1 left to 1 right.
    pub mod_pan: f32,
    /// The slots in use.
    pub matrix: Matrix,
    /// Share of the way that smoothed values (gain, pan, brightness) still have to go after a
    /// control step.
    pub smoothing: f32,
    /// Chorus, delay, reverb.
    pub effects: EffectSettings,
}

impl Settings {
    /// Computes the settings of a patch.
    pub fn new(patch: &Patch, sample_rate: f32) -> Self {
        let mut settings = Self {
            sample_rate,
            mod_gain: 1.0,
            smoothing: (-(CONTROL as f32) / (0.005 * sample_rate)).exp(),
            ..Self::default()
        };
        settings.update(Groups::ALL, |row| patch.plain(row));
        settings
    }

    /// Computes these settings, which are those of `patch`, with modulation by `sum`.
    pub fn modulated(&self, patch: &Patch, sum: &Sum) -> Self {
        let mut settings = *self;
        let modulated = |row: usize| PARAMS[row].plain(patch.get(row) + sum.rows[row]);
        settings.update(sum.groups, modulated);
        settings.mod_pitch = sum.pitch;
        settings.mod_gain = sum.amp;
        settings.mod_pan = sum.pan;
        settings
    }

    /// Phase increment, in 2^-32 cycles a sample, of a pitch in semitones above middle C.
    fn increment(&self, semitones: f32) -> f32 {
        /// Middle C, semitones above the 440 Hz that are tuned to.
        const MIDDLE_C: f32 = -9.0;
        let hertz = 440.0 * ((MIDDLE_C + semitones) / 12.0).exp2();
        hertz / self.sample_rate * 4_294_967_296.0
    }

    /// Recomputes the settings of some groups of rows; `v` gives a row's plain value.
    fn update(&mut self, groups: Groups, v: impl Fn(usize) -> f32) {
        for group in groups.iter() {
            self.update_group(group, &v);
        }
    }

    /// Recomputes the settings of one group. A call of its own for each: within one loop, the
    /// compiler would compute the powers and exponentials of all groups ahead of it.
    #[inline(never)]
    fn update_group(&mut self, group: Group, v: &impl Fn(usize) -> f32) {
        match group {
            Group::Osc1Wave => {
                let sync = (v(p::OSC1_SYNC) / 12.0).exp2();
                self.osc[0].timbre = timbre(v(p::OSC1_SHAPE), v(p::OSC1_WIDTH), sync);
            }
            Group::Osc1Pitch => self.osc[0].increment = self.increment(v(p::OSC1_PITCH)),
            Group::Osc2Wave => {
                self.osc[1].timbre = timbre(v(p::OSC2_SHAPE), v(p::OSC2_WIDTH), 1.0);
            }
            Group::Osc2Pitch => {
                let semitones = v(p::OSC2_PITCH) + v(p::OSC2_DETUNE) / 100.0;
                self.osc[1].increment = self.increment(semitones);
            }
            Group::Balance => {
                let balance = v(p::OSC_BALANCE) * FRAC_PI_2;
                let level = |x: f32| if x < 1e-4 { 0.0 } else { x };
                self.osc[0].gain = v(p::OSC_LEVEL) * level(balance.cos());
                self.osc[1].gain = v(p::OSC_LEVEL) * level(balance.sin());
            }
            Group::Unison => {
                self.count = (v(p::UNISON_VOICES).round() as usize + 1).clamp(1, UNISON);
                (self.copies, self.detune) = unison(
                    self.count,
                    v(p::UNISON_DETUNE) / 1200.0,
                    v(p::UNISON_SPREAD),
                );
            }
            Group::Filter => {
                self.filter = FilterSettings::new(
                    FilterModel::from_plain(v(p::FILTER_TYPE)),
                    v(p::FILTER_RESONANCE),
                    v(p::FILTER_BOOST),
                    v(p::FILTER_DRIVE),
                    v(p::FILTER_MORPH),
                );
            }
            Group::Cutoffs => {
                self.cutoff = v(p::FILTER_CUTOFF) / self.sample_rate;
                self.high_pass = v(p::HIGHPASS_CUTOFF) / self.sample_rate;
            }
            Group::Direct => {
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
            Group::AmpEnv => {
                self.amp = EnvelopeSettings::new(
                    [v(p::AMP_ATTACK), v(p::AMP_DECAY), v(p::AMP_RELEASE)],
                    v(p::AMP_SUSTAIN) * v(p::AMP_SUSTAIN),
                    [v(p::AMP_ATTACK_CURVE), v(p::AMP_FALL_CURVE)],
                    self.sample_rate,
                );
                self.amp_times = [v(p::AMP_KEY_TIME), 3.0 * v(p::AMP_VELOCITY_TIME)];
            }
            Group::FilterEnv => {
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
            Group::Lfos => {
                self.lfos = [
                    LfoSettings {
                        rate: v(p::LFO_RATE),
                        beats: p::cycle_from_plain(v(p::LFO_SYNC)),
                        shape: LfoShape::from_plain(v(p::LFO_SHAPE)),
                        delay: v(p::LFO_DELAY),
                        fade: v(p::LFO_FADE),
                        phase: v(p::LFO_PHASE),
                        start: LfoStart::from_plain(v(p::LFO_START)),
                    },
                    LfoSettings {
                        rate: v(p::LFO2_RATE),
                        beats: p::cycle_from_plain(v(p::LFO2_SYNC)),
                        shape: LfoShape::from_plain(v(p::LFO2_SHAPE)),
                        delay: v(p::LFO2_DELAY),
                        fade: v(p::LFO2_FADE),
                        phase: v(p::LFO2_PHASE),
                        start: LfoStart::from_plain(v(p::LFO2_START)),
                    },
                ];
            }
            Group::Level => {
                self.level = (v(p::LEVEL) * (std::f32::consts::LOG2_10 / 20.0)).exp2();
            }
            Group::Playing => {
                self.start_phase = StartPhase::from_plain(v(p::OSC_PHASE));
                self.glide = v(p::GLIDE) * self.sample_rate;
                self.bend_ranges = [v(p::BEND_RANGE), v(p::MPE_BEND_RANGE)];
                self.mpe = MpeZone::from_plain(v(p::MPE)) == MpeZone::On;
                self.play_mode = PlayMode::from_plain(v(p::PLAY_MODE));
                self.voices = (v(p::VOICES).round() as usize).max(1);
            }
            Group::Matrix => self.matrix = Matrix::new(v),
            Group::Effects => self.effects = EffectSettings::new(v),
        }
    }
}

/// Timbre of an oscillator; past the square the pulse narrows.
fn timbre(shape: f32, width: f32, sync: f32) -> Timbre {
    Timbre {
        blend: blend(shape.min(SQUARE)),
        width: width + (shape - SQUARE).max(0.0) * (NARROWEST - width),
        sync,
    }
}

/// Gains and frequencies of `count` copies spread evenly over +-`octaves` of pitch and, from side
/// to side, `spread` of the width. The first copy is the one nearest the middle, so that a single
/// one is neither detuned nor moved.
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
    use crate::params::{COUNT, Destination, SLOT_ROWS, Source, can_modulate};

    /// A patch in which no row is idle: unison, a state-variable filter, an MPE zone, and every
    /// slot of the matrix in use.
    fn busy() -> Patch {
        let mut patch = Patch::default();
        patch.set_plain(p::UNISON_VOICES, 2.0);
        patch.set_plain(p::FILTER_TYPE, 3.0);
        patch.set_plain(p::MPE, 1.0);
        for [source, amount, destination] in SLOT_ROWS {
            patch.set_plain(source, Source::Key as u8 as f32);
            patch.set_plain(amount, 0.5);
            patch.set_plain(destination, 1.0);
        }
        assert_eq!(Destination::from_plain(1.0), Destination::Pitch);
        patch
    }

    #[test]
    fn a_rows_group_updates_all_that_the_row_decides() {
        let text = |settings: &Settings| format!("{settings:?}");
        let patch = busy();
        let settings = Settings::new(&patch, 48_000.0);
        for row in 0..COUNT {
            let step = 1.0 / (PARAMS[row].max - PARAMS[row].min);
            let x = match (PARAMS[row].is_stepped(), patch.get(row) < 0.5) {
                (true, true) => step,
                (true, false) => -step,
                (false, true) => 0.3,
                (false, false) => -0.3,
            };
            let mut other = patch;
            other.set(row, patch.get(row) + x);
            let whole = Settings::new(&other, 48_000.0);
            let id = PARAMS[row].id;
            assert!(text(&whole) != text(&settings), "{id} decides nothing");
            if can_modulate(row) {
                let mut sum = Sum::default();
                sum.add(row, x);
                assert_eq!(
                    text(&settings.modulated(&patch, &sum)),
                    text(&whole),
                    "{id}"
                );
            }
        }
    }

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
