//! A note while it sounds, and as it is told.

use super::evidence::Evidence;
use super::onset::ONSET_FALL;

/// Intervals in semitones from a pitch to its subharmonics, by which it may be misheard, and their
/// tolerance.
const SLIPS: [f32; 5] = [12.0, 19.0, 24.0, 28.0, 31.0];
const SLIP_WIDTH: f32 = 0.8;
/// Number of frames of one pitch that make a note.
pub(super) const STABLE: usize = 5;
/// Distance in semitones up to which a pitch is the note's own, as in a vibrato.
pub(super) const OWN: f32 = 1.5;
/// Mean clarity below which a note's beginning may be the attack of the next one.
const ATTACK: f32 = 0.86;
/// Number of frames from a note's first one on among which its onset is.
pub(super) const LEVELS: usize = 24;
/// Number of frames at a note's end whose keys don't count.
const BLUR: usize = 2;

/// A note that was heard; times in frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Heard {
    pub(super) onset: usize,
    /// `None` while it sounds.
    pub(super) end: Option<usize>,
    pub(super) key: f32,
    pub(super) level_db: f32,
}

/// The note that sounds.
pub(super) struct Open {
    pub(super) onset: usize,
    /// Last frame that has its pitch.
    pub(super) last: usize,
    /// The first frames that have its pitch, and their keys.
    pub(super) keys: Vec<(usize, f32)>,
    /// Slow mean of its key.
    pub(super) centre: f32,
    pub(super) peak_db: f32,
    /// Levels from its onset on, until there are [`LEVELS`].
    pub(super) levels: Vec<f32>,
}

impl Open {
    /// Returns whether its frames before frame `end` are so unclear that it may be the attack of
    /// the next note.
    pub(super) fn is_unclear(&self, evidence: &Evidence, end: usize) -> bool {
        let own = |key: f32| (key - self.centre).abs() < OWN;
        evidence.clarity_of(self.onset..end, own) < ATTACK
    }

    /// The note as it is known, with its end if that is.
    pub(super) fn told(&self, end: Option<usize>) -> Heard {
        let threshold = self.peak_db - ONSET_FALL;
        let late = self
            .levels
            .iter()
            .position(|&l| l >= threshold)
            .unwrap_or(0);
        let onset = self.onset + late;
        // The last frames may be of the next note.
        let until = end.map_or(usize::MAX, |end| end.saturating_sub(BLUR));
        let sure = self.keys.partition_point(|&(frame, _)| frame < until);
        let keys = match sure >= STABLE {
            true => &self.keys[..sure],
            false => &self.keys[..self.keys.len().min(STABLE)],
        };
        let key = match keys.is_empty() {
            true => self.centre,
            false => median(keys.iter().map(|&(_, key)| key)),
        };
        Heard {
            onset: end.map_or(onset, |end| {
                onset.min(end.saturating_sub(1)).max(self.onset)
            }),
            end: end.map(|end| end.max(self.onset + 1)),
            key,
            level_db: self.peak_db,
        }
    }
}

/// Returns whether an interval in semitones is one by which a pitch may be misheard.
pub(super) fn is_slip(interval: f32) -> bool {
    SLIPS
        .iter()
        .any(|s| (interval.abs() - s).abs() < SLIP_WIDTH)
}

/// Median of some values; 0 without any.
pub(super) fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut sorted: Vec<f32> = values.collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
