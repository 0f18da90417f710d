//! The values that a search may give the matched parameters: the player's locks and ranges.

use synth::{MATCHED_COUNT, Patch};

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

    /// `patch` with its matched parameters at `values`, normalised, or as near as is allowed.
    pub fn patch(&self, patch: &Patch, values: &[f32; MATCHED_COUNT]) -> Patch {
        let within = |i: usize| values[i].max(self.low[i]).min(self.high[i]);
        patch.with_matched(&std::array::from_fn(within))
    }

    /// [`Bounds::patch`] at the first coordinates of a search's `point`.
    pub(super) fn patch_at(&self, patch: &Patch, point: &[f64]) -> Patch {
        self.patch(patch, &std::array::from_fn(|i| point[i] as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_brought_within() {
        let mut bounds = Bounds::ALL;
        (bounds.low[1], bounds.high[1]) = (0.4, 0.6);
        (bounds.low[2], bounds.high[2]) = (0.3, 0.3);
        let mut values = [0.5; MATCHED_COUNT];
        (values[0], values[1], values[2]) = (1.0, 0.9, 0.0);
        let patch = bounds.patch(&Patch::default(), &values).matched();
        assert_eq!(patch[..4], [1.0, 0.6, 0.3, 0.5]);
    }
}
