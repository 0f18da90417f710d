//! The listener's encoder: asks the engine while it runs, and the built-in encoder otherwise, so
//! that every window is answered.

use super::{LoopState, Readiness, Runtime};
use crate::engine::{Answer, Engine, EngineStatus};
use crate::model::CONTRACT;
use crate::model::{BuiltinEncoder, BuiltinError, ModelFiles};
use crate::model::{Encoder, EncoderError, Inference};
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use ear::EarConfig;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Longest wait for the engine's answer while playing live. Windows are 40 ms apart: an engine that
/// takes longer can't keep up, and the rest of an inference's 120 ms is enough for the built-in
/// encoder.
const PATIENCE: Duration = Duration::from_millis(40);
/// Longest wait for the engine's answer offline, where a wait is inaudible and a bounce should use
/// the engine throughout: less than the audio thread waits.
const PATIENCE_OFFLINE: Duration = Duration::from_millis(200);

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
            pending_reply: None,
        }
    }

    /// Loads the model that the engine serves or, if there is none, the given one.
    fn load(&self) -> Result<BuiltinEncoder, BuiltinError> {
        let folder = self.engine.model_folder().unwrap_or_default();
        match self.model {
            Some(model) if !folder.join(CONTRACT).exists() => BuiltinEncoder::from_memory(model),
            _ => BuiltinEncoder::from_folder(&folder),
        }
    }

    fn ask_engine(&mut self, windows: &[u8]) -> Answer {
        let Some(Ok(_)) = self.builtin else {
            return self.engine.encoder().infer(windows);
        };
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
            true => PATIENCE_OFFLINE,
            false => PATIENCE,
        };
        match answer.recv_timeout(patience) {
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
        let (answer, by) = match (self.ask_engine(windows), &mut self.builtin) {
            (Ok(answer), _) => (answer, Runtime::Engine),
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
        if self.shared.reload.swap(false, Ordering::AcqRel) {
            self.builtin = None;
        }
        if self.builtin.is_none() {
            let builtin = self.load();
            let builtin_error = builtin.as_ref().err().map(ToString::to_string);
            self.shared.shown.lock().builtin_error = builtin_error;
            self.builtin = Some(builtin);
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

/// Describes for the player which encoder listens; `builtin_error` is the reason why the built-in
/// one can't.
pub(super) fn describe(status: &EngineStatus, builtin_error: Option<&str>) -> String {
    let engine = status.text();
    match (status, builtin_error) {
        (EngineStatus::Idle | EngineStatus::Running { .. }, None) => engine,
        (EngineStatus::Starting, None) => {
            format!("{engine} The built-in encoder listens until the engine is ready.")
        }
        (_, None) => format!("{engine} The built-in encoder listens in its place."),
        (EngineStatus::Running { .. }, Some(builtin_error)) => {
            format!(
                "{engine} The built-in encoder can't replace the engine if it stops: {builtin_error}."
            )
        }
        (_, Some(builtin_error)) => {
            format!(
                "{engine} The built-in encoder can't listen either, and the match holds: {builtin_error}."
            )
        }
    }
}
