//! The melody heard: pitch, gate and level per frame, causal, without look-ahead.
//!
//! The normalised square difference function of McLeod and Wyvill ("A smarter way to find pitch", 2005)
//! over the newest samples; its peaks are the candidates. As in Boersma's tracker ("Accurate short-term
//! analysis of the fundamental frequency", 1993), every octave downward must be paid for by a clearer
//! peak, which keeps subharmonics out. Remembering earlier frames was tried and made melodies worse:
//! it holds on to the note before.
//!
//! Correlations are summed per frame and kept, so a window of any number of frames is a sum of few rows,
//! and each lag can have its own: short lags a short one, which soon leaves the note before.

use crate::simd::{InstructionSet, Kernel, Vector};
use std::ops::Range;

/// Pitches searched for in Hz; a little beyond 55 to 1760 Hz.
const LOWEST_HZ: f64 = 52.0;
const HIGHEST_HZ: f64 = 1865.0;
/// The tracker works at the largest whole fraction of the filters' rate that is at least this, in Hz.
const MIN_RATE: f64 = 16_000.0;
/// Partials above this only blur short lags.
const LOWPASS_HZ: f64 = 2_500.0;
/// Below the lowest pitch; without it a constant would look periodic at every lag.
const HIGHPASS_HZ: f64 = 30.0;
/// The correlation window of a lag: so many times the lag, between these limits in ms. Samples of the
/// window are compared with others one lag earlier.
const WINDOW_LAGS: f64 = 1.5;
const WINDOW_MS: (f64, f64) = (16.0, 24.0);
/// What an octave upward is worth, in height of peak.
const OCTAVE_COST: f32 = 0.15;
/// Periods shorter than this many samples are taken from several periods together.
const COARSE_LAG: f32 = 40.0;
/// Peaks lower than this are none.
const LOWEST_PEAK: f32 = 0.2;
/// Clarity above which a tone starts, and below which it ends.
const START: f32 = 0.65;
const END: f32 = 0.55;
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

/// Tracks the pitch of one stream, frame by frame.
pub(crate) struct PitchTracker {
    instructions: InstructionSet,
    decimation: usize,
    /// Position of the next input sample within its group of `decimation`.
    countdown: usize,
    /// Steps of the function searched for peaks, a second.
    fine_rate: f32,
    frame_seconds: f32,
    /// Shortest period, in those steps.
    shortest: usize,
    /// Lags in samples, and what a row of them takes.
    lags: usize,
    stride: usize,
    /// For windows of 1, 2, ... frames: the lags they serve.
    windows: Vec<Range<usize>>,
    prefilter: Prefilter,
    /// Newest sample first.
    history: Vec<f32>,
    /// One row of `lags` for each of the newest frames, and how many samples each frame had.
    correlations: Vec<f32>,
    lengths: Vec<usize>,
    row: usize,
    /// Scratch: sums of squares of the newest k samples, and the normalised function.
    squares: Vec<f64>,
    nsdf: Vec<f32>,
    /// The same in half steps, at low rates, where peaks fall too far between samples; else empty.
    fine: Vec<f32>,
    voiced: bool,
    peak_db: f32,
}

impl PitchTracker {
    /// For frames of `frame_len` samples at `rate` Hz.
    pub(crate) fn new(rate: f64, frame_len: usize, instructions: InstructionSet) -> Self {
        let decimation = ((rate / MIN_RATE).floor() as usize).max(1);
        let own_rate = rate / decimation as f64;
        let per_block = LAG_VECTORS * instructions.lanes();
        let lags = (own_rate / LOWEST_HZ).ceil() as usize + 2;
        let stride = lags.next_multiple_of(per_block);
        let fine = if own_rate < MIN_RATE { 2 } else { 1 };
        let frame_ms = 1000.0 * frame_len as f64 / rate;
        let frames_for = |lag: usize| {
            let ms = WINDOW_LAGS * lag as f64 * 1000.0 / own_rate;
            (ms.clamp(WINDOW_MS.0, WINDOW_MS.1) / frame_ms - 1e-9).ceil() as usize
        };
        let window_frames = frames_for(lags);
        let windows = (1..=window_frames)
            .map(|frames| {
                let first = |frames| (0..lags).find(|&l| frames_for(l) >= frames).unwrap_or(lags);
                first(frames)..first(frames + 1)
            })
            .collect();
        let history = window_frames * frame_len.div_ceil(decimation) + stride;
        Self {
            instructions,
            decimation,
            countdown: 0,
            fine_rate: own_rate as f32 * fine as f32,
            frame_seconds: frame_ms as f32 / 1000.0,
            shortest: fine * (own_rate / HIGHEST_HZ).floor() as usize,
            lags,
            stride,
            windows,
            prefilter: Prefilter::new(rate),
            history: vec![0.0; history],
            correlations: vec![0.0; window_frames * stride],
            lengths: vec![0; window_frames],
            row: 0,
            squares: vec![0.0; history + 1],
            nsdf: vec![0.0; lags],
            fine: vec![0.0; if fine == 2 { 2 * lags } else { 0 }],
            voiced: false,
            peak_db: FLOOR_DB,
        }
    }

    /// Forgets everything heard.
    pub(crate) fn reset(&mut self) {
        self.prefilter.reset();
        self.history.fill(0.0);
        self.correlations.fill(0.0);
        self.lengths.fill(0);
        (self.countdown, self.row) = (0, 0);
        self.voiced = false;
        self.peak_db = FLOOR_DB;
    }

    /// Hears one frame.
    pub(crate) fn frame(&mut self, samples: &[f32]) -> PitchFrame {
        let power =
            samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / samples.len() as f64;
        let level_db = (10.0 * power.max(1e-30).log10() as f32).max(FLOOR_DB);
        self.peak_db = (self.peak_db - PEAK_FALL_DB * self.frame_seconds).max(level_db);
        self.take(samples);
        self.correlate();
        let audible = level_db > GATE_DB && level_db > self.peak_db - GATE_BELOW_PEAK_DB;
        let best = if audible { self.find_peak() } else { None };
        let (period, clarity) = best.unwrap_or((f32::INFINITY, 0.0));
        self.voiced = clarity > if self.voiced { END } else { START };
        PitchFrame {
            hz: self.fine_rate / period,
            voiced: self.voiced,
            clarity,
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
        self.row = (self.row + 1) % self.lengths.len();
        self.lengths[self.row] = kept;
    }

    /// Correlations of the newest frame with the past.
    fn correlate(&mut self) {
        self.instructions.run(Correlate {
            history: &self.history,
            newest: self.lengths[self.row],
            out: &mut self.correlations[self.row * self.stride..][..self.stride],
        });
    }

    /// The normalised square difference function over each lag's window.
    fn normalize(&mut self) {
        let mut sum = 0.0;
        for (square, x) in self.squares[1..].iter_mut().zip(&self.history) {
            sum += f64::from(x * x);
            *square = sum;
        }
        let frames = self.lengths.len();
        self.nsdf.fill(0.0);
        let mut window = 0;
        for (age, lags) in self.windows.iter().enumerate() {
            let row = (self.row + frames - age) % frames;
            window += self.lengths[row];
            // A frame belongs to this window and to all longer ones.
            let rest = lags.start..self.lags;
            let correlations = &self.correlations[row * self.stride..][..self.lags];
            for (sum, c) in self.nsdf[rest.clone()].iter_mut().zip(&correlations[rest]) {
                *sum += c;
            }
            for lag in lags.clone() {
                let energy = self.squares[window] + self.squares[window + lag] - self.squares[lag];
                self.nsdf[lag] *= 2.0 / (energy as f32 + 1e-12);
            }
        }
    }

    /// Period in steps and clarity of the best peak.
    fn find_peak(&mut self) -> Option<(f32, f32)> {
        self.normalize();
        if !self.fine.is_empty() {
            halve_steps(&self.nsdf, &mut self.fine);
        }
        let n = self.function();
        // The slope down from lag 0 holds no candidate.
        let start = (1..n.len()).find(|&l| n[l] < 0.5)?.max(self.shortest);
        let mut best = None;
        let mut highest = f32::MIN;
        for lag in start..n.len() - 1 {
            if n[lag] > LOWEST_PEAK && n[lag] >= n[lag - 1] && n[lag] > n[lag + 1] {
                let (offset, height) = parabola(n[lag - 1], n[lag], n[lag + 1]);
                let (period, clarity) = (lag as f32 + offset, height.clamp(0.0, 1.0));
                let strength = clarity - OCTAVE_COST * period.log2();
                if strength > highest {
                    highest = strength;
                    best = Some((period, clarity));
                }
            }
        }
        best.map(|(period, clarity)| (self.refine(period, clarity), clarity))
    }

    /// The function searched for peaks.
    fn function(&self) -> &[f32] {
        if self.fine.is_empty() {
            &self.nsdf
        } else {
            &self.fine
        }
    }

    /// A short period from the peak at 2, 4, ... times its lag, where a part of a sample weighs less.
    fn refine(&self, mut period: f32, clarity: f32) -> f32 {
        let n = self.function();
        let mut times = 2.0;
        while times * period < COARSE_LAG {
            let near = (times * period).round() as usize;
            let peak = (near - 1..=near + 1).find(|&l| n[l] >= n[l - 1] && n[l] > n[l + 1]);
            match peak {
                Some(lag) if n[lag] > 0.5 * clarity => {
                    let (offset, _) = parabola(n[lag - 1], n[lag], n[lag + 1]);
                    period = (lag as f32 + offset) / times;
                }
                _ => break,
            }
            times *= 2.0;
        }
        period
    }
}

/// Interpolates `coarse`, which is even about 0, to twice as many steps.
fn halve_steps(coarse: &[f32], fine: &mut [f32]) {
    // Half-band low-pass: sinc at odd multiples of a half, under a Hann window of 12 steps.
    const TAPS: [f32; 6] = [
        0.625208, -0.180966, 0.080066, -0.033673, 0.010350, -0.000985,
    ];
    let last = coarse.len() - 1;
    for lag in 0..coarse.len() {
        fine[2 * lag] = coarse[lag];
        let sides = (0..TAPS.len())
            .map(|k| TAPS[k] * (coarse[lag.abs_diff(k)] + coarse[(lag + 1 + k).min(last)]));
        fine[2 * lag + 1] = sides.sum();
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
