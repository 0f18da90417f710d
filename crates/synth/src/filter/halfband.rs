//! Doubling and halving of the sample rate by a half-band filter of two all-pass branches.
//!
//! Each branch is two first-order sections in z^-2 (Valenzuela and Constantinides, "Digital signal
//! processing schemes for efficient interpolation and decimation", 1983): an elliptic filter of
//! order 9 that passes 0 to 0.45 of the lower rate and takes away 53 dB from 0.55 on. Its response
//! begins with the very sample; its group delay at low frequencies is one sample of the lower rate
//! each way.

use simd::Vector;

/// Coefficients of the branches' sections.
const BRANCHES: [[f32; 2]; 2] = [[0.120_732_12, 0.663_202_02], [0.390_362_19, 0.890_786_83]];

/// One sample through a branch, whose states are `s`: y = a x + s, then s = x - a y.
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

/// One sample to two; four states.
#[inline(always)]
pub fn up<V: Vector>(v: V, x: V::F, s: &mut [V::F]) -> [V::F; 2] {
    let (first, second) = s.split_at_mut(2);
    [
        branch(v, x, first, BRANCHES[0]),
        branch(v, x, second, BRANCHES[1]),
    ]
}

/// Two samples to one; four states.
#[inline(always)]
pub fn down<V: Vector>(v: V, x: [V::F; 2], s: &mut [V::F]) -> V::F {
    let (first, second) = s.split_at_mut(2);
    let sum = v.add(
        branch(v, x[0], second, BRANCHES[1]),
        branch(v, x[1], first, BRANCHES[0]),
    );
    v.mul(v.splat(0.5), sum)
}
