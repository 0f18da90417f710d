//! Which vector instructions are used, chosen when an ear (or the matcher's built-in network) is made.
//!
//! `pulp` does the detection and the vector types; the portable baseline multiplies and adds in two
//! steps, since `f32::mul_add` without the instruction is a slow library call.

use pulp::{Simd, WithSimd};

/// The vector instructions work runs on. All ears agree to about 1e-6 of a frame's peak; each by itself
/// gives the same bits on every machine that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstructionSet {
    /// Four lanes, what every CPU of the architecture has (SSE2 on x86-64).
    Baseline,
    /// Eight lanes with fused multiply-add: x86-64 CPUs since about 2013.
    Avx2,
    /// Sixteen lanes with fused multiply-add: x86-64 CPUs of servers, and AMD's since about 2022.
    Avx512,
    /// Four lanes with fused multiply-add: 64-bit ARM.
    Neon,
}

impl InstructionSet {
    /// All of them, the fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Baseline];

    /// The fastest one this CPU has.
    pub fn best() -> Self {
        Self::best_within(usize::MAX)
    }

    /// The fastest one this CPU has with at most so many lanes, not fewer than 4.
    pub fn best_within(lanes: usize) -> Self {
        Self::ALL
            .into_iter()
            .find(|set| set.is_available() && set.lanes() <= lanes)
            .unwrap_or(Self::Baseline)
    }

    /// Whether this CPU has it.
    pub fn is_available(self) -> bool {
        match self {
            InstructionSet::Baseline => true,
            InstructionSet::Avx2 => avx2().is_some(),
            InstructionSet::Avx512 => avx512().is_some(),
            InstructionSet::Neon => neon().is_some(),
        }
    }

    /// Lanes of its vectors.
    pub fn lanes(self) -> usize {
        match self {
            InstructionSet::Baseline | InstructionSet::Neon => 4,
            InstructionSet::Avx2 => 8,
            InstructionSet::Avx512 => 16,
        }
    }

    /// Runs `kernel` compiled for this set; for the baseline if the CPU doesn't have it.
    pub fn run(self, kernel: impl Kernel) {
        match self {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            InstructionSet::Avx2 => {
                if let Some(simd) = avx2() {
                    return Simd::vectorize(simd, Task::<_, true>(kernel));
                }
            }
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            InstructionSet::Avx512 => {
                if let Some(simd) = avx512() {
                    return Simd::vectorize(simd, Task::<_, true>(kernel));
                }
            }
            #[cfg(target_arch = "aarch64")]
            InstructionSet::Neon => {
                if let Some(simd) = neon() {
                    return Simd::vectorize(simd, Task::<_, true>(kernel));
                }
            }
            _ => {}
        }
        Simd::vectorize(pulp::Scalar128b, Task::<_, false>(kernel));
    }
}

/// Work written once for all instruction sets.
pub trait Kernel {
    /// Does the work; to be `#[inline(always)]`.
    fn run<V: Vector>(self, v: V);
}

/// Vector arithmetic with the multiply-add that suits the instruction set.
pub trait Vector: Copy {
    /// A vector of [`InstructionSet::lanes`] numbers.
    type F: Copy;
    /// The same number in all lanes.
    fn splat(self, x: f32) -> Self::F;
    /// `a + b`.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a - b`.
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b`.
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a / b`.
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// The larger of each pair.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The smaller of each pair.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// Sum of the lanes.
    fn sum(self, a: Self::F) -> f32;
    /// 1 where `a > 0`, otherwise 0.
    fn step(self, a: Self::F) -> Self::F;
    /// Whole vectors of a slice whose length is a multiple of the lanes.
    fn cast(slice: &[f32]) -> &[Self::F];
    /// As [`Vector::cast`], to be written to.
    fn cast_mut(slice: &mut [f32]) -> &mut [Self::F];
}

/// A `pulp` instruction set, fused or not.
#[derive(Clone, Copy)]
struct Arithmetic<S, const FUSED: bool>(S);

impl<S: Simd, const FUSED: bool> Vector for Arithmetic<S, FUSED> {
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
        if FUSED {
            self.0.mul_add_f32s(a, b, c)
        } else {
            self.add(self.mul(a, b), c)
        }
    }
    #[inline(always)]
    fn sum(self, a: Self::F) -> f32 {
        self.0.reduce_sum_f32s(a)
    }
    #[inline(always)]
    fn step(self, a: Self::F) -> Self::F {
        let zero = self.splat(0.0);
        self.0
            .select_f32s(self.0.less_than_f32s(zero, a), self.splat(1.0), zero)
    }
    #[inline(always)]
    fn cast(slice: &[f32]) -> &[Self::F] {
        S::as_simd_f32s(slice).0
    }
    #[inline(always)]
    fn cast_mut(slice: &mut [f32]) -> &mut [Self::F] {
        S::as_mut_simd_f32s(slice).0
    }
}

struct Task<K, const FUSED: bool>(K);

impl<K: Kernel, const FUSED: bool> WithSimd for Task<K, FUSED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.run(Arithmetic::<S, FUSED>(simd));
    }
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn avx2() -> Option<pulp::x86::V3> {
    pulp::x86::V3::try_new()
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn avx512() -> Option<pulp::x86::V4> {
    pulp::x86::V4::try_new()
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn avx2() -> Option<()> {
    None
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn avx512() -> Option<()> {
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
