//! A note as its voice knows it.

/// A note's name and expression.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoteState {
    /// Host's id or -1.
    pub id: i32,
    /// MIDI channel.
    pub channel: u8,
    /// MIDI pitch.
    pub key: f32,
    /// 0 to 1.
    pub velocity: f32,
    /// Tuning expression, semitones.
    pub tuning: f32,
    /// Gain expression.
    pub volume: f32,
    /// -1 to 1.
    pub pan: f32,
    /// Octaves of cutoff.
    pub brightness: f32,
    /// 0 to 1.
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
