//! Candidates from the encoder alone, before any search.

use super::clip::{ClipInference, MAX_PATCHES};
use super::cma::SepCma;
use super::coarse::FINE;
use super::evaluator::Evaluator;
use super::objective::Candidate;
use super::{FIRST_SECONDS, Reference, patch_at};
use crate::model::{Encoder, ListenError};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use std::time::Instant;
use synth::{Note, Patch};

/// Number of candidates drawn in a round, and number of rounds.
const DRAWN: usize = 16;
const ROUNDS: usize = 6;
/// Spread of the first round around the best so far, in standard deviations of the inference, and
/// the factor from one round to the next.
const SPREAD: f64 = 0.5;
const SHRINK: f64 = 0.8;
/// Seed of the draws.
const SEED: u64 = 1;
/// Number of the best candidates that are rendered to the end of a long clip.
const FINALISTS: usize = 4;
/// Number of corrections by re-synthesis, one after the other.
const CORRECTIONS: usize = 8;
/// Largest number of renders that [`candidates`] makes; the best one is rendered once more to begin
/// the corrections.
pub const MAX_CANDIDATES: usize = MAX_PATCHES + ROUNDS * DRAWN + FINALISTS + 1 + CORRECTIONS;

/// Returns candidates for a clip from an encoder's inference, with which to start a search: first
/// the one that sounds most like `reference` when it plays `notes`, then the patches of the whole
/// clip and of its windows, unchanged.
///
/// The first is the best of these patches, of patches drawn around the best of them within the
/// uncertainty of the inference, and of corrections of the best by re-synthesis. Most are scored on
/// the first seconds of a long clip only. Makes at most [`MAX_CANDIDATES`] renders, on `threads`
/// threads. Fails where the ear can't be created or the encoder gives no answer.
pub fn candidates(
    reference: &Reference,
    notes: &[Note],
    inferred: &ClipInference,
    encoder: &mut impl Encoder,
    threads: usize,
) -> Result<Vec<Patch>, ListenError> {
    candidates_until(None, reference, notes, inferred, encoder, threads)
}

/// [`candidates`], without the rounds and corrections that would begin after `end`.
pub fn candidates_until(
    end: Option<Instant>,
    reference: &Reference,
    notes: &[Note],
    inferred: &ClipInference,
    encoder: &mut impl Encoder,
    threads: usize,
) -> Result<Vec<Patch>, ListenError> {
    let has_time = || end.is_none_or(|end| Instant::now() < end);
    let beginning = reference.beginning(notes, FIRST_SECONDS)?;
    let (part, part_notes) = match &beginning {
        Some((part, notes)) => (part, notes.as_slice()),
        None => (reference, notes),
    };
    let mut evaluator = Evaluator::new(part, FINE, part_notes, threads)?;
    let inferred_patches = inferred.patches();
    let mut found = evaluator.candidates(&inferred_patches);
    let mut rng = Pcg64Mcg::seed_from_u64(SEED);
    let mut centre = inferred.whole.mean;
    let mut share = SPREAD;
    for _ in 0..ROUNDS {
        if !has_time() {
            break;
        }
        let spread = inferred.whole.sigma.map(|s| share * f64::from(s));
        let around = SepCma::with_population(&centre.map(f64::from), &spread, DRAWN);
        let drawn = around.ask(&mut rng).into_iter();
        let drawn: Vec<Patch> = drawn
            .map(|s| patch_at(&Patch::default(), &s.point))
            .collect();
        found.extend(evaluator.candidates(&drawn));
        sort(&mut found);
        centre = found[0].patch.matched();
        share *= SHRINK;
    }
    found.truncate(FINALISTS);

    let mut evaluator = Evaluator::new(reference, FINE, notes, threads)?;
    let finalists: Vec<Patch> = found.into_iter().map(|c| c.patch).collect();
    let mut found = evaluator.candidates(&finalists);
    sort(&mut found);
    let mut patch = found[0].patch;
    let (_, mut heard) = evaluator.hear(&patch);
    for _ in 0..CORRECTIONS {
        if !has_time() {
            break;
        }
        patch = inferred.corrected(&patch, heard, encoder)?;
        let score;
        (score, heard) = evaluator.hear(&patch);
        found.push(Candidate { patch, score });
    }
    sort(&mut found);
    // The drawn candidates cluster around the best; the inferred patches are kept for diversity.
    Ok([found[0].patch]
        .into_iter()
        .chain(inferred_patches)
        .collect())
}

/// Sorts by the objective, best first; equals stay in order.
fn sort(candidates: &mut [Candidate]) {
    candidates.sort_by(|a, b| b.score.objective().total_cmp(&a.score.objective()));
}
