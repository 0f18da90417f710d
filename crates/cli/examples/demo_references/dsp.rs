//! Parts that the models share: a fractional delay, a one-pole, seeded noise, a resonance, a room,
//! and the conversion to the files' rate.

use crate::MODEL_RATE;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::f64::consts::PI;

/// Seconds of `samples` at `rate` Hz.
pub fn seconds(samples: usize, rate: f64) -> f64 {
    samples as f64 / rate
}

/// White noise, uniform in -1 to 1.
pub struct Noise(Pcg64Mcg);

impl Noise {
    /// Creates a generator; the same seed gives the same noise.
    pub fn new(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// Generates the next sample.
    pub fn next(&mut self) -> f64 {
        self.0.random_range(-1.0..1.0)
    }
}

/// One-pole low-pass.
#[derive(Clone, Copy, Default)]
pub struct OnePole {
    y: f64,
}

impl OnePole {
    /// Coefficient of the feedback for a corner at `hz`.
    pub fn pole(hz: f64) -> f64 {
        (-2.0 * PI * hz / MODEL_RATE).exp()
    }

    /// Filters a sample with a pole at `pole`; unity gain at 0 Hz.
    pub fn next(&mut self, x: f64, pole: f64) -> f64 {
        self.y = (1.0 - pole) * x + pole * self.y;
        self.y
    }

    /// Phase delay in samples at `hz` for a pole at `pole`.
    pub fn delay(pole: f64, hz: f64) -> f64 {
        let w = 2.0 * PI * hz / MODEL_RATE;
        (pole * w.sin()).atan2(1.0 - pole * w.cos()) / w
    }
}

/// Delay line, read between samples by Lagrange interpolation of third order.
pub struct Delay {
    line: Vec<f64>,
    at: usize,
}

impl Delay {
    /// Creates a silent line of at most `longest` samples.
    pub fn new(longest: usize) -> Self {
        Self {
            line: vec![0.0; longest + 4],
            at: 0,
        }
    }

    /// Appends a sample.
    pub fn write(&mut self, x: f64) {
        self.at = (self.at + 1) % self.line.len();
        self.line[self.at] = x;
    }

    /// The value written `delay` samples before the last one, at least 1 and at most the longest.
    pub fn read(&self, delay: f64) -> f64 {
        let whole = delay.floor();
        let d = delay - whole + 1.0;
        let length = self.line.len();
        let tap = |k: usize| self.line[(self.at + 2 * length - (whole as usize + k - 1)) % length];
        tap(0) * -(d - 1.0) * (d - 2.0) * (d - 3.0) / 6.0 + tap(1) * d * (d - 2.0) * (d - 3.0) / 2.0
            - tap(2) * d * (d - 1.0) * (d - 3.0) / 2.0
            + tap(3) * d * (d - 1.0) * (d - 2.0) / 6.0
    }
}

/// Resonance of two poles with unity gain at its frequency.
pub struct Resonance {
    a1: f64,
    a2: f64,
    gain: f64,
    state: [f64; 4],
}

impl Resonance {
    /// Creates a resonance at `hz`, `width` Hz wide.
    pub fn new(hz: f64, width: f64) -> Self {
        let r = (-PI * width / MODEL_RATE).exp();
        Self {
            a1: 2.0 * r * (2.0 * PI * hz / MODEL_RATE).cos(),
            a2: -r * r,
            gain: (1.0 - r * r) / 2.0,
            state: [0.0; 4],
        }
    }

    /// Filters a sample.
    pub fn next(&mut self, x: f64) -> f64 {
        let [x1, x2, y1, y2] = self.state;
        let y = self.gain * (x - x2) + self.a1 * y1 + self.a2 * y2;
        self.state = [x, x1, y, y1];
        y
    }
}

/// Adds a small room at level `wet`: four delay lines that feed each other (Jot and Chaigne 1991),
/// with a reverberation time of 0.5 s.
pub fn room(dry: &[f64], wet: f64) -> Vec<f64> {
    const SECONDS: f64 = 0.5;
    let lengths = [0.0213, 0.0297, 0.0371, 0.0433].map(|s: f64| (s * MODEL_RATE).round());
    let gains = lengths.map(|n| 10f64.powf(-3.0 * n / MODEL_RATE / SECONDS));
    let pole = OnePole::pole(4_500.0);
    let mut lines = lengths.map(|n| Delay::new(n as usize));
    let mut damping = [OnePole::default(); 4];
    dry.iter()
        .map(|&x| {
            let mut out = [0.0; 4];
            for i in 0..4 {
                out[i] = gains[i] * damping[i].next(lines[i].read(lengths[i] - 1.0), pole);
            }
            let half = 0.5 * out.iter().sum::<f64>();
            for i in 0..4 {
                lines[i].write(x + out[i] - half);
            }
            x + wet * (out[0] - out[1] + out[2] - out[3])
        })
        .collect()
}

/// A third of the samples, after a low-pass at 14.5 kHz (a windowed sinc).
pub fn decimate(sound: &[f64]) -> Vec<f64> {
    const HALF: isize = 96;
    let cutoff = 14_500.0 / MODEL_RATE;
    let taps: Vec<f64> = (-HALF..=HALF)
        .map(|n| {
            let x = 2.0 * PI * cutoff * n as f64;
            let sinc = if n == 0 { 1.0 } else { x.sin() / x };
            2.0 * cutoff * sinc * (0.5 + 0.5 * (PI * n as f64 / (HALF + 1) as f64).cos())
        })
        .collect();
    (0..sound.len() as isize)
        .step_by(3)
        .map(|at| {
            let sample = |k: usize| sound.get((at + k as isize - HALF) as usize).unwrap_or(&0.0);
            taps.iter()
                .enumerate()
                .map(|(k, tap)| tap * sample(k))
                .sum()
        })
        .collect()
}
