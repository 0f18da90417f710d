//! Translation of the host's note events into the synth's, which brings their values into range
//! itself.

use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::NoteEvent;
use synth::{ANY_CHANNEL, ANY_KEY, Event, EventKind};

/// The synth's version of an event; `None` where the synth has no use for it.
pub fn translate(event: &NoteEvent<()>) -> Option<Event> {
    use NoteEvent as E;
    let address = |voice: VoiceID, channel: Channel, key: Key| {
        (
            voice.id().unwrap_or(-1),
            channel.number().unwrap_or(ANY_CHANNEL),
            key.number().map_or(ANY_KEY, f32::from),
        )
    };
    // A host may end notes without naming them.
    let all = |voice: VoiceID, key: Key| voice.is_wildcard() && key.is_wildcard();
    let (time, kind) = match *event {
        E::NoteOn {
            timing,
            voice_id,
            channel,
            key,
            velocity,
        } => {
            let (id, channel, key) = address(voice_id, channel, key);
            (
                timing,
                EventKind::NoteOn {
                    id,
                    channel,
                    key,
                    velocity,
                },
            )
        }
        E::NoteOff {
            timing,
            voice_id,
            channel,
            key,
            ..
        } if all(voice_id, key) => {
            let channel = channel.number().unwrap_or(ANY_CHANNEL);
            (timing, EventKind::AllNotesOff { channel })
        }
        E::NoteOff {
            timing,
            voice_id,
            channel,
            key,
            ..
        } => {
            let (id, channel, key) = address(voice_id, channel, key);
            (timing, EventKind::NoteOff { id, channel, key })
        }
        E::Choke {
            timing,
            voice_id,
            channel,
            key,
            ..
        } if all(voice_id, key) => {
            let channel = channel.number().unwrap_or(ANY_CHANNEL);
            (timing, EventKind::AllSoundOff { channel })
        }
        E::Choke {
            timing,
            voice_id,
            channel,
            key,
        } => {
            let (id, channel, key) = address(voice_id, channel, key);
            (timing, EventKind::Choke { id, channel, key })
        }
        E::PolyTuning {
            timing,
            voice_id,
            channel,
            key,
            tuning,
        } => {
            let (id, channel, key) = address(voice_id, channel, key);
            (
                timing,
                EventKind::Tuning {
                    id,
                    channel,
                    key,
                    semitones: tuning,
                },
            )
        }
        E::PolyVolume {
            timing,
            voice_id,
            channel,
            key,
            gain,
        } => {
            let (id, channel, key) = address(voice_id, channel, key);
            (
                timing,
                EventKind::Volume {
                    id,
                    channel,
                    key,
                    gain,
                },
            )
        }
        E::PolyPan {
            timing,
            voice_id,
            channel,
            key,
            pan,
        } => {
            let (id, channel, key) = address(voice_id, channel, key);
            (
                timing,
                EventKind::Pan {
                    id,
                    channel,
                    key,
                    pan,
                },
            )
        }
        E::PolyBrightness {
            timing,
            voice_id,
            channel,
            key,
            brightness,
        } => {
            let (id, channel, key) = address(voice_id, channel, key);
            (
                timing,
                EventKind::Brightness {
                    id,
                    channel,
                    key,
                    value: brightness,
                },
            )
        }
        E::PolyPressure {
            timing,
            voice_id,
            channel,
            key,
            pressure,
        } => {
            let (id, channel, key) = address(voice_id, channel, key);
            (
                timing,
                EventKind::Pressure {
                    id,
                    channel,
                    key,
                    value: pressure,
                },
            )
        }
        E::PolyModulation {
            timing,
            voice_id,
            poly_modulation_id,
            normalized_offset,
        } => (
            timing,
            EventKind::Modulation {
                id: voice_id,
                row: poly_modulation_id as usize,
                offset: normalized_offset,
            },
        ),
        E::MidiChannelPressure {
            timing,
            channel,
            pressure,
        } => (
            timing,
            EventKind::ChannelPressure {
                channel,
                value: pressure,
            },
        ),
        E::MidiPitchBend {
            timing,
            channel,
            value,
        } => (
            timing,
            EventKind::PitchBend {
                channel,
                value: 2.0 * value - 1.0,
            },
        ),
        E::MidiCC {
            timing,
            channel,
            cc,
            value,
        } => (timing, EventKind::of_controller(channel, cc, value)?),
        _ => return None,
    };
    Some(Event { time, kind })
}

#[cfg(test)]
mod tests;
