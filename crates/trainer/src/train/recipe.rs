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

/// Where a training stood when it was last given another budget, from which on it goes the rest of
/// its way within that one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// Steps done.
    pub step: u64,
    /// Seconds on the clock.
    pub seconds: f64,
    /// Progress of the schedule, 0 to 1.
    pub progress: f64,
}

impl Recipe {
    /// Whether the budget is used up after `step` steps and `seconds` on the clock.
    pub fn is_used_up(&self, step: u64, seconds: f64) -> bool {
        match self.budget {
            Budget::Minutes(minutes) => seconds >= 60.0 * minutes,
            Budget::Steps(steps) => step >= steps,
        }
    }

    /// How far the schedule of a training is, 0 to 1, after `step` steps and `seconds` on the
    /// clock. It never goes back: more budget after the schedule's end is spent at its end.
    pub fn progress(&self, anchor: &Anchor, step: u64, seconds: f64) -> f64 {
        let (used, before, whole) = match self.budget {
            Budget::Minutes(minutes) => (seconds, anchor.seconds, 60.0 * minutes),
            Budget::Steps(steps) => (step as f64, anchor.step as f64, steps as f64),
        };
        let share = match whole > before {
            true => (used - before) / (whole - before),
            false => 1.0,
        };
        (anchor.progress + (1.0 - anchor.progress) * share).clamp(anchor.progress, 1.0)
    }

    /// The anchor of a training that goes on with another budget.
    pub fn anchor(&self, last: &Anchor, step: u64, seconds: f64) -> Anchor {
        Anchor {
            step,
            seconds,
            progress: self.progress(last, step, seconds),
        }
    }

    /// Learning rate at `progress`: a rise, then half a cosine down to a fiftieth.
    pub fn rate(&self, progress: f64) -> f64 {
        let rise = (progress / WARM_UP + 0.02).min(1.0);
        let highest = if self.from.is_some() { RATE_FROM } else { RATE };
        highest * rise * (0.02 + 0.98 * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(budget: Budget) -> Recipe {
        Recipe {
            seed: 1,
            batch: 4,
            budget,
            from: None,
        }
    }

    /// FAULTS E8: more budget begins neither babbling nor full rates again.
    #[test]
    fn a_larger_budget_goes_on_where_the_schedule_was() {
        let first = recipe(Budget::Steps(100));
        let start = Anchor::default();
        assert_eq!(first.progress(&start, 50, 9.0), 0.5);
        for more in [Budget::Steps(1_000), Budget::Minutes(60.0)] {
            let more = recipe(more);
            let anchor = first.anchor(&start, 50, 600.0);
            let mut last = more.progress(&anchor, 50, 600.0);
            assert_eq!(last, 0.5);
            for k in 1..=100 {
                let (step, seconds) = (50 + k * 95 / 10, 600.0 + 30.0 * k as f64);
                let next = more.progress(&anchor, step, seconds);
                assert!(next >= last && more.rate(next) <= more.rate(last));
                last = next;
            }
            assert_eq!(last, 1.0);
            // A finished one trains on at its last rate.
            let anchor = first.anchor(&start, 100, 900.0);
            assert!(!more.is_used_up(100, 900.0));
            assert_eq!(more.progress(&anchor, 101, 901.0), 1.0);
        }
        // A smaller one is used up.
        assert!(recipe(Budget::Steps(40)).is_used_up(50, 0.0));
    }
}
