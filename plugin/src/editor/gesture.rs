//! The player's gesture on a knob or on the handle of a range: from the first move to its end, one
//! step for the host and for undo.

use egui::{Id, Ui};
use matcher::live::Limits;
use synth::MATCHED;
use synth::params::matched_index;

use super::Scene;
use crate::history::{self, Step, Turn};
use crate::state::MOVE;

/// Pause after which a movement of the wheel is over, in seconds.
const PAUSE: f64 = 0.4;
/// Key of the open gesture in egui's memory: there is one pointer, hence one gesture.
const KEY: &str = "gesture";

/// A gesture that is not over yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gesture {
    /// Index of the parameter, as [`crate::params::Params::get`] takes it.
    pub param: usize,
    /// Normalised value that the hand has reached. Hosts return a change with their next block
    /// only, so during a gesture this counts.
    pub value: f32,
    /// The parameter's value before.
    before: f32,
    /// Locks and ranges before.
    limits: Limits,
    /// Time at which the wheel last moved; `None` for a drag.
    wheel: Option<f64>,
}

impl Gesture {
    /// The gesture that is open.
    pub fn open(ui: &Ui) -> Option<Self> {
        ui.data(|data| data.get_temp(Id::unique(KEY)))
    }

    /// Turns a parameter by `travel` (normalised), beginning a gesture at `from` if none is open on
    /// it; the wheel's if `wheel`.
    pub fn turn(ui: &Ui, scene: &Scene<'_>, param: usize, from: f32, travel: f32, wheel: bool) {
        let knob = scene.params.get(param);
        let mut gesture = match Self::open(ui) {
            Some(gesture) if gesture.param == param => gesture,
            other => {
                if let Some(other) = other {
                    other.end(ui, scene);
                }
                knob.begin(&scene.setter);
                Self {
                    param,
                    value: from,
                    before: knob.value(),
                    limits: scene.limits,
                    wheel: None,
                }
            }
        };
        gesture.wheel = wheel.then(|| ui.input(|input| input.time));
        gesture.value = (gesture.value + travel).clamp(0.0, 1.0);
        knob.set(&scene.setter, gesture.value);
        ui.data_mut(|data| data.insert_temp(Id::unique(KEY), gesture));
    }

    /// Ends the open gestures if their hand has gone, and locks a knob once the host has moved it:
    /// the audio thread does too, but only while the host plays.
    pub fn watch(ui: &Ui, scene: &Scene<'_>) {
        RangeDrag::watch(ui, scene);
        let Some(gesture) = Self::open(ui) else {
            return;
        };
        let arrived = (scene.params.get(gesture.param).value() - gesture.value).abs() <= MOVE;
        if let Some(i) = gesture.locks(scene).filter(|_| arrived) {
            scene.params.state.set_lock(i, true);
        }
        let (down, time) = ui.input(|input| (input.pointer.primary_down(), input.time));
        let over = match gesture.wheel {
            Some(last) => down || time - last > PAUSE,
            None => !down,
        };
        if over {
            gesture.end(ui, scene);
        }
    }

    /// Place among the matched parameters of the one that this gesture locks.
    fn locks(&self, scene: &Scene<'_>) -> Option<usize> {
        matched_index(self.param).filter(|_| scene.amount > 0.0)
    }

    fn end(self, ui: &Ui, scene: &Scene<'_>) {
        scene.params.get(self.param).end(&scene.setter);
        ui.data_mut(|data| data.remove::<Self>(Id::unique(KEY)));
        let mut after = self.limits;
        if let Some(i) = self.locks(scene) {
            after.locked[i] = true;
        }
        let mut step = Step::new(scene.params.get(self.param).name().into(), self.limits);
        step.limits[1] = after;
        step.turns.push(Turn {
            param: self.param,
            before: self.before,
            after: self.value,
        });
        scene.params.state.history.lock().push(step);
    }
}

/// A drag of a handle, which is not over yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RangeDrag {
    /// Place of the range among the matched parameters.
    pub place: usize,
    /// The range before.
    before: [f32; 2],
}

impl RangeDrag {
    /// Key of the open drag in egui's memory.
    const KEY: &str = "range drag";

    /// The drag that is open.
    pub fn open(ui: &Ui) -> Option<Self> {
        ui.data(|data| data.get_temp(Id::unique(Self::KEY)))
    }

    /// Moves one end of a range, beginning a drag if none is open.
    pub fn set(ui: &Ui, scene: &Scene<'_>, place: usize, end: usize, x: f32) {
        // Another frame's scene would undo what the host or a lock did meanwhile.
        let mut limits = scene.params.state.limits();
        let before = limits.ranges[place];
        if Self::open(ui).is_none() {
            let drag = Self { place, before };
            ui.data_mut(|data| data.insert_temp(Id::unique(Self::KEY), drag));
        }
        let [low, high] = &mut limits.ranges[place];
        match end {
            0 => *low = x.min(*high),
            _ => *high = x.max(*low),
        }
        scene.params.state.set_limits(&limits);
    }

    /// Ends the open drag if its hand has gone: one step for undo.
    fn watch(ui: &Ui, scene: &Scene<'_>) {
        let Some(drag) = Self::open(ui).filter(|_| !ui.input(|input| input.pointer.primary_down()))
        else {
            return;
        };
        ui.data_mut(|data| data.remove::<Self>(Id::unique(Self::KEY)));
        let name = scene.params.get(MATCHED[drag.place]).name();
        let mut step = Step::new(format!("Range of {name}"), scene.limits);
        step.limits[0].ranges[drag.place] = drag.before;
        scene.params.state.history.lock().push(step);
    }
}

/// Sets a parameter to its default, in one gesture. That is no say in the match: it locks nothing.
pub fn reset(scene: &Scene<'_>, param: usize) {
    let knob = scene.params.get(param);
    let mut step = Step::new(format!("{} to default", knob.name()), scene.limits);
    step.turns.push(Turn {
        param,
        before: knob.value(),
        after: knob.default(),
    });
    history::perform(step, scene.params, &scene.setter);
}
