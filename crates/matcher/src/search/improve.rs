//! A short search that goes on from what is known: the plugin's, while a phrase is played again and
//! again. What it finds depends on the question alone.

use super::bounds::Bounds;
use super::budget::Budget;
use super::clip::ClipInference;
use super::cma::SepCma;
use super::coarse::ROUGH;
use super::evaluator::Evaluator;
use super::gauss_newton::GaussNewton;
use super::objective::{Candidate, Reference, Score};
use super::one_patch;
use super::pitch::PitchTest;
use super::{Options, Progress, Search};
use ear::EarError;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use synth::{Lean, MATCHED_COUNT, Note, Patch};

/// Number of patches drawn around the best so far in a round, and number of rounds, when an encoder
/// was asked.
const DRAWN: usize = 16;
const ROUNDS: usize = 2;
/// Share of the encoder's standard deviations by which they spread, and the factor from one round
/// to the next.
const SPREAD: f64 = 0.5;
const SHRINK: f64 = 0.7;
/// Number of random patches tried where a search begins elsewhere, and share of the renders of the
/// descent from the best.
const RANDOM: usize = 16;
const EXPLORED: f64 = 0.6;
/// Standard deviation of the evolution strategy's first steps where no encoder was asked.
const STEP: f32 = 0.1;

/// Likeness below that of the most alike start up to which another one is as alike.
pub(super) const AS_ALIKE: f32 = 0.005;
/// Number of voiced frames of a phrase that may lose their pitch: those of attacks are a matter of
/// chance, and of a second a hundredth is but one frame.
const SOME_FRAMES: f32 = 4.0;
/// Number of patches of those found that are compared with the starts.
const TRIED: usize = 6;

/// Input of a short search.
pub struct Question<'a> {
    /// The phrase.
    pub reference: &'a Reference,
    /// Notes of the phrase.
    pub notes: &'a [Note],
    /// Patches known so far, at least one; the first is the one to be better than. All have the
    /// same unmatched parameters, which the result has too.
    pub starts: &'a [Patch],
    /// The values that the result may have.
    pub bounds: Bounds,
    /// Inference from the phrase, where the encoder was asked: another place to begin.
    pub inferred: Option<&'a ClipInference>,
    /// Whether to begin elsewhere as well: steps from the starts gain nothing any more.
    pub explore: bool,
    /// Length of all renders together, in seconds.
    pub seconds: f64,
    /// Seed of the draws.
    pub seed: u64,
    /// Called after each step.
    pub step: &'a dyn Fn(),
    /// Ends the search without a result once it is true.
    pub stop: &'a Arc<AtomicBool>,
}

/// Result of a short search.
#[derive(Clone, Debug)]
pub struct Improved {
    /// The best patch: a start where nothing better was found.
    pub patch: Patch,
    /// Score of the best patch.
    pub score: Score,
    /// Scores of the starts with the same notes.
    pub starts: Vec<Score>,
}

/// Searches a patch that plays the notes of a phrase more like it than all of the starts do.
///
/// The result is no less alike than the best start and agrees as well in pitch. It is the same for
/// the same question, on the same vector instructions; `None` when it is stopped. Fails where the
/// ear can't be created.
pub fn improve(question: &Question<'_>) -> Result<Option<Improved>, EarError> {
    let reference = question.reference;
    let clip = reference.seconds();
    let spread = match question.inferred {
        Some(inferred) => Options::around(&inferred.whole).spread,
        None => [STEP; MATCHED_COUNT],
    };
    let renders = (question.seconds / clip.max(f64::MIN_POSITIVE)) as usize;
    let stopped = || question.stop.load(Ordering::Acquire);
    let mut progress = |_: &Progress| {
        (question.step)();
        !stopped()
    };
    let mut search = Search {
        options: Options {
            renders: Some(renders),
            spread,
            free_notes: true,
            ..Options::default()
        },
        rng: Pcg64Mcg::seed_from_u64(question.seed),
        budget: Budget::new(Some(renders), None, Instant::now(), clip, &mut progress),
        offer: Duration::ZERO,
    };
    let mut evaluator = Evaluator::new(reference, ROUGH, question.notes, 1)?;
    evaluator.bounds = question.bounds;
    evaluator.stop_at(question.stop);
    let mut known = question.starts.to_vec();
    if let Some(inferred) = question.inferred {
        known.extend(encoded(question, inferred, &mut search, &mut evaluator));
    }
    if question.explore {
        let elsewhere = explored(&known, question.starts.len(), &mut search, &mut evaluator);
        known.push(elsewhere);
    }
    let found = one_patch::refine_whole_clip(&mut search, &mut evaluator, &known, (1.0, 1.0));
    let notes = evaluator.notes().to_vec();
    match stopped() {
        true => Ok(None),
        false => decide(question, &found, &notes).map(Some),
    }
}

/// The best of the encoder's patches, and of those drawn around it.
fn encoded(
    question: &Question<'_>,
    inferred: &ClipInference,
    search: &mut Search<'_>,
    evaluator: &mut Evaluator<'_>,
) -> Option<Patch> {
    // The encoder hears no difference between keys.
    let (bounds, first) = (question.bounds, question.starts[0].leaning(Lean::NONE));
    let patches = inferred.patches().into_iter();
    let patches: Vec<Patch> = patches
        .map(|p| bounds.patch(&first, &p.matched()))
        .collect();
    let mut best: Option<Candidate> = None;
    let mut centre = inferred.whole.mean.map(f64::from);
    let mut share = SPREAD;
    let mut candidates = patches;
    for round in 0..=ROUNDS {
        for candidate in evaluator.candidates(&candidates) {
            let value = |c: &Candidate| c.score.objective();
            if best.as_ref().is_none_or(|b| value(&candidate) > value(b)) {
                centre = candidate.patch.matched().map(f64::from);
                best = Some(candidate);
            }
        }
        let (seconds, score) = (candidates.len() as f64 * evaluator.seconds(), best?.score);
        if !search.budget.spend(seconds, score, 0.6) || round == ROUNDS {
            break;
        }
        let spread = inferred.whole.sigma.map(|s| share * f64::from(s).max(1e-3));
        let around = SepCma::with_population(&centre, &spread, DRAWN);
        let drawn = around.ask(&mut search.rng).into_iter();
        candidates = drawn.map(|s| bounds.patch_at(&first, &s.point)).collect();
        share *= SHRINK;
    }
    best.map(|best| best.patch)
}

/// Descends from the best of random patches and of those `known` after the first `starts`, from
/// which nothing was gained.
fn explored(
    known: &[Patch],
    starts: usize,
    search: &mut Search<'_>,
    evaluator: &mut Evaluator<'_>,
) -> Patch {
    let (bounds, first) = (evaluator.bounds, known[0].leaning(Lean::NONE));
    let mut patches = known[starts..].to_vec();
    patches.extend((0..RANDOM).map(|_| {
        let random = Patch::random(&mut search.rng).matched();
        bounds.patch(&first, &random)
    }));
    let candidates = evaluator.start(&patches);
    let value = |candidate: &Candidate| candidate.score.objective();
    let best = candidates
        .iter()
        .max_by(|a, b| value(a).total_cmp(&value(b)));
    let mut best = *best.unwrap_or(&candidates[0]);
    let mut descent = GaussNewton::default();
    let mut renders = candidates.len();
    loop {
        let seconds = renders as f64 * evaluator.seconds();
        if !search.budget.spend(seconds, best.score, EXPLORED) {
            return best.patch;
        }
        let step = descent.step(evaluator, &mut best);
        renders = step.renders;
        if !step.gains {
            return best.patch;
        }
    }
}

/// Compares what was found, the best patches in turn, with the starts, by the reference's own score
/// and by pitch. Where the last one is out of tune, an earlier one may not be.
fn decide(question: &Question<'_>, found: &[Patch], notes: &[Note]) -> Result<Improved, EarError> {
    let reference = question.reference;
    let play = |patch: &Patch| reference.render(notes, &(*patch).into());
    let mut starts = Vec::new();
    for start in question.starts {
        starts.push(reference.score(&play(start))?);
    }
    // One that is nearer in level over all bands may be less alike to the ear.
    let most = starts.iter().map(|s| s.likeness).fold(f32::MIN, f32::max);
    let is_alike = |i: &usize| starts[*i].likeness >= most - AS_ALIKE;
    let value = |i: &usize| starts[*i].objective();
    let best = (0..starts.len())
        .filter(is_alike)
        .max_by(|a, b| value(a).total_cmp(&value(b)).then(b.cmp(a)));
    let best = best.unwrap_or(0);
    let mut improved = Improved {
        patch: question.starts[best],
        score: starts[best],
        starts,
    };
    let test = PitchTest::new(reference, notes, &improved.patch.into(), SOME_FRAMES)?;
    let every = found.len().div_ceil(TRIED).max(1);
    for patch in found.iter().rev().step_by(every) {
        let mono = play(patch);
        let score = reference.score(&mono)?;
        let better = score.objective() > improved.score.objective()
            && score.likeness >= improved.score.likeness;
        if better && test.passes(&mono)? {
            improved.patch = *patch;
            improved.score = score;
            break;
        }
    }
    Ok(improved)
}
