//! A delay line that is cleared at once and never holds a denormal, a NaN or an infinity.

use crate::math::lagrange;

/// Samples of the past.
pub struct Line {
    /// A power of two long.
    samples: Box<[f32]>,
    at: usize,
    /// Number of samples written since the line was cleared.
    filled: usize,
}

impl Line {
    /// A line that remembers at least `longest` samples.
    pub fn new(longest: usize) -> Self {
        Self {
            samples: vec![0.0; (longest + 4).next_power_of_two()].into(),
            at: 0,
            filled: 0,
        }
    }

    /// Makes everything before now silence.
    pub fn clear(&mut self) {
        self.filled = 0;
    }

    /// Writes a sample; returns its magnitude.
    #[inline(always)]
    pub fn push(&mut self, x: f32) -> f32 {
        // Far above denormals, far below what is heard; NaN fails the test.
        let size = x.abs();
        let keep = size > 1e-15 && size < 1e6;
        self.at = (self.at + 1) & (self.samples.len() - 1);
        self.samples[self.at] = if keep { x } else { 0.0 };
        self.filled = self.samples.len().min(self.filled + 1);
        if keep { size } else { 0.0 }
    }

    /// The sample written `delay` samples before the last; at most what the line remembers.
    #[inline(always)]
    pub fn tap(&self, delay: usize) -> f32 {
        let x = self.samples[self.at.wrapping_sub(delay) & (self.samples.len() - 1)];
        if delay < self.filled { x } else { 0.0 }
    }

    /// [`Line::tap`] at any `delay` from 1 on: Lagrange's four-point interpolation.
    #[inline(always)]
    pub fn read(&self, delay: f32) -> f32 {
        let whole = delay as usize;
        let f = delay - whole as f32;
        lagrange([0, 1, 2, 3].map(|k| self.tap(whole + k - 1)), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_and_readings_are_of_the_past() {
        let mut line = Line::new(100);
        for _ in 0..2 {
            line.clear();
            for i in 0..300 {
                // A cubic, which the interpolation meets exactly.
                let cubic = |t: f32| t * t * t * 1e-6 + t * 0.01 - 1.0;
                line.push(cubic(i as f32));
                for delay in [0, 1, 50, 100] {
                    let want = if delay <= i {
                        cubic((i - delay) as f32)
                    } else {
                        0.0
                    };
                    assert_eq!(line.tap(delay), want);
                }
                if i > 110 {
                    let (got, want) = (line.read(98.25), cubic(i as f32 - 98.25));
                    assert!((got - want).abs() < 1e-5, "{got}, expected {want}");
                }
            }
        }
    }

    #[test]
    fn holds_nothing_harmful() {
        let mut line = Line::new(4);
        for x in [f32::NAN, f32::INFINITY, -1e30, 1e-30, -1e-40] {
            assert_eq!(line.push(x), 0.0);
            assert_eq!(line.tap(0), 0.0);
        }
        assert_eq!(line.push(-0.5), 0.5);
        assert_eq!(line.tap(0), -0.5);
    }
}
