//! Which vector instructions the voices' filters run on, chosen when an instrument is made.
//!
//! `pulp` does the detection and the vector types of what is better than the baseline, `wide` has the
//! baseline's. The latter multiplies and adds in two steps: without the instruction, fusing them would
//! be a slow library call.

use pulp::{Simd, WithSimd};
use wide::f32x4;

/// The vector instructions an instrument runs on. Each gives the same bits on every machine that
/// has it; two of them differ in the last bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstructionSet {
    /// Four lanes, what every CPU of the architecture has (SSE2 on x86-64).
    Baseline,
    /// Eight lanes with fused multiply-add: x86-64 CPUs since about 2013.
    Avx2,
    /// Four lanes with fused multiply-add: 64-bit ARM.
    Neon,
}

impl InstructionSet {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::Avx2, Self::Neon, Self::Baseline];

    /// The fastest one this CPU has.
    pub fn best() -> Self {
        Self::ALL
            .into_iter()
            .find(|set| set.is_available())
            .unwrap_or(Self::Baseline)
    }

    /// Whether this CPU has it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            Self::Avx2 => avx2().is_some(),
            Self::Neon => neon().is_some(),
        }
    }

    /// Runs `kernel` compiled for this set; for the baseline if the CPU doesn't have it.
    #[inline]
    pub(crate) fn run(self, kernel: impl Kernel) {
        match self {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Self::Avx2 => {
                if let Some(simd) = avx2() {
                    return Simd::vectorize(simd, Task(kernel));
                }
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => {
                if let Some(simd) = neon() {
                    return Simd::vectorize(simd, Task(kernel));
                }
            }
            _ => {}
        }
        kernel.run(Baseline);
    }
}

/// Work written once for all instruction sets.
pub(crate) trait Kernel {
    /// Does the work; to be `#[inline(always)]`.
    fn run<V: Vector>(self, v: V);
}

/// Arithmetic on one vector of lanes.
pub(crate) trait Vector: Copy {
    /// Numbers in a vector.
    const LANES: usize;
    /// The vector.
    type F: Copy;
    fn splat(self, x: f32) -> Self::F;
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a b + c`.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `c - a b`.
    fn mul_sub_from(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The first vector of a slice that has at least so many numbers.
    fn load(self, from: &[f32]) -> Self::F;
    /// Overwrites the first vector of such a slice.
    fn store(self, to: &mut [f32], a: Self::F);
}

/// What every CPU has.
#[derive(Clone, Copy)]
struct Baseline;

impl Vector for Baseline {
    const LANES: usize = 4;
    type F = f32x4;

    #[inline(always)]
    fn splat(self, x: f32) -> f32x4 {
        f32x4::splat(x)
    }
    #[inline(always)]
    fn add(self, a: f32x4, b: f32x4) -> f32x4 {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: f32x4, b: f32x4) -> f32x4 {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: f32x4, b: f32x4) -> f32x4 {
        a * b
    }
    #[inline(always)]
    fn div(self, a: f32x4, b: f32x4) -> f32x4 {
        a / b
    }
    #[inline(always)]
    fn max(self, a: f32x4, b: f32x4) -> f32x4 {
        a.fast_max(b)
    }
    #[inline(always)]
    fn min(self, a: f32x4, b: f32x4) -> f32x4 {
        a.fast_min(b)
    }
    #[inline(always)]
    fn mul_add(self, a: f32x4, b: f32x4, c: f32x4) -> f32x4 {
        a * b + c
    }
    #[inline(always)]
    fn mul_sub_from(self, a: f32x4, b: f32x4, c: f32x4) -> f32x4 {
        c - a * b
    }
    #[inline(always)]
    fn load(self, from: &[f32]) -> f32x4 {
        f32x4::from(from.as_chunks().0[0])
    }
    #[inline(always)]
    fn store(self, to: &mut [f32], a: f32x4) {
        to.as_chunks_mut().0[0] = a.to_array();
    }
}

/// A `pulp` instruction set that multiplies and adds in one step.
#[derive(Clone, Copy)]
struct Fused<S>(S);

impl<S: Simd> Vector for Fused<S> {
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
}

struct Task<K>(K);

impl<K: Kernel> WithSimd for Task<K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.run(Fused(simd));
    }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn avx2() -> Option<pulp::x86::V3> {
    pulp::x86::V3::try_new()
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn avx2() -> Option<()> {
    None
}

#[cfg(target_arch = "aarch64")]
fn neon() -> Option<pulp::aarch64::Neon> {
    pulp::aarch64::Neon::try_new()
}

#[cfg(not(target_arch = "aarch64"))]
fn neon() -> Option<()> {
    None
}
