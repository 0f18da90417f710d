//! The melody heard: pitch, gate and level per frame, causal, without look-ahead.
//!
//! The normalised square difference function of McLeod and Wyvill ("A smarter way to find pitch", 2005)
//! over the newest samples, its peaks being the candidates; a forward Viterbi pass over the candidates
//! of successive frames chooses, as in Boersma's tracker ("Accurate short-term analysis of the
//! fundamental frequency", 1993), but each frame's answer is given at once.
//!
//! Correlations are summed per frame and kept, so a window of any number of frames is a sum of few rows.

use crate::simd::{InstructionSet, Kernel, Vector};

/// Pitches searched for in Hz; a little beyond 55 to 1760 Hz.
const LOWEST_HZ: f64 = 52.0;
const HIGHEST_HZ: f64 = 1865.0;
/// The tracker works at the largest whole fraction of the filters' rate that is at least this, in Hz.
const MIN_RATE: f64 = 16_000.0;
/// Partials above this only blur short lags.
const LOWPASS_HZ: f64 = 2_500.0;
/// Below the lowest pitch; without it a constant would look periodic at every lag.
const HIGHPASS_HZ: f64 = 30.0;
/// Length of the correlation window in ms; lags reach further back.
const WINDOW_MS: f64 = 32.0;
/// Candidates kept per frame.
const CANDIDATES: usize = 10;
/// What an octave upward is worth: of equal peaks the shortest lag is the pitch.
const OCTAVE_COST: f32 = 0.03;
/// Cost of moving by an octave between frames, and of starting or ending a tone.
const JUMP_COST: f32 = 0.10;
const VOICING_COST: f32 = 0.04;
/// Strength of the unvoiced state: clearer candidates win over it.
const UNVOICED: f32 = 0.60;
/// A frame quieter than this in dBFS, or this far below the recent peak in dB, is never voiced.
const GATE_DB: f32 = -60.0;
const GATE_BELOW_PEAK_DB: f32 = 45.0;
/// How fast the recent peak is forgotten, dB a second.
const PEAK_FALL_DB: f32 = 12.0;
/// Lowest level told, dBFS.
const FLOOR_DB: f32 = -120.0;
/// Lags taken together by the kernel, in vectors.
const LAG_VECTORS: usize = 4;

/// Pitch and gate of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PitchFrame {
    /// Fundamental in Hz; meaningful while `voiced`.
    pub hz: f32,
    /// Whether a pitched sound is present.
    pub voiced: bool,
    /// Normalised autocorrelation peak, 0 to 1.
    pub clarity: f32,
    /// RMS level in dBFS, at least -120.
    pub level_db: f32,
}

#[derive(Clone, Copy, Default)]
struct Candidate {
    /// Period in samples.
    period: f32,
    clarity: f32,
    /// Best score of a path ending here.
    score: f32,
}

/// Tracks the pitch of one stream, frame by frame.
pub(crate) struct PitchTracker {
    instructions: InstructionSet,
    decimation: usize,
    /// Position of the next input sample within its group of `decimation`.
    countdown: usize,
    rate: f32,
    frame_seconds: f32,
    shortest: usize,
    lags: usize,
    window_frames: usize,
    prefilter: Prefilter,
    /// Newest sample first.
    history: Vec<f32>,
    /// One row of `lags` for each of the last `window_frames` frames.
    correlations: Vec<f32>,
    lengths: Vec<usize>,
    row: usize,
    /// Scratch: sums of squares of the newest k samples, and the normalised function.
    squares: Vec<f64>,
    nsdf: Vec<f32>,
    candidates: [Candidate; CANDIDATES],
    count: usize,
    unvoiced_score: f32,
    peak_db: f32,
}

impl PitchTracker {
    /// For frames of `frame_len` samples at `rate` Hz.
    pub(crate) fn new(rate: f64, frame_len: usize, instructions: InstructionSet) -> Self {
        let decimation = ((rate / MIN_RATE).floor() as usize).max(1);
        let own_rate = rate / decimation as f64;
        let per_block = LAG_VECTORS * instructions.lanes();
        let lags = ((own_rate / LOWEST_HZ).ceil() as usize + 2).next_multiple_of(per_block);
        let frame_seconds = frame_len as f64 / rate;
        let window_frames = ((WINDOW_MS / 1000.0 / frame_seconds).round() as usize).max(1);
        let longest_frame = frame_len.div_ceil(decimation);
        let mut tracker = Self {
            instructions,
            decimation,
            countdown: 0,
            rate: own_rate as f32,
            frame_seconds: frame_seconds as f32,
            shortest: ((own_rate / HIGHEST_HZ).floor() as usize).max(2),
            lags,
            window_frames,
            prefilter: Prefilter::new(rate),
            history: vec![0.0; window_frames * longest_frame + lags],
            correlations: vec![0.0; window_frames * lags],
            lengths: vec![0; window_frames],
            row: 0,
            squares: vec![0.0; window_frames * longest_frame + lags + 1],
            nsdf: vec![0.0; lags],
            candidates: [Candidate::default(); CANDIDATES],
            count: 0,
            unvoiced_score: 0.0,
            peak_db: FLOOR_DB,
        };
        tracker.reset();
        tracker
    }

    /// Forgets everything heard.
    pub(crate) fn reset(&mut self) {
        self.prefilter.reset();
        self.history.fill(0.0);
        self.correlations.fill(0.0);
        self.lengths.fill(0);
        (self.countdown, self.row, self.count) = (0, 0, 0);
        self.unvoiced_score = 0.0;
        self.peak_db = FLOOR_DB;
    }

    /// Hears one frame.
    pub(crate) fn frame(&mut self, samples: &[f32]) -> PitchFrame {
        let power = samples.iter().map(|x| f64::from(x * x)).sum::<f64>() / samples.len() as f64;
        let level_db = (10.0 * power.max(1e-30).log10() as f32).max(FLOOR_DB);
        self.peak_db = (self.peak_db - PEAK_FALL_DB * self.frame_seconds).max(level_db);
        self.take(samples);
        self.correlate();
        self.normalize();
        let audible = level_db > GATE_DB && level_db > self.peak_db - GATE_BELOW_PEAK_DB;
        let chosen = self.choose(audible);
        PitchFrame {
            hz: chosen.map_or(0.0, |c| self.rate / c.period),
            voiced: chosen.is_some(),
            clarity: self.candidates[..self.count]
                .iter()
                .map(|c| c.clarity)
                .fold(0.0, f32::max),
            level_db,
        }
    }

    /// Filters and decimates the frame into the history.
    fn take(&mut self, samples: &[f32]) {
        let kept = (samples.len() + self.decimation - 1 - self.countdown) / self.decimation;
        let len = self.history.len();
        self.history.copy_within(..len - kept, kept);
        let mut slot = kept;
        for &x in samples {
            let y = self.prefilter.process(x);
            if self.countdown == 0 {
                slot -= 1;
                self.history[slot] = y;
                self.countdown = self.decimation;
            }
            self.countdown -= 1;
        }
        self.prefilter.settle();
        self.row = (self.row + 1) % self.window_frames;
        self.lengths[self.row] = kept;
    }

    /// Correlations of the newest frame with the past.
    fn correlate(&mut self) {
        self.instructions.run(Correlate {
            history: &self.history,
            newest: self.lengths[self.row],
            out: &mut self.correlations[self.row * self.lags..][..self.lags],
        });
    }

    /// The normalised square difference function over the window.
    fn normalize(&mut self) {
        let window: usize = self.lengths.iter().sum();
        let mut sum = 0.0;
        for (square, x) in self.squares[1..]
            .iter_mut()
            .zip(&self.history[..window + self.lags])
        {
            sum += f64::from(x * x);
            *square = sum;
        }
        let own = self.squares[window];
        for lag in 0..self.lags {
            let correlation: f32 = (0..self.window_frames)
                .map(|r| self.correlations[r * self.lags + lag])
                .sum();
            let energy = (own + self.squares[window + lag] - self.squares[lag]) as f32;
            self.nsdf[lag] = 2.0 * correlation / (energy + 1e-12);
        }
    }

    /// Peaks of the function become this frame's candidates; the best path's end is the answer.
    fn choose(&mut self, audible: bool) -> Option<Candidate> {
        let mut found = [Candidate::default(); CANDIDATES];
        let mut count = 0;
        if audible {
            let n = &self.nsdf;
            // The slope down from lag 0 is no candidate.
            let start = (1..self.lags)
                .find(|&l| n[l] < 0.5 * n[0] || n[l] > n[l - 1])
                .unwrap_or(self.lags);
            for lag in start.max(self.shortest)..self.lags - 1 {
                if n[lag] > 0.2 && n[lag] >= n[lag - 1] && n[lag] > n[lag + 1] {
                    let (offset, clarity) = parabola(n[lag - 1], n[lag], n[lag + 1]);
                    let period = lag as f32 + offset;
                    let strength =
                        clarity.min(1.0) - OCTAVE_COST * (period / self.shortest as f32).log2();
                    keep_best(
                        &mut found,
                        &mut count,
                        Candidate {
                            period,
                            clarity: clarity.min(1.0),
                            score: strength,
                        },
                    );
                }
            }
        }
        let unvoiced_before = self.unvoiced_score;
        let best_before = self.candidates[..self.count]
            .iter()
            .map(|c| c.score)
            .fold(f32::MIN, f32::max);
        for c in &mut found[..count] {
            let path = self.candidates[..self.count]
                .iter()
                .map(|b| {
                    b.score
                        - (JUMP_COST * (c.period / b.period).log2().abs()).min(2.0 * VOICING_COST)
                })
                .fold(unvoiced_before - VOICING_COST, f32::max);
            c.score += path;
        }
        self.unvoiced_score = UNVOICED + unvoiced_before.max(best_before - VOICING_COST);
        self.candidates = found;
        self.count = count;
        let best = found[..count]
            .iter()
            .copied()
            .max_by(|a, b| a.score.total_cmp(&b.score));
        // Scores only matter against each other.
        let top = best.map_or(self.unvoiced_score, |b| b.score.max(self.unvoiced_score));
        let answer = best.filter(|b| b.score > self.unvoiced_score);
        self.unvoiced_score -= top;
        self.candidates[..count]
            .iter_mut()
            .for_each(|c| c.score -= top);
        answer
    }
}

/// Puts `new` among the best candidates by score.
fn keep_best(found: &mut [Candidate; CANDIDATES], count: &mut usize, new: Candidate) {
    if *count < CANDIDATES {
        found[*count] = new;
        *count += 1;
    } else if let Some(worst) = found.iter_mut().min_by(|a, b| a.score.total_cmp(&b.score))
        && worst.score < new.score
    {
        *worst = new;
    }
}

/// Vertex of the parabola through three neighbours: offset from the middle one, and height.
fn parabola(left: f32, middle: f32, right: f32) -> (f32, f32) {
    let curve = left - 2.0 * middle + right;
    if curve >= 0.0 {
        return (0.0, middle);
    }
    let offset = (0.5 * (left - right) / curve).clamp(-0.5, 0.5);
    (offset, middle - 0.25 * (left - right) * offset)
}

/// `out[lag] = sum of x[n] x[n - lag]` over the newest samples.
struct Correlate<'a> {
    /// Newest first.
    history: &'a [f32],
    newest: usize,
    out: &'a mut [f32],
}

impl Kernel for Correlate<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        let lanes = size_of::<V::F>() / size_of::<f32>();
        for (block, out) in V::cast_mut(self.out)
            .chunks_exact_mut(LAG_VECTORS)
            .enumerate()
        {
            let mut sums = [v.splat(0.0); LAG_VECTORS];
            let past = &self.history[block * LAG_VECTORS * lanes..];
            for (n, &x) in self.history[..self.newest].iter().enumerate() {
                let x = v.splat(x);
                let earlier = V::cast(&past[n..n + LAG_VECTORS * lanes]);
                for (sum, &y) in sums.iter_mut().zip(earlier) {
                    *sum = v.mul_add(x, y, *sum);
                }
            }
            out.copy_from_slice(&sums);
        }
    }
}

/// Band-pass before the correlation: a first-order high-pass and a second-order Butterworth low-pass.
struct Prefilter {
    high: f32,
    low: [f32; 3],
    mean: f32,
    s1: f32,
    s2: f32,
}

impl Prefilter {
    fn new(rate: f64) -> Self {
        // Trapezoidal state-variable low-pass (Zavalishin), which stays exact at low cutoffs.
        let g = (std::f64::consts::PI * (LOWPASS_HZ / rate).min(0.45)).tan();
        let a1 = 1.0 / (1.0 + g * (g + std::f64::consts::SQRT_2));
        let high = 1.0 - (-std::f64::consts::TAU * HIGHPASS_HZ / rate).exp();
        let low = [a1 as f32, (g * a1) as f32, (g * g * a1) as f32];
        Self {
            high: high as f32,
            low,
            mean: 0.0,
            s1: 0.0,
            s2: 0.0,
        }
    }

    fn reset(&mut self) {
        (self.mean, self.s1, self.s2) = (0.0, 0.0, 0.0);
    }

    #[inline]
    fn process(&mut self, x: f32) -> f32 {
        self.mean += self.high * (x - self.mean);
        let [a1, a2, a3] = self.low;
        let v3 = x - self.mean - self.s2;
        let v1 = a1 * self.s1 + a2 * v3;
        let v2 = self.s2 + a2 * self.s1 + a3 * v3;
        self.s1 = 2.0 * v1 - self.s1;
        self.s2 = 2.0 * v2 - self.s2;
        v2
    }

    /// Ends a fading tail before it becomes denormal.
    fn settle(&mut self) {
        for s in [&mut self.mean, &mut self.s1, &mut self.s2] {
            if s.abs() < 1e-20 {
                *s = 0.0;
            }
        }
    }
}
