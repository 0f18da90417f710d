//! The melodies, composed for the demo.

/// A note of a melody.
#[derive(Clone, Copy)]
pub struct Note {
    /// Beginning, in beats.
    pub beat: f64,
    /// Length, in beats.
    pub beats: f64,
    /// MIDI key.
    pub key: f64,
    /// Dynamics, 0 to 1.
    pub velocity: f64,
}

/// A melody of single notes, in order of time.
pub struct Melody {
    /// Length of a beat in seconds.
    pub beat: f64,
    /// Length of the recording in seconds.
    pub seconds: f64,
    /// Level of the room, relative to the instrument.
    pub wet: f64,
    /// The notes.
    pub notes: &'static [Note],
}

impl Note {
    /// Fundamental frequency in Hz.
    pub fn hz(&self) -> f64 {
        440.0 * 2f64.powf((self.key - 69.0) / 12.0)
    }
}

impl Melody {
    /// Time of a beat in seconds; the first comes after a short silence.
    pub fn time(&self, beat: f64) -> f64 {
        0.08 + beat * self.beat
    }
}

const fn note(beat: f64, beats: f64, key: f64, velocity: f64) -> Note {
    Note {
        beat,
        beats,
        key,
        velocity,
    }
}

/// Melody of the plucked string: broken chords that rise and come to rest.
pub const PLUCKED: Melody = Melody {
    beat: 0.46,
    seconds: 5.0,
    wet: 0.22,
    notes: &[
        note(0.0, 0.5, 57.0, 0.75),
        note(0.5, 0.5, 64.0, 0.55),
        note(1.0, 0.5, 69.0, 0.7),
        note(1.5, 0.5, 71.0, 0.6),
        note(2.0, 1.0, 72.0, 0.95),
        note(3.0, 0.5, 71.0, 0.65),
        note(3.5, 0.5, 67.0, 0.6),
        note(4.0, 1.0, 69.0, 0.9),
        note(5.0, 0.5, 64.0, 0.6),
        note(5.5, 0.5, 62.0, 0.55),
        note(6.0, 0.5, 60.0, 0.6),
        note(6.5, 0.5, 62.0, 0.5),
        note(7.0, 3.0, 57.0, 0.85),
    ],
};

/// Melody of the reed: a slow line in one breath, with a swell.
pub const BLOWN: Melody = Melody {
    beat: 0.52,
    seconds: 5.0,
    wet: 0.16,
    notes: &[
        note(0.0, 1.5, 62.0, 0.55),
        note(1.5, 0.5, 64.0, 0.6),
        note(2.0, 1.0, 65.0, 0.7),
        note(3.0, 1.0, 69.0, 0.85),
        note(4.0, 1.5, 67.0, 1.0),
        note(5.5, 0.5, 65.0, 0.75),
        note(6.0, 0.75, 64.0, 0.65),
        note(6.75, 0.25, 65.0, 0.6),
        note(7.0, 1.85, 62.0, 0.55),
    ],
};

/// Melody of the tine piano: a syncopated phrase with strong accents.
pub const STRUCK: Melody = Melody {
    beat: 0.54,
    seconds: 5.0,
    wet: 0.2,
    notes: &[
        note(0.0, 0.7, 66.0, 0.8),
        note(0.75, 0.7, 69.0, 0.55),
        note(1.5, 0.45, 73.0, 0.7),
        note(2.0, 0.9, 76.0, 1.0),
        note(3.0, 0.45, 74.0, 0.6),
        note(3.5, 0.9, 73.0, 0.8),
        note(4.5, 0.45, 69.0, 0.5),
        note(5.0, 0.9, 71.0, 0.75),
        note(6.0, 0.45, 68.0, 0.55),
        note(6.5, 2.0, 66.0, 0.9),
    ],
};
