//! Which vector instructions the voices run on, chosen when an instrument is made.
//!
//! `pulp` does the detection and the vector types of what is better than the baseline, `wide` has
//! the baseline's. The latter multiplies and adds in two steps: without the instruction, fusing
//! them would be a slow library call.
//!
//! What a [`Kernel`] calls must be inlined into it: a function that the compiler keeps apart would
//! not have the vector instructions, and call each of them as a function. Hence no closures and no
//! `map` around vectors. Plain loops over arrays of a known length become vectors by themselves.

mod fused;

#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
use fused::Task;
use wide::{f32x4, i32x4, u32x4};

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
                    return simd.vectorize(Task { kernel, simd });
                }
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => {
                if let Some(simd) = neon() {
                    return simd.vectorize(Task { kernel, simd });
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

/// A table of rows of four numbers.
pub(crate) trait Quads: Copy {
    /// One of them.
    fn row(self, row: i32) -> [f32; 4];
}

impl Quads for &[[f32; 4]] {
    #[inline(always)]
    fn row(self, row: i32) -> [f32; 4] {
        self[row as u32 as usize]
    }
}

/// So long that sixteen bits can't miss it: nothing has to be checked.
impl Quads for &[[f32; 4]; 1 << 16] {
    #[inline(always)]
    fn row(self, row: i32) -> [f32; 4] {
        self[row as u16 as usize]
    }
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
    /// As many rows of a table as there are lanes, transposed: lane `i` of the four vectors has the
    /// four numbers of row `rows[i]`.
    fn quads(self, table: impl Quads, rows: &[i32]) -> [Self::F; 4];

    /// A vector of integers, which wrap.
    type I: Copy;
    fn splat_i(self, x: i32) -> Self::I;
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn sub_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn mul_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn abs_i(self, a: Self::I) -> Self::I;
    fn shift_left(self, a: Self::I, bits: u32) -> Self::I;
    /// Without the sign.
    fn shift_right(self, a: Self::I, bits: u32) -> Self::I;
    fn load_i(self, from: &[i32]) -> Self::I;
    fn store_i(self, to: &mut [i32], a: Self::I);
    /// The nearest floating-point numbers.
    fn to_f(self, a: Self::I) -> Self::F;
    /// Without the fractions; any number where there is no such integer.
    fn to_i(self, a: Self::F) -> Self::I;
}

/// What every CPU has.
#[derive(Clone, Copy)]
pub(crate) struct Baseline;

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
    #[inline(always)]
    fn quads(self, table: impl Quads, rows: &[i32]) -> [f32x4; 4] {
        let mut quads = [f32x4::ZERO; 4];
        for i in 0..4 {
            quads[i] = f32x4::from(table.row(rows[i]));
        }
        f32x4::transpose(quads)
    }

    type I = i32x4;

    #[inline(always)]
    fn splat_i(self, x: i32) -> i32x4 {
        i32x4::splat(x)
    }
    #[inline(always)]
    fn add_i(self, a: i32x4, b: i32x4) -> i32x4 {
        a + b
    }
    #[inline(always)]
    fn sub_i(self, a: i32x4, b: i32x4) -> i32x4 {
        a - b
    }
    #[inline(always)]
    fn mul_i(self, a: i32x4, b: i32x4) -> i32x4 {
        a * b
    }
    #[inline(always)]
    fn abs_i(self, a: i32x4) -> i32x4 {
        a.abs()
    }
    #[inline(always)]
    fn shift_left(self, a: i32x4, bits: u32) -> i32x4 {
        a << bits
    }
    #[inline(always)]
    fn shift_right(self, a: i32x4, bits: u32) -> i32x4 {
        pulp::cast(pulp::cast::<i32x4, u32x4>(a) >> bits)
    }
    #[inline(always)]
    fn load_i(self, from: &[i32]) -> i32x4 {
        i32x4::from(from.as_chunks().0[0])
    }
    #[inline(always)]
    fn store_i(self, to: &mut [i32], a: i32x4) {
        to.as_chunks_mut().0[0] = a.to_array();
    }
    #[inline(always)]
    fn to_f(self, a: i32x4) -> f32x4 {
        f32x4::from_i32x4(a)
    }
    #[inline(always)]
    fn to_i(self, a: f32x4) -> i32x4 {
        a.fast_trunc_int()
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
