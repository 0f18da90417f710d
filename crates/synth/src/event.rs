//! Events: notes, controllers and expressions, with their times.

use crate::params::{COUNT, can_modulate};

/// Channel of an event that ends, silences or expresses the notes of every channel.
pub const ANY_CHANNEL: u8 = u8::MAX;
/// Key of an event that ends, silences or expresses the notes of every key.
pub const ANY_KEY: f32 = f32::NEG_INFINITY;

/// A note, or a change to a note or a channel. The synth brings numbers that are out of range into
/// it.
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
    /// Ends a note. Matches on `id` where both have one, else on channel and key, which may be
    /// [`ANY_CHANNEL`] and [`ANY_KEY`]; so do all events that name a note.
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
    /// Volume of a channel's notes.
    ChannelVolume {
        /// MIDI channel.
        channel: u8,
        /// 0 to 1; the gain is its square.
        value: f32,
    },
    /// Expression of a channel's notes: a second volume, for playing.
    ChannelExpression {
        /// MIDI channel.
        channel: u8,
        /// 0 to 1; the gain is its square.
        value: f32,
    },
    /// Pan of a channel's notes.
    ChannelPan {
        /// MIDI channel.
        channel: u8,
        /// -1 left to 1 right.
        pan: f32,
    },
    /// Sustain pedal.
    Sustain {
        /// MIDI channel.
        channel: u8,
        /// Whether the pedal is down.
        down: bool,
    },
    /// Sostenuto pedal: holds the notes whose keys are down as it goes down, and no later ones.
    Sostenuto {
        /// MIDI channel.
        channel: u8,
        /// Whether the pedal is down.
        down: bool,
    },
    /// Returns a channel's controllers, or a zone's, to rest: all but volume, pan and, outside of
    /// MPE, brightness.
    ResetControllers {
        /// MIDI channel.
        channel: u8,
    },
    /// One of the controllers that choose a registered parameter and set it, in their order: 101
    /// and 100, then 6 and 38. Parameter 0 is a channel's bend range, parameter 6 of channels 1
    /// and 16 an MPE zone.
    DataEntry {
        /// MIDI channel.
        channel: u8,
        /// Number of the controller.
        controller: u8,
        /// 0 to 127.
        value: u8,
    },
    /// Releases every note of a channel; of a zone, if it is the master's (MPE).
    AllNotesOff {
        /// MIDI channel, or [`ANY_CHANNEL`].
        channel: u8,
    },
    /// Silences every note of a channel at once, or of a zone, and what rings in the effects.
    AllSoundOff {
        /// MIDI channel, or [`ANY_CHANNEL`].
        channel: u8,
    },
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

/// `x` between `low` and `high`; `neutral` where it is NaN.
fn within(x: f32, low: f32, high: f32, neutral: f32) -> f32 {
    if x.is_nan() {
        neutral
    } else {
        x.clamp(low, high)
    }
}

/// Pan for a controller's value: MIDI's middle is 64 of 127, that of a host's 0 to 1 is 63.5.
fn pan(value: f32) -> f32 {
    match 127.0 * value {
        x if (63.5..=64.001).contains(&x) => 0.0,
        x => ((x - 64.0) / 63.0).max(-1.0),
    }
}

impl EventKind {
    /// The meaning of a MIDI controller's change; `None` where it has none here. `value` is 0 to 1.
    pub fn of_controller(channel: u8, controller: u8, value: f32) -> Option<Self> {
        let down = value >= 0.5;
        Some(match controller {
            1 => Self::ModWheel { channel, value },
            6 | 38 | 98..=101 => Self::DataEntry {
                channel,
                controller,
                value: (127.0 * value).round() as u8,
            },
            7 => Self::ChannelVolume { channel, value },
            10 => Self::ChannelPan {
                channel,
                pan: pan(value),
            },
            11 => Self::ChannelExpression { channel, value },
            64 => Self::Sustain { channel, down },
            66 => Self::Sostenuto { channel, down },
            // MPE's third dimension, which MIDI calls brightness too.
            74 => Self::ChannelBrightness { channel, value },
            120 => Self::AllSoundOff { channel },
            121 => Self::ResetControllers { channel },
            // The mode messages that follow "all notes off" imply it.
            123..=127 => Self::AllNotesOff { channel },
            _ => return None,
        })
    }

    /// The event with its channel and values in range, NaN replaced by the value that changes
    /// nothing; `None` for what can't be played: a note without a finite key, or the modulation of
    /// a row that can't be modulated. Whatever a host sends, only this reaches the voices.
    pub(crate) fn sanitized(mut self) -> Option<Self> {
        use EventKind::*;
        match &mut self {
            NoteOn { key, velocity, .. } => {
                if !key.is_finite() {
                    return None;
                }
                *key = key.clamp(-24.0, 160.0);
                *velocity = within(*velocity, 0.0, 1.0, 0.0);
            }
            PitchBend { value, .. } => *value = within(*value, -1.0, 1.0, 0.0),
            ModWheel { value, .. } | ChannelPressure { value, .. } | Pressure { value, .. } => {
                *value = within(*value, 0.0, 1.0, 0.0);
            }
            ChannelBrightness { value, .. } | Brightness { value, .. } => {
                *value = within(*value, 0.0, 1.0, 0.5);
            }
            Tuning { semitones, .. } => *semitones = within(*semitones, -120.0, 120.0, 0.0),
            Volume { gain, .. } => *gain = within(*gain, 0.0, 4.0, 1.0),
            Pan { pan, .. } | ChannelPan { pan, .. } => *pan = within(*pan, -1.0, 1.0, 0.0),
            ChannelVolume { value, .. } | ChannelExpression { value, .. } => {
                *value = within(*value, 0.0, 1.0, 1.0);
            }
            DataEntry { value, .. } => *value = (*value).min(127),
            Modulation { row, offset, .. } => {
                if *row >= COUNT || !can_modulate(*row) {
                    return None;
                }
                *offset = within(*offset, -1.0, 1.0, 0.0);
            }
            NoteOff { .. }
            | Choke { .. }
            | Sustain { .. }
            | Sostenuto { .. }
            | ResetControllers { .. }
            | AllNotesOff { .. }
            | AllSoundOff { .. } => {}
        }
        match &mut self {
            NoteOn { channel, .. }
            | PitchBend { channel, .. }
            | ModWheel { channel, .. }
            | ChannelPressure { channel, .. }
            | ChannelBrightness { channel, .. }
            | ChannelVolume { channel, .. }
            | ChannelExpression { channel, .. }
            | ChannelPan { channel, .. }
            | Sustain { channel, .. }
            | Sostenuto { channel, .. }
            | ResetControllers { channel }
            | DataEntry { channel, .. } => *channel &= 15,
            NoteOff { channel, .. }
            | Choke { channel, .. }
            | Tuning { channel, .. }
            | Volume { channel, .. }
            | Pan { channel, .. }
            | Brightness { channel, .. }
            | Pressure { channel, .. }
            | AllNotesOff { channel }
            | AllSoundOff { channel } => {
                if *channel != ANY_CHANNEL {
                    *channel &= 15;
                }
            }
            Modulation { .. } => {}
        }
        Some(self)
    }
}

/// An event at a sample offset within the block it is handed over with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Samples from the start of the block; at most its length.
    pub time: u32,
    /// The event.
    pub kind: EventKind,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{FILTER_CUTOFF, FILTER_TYPE};

    fn expressions(channel: u8, x: f32) -> [EventKind; 14] {
        use EventKind::*;
        let (id, key, value) = (7, 64.0, x);
        [
            NoteOn {
                id,
                channel,
                key,
                velocity: x,
            },
            PitchBend { channel, value },
            ModWheel { channel, value },
            ChannelPressure { channel, value },
            ChannelBrightness { channel, value },
            ChannelVolume { channel, value },
            ChannelExpression { channel, value },
            ChannelPan { channel, pan: x },
            Tuning {
                id,
                channel,
                key,
                semitones: x,
            },
            Volume {
                id,
                channel,
                key,
                gain: x,
            },
            Pan {
                id,
                channel,
                key,
                pan: x,
            },
            Brightness {
                id,
                channel,
                key,
                value,
            },
            Pressure {
                id,
                channel,
                key,
                value,
            },
            Modulation {
                id,
                row: FILTER_CUTOFF,
                offset: x,
            },
        ]
    }

    /// The value of an event, its range, and its value where nothing is expressed.
    fn value(event: EventKind) -> (f32, [f32; 2], f32) {
        use EventKind::*;
        match event {
            NoteOn { velocity, .. } => (velocity, [0.0, 1.0], 0.0),
            Tuning { semitones, .. } => (semitones, [-120.0, 120.0], 0.0),
            Volume { gain, .. } => (gain, [0.0, 4.0], 1.0),
            Pan { pan, .. } | ChannelPan { pan, .. } => (pan, [-1.0, 1.0], 0.0),
            ChannelVolume { value, .. } | ChannelExpression { value, .. } => {
                (value, [0.0, 1.0], 1.0)
            }
            PitchBend { value, .. } => (value, [-1.0, 1.0], 0.0),
            Brightness { value, .. } | ChannelBrightness { value, .. } => (value, [0.0, 1.0], 0.5),
            Pressure { value, .. } | ChannelPressure { value, .. } | ModWheel { value, .. } => {
                (value, [0.0, 1.0], 0.0)
            }
            Modulation {
                offset,
                row: FILTER_CUTOFF,
                ..
            } => (offset, [-1.0, 1.0], 0.0),
            other => panic!("{other:?} has no value"),
        }
    }

    /// Checks that nothing out of range from a broken host reaches the voices.
    #[test]
    fn expressions_are_brought_into_range() {
        for bad in [f32::INFINITY, f32::NEG_INFINITY, 1e9, -1e9] {
            for event in expressions(3, bad) {
                let (got, [low, high], _) = value(event.sanitized().unwrap());
                let want = if bad > 0.0 { high } else { low };
                assert_eq!(got, want, "{event:?}");
            }
        }
        for event in expressions(3, f32::NAN) {
            let (got, _, neutral) = value(event.sanitized().unwrap());
            assert_eq!(got, neutral, "{event:?}");
        }
        assert_eq!(
            expressions(0x83, 0.3).map(|e| e.sanitized()),
            expressions(3, 0.3).map(Some)
        );
    }

    #[test]
    fn pan_has_a_middle_and_ends() {
        for (value, want) in [(0, -1.0), (1, -1.0), (64, 0.0), (127, 1.0)] {
            let got = pan(value as f32 / 127.0);
            assert!((got - want).abs() < 1e-6, "{value}: {got}");
        }
        assert_eq!(pan(0.5), 0.0);
    }

    #[test]
    fn what_cannot_be_played_is_dropped() {
        for key in [f32::NAN, f32::INFINITY] {
            let (id, channel, velocity) = (7, 3, 0.5);
            let event = EventKind::NoteOn {
                id,
                channel,
                key,
                velocity,
            };
            assert_eq!(event.sanitized(), None);
        }
        for row in [FILTER_TYPE, COUNT, usize::MAX] {
            let event = EventKind::Modulation {
                id: 7,
                row,
                offset: 0.5,
            };
            assert_eq!(event.sanitized(), None);
        }
    }
}
