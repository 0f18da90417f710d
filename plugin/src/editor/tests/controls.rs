//! A control under the pointer and under the keys.

use super::*;
use synth::PARAMS;

use crate::history::{redo, undo};

/// Rectangle of the control, and the middle of its knob.
const PLACE: Rect = Rect::from_min_max(pos2(70.0, 61.0), pos2(130.0, 61.0 + control::HEIGHT));
const CENTRE: egui::Pos2 = pos2(100.0, 61.0 + (control::HEIGHT - 28.0) / 2.0 + 1.0);

/// A knob for the cutoff, with a window in which events act on it.
struct Bench {
    params: Arc<Params>,
    audio: AudioState,
    host: Arc<Host>,
    gui: GuiContext,
    window: Window,
    shapes: Vec<egui::epaint::ClippedShape>,
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
            window: Window::new([400.0, 400.0]),
            shapes: Vec::new(),
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

    /// Draws the control after these events.
    fn after(&mut self, events: Vec<Event>, modifiers: Modifiers) {
        let (params, gui) = (self.params.clone(), self.gui.clone());
        let mut shown = false;
        self.shapes = self.window.picture(events, modifiers, |ui| {
            let scene = Scene::now(&params, &gui);
            // A second layout of the same frame draws again, and does nothing again.
            if !std::mem::replace(&mut shown, true) {
                Gesture::watch(ui, &scene);
            }
            control::show(ui, PLACE, FILTER_CUTOFF, "Cutoff", &scene);
        });
    }

    /// Presses and lets go a button at a place.
    fn click(&mut self, at: egui::Pos2, button: PointerButton) {
        self.after(vec![Event::PointerMoved(at)], Modifiers::NONE);
        for pressed in [true, false] {
            let event = Event::PointerButton {
                pos: at,
                button,
                pressed,
                modifiers: Modifiers::NONE,
            };
            self.after(vec![event], Modifiers::NONE);
        }
    }

    /// Presses and lets go a key.
    fn key(&mut self, key: egui::Key) {
        let event = |pressed| Event::Key {
            key,
            physical_key: None,
            pressed,
            repeat: false,
            modifiers: Modifiers::NONE,
        };
        self.after(vec![event(true)], Modifiers::NONE);
        self.after(vec![event(false)], Modifiers::NONE);
    }

    /// Position of a text.
    fn find(&self, text: &str) -> Option<egui::Pos2> {
        self.shapes.iter().find_map(|clipped| match &clipped.shape {
            egui::Shape::Text(shape) if shape.galley.text() == text => {
                Some(shape.visual_bounding_rect().center())
            }
            _ => None,
        })
    }

    /// Types a value into the field below the knob.
    fn type_value(&mut self, text: &str) {
        let field = pos2(PLACE.center().x, PLACE.bottom() - 7.0);
        self.click(field, PointerButton::Primary);
        self.after(Vec::new(), Modifiers::NONE);
        self.after(vec![Event::Text(text.to_owned())], Modifiers::NONE);
        self.key(egui::Key::Enter);
        self.after(Vec::new(), Modifiers::NONE);
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
    fn click_badge(&mut self) {
        let radius = (0.5 * (control::HEIGHT - 28.0) - 7.5).min(0.5 * PLACE.width() - 8.0);
        let badge = CENTRE + vec2(radius + 5.0, 4.0 - radius);
        // It can be clicked once it was drawn.
        self.after(vec![Event::PointerMoved(badge)], Modifiers::NONE);
        self.click(badge, PointerButton::Primary);
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
    bench.click_badge();
    assert_eq!(bench.value(), start);
    assert!(!bench.locked());
}

#[test]
fn what_is_heard_can_be_locked_as_it_is() {
    let mut bench = Bench::new();
    bench.audio.mailbox.report(Some(inference(0.123)));
    bench.click_badge();
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

#[test]
fn a_typed_value_is_one_step_and_what_cannot_be_read_changes_nothing() {
    let mut bench = Bench::new();
    let start = bench.value();
    let plain = |bench: &Bench| PARAMS[FILTER_CUTOFF].plain(bench.value());
    bench.type_value("2,5 kHz");
    assert!((plain(&bench) - 2500.0).abs() < 1.0, "{}", plain(&bench));
    assert!(bench.locked(), "a typed value is the player's");
    let gestures = bench.gestures();
    assert_eq!(gestures, ["begin", "set", "end"]);
    let typed = bench.value();
    bench.type_value("loud");
    assert_eq!(bench.value(), typed);
    bench.key(egui::Key::Escape);
    bench.after(Vec::new(), Modifiers::NONE);
    assert_eq!(bench.value(), typed);
    undo(&bench.params, &bench.gui.param_setter());
    assert_eq!(bench.value(), start);
    assert!(!bench.locked());
}

#[test]
fn the_keyboard_reaches_a_control_and_turns_it() {
    let mut bench = Bench::new();
    let start = bench.value();
    bench.key(egui::Key::Tab);
    for _ in 0..5 {
        bench.key(egui::Key::ArrowUp);
    }
    assert!(
        (bench.value() - start - 0.1).abs() < 1e-3,
        "{}",
        bench.value()
    );
    bench.key(egui::Key::ArrowDown);
    assert!((bench.value() - start - 0.08).abs() < 1e-3);
    bench.key(egui::Key::Escape);
    let left = bench.value();
    bench.key(egui::Key::ArrowUp);
    assert_eq!(bench.value(), left);
}

/// Presses at a place, moves on to others, and lets go.
fn drag_along(bench: &mut Bench, way: &[egui::Pos2]) {
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    bench.after(vec![Event::PointerMoved(way[0])], Modifiers::NONE);
    bench.after(vec![button(way[0], true)], Modifiers::NONE);
    for at in way {
        bench.after(vec![Event::PointerMoved(*at)], Modifiers::NONE);
    }
    bench.after(vec![button(way[way.len() - 1], false)], Modifiers::NONE);
    bench.after(Vec::new(), Modifiers::NONE);
}

#[test]
fn a_drag_of_a_ranges_end_is_one_step() {
    let mut bench = Bench::new();
    let start = [0.35, 0.65];
    let mut limits = bench.params.state.limits();
    limits.ranges[cutoff()] = start;
    bench.params.state.set_limits(&limits);
    bench.after(Vec::new(), Modifiers::NONE);
    let range = |bench: &Bench| bench.params.state.limits().ranges[cutoff()];
    let name = |bench: &Bench| {
        bench
            .params
            .state
            .history
            .lock()
            .undo_name()
            .map(str::to_owned)
    };
    let (_, radius, _) = control::layout(PLACE);
    let at = |x: f32| {
        let angle = std::f32::consts::TAU * (0.375 + 0.75 * x);
        CENTRE + (radius + 4.5) * egui::Vec2::angled(angle)
    };
    let way: Vec<_> = (0..=10).map(|k| at(0.65 + 0.02 * k as f32)).collect();
    drag_along(&mut bench, &way);
    let wider = range(&bench);
    assert!(
        (wider[1] - 0.85).abs() < 0.02 && wider[0] == 0.35,
        "{wider:?}"
    );
    assert_eq!(name(&bench).as_deref(), Some("Range of Cutoff"));
    // The second one opens the range altogether, and goes on beyond that.
    limits.ranges[cutoff()] = [0.0, wider[1]];
    bench.params.state.set_limits(&limits);
    bench.after(Vec::new(), Modifiers::NONE);
    drag_along(&mut bench, &[at(wider[1]), at(1.0), at(0.9), at(0.7)]);
    let again = range(&bench);
    assert!((again[1] - 0.7).abs() < 0.02, "{again:?}");
    let setter = bench.gui.param_setter();
    undo(&bench.params, &setter);
    assert_eq!(range(&bench), [0.0, wider[1]]);
    undo(&bench.params, &setter);
    assert_eq!(range(&bench), start);
    assert_eq!(name(&bench), None);
    redo(&bench.params, &setter);
    assert_eq!(range(&bench), wider);
    // Nothing else was touched.
    assert_eq!(bench.value(), Patch::default().get(FILTER_CUTOFF));
    assert!(bench.gestures().is_empty() && !bench.locked());
}

#[test]
fn the_menu_limits_and_frees_the_range() {
    let mut bench = Bench::new();
    bench.audio.mailbox.report(Some(inference(0.5)));
    let range = |bench: &Bench| bench.params.state.limits().ranges[cutoff()];
    for (word, expected) in [
        ("Limit the match's range", [0.35, 0.65]),
        ("Free the match's range", [0.0, 1.0]),
    ] {
        bench.click(CENTRE, PointerButton::Secondary);
        bench.after(Vec::new(), Modifiers::NONE);
        let item = bench.find(word).expect("the menu has it");
        bench.click(item, PointerButton::Primary);
        let found = range(&bench);
        for end in 0..2 {
            assert!((found[end] - expected[end]).abs() < 1e-6, "{found:?}");
        }
    }
    undo(&bench.params, &bench.gui.param_setter());
    assert_ne!(range(&bench), [0.0, 1.0]);
}
