//! An instance's state apart from its parameters, shared by audio thread, editor and host.
//!
//! The audio thread only ever touches atomics and its wait-free [`Mailbox`].

mod held;
mod listener;
mod locks;
mod saved;

pub use held::Mailbox;
pub use locks::MOVE;
pub use saved::FIELD;

use std::sync::atomic::AtomicU32;

use held::HeldTarget;
use listener::Listener;
use locks::Locks;
use matcher::live::Target;
use parking_lot::Mutex;
use saved::Saved;
use synth::{COUNT, MATCHED_COUNT};

/// State shared by audio thread, editor and host.
pub struct InstanceState {
    locks: Locks,
    held: HeldTarget,
    /// Text for the player about the last load.
    message: Mutex<Option<String>>,
    /// Number of times the host was found to render offline without saying so.
    pub offline_switches: AtomicU32,
    /// The listener and the engine it asks.
    pub listener: Listener,
}

impl InstanceState {
    /// A state without locks and held inference, with the audio thread's end of it.
    pub fn new() -> (Self, Mailbox) {
        let (held, mailbox) = held::held();
        let state = Self {
            locks: Locks::new(),
            held,
            message: Mutex::new(None),
            offline_switches: AtomicU32::new(0),
            listener: Listener::default(),
        };
        (state, mailbox)
    }

    /// Locks in the order of [`synth::MATCHED`]. Wait-free.
    pub fn locks(&self) -> [bool; MATCHED_COUNT] {
        self.locks.get()
    }

    /// Locks or releases the `i`-th matched parameter. Wait-free.
    pub fn set_lock(&self, i: usize, on: bool) {
        self.locks.set(i, on);
    }

    /// Whether `x` is the value last loaded into the `i`-th matched knob. Wait-free.
    pub fn was_loaded(&self, i: usize, x: f32) -> bool {
        self.locks.was_loaded(i, x)
    }

    /// The target now held: the audio thread's, or a recalled one that it hasn't taken up yet.
    pub fn held(&self) -> Option<Target> {
        self.held.get()
    }

    /// Text for the player about the last load.
    pub fn message(&self) -> Option<String> {
        self.message.lock().clone()
    }

    /// Sets or clears the text for the player.
    pub fn set_message(&self, message: Option<String>) {
        *self.message.lock() = message;
    }

    /// Prepares for a patch that is being loaded into the knobs (normalised): releases all locks
    /// and drops the held inference.
    pub fn load(&self, knobs: &[f32; COUNT]) {
        self.set(knobs, Saved::EMPTY);
    }

    /// The state as text.
    pub fn save(&self) -> String {
        Saved {
            locks: self.locks(),
            inference: self.held().map(|target| target.inference),
        }
        .to_text()
    }

    /// Restores the state from a text of [`InstanceState::save`]; `knobs` are the normalised values
    /// loaded with it. Without a text, or with an unreadable one, nothing is locked or held; in the
    /// latter case the player's message gives the reason.
    pub fn restore(&self, text: Option<&str>, knobs: &[f32; COUNT]) {
        match text.map(Saved::from_text) {
            None => self.load(knobs),
            Some(Ok(saved)) => self.set(knobs, saved),
            Some(Err(reason)) => {
                self.load(knobs);
                self.set_message(Some(format!(
                    "The project's match could not be read ({reason}). Its knobs were loaded; \
                     nothing is locked or held. Play the reference again to match it."
                )));
            }
        }
    }

    /// Replaces the loaded knobs, the locks and the held inference.
    fn set(&self, knobs: &[f32; COUNT], saved: Saved) {
        self.locks.load(knobs, &saved.locks);
        // First, so that no inference on its way can follow the recall.
        self.listener.clear();
        self.held.recall(saved.inference.map(Target::new));
        self.set_message(None);
    }
}

#[cfg(test)]
mod tests;
