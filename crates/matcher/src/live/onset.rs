//! Detection of note onsets, for the match's envelopes: only a window with an onset shows an
//! envelope.
//!
//! A missed onset costs little, because the envelope is then held; a false one lets it flutter. So
//! an onset is only what no modulation of a held note causes: a lasting step of pitch, other than
//! the octaves and twelfths that trackers slip by, and a rise after a pause as long as a window.
//! After a shorter pause only another pitch counts: a return at the same pitch may be a tremolo,
//! and if the note is repeated, so is its envelope. Vibrato of +-1 semitone and tremolo are not
//! onsets.

use crate::model::WINDOW_FRAMES;
use ear::PitchFrame;

/// RMS level in dBFS below which a frame counts as silence.
pub(super) const SILENCE_DB: f32 = -60.0;
/// Smallest step of pitch, in semitones.
const STEP: f32 = 1.5;
/// Number of frames (64 ms) that a step must last, and semitones within which it must stay: an
/// unclear pitch wanders.
const LASTING: u32 = 8;
const STEADY: f32 = 0.7;
/// Intervals in semitones by which a pitch tracker slips, and their tolerance: a vibrato of a
/// semitone.
const SLIPS: [f32; 3] = [12.0, 19.0, 24.0];
const SLIP_WIDTH: f32 = 1.2;
/// Share of a frame's deviation by which the note's pitch follows: it stays in the middle of a
/// vibrato.
const FOLLOW: f32 = 0.05;
/// Fall in dB below the recent peak that counts as a pause.
const PAUSE_FALL: f32 = 24.0;
/// Number of frames (96 ms) of a pause after which any sound is an onset, if no pitch is known
/// before.
const PAUSE: u32 = 12;
/// Number of frames of a pause after which the same pitch is an onset too.
const LONG_PAUSE: u32 = WINDOW_FRAMES as u32;
/// Rise in dB after a pause that counts as an onset.
const RISE: f32 = 15.0;
/// Fall of the recent peak in dB per frame: 12 dB a second.
const PEAK_FALL: f32 = 0.1;

/// Detects onsets in the pitch frames of one stream.
#[derive(Clone, Debug)]
pub struct Onsets {
    /// Number of frames since the last onset.
    since: usize,
    /// MIDI pitch of the note.
    key: Option<f32>,
    /// A deviating pitch, and the number of frames that it has lasted.
    other: f32,
    away: u32,
    peak_db: f32,
    /// Number of frames of the current pause, and the lowest level in it, in dBFS.
    pause: u32,
    floor_db: f32,
}

impl Default for Onsets {
    fn default() -> Self {
        Self {
            since: 0,
            key: None,
            other: 0.0,
            away: 0,
            peak_db: SILENCE_DB,
            pause: 0,
            floor_db: 0.0,
        }
    }
}

impl Onsets {
    /// Takes the next frame.
    pub fn take(&mut self, frame: &PitchFrame) {
        self.since = self.since.saturating_add(1);
        let level = frame.level_db;
        self.peak_db = level.max(self.peak_db - PEAK_FALL).max(SILENCE_DB);
        // A tremolo that takes a soft note below silence is not a pause.
        if level < self.peak_db - PAUSE_FALL {
            self.pause += 1;
            self.floor_db = self.floor_db.min(level);
            // The pitch of a decaying note is unreliable.
            return;
        }
        let pause = if self.key.is_some() {
            LONG_PAUSE
        } else {
            PAUSE
        };
        if self.pause >= pause && level > self.floor_db + RISE {
            self.begin();
        }
        (self.pause, self.floor_db) = (0, 0.0);
        if frame.voiced && frame.hz > 0.0 {
            self.hear(frame.key());
        }
    }

    fn hear(&mut self, key: f32) {
        let note = *self.key.get_or_insert(key);
        let apart = (key - note).abs();
        let slip = SLIPS.iter().any(|s| (apart - s).abs() < SLIP_WIDTH);
        if apart < STEP || slip {
            self.away = 0;
            if !slip {
                self.key = Some(note + FOLLOW * (key - note));
            }
            return;
        }
        if (key - self.other).abs() > STEADY {
            (self.other, self.away) = (key, 0);
        }
        self.away += 1;
        if self.away >= LASTING {
            self.begin();
            self.key = Some(key);
        }
    }

    /// Marks an onset now: a note begins or, where its own onset is unknown, listening does.
    pub fn begin(&mut self) {
        (self.since, self.away, self.key) = (0, 0, None);
    }

    /// Returns whether the window that ends now has an onset.
    pub fn in_view(&self) -> bool {
        self.since < WINDOW_FRAMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    /// Indices of onsets in frames given as key and level.
    fn begun(frames: impl Iterator<Item = (f32, f32)>) -> Vec<usize> {
        let mut onsets = Onsets::default();
        let mut begun = Vec::new();
        for (i, (key, level_db)) in frames.enumerate() {
            onsets.take(&PitchFrame {
                hz: 440.0 * ((key - 69.0) / 12.0).exp2(),
                voiced: level_db > -50.0,
                clarity: 1.0,
                level_db,
                ..PitchFrame::default()
            });
            if i > 0 && onsets.since == 0 {
                begun.push(i);
            }
        }
        begun
    }

    fn wave(i: usize, hz: f32) -> f32 {
        (std::f32::consts::TAU * hz * i as f32 * 0.008).sin()
    }

    #[test]
    fn steps_and_pauses_begin_notes() {
        let melody = (0..400).map(|i| match i {
            0..100 => (60.0, -20.0),
            100..150 => (62.0, -20.0),
            150..200 => (62.0, -70.0),
            200..250 => (65.0, -20.0),
            250..378 => (65.0, -70.0),
            _ => (65.0, -20.0),
        });
        assert_eq!(begun(melody), [107, 207, 378]);
    }

    #[test]
    fn a_sound_after_silence_is_an_onset() {
        let sound = (0..300).map(|i| (60.0, if i < 200 { -120.0 } else { -30.0 }));
        assert_eq!(begun(sound), [200]);
    }

    #[test]
    fn modulations_of_a_held_note_are_not_onsets() {
        for hz in [0.3, 2.0, 6.0, 12.0] {
            let vibrato = (0..500).map(|i| (60.0 + wave(i, hz), -20.0));
            assert_eq!(begun(vibrato), NONE, "vibrato of {hz} Hz");
            for db in [-26.0, -56.0] {
                let tremolo = (0..500).map(|i| (60.0, db + 10.0 * wave(i, hz)));
                assert_eq!(begun(tremolo), NONE, "tremolo of {hz} Hz around {db} dB");
            }
            let deep = (0..500).map(|i| (60.0, -60.0 + 40.0 * wave(i, hz.max(1.0))));
            assert_eq!(begun(deep), NONE, "tremolo of {hz} Hz down to nothing");
            let slips = (0..500).map(|i| {
                let slip = if i % 60 < 10 { -12.0 } else { 0.0 };
                (60.0 + slip + 0.7 * wave(i, hz), -20.0)
            });
            assert_eq!(begun(slips), NONE, "slips with a vibrato of {hz} Hz");
        }
        let slips = (0..500).map(|i| (if i % 60 < 10 { 48.0 } else { 60.0 }, -20.0));
        assert_eq!(begun(slips), NONE);
        let unclear = (0..500).map(|i| {
            (
                60.0 + if i % 50 < 20 { (i % 50) as f32 } else { 0.0 },
                -20.0,
            )
        });
        assert_eq!(begun(unclear), NONE);
        let decay = (0..500).map(|i| (60.0, (-0.5 * i as f32).max(-55.0)));
        assert_eq!(begun(decay), NONE);
    }
}
