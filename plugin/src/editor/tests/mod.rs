//! The editor's controls, pages and pictures, tested without a window.

mod as_heard;
mod controls;
mod leaning;
mod own;
mod pages;
mod pictures;
mod raster;
mod synced;

use super::*;
use crate::params::HostParam;
use crate::state::{AudioState, InstanceState};
use egui::{Event, Modifiers, PointerButton, RawInput, ViewportId};
use matcher::Inference;
use nice_plug::context::PluginApi;
use nice_plug::context::gui::GuiContextInner;
use nice_plug::params::InternalParamMut;
use nice_plug::prelude::{ParamPtr, PluginState};
use parking_lot::Mutex;
use synth::params::{FILTER_CUTOFF, matched_index};
use synth::{MATCHED, MATCHED_COUNT};

/// A host that sets parameters at once, or when told to, and records the gestures.
#[derive(Default)]
struct Host {
    gestures: Mutex<Vec<&'static str>>,
    /// Values that wait until they are delivered; `None` for a host that sets them at once.
    waiting: Option<Mutex<Vec<(ParamPtr, f32)>>>,
}

impl Host {
    /// A host that keeps values back, as hosts do until their next block.
    fn late() -> Self {
        Self {
            waiting: Some(Mutex::default()),
            ..Self::default()
        }
    }

    /// Sets the parameters to the values that wait.
    fn deliver(&self) {
        let waiting = self.waiting.as_ref().expect("it is late");
        for (param, x) in waiting.lock().drain(..) {
            put(param, x);
        }
    }
}

#[allow(unsafe_code)] // The host's part is played here.
fn put(param: ParamPtr, x: f32) {
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
        match &self.waiting {
            Some(waiting) => waiting.lock().push((param, x)),
            None => put(param, x),
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
    let place = matched_index(FILTER_CUTOFF);
    place.expect("it is matched")
}

/// A window of this size with a fresh context.
struct Window {
    context: egui::Context,
    size: [f32; 2],
    time: f64,
    textures: raster::Textures,
    /// Texts for a screen reader.
    tree: Option<egui::accesskit::TreeUpdate>,
}

impl Window {
    fn new(size: [f32; 2]) -> Self {
        let context = egui::Context::default();
        theme::apply(&context);
        Self {
            context,
            size,
            time: 0.0,
            textures: raster::Textures::default(),
            tree: None,
        }
    }

    /// Names of everything that a screen reader can reach.
    fn names(&self) -> Vec<String> {
        let nodes = self.tree.iter().flat_map(|tree| &tree.nodes);
        nodes
            .filter_map(|(_, node)| node.label().map(str::to_owned))
            .collect()
    }

    /// Draws one frame after these events.
    fn picture(
        &mut self,
        mut events: Vec<Event>,
        modifiers: Modifiers,
        draw: impl FnMut(&mut Ui),
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
        self.textures.take(&mut output.textures_delta);
        self.tree = output.platform_output.accesskit_update.take();
        std::mem::take(&mut output.shapes)
    }
}

/// A melody that was heard, as the listener shows it: deterministic, and without its thread.
fn heard() -> Snapshot {
    let mut player = crate::reference::tests::playing(1, 4 * 48_000);
    player.play(4 * 48_000, 48_000.0, None);
    let config = ear::EarConfig::default();
    let mut ear = ear::Ear::new(&config, 48_000.0, true).expect("an ear at 48 kHz");
    let mut snapshot = Snapshot {
        ear: config,
        likeness: Some(0.91),
        of_knobs: Some(0.73),
        confidence: 0.4,
        status: Status::Matched { searching: true },
        ..Snapshot::default()
    };
    ear.process(player.played(), |frame| {
        snapshot.frames.push(*frame.spectrum);
        let voiced = frame.pitch.voiced && frame.pitch.hz > 0.0;
        let key = if voiced { frame.pitch.key() } else { f32::NAN };
        snapshot.melody.push(key);
        snapshot.heard += 1;
        snapshot.pitch = frame.pitch;
    });
    snapshot
}

/// An app after four seconds of a melody that was heard and played.
struct Stage {
    params: Arc<Params>,
    audio: AudioState,
    gui: GuiContext,
    app: App,
    window: Window,
    snapshot: Snapshot,
}

impl Stage {
    fn new(size: [f32; 2], patches: Option<PathBuf>) -> Self {
        let (params, mut audio) = params();
        audio.mailbox.report(Some(inference(0.55)));
        params.state.set_lock(3, true);
        let gui = GuiContext::new(Arc::new(Host::default()));
        let mut app = App::new(params.clone(), Settings::default(), patches);
        app.open(&egui::Context::default(), gui.clone());
        let snapshot = heard();
        let scene = Scene::now(&params, &gui);
        let note = |n: u32| synth::Note {
            onset: 0.5 * f64::from(n),
            duration: 0.4,
            key: [60.0, 64.0, 67.0, 72.0][n as usize % 4],
            velocity: 0.8,
        };
        let notes: Vec<_> = (0..8).map(note).collect();
        let mono = synth::render_mono(&scene.effective, &notes, 4.0, 48_000.0, 1);
        for block in mono.chunks(24_000) {
            audio
                .feed
                .show(&params.state.feed, Some([block; 2]), [block; 2], 1, 2);
            app.mirror.listen(&scene);
        }
        Self {
            gui,
            app,
            window: Window::new(size),
            snapshot,
            params,
            audio,
        }
    }

    /// Holds another match.
    fn hold(&mut self, target: Target) {
        self.audio.mailbox.report(Some(target));
    }

    /// Draws one frame after these events.
    fn frame(&mut self, events: Vec<Event>) -> Vec<egui::epaint::ClippedShape> {
        let Self {
            params,
            gui,
            app,
            window,
            snapshot,
            ..
        } = self;
        window.picture(events, Modifiers::NONE, |ui| {
            let mut scene = Scene::now(params, gui);
            scene.snapshot = snapshot.clone();
            scene.engine = Some(EngineStatus::Idle);
            app.draw_scene(ui, &scene);
        })
    }

    /// Shows the page of this name.
    fn open(&mut self, name: &str) {
        let named = |page: &sections::Page| page.name() == name;
        self.app.page = sections::PAGES.iter().position(named).unwrap();
    }

    /// Presses and lets go the pointer's first button at a place.
    fn click(&mut self, at: egui::Pos2) {
        self.click_with(PointerButton::Primary, at);
    }

    /// Presses and lets go a button of the pointer at a place.
    fn click_with(&mut self, button: PointerButton, at: egui::Pos2) {
        self.frame(vec![Event::PointerMoved(at)]);
        for pressed in [true, false] {
            self.frame(vec![Event::PointerButton {
                pos: at,
                button,
                pressed,
                modifiers: Modifiers::NONE,
            }]);
        }
    }

    /// Positions of a text in a new frame.
    fn places(&mut self, text: &str) -> Vec<egui::Pos2> {
        let shapes = self.frame(Vec::new());
        let found = shapes.iter().filter_map(|clipped| match &clipped.shape {
            egui::Shape::Text(shape) if shape.galley.text() == text => {
                Some(shape.visual_bounding_rect().center())
            }
            _ => None,
        });
        found.collect()
    }

    /// Position of a text in a new frame.
    fn find(&mut self, text: &str) -> egui::Pos2 {
        let places = self.places(text);
        *places
            .first()
            .unwrap_or_else(|| panic!("{text:?} isn't shown"))
    }

    /// Presses and lets go a key, with `modifiers`.
    fn key(&mut self, key: egui::Key, modifiers: Modifiers) {
        let event = |pressed| Event::Key {
            key,
            physical_key: None,
            pressed,
            repeat: false,
            modifiers,
        };
        self.frame(vec![event(true)]);
        self.frame(vec![event(false)]);
    }

    /// Replaces the text of the field that has the keyboard.
    fn type_text(&mut self, text: &str) {
        self.key(egui::Key::A, Modifiers::COMMAND);
        self.frame(vec![Event::Text(text.to_owned())]);
    }

    /// Clicks on a text.
    fn click_text(&mut self, text: &str) {
        let at = self.find(text);
        self.click(at);
    }
}
