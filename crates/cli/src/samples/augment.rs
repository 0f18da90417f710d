//! Augmentation of windows in the decibel domain of the quantised window: distortions between an
//! instrument and the ear, and changes that make another instrument of one. They are drawn again at
//! each visit. Level needs none: windows are relative to their peak.

use super::distribution::Distribution;
use ear::CHANNELS;
use matcher::FLOOR_DB;
use matcher::{INPUT_LEN, WINDOW_FRAMES};
use rand::Rng;

/// Steps of a quantised window per decibel.
const STEPS_PER_DB: f32 = 255.0 / FLOOR_DB;

/// Lowest key of which nothing is lost off the low edge when the window is transposed down, and
/// nothing missing there when it is transposed up: its fundamental is channel 12.
const LOWEST_KEY: f32 = 60.0;

/// Makes another instrument of two windows of a foreign clip (quantised, `INPUT_LEN` bytes each)
/// unless it is left unvaried: the spectrum is tilted and bent, and the notes, of which `lowest` is
/// the lowest key, are transposed along the logarithmic axis, formants and all. Returns the
/// transposition in semitones. Unlike [`augment`], what comes out is to be mirrored.
pub fn vary(windows: [&mut [u8]; 2], lowest: f32, of: &Distribution, rng: &mut impl Rng) -> f32 {
    if rng.random_bool(of.unvaried) {
        return 0.0;
    }
    let response = response(of, rng);
    let most = of.transpose as i32;
    let up = match rng.random_range(-most..=most) {
        _ if lowest < LOWEST_KEY => 0,
        up => up,
    };
    for window in windows {
        debug_assert_eq!(window.len(), INPUT_LEN);
        equalize(window, &response);
        transpose(window, up);
    }
    0.5 * up as f32
}

/// Moves every frame `up` channels up. What enters at an edge continues the edge's channel.
fn transpose(window: &mut [u8], up: i32) {
    for frame in window.chunks_exact_mut(CHANNELS) {
        let by = up.unsigned_abs() as usize;
        if up > 0 {
            frame.copy_within(..CHANNELS - by, by);
            let edge = frame[by];
            frame[..by].fill(edge);
        } else {
            frame.copy_within(by.., 0);
            let edge = frame[CHANNELS - by - 1];
            frame[CHANNELS - by..].fill(edge);
        }
    }
    renormalize(window);
}

/// Changes `window` (quantised, `INPUT_LEN` bytes) unless it is left untouched.
pub fn augment(window: &mut [u8], of: &Distribution, rng: &mut impl Rng) {
    debug_assert_eq!(window.len(), INPUT_LEN);
    if rng.random_bool(of.untouched) {
        return;
    }
    if rng.random_bool(of.response) {
        equalize(window, &response(of, rng));
    }
    if rng.random_bool(of.noise) {
        // Now and then so loud that nothing else is heard: then the encoder must say that it can't
        // tell.
        let loudest = match rng.random_bool(of.drowned) {
            true => -20.0,
            false => of.noise_db as f32,
        };
        add_noise(window, rng.random_range(loudest..60.0), rng);
    }
    if rng.random_bool(of.cut) {
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

/// A microphone's or loudspeaker's response, in steps.
fn response(of: &Distribution, rng: &mut impl Rng) -> [i32; CHANNELS] {
    curve(rng, of.tilt_db as f32, 4.0).map(|v| v.round() as i32)
}

fn equalize(window: &mut [u8], curve: &[i32; CHANNELS]) {
    // Headroom first, so that a boosted peak doesn't saturate before it is made the reference
    // again.
    let top = curve.iter().copied().max().unwrap_or(0).max(0);
    for frame in window.chunks_exact_mut(CHANNELS) {
        for (v, c) in frame.iter_mut().zip(curve) {
            // A cell below the floor stays there.
            if *v > 0 {
                *v = (*v as i32 + c - top).clamp(0, 255) as u8;
            }
        }
    }
    renormalize(window);
}

/// Stationary background noise, about `below_db` below the peak.
fn add_noise(window: &mut [u8], below_db: f32, rng: &mut impl Rng) {
    let sum = power_sum();
    // Louder noise would leave the scale: then the sound is turned down instead.
    let down = ((10.0 - below_db).max(0.0) * STEPS_PER_DB) as u8;
    window.iter_mut().for_each(|v| *v = v.saturating_sub(down));
    let level = 255.0 - below_db.max(10.0) * STEPS_PER_DB;
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

/// Steps to add to the louder of two powers, by the number of steps that they differ by.
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// Harmonics of `hz` falling by 6 dB an octave, heard by the ear.
    fn tone(hz: f32) -> Vec<u8> {
        let rate = 16_000.0;
        let samples: Vec<f32> = (0..20_000)
            .map(|i| {
                let t = i as f32 / rate;
                (1..=10)
                    .map(|k| (std::f32::consts::TAU * hz * k as f32 * t).sin() / k as f32)
                    .sum()
            })
            .collect();
        let heard = ear::spectrogram(&Default::default(), &samples, rate as f64, false).unwrap();
        let mut window = vec![0; INPUT_LEN];
        matcher::quantize_window(&heard.data[10 * CHANNELS..][..INPUT_LEN], &mut window);
        window
    }

    fn difference(a: &[u8], b: &[u8]) -> f32 {
        let sum: u32 = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b) as u32).sum();
        sum as f32 / a.len() as f32
    }

    #[test]
    fn transposing_a_window_is_transposing_the_sound() {
        let original = tone(440.0);
        for up in [-6, -1, 3, 6] {
            let mut window = original.clone();
            transpose(&mut window, up);
            let wanted = tone(440.0 * 2f32.powf(up as f32 / 24.0));
            let [left, before] = [&window, &original].map(|w| difference(w, &wanted));
            assert!(left < 0.3 * before, "by {up} channels: {before} to {left}");
        }
    }

    #[test]
    fn a_varied_window_keeps_its_scale_and_says_its_transposition() {
        let original = tone(440.0);
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        let of = Distribution::default();
        let mut moved = 0;
        for _ in 0..200 {
            let [mut heard, mut later] = [original.clone(), original.clone()];
            let semitones = vary([&mut heard, &mut later], 69.0, &of, &mut rng);
            assert_eq!(heard.iter().max(), Some(&255));
            assert_eq!(heard, later, "both windows are of the same instrument");
            assert!(semitones.abs() <= 3.0);
            moved += (semitones != 0.0) as u32;
            assert_eq!(vary([&mut heard, &mut later], 45.0, &of, &mut rng), 0.0);
        }
        assert!((60..140).contains(&moved), "{moved}");
    }

    #[test]
    fn loud_noise_drowns_the_sound_and_soft_noise_does_not() {
        let original = tone(440.0);
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(2);
        let change = |below_db, rng: &mut _| {
            let mut window = original.clone();
            add_noise(&mut window, below_db, rng);
            difference(&window, &original)
        };
        for _ in 0..20 {
            assert!(change(-20.0, &mut rng) > 2.0 * change(60.0, &mut rng));
        }
    }
}
