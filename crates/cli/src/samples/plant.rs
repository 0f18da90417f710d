//! The plant, in control theory the system that a model learns to imitate: the real synthesizer,
//! heard by the real ear.

use ear::{CHANNELS, Ear, EarConfig, EarError};
use matcher::quantize_window;
use matcher::{INPUT_LEN, WINDOW_FRAMES};
use synth::params::AMP_RELEASE;
use synth::{Batch, Job, Note, PARAMS, Patch};

/// Rate of training renders in Hz: twice the ear's, so that nothing it hears is cut off.
pub const RENDER_RATE: f64 = 32_000.0;
/// Samples per frame at [`RENDER_RATE`].
const FRAME_SAMPLES: usize = 256;
/// Seconds per frame: 8 ms.
pub const FRAME: f64 = FRAME_SAMPLES as f64 / RENDER_RATE;
/// Frames heard before the window, for the filters to settle.
const LEAD_FRAMES: usize = 16;
/// Longest stretch of a melody played before a window, in seconds.
const HISTORY: f64 = 4.0;

/// Loudest cell, in linear ear units, of a window in which nothing sounds.
const INAUDIBLE: f32 = 1e-5;

/// A quantised window: `INPUT_LEN` bytes.
pub type Window = Box<[u8]>;

/// Notes, and where the window is cut out of them.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Phrase {
    /// Notes in order of onset; times count from the start of the render.
    pub notes: Vec<Note>,
    /// Start of the window in seconds.
    pub start: f64,
    /// Chooses oscillator phases and noise.
    pub seed: u64,
}

impl Phrase {
    /// The part of a melody that sounds in the window at `start`: notes up to 4 s before it, with
    /// time counted from the first of them.
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

/// A phrase to render with a patch.
pub struct Render<'a> {
    /// Patch to play.
    pub patch: &'a Patch,
    /// Notes and window.
    pub phrase: &'a Phrase,
    /// True if notes that end before the window are rendered too: reverberation lasts longer.
    pub whole: bool,
}

/// Renders and hears. One per thread.
pub struct Plant {
    batch: Batch,
    /// Buffers of the last batch.
    rendered: Vec<Vec<f32>>,
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
            batch: Batch::new(RENDER_RATE as f32),
            rendered: Vec::new(),
            ear,
            delay,
            frames: Vec::with_capacity((LEAD_FRAMES + WINDOW_FRAMES + 1) * CHANNELS),
        })
    }

    /// Mono audio of each phrase from its start to its window's end, silent before the first note
    /// that is rendered. A render has the same samples in any batch; large batches are faster.
    pub fn play(&mut self, renders: &[Render<'_>]) -> Vec<Vec<f32>> {
        let parts: Vec<Part> = renders.iter().map(|r| self.part(r)).collect();
        let mut order: Vec<usize> = (0..renders.len()).collect();
        order.sort_by(|&a, &b| parts[a].seconds.total_cmp(&parts[b].seconds));
        let jobs: Vec<Job<'_>> = order
            .iter()
            .map(|&i| Job {
                patch: renders[i].patch,
                notes: &parts[i].notes,
                seconds: parts[i].seconds,
                seed: renders[i].phrase.seed,
            })
            .collect();
        self.batch.render_mono(&jobs, &mut self.rendered);
        let mut played = vec![Vec::new(); renders.len()];
        for (&i, rendered) in order.iter().zip(&self.rendered) {
            played[i] = vec![0.0; parts[i].before];
            played[i].extend_from_slice(rendered);
        }
        played
    }

    /// The part of a phrase that has to be rendered for its window.
    fn part(&self, render: &Render<'_>) -> Part {
        let Render {
            patch,
            phrase,
            whole,
        } = render;
        let seconds = phrase.start + window_seconds() + self.delay as f64 / RENDER_RATE;
        // A voice is over when its release is; the ear begins to listen a little before the window.
        let release = PARAMS[AMP_RELEASE].plain(patch.get(AMP_RELEASE)) as f64;
        let heard_from = phrase.start - (LEAD_FRAMES * FRAME_SAMPLES) as f64 / RENDER_RATE;
        let mut notes: Vec<Note> = phrase
            .notes
            .iter()
            .filter(|n| *whole || n.onset + n.duration + release > heard_from)
            .copied()
            .collect();
        let first = notes.iter().map(|n| n.onset).fold(heard_from, f64::min);
        let before = (first.max(0.0) * RENDER_RATE) as usize;
        for n in &mut notes {
            n.onset -= before as f64 / RENDER_RATE;
        }
        Part {
            notes,
            before,
            seconds: seconds - before as f64 / RENDER_RATE,
        }
    }

    /// The window of `audio` that starts at `start` seconds, in linear ear units.
    fn hear(&mut self, audio: &[f32], start: f64) -> &[f32] {
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

    /// The window of `audio` that starts at `start` seconds, quantised.
    pub fn window(&mut self, audio: &[f32], start: f64) -> Window {
        let mut out = vec![0; INPUT_LEN].into_boxed_slice();
        quantize_window(self.hear(audio, start), &mut out);
        out
    }

    /// [`Plant::window`], unless nothing sounds in it: a closed filter, a pause.
    pub fn audible_window(&mut self, audio: &[f32], start: f64) -> Option<Window> {
        let mut out = vec![0; INPUT_LEN].into_boxed_slice();
        let heard = self.hear(audio, start);
        let loudest = heard.iter().fold(0.0f32, |m, &v| m.max(v));
        quantize_window(heard, &mut out);
        (loudest >= INAUDIBLE).then_some(out)
    }
}

/// The part of a phrase that is rendered.
struct Part {
    /// Times from the start of the render.
    notes: Vec<Note>,
    /// Samples from the phrase's start to the render's.
    before: usize,
    /// Length in seconds.
    seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::babble::rng;
    use synth::params::NOISE_LEVEL;

    fn phrase(notes: &[(f64, f64)], start: f64) -> Phrase {
        let note = |&(onset, duration)| Note {
            onset,
            duration,
            key: 60.0,
            velocity: 0.8,
        };
        Phrase {
            notes: notes.iter().map(note).collect(),
            start,
            seed: 1,
        }
    }

    #[test]
    fn what_is_over_before_the_window_is_left_out_and_not_missed() {
        let mut plant = Plant::new(&EarConfig::default()).unwrap();
        let mut patch = Patch::default();
        // Noise goes on from note to note; all else of a voice begins with it.
        patch.set_plain(NOISE_LEVEL, 0.0);
        patch.set_plain(AMP_RELEASE, 0.5);
        // The second note is let go 0.7 s before the window, the third as it begins.
        let phrase = phrase(&[(0.0, 0.3), (0.4, 0.9), (1.2, 0.8), (2.1, 0.4)], 2.0);
        let mut render = |whole| {
            let audio = plant
                .play(&[Render {
                    patch: &patch,
                    phrase: &phrase,
                    whole,
                }])
                .remove(0);
            let sounding = audio.iter().position(|s| *s != 0.0).unwrap();
            (sounding, audio.len(), plant.window(&audio, phrase.start))
        };
        let (whole, part) = (render(true), render(false));
        assert!(whole.0 < 100, "{}", whole.0);
        assert!(part.0.abs_diff(38_400) < 100, "{}", part.0);
        assert_eq!(whole.1, part.1);
        assert!(whole.2 == part.2, "the window is another");
    }

    #[test]
    fn a_render_is_the_same_whatever_is_rendered_beside_it() {
        let mut plant = Plant::new(&EarConfig::default()).unwrap();
        let patches: Vec<Patch> = (0..20).map(|i| Patch::random(&mut rng(1, 1, i))).collect();
        let phrases: Vec<Phrase> = (0..20)
            .map(|i| phrase(&[(0.1 * i as f64, 0.5), (0.1 * i as f64 + 0.6, 1.0)], 1.0))
            .collect();
        let renders: Vec<Render<'_>> = patches
            .iter()
            .zip(&phrases)
            .map(|(patch, phrase)| Render {
                patch,
                phrase,
                whole: false,
            })
            .collect();
        let together = plant.play(&renders);
        for (render, together) in renders.iter().zip(&together) {
            let alone = plant.play(std::slice::from_ref(render)).remove(0);
            assert!(alone == *together);
        }
    }
}
