//! The instruction sets of `pulp`: all of them multiply and add in one step.

#[cfg(target_arch = "aarch64")]
use crate::Baseline;
use crate::{Kernel, Table4, Vector};
use pulp::{NullaryFnOnce, Simd};

/// A `pulp` instruction set that multiplies and adds in one step.
#[derive(Clone, Copy)]
struct Fused<S>(S);

impl<S: Extra> Vector for Fused<S> {
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
    fn step(self, a: Self::F) -> Self::F {
        let [zero, one] = [self.splat(0.0), self.splat(1.0)];
        self.0
            .select_f32s(self.0.less_than_f32s(zero, a), one, zero)
    }
    #[inline(always)]
    fn sum(self, a: Self::F) -> f32 {
        self.0.reduce_sum_f32s(a)
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
    fn cast(slice: &[f32]) -> &[Self::F] {
        S::as_simd_f32s(slice).0
    }
    #[inline(always)]
    fn cast_mut(slice: &mut [f32]) -> &mut [Self::F] {
        S::as_mut_simd_f32s(slice).0
    }
    #[inline(always)]
    fn gather4(self, table: impl Table4, rows: &[i32]) -> [Self::F; 4] {
        self.0.gather4(table, rows)
    }

    type I = S::i32s;

    #[inline(always)]
    fn splat_i(self, x: i32) -> Self::I {
        self.0.splat_i32s(x)
    }
    #[inline(always)]
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I {
        self.0.add_i32s(a, b)
    }
    #[inline(always)]
    fn sub_i(self, a: Self::I, b: Self::I) -> Self::I {
        self.0.sub_i32s(a, b)
    }
    #[inline(always)]
    fn mul_i(self, a: Self::I, b: Self::I) -> Self::I {
        self.0.mul_i32s(a, b)
    }
    #[inline(always)]
    fn abs_i(self, a: Self::I) -> Self::I {
        self.0.abs(a)
    }
    #[inline(always)]
    fn shift_left(self, a: Self::I, bits: u32) -> Self::I {
        self.0.shift_left(a, bits)
    }
    #[inline(always)]
    fn shift_right(self, a: Self::I, bits: u32) -> Self::I {
        self.0.shift_right(a, bits)
    }
    #[inline(always)]
    fn load_i(self, from: &[i32]) -> Self::I {
        S::as_simd_i32s(from).0[0]
    }
    #[inline(always)]
    fn store_i(self, to: &mut [i32], a: Self::I) {
        S::as_mut_simd_i32s(to).0[0] = a;
    }
    #[inline(always)]
    fn to_f(self, a: Self::I) -> Self::F {
        self.0.to_f(a)
    }
    #[inline(always)]
    fn to_i(self, a: Self::F) -> Self::I {
        self.0.to_i(a)
    }
}

/// The operations of [`Vector`] that `pulp` has no common name for.
pub trait Extra: Simd {
    fn gather4(self, table: impl Table4, rows: &[i32]) -> [Self::f32s; 4];
    fn abs(self, a: Self::i32s) -> Self::i32s;
    fn shift_left(self, a: Self::i32s, bits: u32) -> Self::i32s;
    fn shift_right(self, a: Self::i32s, bits: u32) -> Self::i32s;
    fn to_f(self, a: Self::i32s) -> Self::f32s;
    fn to_i(self, a: Self::f32s) -> Self::i32s;
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
impl Extra for pulp::x86::V3 {
    #[inline(always)]
    fn gather4(self, table: impl Table4, rows: &[i32]) -> [Self::f32s; 4] {
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
    fn abs(self, a: Self::i32s) -> Self::i32s {
        pulp::cast(self.avx2._mm256_abs_epi32(pulp::cast(a)))
    }
    #[inline(always)]
    fn shift_left(self, a: Self::i32s, bits: u32) -> Self::i32s {
        let bits = self.sse2._mm_cvtsi32_si128(bits as i32);
        pulp::cast(self.avx2._mm256_sll_epi32(pulp::cast(a), bits))
    }
    #[inline(always)]
    fn shift_right(self, a: Self::i32s, bits: u32) -> Self::i32s {
        let bits = self.sse2._mm_cvtsi32_si128(bits as i32);
        pulp::cast(self.avx2._mm256_srl_epi32(pulp::cast(a), bits))
    }
    #[inline(always)]
    fn to_f(self, a: Self::i32s) -> Self::f32s {
        pulp::cast(self.avx._mm256_cvtepi32_ps(pulp::cast(a)))
    }
    #[inline(always)]
    fn to_i(self, a: Self::f32s) -> Self::i32s {
        pulp::cast(self.avx._mm256_cvttps_epi32(pulp::cast(a)))
    }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
impl Extra for pulp::x86::V4 {
    #[inline(always)]
    fn gather4(self, table: impl Table4, rows: &[i32]) -> [Self::f32s; 4] {
        let low = Extra::gather4(*self, table, &rows[..8]);
        let high = Extra::gather4(*self, table, &rows[8..]);
        let mut gathered = [self.splat_f32s(0.0); 4];
        for i in 0..4 {
            gathered[i] = pulp::cast([low[i], high[i]]);
        }
        gathered
    }
    #[inline(always)]
    fn abs(self, a: Self::i32s) -> Self::i32s {
        pulp::cast(self.avx512f._mm512_abs_epi32(pulp::cast(a)))
    }
    #[inline(always)]
    fn shift_left(self, a: Self::i32s, bits: u32) -> Self::i32s {
        let bits = self.sse2._mm_cvtsi32_si128(bits as i32);
        pulp::cast(self.avx512f._mm512_sll_epi32(pulp::cast(a), bits))
    }
    #[inline(always)]
    fn shift_right(self, a: Self::i32s, bits: u32) -> Self::i32s {
        let bits = self.sse2._mm_cvtsi32_si128(bits as i32);
        pulp::cast(self.avx512f._mm512_srl_epi32(pulp::cast(a), bits))
    }
    #[inline(always)]
    fn to_f(self, a: Self::i32s) -> Self::f32s {
        pulp::cast(self.avx512f._mm512_cvtepi32_ps(pulp::cast(a)))
    }
    #[inline(always)]
    fn to_i(self, a: Self::f32s) -> Self::i32s {
        pulp::cast(self.avx512f._mm512_cvttps_epi32(pulp::cast(a)))
    }
}

/// Operations of the baseline, whose vectors NEON shares.
#[cfg(target_arch = "aarch64")]
impl Extra for pulp::aarch64::Neon {
    #[inline(always)]
    fn gather4(self, table: impl Table4, rows: &[i32]) -> [Self::f32s; 4] {
        Baseline.gather4(table, rows)
    }
    #[inline(always)]
    fn abs(self, a: Self::i32s) -> Self::i32s {
        Baseline.abs_i(a)
    }
    #[inline(always)]
    fn shift_left(self, a: Self::i32s, bits: u32) -> Self::i32s {
        Baseline.shift_left(a, bits)
    }
    #[inline(always)]
    fn shift_right(self, a: Self::i32s, bits: u32) -> Self::i32s {
        Baseline.shift_right(a, bits)
    }
    #[inline(always)]
    fn to_f(self, a: Self::i32s) -> Self::f32s {
        Baseline.to_f(a)
    }
    #[inline(always)]
    fn to_i(self, a: Self::f32s) -> Self::i32s {
        Baseline.to_i(a)
    }
}

/// A kernel with the instructions that it is to run on.
pub struct Task<K, S> {
    /// Kernel to run.
    pub kernel: K,
    /// Proof that the CPU has the instructions.
    pub simd: S,
}

impl<K: Kernel, S: Extra> NullaryFnOnce for Task<K, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.kernel.run(Fused(self.simd));
    }
}
