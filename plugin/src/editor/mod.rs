//! The editor: a mirror of what is heard and played, the match, and the knobs of all sections.

mod about;
mod browser;
mod control;
mod gesture;
mod header;
mod knob;
mod lean;
mod locks;
mod match_card;
mod matrix;
mod mirror;
mod patch;
mod picture;
mod sections;
mod settings;
mod shadow;
mod sounds;
mod spectrogram;
mod synced;
mod theme;
mod typed;
mod window;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use egui::{Align2, Rect, Ui, pos2, vec2};
use matcher::engine::EngineStatus;
use matcher::live::{Deafness, HoldReason, KnownSound, Limits, Snapshot, Status, Target};
use nice_plug::context::PluginApi;
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::{BoolParam, ParamSetter};
use synth::{COUNT, Patch};

use crate::history::{self, Step, Turn};
use crate::params::{Params, modulated};
use crate::reference::Choice;
use browser::Library;
use gesture::Gesture;
use match_card::MatchCard;
use mirror::Mirror;
pub use sections::main_page;
use settings::Settings;
use sounds::Sounds;
use window::Content;
pub use window::WindowEditor;

/// Size of the window, in points.
const SIZE: [f32; 2] = [1180.0, 760.0];
/// Smallest window in which everything can be read.
const SMALLEST: [f32; 2] = [900.0, 600.0];
/// Smallest and largest height of the lower half.
const LOWER: [f32; 2] = [300.0, 520.0];
/// Time between two frames while something moves.
const FRAME: Duration = Duration::from_millis(33);
/// Width of the match's card.
const MATCH: f32 = 292.0;

/// The editor of an instance with these parameters.
pub fn editor(title: &str, params: Arc<Params>) -> WindowEditor<App> {
    let settings = Settings::load(settings::file());
    let zoom = settings.zoom;
    let app = App::new(params, settings, crate::patches::user_folder());
    WindowEditor::new(title, SIZE, SMALLEST, zoom, app)
}

/// Everything that one repaint shows.
struct Scene<'a> {
    params: &'a Params,
    setter: ParamSetter<'a>,
    api: PluginApi,
    /// `None` while the plugin is not active.
    engine: Option<EngineStatus>,
    snapshot: Snapshot,
    /// The sounds found so far.
    sounds: Vec<KnownSound>,
    held: Option<Target>,
    amount: f32,
    limits: Limits,
    /// The patch that sounds.
    effective: Patch,
    /// The same without the host's modulation, which comes on top of the knobs.
    unmodulated: Patch,
}

impl<'a> Scene<'a> {
    fn now(params: &'a Params, gui: &'a GuiContext) -> Self {
        let state = &params.state;
        let (snapshot, engine) = match &*state.listener.view.lock() {
            Some(view) => (view.snapshot(), Some(view.engine().status())),
            None => Default::default(),
        };
        let (held, limits, amount) = (state.held(), state.limits(), params.amount.modulated());
        let knobs = params.knobs();
        let unmodulated = match &held {
            Some(held) => held.effective(&knobs, amount, &limits),
            None => knobs,
        };
        let effective = modulated(unmodulated, &params.modulation());
        Self {
            params,
            setter: gui.param_setter(),
            api: gui.plugin_api(),
            engine,
            snapshot,
            sounds: state.sounds(),
            held,
            amount,
            limits,
            effective,
            unmodulated,
        }
    }

    /// The encoder in use and its state, as a text for the player.
    fn listening(&self) -> String {
        let view = self.params.state.listener.view.lock();
        view.as_ref()
            .map(matcher::live::View::describe_encoder)
            .unwrap_or_default()
    }

    /// Turns one of the match's switches.
    fn switch(&self, switch: &BoolParam, on: bool) {
        if switch.value() != on {
            self.setter.begin_set_parameter(switch);
            self.setter.set_parameter(switch, on);
            self.setter.end_set_parameter(switch);
        }
    }

    /// Whether something works less well than it could, and the player can do something about it.
    fn has_trouble(&self) -> bool {
        let deaf = matches!(
            self.snapshot.status,
            Status::NotListening(Deafness::Fault(_) | Deafness::Thread(_))
                | Status::Holding(HoldReason::NoEncoder | HoldReason::NoAnswer)
        );
        deaf || matches!(self.engine, Some(EngineStatus::Stopped { .. }))
    }
}

/// Views of the space below the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum View {
    /// The mirror, the match and the knobs.
    #[default]
    Main,
    /// The patches; `saving`, with the line that saves one.
    Browser {
        /// Whether a patch is to be saved.
        saving: bool,
    },
    /// The sounds found so far.
    Sounds,
    /// Version, engine, diagnostics.
    About,
}

impl View {
    /// Shows `view`, or the main one if it is shown already.
    fn toggle(&mut self, view: Self) {
        *self = if *self == view { Self::Main } else { view };
    }
}

/// A sound that waits to be compared.
struct Side {
    knobs: [f32; COUNT],
    limits: Limits,
    held: Option<Target>,
    name: String,
}

/// The editor of one instance.
pub struct App {
    params: Arc<Params>,
    /// `None` until the window is opened.
    gui: Option<GuiContext>,
    settings: Settings,
    library: Library,
    view: View,
    page: usize,
    mirror: Mirror,
    card: MatchCard,
    sounds: Sounds,
    /// Index of the compared sound that is heard, and the other one, once there is one.
    side: usize,
    other: Option<Side>,
    /// A note about a finished action, and when it was made.
    note: Option<(String, f64)>,
    /// Number of notes seen, and when the last one came.
    notes: (u32, f64),
}

impl App {
    fn new(params: Arc<Params>, settings: Settings, patches: Option<PathBuf>) -> Self {
        Self {
            params,
            gui: None,
            settings,
            library: Library::new(patches),
            view: View::Main,
            page: 0,
            mirror: Mirror::new(),
            card: MatchCard::default(),
            sounds: Sounds::default(),
            side: 0,
            other: None,
            note: None,
            notes: (0, f64::NEG_INFINITY),
        }
    }

    /// Draws the window and does what the player asks.
    fn draw(&mut self, ui: &mut Ui, gui: &GuiContext) {
        let params = self.params.clone();
        self.draw_scene(ui, &Scene::now(&params, gui));
    }

    fn draw_scene(&mut self, ui: &mut Ui, scene: &Scene<'_>) {
        let window = ui.max_rect();
        ui.painter().rect_filled(window, 0.0, theme::BACKGROUND);
        let inside = window.shrink(theme::GAP);
        let top = Rect::from_min_size(inside.min, vec2(inside.width(), header::HEIGHT));
        let mut below =
            Rect::from_min_max(pos2(inside.left(), top.bottom() + theme::GAP), inside.max);
        Gesture::watch(ui, scene);
        self.mirror.listen(scene);
        self.take_files(ui, scene);
        self.header(ui, top, scene);
        // In the main view it takes the mirror's place: nothing else has room to spare.
        if self.view != View::Main
            && let Some(message) = scene.params.state.message()
        {
            let bar = Rect::from_min_size(below.min, vec2(below.width(), 44.0));
            below.min.y = bar.bottom() + theme::GAP;
            show_message(ui, bar, &message, scene);
        }
        match self.view {
            View::Main => self.main(ui, below, scene),
            View::Browser { saving } => self.browser(ui, below, saving, scene),
            View::Sounds => {
                // The match stays in sight.
                let (left, right) = split(below);
                self.sounds.show(ui, left, scene);
                self.card
                    .show(ui, right, scene, &mut self.view, &mut self.sounds);
            }
            View::About => self.about(ui, below, scene),
        }
        if self.mirror.is_moving() {
            ui.ctx().request_repaint_after(FRAME);
        }
        if self.view != View::Main {
            self.mirror.let_go(&scene.params.state.feed);
            let text = ui.memory(|memory| memory.focused().is_some());
            if !text && ui.input(|input| input.key_pressed(egui::Key::Escape)) {
                self.view = View::Main;
            }
        }
    }

    fn main(&mut self, ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
        let most = rect.height() - LOWER[0] - theme::GAP;
        let height = (0.52 * rect.height()).max(rect.height() - LOWER[1]);
        let upper = Rect::from_min_size(rect.min, vec2(rect.width(), height.min(most)));
        let (left, right) = split(upper);
        match scene.params.state.message() {
            Some(message) => show_message(ui, left, &message, scene),
            None => self.mirror.show(ui, left, scene),
        }
        self.card
            .show(ui, right, scene, &mut self.view, &mut self.sounds);
        let lower = Rect::from_min_max(pos2(rect.left(), upper.bottom() + theme::GAP), rect.max);
        sections::show(ui, lower, &mut self.page, scene);
    }

    /// Loads a patch file that was dropped, or listens to a sound.
    fn take_files(&mut self, ui: &Ui, scene: &Scene<'_>) {
        let (files, time) = ui.input(|input| (input.raw.dropped_files.clone(), input.time));
        for file in files {
            self.take_file(file.path(), time, scene);
        }
    }

    /// Loads a patch file, or listens to a sound file.
    fn take_file(&mut self, file: &Path, time: f64, scene: &Scene<'_>) {
        let state = &scene.params.state;
        if file
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            self.load_file(file, time, scene);
            return;
        }
        let choice = Choice::File {
            path: file.to_owned(),
            hash: String::new(),
        };
        self.note = Some((format!("Listens to {}", choice.name()), time));
        state.source.choose(choice);
        state.door.mark_changed();
    }

    /// Plays the other one of the two compared sounds, and keeps this one to come back to.
    fn switch_side(&mut self, side: usize, scene: &Scene<'_>) {
        let state = &scene.params.state;
        let now = Side {
            knobs: scene.params.unmodulated(),
            limits: scene.limits,
            held: scene.held,
            name: state.patch_name(),
        };
        if let Some(other) = self.other.replace(now) {
            let mut step = Step::new(format!("Compare {}", ["A", "B"][side]), scene.limits);
            step.turns = (0..COUNT)
                .map(|row| Turn {
                    param: row,
                    before: scene.params.rows[row].value(),
                    after: other.knobs[row],
                })
                .filter(|turn| turn.before != turn.after)
                .collect();
            step.limits[1] = other.limits;
            step.held = Some([scene.held, other.held]);
            history::perform(step, scene.params, &scene.setter);
            state.set_patch_name(&other.name);
        }
        self.side = side;
    }

    fn save_settings(&mut self) {
        // Where they can't be kept they hold until the window is closed.
        let _ = self.settings.save(settings::file());
    }
}

/// The upper half's two parts: the mirror and the match.
fn split(rect: Rect) -> (Rect, Rect) {
    let at = rect.right() - MATCH.max(0.24 * rect.width()).min(400.0);
    (
        Rect::from_min_max(rect.min, pos2(at - theme::GAP, rect.bottom())),
        Rect::from_min_max(pos2(at, rect.top()), rect.max),
    )
}

/// A message that stays until the player has seen it.
fn show_message(ui: &mut Ui, rect: Rect, message: &str, scene: &Scene<'_>) {
    theme::card(ui.painter(), rect);
    let at = rect.left_center() + vec2(14.0, 0.0);
    let font = theme::font(15.0);
    ui.painter()
        .text(at, Align2::CENTER_CENTER, "!", font, theme::WARN);
    let words = Rect::from_min_max(rect.min + vec2(26.0, 4.0), rect.max - vec2(66.0, 4.0));
    let mut label = ui.new_child(egui::UiBuilder::new().max_rect(words));
    let text = egui::RichText::new(message).size(12.0);
    label.centered_and_justified(|ui| ui.add(egui::Label::new(text).wrap()));
    let place = Rect::from_center_size(rect.right_center() - vec2(34.0, 0.0), vec2(52.0, 26.0));
    if match_card::button(ui, place, "OK", false, true).clicked() {
        scene.params.state.set_message(None);
    }
}

impl Content for App {
    fn open(&mut self, context: &egui::Context, gui: GuiContext) {
        theme::apply(context);
        self.params.state.feed.watch(true);
        self.gui = Some(gui);
        // Old textures belonged to the previous window.
        self.mirror = Mirror::new();
        self.sounds = Sounds::default();
    }

    fn close(&mut self) {
        let feed = &self.params.state.feed;
        self.mirror.let_go(feed);
        feed.watch(false);
        self.gui = None;
    }

    fn show(&mut self, ui: &mut Ui) {
        if let Some(gui) = self.gui.clone() {
            self.draw(ui, &gui);
        }
    }

    fn stamp(&mut self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let params = &self.params;
        let state = &params.state;
        for row in 0..COUNT + 3 {
            params.get(row).modulated().to_bits().hash(&mut hasher);
        }
        params.listen.value().hash(&mut hasher);
        params.search.value().hash(&mut hasher);
        if let Some(view) = &*state.listener.view.lock() {
            view.stamp().hash(&mut hasher);
            view.engine().status().text().hash(&mut hasher);
        }
        let limits = state.limits();
        limits.locked.hash(&mut hasher);
        limits
            .ranges
            .map(|range| range.map(f32::to_bits))
            .hash(&mut hasher);
        if let Some(held) = state.held() {
            held.inference.mean.map(f32::to_bits).hash(&mut hasher);
        }
        state.message().hash(&mut hasher);
        state.patch_name().hash(&mut hasher);
        state.source.choice().name().hash(&mut hasher);
        state.feed.stamp().hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests;
