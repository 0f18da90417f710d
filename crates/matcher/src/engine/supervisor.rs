//! The engine thread: owns the child, gathers requests into batches, restarts it after crashes.

use super::process::Process;
use super::protocol::{Message, OUTPUT_LEN, PROTOCOL_VERSION};
use super::restarts::{MOST_CRASHES, Restarts};
use super::{
    Command, EngineStatus, Installation, PublishedState, REQUEST_TIMEOUT, Request, START_TIMEOUT,
    SharedStatus, WINDOW_TIMEOUT, engine_program,
};
use crate::model::{Contract, EncoderError, INPUT_LEN, Inference, MAX_BATCH};
use crossbeam_channel::{Receiver, never, select};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use synth::MATCHED_COUNT;

/// Interval at which an idle child is checked.
const LOOK: Duration = Duration::from_millis(250);

/// A batch that was sent and is not yet answered.
struct PendingBatch {
    id: u32,
    requests: Vec<Request>,
    deadline: Instant,
}

/// Phase of the engine thread, from which the published [`EngineStatus`] follows.
enum Phase {
    /// No child: idle, missing or stopped.
    Off,
    /// A child was sent `Hello` and has not answered.
    Starting { process: Process, started: Instant },
    /// A child answers requests.
    Running {
        process: Process,
        started: Instant,
        batch: Option<PendingBatch>,
    },
    /// No child before `until`, the time of its restart.
    Waiting { until: Instant },
}

pub(super) struct Supervisor {
    installation: Option<Installation>,
    shared: Arc<SharedStatus>,
    inbox: Receiver<Command>,
    phase: Phase,
    pending: VecDeque<Request>,
    restarts: Restarts,
    next_id: u32,
}

impl Supervisor {
    pub(super) fn new(
        installation: Option<Installation>,
        shared: Arc<SharedStatus>,
        inbox: Receiver<Command>,
    ) -> Self {
        let (phase, restarts) = (Phase::Off, Restarts::default());
        Self {
            installation,
            shared,
            inbox,
            phase,
            pending: VecDeque::new(),
            restarts,
            next_id: 0,
        }
    }

    /// Runs until the last handle is dropped.
    pub(super) fn run(mut self) {
        loop {
            self.send_batch();
            let answers = match &self.phase {
                Phase::Starting { process, .. } | Phase::Running { process, .. } => {
                    process.answers.clone()
                }
                _ => never(),
            };
            select! {
                recv(self.inbox) -> command => match command {
                    Ok(Command::Start) => self.start(matches!(self.status(), EngineStatus::Idle)),
                    Ok(Command::Restart) => self.restart(),
                    Ok(Command::Infer(request)) if matches!(self.phase, Phase::Running { .. }) => self.pending.push_back(request),
                    Ok(Command::Infer(request)) => refuse(vec![request], &self.status().text()),
                    Err(_) => return,
                },
                recv(answers) -> answer => self.answered(answer.unwrap_or_else(|_| Err(io::ErrorKind::UnexpectedEof.into()))),
                default(self.wait()) => self.look(),
            }
        }
    }

    fn status(&self) -> EngineStatus {
        self.shared.status.lock().status.clone()
    }

    fn publish(&self, state: PublishedState) {
        *self.shared.status.lock() = state;
    }

    /// Time until the next deadline or check.
    fn wait(&self) -> Duration {
        let until = match &self.phase {
            Phase::Off => return Duration::from_secs(3600),
            Phase::Starting { started, .. } => *started + START_TIMEOUT,
            Phase::Running {
                batch: Some(batch), ..
            } => batch.deadline,
            Phase::Running { .. } => return LOOK,
            Phase::Waiting { until } => *until,
        };
        until.saturating_duration_since(Instant::now())
    }

    /// Handles a missed deadline, a child that has ended, or a restart that is due.
    fn look(&mut self) {
        let now = Instant::now();
        let crash = match &mut self.phase {
            Phase::Starting { started, .. } if now >= *started + START_TIMEOUT => {
                format!("it did not get ready within {} s", START_TIMEOUT.as_secs())
            }
            Phase::Running {
                batch: Some(batch), ..
            } if now >= batch.deadline => "it did not answer in time".into(),
            Phase::Running {
                process,
                batch: None,
                ..
            } => match process.has_ended() {
                true => "it ended unexpectedly".into(),
                false => return,
            },
            Phase::Waiting { until } if now >= *until => return self.start(true),
            _ => return,
        };
        self.crash(&crash);
    }

    fn start(&mut self, wanted: bool) {
        if !wanted {
            return;
        }
        let Some(installation) = self.installation.clone() else {
            return self.stop(
                "the system names no data folder for this user, where the engine would be".into(),
            );
        };
        let program = installation.program.join(engine_program());
        if !program.is_file() {
            self.phase = Phase::Off;
            let status = EngineStatus::Missing {
                expected: installation.program,
            };
            return self.publish(PublishedState {
                status,
                ..PublishedState::default()
            });
        }
        let started = Instant::now();
        match Process::start(&installation) {
            Ok(process) => {
                self.publish(PublishedState {
                    status: EngineStatus::Starting,
                    pid: Some(process.id()),
                    ..PublishedState::default()
                });
                self.phase = Phase::Starting { process, started };
            }
            Err(e) => self.stop(format!("{} can't be started ({e})", program.display())),
        }
    }

    /// Ends the child, if there is one, and starts another.
    fn restart(&mut self) {
        let batch = match std::mem::replace(&mut self.phase, Phase::Off) {
            Phase::Running { batch, .. } => batch,
            _ => None,
        };
        self.start(true);
        self.refuse_all(batch);
    }

    /// Sends the requests that arrived during the last batch as the next one.
    fn send_batch(&mut self) {
        let Phase::Running {
            process,
            batch: batch @ None,
            ..
        } = &mut self.phase
        else {
            return;
        };
        let (mut windows, mut requests) = (Vec::new(), Vec::new());
        while let Some(request) = self.pending.front() {
            if windows.len() + request.windows.len() > MAX_BATCH * INPUT_LEN {
                break;
            }
            windows.extend_from_slice(&request.windows);
            requests.extend(self.pending.pop_front());
        }
        if requests.is_empty() {
            return;
        }
        self.next_id = self.next_id.wrapping_add(1);
        let id = self.next_id;
        let limit = REQUEST_TIMEOUT + WINDOW_TIMEOUT * (windows.len() / INPUT_LEN) as u32;
        process.ask(Message::Infer { id, windows });
        *batch = Some(PendingBatch {
            id,
            requests,
            deadline: Instant::now() + limit,
        });
    }

    fn answered(&mut self, answer: io::Result<Message>) {
        match answer {
            Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                self.crash(&format!("it sent an invalid message ({e})"));
            }
            Err(_) => self.crash("it ended unexpectedly"),
            Ok(Message::Failed { message }) => self.stop(message),
            Ok(Message::Ready {
                protocol,
                version,
                contract,
            }) if matches!(self.phase, Phase::Starting { .. }) => {
                self.ready(protocol, version, &contract);
            }
            Ok(Message::Inferred { id, values }) => self.inferred(id, &values),
            Ok(_) => self.crash("it sent an unexpected message"),
        }
    }

    fn ready(&mut self, protocol: u32, version: String, contract: &str) {
        if (protocol, version.as_str()) != (PROTOCOL_VERSION, env!("CARGO_PKG_VERSION")) {
            return self.stop(format!(
                "it is version {version} (protocol {protocol}), expected {} (protocol {PROTOCOL_VERSION}). \
                 Install this version's engine with `cargo xtask install`",
                env!("CARGO_PKG_VERSION")
            ));
        }
        let contract = match Contract::from_json(contract).and_then(|c| c.check().map(|()| c)) {
            Ok(contract) => contract,
            Err(e) => return self.stop(e.to_string()),
        };
        if let Phase::Starting { process, started } = std::mem::replace(&mut self.phase, Phase::Off)
        {
            self.publish(PublishedState {
                status: EngineStatus::Running { version },
                due: None,
                pid: Some(process.id()),
                contract: Some(Arc::new(contract)),
            });
            self.phase = Phase::Running {
                process,
                started,
                batch: None,
            };
        }
    }

    fn inferred(&mut self, id: u32, values: &[f32]) {
        let Phase::Running { batch, .. } = &mut self.phase else {
            return self.crash("it sent an answer without a request");
        };
        let expected = |b: &PendingBatch| {
            let windows: usize = b.requests.iter().map(|r| r.windows.len() / INPUT_LEN).sum();
            b.id == id
                && values.len() == windows * OUTPUT_LEN
                && values.iter().all(|v| v.is_finite())
        };
        if !batch.as_ref().is_some_and(expected) {
            return self.crash("its answer does not match the request");
        }
        let mut answers = values.chunks_exact(OUTPUT_LEN).map(|v| Inference {
            mean: std::array::from_fn(|i| v[i].clamp(0.0, 1.0)),
            sigma: std::array::from_fn(|i| v[MATCHED_COUNT + i].clamp(1e-3, 1.0)),
        });
        for request in batch.take().into_iter().flat_map(|b| b.requests) {
            let part = answers
                .by_ref()
                .take(request.windows.len() / INPUT_LEN)
                .collect();
            // Fails if the caller has gone.
            let _ = request.reply.send(Ok(part));
        }
    }

    /// Ends a failed child, and schedules a restart or gives up.
    fn crash(&mut self, what: &str) {
        let now = Instant::now();
        let (process, started, batch) = match std::mem::replace(&mut self.phase, Phase::Off) {
            Phase::Starting { process, started } => (process, started, None),
            Phase::Running {
                process,
                started,
                batch,
            } => (process, started, batch),
            phase => {
                self.phase = phase;
                return;
            }
        };
        let reason = format!("{what} ({})", process.post_mortem());
        match self.restarts.crashed(started, now) {
            Some(wait) => {
                let until = Instant::now() + wait;
                self.phase = Phase::Waiting { until };
                let status = EngineStatus::Restarting {
                    reason,
                    seconds: wait.as_secs(),
                };
                self.publish(PublishedState {
                    status,
                    due: Some(until),
                    ..PublishedState::default()
                });
            }
            None => {
                let reason = format!(
                    "it failed {MOST_CRASHES} times within a minute; the last time {reason}"
                );
                let status = EngineStatus::Stopped { reason };
                self.publish(PublishedState {
                    status,
                    ..PublishedState::default()
                });
            }
        }
        self.refuse_all(batch);
    }

    /// Stops the engine until the player clicks Restart.
    fn stop(&mut self, reason: String) {
        let batch = match std::mem::replace(&mut self.phase, Phase::Off) {
            Phase::Running { batch, .. } => batch,
            _ => None,
        };
        let reason = reason.trim_end_matches('.').into();
        self.publish(PublishedState {
            status: EngineStatus::Stopped { reason },
            ..PublishedState::default()
        });
        self.refuse_all(batch);
    }

    fn refuse_all(&mut self, batch: Option<PendingBatch>) {
        let text = self.status().text();
        refuse(batch.into_iter().flat_map(|b| b.requests), &text);
        refuse(self.pending.drain(..), &text);
    }
}

fn refuse(requests: impl IntoIterator<Item = Request>, text: &str) {
    for request in requests {
        let _ = request
            .reply
            .send(Err(EncoderError::Unavailable(text.into())));
    }
}
