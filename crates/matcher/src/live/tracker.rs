//! Smoothing: combines the inferences of successive windows into the held one.
//!
//! Each matched parameter is a precision-weighted running mean, a scalar Kalman filter in its
//! information form with five departures that suit the windows:
//! - Windows overlap by all but 40 ms, so their errors are far from independent. Precisions are
//!   therefore not summed without limit: at most `MEMORY` windows as good as the best one count.
//! - A window whose end sounds like its start (a held note) repeats its predecessors. Its weight is
//!   scaled by its novelty, down to a twentieth: it can't win by mere repetition.
//! - Only a note's onset shows its envelope. Envelope parameters hold while no window has an onset.
//! - Process noise acts on the best precision: slowly, so that a held note leaves its envelope
//!   alone.
//! - An innovation gate restarts the mean when several windows in a row contradict the held values
//!   by more than both uncertainties allow: another sound has begun.

use crate::model::{FLOOR_DB, Inference, LEAST_SIGMA, WINDOW_FRAMES, precision};
use ear::CHANNELS;
use synth::{MATCHED, MATCHED_COUNT, PARAMS, Section};

/// Largest weight of a held value, in windows as good as the best one: 2 s of them.
const MEMORY: f32 = 50.0;
/// Factor on the best precision per window: its standard deviation doubles in 10 s.
const FADE: f32 = 0.9945;
/// Mean squared innovation, in units of its variance, that counts as a contradiction.
const GATE: f32 = 2.5;
/// Number of contradictions in a row (120 ms) that restart the mean.
const PATIENCE: u32 = 3;
/// Mean difference in dB between a window's first and last quarter at which its novelty is 1.
/// Melodies have 5 to 15, steady tones under 3.
const NEW_DB: f32 = 8.0;
/// Lower limit of the novelty: that of a window that repeats its predecessors.
const LEAST_NOVELTY: f32 = 0.05;
/// Standard deviation of a window with this weight.
fn sigma(weight: f32) -> f32 {
    weight.powf(-0.5)
}

/// Returns whether the matched parameter `i` is an envelope's.
pub(super) fn of_an_envelope(i: usize) -> bool {
    matches!(
        PARAMS[MATCHED[i]].section,
        Section::AmpEnv | Section::FilterEnv
    )
}

/// Novelty of a quantised window, 0 to 1: the mean difference between the average spectra of its
/// first and its last quarter, over `NEW_DB`, squared.
pub fn novelty(window: &[u8]) -> f32 {
    const QUARTER: usize = WINDOW_FRAMES / 4;
    let sum = |quarter: usize| {
        let mut sum = [0u32; CHANNELS];
        for frame in window
            .chunks_exact(CHANNELS)
            .skip(quarter * QUARTER)
            .take(QUARTER)
        {
            sum.iter_mut().zip(frame).for_each(|(s, &b)| *s += b as u32);
        }
        sum
    };
    let apart: u32 = sum(0)
        .iter()
        .zip(&sum(3))
        .map(|(a, b)| a.abs_diff(*b))
        .sum();
    let db = apart as f32 / (QUARTER * CHANNELS) as f32 * FLOOR_DB / 255.0;
    (db / NEW_DB).powi(2).min(1.0)
}

/// The held inference and its weights.
#[derive(Clone, Debug)]
pub struct Tracker {
    held: Option<Inference>,
    /// Weight of the mean so far.
    weight: [f32; MATCHED_COUNT],
    /// Largest weight of a single window, fading.
    best: [f32; MATCHED_COUNT],
    contradictions: u32,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            held: None,
            weight: [0.0; MATCHED_COUNT],
            best: [0.0; MATCHED_COUNT],
            contradictions: 0,
        }
    }
}

impl Tracker {
    /// Takes the inference of the next window and returns the held one. `novelty`, 0 to 1, is the
    /// window's: see [`novelty`]; `onset` tells whether the window has one.
    pub fn update(&mut self, seen: &Inference, novelty: f32, onset: bool) -> Inference {
        let mut held = self.held.unwrap_or(*seen);
        let shown = |i: &usize| onset || self.held.is_none() || !of_an_envelope(*i);
        let shown: Vec<usize> = (0..MATCHED_COUNT).filter(shown).collect();
        if contradict(&held, seen, &shown) {
            self.contradictions += 1;
            if self.contradictions >= PATIENCE {
                for &i in &shown {
                    (self.weight[i], self.best[i]) = (0.0, 0.0);
                }
                self.contradictions = 0;
            }
        } else {
            self.contradictions = 0;
        }
        for &i in &shown {
            let weight = precision(seen.sigma[i]) * novelty.clamp(LEAST_NOVELTY, 1.0);
            self.best[i] = weight.max(self.best[i] * FADE);
            self.weight[i] = (self.weight[i] + weight).min(MEMORY * self.best[i]);
            held.mean[i] += weight / self.weight[i] * (seen.mean[i] - held.mean[i]);
            held.sigma[i] = sigma(self.best[i]);
        }
        self.held = Some(held);
        held
    }

    /// Forgets the held inference and its weights.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Returns whether `seen` contradicts `held` in the parameters `shown` by more than both
/// uncertainties.
fn contradict(held: &Inference, seen: &Inference, shown: &[usize]) -> bool {
    let square = |x: f32| x * x;
    let sum: f32 = shown
        .iter()
        .map(|&i| {
            let variance = square(held.sigma[i]) + square(seen.sigma[i].max(LEAST_SIGMA));
            square(seen.mean[i] - held.mean[i]) / variance
        })
        .sum();
    sum / shown.len() as f32 > GATE
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};

    #[test]
    fn the_first_window_is_taken_as_it_is() {
        let seen = Inference::flat(0.3, 0.2);
        assert_eq!(Tracker::default().update(&seen, 1.0, true).mean, seen.mean);
    }

    #[test]
    fn a_constant_stays_constant() {
        let mut tracker = Tracker::default();
        for _ in 0..1000 {
            let held = tracker.update(&Inference::flat(0.7, 0.05), 1.0, true);
            assert!(held.mean.iter().all(|m| (m - 0.7).abs() < 1e-6));
        }
    }

    #[test]
    fn better_windows_replace_worse_ones_within_a_second() {
        // The stream has just begun: early windows show little and are wrong.
        let mut tracker = Tracker::default();
        for _ in 0..12 {
            tracker.update(&Inference::flat(0.5, 0.25), 1.0, true);
        }
        let mut held = Inference::flat(0.0, 0.0);
        for _ in 0..25 {
            held = tracker.update(&Inference::flat(0.8, 0.08), 1.0, true);
        }
        assert!(held.mean.iter().all(|m| (m - 0.8).abs() < 0.02), "{held:?}");
    }

    #[test]
    fn envelopes_hold_while_no_onset_shows_them() {
        // 1 s with the onset in view, then 3 s of a held note: all inferences drift off.
        let mut tracker = Tracker::default();
        let mut settled = Inference::flat(0.0, 0.0);
        for _ in 0..25 {
            settled = tracker.update(&Inference::flat(0.3, 0.1), 1.0, true);
        }
        let mut held = settled;
        for _ in 0..75 {
            held = tracker.update(&Inference::flat(0.5, 0.1), 1.0, false);
        }
        let mut envelopes = 0;
        for i in 0..MATCHED_COUNT {
            if of_an_envelope(i) {
                envelopes += 1;
                assert_eq!(held.mean[i], settled.mean[i]);
            } else {
                assert!(held.mean[i] > 0.4, "{}", held.mean[i]);
            }
        }
        assert_eq!(envelopes, 7);
        // The next note shows them again.
        for _ in 0..50 {
            held = tracker.update(&Inference::flat(0.5, 0.1), 1.0, true);
        }
        assert!(held.mean.iter().all(|m| *m > 0.4), "{held:?}");
    }

    #[test]
    fn flutter_is_smoothed() {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(3);
        let mut tracker = Tracker::default();
        let mut last = 0.0;
        for n in 0..200 {
            let mut seen = Inference::flat(0.5, 0.1);
            seen.mean
                .iter_mut()
                .for_each(|m| *m += rng.random_range(-0.1..0.1));
            let held = tracker.update(&seen, 1.0, true).mean[0];
            if n > 50 {
                assert!(
                    (held - last).abs() < 0.1 / 40.0,
                    "window {n} moved {}",
                    held - last
                );
            }
            last = held;
        }
        assert!((last - 0.5).abs() < 0.03);
    }

    #[test]
    fn another_sound_is_followed_at_once() {
        let mut tracker = Tracker::default();
        for _ in 0..250 {
            tracker.update(&Inference::flat(0.2, 0.05), 1.0, true);
        }
        let mut held = Inference::flat(0.0, 0.0);
        for _ in 0..PATIENCE {
            held = tracker.update(&Inference::flat(0.7, 0.05), 1.0, true);
        }
        assert!(held.mean.iter().all(|m| (m - 0.7).abs() < 1e-6), "{held:?}");
    }

    #[test]
    fn a_slow_change_is_followed_in_seconds() {
        let mut tracker = Tracker::default();
        for n in 0..250 {
            tracker.update(&Inference::flat(0.4 + 0.0004 * n as f32, 0.1), 1.0, true);
        }
        let lag = 0.5 - tracker.held.unwrap().mean[0];
        assert!((0.0..0.03).contains(&lag), "{lag}");
    }

    #[test]
    fn repetition_counts_little() {
        let mut tracker = Tracker::default();
        for _ in 0..25 {
            tracker.update(&Inference::flat(0.3, 0.1), 1.0, true);
        }
        // 3 s of a held note, as sure as before but biased.
        for _ in 0..75 {
            tracker.update(&Inference::flat(0.4, 0.1), 0.0, true);
        }
        let moved = tracker.held.unwrap().mean[0] - 0.3;
        assert!(moved > 0.0 && moved < 0.015, "{moved}");
    }

    #[test]
    fn novelty_tells_a_held_tone_from_a_change() {
        use crate::model::INPUT_LEN;
        assert_eq!(novelty(&[200; INPUT_LEN]), 0.0);
        let mut changed = [200; INPUT_LEN];
        changed[INPUT_LEN / 2..].fill(100);
        assert_eq!(novelty(&changed), 1.0);
        // Half the channels 8 dB softer: 4 dB on average, half of `NEW_DB`.
        let mut softer = [200; INPUT_LEN];
        for frame in softer.chunks_mut(CHANNELS).skip(64) {
            frame[..CHANNELS / 2].fill(200 - 32);
        }
        assert!(
            (novelty(&softer) - 0.25).abs() < 0.01,
            "{}",
            novelty(&softer)
        );
        // A vibrato of four periods a window is not new.
        let vibrato: Vec<u8> = (0..INPUT_LEN)
            .map(|i| [90, 110][(i / CHANNELS / 16) % 2])
            .collect();
        assert_eq!(novelty(&vibrato), 0.0);
    }

    #[test]
    fn clearing_forgets() {
        let mut tracker = Tracker::default();
        tracker.update(&Inference::flat(0.2, 0.01), 1.0, true);
        tracker.clear();
        assert!(tracker.held.is_none());
        assert_eq!(
            tracker.update(&Inference::flat(0.9, 0.28), 1.0, true).mean[0],
            0.9
        );
    }
}
