//! The notes of a monophonic sound.
//!
//! One tracker serves all: the plugin feeds it a stream ([`NoteTracker`]), the commands a whole
//! clip ([`melody`]), and both hear the same notes. A note is told at most 150 ms after its onset;
//! what was misheard at first, as low notes may be, is corrected later.
//!
//! 1. `path.rs` chooses each frame's pitch among the tones that the ear offers, by a Viterbi path.
//! 2. `tracker.rs` makes notes of it. A note begins where a pitch is stable and clear and the sound
//!    has risen, where its level dips and rises again, or where the pitch leaves it for another:
//!    farther than a vibrato does, and for longer.
//! 3. `onset.rs` finds when: where the level passes 20 dB below the note's peak.
//!
//! Nothing depends on the level itself. What rings on, and what was there from the start without an
//! onset (hum), is no note.

mod evidence;
mod note;
mod onset;
mod path;
mod tracker;

use ear::{CHANNELS, Ear, Frame, Spectrogram};
use note::Heard;
use std::collections::VecDeque;
use synth::{Note, PARAMS, params::VELOCITY};
use tracker::Tracker;

/// Level in dB below the loudest one of a clip from which on sound without a note is counted.
const COUNTED_DB: f32 = 30.0;

/// A note as it is reported while the sound goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeardNote {
    /// Number of the note: the first one is 0. A later report with the same number replaces the
    /// earlier one.
    pub number: u64,
    /// Onset in seconds from the stream's start.
    pub onset: f64,
    /// End in seconds; `None` while it sounds.
    pub end: Option<f64>,
    /// MIDI key with its fraction.
    pub key: f32,
    /// Highest level until now, in dBFS.
    pub level_db: f32,
}

/// Transcribes the notes of one stream. Its memory does not grow.
pub struct NoteTracker {
    tracker: Tracker,
    frame_rate: f64,
    /// Number of frames by which pitches come later than spectra.
    delay: usize,
    /// Spectra whose pitch is not known yet.
    spectra: VecDeque<[f32; CHANNELS]>,
    counter: Counter,
}

/// Counter that numbers notes.
#[derive(Default)]
struct Counter {
    ended: u64,
}

impl Counter {
    fn number(&mut self, heard: Heard, frame_rate: f64) -> HeardNote {
        let number = self.ended;
        self.ended += u64::from(heard.end.is_some());
        let seconds = |frames: usize| frames as f64 / frame_rate;
        HeardNote {
            number,
            onset: seconds(heard.onset),
            end: heard.end.map(seconds),
            key: heard.key,
            level_db: heard.level_db,
        }
    }
}

impl NoteTracker {
    /// A tracker for the frames of `ear`, which must track pitch.
    pub fn new(ear: &Ear) -> Self {
        Self {
            tracker: Tracker::new(),
            frame_rate: ear.frame_rate(),
            delay: ear.pitch_delay(),
            spectra: VecDeque::with_capacity(ear.pitch_delay() + 1),
            counter: Counter::default(),
        }
    }

    /// Takes the next frame of the ear. Calls `told` for each note that has begun, that turns out
    /// to be another than was told, or that has ended.
    pub fn take(&mut self, frame: &Frame, mut told: impl FnMut(HeardNote)) {
        self.spectra.push_back(*frame.spectrum);
        if self.spectra.len() <= self.delay {
            return;
        }
        let Some(spectrum) = self.spectra.pop_front() else {
            return;
        };
        let (counter, rate) = (&mut self.counter, self.frame_rate);
        self.tracker.take(&spectrum, &frame.pitch, |heard| {
            told(counter.number(heard, rate));
        });
    }

    /// Forgets everything heard, as after the ear's reset. A note that sounds is not told of again.
    pub fn reset(&mut self) {
        self.tracker = Tracker::new();
        self.spectra.clear();
        self.counter = Counter::default();
    }
}

/// The notes of a clip, and how much of it they leave out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcription {
    /// The notes, in order, without overlaps. Velocities are such that the default velocity
    /// response gives the levels heard, the loudest note being 1.
    pub notes: Vec<Note>,
    /// Seconds that sound, at most 30 dB softer than the loudest ones, without a note: their pitch
    /// is below 27 Hz or above 4.8 kHz, or there is none or more than one.
    pub without_note: f64,
}

/// Transcribes the notes of `heard`, in order, without overlaps; its pitch must be tracked. See
/// [`Transcription::notes`].
pub fn melody(heard: &Spectrogram) -> Vec<Note> {
    transcribe(heard).notes
}

/// Transcribes `heard`, whose pitch must be tracked.
pub fn transcribe(heard: &Spectrogram) -> Transcription {
    let mut tracker = Tracker::new();
    let mut told: Vec<Heard> = Vec::new();
    let mut sink = |note: Heard| told.extend(note.end.is_some().then_some(note));
    for (i, frame) in heard.pitch.iter().enumerate() {
        let spectrum = heard.data.get(i * CHANNELS..(i + 1) * CHANNELS);
        tracker.take(spectrum.unwrap_or(&[]), frame, &mut sink);
    }
    tracker.finish(&mut sink);
    let seconds = |frames: usize| frames as f64 / heard.frame_rate.max(1.0);
    let loudest = told.iter().map(|n| n.level_db).fold(f32::MIN, f32::max);
    let notes = told.iter().filter_map(|note| {
        let end = note.end?;
        Some(Note {
            onset: seconds(note.onset),
            duration: seconds(end - note.onset),
            key: note.key,
            velocity: velocity(note.level_db - loudest),
        })
    });
    let levels = || heard.pitch.iter().map(|p| p.level_db);
    let counted = levels().fold(f32::MIN, f32::max) - COUNTED_DB;
    let mut covered = vec![false; heard.pitch.len()];
    for note in &told {
        let end = note.end.unwrap_or(note.onset).min(covered.len());
        covered[note.onset.min(end)..end].fill(true);
    }
    let bare = levels()
        .zip(covered)
        .filter(|&(l, c)| l > counted.max(-100.0) && !c);
    Transcription {
        without_note: seconds(bare.count()),
        notes: notes.collect(),
    }
}

/// Velocity that plays a note `db` decibels softer than at 1; the synth's amplitude is
/// 1 - response (1 - velocity^2).
pub(crate) fn velocity(db: f32) -> f32 {
    let gain = 10f32.powf(db / 20.0);
    let response = PARAMS[VELOCITY].default;
    (1.0 - (1.0 - gain) / response)
        .max(0.0)
        .sqrt()
        .clamp(0.1, 1.0)
}

#[cfg(test)]
mod tests;
