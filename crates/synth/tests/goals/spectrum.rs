//! Spectra of long steady tones, for residues far below what a 16-bit file can hold.

use realfft::RealFftPlanner;
use std::f64::consts::PI;

/// Half-width of a tone's main lobe, bins.
const LOBE: usize = 13;
/// Shape of the Kaiser window: side lobes below -200 dB.
const BETA: f64 = 34.0;

/// Power by frequency.
pub struct Spectrum {
    power: Vec<f64>,
    /// Bins per Hz.
    per_hertz: f64,
}

/// Modified Bessel function of the first kind, order 0.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-18 * sum {
        term *= (0.5 * x / k) * (0.5 * x / k);
        sum += term;
        k += 1.0;
    }
    sum
}

impl Spectrum {
    /// Computes the spectrum of `samples` with a Kaiser window.
    pub fn new(samples: &[f32], rate: f64) -> Self {
        let n = samples.len();
        let window = |i: usize| {
            let t = (2 * i + 1) as f64 / n as f64 - 1.0;
            bessel(BETA * (1.0 - t * t).sqrt()) / bessel(BETA)
        };
        let mut time: Vec<f64> = (0..n).map(|i| samples[i] as f64 * window(i)).collect();
        let fft = RealFftPlanner::<f64>::new().plan_fft_forward(n);
        let mut bins = fft.make_output_vec();
        fft.process(&mut time, &mut bins).unwrap();
        Self {
            power: bins.iter().map(|c| c.norm_sqr()).collect(),
            per_hertz: n as f64 / rate,
        }
    }

    /// Power of the component at `hertz`.
    pub fn component(&self, hertz: f64) -> f64 {
        let centre = (hertz * self.per_hertz).round() as usize;
        let to = (centre + LOBE + 1).min(self.power.len());
        self.power[centre.saturating_sub(LOBE)..to].iter().sum()
    }

    /// Everything but the harmonics of `hertz` and DC, in dB re the fundamental.
    pub fn between(&self, hertz: f64) -> f64 {
        10.0 * (self.rest(hertz) / self.component(hertz)).log10()
    }

    /// Power of the strongest harmonic of `hertz`: a synced wave may have no fundamental.
    pub fn strongest_harmonic(&self, hertz: f64) -> f64 {
        let count = (self.power.len() as f64 / self.per_hertz / hertz) as usize;
        (1..=count)
            .map(|k| self.component(k as f64 * hertz))
            .fold(0.0, f64::max)
    }

    /// Power of everything but the harmonics of `hertz` and DC.
    pub fn rest(&self, hertz: f64) -> f64 {
        let step = hertz * self.per_hertz;
        let between = |bin: usize| {
            let k = (bin as f64 / step).round();
            (bin as f64 - k * step).abs() > LOBE as f64
        };
        (0..self.power.len())
            .filter(|&bin| between(bin))
            .map(|bin| self.power[bin])
            .sum()
    }

    /// Power of the strongest bin between two frequencies.
    pub fn strongest(&self, from: f64, to: f64) -> f64 {
        let bin = |hertz: f64| ((hertz * self.per_hertz) as usize).min(self.power.len() - 1);
        let bins = &self.power[bin(from)..=bin(to)];
        bins.iter().copied().fold(0.0, f64::max)
    }

    /// Power above `hertz`.
    pub fn above(&self, hertz: f64) -> f64 {
        let from = (hertz * self.per_hertz) as usize;
        self.power[from..].iter().sum()
    }
}

/// Phase in turns, of the component at `hertz` in the Hann-windowed samples `at..at + len`, on a
/// time axis that starts with `x`.
fn phase(x: &[f32], at: usize, len: usize, hertz: f64, rate: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    for i in 0..len {
        let window = 0.5 - 0.5 * (2.0 * PI * (i as f64 + 0.5) / len as f64).cos();
        let turns = (hertz * (at + i) as f64 / rate).fract();
        let (sin, cos) = (2.0 * PI * turns).sin_cos();
        re += window * x[at + i] as f64 * cos;
        im -= window * x[at + i] as f64 * sin;
    }
    im.atan2(re) / (2.0 * PI)
}

/// Deviation of the component near `hertz` in cents: first from neighbouring windows, then from
/// windows as far apart as `x` allows.
pub fn cents(x: &[f32], hertz: f64, rate: f64) -> f64 {
    let len = (rate / 2.0) as usize;
    let mut found = hertz;
    for gap in [(rate / 50.0) as usize, x.len() - len] {
        let turn = phase(x, gap, len, found, rate) - phase(x, 0, len, found, rate);
        found += (turn - turn.round()) * rate / gap as f64;
    }
    1200.0 * (found / hertz).log2()
}
