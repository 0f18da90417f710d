//! The low-frequency oscillator: a sine per note that waits, fades in, and swings.

use crate::math::sin_turn;

/// A note's LFO.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lfo {
    /// Cycles, 0 to 1.
    phase: f32,
    /// Seconds since the note's start.
    age: f32,
}

impl Lfo {
    /// Moves on by `seconds`, less than a cycle, at `rate` Hz.
    pub fn advance(&mut self, seconds: f32, rate: f32) {
        self.phase += rate * seconds;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
        }
        // Beyond any delay the age no longer matters, and must not lose precision.
        self.age = (self.age + seconds).min(60.0);
    }

    /// Value, -1 to 1, and depth, 0 to 1: nothing for `delay` seconds, then a linear fade-in over
    /// half as long.
    pub fn value(&self, delay: f32) -> (f32, f32) {
        let depth = ((self.age - delay) / (0.5 * delay).max(1e-3)).clamp(0.0, 1.0);
        (sin_turn(self.phase), depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_fades_in_and_keeps_its_rate() {
        let mut lfo = Lfo::default();
        let (mut crossings, mut last) = (0, 0.0);
        for i in 1..=30_000 {
            lfo.advance(1e-3, 5.0);
            let (v, depth) = lfo.value(1.0);
            let t = i as f32 * 1e-3;
            let want = ((t - 1.0) / 0.5).clamp(0.0, 1.0);
            assert!((depth - want).abs() < 0.01, "depth {depth} at {t} s");
            crossings += (last < 0.0 && v >= 0.0) as i32;
            last = v;
        }
        assert!(
            (149..=150).contains(&crossings),
            "{crossings} cycles in 30 s at 5 Hz"
        );
    }
}
