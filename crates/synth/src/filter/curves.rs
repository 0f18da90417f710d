//! Curves that several filter models need, of a channel in each lane of a vector.

use super::TOP;
use simd::Vector;
use std::f32::consts::{FRAC_PI_2, LN_2};

/// [`crate::math::saturate`].
#[inline(always)]
pub fn saturate<V: Vector>(v: V, x: V::F) -> V::F {
    let x = v.max(v.min(x, v.splat(1.5)), v.splat(-1.5));
    let q = v.mul(x, x);
    v.mul(x, v.mul_sub_from(v.splat(4.0 / 27.0), q, v.splat(1.0)))
}

/// tan(pi f) as numerator and denominator, for the cutoff `f`, a fraction of the doubled sample
/// rate, moved by some octaves and kept below 0.225.
#[inline(always)]
pub fn tangent<V: Vector>(v: V, f: V::F, octaves: V::F) -> [V::F; 2] {
    // 2^m = (e^(m ln 2 / 16))^16, a Taylor series for |m| <= 6: relative error below 1e-5.
    let e = v.mul(octaves, v.splat(LN_2 / 16.0));
    let e = v.max(v.min(e, v.splat(0.26)), v.splat(-0.26));
    let mut p = v.splat(1.0 / 120.0);
    for c in [1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = v.mul_add(p, e, v.splat(c));
    }
    for _ in 0..4 {
        p = v.mul(p, p);
    }
    let f = v.min(v.mul(f, p), v.splat(0.5 * TOP));
    // As in [`crate::math::tan_pis`].
    let h = v.mul(f, v.splat(FRAC_PI_2));
    let q = v.mul(h, h);
    let n = v.mul_add(v.sub(q, v.splat(105.0)), q, v.splat(945.0));
    let n = v.mul(h, n);
    let d = v.mul_add(v.splat(15.0), q, v.splat(-420.0));
    let d = v.mul_add(d, q, v.splat(945.0));
    let nd = v.mul(n, d);
    [v.add(nd, nd), v.mul_sub_from(n, n, v.mul(d, d))]
}
