//! What may happen to a window between an instrument and the ear: cheap changes made anew at each visit,
//! in the decibel domain of the quantised window. Level needs none: windows are relative to their peak.

use ear::CHANNELS;
use matcher::contract::FLOOR_DB;
use matcher::{INPUT_LEN, WINDOW_FRAMES};
use rand::Rng;

/// Steps of a quantised window per decibel.
const STEPS_PER_DB: f32 = 255.0 / FLOOR_DB;

/// Changes `window` (quantised, `INPUT_LEN` bytes) with probability .6.
pub fn augment(window: &mut [u8], rng: &mut impl Rng) {
    debug_assert_eq!(window.len(), INPUT_LEN);
    if rng.random_bool(0.4) {
        return;
    }
    if rng.random_bool(0.6) {
        equalize(window, rng);
    }
    if rng.random_bool(0.6) {
        add_noise(window, rng);
    }
    if rng.random_bool(0.15) {
        // Listening began in the middle of a sound.
        let frames = rng.random_range(1..WINDOW_FRAMES * 3 / 4);
        window[..frames * CHANNELS].fill(0);
        renormalize(window);
    }
}

/// A random smooth curve over the channels: a tilt and two slow waves, in steps.
fn curve(rng: &mut impl Rng, tilt_db: f32, wave_db: f32) -> [f32; CHANNELS] {
    let tilt = rng.random_range(-tilt_db..tilt_db);
    let waves: [(f32, f32, f32); 2] = std::array::from_fn(|_| {
        (
            rng.random_range(0.0..wave_db),
            rng.random_range(0.5..3.0) * std::f32::consts::TAU,
            rng.random_range(0.0..std::f32::consts::TAU),
        )
    });
    std::array::from_fn(|c| {
        let x = c as f32 / CHANNELS as f32;
        let waves: f32 = waves.iter().map(|(a, w, p)| a * (w * x + p).sin()).sum();
        (tilt * (x - 0.5) + waves) * STEPS_PER_DB
    })
}

/// A microphone's or loudspeaker's response.
fn equalize(window: &mut [u8], rng: &mut impl Rng) {
    let curve = curve(rng, 12.0, 4.0).map(|v| v.round() as i32);
    // Headroom first, so that a boosted peak doesn't saturate before it is made the reference again.
    let top = curve.iter().copied().max().unwrap_or(0).max(0);
    for frame in window.chunks_exact_mut(CHANNELS) {
        for (v, c) in frame.iter_mut().zip(&curve) {
            // A cell below the floor stays there.
            if *v > 0 {
                *v = (*v as i32 + c - top).clamp(0, 255) as u8;
            }
        }
    }
    renormalize(window);
}

/// Stationary background noise, 10 to 60 dB below the peak.
fn add_noise(window: &mut [u8], rng: &mut impl Rng) {
    let sum = power_sum();
    let level = 255.0 - rng.random_range(10.0..60.0f32) * STEPS_PER_DB;
    let curve = curve(rng, 30.0, 6.0);
    for frame in window.chunks_exact_mut(CHANNELS) {
        for (v, c) in frame.iter_mut().zip(&curve) {
            // The spread of a noise band's short-time level: skewed towards low values.
            let u: f32 = rng.random();
            let fluctuation = 7.0 * (u.sqrt() - 0.75) * STEPS_PER_DB;
            let noise = (level + c + fluctuation).clamp(0.0, 255.0) as u8;
            let (high, low) = if *v > noise { (*v, noise) } else { (noise, *v) };
            *v = high.saturating_add(sum[(high - low) as usize]);
        }
    }
    renormalize(window);
}

/// Steps to add to the louder of two powers that differ by so many steps.
fn power_sum() -> [u8; 256] {
    std::array::from_fn(|d| {
        let ratio = 10f32.powf(-(d as f32) / STEPS_PER_DB / 10.0);
        (10.0 * (1.0 + ratio).log10() * STEPS_PER_DB).round() as u8
    })
}

/// Makes the loudest cell 255 again; a silent window stays silent.
fn renormalize(window: &mut [u8]) {
    let peak = window.iter().copied().max().unwrap_or(0);
    if peak > 0 && peak < 255 {
        let up = 255 - peak;
        for v in window.iter_mut().filter(|v| **v > 0) {
            *v += up;
        }
    }
}
