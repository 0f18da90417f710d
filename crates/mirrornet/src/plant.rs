//! The plant: the real synthesizer heard by the real ear, as the trainer sees it.

use ear::{CHANNELS, Ear, EarConfig, EarError};
use matcher::contract::quantize_window;
use matcher::{INPUT_LEN, WINDOW_FRAMES};
use synth::{Note, Patch};

/// Rate of training renders in Hz: twice the ear's, so that nothing it hears is cut off.
pub const RENDER_RATE: f64 = 32_000.0;
/// Samples per frame at [`RENDER_RATE`].
const FRAME_SAMPLES: usize = 256;
/// Frames heard before the window, for the filters to settle.
const LEAD_FRAMES: usize = 16;
/// Longest stretch of a melody played before a window, in seconds.
const HISTORY: f64 = 4.0;

/// A quantised window: `INPUT_LEN` bytes.
pub type Window = Box<[u8]>;

/// Notes, and where the window is cut out of them.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Phrase {
    /// In order of onset; times from the start of the render.
    pub notes: Vec<Note>,
    /// Start of the window in seconds.
    pub start: f64,
    /// Chooses oscillator phases and noise.
    pub seed: u64,
}

impl Phrase {
    /// The part of a melody that sounds in the window at `start`: notes up to 4 s before it, with time
    /// counted from the first of them.
    pub fn excerpt(melody: &[Note], start: f64, seed: u64) -> Self {
        let end = start + window_seconds();
        let mut notes: Vec<Note> = melody
            .iter()
            .filter(|n| n.onset < end && n.onset + n.duration > start - 2.0)
            .copied()
            .collect();
        for n in &mut notes {
            let late = (start - HISTORY - n.onset).max(0.0);
            n.onset += late;
            n.duration -= late;
        }
        notes.retain(|n| n.duration > 0.0);
        let base = notes.iter().map(|n| n.onset).fold(start, f64::min);
        for n in &mut notes {
            n.onset -= base;
        }
        Self {
            notes,
            start: start - base,
            seed,
        }
    }
}

/// Seconds of a window.
pub fn window_seconds() -> f64 {
    (WINDOW_FRAMES * FRAME_SAMPLES) as f64 / RENDER_RATE
}

/// Renders and hears. One per thread.
pub struct Plant {
    ear: Ear,
    delay: usize,
    frames: Vec<f32>,
}

impl Plant {
    /// A plant with this ear.
    pub fn new(config: &EarConfig) -> Result<Self, EarError> {
        let ear = Ear::new(config, RENDER_RATE, false)?;
        let delay = (ear.delay() * RENDER_RATE).round() as usize;
        Ok(Self {
            ear,
            delay,
            frames: Vec::with_capacity((LEAD_FRAMES + WINDOW_FRAMES + 1) * CHANNELS),
        })
    }

    /// Mono audio of `phrase` from its start to its window's end.
    pub fn play(&self, patch: &Patch, phrase: &Phrase) -> Vec<f32> {
        let seconds = phrase.start + window_seconds() + self.delay as f64 / RENDER_RATE;
        synth::render_mono(
            patch,
            &phrase.notes,
            seconds,
            RENDER_RATE as f32,
            phrase.seed,
        )
    }

    /// The window of `audio` that starts at `start` seconds, in linear ear units.
    pub fn hear(&mut self, audio: &[f32], start: f64) -> &[f32] {
        const ZEROS: [f32; FRAME_SAMPLES] = [0.0; FRAME_SAMPLES];
        let wanted = (LEAD_FRAMES + WINDOW_FRAMES) * CHANNELS;
        let from = (start * RENDER_RATE).round() as i64 + self.delay as i64
            - (LEAD_FRAMES * FRAME_SAMPLES) as i64;
        let frames = &mut self.frames;
        frames.clear();
        self.ear.reset();
        for _ in 0..(-from).max(0) / FRAME_SAMPLES as i64 {
            self.ear
                .process(&ZEROS, |f| frames.extend_from_slice(f.spectrum));
        }
        let rest = (-from).max(0) as usize % FRAME_SAMPLES;
        self.ear
            .process(&ZEROS[..rest], |f| frames.extend_from_slice(f.spectrum));
        let begin = (from.max(0) as usize).min(audio.len());
        let end = (from + ((LEAD_FRAMES + WINDOW_FRAMES) * FRAME_SAMPLES) as i64).max(0) as usize;
        self.ear.process(&audio[begin..end.min(audio.len())], |f| {
            frames.extend_from_slice(f.spectrum);
        });
        while frames.len() < wanted {
            self.ear
                .process(&ZEROS, |f| frames.extend_from_slice(f.spectrum));
        }
        &frames[LEAD_FRAMES * CHANNELS..wanted]
    }

    /// [`Plant::hear`], quantised.
    pub fn window(&mut self, audio: &[f32], start: f64) -> Window {
        let mut out = vec![0; INPUT_LEN].into_boxed_slice();
        quantize_window(self.hear(audio, start), &mut out);
        out
    }
}
