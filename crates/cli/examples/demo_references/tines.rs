//! A tine piano: frequency modulation (Chowning 1973) of a bar and its tine, a pickup that bends
//! the loud notes, and a tremolo.

use crate::MODEL_RATE;
use crate::melody::Melody;
use std::f64::consts::PI;

/// Decay of a middle note to -60 dB in seconds, held and let go.
const DECAY: f64 = 3.6;
const RELEASE: f64 = 0.22;
/// Time in which the hammer is felt, in seconds.
const HAMMER: f64 = 0.0015;
/// The bar: ratio of modulator to carrier, index at full velocity, its decay in seconds.
const BAR: (f64, f64, f64) = (1.0, 1.5, 0.9);
/// The tine: the same, and its level.
const TINE: (f64, f64, f64) = (7.0, 1.1, 0.12);
const TINE_LEVEL: f64 = 0.3;
/// Tremolo: rate in Hz, depth.
const TREMOLO: (f64, f64) = (4.7, 0.12);
/// Drive into the pickup.
const PICKUP: f64 = 1.1;

/// Plays `melody`, dry, at the models' rate.
pub fn play(melody: &Melody) -> Vec<f64> {
    let mut sound = vec![0.0; (melody.seconds * MODEL_RATE) as usize];
    for note in melody.notes {
        let first = (melody.time(note.beat) * MODEL_RATE) as usize;
        let held = note.beats * melody.beat;
        let w = 2.0 * PI * note.hz();
        let decay = DECAY * (262.0 / note.hz()).sqrt();
        for (i, out) in sound[first..].iter_mut().enumerate() {
            let t = i as f64 / MODEL_RATE;
            let rise = 0.5 - 0.5 * (PI * (t / HAMMER).min(1.0)).cos();
            let let_go = (t - held).max(0.0);
            let level = note.velocity * rise * fall(t, decay) * fall(let_go, RELEASE);
            let operator = |(ratio, index, seconds): (f64, f64, f64), softness: f64| {
                let index = index * note.velocity.powf(softness) * (-t / seconds).exp();
                (w * t + index * (ratio * w * t).sin()).sin()
            };
            *out += level * (operator(BAR, 1.2) + TINE_LEVEL * operator(TINE, 1.6) * fall(t, 1.2));
        }
    }
    for (i, x) in sound.iter_mut().enumerate() {
        let tremolo =
            1.0 - TREMOLO.1 * (0.5 + 0.5 * (2.0 * PI * TREMOLO.0 * i as f64 / MODEL_RATE).sin());
        // Asymmetric: the tine moves towards the pickup and away from it.
        let driven = PICKUP * *x + 0.18;
        *x = tremolo * (driven.tanh() - 0.18f64.tanh());
    }
    sound
}

/// Exponential decay that has lost 60 dB after `seconds`.
fn fall(t: f64, seconds: f64) -> f64 {
    10f64.powf(-3.0 * t / seconds)
}
