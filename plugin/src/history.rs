//! The editor's undo: what the player did, a step for each gesture.
//!
//! A step holds only what it changed, so that undoing an old turn of a knob doesn't bring back the
//! match of then. Values go through the host as if turned by hand; locks and held inference take
//! the way of a load.

use matcher::live::{Limits, Target};
use nice_plug::prelude::ParamSetter;
use synth::COUNT;
use synth::params::matched_index;

use crate::params::Params;

/// Number of steps that are kept.
const STEPS: usize = 200;

/// A change of one parameter's normalised value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// Index of the parameter, as [`Params::get`] takes it.
    pub param: usize,
    /// Value before the step.
    pub before: f32,
    /// Value after the step.
    pub after: f32,
}

/// One thing that the player did.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Name of the step for the player: `Cutoff`, `Paste patch`.
    pub name: String,
    /// Knobs that were turned.
    pub turns: Vec<Turn>,
    /// Locks and ranges before and after.
    pub limits: [Limits; 2],
    /// The held inference before and after, if the step replaced it.
    pub held: Option<[Option<Target>; 2]>,
}

impl Step {
    /// A step that changes nothing yet, while these limits hold.
    pub fn new(name: String, limits: Limits) -> Self {
        Self {
            name,
            turns: Vec::new(),
            limits: [limits; 2],
            held: None,
        }
    }
}

/// Steps that can be undone and done again.
#[derive(Default)]
pub struct History {
    done: Vec<Step>,
    undone: Vec<Step>,
}

impl History {
    /// Adds what the player did; what was undone before can't be done again then.
    pub fn push(&mut self, step: Step) {
        if step.turns.is_empty() && step.limits[0] == step.limits[1] && step.held.is_none() {
            return;
        }
        self.undone.clear();
        self.done.push(step);
        if self.done.len() > STEPS {
            self.done.remove(0);
        }
    }

    /// Name of the step that undo would take back.
    pub fn undo_name(&self) -> Option<&str> {
        self.done.last().map(|step| step.name.as_str())
    }

    /// Name of the step that redo would do again.
    pub fn redo_name(&self) -> Option<&str> {
        self.undone.last().map(|step| step.name.as_str())
    }
}

/// Does a step for the first time.
pub fn perform(step: Step, params: &Params, setter: &ParamSetter<'_>) {
    apply(&step, 1, params, setter);
    params.state.history.lock().push(step);
}

/// Takes back the last step.
pub fn undo(params: &Params, setter: &ParamSetter<'_>) {
    let step = params.state.history.lock().done.pop();
    if let Some(step) = step {
        apply(&step, 0, params, setter);
        params.state.history.lock().undone.push(step);
    }
}

/// Does the step again that was last taken back.
pub fn redo(params: &Params, setter: &ParamSetter<'_>) {
    let step = params.state.history.lock().undone.pop();
    if let Some(step) = step {
        apply(&step, 1, params, setter);
        params.state.history.lock().done.push(step);
    }
}

/// Brings about what was before (0) or is after (1) a step.
fn apply(step: &Step, side: usize, params: &Params, setter: &ParamSetter<'_>) {
    let state = &params.state;
    let value = |turn: &Turn| [turn.before, turn.after][side];
    match step.held {
        Some(held) => {
            let now = state.snapshot(&params.unmodulated());
            let mut then = now;
            for turn in step.turns.iter().filter(|turn| turn.param < COUNT) {
                then.knobs[turn.param] = value(turn);
            }
            then.limits = step.limits[side];
            then.held = held[side];
            state.load(now, then);
        }
        None => {
            for turn in &step.turns {
                if let Some(i) = matched_index(turn.param) {
                    state.expect(i, value(turn));
                }
            }
            state.set_limits(&step.limits[side]);
        }
    }
    // One step for the host too, where it can group them.
    state.door.group_edits(step.turns.len());
    for turn in &step.turns {
        let param = params.get(turn.param);
        param.begin(setter);
        param.set(setter, value(turn));
        param.end(setter);
    }
}
