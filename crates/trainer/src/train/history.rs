//! The curves of a training.

use super::losses::Losses;
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
    /// Mean losses.
    #[serde(flatten)]
    pub losses: Losses,
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
    /// Sums of the losses since the last point.
    pub sums: Losses,
    /// Steps in `sums`.
    pub count: u64,
}

impl History {
    /// Adds one step's losses.
    pub fn add(&mut self, losses: Losses) {
        self.sums = self.sums.plus(&losses);
        self.count += 1;
    }

    /// Mean losses since the last point.
    pub fn means(&self) -> Losses {
        self.sums.over(self.count)
    }

    /// Closes a stretch of training with its validation; whether it is the best so far.
    pub fn close(&mut self, step: u64, minutes: f64, mirroring: bool, quality: Quality) -> bool {
        self.points.push(Point {
            step,
            minutes,
            mirroring,
            losses: self.means(),
            quality,
        });
        (self.sums, self.count) = (Losses::default(), 0);
        let better = self
            .best
            .is_none_or(|b| quality.score() > self.points[b].quality.score());
        if better {
            self.best = Some(self.points.len() - 1);
        }
        better
    }
}
