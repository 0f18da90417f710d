//! The recipe of a training: seed, batch, budget and schedule.

use serde::{Deserialize, Serialize};

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// Minutes on the clock.
    Minutes(f64),
    /// Optimiser steps of each network.
    Steps(u64),
}

/// Everything that must stay the same when a training is resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Random seed.
    pub seed: u64,
    /// Windows per step.
    pub batch: u64,
    /// How long.
    pub budget: Budget,
    /// SHA-256 of the weights that the encoder begins with, in hexadecimal; `None`: random ones.
    /// [`super::train`] takes it from [`super::Options::from`].
    #[serde(default)]
    pub from: Option<String>,
}

/// Share of the budget spent on babbling; the rest is mirroring.
pub const BABBLING: f64 = 0.2;
/// Share of the budget over which the learning rate rises.
const WARM_UP: f64 = 0.01;
/// Highest learning rate.
const RATE: f64 = 1.2e-3;
/// The same where the encoder has been trained before: less of what it knows is lost.
const RATE_FROM: f64 = 0.5 * RATE;

impl Recipe {
    /// How far a training is, 0 to 1, after `step` steps and `seconds` on the clock.
    pub fn progress(&self, step: u64, seconds: f64) -> f64 {
        match self.budget {
            Budget::Minutes(minutes) => (seconds / (60.0 * minutes)).min(1.0),
            Budget::Steps(steps) => (step as f64 / steps as f64).min(1.0),
        }
    }

    /// Learning rate at `progress`: a rise, then half a cosine down to a fiftieth.
    pub fn rate(&self, progress: f64) -> f64 {
        let rise = (progress / WARM_UP + 0.02).min(1.0);
        let highest = if self.from.is_some() { RATE_FROM } else { RATE };
        highest * rise * (0.02 + 0.98 * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()))
    }
}
