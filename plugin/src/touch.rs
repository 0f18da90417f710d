//! Locks a matched parameter as soon as the player or the host's automation moves it, and takes it
//! up where it sounds.

use synth::{COUNT, MATCHED, MATCHED_COUNT, Patch};

use crate::state::{InstanceState, MOVE};

/// Largest first step of a hand on a knob, normalised. A larger one is a jump: automation or a
/// typed value, which mean what they say.
const HAND: f32 = 0.05;
/// Time constant with which a knob that a hand took up elsewhere comes to where it is, in seconds.
const COME: f32 = 0.3;

/// The match as it sounds while the knobs are watched.
#[derive(Clone, Copy)]
pub struct Sounding<'a> {
    /// Share of the way from the knob to the inferred value, 0 to 1.
    pub amount: f32,
    /// The patch that sounds; `None` while nothing was played yet.
    pub patch: Option<&'a Patch>,
}

/// Watches the matched knobs; tells a moved one from one that a state or a patch was loaded into.
pub struct TouchLock {
    /// Values when last seen to move, in the order of [`MATCHED`].
    seen: [f32; MATCHED_COUNT],
    /// Distances from the knobs to where they were taken up, normalised.
    offsets: [f32; MATCHED_COUNT],
}

impl TouchLock {
    /// A watch over knobs at their defaults.
    pub fn new() -> Self {
        Self {
            seen: Patch::default().matched(),
            offsets: [0.0; MATCHED_COUNT],
        }
    }

    /// Watches `knobs` (normalised, unmodulated) for a block of `seconds`: locks those that moved
    /// since the last call, unless the match is at 0 % and moves no knob anyway. Returns whether
    /// that locked any. Real-time safe.
    pub fn watch(
        &mut self,
        knobs: &[f32; COUNT],
        sounding: Sounding<'_>,
        seconds: f32,
        state: &InstanceState,
    ) -> bool {
        let keep = (-seconds / COME).exp();
        let mut news = false;
        for (i, &row) in MATCHED.iter().enumerate() {
            self.offsets[i] = match self.offsets[i] * keep {
                little if little.abs() < MOVE => 0.0,
                offset => offset,
            };
            let (before, now) = (self.seen[i], knobs[row]);
            let loaded = state.arrived(i, now);
            if loaded {
                self.offsets[i] = 0.0;
            }
            if (now - before).abs() <= MOVE {
                continue;
            }
            self.seen[i] = now;
            if loaded || sounding.amount <= 0.0 {
                continue;
            }
            if state.set_lock(i, true) {
                news = true;
                let sounds = sounding.patch.map_or(now, |patch| patch.get(row));
                let hand = (now - before).abs() <= HAND;
                // The editor starts where it sounds by itself.
                if hand && (now - before).abs() < (now - sounds).abs() {
                    self.offsets[i] = sounds - before;
                }
            }
        }
        news
    }

    /// The patch with its matched knobs where they were taken up. Real-time safe.
    pub fn taken_up(&self, mut knobs: Patch) -> Patch {
        for (i, &row) in MATCHED.iter().enumerate() {
            if self.offsets[i] != 0.0 {
                knobs.set(row, knobs.get(row) + self.offsets[i]);
            }
        }
        knobs
    }
}

#[cfg(test)]
mod tests;
