//! Limits of a search on renders and time, and their use so far.

use super::{Progress, Score};
use std::time::{Duration, Instant};

/// Share of the pace that a step leaves of an earlier, slower one: the machine may be busy for a
/// while, and not for ever.
const FADE: f64 = 0.9;

/// Limits on renders and time, and their use so far.
pub(super) struct Budget<'a> {
    renders: Option<usize>,
    time: Option<Duration>,
    began: Instant,
    /// Length of the clip, and sound rendered so far, in seconds.
    pub(super) clip: f64,
    rendered: f64,
    /// Time of the last step's end, and the time that a second of rendered sound takes.
    last: Instant,
    pace: f64,
    /// True once the caller has ended the search.
    pub(super) cancelled: bool,
    progress: &'a mut dyn FnMut(&Progress) -> bool,
}

impl<'a> Budget<'a> {
    /// A budget for a clip of `clip` seconds of which one render is spent.
    pub(super) fn new(
        renders: Option<usize>,
        time: Option<Duration>,
        began: Instant,
        clip: f64,
        progress: &'a mut dyn FnMut(&Progress) -> bool,
    ) -> Self {
        Self {
            renders,
            time,
            began,
            clip,
            rendered: clip,
            last: Instant::now(),
            pace: 0.0,
            cancelled: false,
            progress,
        }
    }

    /// Share of the budget that is used, above 1 when it is exceeded.
    pub(super) fn used(&self) -> f64 {
        let renders = self
            .renders
            .map_or(0.0, |most| self.clip_renders() / most.max(1) as f64);
        let time = self.time.map_or(0.0, |limit| {
            self.began.elapsed().as_secs_f64() / limit.as_secs_f64().max(1e-9)
        });
        renders.max(time)
    }

    /// Number of renders of the clip; those of its parts add up.
    pub(super) fn clip_renders(&self) -> f64 {
        self.rendered / self.clip.max(f64::MIN_POSITIVE)
    }

    /// Counts `seconds` of rendered sound, reports `score`, and returns whether less than `share`
    /// of the budget is used and the caller wants more.
    pub(super) fn spend(&mut self, seconds: f64, score: Score, share: f64) -> bool {
        self.rendered += seconds;
        let now = Instant::now();
        if seconds > 0.0 {
            let took = (now - self.last).as_secs_f64() / seconds;
            self.pace = took.max(FADE * self.pace);
        }
        self.last = now;
        let used = self.used();
        let progress = Progress {
            renders: self.clip_renders() as usize,
            used: used.min(1.0),
            score,
        };
        self.cancelled = self.cancelled || !(self.progress)(&progress);
        !self.cancelled && used < share
    }

    /// Whether another `seconds` of sound can be rendered in the time that is left, at the pace of
    /// the last steps. Always, without a limit on time.
    pub(super) fn has_time_for(&self, seconds: f64) -> bool {
        self.allows(Duration::from_secs_f64(
            (self.pace * seconds).clamp(0.0, 1e6),
        ))
    }

    /// Whether something that takes `time` ends before the limit.
    pub(super) fn allows(&self, time: Duration) -> bool {
        self.time
            .is_none_or(|limit| self.began.elapsed() + time <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_step_that_would_end_too_late_is_not_begun() {
        let began = Instant::now();
        let mut progress = |_: &Progress| true;
        let mut budget = Budget::new(None, Some(400 * MS), began, 1.0, &mut progress);
        // Nothing is known of the pace at first.
        assert!(budget.has_time_for(1e9));
        sleep(50 * MS);
        assert!(budget.spend(10.0, Score::WORST, 1.0));
        // 5 ms a second of sound, or a little more.
        assert!(budget.has_time_for(20.0));
        assert!(!budget.has_time_for(80.0));
        assert!(budget.allows(200 * MS) && !budget.allows(360 * MS));
    }

    #[test]
    fn renders_alone_leave_time_out() {
        let began = Instant::now();
        let mut progress = |_: &Progress| true;
        let mut budget = Budget::new(Some(4), None, began, 2.0, &mut progress);
        assert_eq!(budget.used(), 0.25);
        sleep(5 * MS);
        assert!(budget.spend(4.0, Score::WORST, 1.0));
        assert!(budget.has_time_for(1e12) && budget.allows(Duration::MAX));
        assert!(!budget.spend(2.0, Score::WORST, 1.0));
        assert_eq!(budget.used(), 1.0);
    }
}
