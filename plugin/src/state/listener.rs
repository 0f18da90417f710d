//! Ownership of the engine and of the listener's end for the editor.

use matcher::engine::Engine;
use matcher::live::View;
use parking_lot::Mutex;

/// Engine and listener of one instance.
#[derive(Default)]
pub struct Listener {
    /// The listener's end for the editor, while the plugin is active.
    pub view: Mutex<Option<View>>,
    /// The engine, from the first activation on. It outlives deactivations, because starting it
    /// takes time.
    pub engine: Mutex<Option<Engine>>,
}

impl Listener {
    /// Drops the inferences on their way to the audio thread.
    pub fn clear(&self) {
        if let Some(view) = &*self.view.lock() {
            view.clear();
        }
    }

    /// Restarts the engine and reads the model again.
    pub fn restart(&self) {
        if let Some(view) = &*self.view.lock() {
            view.restart();
        }
    }
}
