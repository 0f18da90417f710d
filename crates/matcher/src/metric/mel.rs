//! Log-mel profiles at three time scales, and the distance between two.
//!
//! Short-time spectra (Hann windows of about 12, 23 and 46 ms, a quarter window apart) are summed
//! to 32, 64 and 128 mel bands up to 20 kHz or the Nyquist frequency, and given in dB below the
//! profile's own peak, at least [`FLOOR_DB`]. The distance complements the auditory likeness with
//! the whole bandwidth and with soft partials next to loud ones.

use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Range below the peak, in dB.
pub const FLOOR_DB: f32 = 80.0;
/// Window length in samples at 44.1 kHz and number of bands, per time scale.
const SCALES: [(usize, usize); 3] = [(512, 32), (1024, 64), (2048, 128)];
/// Upper edge of the highest band, in Hz.
const TOP: f64 = 20_000.0;

/// Windows and mel bands of one time resolution.
pub(crate) struct Resolution {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// Hop from one window to the next, in samples.
    hop: f64,
    /// First bin of each band, and its weights from there.
    bands: Vec<(usize, Vec<f32>)>,
}

/// Makes profiles of signals at one sample rate.
pub struct Mel {
    scales: Vec<Resolution>,
}

/// Log-mel spectra of one signal.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Cells of each scale: frames x bands in dB, 0 at the profile's peak.
    scales: Vec<Vec<f32>>,
}

fn hz_to_mel(hz: f64) -> f64 {
    2595.0 * (1.0 + hz / 700.0).log10()
}

fn mel_to_hz(mel: f64) -> f64 {
    700.0 * (10f64.powf(mel / 2595.0) - 1.0)
}

/// Triangular bands, evenly spaced in mel up to `top` Hz, over the bins of a transform of `length`
/// samples.
fn bands(length: usize, count: usize, top: f64, rate: f64) -> Vec<(usize, Vec<f32>)> {
    let top = hz_to_mel(top.min(rate / 2.0));
    let bin = |i: usize| mel_to_hz(top * i as f64 / (count + 1) as f64) * length as f64 / rate;
    (0..count)
        .map(|band| {
            let (low, centre, high) = (bin(band), bin(band + 1), bin(band + 2));
            let first = (low.floor() as usize + 1).min(length / 2);
            let last = (high.ceil() as usize).saturating_sub(1).min(length / 2);
            let mut weights: Vec<f32> = (first..=last)
                .map(|i| {
                    let i = i as f64;
                    (((i - low) / (centre - low)).min((high - i) / (high - centre))).max(0.0) as f32
                })
                .collect();
            if weights.iter().sum::<f32>() == 0.0 {
                // Narrower than a bin: the nearest one.
                return ((centre.round() as usize).min(length / 2), vec![1.0]);
            }
            let sum: f32 = weights.iter().sum();
            weights.iter_mut().for_each(|w| *w /= sum);
            (first, weights)
        })
        .collect()
}

impl Mel {
    /// Prepares for signals at `rate` Hz.
    pub fn new(rate: f64) -> Self {
        let mut planner = RealFftPlanner::new();
        let scales = SCALES
            .iter()
            .map(|&(length, count)| {
                let octaves = (rate / 44_100.0).log2().round() as i32;
                let length = (length as f64 * 2f64.powi(octaves)).max(64.0) as usize;
                Resolution::new(&mut planner, length, length as f64 / 4.0, count, TOP, rate)
            })
            .collect();
        Self { scales }
    }

    /// Computes the profile of a mono signal; samples that are not finite count as silence.
    pub fn profile(&self, samples: &[f32]) -> Profile {
        let scales = self
            .scales
            .iter()
            .map(|scale| scale.analyse(samples))
            .collect();
        Profile { scales }
    }
}

impl Resolution {
    /// Prepares Hann windows of `length` samples at `rate` Hz, `hop` samples apart, summed to
    /// `count` bands up to `top` Hz.
    pub(crate) fn new(
        planner: &mut RealFftPlanner<f32>,
        length: usize,
        hop: f64,
        count: usize,
        top: f64,
        rate: f64,
    ) -> Self {
        let window = (0..length)
            .map(|i| {
                let phase = std::f64::consts::TAU * (i as f64 + 0.5) / length as f64;
                (0.5 - 0.5 * phase.cos()) as f32
            })
            .collect();
        Self {
            fft: planner.plan_fft_forward(length),
            window,
            hop,
            bands: bands(length, count, top, rate),
        }
    }

    /// Computes power as frames x bands into `cells`, which is overwritten: a full-scale tone has
    /// the same power at any rate. Samples that are not finite count as silence.
    pub(crate) fn powers(&self, samples: &[f32], cells: &mut Vec<f32>) {
        let frames = (samples.len() as f64 / self.hop).ceil() as usize;
        let scale = 1.0 / (self.window.len() as f32).powi(2);
        let mut input = self.fft.make_input_vec();
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        let mut power = vec![0.0f32; spectrum.len()];
        cells.clear();
        cells.reserve(frames * self.bands.len());
        for frame in 0..frames {
            let from = (frame as f64 * self.hop).round() as usize;
            let rest = samples.get(from..).unwrap_or_default();
            for (i, x) in input.iter_mut().enumerate() {
                let sample = rest.get(i).copied().filter(|s| s.is_finite());
                *x = sample.unwrap_or(0.0) * self.window[i];
            }
            // Fails only for buffers of another length than the plan's own.
            let _ = self
                .fft
                .process_with_scratch(&mut input, &mut spectrum, &mut scratch);
            for (p, s) in power.iter_mut().zip(&spectrum) {
                *p = s.norm_sqr() * scale;
            }
            for (first, weights) in &self.bands {
                let sum: f32 = weights
                    .iter()
                    .zip(&power[*first..])
                    .map(|(w, p)| w * p)
                    .sum();
                cells.push(sum);
            }
        }
    }

    /// Computes [`Resolution::powers`] in dB below their peak.
    fn analyse(&self, samples: &[f32]) -> Vec<f32> {
        let mut cells = Vec::new();
        self.powers(samples, &mut cells);
        let peak = cells.iter().fold(0.0f32, |m, &v| m.max(v));
        to_db(&mut cells, peak);
        cells
    }
}

/// Converts powers to dB below `peak`, at least -[`FLOOR_DB`]. A peak of -160 dBFS or so is
/// silence.
pub(crate) fn to_db(cells: &mut [f32], peak: f32) {
    let scale = if peak > 1e-18 { 1.0 / peak } else { 0.0 };
    for cell in cells {
        *cell = (10.0 * (*cell * scale).max(1e-12).log10()).max(-FLOOR_DB);
    }
}

impl Profile {
    /// Mean absolute difference in dB over the cells of each scale, averaged over scales; the
    /// shorter is padded with silence. 0 to [`FLOOR_DB`]. Both must come from the same [`Mel`].
    pub fn distance(&self, other: &Self) -> f32 {
        let scales = self.scales.iter().zip(&other.scales).map(|(a, b)| {
            let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
            let padded = short.iter().copied().chain(std::iter::repeat(-FLOOR_DB));
            let sum: f64 = long
                .iter()
                .zip(padded)
                .map(|(x, y)| (x - y).abs() as f64)
                .sum();
            sum / long.len().max(1) as f64
        });
        (scales.sum::<f64>() / self.scales.len() as f64) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 44_100.0;

    fn tone(hz: f64, gain: f64, rate: f64) -> Vec<f32> {
        (0..rate as usize)
            .map(|i| (gain * (std::f64::consts::TAU * hz * i as f64 / rate).sin()) as f32)
            .collect()
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        crate::metric::mel_distance(a, b, RATE)
    }

    #[test]
    fn is_a_distance_that_ignores_level() {
        let (a, b) = (tone(300.0, 0.5, RATE), tone(3000.0, 0.5, RATE));
        assert_eq!(distance(&a, &a), 0.0);
        assert!(distance(&a, &tone(300.0, 0.01, RATE)) < 1e-3);
        assert!(distance(&a, &b) > 3.0);
        assert_eq!(distance(&a, &b), distance(&b, &a));
    }

    #[test]
    fn a_tone_lands_in_the_band_that_holds_it_at_every_rate() {
        for rate in [8_000.0, 16_000.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            let mel = Mel::new(rate);
            for hz in [250.0, 1000.0, 3500.0] {
                let profile = mel.profile(&tone(hz, 0.3, rate));
                for (cells, (scale, &(_, count))) in
                    profile.scales.iter().zip(mel.scales.iter().zip(&SCALES))
                {
                    let row = &cells[10 * count..11 * count];
                    let loudest = (0..count)
                        .max_by(|&a, &b| row[a].total_cmp(&row[b]))
                        .unwrap();
                    let top = hz_to_mel(TOP.min(rate / 2.0));
                    let expected = hz_to_mel(hz) / top * (count + 1) as f64 - 1.0;
                    assert!(
                        (loudest as f64 - expected).abs() <= 1.0,
                        "{hz} Hz at {rate}: {loudest}, {expected}"
                    );
                    assert_eq!(scale.bands.len(), count);
                }
            }
        }
    }

    #[test]
    fn a_known_difference_in_decibels_is_measured() {
        // Half the time 20 dB softer: those frames are 20 dB below the peak in every band that the
        // floor leaves visible.
        let loud = tone(1000.0, 0.5, RATE);
        let mut half = loud.clone();
        half[22_050..].iter_mut().for_each(|s| *s *= 0.1);
        let mel = Mel::new(RATE);
        let (a, b) = (mel.profile(&loud), mel.profile(&half));
        for (scale, &(_, count)) in [0, 1, 2].into_iter().zip(&SCALES) {
            let band = (0..count)
                .max_by(|&x, &y| a.scales[scale][x].total_cmp(&a.scales[scale][y]))
                .unwrap();
            let frames = a.scales[scale].len() / count;
            let at = frames * 3 / 4 * count + band;
            assert!((a.scales[scale][at] - b.scales[scale][at] - 20.0).abs() < 0.01);
        }
    }

    #[test]
    fn silence_other_lengths_and_nan_have_a_distance() {
        let a = tone(440.0, 0.5, RATE);
        let silence = vec![0.0; a.len()];
        assert_eq!(distance(&silence, &silence), 0.0);
        assert_eq!(distance(&[], &[]), 0.0);
        assert_eq!(distance(&[], &silence), 0.0);
        let away = distance(&a, &silence);
        assert!(away > 5.0 && away == distance(&a, &[]) && away == distance(&silence, &a));
        let mut broken = a.clone();
        broken[1000] = f32::NAN;
        broken[2000] = f32::INFINITY;
        assert!(distance(&a, &broken).is_finite());
    }

    #[test]
    fn every_band_has_weights() {
        for rate in [8_000.0, 44_100.0, 192_000.0] {
            for scale in &Mel::new(rate).scales {
                for (first, weights) in &scale.bands {
                    assert!(first + weights.len() <= scale.window.len() / 2 + 1);
                    assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-4);
                }
            }
        }
    }
}
