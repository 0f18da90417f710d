//! Who answers the listener: the engine when it is up, and the built-in encoder whenever it is not, so that
//! no window goes without an answer.

use super::{Readiness, Runtime, Shared};
use crate::engine::{Answer, Engine, EngineStatus};
use crate::model::CONTRACT;
use crate::model::{BuiltinEncoder, BuiltinError, ModelFiles};
use crate::model::{Encoder, EncoderError, Inference};
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use ear::EarConfig;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Longest wait for the engine's answer while playing live. Between two windows lie 40 ms: an engine that
/// takes longer can't keep up, and what is left of an inference's 120 ms is enough for the built-in one.
const PATIENCE: Duration = Duration::from_millis(40);
/// The same offline, where nobody hears a wait and a bounce had better be the engine's throughout: less
/// than the audio thread waits.
const PATIENCE_OFFLINE: Duration = Duration::from_millis(200);

/// Where the listener's inferences come from.
pub(super) trait Source: Encoder {
    /// Whether inferences come, and the ear that they are made for, where that is known. Asked before
    /// each stretch of sound.
    fn poll_status(&mut self) -> (Readiness, Option<EarConfig>);
}

/// The engine, with the built-in encoder standing by.
pub(super) struct FallbackEncoder {
    engine: Engine,
    model: Option<ModelFiles>,
    shared: Arc<Shared>,
    /// `None` until there is something to hear.
    builtin: Option<Result<BuiltinEncoder, BuiltinError>>,
    /// Where the answer comes that the engine still owes.
    pending_reply: Option<Receiver<Answer>>,
}

impl FallbackEncoder {
    /// Nothing is started or read yet.
    pub(super) fn new(engine: Engine, model: Option<ModelFiles>, shared: Arc<Shared>) -> Self {
        Self {
            engine,
            model,
            shared,
            builtin: None,
            pending_reply: None,
        }
    }

    /// The model the engine serves; where there is none, the one given.
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
            // More questions would only queue up behind the first.
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
            // Offline the engine is waited for: it is the default.
            (EngineStatus::Idle | EngineStatus::Starting, _) => Readiness::Pending,
            (_, Some(_)) => Readiness::Ready,
            (_, None) => Readiness::Absent,
        };
        let served = self.engine.contract().map(|contract| contract.ear);
        (readiness, served.or(builtin.map(BuiltinEncoder::ear)))
    }
}

/// Describes for the player which encoder listens; `builtin_error` is the reason why the built-in one can't.
pub(super) fn describe(status: &EngineStatus, builtin_error: Option<&str>) -> String {
    let engine = status.text();
    match (status, builtin_error) {
        (EngineStatus::Idle | EngineStatus::Running { .. }, None) => engine,
        (EngineStatus::Starting, None) => {
            format!("{engine} The built-in encoder listens until it is there.")
        }
        (_, None) => format!("{engine} The built-in encoder listens in its place."),
        (EngineStatus::Running { .. }, Some(builtin_error)) => {
            format!("{engine} The built-in encoder can't stand by: {builtin_error}.")
        }
        (_, Some(builtin_error)) => {
            format!(
                "{engine} The built-in encoder can't listen either, and the match holds: {builtin_error}."
            )
        }
    }
}
