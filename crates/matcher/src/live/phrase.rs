//! The last phrase heard: the sounding parts of the reference, which a search compares with.

use std::collections::VecDeque;

/// Longest phrase, in frames: 10 s.
const LONGEST: usize = 1250;
/// Number of silent frames (0.3 s) after which silence is left out.
const REST: usize = 38;

/// Samples of the last phrase at the ear's own rate.
#[derive(Default)]
pub(super) struct Phrase {
    samples: VecDeque<f32>,
    /// Samples of a frame.
    frame: usize,
}

impl Phrase {
    /// Takes a frame; `silent` is the number of silent frames up to this one.
    pub(super) fn take(&mut self, samples: &[f32], silent: usize) {
        if silent > REST || (self.samples.is_empty() && silent > 0) {
            return;
        }
        self.frame = samples.len();
        if self.frames() >= LONGEST {
            self.samples.drain(..self.frame);
        }
        self.samples.extend(samples);
    }

    /// Forgets everything but the last `frames` frames.
    pub(super) fn keep(&mut self, frames: usize) {
        let gone = self.frames().saturating_sub(frames) * self.frame;
        self.samples.drain(..gone);
    }

    /// Number of samples in a frame; 0 before the first.
    pub(super) fn frame_samples(&self) -> usize {
        self.frame
    }

    /// Length in frames.
    pub(super) fn frames(&self) -> usize {
        self.samples.len() / self.frame.max(1)
    }

    /// Copies the samples.
    pub(super) fn to_vec(&self) -> Vec<f32> {
        self.samples.iter().copied().collect()
    }

    /// Replaces the phrase by an earlier one, and what was heard since by what follows it.
    pub(super) fn resume(&mut self, earlier: &[f32]) {
        let newer = std::mem::take(&mut self.samples);
        self.samples.extend(earlier);
        self.samples.extend(newer);
        self.keep(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_rests_are_left_out_and_the_oldest_goes_first() {
        let mut phrase = Phrase::default();
        phrase.take(&[0.0; 4], 1);
        assert_eq!(phrase.frames(), 0);
        phrase.take(&[1.0; 4], 0);
        (1..=100).for_each(|silent| phrase.take(&[0.0; 4], silent));
        phrase.take(&[2.0; 4], 0);
        assert_eq!(phrase.frames(), 1 + REST + 1);
        (0..LONGEST).for_each(|_| phrase.take(&[3.0; 4], 0));
        assert_eq!(phrase.to_vec(), vec![3.0; 4 * LONGEST]);
        phrase.keep(2);
        assert_eq!(phrase.to_vec(), vec![3.0; 8]);
        phrase.resume(&[5.0; 4]);
        assert_eq!(phrase.to_vec()[..5], [5.0, 5.0, 5.0, 5.0, 3.0]);
    }
}
