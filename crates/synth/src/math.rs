//! Elementary functions for the control rate: a few nanoseconds each, free of the platform's libm,
//! so that the same numbers come out everywhere.

use crate::CONTROL;
use simd::Vector;
use std::ops::{Add, Mul, Sub};
use wide::{f32x4, i32x4};

/// 2^x of four numbers, relative error below 3e-7; `x` is clamped to -125..126.
#[inline(always)]
pub fn exp2s(x: f32x4) -> f32x4 {
    let x = x
        .fast_max(f32x4::splat(-125.0))
        .fast_min(f32x4::splat(126.0));
    // 1.5 * 2^23, added, rounds to an integer, which it leaves in the lowest bits.
    let rounder = f32x4::splat(12_582_912.0);
    let whole = x + rounder;
    let f = x - (whole - rounder);
    // Taylor series of 2^f for |f| <= 0.5; the first dropped term is 5e-9. In pairs, so that none
    // of them waits for all others.
    let pair = |a: f32, b: f32| f32x4::splat(b) * f + f32x4::splat(a);
    let q = f * f;
    let low = pair(0.240_226_5, 5.550_411e-2) * q + pair(1.0, std::f32::consts::LN_2);
    let high = pair(1.540_353e-4, 1.525_273_4e-5) * q + pair(9.618_129e-3, 1.333_355_8e-3);
    let p: i32x4 = pulp::cast(high * (q * q) + low);
    let exponent = pulp::cast::<f32x4, i32x4>(whole) << 23;
    pulp::cast(p + exponent)
}

/// [`exp2s`] of one.
#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    exp2s(f32x4::splat(x)).to_array()[0]
}

/// tan(pi x) of four numbers, 0 <= x <= 0.45 (larger ones are clamped), as fractions `[numerators,
/// denominators]`, relative error below 3e-6: the bilinear transform's prewarping, with the
/// division left to the caller's own.
#[inline(always)]
pub fn tan_pis(x: f32x4) -> [f32x4; 2] {
    let number = f32x4::splat;
    // Pade approximant of the half angle's tangent, n / d, then the double-angle formula.
    let x = x.fast_max(number(0.0)).fast_min(number(0.45));
    let h = x * number(std::f32::consts::FRAC_PI_2);
    let q = h * h;
    let n = h * ((q - number(105.0)) * q + number(945.0));
    let d = (number(15.0) * q - number(420.0)) * q + number(945.0);
    [number(2.0) * n * d, d * d - n * n]
}

/// sin(2 pi x) for 0 <= x <= 1, absolute error below 1e-5.
#[inline(always)]
pub fn sin_turn(x: f32) -> f32 {
    // Folded at a quarter, and where that leads too far down, at minus a quarter.
    let x = 0.25 - (x - 0.25).abs();
    let x = x.max(-0.5 - x);
    let a = x * std::f32::consts::TAU;
    let q = a * a;
    a * (1.0 + q * (-1.0 / 6.0 + q * (1.0 / 120.0 + q * (-1.0 / 5040.0 + q * (1.0 / 362_880.0)))))
}

/// tanh-like saturation: slope 1 at 0, +-1 from +-1.5 on, smooth in between.
pub fn saturate(x: f32) -> f32 {
    let x = x.clamp(-1.5, 1.5);
    x * (1.0 - (4.0 / 27.0) * x * x)
}

/// 1 / `len`, which takes no division for a whole control step.
#[inline(always)]
pub fn inverse(len: usize) -> f32 {
    if len == CONTROL {
        1.0 / CONTROL as f32
    } else {
        1.0 / len as f32
    }
}

/// A stream of pseudo-random bits (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", 2014): one step of SplitMix64.
pub fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A value that moves linearly over one control step: `start + step * i` at its `i`-th sample.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ramp {
    /// Value at the step's first sample.
    pub start: f32,
    /// Change per sample.
    pub step: f32,
    /// Value one sample after the last: where the next ramp starts.
    pub target: f32,
}

/// 0, 1, 2 ...: the samples of a control step, for vectors of them that begin within it.
pub const INDEX: [f32; 2 * CONTROL] = {
    let mut index = [0.0; 2 * CONTROL];
    let mut i = 0;
    while i < index.len() {
        index[i] = i as f32;
        i += 1;
    }
    index
};

impl Ramp {
    /// A ramp that stands still.
    pub fn still(value: f32) -> Self {
        Self {
            start: value,
            step: 0.0,
            target: value,
        }
    }

    /// Moves on to `target` over `inverse_len` = 1 / samples.
    #[inline(always)]
    pub fn aim(&mut self, target: f32, inverse_len: f32) {
        self.start = self.target;
        self.step = (target - self.start) * inverse_len;
        self.target = target;
    }

    /// Cuts the ramp short at its `i`-th sample: the next one starts there.
    pub fn cut(&mut self, i: usize) {
        self.target = self.at(i);
    }

    /// Value at the `i`-th sample.
    #[inline(always)]
    pub fn at(&self, i: usize) -> f32 {
        self.start + self.step * i as f32
    }

    /// Values from the `i`-th sample on, at most a control step.
    #[inline(always)]
    pub fn vector<V: Vector>(&self, v: V, i: usize) -> V::F {
        v.mul_add(v.splat(self.step), v.load(&INDEX[i..]), v.splat(self.start))
    }

    /// Adds a whole control step's samples to `out`, the first of them times the ramp's `done`-th
    /// value.
    #[inline(always)]
    pub fn mix_in<V: Vector>(
        &self,
        v: V,
        done: usize,
        samples: &[f32; CONTROL],
        out: &mut [f32; CONTROL],
    ) {
        for i in (0..CONTROL).step_by(V::LANES) {
            let gain = self.vector(v, done + i);
            let sum = v.mul_add(gain, v.load(&samples[i..]), v.load(&out[i..]));
            v.store(&mut out[i..], sum);
        }
    }

    /// Whether it is zero throughout.
    pub fn is_silent(&self) -> bool {
        // Both but for their signs, which says it in fewer instructions than two comparisons.
        (self.start.to_bits() | self.target.to_bits()) << 1 == 0
    }
}

/// Lagrange's interpolation through four points a step apart, `f` of a step past the second.
#[inline(always)]
pub fn lagrange<F>([a, b, c, d]: [F; 4], f: F) -> F
where
    F: Copy + Add<Output = F> + Sub<Output = F> + Mul<Output = F> + Mul<f32, Output = F>,
{
    let c1 = c - a * (1.0 / 3.0) - b * 0.5 - d * (1.0 / 6.0);
    let c2 = (a + c) * 0.5 - b;
    let c3 = (d - a) * (1.0 / 6.0) + (b - c) * 0.5;
    ((c3 * f + c2) * f + c1) * f + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_match_libm() {
        for i in 0..=20_000 {
            let x = -100.0 + i as f32 * 0.01;
            let e = exp2(x) as f64 / (x as f64).exp2() - 1.0;
            assert!(e.abs() < 3e-7, "exp2({x}): {e:e}");
            let y = i as f32 / 20_000.0;
            let s = sin_turn(y) as f64 - (y as f64 * std::f64::consts::TAU).sin();
            assert!(s.abs() < 1e-5, "sin_turn({y}): {s:e}");
            let y = 0.45 * y;
            let [n, d] = tan_pis(f32x4::splat(y)).map(|x| x.to_array()[3]);
            let t = (n / d) as f64 - (y as f64 * std::f64::consts::PI).tan();
            assert!(t.abs() <= 3e-6 * (n / d) as f64, "tan_pis({y}): {t:e}");
        }
    }
}
