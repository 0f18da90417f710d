//! Whole clips: alignment across rates, normalisation, the picture.

mod common;

use common::{agreement, noise};
use ear::{CHANNELS, EarConfig, Normalize, Preset, centre_frequencies, decibel_image, spectrogram};
use std::f64::consts::TAU;

/// Three notes of partials below 3 kHz with soft edges, the same sound at any rate.
fn notes(rate: f64) -> Vec<f32> {
    (0..rate as usize)
        .map(|n| {
            let t = n as f64 / rate;
            let hz = [220.0, 440.0, 330.0][((t * 3.0) as usize).min(2)];
            let edge = (TAU * t * 1.5).sin().powi(2);
            let sum: f64 = (1..7)
                .map(|k| (TAU * hz * f64::from(k) * t).sin() / f64::from(k))
                .sum();
            (0.2 * edge * sum) as f32
        })
        .collect()
}

#[test]
fn a_resampled_clip_is_the_same_spectrogram() {
    for preset in [Preset::Nsl16k, Preset::Nsl8k, Preset::Wide] {
        let config = EarConfig {
            preset,
            ..EarConfig::default()
        };
        let own = spectrogram(&config, &notes(preset.rate()), preset.rate(), false).unwrap();
        let own: Vec<f64> = own.data.iter().map(|&x| f64::from(x)).collect();
        for rate in [
            8_000.0, 11_025.0, 22_050.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0,
        ] {
            let heard = spectrogram(&config, &notes(rate), rate, false).unwrap();
            assert_eq!(heard.frames(), 125, "{preset} from {rate} Hz");
            let (r, e) = agreement(&heard.data, &own);
            println!("{preset} from {rate} Hz: r {r:.6} e {e:.4}");
            assert!(
                r > 0.9999 && e < 0.01,
                "{preset} from {rate} Hz: r {r}, e {e}"
            );
        }
    }
}

#[test]
fn clip_normalisation_removes_level_and_offset() {
    let config = EarConfig {
        normalize: Normalize::Clip,
        ..EarConfig::default()
    };
    let sound = notes(16_000.0);
    let other: Vec<f32> = sound.iter().map(|x| 0.01 * x - 0.2).collect();
    let a = spectrogram(&config, &sound, 16_000.0, false).unwrap();
    let b = spectrogram(&config, &other, 16_000.0, false).unwrap();
    let a: Vec<f64> = a.data.iter().map(|&x| f64::from(x)).collect();
    let (_, e) = agreement(&b.data, &a);
    assert!(e < 1e-4, "{e}");
    let constant = spectrogram(&config, &[0.3; 1600], 16_000.0, false).unwrap();
    assert!(constant.data.iter().all(|&x| x == 0.0));
}

#[test]
fn the_last_frame_is_completed_and_an_empty_clip_has_none() {
    let config = EarConfig::default();
    for (samples, frames) in [(0, 0), (1, 1), (128, 1), (129, 2), (32_000, 250)] {
        let heard = spectrogram(&config, &noise(samples), 16_000.0, true).unwrap();
        assert_eq!((heard.frames(), heard.pitch.len()), (frames, frames));
        assert_eq!(heard.frame_rate, 125.0);
    }
}

#[test]
fn a_tone_is_loudest_in_its_own_channel() {
    for (preset, native_rate, rate) in [
        (Preset::Nsl16k, false, 16_000.0),
        (Preset::Nsl8k, false, 16_000.0),
        (Preset::Wide, false, 44_100.0),
        (Preset::Nsl16k, true, 44_100.0),
    ] {
        let config = EarConfig {
            preset,
            native_rate,
            ..EarConfig::default()
        };
        let centres = centre_frequencies(&config, rate);
        assert!(centres.windows(2).all(|w| w[0] < w[1]));
        for channel in [8usize, 40, 77, 100] {
            let hz = f64::from(centres[channel]);
            let tone: Vec<f32> = (0..(rate * 0.4) as usize)
                .map(|n| (TAU * hz * n as f64 / rate).sin() as f32)
                .collect();
            let heard = spectrogram(&config, &tone, rate, false).unwrap();
            let frame = heard.frame(heard.frames() - 2);
            let loudest = (0..CHANNELS)
                .max_by(|&a, &b| frame[a].total_cmp(&frame[b]))
                .unwrap();
            // Lateral inhibition moves the peak a little below the centre frequency.
            assert!(
                loudest.abs_diff(channel) <= 3,
                "{preset} {hz:.0} Hz: {loudest} for {channel}"
            );
        }
    }
}

#[test]
fn the_picture_is_in_decibels_below_the_peak() {
    let picture = decibel_image(&[0.0, 1e-9, 0.2, 2.0], 60.0);
    assert_eq!((picture[0], picture[1], picture[3]), (0.0, 0.0, 1.0));
    assert!((picture[2] - 40.0 / 60.0).abs() < 1e-6);
    assert_eq!(decibel_image(&[0.0; 4], 60.0), [0.0; 4]);
}
