//! Vector instructions chosen at run time: work is written once, as a [`Kernel`] that is generic
//! over [`Vector`], and compiled for every [`InstructionSet`] of the architecture.
//!
//! # The same bits
//! One instruction set gives the same bits on every machine that has it: all of its operations are
//! IEEE 754's, rounded once, and none of them is an approximation. Two sets differ in the last
//! bits, because all but the baseline multiply and add in one step, and because their vectors sum a
//! different number of lanes. Where an operation's result is unspecified (NaN, or an integer out of
//! range), so are the bits.
//!
//! # Where the instructions come from
//! `pulp` detects what the CPU has, and has the vector types and operations of the better sets;
//! `wide` has the operations of the baseline, which multiplies and adds in two steps: without the
//! instruction, doing both at once would be a slow library call.
//!
//! # Writing a kernel
//! Whatever a [`Kernel`] calls must be `#[inline(always)]`: a function that the compiler keeps
//! apart would not have the vector instructions, and each of them would become a call. Hence no
//! closures and no `map` around vectors. Plain loops over arrays of a known length become vectors
//! by themselves.

mod baseline;
mod fused;
#[cfg(test)]
mod tests;
mod vector;

pub use baseline::Baseline;
pub use vector::{Table4, Vector};

#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
use fused::Task;

/// A CPU's vector instructions. See [the crate](crate#the-same-bits) for which bits they promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstructionSet {
    /// Four lanes, on every CPU of the architecture (SSE2 on x86-64).
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

    /// The fastest one this CPU has with at most `lanes` lanes; the baseline if `lanes` is below 4.
    pub fn best_within(lanes: usize) -> Self {
        Self::ALL
            .into_iter()
            .find(|set| set.is_available() && set.lanes() <= lanes)
            .unwrap_or(Self::Baseline)
    }

    /// Whether this CPU has it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            Self::Avx2 => avx2().is_some(),
            Self::Avx512 => avx512().is_some(),
            Self::Neon => neon().is_some(),
        }
    }

    /// Number of lanes of its vectors.
    pub fn lanes(self) -> usize {
        match self {
            Self::Baseline | Self::Neon => 4,
            Self::Avx2 => 8,
            Self::Avx512 => 16,
        }
    }

    /// Runs `kernel` compiled for this set, or for the baseline if the CPU doesn't have this set.
    pub fn run(self, kernel: impl Kernel) {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        if self == Self::Avx512
            && let Some(simd) = avx512()
        {
            return simd.vectorize(Task { kernel, simd });
        }
        self.run_narrow(kernel);
    }

    /// Runs `kernel` like [`InstructionSet::run`], but on at most eight lanes: the kernel isn't
    /// compiled for AVX-512, which saves a third of its code, and that set runs as AVX2.
    #[inline]
    pub fn run_narrow(self, kernel: impl Kernel) {
        match self {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => {
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
pub trait Kernel {
    /// Does the work; to be `#[inline(always)]`.
    fn run<V: Vector>(self, v: V);
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn avx2() -> Option<pulp::x86::V3> {
    pulp::x86::V3::try_new()
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn avx512() -> Option<pulp::x86::V4> {
    pulp::x86::V4::try_new()
}

#[cfg(target_arch = "aarch64")]
fn neon() -> Option<pulp::aarch64::Neon> {
    pulp::aarch64::Neon::try_new()
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn avx2() -> Option<()> {
    None
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn avx512() -> Option<()> {
    None
}

#[cfg(not(target_arch = "aarch64"))]
fn neon() -> Option<()> {
    None
}
