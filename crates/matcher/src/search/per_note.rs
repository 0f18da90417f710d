//! A patch for each note.

use super::cma::{Sample, SepCma};
use super::evaluator::{Fit, Passage, Studio, Take, on_all};
use super::one_patch::set_velocities;
use super::{CONVERGED, Score, Search, at};
use synth::params::LEVEL;
use synth::{Automation, MATCHED_COUNT, Note, Patch};

/// First steps of a note's search around the best of the clip's candidates, normalised: of the patch, and
/// of the note itself.
const SPREAD: f64 = 0.05;
const NOTE_SPREAD: f64 = 0.1;
/// Candidates of a note in a generation: few, as there are many notes.
const POPULATION: usize = 8;
/// Coordinates of a note that was only heard, beside its patch: onset, length, tuning.
const OF_NOTE: usize = 3;
/// How far an onset may move, in seconds, each way.
const ONSET: f64 = 0.032;
/// How far a length may change, in octaves, each way.
const LENGTH: f64 = 0.7;
/// How far a key may move, in semitones, each way.
const TUNING: f64 = 0.4;

/// A note, and where it is heard.
struct Place {
    note: Note,
    before: Option<Note>,
    passage: Passage,
    /// The passage's end in seconds.
    end: f64,
}

/// One note's search.
struct Part {
    cma: SepCma,
    best: Vec<f64>,
    fit: Fit,
    /// The gain of the patch for all.
    plain: f64,
}

/// A candidate for one note.
struct Job<'a> {
    note: usize,
    point: &'a [f64],
}

/// What was found for a note.
pub struct Own {
    patch: Patch,
    note: Note,
    /// On its amplitude, relative to the gain of the patch for all.
    gain: f64,
}

/// Searches until `share` of the budget is used, from the best of `patch` and `starts` for each note.
pub fn search(
    search: &mut Search<'_>,
    studio: &Studio<'_>,
    notes: &[Note],
    patch: &Patch,
    starts: &[Patch],
    share: f64,
) -> Vec<Own> {
    let of_note = if search.options.free_notes {
        OF_NOTE
    } else {
        0
    };
    let point = |start: &Patch| -> Vec<f64> {
        let h = start.matched().map(f64::from);
        h.into_iter().chain(vec![0.5; of_note]).collect()
    };
    let first: Vec<Vec<f64>> = std::iter::once(patch).chain(starts).map(point).collect();
    let mut spread = vec![SPREAD; MATCHED_COUNT];
    spread.resize(MATCHED_COUNT + of_note, NOTE_SPREAD);
    let places = places(studio, notes);
    let jobs: Vec<Job<'_>> = (0..places.len())
        .flat_map(|note| first.iter().map(move |point| Job { note, point }))
        .collect();
    let fits = evaluate(search, studio, &places, patch, &jobs);
    let mut parts: Vec<Part> = fits
        .chunks(first.len())
        .map(|fits| Part::new(&first, fits, &spread))
        .collect();
    let frames: usize = places
        .iter()
        .map(|p| p.take(patch, &first[0]).frames(studio.frame_rate()))
        .sum();
    let seconds = frames as f64 / studio.frame_rate();
    let mut candidates = first.len();
    // Notes after the clip's end have no passage to be heard in.
    while seconds > 0.0 && search.goes_on(candidates as f64 * seconds, total(&parts), share) {
        let samples: Vec<Vec<Sample>> = parts
            .iter_mut()
            .map(|part| {
                if part.cma.width() < CONVERGED {
                    part.cma = SepCma::with_population(&part.best, &spread, POPULATION);
                }
                part.cma.ask(&mut search.rng)
            })
            .collect();
        let jobs: Vec<Job<'_>> = samples
            .iter()
            .enumerate()
            .flat_map(|(note, samples)| {
                samples.iter().map(move |s| Job {
                    note,
                    point: &s.point,
                })
            })
            .collect();
        let fits = evaluate(search, studio, &places, patch, &jobs);
        let mut fits = fits.into_iter();
        for (part, samples) in parts.iter_mut().zip(&samples) {
            let fits: Vec<Fit> = fits.by_ref().take(samples.len()).collect();
            part.learn(samples, &fits);
        }
        candidates = POPULATION;
    }
    let mut plain: Vec<f64> = parts.iter().map(|part| part.plain).collect();
    plain.sort_by(f64::total_cmp);
    let plain = plain.get(plain.len() / 2).map_or(1.0, |p| p.max(1e-6));
    let own = |(part, place): (&Part, &Place)| {
        let (patch, note) = place.candidate(patch, &part.best);
        let gain = part.fit.gain / plain;
        Own { patch, note, gain }
    };
    parts.iter().zip(&places).map(own).collect()
}

fn places(studio: &Studio<'_>, notes: &[Note]) -> Vec<Place> {
    let before = std::iter::once(None).chain(notes.iter().copied().map(Some));
    notes
        .iter()
        .zip(before)
        .zip(studio.passages(notes))
        .map(|((&note, before), passage)| Place {
            note,
            before,
            end: passage.frames.end as f64 / studio.frame_rate(),
            passage,
        })
        .collect()
}

fn evaluate(
    search: &mut Search<'_>,
    studio: &Studio<'_>,
    places: &[Place],
    patch: &Patch,
    jobs: &[Job<'_>],
) -> Vec<Fit> {
    on_all(&mut search.players, jobs, |player, jobs| {
        let take = |job: &Job<'_>| places[job.note].take(patch, job.point);
        let takes: Vec<Take<'_>> = jobs.iter().map(take).collect();
        studio.fits(player, &takes)
    })
}

impl Place {
    /// What a point of the note's search stands for.
    fn candidate(&self, patch: &Patch, point: &[f64]) -> (Patch, Note) {
        let patch = at(patch, point);
        let mut note = self.note;
        if let [onset, length, tuning] = point[MATCHED_COUNT..] {
            let signed = |x: f64| 2.0 * x - 1.0;
            note.onset = (note.onset + ONSET * signed(onset)).max(0.0);
            // What lasts into the next passage isn't heard here, but would sound there with the next note's patch.
            let longest = self.note.duration.max(self.end - note.onset);
            note.duration = (note.duration * (LENGTH * signed(length)).exp2()).min(longest);
            note.key += (TUNING * signed(tuning)) as f32;
        }
        (patch, note)
    }

    fn take(&self, patch: &Patch, point: &[f64]) -> Take<'_> {
        let (patch, note) = self.candidate(patch, point);
        Take {
            passage: &self.passage,
            patch,
            note,
            before: self.before,
        }
    }
}

impl Part {
    /// Begins at the best of the points `first`, of which the first is the patch for all.
    fn new(first: &[Vec<f64>], fits: &[Fit], spread: &[f64]) -> Self {
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
            plain: fits[0].gain,
        }
    }

    /// Takes in a generation.
    fn learn(&mut self, samples: &[Sample], fits: &[Fit]) {
        let costs: Vec<f64> = fits.iter().map(Fit::cost).collect();
        self.cma.tell(samples, &costs);
        for (sample, fit) in samples.iter().zip(fits) {
            if fit.cost() < self.fit.cost() {
                self.best = sample.point.clone();
                self.fit = *fit;
            }
        }
    }
}

/// The automation and the notes of a clip in which each note has its own patch or, where there is `None`, plays
/// as in `notes` with `patch`. `free_notes`: loudness is the notes' velocity, else the patches' level.
pub fn assemble(
    patch: &Patch,
    notes: &[Note],
    own: &[Option<&Own>],
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
    // In the order of the onsets, which may have moved past each other.
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

/// The clip's score, as if no note were heard in another's passage.
fn total(parts: &[Part]) -> Score {
    let sum = |of: fn(&Fit) -> f64| parts.iter().map(|part| of(&part.fit)).sum::<f64>();
    Score {
        likeness: (1.0 - sum(|f| f.missed)).max(0.0).sqrt() as f32,
        mel: sum(|f| f.mel) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{FINE, Reference};

    #[test]
    fn no_note_is_made_to_last_into_the_next() {
        let note = |onset, duration| Note {
            onset,
            duration,
            key: 60.0,
            velocity: 0.8,
        };
        // The second one did before.
        let notes = [note(0.1, 0.3), note(0.5, 0.5), note(0.9, 0.3)];
        let sound = synth::render_mono(&Patch::default(), &notes, 1.5, 16_000.0, 1);
        let reference = Reference::new(&sound, 16_000.0, &ear::EarConfig::default()).unwrap();
        let studio = Studio::new(&reference, FINE);
        let mut longest = vec![0.5; MATCHED_COUNT + OF_NOTE];
        longest[MATCHED_COUNT + 1] = 1.0;
        let ends: Vec<f64> = places(&studio, &notes)
            .iter()
            .map(|place| {
                let (_, note) = place.candidate(&Patch::default(), &longest);
                assert!(note.duration >= place.note.duration);
                note.onset + note.duration
            })
            .collect();
        assert!(ends[0] > 0.42 && ends[0] <= 0.5, "{ends:?}");
        assert!((ends[1] - 1.0).abs() < 1e-9, "{ends:?}");
        assert!(ends[2] > 1.3 && ends[2] <= 1.5, "{ends:?}");
    }
}
