//! The search of a patch for each note: all notes are searched at once, each in its own span of the
//! clip, so that one generation costs as much as rendering the clip once for each candidate of a
//! note. Loudness needs no search: a note's cells scale with its amplitude, and the best factor is
//! a quotient.

use super::cma::{Sample, SepCma};
use super::evaluator::{Evaluator, set_velocities};
use super::note_fit::{NoteCandidate, NoteFit, NoteSpan};
use super::{CONVERGED, Score, Search, patch_at};
use synth::params::LEVEL;
use synth::{Automation, MATCHED_COUNT, Note, Patch};

/// First steps of a note's search, normalised: of the patch, and of the note itself.
const SPREAD: f64 = 0.05;
const NOTE_SPREAD: f64 = 0.1;
/// Number of candidates of a note in a generation: few, as there are many notes.
const POPULATION: usize = 8;
/// Number of coordinates of a transcribed note, after those of its patch: onset, length, tuning.
const NOTE_COORDINATES: usize = 3;
/// Largest movement of an onset each way, in seconds.
const ONSET: f64 = 0.032;
/// Largest change of a length each way, in octaves.
const LENGTH: f64 = 0.7;
/// Largest movement of a key each way, in semitones.
const TUNING: f64 = 0.4;

/// A note and the span in which it is heard.
struct NoteContext {
    note: Note,
    previous: Option<Note>,
    span: NoteSpan,
    /// End of the span in seconds.
    end: f64,
}

/// Search of one note's patch.
struct NoteSearch {
    cma: SepCma,
    best: Vec<f64>,
    fit: NoteFit,
    /// Gain at which the patch for all notes fits best.
    shared_gain: f64,
}

/// A point of one note's search, to be evaluated.
struct Trial<'a> {
    note: usize,
    point: &'a [f64],
}

/// The best patch found for a note.
pub(super) struct NoteResult {
    patch: Patch,
    note: Note,
    /// Factor on the note's amplitude, relative to the gain of the patch for all notes.
    gain: f64,
}

/// Searches a patch for each note, from the best of `patch` and `starts`, until `share` of the
/// budget is used.
pub(super) fn search(
    search: &mut Search<'_>,
    evaluator: &mut Evaluator<'_>,
    patch: &Patch,
    starts: &[Patch],
    share: f64,
) -> Vec<NoteResult> {
    let note_coordinates = match search.options.free_notes {
        true => NOTE_COORDINATES,
        false => 0,
    };
    let point = |start: &Patch| -> Vec<f64> {
        let h = start.matched().map(f64::from);
        h.into_iter().chain(vec![0.5; note_coordinates]).collect()
    };
    let first: Vec<Vec<f64>> = std::iter::once(patch).chain(starts).map(point).collect();
    let mut spread = vec![SPREAD; MATCHED_COUNT];
    spread.resize(MATCHED_COUNT + note_coordinates, NOTE_SPREAD);
    let contexts = contexts(evaluator);
    let trials: Vec<Trial<'_>> = (0..contexts.len())
        .flat_map(|note| first.iter().map(move |point| Trial { note, point }))
        .collect();
    let fits = evaluate(evaluator, &contexts, patch, &trials);
    let mut searches: Vec<NoteSearch> = fits
        .chunks(first.len())
        .map(|fits| NoteSearch::new(&first, fits, &spread))
        .collect();
    let rate = evaluator.reference.frame_rate();
    let frames: usize = contexts
        .iter()
        .map(|context| context.candidate(patch, &first[0]).frames(rate))
        .sum();
    let seconds = frames as f64 / rate;
    let mut candidates = first.len();
    // Notes after the clip's end have no span to be heard in.
    while seconds > 0.0
        && search
            .budget
            .spend(candidates as f64 * seconds, total(&searches), share)
        && search.budget.has_time_for(POPULATION as f64 * seconds)
    {
        let samples: Vec<Vec<Sample>> = searches
            .iter_mut()
            .map(|note| {
                if note.cma.width() < CONVERGED {
                    note.cma = SepCma::with_population(&note.best, &spread, POPULATION);
                }
                note.cma.ask(&mut search.rng)
            })
            .collect();
        let trials: Vec<Trial<'_>> = samples
            .iter()
            .enumerate()
            .flat_map(|(note, samples)| {
                samples.iter().map(move |s| Trial {
                    note,
                    point: &s.point,
                })
            })
            .collect();
        let mut fits = evaluate(evaluator, &contexts, patch, &trials).into_iter();
        for (note, samples) in searches.iter_mut().zip(&samples) {
            let fits: Vec<NoteFit> = fits.by_ref().take(samples.len()).collect();
            note.update(samples, &fits);
        }
        candidates = POPULATION;
    }
    let mut shared: Vec<f64> = searches.iter().map(|note| note.shared_gain).collect();
    shared.sort_by(f64::total_cmp);
    let shared = shared.get(shared.len() / 2).map_or(1.0, |g| g.max(1e-6));
    let result = |(search, context): (&NoteSearch, &NoteContext)| {
        let (patch, note) = context.decode(patch, &search.best);
        let gain = search.fit.gain / shared;
        NoteResult { patch, note, gain }
    };
    searches.iter().zip(&contexts).map(result).collect()
}

/// Returns the evaluator's notes with the spans in which they are heard.
fn contexts(evaluator: &Evaluator<'_>) -> Vec<NoteContext> {
    let notes = evaluator.notes();
    let previous = std::iter::once(None).chain(notes.iter().copied().map(Some));
    notes
        .iter()
        .zip(previous)
        .zip(evaluator.reference.note_spans(notes))
        .map(|((&note, previous), span)| NoteContext {
            note,
            previous,
            end: span.frames.end as f64 / evaluator.reference.frame_rate(),
            span,
        })
        .collect()
}

fn evaluate(
    evaluator: &mut Evaluator<'_>,
    contexts: &[NoteContext],
    patch: &Patch,
    trials: &[Trial<'_>],
) -> Vec<NoteFit> {
    evaluator.note_fits(trials, |trial| {
        contexts[trial.note].candidate(patch, trial.point)
    })
}

impl NoteContext {
    /// Decodes a point of the search to a patch and a note.
    fn decode(&self, patch: &Patch, point: &[f64]) -> (Patch, Note) {
        let patch = patch_at(patch, point);
        let mut note = self.note;
        if let [onset, length, tuning] = point[MATCHED_COUNT..] {
            let signed = |x: f64| 2.0 * x - 1.0;
            note.onset = (note.onset + ONSET * signed(onset)).max(0.0);
            // A part that lasts into the next span isn't heard here, but would sound there with the
            // next note's patch.
            let longest = self.note.duration.max(self.end - note.onset);
            note.duration = (note.duration * (LENGTH * signed(length)).exp2()).min(longest);
            note.key += (TUNING * signed(tuning)) as f32;
        }
        (patch, note)
    }

    fn candidate(&self, patch: &Patch, point: &[f64]) -> NoteCandidate<'_> {
        let (patch, note) = self.decode(patch, point);
        NoteCandidate {
            span: &self.span,
            patch,
            note,
            previous: self.previous,
        }
    }
}

impl NoteSearch {
    /// Starts at the best of the points `first`, the first of which is the patch for all notes.
    fn new(first: &[Vec<f64>], fits: &[NoteFit], spread: &[f64]) -> Self {
        let mut best = 0;
        for (i, fit) in fits.iter().enumerate() {
            if fit.cost() < fits[best].cost() {
                best = i;
            }
        }
        Self {
            cma: SepCma::with_population(&first[best], spread, POPULATION),
            best: first[best].clone(),
            fit: fits[best],
            shared_gain: fits[0].gain,
        }
    }

    /// Learns from the fits of a generation.
    fn update(&mut self, samples: &[Sample], fits: &[NoteFit]) {
        let costs: Vec<f64> = fits.iter().map(NoteFit::cost).collect();
        self.cma.tell(samples, &costs);
        for (sample, fit) in samples.iter().zip(fits) {
            if fit.cost() < self.fit.cost() {
                self.best = sample.point.clone();
                self.fit = *fit;
            }
        }
    }
}

/// Assembles the automation and notes of a clip in which each note has its own patch or, if that is
/// `None`, plays as in `notes` with `patch`. With `free_notes` loudness is the notes' velocity,
/// else the patches' level.
pub(super) fn assemble(
    patch: &Patch,
    notes: &[Note],
    own: &[Option<&NoteResult>],
    free_notes: bool,
) -> (Automation, Vec<Note>) {
    let mut played: Vec<(Note, Patch)> = notes.iter().map(|note| (*note, *patch)).collect();
    for (played, own) in played.iter_mut().zip(own) {
        if let Some(own) = own {
            *played = (own.note, own.patch);
        }
    }
    let gains: Vec<f64> = own
        .iter()
        .map(|own| own.map_or(1.0, |own| own.gain))
        .collect();
    let mut notes: Vec<Note> = played.iter().map(|(note, _)| *note).collect();
    if free_notes {
        set_velocities(&mut notes, &gains);
    } else {
        let loudest = gains.iter().fold(f64::MIN_POSITIVE, |m, &g| m.max(g));
        for ((_, patch), gain) in played.iter_mut().zip(&gains) {
            let db = 20.0 * (gain / loudest).max(1e-6).log10() as f32;
            patch.set_plain(LEVEL, patch.plain(LEVEL) + db);
        }
    }
    // In order of onset: onsets may have moved past each other.
    let mut points: Vec<(f64, Patch)> = played.iter().map(|(n, p)| (n.onset, *p)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = points.first().map_or(*patch, |(_, patch)| *patch);
    let mut last = first;
    points.retain(|(_, patch)| std::mem::replace(&mut last, *patch) != *patch);
    let automation = Automation {
        patch: first,
        points,
    };
    (automation, notes)
}

/// Score of the clip, as if no note were heard in another's span.
fn total(searches: &[NoteSearch]) -> Score {
    let sum = |of: fn(&NoteFit) -> f64| searches.iter().map(|note| of(&note.fit)).sum::<f64>();
    Score {
        likeness: (1.0 - sum(|f| f.residual)).max(0.0).sqrt() as f32,
        mel: sum(|f| f.mel) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Reference;
    use crate::search::coarse::FINE;

    #[test]
    fn no_note_is_extended_into_the_next() {
        let note = |onset, duration| Note {
            onset,
            duration,
            key: 60.0,
            velocity: 0.8,
        };
        // The second note already lasts into the third.
        let notes = [note(0.1, 0.3), note(0.5, 0.5), note(0.9, 0.3)];
        let sound = synth::render_mono(&Patch::default(), &notes, 1.5, 16_000.0, 1);
        let reference = Reference::new(&sound, 16_000.0, &ear::EarConfig::default()).unwrap();
        let evaluator = Evaluator::new(&reference, FINE, &notes, 1).unwrap();
        let mut longest = vec![0.5; MATCHED_COUNT + NOTE_COORDINATES];
        longest[MATCHED_COUNT + 1] = 1.0;
        let ends: Vec<f64> = contexts(&evaluator)
            .iter()
            .map(|context| {
                let (_, note) = context.decode(&Patch::default(), &longest);
                assert!(note.duration >= context.note.duration);
                note.onset + note.duration
            })
            .collect();
        assert!(ends[0] > 0.42 && ends[0] <= 0.5, "{ends:?}");
        assert!((ends[1] - 1.0).abs() < 1e-9, "{ends:?}");
        assert!(ends[2] > 1.3 && ends[2] <= 1.5, "{ends:?}");
    }
}
