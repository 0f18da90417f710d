//! The listener thread: takes sound and marks from the audio thread, and sends back due inferences.

use super::listener::{Listener, StepResult};
use super::matching::State;
use super::rest::{Part, Rest};
use super::searching::Shared;
use super::status::{Deafness, HoldReason, Status};
use super::target::Settings;
use super::{
    DELAY, Due, LoopState, Mark, MarkKind, Readiness, Runtime, SHOWN_FRAMES, fallback::Source,
};
use crate::model::{EncoderError, HOP_FRAMES};
use ear::{CHANNELS, EarConfig, PitchFrame};
use rtrb::{Consumer, Producer};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Interval at which the ring is polled: a block of the audio thread doesn't wake the listener.
const POLL: Duration = Duration::from_millis(3);
/// The interval while nothing sounds. Of an inference's 120 ms the ear takes 40, and the encoder
/// little: the first one of a sound is in time all the same.
const POLL_AT_REST: Duration = Duration::from_millis(50);
/// Number of panics within [`FAULTS_WITHIN`] after which the listener stays ended.
const MOST_FAULTS: usize = 3;
const FAULTS_WITHIN: Duration = Duration::from_secs(60);
/// Largest number of samples heard between two checks for commands.
const PIECE: usize = 1024;

/// Makes the listener's source; `None` where it can't be made once more.
pub(super) type MakeSource = Box<dyn FnMut() -> Option<Box<dyn Source>> + Send>;

pub(super) struct ListenerThread {
    sample_rate: f64,
    make_source: MakeSource,
    shared: Arc<LoopState>,
    samples: Consumer<f32>,
    marks: Consumer<Mark>,
    due: Producer<Due>,
    /// `None` if the ear can't work at this sample rate, or failed too often.
    listener: Option<Listener<Box<dyn Source>>>,
    rest: Rest,
    /// Whether anything sounded yet: until then neither engine nor model is needed.
    sounded: bool,
    /// Times of the latest panics.
    faults: Vec<Instant>,
    ear: EarConfig,
    /// Number of samples taken from the ring.
    taken: u64,
    /// Position up to which the stream is heard.
    position: u64,
    /// Position up to which what was taken from the ring and the marks goes.
    until: u64,
    /// Position of the stream's start.
    base: u64,
    /// Position where the ear was last reset.
    origin: u64,
    generation: u32,
    listening: bool,
    /// Whether sounds are searched.
    search: bool,
    /// Latest settings of the player.
    settings: Option<Settings>,
}

impl ListenerThread {
    pub(super) fn new(
        sample_rate: f64,
        make_source: MakeSource,
        shared: Arc<LoopState>,
        (samples, marks, due): (Consumer<f32>, Consumer<Mark>, Producer<Due>),
        search: bool,
    ) -> Self {
        let mut thread = Self {
            sample_rate,
            make_source,
            shared,
            samples,
            marks,
            due,
            listener: None,
            rest: Rest::new(sample_rate),
            sounded: false,
            faults: Vec::new(),
            ear: EarConfig::default(),
            taken: 0,
            position: 0,
            until: 0,
            base: 0,
            origin: 0,
            generation: 0,
            listening: true,
            search,
            settings: None,
        };
        thread.begin();
        thread
    }

    /// Makes a listener that has heard nothing.
    fn begin(&mut self) {
        let Some(source) = (self.make_source)() else {
            return;
        };
        self.origin = self.position;
        self.rest.restart();
        self.sounded = false;
        let status = match Listener::new(&self.ear, self.sample_rate, source) {
            Ok(mut listener) => {
                if self.search {
                    listener.search_with(Shared::new(self.shared.clone()));
                }
                listener.set_sounds(&self.shared.sounds.lock());
                if let Some(settings) = &self.settings {
                    listener.set(settings);
                }
                self.listener = Some(listener);
                Status::Waiting
            }
            Err(e) => Status::NotListening(Deafness::Ear(e)),
        };
        self.set_status(status);
    }

    /// Replaces the ear by the model's; frames are counted from here.
    fn listen_with(&mut self, ear: EarConfig) {
        self.ear = ear;
        self.shared.shown.lock().ear = ear;
        // At rest it is heard from where the rest began.
        self.origin = self.position - self.rest.left_out();
        if let Some(listener) = &mut self.listener
            && let Err(e) = listener.set_ear(&ear, self.sample_rate)
        {
            self.listener = None;
            self.set_status(Status::NotListening(Deafness::Ear(e)));
        }
    }

    fn set_status(&self, status: Status) {
        self.shared.shown.lock().status = status;
    }

    fn set_readiness(&self, readiness: Readiness) {
        self.shared
            .readiness
            .store(readiness as u8, Ordering::Release);
    }

    /// Runs until the owner ends it. A panic costs what was heard, not the match: it is said, and
    /// the listener begins again, unless that happens too often.
    pub(super) fn run(mut self) {
        while let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.listen())) {
            let now = Instant::now();
            self.faults
                .retain(|at| now.duration_since(*at) < FAULTS_WITHIN);
            self.faults.push(now);
            self.listener = None;
            // What was not heard of the last piece is passed over.
            self.position = self.until;
            self.shared.heard.store(self.position, Ordering::Release);
            self.shared.shown.lock().faults += 1;
            if self.faults.len() < MOST_FAULTS {
                self.begin();
            }
            if self.listener.is_none() {
                self.set_status(Status::NotListening(Deafness::Fault(said(&*panic))));
            }
        }
    }

    fn listen(&mut self) {
        let mut piece = vec![0.0; PIECE];
        while !self.shared.stop.load(Ordering::Acquire) {
            self.follow_commands();
            // The ring before the marks: a mark is queued before the samples that follow it.
            let available = self.samples.slots() as u64;
            let mark = self.marks.peek().ok().copied();
            let until_mark = mark.map_or(u64::MAX, |m| m.at - self.taken);
            let n = available.min(until_mark).min(PIECE as u64) as usize;
            if n > 0 {
                if self.samples.pop_entire_slice(&mut piece[..n]).is_ok() {
                    self.taken += n as u64;
                    self.hear(&piece[..n]);
                }
            } else if let Some(mark) = mark.filter(|m| m.at == self.taken) {
                let _ = self.marks.pop();
                self.pass(mark.kind);
            } else {
                let idle = !self.listening || self.listener.is_none() || self.rest.is_resting();
                std::thread::park_timeout(if idle { POLL_AT_REST } else { POLL });
            }
        }
    }

    /// Follows the owner's commands and polls the encoder's status.
    fn follow_commands(&mut self) {
        let generation = self.shared.generation.load(Ordering::Acquire);
        if generation != self.generation {
            self.generation = generation;
            if let Some(listener) = &mut self.listener {
                listener.clear();
            }
        }
        if let (Some(listener), Some(sounds)) =
            (&mut self.listener, self.shared.restored.lock().take())
        {
            listener.set_sounds(&sounds);
        }
        let listening = !self.shared.listening_off.load(Ordering::Acquire);
        if listening != self.listening {
            self.listening = listening;
            self.restart();
            self.set_status(match listening {
                true => Status::Waiting,
                false => Status::Off,
            });
        }
        // At the player's click one that failed too often begins again.
        if self.listener.is_none()
            && !self.faults.is_empty()
            && self.shared.reload.swap(false, Ordering::AcqRel)
        {
            self.faults.clear();
            self.begin();
        }
        let Some(listener) = self.listener.as_mut().filter(|_| listening) else {
            return self.set_readiness(Readiness::Absent);
        };
        // Silence needs no encoder: the engine is not started before something sounds.
        if !self.sounded {
            return self.set_readiness(Readiness::Resting);
        }
        let (readiness, ear) = listener.encoder().poll_status();
        if let Some(ear) = ear.filter(|ear| *ear != self.ear) {
            self.listen_with(ear);
        }
        self.set_readiness(readiness);
    }

    fn restart(&mut self) {
        self.origin = self.position;
        self.rest.restart();
        if let Some(listener) = &mut self.listener {
            listener.reset();
        }
    }

    fn pass(&mut self, mark: MarkKind) {
        match mark {
            MarkKind::Gap(mut length) => {
                // Heard as silence, so that every later frame keeps its time.
                self.until = self.position + length;
                let silence = [0.0; PIECE];
                while length > 0 && !self.shared.stop.load(Ordering::Acquire) {
                    let n = length.min(PIECE as u64);
                    self.hear(&silence[..n as usize]);
                    length -= n;
                }
            }
            MarkKind::Reset(base) => {
                (self.position, self.until) = (base, base);
                self.base = base;
                self.restart();
            }
            MarkKind::Set(settings) => {
                self.settings = Some(settings);
                if let Some(listener) = &mut self.listener {
                    listener.set(&settings);
                }
            }
        }
    }

    /// Hears the next samples of the stream, without the silence that can be left out.
    fn hear(&mut self, mut mono: &[f32]) {
        self.until = self.until.max(self.position + mono.len() as u64);
        while !mono.is_empty() && self.listening && self.listener.is_some() {
            if self.rest.ends_with(mono) {
                self.end_rest();
            }
            let n = match self.rest.part(mono) {
                Part::LeftOut(n) => n,
                Part::Heard(n) => {
                    self.step(&mono[..n]);
                    n
                }
            };
            self.position += n as u64;
            mono = &mono[n..];
        }
        let news = self
            .listener
            .as_mut()
            .and_then(Listener::take_changed_sounds);
        if let Some(sounds) = news
            && self.shared.restored.lock().is_none()
        {
            *self.shared.sounds.lock() = sounds;
        }
        self.position += mono.len() as u64;
        self.shared.heard.store(self.position, Ordering::Release);
    }

    /// Ends a rest: passes over the hops that were left out, and hears the remainder of the last
    /// one.
    fn end_rest(&mut self) {
        if !self.sounded {
            self.sounded = true;
            self.follow_commands();
        }
        let Some(listener) = &self.listener else {
            return;
        };
        let hop = HOP_FRAMES as f64 / listener.frame_rate() * self.sample_rate;
        let left_out = self.rest.end();
        let passed = ((left_out as f64 / hop).floor() * hop).round() as u64;
        self.origin += passed;
        let mut silence = left_out.saturating_sub(passed) as usize;
        while silence > 0 {
            let n = silence.min(PIECE);
            self.step(&[0.0; PIECE][..n]);
            silence -= n;
        }
    }

    fn step(&mut self, mono: &[f32]) {
        let Some(listener) = &mut self.listener else {
            return;
        };
        let (shared, due) = (&self.shared, &mut self.due);
        let (base, origin, generation) = (self.base, self.origin, self.generation);
        let (sample_rate, frame_rate) = (self.sample_rate, listener.frame_rate());
        listener.step(
            mono,
            |spectrum, pitch| show_frame(shared, spectrum, pitch),
            |heard| {
                show_inference(shared, &heard);
                let Ok(StepResult {
                    frame,
                    target: Some(target),
                    moved: true,
                    ..
                }) = heard
                else {
                    return;
                };
                let after = (frame as f64 / frame_rate + DELAY) * sample_rate;
                let position = origin + after.round() as u64;
                // Full only when the audio thread takes nothing: then nothing is played either.
                let _ = due.push(Due {
                    position,
                    base,
                    generation,
                    target,
                });
            },
        );
    }
}

/// Returns the message of a panic.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

fn show_frame(shared: &LoopState, spectrum: &[f32; CHANNELS], pitch: PitchFrame) {
    let mut shown = shared.shown.lock();
    if shown.frames.len() == SHOWN_FRAMES {
        shown.frames.pop_front();
        shown.melody.pop_front();
    }
    shown.frames.push_back(*spectrum);
    let voiced = pitch.voiced && pitch.hz > 0.0;
    shown
        .melody
        .push_back(if voiced { pitch.key() } else { f32::NAN });
    shown.heard += 1;
    shown.pitch = pitch;
}

fn show_inference(shared: &LoopState, heard: &Result<StepResult, EncoderError>) {
    let mut shown = shared.shown.lock();
    shown.status = match heard {
        Err(_) if shared.ready() => Status::Holding(HoldReason::NoAnswer),
        Err(_) => Status::Holding(HoldReason::NoEncoder),
        Ok(heard) if heard.silent => Status::Holding(HoldReason::Silence),
        Ok(heard) => match heard.state {
            State::Holding(reason) => Status::Holding(reason),
            State::Following => Status::Following(shown.answering.unwrap_or(Runtime::Engine)),
            State::Matched { searching } => Status::Matched { searching },
        },
    };
    if let Ok(heard) = heard {
        if heard.confidence > 0.0 {
            shown.confidence = heard.confidence;
        }
        shown.likeness = heard.likeness;
        shown.of_knobs = heard.of_knobs;
    }
}
