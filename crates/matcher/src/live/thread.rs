//! The listener thread: takes sound and marks from the audio thread, and sends back due inferences.

use super::listener::{Listener, StepResult};
use super::resynthesis::LEAST_LIKENESS;
use super::searching::Shared;
use super::status::{Deafness, HoldReason, Status};
use super::{
    DELAY, Due, LoopState, Mark, MarkKind, Readiness, Runtime, SHOWN_FRAMES, fallback::Source,
};
use crate::model::EncoderError;
use ear::{CHANNELS, EarConfig, PitchFrame};
use rtrb::{Consumer, Producer};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Interval at which the ring is polled: a block of the audio thread doesn't wake the listener.
const POLL: Duration = Duration::from_millis(3);
/// Largest number of samples heard between two checks for commands.
const PIECE: usize = 1024;

pub(super) struct ListenerThread {
    sample_rate: f64,
    shared: Arc<LoopState>,
    samples: Consumer<f32>,
    marks: Consumer<Mark>,
    due: Producer<Due>,
    /// `None` if the ear can't work at this sample rate.
    listener: Option<Listener<Box<dyn Source>>>,
    ear: EarConfig,
    /// Number of samples taken from the ring.
    taken: u64,
    /// Position up to which the stream is heard.
    position: u64,
    /// Position of the stream's start.
    base: u64,
    /// Position where the ear was last reset.
    origin: u64,
    generation: u32,
    listening: bool,
}

impl ListenerThread {
    pub(super) fn new(
        sample_rate: f64,
        source: Box<dyn Source>,
        shared: Arc<LoopState>,
        (samples, marks, due): (Consumer<f32>, Consumer<Mark>, Producer<Due>),
        search: bool,
    ) -> Self {
        let ear = EarConfig::default();
        let (listener, status) = match Listener::new(&ear, sample_rate, source) {
            Ok(mut listener) => {
                if search {
                    listener.search_with(Shared::new(shared.clone()));
                }
                (Some(listener), Status::Waiting)
            }
            Err(e) => (None, Status::NotListening(Deafness::Ear(e))),
        };
        shared.shown.lock().status = status;
        Self {
            sample_rate,
            shared,
            samples,
            marks,
            due,
            listener,
            ear,
            taken: 0,
            position: 0,
            base: 0,
            origin: 0,
            generation: 0,
            listening: true,
        }
    }

    /// Replaces the ear by the model's; frames are counted from here.
    fn listen_with(&mut self, ear: EarConfig) {
        self.ear = ear;
        self.shared.shown.lock().ear = ear;
        self.origin = self.position;
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

    pub(super) fn run(mut self) {
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
                std::thread::park_timeout(POLL);
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
        let Some(listener) = self.listener.as_mut().filter(|_| listening) else {
            return self.set_readiness(Readiness::Absent);
        };
        // The engine is not started before there is something to hear.
        if self.position == 0 && self.samples.slots() == 0 {
            return;
        }
        let (readiness, ear) = listener.encoder().poll_status();
        if let Some(ear) = ear.filter(|ear| *ear != self.ear) {
            self.listen_with(ear);
        }
        self.set_readiness(readiness);
    }

    fn restart(&mut self) {
        self.origin = self.position;
        if let Some(listener) = &mut self.listener {
            listener.reset();
        }
    }

    fn pass(&mut self, mark: MarkKind) {
        match mark {
            MarkKind::Gap(mut length) => {
                // Heard as silence, so that every later frame keeps its time.
                let silence = [0.0; PIECE];
                while length > 0 && !self.shared.stop.load(Ordering::Acquire) {
                    let n = length.min(PIECE as u64);
                    self.hear(&silence[..n as usize]);
                    length -= n;
                }
            }
            MarkKind::Reset(base) => {
                self.position = base;
                self.base = base;
                self.restart();
            }
            MarkKind::Set(settings) => {
                if let Some(listener) = &mut self.listener {
                    listener.set(&settings);
                }
            }
        }
    }

    fn hear(&mut self, mono: &[f32]) {
        self.position += mono.len() as u64;
        if self.listening
            && let Some(listener) = &mut self.listener
        {
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
        let news = self
            .listener
            .as_mut()
            .and_then(Listener::take_changed_sounds);
        if let Some(sounds) = news
            && self.shared.restored.lock().is_none()
        {
            *self.shared.sounds.lock() = sounds;
        }
        self.shared.heard.store(self.position, Ordering::Release);
    }
}

fn show_frame(shared: &LoopState, spectrum: &[f32; CHANNELS], pitch: PitchFrame) {
    let mut shown = shared.shown.lock();
    if shown.frames.len() == SHOWN_FRAMES {
        shown.frames.pop_front();
    }
    shown.frames.push_back(*spectrum);
    shown.heard += 1;
    shown.pitch = pitch;
}

fn show_inference(shared: &LoopState, heard: &Result<StepResult, EncoderError>) {
    let mut shown = shared.shown.lock();
    shown.status = match heard {
        Err(_) if shared.ready() => Status::Holding(HoldReason::NoAnswer),
        Err(_) => Status::Holding(HoldReason::NoEncoder),
        Ok(heard) if heard.silent => Status::Holding(HoldReason::Silence),
        Ok(heard) if heard.likeness.is_some_and(|l| l < LEAST_LIKENESS) => {
            Status::Holding(HoldReason::NotAMelody)
        }
        Ok(heard) if !heard.moved => Status::Holding(HoldReason::Unsure),
        Ok(_) => Status::Following(shown.answering.unwrap_or(Runtime::Engine)),
    };
    if let Ok(heard) = heard {
        shown.confidence = heard.confidence;
        shown.likeness = heard.likeness;
    }
}
