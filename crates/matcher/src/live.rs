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

mod thread;

use crate::{
    Encoder, Inference,
    engine::{Engine, EngineStatus},
};
use ear::{CHANNELS, EarConfig, PitchFrame};
use parking_lot::Mutex;
use rtrb::{Consumer, Producer, RingBuffer};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};
use synth::{MATCHED, MATCHED_COUNT, Patch};

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
    /// Number of [`View::clear`]s it comes after.
    clears: u32,
    inference: Inference,
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

/// What the three ends share.
#[derive(Default)]
struct Shared {
    /// Position up to which everything is heard and its inferences are queued.
    heard: AtomicU64,
    readiness: AtomicU8,
    deaf: AtomicBool,
    stop: AtomicBool,
    clears: AtomicU32,
    dropped: AtomicU64,
    late: AtomicU64,
    shown: Mutex<Shown>,
}

impl Shared {
    fn ready(&self) -> bool {
        self.readiness.load(Ordering::Acquire) == Readiness::Ready as u8
    }
}

#[derive(Default)]
struct Shown {
    frames: VecDeque<[f32; CHANNELS]>,
    heard: u64,
    pitch: PitchFrame,
    inference: Option<Inference>,
    confidence: f32,
    state: String,
}

/// Audio-thread end. No method allocates, locks or calls the system, but for [`AudioEnd::wait`].
pub struct AudioEnd {
    samples: Producer<f32>,
    marks: Producer<Mark>,
    due: Consumer<Due>,
    shared: Arc<Shared>,
    listener: Option<Thread>,
    /// The block last pushed begins and ends here.
    begin: u64,
    end: u64,
    /// Position of the stream's start.
    base: u64,
    /// Samples put into the ring so far.
    written: u64,
    /// A reset that no mark tells of yet.
    unmarked_reset: bool,
    /// Dropped samples that no mark tells of yet.
    unmarked_gap: u64,
    /// Samples of 80 ms: see [`AudioEnd::wait`].
    slack: u64,
}

impl AudioEnd {
    /// Hands a block of the reference to the listener; when the ring is full the block is dropped
    /// (its time still passes) and counted. Advances this end's clock by the block's length.
    pub fn push(&mut self, mono: &[f32]) {
        let length = mono.len() as u64;
        self.begin = self.end;
        self.end += length;
        if self.mark() && self.samples.push_entire_slice(mono).is_ok() {
            self.written += length;
        } else {
            self.unmarked_gap += length;
            self.shared.dropped.fetch_add(length, Ordering::Relaxed);
        }
    }

    /// Queues what is unmarked; `false` when the queue is full.
    fn mark(&mut self) -> bool {
        let at = self.written;
        if self.unmarked_reset {
            if self
                .marks
                .push(Mark {
                    at,
                    kind: MarkKind::Reset(self.base),
                })
                .is_err()
            {
                return false;
            }
            self.unmarked_reset = false;
        }
        // Only together with samples that follow, so that one stretch of drops is one mark.
        if self.unmarked_gap > 0 && self.samples.slots() > 0 {
            if self
                .marks
                .push(Mark {
                    at,
                    kind: MarkKind::Gap(self.unmarked_gap),
                })
                .is_err()
            {
                return false;
            }
            self.unmarked_gap = 0;
        }
        true
    }

    /// Offline only: waits, at most 250 ms in all, until the inferences due in the pushed block have
    /// come. While the engine starts it waits for that; when no inference can come it returns at once.
    pub fn wait(&mut self) {
        // What is due in this block was heard at least 120 ms before its end; the ear is given 40 of
        // them for its own delay.
        let wanted = (self.end - self.unmarked_gap).saturating_sub(self.slack);
        let until = Instant::now() + LONGEST_WAIT;
        loop {
            let readiness = self.shared.readiness.load(Ordering::Acquire);
            let here = self.shared.heard.load(Ordering::Acquire) >= wanted;
            if readiness == Readiness::Absent as u8 || (readiness == Readiness::Ready as u8 && here)
            {
                return;
            }
            if Instant::now() >= until {
                return;
            }
            if let Some(listener) = &self.listener {
                listener.unpark();
            }
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    /// The next inference due within the block last pushed: sample offset in the block, and the
    /// inference. Late ones come at offset 0 and are counted. Call until `None`.
    pub fn next_due(&mut self) -> Option<(usize, Inference)> {
        loop {
            let next = *self.due.peek().ok()?;
            let stale =
                next.base != self.base || next.clears != self.shared.clears.load(Ordering::Acquire);
            if !stale && next.position >= self.end {
                return None;
            }
            let _ = self.due.pop();
            if stale {
                continue;
            }
            if next.position < self.begin {
                self.shared.late.fetch_add(1, Ordering::Relaxed);
            }
            return Some((
                next.position.saturating_sub(self.begin) as usize,
                next.inference,
            ));
        }
    }

    /// Starts a new stream: clock to zero, listener reset. The held inference is kept by the caller.
    pub fn reset(&mut self) {
        self.begin = self.end;
        self.base = self.end;
        self.unmarked_reset = true;
        self.unmarked_gap = 0;
    }
}

/// What the editor shows. All cheap copies.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The latest frames, oldest first, at most 4 s.
    pub frames: Vec<[f32; CHANNELS]>,
    /// Frames heard so far, those no longer in `frames` included: tells how far the picture scrolls.
    pub heard: u64,
    /// Pitch of the newest frame.
    pub pitch: PitchFrame,
    /// Newest held inference.
    pub inference: Option<Inference>,
    /// Confidence of the newest window.
    pub confidence: f32,
    /// Whether the match moves or holds, in words ("following", "holding: silence", ...).
    pub state: String,
    /// Samples dropped because the listener fell behind.
    pub dropped: u64,
    /// Inferences that came too late.
    pub late: u64,
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
            heard: shown.heard,
            pitch: shown.pitch,
            inference: shown.inference,
            confidence: shown.confidence,
            state: shown.state.clone(),
            dropped: self.shared.dropped.load(Ordering::Relaxed),
            late: self.shared.late.load(Ordering::Relaxed),
        }
    }

    /// Switches listening on or off. Off, sound passes unheard; on again, hearing begins anew.
    pub fn set_listening(&self, on: bool) {
        self.shared.deaf.store(!on, Ordering::Release);
    }

    /// Forgets the held inference (a patch was loaded); those on their way to the audio thread are
    /// void.
    pub fn clear(&self) {
        self.shared.clears.fetch_add(1, Ordering::AcqRel);
        self.shared.shown.lock().inference = None;
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
/// the first sound is pushed while listening is on.
pub fn live(sample_rate: f64, engine: Engine) -> (AudioEnd, View) {
    let encoder = Box::new(engine.encoder());
    let asked = engine.clone();
    let backing = move || {
        let readiness = match asked.status() {
            EngineStatus::Idle => {
                asked.start();
                Readiness::Pending
            }
            EngineStatus::Starting => Readiness::Pending,
            EngineStatus::Running { .. } => Readiness::Ready,
            _ => Readiness::Absent,
        };
        (
            readiness,
            asked.contract().map(|c| c.ear).unwrap_or_default(),
        )
    };
    start(sample_rate, encoder, Box::new(backing), engine)
}

/// Asked before each stretch of sound: whether inferences come, and the ear they are made for.
type Backing = Box<dyn FnMut() -> (Readiness, EarConfig) + Send>;

fn start(
    sample_rate: f64,
    encoder: Box<dyn Encoder>,
    backing: Backing,
    engine: Engine,
) -> (AudioEnd, View) {
    let (samples, from_samples) = RingBuffer::new((sample_rate * RING_SECONDS) as usize);
    let (marks, from_marks) = RingBuffer::new(MARKS);
    let (to_due, due) = RingBuffer::new(DUE);
    let shared = Arc::new(Shared::default());
    let worker = thread::Worker::new(
        sample_rate,
        encoder,
        backing,
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
            shared.shown.lock().state = format!("not listening: the system gave no thread ({e})");
        })
        .ok();
    let audio = AudioEnd {
        samples,
        marks,
        due,
        shared: shared.clone(),
        listener: thread.as_ref().map(|t| t.thread().clone()),
        begin: 0,
        end: 0,
        base: 0,
        written: 0,
        unmarked_reset: false,
        unmarked_gap: 0,
        slack: (0.080 * sample_rate) as u64,
    };
    (
        audio,
        View {
            shared,
            engine,
            thread,
        },
    )
}

/// knob + amount * (inferred - knob) for each matched row that is not locked; others stay.
/// `amount` 0 to 1; `locks` in the order of [`synth::MATCHED`].
pub fn effective(
    knobs: &Patch,
    inferred: &Inference,
    amount: f32,
    locks: &[bool; MATCHED_COUNT],
) -> Patch {
    let mut patch = *knobs;
    for (i, &row) in MATCHED.iter().enumerate() {
        if !locks[i] {
            patch.set(
                row,
                knobs.get(row) + amount * (inferred.mean[i] - knobs.get(row)),
            );
        }
    }
    patch
}

#[cfg(test)]
mod tests;
