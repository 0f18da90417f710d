//! Events: notes, controllers and expressions, with their times.

/// A note, or a change to a note or a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EventKind {
    /// Starts a note. `id` tells it from others of the same key (-1: none given).
    NoteOn {
        /// Host's voice id, or -1.
        id: i32,
        /// MIDI channel 0 to 15.
        channel: u8,
        /// MIDI pitch; 69 = 440 Hz; may be fractional.
        key: f32,
        /// 0 to 1.
        velocity: f32,
    },
    /// Ends a note. Matches on `id` where both have one, else on channel and key.
    NoteOff {
        /// Host's voice id, or -1.
        id: i32,
        /// MIDI channel.
        channel: u8,
        /// MIDI pitch.
        key: f32,
    },
    /// Silences a note at once (within a few ms, click-free).
    Choke {
        /// Host's voice id, or -1.
        id: i32,
        /// MIDI channel.
        channel: u8,
        /// MIDI pitch.
        key: f32,
    },
    /// Pitch bend, -1 to 1 of the bend range.
    PitchBend {
        /// MIDI channel.
        channel: u8,
        /// -1 to 1.
        value: f32,
    },
    /// Modulation wheel.
    ModWheel {
        /// MIDI channel.
        channel: u8,
        /// 0 to 1.
        value: f32,
    },
    /// Pressure on all keys of a channel.
    ChannelPressure {
        /// MIDI channel.
        channel: u8,
        /// 0 to 1.
        value: f32,
    },
    /// Brightness (MPE: timbre, controller 74) of all notes of a channel; as
    /// [`EventKind::Brightness`].
    ChannelBrightness {
        /// MIDI channel.
        channel: u8,
        /// 0 to 1.
        value: f32,
    },
    /// Sustain pedal.
    Sustain {
        /// MIDI channel.
        channel: u8,
        /// Whether the pedal is down.
        down: bool,
    },
    /// Releases every note.
    AllNotesOff,
    /// Silences every note at once.
    AllSoundOff,
    /// Per-note tuning expression, semitones.
    Tuning {
        /// Host's voice id, or -1.
        id: i32,
        /// MIDI channel.
        channel: u8,
        /// MIDI pitch.
        key: f32,
        /// Offset in semitones.
        semitones: f32,
    },
    /// Per-note gain expression, linear, 1 = unchanged.
    Volume {
        /// Host's voice id, or -1.
        id: i32,
        /// MIDI channel.
        channel: u8,
        /// MIDI pitch.
        key: f32,
        /// Linear gain, 0 to 4.
        gain: f32,
    },
    /// Per-note pan expression, -1 left to 1 right.
    Pan {
        /// Host's voice id, or -1.
        id: i32,
        /// MIDI channel.
        channel: u8,
        /// MIDI pitch.
        key: f32,
        /// -1 to 1.
        pan: f32,
    },
    /// Per-note brightness expression, 0 to 1, 0.5 = unchanged: moves the cutoff by +-2 octaves.
    Brightness {
        /// Host's voice id, or -1.
        id: i32,
        /// MIDI channel.
        channel: u8,
        /// MIDI pitch.
        key: f32,
        /// 0 to 1.
        value: f32,
    },
    /// Per-note pressure, 0 to 1.
    Pressure {
        /// Host's voice id, or -1.
        id: i32,
        /// MIDI channel.
        channel: u8,
        /// MIDI pitch.
        key: f32,
        /// 0 to 1.
        value: f32,
    },
    /// Per-note modulation of a parameter that [`crate::can_modulate`]; ignored for others.
    Modulation {
        /// Host's voice id.
        id: i32,
        /// Row of the parameter table.
        row: usize,
        /// Offset to the normalised value, -1 to 1.
        offset: f32,
    },
}

/// An event at a sample offset within the block it is handed over with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Samples from the start of the block; at most its length.
    pub time: u32,
    /// The event.
    pub kind: EventKind,
}
