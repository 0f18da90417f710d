//! The player's hand wins: whoever moves a matched knob locks it.

use synth::{COUNT, MATCHED, MATCHED_COUNT};

use crate::state::Shared;

/// Smallest move, normalised. Hosts that store values as text send them back slightly off.
pub const MOVE: f32 = 1e-4;

/// Tells a moved knob from one that a state or a patch was loaded into.
#[derive(Default)]
pub struct Hand {
    /// Values when last seen to move, in the order of [`MATCHED`]; `None` before the first look: what a host
    /// sets before it plays is a state, not a move.
    seen: Option<[f32; MATCHED_COUNT]>,
}

impl Hand {
    /// Looks at the knobs (normalised, unmodulated) and locks those that moved. Real-time safe.
    pub fn watch(&mut self, knobs: &[f32; COUNT], shared: &Shared) {
        let now = MATCHED.map(|row| knobs[row]);
        let seen = self.seen.get_or_insert(now);
        for (i, (seen, now)) in seen.iter_mut().zip(now).enumerate() {
            if (now - *seen).abs() > MOVE {
                *seen = now;
                if !shared.was_loaded(i, now) {
                    shared.set_lock(i, true);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synth::Patch;
    use synth::params::{FILTER_CUTOFF, FILTER_KEYTRACK};

    fn locked(shared: &Shared) -> Vec<usize> {
        let locks = shared.locks();
        (0..MATCHED_COUNT)
            .filter(|&i| locks[i])
            .map(|i| MATCHED[i])
            .collect()
    }

    #[test]
    fn a_move_locks_its_knob_and_no_other() {
        let (shared, _) = Shared::new();
        let mut hand = Hand::default();
        let mut knobs = *Patch::default().values();
        hand.watch(&knobs, &shared);
        knobs[FILTER_KEYTRACK] += 0.1;
        hand.watch(&knobs, &shared);
        assert!(locked(&shared).is_empty());
        knobs[FILTER_CUTOFF] += MOVE / 2.0;
        hand.watch(&knobs, &shared);
        assert!(locked(&shared).is_empty());
        // A slow move adds up.
        knobs[FILTER_CUTOFF] += MOVE;
        hand.watch(&knobs, &shared);
        assert_eq!(locked(&shared), [FILTER_CUTOFF]);
        shared.set_lock(
            MATCHED
                .iter()
                .position(|&row| row == FILTER_CUTOFF)
                .unwrap(),
            false,
        );
        hand.watch(&knobs, &shared);
        assert!(locked(&shared).is_empty());
    }

    #[test]
    fn loading_is_no_move() {
        let (shared, _) = Shared::new();
        let mut hand = Hand::default();
        let mut knobs = *Patch::default().values();
        // The first look is a baseline.
        hand.watch(&knobs, &shared);
        for row in MATCHED {
            knobs[row] = 1.0 - knobs[row];
        }
        shared.restore(None, &knobs);
        hand.watch(&knobs, &shared);
        assert!(locked(&shared).is_empty());
        knobs[FILTER_CUTOFF] = 0.123;
        hand.watch(&knobs, &shared);
        assert_eq!(locked(&shared), [FILTER_CUTOFF]);
    }
}
