//! Doubling and halving of the sample rate by a half-band filter of two all-pass branches.
//!
//! Each branch is two first-order sections in z^-2 (Valenzuela and Constantinides, "Digital signal
//! processing schemes for efficient interpolation and decimation", 1983): an elliptic filter of
//! order 9 that passes 0 to 0.45 of the lower rate and takes away 53 dB from 0.55 on. Its response
//! begins with the very sample; its group delay at low frequencies is one sample of the lower rate
//! each way.

use realfft::num_complex::Complex64;
use simd::Vector;
use std::f64::consts::PI;

/// States of [`up`], and as many of [`down`].
pub const STATES: usize = 4;
/// Coefficients of the branches' sections.
const BRANCHES: [[f32; 2]; 2] = [[0.120_732_12, 0.663_202_02], [0.390_362_19, 0.890_786_83]];

/// Filters one sample by a branch, whose states are `s`: y = a x + s, then s = x - a y.
#[inline(always)]
fn branch<V: Vector>(v: V, x: V::F, s: &mut [V::F], coefficients: [f32; 2]) -> V::F {
    let mut x = x;
    for (s, a) in s.iter_mut().zip(coefficients) {
        let a = v.splat(a);
        let y = v.mul_add(a, x, *s);
        *s = v.mul_sub_from(a, y, x);
        x = y;
    }
    x
}

/// Doubles the rate: one sample to two, with [`STATES`] states.
#[inline(always)]
pub fn up<V: Vector>(v: V, x: V::F, s: &mut [V::F]) -> [V::F; 2] {
    let (first, second) = s.split_at_mut(2);
    [
        branch(v, x, first, BRANCHES[0]),
        branch(v, x, second, BRANCHES[1]),
    ]
}

/// Halves the rate: two samples to one, with [`STATES`] states.
#[inline(always)]
pub fn down<V: Vector>(v: V, x: [V::F; 2], s: &mut [V::F]) -> V::F {
    let (first, second) = s.split_at_mut(2);
    let sum = v.add(
        branch(v, x[0], second, BRANCHES[1]),
        branch(v, x[1], first, BRANCHES[0]),
    );
    v.mul(v.splat(0.5), sum)
}

/// Frequency response at `frequency`, a fraction of the lower rate, of [`up`], then a filter whose
/// response at z on the unit circle of the doubled rate is `filter`, then [`down`].
///
/// The doubled rate holds the frequency and its image, half of that rate away; both come back to
/// the same frequency.
pub fn response(frequency: f64, filter: impl Fn(Complex64) -> Complex64) -> Complex64 {
    let z = Complex64::from_polar(1.0, PI * frequency);
    let delay = (z * z).inv();
    let [first, second] = BRANCHES.map(|coefficients| {
        let section = |a: f64| (a + delay) / (1.0 + a * delay);
        section(coefficients[0].into()) * section(coefficients[1].into())
    });
    let through = |z: Complex64| {
        let [up, down] = [first + second / z, second + first * z];
        up * filter(z) * down
    };
    0.25 * (through(z) + through(-z))
}
