//! Evaluates candidates for a clip: owns the workers, the notes that are played, and the baseline
//! that candidates are compared with.

use super::bounds::Bounds;
use super::coarse::{CoarseReference, Residual};
use super::note_fit::{NoteCandidate, NoteFit};
use super::objective::{Candidate, Reference, Score};
use super::worker::{Worker, in_parallel};
use ear::{EarError, Spectrogram};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use synth::{Note, Patch};

/// Least number of notes, and least distance in semitones from the lowest to the highest, of a clip
/// whose patch may lean.
const FEWEST_NOTES: usize = 4;
const LEAST_SPAN: f32 = 4.0;
/// Lowest velocity given to a note.
const MIN_VELOCITY: f64 = 0.1;

/// Renders candidates of a clip at one rate, on all workers, and scores them.
pub(super) struct Evaluator<'a> {
    pub(super) reference: CoarseReference<'a>,
    workers: Vec<Worker>,
    notes: Vec<Note>,
    baseline: Score,
    /// The values that candidates may have.
    pub(super) bounds: Bounds,
}

impl<'a> Evaluator<'a> {
    /// Prepares `threads` workers, at least one, that play `notes` at `rate` Hz. Fails where
    /// [`ear::Ear::new`] does.
    pub(super) fn new(
        reference: &'a Reference,
        rate: f64,
        notes: &[Note],
        threads: usize,
    ) -> Result<Self, EarError> {
        let reference = CoarseReference::new(reference, rate);
        let workers = (0..threads.max(1)).map(|_| reference.worker());
        Ok(Self {
            workers: workers.collect::<Result<_, _>>()?,
            reference,
            notes: notes.to_vec(),
            baseline: Score::WORST,
            bounds: Bounds::ALL,
        })
    }

    /// Ends renders where they are as soon as `stop` is true.
    pub(super) fn stop_at(&mut self, stop: &Arc<AtomicBool>) {
        for worker in &mut self.workers {
            worker.batch.stop_at(stop.clone());
        }
    }

    /// Length of the clip in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.reference.seconds()
    }

    /// The key around which a patch may lean; `None` where the notes are too few, or too near to
    /// each other, to tell how the sound changes from key to key.
    pub(super) fn middle(&self) -> Option<f32> {
        let keys = || self.notes.iter().map(|note| note.key);
        let span = keys().fold(f32::MIN, f32::max) - keys().fold(f32::MAX, f32::min);
        let mean = keys().sum::<f32>() / self.notes.len().max(1) as f32;
        (self.notes.len() >= FEWEST_NOTES && span >= LEAST_SPAN).then(|| mean.round())
    }

    /// The notes that are played.
    pub(super) fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Scores `patches`; the first becomes the baseline.
    pub(super) fn start(&mut self, patches: &[Patch]) -> Vec<Candidate> {
        let candidates = self.candidates(patches);
        self.baseline = candidates[0].score;
        candidates
    }

    /// Scores `patches`, each playing the whole clip.
    pub(super) fn candidates(&mut self, patches: &[Patch]) -> Vec<Candidate> {
        let (reference, notes) = (&self.reference, &self.notes);
        let scores = in_parallel(&mut self.workers, patches, |worker, patches| {
            reference.scores(worker, notes, patches)
        });
        let candidate = |(&patch, score)| Candidate { patch, score };
        patches.iter().zip(scores).map(candidate).collect()
    }

    /// Residuals of `patches`, each playing the whole clip.
    pub(super) fn residuals(&mut self, patches: &[Patch]) -> Vec<Residual> {
        let (reference, notes) = (&self.reference, &self.notes);
        in_parallel(&mut self.workers, patches, |worker, patches| {
            reference.residuals(worker, notes, patches)
        })
    }

    /// Key of the note that sounds at a time in seconds, or of the first note.
    pub(super) fn key_at(&self, time: f64) -> f32 {
        let note = note_at(&self.notes, time).or(self.notes.first());
        note.map_or(60.0, |note| note.key)
    }

    /// Fits of candidates for single notes, made of `trials` by `candidate`.
    pub(super) fn note_fits<'c, T: Sync>(
        &mut self,
        trials: &[T],
        candidate: impl Fn(&T) -> NoteCandidate<'c> + Sync,
    ) -> Vec<NoteFit> {
        let reference = &self.reference;
        in_parallel(&mut self.workers, trials, |worker, trials| {
            let candidates: Vec<NoteCandidate<'_>> = trials.iter().map(&candidate).collect();
            reference.note_fits(worker, &candidates)
        })
    }

    /// Scores one patch, and returns the spectrogram heard with it.
    pub(super) fn hear(&mut self, patch: &Patch) -> (Score, &Spectrogram) {
        let worker = &mut self.workers[0];
        let score = self.reference.scores(worker, &self.notes, &[*patch])[0];
        (score, &worker.heard)
    }

    /// Objective of `score`, with a penalty for each half that is worse than the baseline's.
    pub(super) fn penalized(&self, score: &Score) -> f32 {
        score.penalized(&self.baseline)
    }

    /// Replaces `best` where `candidate` is better.
    pub(super) fn offer(&self, best: &mut Candidate, candidate: Candidate) {
        if self.penalized(&candidate.score) > self.penalized(&best.score) {
            *best = candidate;
        }
    }

    /// Moves all transcribed notes in time together, and sets their velocities, so that `best`
    /// sounds most like the clip.
    pub(super) fn adjust_notes(&mut self, best: &mut Candidate) {
        let (reference, worker) = (&self.reference, &mut self.workers[0]);
        let mut moved = self.notes.clone();
        reference.scores(worker, &self.notes, &[best.patch]);
        let lead = reference.lead(worker);
        for note in &mut moved {
            note.onset = (note.onset + lead).max(0.0);
        }
        if lead != 0.0 {
            reference.scores(worker, &moved, &[best.patch]);
        }
        let gains = reference.gains(worker, &reference.note_spans(&moved));
        set_velocities(&mut moved, &gains);
        let score = reference.scores(worker, &moved, &[best.patch])[0];
        // A common shift hardly changes the score, but puts each note into its own span.
        if score.objective() >= best.score.objective() - 1e-3 {
            self.notes = moved;
            best.score = score;
        }
    }
}

/// The note of a melody that sounds at a time in seconds: the last one begun.
pub(super) fn note_at(notes: &[Note], time: f64) -> Option<&Note> {
    let begun = notes.iter().filter(|note| note.onset <= time);
    begun.max_by(|a, b| a.onset.total_cmp(&b.onset))
}

/// Multiplies the notes' amplitudes, which are their velocities squared, by `gains` and a common
/// factor that makes the loudest note's velocity 1. The default response to velocity is assumed.
pub(super) fn set_velocities(notes: &mut [Note], gains: &[f64]) {
    let wanted: Vec<f64> = notes
        .iter()
        .zip(gains)
        .map(|(note, gain)| f64::from(note.velocity) * gain.max(0.0).sqrt())
        .collect();
    let loudest = wanted.iter().fold(0.0f64, |m, &v| m.max(v));
    if loudest > 0.0 {
        for (note, wanted) in notes.iter_mut().zip(&wanted) {
            note.velocity = (wanted / loudest).clamp(MIN_VELOCITY, 1.0) as f32;
        }
    }
}
