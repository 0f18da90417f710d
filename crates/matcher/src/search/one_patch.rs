//! The search of one patch for the whole clip: from many starts on its first seconds, then from the
//! best ones on all of it.

use super::cma::SepCma;
use super::evaluator::Evaluator;
use super::gauss_newton::{GaussNewton, LONGEST_STEP};
use super::objective::Candidate;
use super::{CHECK_EVERY, CONVERGED, MIN_GAIN, Search};
use synth::Patch;

/// Number of random patches tried in addition to the starts.
const RANDOM: usize = 24;
/// Number of generations after which the worst of the parallel searches is dropped.
const ROUND: usize = 3;
/// Step of a search from a random patch, relative to that from an inference.
const RANDOM_STEP: f64 = 1.5;
/// Step of the search on the whole clip, relative to that on its first seconds.
const WHOLE_CLIP_STEP: f64 = 0.25;
/// Number of generations from one adjustment of transcribed notes to the next.
const ADJUST_EVERY: usize = 10;
/// Number of generations of the evolution strategy after which Gauss-Newton steps are tried again.
const RETRY_AFTER: usize = 4;

/// Options of [`successive_halving`].
pub(super) struct StartOptions {
    /// Number of parallel searches.
    pub(super) searches: usize,
    /// First steps of each search, relative to [`super::Options::spread`].
    pub(super) step: f64,
}

/// An evolution strategy and the best candidate it has found.
struct Strategy {
    cma: SepCma,
    best: Candidate,
}

/// Scores `starts` and random patches, searches from the best ones in parallel until `share` of the
/// budget is used, dropping the worst search every few generations, and returns the best patch of
/// each search, best first.
pub(super) fn successive_halving(
    search: &mut Search<'_>,
    evaluator: &mut Evaluator<'_>,
    starts: &[Patch],
    options: &StartOptions,
    share: f64,
) -> Vec<Patch> {
    let mut patches = starts.to_vec();
    patches.extend((0..RANDOM).map(|_| {
        let random = Patch::random(&mut search.rng).matched();
        starts[0].with_matched(&random)
    }));
    let candidates = evaluator.start(&patches);
    let value = |candidate: &Candidate| evaluator.penalized(&candidate.score);
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&a, &b| value(&candidates[b]).total_cmp(&value(&candidates[a])));
    let mut running: Vec<Strategy> = order
        .iter()
        .take(options.searches)
        .map(|&i| {
            let wider = if i < starts.len() { 1.0 } else { RANDOM_STEP };
            Strategy::new(search, candidates[i], wider * options.step)
        })
        .collect();
    let mut dropped: Vec<Candidate> = Vec::new();
    let mut generation = 0;
    let mut renders = candidates.len();
    let mut best = running[0].best;
    let mut next = 0;
    while search
        .budget
        .spend(renders as f64 * evaluator.seconds(), best.score, share)
        && search
            .budget
            .has_time_for(next as f64 * evaluator.seconds())
    {
        renders = next_generation(search, evaluator, &mut running);
        next = renders;
        let value = |strategy: &Strategy| evaluator.penalized(&strategy.best.score);
        running.sort_by(|a, b| value(b).total_cmp(&value(a)));
        best = running[0].best;
        generation += 1;
        if generation % ROUND == 0 && running.len() > 1 {
            dropped.extend(running.pop().map(|strategy| strategy.best));
        }
    }
    dropped.reverse();
    let found = running.into_iter().map(|s| s.best).chain(dropped);
    found.map(|candidate| candidate.patch).collect()
}

/// Searches from the best of `starts`, by Gauss-Newton steps while they gain and by an evolution
/// strategy where they don't, until the first of `shares` of the budget is used, and until the
/// second as long as it gains. Returns the patches that were the best in turn; the evaluator has
/// the notes of the last.
pub(super) fn refine_whole_clip(
    search: &mut Search<'_>,
    evaluator: &mut Evaluator<'_>,
    starts: &[Patch],
    (least, most): (f64, f64),
) -> Vec<Patch> {
    let candidates = evaluator.start(starts);
    let mut best = candidates[0];
    for candidate in &candidates {
        evaluator.offer(&mut best, *candidate);
    }
    adjust(search, evaluator, &mut best);
    let mut trail = vec![best.patch];
    let mut running = [Strategy::new(search, best, WHOLE_CLIP_STEP)];
    let mut generation = 0;
    let mut descent = Some(GaussNewton::default());
    // Generation at which the strategy took over.
    let mut since = 0;
    let mut renders = candidates.len();
    // Use of the budget at which the gain is checked next, and the value at the last check.
    let mut due = least - CHECK_EVERY;
    let mut before = f32::MIN;
    while search.budget.spend(
        renders as f64 * evaluator.seconds(),
        running[0].best.score,
        most,
    ) {
        let next = match &descent {
            Some(_) => LONGEST_STEP,
            None => running[0].cma.population(),
        };
        if !search
            .budget
            .has_time_for(next as f64 * evaluator.seconds())
        {
            break;
        }
        let value = evaluator.penalized(&running[0].best.score);
        let used = search.budget.used();
        if used >= due {
            if used >= least && value - before < MIN_GAIN {
                break;
            }
            due = used + CHECK_EVERY;
            before = value;
        }
        match &mut descent {
            Some(gauss_newton) => {
                let step = gauss_newton.step(evaluator, &mut running[0].best);
                renders = step.renders;
                if !step.gains {
                    // Not earlier: the linearization is of the notes as they were.
                    adjust(search, evaluator, &mut running[0].best);
                    descent = None;
                    since = generation;
                    running[0] = Strategy::new(search, running[0].best, WHOLE_CLIP_STEP);
                }
            }
            None => {
                renders = next_generation(search, evaluator, &mut running);
                generation += 1;
                if generation % ADJUST_EVERY == 0 {
                    adjust(search, evaluator, &mut running[0].best);
                }
                let better = running[0].best.patch != trail[trail.len() - 1];
                descent = (better && generation - since >= RETRY_AFTER).then(GaussNewton::default);
            }
        }
        if running[0].best.patch != trail[trail.len() - 1] {
            trail.push(running[0].best.patch);
        }
    }
    trail
}

/// Adjusts the notes if they are transcribed.
fn adjust(search: &Search<'_>, evaluator: &mut Evaluator<'_>, best: &mut Candidate) {
    /// Renders that it takes.
    const RENDERS: f64 = 3.0;
    let has_time = search.budget.has_time_for(RENDERS * evaluator.seconds());
    if search.options.free_notes && has_time {
        evaluator.adjust_notes(best);
    }
}

impl Strategy {
    /// Starts at `best`, with first steps of `scale` times [`super::Options::spread`].
    fn new(search: &Search<'_>, best: Candidate, scale: f64) -> Self {
        let spread = search.options.spread.map(|s| scale * f64::from(s));
        let cma = SepCma::new(&best.patch.matched().map(f64::from), &spread);
        Self { cma, best }
    }
}

/// Runs one generation of each strategy, and returns the number of renders; a strategy that has
/// converged restarts at its best.
fn next_generation(
    search: &mut Search<'_>,
    evaluator: &mut Evaluator<'_>,
    running: &mut [Strategy],
) -> usize {
    let mut generations = Vec::new();
    let mut patches = Vec::new();
    for strategy in running.iter_mut() {
        if strategy.cma.width() < CONVERGED {
            *strategy = Strategy::new(search, strategy.best, 1.0);
        }
        let samples = strategy.cma.ask(&mut search.rng);
        let patch = strategy.best.patch;
        let bounds = evaluator.bounds;
        patches.extend(samples.iter().map(|s| bounds.patch_at(&patch, &s.point)));
        generations.push(samples);
    }
    let mut candidates = evaluator.candidates(&patches).into_iter();
    for (strategy, samples) in running.iter_mut().zip(&generations) {
        let costs: Vec<f64> = candidates
            .by_ref()
            .take(samples.len())
            .map(|candidate| {
                evaluator.offer(&mut strategy.best, candidate);
                -f64::from(evaluator.penalized(&candidate.score))
            })
            .collect();
        strategy.cma.tell(samples, &costs);
    }
    patches.len()
}
