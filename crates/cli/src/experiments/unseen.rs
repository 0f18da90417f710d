//! Unseen patches of our own synthesizer: encoder and search against what needs no encoder.
//!
//! The sounds of a melody are compared with a library and with random patches in one go: each of
//! these plays the melody once, and is heard beside all of the sounds.

use super::sources::{self, Own, Subject};
use super::{ExperimentError, cache};
use crate::encoder::LoadedModel;
use crate::evaluate::EvaluateError;
use crate::parallel::{cores, side_by_side};
use ear::{EarConfig, EarError, Spectrogram};
use matcher::metric::likeness;
use matcher::search::{LONGEST_STEP, MAX_CANDIDATES, Options, Reference, SepCma};
use matcher::search::{candidates, infer_clip, patch_at, refine};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use synth::{MATCHED_COUNT, Note, Patch};

/// First steps of the blind search, normalised.
const STEP: f64 = 0.3;
/// Patches of the library rendered between two words of progress.
const AT_ONCE: usize = 500;
/// Sounds that play one melody.
const A_MELODY: u64 = 40;

/// Numbers of renders.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sizes {
    /// Most renders of ours, the encoder's candidates included.
    pub ours: usize,
    /// Random patches.
    pub random: usize,
    /// Patches of the library.
    pub library: usize,
    /// Renders of the blind search.
    pub blind: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            ours: 400,
            random: 1_000,
            library: 10_000,
            blind: 2_000,
        }
    }
}

/// Likenesses reached on one sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rivals {
    /// The sound.
    pub name: String,
    /// Encoder and search.
    pub ours: f32,
    /// Renders of the same.
    pub renders: usize,
    /// The default patch.
    pub default: f32,
    /// The best random patch.
    pub random: f32,
    /// The nearest patch of the library.
    pub library: f32,
    /// The best patch of a CMA-ES from the middle of all ranges.
    pub blind: f32,
}

impl Rivals {
    /// Names of the baselines.
    pub const NAMES: [&'static str; 4] = [
        "default patch",
        "best of the random patches",
        "nearest of the library",
        "CMA-ES",
    ];

    /// The baselines, in the order of the names.
    pub fn baselines(&self) -> [f32; 4] {
        [self.default, self.random, self.library, self.blind]
    }
}

/// Sounds of one melody.
pub struct Group {
    /// The notes of all.
    pub notes: Vec<Note>,
    /// The sounds.
    pub subjects: Vec<Subject>,
}

/// The first `count` sounds of `seed`, by melody.
pub fn groups(seed: u64, count: u64) -> Vec<Group> {
    let first = (0..count).step_by(A_MELODY as usize);
    let group = |first: u64| {
        let notes = sources::melody(seed, 1_000_000 + first / A_MELODY);
        let range = first..count.min(first + A_MELODY);
        let own = |i| sources::own(Own::Unseen, seed, i, notes.clone());
        Group {
            subjects: range.map(own).collect(),
            notes,
        }
    };
    first.map(group).collect()
}

impl Group {
    /// Hashes of all that decides the group's results beside the program.
    pub fn fingerprint(&self, sizes: &Sizes) -> String {
        let each = self.subjects.iter();
        let each: Vec<String> = each
            .map(|s| cache::fingerprint(&s.clip.mono, &self.notes))
            .collect();
        format!("{sizes:?} {}", each.concat())
    }

    /// Likeness of the best random patch and of the nearest of the library, for each sound.
    /// `progress` is told the share that is done.
    pub fn nearest(
        &self,
        seed: u64,
        sizes: &Sizes,
        ear: &EarConfig,
        mut progress: impl FnMut(f64),
    ) -> Result<Vec<(f32, f32)>, ExperimentError> {
        let references = self.references(ear)?;
        let heard: Vec<Spectrogram> = self
            .subjects
            .iter()
            .map(|s| ear::spectrogram(ear, &s.clip.mono, s.clip.rate, false))
            .collect::<Result<_, EarError>>()
            .map_err(EvaluateError::from)?;
        let Some(first) = references.first() else {
            return Ok(Vec::new());
        };
        let (rate, total) = (sources::RATE, sizes.library + sizes.random);
        let mut best = vec![(f32::MIN, f32::MIN); heard.len()];
        let indices: Vec<usize> = (0..total).collect();
        for indices in indices.chunks(AT_ONCE) {
            let played = side_by_side(cores(), indices, |&i| -> Result<Vec<f32>, EarError> {
                let patch = sources::random_patch(seed, i as u64);
                let mono = first.render(&self.notes, &patch.into());
                let answer = ear::spectrogram(ear, &mono, rate, false)?;
                Ok(heard.iter().map(|h| likeness(h, &answer)).collect())
            });
            let played = played.into_iter().collect::<Result<Vec<_>, EarError>>();
            let played = played.map_err(EvaluateError::from)?;
            for (&i, row) in indices.iter().zip(&played) {
                for ((random, library), &value) in best.iter_mut().zip(row) {
                    let best = if i < sizes.library { library } else { random };
                    *best = best.max(value);
                }
            }
            progress((indices[indices.len() - 1] + 1) as f64 / total as f64);
        }
        Ok(best)
    }

    fn references(&self, ear: &EarConfig) -> Result<Vec<Reference>, ExperimentError> {
        let of = |s: &Subject| Reference::new(&s.clip.mono, s.clip.rate, ear);
        let all: Result<Vec<Reference>, EarError> = self.subjects.iter().map(of).collect();
        Ok(all.map_err(EvaluateError::from)?)
    }
}

/// Measures one sound; `nearest` are the likenesses of its best random patch and of the nearest of
/// the library.
pub fn rivals(
    subject: &Subject,
    notes: &[Note],
    (random, library): (f32, f32),
    sizes: &Sizes,
    model: &mut LoadedModel,
) -> Result<Rivals, ExperimentError> {
    let (clip, ear) = (&subject.clip, &model.contract.ear);
    let heard = ear::spectrogram(ear, &clip.mono, clip.rate, false).map_err(EvaluateError::from)?;
    let silent = || EvaluateError::Silent(clip.name.clone());
    let inferred = infer_clip(&heard, &mut model.encoder)
        .map_err(EvaluateError::from)?
        .ok_or_else(silent)?;
    let reference = Reference::new(&clip.mono, clip.rate, ear).map_err(EvaluateError::from)?;
    let threads = cores();
    let starts = candidates(&reference, notes, &inferred, &mut model.encoder, threads)
        .map_err(EvaluateError::from)?;
    // The best candidate is rendered once more to begin the corrections. A step that has begun is
    // ended, beyond the limit too.
    let spent = MAX_CANDIDATES + 1;
    let options = Options {
        renders: Some(sizes.ours.saturating_sub(spent + LONGEST_STEP)),
        threads,
        ..Options::around(&inferred.whole)
    };
    let found = refine(&reference, notes, &starts, &options, |_| true);
    let found = found.map_err(EvaluateError::from)?;
    let default = reference.score_of(notes, &Patch::default().into());
    Ok(Rivals {
        name: subject.name.clone(),
        ours: found.score.likeness,
        renders: spent + found.renders,
        default: default.map_err(EvaluateError::from)?.likeness,
        random,
        library,
        blind: blind(&reference, notes, sizes.blind).map_err(EvaluateError::from)?,
    })
}

/// Likeness of the best of `renders` renders of a CMA-ES that begins in the middle of all ranges,
/// for the objective that our own search has.
fn blind(reference: &Reference, notes: &[Note], renders: usize) -> Result<f32, EarError> {
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let patch = Patch::default();
    let mut cma = SepCma::new(&[0.5; MATCHED_COUNT], &[STEP; MATCHED_COUNT]);
    let (mut best, mut likeness, mut done) = (f32::MIN, f32::MIN, 0);
    while done < renders {
        let samples = cma.ask(&mut rng);
        let scores = side_by_side(cores(), &samples, |sample| {
            reference.score_of(notes, &patch_at(&patch, &sample.point).into())
        });
        let scores = scores.into_iter().collect::<Result<Vec<_>, EarError>>()?;
        for score in scores.iter().take(renders - done) {
            if score.objective() > best {
                (best, likeness) = (score.objective(), score.likeness);
            }
        }
        let costs: Vec<f64> = scores.iter().map(|s| -f64::from(s.objective())).collect();
        cma.tell(&samples, &costs);
        done += samples.len();
    }
    Ok(likeness)
}
