//! The target of the matched knobs: an inference, and the level that goes with it.
//!
//! Windows are normalised to their peak, so an inference says nothing about level; but filter,
//! mixer and drive make some patches 30 dB softer than others. Without compensation a melody's
//! dynamics would follow the network's indecision. So each inferred patch is brought to the
//! loudness of the player's knobs. These are not compensated: turning one down stays softer.

use crate::model::Inference;
use crate::search::Bounds;
use synth::{Lean, MATCHED, MATCHED_COUNT, Note, Patch, params::LEVEL};

/// Sample rate at which loudness is measured, in Hz: enough for the frequencies that decide it.
const RATE: f32 = 16_000.0;
/// Length of the note on which loudness is measured, in seconds.
const SECONDS: f64 = 0.5;
/// MIDI key of the note on which loudness is measured. Cutoffs follow the key, so it hardly
/// matters.
const KEY: f32 = 60.0;
/// Largest compensation in either direction, in dB.
pub const MOST_DB: f32 = 12.0;

/// RMS level of one note of `patch`, in dBFS; at least -60.
fn loudness_db(patch: &Patch) -> f32 {
    let note = Note {
        onset: 0.0,
        duration: SECONDS,
        key: KEY,
        velocity: 0.8,
    };
    let mono = synth::render_mono(patch, &[note], SECONDS, RATE, 1);
    let energy: f32 = mono.iter().map(|x| x.powi(2)).sum();
    (10.0 * (energy / mono.len() as f32).log10()).max(-60.0)
}

/// The player's say in the match. Arrays are in the order of [`synth::MATCHED`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Locked parameters, which stay at the knob.
    pub locked: [bool; MATCHED_COUNT],
    /// Smallest and largest normalised value that an inference may give each parameter.
    pub ranges: [[f32; 2]; MATCHED_COUNT],
}

impl Limits {
    /// Limits that lock nothing and allow everything.
    pub const NONE: Self = Self {
        locked: [false; MATCHED_COUNT],
        ranges: [[0.0, 1.0]; MATCHED_COUNT],
    };

    /// `lean` without the slopes of locked parameters, which stay at the knob at every key.
    pub(super) fn lean(&self, mut lean: Lean) -> Lean {
        for (slope, locked) in lean.slopes.iter_mut().zip(self.locked) {
            if locked {
                *slope = 0.0;
            }
        }
        lean
    }

    /// The values that the match may give the matched parameters over `knobs`.
    pub(super) fn bounds(&self, knobs: &Patch) -> Bounds {
        let knobs = knobs.matched();
        let at = |i: usize, end: usize| match self.locked[i] {
            true => knobs[i],
            false => self.ranges[i][end],
        };
        Bounds {
            low: std::array::from_fn(|i| at(i, 0)),
            high: std::array::from_fn(|i| at(i, 1)),
        }
    }
}

/// Settings of the player, over which is matched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Positions of the knobs.
    pub knobs: Patch,
    /// Locks and allowed ranges.
    pub limits: Limits,
    /// Whether better patches are searched while a sound goes on.
    pub search: bool,
    /// Whether the host renders offline: what is found then is not kept.
    pub offline: bool,
}

/// An inference and the level that goes with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Inference of the matched parameters.
    pub inference: Inference,
    /// How the inferred values change across the keyboard.
    pub lean: Lean,
    /// Gain that makes the inferred patch as loud as the player's knobs, -12 to 12 dB.
    pub level_db: f32,
}

impl Target {
    /// Measures the level of `inference` over the player's `knobs`: renders two short notes (about
    /// 0.4 ms each). Not for the audio thread.
    pub fn new(inference: Inference, knobs: &Patch) -> Self {
        let matched = knobs.with_matched(&inference.mean);
        let level_db = loudness_db(knobs) - loudness_db(&matched);
        Self {
            inference,
            lean: Lean::NONE,
            level_db: level_db.clamp(-MOST_DB, MOST_DB),
        }
    }

    /// Returns this target with another lean.
    pub fn leaning(mut self, lean: Lean) -> Self {
        self.lean = lean;
        self
    }

    /// The value that the `i`-th matched parameter is drawn to: the inferred one, brought into its
    /// allowed range.
    pub fn inferred(&self, i: usize, limits: &Limits) -> f32 {
        let [low, high] = limits.ranges[i];
        self.inference.mean[i].max(low).min(high)
    }

    /// Returns `knobs` with each unlocked matched row at knob + amount * (inferred - knob); others
    /// stay, except for the output level, which is compensated as far as the sound is matched.
    /// `amount` 0 to 1. Real-time safe.
    pub fn effective(&self, knobs: &Patch, amount: f32, limits: &Limits) -> Patch {
        let mut patch = *knobs;
        let mut free = 0;
        for (i, &row) in MATCHED.iter().enumerate() {
            if !limits.locked[i] {
                free += 1;
                let knob = knobs.get(row);
                patch.set(row, knob + amount * (self.inferred(i, limits) - knob));
            }
        }
        let share = amount * free as f32 / MATCHED_COUNT as f32;
        let lean = limits.lean(self.lean);
        if amount > 0.0 && !lean.is_none() {
            patch.lean = Lean {
                slopes: lean.slopes.map(|slope| amount * slope),
                ..lean
            };
        }
        if share > 0.0 {
            patch.set_plain(LEVEL, knobs.plain(LEVEL) + share * self.level_db);
        }
        patch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn some(seed: u64) -> Target {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
        let inference = Inference {
            mean: Patch::random(&mut rng).matched(),
            sigma: [0.1; MATCHED_COUNT],
        };
        Target::new(inference, &Patch::default())
    }

    #[test]
    fn matched_patches_are_as_loud_as_the_default_one() {
        let wanted = loudness_db(&Patch::default());
        for seed in 0..40 {
            let target = some(seed);
            let patch = target.effective(&Patch::default(), 1.0, &Limits::NONE);
            let off = loudness_db(&patch) - wanted;
            if target.level_db.abs() < MOST_DB {
                assert!(off.abs() < 0.5, "{seed}: {off} dB off");
            } else {
                // Compensated up to the limit.
                let before = Patch::default().with_matched(&target.inference.mean);
                assert!(off.abs() <= (loudness_db(&before) - wanted).abs());
            }
        }
    }

    #[test]
    fn matched_and_unlocked_rows_are_halfway_at_half_the_match() {
        let (knobs, target) = (Patch::default(), some(2));
        let mut limits = Limits::NONE;
        limits.locked[2] = true;
        let half = target.effective(&knobs, 0.5, &limits);
        for row in (0..synth::COUNT).filter(|&row| row != LEVEL) {
            let expected = match synth::params::matched_index(row) {
                Some(i) if i != 2 => 0.5 * (knobs.get(row) + target.inference.mean[i]),
                _ => knobs.get(row),
            };
            assert!((half.get(row) - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn unlocked_rows_lean_as_far_as_they_are_matched() {
        let lean = Lean {
            key: 50.0,
            slopes: [0.25; MATCHED_COUNT],
        };
        let mut limits = Limits::NONE;
        limits.locked[2] = true;
        let half = some(2)
            .leaning(lean)
            .effective(&Patch::default(), 0.5, &limits);
        for (i, slope) in half.lean.slopes.iter().enumerate() {
            assert_eq!(*slope, if i == 2 { 0.0 } else { 0.125 });
        }
        assert_eq!(half.lean.key, 50.0);
    }

    #[test]
    fn without_a_match_no_knob_moves() {
        let target = some(1).leaning(Lean {
            key: 50.0,
            slopes: [0.25; MATCHED_COUNT],
        });
        let mut knobs = Patch::default();
        knobs.set_plain(LEVEL, -6.0);
        for (amount, lock) in [(0.0, false), (1.0, true), (0.0, true)] {
            let mut limits = Limits::NONE;
            limits.locked = [lock; MATCHED_COUNT];
            let patch = target.effective(&knobs, amount, &limits);
            assert_eq!(patch, knobs);
        }
    }

    #[test]
    fn an_inference_stays_in_its_allowed_range() {
        let (knobs, target) = (Patch::default(), some(3));
        let mut limits = Limits::NONE;
        limits.ranges = [[0.4, 0.6]; MATCHED_COUNT];
        let patch = target.effective(&knobs, 1.0, &limits);
        for (i, &row) in MATCHED.iter().enumerate() {
            let expected = target.inference.mean[i].clamp(0.4, 0.6);
            assert!((patch.get(row) - expected).abs() < 1e-6);
        }
    }
}
