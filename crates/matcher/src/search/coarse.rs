//! The reference in a coarser form for the search: at a lower rate, with one time resolution of
//! log-mel bands instead of three. The result of a search is judged by the [`Reference`] itself.

use super::objective::{RENDER_SEED, Reference, Score};
use super::vectors::{absolute_difference, standardized, sum_of_squares};
use super::worker::Worker;
use crate::metric::mel::{FLOOR_DB, Resolution, to_db};
use crate::metric::{aligned, likeness};
use ear::{CHANNELS, Ear, EarError, Spectrogram};
use realfft::RealFftPlanner;
use std::ops::Range;
use synth::{Batch, Job, Note, Patch};

/// Highest rates of the renders in Hz: the ear's own for rough scores, and twice that for fine
/// ones.
pub(super) const ROUGH: f64 = 16_000.0;
pub(super) const FINE: f64 = 32_000.0;
/// Length of the log-mel windows, and the distance from one to the next, in seconds.
const WINDOW: f64 = 0.023;
pub(super) const HOP: f64 = 0.016;
/// Number of log-mel bands, and the upper edge of the highest in Hz.
pub(super) const BANDS: usize = 64;
const TOP: f64 = 16_000.0;

/// A reference prepared for comparison with renders at one rate.
pub(super) struct CoarseReference<'a> {
    pub(super) reference: &'a Reference,
    pub(super) rate: f64,
    /// Sum of squares of the spectrogram's cells, and these centred and of norm 1.
    pub(super) energy: f64,
    cells: Vec<f32>,
    /// Log-mel bands, frames x bands, in dB below their peak.
    pub(super) mel: Vec<f32>,
    /// Power of the peak of `mel`.
    pub(super) peak: f32,
}

/// A rendered candidate as it is heard.
#[derive(Clone)]
pub(super) struct Heard {
    pub(super) score: Score,
    /// Spectrogram, frames x channels.
    cells: Vec<f32>,
    /// Log-mel bands, frames x bands, in dB below their peak.
    bands: Vec<f32>,
    /// That peak in dB, and the frame in which it is.
    peak: f32,
    peak_frame: usize,
}

/// Difference between a candidate and the reference, the residual of a least-squares step.
pub(super) struct Residual {
    pub(super) heard: Heard,
    /// Spectrogram cells (each side centred and of norm 1), then log-mel bands in dB; candidate
    /// less reference.
    pub(super) values: Vec<f32>,
    /// Number of spectrogram cells in `values`.
    cells: usize,
}

impl Residual {
    /// A residual of log-mel bands alone.
    #[cfg(test)]
    pub(super) fn of_bands(score: Score, values: Vec<f32>) -> Self {
        Self {
            heard: Heard {
                score,
                cells: Vec::new(),
                bands: Vec::new(),
                peak: 0.0,
                peak_frame: 0,
            },
            values,
            cells: 0,
        }
    }

    /// Ranges in `values` of the spectrogram cells and of the log-mel bands.
    pub(super) fn parts(&self) -> (Range<usize>, Range<usize>) {
        (0..self.cells, self.cells..self.values.len())
    }
}

impl<'a> CoarseReference<'a> {
    /// Prepares `reference` for renders at `rate` Hz, or at its own rate if that is lower.
    pub(super) fn new(reference: &'a Reference, rate: f64) -> Self {
        let rate = rate.min(reference.rate);
        let resolution = resolution(reference.rate, rate);
        let mut mel = Vec::new();
        resolution.powers(&reference.samples, &mut mel);
        let peak = mel.iter().fold(0.0f32, |m, &v| m.max(v));
        to_db(&mut mel, peak);
        Self {
            reference,
            rate,
            energy: sum_of_squares(&reference.heard.data),
            cells: standardized(&reference.heard.data),
            mel,
            peak,
        }
    }

    /// Length of the clip in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.reference.seconds()
    }

    /// Frames of the spectrogram per second.
    pub(super) fn frame_rate(&self) -> f64 {
        self.reference.heard.frame_rate
    }

    /// A worker that renders at this rate. Fails where [`Ear::new`] does.
    pub(super) fn worker(&self) -> Result<Worker, EarError> {
        Ok(Worker {
            batch: Batch::new(self.rate as f32),
            ear: Ear::new(&self.reference.ear, self.rate, false)?,
            resolution: resolution(self.rate, self.rate),
            audio: Vec::new(),
            heard: Spectrogram::default(),
            mel: Vec::new(),
        })
    }

    /// Scores of `patches`, each playing `notes` through the whole clip.
    pub(super) fn scores(
        &self,
        worker: &mut Worker,
        notes: &[Note],
        patches: &[Patch],
    ) -> Vec<Score> {
        self.compare(worker, notes, patches, |_, score, _| score)
    }

    /// Residuals of `patches`, each playing `notes` through the whole clip.
    pub(super) fn residuals(
        &self,
        worker: &mut Worker,
        notes: &[Note],
        patches: &[Patch],
    ) -> Vec<Residual> {
        self.compare(worker, notes, patches, |worker, score, peak| {
            let (power, cell) = peak;
            let mut heard = Heard {
                score,
                cells: worker.heard.data.clone(),
                bands: worker.mel.clone(),
                peak: 10.0 * power.max(f32::MIN_POSITIVE).log10(),
                peak_frame: cell / BANDS,
            };
            heard.cells.resize(self.cells.len(), 0.0);
            heard.bands.resize(self.mel.len(), -FLOOR_DB);
            self.residual(heard)
        })
    }

    fn residual(&self, heard: Heard) -> Residual {
        let mut values = standardized(&heard.cells);
        let cells = values.len();
        values.extend(&heard.bands);
        let minus = self.cells.iter().chain(&self.mel);
        values.iter_mut().zip(minus).for_each(|(a, b)| *a -= b);
        Residual {
            heard,
            values,
            cells,
        }
    }

    /// Residual of a render that moves from `here` towards `moved` by the share that `weight` gives
    /// for each time in seconds: each moment of a melody depends on the patch of one note.
    pub(super) fn between(
        &self,
        here: &Heard,
        moved: &Heard,
        weight: impl Fn(f64) -> f32,
    ) -> Residual {
        let mut result = here.clone();
        let rate = self.frame_rate();
        let rows = result
            .cells
            .chunks_mut(CHANNELS)
            .zip(moved.cells.chunks(CHANNELS));
        for (frame, (here, moved)) in rows.enumerate() {
            let weight = weight((frame as f64 + 0.5) / rate);
            here.iter_mut()
                .zip(moved)
                .for_each(|(a, b)| *a += weight * (b - *a));
        }
        let at = |frame: usize| weight(frame as f64 * HOP + 0.5 * WINDOW);
        let (louder, at_peak) = (moved.peak - here.peak, at(here.peak_frame));
        let rows = result
            .bands
            .chunks_mut(BANDS)
            .zip(moved.bands.chunks(BANDS));
        for (frame, (here, moved)) in rows.enumerate() {
            let weight = at(frame);
            let offset = (weight - at_peak) * louder;
            for (a, b) in here.iter_mut().zip(moved) {
                let heard = *a > -FLOOR_DB;
                *a = (*a + weight * (b - *a) + if heard { offset } else { 0.0 }).max(-FLOOR_DB);
            }
        }
        self.residual(result)
    }

    /// Renders and scores each patch, and returns `result` for it: of its score, and the power and
    /// the cell of the mel bands' peak.
    fn compare<T>(
        &self,
        worker: &mut Worker,
        notes: &[Note],
        patches: &[Patch],
        result: impl Fn(&Worker, Score, (f32, usize)) -> T,
    ) -> Vec<T> {
        let jobs: Vec<Job<'_>> = patches
            .iter()
            .map(|patch| Job {
                patch,
                notes,
                seconds: self.seconds(),
                seed: RENDER_SEED,
            })
            .collect();
        worker.batch.render_mono(&jobs, &mut worker.audio);
        let compare = |i| {
            worker.hear(i, 0, 0.0);
            let powers = worker.mel.iter().copied().zip(0..);
            let peak = powers.fold((0.0, 0), |m, v| if v.0 > m.0 { v } else { m });
            to_db(&mut worker.mel, peak.0);
            let cells = self.mel.len().max(1) as f64;
            let score = Score {
                likeness: likeness(&self.reference.heard, &worker.heard),
                mel: (absolute_difference(&self.mel, &worker.mel, 0.0) / cells) as f32,
            };
            result(worker, score, peak)
        };
        (0..jobs.len()).map(compare).collect()
    }

    /// Seconds by which the candidate that `worker` heard last is early.
    pub(super) fn lead(&self, worker: &Worker) -> f64 {
        let (frames, _) = aligned(&self.reference.heard, &worker.heard);
        frames as f64 / self.frame_rate()
    }
}

/// Log-mel bands of sounds at `rate` Hz, comparable with those of sounds at `other` Hz.
fn resolution(rate: f64, other: f64) -> Resolution {
    let length = (WINDOW * rate).round() as usize;
    let top = TOP.min(other / 2.0);
    Resolution::new(
        &mut RealFftPlanner::new(),
        length,
        HOP * rate,
        BANDS,
        top,
        rate,
    )
}
