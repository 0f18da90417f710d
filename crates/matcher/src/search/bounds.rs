//! The values that a search may give the matched parameters: the player's locks and ranges.

use synth::params::{SUB_LEVEL, matched_index};
use synth::{Lean, MATCHED, MATCHED_COUNT, Patch, can_modulate};

/// Level of a sub-oscillator, normalised, up to which the key's pitch is heard rather than its own.
const QUIET_SUB: f32 = 0.3;

/// Largest change per octave, up or down, of a parameter that may have any value.
const STEEPEST: f64 = 0.5;
/// Number of coordinates of a search: the matched parameters' values, then their slopes.
pub(super) const POINT: usize = 2 * MATCHED_COUNT;
/// Coordinates of a patch.
pub(super) type Point = [f64; POINT];

/// The coordinates of `patch`.
pub(super) fn point(patch: &Patch) -> Point {
    let (values, slopes) = (patch.matched(), patch.lean.slopes);
    std::array::from_fn(|i| match i < MATCHED_COUNT {
        true => f64::from(values[i]),
        false => f64::from(slopes[i - MATCHED_COUNT]),
    })
}

/// Smallest and largest normalised value of each matched parameter, in the order of
/// [`synth::MATCHED`]. Where the two are equal the parameter is locked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Smallest values.
    pub low: [f32; MATCHED_COUNT],
    /// Largest values, none below its smallest.
    pub high: [f32; MATCHED_COUNT],
}

impl Bounds {
    /// Every value is allowed.
    pub const ALL: Self = Self {
        low: [0.0; MATCHED_COUNT],
        high: [1.0; MATCHED_COUNT],
    };

    /// Smallest and largest value of a coordinate of a [`Point`].
    pub(super) fn ends(&self, i: usize) -> [f64; 2] {
        match i.checked_sub(MATCHED_COUNT) {
            None => [self.low[i], self.high[i]].map(f64::from),
            Some(i) => {
                let free = self.high[i] - self.low[i] >= 1.0 && can_modulate(MATCHED[i]);
                let most = if free { STEEPEST } else { 0.0 };
                [-most, most]
            }
        }
    }

    /// Returns whether a patch may have a sub-oscillator whose pitch is heard.
    pub fn allow_sub(&self) -> bool {
        let sub = matched_index(SUB_LEVEL);
        sub.is_some_and(|i| self.high[i] > QUIET_SUB)
    }

    /// Forbids, as far as another level is allowed, a sub-oscillator whose pitch is heard.
    pub fn without_sub(mut self) -> Self {
        if let Some(i) = matched_index(SUB_LEVEL) {
            self.high[i] = self.high[i].min(QUIET_SUB).max(self.low[i]);
        }
        self
    }

    /// Allows the `i`-th parameter no other value than `value`, or the nearest that is allowed.
    pub fn fix(&mut self, i: usize, value: f32) {
        let value = value.max(self.low[i]).min(self.high[i]);
        (self.low[i], self.high[i]) = (value, value);
    }

    /// `patch` with its matched parameters at `values`, normalised, or as near as is allowed.
    pub fn patch(&self, patch: &Patch, values: &[f32; MATCHED_COUNT]) -> Patch {
        let within = |i: usize| values[i].max(self.low[i]).min(self.high[i]);
        patch.with_matched(&std::array::from_fn(within))
    }

    /// [`Bounds::patch`] at the first coordinates of a search's `point`, with the slopes of
    /// `patch`.
    pub(super) fn patch_at(&self, patch: &Patch, point: &[f64]) -> Patch {
        self.patch(patch, &std::array::from_fn(|i| point[i] as f32))
    }

    /// Value of a coordinate of a [`Point`] that is to go from one to another, as far as it may.
    pub(super) fn within(&self, i: usize, from: f64, to: f64) -> f64 {
        match self.ends(i) {
            // A slope without room is none of the search's.
            [low, high] if i >= MATCHED_COUNT && low == high => from,
            [low, high] => to.max(low).min(high),
        }
    }

    /// [`Bounds::patch_at`], with the slopes of `point` too.
    pub(super) fn leaning_patch_at(&self, patch: &Patch, point: &Point) -> Patch {
        let mut patch = self.patch_at(patch, point);
        patch.lean = Lean {
            slopes: std::array::from_fn(|i| {
                let slope = f64::from(patch.lean.slopes[i]);
                self.within(MATCHED_COUNT + i, slope, point[MATCHED_COUNT + i]) as f32
            }),
            ..patch.lean
        };
        patch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_sub_oscillator_is_not_allowed() {
        let mut bounds = Bounds::ALL;
        assert!(bounds.allow_sub());
        let sub = matched_index(SUB_LEVEL).unwrap();
        let mut locked = bounds;
        locked.fix(sub, 0.5);
        assert_eq!(locked.without_sub(), locked);
        bounds = bounds.without_sub();
        assert!(!bounds.allow_sub() && bounds.low[sub] == 0.0);
    }

    #[test]
    fn values_are_brought_within() {
        let mut bounds = Bounds::ALL;
        (bounds.low[1], bounds.high[1]) = (0.4, 0.6);
        (bounds.low[2], bounds.high[2]) = (0.3, 0.3);
        let mut values = [0.5; MATCHED_COUNT];
        (values[0], values[1], values[2]) = (1.0, 0.9, 0.0);
        let patch = bounds.patch(&Patch::default(), &values).matched();
        assert_eq!(patch[..4], [1.0, 0.6, 0.3, 0.5]);
        bounds.fix(0, 0.7);
        bounds.fix(1, 0.7);
        let patch = bounds.patch(&Patch::default(), &values).matched();
        assert_eq!(patch[..4], [0.7, 0.6, 0.3, 0.5]);
    }

    #[test]
    fn slopes_without_room_stay() {
        let mut bounds = Bounds::ALL;
        bounds.fix(0, 0.7);
        let lean = Lean {
            key: 60.0,
            slopes: [0.1; MATCHED_COUNT],
        };
        let start = Patch::default().leaning(lean);
        let steep = bounds.leaning_patch_at(&start, &[0.75; POINT]);
        assert_eq!(steep.lean.slopes[..2], [0.1, STEEPEST as f32]);
    }
}
