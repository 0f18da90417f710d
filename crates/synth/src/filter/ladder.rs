//! The ladder: four one-pole stages in a loop with a saturation, the loop's delay solved away
//! (Zavalishin, "The Art of VA Filter Design", ch. 5).

use super::FilterSettings;
use super::curves::{saturate, tangent};
use super::model::{Cutoff, Mode, Model, named};
use realfft::num_complex::Complex64;
use simd::Vector;

/// The ladder; where `DOUBLED`, at twice the sample rate, and its saturation solved more exactly.
pub struct Ladder<const DOUBLED: bool>;

named! {
    /// Coefficients for g = tan(pi cutoff), prewarped.
    Coefficients {
        /// w = g / (1 + g): a stage's share of its input.
        share,
        /// Feedback around the four stages; 4 is the edge of self-oscillation.
        feedback,
        /// 1 / (1 + feedback w^4): solves the loop.
        solve,
        ;
        /// Cutoff as a fraction of the doubled rate.
        cutoff,
    }
}

named! {
    /// The stages' integrators, in the signal's order.
    States {
        /// State of the first stage.
        first,
        /// State of the second stage.
        second,
        /// State of the third stage.
        third,
        /// State of the fourth stage.
        fourth,
    }
}

/// Loop gain; 4 is the edge of self-oscillation.
fn feedback(settings: &FilterSettings) -> f32 {
    4.0 * (1.0 - settings.damping + settings.boost)
}

impl<const DOUBLED: bool> Model for Ladder<DOUBLED> {
    type Coefficients<T: Copy> = Coefficients<T>;
    type States<T: Copy> = States<T>;
    const MODES: [Mode; 2] = [
        if DOUBLED { Mode::Doubled } else { Mode::Base },
        Mode::Modulated,
    ];

    /// Makes up for half of the pass band's loss, a factor of 1 + feedback.
    #[inline(always)]
    fn input_gain(settings: &FilterSettings) -> f32 {
        1.0 + 0.5 * feedback(settings)
    }

    #[inline(always)]
    fn coefficients(settings: &FilterSettings, cutoff: &Cutoff) -> Coefficients<f32> {
        let [n, d] = cutoff.tangent;
        let (w, feedback) = (n / (n + d), feedback(settings));
        let w2 = w * w;
        Coefficients {
            share: w,
            feedback,
            solve: 1.0 / (1.0 + feedback * w2 * w2),
            cutoff: cutoff.doubled,
        }
    }

    fn kick(level: f32) -> States<f32> {
        States {
            first: level * 0.41,
            second: level * 0.41,
            third: level * 0.205,
            fourth: 0.0,
        }
    }

    #[inline(always)]
    fn process<V: Vector>(
        v: V,
        mode: Mode,
        x: &mut [V::F],
        octaves: V::F,
        c: &Coefficients<V::F>,
        s: &mut States<V::F>,
    ) {
        let one = v.splat(1.0);
        let (mut w, mut solve) = (c.share, c.solve);
        if mode == Mode::Modulated {
            let [n, d] = tangent(v, c.cutoff, octaves);
            w = v.div(n, v.add(n, d));
        }
        let w2 = v.mul(w, w);
        let [w3, w4] = [v.mul(w2, w), v.mul(w2, w2)];
        let around = v.mul(c.feedback, w4);
        if mode == Mode::Modulated {
            solve = v.div(one, v.add(one, around));
        }
        let keep = v.sub(one, w);
        let coefficients = Loop {
            keep,
            w: [w, w2, w3, w4],
            back: v.mul(c.feedback, keep),
            around,
            solve,
        };
        for x in x {
            *x = coefficients.step(v, *x, mode.is_doubled(), s);
        }
    }

    /// G^4 / (1 + feedback G^4) with the trapezoidal one-pole G.
    fn response(c: &Coefficients<f32>, z: Complex64) -> Complex64 {
        let (w, feedback) = (f64::from(c.share), f64::from(c.feedback));
        let stage = w * (z + 1.0) / (z - (1.0 - 2.0 * w));
        let stages = stage.powi(4);
        stages / (1.0 + feedback * stages)
    }
}

/// The loop's coefficients at a moment.
struct Loop<F> {
    /// Share of its state in a stage's output.
    keep: F,
    /// Powers of w, a stage's share of its input.
    w: [F; 4],
    /// Feedback times `keep`.
    back: F,
    /// Feedback times w^4.
    around: F,
    /// 1 / (1 + feedback w^4).
    solve: F,
}

impl<F: Copy> Loop<F> {
    /// Filters one sample; `exact` adds a step of Newton's method.
    #[inline(always)]
    fn step<V: Vector<F = F>>(&self, v: V, x: F, exact: bool, s: &mut States<F>) -> F {
        let [w, w2, w3, w4] = self.w;
        // h, times `keep`: what the states give to each stage's output.
        let h1 = s.first;
        let h2 = v.mul_add(w, h1, s.second);
        let h3 = v.mul_add(w, h2, s.third);
        let h4 = v.mul_add(w, h3, s.fourth);
        // u = saturate(x - feedback y4) with y4 = keep h4 + w^4 u: the linear solution saturated,
        // then, to be exact, one step of Newton's method with the slope at rest.
        let drive = v.mul_sub_from(self.back, h4, x);
        let mut u = saturate(v, v.mul(drive, self.solve));
        if exact {
            let again = saturate(v, v.mul_sub_from(self.around, u, drive));
            u = v.mul_sub_from(v.sub(u, again), self.solve, u);
        }
        let y1 = v.mul_add(w, u, v.mul(self.keep, h1));
        let y2 = v.mul_add(w2, u, v.mul(self.keep, h2));
        let y3 = v.mul_add(w3, u, v.mul(self.keep, h3));
        let y4 = v.mul_add(w4, u, v.mul(self.keep, h4));
        let two = v.splat(2.0);
        s.first = v.sub(v.mul(two, y1), s.first);
        s.second = v.sub(v.mul(two, y2), s.second);
        s.third = v.sub(v.mul(two, y3), s.third);
        s.fourth = v.sub(v.mul(two, y4), s.fourth);
        y4
    }
}
