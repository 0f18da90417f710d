//! The time at which a note begins.
//!
//! A note's onset is where its level passes 20 dB below its peak. While another sound rings, that
//! is where the two together are as loud as the ringing alone and a hundredth of the peak's power.

use super::evidence::Evidence;

/// Fall in dB below a note's peak that its onset has.
pub(super) const ONSET_FALL: f32 = 20.0;
/// Number of frames before its pitch in which a sound may begin: after a pause, and after a note.
const LEAD: usize = 20;
const LEAD_JOINED: usize = 12;
/// Rise in dB with which a sound begins after a pause, and after a note.
const RISE: f32 = 6.0;
const RISE_JOINED: f32 = 4.0;
/// Rise of the channels in dB with which it begins where the level doesn't show it, and how far
/// below the loudest level of late in dB that may be.
const CHANNELS_RISE: f32 = 4.0;
const FAR_BELOW: f32 = 12.0;
/// Fall in dB below their peak from which on the channels that a note brings show it.
const NEW_FALL: f32 = 14.0;
/// Largest change in dB of a tone, and of a low tone, that counts as hum, having been there from
/// the start, and number of frames for which it must hold.
const HUM: f32 = 1.5;
const LOW_HUM: f32 = 2.5;
const HUM_FRAMES: usize = 12;
/// First frame from which on a tone was not there from the start.
const HUM_START: usize = 6;
/// Clarity above which a pitch is sure, and distance in semitones to which it is the same.
const SURE: f32 = 0.75;
const SAME: f32 = 0.3;
/// Depth in dB of a dip between two notes.
const DIP: f32 = 2.5;

/// Beginning of a sound after a pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Beginning {
    /// The frame of the sound's onset.
    At(usize),
    /// The sound was there from the start.
    Hum,
    /// The sound doesn't begin: it is the tail of an earlier one.
    Nowhere,
}

/// Returns whether what rises from frame `low` to a level in dBFS, `below` dB below the loudest one
/// of late, may only be a tail that swings: the farther below, the farther a sound must rise, and
/// from more than a notch.
pub(super) fn is_tail(evidence: &Evidence, low: usize, level: f32, below: f32) -> bool {
    below > 6.0 && level - evidence.broad_level(low) < 4.5 + 0.7 * (below - 6.0)
}

/// The beginning of a sound whose pitch is known from frame `start` on; nothing before `earliest`
/// belongs to it. `loud_db`: the loudest level of late.
pub(super) fn beginning(
    evidence: &Evidence,
    start: usize,
    earliest: usize,
    loud_db: f32,
) -> Beginning {
    let newest = evidence.newest();
    let earliest = start
        .saturating_sub(LEAD)
        .max(evidence.first())
        .max(earliest);
    let earliest = earliest.min(start);
    let peak = evidence.highest(start..=newest);
    let low = evidence.lowest((earliest..=start).rev(), start);
    let rise = peak - evidence.level(low);
    if start < HUM_START {
        let end = newest.min(HUM_FRAMES);
        let lowest = evidence.level(evidence.lowest(0..=end, 0));
        let most = if evidence.around() > 0 { LOW_HUM } else { HUM };
        if evidence.highest(0..=end).max(peak) - lowest < most {
            return Beginning::Hum;
        }
    } else if rise < RISE || is_tail(evidence, low, peak, loud_db - peak) {
        let before = start.saturating_sub(8).max(earliest);
        let up = evidence.change(before, (start + 4).min(newest)).up;
        let seen = start > evidence.first() + 8 && up >= CHANNELS_RISE;
        return match seen && loud_db - peak < FAR_BELOW {
            true => Beginning::At(start),
            false => Beginning::Nowhere,
        };
    }
    Beginning::At(match rise > ONSET_FALL {
        true => (low..=newest)
            .find(|&f| evidence.level(f) >= peak - ONSET_FALL)
            .unwrap_or(start),
        false => {
            let walked = walk(evidence, start, earliest, peak, None);
            passes(evidence, low).min(walked)
        }
    })
}

/// The onset of a note that takes over at frame `first` from one of key `other`, which began before
/// `earliest`.
pub(super) fn joined(evidence: &Evidence, first: usize, earliest: usize, other: f32) -> usize {
    let earliest = first
        .saturating_sub(LEAD_JOINED)
        .max(evidence.first())
        .max(earliest);
    let earliest = earliest.min(first);
    let low = evidence.lowest((earliest..=first + 2).rev(), first);
    let peak = evidence.highest(low..=evidence.newest());
    let walked = walk(evidence, first, earliest, peak, Some(other));
    let level = match peak - evidence.level(low) >= RISE_JOINED {
        true => passes(evidence, low).min(walked),
        false => walked,
    };
    // Not before what the new note alone brings.
    let new = evidence.new_since(earliest, (first + 3).min(evidence.newest()), NEW_FALL);
    new.map_or(level, |new| new.max(level))
}

/// The first frame after `low` from which on the level up to the peak is higher than it would be
/// with a note 20 dB below that peak.
///
/// The level before is taken to swing by up to 1.5 dB, unless it has just fallen to `low`.
pub(super) fn passes(evidence: &Evidence, low: usize) -> usize {
    let earliest = low.saturating_sub(8).max(evidence.first());
    let fallen = evidence.highest(earliest..=low) > evidence.level(low) + DIP;
    let swing = if fallen { 1.0 } else { 1.4 };
    let power = |f| evidence.power(f);
    let peak = (low..=evidence.newest()).fold(low, |p, f| if power(f) > power(p) { f } else { p });
    let threshold = swing * power(low) + 0.01 * power(peak);
    let mut onset = peak;
    while onset > low + 1 && power(onset - 1) >= threshold {
        onset -= 1;
    }
    onset
}

/// Goes back from frame `first` as long as the sound is loud enough for a note of this peak, and
/// has no sure pitch (or not that of `other`).
fn walk(
    evidence: &Evidence,
    first: usize,
    earliest: usize,
    peak: f32,
    other: Option<f32>,
) -> usize {
    let mut at = first;
    while at > earliest && evidence.level(at - 1) >= peak - ONSET_FALL {
        let key = evidence.key(at - 1);
        let near = key.is_some_and(|k| other.is_none_or(|o| (k - o).abs() < SAME));
        if near && evidence.clarity(at - 1) > SURE {
            break;
        }
        at -= 1;
    }
    at
}

/// Returns whether the level dips around frame `first`, as it does between two notes; `now` is the
/// last frame with a pitch.
pub(super) fn dips(evidence: &Evidence, first: usize, now: usize) -> bool {
    let earliest = first.saturating_sub(8).max(evidence.first());
    let low = evidence.lowest((earliest..=(first + 3).min(now)).rev(), first);
    let before = evidence.highest(earliest..=low);
    let after = evidence.highest(low..=now);
    before.min(after) > evidence.level(low) + DIP
}
