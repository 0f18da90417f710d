//! Figures of a note that a producer listens for.

use crate::patches::HELD;
use crate::sound::{BANDS, RANGE, RATE, STEP, Sound, middle};
use std::f64::consts::TAU;

/// Samples of a short level, and from one to the next: 20 ms and 1 ms.
const SHORT: usize = 960;
const HOP: usize = 48;

/// Figures of a note held for [`HELD`] seconds.
pub struct Figures {
    /// Seconds to half the held note's effective amplitude.
    pub attack: f64,
    /// Mean frequency by amplitude, Hz, of the first 0.1 s and 1.5 s later.
    pub centroids: [f64; 2],
    /// Seconds in which the held note falls 20 dB below its loudest, if it does.
    pub decay: Option<f64>,
    /// Seconds from the key's end until it stays 40 dB below its loudest.
    pub tail: f64,
    /// Power of the difference of the sides, of all.
    pub width: f64,
    /// DC: mean over root mean square, in dB.
    pub dc: f64,
    /// Crest: peak over root mean square, in dB.
    pub crest: f64,
}

impl Figures {
    /// Measures a note.
    pub fn new(sound: &Sound) -> Self {
        let [left, right] = &sound.sides;
        let held = (HELD * RATE as f64) as usize;
        let powers = short_powers(&sound.sides);
        let end = (held - SHORT) / HOP;
        let loudest = powers[..end].iter().copied().fold(0.0, f64::max);
        let seconds = |hops: usize| (hops * HOP) as f64 / RATE as f64;
        let top = powers[..end].iter().position(|&p| p == loudest).unwrap();
        let last = powers.iter().rposition(|&p| p > 1e-4 * loudest).unwrap();
        let mean = |f: &dyn Fn(f64, f64) -> f64| {
            let pairs = left[..held].iter().zip(&right[..held]);
            pairs.map(|(&l, &r)| f(l as f64, r as f64)).sum::<f64>() / held as f64
        };
        let power = mean(&|l, r| 0.5 * (l * l + r * r));
        let peak = left.iter().chain(right).fold(0.0f32, |p, x| p.max(x.abs())) as f64;
        Self {
            attack: seconds(powers.iter().position(|&p| p >= 0.25 * power).unwrap()),
            centroids: [0.0, 1.5].map(|from| centroid(sound, from)),
            decay: powers[top..end]
                .iter()
                .position(|&p| p < 0.01 * loudest)
                .map(seconds),
            tail: (seconds(last) - HELD).max(0.0),
            width: mean(&|l, r| 0.25 * (l - r) * (l - r)) / power,
            dc: 20.0 * (mean(&|l, r| 0.5 * (l + r)).abs() / power.sqrt()).log10(),
            crest: 20.0 * peak.log10() - 10.0 * power.log10(),
        }
    }
}

/// Mean square of both sides in the [`SHORT`] samples up to each [`HOP`].
fn short_powers(sides: &[Vec<f32>; 2]) -> Vec<f64> {
    let mut power = 0.0;
    let square = |i: usize| sides.iter().map(|s| (s[i] * s[i]) as f64).sum::<f64>();
    let mut powers = Vec::with_capacity(sides[0].len() / HOP);
    for i in 0..sides[0].len() {
        power += square(i) - if i >= SHORT { square(i - SHORT) } else { 0.0 };
        if i % HOP == HOP - 1 {
            powers.push((power / SHORT as f64).max(0.0));
        }
    }
    powers
}

/// Mean frequency by amplitude, Hz, of the 0.1 s from `from` on.
pub fn centroid(sound: &Sound, from: f64) -> f64 {
    let first = (from / STEP) as usize;
    let (mut sum, mut weights) = (0.0, 0.0);
    for time in sound.image.chunks(BANDS).skip(first).take(5) {
        for (band, &db) in time.iter().enumerate().filter(|(_, db)| **db < RANGE) {
            let amplitude = 10f64.powf(-db / 20.0);
            sum += amplitude * middle(band);
            weights += amplitude;
        }
    }
    // A sound that has faded has none.
    if weights > 0.0 { sum / weights } else { 0.0 }
}

/// Deviation in cents of the strongest of the octave below `hertz`, `hertz` and the octave above,
/// up to a quarter tone, in the second from 0.1 s on: a mean, because a unison is many tones.
pub fn cents_off(sides: &[Vec<f32>; 2], hertz: f64) -> f64 {
    let from = (0.1 * RATE as f64) as usize;
    let count = RATE as usize;
    let [mut strongest, mut mean] = [0.0; 2];
    for octave in [0.5, 1.0, 2.0] {
        let [mut top, mut sum, mut powers] = [0.0f64; 3];
        for cents in (-50..=50).step_by(2) {
            let hertz = hertz * octave * (cents as f64 / 1200.0).exp2();
            let tones = sides.iter().map(|side| tone(side, from, count, hertz));
            let power: f64 = tones.sum();
            top = top.max(power);
            sum += power * cents as f64;
            powers += power;
        }
        if top > strongest {
            (strongest, mean) = (top, sum / powers);
        }
    }
    mean
}

/// Power of the component at `hertz` of a Hann-windowed piece (Goertzel).
fn tone(x: &[f32], from: usize, count: usize, hertz: f64) -> f64 {
    let turn = |hertz: f64| TAU * hertz / RATE as f64;
    let [k, w] = [turn(hertz), TAU / count as f64].map(|angle| 2.0 * angle.cos());
    let [mut s1, mut s2] = [0.0; 2];
    // The window's cosine is a rotation too.
    let [mut c0, mut c1] = [1.0, 0.5 * w];
    for &sample in &x[from..from + count] {
        let s0 = sample as f64 * (0.5 - 0.5 * c0) + k * s1 - s2;
        (s2, s1) = (s1, s0);
        (c0, c1) = (c1, w * c1 - c0);
    }
    s1 * s1 + s2 * s2 - k * s1 * s2
}
