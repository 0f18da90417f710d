//! Progress of the experiments, and an estimate of the time left.

use std::time::Duration;

/// Results of one kind.
struct Stage {
    name: &'static str,
    count: usize,
    done: usize,
    /// Time that one takes before any has been measured, in seconds.
    expected: f64,
    /// Seconds that the measured ones took, and their number.
    measured: (f64, usize),
}

impl Stage {
    fn each(&self) -> f64 {
        match self.measured {
            (_, 0) => self.expected,
            (seconds, count) => seconds / count as f64,
        }
    }
}

/// All stages.
pub struct Plan {
    stages: Vec<Stage>,
}

/// Where the experiments stand.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// The stage.
    pub stage: &'static str,
    /// The sound.
    pub name: &'a str,
    /// Results of the stage that are finished.
    pub done: usize,
    /// Results of the stage.
    pub count: usize,
    /// Share of all work that is done, 0 to 1.
    pub share: f64,
    /// Time that is left, as the finished results of each kind suggest.
    pub left: Duration,
}

impl Plan {
    /// Stages by name, with the number of their results and the seconds that one may take.
    pub fn new(stages: &[(&'static str, usize, f64)]) -> Self {
        let stage = |&(name, count, expected): &(&'static str, usize, f64)| Stage {
            name,
            count,
            done: 0,
            expected,
            measured: (0.0, 0),
        };
        Self {
            stages: stages.iter().map(stage).collect(),
        }
    }

    /// Counts a result of a stage, and the time that it took unless it was there.
    pub fn finish(&mut self, stage: usize, took: Option<Duration>) {
        let stage = &mut self.stages[stage];
        stage.done += 1;
        if let Some(took) = took {
            stage.measured.0 += took.as_secs_f64();
            stage.measured.1 += 1;
        }
    }

    /// Where the experiments stand while `share` of the stage's next result is done; 1 for the one
    /// that has just been counted.
    pub fn progress<'a>(&self, stage: usize, name: &'a str, share: f64) -> Progress<'a> {
        let now = &self.stages[stage];
        let part = if share < 1.0 { share } else { 0.0 };
        let left = |stage: &Stage| (stage.count - stage.done) as f64 * stage.each();
        let left: f64 = self.stages.iter().map(left).sum::<f64>() - part * now.each();
        let whole: f64 = self.stages.iter().map(|s| s.count as f64 * s.each()).sum();
        Progress {
            stage: now.name,
            name,
            done: now.done,
            count: now.count,
            share: (1.0 - left / whole.max(1e-9)).clamp(0.0, 1.0),
            left: Duration::from_secs_f64(left.max(0.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_what_was_measured() {
        let mut plan = Plan::new(&[("a", 3, 10.0), ("b", 2, 5.0)]);
        let left = |plan: &Plan, share| plan.progress(0, "x", share).left.as_secs_f64();
        assert_eq!(left(&plan, 0.0), 40.0);
        assert_eq!(left(&plan, 0.5), 35.0);
        plan.finish(0, Some(Duration::from_secs(4)));
        assert_eq!(left(&plan, 1.0), 18.0);
        // One that was there says nothing about the time that others take.
        plan.finish(0, None);
        let progress = plan.progress(0, "x", 1.0);
        assert_eq!((progress.done, progress.count), (2, 3));
        assert_eq!(progress.left.as_secs_f64(), 14.0);
        assert!((progress.share - 8.0 / 22.0).abs() < 1e-9);
    }
}
