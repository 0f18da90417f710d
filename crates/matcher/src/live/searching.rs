//! Searches asked for while listening, and the worker that does them for all instances.

use super::LoopState;
use super::memory::KnownSound;
use crate::metric::{melody, raise_sub};
use crate::model::Encoder;
use crate::search::{Bounds, Question, Reference, improve, infer_clip};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use ear::EarConfig;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;
use synth::Patch;
use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

/// Longest time for which an offline render is kept waiting for one step of a search.
const PATIENCE: Duration = Duration::from_secs(2);

/// Priority of the worker, 0 to 99: below all others, but not so low that a busy machine forgets
/// it.
const LOW: u8 = 25;

/// Input of a search, on which alone its result depends.
pub struct Request {
    /// Samples of the phrase, mono.
    pub(super) samples: Vec<f32>,
    /// Sample rate in Hz.
    pub(super) rate: f64,
    pub(super) ear: EarConfig,
    /// Patches known so far; the first is the one that plays. See [`Question::starts`].
    pub(super) starts: Vec<Patch>,
    pub(super) bounds: Bounds,
    /// Encoder to ask about the phrase.
    pub(super) encoder: Option<Box<dyn Encoder>>,
    /// See [`Question::explore`] and [`Question::seconds`].
    pub(super) explore: bool,
    pub(super) seconds: f64,
    pub(super) seed: u64,
}

/// Result of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The best patch, and its likeness to the phrase.
    pub(super) sound: KnownSound,
    /// Objective of the search, and those of the starts.
    pub(super) value: f32,
    pub(super) starts: Vec<f32>,
}

/// Answers a request; `None` for a phrase without notes, and when it is stopped. `step` is called
/// after each step.
fn answer(request: &mut Request, stop: &Arc<AtomicBool>, step: &dyn Fn()) -> Option<Found> {
    let heard = ear::spectrogram(&request.ear, &request.samples, request.rate, true).ok()?;
    let mut notes = melody(&heard);
    let centre = ear::centre_frequencies(&request.ear, request.rate);
    let mut bounds = request.bounds;
    if !bounds.allow_sub() || !raise_sub(&heard, &centre, &mut notes) {
        // The notes have another pitch: likeness would be bought with it.
        bounds = bounds.without_sub();
    }
    step();
    if notes.is_empty() {
        return None;
    }
    let reference = Reference::new(&request.samples, request.rate, &request.ear).ok()?;
    let inferred = match &mut request.encoder {
        Some(encoder) => infer_clip(&heard, encoder).ok()?,
        None => None,
    };
    let improved = improve(&Question {
        reference: &reference,
        notes: &notes,
        starts: &request.starts,
        bounds,
        inferred: inferred.as_ref(),
        explore: request.explore,
        seconds: request.seconds,
        seed: request.seed,
        stop,
        step,
    })
    .ok()??;
    Some(Found {
        sound: KnownSound {
            mean: improved.patch.matched(),
            lean: improved.patch.lean,
            likeness: improved.score.likeness,
        },
        value: improved.score.objective(),
        starts: improved.starts.iter().map(|s| s.objective()).collect(),
    })
}

/// Does searches, one at a time.
pub trait Searcher: Send {
    /// Begins a search.
    fn ask(&mut self, request: Request);
    /// The result of the search begun last, once it is there; the result itself is `None` where
    /// nothing could be searched.
    fn answer(&mut self) -> Option<Option<Found>>;
    /// Gives the search begun last up.
    fn cancel(&mut self);
}

/// Searches on the calling thread, so that every result is on time: for simulations.
#[derive(Default)]
pub struct Inline(Option<Request>);

impl Searcher for Inline {
    fn ask(&mut self, request: Request) {
        self.0 = Some(request);
    }

    fn answer(&mut self) -> Option<Option<Found>> {
        self.0
            .take()
            .map(|mut request| answer(&mut request, &Arc::default(), &|| ()))
    }

    fn cancel(&mut self) {
        self.0 = None;
    }
}

/// A search on its way to the worker.
struct Job {
    request: Request,
    stop: Arc<AtomicBool>,
    reply: Sender<Option<Found>>,
}

/// The thread that searches for all instances of the process, in the order in which they ask; each
/// asks for one search at a time, and stops it when it goes.
struct Worker {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

static WORKER: Mutex<Weak<Worker>> = Mutex::new(Weak::new());
/// Steps that the worker has made: instances that render offline wait while it makes more.
static STEPS: AtomicU64 = AtomicU64::new(0);

impl Worker {
    /// The running worker, or a new one. It ends with the last instance.
    fn shared() -> Arc<Self> {
        let mut shared = WORKER.lock();
        if let Some(worker) = shared.upgrade() {
            return worker;
        }
        let (jobs, to_do) = unbounded();
        let thread = std::thread::Builder::new()
            .name("mirrornet search".into())
            .spawn(move || work(&to_do));
        let worker = Arc::new(Self {
            jobs: thread.is_ok().then_some(jobs),
            thread: thread.ok(),
        });
        *shared = Arc::downgrade(&worker);
        worker
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(jobs: &Receiver<Job>) {
    // The synth's and the host's threads come first. Where the system refuses, it goes on as it is.
    let low = ThreadPriorityValue::try_from(LOW).map(ThreadPriority::Crossplatform);
    let _ = low.map(set_current_thread_priority);
    for mut job in jobs {
        if !job.stop.load(Ordering::Acquire) {
            let step = || {
                STEPS.fetch_add(1, Ordering::AcqRel);
            };
            let found = answer(&mut job.request, &job.stop, &step);
            let _ = job.reply.send(found);
        }
    }
}

/// Searches on the process's worker.
pub(super) struct Shared {
    /// Running from the first search on.
    worker: Option<Arc<Worker>>,
    state: Arc<LoopState>,
    pending: Option<(Receiver<Option<Found>>, Arc<AtomicBool>)>,
}

impl Shared {
    pub(super) fn new(state: Arc<LoopState>) -> Self {
        Self {
            worker: None,
            state,
            pending: None,
        }
    }
}

impl Shared {
    /// Waits for an answer as long as the worker makes steps, be it for another instance: this
    /// one's turn comes.
    fn wait_for(&self, answers: &Receiver<Option<Found>>) -> Option<Option<Found>> {
        let steps = || STEPS.load(Ordering::Acquire);
        let mut before = steps();
        loop {
            match answers.recv_timeout(PATIENCE) {
                Ok(found) => return Some(found),
                Err(RecvTimeoutError::Disconnected) => return Some(None),
                Err(RecvTimeoutError::Timeout) if steps() == before => return None,
                Err(RecvTimeoutError::Timeout) => before = steps(),
            }
            if self.state.stop.load(Ordering::Acquire) {
                return None;
            }
        }
    }
}

impl Searcher for Shared {
    fn ask(&mut self, request: Request) {
        self.cancel();
        let (reply, answers) = bounded(1);
        let stop = Arc::new(AtomicBool::new(false));
        let job = Job {
            request,
            stop: stop.clone(),
            reply,
        };
        if let Some(jobs) = &self.worker.get_or_insert_with(Worker::shared).jobs {
            let _ = jobs.send(job);
        }
        self.pending = Some((answers, stop));
    }

    fn answer(&mut self) -> Option<Option<Found>> {
        let (answers, _) = self.pending.as_ref()?;
        let found = match self.state.is_offline() {
            true => {
                self.state.searching.store(true, Ordering::Release);
                let found = self.wait_for(answers);
                self.state.searching.store(false, Ordering::Release);
                found
            }
            false => answers.try_recv().ok(),
        };
        if found.is_some() {
            self.pending = None;
        }
        found
    }

    fn cancel(&mut self) {
        if let Some((_, stop)) = self.pending.take() {
            stop.store(true, Ordering::Release);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.cancel();
    }
}
