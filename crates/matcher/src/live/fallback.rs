//! The listener's encoder: asks the engine while it runs, and the built-in encoder otherwise, so
//! that every window is answered.

use super::{LoopState, Readiness, Runtime};
use crate::engine::{Answer, Engine, EngineStatus, REQUEST_TIMEOUT};
use crate::model::CONTRACT;
use crate::model::{BuiltinEncoder, BuiltinError, ModelFiles};
use crate::model::{Encoder, EncoderError, Inference};
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use ear::EarConfig;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Longest wait for the engine's answer while playing live. Windows are 40 ms apart: an engine that
/// takes longer can't keep up, and the rest of an inference's 120 ms is enough for the built-in
/// encoder.
const PATIENCE: Duration = Duration::from_millis(40);
/// Longest wait for the engine's answer offline, where a wait is inaudible and a bounce should use
/// the engine throughout: less than the audio thread waits.
const PATIENCE_OFFLINE: Duration = Duration::from_millis(200);
/// Interval at which a wait looks whether the listener has to end.
const LOOK: Duration = Duration::from_millis(5);

/// Source of the listener's inferences.
pub(super) trait Source: Encoder {
    /// Returns whether inferences are available, and the configuration of the model's ear if it is
    /// known. Called before each stretch of sound.
    fn poll_status(&mut self) -> (Readiness, Option<EarConfig>);
}

/// The engine, with the built-in encoder as fallback.
pub(super) struct FallbackEncoder {
    engine: Engine,
    model: Option<ModelFiles>,
    shared: Arc<LoopState>,
    /// The built-in encoder, or the reason why there is none; `None` until there is something to
    /// hear.
    builtin: Option<Result<BuiltinEncoder, BuiltinError>>,
    /// True if the built-in encoder has another model than the engine: then it answers only while
    /// the engine does not run.
    differs: bool,
    /// [`Engine::restarts`] when the model was loaded.
    loaded_at: u64,
    /// Channel of the answer that the engine still owes.
    pending_reply: Option<Receiver<Answer>>,
}

impl FallbackEncoder {
    /// Creates the encoder; neither starts the engine nor reads a model.
    pub(super) fn new(engine: Engine, model: Option<ModelFiles>, shared: Arc<LoopState>) -> Self {
        Self {
            engine,
            model,
            shared,
            builtin: None,
            differs: false,
            loaded_at: 0,
            pending_reply: None,
        }
    }

    /// Loads the model that the engine serves or, if there is none or it can't be read, the given
    /// one; and says so.
    fn load(&mut self) {
        self.loaded_at = self.engine.restarts();
        let folder = self.engine.model_folder().unwrap_or_default();
        let given = || self.model.map(BuiltinEncoder::from_memory);
        let engines = match given() {
            Some(given) if !folder.join(CONTRACT).exists() => given,
            _ => BuiltinEncoder::from_folder(&folder),
        };
        let (builtin, trouble) = match engines {
            Ok(builtin) => (Ok(builtin), None),
            Err(e) => match given() {
                Some(Ok(builtin)) => {
                    let trouble = Trouble::OwnModel(e.to_string());
                    (Ok(builtin), Some(trouble))
                }
                _ => {
                    let trouble = Trouble::NoModel(e.to_string());
                    (Err(e), Some(trouble))
                }
            },
        };
        self.differs = matches!(trouble, Some(Trouble::OwnModel(_)));
        self.shared.shown.lock().builtin_trouble = trouble;
        self.builtin = Some(builtin);
    }

    /// Waits for an answer, at most until `patience` has passed or the listener has to end.
    fn wait(
        &self,
        answer: &Receiver<Answer>,
        patience: Duration,
    ) -> Result<Answer, RecvTimeoutError> {
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match answer.recv_timeout(left.min(LOOK)) {
                Err(RecvTimeoutError::Timeout)
                    if left > LOOK && !self.shared.stop.load(Ordering::Acquire) => {}
                result => return result,
            }
        }
    }

    fn ask_engine(&mut self, windows: &[u8]) -> Answer {
        // Longer than the engine's own limit, where nothing stands in for it.
        let alone = !matches!(self.builtin, Some(Ok(_)));
        let late = || EncoderError::Unavailable("the engine is slow to answer".into());
        if let Some(pending_reply) = &self.pending_reply {
            // More requests would only queue up behind the first.
            if let Err(TryRecvError::Empty) = pending_reply.try_recv() {
                return Err(late());
            }
            self.pending_reply = None;
        }
        let answer = self.engine.ask(windows)?;
        let patience = match self.shared.is_offline() {
            _ if alone => 2 * REQUEST_TIMEOUT,
            true => PATIENCE_OFFLINE,
            false => PATIENCE,
        };
        match self.wait(&answer, patience) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Disconnected) => Err(self.engine.gone()),
            Err(RecvTimeoutError::Timeout) => {
                self.pending_reply = Some(answer);
                Err(late())
            }
        }
    }
}

impl Encoder for FallbackEncoder {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        let asked = self.ask_engine(windows);
        let holds = self.differs && matches!(self.engine.status(), EngineStatus::Running { .. });
        let (answer, by) = match (asked, &mut self.builtin) {
            (Ok(answer), _) => (answer, Runtime::Engine),
            (Err(e), Some(Ok(_))) if holds => return Err(e),
            (Err(_), Some(Ok(builtin))) => (builtin.infer(windows)?, Runtime::Builtin),
            (Err(e), _) => return Err(e),
        };
        let mut shown = self.shared.shown.lock();
        if shown.answering.is_some_and(|last| last != by) {
            shown.changes += 1;
        }
        shown.answering = Some(by);
        Ok(answer)
    }

    /// The built-in encoder's alone: the engine's answers differ by some 1e-5, which a search would
    /// amplify.
    fn fork(&self) -> Option<Box<dyn Encoder>> {
        self.builtin.as_ref()?.as_ref().ok()?.fork()
    }
}

impl Source for FallbackEncoder {
    fn poll_status(&mut self) -> (Readiness, Option<EarConfig>) {
        let status = self.engine.status();
        if status == EngineStatus::Idle {
            self.engine.start();
        }
        let reload = self.shared.reload.swap(false, Ordering::AcqRel);
        if reload || self.builtin.is_none() || self.loaded_at != self.engine.restarts() {
            self.load();
        }
        let builtin = self.builtin.as_ref().and_then(|b| b.as_ref().ok());
        let readiness = match (status, builtin) {
            (EngineStatus::Running { .. }, _) => Readiness::Ready,
            // Offline rendering waits for the engine: it is the default.
            (EngineStatus::Idle | EngineStatus::Starting, _) => Readiness::Pending,
            (_, Some(_)) => Readiness::Ready,
            (_, None) => Readiness::Absent,
        };
        let served = self.engine.contract().map(|contract| contract.ear);
        (readiness, served.or(builtin.map(BuiltinEncoder::ear)))
    }
}

/// Fault of the built-in encoder's model, with the reason.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trouble {
    /// The engine's model can't be read; the plugin's own stands in.
    OwnModel(String),
    /// There is no model that can be read.
    NoModel(String),
}

/// Describes for the player which encoder listens.
pub(super) fn describe(status: &EngineStatus, trouble: Option<&Trouble>) -> String {
    let engine = status.text();
    let running = matches!(status, EngineStatus::Running { .. });
    match (status, trouble) {
        (EngineStatus::Idle | EngineStatus::Running { .. }, None) => engine,
        (EngineStatus::Starting, None) => {
            format!("{engine} The built-in encoder listens until the engine is ready.")
        }
        (_, None) => format!("{engine} The built-in encoder listens in its place."),
        (_, Some(Trouble::OwnModel(reason))) if running => format!(
            "{engine} If it stops, the built-in encoder listens with the plugin's own model: {reason}."
        ),
        (_, Some(Trouble::OwnModel(reason))) => {
            format!("{engine} The built-in encoder listens with the plugin's own model: {reason}.")
        }
        (_, Some(Trouble::NoModel(reason))) if running => {
            format!("{engine} The built-in encoder can't replace the engine if it stops: {reason}.")
        }
        (_, Some(Trouble::NoModel(reason))) => format!(
            "{engine} The built-in encoder can't listen either, and the match holds: {reason}."
        ),
    }
}
