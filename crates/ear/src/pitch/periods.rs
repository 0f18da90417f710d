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
//!
//! [`Periods::tones`] looks back at a frame some time ago, from both of its sides: what a note
//! tracker that may answer late wants to know.

use super::frame::{TONES, Tone};
use super::peaks::{FINE, LOWEST_PEAK, Peak, halve_steps, peaks, refine};
use super::prefilter::{HighPass, Prefilter};
use simd::{InstructionSet, Kernel, Vector};
use std::ops::Range;

/// Range of the search in Hz: a little beyond a five-string bass and a piccolo (31 to 4200 Hz).
const LOWEST_HZ: f64 = 27.0;
const HIGHEST_HZ: f64 = 4800.0;
/// Lowest rate in Hz at which the tracker works: at the smallest whole fraction of the filters'
/// rate that is not below it.
const MIN_RATE: f64 = 16_000.0;
/// The correlation window of a lag as a multiple of the lag, and its limits in ms. Samples of the
/// window are compared with those one lag earlier.
const WINDOW_LAGS: f64 = 1.5;
const WINDOW_MS: (f64, f64) = (16.0, 56.0);
/// Window of [`Periods::tones`] as a multiple of the lag, and its limits in ms.
const TONE_LAGS: f64 = 2.0;
const TONE_MS: (f64, f64) = (40.0, 72.0);
/// Height by which a peak must exceed one an octave higher.
const OCTAVE_COST: f32 = 0.15;
/// Shortest period of [`Periods::tones`] in steps: those beyond the range are known as such, not
/// taken for the octave below.
const SHORTEST: usize = 5;
/// Clarity that such a pitch may lack.
const BEYOND: f32 = 0.03;
/// The band above this cutoff in Hz tells of the pitches whose periods end in this range of ms:
/// below it lie the thumps and breath of high notes. Within the range both bands count.
const HIGH_BAND_HZ: f64 = 180.0;
const HIGH_BAND_MS: (f64, f64) = (3.0, 4.0);
/// Share of what a tone's sound and the one a period later differ by that is left at each next
/// tone, and the difference that is none.
const CLEARER: f32 = 0.85;
const EXACT: f32 = 0.005;
/// Share of the sound's power below which the high band counts less.
const LEAST_HIGH: f64 = 1e-3;
/// Lags taken together by the kernel, in vectors.
const LAG_VECTORS: usize = 4;
/// Window of the residual in ms.
const RESIDUAL_MS: f64 = 16.0;

/// Lags, and the frames whose rows they sum, by age: the newest frame has age 0.
struct Window {
    lags: Range<usize>,
    ages: Range<usize>,
}

/// The band of high notes: its newest sample first, its rows of correlations, and its sums of
/// squares.
struct HighBand {
    filter: HighPass,
    history: Vec<f32>,
    correlations: Vec<f32>,
    squares: Vec<f64>,
    nsdf: Vec<f32>,
    /// Lags from which on the whole band counts, and at which it alone does.
    fade: Range<usize>,
    stride: usize,
}

/// The newest sound and its periods.
pub(super) struct Periods {
    instructions: InstructionSet,
    decimation: usize,
    /// Position of the next input sample within its group of `decimation`.
    countdown: usize,
    rate: f32,
    /// Number of lags, and length of a row of them.
    lags: usize,
    stride: usize,
    /// The lags that a window of 1, 2, ... frames serves.
    windows: Vec<Range<usize>>,
    /// The windows of [`Periods::tones`].
    around: Vec<Window>,
    prefilter: Prefilter,
    /// Samples of the past, the newest first.
    history: Vec<f32>,
    high: HighBand,
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
    /// Allocates everything for frames of `frame_len` samples at `rate` Hz. [`Periods::tones`]
    /// looks at the frame `delay` frames ago.
    pub(super) fn new(
        rate: f64,
        frame_len: usize,
        delay: usize,
        instructions: InstructionSet,
    ) -> Self {
        let decimation = ((rate / MIN_RATE).floor() as usize).max(1);
        let own_rate = rate / decimation as f64;
        let per_block = LAG_VECTORS * instructions.lanes();
        let lags = (own_rate / LOWEST_HZ).ceil() as usize + 2;
        let stride = lags.next_multiple_of(per_block);
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
        let around = windows_around(lags, 1000.0 / own_rate, frame_ms, delay);
        let rows = around.iter().map(|w| w.ages.end).max().unwrap_or(0);
        let rows = rows.max(window_frames);
        let residual_window = (RESIDUAL_MS / 1000.0 * own_rate).round() as usize;
        let newest = (rows * frame_len.div_ceil(decimation)).max(residual_window);
        // The residual of a note of the longest period needs that much more.
        let history = newest + stride + lags + 2;
        let lag = |ms: f64| (ms * own_rate / 1000.0).round() as usize;
        let fade = lag(HIGH_BAND_MS.0)..lag(HIGH_BAND_MS.1).min(lags);
        let high_stride = fade.end.next_multiple_of(per_block);
        let high = HighBand {
            filter: HighPass::new(HIGH_BAND_HZ, own_rate),
            history: vec![0.0; newest + high_stride + 1],
            correlations: vec![0.0; rows * high_stride],
            squares: vec![0.0; newest + high_stride + 2],
            nsdf: vec![0.0; fade.end],
            fade,
            stride: high_stride,
        };
        Self {
            instructions,
            decimation,
            countdown: 0,
            rate: own_rate as f32,
            lags,
            stride,
            windows,
            around,
            prefilter: Prefilter::new(rate),
            history: vec![0.0; history],
            high,
            correlations: vec![0.0; rows * stride],
            lengths: vec![0; rows],
            row: 0,
            residual_window,
            residual: vec![0.0; residual_window + stride],
            residual_correlations: vec![0.0; stride],
            squares: vec![0.0; newest + stride + 1],
            nsdf: vec![0.0; lags],
            halves: vec![0.0; FINE * lags],
        }
    }

    /// Forgets everything heard.
    pub(super) fn reset(&mut self) {
        self.prefilter.reset();
        self.history.fill(0.0);
        self.high.filter.reset();
        self.high.history.fill(0.0);
        self.high.correlations.fill(0.0);
        self.correlations.fill(0.0);
        self.lengths.fill(0);
        (self.countdown, self.row) = (0, 0);
    }

    /// Frequency of a period in Hz.
    pub(super) fn hz(&self, period: f32) -> f32 {
        self.rate * FINE as f32 / period
    }

    /// Takes one frame.
    pub(super) fn hear(&mut self, samples: &[f32]) {
        let kept = (samples.len() + self.decimation - 1 - self.countdown) / self.decimation;
        let len = self.history.len();
        self.history.copy_within(..len - kept, kept);
        let high = &mut self.high;
        let len = high.history.len();
        high.history.copy_within(..len - kept, kept);
        let mut slot = kept;
        for &x in samples {
            let y = self.prefilter.process(x);
            if self.countdown == 0 {
                slot -= 1;
                self.history[slot] = y;
                high.history[slot] = high.filter.process(y);
                self.countdown = self.decimation;
            }
            self.countdown -= 1;
        }
        self.prefilter.flush_denormals();
        high.filter.flush_denormals();
        self.row = (self.row + 1) % self.lengths.len();
        self.lengths[self.row] = kept;
        self.instructions.run(Correlate {
            history: &self.history,
            newest: kept,
            out: &mut self.correlations[self.row * self.stride..][..self.stride],
        });
        self.instructions.run(Correlate {
            history: &high.history,
            newest: kept,
            out: &mut high.correlations[self.row * high.stride..][..high.stride],
        });
    }

    /// The best period of the newest sound.
    pub(super) fn best(&mut self) -> Option<Peak> {
        sum_squares(&self.history, &mut self.squares);
        self.nsdf.fill(0.0);
        let frames = self.lengths.len();
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
            normalize(&mut self.nsdf, lags.clone(), &self.squares, 0..window);
        }
        self.search()
    }

    /// The pitches that the frame `delay` frames ago may have, given all that has been heard until
    /// now. Call it after [`Periods::best`].
    pub(super) fn tones(&mut self) -> [Tone; TONES] {
        self.nsdf.fill(0.0);
        let high = &mut self.high;
        high.nsdf.fill(0.0);
        sum_squares(&high.history, &mut high.squares);
        let frames = self.lengths.len();
        let row_of = |row: usize, age: usize| (row + frames - age) % frames;
        for window in &self.around {
            let samples = |ages: Range<usize>| -> usize {
                ages.map(|age| self.lengths[row_of(self.row, age)]).sum()
            };
            let newest = samples(0..window.ages.start);
            let oldest = newest + samples(window.ages.clone());
            for age in window.ages.clone() {
                let row = row_of(self.row, age) * self.stride;
                let row = &self.correlations[row..][..self.lags];
                let sums = self.nsdf[window.lags.clone()].iter_mut();
                for (sum, c) in sums.zip(&row[window.lags.clone()]) {
                    *sum += c;
                }
            }
            let lags = window.lags.clone();
            normalize(&mut self.nsdf, lags, &self.squares, newest..oldest);
            let lags = window.lags.start..window.lags.end.min(high.fade.end);
            if lags.is_empty() {
                continue;
            }
            for age in window.ages.clone() {
                let row = row_of(self.row, age) * high.stride;
                let sums = high.nsdf[lags.clone()].iter_mut();
                for (sum, c) in sums.zip(&high.correlations[row..][lags.clone()]) {
                    *sum += c;
                }
            }
            normalize(&mut high.nsdf, lags, &high.squares, newest..oldest);
        }
        // The slope down from lag 0 holds no candidate, and below the high band it is the whole's.
        let slope = self.nsdf.iter().position(|&n| n < 0.5).unwrap_or(self.lags);
        let hidden = (FINE * (high.fade.end - 1)) as f32..(FINE * slope) as f32;
        // Where there is next to nothing in the high band, it tells nothing.
        let count = high.squares.len().min(self.squares.len()) - 1;
        let (power, all) = (high.squares[count], self.squares[count]);
        let present = (power / (power + LEAST_HIGH * all + 1e-30)) as f32;
        for (lag, (whole, high_band)) in self.nsdf.iter_mut().zip(&high.nsdf).enumerate() {
            let fade = lag.saturating_sub(high.fade.start) as f32;
            let share = 1.0 - fade / (high.fade.end - high.fade.start) as f32;
            *whole += share * (present * high_band - *whole);
        }
        let mut tones = [Tone::default(); TONES];
        let mut found = 0;
        let mut highest = LOWEST_PEAK;
        let unlike = |clarity: f32| 1.0 - clarity + EXACT;
        halve_steps(&self.nsdf, &mut self.halves);
        for peak in peaks(&self.halves, SHORTEST) {
            if unlike(peak.clarity) < CLEARER * unlike(highest) && !hidden.contains(&peak.period) {
                highest = peak.clarity;
                if found == TONES {
                    tones.rotate_left(1);
                    found -= 1;
                }
                tones[found] = Tone {
                    hz: self.hz(refine(&self.halves, peak)),
                    clarity: peak.clarity,
                };
                found += 1;
            }
        }
        // A harmonic beyond the range: the pitch is less clear than others.
        let beyond = |t: &Tone| t.hz > HIGHEST_HZ as f32 && t.clarity < highest - BEYOND;
        let harmonics = tones[..found].iter().take_while(|t| beyond(t)).count();
        tones[..harmonics].fill(Tone::default());
        tones.rotate_left(harmonics);
        tones
    }

    /// Share of the newest frame's power that remains after subtracting the sound one `period`
    /// earlier: 0 for a steady note of that period, about 1 for any other sound.
    pub(super) fn residual(&self, period: f32) -> f32 {
        let newest = self.lengths[self.row];
        let delay = Delay::new(period / FINE as f32);
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
        let delay = Delay::new(period / FINE as f32);
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
            0..self.residual_window,
        );
        self.search()
    }

    /// The best peak of the normalised function.
    fn search(&mut self) -> Option<Peak> {
        let mut best = None;
        let mut highest = f32::MIN;
        halve_steps(&self.nsdf, &mut self.halves);
        for peak in peaks(&self.halves, self.shortest()) {
            let strength = peak.clarity - OCTAVE_COST * peak.period.log2();
            if strength > highest {
                highest = strength;
                best = Some(peak);
            }
        }
        best.map(|peak| Peak {
            period: refine(&self.halves, peak),
            ..peak
        })
    }

    /// The shortest period searched, in steps.
    fn shortest(&self) -> usize {
        (FINE as f32 * self.rate / HIGHEST_HZ as f32) as usize
    }
}

/// The windows of lags of `lag_ms` ms each that lie around the frame `delay` frames ago.
fn windows_around(lags: usize, lag_ms: f64, frame_ms: f64, delay: usize) -> Vec<Window> {
    let middle = (delay as f64 + 0.5) * frame_ms;
    let ages = |lag: usize| {
        let ms = lag as f64 * lag_ms;
        let length = (TONE_LAGS * ms).clamp(TONE_MS.0, TONE_MS.1);
        // The window's samples are compared with those one lag earlier: both are around the middle.
        let first = ((middle - 0.5 * (ms + length)) / frame_ms).round().max(0.0) as usize;
        first..first + (length / frame_ms - 1e-9).ceil() as usize
    };
    let mut windows: Vec<Window> = Vec::new();
    for lag in 0..lags {
        match windows.last_mut() {
            Some(last) if last.ages == ages(lag) => last.lags.end = lag + 1,
            _ => windows.push(Window {
                lags: lag..lag + 1,
                ages: ages(lag),
            }),
        }
    }
    windows
}

/// Sums of squares of the newest 0, 1, 2, ... samples.
fn sum_squares(history: &[f32], squares: &mut [f64]) {
    let mut sum = 0.0;
    for (square, x) in squares[1..].iter_mut().zip(history) {
        sum += f64::from(x * x);
        *square = sum;
    }
}

/// Turns correlations over `samples`, counted from the newest, into the normalised square
/// difference function.
fn normalize(nsdf: &mut [f32], lags: Range<usize>, squares: &[f64], samples: Range<usize>) {
    let Range { start, end } = samples;
    for lag in lags {
        let energy = squares[end] - squares[start] + squares[end + lag] - squares[start + lag];
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

/// `out[lag] = sum of x[n] x[n - lag]` over the newest samples.
struct Correlate<'a> {
    /// Samples of the past, the newest first.
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
