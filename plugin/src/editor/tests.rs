//! The editor's texts, knobs and layout, tested without a window.

use super::knob::{Knob, Touched};
use super::*;
use crate::state::InstanceState;
use egui::{Event, Modifiers, PointerButton, RawInput, Shape, ViewportId};
use matcher::Inference;
use matcher::engine::Engine;
use matcher::live::live;
use nice_plug::context::PluginApi;
use nice_plug::context::gui::GuiContextInner;
use nice_plug::params::InternalParamMut;
use nice_plug::prelude::{FloatParam, Param, ParamPtr, PluginState};
use parking_lot::Mutex;
use synth::MATCHED;
use synth::params::FILTER_CUTOFF;

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

fn params() -> (Arc<Params>, crate::state::Mailbox) {
    let (state, mailbox) = InstanceState::new();
    (Arc::new(Params::new(Arc::new(state))), mailbox)
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
    host: Arc<Host>,
    gui: GuiContext,
    window: Window,
    locked: bool,
}

impl Bench {
    fn new() -> Self {
        let host = Arc::new(Host::default());
        let gui = GuiContext::new(host.clone());
        let mut bench = Self {
            params: params().0,
            host,
            gui,
            window: Window::new([200.0, 200.0]),
            locked: false,
        };
        bench.after(Vec::new(), Modifiers::NONE);
        bench
    }

    fn param(&self) -> &FloatParam {
        &self.params.rows[FILTER_CUTOFF]
    }

    fn value(&self) -> f32 {
        self.param().unmodulated_normalized_value()
    }

    fn after(&mut self, events: Vec<Event>, modifiers: Modifiers) -> Touched {
        let mut touched = Touched::default();
        let (params, gui, locked) = (self.params.clone(), self.gui.clone(), self.locked);
        self.window.picture(events, modifiers, |ui| {
            let knob = Knob {
                param: &params.rows[FILTER_CUTOFF],
                label: "Cutoff",
                radius: 19.0,
                origin: 0.0,
                matched: true,
                inferred: None,
                locked,
                hint: "",
            };
            let now = knob.show(ui, CENTRE, 54.0, &gui.param_setter());
            touched.moved |= now.moved;
            touched.released |= now.released;
        });
        touched
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
    }
}

#[test]
fn a_drag_turns_the_knob_in_one_gesture() {
    let mut bench = Bench::new();
    let start = bench.value();
    bench.drag(38.0, Modifiers::NONE);
    let coarse = bench.value() - start;
    assert!((coarse - 0.2).abs() < 1e-3, "{coarse}");
    let gestures = std::mem::take(&mut *bench.host.gestures.lock());
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
    bench.locked = true;
    bench.after(Vec::new(), Modifiers::NONE);
    let start = bench.value();
    let badge = CENTRE + vec2(Knob::outer(19.0), -Knob::outer(19.0) + 3.0);
    let mut released = false;
    for pressed in [true, false] {
        let button = PointerButton::Primary;
        let modifiers = Modifiers::NONE;
        let event = Event::PointerButton {
            pos: badge,
            button,
            pressed,
            modifiers,
        };
        released |= bench
            .after(vec![Event::PointerMoved(badge), event], modifiers)
            .released;
    }
    assert!(released);
    assert_eq!(bench.value(), start);
}

/// All texts of the window with their places, in a state with many of them: while the instrument is
/// switched off, or `on` without an engine.
fn texts(size: [f32; 2], on: bool, page: usize) -> Vec<(String, Rect)> {
    let (params, mut mailbox) = params();
    let inference = Inference {
        mean: [0.77; MATCHED_COUNT],
        sigma: [0.1; MATCHED_COUNT],
    };
    mailbox.report(Some(Target::new(inference)));
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
fn a_loaded_patch_leaves_nothing_locked_or_held() {
    let (params, mut mailbox) = params();
    mailbox.report(Some(Target::new(Inference {
        mean: [0.5; MATCHED_COUNT],
        sigma: [0.1; MATCHED_COUNT],
    })));
    params.state.set_lock(0, true);
    let gui = GuiContext::new(Arc::new(Host::default()));
    let mut loaded = Patch::default();
    loaded.set(FILTER_CUTOFF, 0.9);
    patch::load(&loaded, &params, &gui.param_setter());
    assert_eq!(params.knobs(), loaded);
    assert_eq!(params.state.held(), None);
    assert_eq!(params.state.locks(), [false; MATCHED_COUNT]);
    assert!((0..MATCHED.len()).all(|i| params.state.was_loaded(i, loaded.get(MATCHED[i]))));
    assert_eq!(
        Patch::from_json(&patch::text(&loaded))
            .unwrap()
            .plain(FILTER_CUTOFF),
        loaded.plain(FILTER_CUTOFF)
    );
}
