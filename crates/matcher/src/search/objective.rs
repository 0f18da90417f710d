//! The objective of a search: the score of a render against a reference sound.

use crate::metric::likeness;
use crate::metric::mel::{FLOOR_DB, Mel, Profile};
use ear::{EarConfig, EarError, Spectrogram};
use synth::{Automation, Note, Patch};

/// Seed of the renders' phases and noise, shared by all patches that are compared.
pub const RENDER_SEED: u64 = 1;

/// A mono clip to be matched, with its spectrogram and mel profile.
pub struct Reference {
    pub(super) rate: f64,
    pub(super) samples: Vec<f32>,
    pub(super) ear: EarConfig,
    pub(super) heard: Spectrogram,
    mel: Mel,
    profile: Profile,
}

/// Score of a sound against its reference.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Score {
    /// Likeness ([`crate::metric::likeness`]), -1 to 1.
    pub likeness: f32,
    /// Mel distance ([`crate::metric::mel_distance`]) in dB, 0 to 80.
    pub mel: f32,
}

/// Objective to maximise: half likeness, half log-mel similarity, which is 1 minus the distance
/// over the largest possible distance, 80 dB.
pub(super) fn objective(likeness: f32, mel: f32) -> f32 {
    0.5 * likeness + 0.5 * (1.0 - mel / FLOOR_DB)
}

impl Score {
    /// Lowest possible score.
    pub(super) const WORST: Self = Self {
        likeness: -1.0,
        mel: FLOOR_DB,
    };

    /// Half likeness, half log-mel similarity: the value that a search maximises, at most 1.
    pub fn objective(&self) -> f32 {
        objective(self.likeness, self.mel)
    }

    /// Objective with a penalty for each half that is worse than the baseline's, so that a search
    /// is led back to where neither is.
    pub(super) fn penalized(&self, baseline: &Self) -> f32 {
        /// Weight of a loss relative to a gain.
        const LOSS: f32 = 4.0;
        let likeness = (baseline.likeness - self.likeness).max(0.0);
        let mel = (self.mel - baseline.mel).max(0.0) / FLOOR_DB;
        self.objective() - 0.5 * LOSS * (likeness + mel)
    }

    /// Returns whether neither half is worse than `other`'s.
    pub fn no_worse(&self, other: &Self) -> bool {
        self.likeness >= other.likeness && self.mel <= other.mel
    }
}

/// A patch and its score.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) patch: Patch,
    pub(super) score: Score,
}

impl Reference {
    /// Analyses a mono clip at `rate` Hz. Fails where [`ear::spectrogram`] does.
    pub fn new(samples: &[f32], rate: f64, ear: &EarConfig) -> Result<Self, EarError> {
        let heard = ear::spectrogram(ear, samples, rate, false)?;
        let mel = Mel::new(rate);
        let profile = mel.profile(samples);
        Ok(Self {
            rate,
            samples: samples.to_vec(),
            ear: *ear,
            heard,
            mel,
            profile,
        })
    }

    /// Length of the clip in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / self.rate
    }

    /// Cuts the first `seconds` of the clip from shortly before the first of `notes`, and the notes
    /// that begin in them; `None` where that is most of the clip, or there are no notes.
    pub(super) fn beginning(
        &self,
        notes: &[Note],
        seconds: f64,
    ) -> Result<Option<(Self, Vec<Note>)>, EarError> {
        /// Seconds before the first note: for the ear, and a note that began earlier than
        /// transcribed.
        const LEAD: f64 = 0.05;
        let first = notes.iter().map(|n| n.onset).fold(f64::INFINITY, f64::min);
        let from = (first - LEAD).max(0.0);
        if from + 1.5 * seconds >= self.seconds() {
            return Ok(None);
        }
        let sample = |time: f64| ((time * self.rate) as usize).min(self.samples.len());
        let from = sample(from) as f64 / self.rate;
        let part = &self.samples[sample(from)..sample(from + seconds)];
        let notes = notes
            .iter()
            .map(|n| Note {
                onset: n.onset - from,
                ..*n
            })
            .filter(|n| n.onset < seconds)
            .collect();
        Ok(Some((Self::new(part, self.rate, &self.ear)?, notes)))
    }

    /// Scores another mono clip at the same rate. Fails where [`ear::spectrogram`] does.
    pub fn score(&self, samples: &[f32]) -> Result<Score, EarError> {
        let heard = ear::spectrogram(&self.ear, samples, self.rate, false)?;
        Ok(Score {
            likeness: likeness(&self.heard, &heard),
            mel: self.profile.distance(&self.mel.profile(samples)),
        })
    }

    /// Renders `notes` with `automation` at the reference's length and rate, in mono.
    pub fn render(&self, notes: &[Note], automation: &Automation) -> Vec<f32> {
        let (seconds, rate) = (self.seconds(), self.rate as f32);
        synth::to_mono(automation.render(notes, seconds, rate, RENDER_SEED))
    }

    /// Scores the render that [`Reference::render`] makes.
    pub fn score_of(&self, notes: &[Note], automation: &Automation) -> Result<Score, EarError> {
        self.score(&self.render(notes, automation))
    }
}
