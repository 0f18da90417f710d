//! The baseline: four lanes, multiplied and added in two steps.

use crate::{Table4, Vector};
use pulp::{cast, f32x4, i32x4};

/// The instructions every CPU of the architecture has; for tests and for what runs without a
/// kernel.
#[derive(Clone, Copy, Debug)]
pub struct Baseline;

/// Converts `pulp`'s type to `wide`'s. The former, which all instruction sets share, may lie
/// anywhere in a slice, the latter only at multiples of 16 bytes.
#[inline(always)]
fn wide(a: f32x4) -> wide::f32x4 {
    cast(a)
}

/// [`wide()`] of integers.
#[inline(always)]
fn wide_i(a: i32x4) -> wide::i32x4 {
    cast(a)
}

impl Vector for Baseline {
    const LANES: usize = 4;
    type F = f32x4;

    #[inline(always)]
    fn splat(self, x: f32) -> f32x4 {
        cast(wide::f32x4::splat(x))
    }
    #[inline(always)]
    fn add(self, a: f32x4, b: f32x4) -> f32x4 {
        cast(wide(a) + wide(b))
    }
    #[inline(always)]
    fn sub(self, a: f32x4, b: f32x4) -> f32x4 {
        cast(wide(a) - wide(b))
    }
    #[inline(always)]
    fn mul(self, a: f32x4, b: f32x4) -> f32x4 {
        cast(wide(a) * wide(b))
    }
    #[inline(always)]
    fn div(self, a: f32x4, b: f32x4) -> f32x4 {
        cast(wide(a) / wide(b))
    }
    #[inline(always)]
    fn max(self, a: f32x4, b: f32x4) -> f32x4 {
        cast(wide(a).fast_max(wide(b)))
    }
    #[inline(always)]
    fn min(self, a: f32x4, b: f32x4) -> f32x4 {
        cast(wide(a).fast_min(wide(b)))
    }
    #[inline(always)]
    fn mul_add(self, a: f32x4, b: f32x4, c: f32x4) -> f32x4 {
        cast(wide(a) * wide(b) + wide(c))
    }
    #[inline(always)]
    fn mul_sub_from(self, a: f32x4, b: f32x4, c: f32x4) -> f32x4 {
        cast(wide(c) - wide(a) * wide(b))
    }
    #[inline(always)]
    fn step(self, a: f32x4) -> f32x4 {
        let positive = wide(a).simd_gt(wide::f32x4::ZERO);
        cast(positive & wide::f32x4::ONE)
    }
    #[inline(always)]
    fn sum(self, a: f32x4) -> f32 {
        (a.0 + a.2) + (a.1 + a.3)
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> f32x4 {
        cast(from.as_chunks::<4>().0[0])
    }
    #[inline(always)]
    fn store(self, to: &mut [f32], a: f32x4) {
        to.as_chunks_mut().0[0] = cast::<f32x4, [f32; 4]>(a);
    }
    #[inline(always)]
    fn cast(slice: &[f32]) -> &[f32x4] {
        <pulp::Scalar128b as pulp::Simd>::as_simd_f32s(slice).0
    }
    #[inline(always)]
    fn cast_mut(slice: &mut [f32]) -> &mut [f32x4] {
        <pulp::Scalar128b as pulp::Simd>::as_mut_simd_f32s(slice).0
    }
    #[inline(always)]
    fn gather4(self, table: impl Table4, rows: &[i32]) -> [f32x4; 4] {
        let mut gathered = [wide::f32x4::ZERO; 4];
        for i in 0..4 {
            gathered[i] = wide::f32x4::from(table.row(rows[i]));
        }
        let [a, b, c, d] = wide::f32x4::transpose(gathered);
        [cast(a), cast(b), cast(c), cast(d)]
    }

    type I = i32x4;

    #[inline(always)]
    fn splat_i(self, x: i32) -> i32x4 {
        cast(wide::i32x4::splat(x))
    }
    #[inline(always)]
    fn add_i(self, a: i32x4, b: i32x4) -> i32x4 {
        cast(wide_i(a) + wide_i(b))
    }
    #[inline(always)]
    fn sub_i(self, a: i32x4, b: i32x4) -> i32x4 {
        cast(wide_i(a) - wide_i(b))
    }
    #[inline(always)]
    fn mul_i(self, a: i32x4, b: i32x4) -> i32x4 {
        cast(wide_i(a) * wide_i(b))
    }
    #[inline(always)]
    fn abs_i(self, a: i32x4) -> i32x4 {
        cast(wide_i(a).abs())
    }
    #[inline(always)]
    fn shift_left(self, a: i32x4, bits: u32) -> i32x4 {
        cast(wide_i(a) << bits)
    }
    #[inline(always)]
    fn shift_right(self, a: i32x4, bits: u32) -> i32x4 {
        cast(cast::<i32x4, wide::u32x4>(a) >> bits)
    }
    #[inline(always)]
    fn load_i(self, from: &[i32]) -> i32x4 {
        cast(from.as_chunks::<4>().0[0])
    }
    #[inline(always)]
    fn store_i(self, to: &mut [i32], a: i32x4) {
        to.as_chunks_mut().0[0] = cast::<i32x4, [i32; 4]>(a);
    }
    #[inline(always)]
    fn to_f(self, a: i32x4) -> f32x4 {
        cast(wide::f32x4::from_i32x4(wide_i(a)))
    }
    #[inline(always)]
    fn to_i(self, a: f32x4) -> i32x4 {
        cast(wide(a).fast_trunc_int())
    }
}
