//! The host's note events in the synth's terms.

use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::{NoteEvent, control_change};
use synth::{Event, EventKind};

/// Largest gain of a volume expression, linear (+12 dB).
const MAX_GAIN: f32 = 4.0;

/// `x` within `low` and `high`; `neutral` when it is no number.
fn within(x: f32, low: f32, high: f32, neutral: f32) -> f32 {
    if x.is_nan() {
        neutral
    } else {
        x.clamp(low, high)
    }
}

/// Hands on what an event means to the synth; nothing when it plays no part there.
pub fn translate(event: &NoteEvent<()>, mut push: impl FnMut(Event)) {
    use NoteEvent as E;
    let address = |voice: VoiceID, channel: Channel, key: Key| {
        (
            voice.id().unwrap_or(-1),
            channel.number().unwrap_or(0),
            f32::from(key.number_or_middle_c()),
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
                    velocity: within(velocity, 0.0, 1.0, 0.0),
                },
            )
        }
        E::NoteOff {
            timing,
            voice_id,
            key,
            ..
        } if all(voice_id, key) => (timing, EventKind::AllNotesOff),
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
            key,
            ..
        } if all(voice_id, key) => (timing, EventKind::AllSoundOff),
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
            let semitones = within(tuning, -128.0, 128.0, 0.0);
            (
                timing,
                EventKind::Tuning {
                    id,
                    channel,
                    key,
                    semitones,
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
                    gain: within(gain, 0.0, MAX_GAIN, 1.0),
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
            let pan = within(pan, -1.0, 1.0, 0.0);
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
                    value: within(brightness, 0.0, 1.0, 0.5),
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
                    value: within(pressure, 0.0, 1.0, 0.0),
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
                offset: within(normalized_offset, -1.0, 1.0, 0.0),
            },
        ),
        E::MidiChannelPressure {
            timing,
            channel,
            pressure,
        } => {
            let value = within(pressure, 0.0, 1.0, 0.0);
            (timing, EventKind::ChannelPressure { channel, value })
        }
        E::MidiPitchBend {
            timing,
            channel,
            value,
        } => {
            let value = within(value, 0.0, 1.0, 0.5) * 2.0 - 1.0;
            (timing, EventKind::PitchBend { channel, value })
        }
        E::MidiCC {
            timing,
            channel,
            cc,
            value,
        } => {
            return controller(channel, cc, value, |kind| {
                push(Event { time: timing, kind })
            });
        }
        _ => return,
    };
    push(Event { time, kind });
}

/// Hands on what a MIDI controller means to the synth.
fn controller(channel: u8, cc: u8, value: f32, mut push: impl FnMut(EventKind)) {
    let within = |neutral| within(value, 0.0, 1.0, neutral);
    match cc {
        control_change::MODULATION_MSB => push(EventKind::ModWheel {
            channel,
            value: within(0.0),
        }),
        // MPE's third dimension, which MIDI calls brightness too.
        control_change::SOUND_CONTROLLER_5 => push(EventKind::ChannelBrightness {
            channel,
            value: within(0.5),
        }),
        control_change::DAMPER_PEDAL => push(EventKind::Sustain {
            channel,
            down: value >= 0.5,
        }),
        control_change::ALL_SOUND_OFF => push(EventKind::AllSoundOff),
        control_change::RESET_ALL_CONTROLLERS => {
            push(EventKind::Sustain {
                channel,
                down: false,
            });
            push(EventKind::PitchBend {
                channel,
                value: 0.0,
            });
            push(EventKind::ModWheel {
                channel,
                value: 0.0,
            });
            push(EventKind::ChannelPressure {
                channel,
                value: 0.0,
            });
            push(EventKind::ChannelBrightness {
                channel,
                value: 0.5,
            });
        }
        // The mode messages that follow it imply it.
        control_change::ALL_NOTES_OFF..=control_change::POLY_MODE_ON => {
            push(EventKind::AllNotesOff)
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
