//! Each model's frequency response against what its filter does to a small impulse.

use super::*;
use crate::{FilterResponse, Patch, params};

/// Some 150 frequencies, equally far apart on a logarithmic scale up to half the sample rate, as
/// indices of bins.
fn bins() -> impl Iterator<Item = usize> {
    (0..=150).map(|i| ((N / 2) as f64).powf(i as f64 / 150.0) as usize)
}

/// The largest error of the response, as a share of the response, of all frequencies. A response
/// more than 60 dB below the loudest that the low-pass hands to the high-pass counts as if it were
/// 60 dB below that: the low-pass's rounding passes the high-pass, the loud part doesn't.
fn error(settings: &FilterSettings, cutoffs: [f32; 2]) -> f64 {
    /// High-pass cutoff that passes everything, as a fraction of the sample rate.
    const PASSES: f32 = 1e-6;
    let rendered = spectrum(settings, cutoffs);
    let at = |k: usize, cutoffs| settings.response(cutoffs, k as f64 / N as f64);
    let low_pass = |k: usize| at(k, [cutoffs[0], PASSES]).norm();
    let loudest = bins().map(low_pass).fold(0.0, f64::max);
    let apart = |k: usize| {
        let expected = at(k, cutoffs);
        (rendered[k] - expected).norm() / (expected.norm() + 1e-3 * loudest)
    };
    bins().map(apart).fold(0.0, f64::max)
}

#[test]
fn the_response_is_that_of_the_rendered_filter() {
    for model in FilterModel::ALL {
        let morphs: &[f32] = match model {
            FilterModel::Svf12 | FilterModel::Svf24 => &[0.0, 0.4, 1.0, 1.7, 2.0],
            _ => &[0.0],
        };
        let mut worst = 0.0f64;
        for rate in [16_000.0, 48_000.0, 192_000.0] {
            for low_pass in [80.0, 1_000.0, 7_000.0, 18_000.0] {
                for (high_pass, resonance, drive) in [
                    (20.0, 0.0, 0.0),
                    (20.0, 0.5, 0.3),
                    (20.0, 0.9, 0.0),
                    (1_000.0, 0.3, 1.0),
                ] {
                    if resonance > 0.8 && low_pass / rate < 0.005 {
                        // It still rings when the impulse's N samples are over.
                        continue;
                    }
                    for &morph in morphs {
                        let settings = FilterSettings::new(model, resonance, 0.0, drive, morph);
                        // Where the cutoff is beyond the highest one, that one counts.
                        let error = error(&settings, [low_pass / rate, high_pass / rate]);
                        worst = worst.max(error);
                        assert!(
                            error < TOLERANCE,
                            "{model:?}, {rate} Hz, cutoffs {low_pass} and {high_pass} Hz, \
                             resonance {resonance}, drive {drive}, morph {morph}: {error:.1e}"
                        );
                    }
                }
            }
        }
        println!("{model:?}: largest error {worst:.1e}");
    }
}

/// Share of the response, 0.04 dB: saturation takes up to 1e-4 off an impulse of 1e-3 with full
/// drive, and resonance multiplies the rounding of low cutoffs.
const TOLERANCE: f64 = 5e-3;

#[test]
fn a_steady_tone_is_amplified_as_the_response_says() {
    let rate = 48_000.0;
    for model in FilterModel::ALL {
        let settings = FilterSettings::new(model, 0.6, 0.0, 0.2, 0.8);
        let cutoffs = [3_000.0 / rate, 100.0 / rate];
        for hertz in [100.0, 1_000.0, 3_000.0, 12_000.0, 21_000.0] {
            let tone = |i: usize| (TAU * hertz * i as f64 / rate as f64).sin();
            let mut x: Vec<f32> = (0..24_000).map(|i| 1e-3 * tone(i) as f32).collect();
            Alone::new(&settings).process(&settings, cutoffs, &mut x, None);
            let late = &x[12_000..];
            let power: f64 = late.iter().map(|&x| f64::from(x).powi(2)).sum();
            let gain = (2.0 * power / late.len() as f64).sqrt() * 1e3;
            let expected = settings.response(cutoffs, hertz / f64::from(rate)).norm();
            let apart = 20.0 * (gain / expected).log10();
            assert!(apart.abs() < 0.02, "{model:?} at {hertz} Hz: {apart:.4} dB");
        }
    }
}

#[test]
fn a_patch_has_the_response_of_its_settings() {
    let mut patch = Patch::default();
    for (row, plain) in [
        (params::FILTER_TYPE, 3.0),
        (params::FILTER_CUTOFF, 900.0),
        (params::FILTER_RESONANCE, 0.7),
        (params::FILTER_DRIVE, 0.4),
        (params::FILTER_MORPH, 0.5),
        (params::HIGHPASS_CUTOFF, 200.0),
    ] {
        patch.set_plain(row, plain);
    }
    let response = FilterResponse::new(&patch, 44_100.0);
    let settings = FilterSettings::new(FilterModel::Svf24, 0.7, 0.0, 0.4, 0.5);
    let cutoffs = [900.0, 200.0].map(|hertz| hertz / 44_100.0);
    for hertz in [50.0, 200.0, 900.0, 5_000.0, 22_050.0] {
        let expected = settings
            .response(cutoffs, f64::from(hertz) / 44_100.0)
            .norm() as f32;
        let gain = response.gain(hertz);
        assert!(
            (gain - expected).abs() <= 1e-3 * expected,
            "{hertz} Hz: {gain}, expected {expected}"
        );
    }
    // Its peak is at the cutoff, and the high-pass takes away what is far below.
    assert!(response.gain(900.0) > 2.0 * response.gain(300.0));
    assert!(response.gain(50.0) < 0.2 * response.gain(300.0));
}
