//! The editor.

use std::sync::Arc;

use nice_plug::editor::dpi::LogicalSize;
use nice_plug::prelude::ResizeHint;
use nice_plug_egui::{EguiEditorState, Frame, NiceEguiApp};

use crate::params::Params;

/// State of the editor's window.
pub fn window() -> Arc<EguiEditorState> {
    EguiEditorState::from_size(LogicalSize::new(1060.0f32, 680.0), 1.0)
}

/// How the host may resize it.
pub fn resize_hint() -> ResizeHint {
    ResizeHint::default()
}

/// The editor of one instance.
pub struct App {
    #[allow(dead_code)]
    params: Arc<Params>,
}

impl App {
    /// Of these parameters.
    pub fn new(params: Arc<Params>) -> Self {
        Self { params }
    }
}

impl NiceEguiApp for App {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut Frame) {
        ui.label("MirrorNet");
    }
}
