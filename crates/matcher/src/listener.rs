//! Samples -> ear -> window -> encoder -> inference. No threads here: `step` is testable alone.

use crate::contract::{HOP_FRAMES, INPUT_LEN, WINDOW_FRAMES, quantize_window};
use crate::encoder::{Encoder, EncoderError, Inference};
use crate::tracker::Tracker;
use ear::{CHANNELS, Ear, EarConfig, EarError, PitchFrame};

/// RMS level in dBFS below which a frame counts as silence.
pub const SILENCE_DB: f32 = -60.0;
/// So many silent frames (0.5 s) at a window's end hold the match: the sound is over.
const SILENT_FRAMES: usize = 64;
/// Confidence below which a window does not move the match.
pub const MIN_CONFIDENCE: f32 = 0.1;

/// What a step brought.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// Frames heard since reset, up to and including the window's last.
    pub frame: u64,
    /// The smoothed inference now held; `None` until a window was good enough.
    pub inference: Option<Inference>,
    /// Confidence of the newest window, 0 to 1; 0 for silence.
    pub confidence: f32,
    /// Whether the newest window was good enough to move the held inference.
    pub moved: bool,
    /// Whether the newest window was held for silence; the encoder was not asked.
    pub silent: bool,
}

/// Listens to one reference.
pub struct Listener<E> {
    ear: Ear,
    hearing: Hearing<E>,
}

/// What comes after the ear.
struct Hearing<E> {
    encoder: E,
    /// The last frames; frame `n` at row `n % WINDOW_FRAMES`. Zero before the stream's start.
    ring: Vec<f32>,
    /// Frames since the last one above [`SILENCE_DB`].
    silent: usize,
    frames: u64,
    window: Vec<f32>,
    input: Vec<u8>,
    tracker: Tracker,
}

impl<E: Encoder> Listener<E> {
    /// `input_rate` of the samples to come, Hz. Fails where [`Ear::new`] does.
    pub fn new(ear: &EarConfig, input_rate: f64, encoder: E) -> Result<Self, EarError> {
        let hearing = Hearing {
            encoder,
            ring: vec![0.0; INPUT_LEN],
            silent: SILENT_FRAMES,
            frames: 0,
            window: vec![0.0; INPUT_LEN],
            input: vec![0; INPUT_LEN],
            tracker: Tracker::default(),
        };
        Ok(Self {
            ear: Ear::new(ear, input_rate, true)?,
            hearing,
        })
    }

    /// Hears `mono`; calls `on_frame` for each frame, and `on_inference` after every [`HOP_FRAMES`]-th.
    /// An encoder error is handed on and the samples are not lost for the next window.
    pub fn step(
        &mut self,
        mono: &[f32],
        mut on_frame: impl FnMut(&[f32; CHANNELS], PitchFrame),
        mut on_inference: impl FnMut(Result<Heard, EncoderError>),
    ) {
        let hearing = &mut self.hearing;
        self.ear.process(mono, |frame| {
            hearing.take(frame.spectrum, frame.pitch);
            on_frame(frame.spectrum, frame.pitch);
            if hearing.frames.is_multiple_of(HOP_FRAMES as u64) {
                on_inference(hearing.infer());
            }
        });
    }

    /// Frames per second.
    pub fn frame_rate(&self) -> f64 {
        self.ear.frame_rate()
    }

    /// Forgets everything heard and held.
    pub fn reset(&mut self) {
        self.ear.reset();
        self.hearing.ring.fill(0.0);
        self.hearing.silent = SILENT_FRAMES;
        self.hearing.frames = 0;
        self.hearing.tracker.clear();
    }

    /// Forgets the held inference only.
    pub fn clear(&mut self) {
        self.hearing.tracker.clear();
    }
}

impl<E: Encoder> Hearing<E> {
    fn take(&mut self, spectrum: &[f32; CHANNELS], pitch: PitchFrame) {
        let row = (self.frames % WINDOW_FRAMES as u64) as usize;
        self.ring[row * CHANNELS..][..CHANNELS].copy_from_slice(spectrum);
        self.silent = if pitch.level_db > SILENCE_DB {
            0
        } else {
            self.silent + 1
        };
        self.frames += 1;
    }

    fn infer(&mut self) -> Result<Heard, EncoderError> {
        let silent = self.silent >= SILENT_FRAMES;
        let mut confidence = 0.0;
        let mut moved = false;
        if !silent {
            // Oldest frame first.
            let split = (self.frames % WINDOW_FRAMES as u64) as usize * CHANNELS;
            let (newer, older) = self.ring.split_at(split);
            self.window[..older.len()].copy_from_slice(older);
            self.window[older.len()..].copy_from_slice(newer);
            quantize_window(&self.window, &mut self.input);
            let answer = self.encoder.infer(&self.input)?;
            let [seen] = answer.as_slice() else {
                return Err(EncoderError::Unavailable(format!(
                    "{} answers to one window",
                    answer.len()
                )));
            };
            confidence = seen.confidence();
            moved = confidence >= MIN_CONFIDENCE;
            if moved {
                self.tracker.update(seen);
            }
        }
        let inference = self.tracker.held().copied();
        Ok(Heard {
            frame: self.frames,
            inference,
            confidence,
            moved,
            silent,
        })
    }
}
