//! The curves of a training.

use super::validate::Quality;
use serde::{Deserialize, Serialize};

/// Mean losses between two validations, and the quality then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Steps done.
    pub step: u64,
    /// Minutes on the clock.
    pub minutes: f64,
    /// Whether this was mirroring (babbling before).
    pub mirroring: bool,
    /// The encoder's likelihood loss on our own samples.
    pub likelihood: f64,
    /// The decoder's loss.
    pub forward: f64,
    /// The encoder's loss through the decoder; 0 while babbling.
    pub inverse: f64,
    /// Validation.
    pub quality: Quality,
}

/// All points, and the best.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Points in order of their steps.
    pub points: Vec<Point>,
    /// The default patch on the held-out windows.
    pub baseline: Quality,
    /// Index of the best point.
    pub best: Option<usize>,
    /// Loss sums since the last point: likelihood, forward, inverse, and their number of steps.
    pub sums: [f64; 3],
    /// Steps in `sums`.
    pub count: u64,
}

impl History {
    /// Adds one step's losses.
    pub fn add(&mut self, losses: [f64; 3]) {
        for (sum, loss) in self.sums.iter_mut().zip(losses) {
            *sum += loss;
        }
        self.count += 1;
    }

    /// Mean losses since the last point.
    pub fn means(&self) -> [f64; 3] {
        self.sums.map(|s| s / self.count.max(1) as f64)
    }

    /// Closes a stretch of training with its validation; whether it is the best so far.
    pub fn close(&mut self, step: u64, minutes: f64, mirroring: bool, quality: Quality) -> bool {
        let [likelihood, forward, inverse] = self.means();
        self.points.push(Point {
            step,
            minutes,
            mirroring,
            likelihood,
            forward,
            inverse,
            quality,
        });
        (self.sums, self.count) = ([0.0; 3], 0);
        let better = self
            .best
            .is_none_or(|b| quality.score() > self.points[b].quality.score());
        if better {
            self.best = Some(self.points.len() - 1);
        }
        better
    }
}
