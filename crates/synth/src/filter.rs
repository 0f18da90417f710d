//! The filters of one channel of a voice: a low-pass of one of several models, and a high-pass.
//!
//! Here are a channel's settings, the coefficients that it moves along a control step, and its
//! states; [`bank`] runs many channels side by side. Cutoffs are fractions of the sample rate. All
//! filters are trapezoidal, their cutoffs prewarped (Zavalishin, "The Art of VA Filter Design", ch.
//! 3 to 5).
//!
//! To add a model, implement [`Model`] in a file of its own and append a line to [`FilterModel`]'s
//! list. The parameter table takes its name from there, and the response's test renders it.

pub mod bank;
mod curves;
mod halfband;
mod high_pass;
mod ladder;
mod model;
mod off;
mod response;
mod svf;

use crate::math::{saturate, tan_pis};
use model::{Cutoff, Mode, Model, Named, models, most, named};
use realfft::num_complex::Complex64;
use simd::Vector;
use std::f32::consts::SQRT_2;
use std::f64::consts::TAU;
use wide::f32x4;

pub use response::FilterResponse;

/// Highest cutoff as a fraction of the sample rate.
const TOP: f32 = 0.45;
/// States below this are set to 0: they must not sink into the denormal range.
const NEGLIGIBLE: f32 = 1e-18;

models! {
    /// Models of the low-pass.
    FilterModel;
    /// Names of the models of the low-pass.
    FILTER_TYPES:
    /// Four one-pole stages in a saturating loop, at the sample rate itself: light, and the sound
    /// that models are trained on. Modulated at audio rate it becomes the other ladder.
    #[default]
    Ladder "Ladder" = ladder::Ladder<false>,
    /// The ladder at twice the rate, its saturation solved more exactly: less aliasing, and in tune
    /// up to the highest cutoff.
    Ladder2x "Ladder 2x" = ladder::Ladder<true>,
    /// One state-variable section.
    Svf12 "SVF 12 dB" = svf::Svf<1>,
    /// Two state-variable sections in series, the second resonant.
    Svf24 "SVF 24 dB" = svf::Svf<2>,
    /// Neither low-pass nor high-pass: bit-transparent.
    Off "Off" = off::Off,
}

named! {
    /// Gains around the low-pass.
    Gains {
        /// Gain before the low-pass.
        input,
        /// Gain after the low-pass and before the high-pass.
        output,
    }
}

/// Index of the high-pass's first coefficient in a channel's row, after the [`Gains`].
const HIGH_PASS: usize = <Gains<f32> as Named<f32>>::LEN;
/// Index of the model's first coefficient.
const MODEL: usize = HIGH_PASS + <high_pass::Coefficients<f32> as Named<f32>>::LEN;
/// Length of a channel's row of coefficients, a multiple of four.
const ROW: usize = (MODEL + MOST_COEFFICIENTS).next_multiple_of(4);

/// Index of the model's first state, after the high-pass's. The half-band filters' states follow.
const MODEL_STATES: usize = <high_pass::States<f32> as Named<f32>>::LEN;
/// Length of a channel's row of states: whole vectors of any instruction set.
const STATES: usize = (MODEL_STATES + MOST_STATES + 2 * halfband::STATES).next_multiple_of(16);

/// Filter settings derived from the knobs, independent of note and rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FilterSettings {
    /// Model of the low-pass.
    pub model: FilterModel,
    /// Gain into the saturation, without the model's own.
    drive: f32,
    /// Gain after the saturation that keeps a full-scale tone's level.
    makeup: f32,
    /// Share of the damping that resonance leaves: 1 without resonance, 0 at the edge of
    /// self-oscillation.
    damping: f32,
    /// Distance beyond the edge of self-oscillation, 0 to 0.1.
    boost: f32,
    /// 0 low, 1 band, 2 high.
    morph: f32,
}

impl FilterSettings {
    /// `resonance` 0 to 1: 1 is the edge of self-oscillation, and equal steps have about equal
    /// effect. `boost`, 0 to 0.1, goes beyond it at full resonance. `drive` 0 to 1: 0.35 to 10
    /// times the level at which saturation sets in. `morph`: 0 low-pass, 1 band-pass, 2 high-pass,
    /// of the state-variable models only.
    pub fn new(model: FilterModel, resonance: f32, boost: f32, drive: f32, morph: f32) -> Self {
        let gain = 0.35 * (10.0f32 / 0.35).powf(drive);
        Self {
            model,
            drive: gain,
            makeup: 1.0 / saturate(gain),
            damping: (1.0 - resonance.clamp(0.0, 1.0)).powf(1.7),
            boost,
            morph,
        }
    }

    /// Coefficients of a model for cutoffs, low- and high-pass, as fractions of the sample rate.
    #[inline(always)]
    fn row(&self, model: FilterModel, [low_pass, high_pass]: [f32; 2]) -> [f32; ROW] {
        let mut row = [0.0; ROW];
        let low_pass = low_pass.min(TOP);
        let [steady, _] = model.modes();
        let prewarped = match steady {
            Mode::Base => low_pass,
            _ => 0.5 * low_pass,
        };
        let [ns, ds] = tan_pis(f32x4::from([prewarped, high_pass.min(TOP), 0.0, 0.0]));
        let ([n, high_pass_n, ..], [d, high_pass_d, ..]) = (ns.to_array(), ds.to_array());
        let cutoff = Cutoff {
            doubled: 0.5 * low_pass,
            tangent: [n, d],
        };
        let input = self.drive * model.coefficients(self, &cutoff, &mut row[MODEL..]);
        let mut output = 1.0;
        if steady != Mode::Bypass {
            output = self.makeup;
            high_pass::coefficients([high_pass_n, high_pass_d]).write(&mut row[HIGH_PASS..]);
        }
        Gains { input, output }.write(&mut row);
        row
    }

    /// States that oscillate by themselves at once, at the level that the boost leads to: a filter
    /// without input would take seconds to swell from nothing.
    fn kick(&self) -> [f32; STATES] {
        let mut states = [0.0; STATES];
        if self.damping * SQRT_2 < self.boost {
            let level = (10.0 * self.boost).sqrt();
            self.model.kick(level, &mut states[MODEL_STATES..]);
        }
        states
    }

    /// Frequency response at `frequency`, a fraction of the sample rate from 0 to 0.5, for steady
    /// cutoffs, low- and high-pass, given as such fractions too.
    ///
    /// It holds for samples so small that nothing saturates; beyond the edge of self-oscillation
    /// no such samples exist, and it says nothing about the sound. Drive counts as gain: what it
    /// adds to small samples, saturation takes off large ones.
    pub fn response(&self, cutoffs: [f32; 2], frequency: f64) -> Complex64 {
        let row = self.row(self.model, cutoffs);
        let gains = Gains::read(&row);
        let gain = f64::from(gains.input) * f64::from(gains.output);
        let model = |z| self.model.response(&row[MODEL..], z);
        let z = Complex64::from_polar(1.0, TAU * frequency);
        let [steady, _] = self.model.modes();
        let low_pass = match steady {
            Mode::Bypass => return 1.0.into(),
            Mode::Base => model(z),
            Mode::Doubled | Mode::Modulated => halfband::response(frequency, model),
        };
        gain * low_pass * high_pass::response(&Named::read(&row[HIGH_PASS..]), z)
    }
}

/// One channel's filters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    model: FilterModel,
    /// The next plan starts without ramps.
    fresh: bool,
    /// The next plan starts silent.
    switched: bool,
    /// Settings and cutoffs last planned.
    settings: FilterSettings,
    cutoffs: [f32; 2],
    state: [f32; STATES],
    /// Coefficients at the planned step's first sample, their change per sample, and where they
    /// arrive after the last.
    start: [f32; ROW],
    step: [f32; ROW],
    target: [f32; ROW],
}

impl Filter {
    /// Empties the filters; the next plan starts without ramps.
    pub fn start(&mut self, settings: &FilterSettings) {
        *self = Self {
            model: settings.model,
            fresh: true,
            state: settings.kick(),
            ..Self::default()
        };
    }

    /// Plans a step of 1 / `inverse_len` samples towards cutoffs, low- and high-pass, given as
    /// fractions of the sample rate. Another model takes two steps: the old one's output fades out,
    /// then the new one's in.
    #[inline(always)]
    pub fn plan(&mut self, inverse_len: f32, settings: &FilterSettings, cutoffs: [f32; 2]) {
        for state in &mut self.state {
            // A choice of numbers, not of paths, is made for many at once.
            *state = if state.abs() < NEGLIGIBLE {
                0.0
            } else {
                *state
            };
        }
        if cutoffs == self.cutoffs && *settings == self.settings {
            self.start = self.target;
            self.step = [0.0; ROW];
            return;
        }
        let mut open = true;
        if self.model != settings.model {
            open = Gains::read(&self.target).output == 0.0;
            if open {
                self.start(settings);
                self.switched = true;
            }
        }
        let mut target = settings.row(self.model, cutoffs);
        self.settings = *settings;
        self.cutoffs = cutoffs;
        if !open {
            mute(&mut target);
            // The settings aren't reached yet.
            self.cutoffs = [-1.0; 2];
        }
        if self.fresh {
            self.target = target;
        }
        self.start = self.target;
        self.target = target;
        if self.switched {
            mute(&mut self.start);
        }
        self.fresh = false;
        self.switched = false;
        for r in 0..ROW {
            self.step[r] = (self.target[r] - self.start[r]) * inverse_len;
        }
    }

    /// Cuts the planned step short at its `done`-th sample.
    pub fn cut(&mut self, done: usize) {
        for r in 0..ROW {
            self.target[r] = self.start[r] + self.step[r] * done as f32;
        }
        self.cutoffs = [-1.0; 2];
    }
}

/// Sets a row's output gain to 0.
#[inline(always)]
fn mute(row: &mut [f32; ROW]) {
    let gains = Gains::read(row);
    Gains {
        output: 0.0,
        ..gains
    }
    .write(row);
}

#[cfg(test)]
mod tests;
