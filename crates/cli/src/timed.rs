//! A search that ends in time: what of a clip is searched, and what is left for the search when
//! everything around it has its share.

use ear::{EarConfig, EarError};
use matcher::search::{Passages, Reference};
use std::time::{Duration, Instant};
use synth::{Note, Patch};

/// Renders of what is searched that should fit into the time.
const RENDERS: f64 = 100.0;
/// Least and largest sum of passages, in seconds.
const PASSAGES: (f64, f64) = (2.0 * Passages::SECONDS, 16.0 * Passages::SECONDS);
/// Share of the time that the candidates before the search may take.
const CANDIDATES: f64 = 0.3;
/// Share of the limit that the search gets at least, however long hearing the clip took.
const LEAST: f64 = 0.1;
/// Time of a whole clip's last render and its file, relative to scoring as much.
const LAST_RENDER: f64 = 0.5;
/// Time of comparing the result at the end, relative to scoring.
const LAST_HEARING: f64 = 2.0;

/// A limit on time, counted from a start.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    started: Instant,
    limit: Duration,
}

impl Deadline {
    /// Ends `limit` after `started`.
    pub fn new(started: Instant, limit: Duration) -> Self {
        Self { started, limit }
    }

    /// Time that is left.
    fn left(&self) -> Duration {
        self.limit.saturating_sub(self.started.elapsed())
    }

    /// Passages of a long clip of which the search can make enough renders; `None` where it can of
    /// the whole clip. Scores a passage to learn the machine's pace. Fails where the ear can't be
    /// created.
    pub fn passages(
        &self,
        samples: &[f32],
        rate: f64,
        notes: &[Note],
        ear: &EarConfig,
        threads: usize,
    ) -> Result<Option<Passages>, EarError> {
        let Some(trial) = Passages::of(samples, rate, notes, Passages::SECONDS) else {
            return Ok(None);
        };
        let began = Instant::now();
        let reference = Reference::new(&trial.samples, rate, ear)?;
        reference.score_of(&trial.notes, &Patch::default().into())?;
        let pace = began.elapsed().as_secs_f64() / reference.seconds();
        let seconds = self.left().as_secs_f64() * threads as f64 / (RENDERS * pace.max(1e-9));
        let seconds = seconds.clamp(PASSAGES.0, PASSAGES.1);
        Ok(Passages::of(samples, rate, notes, seconds))
    }

    /// Time after which the candidates should be complete.
    pub fn candidates(&self) -> Instant {
        Instant::now() + self.left().mul_f64(CANDIDATES)
    }

    /// Time for the search of `part` seconds of a clip of `clip` seconds, when scoring the part
    /// takes `scoring`: what is left after the result has been rendered and heard.
    pub fn search(&self, part: f64, clip: f64, scoring: Duration) -> Duration {
        let beyond = LAST_RENDER * (clip - part).max(0.0) / part.max(1e-3);
        let last = scoring.mul_f64(LAST_HEARING + beyond);
        self.left()
            .saturating_sub(last)
            .max(self.limit.mul_f64(LEAST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_the_search_has_its_share() {
        let deadline = Deadline::new(Instant::now(), Duration::from_secs(100));
        let near = |time: Duration, wanted: f64| {
            let off = time.as_secs_f64() - wanted;
            assert!((-0.5..=0.0).contains(&off), "{time:?} {wanted}");
        };
        near(deadline.search(10.0, 10.0, Duration::from_secs(1)), 98.0);
        near(deadline.search(10.0, 110.0, Duration::from_secs(1)), 93.0);
        // Something is searched, however little time is left.
        near(deadline.search(10.0, 6_000.0, Duration::from_secs(9)), 10.0);
    }

    #[test]
    fn the_shorter_the_time_the_less_of_a_long_clip_is_searched() {
        let notes: Vec<Note> = (0..120)
            .map(|i| Note {
                onset: 0.5 * f64::from(i),
                duration: 0.3,
                key: 60.0,
                velocity: 0.8,
            })
            .collect();
        let clip = synth::render_mono(&Patch::default(), &notes, 60.0, 16_000.0, 1);
        let of = |seconds: f64, length: usize| {
            let deadline = Deadline::new(Instant::now(), Duration::from_secs_f64(seconds));
            let ear = EarConfig::default();
            let passages = deadline.passages(&clip[..length], 16_000.0, &notes[..6], &ear, 2);
            let many = deadline.passages(&clip, 16_000.0, &notes, &ear, 2).unwrap();
            (passages.unwrap(), many.map(|p| p.starts.len()))
        };
        let (short, few) = of(1e-3, 48_000);
        assert_eq!((short, few), (None, Some(2)));
        assert_eq!(of(86_400.0, 48_000).1, Some(16));
    }
}
