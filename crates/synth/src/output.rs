//! Output buffer: collects the samples of many control steps, which are limited and copied at once.

use crate::effects::{is_safe, safety_clip};
use crate::{CONTROL, Samples};

/// Number of samples from which on the buffer has to be emptied.
const FULL: usize = 256;

/// Buffer of samples that are not handed out yet.
pub struct Output {
    /// Samples of left and right, with room for a whole step after the last one that fills the
    /// buffer.
    sides: [[f32; FULL + CONTROL]; 2],
    len: usize,
    /// Whether the left side stands for both.
    mono: bool,
    /// Whether no sample needs the [`safety_clip`].
    safe: bool,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            sides: [[0.0; FULL + CONTROL]; 2],
            len: 0,
            mono: true,
            safe: true,
        }
    }
}

impl Output {
    /// Whether the buffer must be emptied before anything is added.
    pub fn is_full(&self) -> bool {
        self.len >= FULL
    }

    /// Adds a step's first `len` samples: the left side, and the right one if it differs.
    #[inline(always)]
    pub fn add(&mut self, sides: &[Samples], len: usize) {
        if self.mono && sides.len() > 1 {
            // Until here both sides were the same.
            let [left, right] = &mut self.sides;
            right[..self.len].copy_from_slice(&left[..self.len]);
            self.mono = false;
        }
        let count = if self.mono { 1 } else { 2 };
        for (k, side) in self.sides[..count].iter_mut().enumerate() {
            let samples = &sides[k.min(sides.len() - 1)];
            side[self.len..self.len + CONTROL].copy_from_slice(samples);
            self.safe &= is_safe(samples);
        }
        self.len += len;
    }

    /// Empties the buffer: returns the left side, and the right one if it differs, both after the
    /// [`safety_clip`].
    pub fn take(&mut self) -> (&[f32], Option<&[f32]>) {
        let [left, right] = self.sides.each_mut().map(|side| &mut side[..self.len]);
        let (mono, safe) = (self.mono, self.safe);
        (self.len, self.mono, self.safe) = (0, true, true);
        if !safe {
            safety_clip(left);
            if !mono {
                safety_clip(right);
            }
        }
        (left, (!mono).then_some(right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_the_same_until_they_differ() {
        let mut output = Output::default();
        let step = |x: f32| std::array::from_fn(|i| x + i as f32 * 1e-3);
        output.add(&[step(0.1)], CONTROL);
        output.add(&[step(0.2)], 5);
        assert!(!output.is_full());
        let (left, right) = output.take();
        assert_eq!(left, [&step(0.1)[..], &step(0.2)[..5]].concat());
        assert_eq!(right, None);
        output.add(&[step(0.1)], CONTROL);
        output.add(&[step(0.2), step(-0.9)], CONTROL);
        output.add(&[step(0.3)], CONTROL);
        let (left, right) = output.take();
        assert_eq!(left, [step(0.1), step(0.2), step(0.3)].concat());
        let mut expected = [step(0.1), step(-0.9), step(0.3)].concat();
        safety_clip(&mut expected);
        assert_eq!(right, Some(&expected[..]));
        assert_ne!(expected[CONTROL], -0.9);
        assert_eq!(output.take(), (&[][..], None));
    }
}
