//! Delays before a crashed engine restarts.

use std::time::{Duration, Instant};

/// Delays before the first, second and any further restart.
const DELAYS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(16),
];
/// Number of crashes within [`MINUTE`] after which the engine is not restarted.
pub(super) const MOST_CRASHES: usize = 3;
const MINUTE: Duration = Duration::from_secs(60);

/// Decides on a delay after each crash.
#[derive(Default)]
pub(super) struct Restarts {
    /// Times of the crashes since a child last ran for a minute.
    crashes: Vec<Instant>,
}

impl Restarts {
    /// Records a crash at `now` of a child started at `started`, and returns the delay before its
    /// restart; `None` if the engine stays stopped until the player clicks Restart.
    pub(super) fn crashed(&mut self, started: Instant, now: Instant) -> Option<Duration> {
        if now.duration_since(started) > MINUTE {
            self.crashes.clear();
        }
        self.crashes.push(now);
        let recent = self
            .crashes
            .iter()
            .filter(|&&at| now.duration_since(at) < MINUTE)
            .count();
        if recent >= MOST_CRASHES {
            self.crashes.clear();
            return None;
        }
        Some(DELAYS[(self.crashes.len() - 1).min(DELAYS.len() - 1)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delays in seconds after crashes at these times in seconds, the child starting after each
    /// delay.
    fn waits(crashes: &[u64]) -> Vec<Option<u64>> {
        let zero = Instant::now();
        let at = |s: u64| zero + Duration::from_secs(s);
        let (mut restarts, mut started, mut out) = (Restarts::default(), at(0), Vec::new());
        for &s in crashes {
            let wait = restarts.crashed(started, at(s));
            started = at(s) + wait.unwrap_or_default();
            out.push(wait.map(|w| w.as_secs()));
        }
        out
    }

    #[test]
    fn restarts_after_1_4_and_16_seconds() {
        assert_eq!(
            waits(&[30, 61, 95, 150, 190]),
            [Some(1), Some(4), Some(16), Some(16), Some(16)]
        );
    }

    #[test]
    fn three_crashes_within_a_minute_stop_the_engine() {
        assert_eq!(waits(&[1, 3, 8]), [Some(1), Some(4), None]);
        assert_eq!(waits(&[50, 80, 109]), [Some(1), Some(4), None]);
        assert_eq!(waits(&[50, 80, 111]), [Some(1), Some(4), Some(16)]);
    }

    #[test]
    fn a_minute_without_crashes_or_a_click_resets_the_count() {
        assert_eq!(waits(&[1, 90, 200]), [Some(1), Some(1), Some(1)]);
        assert_eq!(waits(&[1, 3, 8, 9]), [Some(1), Some(4), None, Some(1)]);
    }
}
