//! The live loop: an audio-thread end, a listener thread, and an end for the editor.
//!
//! ```text
//! AudioEnd::push ──► ring of samples ──┐  ┌──► queue of due inferences ──► AudioEnd::next_due
//!               └──► queue of marks ───┤  │
//!                                      ▼  │
//!                             listener thread ──► Snapshot ──► View
//! ```
//!
//! Positions are counted in samples since `live`, dropped ones included, and never go back. A mark says
//! what lies between two samples of the ring (a gap, a reset); it is queued before the sample it
//! precedes, so the listener, which looks at the ring first, can't miss it. An inference is due at a
//! position computed from its frame's number, whatever the block size and however long it took.

mod audio;
mod fallback;
mod listener;
mod onset;
mod resynthesis;
mod status;
mod target;
mod thread;
mod tracker;

pub use audio::AudioEnd;
pub use listener::{Listener, MIN_CONFIDENCE, StepResult};
pub use resynthesis::LEAST_LIKENESS;
pub use status::{Deafness, HoldReason, Status};
pub use target::Target;

use crate::engine::Engine;
use crate::model::ModelFiles;
use ear::{CHANNELS, EarConfig, PitchFrame};
use fallback::{FallbackEncoder, Source};
use parking_lot::Mutex;
use rtrb::RingBuffer;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time from a frame's end to its inference's effect, in seconds.
pub const DELAY: f64 = 0.120;

/// Longest [`AudioEnd::wait`].
const LONGEST_WAIT: Duration = Duration::from_millis(250);
/// Seconds of sound that the ring holds: a hung engine is given up on after 2.
const RING_SECONDS: f64 = 4.0;
/// Gaps and resets that can be on their way at once.
const MARKS: usize = 64;
/// Inferences that can be on their way at once: 10 s of them.
const DUE: usize = 256;
/// Frames kept for the editor: 4 s.
const SHOWN_FRAMES: usize = 500;

/// What lies in the stream right before the ring's sample number `at`.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: u64,
    kind: MarkKind,
}

#[derive(Clone, Copy, Debug)]
enum MarkKind {
    /// So many samples were dropped.
    Gap(u64),
    /// A new stream begins at this position.
    Reset(u64),
}

/// An inference on its way to the audio thread.
#[derive(Clone, Copy, Debug)]
struct Due {
    /// Position of its effect.
    position: u64,
    /// Position of its stream's start.
    base: u64,
    /// Number of [`View::clear`]s before it.
    generation: u32,
    target: Target,
}

/// The implementation of the network that gives the inferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// The engine process.
    Engine,
    /// The encoder built in.
    Builtin,
}

/// Whether waiting for an inference makes sense.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
enum Readiness {
    /// The listener or the engine is starting.
    Pending = 0,
    /// Inferences come.
    Ready = 1,
    /// None will come for now.
    Absent = 2,
}

/// State shared by the audio end, the listener thread and the editor.
#[derive(Default)]
struct Shared {
    /// Position up to which everything is heard and its inferences are queued.
    heard: AtomicU64,
    readiness: AtomicU8,
    listening_off: AtomicBool,
    stop: AtomicBool,
    /// Number of [`View::clear`]s.
    generation: AtomicU32,
    /// Up to this position the host renders offline.
    offline: AtomicU64,
    /// The model is to be read again.
    reload: AtomicBool,
    dropped: AtomicU64,
    late: AtomicU64,
    shown: Mutex<Shown>,
}

impl Shared {
    fn ready(&self) -> bool {
        self.readiness.load(Ordering::Acquire) == Readiness::Ready as u8
    }

    /// Whether the sound heard now is rendered offline.
    fn is_offline(&self) -> bool {
        self.offline.load(Ordering::Acquire) > self.heard.load(Ordering::Acquire)
    }
}

#[derive(Default)]
struct Shown {
    frames: VecDeque<[f32; CHANNELS]>,
    ear: EarConfig,
    heard: u64,
    pitch: PitchFrame,
    confidence: f32,
    likeness: Option<f32>,
    status: Status,
    answering: Option<Runtime>,
    changes: u64,
    /// Reason why the built-in encoder can't be used.
    builtin_error: Option<String>,
}

/// State of the listener for the editor, a copy.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The latest frames, oldest first, at most 4 s.
    pub frames: Vec<[f32; CHANNELS]>,
    /// The ear that makes them.
    pub ear: EarConfig,
    /// Frames heard so far, those no longer in `frames` included: tells how far the picture scrolls.
    pub heard: u64,
    /// The newest pitch, [`ear::PITCH_DELAY`] behind the newest frame.
    pub pitch: PitchFrame,
    /// Confidence of the newest window.
    pub confidence: f32,
    /// Likeness of what is inferred to what is heard, by the last resynthesis.
    pub likeness: Option<f32>,
    /// Whether the match moves or holds.
    pub status: Status,
    /// Samples dropped because the listener fell behind.
    pub dropped: u64,
    /// Inferences that came too late.
    pub late: u64,
    /// Who gave the newest answer.
    pub answering: Option<Runtime>,
    /// How often that changed.
    pub changes: u64,
}

/// Owner's and editor's end. Dropping it ends the listener thread.
pub struct View {
    shared: Arc<Shared>,
    engine: Engine,
    thread: Option<JoinHandle<()>>,
}

impl View {
    /// Latest state for the editor.
    pub fn snapshot(&self) -> Snapshot {
        let shown = self.shared.shown.lock();
        Snapshot {
            frames: shown.frames.iter().copied().collect(),
            ear: shown.ear,
            heard: shown.heard,
            pitch: shown.pitch,
            confidence: shown.confidence,
            likeness: shown.likeness,
            status: shown.status.clone(),
            dropped: self.shared.dropped.load(Ordering::Relaxed),
            late: self.shared.late.load(Ordering::Relaxed),
            answering: shown.answering,
            changes: shown.changes,
        }
    }

    /// Describes for the player which encoder listens, and what to do about it, in a sentence or two.
    pub fn describe_encoder(&self) -> String {
        let builtin_error = self.shared.shown.lock().builtin_error.clone();
        fallback::describe(&self.engine.status(), builtin_error.as_deref())
    }

    /// Starts a stopped engine anew and reads the model again, at the player's click.
    pub fn restart(&self) {
        self.shared.reload.store(true, Ordering::Release);
        self.engine.restart();
    }

    /// Switches listening on or off. Off, sound passes unheard; on again, hearing begins anew.
    pub fn set_listening(&self, on: bool) {
        self.shared.listening_off.store(!on, Ordering::Release);
    }

    /// Forgets the held inference (a patch was loaded); those on their way to the audio thread are
    /// void.
    pub fn clear(&self) {
        self.shared.generation.fetch_add(1, Ordering::AcqRel);
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

/// Starts listening at `sample_rate` Hz: both ends and the thread between them. The engine starts when
/// the first sound is pushed while listening is on; while it is not there, the built-in encoder answers
/// with the model in the engine's folder, or with `model` where there is none.
pub fn live(sample_rate: f64, engine: Engine, model: Option<ModelFiles>) -> (AudioEnd, View) {
    let of = |shared| FallbackEncoder::new(engine.clone(), model, shared);
    start(sample_rate, of, engine.clone())
}

fn start<S: Source + 'static>(
    sample_rate: f64,
    source: impl FnOnce(Arc<Shared>) -> S,
    engine: Engine,
) -> (AudioEnd, View) {
    let (samples, from_samples) = RingBuffer::new((sample_rate * RING_SECONDS) as usize);
    let (marks, from_marks) = RingBuffer::new(MARKS);
    let (to_due, due) = RingBuffer::new(DUE);
    let shared = Arc::new(Shared::default());
    let worker = thread::Worker::new(
        sample_rate,
        Box::new(source(shared.clone())),
        shared.clone(),
        (from_samples, from_marks, to_due),
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
