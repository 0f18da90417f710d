//! The player's say in the match, shared wait-free: locks, allowed ranges, and the values that are
//! on their way into the matched knobs.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use matcher::live::Limits;
use synth::{COUNT, MATCHED, MATCHED_COUNT};

/// Smallest move of a knob that counts, normalised: hosts that store values as text send loaded
/// ones back slightly off.
pub const MOVE: f32 = 1e-4;

/// Locks, ranges and expected values, in the order of [`MATCHED`].
pub struct SharedLimits {
    locked: [AtomicBool; MATCHED_COUNT],
    /// Both ends of each range, as bits of f32: the lower end in the lower half.
    ranges: [AtomicU64; MATCHED_COUNT],
    /// Values that were loaded and that the audio thread has not seen in the knobs yet,
    /// normalised, as bits of f32 (NaN: none).
    expected: [AtomicU32; MATCHED_COUNT],
}

impl SharedLimits {
    /// Creates limits with nothing locked, everything allowed and nothing expected.
    pub fn new() -> Self {
        Self {
            locked: std::array::from_fn(|_| AtomicBool::new(false)),
            ranges: std::array::from_fn(|i| AtomicU64::new(pack(Limits::NONE.ranges[i]))),
            expected: std::array::from_fn(|_| AtomicU32::new(f32::NAN.to_bits())),
        }
    }

    /// All locks and ranges. Wait-free.
    pub fn get(&self) -> Limits {
        Limits {
            locked: std::array::from_fn(|i| self.locked[i].load(Ordering::Relaxed)),
            ranges: std::array::from_fn(|i| unpack(self.ranges[i].load(Ordering::Relaxed))),
        }
    }

    /// Replaces all locks and ranges. Wait-free.
    pub fn set(&self, limits: &Limits) {
        for i in 0..MATCHED_COUNT {
            self.set_lock(i, limits.locked[i]);
            self.ranges[i].store(pack(limits.ranges[i]), Ordering::Relaxed);
        }
    }

    /// Locks or releases the `i`-th matched parameter; returns whether that is news. Wait-free.
    pub fn set_lock(&self, i: usize, on: bool) -> bool {
        self.locked[i].swap(on, Ordering::Relaxed) != on
    }

    /// Expects the `i`-th matched knob to take the normalised value `x` soon: that is not the
    /// player's hand. Wait-free.
    pub fn expect(&self, i: usize, x: f32) {
        self.expected[i].store(x.to_bits(), Ordering::Relaxed);
    }

    /// Expects all matched knobs to take the values of `knobs` (normalised, of the whole table).
    pub fn expect_all(&self, knobs: &[f32; COUNT]) {
        for (i, &row) in MATCHED.iter().enumerate() {
            self.expect(i, knobs[row]);
        }
    }

    /// Whether the `i`-th matched knob is expected to take the value `x`; if so, it is not any
    /// more. Wait-free.
    pub fn arrived(&self, i: usize, x: f32) -> bool {
        let expected = f32::from_bits(self.expected[i].load(Ordering::Relaxed));
        let arrived = (expected - x).abs() <= MOVE;
        if arrived {
            self.expect(i, f32::NAN);
        }
        arrived
    }
}

fn pack([low, high]: [f32; 2]) -> u64 {
    u64::from(low.to_bits()) | u64::from(high.to_bits()) << 32
}

fn unpack(bits: u64) -> [f32; 2] {
    [bits as u32, (bits >> 32) as u32].map(f32::from_bits)
}
