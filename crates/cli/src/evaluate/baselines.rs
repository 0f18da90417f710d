//! Baselines for the encoder: what random patches and an evolution strategy without an encoder
//! reach on sounds of our own synthesizer, with the notes known.

use super::{Clip, EvaluateError, own_clip};
use ear::EarConfig;
use matcher::Encoder;
use matcher::search::SepCma;
use matcher::search::infer_clip;
use matcher::search::{Options, Reference, candidates, patch_at, refine};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;
use std::time::{Duration, Instant};
use synth::{MATCHED_COUNT, Note, Patch};

/// Length of the sounds in seconds, as the paper's.
const SECONDS: f64 = 2.0;
/// Random patches, of which the best counts.
const RANDOM: usize = 1_000;
/// Renders of the blind search, and its first steps, normalised.
const BLIND: usize = 2_000;
const BLIND_STEP: f64 = 0.3;
/// Refinement of the encoder's answers, on one core; choosing the first of them is part of it.
const REFINED: Duration = Duration::from_secs(2);

/// Likenesses that the encoder and the baselines reach on one sound.
#[derive(Clone, Debug, Serialize)]
pub struct Baselines {
    /// The sound.
    pub name: String,
    /// The encoder's one answer to the whole sound, as it comes.
    pub one: f32,
    /// The encoder alone: the most alike of its answers, of which at most
    /// [`matcher::search::MAX_CANDIDATES`] are played.
    pub encoder: f32,
    /// The best of 1,000 random patches.
    pub random: f32,
    /// The encoder and 2 s of search on one core.
    pub refined: f32,
    /// CMA-ES from the default patch for the same objective, 2,000 renders.
    pub blind: f32,
}

/// Measures the first seconds of own clip `index` of `seed`.
pub fn baselines(
    seed: u64,
    index: u64,
    ear: &EarConfig,
    encoder: &mut impl Encoder,
) -> Result<Baselines, EvaluateError> {
    let Clip {
        name,
        mono,
        rate,
        notes,
    } = own_clip(seed, index, false);
    let mono = &mono[..(SECONDS * rate) as usize];
    let mut notes = notes.unwrap_or_default();
    notes.retain(|n| n.onset < SECONDS);
    let heard = ear::spectrogram(ear, mono, rate, false)?;
    let inferred =
        infer_clip(&heard, encoder)?.ok_or_else(|| EvaluateError::Silent(name.clone()))?;
    let reference = Reference::new(mono, rate, ear)?;
    let likeness = |patch: Patch| {
        reference
            .score_of(&notes, &patch.into())
            .map(|s| s.likeness)
    };

    let mut rng = Pcg64Mcg::seed_from_u64(seed ^ index.rotate_left(32));
    let mut random = f32::MIN;
    for _ in 0..RANDOM {
        random = random.max(likeness(Patch::random(&mut rng))?);
    }
    let began = Instant::now();
    let starts = candidates(&reference, &notes, &inferred, encoder, 1)?;
    let options = Options {
        time: Some(REFINED.saturating_sub(began.elapsed())),
        ..Options::around(&inferred.whole)
    };
    let refined = refine(&reference, &notes, &starts, &options, |_| true)?;
    Ok(Baselines {
        one: likeness(Patch::default().with_matched(&inferred.whole.mean))?,
        encoder: likeness(starts[0])?,
        random,
        refined: refined.score.likeness,
        blind: blind(&reference, &notes, &mut rng)?,
        name,
    })
}

/// Likeness of the best of [`BLIND`] renders of a CMA-ES that begins at the default patch.
fn blind(reference: &Reference, notes: &[Note], rng: &mut impl Rng) -> Result<f32, EvaluateError> {
    let start = Patch::default();
    let mut cma = SepCma::new(
        &start.matched().map(f64::from),
        &[BLIND_STEP; MATCHED_COUNT],
    );
    let mut best = reference.score_of(notes, &start.into())?;
    let mut renders = 1;
    while renders < BLIND {
        let samples = cma.ask(rng);
        let mut costs = Vec::with_capacity(samples.len());
        for sample in &samples {
            let patch = patch_at(&start, &sample.point);
            let score = reference.score_of(notes, &patch.into())?;
            costs.push(-f64::from(score.objective()));
            if score.objective() > best.objective() {
                best = score;
            }
        }
        cma.tell(&samples, &costs);
        renders += samples.len();
    }
    Ok(best.likeness)
}
