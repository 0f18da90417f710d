//! The high-pass behind every model: one trapezoidal state-variable section, at the sample rate
//! itself.

use super::model::named;
use realfft::num_complex::Complex64;
use simd::Vector;
use std::f32::consts::SQRT_2;

/// Damping of a Butterworth filter.
const DAMPING: f32 = SQRT_2;

named! {
    /// Coefficients for g = tan(pi cutoff) and a = 1 / (1 + g (g + damping)).
    Coefficients {
        /// The coefficient a.
        a,
        /// The product g a.
        ga,
        /// The product g^2 a.
        gga,
    }
}

named! {
    /// States of the two integrators.
    States {
        /// Integrator of the band output.
        band,
        /// Integrator of the low output.
        low,
    }
}

/// Coefficients for g as numerator and denominator.
#[inline(always)]
pub fn coefficients([n, d]: [f32; 2]) -> Coefficients<f32> {
    let scale = 1.0 / (d * d + n * (n + DAMPING * d));
    Coefficients {
        a: d * d * scale,
        ga: n * d * scale,
        gga: n * n * scale,
    }
}

/// Filters one sample, a channel in each lane.
#[inline(always)]
pub fn process<V: Vector>(v: V, x: V::F, c: &Coefficients<V::F>, s: &mut States<V::F>) -> V::F {
    let above = v.sub(x, s.low);
    let band = v.mul_add(c.a, s.band, v.mul(c.ga, above));
    let low = v.add(s.low, v.mul_add(c.ga, s.band, v.mul(c.gga, above)));
    let two = v.splat(2.0);
    s.band = v.sub(v.mul(two, band), s.band);
    s.low = v.sub(v.mul(two, low), s.low);
    v.sub(v.mul_sub_from(v.splat(DAMPING), band, x), low)
}

/// Frequency response at `z` on the unit circle: p^2 / (1 + damping p + p^2) with p = (z - 1) /
/// (g (z + 1)).
pub fn response(c: &Coefficients<f32>, z: Complex64) -> Complex64 {
    let g = f64::from(c.ga) / f64::from(c.a);
    // Both multiplied by g (z + 1), which is 0 at half the rate.
    let [p, one] = [z - 1.0, g * (z + 1.0)];
    p * p / (one * one + f64::from(DAMPING) * one * p + p * p)
}
