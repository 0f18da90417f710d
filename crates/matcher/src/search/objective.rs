//! What a search is about: a sound, and how well another matches it.

use crate::metric::likeness;
use crate::metric::mel::{FLOOR_DB, Mel, Profile};
use ear::{EarConfig, EarError, Spectrogram};
use synth::{Automation, Note};

/// Seed of the renders' phases and noise: all patches are compared with the same.
pub const RENDER_SEED: u64 = 1;

/// A sound to be matched, heard once.
pub struct Reference {
    pub(super) rate: f64,
    pub(super) samples: Vec<f32>,
    pub(super) ear: EarConfig,
    pub(super) heard: Spectrogram,
    mel: Mel,
    profile: Profile,
}

/// How well a sound matches its reference.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Score {
    /// [`crate::metric::likeness`], at most 1.
    pub likeness: f32,
    /// [`crate::metric::mel_distance`] in dB, at least 0.
    pub mel: f32,
}

impl Score {
    /// What the search raises: half likeness, half log-mel similarity, which is 1 minus the distance over the
    /// largest one there is, 80 dB.
    pub fn objective(&self) -> f32 {
        0.5 * self.likeness + 0.5 * (1.0 - self.mel / FLOOR_DB)
    }

    /// [`Score::objective`], less for what is worse than `first`: the way back there is uphill.
    pub(super) fn worth(&self, first: &Self) -> f32 {
        /// How much more a loss counts than a gain.
        const LOSS: f32 = 4.0;
        let likeness = (first.likeness - self.likeness).max(0.0);
        let mel = (self.mel - first.mel).max(0.0) / FLOOR_DB;
        self.objective() - 0.5 * LOSS * (likeness + mel)
    }

    /// Whether neither half is worse than `other`'s.
    pub fn no_worse(&self, other: &Self) -> bool {
        self.likeness >= other.likeness && self.mel <= other.mel
    }
}

impl Reference {
    /// Hears a mono clip at `rate` Hz. Fails where [`ear::spectrogram`] does.
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

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / self.rate
    }

    /// The clip's first `seconds` from just before the first of `notes`, and the notes that sound in them;
    /// `None` where that is most of it, or no note.
    pub(super) fn beginning(
        &self,
        notes: &[Note],
        seconds: f64,
    ) -> Result<Option<(Self, Vec<Note>)>, EarError> {
        /// Before the first note, in seconds: for the ear, and a note that began earlier than heard.
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

    /// Compares another mono clip at the same rate.
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

    /// Compares what [`Reference::render`] gives.
    pub fn score_of(&self, notes: &[Note], automation: &Automation) -> Result<Score, EarError> {
        self.score(&self.render(notes, automation))
    }
}
