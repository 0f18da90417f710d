//! Two distances of sounds beside likeness and mel distance: multi-scale spectral distance and
//! weighted MFCC distance. `docs/metrics.md` defines them.

use realfft::RealFftPlanner;
use std::f32::consts::{PI, TAU};

/// Lengths of the windows in samples, those of Engel et al., DDSP (2020).
const SCALES: [usize; 6] = [64, 128, 256, 512, 1024, 2048];
/// Level below a sound's peak under which a cell counts as silent, in dB.
const FLOOR_DB: f32 = 80.0;
/// Window and hop of the cepstra in seconds.
const FRAME: (f64, f64) = (0.025, 0.01);
/// Mel bands from 0 Hz to the Nyquist frequency, and coefficients compared, the first being left
/// out: it is the level.
const BANDS: usize = 40;
const COEFFICIENTS: usize = 13;

/// Magnitudes of the spectra of `sound`, frames by bins, with Hann windows of `length` samples
/// `hop` apart.
fn magnitudes(sound: &[f32], length: usize, hop: usize) -> Vec<Vec<f32>> {
    let fft = RealFftPlanner::<f32>::new().plan_fft_forward(length);
    let phase = |i: usize| TAU * (i as f32 + 0.5) / length as f32;
    let window: Vec<f32> = (0..length).map(|i| 0.5 - 0.5 * phase(i).cos()).collect();
    let (mut input, mut spectrum) = (fft.make_input_vec(), fft.make_output_vec());
    let mut scratch = fft.make_scratch_vec();
    let frame = |from: usize| {
        for (i, x) in input.iter_mut().enumerate() {
            *x = window[i] * sound.get(from + i).copied().unwrap_or(0.0);
        }
        // Fails only for buffers of another length than the plan's own.
        let _ = fft.process_with_scratch(&mut input, &mut spectrum, &mut scratch);
        spectrum.iter().map(|s| s.norm()).collect()
    };
    (0..sound.len()).step_by(hop).map(frame).collect()
}

/// `sound` with a root mean square of 1; a silent one stays so.
fn normalised(sound: &[f32]) -> Vec<f32> {
    let power: f64 = sound.iter().map(|x| f64::from(x * x)).sum();
    let rms = (power / sound.len().max(1) as f64).sqrt();
    let gain = if rms > 1e-9 { (1.0 / rms) as f32 } else { 0.0 };
    sound.iter().map(|x| gain * x).collect()
}

/// Largest value of a spectrogram.
fn peak(frames: &[Vec<f32>]) -> f32 {
    frames.iter().flatten().fold(0.0f32, |peak, x| peak.max(*x))
}

/// Multi-scale spectral distance of `other` from `reference`, both made equally loud: the mean over
/// window lengths of the relative absolute difference of magnitudes, plus the mean absolute
/// difference of their natural logarithms. 0 or more, without unit; 0 is the same sound. The
/// sounds are as long as each other, or the shorter one is followed by silence.
pub fn spectral(reference: &[f32], other: &[f32]) -> f32 {
    let length = reference.len().max(other.len());
    let of = |sound: &[f32]| {
        let mut sound = normalised(sound);
        sound.resize(length, 0.0);
        sound
    };
    let (a, b) = (of(reference), of(other));
    let scale = |&n: &usize| {
        let (a, b) = (magnitudes(&a, n, n / 4), magnitudes(&b, n, n / 4));
        let floor = (peak(&a).max(1e-9)) * 10f32.powf(-FLOOR_DB / 20.0);
        let (mut apart, mut sum, mut logs, mut count) = (0.0f64, 0.0f64, 0.0f64, 0u32);
        for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
            apart += f64::from((a - b).abs());
            sum += f64::from(*a);
            logs += f64::from((a.max(floor) / b.max(floor)).ln().abs());
            count += 1;
        }
        apart / sum.max(1e-9) + logs / f64::from(count.max(1))
    };
    let sum: f64 = SCALES.iter().map(scale).sum();
    (sum / SCALES.len() as f64) as f32
}

/// Triangular mel bands over the bins of a transform of `length` samples at `rate` Hz: weights of
/// each band.
fn mel_bands(length: usize, rate: f64) -> Vec<Vec<f32>> {
    let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f64| 700.0 * (10f64.powf(mel / 2595.0) - 1.0);
    let top = mel(rate / 2.0);
    let edge = |i: usize| hz(top * i as f64 / (BANDS + 1) as f64) * length as f64 / rate;
    let band = |k: usize| {
        let (low, centre, high) = (edge(k), edge(k + 1), edge(k + 2));
        let weight = |i: usize| {
            let i = i as f64;
            (((i - low) / (centre - low)).min((high - i) / (high - centre))).max(0.0) as f32
        };
        let mut weights: Vec<f32> = (0..=length / 2).map(weight).collect();
        if weights.iter().all(|w| *w == 0.0) {
            // Narrower than a bin: the nearest one.
            weights[(centre.round() as usize).min(length / 2)] = 1.0;
        }
        weights
    };
    (0..BANDS).map(band).collect()
}

/// Mel-frequency cepstra of `sound` at `rate` Hz, coefficients 1 and on, in dB, and the power of
/// each frame.
fn cepstra(sound: &[f32], rate: f64) -> Vec<([f32; COEFFICIENTS], f32)> {
    let length = ((FRAME.0 * rate) as usize).next_power_of_two();
    let hop = ((FRAME.1 * rate) as usize).max(1);
    let bands = mel_bands(length, rate);
    let power = |spectrum: &Vec<f32>| -> Vec<f32> {
        let sum = |weights: &Vec<f32>| weights.iter().zip(spectrum).map(|(w, x)| w * x * x).sum();
        bands.iter().map(sum).collect()
    };
    let powers: Vec<Vec<f32>> = magnitudes(sound, length, hop).iter().map(power).collect();
    let peak = peak(&powers).max(1e-18);
    let cepstrum = |powers: &Vec<f32>| {
        let level = |p: &f32| (10.0 * (p / peak).max(1e-12).log10()).max(-FLOOR_DB);
        let levels: Vec<f32> = powers.iter().map(level).collect();
        let n = BANDS as f32;
        let coefficient = |k: usize| {
            let turn = PI * (k + 1) as f32 / n;
            let sum: f32 = levels
                .iter()
                .enumerate()
                .map(|(b, level)| level * (turn * (b as f32 + 0.5)).cos())
                .sum();
            (2.0 / n).sqrt() * sum
        };
        (std::array::from_fn(coefficient), powers.iter().sum())
    };
    powers.iter().map(cepstrum).collect()
}

/// Weighted MFCC distance in dB of two mono sounds at the same `rate` in Hz: the mean over frames
/// of the Euclidean distance of their coefficients 1 to 13, each frame weighted by the amplitude
/// that `reference` has in it. 0 or more; 0 where nothing sounds. The shorter sound is followed by
/// silence.
pub fn mfcc(reference: &[f32], other: &[f32], rate: f64) -> f32 {
    let length = reference.len().max(other.len());
    let of = |sound: &[f32]| {
        let mut sound = sound.to_vec();
        sound.resize(length, 0.0);
        cepstra(&sound, rate)
    };
    let (mut sum, mut weights) = (0.0f64, 0.0f64);
    for ((a, power), (b, _)) in of(reference).iter().zip(of(other)) {
        let squares: f32 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
        let weight = f64::from(power.sqrt());
        sum += weight * f64::from(squares.sqrt());
        weights += weight;
    }
    (sum / weights.max(1e-12)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 16_000.0;

    /// A second of harmonics of `hz`, falling by `slope` dB an octave.
    fn tone(hz: f32, slope: f32) -> Vec<f32> {
        let sample = |i: usize| {
            let t = i as f32 / RATE as f32;
            let partial = |k: i32| {
                let k = k as f32;
                10f32.powf(-slope * k.log2() / 20.0) * (TAU * hz * k * t).sin()
            };
            0.1 * (1..=20).map(partial).sum::<f32>()
        };
        (0..RATE as usize).map(sample).collect()
    }

    fn both(a: &[f32], b: &[f32]) -> [f32; 2] {
        [spectral(a, b), mfcc(a, b, RATE)]
    }

    #[test]
    fn a_sound_is_at_no_distance_from_itself_at_any_level() {
        let a = tone(220.0, 6.0);
        let soft: Vec<f32> = a.iter().map(|x| 0.1 * x).collect();
        assert_eq!(both(&a, &a), [0.0, 0.0]);
        let [spectral, mfcc] = both(&a, &soft);
        assert!(spectral < 1e-3 && mfcc < 1e-2, "{spectral} {mfcc}");
    }

    #[test]
    fn what_differs_more_is_farther_away() {
        let a = tone(220.0, 6.0);
        let near = both(&a, &tone(220.0, 7.0));
        let far = both(&a, &tone(220.0, 12.0));
        let other = both(&a, &tone(700.0, 12.0));
        for i in 0..2 {
            assert!(0.0 < near[i] && near[i] < far[i], "{near:?} {far:?}");
            assert!(far[i] < other[i], "{far:?} {other:?}");
        }
    }

    #[test]
    fn a_known_change_of_the_spectrum_is_measured() {
        // Two tones far apart: all of the magnitude is where it was not, or not where it was.
        let a = tone(500.0, 300.0);
        let b = tone(3_000.0, 300.0);
        // In each scale that resolves both, the linear part is 2.
        let d = spectral(&a, &b);
        assert!(d > 2.0, "{d}");
        // What is silent in the reference has no weight.
        let mut late = a.clone();
        late.extend(vec![0.0; 8_000]);
        let mut noisy = late.clone();
        noisy[12_000..].copy_from_slice(&b[..12_000]);
        noisy[..16_000].copy_from_slice(&a);
        assert!(mfcc(&late, &noisy, RATE) < 0.2 * mfcc(&a, &b, RATE));
    }

    #[test]
    fn silence_and_other_lengths_have_a_distance() {
        let a = tone(220.0, 6.0);
        for (x, y) in [(&a[..], &[][..]), (&[], &a), (&[], &[])] {
            assert!(both(x, y).iter().all(|d| d.is_finite() && *d >= 0.0));
        }
        assert!(spectral(&a, &a[..8_000]) > 0.1);
    }
}
