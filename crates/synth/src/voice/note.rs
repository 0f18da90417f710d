//! The note that a voice plays.

/// A note's name and expression.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoteState {
    /// Host's voice id, or -1.
    pub id: i32,
    /// MIDI channel.
    pub channel: u8,
    /// MIDI pitch.
    pub key: f32,
    /// Velocity, 0 to 1.
    pub velocity: f32,
    /// Tuning expression, semitones.
    pub tuning: f32,
    /// Gain expression, linear, 0 to 4.
    pub volume: f32,
    /// Pan expression, -1 left to 1 right.
    pub pan: f32,
    /// Brightness expression, octaves of cutoff.
    pub brightness: f32,
    /// Pressure, 0 to 1.
    pub pressure: f32,
}

impl NoteState {
    /// A note without expression.
    pub fn new(id: i32, channel: u8, key: f32, velocity: f32) -> Self {
        Self {
            id,
            channel,
            key,
            velocity,
            volume: 1.0,
            ..Self::default()
        }
    }
}
