//! A patch that is one sine, and what can be measured of it.
#![allow(dead_code)] // Each test uses its part.

use synth::{Patch, params};

/// Rate of the measured sounds in Hz.
pub const RATE: f32 = 48_000.0;

/// One sine, filter open, level constant while held.
pub fn sine() -> Patch {
    let mut patch = Patch::default();
    for (row, v) in [
        (params::OSC1_SHAPE, 0.0),
        (params::OSC2_SHAPE, 0.0),
        (params::OSC_BALANCE, 0.0),
        (params::FILTER_CUTOFF, 18_000.0),
        (params::FILTER_RESONANCE, 0.0),
        (params::FILTER_ENV_AMOUNT, 0.0),
        (params::AMP_SUSTAIN, 1.0),
        (params::AMP_ATTACK, 0.005),
        (params::AMP_RELEASE, 0.05),
    ] {
        patch.set_plain(row, v);
    }
    patch
}

/// Largest magnitude.
pub fn peak(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |p, x| p.max(x.abs()))
}

/// Hz of a sine, from its rising zero crossings.
fn hertz(x: &[f32]) -> f32 {
    let up: Vec<f32> = (1..x.len())
        .filter(|&i| x[i - 1] < 0.0 && x[i] >= 0.0)
        .map(|i| i as f32 - x[i] / (x[i] - x[i - 1]))
        .collect();
    (up.len() - 1) as f32 * RATE / (up[up.len() - 1] - up[0])
}

/// MIDI pitch of a sine.
pub fn key(x: &[f32]) -> f32 {
    69.0 + 12.0 * (hertz(x) / 440.0).log2()
}
