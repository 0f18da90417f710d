//! The editor's texts, knobs and layout, tested without a window.

use super::knob::{Inferred, Knob, LockClick};
use super::*;
use crate::history::{redo, undo};
use crate::params::HostParam;
use crate::state::{AudioState, InstanceState};
use egui::{Event, Modifiers, PointerButton, RawInput, Shape, ViewportId};
use matcher::Inference;
use matcher::engine::Engine;
use matcher::live::live;
use nice_plug::context::PluginApi;
use nice_plug::context::gui::GuiContextInner;
use nice_plug::params::InternalParamMut;
use nice_plug::prelude::{ParamPtr, PluginState};
use parking_lot::Mutex;
use synth::params::{FILTER_CUTOFF, FILTER_TYPE};
use synth::{MATCHED, MATCHED_COUNT};

/// A host that sets parameters at once and records the gestures.
#[derive(Default)]
struct Host {
    gestures: Mutex<Vec<&'static str>>,
}

#[allow(unsafe_code)] // The host's part is played here.
impl GuiContextInner for Host {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }
    unsafe fn raw_begin_set_parameter(&self, _: ParamPtr) {
        self.gestures.lock().push("begin");
    }
    unsafe fn raw_set_parameter_normalized(&self, param: ParamPtr, x: f32) {
        self.gestures.lock().push("set");
        // SAFETY: the parameter outlives the editor, and nothing else sets it.
        unsafe {
            match param {
                ParamPtr::FloatParam(p) => (*p)._internal_set_normalized_value(x),
                ParamPtr::IntParam(p) => (*p)._internal_set_normalized_value(x),
                ParamPtr::BoolParam(p) => (*p)._internal_set_normalized_value(x),
                other => panic!("no such parameter here: {other:?}"),
            };
        }
    }
    unsafe fn raw_end_set_parameter(&self, _: ParamPtr) {
        self.gestures.lock().push("end");
    }
    fn get_state(&self) -> PluginState {
        unimplemented!()
    }
    fn set_state(&self, _: PluginState) {
        unimplemented!()
    }
    fn request_restart(&self) {}
}

fn params() -> (Arc<Params>, AudioState) {
    let (state, audio) = InstanceState::new();
    (Arc::new(Params::new(Arc::new(state))), audio)
}

/// A held inference, everything at `mean`.
fn inference(mean: f32) -> Target {
    Target::new(
        Inference {
            mean: [mean; MATCHED_COUNT],
            sigma: [0.1; MATCHED_COUNT],
        },
        &Patch::default(),
    )
}

/// Place of the cutoff among the matched parameters.
fn cutoff() -> usize {
    let place = MATCHED.iter().position(|&row| row == FILTER_CUTOFF);
    place.expect("it is matched")
}

/// A window of this size with a fresh context.
struct Window {
    context: egui::Context,
    size: [f32; 2],
    time: f64,
}

impl Window {
    fn new(size: [f32; 2]) -> Self {
        let context = egui::Context::default();
        theme::apply(&context);
        Self {
            context,
            size,
            time: 0.0,
        }
    }

    /// Draws one frame after these events.
    fn picture(
        &mut self,
        mut events: Vec<Event>,
        modifiers: Modifiers,
        draw: impl FnMut(&mut egui::Ui),
    ) -> Vec<egui::epaint::ClippedShape> {
        self.time += 0.03;
        events.insert(0, Event::ModifiersChanged(modifiers));
        let input = RawInput {
            viewport_id: ViewportId::ROOT,
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), self.size.into())),
            time: Some(self.time),
            events,
            ..RawInput::default()
        };
        let mut output = self.context.run_ui(input, draw);
        // There is no screen to put them on.
        output.textures_delta.clear();
        std::mem::take(&mut output.shapes)
    }
}

const CENTRE: egui::Pos2 = pos2(100.0, 100.0);

/// A knob for the cutoff, with a window in which events act on it.
struct Bench {
    params: Arc<Params>,
    audio: AudioState,
    host: Arc<Host>,
    gui: GuiContext,
    window: Window,
}

impl Bench {
    fn new() -> Self {
        let host = Arc::new(Host::default());
        let gui = GuiContext::new(host.clone());
        let (params, audio) = params();
        let mut bench = Self {
            params,
            audio,
            host,
            gui,
            window: Window::new([200.0, 200.0]),
        };
        bench.after(Vec::new(), Modifiers::NONE);
        bench
    }

    fn param(&self) -> &HostParam {
        &self.params.rows[FILTER_CUTOFF]
    }

    fn value(&self) -> f32 {
        self.param().value()
    }

    fn locked(&self) -> bool {
        self.params.state.limits().locked[cutoff()]
    }

    /// Draws the knob after these events, as a panel does.
    fn after(&mut self, events: Vec<Event>, modifiers: Modifiers) -> Option<LockClick> {
        let mut click = None;
        let (params, gui) = (self.params.clone(), self.gui.clone());
        self.window.picture(events, modifiers, |ui| {
            let scene = Scene::now(&params, gui.param_setter());
            let locked = scene.limits.locked[cutoff()];
            Gesture::watch(ui, &scene);
            let knob = Knob {
                param: FILTER_CUTOFF,
                label: "Cutoff",
                radius: 19.0,
                origin: 0.0,
                matched: true,
                inferred: scene.held.filter(|_| !locked).map(|_| Inferred {
                    effective: scene.effective.get(FILTER_CUTOFF),
                    text: String::new(),
                }),
                locked,
                hint: "",
            };
            click = click.or(knob.show(ui, CENTRE, 54.0, &scene));
            match click {
                Some(LockClick::Lock) => locks::lock_as_heard("Cutoff", &[FILTER_CUTOFF], &scene),
                Some(LockClick::Release) => locks::release("Cutoff", &[FILTER_CUTOFF], &scene),
                None => {}
            }
        });
        click
    }

    /// Turns the wheel by a notch.
    fn wheel(&mut self) {
        let event = Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: vec2(0.0, 40.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: Modifiers::NONE,
        };
        self.after(vec![Event::PointerMoved(CENTRE), event], Modifiers::NONE);
    }

    /// Clicks on the lock's badge.
    fn click_badge(&mut self) -> Option<LockClick> {
        let badge = CENTRE + vec2(Knob::outer(19.0), -Knob::outer(19.0) + 3.0);
        // It can be clicked once it was drawn.
        self.after(vec![Event::PointerMoved(badge)], Modifiers::NONE);
        let mut click = None;
        for pressed in [true, false] {
            let event = Event::PointerButton {
                pos: badge,
                button: PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            };
            click = click.or(self.after(vec![event], Modifiers::NONE));
        }
        click
    }

    /// The gestures that the host has seen since the last call.
    fn gestures(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.host.gestures.lock())
    }

    /// Presses at `CENTRE` and drags up in small steps.
    fn drag(&mut self, up: f32, modifiers: Modifiers) {
        let button = |pos, pressed| Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers,
        };
        self.after(vec![Event::PointerMoved(CENTRE)], modifiers);
        self.after(vec![button(CENTRE, true)], modifiers);
        for k in 1..=20 {
            let at = CENTRE - vec2(0.0, up * k as f32 / 20.0);
            self.after(vec![Event::PointerMoved(at)], modifiers);
        }
        self.after(vec![button(CENTRE - vec2(0.0, up), false)], modifiers);
        self.after(Vec::new(), modifiers);
    }
}

#[test]
fn a_drag_turns_the_knob_in_one_gesture() {
    let mut bench = Bench::new();
    let start = bench.value();
    bench.drag(38.0, Modifiers::NONE);
    let coarse = bench.value() - start;
    assert!((coarse - 0.2).abs() < 1e-3, "{coarse}");
    let gestures = bench.gestures();
    assert_eq!(
        (gestures[0], gestures[gestures.len() - 1]),
        ("begin", "end")
    );
    assert_eq!(gestures.iter().filter(|g| **g != "set").count(), 2);

    let start = bench.value();
    bench.drag(38.0, Modifiers::SHIFT);
    let fine = bench.value() - start;
    assert!((fine - coarse / 10.0).abs() < 1e-3, "{fine}");

    bench.drag(-400.0, Modifiers::NONE);
    assert_eq!(bench.value(), 0.0);
}

/// A fast hand comes and presses within one picture.
#[test]
fn the_way_to_a_knob_does_not_turn_it() {
    let mut bench = Bench::new();
    let start = bench.value();
    bench.after(
        vec![Event::PointerMoved(CENTRE - vec2(0.0, 90.0))],
        Modifiers::NONE,
    );
    let press = Event::PointerButton {
        pos: CENTRE,
        button: PointerButton::Primary,
        pressed: true,
        modifiers: Modifiers::NONE,
    };
    bench.after(vec![Event::PointerMoved(CENTRE), press], Modifiers::NONE);
    assert_eq!(bench.value(), start);
    assert!(bench.gestures().is_empty());
}

#[test]
fn a_double_click_brings_the_default_back() {
    let mut bench = Bench::new();
    let default = bench.value();
    bench.drag(30.0, Modifiers::NONE);
    assert_ne!(bench.value(), default);
    bench.window.time += 1.0;
    for pressed in [true, false, true, false] {
        let button = PointerButton::Primary;
        let modifiers = Modifiers::NONE;
        let event = Event::PointerButton {
            pos: CENTRE,
            button,
            pressed,
            modifiers,
        };
        bench.after(vec![Event::PointerMoved(CENTRE), event], modifiers);
    }
    assert_eq!(bench.value(), default);
}

#[test]
fn the_badge_releases_and_does_not_turn() {
    let mut bench = Bench::new();
    bench.params.state.set_lock(cutoff(), true);
    bench.after(Vec::new(), Modifiers::NONE);
    let start = bench.value();
    assert_eq!(bench.click_badge(), Some(LockClick::Release));
    assert_eq!(bench.value(), start);
    assert!(!bench.locked());
}

/// FAULTS S7.
#[test]
fn what_is_heard_can_be_locked_as_it_is() {
    let mut bench = Bench::new();
    bench.audio.mailbox.report(Some(inference(0.123)));
    assert_eq!(bench.click_badge(), Some(LockClick::Lock));
    assert!((bench.value() - 0.123).abs() < 1e-6);
    assert!(bench.locked());
    // Nothing else was touched, and undo gives the knob back to the match.
    assert_eq!(
        bench
            .params
            .state
            .limits()
            .locked
            .iter()
            .filter(|&&l| l)
            .count(),
        1
    );
    undo(&bench.params, &bench.gui.param_setter());
    assert!(!bench.locked());
    assert_eq!(bench.value(), Patch::default().get(FILTER_CUTOFF));
}

/// FAULTS S7.
#[test]
fn a_matched_knob_is_taken_up_where_it_sounds() {
    for wheel in [false, true] {
        let mut bench = Bench::new();
        bench.audio.mailbox.report(Some(inference(0.1)));
        bench.after(Vec::new(), Modifiers::NONE);
        let before = match wheel {
            true => {
                bench.wheel();
                bench.after(Vec::new(), Modifiers::NONE);
                0.1 + 40.0 / 2000.0
            }
            false => {
                bench.drag(1.9, Modifiers::NONE);
                0.11
            }
        };
        assert!((bench.value() - before).abs() < 0.021, "{}", bench.value());
        assert!(bench.locked());
    }
}

/// FAULTS S5.
#[test]
fn a_movement_of_the_wheel_is_one_step() {
    let mut bench = Bench::new();
    let start = bench.value();
    for _ in 0..10 {
        bench.wheel();
    }
    let turned = bench.value();
    assert!(turned > start + 0.05, "{turned}");
    for _ in 0..30 {
        bench.after(Vec::new(), Modifiers::NONE);
    }
    let turned = bench.value();
    let gestures = bench.gestures();
    assert_eq!(
        (gestures[0], gestures[gestures.len() - 1]),
        ("begin", "end")
    );
    assert_eq!(gestures.iter().filter(|g| **g != "set").count(), 2);
    // It is one step for undo as well.
    let setter = bench.gui.param_setter();
    undo(&bench.params, &setter);
    assert_eq!(bench.value(), start);
    assert!(!bench.locked());
    assert_eq!(bench.params.state.history.lock().undo_name(), None);
    redo(&bench.params, &setter);
    assert_eq!(bench.value(), turned);
    assert!(bench.locked());
}

/// FAULTS S6.
#[test]
fn nothing_is_locked_at_zero_percent_or_by_a_double_click() {
    let mut bench = Bench::new();
    let set = |bench: &Bench, x| bench.params.amount.set(&bench.gui.param_setter(), x);
    set(&bench, 0.0);
    bench.drag(38.0, Modifiers::NONE);
    assert!(!bench.locked());
    set(&bench, 1.0);
    bench.window.time += 1.0;
    bench.after(vec![Event::PointerMoved(CENTRE)], Modifiers::NONE);
    for pressed in [true, false, true, false] {
        let event = Event::PointerButton {
            pos: CENTRE,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        bench.after(vec![Event::PointerMoved(CENTRE), event], Modifiers::NONE);
    }
    assert_eq!(bench.value(), Patch::default().get(FILTER_CUTOFF));
    assert!(!bench.locked());
}

/// All texts of the window with their places, in a state with many of them: while the instrument is
/// switched off, or `on` without an engine.
fn texts(size: [f32; 2], on: bool, page: usize) -> Vec<(String, Rect)> {
    let (params, mut audio) = params();
    audio.mailbox.report(Some(inference(0.77)));
    params.state.set_lock(3, true);
    if on {
        let nowhere = Engine::at(std::path::Path::new("no such folder"));
        *params.state.listener.view.lock() = Some(live(48_000.0, nowhere, None).1);
    } else {
        let message = "The project's match could not be read.";
        params.state.set_message(Some(message.into()));
    }
    let gui = GuiContext::new(Arc::new(Host::default()));
    let mut app = App::new(params);
    app.panels.page = page;
    let mut window = Window::new(size);
    // Texts have their size from the second picture on.
    window.picture(Vec::new(), Modifiers::NONE, |ui| app.draw(ui, &gui));
    let shapes = window.picture(Vec::new(), Modifiers::NONE, |ui| app.draw(ui, &gui));
    let mut texts = Vec::new();
    for clipped in shapes {
        if let Shape::Text(text) = clipped.shape {
            let rect = text.visual_bounding_rect().intersect(clipped.clip_rect);
            texts.push((text.galley.text().to_owned(), rect));
        }
    }
    texts
}

#[test]
fn no_text_leaves_the_window_or_covers_another() {
    for size in [SIZE, SMALLEST, [1600.0, 1000.0]] {
        let pages = (0..panels::PAGES.len()).map(|page| (true, page));
        for (on, page) in std::iter::once((false, 0)).chain(pages) {
            let texts = texts(size, on, page);
            assert!(texts.len() > 40, "{} texts", texts.len());
            assert_eq!(texts.iter().any(|(t, _)| t.contains("fallbacks 0")), on);
            let window = Rect::from_min_size(pos2(0.0, 0.0), size.into());
            for (k, (text, rect)) in texts.iter().enumerate() {
                assert!(
                    window.contains_rect(*rect),
                    "{size:?}: {text:?} at {rect:?}"
                );
                for (other, place) in &texts[..k] {
                    let both = rect.intersect(*place);
                    let overlap = both.width().max(0.0) * both.height().max(0.0);
                    assert!(overlap < 1.0, "{size:?}: {text:?} covers {other:?}");
                }
            }
        }
    }
}

#[test]
fn a_loaded_patch_leaves_nothing_locked_or_held_and_is_one_step() {
    let (params, mut audio) = params();
    audio.mailbox.report(Some(inference(0.5)));
    let state = &params.state;
    state.set_lock(0, true);
    let before = state.snapshot(&params.unmodulated());
    let gui = GuiContext::new(Arc::new(Host::default()));
    let mut loaded = Patch::default();
    loaded.set(FILTER_CUTOFF, 0.9);
    loaded.set_plain(FILTER_TYPE, 2.0);
    patch::load("Load", &loaded, &params, &gui.param_setter());
    assert_eq!(params.knobs(), loaded);
    assert_eq!((state.held(), state.limits()), (None, Limits::NONE));
    // The values are no hand's.
    for (i, &row) in MATCHED.iter().enumerate() {
        assert!(state.arrived(i, loaded.get(row)));
    }
    let (again, unknown) = Patch::from_json(&patch::text(&loaded)).unwrap();
    assert_eq!(again.plain(FILTER_CUTOFF), loaded.plain(FILTER_CUTOFF));
    assert!(unknown.is_empty());
    // As if the host had set all of them back at once, and more: what was held is back.
    undo(&params, &gui.param_setter());
    assert_eq!(state.snapshot(&params.unmodulated()), before);
    redo(&params, &gui.param_setter());
    assert_eq!(params.knobs(), loaded);
    assert_eq!((state.held(), state.limits()), (None, Limits::NONE));
}

#[test]
fn sections_are_kept_as_heard_and_released() {
    let (params, mut audio) = params();
    audio.mailbox.report(Some(inference(0.25)));
    let gui = GuiContext::new(Arc::new(Host::default()));
    let scene = |params| Scene::now(params, gui.param_setter());
    locks::lock_as_heard("all", &MATCHED, &scene(&params));
    assert!(params.state.limits().locked.iter().all(|&locked| locked));
    assert!(MATCHED.iter().all(|&row| params.rows[row].value() == 0.25));
    locks::release("Filter", &[FILTER_CUTOFF], &scene(&params));
    assert!(!params.state.limits().locked[cutoff()]);
    locks::release("all", &MATCHED, &scene(&params));
    assert!(!params.state.limits().locked.contains(&true));
    for _ in 0..3 {
        undo(&params, &gui.param_setter());
    }
    assert_eq!(params.knobs(), Patch::default());
    assert!(!params.state.limits().locked.contains(&true));
}
