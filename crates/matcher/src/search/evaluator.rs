//! The search's own room: renders and hears hundreds of candidates a second, at a lower rate, with one
//! time scale of log-mel bands instead of three. What it finds is judged by the [`Reference`] afterwards.

use super::objective::{RENDER_SEED, Reference, Score};
use crate::metric::mel::{FLOOR_DB, Scale, to_db};
use crate::metric::{aligned, likeness};
use ear::{CHANNELS, Ear, EarError, Spectrogram};
use realfft::RealFftPlanner;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use synth::{Batch, Job, Note, Patch};

/// Highest rate of the renders in Hz: the ear's, for a first look, and twice as much.
pub const ROUGH: f64 = 16_000.0;
pub const FINE: f64 = 32_000.0;
/// Length of the log-mel windows in seconds, and from one to the next.
const WINDOW: f64 = 0.023;
const HOP: f64 = 0.016;
/// Log-mel bands, and where they end in Hz.
const BANDS: usize = 64;
const TOP: f64 = 16_000.0;

/// What is to be matched, as the search sees it.
pub struct Studio<'a> {
    reference: &'a Reference,
    rate: f64,
    /// Sum of squares of the heard cells.
    energy: f64,
    /// Frames x bands in dB below their peak.
    mel: Vec<f32>,
    /// The peak itself, power.
    peak: f32,
}

/// One thread's instruments, ear and buffers.
pub struct Player {
    batch: Batch,
    ear: Ear,
    scale: Scale,
    /// The newest renders.
    audio: Vec<Vec<f32>>,
    heard: Spectrogram,
    mel: Vec<f32>,
}

/// Where in the clip a note is heard: from a little before its onset to the next note's.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// Ear frames.
    pub frames: Range<usize>,
    /// Log-mel frames.
    mel: Range<usize>,
}

/// Longest part of the note before that is played with a note, in ear frames: .4 s.
const CONTEXT: usize = 50;
/// Frames that the ear hears before it counts.
const WARM: usize = 3;

/// A candidate for one note.
pub struct Take<'a> {
    /// Where it is heard.
    pub passage: &'a Passage,
    /// What sounds.
    pub patch: Patch,
    /// What is played.
    pub note: Note,
    /// The note before, which may ring into it.
    pub before: Option<Note>,
}

impl Take<'_> {
    /// Frames that are rendered before the passage.
    fn context(&self, frame_rate: f64) -> usize {
        self.before.map_or(0, |before| {
            let start = (before.onset * frame_rate) as usize;
            let passage = self.passage.frames.start;
            passage.saturating_sub(start).min(CONTEXT)
        })
    }

    /// Frames that are rendered in all.
    pub fn frames(&self, frame_rate: f64) -> usize {
        self.context(frame_rate) + self.passage.frames.len()
    }
}

/// A whole clip played with a patch, as a least-squares step sees it.
pub struct View {
    /// What it scores.
    pub score: Score,
    /// What was heard less what is wanted: the cells of the spectrogram, each side centred and of length 1, then the
    /// log-mel bands in dB.
    pub difference: Vec<f32>,
    /// Number of the former.
    cells: usize,
}

impl View {
    /// One of bands alone.
    #[cfg(test)]
    pub fn of_bands(score: Score, difference: Vec<f32>) -> Self {
        Self {
            score,
            difference,
            cells: 0,
        }
    }

    /// Where the cells' differences are, and the bands'.
    pub fn parts(&self) -> (Range<usize>, Range<usize>) {
        (0..self.cells, self.cells..self.difference.len())
    }
}

/// Square roots of weights with which the sum of squares changes as [`Score::objective`] falls: half of a
/// correlation of vectors of length 1 is a quarter of their distance's square.
pub const CELL_WEIGHT: f32 = 0.5;

/// The same for the bands, whose absolute differences count: that holds near where they are (iteratively
/// reweighted least squares).
pub fn band_weights(differences: &[f32]) -> Vec<f32> {
    /// Least difference, in dB.
    const LEAST: f32 = 1.0;
    let count = differences.len().max(1) as f32;
    let weight = |d: &f32| (0.25 / (FLOOR_DB * count * d.abs().max(LEAST))).sqrt();
    differences.iter().map(weight).collect()
}

/// What a candidate for one note is worth.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Energy of the difference, as a share of the clip's energy.
    pub missed: f64,
    /// What the passage adds to the clip's log-mel distance, in dB.
    pub mel: f64,
    /// Factor on amplitude at which it fits best.
    pub gain: f64,
}

impl<'a> Studio<'a> {
    /// Prepares a search for `reference` with renders at `rate` Hz, or the reference's if that is lower.
    pub fn new(reference: &'a Reference, rate: f64) -> Self {
        let rate = rate.min(reference.rate);
        let scale = scale(reference.rate, rate);
        let mut mel = Vec::new();
        scale.powers(&reference.samples, &mut mel);
        let peak = mel.iter().fold(0.0f32, |m, &v| m.max(v));
        to_db(&mut mel, peak);
        Self {
            reference,
            rate,
            energy: sum_of_squares(&reference.heard.data),
            mel,
            peak,
        }
    }

    /// Length of its clip in seconds.
    pub fn seconds(&self) -> f64 {
        self.reference.seconds()
    }

    /// Players for so many threads, at least one. Fails where [`Ear::new`] does.
    pub fn players(&self, threads: usize) -> Result<Vec<Player>, EarError> {
        (0..threads.max(1)).map(|_| self.player()).collect()
    }

    fn player(&self) -> Result<Player, EarError> {
        Ok(Player {
            batch: Batch::new(self.rate as f32),
            ear: Ear::new(&self.reference.ear, self.rate, false)?,
            scale: scale(self.rate, self.rate),
            audio: Vec::new(),
            heard: Spectrogram::default(),
            mel: Vec::new(),
        })
    }

    /// The passages of `notes`, in their order; those of notes after the clip's end are empty.
    pub fn passages(&self, notes: &[Note]) -> Vec<Passage> {
        /// Frames before a note's onset: it may have begun a little earlier.
        const LEAD: usize = 3;
        let rate = self.reference.heard.frame_rate;
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
                Passage {
                    frames: from..to,
                    mel: mel(from)..mel(to),
                }
            })
            .collect()
    }

    /// Plays the whole clip with each patch and compares.
    pub fn scores(&self, player: &mut Player, notes: &[Note], patches: &[Patch]) -> Vec<Score> {
        self.compare(player, notes, patches, |_, score| score)
    }

    /// [`Studio::scores`], and what they are made of.
    pub fn views(&self, player: &mut Player, notes: &[Note], patches: &[Patch]) -> Vec<View> {
        let wanted = unit(&self.reference.heard.data);
        self.compare(player, notes, patches, |player, score| {
            let mut difference = unit(&player.heard.data);
            difference.resize(wanted.len(), 0.0);
            let mut bands = player.mel.clone();
            bands.resize(self.mel.len(), -FLOOR_DB);
            difference.extend(bands);
            let minus = wanted.iter().chain(&self.mel);
            difference.iter_mut().zip(minus).for_each(|(a, b)| *a -= b);
            View {
                score,
                difference,
                cells: wanted.len(),
            }
        })
    }

    /// `see` of each of the patches, as played and compared.
    fn compare<T>(
        &self,
        player: &mut Player,
        notes: &[Note],
        patches: &[Patch],
        see: impl Fn(&Player, Score) -> T,
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
        player.batch.render_mono(&jobs, &mut player.audio);
        let compare = |i| {
            player.hear(i, 0, 0.0);
            let peak = player.mel.iter().fold(0.0f32, |m, &v| m.max(v));
            to_db(&mut player.mel, peak);
            let cells = self.mel.len().max(1) as f64;
            let score = Score {
                likeness: likeness(&self.reference.heard, &player.heard),
                mel: (apart(&self.mel, &player.mel, 0.0) / cells) as f32,
            };
            see(player, score)
        };
        (0..jobs.len()).map(compare).collect()
    }

    /// By how many seconds what was last played as a whole comes too early.
    pub fn early(&self, player: &Player) -> f64 {
        let (frames, _) = aligned(&self.reference.heard, &player.heard);
        frames as f64 / self.frame_rate()
    }

    /// The factors on amplitude by which each passage of what was last played fits best.
    pub fn gains(&self, player: &Player, passages: &[Passage]) -> Vec<f64> {
        let fit = |p: &Passage| {
            let (x, y) = (cells(&self.reference.heard, p), cells(&player.heard, p));
            let energy = sum_of_squares(y);
            if energy > 0.0 {
                product(x, y) / energy
            } else {
                1.0
            }
        };
        passages.iter().map(fit).collect()
    }

    /// Frames per second.
    pub fn frame_rate(&self) -> f64 {
        self.reference.heard.frame_rate
    }

    /// Plays notes, whose onsets are those of the clip, each in its passage, and compares. What rings of the
    /// note before has the same patch: the automation has moved on.
    pub fn fits(&self, player: &mut Player, takes: &[Take<'_>]) -> Vec<Fit> {
        let rate = self.frame_rate();
        let contexts: Vec<usize> = takes.iter().map(|take| take.context(rate)).collect();
        let notes: Vec<Vec<Note>> = takes
            .iter()
            .zip(&contexts)
            .map(|(take, context)| {
                let start = (take.passage.frames.start - context) as f64 / rate;
                let notes = take.before.iter().chain([&take.note]);
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
        let jobs: Vec<Job<'_>> = takes
            .iter()
            .zip(&notes)
            .map(|(take, notes)| Job {
                patch: &take.patch,
                notes,
                seconds: take.frames(rate) as f64 / rate,
                seed: RENDER_SEED,
            })
            .collect();
        player.batch.render_mono(&jobs, &mut player.audio);
        let compare = |(i, take): (usize, &Take<'_>)| {
            player.hear(i, contexts[i], self.rate / rate);
            self.fit(player, take.passage)
        };
        takes.iter().enumerate().map(compare).collect()
    }

    /// Compares a passage with what was heard last.
    fn fit(&self, player: &mut Player, passage: &Passage) -> Fit {
        let x = cells(&self.reference.heard, passage);
        let y = &player.heard.data[..x.len().min(player.heard.data.len())];
        let (energy, both) = (sum_of_squares(y), product(x, y));
        let gain = if energy > 0.0 {
            (both / energy).max(0.0)
        } else {
            0.0
        };
        let missed = sum_of_squares(x) - gain * both;
        to_db(&mut player.mel, self.peak);
        let wanted = &self.mel[passage.mel.start * BANDS..passage.mel.end * BANDS];
        let gain_db = 20.0 * gain.max(1e-6).log10() as f32;
        let mel = apart(wanted, &player.mel, gain_db) / self.mel.len().max(1) as f64;
        Fit {
            missed: missed / self.energy.max(f64::MIN_POSITIVE),
            mel,
            gain,
        }
    }
}

impl Fit {
    /// What the note takes from the clip's [`Score::objective`].
    pub fn cost(&self) -> f64 {
        // The likeness is about sqrt(1 - missed), some .9.
        let score = Score {
            likeness: (-self.missed / 1.8) as f32,
            mel: self.mel as f32,
        };
        -f64::from(score.objective())
    }
}

/// Log-mel bands of sounds at `rate` Hz that can be compared with those at `other`.
fn scale(rate: f64, other: f64) -> Scale {
    let length = (WINDOW * rate).round() as usize;
    let top = TOP.min(other / 2.0);
    Scale::new(
        &mut RealFftPlanner::new(),
        length,
        HOP * rate,
        BANDS,
        top,
        rate,
    )
}

impl Player {
    /// What was last played, as heard.
    pub fn heard(&self) -> &Spectrogram {
        &self.heard
    }

    /// Hears render `i` of the newest from its frame `first` on; frames have so many samples.
    fn hear(&mut self, i: usize, first: usize, samples: f64) {
        let audio = |frame: usize| {
            let from = (frame as f64 * samples).round() as usize;
            self.audio[i].get(from..).unwrap_or_default()
        };
        let warm = first.min(WARM);
        self.ear.hear(audio(first - warm), &mut self.heard);
        let warm = (warm * CHANNELS).min(self.heard.data.len());
        self.heard.data.drain(..warm);
        self.scale.powers(audio(first), &mut self.mel);
    }
}

fn cells<'s>(heard: &'s Spectrogram, passage: &Passage) -> &'s [f32] {
    let end = passage.frames.end.min(heard.frames());
    &heard.data[passage.frames.start.min(end) * CHANNELS..end * CHANNELS]
}

/// Cells less their mean, scaled to length 1; zeros where they are constant.
fn unit(cells: &[f32]) -> Vec<f32> {
    let mean =
        (cells.iter().map(|&v| f64::from(v)).sum::<f64>() / cells.len().max(1) as f64) as f32;
    let centred: Vec<f32> = cells.iter().map(|v| v - mean).collect();
    let length = sum_of_squares(&centred).sqrt();
    if length == 0.0 {
        return centred;
    }
    let by = (1.0 / length) as f32;
    centred.iter().map(|v| v * by).collect()
}

fn sum_of_squares(cells: &[f32]) -> f64 {
    product(cells, cells)
}

/// Sum of the products of cells.
pub fn product(x: &[f32], y: &[f32]) -> f64 {
    let rows = x.chunks(CHANNELS).zip(y.chunks(CHANNELS));
    rows.map(|(x, y)| {
        let mut sums = [0.0f32; 8];
        for (x, y) in x.chunks_exact(8).zip(y.chunks_exact(8)) {
            for i in 0..8 {
                sums[i] += x[i] * y[i];
            }
        }
        f64::from(sums.iter().sum::<f32>())
    })
    .sum()
}

/// Sum of absolute differences of cells in dB, `b` being raised by `gain` dB; the shorter is followed by
/// silence.
fn apart(a: &[f32], b: &[f32], gain: f32) -> f64 {
    let silence = std::iter::repeat(-FLOOR_DB);
    let b = b.iter().map(|b| (b + gain).max(-FLOOR_DB)).chain(silence);
    a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum()
}

/// Evaluates `jobs` on as many threads as there are players, some side by side; results in the order of the
/// jobs.
pub fn on_all<J: Sync, R: Send>(
    players: &mut [Player],
    jobs: &[J],
    evaluate: impl Fn(&mut Player, &[J]) -> Vec<R> + Sync,
) -> Vec<R> {
    /// Most jobs side by side: two of the widest vectors.
    const TOGETHER: usize = 16;
    let together = jobs.len().div_ceil(players.len()).clamp(1, TOGETHER);
    let chunks: Vec<&[J]> = jobs.chunks(together).collect();
    let next = AtomicUsize::new(0);
    let work = |player: &mut Player| {
        let mut done = Vec::new();
        while let Some((i, chunk)) = {
            let i = next.fetch_add(1, Ordering::Relaxed);
            chunks.get(i).map(|chunk| (i, chunk))
        } {
            done.push((i, evaluate(player, chunk)));
        }
        done
    };
    let mut done: Vec<(usize, Vec<R>)> = if let [player] = players {
        work(player)
    } else {
        std::thread::scope(|scope| {
            let threads: Vec<_> = players
                .iter_mut()
                .map(|player| scope.spawn(|| work(player)))
                .collect();
            let results = threads.into_iter().map(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            results.flatten().collect()
        })
    };
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().flat_map(|(_, results)| results).collect()
}
