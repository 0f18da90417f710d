//! The editor's undo: what the player did, a step for each gesture.
//!
//! A step holds only what it changed, so that undoing an old turn of a knob doesn't bring back the
//! match of then. Values go through the host as if turned by hand; locks and held inference take
//! the way of a load.

use matcher::Inference;
use matcher::live::{Limits, Target};
use nice_plug::prelude::ParamSetter;
use synth::params::matched_index;
use synth::{COUNT, MATCHED_COUNT, PARAMS, Patch};

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

impl Turn {
    /// Value before (0) or after (1).
    fn value(&self, side: usize) -> f32 {
        [self.before, self.after][side]
    }
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
    /// The Listen switch before and after, if the step turned it.
    pub listen: Option<[bool; 2]>,
}

impl Step {
    /// A step that changes nothing yet, while these limits hold.
    pub fn new(name: String, limits: Limits) -> Self {
        Self {
            name,
            turns: Vec::new(),
            limits: [limits; 2],
            held: None,
            listen: None,
        }
    }

    /// A step that loads a patch: all locks, ranges and the held inference are dropped. Of a patch
    /// that differs from key to key, that difference is held.
    pub fn load(name: &str, patch: &Patch, params: &Params) -> Self {
        let turns = PARAMS.iter().enumerate().map(|(row, table)| Turn {
            param: row,
            before: params.rows[row].value(),
            // A choice is what it is rounded to.
            after: match table.is_stepped() {
                true => table.normalized(patch.plain(row).round()),
                false => patch.get(row),
            },
        });
        Self {
            name: format!("Load {name}"),
            turns: turns.collect(),
            limits: [params.state.limits(), Limits::NONE],
            held: Some([params.state.held(), leaning(patch)]),
            listen: None,
        }
    }
}

/// A target that leaves the knobs where `patch` has them, and leans as it does; `None` for one that
/// is the same at every key.
fn leaning(patch: &Patch) -> Option<Target> {
    let inference = Inference {
        mean: patch.matched(),
        sigma: [0.0; MATCHED_COUNT],
    };
    let target = || Target {
        inference,
        lean: patch.lean,
        level_db: 0.0,
    };
    (!patch.lean.is_none()).then(target)
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

/// Loads a patch for the host, which is to read all values anew afterwards. They change at once, as
/// those of a state do, also while audio is processed.
pub fn load_for_host(name: &str, patch: &Patch, params: &Params) {
    let step = Step::load(name, patch, params);
    prepare(&step, 1, params);
    for turn in &step.turns {
        params.get(turn.param).restore(turn.after);
    }
    params.state.history.lock().push(step);
    params.state.set_patch_name(name);
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
    prepare(step, side, params);
    let listen = step.listen.map(|listen| listen[side]);
    let switched = listen.filter(|&on| on != params.listen.value());
    // One step for the host too, where it can group them.
    let edits = step.turns.len() + usize::from(switched.is_some());
    params.state.door.group_edits(edits);
    if let Some(on) = switched {
        setter.begin_set_parameter(&params.listen);
        setter.set_parameter(&params.listen, on);
        setter.end_set_parameter(&params.listen);
    }
    for turn in &step.turns {
        let param = params.get(turn.param);
        param.begin(setter);
        param.set(setter, turn.value(side));
        param.end(setter);
    }
}

/// Brings about what a step changes beside the knobs, and prepares for their values.
fn prepare(step: &Step, side: usize, params: &Params) {
    let state = &params.state;
    match step.held {
        Some(held) => {
            let now = state.snapshot(&params.unmodulated());
            let mut then = now;
            for turn in step.turns.iter().filter(|turn| turn.param < COUNT) {
                then.knobs[turn.param] = turn.value(side);
            }
            then.limits = step.limits[side];
            then.held = held[side];
            state.load(now, then);
        }
        None => {
            let values = step.turns.iter().filter_map(|turn| {
                let i = matched_index(turn.param)?;
                Some((i, turn.value(side)))
            });
            state.set_limits_with(&step.limits[side], values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patches;
    use crate::state::InstanceState;
    use matcher::Inference;
    use std::sync::Arc;
    use synth::MATCHED_COUNT;

    /// The host's load is one step of the editor's undo, as the editor's own.
    #[test]
    fn a_patch_that_the_host_loads_is_one_step() {
        let (state, mut audio) = InstanceState::new();
        let params = Params::new(Arc::new(state));
        let inference = Inference {
            mean: [0.5; MATCHED_COUNT],
            sigma: [0.1; MATCHED_COUNT],
        };
        let held = Some(Target::new(inference, &Patch::default()));
        audio.mailbox.report(held);
        params.state.set_lock(0, true);
        let before = params.unmodulated();
        let patch = &patches::factory()[5];
        load_for_host(&patch.name, &patch.patch, &params);
        let loaded = Step::load("", &patch.patch, &params);
        assert!(loaded.turns.iter().all(|turn| turn.before == turn.after));
        assert_eq!(params.state.limits(), Limits::NONE);
        assert_eq!(params.state.held(), None);
        assert_eq!(audio.mailbox.recalled(), Some(None));
        assert_eq!(params.state.patch_name(), patch.name);
        assert!(params.state.door.take_changed());
        let mut history = params.state.history.lock();
        let step = history.done.pop().expect("a step");
        assert!(history.done.is_empty());
        assert_eq!(step.name, format!("Load {}", patch.name));
        assert!(step.limits[0].locked[0]);
        assert_eq!(step.held, Some([held, None]));
        assert!(
            step.turns
                .iter()
                .all(|turn| turn.before == before[turn.param])
        );
    }
}
