//! The listener's rest: what it does while nothing sounds, which is nothing.
//!
//! After a long silence the ear has nothing left to forget: more of it changes no state. So it is
//! left out, by whole hops, so that every later window ends where it would have.

/// Largest magnitude that counts as silence, -100 dB: 40 dB below what the ear takes for sound.
const QUIET: f32 = 1e-5;
/// Silence before the rest, in seconds: longer than a window, and than what the editor shows.
const BEFORE: f64 = 5.0;

/// A part of the stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Part {
    /// Samples to be heard.
    Heard(usize),
    /// Samples to be left out.
    LeftOut(usize),
}

/// Finds the silences to leave out.
pub(super) struct Rest {
    /// Number of quiet samples in a row, up to `before`.
    quiet: u64,
    before: u64,
    /// Number of samples left out since the rest began.
    left_out: u64,
}

impl Rest {
    /// Creates a rest as after a silence.
    pub(super) fn new(sample_rate: f64) -> Self {
        let before = (BEFORE * sample_rate) as u64;
        Self {
            quiet: before,
            before,
            left_out: 0,
        }
    }

    pub(super) fn is_resting(&self) -> bool {
        self.quiet >= self.before
    }

    /// The number of samples left out so far in this rest.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Begins a new stream, whose first sound ends the rest.
    pub(super) fn restart(&mut self) {
        (self.quiet, self.left_out) = (self.before, 0);
    }

    /// Whether the first sample of a piece ends the rest.
    pub(super) fn ends_with(&self, mono: &[f32]) -> bool {
        self.is_resting() && mono.first().is_some_and(|x| !is_quiet(*x))
    }

    /// Ends the rest; returns the number of samples that were left out.
    pub(super) fn end(&mut self) -> u64 {
        self.quiet = 0;
        std::mem::take(&mut self.left_out)
    }

    /// The beginning of a piece that is heard, or left out. `mono` is not empty, and doesn't end
    /// the rest.
    pub(super) fn part(&mut self, mono: &[f32]) -> Part {
        if self.is_resting() {
            let quiet = mono.iter().take_while(|x| is_quiet(**x)).count();
            self.left_out += quiet as u64;
            return Part::LeftOut(quiet);
        }
        for (i, x) in mono.iter().enumerate() {
            self.quiet = if is_quiet(*x) { self.quiet + 1 } else { 0 };
            if self.is_resting() {
                return Part::Heard(i + 1);
            }
        }
        Part::Heard(mono.len())
    }
}

fn is_quiet(x: f32) -> bool {
    x.abs() < QUIET
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Heard and left-out samples of a stream in blocks of `size`.
    fn heard(sound: &[f32], size: usize) -> Vec<bool> {
        let mut rest = Rest::new(10.0);
        let mut all = Vec::new();
        for mut block in sound.chunks(size) {
            while !block.is_empty() {
                if rest.ends_with(block) {
                    rest.end();
                }
                let (n, is_heard) = match rest.part(block) {
                    Part::Heard(n) => (n, true),
                    Part::LeftOut(n) => (n, false),
                };
                assert!(n > 0);
                all.extend(std::iter::repeat_n(is_heard, n));
                block = &block[n..];
            }
        }
        all
    }

    #[test]
    fn what_is_left_out_does_not_depend_on_blocks() {
        let mut sound = vec![0.0; 300];
        sound[20] = 0.1;
        sound[60] = 1e-6;
        sound[200] = -0.1;
        let whole = heard(&sound, 300);
        let expected: Vec<bool> = (0..300)
            .map(|i| (20..71).contains(&i) || (200..251).contains(&i))
            .collect();
        assert_eq!(whole, expected);
        for size in [1, 7, 50, 64] {
            assert_eq!(heard(&sound, size), whole, "blocks of {size}");
        }
    }
}
