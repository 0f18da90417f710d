//! Locks of the matched parameters, and the values last loaded into them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use synth::{COUNT, MATCHED, MATCHED_COUNT};

/// Smallest move of a knob that counts, normalised: hosts that store values as text send loaded
/// ones back slightly off.
pub const MOVE: f32 = 1e-4;

/// Locks and loaded values, in the order of [`MATCHED`].
pub struct Locks {
    locked: [AtomicBool; MATCHED_COUNT],
    /// Values last loaded into the knobs, normalised, as bits of f32 (NaN: none).
    loaded: [AtomicU32; MATCHED_COUNT],
}

impl Locks {
    /// Nothing locked, nothing loaded.
    pub fn new() -> Self {
        Self {
            locked: std::array::from_fn(|_| AtomicBool::new(false)),
            loaded: std::array::from_fn(|_| AtomicU32::new(f32::NAN.to_bits())),
        }
    }

    /// All locks. Wait-free.
    pub fn get(&self) -> [bool; MATCHED_COUNT] {
        std::array::from_fn(|i| self.locked[i].load(Ordering::Relaxed))
    }

    /// Locks or releases the `i`-th matched parameter. Wait-free.
    pub fn set(&self, i: usize, on: bool) {
        self.locked[i].store(on, Ordering::Relaxed);
    }

    /// Whether `x` is within [`MOVE`] of the value last loaded into the `i`-th matched knob.
    /// Wait-free.
    pub fn was_loaded(&self, i: usize, x: f32) -> bool {
        (f32::from_bits(self.loaded[i].load(Ordering::Relaxed)) - x).abs() <= MOVE
    }

    /// Notes the values being loaded into all `knobs` of the table and replaces the locks.
    pub fn load(&self, knobs: &[f32; COUNT], locked: &[bool; MATCHED_COUNT]) {
        for (i, &row) in MATCHED.iter().enumerate() {
            self.loaded[i].store(knobs[row].to_bits(), Ordering::Relaxed);
            self.set(i, locked[i]);
        }
    }
}
