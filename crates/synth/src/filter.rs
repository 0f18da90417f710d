//! The voice's filters: a saturating four-pole ladder low-pass and a two-pole high-pass.
//!
//! The ladder is four trapezoidal one-pole stages in a loop whose delay is solved away (Zavalishin,
//! "The Art of VA Filter Design", ch. 5: the linear solution first, then the saturation). Its
//! states are advanced in one matrix step, s' = A s + b u, which shortens the chain of dependent
//! operations. The saturation bounds the loop, hence the states, under any modulation.

use crate::math::tan_pi;

/// Highest cutoff as a fraction of the sample rate.
const TOP: f32 = 0.45;

/// tanh-like saturation: slope 1 at 0, +-1 from +-1.5 on, smooth in between.
#[inline(always)]
fn saturate(x: f32) -> f32 {
    let x = x.clamp(-1.5, 1.5);
    x * (1.0 - (4.0 / 27.0) * x * x)
}

/// What the ladder's knobs mean, independent of note and rate.
#[derive(Clone, Copy, Debug, Default)]
pub struct LadderSettings {
    /// Loop gain; 4 is the edge of self-oscillation.
    feedback: f32,
    /// Gain into the saturation.
    into: f32,
    /// Gain that keeps a full-scale tone's level.
    makeup: f32,
}

impl LadderSettings {
    /// `resonance` 0 to 1: 1 is the edge of self-oscillation; the curve gives equal steps about
    /// equal effect. `drive` 0 to 1: 0.35 to 10 times the level at which saturation sets in.
    pub fn new(resonance: f32, drive: f32) -> Self {
        let feedback = 4.0 * (1.0 - (1.0 - resonance.clamp(0.0, 1.0)).powf(1.7));
        let gain = 0.35 * (10.0f32 / 0.35).powf(drive);
        // The pass band sinks by 1 + feedback; half of that is given back.
        Self {
            feedback,
            into: gain * (1.0 + 0.5 * feedback),
            makeup: 1.0 / saturate(gain),
        }
    }
}

/// Coefficients that move along a control step.
#[derive(Clone, Copy, Debug)]
struct Moving<const N: usize> {
    value: [f32; N],
    step: [f32; N],
    target: [f32; N],
}

impl<const N: usize> Default for Moving<N> {
    fn default() -> Self {
        Self {
            value: [0.0; N],
            step: [0.0; N],
            target: [0.0; N],
        }
    }
}

impl<const N: usize> Moving<N> {
    fn aim(&mut self, target: [f32; N], inverse_len: f32) {
        for i in 0..N {
            self.value[i] = self.target[i];
            self.step[i] = (target[i] - self.value[i]) * inverse_len;
        }
        self.target = target;
    }

    fn still(&mut self) {
        self.value = self.target;
        self.step = [0.0; N];
    }

    #[inline(always)]
    fn advance(&mut self) {
        for i in 0..N {
            self.value[i] += self.step[i];
        }
    }
}

/// Both filters of one voice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    state: [f32; 4],
    /// Column of A, b, feedback row.
    column: Moving<4>,
    input: Moving<4>,
    feedback: Moving<4>,
    /// Gains before and behind the ladder, then the high-pass's three coefficients.
    rest: Moving<5>,
    high: [f32; 2],
    fresh: bool,
}

/// Damping of the high-pass: Butterworth.
const DAMPING: f32 = std::f32::consts::SQRT_2;

impl Filter {
    /// Empties the filters; the next plan starts without ramps.
    pub fn start(&mut self) {
        *self = Self {
            fresh: true,
            ..Self::default()
        };
    }

    /// Plans a step of 1 / `inverse_len` samples towards cutoffs given as fractions of the sample
    /// rate.
    pub fn plan(
        &mut self,
        inverse_len: f32,
        settings: &LadderSettings,
        low_pass: f32,
        high_pass: f32,
    ) {
        let g = tan_pi(low_pass.min(TOP));
        let k = settings.feedback;
        let w = g / (1.0 + g);
        let c = 1.0 - w;
        let [w2, w3] = [w * w, w * w * w];
        let solve = 1.0 / (1.0 + k * w2 * w2);
        self.column.aim(
            [2.0 * c - 1.0, 2.0 * c * w, 2.0 * c * w2, 2.0 * c * w3],
            inverse_len,
        );
        self.input
            .aim([2.0 * w, 2.0 * w2, 2.0 * w3, 2.0 * w2 * w2], inverse_len);
        let f = k * c * solve;
        self.feedback.aim([f * w3, f * w2, f * w, f], inverse_len);
        let g = tan_pi(high_pass.min(TOP));
        let a1 = 1.0 / (1.0 + g * (g + DAMPING));
        // The mean of the last stage's old and new state is its output.
        let rest = [
            settings.into * solve,
            0.5 * settings.makeup,
            a1,
            g * a1,
            g * g * a1,
        ];
        self.rest.aim(rest, inverse_len);
        if self.fresh {
            self.fresh = false;
            self.column.still();
            self.input.still();
            self.feedback.still();
            self.rest.still();
        }
    }

    /// Cuts the planned step short where it is.
    pub fn cut(&mut self) {
        self.column.target = self.column.value;
        self.input.target = self.input.value;
        self.feedback.target = self.feedback.value;
        self.rest.target = self.rest.value;
    }

    /// Filters in place.
    #[inline(always)]
    pub fn process(&mut self, samples: &mut [f32]) {
        let mut f = *self;
        for x in samples.iter_mut() {
            let [s0, s1, s2, s3] = f.state;
            let [a0, a1, a2, a3] = f.column.value;
            let b = f.input.value;
            let h = f.feedback.value;
            let [into, makeup, h1, h2, h3] = f.rest.value;
            // 1e-18 keeps the states out of the denormal range.
            let drive = *x * into + 1e-18;
            let u = saturate(drive - ((h[0] * s0 + h[1] * s1) + (h[2] * s2 + h[3] * s3)));
            f.state = [
                a0 * s0 + b[0] * u,
                (a1 * s0 + a0 * s1) + b[1] * u,
                (a2 * s0 + a1 * s1 + a0 * s2) + b[2] * u,
                ((a3 * s0 + a2 * s1) + (a1 * s2 + a0 * s3)) + b[3] * u,
            ];
            let low = makeup * (s3 + f.state[3]);
            let v3 = low - f.high[1];
            let v1 = h1 * f.high[0] + h2 * v3;
            let v2 = f.high[1] + (h2 * f.high[0] + h3 * v3);
            f.high = [2.0 * v1 - f.high[0], 2.0 * v2 - f.high[1]];
            *x = low - DAMPING * v1 - v2;
            f.column.advance();
            f.input.advance();
            f.feedback.advance();
            f.rest.advance();
        }
        *self = f;
    }
}
