//! An instance's state apart from its parameters, shared by audio thread, editor and host.
//!
//! The audio thread only ever touches atomics and its wait-free ends ([`AudioState`]).

mod changes;
mod held;
mod limits;
mod listener;
mod loads;
mod saved;

pub use changes::MatchChanges;
pub use limits::MOVE;
pub use loads::Snapshot;
pub use saved::FIELD;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use held::{HeldTarget, Mailbox};
use limits::SharedLimits;
use listener::Listener;
use loads::{Loads, Returns};
use matcher::live::{KnownSound, Limits, Target};
use parking_lot::Mutex;
use saved::Saved;
use synth::COUNT;

use crate::door::Door;
use crate::feed::{AudioFeed, Feed, feed};
use crate::history::History;
use crate::reference::{Source, SourcePlayer, source};

/// Longest time for which a project waits for the sound file that it listens to.
const LONGEST_READ: Duration = Duration::from_secs(5);

/// State shared by audio thread, editor and host.
pub struct InstanceState {
    limits: SharedLimits,
    held: HeldTarget,
    loads: Loads,
    /// The container last loaded.
    saved: Mutex<Saved>,
    /// Text for the player about the last load.
    message: Mutex<Option<String>>,
    /// The editor's undo.
    pub history: Mutex<History>,
    /// Number of times the host was found to render offline without saying so.
    pub offline_switches: AtomicU32,
    /// The listener and the engine it asks.
    pub listener: Listener,
    /// The way to the guard.
    pub door: Arc<Door>,
    /// Feed from the audio thread to the editor.
    pub feed: Feed,
    /// Source that is listened to.
    pub source: Arc<Source>,
    /// Name of the patch last loaded or saved; empty for none.
    patch_name: Mutex<String>,
}

/// The audio thread's ends of the state.
pub struct AudioState {
    /// Exchanges the held inference.
    pub mailbox: Mailbox,
    /// Tells when the values of an earlier load come back.
    pub returns: Returns,
    /// Shows the editor what is played.
    pub feed: AudioFeed,
    /// Plays what is listened to in the sidechain's place.
    pub source: SourcePlayer,
}

impl InstanceState {
    /// A state without locks and held inference, with the audio thread's ends of it.
    pub fn new() -> (Self, AudioState) {
        let (held, mailbox) = held::held();
        let (loads, returns) = loads::loads();
        let (feed, audio_feed) = feed();
        let (source, player) = source();
        let state = Self {
            limits: SharedLimits::new(),
            held,
            loads,
            saved: Mutex::new(Saved::empty()),
            message: Mutex::new(None),
            history: Mutex::default(),
            offline_switches: AtomicU32::new(0),
            listener: Listener::default(),
            door: Door::of_this_instance(),
            feed,
            source,
            patch_name: Mutex::default(),
        };
        let audio = AudioState {
            mailbox,
            returns,
            feed: audio_feed,
            source: player,
        };
        (state, audio)
    }

    /// Locks and allowed ranges, as the player has set them. Wait-free.
    pub fn limits(&self) -> Limits {
        self.limits.get()
    }

    /// Locks and allowed ranges, as they act: without those locks and releases whose knob still has
    /// to take its value. Wait-free.
    pub fn acting_limits(&self) -> Limits {
        self.limits.acting()
    }

    /// Locks or releases the `i`-th matched parameter; returns whether that is news. Wait-free.
    pub fn set_lock(&self, i: usize, on: bool) -> bool {
        self.limits.set_lock(i, on)
    }

    /// Replaces locks and ranges, by the player's hand.
    pub fn set_limits(&self, limits: &Limits) {
        if *limits != self.limits.get() {
            self.limits.set(limits);
            self.door.mark_changed();
        }
    }

    /// Replaces locks and ranges like [`InstanceState::set_limits`], while matched knobs are to
    /// take `values` (each with its place, normalised), which is not the player's hand: their locks
    /// and releases act when the values are there. Otherwise the old value would sound until then.
    pub fn set_limits_with(&self, limits: &Limits, values: impl Iterator<Item = (usize, f32)>) {
        let changed = *limits != self.limits.get();
        for (i, x) in values {
            self.limits.set_lock_with(i, limits.locked[i], x);
        }
        if changed {
            self.limits.set(limits);
            self.door.mark_changed();
        }
    }

    /// Takes note that the `i`-th matched knob is at `x`: what waits for that value acts. Returns
    /// whether it was expected, once. Wait-free.
    pub fn arrived(&self, i: usize, x: f32) -> bool {
        self.limits.arrived(i, x)
    }

    /// Takes over the locks and ranges of a load that has come back. Wait-free.
    pub fn came_back(&self, limits: &Limits) {
        self.limits.set(limits);
    }

    /// The target now held: the audio thread's, or a recalled one that it hasn't taken up yet.
    pub fn held(&self) -> Option<Target> {
        self.held.get()
    }

    /// Text for the player about the last load.
    pub fn message(&self) -> Option<String> {
        if self.door.take_refused() {
            self.set_message(Some(
                "The host's saved state could not be read, so nothing was changed. Load the \
                 project's last backup, or a patch."
                    .into(),
            ));
        }
        if let Some(message) = self.source.take_message() {
            self.set_message(Some(message));
        }
        self.message.lock().clone()
    }

    /// Sets or clears the text for the player.
    pub fn set_message(&self, message: Option<String>) {
        *self.message.lock() = message;
    }

    /// Everything that a patch replaces, while the knobs are at `knobs` (normalised).
    pub fn snapshot(&self, knobs: &[f32; COUNT]) -> Snapshot {
        Snapshot {
            knobs: *knobs,
            limits: self.limits(),
            held: self.held(),
        }
    }

    /// Prepares for values that are on their way into the knobs: takes over the locks, ranges and
    /// held inference that belong to them. When the host brings back what was there `before`, what
    /// belonged to that comes back too.
    pub fn load(&self, before: Snapshot, after: Snapshot) {
        self.loads.push(Some(before), after);
        self.take_over(&after);
        self.door.mark_changed();
    }

    /// The sounds found so far.
    pub fn sounds(&self) -> Vec<KnownSound> {
        self.keep_sounds();
        self.saved.lock().sounds.clone()
    }

    /// Replaces the sounds found so far.
    #[cfg(test)]
    pub fn set_sounds(&self, sounds: Vec<KnownSound>) {
        self.saved.lock().sounds = sounds;
    }

    /// Keeps the sounds that the listener has found so far.
    pub fn keep_sounds(&self) {
        if let Some(view) = &*self.listener.view.lock() {
            self.saved.lock().sounds = view.sounds();
        }
    }

    /// Name of the patch last loaded or saved; empty for none.
    pub fn patch_name(&self) -> String {
        self.patch_name.lock().clone()
    }

    /// Notes that a patch of this name was loaded or saved.
    pub fn set_patch_name(&self, name: &str) {
        let mut now = self.patch_name.lock();
        if *now != name {
            *now = name.to_owned();
            self.door.mark_changed();
        }
    }

    /// The state as text.
    pub fn save(&self) -> String {
        self.keep_sounds();
        let mut saved = self.saved.lock().with(self.limits(), self.held());
        saved.patch = self.patch_name();
        saved.source = self.source.choice();
        saved.aloud = self.source.is_aloud();
        saved.to_text()
    }

    /// Restores the state from a text of [`InstanceState::save`]; `knobs` are the normalised values
    /// loaded with it. What the text lacks is not locked, not limited and not held; what can't be
    /// read of it neither, and then the player's message says so.
    pub fn restore(&self, text: Option<&str>, knobs: &[f32; COUNT]) {
        let (saved, faults) = match text {
            Some(text) => Saved::from_text(text, knobs),
            None => (Saved::empty(), Vec::new()),
        };
        let snapshot = Snapshot {
            knobs: *knobs,
            limits: saved.limits,
            held: saved.held,
        };
        if let Some(view) = &*self.listener.view.lock() {
            view.set_sounds(saved.sounds.clone());
        }
        self.patch_name.lock().clone_from(&saved.patch);
        self.source.set_aloud(saved.aloud);
        if saved.source != self.source.choice() {
            // A bounce that begins at once is to hear it from its start.
            if let Some(reading) = self.source.choose(saved.source.clone()) {
                let until = Instant::now() + LONGEST_READ;
                while !reading.is_finished() && Instant::now() < until {
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
        *self.saved.lock() = saved;
        self.loads.push(None, snapshot);
        *self.history.lock() = History::default();
        self.take_over(&snapshot);
        self.set_message((!faults.is_empty()).then(|| {
            format!(
                "Not all of the project's match could be read ({}). The rest is loaded. Play the \
                 reference again to match it.",
                faults.join("; ")
            )
        }));
    }

    fn take_over(&self, snapshot: &Snapshot) {
        self.limits.expect_all(&snapshot.knobs);
        self.limits.set(&snapshot.limits);
        // Answers to windows from before the load must not replace what it holds.
        self.listener.clear();
        self.held.recall(snapshot.held);
    }
}

#[cfg(test)]
mod tests;
