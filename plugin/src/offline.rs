//! Detects hosts that render faster than real time.
//!
//! A host's own declaration can't be trusted (some declare real time and render a thousand times
//! faster), so the duration of the blocks is compared with the wall clock.

use std::time::Instant;

/// Lead of the audio over the clock, in seconds, above which the host is taken to render offline:
/// more than any real buffer.
const LEAD: f64 = 1.0;
/// Lead remembered beyond that, in seconds: small, so that a host that returns to real time is soon
/// believed.
const EXCESS: f64 = 0.2;
/// Share of each block that the lead loses: the clock of a live stream may differ from the wall
/// clock.
const LEAK: f64 = 0.05;

/// Compares the time of the audio with that of the clock, block by block.
pub struct OfflineDetector {
    declared: bool,
    last: Option<Instant>,
    /// Seconds by which the audio is ahead of the clock. A lag is forgotten: a host may pause.
    lead: f64,
}

impl OfflineDetector {
    /// A detector for a stream that the host has, or has not, `declared` to be rendered offline.
    pub fn new(declared: bool) -> Self {
        Self {
            declared,
            last: None,
            lead: 0.0,
        }
    }

    /// Forgets the past: a new stream begins.
    pub fn reset(&mut self) {
        self.last = None;
        self.lead = 0.0;
    }

    /// Adds a block of `seconds` requested at `now`; returns whether the host renders offline.
    pub fn update(&mut self, seconds: f64, now: Instant) -> bool {
        if let Some(last) = self.last.replace(now) {
            let passed = now.saturating_duration_since(last).as_secs_f64();
            self.lead = (self.lead - passed).max(0.0);
        }
        let ahead = self.lead > LEAD;
        self.lead = (self.lead + seconds * (1.0 - LEAK)).min(LEAD + EXCESS + seconds);
        self.declared || ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Seconds of audio until blocks of `block` seconds, requested every `every` seconds, count as
    /// offline.
    fn detected(
        detector: &mut OfflineDetector,
        now: &mut Instant,
        block: f64,
        every: f64,
    ) -> Option<f64> {
        for k in 0..20_000 {
            if detector.update(block, *now) {
                return Some(k as f64 * block);
            }
            *now += Duration::from_secs_f64(every);
        }
        None
    }

    #[test]
    fn a_live_stream_is_never_offline() {
        for block in [64.0 / 48e3, 512.0 / 44.1e3, 8192.0 / 48e3] {
            let (mut detector, mut now) = (OfflineDetector::new(false), Instant::now());
            // The sound card's clock runs half a percent fast.
            assert_eq!(
                detected(&mut detector, &mut now, block, block * 0.995),
                None
            );
        }
    }

    #[test]
    fn a_fast_render_is_noticed_after_a_second_even_after_a_pause() {
        for block in [0.001, 0.01, 0.4, 2.0] {
            let (mut detector, mut now) = (OfflineDetector::new(false), Instant::now());
            assert_eq!(detected(&mut detector, &mut now, block, block), None);
            now += Duration::from_secs(600);
            let after = detected(&mut detector, &mut now, block, block / 100.0).unwrap();
            assert!(
                (1.0..1.1 + block).contains(&after),
                "blocks of {block} s: {after} s"
            );
        }
    }

    #[test]
    fn real_time_is_believed_again_soon() {
        let (mut detector, mut now) = (OfflineDetector::new(false), Instant::now());
        detected(&mut detector, &mut now, 0.01, 0.0).unwrap();
        let mut live = 0.0;
        while detector.update(0.01, now) {
            now += Duration::from_secs_f64(0.01);
            live += 0.01;
            assert!(live < 5.0);
        }
    }

    #[test]
    fn a_declared_render_is_offline_at_once() {
        assert!(OfflineDetector::new(true).update(0.01, Instant::now()));
    }
}
