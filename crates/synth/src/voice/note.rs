//! The note that a voice plays.

use crate::controllers::Controllers;
use crate::shared::SharedState;

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
    /// The controllers of a zone's member channel (MPE) as they were when its key was let go: the
    /// channel may be another note's since.
    pub left: Option<Controllers>,
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

    /// Whether a host names both notes alike.
    pub fn has_name_of(&self, other: &Self) -> bool {
        (self.channel, self.key, self.id) == (other.channel, other.key, other.id)
    }

    /// Keeps what the controllers of its channel are, if it has the channel for its own and did
    /// not leave it before.
    pub fn leave_channel(&mut self, shared: &SharedState) {
        if self.left.is_none() && shared.is_member(self.channel) {
            self.left = Some(shared.channels[self.channel as usize]);
        }
    }
}
