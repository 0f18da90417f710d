//! A patch for each note.

use super::single::set_velocities;
use super::studio::{Fit, Passage, Studio, Take, on_all};
use super::{CONVERGED, Score, Search};
use crate::cma::{Sample, SepCma};
use synth::params::LEVEL;
use synth::{Automation, MATCHED_COUNT, Note, Patch};

/// First steps of a note's search around the best of the clip's candidates, normalised: of the patch, and
/// of the note itself.
const SPREAD: f64 = 0.1;
const NOTE_SPREAD: f64 = 0.25;
/// Coordinates of a note that was only heard, beside its patch: onset, length, tuning.
const OF_NOTE: usize = 3;
/// How far an onset may move, in seconds, each way.
const ONSET: f64 = 0.032;
/// How far a length may change, in octaves, each way.
const LENGTH: f64 = 0.7;
/// How far a key may move, in semitones, each way.
const TUNING: f64 = 0.4;

/// One note's search.
struct Part {
    note: Note,
    passage: Passage,
    cma: SepCma,
    best: Vec<f64>,
    fit: Fit,
}

/// A candidate for one note.
struct Job<'a> {
    part: usize,
    point: &'a [f64],
}

/// Searches until the budget is used, from the best of `patch` and `starts` for each note.
pub fn search(
    search: &mut Search<'_>,
    studio: &Studio<'_>,
    notes: &[Note],
    patch: &Patch,
    starts: &[Patch],
) -> (Automation, Vec<Note>) {
    let dimensions = MATCHED_COUNT + if search.options.free_notes { OF_NOTE } else { 0 };
    let first: Vec<Vec<f64>> = std::iter::once(patch)
        .chain(starts)
        .map(|start| {
            let h = start.matched().map(f64::from);
            h.into_iter().chain([0.5; OF_NOTE]).take(dimensions).collect()
        })
        .collect();
    let mut spread = vec![SPREAD; MATCHED_COUNT];
    spread.resize(dimensions, NOTE_SPREAD);
    let nothing = Fit {
        missed: f64::INFINITY,
        mel: 0.0,
        gain: 0.0,
    };
    let passages = studio.passages(notes);
    let mut parts: Vec<Part> = notes
        .iter()
        .zip(passages)
        .map(|(note, passage)| Part {
            note: *note,
            passage,
            cma: SepCma::new(&first[0], &spread),
            best: first[0].clone(),
            fit: nothing,
        })
        .collect();
    let jobs: Vec<Job<'_>> = (0..parts.len())
        .flat_map(|part| first.iter().map(move |point| Job { part, point }))
        .collect();
    let fits = evaluate(search, studio, &parts, patch, &jobs);
    for (job, fit) in jobs.iter().zip(fits) {
        parts[job.part].offer(job.point, fit);
    }
    for part in &mut parts {
        part.cma = SepCma::new(&part.best, &spread);
    }
    let mut renders = first.len();
    while search.goes_on(studio, renders, total(&parts), 1.0) {
        let samples: Vec<Vec<Sample>> = parts
            .iter_mut()
            .map(|part| {
                if part.cma.width() < CONVERGED {
                    part.cma = SepCma::new(&part.best, &spread);
                }
                part.cma.ask(&mut search.rng)
            })
            .collect();
        let jobs: Vec<Job<'_>> = samples
            .iter()
            .enumerate()
            .flat_map(|(part, samples)| {
                samples.iter().map(move |s| Job {
                    part,
                    point: &s.point,
                })
            })
            .collect();
        let fits = evaluate(search, studio, &parts, patch, &jobs);
        let mut fits = fits.into_iter();
        for (part, samples) in parts.iter_mut().zip(&samples) {
            let fits: Vec<Fit> = fits.by_ref().take(samples.len()).collect();
            let costs: Vec<f64> = fits.iter().map(|f| f.cost()).collect();
            part.cma.tell(samples, &costs);
            for (sample, fit) in samples.iter().zip(fits) {
                part.offer(&sample.point, fit);
            }
        }
        renders = samples.first().map_or(1, Vec::len);
    }
    assemble(&parts, patch, search.options.free_notes)
}

fn evaluate(
    search: &mut Search<'_>,
    studio: &Studio<'_>,
    parts: &[Part],
    patch: &Patch,
    jobs: &[Job<'_>],
) -> Vec<Fit> {
    on_all(&mut search.players, jobs, |player, jobs| {
        let take = |job: &Job<'_>| {
            let part = &parts[job.part];
            let (patch, note) = candidate(patch, &part.note, job.point);
            Take {
                passage: &part.passage,
                patch,
                note,
            }
        };
        let takes: Vec<Take<'_>> = jobs.iter().map(take).collect();
        studio.fits(player, &takes)
    })
}

impl Part {
    fn offer(&mut self, point: &[f64], fit: Fit) {
        if fit.cost() < self.fit.cost() {
            self.best = point.to_vec();
            self.fit = fit;
        }
    }
}

/// What a point of a note's search stands for.
fn candidate(patch: &Patch, note: &Note, point: &[f64]) -> (Patch, Note) {
    let patch = patch.with_matched(&std::array::from_fn(|i| point[i] as f32));
    let mut note = *note;
    if let [onset, length, tuning] = point[MATCHED_COUNT..] {
        let signed = |x: f64| 2.0 * x - 1.0;
        note.onset = (note.onset + ONSET * signed(onset)).max(0.0);
        note.duration *= (LENGTH * signed(length)).exp2();
        note.key += (TUNING * signed(tuning)) as f32;
    }
    (patch, note)
}

/// The clip's automation and notes.
fn assemble(parts: &[Part], patch: &Patch, free_notes: bool) -> (Automation, Vec<Note>) {
    let found: Vec<(Patch, Note)> = parts
        .iter()
        .map(|part| candidate(patch, &part.note, &part.best))
        .collect();
    let mut notes: Vec<Note> = found.iter().map(|(_, note)| *note).collect();
    let gains: Vec<f64> = parts.iter().map(|part| part.fit.gain).collect();
    let mut patches: Vec<Patch> = found.iter().map(|(patch, _)| *patch).collect();
    if free_notes {
        set_velocities(&mut notes, &gains);
    } else {
        let loudest = gains.iter().fold(f64::MIN_POSITIVE, |m, &g| m.max(g));
        for (patch, gain) in patches.iter_mut().zip(&gains) {
            let db = 20.0 * (gain / loudest).max(1e-6).log10() as f32;
            patch.set_plain(LEVEL, patch.plain(LEVEL) + db);
        }
    }
    // In the order of the onsets, which may have moved past each other.
    let mut points: Vec<(f64, Patch)> = notes.iter().map(|n| n.onset).zip(patches).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = points.remove(0).1;
    let mut last = first;
    points.retain(|(_, patch)| std::mem::replace(&mut last, *patch) != *patch);
    let automation = Automation {
        patch: first,
        points,
    };
    (automation, notes)
}

/// The clip's score, as if no note were heard in another's passage.
fn total(parts: &[Part]) -> Score {
    let sum = |of: fn(&Fit) -> f64| parts.iter().map(|part| of(&part.fit)).sum::<f64>();
    Score {
        likeness: (1.0 - sum(|f| f.missed)).max(0.0).sqrt() as f32,
        mel: sum(|f| f.mel) as f32,
    }
}
