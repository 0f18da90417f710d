//! Synced waveforms against the Fourier integrals of what they stand for.

use super::*;
use crate::oscillator::{Timbre, blend};
use simd::Baseline;
use std::f64::consts::TAU;

/// One cycle of the note in this many samples.
const CYCLE: usize = 256;
/// Harmonics compared: fewer than the table of that pitch has.
const HARMONICS: [usize; 10] = [1, 2, 3, 4, 5, 8, 13, 21, 34, 55];

/// The waveform without its band limit, at a phase of the note.
fn ideal(shape: f32, width: f64, ratio: f64, phase: f64) -> f64 {
    let x = (ratio * phase).fract();
    let saw = |x: f64| 1.0 - 2.0 * x.fract();
    let triangle = match x {
        x if x < 0.25 => 4.0 * x,
        x if x < 0.75 => 2.0 - 4.0 * x,
        x => 4.0 * x - 4.0,
    };
    let waves = [(TAU * x).sin(), triangle, saw(x), saw(x + width)];
    let weights = blend(shape);
    (0..4).map(|n| weights[n] as f64 * waves[n]).sum()
}

/// Harmonic `k` of a cycle of samples, complex.
fn harmonic(cycle: impl Iterator<Item = f64>, len: usize, k: usize) -> [f64; 2] {
    let (mut re, mut im) = (0.0, 0.0);
    for (i, x) in cycle.enumerate() {
        let (sin, cos) =
            (TAU * ((k * (2 * i + 1)) % (2 * len)) as f64 / (2 * len) as f64).sin_cos();
        re += x * cos;
        im -= x * sin;
    }
    [2.0 * re / len as f64, 2.0 * im / len as f64]
}

/// A cycle as the oscillator plays it, sampled at the middles of `CYCLE` equal parts.
fn played(shape: f32, width: f32, ratio: f32) -> Vec<f64> {
    let timbre = Timbre {
        blend: blend(shape),
        width,
        sync: ratio,
    };
    let increment = ((1u64 << 32) / CYCLE as u64) as u32;
    let mut osc = Oscillator::default();
    osc.start(increment / 2, increment, &timbre);
    let mut out = Vec::new();
    for _ in 0..CYCLE / CONTROL {
        osc.plan(CONTROL, increment, &timbre);
        let tone = osc.tone(Baseline, Wavetables::shared(), 0, None);
        out.extend(tone.map(|x| x as f64));
    }
    out
}

#[test]
fn harmonics_are_the_integrals_of_the_ideal_waveform() {
    const FINE: usize = 1 << 16;
    for shape in [0.0, 0.5, 1.0, 1.7, 2.0, 2.6, 3.0] {
        for ratio in [1.001, 1.25, 1.5, 2.0, 2.75, 4.0, 6.66, 15.9] {
            let width = 0.7;
            let out = played(shape, width, ratio);
            let fine = |i: usize| {
                let phase = (i as f64 + 0.5) / FINE as f64;
                ideal(shape, width as f64, ratio as f64, phase)
            };
            let mut worst = 0.0f64;
            for k in HARMONICS {
                let want = harmonic((0..FINE).map(fine), FINE, k);
                let got = harmonic(out.iter().copied(), CYCLE, k);
                worst = worst.max((got[0] - want[0]).hypot(got[1] - want[1]));
            }
            // What a sum over FINE points makes of a jump, and a sine's last harmonics.
            let limit = if shape < 1.0 && ratio > 6.0 {
                3e-3
            } else {
                4e-4
            };
            assert!(worst < limit, "shape {shape}, ratio {ratio}: {worst:e}");
            let mean: f64 = out.iter().sum::<f64>() / CYCLE as f64;
            assert!(mean.abs() < 1e-4, "shape {shape}, ratio {ratio}: DC {mean}");
        }
    }
}

#[test]
fn a_ratio_of_one_is_no_sync() {
    for shape in [0.0, 1.0, 2.0, 3.0] {
        let plain = played(shape, 0.7, 1.0);
        let nearly = played(shape, 0.7, 1.000_001);
        for (a, b) in plain.iter().zip(&nearly) {
            // The steepest part of a saw of 128 harmonics rises by 512 per cycle.
            assert!((a - b).abs() < 6e-4, "shape {shape}: {b}, unsynced {a}");
        }
    }
}

#[test]
fn a_moving_ratio_makes_no_jump_of_its_own() {
    // Past whole numbers, where a jump comes or goes, and past a triangle's corners.
    for shape in [0.0, 1.0, 2.0, 3.0] {
        let mut before = played(shape, 0.7, 1.9);
        for step in 1..300 {
            let after = played(shape, 0.7, 1.9 + 0.001 * step as f32);
            let change = before
                .iter()
                .zip(&after)
                .map(|(a, b)| (a - b).powi(2))
                .sum::<f64>();
            let change = (change / CYCLE as f64).sqrt();
            assert!(change < 0.06, "shape {shape}, step {step}: {change}");
            before = after;
        }
    }
}
