//! One channel of the sidechain's two.
//!
//! It is their sum, since a mono source may fill only the left one. A source whose channels are in
//! antiphase has no sum; of that it is their difference.

/// Energy by which the difference must exceed the sum to replace it: no mix of ordinary sources
/// comes near.
const ANTIPHASE: f32 = 16.0;
/// Time over which energies are averaged, in seconds.
const AVERAGE: f32 = 0.05;
/// Time of the change from the one to the other, in seconds.
const CHANGE: f32 = 0.005;

/// Mixes a stream, sample by sample, so that blocks of any size give the same.
pub struct Downmix {
    average: f32,
    change: f32,
    /// Mean energies of sum and difference.
    energy: [f32; 2],
    /// Share of the difference, 0 to 1.
    share: f32,
}

impl Downmix {
    /// A mix at `rate` Hz.
    pub fn new(rate: f32) -> Self {
        let step = |time: f32| 1.0 - (-1.0 / (time * rate)).exp();
        Self {
            average: step(AVERAGE),
            change: step(CHANGE),
            energy: [0.0; 2],
            share: 0.0,
        }
    }

    /// Forgets the past.
    pub fn reset(&mut self) {
        self.energy = [0.0; 2];
        self.share = 0.0;
    }

    /// Mixes `left` and `right` into `mono`, all of one length. Real-time safe.
    pub fn process(&mut self, left: &[f32], right: &[f32], mono: &mut [f32]) {
        let silent = |side: &[f32]| side.iter().all(|x| *x == 0.0);
        if self.energy == [0.0; 2] && self.share == 0.0 && silent(left) && silent(right) {
            // What the loop would come to.
            return mono.fill(0.0);
        }
        for ((mono, l), r) in mono.iter_mut().zip(left).zip(right) {
            let both = [l + r, l - r];
            for (energy, x) in self.energy.iter_mut().zip(both) {
                *energy += self.average * (x * x - *energy);
                if !energy.is_normal() {
                    *energy = 0.0;
                }
            }
            let [sum, difference] = self.energy;
            let to = f32::from(difference > ANTIPHASE * sum);
            self.share += self.change * (to - self.share);
            if self.share < 1e-6 {
                self.share = 0.0;
            }
            *mono = both[0] + self.share * (both[1] - both[0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(left: &[f32], right: &[f32], block: usize) -> Vec<f32> {
        let mut downmix = Downmix::new(48_000.0);
        let mut mono = vec![0.0; left.len()];
        let blocks = left.chunks(block).zip(right.chunks(block));
        for ((l, r), mono) in blocks.zip(mono.chunks_mut(block)) {
            downmix.process(l, r, mono);
        }
        mono
    }

    fn tone(hz: f32) -> Vec<f32> {
        let step = std::f32::consts::TAU * hz / 48_000.0;
        (0..48_000).map(|k| 0.3 * (step * k as f32).sin()).collect()
    }

    #[test]
    fn ordinary_sources_are_summed_exactly() {
        let (a, b) = (tone(220.0), tone(331.0));
        let half: Vec<f32> = a.iter().map(|x| 0.5 * x).collect();
        for (left, right) in [(&a, &a), (&a, &half), (&a, &b), (&a, &vec![0.0; a.len()])] {
            let sum: Vec<f32> = left.iter().zip(right).map(|(l, r)| l + r).collect();
            assert!(mix(left, right, 512) == sum);
        }
    }

    #[test]
    fn a_source_in_antiphase_is_heard() {
        let left = tone(220.0);
        let right: Vec<f32> = left.iter().map(|x| -x).collect();
        let mono = mix(&left, &right, 512);
        assert!(mono == mix(&left, &right, 77));
        for (mono, x) in mono.iter().zip(&left).skip(4_800) {
            assert!((mono - 2.0 * x).abs() < 1e-4);
        }
    }
}
