//! Candidates for single notes: the span of the clip in which a note is heard, and a candidate's
//! fit there.

use super::coarse::{BANDS, CoarseReference, HOP};
use super::objective::{RENDER_SEED, objective};
use super::vectors::{absolute_difference, product, sum_of_squares};
use super::worker::Worker;
use crate::metric::mel::to_db;
use ear::{CHANNELS, Spectrogram};
use std::ops::Range;
use synth::{Job, Note, Patch};

/// Longest part of the previous note that is rendered with a note, in ear frames: 0.4 s.
const CONTEXT: usize = 50;

/// Span of the clip in which a note is heard: from shortly before its onset to the next note's.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NoteSpan {
    /// Range of frames of the spectrogram.
    pub(super) frames: Range<usize>,
    /// Range of frames of the log-mel bands.
    mel: Range<usize>,
}

/// A candidate for one note.
pub(super) struct NoteCandidate<'a> {
    /// Span in which the note is heard.
    pub(super) span: &'a NoteSpan,
    pub(super) patch: Patch,
    pub(super) note: Note,
    /// Previous note, which may ring into the span.
    pub(super) previous: Option<Note>,
}

impl NoteCandidate<'_> {
    /// Number of frames rendered before the span.
    fn context(&self, frame_rate: f64) -> usize {
        self.previous.map_or(0, |previous| {
            let start = (previous.onset * frame_rate) as usize;
            self.span.frames.start.saturating_sub(start).min(CONTEXT)
        })
    }

    /// Number of frames rendered in all.
    pub(super) fn frames(&self, frame_rate: f64) -> usize {
        self.context(frame_rate) + self.span.frames.len()
    }
}

/// Fit of a candidate in its note's span.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoteFit {
    /// Energy of the residual, as a share of the clip's energy.
    pub(super) residual: f64,
    /// Contribution of the span to the clip's log-mel distance, in dB.
    pub(super) mel: f64,
    /// Factor on the amplitude at which the candidate fits best.
    pub(super) gain: f64,
}

impl NoteFit {
    /// Negated contribution to the clip's [`super::Score::objective`], whose likeness is about
    /// sqrt(1 - residual), some 0.9.
    pub(super) fn cost(&self) -> f64 {
        -f64::from(objective((-self.residual / 1.8) as f32, self.mel as f32))
    }
}

impl CoarseReference<'_> {
    /// Spans of `notes`, in their order; those of notes after the clip's end are empty.
    pub(super) fn note_spans(&self, notes: &[Note]) -> Vec<NoteSpan> {
        /// Number of frames before a note's onset: it may have begun a little earlier.
        const LEAD: usize = 3;
        let rate = self.frame_rate();
        let frames = self.reference.heard.frames();
        let start = |note: &Note| {
            ((note.onset * rate) as usize)
                .saturating_sub(LEAD)
                .min(frames)
        };
        let mel = |frame: usize| {
            let hops = (frame as f64 / rate / HOP).round() as usize;
            hops.min(self.mel.len() / BANDS)
        };
        (0..notes.len())
            .map(|n| {
                let from = start(&notes[n]);
                let to = notes.get(n + 1).map_or(frames, start).max(from);
                NoteSpan {
                    frames: from..to,
                    mel: mel(from)..mel(to),
                }
            })
            .collect()
    }

    /// Factors on the amplitude at which each span of the clip that `worker` heard last fits best.
    pub(super) fn gains(&self, worker: &Worker, spans: &[NoteSpan]) -> Vec<f64> {
        let fit = |span: &NoteSpan| {
            let x = cells(&self.reference.heard, span);
            let y = cells(&worker.heard, span);
            let energy = sum_of_squares(y);
            if energy > 0.0 {
                product(x, y) / energy
            } else {
                1.0
            }
        };
        spans.iter().map(fit).collect()
    }

    /// Renders candidates, each in its span, and compares them. The part of the previous note that
    /// rings into a span is played with the candidate's patch: the automation has moved on.
    pub(super) fn note_fits(
        &self,
        worker: &mut Worker,
        candidates: &[NoteCandidate<'_>],
    ) -> Vec<NoteFit> {
        let rate = self.frame_rate();
        let contexts: Vec<usize> = candidates.iter().map(|c| c.context(rate)).collect();
        let notes: Vec<Vec<Note>> = candidates
            .iter()
            .zip(&contexts)
            .map(|(candidate, context)| {
                let start = (candidate.span.frames.start - context) as f64 / rate;
                let notes = candidate.previous.iter().chain([&candidate.note]);
                let placed = notes.map(|note| {
                    let onset = (note.onset - start).max(0.0);
                    let end = note.onset + note.duration - start;
                    Note {
                        onset,
                        duration: end - onset,
                        ..*note
                    }
                });
                placed.filter(|note| note.duration > 0.0).collect()
            })
            .collect();
        let jobs: Vec<Job<'_>> = candidates
            .iter()
            .zip(&notes)
            .map(|(candidate, notes)| Job {
                patch: &candidate.patch,
                notes,
                seconds: candidate.frames(rate) as f64 / rate,
                seed: RENDER_SEED,
            })
            .collect();
        worker.batch.render_mono(&jobs, &mut worker.audio);
        let compare = |(i, candidate): (usize, &NoteCandidate<'_>)| {
            worker.hear(i, contexts[i], self.rate / rate);
            self.fit(worker, candidate.span)
        };
        candidates.iter().enumerate().map(compare).collect()
    }

    /// Compares the span of the reference with what `worker` heard last.
    fn fit(&self, worker: &mut Worker, span: &NoteSpan) -> NoteFit {
        let x = cells(&self.reference.heard, span);
        let y = &worker.heard.data[..x.len().min(worker.heard.data.len())];
        let (energy, both) = (sum_of_squares(y), product(x, y));
        let gain = if energy > 0.0 {
            (both / energy).max(0.0)
        } else {
            0.0
        };
        let residual = sum_of_squares(x) - gain * both;
        to_db(&mut worker.mel, self.peak);
        let wanted = &self.mel[span.mel.start * BANDS..span.mel.end * BANDS];
        let gain_db = 20.0 * gain.max(1e-6).log10() as f32;
        let mel = absolute_difference(wanted, &worker.mel, gain_db) / self.mel.len().max(1) as f64;
        NoteFit {
            residual: residual / self.energy.max(f64::MIN_POSITIVE),
            mel,
            gain,
        }
    }
}

/// Cells of `heard` within `span`.
fn cells<'s>(heard: &'s Spectrogram, span: &NoteSpan) -> &'s [f32] {
    let end = span.frames.end.min(heard.frames());
    &heard.data[span.frames.start.min(end) * CHANNELS..end * CHANNELS]
}
