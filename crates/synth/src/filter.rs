//! One channel of a voice's filters at rest: what it is set to, where it is going, its states.
//!
//! A step is planned here, at the control rate; [`lanes`] runs many filters side by side. Cutoffs
//! are fractions of the sample rate. All but the plain ladder and the two-pole high-pass behind it
//! run at twice that rate; all are trapezoidal, their cutoffs prewarped (Zavalishin, "The Art of VA
//! Filter Design", ch. 3 to 5; Simper, "Solving the continuous SVF equations using trapezoidal
//! integration", 2013).

mod halfband;
pub mod lanes;
mod low_pass;

use crate::math::{saturate, tan_pis};
use std::f32::consts::SQRT_2;
use wide::f32x4;

/// Highest cutoff as a fraction of the sample rate.
const TOP: f32 = 0.45;
/// Damping of the high-pass: Butterworth.
const DAMPING: f32 = SQRT_2;
/// Dampings of two second-order sections that make a fourth-order Butterworth.
const FOURTH_ORDER: [f32; 2] = [1.847_759, 0.765_366_9];
/// What the resonance boost takes off the state-variable filter's damping.
const BOOST: f32 = 0.89;
/// States below this are nothing: they must not sink into the denormal range.
const NOTHING: f32 = 1e-18;

/// Which low-pass runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Four one-pole stages in a saturating loop, at the sample rate itself: light, and the sound
    /// that models are trained on. Modulated at audio rate it becomes the other ladder.
    #[default]
    Plain,
    /// The same at twice the rate, its saturation solved more exactly: less aliasing, in tune to
    /// the top.
    Ladder,
    /// One state-variable section.
    Svf12,
    /// Two in series, the second resonant.
    Svf24,
    /// Nothing, nor the high-pass: the same bits come out.
    Off,
}

impl Kind {
    /// All of them, in the order of [`crate::params::FILTER_TYPES`].
    pub const ALL: [Self; 5] = [
        Self::Plain,
        Self::Ladder,
        Self::Svf12,
        Self::Svf24,
        Self::Off,
    ];

    /// Whether it is one of those whose coefficients follow the cutoff sample by sample.
    fn is_state_variable(self) -> bool {
        matches!(self, Self::Svf12 | Self::Svf24)
    }
}

/// Positions in a filter's states.
mod state {
    /// The ladder's stages; or both integrators of the resonant, then of the other section.
    pub const LOW: usize = 0;
    /// The high-pass's integrators.
    pub const HIGH: usize = 4;
    /// All that run at the sample rate itself are among so many, a multiple of four.
    pub const PLAIN: usize = 8;
    /// Up-sampler's sections.
    pub const UP: usize = 6;
    /// Down-sampler's sections.
    pub const DOWN: usize = 10;
    /// Behind the last one.
    pub const END: usize = 14;
    /// How many there is room for, a multiple of four.
    pub const COUNT: usize = 16;
}

/// Positions in a filter's coefficients, which move linearly along a step.
mod row {
    /// Ladder: w = g / (1 + g), a stage's share of its input; state-variable: unused, its g follows
    /// the cutoff sample by sample.
    pub const GAIN: usize = 0;
    /// Ladder: feedback; state-variable: damping of the resonant section.
    pub const LOOP: usize = 1;
    /// Ladder: 1 / (1 + feedback w^4), which solves the loop; state-variable: the other damping.
    pub const SOLVE: usize = 2;
    /// Gain into the saturation.
    pub const INTO: usize = 3;
    /// Gain behind.
    pub const OUT: usize = 4;
    /// The high-pass: a, g a and g^2 a with a = 1 / (1 + g (g + damping)).
    pub const HIGH: usize = 5;
    /// How many there are of these, all that a ladder needs whose cutoff isn't modulated.
    pub const STEADY: usize = 8;
    /// Cutoff over the doubled rate, for modulation at audio rate and the state-variable filter.
    pub const CUTOFF: usize = 8;
    /// Weights of a state-variable section's low, band and high outputs.
    pub const MORPH: usize = 9;
    /// How many there are.
    pub const COUNT: usize = 12;
}

/// What the filter's knobs mean, independent of note and rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FilterSettings {
    /// Which low-pass.
    pub kind: Kind,
    /// The ladder's loop gain; 4 is the edge of self-oscillation.
    feedback: f32,
    /// Gain into the saturation, without the ladder's own.
    into: f32,
    /// Gain that keeps a full-scale tone's level.
    makeup: f32,
    /// Share of the state-variable filter's damping that resonance leaves.
    damping: f32,
    /// How far beyond the edge of self-oscillation, 0 to 0.1.
    boost: f32,
    /// 0 low, 1 band, 2 high.
    morph: f32,
}

impl FilterSettings {
    /// `resonance` 0 to 1: 1 is the edge of self-oscillation; the curve gives equal steps about
    /// equal effect; `boost`, 0 to 0.1, goes beyond it at full resonance. `drive` 0 to 1: 0.35 to
    /// 10 times the level at which saturation sets in. `morph` 0 low-pass, 1 band-pass, 2
    /// high-pass.
    pub fn new(kind: Kind, resonance: f32, boost: f32, drive: f32, morph: f32) -> Self {
        let damping = (1.0 - resonance.clamp(0.0, 1.0)).powf(1.7);
        let gain = 0.35 * (10.0f32 / 0.35).powf(drive);
        Self {
            kind,
            feedback: 4.0 * (1.0 - damping + boost),
            into: gain,
            makeup: 1.0 / saturate(gain),
            damping,
            boost,
            morph,
        }
    }

    /// Coefficients for cutoffs given as fractions of the sample rate.
    #[inline(always)]
    fn rows(&self, kind: Kind, low_pass: f32, high_pass: f32) -> [f32; row::COUNT] {
        let mut rows = [0.0; row::COUNT];
        let low_pass = low_pass.min(TOP);
        rows[row::CUTOFF] = 0.5 * low_pass;
        (rows[row::INTO], rows[row::OUT]) = (self.into, self.makeup);
        let prewarped = match kind {
            Kind::Plain => low_pass,
            _ => 0.5 * low_pass,
        };
        let [ns, ds] = tan_pis(f32x4::from([prewarped, high_pass.min(TOP), 0.0, 0.0]));
        let ([n, high_pass_n, ..], [d, high_pass_d, ..]) = (ns.to_array(), ds.to_array());
        match kind {
            Kind::Plain | Kind::Ladder => {
                let w = n / (n + d);
                let w2 = w * w;
                rows[row::GAIN] = w;
                rows[row::LOOP] = self.feedback;
                rows[row::SOLVE] = 1.0 / (1.0 + self.feedback * w2 * w2);
                // The pass band sinks by 1 + feedback; half of that is given back.
                rows[row::INTO] *= 1.0 + 0.5 * self.feedback;
            }
            Kind::Svf12 | Kind::Svf24 => {
                let [other, resonant] = match kind {
                    Kind::Svf12 => [0.0, SQRT_2],
                    _ => FOURTH_ORDER,
                };
                // Resonance adds to the level; a part is taken back.
                rows[row::INTO] *= 1.0 - 0.2 * (1.0 - self.damping);
                rows[row::LOOP] = resonant * self.damping - BOOST * self.boost;
                rows[row::SOLVE] = other;
                // A band output's peak is 1 / damping; without resonance it is to be 1.
                let band = match kind {
                    Kind::Svf12 => SQRT_2,
                    _ => SQRT_2.sqrt(),
                };
                rows[row::MORPH] = (1.0 - self.morph).max(0.0);
                rows[row::MORPH + 1] = band * (1.0 - (1.0 - self.morph).abs());
                rows[row::MORPH + 2] = (self.morph - 1.0).max(0.0);
            }
            Kind::Off => {
                rows[row::OUT] = 1.0;
                return rows;
            }
        }
        let (n, d) = (high_pass_n, high_pass_d);
        let scale = 1.0 / (d * d + n * (n + DAMPING * d));
        rows[row::HIGH] = d * d * scale;
        rows[row::HIGH + 1] = n * d * scale;
        rows[row::HIGH + 2] = n * n * scale;
        rows
    }

    /// States that oscillate by themselves at once, at the level that the boost leads to: a filter
    /// without input would take seconds to swell from nothing.
    fn kick(&self) -> [f32; state::COUNT] {
        let mut states = [0.0; state::COUNT];
        if self.damping * SQRT_2 < self.boost {
            let level = (10.0 * self.boost).sqrt();
            let stages = match self.kind {
                Kind::Plain | Kind::Ladder => [0.41, 0.41, 0.205, 0.0],
                Kind::Svf12 | Kind::Svf24 => [0.21, 0.0, 0.0, 0.0],
                Kind::Off => [0.0; 4],
            };
            for (state, stage) in states.iter_mut().zip(stages) {
                *state = level * stage;
            }
        }
        states
    }
}

/// One channel's filters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    kind: Kind,
    /// The next plan starts without ramps.
    fresh: bool,
    /// It starts silent.
    switched: bool,
    /// What was last asked for.
    settings: FilterSettings,
    cutoffs: [f32; 2],
    state: [f32; state::COUNT],
    /// The coefficients at the planned step's first sample, their change per sample, and where they
    /// arrive after the last.
    start: [f32; row::COUNT],
    step: [f32; row::COUNT],
    target: [f32; row::COUNT],
}

impl Filter {
    /// Empties the filters; the next plan starts without ramps.
    pub fn start(&mut self, settings: &FilterSettings) {
        *self = Self {
            kind: settings.kind,
            fresh: true,
            state: settings.kick(),
            ..Self::default()
        };
    }

    /// Plans a step of 1 / `inverse_len` samples towards cutoffs, low- and high-pass, given as
    /// fractions of the sample rate. Another kind takes two steps: the old one's output fades out,
    /// then the new one's in.
    #[inline(always)]
    pub fn plan(&mut self, inverse_len: f32, settings: &FilterSettings, cutoffs: [f32; 2]) {
        for state in &mut self.state {
            // A choice of numbers, not of paths, is made for many at once.
            *state = if state.abs() < NOTHING { 0.0 } else { *state };
        }
        if cutoffs == self.cutoffs && *settings == self.settings {
            self.start = self.target;
            self.step = [0.0; row::COUNT];
            return;
        }
        let mut open = true;
        if self.kind != settings.kind {
            open = self.target[row::OUT] == 0.0;
            if open {
                self.start(settings);
                self.switched = true;
            }
        }
        let mut target = settings.rows(self.kind, cutoffs[0], cutoffs[1]);
        (self.settings, self.cutoffs) = (*settings, cutoffs);
        if !open {
            target[row::OUT] = 0.0;
            // It isn't there yet.
            self.cutoffs = [-1.0; 2];
        }
        if self.fresh {
            self.target = target;
        }
        self.start = self.target;
        self.target = target;
        if self.switched {
            self.start[row::OUT] = 0.0;
        }
        self.fresh = false;
        self.switched = false;
        for r in 0..row::COUNT {
            self.step[r] = (self.target[r] - self.start[r]) * inverse_len;
        }
    }

    /// Cuts the planned step short at its `done`-th sample.
    pub fn cut(&mut self, done: usize) {
        for r in 0..row::COUNT {
            self.target[r] = self.start[r] + self.step[r] * done as f32;
        }
        self.cutoffs = [-1.0; 2];
    }
}

#[cfg(test)]
mod tests;
