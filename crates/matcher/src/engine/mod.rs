//! The engine's client: one child process per host process, shared by all instances.
//!
//! Handles send requests to one engine thread (`supervisor`), which owns the child (`process`),
//! gathers waiting requests into one batch, and restarts a child that crashed. Nothing here is
//! called on an audio thread.

mod process;
pub mod protocol;
mod restarts;
mod supervisor;

use crate::model::{
    CONTRACT, Contract, Encoder, EncoderError, INPUT_LEN, Inference, MAX_BATCH, whole_windows,
};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

pub use process::close_inherited;

/// Longest time a start may take before the child is killed.
pub const START_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time a request may take before the child is killed, plus [`WINDOW_TIMEOUT`] per window.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// Time allowed for each window of a request: about 20 times what an idle machine needs.
pub const WINDOW_TIMEOUT: Duration = Duration::from_millis(50);

/// Name of the model's folder within the engine's folder.
pub const MODEL_FOLDER: &str = "model";

/// State of the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineStatus {
    /// The engine is not started: nothing was requested yet.
    Idle,
    /// The process is starting.
    Starting,
    /// The process answers requests.
    Running {
        /// Version of the engine.
        version: String,
    },
    /// The engine is not installed.
    Missing {
        /// Folder in which the engine was looked for.
        expected: PathBuf,
    },
    /// The process ended unexpectedly, and restarts by itself.
    Restarting {
        /// Reason of the end, for the player.
        reason: String,
        /// Seconds until the restart.
        seconds: u64,
    },
    /// The engine gave up, until [`Engine::restart`].
    Stopped {
        /// Reason of the stop, for the player.
        reason: String,
    },
}

impl EngineStatus {
    /// Describes the state and what to do about it, for the player, in a sentence or two.
    pub fn text(&self) -> String {
        match self {
            Self::Idle => "The listening engine starts when a reference arrives.".into(),
            Self::Starting => "The listening engine is starting.".into(),
            Self::Running { version } => format!("The listening engine {version} is running."),
            Self::Missing { expected } => format!(
                "The listening engine is not installed (looked in {}). Run `cargo xtask install`, then click Restart.",
                expected.display()
            ),
            Self::Restarting { reason, seconds } => {
                format!("The listening engine ended: {reason}. It restarts in {seconds} s.")
            }
            Self::Stopped { reason } => {
                format!("The listening engine is stopped: {reason}. Click Restart to try again.")
            }
        }
    }
}

/// Folder of the engine: MirrorNet/engine/VERSION in the user's data folder. `None` when the system
/// names no data folder.
pub fn engine_folder() -> Option<PathBuf> {
    let base = directories::BaseDirs::new()?;
    Some(
        base.data_dir()
            .join("MirrorNet")
            .join("engine")
            .join(env!("CARGO_PKG_VERSION")),
    )
}

/// File name of the engine's program in its folder.
pub fn engine_program() -> String {
    format!("mirrornet-trainer{}", std::env::consts::EXE_SUFFIX)
}

/// Folder of a model of the player's own, for every version of MirrorNet: MirrorNet/model in the
/// user's data folder. No installation touches it.
pub fn own_model_folder() -> Option<PathBuf> {
    let base = directories::BaseDirs::new()?;
    Some(base.data_dir().join("MirrorNet").join(MODEL_FOLDER))
}

/// Folders of an engine's program and of the models that it may serve.
#[derive(Clone)]
struct Installation {
    /// Folder of the program.
    program: PathBuf,
    /// Folder of the player's own model, which comes first if there is one.
    own_model: Option<PathBuf>,
    /// Folder of the model otherwise. Both are absolute: the program works in its own folder.
    model: PathBuf,
}

impl Installation {
    /// An engine folder with its own model.
    fn whole(folder: PathBuf) -> Self {
        Self {
            own_model: None,
            model: folder.join(MODEL_FOLDER),
            program: folder,
        }
    }

    /// Folder of the model to serve from the next start on.
    fn model(&self) -> &Path {
        let own = self.own_model.as_deref();
        own.filter(|folder| folder.join(CONTRACT).exists())
            .unwrap_or(&self.model)
    }
}

/// State shared by the handles and the engine thread.
#[derive(Default)]
struct SharedStatus {
    status: Mutex<PublishedState>,
    /// Number of restarts that were asked for: with each, every encoder reads its model again.
    restarts: AtomicU64,
}

/// The published state of the engine.
struct PublishedState {
    status: EngineStatus,
    /// Time at which a restart is due.
    due: Option<Instant>,
    pid: Option<u32>,
    contract: Option<Arc<Contract>>,
}

impl Default for PublishedState {
    fn default() -> Self {
        Self {
            status: EngineStatus::Idle,
            due: None,
            pid: None,
            contract: None,
        }
    }
}

/// Command to the engine thread.
enum Command {
    Start,
    Restart,
    Infer(Request),
}

/// A request and the channel for its answer.
struct Request {
    windows: Vec<u8>,
    reply: Sender<Answer>,
}

/// One inference per window, or the reason why there is none.
pub(crate) type Answer = Result<Vec<Inference>, EncoderError>;

/// Owns the engine thread: dropping it ends the child and waits for the thread, because a host may
/// unload the plugin's code right after.
struct Owner {
    installation: Option<Installation>,
    shared: Arc<SharedStatus>,
    commands: Option<Sender<Command>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed; the engine is gone either way.
            let _ = thread.join();
        }
    }
}

/// Handle to an engine; clones share it. The process starts at [`Engine::start`] or the first
/// inference asked for, and ends when the last handle is dropped.
#[derive(Clone)]
pub struct Engine {
    owner: Arc<Owner>,
}

/// The path from the root. Fails only for an empty one, which the engine will not find either.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

static SHARED: Mutex<Weak<Owner>> = Mutex::new(Weak::new());

impl Engine {
    /// Returns the engine that this host process shares, from [`engine_folder`]. Doesn't start the
    /// process.
    pub fn shared() -> Self {
        let mut shared = SHARED.lock();
        if let Some(owner) = shared.upgrade() {
            return Self { owner };
        }
        let engine = Self::spawn(engine_folder().map(|folder| Installation {
            own_model: own_model_folder(),
            ..Installation::whole(folder)
        }));
        *shared = Arc::downgrade(&engine.owner);
        engine
    }

    /// Creates a separate engine from `folder`, for tests and tools. Doesn't start the process.
    pub fn at(folder: &Path) -> Self {
        Self::spawn(Some(Installation::whole(folder.to_owned())))
    }

    /// Creates an engine like [`Engine::at`] that serves the model in the folder `model`, or its
    /// own while there is none.
    pub fn with_own_model(folder: &Path, model: &Path) -> Self {
        Self::spawn(Some(Installation {
            own_model: Some(absolute(model)),
            ..Installation::whole(folder.to_owned())
        }))
    }

    /// Creates an engine like [`Engine::at`] that serves the model in the folder `model` instead of
    /// its own.
    pub fn with_model(folder: &Path, model: &Path) -> Self {
        Self::spawn(Some(Installation {
            model: absolute(model),
            ..Installation::whole(folder.to_owned())
        }))
    }

    fn spawn(installation: Option<Installation>) -> Self {
        let shared = Arc::new(SharedStatus::default());
        let (commands, inbox) = unbounded();
        let thread = {
            let (shared, installation) = (shared.clone(), installation.clone());
            std::thread::Builder::new()
                .name("mirrornet engine".into())
                .spawn(move || supervisor::Supervisor::new(installation, shared, inbox).run())
        };
        let thread = match thread {
            Ok(thread) => Some(thread),
            Err(e) => {
                let reason = format!("the system could not start a thread for it ({e})");
                shared.status.lock().status = EngineStatus::Stopped { reason };
                None
            }
        };
        Self {
            owner: Arc::new(Owner {
                installation,
                shared,
                commands: Some(commands),
                thread,
            }),
        }
    }

    fn send(&self, command: Command) {
        if let Some(commands) = &self.owner.commands {
            // Fails only when the thread is gone; the status says so.
            let _ = commands.send(command);
        }
    }

    /// Current state of the engine.
    pub fn status(&self) -> EngineStatus {
        let state = self.owner.shared.status.lock();
        let mut status = state.status.clone();
        if let (EngineStatus::Restarting { seconds, .. }, Some(due)) = (&mut status, state.due) {
            *seconds = due
                .saturating_duration_since(Instant::now())
                .as_secs_f64()
                .ceil() as u64;
        }
        status
    }

    /// Starts the process if nothing has been asked of it yet. Returns at once.
    pub fn start(&self) {
        self.send(Command::Start);
    }

    /// Ends the process, if it runs, and starts it, at the player's click. It serves the model that
    /// is in its folder then, and so do the built-in encoders of all instances.
    pub fn restart(&self) {
        self.owner.shared.restarts.fetch_add(1, Ordering::AcqRel);
        self.send(Command::Restart);
    }

    /// Number of restarts that were asked for so far.
    pub fn restarts(&self) -> u64 {
        self.owner.shared.restarts.load(Ordering::Acquire)
    }

    /// Sends a batch of whole windows, at most [`MAX_BATCH`]; the answer comes on the returned
    /// channel. While the engine doesn't run, the error is its status in words.
    pub(crate) fn ask(&self, windows: &[u8]) -> Result<Receiver<Answer>, EncoderError> {
        let status = self.status();
        if !matches!(status, EngineStatus::Running { .. }) {
            if status == EngineStatus::Idle {
                self.start();
            }
            return Err(EncoderError::Unavailable(status.text()));
        }
        let (reply, answer) = bounded(1);
        self.send(Command::Infer(Request {
            windows: windows.to_vec(),
            reply,
        }));
        Ok(answer)
    }

    /// Error for a request that the engine dropped: its status in words.
    pub(crate) fn gone(&self) -> EncoderError {
        EncoderError::Unavailable(self.status().text())
    }

    /// Folder of the model that the engine serves from its next start on; `None` when the system
    /// names no folder for it.
    pub fn model_folder(&self) -> Option<PathBuf> {
        let installation = self.owner.installation.as_ref();
        installation.map(|i| i.model().to_owned())
    }

    /// Creates an encoder that asks this engine.
    pub fn encoder(&self) -> EngineEncoder {
        EngineEncoder {
            engine: self.clone(),
        }
    }

    /// Process id of the child while it runs (tests kill it).
    pub fn pid(&self) -> Option<u32> {
        self.owner.shared.status.lock().pid
    }

    /// Contract of the model that the running engine serves.
    pub fn contract(&self) -> Option<Arc<Contract>> {
        self.owner.shared.status.lock().contract.clone()
    }
}

/// [`Encoder`] over the engine process. Requests of several encoders that wait at the same time are
/// sent as one batch.
///
/// While the engine does not run, [`Encoder::infer`] starts it if nobody has, and returns
/// [`EncoderError::Unavailable`] at once with the status in words: a listener must not be blocked.
pub struct EngineEncoder {
    engine: Engine,
}

impl Encoder for EngineEncoder {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        whole_windows(windows)?;
        let mut all = Vec::with_capacity(windows.len() / INPUT_LEN);
        for part in windows.chunks(MAX_BATCH * INPUT_LEN) {
            // Disconnected: the engine thread has ended and dropped the request.
            let answer = self.engine.ask(part)?.recv();
            all.extend(answer.map_err(|_| self.engine.gone())??);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_share_one_engine_until_the_last_is_dropped() {
        let (a, b) = (Engine::shared(), Engine::shared());
        assert!(Arc::ptr_eq(&a.owner, &b.owner));
        assert_eq!(a.status(), EngineStatus::Idle);
        let encoder = b.encoder();
        let last = Arc::downgrade(&a.owner);
        drop((a, b));
        assert!(last.upgrade().is_some(), "an encoder keeps its engine");
        drop(encoder);
        assert!(last.upgrade().is_none());
    }

    #[test]
    fn the_folder_names_the_version() {
        let folder = engine_folder().unwrap();
        assert!(folder.ends_with(Path::new("MirrorNet/engine").join(env!("CARGO_PKG_VERSION"))));
    }
}
