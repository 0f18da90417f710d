//! Portamento: a note's pitch slides linearly, in semitones, from the last key to its own.

/// A slide under way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Glide {
    offset: f32,
    step: f32,
}

impl Glide {
    /// Slides from `offset` semitones away, arriving after `samples`.
    pub fn new(offset: f32, samples: f32) -> Self {
        if samples < 1.0 {
            Self::default()
        } else {
            Self {
                offset,
                step: offset / samples,
            }
        }
    }

    /// Moves on by `samples`.
    #[inline(always)]
    pub fn advance(&mut self, samples: f32) {
        let way = self.step * samples;
        self.offset = if way.abs() >= self.offset.abs() {
            0.0
        } else {
            self.offset - way
        };
    }

    /// Rest of the slide, semitones.
    pub fn offset(&self) -> f32 {
        self.offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrives_on_time_without_overshoot() {
        for from in [-24.0f32, 7.0] {
            let mut g = Glide::new(from, 1000.0);
            for i in 0..1010 {
                let want = from * (1.0 - i as f32 / 1000.0).max(0.0);
                assert!(
                    (g.offset() - want).abs() < 0.05,
                    "{i}: {} {want}",
                    g.offset()
                );
                g.advance(1.0);
            }
            assert_eq!(g.offset(), 0.0);
        }
        assert_eq!(Glide::new(5.0, 0.0).offset(), 0.0);
    }
}
