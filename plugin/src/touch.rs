//! Locks a matched parameter as soon as the player or the host's automation moves it.

use synth::{COUNT, MATCHED, MATCHED_COUNT};

use crate::state::{InstanceState, MOVE};

/// Watches the matched knobs; tells a moved one from one that a state or a patch was loaded into.
#[derive(Default)]
pub struct TouchLock {
    /// Values when last seen to move, in the order of [`MATCHED`]. `None` before the first look:
    /// values that a host sets before it plays belong to a state and are not moves.
    seen: Option<[f32; MATCHED_COUNT]>,
}

impl TouchLock {
    /// Locks the `knobs` (normalised, unmodulated) that moved since the last call. Real-time safe.
    pub fn watch(&mut self, knobs: &[f32; COUNT], state: &InstanceState) {
        let now = MATCHED.map(|row| knobs[row]);
        let seen = self.seen.get_or_insert(now);
        for (i, (seen, now)) in seen.iter_mut().zip(now).enumerate() {
            if (now - *seen).abs() > MOVE {
                *seen = now;
                if !state.was_loaded(i, now) {
                    state.set_lock(i, true);
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

    fn locked(state: &InstanceState) -> Vec<usize> {
        let locks = state.locks();
        (0..MATCHED_COUNT)
            .filter(|&i| locks[i])
            .map(|i| MATCHED[i])
            .collect()
    }

    #[test]
    fn a_move_locks_its_knob_and_no_other() {
        let (state, _) = InstanceState::new();
        let mut touch = TouchLock::default();
        let mut knobs = *Patch::default().values();
        touch.watch(&knobs, &state);
        knobs[FILTER_KEYTRACK] += 0.1;
        touch.watch(&knobs, &state);
        assert!(locked(&state).is_empty());
        knobs[FILTER_CUTOFF] += MOVE / 2.0;
        touch.watch(&knobs, &state);
        assert!(locked(&state).is_empty());
        // A slow move adds up.
        knobs[FILTER_CUTOFF] += MOVE;
        touch.watch(&knobs, &state);
        assert_eq!(locked(&state), [FILTER_CUTOFF]);
        state.set_lock(
            MATCHED
                .iter()
                .position(|&row| row == FILTER_CUTOFF)
                .unwrap(),
            false,
        );
        touch.watch(&knobs, &state);
        assert!(locked(&state).is_empty());
    }

    #[test]
    fn loading_a_patch_locks_nothing() {
        let (state, _) = InstanceState::new();
        let mut touch = TouchLock::default();
        let mut knobs = *Patch::default().values();
        // The first look is a baseline.
        touch.watch(&knobs, &state);
        for row in MATCHED {
            knobs[row] = 1.0 - knobs[row];
        }
        state.restore(None, &knobs);
        touch.watch(&knobs, &state);
        assert!(locked(&state).is_empty());
        knobs[FILTER_CUTOFF] = 0.123;
        touch.watch(&knobs, &state);
        assert_eq!(locked(&state), [FILTER_CUTOFF]);
    }
}
