//! The last loaded patches, with the locks and the held inference that belong to them.
//!
//! A host undoes a loaded patch by setting its parameters back. What the host knows nothing of
//! comes back from here, on the audio thread, which is the first to see the values return.

use matcher::live::{Limits, Target};
use parking_lot::Mutex;
use synth::COUNT;

use super::limits::MOVE;

/// Number of loads remembered; a load is two snapshots.
const LOADS: usize = 16;

/// Everything that a loaded patch replaces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    /// Normalised values of the whole table, without the host's modulation.
    pub knobs: [f32; COUNT],
    /// Locks and ranges.
    pub limits: Limits,
    /// The held inference with its level.
    pub held: Option<Target>,
}

/// Snapshots by age, in a ring.
#[derive(Clone, Copy)]
struct Memory {
    ring: [Option<Snapshot>; 2 * LOADS],
    /// Number of snapshots taken so far; the newest is the one that was loaded.
    taken: usize,
}

impl Memory {
    fn push(&mut self, snapshot: Snapshot) {
        self.ring[self.taken % (2 * LOADS)] = Some(snapshot);
        self.taken += 1;
    }
}

/// The end of those who load.
pub struct Loads {
    memory: Mutex<(Memory, triple_buffer::Input<Memory>)>,
}

/// The audio thread's end.
pub struct Returns {
    memory: triple_buffer::Output<Memory>,
    /// Place in the ring of the snapshot that is in the knobs, give or take what was turned since.
    current: usize,
    /// The knobs when last looked at. Until they move nothing comes back: not what they hold
    /// already, nor what a load is about to replace.
    seen: [f32; COUNT],
}

/// Both ends of an empty memory.
pub fn loads() -> (Loads, Returns) {
    let memory = Memory {
        ring: [None; 2 * LOADS],
        taken: 0,
    };
    let (input, output) = triple_buffer::triple_buffer(&memory);
    let loads = Loads {
        memory: Mutex::new((memory, input)),
    };
    let returns = Returns {
        memory: output,
        current: 0,
        seen: [f32::NAN; COUNT],
    };
    (loads, returns)
}

impl Loads {
    /// Remembers what a load replaces, where that is known, and what it brings.
    pub fn push(&self, before: Option<Snapshot>, after: Snapshot) {
        let (memory, published) = &mut *self.memory.lock();
        if let Some(before) = before {
            memory.push(before);
        }
        memory.push(after);
        published.write(*memory);
    }
}

impl Returns {
    /// The snapshot whose values have come back with these `knobs`, once. The one that is in the
    /// knobs anyway doesn't come back: a knob turned to where it was loaded is still turned.
    /// Wait-free.
    pub fn came_back(&mut self, knobs: &[f32; COUNT]) -> Option<Snapshot> {
        if self.memory.update() {
            let taken = self.memory.output_buffer().taken;
            self.current = taken.wrapping_sub(1) % (2 * LOADS);
            self.seen = *knobs;
        }
        if self.seen == *knobs {
            return None;
        }
        self.seen = *knobs;
        let memory = self.memory.output_buffer();
        let same = |snapshot: &Snapshot| {
            let mut pairs = snapshot.knobs.iter().zip(knobs);
            pairs.all(|(a, b)| (a - b).abs() <= MOVE)
        };
        let newest_first =
            (1..=2 * LOADS).map(|age| (memory.taken + 2 * LOADS - age) % (2 * LOADS));
        for place in newest_first {
            let Some(snapshot) = memory.ring[place].filter(same) else {
                continue;
            };
            if place == self.current {
                return None;
            }
            self.current = place;
            return Some(snapshot);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(x: f32, lock: usize) -> Snapshot {
        let mut limits = Limits::NONE;
        limits.locked[lock] = true;
        Snapshot {
            knobs: [x; COUNT],
            limits,
            held: None,
        }
    }

    #[test]
    fn values_that_come_back_bring_their_snapshot_once() {
        let (loads, mut returns) = loads();
        assert_eq!(returns.came_back(&[0.5; COUNT]), None);
        let (a, b) = (snapshot(0.1, 1), snapshot(0.2, 2));
        loads.push(Some(a), b);
        // The new values are on their way, then there.
        assert_eq!(returns.came_back(&a.knobs), None);
        assert_eq!(returns.came_back(&a.knobs), None);
        assert_eq!(returns.came_back(&b.knobs), None);
        assert_eq!(returns.came_back(&a.knobs), Some(a));
        assert_eq!(returns.came_back(&a.knobs), None);
        assert_eq!(returns.came_back(&[0.15; COUNT]), None);
        assert_eq!(returns.came_back(&a.knobs), None);
        assert_eq!(returns.came_back(&b.knobs), Some(b));
    }

    #[test]
    fn sixteen_loads_are_remembered_and_the_newest_of_equal_knobs_counts() {
        let (loads, mut returns) = loads();
        let at = |k: usize| snapshot(k as f32 / 100.0, k % 20);
        for k in 0..40 {
            loads.push(Some(at(k)), at(k + 1));
        }
        assert_eq!(returns.came_back(&at(40).knobs), None);
        for k in (25..40).rev() {
            assert_eq!(returns.came_back(&at(k).knobs), Some(at(k)), "{k}");
        }
        assert_eq!(returns.came_back(&at(23).knobs), None);
        let again = snapshot(at(30).knobs[0], 19);
        loads.push(Some(again), at(50));
        assert_eq!(returns.came_back(&at(50).knobs), None);
        assert_eq!(returns.came_back(&again.knobs), Some(again));
    }
}
