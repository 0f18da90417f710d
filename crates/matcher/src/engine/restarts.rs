//! How long to wait before a crashed engine is started again.

use std::time::{Duration, Instant};

/// Waits before the first, second and any further restart.
const DELAYS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(16),
];
/// So many crashes within [`MINUTE`] are the last.
pub(super) const MOST_CRASHES: usize = 3;
const MINUTE: Duration = Duration::from_secs(60);

/// Decides how long to wait after each crash.
#[derive(Default)]
pub(super) struct Restarts {
    /// Crashes without a good minute since.
    crashes: Vec<Instant>,
}

impl Restarts {
    /// The wait after a crash at `now`, of a child started at `started`; `None`: wait for a click.
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

    /// Waits in seconds after crashes at these times in seconds, the child starting after each wait.
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
    fn three_crashes_within_a_minute_are_the_last() {
        assert_eq!(waits(&[1, 3, 8]), [Some(1), Some(4), None]);
        assert_eq!(waits(&[50, 80, 109]), [Some(1), Some(4), None]);
        assert_eq!(waits(&[50, 80, 111]), [Some(1), Some(4), Some(16)]);
    }

    #[test]
    fn a_good_minute_forgives_and_so_does_a_click() {
        assert_eq!(waits(&[1, 90, 200]), [Some(1), Some(1), Some(1)]);
        assert_eq!(waits(&[1, 3, 8, 9]), [Some(1), Some(4), None, Some(1)]);
    }
}
