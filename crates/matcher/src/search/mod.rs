//! Offline search for the patch that sounds most like a clip: one patch for all of it, by
//! Gauss-Newton steps and an evolution strategy, then one patch per note. Every candidate is
//! rendered by the real synth and heard by the real ear.
//!
//! An encoder's [`infer_clip`] and [`candidates`] give the starts, [`refine`] searches from them.
//! The live loop asks for short searches alone: [`improve`].

mod bounds;
mod budget;
mod candidates;
mod clip;
mod cma;
mod coarse;
mod correction;
mod evaluator;
mod gauss_newton;
mod improve;
mod note_fit;
mod objective;
mod one_patch;
mod passages;
mod per_note;
mod pitch;
mod vectors;
mod worker;

pub use bounds::Bounds;
pub use candidates::{MAX_CANDIDATES, candidates, candidates_until};
pub use clip::{ClipInference, infer_clip};
pub use cma::{Sample, SepCma};
pub use gauss_newton::LONGEST_STEP;
pub use improve::{Improved, Question, improve};
pub use objective::{RENDER_SEED, Reference, Score};
pub use passages::Passages;

use crate::model::Inference;
use budget::Budget;
use coarse::{FINE, ROUGH};
use ear::EarError;
use evaluator::Evaluator;
use one_patch::StartOptions;
use per_note::NoteResult;
use pitch::PitchTest;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use std::time::{Duration, Instant};
use synth::{Automation, MATCHED_COUNT, Note, Patch};

/// Width of a search, in normalised units, below which it has converged and restarts around its
/// best.
const CONVERGED: f64 = 0.003;
/// Least and largest share of the budget spent on one patch if each note gets its own afterwards:
/// beyond the first only while the search gains [`MIN_GAIN`] in every [`CHECK_EVERY`] of the
/// budget, because a sound that one patch explains is not explained better by many.
const ONE_PATCH: (f64, f64) = (0.5, 0.8);
const MIN_GAIN: f32 = 0.003;
const CHECK_EVERY: f64 = 0.1;
/// Share of the budget that is used when the search of a patch per note ends; the rest decides
/// which of them to keep.
const PER_NOTE: f64 = 0.93;
/// Share of the budget for one patch that is spent on the clip's first seconds.
const FIRST: f64 = 0.5;
/// Length of the clip's first seconds; of a clip not much longer, they are this share.
const FIRST_SECONDS: f64 = 2.5;
const FIRST_PART: f64 = 0.6;
/// Options for the first seconds of a long clip.
const LONG_START: StartOptions = StartOptions {
    searches: 4,
    step: 1.0,
};
/// Options for a short clip, for which there is little time: one search, with smaller steps.
const SHORT_START: StartOptions = StartOptions {
    searches: 1,
    step: 0.5,
};
/// Largest number of the last best patches that are offered, newest first, until one is better by
/// the reference's own score.
const TRAIL: usize = 6;

/// Limits and steps of a search.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Limit on renders of the clip: the search ends with the generation that reaches it. With this
    /// limit alone a search is deterministic, on any number of threads.
    pub renders: Option<usize>,
    /// Limit on time: no generation begins that would end later, nor a last comparison.
    pub time: Option<Duration>,
    /// Seed of the search.
    pub seed: u64,
    /// Standard deviation of the first steps in each matched parameter, normalised, order of
    /// [`synth::MATCHED`].
    pub spread: [f32; MATCHED_COUNT],
    /// Number of threads that render; at least 1.
    pub threads: usize,
    /// True if each note may get its own patch.
    pub each_note: bool,
    /// True if the notes were transcribed from the clip: then their onsets, lengths, tunings and
    /// velocities may move a little too.
    pub free_notes: bool,
}

impl Options {
    /// Options with first steps as wide as the inference's standard deviations, within 0.03 to 0.3.
    pub fn around(inference: &Inference) -> Self {
        Self {
            spread: inference.sigma.map(|s| s.clamp(0.03, 0.3)),
            ..Self::default()
        }
    }
}

impl Default for Options {
    /// Options for one patch, fixed notes, one thread and no limit.
    fn default() -> Self {
        Self {
            renders: None,
            time: None,
            seed: 1,
            spread: [0.15; MATCHED_COUNT],
            threads: 1,
            each_note: false,
            free_notes: false,
        }
    }
}

/// Best result of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Refined {
    /// First patch and, where notes differ, the later ones; unmatched parameters are the start's,
    /// except for the level.
    pub automation: Automation,
    /// Notes that the automation plays.
    pub notes: Vec<Note>,
    /// Score of the result; neither half is worse than the start's.
    pub score: Score,
    /// Score of the best single patch found.
    pub one_patch: Score,
    /// Number of renders of the clip, including the start's.
    pub renders: usize,
}

/// Progress of a search.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Number of renders of the clip so far.
    pub renders: usize,
    /// Share of the budget that is used, 0 to 1; 0 without a limit.
    pub used: f64,
    /// Best score so far in the current stage of the search, by its own, coarser ear.
    pub score: Score,
}

/// A running search.
struct Search<'a> {
    options: Options,
    rng: Pcg64Mcg,
    budget: Budget<'a>,
    /// Time that one comparison by the reference's own score takes.
    offer: Duration,
}

/// Patch with the matched parameters at the first coordinates, normalised, of a search's `point`,
/// and the other parameters of `patch`.
pub fn patch_at(patch: &Patch, point: &[f64]) -> Patch {
    patch.with_matched(&std::array::from_fn(|i| point[i] as f32))
}

/// Searches the matched parameters, from `starts` and the init patch, for the patch that plays
/// `notes` most like `reference`.
///
/// A result counts only when neither likeness nor mel distance is worse than the first start's (the
/// init patch's, when there is none). `progress` is called after each generation; `false` ends the
/// search, and without a limit in `options` nothing else does. Fails where the ear can't be
/// created.
pub fn refine(
    reference: &Reference,
    notes: &[Note],
    starts: &[Patch],
    options: &Options,
    mut progress: impl FnMut(&Progress) -> bool,
) -> Result<Refined, EarError> {
    let began = Instant::now();
    let start = starts.first().copied().unwrap_or_default();
    let pitch = PitchTest::new(reference, notes, &start.into(), 0.0)?;
    let first = reference.score_of(notes, &start.into())?;
    // What is found has to be scored like this before the time is over.
    let offer = began.elapsed();
    let time = options.time.map(|time| time.saturating_sub(offer));
    let clip = reference.seconds();
    let mut search = Search {
        options: *options,
        rng: Pcg64Mcg::seed_from_u64(options.seed),
        budget: Budget::new(options.renders, time, began, clip, &mut progress),
        offer,
    };
    let mut best = Best {
        reference,
        pitch,
        first,
        refined: Refined {
            automation: start.into(),
            notes: notes.to_vec(),
            score: first,
            one_patch: first,
            renders: 1,
        },
    };
    if search.budget.used() < 1.0 && search.budget.clip > 0.0 {
        let mut starts = starts.to_vec();
        starts.push(start.with_matched(&Patch::default().matched()));
        let (patch, notes) = search.one_patch(&start, &mut starts, notes, &mut best)?;
        best.refined.one_patch = best.refined.score;
        // The patches of notes are compared with one patch twice at least.
        let first = (starts.len() + 1) as f64 * search.budget.clip;
        let has_time = search.budget.allows(3 * search.offer) && search.budget.has_time_for(first);
        if search.options.each_note && !notes.is_empty() && !search.budget.cancelled && has_time {
            search.patch_per_note(&patch, &starts, &notes, &mut best)?;
        }
    }
    best.refined.renders = search.budget.clip_renders() as usize;
    Ok(best.refined)
}

/// The best result so far, by the reference's own score.
struct Best<'a> {
    reference: &'a Reference,
    pitch: PitchTest<'a>,
    /// Score of the first start.
    first: Score,
    refined: Refined,
}

impl Best<'_> {
    /// Accepts a result that is better, in neither half worse than the first start, and as much in
    /// tune.
    fn offer(&mut self, automation: Automation, notes: Vec<Note>) -> Result<(), EarError> {
        let mono = self.reference.render(&notes, &automation);
        let score = self.reference.score(&mono)?;
        let better =
            score.no_worse(&self.first) && score.objective() > self.refined.score.objective();
        if better && self.pitch.passes(&mono)? {
            self.refined = Refined {
                automation,
                notes,
                score,
                ..self.refined
            };
        }
        Ok(())
    }
}

impl Search<'_> {
    /// Searches one patch for the whole clip. Adds the patches found on its first seconds to
    /// `starts`, offers the best to `best`, and returns the last patch with the notes that it
    /// plays.
    fn one_patch(
        &mut self,
        start: &Patch,
        starts: &mut Vec<Patch>,
        notes: &[Note],
        best: &mut Best<'_>,
    ) -> Result<(Patch, Vec<Note>), EarError> {
        let reference = best.reference;
        let threads = self.options.threads;
        let shares = match (
            self.options.each_note && !notes.is_empty(),
            self.options.free_notes,
        ) {
            (false, _) => (1.0, 1.0),
            // Transcribed notes leave more to find than their patch.
            (true, true) => (ONE_PATCH.0, ONE_PATCH.0),
            (true, false) => ONE_PATCH,
        };
        let most = FIRST_PART * self.budget.clip;
        let (seconds, options) = match most > FIRST_SECONDS {
            true => (FIRST_SECONDS, LONG_START),
            false => (most, SHORT_START),
        };
        let beginning = reference.beginning(notes, seconds)?;
        let (part, part_notes) = match &beginning {
            Some((part, notes)) => (part, notes.as_slice()),
            None => (reference, notes),
        };
        let mut evaluator = Evaluator::new(part, ROUGH, part_notes, threads)?;
        let share = FIRST * shares.0;
        let found = one_patch::successive_halving(self, &mut evaluator, starts, &options, share);
        starts.extend(&found);
        let mut evaluator = Evaluator::new(reference, FINE, notes, threads)?;
        let promising = std::iter::once(*start).chain(found.iter().copied());
        let promising: Vec<Patch> = promising.collect();
        // At twice the rate, a second of sound takes twice the time.
        let has_time = self
            .budget
            .has_time_for(2.0 * promising.len() as f64 * self.budget.clip);
        let trail: Vec<Patch> = if self.budget.cancelled || !has_time {
            found.into_iter().rev().collect()
        } else {
            one_patch::refine_whole_clip(self, &mut evaluator, &promising, shares)
        };
        let patch = trail.last().copied().unwrap_or(*start);
        // The search's ear is coarser than the reference's: where its result is worse in one half,
        // an earlier one, or a part of the way, may not be.
        let earlier = trail.iter().rev().take(TRAIL).copied();
        for found in earlier.chain([0.7, 0.4].map(|t| start.lerp(&patch, t))) {
            best.offer(found.into(), evaluator.notes().to_vec())?;
            if best.refined.score != best.first || !self.budget.allows(self.offer) {
                break;
            }
        }
        Ok((patch, evaluator.notes().to_vec()))
    }

    /// Searches a patch for each of `notes` from `patch` and `starts`, keeps those that improve the
    /// clip as a whole, and offers the result to `best`.
    fn patch_per_note(
        &mut self,
        patch: &Patch,
        starts: &[Patch],
        notes: &[Note],
        best: &mut Best<'_>,
    ) -> Result<(), EarError> {
        let reference = best.reference;
        let mut evaluator = Evaluator::new(reference, ROUGH, notes, self.options.threads)?;
        let found = per_note::search(self, &mut evaluator, patch, starts, PER_NOTE);
        // Notes were matched one by one: a patch that doesn't improve the clip is dropped again.
        let mut kept: Vec<Option<&NoteResult>> = found.iter().map(Some).collect();
        let free = self.options.free_notes;
        let clip = |kept: &[_]| per_note::assemble(patch, notes, kept, free);
        let score =
            |(automation, notes): &(Automation, Vec<Note>)| reference.score_of(notes, automation);
        // A patch that is out of tune is dropped whatever it gains.
        let (automation, played) = clip(&kept);
        let mono = reference.render(&played, &automation);
        for i in best.pitch.out_of_tune(&mono, &played)? {
            kept[i] = None;
        }
        let mut whole = score(&clip(&kept))?;
        for i in 0..kept.len() {
            let has_time = self.budget.allows(self.offer);
            if self.budget.cancelled || self.budget.used() > 1.0 || !has_time {
                break;
            }
            let own = kept[i].take();
            let without = score(&clip(&kept))?;
            self.budget.spend(reference.seconds(), without, 1.0);
            if without.penalized(&best.first) > whole.penalized(&best.first) {
                whole = without;
            } else {
                kept[i] = own;
            }
        }
        let (automation, notes) = clip(&kept);
        best.offer(automation, notes)
    }
}

#[cfg(test)]
mod tests;
