//! The player's say in the match, shared wait-free: locks, allowed ranges, and the values that are
//! on their way into the matched knobs.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use matcher::live::Limits;
use synth::{COUNT, MATCHED, MATCHED_COUNT};

/// Smallest move of a knob that counts, normalised: hosts that store values as text send loaded
/// ones back slightly off.
pub const MOVE: f32 = 1e-4;
/// Number of loads in a row whose values the audio thread may see late: the next one can follow
/// before a single block was played.
const ON_THE_WAY: usize = 4;
/// Bit of a locked parameter.
const LOCKED: u8 = 1;
/// Bit of a lock or release that waits for its knob's value: until then the contrary acts.
const WAITS: u8 = 2;

/// Locks, ranges and expected values, in the order of [`MATCHED`].
pub struct SharedLimits {
    /// [`LOCKED`] and [`WAITS`] of each.
    locks: [AtomicU8; MATCHED_COUNT],
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

    /// Takes `x` back out where it is among the values, and returns whether it was the newest.
    /// Those before the newest one can't come any more once that has.
    fn take(&self, x: f32) -> Option<bool> {
        let newest = self.count.load(Ordering::Acquire).wrapping_sub(1) % ON_THE_WAY;
        let is_it = |place: usize| {
            let value = f32::from_bits(self.values[place].load(Ordering::Acquire));
            (value - x).abs() <= MOVE
        };
        let found = (0..ON_THE_WAY).find(|&place| is_it(place))?;
        let is_newest = is_it(newest);
        for place in (0..ON_THE_WAY).filter(|&place| is_newest || place == found) {
            self.values[place].store(NOTHING, Ordering::Release);
        }
        Some(is_newest)
    }
}

/// Bits of no value.
const NOTHING: u32 = f32::NAN.to_bits();

impl SharedLimits {
    /// Creates limits with nothing locked, everything allowed and nothing expected.
    pub fn new() -> Self {
        Self {
            locks: std::array::from_fn(|_| AtomicU8::new(0)),
            ranges: std::array::from_fn(|i| AtomicU64::new(pack(Limits::NONE.ranges[i]))),
            expected: std::array::from_fn(|_| Expected::nothing()),
        }
    }

    /// All locks and ranges, as the player has set them. Wait-free.
    pub fn get(&self) -> Limits {
        self.read(|lock| lock & LOCKED != 0)
    }

    /// All locks and ranges, as they act: without what waits for a knob's value. Wait-free.
    pub fn acting(&self) -> Limits {
        self.read(|lock| matches!(lock, LOCKED | WAITS))
    }

    fn read(&self, locked: impl Fn(u8) -> bool) -> Limits {
        Limits {
            locked: std::array::from_fn(|i| locked(self.locks[i].load(Ordering::Acquire))),
            ranges: std::array::from_fn(|i| unpack(self.ranges[i].load(Ordering::Relaxed))),
        }
    }

    /// Replaces all locks and ranges; locks that stay the same go on waiting. Wait-free.
    pub fn set(&self, limits: &Limits) {
        for i in 0..MATCHED_COUNT {
            if self.is_locked(i) != limits.locked[i] {
                self.set_lock(i, limits.locked[i]);
            }
            self.ranges[i].store(pack(limits.ranges[i]), Ordering::Relaxed);
        }
    }

    fn is_locked(&self, i: usize) -> bool {
        self.locks[i].load(Ordering::Acquire) & LOCKED != 0
    }

    /// Locks or releases the `i`-th matched parameter at once; returns whether that is news.
    /// Wait-free.
    pub fn set_lock(&self, i: usize, on: bool) -> bool {
        let before = self.locks[i].swap(u8::from(on), Ordering::AcqRel);
        (before & LOCKED != 0) != on
    }

    /// Locks or releases the `i`-th matched parameter when its knob takes the normalised value `x`,
    /// which is not the player's hand. Wait-free.
    pub fn set_lock_with(&self, i: usize, on: bool, x: f32) {
        // What acts stays the same where both bits change.
        let turned = |lock: u8| ((lock & LOCKED != 0) != on).then_some(lock ^ (LOCKED | WAITS));
        let _ = self.locks[i].fetch_update(Ordering::AcqRel, Ordering::Acquire, turned);
        self.expect(i, x);
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

    /// Takes note that the `i`-th matched knob is at `x`: what waits for that value acts. Returns
    /// whether it was expected; it is not any more. Wait-free.
    pub fn arrived(&self, i: usize, x: f32) -> bool {
        let newest = self.expected[i].take(x);
        if newest == Some(true) {
            self.locks[i].fetch_and(!WAITS, Ordering::AcqRel);
        }
        newest.is_some()
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

    #[test]
    fn a_lock_waits_for_its_value_alone() {
        let limits = SharedLimits::new();
        let acts = |i: usize| (limits.get().locked[i], limits.acting().locked[i]);
        limits.set_lock_with(3, true, 0.5);
        limits.set_lock_with(4, true, 0.6);
        assert_eq!([acts(3), acts(4)], [(true, false); 2]);
        // A step in between leaves it waiting.
        limits.set(&limits.get());
        assert!(!limits.arrived(3, 0.6) && limits.arrived(3, 0.5));
        assert_eq!([acts(3), acts(4)], [(true, true), (true, false)]);
        // Taken back before the value has come, and done once more: an older value ends nothing.
        limits.set_lock_with(4, false, 0.1);
        assert_eq!(acts(4), (false, false));
        limits.set_lock_with(4, true, 0.6);
        assert!(limits.arrived(4, 0.1));
        assert_eq!(acts(4), (true, false));
        // A hand doesn't wait, nor does a release.
        assert!(!limits.set_lock(4, true));
        assert_eq!(acts(4), (true, true));
        limits.set_lock_with(5, true, 0.5);
        limits.set(&Limits::NONE);
        assert_eq!([acts(4), acts(5)], [(false, false); 2]);
        // A release that brings a value waits as well.
        assert!(limits.set_lock(6, true));
        limits.set_lock_with(6, false, 0.2);
        assert_eq!(acts(6), (false, true));
        assert!(limits.arrived(6, 0.2));
        assert_eq!(acts(6), (false, false));
    }
}
