//! Test oracle: the filters' responses applied in the frequency domain, offline and in f64, then
//! hair cell, lateral inhibition and integration written out plainly. Shares with the bank only the
//! design.

use crate::config::{CHANNELS, EarConfig, HairCell};
use crate::design::{FILTERS, filters};
use crate::preset::Preset;
use crate::spectrogram::spectrogram;
use realfft::RealFftPlanner;

/// All filters' outputs for `samples`, without wrap-around as long as responses fit into `size`.
fn filter_outputs(preset: Preset, samples: &[f32], size: usize) -> Vec<Vec<f64>> {
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (
        planner.plan_fft_forward(size),
        planner.plan_fft_inverse(size),
    );
    let mut padded = vec![0.0; size];
    for (p, s) in padded.iter_mut().zip(samples) {
        *p = f64::from(*s);
    }
    let mut spectrum = forward.make_output_vec();
    forward.process(&mut padded, &mut spectrum).unwrap();
    filters(preset)
        .iter()
        .map(|filter| {
            let mut shaped = spectrum.clone();
            for (bin, x) in shaped.iter_mut().enumerate() {
                let h = filter.response(bin as f64 / size as f64);
                (x.re, x.im) = (x.re * h.re - x.im * h.im, x.re * h.im + x.im * h.re);
            }
            // A real signal has none at both ends.
            shaped[0].im = 0.0;
            shaped[size / 2].im = 0.0;
            let mut y = inverse.make_output_vec();
            inverse.process(&mut shaped, &mut y).unwrap();
            y.truncate(samples.len());
            y.iter_mut().for_each(|y| *y /= size as f64);
            y
        })
        .collect()
}

fn expected(config: &EarConfig, samples: &[f32]) -> Vec<f64> {
    let per_ms = config.preset.rate() / 1000.0;
    let frame_len = config.frame_len(config.preset.rate());
    let mut y = filter_outputs(
        config.preset,
        samples,
        (2 * samples.len()).next_power_of_two(),
    );
    let membrane = (-1.0 / (0.5 * per_ms)).exp();
    for y in &mut y {
        let mut held = 0.0;
        for y in y.iter_mut() {
            let curve = match config.hair_cell {
                HairCell::Linear => continue,
                HairCell::HalfWave => y.max(0.0),
                HairCell::Hard => f64::from(u8::from(*y > 0.0)),
                HairCell::Factor(factor) => 1.0 / (1.0 + (-*y / f64::from(factor)).exp()),
            };
            held = membrane * held + curve;
            *y = held;
        }
    }
    let frames = samples.len() / frame_len;
    let leak = (-1.0 / (f64::from(config.tc_ms) * per_ms)).exp();
    let mut out = vec![0.0; frames * CHANNELS];
    for k in 0..FILTERS - 1 {
        let mut held = 0.0;
        for n in 0..frames * frame_len {
            held = leak * held + (y[k][n] - y[k + 1][n]).max(0.0);
            if (n + 1) % frame_len == 0 {
                out[n / frame_len * CHANNELS + k] = held;
            }
        }
    }
    out
}

/// One second: a falling noise burst, a chord, silence.
fn sound(rate: f64) -> Vec<f32> {
    let mut state = 1u32;
    (0..rate as usize)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 8) / 8_388_608.0 - 1.0;
            let t = n as f64 / rate;
            let chord: f64 = [110.0, 554.4, 1318.5, 5274.0]
                .iter()
                .map(|hz| (std::f64::consts::TAU * hz * t).sin())
                .sum();
            let chord = if (0.2..0.5).contains(&t) {
                0.1 * chord
            } else {
                0.0
            };
            (0.5 * noise * (-t * 30.0).exp() + chord) as f32
        })
        .collect()
}

#[test]
fn bank_agrees_with_the_frequency_domain() {
    for preset in [Preset::Nsl16k, Preset::Wide] {
        for hair_cell in [HairCell::Linear, HairCell::HalfWave, HairCell::Factor(0.1)] {
            let config = EarConfig {
                preset,
                hair_cell,
                ..EarConfig::default()
            };
            let samples = sound(preset.rate());
            let heard = spectrogram(&config, &samples, preset.rate(), false)
                .unwrap()
                .data;
            let want = expected(&config, &samples);
            let power: f64 = want.iter().map(|w| w * w).sum();
            let error: f64 = heard
                .iter()
                .zip(&want)
                .map(|(h, w)| (f64::from(*h) - w).powi(2))
                .sum();
            let e = (error / power).sqrt();
            println!("{preset} {hair_cell}: {e:.2e}");
            assert!(e < 3e-5, "{preset} {hair_cell}: {e:.2e}");
        }
    }
}
