//! Sounds of known notes.

use ear::{EarConfig, Spectrogram, key_to_hz};
use std::f64::consts::TAU;

pub const RATE: f64 = 44_100.0;

/// A note of a made-up sound.
#[derive(Clone, Copy)]
pub struct Played {
    pub onset: f64,
    pub end: f64,
    pub key: f64,
    pub gain: f64,
    /// Seconds of its rise, linear from nothing, and of its fall after `end`.
    pub attack: f64,
    pub release: f64,
    /// Depth in semitones and rate in Hz of its vibrato.
    pub vibrato: (f64, f64),
    /// Key from which it glides, and seconds for that.
    pub glide: (f64, f64),
}

impl Played {
    pub fn new(onset: f64, end: f64, key: f64) -> Self {
        Self {
            onset,
            end,
            key,
            gain: 0.3,
            attack: 0.005,
            release: 0.015,
            vibrato: (0.0, 5.0),
            glide: (key, 0.0),
        }
    }

    /// Adds the note's sound.
    fn play(&self, sound: &mut [f32]) {
        let first = (self.onset * RATE) as usize;
        let last = (((self.end + self.release) * RATE) as usize).min(sound.len());
        let mut phase = 0.0;
        for (n, y) in sound[first..last].iter_mut().enumerate() {
            let t = n as f64 / RATE;
            let (depth, hz) = self.vibrato;
            let glide = match self.glide.1 > 0.0 {
                true => (self.glide.0 - self.key) * (1.0 - t / self.glide.1).max(0.0),
                false => 0.0,
            };
            let key = self.key + glide + depth * (TAU * hz * t).sin();
            phase += key_to_hz(key) / RATE;
            let rest = self.end - self.onset - t;
            let fall = (1.0 + (rest / self.release).min(0.0)).max(0.0);
            let gain = self.gain * (t / self.attack).min(1.0) * fall;
            let partials = (1..=6)
                .filter(|&k| f64::from(k) * key_to_hz(key) < 0.45 * RATE)
                .map(|k| (TAU * phase * f64::from(k)).sin() / f64::from(k * k));
            *y += (gain * partials.sum::<f64>()) as f32;
        }
    }
}

/// Notes of `keys`, each `seconds` long with a rest of `gap` after it, from 0.2 s on.
pub fn line(keys: &[f64], seconds: f64, gap: f64) -> Vec<Played> {
    let step = seconds + gap;
    let onset = |i: usize| 0.2 + step * i as f64;
    keys.iter()
        .enumerate()
        .map(|(i, &key)| Played::new(onset(i), onset(i) + seconds, key))
        .collect()
}

/// The sound of notes, and half a second after the last.
pub fn sound(notes: &[Played]) -> Vec<f32> {
    let end = notes.iter().map(|n| n.end).fold(0.0, f64::max);
    let mut sound = vec![0.0; ((end + 0.5) * RATE) as usize];
    notes.iter().for_each(|n| n.play(&mut sound));
    sound
}

/// Adds white noise of a peak amplitude.
pub fn add_noise(sound: &mut [f32], gain: f32, seed: u32) {
    let mut state = seed;
    for y in sound {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *y += gain * ((state >> 8) as f32 / 8_388_608.0 - 1.0);
    }
}

/// Adds a hall that falls by 60 dB in `seconds`, `wet` times as loud as the sound.
pub fn add_hall(sound: &mut Vec<f32>, seconds: f64, wet: f64) {
    const TAPS: usize = 1_500;
    let length = (seconds * RATE) as usize;
    let dry = sound.clone();
    sound.resize(dry.len() + length, 0.0);
    let mut state = 7u32;
    for tap in 0..TAPS {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let jitter = f64::from(state >> 8) / f64::from(1 << 24);
        let delay = 0.01 * RATE + (tap as f64 + jitter) / TAPS as f64 * (length as f64 * 0.9);
        let sign = if state & 128 == 0 { 1.0 } else { -1.0 };
        let fall = 10f64.powf(-3.0 * delay / (seconds * RATE));
        // The sum of the squares of the taps is about TAPS / 14.
        let gain = (wet * sign * fall / (TAPS as f64 / 14.0).sqrt()) as f32;
        for (y, x) in sound[delay as usize..].iter_mut().zip(&dry) {
            *y += gain * x;
        }
    }
}

/// A sound as the default ear hears it.
pub fn heard(sound: &[f32]) -> Spectrogram {
    ear::spectrogram(&EarConfig::default(), sound, RATE, true).unwrap()
}
