//! Pitch and gate of one frame, and MIDI keys.

/// Number of pitches that are kept of a frame.
pub const TONES: usize = 6;

/// A pitch that a frame may have.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tone {
    /// Frequency in Hz.
    pub hz: f32,
    /// Similarity of the sound to itself one period later, 0 to 1; 0 if there is no such pitch.
    pub clarity: f32,
}

/// Pitch and gate of a frame, reported [`crate::PITCH_DELAY`] after its end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PitchFrame {
    /// Fundamental in Hz; meaningful while `voiced`.
    pub hz: f32,
    /// True if a pitched sound is present.
    pub voiced: bool,
    /// Normalised autocorrelation peak, 0 to 1.
    pub clarity: f32,
    /// RMS level in dBFS, at least -120.
    pub level_db: f32,
    /// Pitches that the frame may have, highest first, each clearer than the ones before it: what
    /// `hz` is chosen from by [`PITCH_DELAY`](crate::PITCH_DELAY), and a note tracker later.
    pub tones: [Tone; TONES],
}

impl PitchFrame {
    /// The MIDI key of the pitch, with its fraction (69.0 is A4, 440 Hz); meaningful while
    /// `voiced`.
    pub fn key(&self) -> f32 {
        69.0 + 12.0 * (self.hz / 440.0).log2()
    }
}

/// Frequency in Hz of a MIDI key with a fraction: the inverse of [`PitchFrame::key`].
pub fn key_to_hz(key: f64) -> f64 {
    440.0 * ((key - 69.0) / 12.0).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_semitones_around_a4_and_come_back_from_their_frequency() {
        let key = |hz: f64| {
            let hz = hz as f32;
            PitchFrame {
                hz,
                ..PitchFrame::default()
            }
            .key()
        };
        assert_eq!(
            (key(440.0), key(880.0), key_to_hz(57.0)),
            (69.0, 81.0, 220.0)
        );
        assert!((key(261.6256) - 60.0).abs() < 1e-4);
        for sixteenths in 0..=16 * 127 {
            let want = f64::from(sixteenths) / 16.0;
            assert!(
                (f64::from(key(key_to_hz(want))) - want).abs() < 1e-4,
                "{want}"
            );
        }
    }
}
