//! Search around an inference with the real synth and the real ear: first one patch for the whole clip,
//! then, for sounds that the synth can't follow with one, a patch for each note, all notes at once.
//!
//! A note is matched alone in its passage, so that one generation of every note's search costs as much as
//! playing the clip once for each of its candidates. Loudness needs no search: a note's cells scale with
//! its amplitude, and the best factor is a quotient.

mod candidates;
mod clip;
mod cma;
mod correction;
mod evaluator;
mod gauss_newton;
mod objective;
mod one_patch;
mod per_note;

pub use candidates::{MOST_PLAYED, answers};
pub use clip::{ClipInference, infer_clip};
pub use cma::{Sample, SepCma};
pub use objective::{RENDER_SEED, Reference, Score};

use crate::model::Inference;
use ear::EarError;
use evaluator::{FINE, Player, ROUGH, Studio};
use one_patch::Breadth;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use std::time::{Duration, Instant};
use synth::{Automation, MATCHED_COUNT, Note, Patch};

/// A search narrower than this, in normalised units, has converged; it starts anew around the best.
const CONVERGED: f64 = 0.003;
/// Share of a search spent on one patch where each note gets its own afterwards; and, where the notes are
/// given, at most, while it gains [`STILL`] in each [`TENTH`] of the search: what one patch explains is not
/// explained better by many.
const ONE_PATCH: (f64, f64) = (0.5, 0.8);
const STILL: f32 = 0.003;
const TENTH: f64 = 0.1;
/// Share of it that is used when all notes have their own; the rest is for what of it to keep.
const EACH_NOTE: f64 = 0.93;
/// Share of the time for one patch that is spent on the clip's first seconds.
const FIRST: f64 = 0.5;
/// How many seconds these are; of a clip not much longer, this share of it.
const FIRST_SECONDS: f64 = 2.5;
const FIRST_PART: f64 = 0.6;
/// How wide the search on them is.
const LONG: Breadth = Breadth {
    searches: 4,
    steps: 1.0,
};
/// The same for a short clip, which comes with little time: one search, and that from near by.
const SHORT: Breadth = Breadth {
    searches: 1,
    steps: 0.5,
};
/// So many of the last best patches are offered, newest first, until one is better by the reference's own ear.
const TRAIL: usize = 6;

/// How far and how long to search.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Ends after so many renders of the clip, or the generation they end in. With this limit alone a
    /// search is deterministic, on any number of threads.
    pub renders: Option<usize>,
    /// Ends after this time, or the generation it ends in.
    pub time: Option<Duration>,
    /// Seed of the search.
    pub seed: u64,
    /// Standard deviation of the first steps in each matched parameter, normalised, order of
    /// [`synth::MATCHED`].
    pub spread: [f32; MATCHED_COUNT],
    /// Threads that render; at least 1.
    pub threads: usize,
    /// Whether each note may get a patch of its own.
    pub each_note: bool,
    /// Whether the notes were only heard: then their onsets, lengths, tunings and velocities may move a
    /// little too.
    pub free_notes: bool,
}

impl Options {
    /// Steps as wide as the inference is unsure.
    pub fn around(inference: &Inference) -> Self {
        Self {
            spread: inference.sigma.map(|s| s.clamp(0.03, 0.3)),
            ..Self::default()
        }
    }
}

impl Default for Options {
    /// One patch, the notes as they are, one thread, no limit.
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

/// The best found.
#[derive(Clone, Debug, PartialEq)]
pub struct Refined {
    /// The patch, and where notes differ those that follow it; unmatched parameters are the start's, but
    /// for the level.
    pub automation: Automation,
    /// What it plays.
    pub notes: Vec<Note>,
    /// Its score; neither half is worse than the start's.
    pub score: Score,
    /// The score of the best single patch found.
    pub one_patch: Score,
    /// Renders of the clip so far, the start's included.
    pub renders: usize,
}

/// How a search is getting on.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Renders of the clip so far.
    pub renders: usize,
    /// How far the budget is used, 0 to 1; 0 without a limit.
    pub used: f64,
    /// The best score so far of what is searched for at the moment, by the search's own, coarser ear.
    pub score: Score,
}

/// A search under way.
struct Search<'a> {
    players: Vec<Player>,
    options: Options,
    rng: Pcg64Mcg,
    began: Instant,
    /// Length of the clip in seconds, and seconds rendered.
    clip: f64,
    rendered: f64,
    stopped: bool,
    progress: &'a mut dyn FnMut(&Progress) -> bool,
}

impl Search<'_> {
    /// How far the budget is used.
    fn used(&self) -> f64 {
        let most = self.options.renders;
        let renders = most.map_or(0.0, |most| self.renders() / most.max(1) as f64);
        let time = self.options.time.map_or(0.0, |limit| {
            self.began.elapsed().as_secs_f64() / limit.as_secs_f64().max(1e-9)
        });
        renders.max(time)
    }

    /// Renders of the clip, parts of it adding up.
    fn renders(&self) -> f64 {
        self.rendered / self.clip.max(f64::MIN_POSITIVE)
    }

    /// Counts seconds rendered, reports, and says whether `share` of the budget is left for more.
    fn goes_on(&mut self, seconds: f64, score: Score, share: f64) -> bool {
        self.rendered += seconds;
        let used = self.used();
        let progress = Progress {
            renders: self.renders() as usize,
            used: used.min(1.0),
            score,
        };
        self.stopped = self.stopped || !(self.progress)(&progress);
        !self.stopped && used < share
    }
}

/// `patch` with the matched parameters of a search's `point` (its first ones, where it has more).
pub fn at(patch: &Patch, point: &[f64]) -> Patch {
    patch.with_matched(&std::array::from_fn(|i| point[i] as f32))
}

/// Searches the matched parameters around `starts` and the init patch for what plays `notes` more like
/// `reference`. Better-only: what is found counts only when neither likeness nor mel distance is worse than
/// the first start's (the init patch's, when there is none). `progress` is called after each generation;
/// `false` ends the search. Without a limit in `options` it is the only end. Fails where the ear can't be made.
pub fn refine(
    reference: &Reference,
    notes: &[Note],
    starts: &[Patch],
    options: &Options,
    mut progress: impl FnMut(&Progress) -> bool,
) -> Result<Refined, EarError> {
    let began = Instant::now();
    let start = starts.first().copied().unwrap_or_default();
    let first = reference.score_of(notes, &start.into())?;
    let mut best = Refined {
        automation: start.into(),
        notes: notes.to_vec(),
        score: first,
        one_patch: first,
        renders: 1,
    };
    let mut search = Search {
        players: Vec::new(),
        options: *options,
        rng: Pcg64Mcg::seed_from_u64(options.seed),
        began,
        clip: reference.seconds(),
        rendered: reference.seconds(),
        stopped: false,
        progress: &mut progress,
    };
    let offer = |best: &mut Refined, automation: Automation, notes: Vec<Note>| {
        let score = reference.score_of(&notes, &automation)?;
        if score.no_worse(&first) && score.objective() > best.score.objective() {
            best.automation = automation;
            best.notes = notes;
            best.score = score;
        }
        Ok::<_, EarError>(())
    };
    if search.used() < 1.0 && search.clip > 0.0 {
        let each = options.each_note && !notes.is_empty();
        let shares = match (each, options.free_notes) {
            (false, _) => (1.0, 1.0),
            // Notes that were only heard have more to find than their patch.
            (true, true) => (ONE_PATCH.0, ONE_PATCH.0),
            (true, false) => ONE_PATCH,
        };
        let mut starts = starts.to_vec();
        starts.push(start.with_matched(&Patch::default().matched()));
        let most = FIRST_PART * search.clip;
        let (seconds, breadth) = match most > FIRST_SECONDS {
            true => (FIRST_SECONDS, LONG),
            false => (most, SHORT),
        };
        let beginning = reference.beginning(notes, seconds)?;
        let (part, part_notes) = match &beginning {
            Some((part, notes)) => (part, notes.as_slice()),
            None => (reference, notes),
        };
        let rough = Studio::new(part, ROUGH);
        search.players = rough.players(options.threads)?;
        let share = FIRST * shares.0;
        let found = one_patch::explore(&mut search, &rough, part_notes, &starts, &breadth, share);
        let hopeful: Vec<Patch> = std::iter::once(start)
            .chain(found.iter().copied())
            .collect();
        starts.extend(&found);
        let studio = Studio::new(reference, FINE);
        search.players = studio.players(options.threads)?;
        let (trail, played) = if search.stopped {
            (found.into_iter().rev().collect(), notes.to_vec())
        } else {
            one_patch::settle(&mut search, &studio, notes, &hopeful, shares)
        };
        let patch = trail.last().copied().unwrap_or(start);
        // The search's own ear is coarser: where its answer is worse in one half, one before, or a part of the
        // way, may not be.
        let before = trail.iter().rev().take(TRAIL).copied();
        for found in before.chain([0.7, 0.4].map(|t| start.lerp(&patch, t))) {
            offer(&mut best, found.into(), played.clone())?;
            if best.score != first {
                break;
            }
        }
        best.one_patch = best.score;
        if each && !search.stopped {
            let rough = Studio::new(reference, ROUGH);
            search.players = rough.players(options.threads)?;
            let own = per_note::search(&mut search, &rough, &played, &patch, &starts, EACH_NOTE);
            // Notes were matched one by one: where a note's own patch doesn't serve the clip, it goes.
            let mut kept: Vec<Option<&per_note::Own>> = own.iter().map(Some).collect();
            let free = options.free_notes;
            let clip = |kept: &[_]| per_note::assemble(&patch, &played, kept, free);
            let score = |(automation, notes): &(Automation, Vec<Note>)| {
                reference.score_of(notes, automation)
            };
            let mut whole = score(&clip(&kept))?;
            for i in 0..kept.len() {
                if search.stopped || search.used() > 1.0 {
                    break;
                }
                let own = kept[i].take();
                let without = score(&clip(&kept))?;
                search.goes_on(studio.seconds(), without, 1.0);
                if without.worth(&first) > whole.worth(&first) {
                    whole = without;
                } else {
                    kept[i] = own;
                }
            }
            let (automation, played) = clip(&kept);
            offer(&mut best, automation, played)?;
        }
    }
    best.renders = search.renders() as usize;
    Ok(best)
}

#[cfg(test)]
mod tests;
