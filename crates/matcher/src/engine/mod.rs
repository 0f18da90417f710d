//! The engine's client: one child process per host process, shared by all instances.
//!
//! Handles send requests to one engine thread (`supervisor`), which owns the child (`process`),
//! gathers what waits into one batch, and restarts a child that crashed. Nothing here is called on an
//! audio thread.

mod process;
pub mod protocol;
mod restarts;
mod supervisor;

use crate::model::{
    Contract, Encoder, EncoderError, INPUT_LEN, Inference, MAX_BATCH, whole_windows,
};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// Longest time a start may take before the child is killed.
pub const START_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time a request may take before the child is killed, plus [`WINDOW_TIMEOUT`] per window.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// Time allowed for each window of a request: some 20 times what a calm machine needs.
pub const WINDOW_TIMEOUT: Duration = Duration::from_millis(50);

/// Folder of the model within the engine's folder.
pub const MODEL_FOLDER: &str = "model";

/// Where the engine stands.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineStatus {
    /// Nothing asked of it yet.
    Idle,
    /// Starting.
    Starting,
    /// Answering.
    Running {
        /// Engine's version.
        version: String,
    },
    /// Not installed; says where it was looked for and what to do.
    Missing {
        /// Folder looked in.
        expected: PathBuf,
    },
    /// Ended unexpectedly; restarts by itself in so many seconds.
    Restarting {
        /// Why.
        reason: String,
        /// Seconds left.
        seconds: u64,
    },
    /// Gave up until [`Engine::restart`].
    Stopped {
        /// Why.
        reason: String,
    },
}

impl EngineStatus {
    /// A sentence or two for the player: what is, and what to do.
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

/// Folder of the engine: the user's data folder, then MirrorNet/engine/VERSION. `None` when the system
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

/// Where an engine's program and the model that it serves are.
#[derive(Clone)]
struct Installation {
    /// Folder of the program.
    program: PathBuf,
    /// Folder of the model, absolute: the program works in its own folder.
    model: PathBuf,
}

impl Installation {
    /// An engine folder with its own model.
    fn whole(folder: PathBuf) -> Self {
        Self {
            model: folder.join(MODEL_FOLDER),
            program: folder,
        }
    }
}

/// What handles and the engine thread both see.
#[derive(Default)]
struct Shared {
    status: Mutex<State>,
}

/// The published state of the engine.
struct State {
    status: EngineStatus,
    /// When a restart is due.
    due: Option<Instant>,
    pid: Option<u32>,
    contract: Option<Arc<Contract>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            status: EngineStatus::Idle,
            due: None,
            pid: None,
            contract: None,
        }
    }
}

/// Asked of the engine thread.
enum Command {
    Start,
    Restart,
    Infer(Job),
}

/// A request and where its answer goes.
struct Job {
    windows: Vec<u8>,
    reply: Sender<Answer>,
}

/// One inference for each window, or why there is none.
pub(crate) type Answer = Result<Vec<Inference>, EncoderError>;

/// Owns the engine thread: dropping it ends the child and waits for the thread, because a host may
/// unload the plugin's code right after.
struct Owner {
    installation: Option<Installation>,
    shared: Arc<Shared>,
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

/// Handle to an engine; clones share it. The process starts at [`Engine::start`] or the first inference
/// asked for, and ends when the last handle is dropped.
#[derive(Clone)]
pub struct Engine {
    owner: Arc<Owner>,
}

static SHARED: Mutex<Weak<Owner>> = Mutex::new(Weak::new());

impl Engine {
    /// The engine of this host process, from [`engine_folder`]. Starts nothing yet.
    pub fn shared() -> Self {
        let mut shared = SHARED.lock();
        if let Some(owner) = shared.upgrade() {
            return Self { owner };
        }
        let engine = Self::spawn(engine_folder().map(Installation::whole));
        *shared = Arc::downgrade(&engine.owner);
        engine
    }

    /// An engine of its own from `folder` (tests, tools). Starts nothing yet.
    pub fn at(folder: &Path) -> Self {
        Self::spawn(Some(Installation::whole(folder.to_owned())))
    }

    /// Like [`Engine::at`], serving the model in the folder `model` instead of the engine's own.
    pub fn with_model(folder: &Path, model: &Path) -> Self {
        Self::spawn(Some(Installation {
            program: folder.to_owned(),
            // Fails only for an empty path, which the engine will not find either.
            model: std::path::absolute(model).unwrap_or_else(|_| model.to_owned()),
        }))
    }

    fn spawn(installation: Option<Installation>) -> Self {
        let shared = Arc::new(Shared::default());
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
                let reason = format!("the system gave no thread for it ({e})");
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

    /// Where it stands.
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

    /// Starts anew after a stop, at the player's click. No effect while it runs or starts.
    pub fn restart(&self) {
        self.send(Command::Restart);
    }

    /// Sends whole windows, at most [`MAX_BATCH`] of them; the answer comes on what is returned. The
    /// error is the status in words, when there is nothing to send them to.
    pub(crate) fn ask(&self, windows: &[u8]) -> Result<Receiver<Answer>, EncoderError> {
        let status = self.status();
        if !matches!(status, EngineStatus::Running { .. }) {
            if status == EngineStatus::Idle {
                self.start();
            }
            return Err(EncoderError::Unavailable(status.text()));
        }
        let (reply, answer) = bounded(1);
        self.send(Command::Infer(Job {
            windows: windows.to_vec(),
            reply,
        }));
        Ok(answer)
    }

    /// What an engine that dropped the question has to say.
    pub(crate) fn gone(&self) -> EncoderError {
        EncoderError::Unavailable(self.status().text())
    }

    /// Where the model is that the engine serves; `None` when the system names no folder for it.
    pub fn model_folder(&self) -> Option<PathBuf> {
        self.owner.installation.as_ref().map(|i| i.model.clone())
    }

    /// An encoder that asks this engine.
    pub fn encoder(&self) -> EngineEncoder {
        EngineEncoder {
            engine: self.clone(),
        }
    }

    /// Process id while running (tests kill it).
    pub fn pid(&self) -> Option<u32> {
        self.owner.shared.status.lock().pid
    }

    /// Contract of the model that the running engine serves.
    pub fn contract(&self) -> Option<Arc<Contract>> {
        self.owner.shared.status.lock().contract.clone()
    }
}

/// [`Encoder`] over the engine process. Requests of several encoders waiting at once go as one batch.
///
/// While the engine does not run, [`Encoder::infer`] starts it if nobody has, and returns
/// [`EncoderError::Unavailable`] at once with the status in words: a listener must go on hearing.
pub struct EngineEncoder {
    engine: Engine,
}

impl Encoder for EngineEncoder {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        whole_windows(windows)?;
        let mut all = Vec::with_capacity(windows.len() / INPUT_LEN);
        for part in windows.chunks(MAX_BATCH * INPUT_LEN) {
            // An error: the thread dropped the job, it is gone.
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
    fn instances_share_one_engine_until_the_last_goes() {
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
