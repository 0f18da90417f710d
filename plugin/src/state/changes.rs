//! Detects that the match has moved to another sound, which is worth saving.

use matcher::Inference;
use synth::MATCHED_COUNT;

/// Largest difference of a normalised value within one sound.
const SAME: f32 = 0.05;
/// Time for which an inference must stay within it to have arrived, in seconds.
const ARRIVED: f32 = 0.5;
/// Time after which a match that never comes to rest counts as moved, in seconds.
const RESTLESS: f32 = 5.0;

/// Watches the held inference; the audio thread's.
#[derive(Default)]
pub struct MatchChanges {
    /// The inference that was last reported, saved or loaded.
    told: Option<Inference>,
    /// Inference at which the match seems to have arrived, and time that it has stayed there, in
    /// seconds.
    resting: Option<(Inference, f32)>,
    /// Time since the inference left the reported one, in seconds.
    away: f32,
}

impl MatchChanges {
    /// Takes `held` as known: it was loaded.
    pub fn loaded(&mut self, held: Option<Inference>) {
        self.told = held;
        self.resting = None;
        self.away = 0.0;
    }

    /// Watches a block of `seconds`; returns whether the match has arrived at another sound, once
    /// for each. Real-time safe.
    pub fn update(&mut self, held: Option<Inference>, seconds: f32) -> bool {
        let Some(held) = held else {
            return false;
        };
        if self.told.is_some_and(|told| same(&told, &held)) {
            self.resting = None;
            self.away = 0.0;
            return false;
        }
        self.away += seconds;
        let rested = match &mut self.resting {
            Some((place, time)) if same(place, &held) => {
                *time += seconds;
                *time
            }
            resting => {
                *resting = Some((held, 0.0));
                0.0
            }
        };
        let moved = rested >= ARRIVED || self.away >= RESTLESS;
        if moved {
            self.loaded(Some(held));
        }
        moved
    }
}

fn same(a: &Inference, b: &Inference) -> bool {
    (0..MATCHED_COUNT).all(|i| (a.mean[i] - b.mean[i]).abs() <= SAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number of times a match that is `path(seconds)` is told to have moved.
    fn told(changes: &mut MatchChanges, seconds: f32, path: impl Fn(f32) -> f32) -> usize {
        let block = 0.01;
        (0..(seconds / block) as usize)
            .filter(|k| {
                let inference = Inference {
                    mean: [path(*k as f32 * block); MATCHED_COUNT],
                    sigma: [0.1; MATCHED_COUNT],
                };
                changes.update(Some(inference), block)
            })
            .count()
    }

    #[test]
    fn each_sound_is_told_once() {
        let mut changes = MatchChanges::default();
        assert!(!changes.update(None, 1.0));
        // A new sound, whose inference comes to rest within a second.
        assert_eq!(told(&mut changes, 10.0, |t| 0.3 + 0.4 * t.min(1.0)), 1);
        // Idling, with the wobble of one sound.
        assert_eq!(
            told(&mut changes, 60.0, |t| 0.7 + 0.02 * (9.0 * t).sin()),
            0
        );
        assert_eq!(told(&mut changes, 10.0, |_| 0.2), 1);
        // Back within the time that an arrival takes: nothing to save.
        let glance = |t: f32| if t > 1.0 && t < 1.3 { 0.9 } else { 0.2 };
        assert_eq!(told(&mut changes, 10.0, glance), 0);
        // Never at rest.
        assert_eq!(told(&mut changes, 12.0, |t| 0.6 + 0.3 * (9.0 * t).sin()), 1);
        changes.loaded(None);
        assert_eq!(told(&mut changes, 1.0, |_| 0.2), 1);
    }
}
