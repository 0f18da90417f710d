//! The editor: header, reference, and the knobs of all sections.

mod gesture;
mod header;
mod knob;
mod locks;
mod panels;
mod patch;
mod reference;
mod spectrogram;
mod theme;

use std::sync::Arc;
use std::time::Duration;

use egui::{Rect, pos2, vec2};
use matcher::engine::EngineStatus;
use matcher::live::{Limits, Snapshot, Target};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::SizeConstraints;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::prelude::{ParamSetter, ResizeHint};
use nice_plug_egui::baseview::HandlerError;
use nice_plug_egui::{
    EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier,
    create_egui_editor,
};
use synth::Patch;

use crate::params::{Params, modulated};
use gesture::Gesture;
use panels::Panels;
use spectrogram::Spectrogram;

/// Size of the window, in points.
const SIZE: [f32; 2] = [1060.0, 857.0];
/// Smallest window in which everything can be read.
const SMALLEST: [f32; 2] = [940.0, 767.0];
/// Time between two repaints.
const REPAINT: Duration = Duration::from_millis(33);

/// Interval at which the framework polls its repaint flag: in effect never.
///
/// The editor repaints by itself. A repaint requested before an X11 window is mapped blocks all
/// later ones (baseview 0.4.2 sends its first PresentNotifyMSC before it selects the answer and
/// waits for it forever), and the flag is set from the start: polled 64 times a second, it leaves a
/// black window whenever host or window manager take longer than that.
const FLAG_POLL: Duration = Duration::from_secs(3600);

/// The editor of an instance with these parameters.
pub fn editor(title: &str, params: Arc<Params>) -> Option<EguiEditor<App>> {
    create_egui_editor(
        EguiEditorState::from_size(LogicalSize::new(SIZE[0], SIZE[1]), 1.0),
        RepaintNotifier::new(),
        EguiNiceSettings::new()
            .with_tile(title)
            .with_resize_hint(resize_hint())
            .with_repaint_poll_interval(FLAG_POLL),
        App::new(params),
    )
}

/// Permission for the host to resize the window.
fn resize_hint() -> ResizeHint {
    ResizeHint {
        can_resize: true,
        can_resize_horizontally: true,
        can_resize_vertically: true,
        size_constraints: SizeConstraints::Logical {
            min_size: Some(LogicalSize::new(SMALLEST[0], SMALLEST[1])),
            max_size: None,
        },
        ..ResizeHint::NON_RESIZABLE
    }
}

/// Everything that one repaint shows.
struct Scene<'a> {
    params: &'a Params,
    setter: ParamSetter<'a>,
    /// `None` while the plugin is not active.
    engine: Option<EngineStatus>,
    /// The encoder in use and its state, as a text for the player.
    listening: String,
    snapshot: Snapshot,
    held: Option<Target>,
    amount: f32,
    limits: Limits,
    /// The patch that sounds.
    effective: Patch,
}

impl<'a> Scene<'a> {
    fn now(params: &'a Params, setter: ParamSetter<'a>) -> Self {
        let state = &params.state;
        let (snapshot, engine, listening) = match &*state.listener.view.lock() {
            Some(view) => (
                view.snapshot(),
                Some(view.engine().status()),
                view.describe_encoder(),
            ),
            None => Default::default(),
        };
        let (held, limits, amount) = (state.held(), state.limits(), params.amount.modulated());
        let knobs = params.knobs();
        let effective = match &held {
            Some(held) => held.effective(&knobs, amount, &limits),
            None => knobs,
        };
        let effective = modulated(effective, &params.modulation());
        Self {
            params,
            setter,
            engine,
            listening,
            snapshot,
            held,
            amount,
            limits,
            effective,
        }
    }
}

/// The editor of one instance.
pub struct App {
    params: Arc<Params>,
    /// `None` until the window is opened.
    gui: Option<GuiContext>,
    panels: Panels,
    spectrogram: Spectrogram,
}

impl App {
    fn new(params: Arc<Params>) -> Self {
        Self {
            params,
            gui: None,
            panels: Panels::new(),
            spectrogram: Spectrogram::default(),
        }
    }
}

impl App {
    /// Draws the window and does what the player asks.
    fn draw(&mut self, ui: &mut egui::Ui, gui: &GuiContext) {
        let scene = Scene::now(&self.params, gui.param_setter());
        let window = ui.max_rect();
        ui.painter().rect_filled(window, 0.0, theme::BACKGROUND);
        let inside = window.shrink(theme::GAP);
        let top = Rect::from_min_size(inside.min, vec2(inside.width(), header::HEIGHT));
        let foot = pos2(inside.left(), inside.bottom() - panels::HEIGHT);
        let bottom = Rect::from_min_max(foot, inside.max);
        let middle = Rect::from_min_max(
            pos2(inside.left(), top.bottom() + theme::GAP),
            pos2(inside.right(), bottom.top() - theme::GAP),
        );
        Gesture::watch(ui, &scene);
        header::show(ui, top, &scene);
        reference::show(ui, middle, &mut self.spectrogram, &scene);
        self.panels.show(ui, bottom, &scene);
        ui.ctx().request_repaint_after(REPAINT);
    }
}

impl NiceEguiApp for App {
    fn build(
        &mut self,
        context: egui::Context,
        gui: GuiContext,
        _frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        theme::apply(&context);
        self.gui = Some(gui);
        // The old texture belonged to the previous window.
        self.spectrogram = Spectrogram::default();
        Ok(())
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut Frame) {
        if let Some(gui) = self.gui.clone() {
            self.draw(ui, &gui);
        }
    }
}

/// Capitalises the first letter.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
