//! Spectra of the waveforms, and the noise.

use super::*;
use realfft::RealFftPlanner;
use simd::Baseline;

const N: usize = 1 << 17;

/// An oscillator's power spectrum over N samples at the odd bin nearest to `hertz` (48 kHz): all
/// of its harmonics fall on bins, and none on another's alias.
fn spectrum(shape: f32, width: f32, hertz: f64) -> (usize, Vec<f64>) {
    let bin = (hertz / 48_000.0 * N as f64) as usize | 1;
    let increment = (bin * ((1 << 32) / N)) as u32;
    let timbre = Timbre {
        blend: blend(shape),
        width,
        sync: 1.0,
    };
    let mut osc = Oscillator::default();
    osc.start(0x1234_5678, increment, &timbre);
    let mut samples = vec![0.0f32; N];
    for chunk in samples.chunks_mut(CONTROL) {
        osc.plan(CONTROL, increment, &timbre);
        chunk.copy_from_slice(&osc.tone(Baseline, Wavetables::shared(), 0, None));
    }
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(N);
    let mut time: Vec<f64> = samples.iter().map(|&x| x as f64).collect();
    let mut bins = fft.make_output_vec();
    fft.process(&mut time, &mut bins).unwrap();
    (bin, bins.iter().map(|c| c.norm_sqr()).collect())
}

/// Everything between the harmonics, summed, and its strongest bin, dB re the fundamental.
fn residue(bin: usize, power: &[f64]) -> (f64, f64) {
    let between = || {
        (1..power.len())
            .filter(|i| i % bin != 0)
            .map(|i| power[i] / power[bin])
    };
    let db = |x: f64| 10.0 * x.log10();
    (db(between().sum()), db(between().fold(0.0, f64::max)))
}

#[test]
fn saw_is_clean_between_its_harmonics() {
    for (hertz, limit) in [
        (55.0, -100.0),
        (110.0, -112.0),
        (1244.5, -130.0),
        (2489.0, -130.0),
        (4186.0, -130.0),
    ] {
        let (bin, power) = spectrum(2.0, 0.5, hertz);
        let (sum, peak) = residue(bin, &power);
        println!("saw {hertz} Hz: sum {sum:.1} dB, strongest bin {peak:.1} dB");
        assert!(
            sum <= limit,
            "saw {hertz} Hz: {sum:.1} dB, expected at most {limit}"
        );
    }
}

#[test]
fn saw_harmonics_fall_as_one_over_k() {
    for hertz in [55.0, 110.0, 440.0, 1244.5, 4186.0] {
        let (bin, power) = spectrum(2.0, 0.5, hertz);
        let top = (16_000.0 / hertz) as usize;
        for k in 1..=top {
            let level = (power[k * bin] / power[bin]).sqrt() * k as f64;
            let db = 20.0 * level.log10();
            assert!(
                db.abs() < 0.01,
                "harmonic {k} of {hertz} Hz is off by {db:.3} dB"
            );
        }
    }
}

#[test]
fn pulse_has_the_fourier_series_of_its_width() {
    for (width, hertz) in [(0.5, 220.0), (0.7, 220.0), (0.9, 1000.0)] {
        let (bin, power) = spectrum(3.0, width, hertz);
        let ideal = |k: usize| (std::f64::consts::PI * k as f64 * width as f64).sin() / k as f64;
        for k in 1..=(10_000.0 / hertz) as usize {
            let got = (power[k * bin] / power[bin]).sqrt();
            let want = (ideal(k) / ideal(1)).abs();
            assert!(
                (got - want).abs() < 1e-4,
                "harmonic {k}, width {width}: {got} {want}"
            );
        }
        let (sum, _) = residue(bin, &power);
        println!("pulse {width} {hertz} Hz: {sum:.1} dB");
        assert!(sum < -100.0, "width {width}: {sum} dB");
    }
}

#[test]
fn every_shape_keeps_its_fundamental() {
    for i in 0..=30 {
        let (bin, power) = spectrum(i as f32 * 0.1, 0.5, 440.0);
        let amplitude = 2.0 * power[bin].sqrt() / N as f64;
        assert!(
            (0.6..1.1).contains(&amplitude),
            "shape {}: {amplitude}",
            i as f32 * 0.1
        );
    }
}

#[test]
fn notes_above_nyquist_are_silent() {
    let mut osc = Oscillator::default();
    let timbre = Timbre {
        blend: blend(2.0),
        ..Timbre::default()
    };
    osc.start(0, 3 << 30, &timbre);
    assert_eq!(
        osc.tone(Baseline, Wavetables::shared(), 0, None),
        [0.0; CONTROL]
    );
}

#[test]
fn noise_is_white_and_seeded() {
    let run = |seed| {
        let mut noise = Noise::new(seed);
        let steps = (0..1 << 12).flat_map(|_| noise.next(Baseline, CONTROL));
        steps.collect::<Vec<f32>>()
    };
    let x = run(7);
    assert_eq!(x, run(7));
    assert_ne!(x, run(8));
    let dot = |lag: usize| {
        x.iter()
            .zip(&x[lag..])
            .map(|(a, b)| (a * b) as f64)
            .sum::<f64>()
            / x.len() as f64
    };
    assert!((dot(0) - 1.0 / 3.0).abs() < 0.005, "power {}", dot(0));
    for lag in 1..50 {
        assert!(
            dot(lag).abs() < 0.006,
            "correlation {} at lag {lag}",
            dot(lag)
        );
    }
}
