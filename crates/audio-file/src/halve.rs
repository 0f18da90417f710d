//! Halving of sample rates that are beyond the ear's.

use std::f64::consts::PI;

/// Taps on either side of the middle.
const REACH: usize = 48;

/// Every other sample of `sound`, without what is above a quarter of its rate: a half-band filter,
/// a sinc under a Blackman window. Less than 0.001 dB off up to 0.21 of the old rate.
pub fn halve(sound: &[f32]) -> Vec<f32> {
    let taps: Vec<f64> = (0..=REACH)
        .map(|i| {
            let (x, phase) = (0.5 * i as f64, PI * i as f64 / (REACH + 1) as f64);
            let sinc = if i == 0 {
                1.0
            } else {
                (PI * x).sin() / (PI * x)
            };
            0.5 * sinc * (0.42 + 0.5 * phase.cos() + 0.08 * (2.0 * phase).cos())
        })
        .collect();
    let total = taps[0] + 2.0 * taps[1..].iter().sum::<f64>();
    let at = |i: Option<usize>| i.and_then(|i| sound.get(i)).map_or(0.0, |x| f64::from(*x));
    (0..sound.len())
        .step_by(2)
        .map(|n| {
            let sides = (1..=REACH).map(|i| taps[i] * (at(n.checked_sub(i)) + at(Some(n + i))));
            ((taps[0] * at(Some(n)) + sides.sum::<f64>()) / total) as f32
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_heard_stays_and_what_would_fold_goes() {
        let rate = 384_000.0;
        let tone = |hz: f64| -> Vec<f32> {
            let sample = |i| (2.0 * PI * hz * f64::from(i) / rate).sin() as f32;
            (0..8_192).map(sample).collect()
        };
        let level = |sound: &[f32]| {
            let middle = &sound[200..sound.len() - 200];
            let power = middle.iter().map(|x| f64::from(x * x)).sum::<f64>();
            10.0 * (2.0 * power / middle.len() as f64).log10()
        };
        for hz in [100.0, 1_000.0, 20_000.0, 80_000.0] {
            let halved = halve(&tone(hz));
            // The same sound at the same time.
            for (x, y) in tone(hz)
                .iter()
                .step_by(2)
                .zip(&halved)
                .skip(200)
                .take(3_000)
            {
                assert!((x - y).abs() < 1e-3, "{hz} Hz: {x} {y}");
            }
        }
        for hz in [112_000.0, 150_000.0, 190_000.0] {
            let halved = halve(&tone(hz));
            assert!(level(&halved) < -70.0, "{hz} Hz: {} dB", level(&halved));
        }
    }
}
