//! The notes of a stream, told while it goes on.

use super::evidence::{Evidence, KEPT};
use super::note::{Heard, LEVELS, OWN, Open, STABLE, is_slip, median};
use super::onset::{self, Beginning};
use super::path::{LAG, Path};
use ear::PitchFrame;

/// Largest spread in semitones of a note's first frames: after an onset, and without one.
const WIDE: f32 = 1.6;
const NARROW: f32 = 0.8;
/// Highest key of a note: what the ear hears above it may be a harmonic.
const HIGHEST: f32 = 110.5;
/// Distance in semitones from a note at which another may be.
const AWAY: f32 = 0.6;
/// Step in semitones between two frames that no vibrato makes.
const STEP: f32 = 0.45;
/// Number of frames away from a note that make another: after a leap, after a step, after a glide,
/// and where it may be a slip.
const LEAPT: usize = STABLE;
const STEPPED: usize = 7;
const GLIDED: usize = 12;
const SLIPPED: usize = 8;
/// Distance in semitones up to which a step has arrived.
const ARRIVED: f32 = 0.7;
/// Smallest leap in semitones.
const LEAP: f32 = 2.5;
/// Least rise of the channels in dB with which another pitch begins, and with which an octave does.
const PITCH_RISE: f32 = 1.0;
const OCTAVE_RISE: f32 = 1.8;
/// Number of frames away from a note that make another without such a rise, at most so far in dB
/// below the loudest level of late.
const LASTED: usize = 16;
const LASTED_BELOW: f32 = 10.0;
/// Clarity from which on frames count for a note, and the sum of what is above it that makes one.
const UNCLEAR: f32 = 0.65;
const CLEAR: f32 = 0.9;
/// Number of frames since its onset in which a note may still turn out to be misheard, or the
/// attack of the next.
const YOUNG: usize = 32;
/// Number of frames without its pitch that a note outlasts.
const GAP: usize = 12;
/// Fall in dB below a note's peak that ends it.
const END_FALL: f32 = 36.0;
/// Fall per frame in dB of the loudest level of late.
const LOUD_FALL: f32 = 0.1;
/// Number of frames whose keys give a note's key.
const KEYS: usize = 128;
/// Number of frames for which a rise waits for its pitch.
const PENDING: usize = 25;
/// A tone from the start that ends within this many frames was a note after all, unless it is this
/// far in dB below what follows.
const HUM_FRAMES: usize = 250;
const HUM_BELOW: f32 = 10.0;

/// A tone that was there from the start.
struct Hum {
    key: f32,
    level_db: f32,
    /// Last frame that has its pitch.
    last: usize,
}

/// Tracks the notes of one stream.
pub(super) struct Tracker {
    path: Path,
    evidence: Evidence,
    open: Option<Open>,
    hum: Option<Hum>,
    /// Frame where a rise of level began that is not yet a note.
    pending: Option<usize>,
    /// The loudest level of late, which falls slowly.
    loud_db: f32,
    /// End of the last note.
    ended: usize,
}

impl Tracker {
    pub(super) fn new() -> Self {
        Self {
            path: Path::new(),
            evidence: Evidence::new(),
            open: None,
            hum: None,
            pending: None,
            loud_db: -120.0,
            ended: 0,
        }
    }

    /// Takes the next frame and its spectrum, which may be empty. Tells `sink` of a note when it is
    /// known, when it turns out to be another, and when it has ended.
    pub(super) fn take(
        &mut self,
        spectrum: &[f32],
        frame: &PitchFrame,
        mut sink: impl FnMut(Heard),
    ) {
        self.evidence.take(spectrum, frame.level_db);
        let pitch = self.path.take(frame);
        if let Some(now) = self.evidence.newest().checked_sub(LAG) {
            self.evidence.decide(now, pitch);
            self.advance(now, &mut sink);
        }
    }

    /// Ends the stream.
    pub(super) fn finish(&mut self, mut sink: impl FnMut(Heard)) {
        let silence = PitchFrame {
            level_db: -120.0,
            ..PitchFrame::default()
        };
        let end = self.evidence.frames();
        for _ in 0..LAG {
            self.take(&[], &silence, &mut sink);
        }
        // In a clip that has nothing else it is a note, held through.
        self.end_hum(usize::MAX, &mut sink);
        self.close(end, &mut sink);
    }

    /// Decides what is known up to frame `now`.
    fn advance(&mut self, now: usize, sink: &mut impl FnMut(Heard)) {
        let open = self.open.as_ref().map(|o| o.centre);
        self.evidence.smooth_for(open.or(self.evidence.key(now)));
        let level = self.evidence.level(now);
        self.loud_db = (self.loud_db - LOUD_FALL).max(level);
        if let Some(open) = &mut self.open {
            open.peak_db = open.peak_db.max(level);
            if open.levels.len() < LEVELS {
                open.levels.push(level);
            }
        }
        self.find_rise(now);
        self.follow_hum(now, level, sink);
        let begun = self.begun(now);
        if let Some((onset, key)) = begun.filter(|&(_, key)| self.is_clear(key, now)) {
            self.begin(onset, key, now, sink);
        } else {
            self.follow(now, level, sink);
        }
    }

    /// Begins a note, or corrects the one that sounds.
    fn begin(&mut self, onset: usize, key: f32, now: usize, sink: &mut impl FnMut(Heard)) {
        if let Some(hum) = &mut self.hum {
            hum.last = hum.last.min(onset.saturating_sub(1));
            match self.evidence.level(now) < hum.level_db + HUM_BELOW {
                true => self.end_hum(HUM_FRAMES, sink),
                false => self.hum = None,
            }
        }
        if let Some(open) = &mut self.open {
            let risen = self.pending.is_some_and(|p| p > open.onset + 12);
            let misheard = is_slip(key - open.centre) || open.is_unclear(&self.evidence, onset);
            if !risen && onset < open.onset + YOUNG && misheard {
                open.keys.clear();
                let since = (onset + 1..=now).filter_map(|f| Some((f, self.evidence.key(f)?)));
                open.keys.extend(since);
                open.centre = key;
                open.last = now;
                self.pending = None;
                sink(open.told(None));
                return;
            }
            let end = onset.min(open.last + 4).max(open.onset + 1);
            self.close(end, sink);
        }
        let evidence = &self.evidence;
        let first = (onset + 2).max(now.saturating_sub(KEPT / 2)).min(now);
        let keys = (first..=now).filter_map(|f| Some((f, evidence.key(f)?)));
        let levels = onset.max(evidence.first())..=now;
        let open = Open {
            onset,
            last: now.max(onset),
            keys: keys.filter(|k| (k.1 - key).abs() < OWN).collect(),
            centre: key,
            peak_db: evidence.highest(levels.clone()),
            levels: levels.map(|f| evidence.level(f)).collect(),
        };
        sink(open.told(None));
        self.open = Some(open);
        self.pending = None;
    }

    /// Follows the note that sounds, and ends it.
    fn follow(&mut self, now: usize, level: f32, sink: &mut impl FnMut(Heard)) {
        let Some(open) = &mut self.open else { return };
        if let Some(key) = self.evidence.key(now)
            && (key - open.centre).abs() < OWN
        {
            open.last = now.max(open.last);
            if open.keys.len() < KEYS {
                open.keys.push((now, key));
            }
            let off = key - open.centre;
            if open.keys.len() < YOUNG || off.abs() < AWAY {
                open.centre += off / (open.keys.len() as f32).clamp(1.0, 33.0);
            }
        }
        if now > open.last + GAP || level < open.peak_db - END_FALL {
            let end = open.last + 1;
            self.close(end, sink);
        }
    }

    /// Follows a tone that was there from the start: one that stops soon was a note.
    fn follow_hum(&mut self, now: usize, level: f32, sink: &mut impl FnMut(Heard)) {
        let Some(hum) = &mut self.hum else { return };
        let key = self.evidence.key(now);
        if key.is_some_and(|k| (k - hum.key).abs() < AWAY) {
            hum.last = now;
        } else if now > hum.last + GAP {
            match level < hum.level_db + HUM_BELOW {
                true => self.end_hum(HUM_FRAMES, sink),
                false => self.hum = None,
            }
        }
    }

    /// Tells of a tone that was there from the start and has ended before frame `limit`.
    fn end_hum(&mut self, limit: usize, sink: &mut impl FnMut(Heard)) {
        if let Some(hum) = self.hum.take().filter(|h| h.last < limit)
            && self.ended == 0
            && self.open.is_none()
        {
            self.ended = hum.last + 1;
            sink(Heard {
                onset: 0,
                end: Some(hum.last + 1),
                key: hum.key,
                level_db: hum.level_db,
            });
        }
    }

    fn close(&mut self, end: usize, sink: &mut impl FnMut(Heard)) {
        if let Some(open) = self.open.take() {
            self.ended = end;
            sink(open.told(Some(end)));
        }
    }

    /// Looks for a rise of level that begins a note while one sounds.
    fn find_rise(&mut self, now: usize) {
        let Some(open) = &self.open else { return };
        let evidence = &self.evidence;
        if self.pending.is_some_and(|p| now <= p + PENDING) || now < open.onset + 8 {
            return;
        }
        self.pending = None;
        let back = (open.onset + 4)
            .max(now.saturating_sub(15))
            .max(evidence.first());
        let low = evidence.lowest(back..now, back);
        let first = open.onset.max(low.saturating_sub(30)).max(evidence.first());
        let (top, least, level) = (
            evidence.highest(first..=low),
            evidence.level(low),
            evidence.level(now),
        );
        let (rise, fall) = (level - least, top - least);
        if rise < 4.5 || onset::is_tail(evidence, low, level, self.loud_db - level) {
            return;
        }
        let spread = evidence.change(low, now).mean;
        let young = low < open.onset + 18;
        let fast = now - low <= 6 + evidence.around()
            && fall >= if young { 6.0 } else { 2.0 }
            && spread >= if fall >= 8.0 && rise >= 6.0 { 1.5 } else { 3.0 }
            && level > top - 12.0;
        let slow = rise >= 7.0 && fall >= 7.0 && spread >= 4.0 && level > top - 6.0;
        if fast || slow {
            self.pending = Some(low + 1);
        }
    }

    /// The onset and key of a note that is now known to have begun.
    fn begun(&mut self, now: usize) -> Option<(usize, f32)> {
        let evidence = &self.evidence;
        let run = evidence.run(0, now, |_| true);
        if run < STABLE {
            return None;
        }
        let keys = |n: usize| (now + 1 - n..=now).filter_map(|f| evidence.key(f));
        let key = median(keys(STABLE));
        if key > HIGHEST {
            return None;
        }
        let spread = {
            let range = |(l, h): (f32, f32), k: f32| (l.min(k), h.max(k));
            let (low, high) = keys(STABLE).fold((f32::MAX, f32::MIN), range);
            high - low
        };
        if let Some(pending) = self.pending {
            // A rise, and a pitch since.
            let since = now.saturating_sub(pending + 1);
            if since >= STABLE && spread < WIDE {
                let onset = onset::passes(evidence, pending - 1);
                return Some((onset, median(keys(STABLE.max(since.min(run))))));
            }
        }
        match &self.open {
            Some(open) => self.taken_over(open, now, key, spread),
            None if self
                .hum
                .as_ref()
                .is_some_and(|h| (h.key - key).abs() < AWAY) =>
            {
                None
            }
            None if spread < WIDE => {
                let near = evidence.run(now + 1 - run, now, |k| (k - key).abs() < OWN);
                let start = (now + 1 - near).max(self.ended);
                if start + STABLE > now + 1 {
                    return None;
                }
                match onset::beginning(evidence, start, self.ended, self.loud_db) {
                    Beginning::At(onset) if onset + STABLE <= now + 3 => Some((onset, key)),
                    // What rises later is another note.
                    Beginning::At(_) | Beginning::Nowhere => None,
                    Beginning::Hum => {
                        self.hum.get_or_insert(Hum {
                            key,
                            level_db: evidence.level(now),
                            last: now,
                        });
                        None
                    }
                }
            }
            None => None,
        }
    }

    /// The onset and key of a note that has taken over from `open`.
    fn taken_over(&self, open: &Open, now: usize, key: f32, spread: f32) -> Option<(usize, f32)> {
        let evidence = &self.evidence;
        let away = evidence.run(open.onset + 1, now, |k| (k - open.centre).abs() > AWAY);
        let first = now + 1 - away;
        if away < STABLE || (spread > NARROW && away < GLIDED - 2) {
            return None;
        }
        let off = (key - open.centre).abs();
        let steps = |f: usize| {
            let pair = evidence.key(f - 1).zip(evidence.key(f));
            pair.is_none_or(|(a, b)| (a - b).abs() > STEP)
        };
        let stepped = (first.saturating_sub(2).max(1)..=now).any(steps);
        let slip = is_slip(off);
        let needed = match stepped {
            _ if slip => SLIPPED,
            true if off >= LEAP => LEAPT,
            true => STEPPED,
            false if onset::dips(evidence, first, now) => STEPPED,
            false => GLIDED,
        };
        if away < needed {
            return None;
        }
        let before = first.saturating_sub(6).max(evidence.first());
        let ends = first + 3..=(first + 7).min(now);
        let up = ends
            .map(|f| evidence.change(before, f).up)
            .fold(0.0, f32::max);
        let misheard = first < open.onset + YOUNG && (slip || open.is_unclear(evidence, first));
        let enough = if slip { OCTAVE_RISE } else { PITCH_RISE };
        // A vibrato may swing away from the old note just before a step.
        let there = evidence.run(first, now, |k| (k - key).abs() < ARRIVED);
        let first = if stepped { now + 1 - there } else { first };
        let onset = onset::joined(evidence, first, open.onset + 4, open.centre);
        let lasts = !slip && away >= LASTED && evidence.level(now) > self.loud_db - LASTED_BELOW;
        (misheard || lasts || up >= enough).then_some((onset, key))
    }

    /// Returns whether the frames up to `now` near `key` are clear enough to make a note: the more
    /// of them, the less clear they may be.
    fn is_clear(&self, key: f32, now: usize) -> bool {
        let near = self.evidence.run(0, now, |k| (k - key).abs() < AWAY);
        let clear = |f| (self.evidence.clarity(f) - UNCLEAR).max(0.0);
        (now + 1 - near..=now).map(clear).sum::<f32>() >= CLEAR
    }
}
