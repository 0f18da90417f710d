//! The live loop: an audio-thread end, a listener thread, and an end for the editor.
//!
//! ```text
//! AudioEnd::push ──► ring of samples ──┐  ┌──► queue of due inferences ──► AudioEnd::next_due
//!               └──► queue of marks ───┤  │
//!                                      ▼  │
//!                             listener thread ──► Snapshot ──► View
//! ```
//!
//! Positions count samples since `live`, dropped ones included, and never decrease. A mark
//! announces a gap or a reset between two samples of the ring; it is queued before the sample that
//! follows it, so the listener, which looks at the ring first, can't miss it. An inference is due
//! at a position computed from its frame's number, whatever the block size and however long it
//! took.

mod audio;
mod fallback;
mod listener;
mod matching;
mod memory;
mod onset;
mod phrase;
mod rest;
mod resynthesis;
mod searching;
mod status;
mod target;
mod thread;
mod tracker;

pub use audio::AudioEnd;
pub use listener::{Listener, MIN_CONFIDENCE, StepResult};
pub use matching::State;
pub use memory::{KnownSound, MOST as MOST_SOUNDS};
pub use resynthesis::LEAST_LIKENESS;
pub use searching::{Inline, Searcher};
pub use status::{Deafness, HoldReason, Status};
pub use target::{Limits, MOST_DB, Settings, Target};

use crate::engine::Engine;
use crate::model::ModelFiles;
use ear::{CHANNELS, EarConfig, PitchFrame};
use fallback::{FallbackEncoder, Source, Trouble};
use parking_lot::Mutex;
use rtrb::RingBuffer;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time from a frame's end to its inference's effect, in seconds.
pub const DELAY: f64 = 0.120;

/// Longest time for which a host that seems to render offline is kept waiting in one block, by
/// [`AudioEnd::wait`], but for searches.
pub const LONGEST_WAIT: Duration = Duration::from_millis(250);
/// [`LONGEST_WAIT`] of a host that says that it does.
pub const LONGEST_DECLARED_WAIT: Duration = Duration::from_secs(2);
/// Capacity of the ring in seconds of sound: a hung engine is given up after 2.
const RING_SECONDS: f64 = 4.0;
/// Capacity of the queue of marks.
const MARKS: usize = 64;
/// Capacity of the queue of due inferences: 10 s.
const DUE: usize = 256;
/// Number of frames kept for the editor: 4 s.
const SHOWN_FRAMES: usize = 500;

/// A gap, reset or change of settings right before the ring's sample number `at`.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: u64,
    kind: MarkKind,
}

#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant)] // A box would be allocated on the audio thread.
enum MarkKind {
    /// Gap of this many dropped samples.
    Gap(u64),
    /// A new stream begins at this position.
    Reset(u64),
    /// The player has set something.
    Set(Settings),
}

/// An inference queued for the audio thread.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// Position at which the inference takes effect.
    position: u64,
    /// Position of the stream's start.
    base: u64,
    /// Number of [`View::clear`] calls before it.
    generation: u32,
    target: Target,
}

/// Implementation of the network that gives the inferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// The engine process.
    Engine,
    /// The encoder built into the plugin.
    Builtin,
}

/// Availability of inferences: whether an offline host should wait for them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
enum Readiness {
    /// The listener or the engine is starting.
    Pending = 0,
    /// Inferences are available.
    Ready = 1,
    /// No inference will come for now.
    Absent = 2,
    /// Nothing has sounded yet, so that no inference will come.
    Resting = 3,
}

/// State shared by the audio end, the listener thread and the editor.
#[derive(Default)]
struct LoopState {
    /// Position up to which all sound is heard and its inferences are queued.
    heard: AtomicU64,
    readiness: AtomicU8,
    listening_off: AtomicBool,
    stop: AtomicBool,
    /// Number of [`View::clear`] calls.
    generation: AtomicU32,
    /// Position up to which the host renders offline.
    offline: AtomicU64,
    /// Request to reload the model.
    reload: AtomicBool,
    dropped: AtomicU64,
    late: AtomicU64,
    /// True while the listener waits for a search.
    searching: AtomicBool,
    shown: Mutex<Shown>,
    /// The sounds found so far, and those that replace them.
    sounds: Mutex<Vec<KnownSound>>,
    restored: Mutex<Option<Vec<KnownSound>>>,
}

impl LoopState {
    fn ready(&self) -> bool {
        self.readiness.load(Ordering::Acquire) == Readiness::Ready as u8
    }

    /// Returns whether the sound heard now is rendered offline.
    fn is_offline(&self) -> bool {
        self.offline.load(Ordering::Acquire) > self.heard.load(Ordering::Acquire)
    }
}

#[derive(Default)]
struct Shown {
    frames: VecDeque<[f32; CHANNELS]>,
    /// [`Snapshot::melody`].
    melody: VecDeque<f32>,
    ear: EarConfig,
    heard: u64,
    pitch: PitchFrame,
    confidence: f32,
    likeness: Option<f32>,
    of_knobs: Option<f32>,
    status: Status,
    answering: Option<Runtime>,
    changes: u64,
    /// Number of panics of the listener.
    faults: u64,
    /// Fault of the built-in encoder's model.
    builtin_trouble: Option<Trouble>,
}

/// Copy of the listener's state for the editor.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The latest frames, oldest first, at most 4 s.
    pub frames: Vec<[f32; CHANNELS]>,
    /// The pitch reported with each frame, as a MIDI key; NaN where there is none. It is that of
    /// [`ear::PITCH_DELAY`] before.
    pub melody: Vec<f32>,
    /// Configuration of the ear that makes the frames.
    pub ear: EarConfig,
    /// Number of frames heard so far, including those no longer in `frames`: the editor scrolls by
    /// it.
    pub heard: u64,
    /// The newest pitch, [`ear::PITCH_DELAY`] behind the newest frame.
    pub pitch: PitchFrame,
    /// Confidence of the newest window, 0 to 1.
    pub confidence: f32,
    /// Likeness of the inferred patch to the reference, -1 to 1, by the last resynthesis.
    pub likeness: Option<f32>,
    /// Likeness of the player's knobs to the reference, by the same resynthesis.
    pub of_knobs: Option<f32>,
    /// Status of the match.
    pub status: Status,
    /// Number of samples dropped because the listener fell behind.
    pub dropped: u64,
    /// Number of inferences that came too late.
    pub late: u64,
    /// Runtime that gave the newest answer.
    pub answering: Option<Runtime>,
    /// Number of changes from one runtime to the other.
    pub changes: u64,
}

/// The plugin's and the editor's end. Dropping it ends the listener thread.
pub struct View {
    shared: Arc<LoopState>,
    engine: Engine,
    thread: Option<JoinHandle<()>>,
}

impl View {
    /// Copies the latest state for the editor.
    pub fn snapshot(&self) -> Snapshot {
        let shown = self.shared.shown.lock();
        Snapshot {
            frames: shown.frames.iter().copied().collect(),
            melody: shown.melody.iter().copied().collect(),
            ear: shown.ear,
            heard: shown.heard,
            pitch: shown.pitch,
            confidence: shown.confidence,
            likeness: shown.likeness,
            of_knobs: shown.of_knobs,
            status: shown.status.clone(),
            dropped: self.shared.dropped.load(Ordering::Relaxed),
            late: self.shared.late.load(Ordering::Relaxed),
            answering: shown.answering,
            changes: shown.changes,
        }
    }

    /// Returns a number that changes with the content of [`View::snapshot`] and [`View::sounds`].
    /// Cheap: an editor asks many times a second.
    pub fn stamp(&self) -> u64 {
        let shown = self.shared.shown.lock();
        let mut hasher = DefaultHasher::new();
        // Frames of silence look alike.
        let silent = shown.frames.iter().flatten().all(|&x| x == 0.0);
        if !silent {
            shown.heard.hash(&mut hasher);
        }
        shown.likeness.map(f32::to_bits).hash(&mut hasher);
        shown.status.to_string().hash(&mut hasher);
        shown.faults.hash(&mut hasher);
        drop(shown);
        for sound in &*self.shared.sounds.lock() {
            sound.likeness.to_bits().hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Describes for the player which encoder listens, and what to do about it, in a sentence or
    /// two.
    pub fn describe_encoder(&self) -> String {
        let shown = self.shared.shown.lock();
        let (trouble, faults) = (shown.builtin_trouble.clone(), shown.faults);
        drop(shown);
        let mut text = fallback::describe(&self.engine.status(), trouble.as_ref());
        if faults > 0 {
            text += &format!(" The listener failed and began again, {faults} times.");
        }
        text
    }

    /// Restarts the engine and has every instance load its model again, at the player's click.
    pub fn restart(&self) {
        self.shared.reload.store(true, Ordering::Release);
        self.engine.restart();
    }

    /// Switches listening on or off. While off, sound is skipped; switching on resets the listener.
    pub fn set_listening(&self, on: bool) {
        self.shared.listening_off.store(!on, Ordering::Release);
    }

    /// Forgets the held inference, because a patch was loaded, and discards those queued for the
    /// audio thread.
    pub fn clear(&self) {
        self.shared.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// The sounds found so far, the one heard last in front; at most [`MOST_SOUNDS`].
    pub fn sounds(&self) -> Vec<KnownSound> {
        self.shared.sounds.lock().clone()
    }

    /// Replaces the sounds found so far.
    pub fn set_sounds(&self, sounds: Vec<KnownSound>) {
        self.shared.sounds.lock().clone_from(&sounds);
        *self.shared.restored.lock() = Some(sounds);
    }

    /// The engine in use.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Starts the listener thread at `sample_rate` Hz, and returns the two ends that it connects. The
/// engine starts when something sounds for the first time while listening is on; while it is
/// unavailable, the built-in encoder answers with the engine's model, or with `model` if there is
/// none that it can read.
pub fn live(sample_rate: f64, engine: Engine, model: Option<ModelFiles>) -> (AudioEnd, View) {
    let source_engine = engine.clone();
    let of = move |shared| Some(FallbackEncoder::new(source_engine.clone(), model, shared));
    start(sample_rate, of, engine, true)
}

fn start<S: Source + 'static>(
    sample_rate: f64,
    mut source: impl FnMut(Arc<LoopState>) -> Option<S> + Send + 'static,
    engine: Engine,
    search: bool,
) -> (AudioEnd, View) {
    // An ear that can't hear at this rate needs no more.
    let rate = sample_rate.clamp(ear::INPUT_RATES.0, ear::INPUT_RATES.1);
    let (samples, from_samples) = RingBuffer::new((rate * RING_SECONDS) as usize);
    let (marks, from_marks) = RingBuffer::new(MARKS);
    let (to_due, due) = RingBuffer::new(DUE);
    let shared = Arc::new(LoopState::default());
    let make_source: thread::MakeSource = {
        let shared = shared.clone();
        Box::new(move || source(shared.clone()).map(|source| Box::new(source) as _))
    };
    let worker = thread::ListenerThread::new(
        sample_rate,
        make_source,
        shared.clone(),
        (from_samples, from_marks, to_due),
        search,
    );
    let thread = std::thread::Builder::new()
        .name("mirrornet listener".into())
        .spawn(move || worker.run())
        .map_err(|e| {
            shared
                .readiness
                .store(Readiness::Absent as u8, Ordering::Release);
            shared.shown.lock().status = Status::NotListening(Deafness::Thread(e.kind()));
        })
        .ok();
    let audio = AudioEnd::new(
        (samples, marks, due),
        shared.clone(),
        thread.as_ref().map(|t| t.thread().clone()),
        sample_rate,
    );
    (
        audio,
        View {
            shared,
            engine,
            thread,
        },
    )
}

#[cfg(test)]
mod tests;
