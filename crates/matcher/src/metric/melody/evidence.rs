//! The last frames: their levels, spectra and pitches.

use super::path::Pitch;
use ear::CHANNELS;
use std::ops::Range;

/// Number of frames kept.
pub(super) const KEPT: usize = 64;
/// Channels this far in dB below the loudest one don't count, and those hardly above it neither.
const RANGE: f32 = 40.0;
const MARGIN: f32 = 6.0;
/// Largest distance of a new channel from the loudest one, its least rise, both in dB, and the
/// least number of new channels.
const NEW_RANGE: f32 = 25.0;
const NEW_RISE: f32 = 12.0;
const NEW_CHANNELS: usize = 3;
/// Largest change in dB of a channel that counts.
const CHANGE: f32 = 15.0;
/// Lowest level in dB of a channel.
const FLOOR: f32 = -140.0;

/// The last [`KEPT`] frames. Pitches are known up to a frame before the newest.
pub(super) struct Evidence {
    /// Number of frames taken.
    frames: usize,
    /// Channels in dB, and powers: frame n at `n % KEPT`.
    spectra: Vec<[f32; CHANNELS]>,
    powers: [f32; KEPT],
    pitches: [Option<Pitch>; KEPT],
    /// True if the newest frame came with a spectrum.
    seen: bool,
    /// Frames on each side that a level needs, so that it does not follow the sound's period.
    around: usize,
}

/// A change of the channels that count, in dB a channel.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) mean: f32,
    /// Mean rise, without the channels that fall.
    pub(super) up: f32,
}

impl Evidence {
    pub(super) fn new() -> Self {
        Self {
            frames: 0,
            spectra: vec![[FLOOR; CHANNELS]; KEPT],
            powers: [0.0; KEPT],
            pitches: [None; KEPT],
            seen: false,
            around: 0,
        }
    }

    /// Takes the next frame; `spectrum` may be empty.
    pub(super) fn take(&mut self, spectrum: &[f32], level_db: f32) {
        let slot = self.frames % KEPT;
        self.seen = spectrum.len() == CHANNELS;
        for (db, s) in self.spectra[slot].iter_mut().zip(spectrum) {
            *db = 20.0 * (s + 1e-7).log10();
        }
        self.powers[slot] = 10f32.powf(0.1 * level_db);
        self.pitches[slot] = None;
        self.frames += 1;
    }

    /// Decides the pitch of `frame`.
    pub(super) fn decide(&mut self, frame: usize, pitch: Option<Pitch>) {
        self.pitches[frame % KEPT] = pitch;
    }

    /// Takes levels for sounds of MIDI key `key`.
    pub(super) fn smooth_for(&mut self, key: Option<f32>) {
        self.around = match key {
            Some(k) if k < 36.0 => 2,
            Some(k) if k < 55.0 => 1,
            _ => 0,
        };
    }

    /// Number of frames by which a level spreads.
    pub(super) fn around(&self) -> usize {
        self.around
    }

    /// Number of frames taken.
    pub(super) fn frames(&self) -> usize {
        self.frames
    }

    /// First frame that is kept.
    pub(super) fn first(&self) -> usize {
        self.frames.saturating_sub(KEPT)
    }

    /// Index of the newest frame.
    pub(super) fn newest(&self) -> usize {
        self.frames.saturating_sub(1)
    }

    /// Power of `frame`, a mean over its neighbourhood.
    pub(super) fn power(&self, frame: usize) -> f32 {
        let first = frame.saturating_sub(self.around).max(self.first());
        let end = (frame + self.around + 1).min(self.frames);
        let sum: f32 = (first..end).map(|f| self.powers[f % KEPT]).sum();
        sum / (end - first.min(end)).max(1) as f32
    }

    /// Level of `frame` in dBFS.
    pub(super) fn level(&self, frame: usize) -> f32 {
        10.0 * self.power(frame).max(1e-12).log10()
    }

    /// Level in dBFS of the five frames around `frame`.
    pub(super) fn broad_level(&self, frame: usize) -> f32 {
        let first = frame.saturating_sub(2).max(self.first());
        let end = (frame + 3).min(self.frames);
        let sum: f32 = (first..end).map(|f| self.powers[f % KEPT]).sum();
        10.0 * (sum / (end - first.min(end)).max(1) as f32)
            .max(1e-12)
            .log10()
    }

    /// Highest level of some frames, in dBFS.
    pub(super) fn highest(&self, frames: impl Iterator<Item = usize>) -> f32 {
        10.0 * frames.map(|f| self.power(f)).fold(1e-12, f32::max).log10()
    }

    /// The frame of least power, of several the last in order; `or` if there is none.
    pub(super) fn lowest(&self, frames: impl Iterator<Item = usize>, or: usize) -> usize {
        let powers = frames.map(|f| (f, self.power(f)));
        let least = powers.fold((or, f32::INFINITY), |least, at| {
            if at.1 <= least.1 { at } else { least }
        });
        least.0
    }

    /// Key of `frame`, if it has a pitch.
    pub(super) fn key(&self, frame: usize) -> Option<f32> {
        self.pitches[frame % KEPT].map(|p| p.key)
    }

    /// Clarity of the pitch of `frame`; 0 if it has none.
    pub(super) fn clarity(&self, frame: usize) -> f32 {
        self.pitches[frame % KEPT].map_or(0.0, |p| p.clarity)
    }

    /// Mean clarity of those of some frames whose key fulfils `is`; 0 if there are none.
    pub(super) fn clarity_of(&self, frames: Range<usize>, is: impl Fn(f32) -> bool) -> f32 {
        let own = frames.filter(|&f| self.key(f).is_some_and(&is));
        let (sum, count) = own.fold((0.0, 0.0f32), |(s, n), f| (s + self.clarity(f), n + 1.0));
        sum / count.max(1.0)
    }

    /// Number of frames up to `now`, none before `first`, whose keys fulfil `is`.
    pub(super) fn run(&self, first: usize, now: usize, is: impl Fn(f32) -> bool) -> usize {
        (first.max(self.first())..=now)
            .rev()
            .take_while(|&f| self.key(f).is_some_and(&is))
            .count()
    }

    /// The frame from which on the channels that are new since frame `earliest` are within `fall`
    /// dB of their peak, up to frame `now`. `None` if hardly any is new.
    pub(super) fn new_since(&self, earliest: usize, now: usize, fall: f32) -> Option<usize> {
        let (old, new) = (&self.spectra[earliest % KEPT], &self.spectra[now % KEPT]);
        let top = new.iter().fold(FLOOR, |m, &x| m.max(x));
        let is_new = |c: &usize| new[*c] > top - NEW_RANGE && new[*c] > old[*c] + NEW_RISE;
        let channels: Vec<usize> = (0..CHANNELS).filter(is_new).collect();
        if !self.seen || channels.len() < NEW_CHANNELS {
            return None;
        }
        let power = |f: usize| -> f32 {
            let spectrum = &self.spectra[f % KEPT];
            channels
                .iter()
                .map(|&c| 10f32.powf(0.1 * spectrum[c]))
                .sum()
        };
        let peak = (earliest..=now).map(power).fold(0.0, f32::max);
        let threshold = peak * 10f32.powf(-0.1 * fall);
        let before = (earliest..now).rev().take_while(|&f| power(f) >= threshold);
        Some(before.last().unwrap_or(now))
    }

    /// Change of the channels from frame `a` to frame `b`; infinite where they are unknown.
    pub(super) fn change(&self, a: usize, b: usize) -> Change {
        if !self.seen {
            return Change {
                mean: f32::INFINITY,
                up: f32::INFINITY,
            };
        }
        let (a, b) = (&self.spectra[a % KEPT], &self.spectra[b % KEPT]);
        let floor = a.iter().chain(b).fold(FLOOR, |m, &x| m.max(x)) - RANGE;
        let (mut sum, mut up, mut count) = (0.0, 0.0, 0.0f32);
        for (&a, &b) in a.iter().zip(b) {
            if a.max(b) > floor + MARGIN {
                let change = (b.max(floor) - a.max(floor)).clamp(-CHANGE, CHANGE);
                sum += change;
                up += change.max(0.0);
                count += 1.0;
            }
        }
        Change {
            mean: sum / count.max(1.0),
            up: up / count.max(1.0),
        }
    }
}
