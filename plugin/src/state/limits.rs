//! The player's say in the match, shared wait-free: locks, allowed ranges, and the values that are
//! on their way into the matched knobs.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use matcher::live::Limits;
use synth::{COUNT, MATCHED, MATCHED_COUNT};

/// Smallest move of a knob that counts, normalised: hosts that store values as text send loaded
/// ones back slightly off.
pub const MOVE: f32 = 1e-4;
/// Number of loads in a row whose values the audio thread may see late: the next one can follow
/// before a single block was played.
const ON_THE_WAY: usize = 4;

/// Locks, ranges and expected values, in the order of [`MATCHED`].
pub struct SharedLimits {
    locked: [AtomicBool; MATCHED_COUNT],
    /// Both ends of each range, as bits of f32: the lower end in the lower half.
    ranges: [AtomicU64; MATCHED_COUNT],
    /// Values that were loaded and that the audio thread has not seen in the knobs yet.
    expected: [Expected; MATCHED_COUNT],
}

/// The last values that a knob was expected to take.
struct Expected {
    /// Normalised, as bits of f32 (NaN: none).
    values: [AtomicU32; ON_THE_WAY],
    /// Number of values so far.
    count: AtomicUsize,
}

impl Expected {
    fn nothing() -> Self {
        Self {
            values: std::array::from_fn(|_| AtomicU32::new(NOTHING)),
            count: AtomicUsize::new(0),
        }
    }

    fn push(&self, x: f32) {
        let place = self.count.fetch_add(1, Ordering::AcqRel) % ON_THE_WAY;
        self.values[place].store(x.to_bits(), Ordering::Release);
    }

    /// Takes `x` back out where it is among the values. Those before the newest one can't come any
    /// more once that has.
    fn take(&self, x: f32) -> bool {
        let newest = self.count.load(Ordering::Acquire).wrapping_sub(1) % ON_THE_WAY;
        let is_it = |place: usize| {
            let value = f32::from_bits(self.values[place].load(Ordering::Acquire));
            (value - x).abs() <= MOVE
        };
        let Some(found) = (0..ON_THE_WAY).find(|&place| is_it(place)) else {
            return false;
        };
        let is_newest = is_it(newest);
        for place in (0..ON_THE_WAY).filter(|&place| is_newest || place == found) {
            self.values[place].store(NOTHING, Ordering::Release);
        }
        true
    }
}

/// Bits of no value.
const NOTHING: u32 = f32::NAN.to_bits();

impl SharedLimits {
    /// Creates limits with nothing locked, everything allowed and nothing expected.
    pub fn new() -> Self {
        Self {
            locked: std::array::from_fn(|_| AtomicBool::new(false)),
            ranges: std::array::from_fn(|i| AtomicU64::new(pack(Limits::NONE.ranges[i]))),
            expected: std::array::from_fn(|_| Expected::nothing()),
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
        self.expected[i].push(x);
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
        self.expected[i].take(x)
    }
}

fn pack([low, high]: [f32; 2]) -> u64 {
    u64::from(low.to_bits()) | u64::from(high.to_bits()) << 32
}

fn unpack(bits: u64) -> [f32; 2] {
    [bits as u32, (bits >> 32) as u32].map(f32::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two loads before a single block: the values of the first are seen after those of the second
    /// are expected.
    #[test]
    fn values_of_loads_in_a_row_all_arrive() {
        let limits = SharedLimits::new();
        assert!(!limits.arrived(3, 0.5));
        limits.expect(3, 0.2);
        limits.expect(3, 0.7);
        assert!(limits.arrived(3, 0.2) && !limits.arrived(3, 0.2));
        assert!(limits.arrived(3, 0.7) && !limits.arrived(3, 0.7));
        (0..9).for_each(|k| limits.expect(3, 0.1 * k as f32));
        assert!(!limits.arrived(3, 0.3) && limits.arrived(3, 0.8));
        // The newest has come: a hand that turns to an earlier one is a hand.
        assert!(!limits.arrived(3, 0.7) && !limits.arrived(4, 0.8));
    }
}
