//! The listener thread: takes sound and marks from the audio thread, and sends back what is due.

use super::listener::{Heard, Listener};
use super::resynthesis::LEAST_LIKENESS;
use super::{
    DELAY, Due, Mark, MarkKind, Readiness, Runtime, SHOWN_FRAMES, Shared, fallback::Source,
};
use crate::model::EncoderError;
use ear::{CHANNELS, EarConfig, PitchFrame};
use rtrb::{Consumer, Producer};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often the ring is looked at: a block of the audio thread wakes nobody.
const POLL: Duration = Duration::from_millis(3);
/// State before anything was heard.
const WAITING: &str = "waiting for a reference";
/// Most samples heard between two looks at the commands.
const PIECE: usize = 1024;

pub(super) struct Worker {
    sample_rate: f64,
    shared: Arc<Shared>,
    samples: Consumer<f32>,
    marks: Consumer<Mark>,
    due: Producer<Due>,
    /// `None`: this rate can't be heard.
    listener: Option<Listener<Box<dyn Source>>>,
    ear: EarConfig,
    /// Samples taken from the ring.
    taken: u64,
    /// Position up to which the stream is heard.
    position: u64,
    /// Position of the stream's start.
    base: u64,
    /// Position where the ear was last reset.
    origin: u64,
    clears: u32,
    listening: bool,
}

impl Worker {
    pub(super) fn new(
        sample_rate: f64,
        source: Box<dyn Source>,
        shared: Arc<Shared>,
        (samples, marks, due): (Consumer<f32>, Consumer<Mark>, Producer<Due>),
    ) -> Self {
        let ear = EarConfig::default();
        let (listener, state) = match Listener::new(&ear, sample_rate, source) {
            Ok(listener) => (Some(listener), WAITING.into()),
            Err(e) => (None, format!("not listening: {e}")),
        };
        shared.shown.lock().state = state;
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
            clears: 0,
            listening: true,
        }
    }

    /// Listens with the model's ear: frames are counted from here.
    fn listen_with(&mut self, ear: EarConfig) {
        self.ear = ear;
        self.shared.shown.lock().ear = ear;
        self.origin = self.position;
        if let Some(listener) = &mut self.listener
            && let Err(e) = listener.set_ear(&ear, self.sample_rate)
        {
            self.listener = None;
            self.say(&format!("not listening: {e}"));
        }
    }

    fn say(&self, state: &str) {
        let mut shown = self.shared.shown.lock();
        if shown.state != state {
            shown.state = state.into();
        }
    }

    fn set_readiness(&self, readiness: Readiness) {
        self.shared
            .readiness
            .store(readiness as u8, Ordering::Release);
    }

    pub(super) fn run(mut self) {
        let mut piece = vec![0.0; PIECE];
        while !self.shared.stop.load(Ordering::Acquire) {
            self.obey();
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

    /// Takes note of what the owner wants and of where the engine stands.
    fn obey(&mut self) {
        let clears = self.shared.clears.load(Ordering::Acquire);
        if clears != self.clears {
            self.clears = clears;
            if let Some(listener) = &mut self.listener {
                listener.clear();
            }
        }
        let listening = !self.shared.deaf.load(Ordering::Acquire);
        if listening != self.listening {
            self.listening = listening;
            self.restart();
            self.say(if listening { WAITING } else { "off" });
        }
        let Some(listener) = self.listener.as_mut().filter(|_| listening) else {
            return self.set_readiness(Readiness::Absent);
        };
        // Nothing is asked of the engine before there is something to hear.
        if self.position == 0 && self.samples.slots() == 0 {
            return;
        }
        let (readiness, ear) = listener.encoder().stand();
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
        }
    }

    fn hear(&mut self, mono: &[f32]) {
        self.position += mono.len() as u64;
        if self.listening
            && let Some(listener) = &mut self.listener
        {
            let (shared, due) = (&self.shared, &mut self.due);
            let (base, origin, clears) = (self.base, self.origin, self.clears);
            let (sample_rate, frame_rate) = (self.sample_rate, listener.frame_rate());
            listener.step(
                mono,
                |spectrum, pitch| show_frame(shared, spectrum, pitch),
                |heard| {
                    show_inference(shared, &heard, clears);
                    let Ok(Heard {
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
                        clears,
                        target,
                    });
                },
            );
        }
        self.shared.heard.store(self.position, Ordering::Release);
    }
}

fn show_frame(shared: &Shared, spectrum: &[f32; CHANNELS], pitch: PitchFrame) {
    let mut shown = shared.shown.lock();
    if shown.frames.len() == SHOWN_FRAMES {
        shown.frames.pop_front();
    }
    shown.frames.push_back(*spectrum);
    shown.heard += 1;
    shown.pitch = pitch;
}

fn show_inference(shared: &Shared, heard: &Result<Heard, EncoderError>, clears: u32) {
    let mut shown = shared.shown.lock();
    let state = match heard {
        Err(_) if shared.ready() => "holding: the engine gave no answer",
        Err(_) => "holding: the engine is not running",
        Ok(heard) if heard.silent => "holding: silence",
        Ok(heard) if heard.likeness.is_some_and(|l| l < LEAST_LIKENESS) => {
            "holding: not a melody that this synth can play"
        }
        Ok(heard) if !heard.moved => "holding: not sure enough",
        Ok(_) if shown.answering == Some(Runtime::Builtin) => "following, by the built-in encoder",
        Ok(_) => "following",
    };
    if shown.state != state {
        shown.state = state.into();
    }
    if let Ok(heard) = heard {
        shown.confidence = heard.confidence;
        shown.likeness = heard.likeness;
        // After a clear that this thread has not seen yet, what it holds is void.
        if shared.clears.load(Ordering::Acquire) == clears {
            shown.inference = heard.target.map(|t| t.inference);
        }
    }
}
