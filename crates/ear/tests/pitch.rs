//! Pitch and gate on tones whose pitch is known exactly. Foreign instruments: `examples/pitch_table.rs`.

use ear::{EarConfig, PitchFrame, Preset, spectrogram};
use std::f64::consts::TAU;

/// Frames by which a tone must be found: 48 ms.
const SETTLED: usize = 6;

fn pitch(preset: Preset, rate: f64, native_rate: bool, sound: &[f32]) -> Vec<PitchFrame> {
    let config = EarConfig {
        preset,
        native_rate,
        ..EarConfig::default()
    };
    spectrogram(&config, sound, rate, true).unwrap().pitch
}

/// Partials with the amplitudes of `partials`, below half the rate.
fn tone(rate: f64, hz: f64, seconds: f64, partials: &[f64]) -> Vec<f32> {
    (0..(rate * seconds) as usize)
        .map(|n| {
            let sum: f64 = partials
                .iter()
                .enumerate()
                .map(|(k, a)| (hz * (k + 1) as f64, a))
                .filter(|(f, _)| *f < 0.45 * rate)
                .map(|(f, a)| a * (TAU * f * n as f64 / rate).sin())
                .sum();
            (0.2 * sum) as f32
        })
        .collect()
}

fn white(samples: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..samples)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / 8_388_608.0 - 1.0) * 0.5
        })
        .collect()
}

#[test]
fn tones_are_found_over_the_whole_range() {
    let saw: Vec<f64> = (1..40).map(|k| 1.0 / f64::from(k)).collect();
    let hollow: Vec<f64> = (1..40)
        .map(|k| if k % 2 == 1 { 1.0 / f64::from(k) } else { 0.0 })
        .collect();
    let bright = [0.3, 1.0, 0.6, 0.3, 0.2, 0.1];
    for (preset, rate, native) in [
        (Preset::Nsl16k, 16_000.0, false),
        (Preset::Nsl16k, 44_100.0, false),
        (Preset::Nsl8k, 48_000.0, false),
        (Preset::Wide, 44_100.0, false),
        (Preset::Nsl16k, 11_025.0, true),
        (Preset::Wide, 192_000.0, true),
    ] {
        for (name, partials) in [
            ("sine", &[1.0][..]),
            ("saw", &saw),
            ("hollow", &hollow),
            ("bright", &bright),
        ] {
            for key in 33..=93 {
                let hz = 440.0 * 2f64.powf((f64::from(key) - 69.0) / 12.0);
                let frames = pitch(preset, rate, native, &tone(rate, hz, 0.12, partials));
                for (i, frame) in frames.iter().enumerate().skip(SETTLED).take(6) {
                    let cents = 1200.0 * (f64::from(frame.hz) / hz).log2();
                    assert!(
                        frame.voiced && cents.abs() < 25.0,
                        "{preset} {rate} {name} {hz:.1} Hz, frame {i}: {frame:?}, {cents:.0} cents"
                    );
                }
            }
        }
    }
}

#[test]
fn noise_is_not_a_tone() {
    let frames = pitch(Preset::Nsl16k, 16_000.0, false, &white(160_000));
    let voiced = frames.iter().filter(|f| f.voiced).count();
    assert!(voiced * 100 < frames.len(), "{voiced} of {}", frames.len());
}

#[test]
fn the_gate_closes_on_silence_and_on_what_is_too_quiet() {
    // 250 Hz: whole periods in a frame, so the level is exact.
    let mut sound = tone(16_000.0, 250.0, 0.3, &[1.0]);
    let ends = sound.len() / 128;
    sound.extend([0.0; 8000]);
    let frames = pitch(Preset::Nsl16k, 16_000.0, false, &sound);
    assert!(frames[SETTLED..ends - 1].iter().all(|f| f.voiced));
    assert!(frames[ends + 1..].iter().all(|f| !f.voiced));
    // A sine of amplitude 0.2 has -16.99 dBFS.
    assert!((frames[20].level_db + 16.99).abs() < 0.05);
    let quiet: Vec<f32> = sound.iter().map(|x| x * 0.005).collect();
    assert!(
        pitch(Preset::Nsl16k, 16_000.0, false, &quiet)
            .iter()
            .all(|f| !f.voiced)
    );
}
