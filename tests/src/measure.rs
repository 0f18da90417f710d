//! Similarity of a rendering to its reference, and the baselines of the match.

use crate::melody::{Melody, RATE, SECONDS};
use ear::{EarConfig, Spectrogram};
use matcher::metric::{likeness, mel_distance, pitch_agreement};
use rand::SeedableRng;
use synth::Patch;

/// Number of seeded random patches of the baseline.
pub const RANDOM_PATCHES: usize = 50;

/// A reference with its spectrogram.
pub struct Reference<'a> {
    melody: &'a Melody,
    heard: Spectrogram,
}

/// Figures of one rendering against its reference (docs/metrics.md).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Likeness of the auditory spectrograms, at most 1.
    pub likeness: f32,
    /// Multi-scale log-mel distance in dB.
    pub mel: f32,
    /// Share of the reference's voiced frames in which the rendering is within 50 cents, 0 to 1.
    pub pitch: f32,
}

/// The spectrogram, with pitch, of mono sound at [`RATE`] by the metrics' ear (docs/metrics.md).
///
/// # Panics
/// When the ear refuses its default settings.
pub fn hear(samples: &[f32]) -> Spectrogram {
    ear::spectrogram(&EarConfig::default(), samples, RATE as f64, true)
        .expect("the default settings are valid")
}

/// Mixes the channels to mono.
pub fn mono(channels: &[Vec<f32>]) -> Vec<f32> {
    let gain = 1.0 / channels.len() as f32;
    (0..channels[0].len())
        .map(|i| gain * channels.iter().map(|c| c[i]).sum::<f32>())
        .collect()
}

impl<'a> Reference<'a> {
    /// Computes the spectrogram of `melody`.
    pub fn new(melody: &'a Melody) -> Self {
        Self {
            melody,
            heard: hear(&melody.samples),
        }
    }

    /// Compares a mono rendering of the same length, from the first sample to the last.
    pub fn score(&self, rendering: &[f32]) -> Score {
        let heard = hear(rendering);
        Score {
            likeness: likeness(&self.heard, &heard),
            mel: mel_distance(&self.melody.samples, rendering, RATE as f64),
            pitch: pitch_agreement(&self.heard, &heard),
        }
    }

    /// Median likeness of [`RANDOM_PATCHES`] seeded random patches with the same notes.
    pub fn median_random(&self) -> f32 {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        let mut all: Vec<f32> = (0..RANDOM_PATCHES)
            .map(|_| {
                let patch = Patch::random(&mut rng);
                let out = synth::render(&patch, &self.melody.notes, SECONDS, RATE as f32, 1);
                likeness(&self.heard, &hear(&mono(&out)))
            })
            .collect();
        all.sort_by(f32::total_cmp);
        0.5 * (all[RANDOM_PATCHES / 2 - 1] + all[RANDOM_PATCHES / 2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::melody::foreign;

    #[test]
    fn a_clip_scores_best_against_itself_and_low_against_another() {
        let melodies = foreign();
        for (i, melody) in melodies.iter().enumerate() {
            let reference = Reference::new(melody);
            let same = reference.score(&melody.samples);
            assert!(
                same.likeness > 0.9999 && same.mel < 0.01 && same.pitch == 1.0,
                "{same:?}"
            );
            let other = reference.score(&melodies[(i + 1) % melodies.len()].samples);
            assert!(
                other.likeness < 0.7 && other.mel > 3.0,
                "{}: {other:?}",
                melody.instrument
            );
        }
    }
}
