//! The instruction sets of `pulp`: all of them multiply and add in one step.

#[cfg(target_arch = "aarch64")]
use super::Baseline;
use super::{Kernel, Quads, Vector};
use pulp::{NullaryFnOnce, Simd};
#[cfg(target_arch = "aarch64")]
use wide::i32x4;

/// A `pulp` instruction set that multiplies and adds in one step.
#[derive(Clone, Copy)]
struct Fused<S>(S);

impl<S: Lanes> Vector for Fused<S> {
    const LANES: usize = S::F32_LANES;
    type F = S::f32s;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        self.0.splat_f32s(x)
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        self.0.add_f32s(a, b)
    }
    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        self.0.sub_f32s(a, b)
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        self.0.mul_f32s(a, b)
    }
    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        self.0.div_f32s(a, b)
    }
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        self.0.max_f32s(a, b)
    }
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        self.0.min_f32s(a, b)
    }
    #[inline(always)]
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        self.0.mul_add_f32s(a, b, c)
    }
    #[inline(always)]
    fn mul_sub_from(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        self.0.negate_mul_add_f32s(a, b, c)
    }
    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::F {
        S::as_simd_f32s(from).0[0]
    }
    #[inline(always)]
    fn store(self, to: &mut [f32], a: Self::F) {
        S::as_mut_simd_f32s(to).0[0] = a;
    }
    #[inline(always)]
    fn quads(self, table: impl Quads, rows: &[i32]) -> [Self::F; 4] {
        self.0.quads(table, rows)
    }

    type I = S::I;

    #[inline(always)]
    fn splat_i(self, x: i32) -> S::I {
        self.0.splat_i(x)
    }
    #[inline(always)]
    fn add_i(self, a: S::I, b: S::I) -> S::I {
        self.0.add_i(a, b)
    }
    #[inline(always)]
    fn sub_i(self, a: S::I, b: S::I) -> S::I {
        self.0.sub_i(a, b)
    }
    #[inline(always)]
    fn mul_i(self, a: S::I, b: S::I) -> S::I {
        self.0.mul_i(a, b)
    }
    #[inline(always)]
    fn abs_i(self, a: S::I) -> S::I {
        self.0.abs_i(a)
    }
    #[inline(always)]
    fn shift_left(self, a: S::I, bits: u32) -> S::I {
        self.0.shift_left(a, bits)
    }
    #[inline(always)]
    fn shift_right(self, a: S::I, bits: u32) -> S::I {
        self.0.shift_right(a, bits)
    }
    #[inline(always)]
    fn load_i(self, from: &[i32]) -> S::I {
        self.0.load_i(from)
    }
    #[inline(always)]
    fn store_i(self, to: &mut [i32], a: S::I) {
        self.0.store_i(to, a);
    }
    #[inline(always)]
    fn to_f(self, a: S::I) -> Self::F {
        self.0.to_f(a)
    }
    #[inline(always)]
    fn to_i(self, a: Self::F) -> S::I {
        self.0.to_i(a)
    }
}

/// What `pulp` has no common name for; as in [`Vector`].
pub trait Lanes: Simd {
    type I: Copy;
    fn quads(self, table: impl Quads, rows: &[i32]) -> [Self::f32s; 4];
    fn splat_i(self, x: i32) -> Self::I;
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn sub_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn mul_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn abs_i(self, a: Self::I) -> Self::I;
    fn shift_left(self, a: Self::I, bits: u32) -> Self::I;
    fn shift_right(self, a: Self::I, bits: u32) -> Self::I;
    fn load_i(self, from: &[i32]) -> Self::I;
    fn store_i(self, to: &mut [i32], a: Self::I);
    fn to_f(self, a: Self::I) -> Self::f32s;
    fn to_i(self, a: Self::f32s) -> Self::I;
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
impl Lanes for pulp::x86::V3 {
    type I = Self::i32s;

    #[inline(always)]
    fn quads(self, table: impl Quads, rows: &[i32]) -> [Self::f32s; 4] {
        let avx = self.avx;
        let rows: &[i32; 8] = &rows.as_chunks().0[0];
        // Rows i and i + 4 side by side, then both halves transposed.
        let mut pairs = [avx._mm256_setzero_ps(); 4];
        for i in 0..4 {
            let low = pulp::cast(table.row(rows[i]));
            let high = pulp::cast(table.row(rows[i + 4]));
            pairs[i] = avx._mm256_insertf128_ps::<1>(avx._mm256_castps128_ps256(low), high);
        }
        let [a, b, c, d] = pairs;
        let [ab, cd] = [avx._mm256_unpacklo_ps(a, b), avx._mm256_unpacklo_ps(c, d)];
        let [ef, gh] = [avx._mm256_unpackhi_ps(a, b), avx._mm256_unpackhi_ps(c, d)];
        [
            pulp::cast(avx._mm256_shuffle_ps::<0x44>(ab, cd)),
            pulp::cast(avx._mm256_shuffle_ps::<0xEE>(ab, cd)),
            pulp::cast(avx._mm256_shuffle_ps::<0x44>(ef, gh)),
            pulp::cast(avx._mm256_shuffle_ps::<0xEE>(ef, gh)),
        ]
    }
    #[inline(always)]
    fn splat_i(self, x: i32) -> Self::I {
        pulp::cast(self.avx._mm256_set1_epi32(x))
    }
    #[inline(always)]
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I {
        pulp::cast(self.avx2._mm256_add_epi32(pulp::cast(a), pulp::cast(b)))
    }
    #[inline(always)]
    fn sub_i(self, a: Self::I, b: Self::I) -> Self::I {
        pulp::cast(self.avx2._mm256_sub_epi32(pulp::cast(a), pulp::cast(b)))
    }
    #[inline(always)]
    fn mul_i(self, a: Self::I, b: Self::I) -> Self::I {
        pulp::cast(self.avx2._mm256_mullo_epi32(pulp::cast(a), pulp::cast(b)))
    }
    #[inline(always)]
    fn abs_i(self, a: Self::I) -> Self::I {
        pulp::cast(self.avx2._mm256_abs_epi32(pulp::cast(a)))
    }
    #[inline(always)]
    fn shift_left(self, a: Self::I, bits: u32) -> Self::I {
        let bits = self.sse2._mm_cvtsi32_si128(bits as i32);
        pulp::cast(self.avx2._mm256_sll_epi32(pulp::cast(a), bits))
    }
    #[inline(always)]
    fn shift_right(self, a: Self::I, bits: u32) -> Self::I {
        let bits = self.sse2._mm_cvtsi32_si128(bits as i32);
        pulp::cast(self.avx2._mm256_srl_epi32(pulp::cast(a), bits))
    }
    #[inline(always)]
    fn load_i(self, from: &[i32]) -> Self::I {
        Self::as_simd_i32s(from).0[0]
    }
    #[inline(always)]
    fn store_i(self, to: &mut [i32], a: Self::I) {
        Self::as_mut_simd_i32s(to).0[0] = a;
    }
    #[inline(always)]
    fn to_f(self, a: Self::I) -> Self::f32s {
        pulp::cast(self.avx._mm256_cvtepi32_ps(pulp::cast(a)))
    }
    #[inline(always)]
    fn to_i(self, a: Self::f32s) -> Self::I {
        pulp::cast(self.avx._mm256_cvttps_epi32(pulp::cast(a)))
    }
}

/// As many lanes as the baseline, whose integers serve here too.
#[cfg(target_arch = "aarch64")]
impl Lanes for pulp::aarch64::Neon {
    type I = i32x4;

    #[inline(always)]
    fn quads(self, table: impl Quads, rows: &[i32]) -> [Self::f32s; 4] {
        let [a, b, c, d] = Baseline.quads(table, rows);
        [pulp::cast(a), pulp::cast(b), pulp::cast(c), pulp::cast(d)]
    }
    #[inline(always)]
    fn splat_i(self, x: i32) -> i32x4 {
        Baseline.splat_i(x)
    }
    #[inline(always)]
    fn add_i(self, a: i32x4, b: i32x4) -> i32x4 {
        Baseline.add_i(a, b)
    }
    #[inline(always)]
    fn sub_i(self, a: i32x4, b: i32x4) -> i32x4 {
        Baseline.sub_i(a, b)
    }
    #[inline(always)]
    fn mul_i(self, a: i32x4, b: i32x4) -> i32x4 {
        Baseline.mul_i(a, b)
    }
    #[inline(always)]
    fn abs_i(self, a: i32x4) -> i32x4 {
        Baseline.abs_i(a)
    }
    #[inline(always)]
    fn shift_left(self, a: i32x4, bits: u32) -> i32x4 {
        Baseline.shift_left(a, bits)
    }
    #[inline(always)]
    fn shift_right(self, a: i32x4, bits: u32) -> i32x4 {
        Baseline.shift_right(a, bits)
    }
    #[inline(always)]
    fn load_i(self, from: &[i32]) -> i32x4 {
        Baseline.load_i(from)
    }
    #[inline(always)]
    fn store_i(self, to: &mut [i32], a: i32x4) {
        Baseline.store_i(to, a);
    }
    #[inline(always)]
    fn to_f(self, a: i32x4) -> Self::f32s {
        pulp::cast(Baseline.to_f(a))
    }
    #[inline(always)]
    fn to_i(self, a: Self::f32s) -> i32x4 {
        Baseline.to_i(pulp::cast(a))
    }
}

/// A kernel with the instructions that it is to run on.
pub struct Task<K, S> {
    /// What is done.
    pub kernel: K,
    /// On what.
    pub simd: S,
}

impl<K: Kernel, S: Lanes> NullaryFnOnce for Task<K, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.kernel.run(Fused(self.simd));
    }
}
