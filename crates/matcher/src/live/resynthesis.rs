//! Confidence from resynthesis: the inferred patch plays the notes of the last second, and the
//! render is compared with that second. Sounds that the synthesizer can't follow (noise, speech,
//! chords) show here however sure the encoder is.

use crate::metric::likeness;
use crate::metric::melody;
use crate::model::WINDOW_FRAMES;
use ear::{CHANNELS, Ear, EarConfig, EarError, PitchFrame, Spectrogram};
use std::collections::VecDeque;
use synth::{Batch, Job, Patch};

/// Likeness below which the match holds.
pub const LEAST_LIKENESS: f32 = 0.5;
/// Rate of the renders in Hz: the ear's own, which spares half of the samples and a resampling.
const RATE: f64 = 16_000.0;
/// Number of warm-up frames that the ear hears before those that are compared.
const WARM: usize = 16;
/// Number of frames kept: the second that is compared, and the one before it, in which its first
/// note may have begun.
const FRAMES: usize = 2 * WINDOW_FRAMES;

/// Keeps the last frames heard, and judges patches by them.
pub struct Resynthesis {
    config: EarConfig,
    frame_rate: f64,
    /// Number of frames by which pitches come later than spectra.
    delay: usize,
    /// Number of frames taken, up to `delay`: the first `delay` bring no pitch.
    taken: usize,
    cells: VecDeque<f32>,
    /// Pitches of the frames in `cells`, without the last `delay` ones.
    pitch: VecDeque<PitchFrame>,
    /// Made when it is first needed.
    batch: Option<Batch>,
    renders: Vec<Vec<f32>>,
}

impl Resynthesis {
    /// Creates a judge for frames of `ear`, which was made from `config`.
    pub fn new(config: &EarConfig, ear: &Ear) -> Self {
        let delay = ear.pitch_delay();
        Self {
            config: *config,
            frame_rate: ear.frame_rate(),
            delay,
            taken: 0,
            cells: VecDeque::with_capacity((FRAMES + delay) * CHANNELS),
            pitch: VecDeque::with_capacity(FRAMES),
            batch: None,
            renders: Vec::new(),
        }
    }

    /// Takes a frame of the ear, whose `pitch` is that of an earlier frame.
    pub fn take(&mut self, spectrum: &[f32; CHANNELS], pitch: PitchFrame) {
        if self.pitch.len() == FRAMES {
            self.cells.drain(..CHANNELS);
            self.pitch.pop_front();
        }
        self.cells.extend(spectrum);
        if self.taken < self.delay {
            self.taken += 1;
        } else {
            self.pitch.push_back(pitch);
        }
    }

    /// Forgets every frame, as after the ear's reset.
    pub fn clear(&mut self) {
        self.taken = 0;
        self.cells.clear();
        self.pitch.clear();
    }

    /// Likeness, -1 to 1, of the last `frames` frames (a second at most) to renders of their notes
    /// with each of `patches`; 0 without notes. Takes some milliseconds. Fails where the ear can't
    /// be created.
    pub fn likenesses(&mut self, frames: usize, patches: &[Patch]) -> Result<Vec<f32>, EarError> {
        let heard = Spectrogram {
            data: self
                .cells
                .iter()
                .take(self.pitch.len() * CHANNELS)
                .copied()
                .collect(),
            pitch: self.pitch.iter().copied().collect(),
            frame_rate: self.frame_rate,
        };
        let notes = melody(&heard);
        if notes.is_empty() {
            return Ok(vec![0.0; patches.len()]);
        }
        let seconds = heard.frames() as f64 / self.frame_rate;
        let frames = frames.min(WINDOW_FRAMES);
        let first = heard.frames().saturating_sub(frames + WARM);
        let from = (first as f64 * RATE / self.frame_rate).round() as usize;
        let newest = |s: &Spectrogram| {
            let from = s.frames().saturating_sub(frames) * CHANNELS;
            Spectrogram {
                data: s.data[from..].to_vec(),
                pitch: Vec::new(),
                frame_rate: s.frame_rate,
            }
        };
        let heard = newest(&heard);
        let jobs: Vec<Job<'_>> = patches
            .iter()
            .map(|patch| Job {
                patch,
                notes: &notes,
                seconds,
                seed: 1,
            })
            .collect();
        let batch = self.batch.get_or_insert_with(|| Batch::new(RATE as f32));
        batch.render_mono(&jobs, &mut self.renders);
        let mut all = Vec::with_capacity(patches.len());
        for mono in &self.renders[..patches.len()] {
            let played =
                ear::spectrogram(&self.config, &mono[from.min(mono.len())..], RATE, false)?;
            all.push(likeness(&heard, &newest(&played)));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use synth::Note;

    fn judge(sound: &[f32], patch: &Patch) -> f32 {
        let config = EarConfig::default();
        let mut ear = Ear::new(&config, RATE, true).unwrap();
        let mut judge = Resynthesis::new(&config, &ear);
        ear.process(sound, |frame| judge.take(frame.spectrum, frame.pitch));
        judge.likenesses(WINDOW_FRAMES, &[*patch]).unwrap()[0]
    }

    fn notes(keys: &[f32], seconds: f64) -> Vec<Note> {
        (0..8)
            .flat_map(|i| {
                keys.iter().map(move |key| Note {
                    onset: 0.05 + seconds * i as f64,
                    duration: 0.9 * seconds,
                    key: key + [0.0, 4.0, -3.0, 7.0][i % 4],
                    velocity: 0.8,
                })
            })
            .collect()
    }

    #[test]
    fn the_right_patch_is_trusted_and_noise_is_not() {
        let patch = Patch::default();
        let [melody, _] = synth::render(&patch, &notes(&[60.0], 0.4), 3.0, RATE as f32, 7);
        assert!(judge(&melody, &patch) > 0.9);

        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        let noise: Vec<f32> = (0..96_000).map(|_| rng.random_range(-0.3..0.3)).collect();
        assert!(judge(&noise, &patch) < LEAST_LIKENESS);
        assert_eq!(judge(&[0.0; 96_000], &patch), 0.0);
    }
}
