//! The losses: what each of them is, how they are added, and their values in a step. Forward and
//! inverse loss are those of the MirrorNet paper on this ear's spectrograms; models are judged by
//! the correlation of linear spectrograms (`matcher`'s likeness), so it is part of both.

use matcher::FLOOR_DB;
use mirrornet::settings;
use serde::{Deserialize, Serialize};
use std::fmt;
use tch::{Kind, Tensor};

settings! {
    /// Weights of the losses.
    pub struct Weights {
        /// Weight of the error in decibels in the distance of two windows.
        decibel: f64 = 6.0, 0.0..=100.0;
        /// Weight of the correlation of the linear amplitudes in the same distance.
        correlation: f64 = 1.0, 0.0..=100.0;
        /// Weight of the likelihood of known parameters while mirroring: the anchor.
        anchor: f64 = 0.5, 0.0..=100.0;
        /// Weight of the inverse loss.
        inverse: f64 = 1.0, 0.0..=100.0;
    }
}

/// The losses of a step, or their means; 0 where one is not worked out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Losses {
    /// The encoder's likelihood loss on our own samples.
    pub likelihood: f64,
    /// The decoder's loss.
    pub forward: f64,
    /// The encoder's loss through the decoder; 0 while babbling.
    pub inverse: f64,
}

impl Losses {
    /// Names, in the order of [`Losses::values`].
    pub const NAMES: [&'static str; 3] = ["likelihood", "forward", "inverse"];

    /// All of them.
    pub fn values(&self) -> [f64; 3] {
        [self.likelihood, self.forward, self.inverse]
    }

    /// The losses that have these values.
    fn of([likelihood, forward, inverse]: [f64; 3]) -> Self {
        Self {
            likelihood,
            forward,
            inverse,
        }
    }

    /// Sums.
    pub fn plus(&self, other: &Self) -> Self {
        let (a, b) = (self.values(), other.values());
        Self::of(std::array::from_fn(|i| a[i] + b[i]))
    }

    /// Means of sums over `steps`.
    pub fn over(&self, steps: u64) -> Self {
        Self::of(self.values().map(|sum| sum / steps.max(1) as f64))
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = Self::NAMES.into_iter().zip(self.values());
        let each: Vec<String> = each
            .map(|(name, value)| format!("{name} {value:.4}"))
            .collect();
        f.write_str(&each.join(", "))
    }
}

/// The encoder's loss in a step: the likelihood alone while babbling, where there is no inverse
/// loss.
pub fn encoder(weights: &Weights, likelihood: &Tensor, inverse: Option<&Tensor>) -> Tensor {
    match inverse {
        None => likelihood.shallow_clone(),
        Some(inverse) => inverse * weights.inverse + likelihood * weights.anchor,
    }
}

/// Distance of two batches of windows `[B, T, C]` on the quantised scale over 255: the mean squared
/// error in decibels and one minus the correlation of the linear amplitudes.
pub fn auditory(weights: &Weights, guess: &Tensor, truth: &Tensor) -> Tensor {
    let error = (guess - truth).square().mean(Kind::Float);
    let apart = (correlation(guess, truth) * -1.0 + 1.0).mean(Kind::Float);
    error * weights.decibel + apart * weights.correlation
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
