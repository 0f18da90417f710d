//! Periodicity of the newest sound: its best period and how clear it is.
//!
//! The normalised square difference function of McLeod and Wyvill ("A smarter way to find pitch",
//! 2005) over the newest samples; its peaks are the candidates. As in Boersma's tracker ("Accurate
//! short-term analysis of the fundamental frequency", 1993), every octave downward must be paid for
//! by a clearer peak, which keeps subharmonics out.
//!
//! Correlations are summed per frame and kept, so a window of any number of frames is a sum of few
//! rows, and each lag can have its own: short lags a short one, which soon leaves the note before.
//!
//! Where one note rings into the next, subtracting from the sound itself one period of the old note
//! earlier leaves the new note as the residual (de Cheveigne, "Separation of concurrent harmonic
//! sounds", 1993): [`Periods::best_in_residual`].

use super::prefilter::Prefilter;
use simd::{InstructionSet, Kernel, Vector};
use std::ops::Range;

/// Range of the search in Hz: a little beyond 55 to 1760 Hz.
const LOWEST_HZ: f64 = 52.0;
const HIGHEST_HZ: f64 = 1865.0;
/// Lowest rate in Hz at which the tracker works: at the smallest whole fraction of the filters'
/// rate that is not below it.
const MIN_RATE: f64 = 16_000.0;
/// The correlation window of a lag as a multiple of the lag, and its limits in ms. Samples of the
/// window are compared with those one lag earlier.
const WINDOW_LAGS: f64 = 1.5;
const WINDOW_MS: (f64, f64) = (16.0, 24.0);
/// Height by which a peak must exceed one an octave higher.
const OCTAVE_COST: f32 = 0.15;
/// Periods shorter than this many samples are measured over several periods.
const COARSE_LAG: f32 = 40.0;
/// Lowest peak that is a candidate.
const LOWEST_PEAK: f32 = 0.2;
/// Lags taken together by the kernel, in vectors.
const LAG_VECTORS: usize = 4;
/// Window of the residual in ms.
const RESIDUAL_MS: f64 = 16.0;

/// A period, in steps of the function's argument, and the height of its peak, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Peak {
    pub(super) period: f32,
    pub(super) clarity: f32,
}

/// The newest sound and its periods.
pub(super) struct Periods {
    instructions: InstructionSet,
    decimation: usize,
    /// Position of the next input sample within its group of `decimation`.
    countdown: usize,
    /// Steps of the searched function per sample: 2 at low rates, where whole samples are too
    /// coarse for the peaks.
    fine: usize,
    rate: f32,
    /// Number of lags, and length of a row of them.
    lags: usize,
    stride: usize,
    /// The lags that a window of 1, 2, ... frames serves.
    windows: Vec<Range<usize>>,
    prefilter: Prefilter,
    /// Newest sample first.
    history: Vec<f32>,
    /// One row of `lags` for each of the newest frames, and each frame's number of samples.
    correlations: Vec<f32>,
    lengths: Vec<usize>,
    row: usize,
    /// Samples of the residual's window, the residual, newest sample first, and its correlations.
    residual_window: usize,
    residual: Vec<f32>,
    residual_correlations: Vec<f32>,
    /// Scratch: sums of squares of the newest k samples, the normalised function, and its half
    /// steps.
    squares: Vec<f64>,
    nsdf: Vec<f32>,
    halves: Vec<f32>,
}

impl Periods {
    /// Allocates everything for frames of `frame_len` samples at `rate` Hz.
    pub(super) fn new(rate: f64, frame_len: usize, instructions: InstructionSet) -> Self {
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
        let residual_window = (RESIDUAL_MS / 1000.0 * own_rate).round() as usize;
        let newest = (window_frames * frame_len.div_ceil(decimation)).max(residual_window);
        // The residual of a note of the longest period needs that much more.
        let history = newest + stride + lags + 2;
        Self {
            instructions,
            decimation,
            countdown: 0,
            fine,
            rate: own_rate as f32,
            lags,
            stride,
            windows,
            prefilter: Prefilter::new(rate),
            history: vec![0.0; history],
            correlations: vec![0.0; window_frames * stride],
            lengths: vec![0; window_frames],
            row: 0,
            residual_window,
            residual: vec![0.0; residual_window + stride],
            residual_correlations: vec![0.0; stride],
            squares: vec![0.0; newest + stride + 1],
            nsdf: vec![0.0; lags],
            halves: vec![0.0; if fine == 2 { 2 * lags } else { 0 }],
        }
    }

    /// Forgets everything heard.
    pub(super) fn reset(&mut self) {
        self.prefilter.reset();
        self.history.fill(0.0);
        self.correlations.fill(0.0);
        self.lengths.fill(0);
        (self.countdown, self.row) = (0, 0);
    }

    /// Frequency of a period in Hz.
    pub(super) fn hz(&self, period: f32) -> f32 {
        self.rate * self.fine as f32 / period
    }

    /// Takes one frame.
    pub(super) fn hear(&mut self, samples: &[f32]) {
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
        self.prefilter.flush_denormals();
        self.row = (self.row + 1) % self.lengths.len();
        self.lengths[self.row] = kept;
        self.instructions.run(Correlate {
            history: &self.history,
            newest: kept,
            out: &mut self.correlations[self.row * self.stride..][..self.stride],
        });
    }

    /// The best period of the newest sound.
    pub(super) fn best(&mut self) -> Option<Peak> {
        sum_squares(&self.history, &mut self.squares);
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
            normalize(&mut self.nsdf, lags.clone(), &self.squares, window);
        }
        self.search()
    }

    /// Share of the newest frame's power that remains after subtracting the sound one `period`
    /// earlier: 0 for a steady note of that period, about 1 for any other sound.
    pub(super) fn residual(&self, period: f32) -> f32 {
        let newest = self.lengths[self.row];
        let delay = Delay::new(period / self.fine as f32);
        let (mut left, mut power) = (0.0, 1e-12);
        for n in 0..newest {
            let (now, before) = (self.history[n], delay.read(&self.history, n));
            left += (now - before) * (now - before);
            power += now * now + before * before;
        }
        left / power
    }

    /// The best period of the residual after cancelling a note of `period`.
    pub(super) fn best_in_residual(&mut self, period: f32) -> Option<Peak> {
        let delay = Delay::new(period / self.fine as f32);
        for (n, left) in self.residual.iter_mut().enumerate() {
            *left = self.history[n] - delay.read(&self.history, n);
        }
        self.instructions.run(Correlate {
            history: &self.residual,
            newest: self.residual_window,
            out: &mut self.residual_correlations,
        });
        self.nsdf
            .copy_from_slice(&self.residual_correlations[..self.lags]);
        sum_squares(&self.residual, &mut self.squares);
        normalize(
            &mut self.nsdf,
            0..self.lags,
            &self.squares,
            self.residual_window,
        );
        self.search()
    }

    /// The best peak of the normalised function.
    fn search(&mut self) -> Option<Peak> {
        if self.fine == 2 {
            halve_steps(&self.nsdf, &mut self.halves);
        }
        let n = if self.fine == 2 {
            &self.halves
        } else {
            &self.nsdf
        };
        let shortest = self.fine * (self.rate / HIGHEST_HZ as f32) as usize;
        // The slope down from lag 0 holds no candidate.
        let start = (1..n.len()).find(|&l| n[l] < 0.5)?.max(shortest);
        let mut best = None;
        let mut highest = f32::MIN;
        for lag in start..n.len() - 1 {
            if n[lag] > LOWEST_PEAK && n[lag] >= n[lag - 1] && n[lag] > n[lag + 1] {
                let (offset, height) = parabola(n[lag - 1], n[lag], n[lag + 1]);
                let (period, clarity) = (lag as f32 + offset, height.clamp(0.0, 1.0));
                let strength = clarity - OCTAVE_COST * period.log2();
                if strength > highest {
                    highest = strength;
                    best = Some(Peak { period, clarity });
                }
            }
        }
        best.map(|peak| Peak {
            period: refine(n, peak),
            ..peak
        })
    }
}

/// Refines a short period from the peak at 2, 4, ... times its lag, where a fraction of a sample
/// matters less.
fn refine(
    n: &[f32],
    Peak {
        mut period,
        clarity,
    }: Peak,
) -> f32 {
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

/// Sums of squares of the newest 0, 1, 2, ... samples.
fn sum_squares(history: &[f32], squares: &mut [f64]) {
    let mut sum = 0.0;
    for (square, x) in squares[1..].iter_mut().zip(history) {
        sum += f64::from(x * x);
        *square = sum;
    }
}

/// Turns correlations over the newest `window` samples into the normalised square difference
/// function.
fn normalize(nsdf: &mut [f32], lags: Range<usize>, squares: &[f64], window: usize) {
    for lag in lags {
        let energy = squares[window] + squares[window + lag] - squares[lag];
        nsdf[lag] *= 2.0 / (energy as f32 + 1e-12);
    }
}

/// A fractional delay into a history, newest sample first, by cubic (Lagrange) interpolation.
struct Delay {
    whole: usize,
    taps: [f32; 4],
}

impl Delay {
    /// A delay of `samples`, at least 1.
    fn new(samples: f32) -> Self {
        let whole = samples as usize;
        let f = samples - whole as f32;
        let taps = [
            -f * (f - 1.0) * (f - 2.0) / 6.0,
            (f + 1.0) * (f - 1.0) * (f - 2.0) / 2.0,
            -(f + 1.0) * f * (f - 2.0) / 2.0,
            (f + 1.0) * f * (f - 1.0) / 6.0,
        ];
        Self { whole, taps }
    }

    /// The value at this delay before sample `n` of `history`.
    #[inline]
    fn read(&self, history: &[f32], n: usize) -> f32 {
        let around = &history[n + self.whole - 1..][..4];
        self.taps.iter().zip(around).map(|(t, x)| t * x).sum()
    }
}

/// Interpolates `coarse`, which is symmetric about 0, to twice as many steps.
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
        for (block, out) in V::cast_mut(self.out)
            .chunks_exact_mut(LAG_VECTORS)
            .enumerate()
        {
            let mut sums = [v.splat(0.0); LAG_VECTORS];
            let past = &self.history[block * LAG_VECTORS * V::LANES..];
            for (n, &x) in self.history[..self.newest].iter().enumerate() {
                let x = v.splat(x);
                let earlier = V::cast(&past[n..n + LAG_VECTORS * V::LANES]);
                for (sum, &y) in sums.iter_mut().zip(earlier) {
                    *sum = v.mul_add(x, y, *sum);
                }
            }
            out.copy_from_slice(&sums);
        }
    }
}
