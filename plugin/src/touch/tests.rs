//! Hands, automation and loads on the matched knobs.

use super::*;
use synth::params::{FILTER_CUTOFF, FILTER_KEYTRACK, matched_index};

const BLOCK: f32 = 0.01;

/// A watch over an instance whose knobs are at their defaults.
struct Bench {
    touch: TouchLock,
    state: InstanceState,
    knobs: [f32; COUNT],
    amount: f32,
    /// Cutoff that the match infers, used while it is not locked.
    inferred: f32,
}

impl Bench {
    fn new() -> Self {
        Self {
            touch: TouchLock::new(),
            state: InstanceState::new().0,
            knobs: *Patch::default().values(),
            amount: 1.0,
            inferred: Patch::default().get(FILTER_CUTOFF),
        }
    }

    /// Plays a block; returns the cutoff that sounds in it.
    fn block(&mut self) -> f32 {
        let cutoff = matched_index(FILTER_CUTOFF);
        let cutoff = cutoff.expect("it is matched");
        let mut patch = Patch::default();
        let sounds = |bench: &Self| match bench.state.limits().locked[cutoff] {
            true => {
                let mut knobs = Patch::default();
                knobs.set(FILTER_CUTOFF, bench.knobs[FILTER_CUTOFF]);
                bench.touch.taken_up(knobs).get(FILTER_CUTOFF)
            }
            false => bench.inferred,
        };
        patch.set(FILTER_CUTOFF, sounds(self));
        let sounding = Sounding {
            amount: self.amount,
            patch: Some(&patch),
        };
        self.touch.watch(&self.knobs, sounding, BLOCK, &self.state);
        sounds(self)
    }

    fn locked(&self) -> Vec<usize> {
        let locks = self.state.limits().locked;
        (0..MATCHED_COUNT)
            .filter(|&i| locks[i])
            .map(|i| MATCHED[i])
            .collect()
    }

    fn release(&self) {
        (0..MATCHED_COUNT).for_each(|i| {
            self.state.set_lock(i, false);
        });
    }
}

#[test]
fn a_move_locks_its_knob_and_no_other() {
    let mut bench = Bench::new();
    bench.block();
    bench.knobs[FILTER_KEYTRACK] += 0.1;
    bench.block();
    assert!(bench.locked().is_empty());
    bench.knobs[FILTER_CUTOFF] += MOVE / 2.0;
    bench.block();
    assert!(bench.locked().is_empty());
    // A slow move adds up.
    bench.knobs[FILTER_CUTOFF] += MOVE;
    bench.block();
    assert_eq!(bench.locked(), [FILTER_CUTOFF]);
    bench.release();
    bench.block();
    assert!(bench.locked().is_empty());
}

#[test]
fn automation_locks_from_its_first_value() {
    let mut bench = Bench::new();
    bench.knobs[FILTER_CUTOFF] = 0.9;
    assert_eq!(bench.block(), 0.9);
    assert_eq!(bench.locked(), [FILTER_CUTOFF]);
}

#[test]
fn loaded_values_lock_nothing_whenever_they_arrive() {
    let mut bench = Bench::new();
    for late in [0, 3] {
        let mut loaded = bench.knobs;
        for row in MATCHED {
            loaded[row] = 0.97 - loaded[row];
        }
        bench.state.restore(None, &loaded);
        for _ in 0..late {
            bench.block();
        }
        bench.knobs = loaded;
        bench.block();
        assert!(bench.locked().is_empty(), "{late} blocks late");
    }
    bench.knobs[FILTER_CUTOFF] = 0.123;
    bench.block();
    assert_eq!(bench.locked(), [FILTER_CUTOFF]);
}

#[test]
fn a_knob_turned_back_to_its_loaded_value_is_locked() {
    let mut bench = Bench::new();
    let loaded = bench.knobs;
    bench.state.restore(None, &loaded);
    bench.block();
    bench.knobs[FILTER_CUTOFF] = 0.9;
    bench.block();
    bench.release();
    bench.knobs[FILTER_CUTOFF] = loaded[FILTER_CUTOFF];
    bench.block();
    assert_eq!(bench.locked(), [FILTER_CUTOFF]);
}

#[test]
fn nothing_is_locked_while_the_match_is_at_zero() {
    let mut bench = Bench::new();
    bench.amount = 0.0;
    bench.block();
    bench.knobs[FILTER_CUTOFF] = 0.9;
    bench.block();
    bench.amount = 1.0;
    bench.block();
    assert!(bench.locked().is_empty());
}

#[test]
fn a_hand_takes_a_knob_up_where_it_sounds() {
    let mut bench = Bench::new();
    let knob = bench.knobs[FILTER_CUTOFF];
    bench.inferred = knob - 0.3;
    let mut last = bench.block();
    assert_eq!(last, bench.inferred);
    for k in 1..300 {
        if k < 50 {
            bench.knobs[FILTER_CUTOFF] += 0.002;
        }
        let now = bench.block();
        assert!((now - last).abs() < 0.02, "jumped from {last} to {now}");
        last = now;
    }
    // And ends where the knob is.
    assert_eq!(last, bench.knobs[FILTER_CUTOFF]);
}

/// The editor's drags begin where it sounds; so what they say is what sounds.
#[test]
fn a_move_to_where_it_sounds_is_taken_as_it_is() {
    let mut bench = Bench::new();
    bench.inferred = bench.knobs[FILTER_CUTOFF] - 0.03;
    bench.block();
    bench.knobs[FILTER_CUTOFF] = bench.inferred + 0.001;
    assert_eq!(bench.block(), bench.knobs[FILTER_CUTOFF]);
    assert_eq!(bench.locked(), [FILTER_CUTOFF]);
}
