//! The search's own room: renders and hears hundreds of candidates a second, at 32 kHz at most, with one
//! time scale of log-mel bands instead of three. What it finds is judged by the [`Reference`] afterwards.

use super::reference::{RENDER_SEED, Reference, Score};
use crate::likeness::likeness;
use crate::mel::{FLOOR_DB, Scale, to_db};
use ear::{CHANNELS, Ear, EarError, Spectrogram};
use realfft::RealFftPlanner;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use synth::{Batch, Job, Note, Patch};

/// Highest rate of the renders, in Hz: twice the ear's.
const RATE: f64 = 32_000.0;
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

/// A candidate for one note.
pub struct Take<'a> {
    /// Where it is heard.
    pub passage: &'a Passage,
    /// What sounds.
    pub patch: Patch,
    /// What is played.
    pub note: Note,
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
    /// Prepares a search for `reference`.
    pub fn new(reference: &'a Reference) -> Self {
        let scale = scale(reference.rate);
        let mut mel = Vec::new();
        scale.powers(&reference.samples, &mut mel);
        let peak = mel.iter().fold(0.0f32, |m, &v| m.max(v));
        to_db(&mut mel, peak);
        Self {
            reference,
            rate: reference.rate.min(RATE),
            energy: sum_of_squares(&reference.heard.data),
            mel,
            peak,
        }
    }

    /// Length of its clip in seconds.
    pub fn seconds(&self) -> f64 {
        self.reference.seconds()
    }

    /// A player for one thread. Fails where [`Ear::new`] does.
    pub fn player(&self) -> Result<Player, EarError> {
        Ok(Player {
            batch: Batch::new(self.rate as f32),
            ear: Ear::new(&self.reference.ear, self.rate, false)?,
            scale: scale(self.rate),
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
        let start = |note: &Note| ((note.onset * rate) as usize).saturating_sub(LEAD).min(frames);
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
        let jobs: Vec<Job<'_>> = patches
            .iter()
            .map(|patch| Job {
                patch,
                notes,
                seconds: self.seconds(),
                seed: RENDER_SEED,
            })
            .collect();
        let renders = player.batch.render(&jobs);
        let compare = |[left, _]: &[Vec<f32>; 2]| {
            player.hear(left);
            let peak = player.mel.iter().fold(0.0f32, |m, &v| m.max(v));
            to_db(&mut player.mel, peak);
            let cells = self.mel.len().max(1) as f64;
            Score {
                likeness: likeness(&self.reference.heard, &player.heard),
                mel: (apart(&self.mel, &player.mel, 0.0) / cells) as f32,
            }
        };
        renders.iter().map(compare).collect()
    }

    /// The factors on amplitude by which each passage of what was last played fits best.
    pub fn gains(&self, player: &Player, passages: &[Passage]) -> Vec<f64> {
        let fit = |p: &Passage| {
            let (x, y) = (cells(&self.reference.heard, p), cells(&player.heard, p));
            let energy = sum_of_squares(y);
            if energy > 0.0 { product(x, y) / energy } else { 1.0 }
        };
        passages.iter().map(fit).collect()
    }

    /// Plays notes, whose onsets are those of the clip, each alone in its passage, and compares.
    pub fn fits(&self, player: &mut Player, takes: &[Take<'_>]) -> Vec<Fit> {
        let frame = 1.0 / self.reference.heard.frame_rate;
        let notes: Vec<[Note; 1]> = takes
            .iter()
            .map(|take| {
                let start = take.passage.frames.start as f64 * frame;
                let onset = (take.note.onset - start).max(0.0);
                [Note { onset, ..take.note }]
            })
            .collect();
        let jobs: Vec<Job<'_>> = takes
            .iter()
            .zip(&notes)
            .map(|(take, notes)| Job {
                patch: &take.patch,
                notes,
                seconds: take.passage.frames.len() as f64 * frame,
                seed: RENDER_SEED,
            })
            .collect();
        let renders = player.batch.render(&jobs);
        let compare = |(take, [left, _]): (&Take<'_>, &[Vec<f32>; 2])| {
            player.hear(left);
            self.fit(player, take.passage)
        };
        takes.iter().zip(&renders).map(compare).collect()
    }

    /// Compares a passage with what was heard last.
    fn fit(&self, player: &mut Player, passage: &Passage) -> Fit {
        let x = cells(&self.reference.heard, passage);
        let y = &player.heard.data[..x.len().min(player.heard.data.len())];
        let (energy, both) = (sum_of_squares(y), product(x, y));
        let gain = if energy > 0.0 { (both / energy).max(0.0) } else { 0.0 };
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

fn scale(rate: f64) -> Scale {
    let length = (WINDOW * rate).round() as usize;
    Scale::new(&mut RealFftPlanner::new(), length, HOP * rate, BANDS, TOP, rate)
}

impl Player {
    fn hear(&mut self, audio: &[f32]) {
        self.ear.hear(audio, &mut self.heard);
        self.scale.powers(audio, &mut self.mel);
    }
}

fn cells<'s>(heard: &'s Spectrogram, passage: &Passage) -> &'s [f32] {
    let end = passage.frames.end.min(heard.frames());
    &heard.data[passage.frames.start.min(end) * CHANNELS..end * CHANNELS]
}

fn sum_of_squares(cells: &[f32]) -> f64 {
    product(cells, cells)
}

fn product(x: &[f32], y: &[f32]) -> f64 {
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
