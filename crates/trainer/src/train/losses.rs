//! The losses. Forward and inverse loss are those of the MirrorNet paper on this ear's
//! spectrograms; models are judged by the correlation of linear spectrograms (`matcher`'s
//! likeness), so it is part of both.

use matcher::FLOOR_DB;
use tch::{Kind, Tensor};

/// Weight of the decibel-domain error relative to the linear-domain correlation.
const DECIBEL_WEIGHT: f64 = 6.0;

/// Distance of two batches of windows `[B, T, C]` on the quantised scale over 255: the mean squared
/// error in decibels and one minus the correlation of the linear amplitudes.
pub fn auditory(guess: &Tensor, truth: &Tensor) -> Tensor {
    let error = (guess - truth).square().mean(Kind::Float);
    error * DECIBEL_WEIGHT + (correlation(guess, truth) * -1.0 + 1.0).mean(Kind::Float)
}

/// Pearson correlation of the linear amplitudes, per window: `[B]`.
pub fn correlation(a: &Tensor, b: &Tensor) -> Tensor {
    let (a, b) = (centred(a), centred(b));
    let product = (&a * &b).sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
    let energy = |t: &Tensor| {
        t.square()
            .sum_dim_intlist([1i64].as_slice(), false, Kind::Float)
    };
    // The small term keeps a silent window's gradient finite.
    product / (energy(&a) * energy(&b) + 1e-6).sqrt()
}

fn centred(window: &Tensor) -> Tensor {
    let nepers = FLOOR_DB as f64 / 20.0 * std::f64::consts::LN_10;
    // Above the peak the decibel error alone pulls back: the exponential would run away.
    let linear = ((window.clamp_max(1.05) - 1.0) * nepers)
        .exp()
        .flatten(1, 2);
    let mean = linear.mean_dim([1i64].as_slice(), true, Kind::Float);
    linear - mean
}

/// Negative log-likelihood of the true parameters `h` `[B, P]` under the encoder's `mean` and
/// `sigma`, each term weighted by its standard deviation held fixed (beta-NLL with beta = 1/2,
/// Seitzer et al. 2022): without the weight, what is hard to hear would be given up instead of
/// learnt.
pub fn likelihood(mean: &Tensor, sigma: &Tensor, h: &Tensor) -> Tensor {
    let z = (h - mean) / sigma;
    let nll = z.square() * 0.5 + sigma.log();
    (nll * sigma.detach() * 5.0).mean(Kind::Float)
}
