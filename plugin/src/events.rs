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
    match cc {
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
        }
        // The mode messages that follow it imply it.
        control_change::ALL_NOTES_OFF..=control_change::POLY_MODE_ON => {
            push(EventKind::AllNotesOff)
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOICE: VoiceID = VoiceID::ID(7);
    const CHANNEL: Channel = Channel::Number(3);
    const KEY: Key = Key::Number(64);

    fn kinds(event: NoteEvent<()>) -> Vec<EventKind> {
        let mut kinds = Vec::new();
        translate(&event, |event| {
            assert_eq!(event.time, 5);
            kinds.push(event.kind);
        });
        kinds
    }

    fn cc(cc: u8, value: f32) -> Vec<EventKind> {
        kinds(NoteEvent::MidiCC {
            timing: 5,
            channel: 3,
            cc,
            value,
        })
    }

    #[test]
    fn notes_keep_their_address() {
        let (id, channel, key) = (7, 3, 64.0);
        let on = NoteEvent::NoteOn {
            timing: 5,
            voice_id: VOICE,
            channel: CHANNEL,
            key: KEY,
            velocity: 0.5,
        };
        assert_eq!(
            kinds(on),
            [EventKind::NoteOn {
                id,
                channel,
                key,
                velocity: 0.5
            }]
        );
        let off = NoteEvent::NoteOff {
            timing: 5,
            voice_id: VoiceID::Wildcard,
            channel: CHANNEL,
            key: KEY,
            velocity: 0.0,
        };
        assert_eq!(
            kinds(off),
            [EventKind::NoteOff {
                id: -1,
                channel,
                key
            }]
        );
        let choke = NoteEvent::Choke {
            timing: 5,
            voice_id: VOICE,
            channel: CHANNEL,
            key: KEY,
        };
        assert_eq!(kinds(choke), [EventKind::Choke { id, channel, key }]);
    }

    #[test]
    fn a_note_off_without_an_address_ends_all() {
        let off = NoteEvent::NoteOff {
            timing: 5,
            voice_id: VoiceID::Wildcard,
            channel: Channel::Wildcard,
            key: Key::Wildcard,
            velocity: 0.0,
        };
        assert_eq!(kinds(off), [EventKind::AllNotesOff]);
    }

    #[test]
    fn controllers() {
        let channel = 3;
        assert_eq!(
            cc(64, 1.0),
            [EventKind::Sustain {
                channel,
                down: true
            }]
        );
        assert_eq!(
            cc(64, 0.2),
            [EventKind::Sustain {
                channel,
                down: false
            }]
        );
        assert_eq!(cc(120, 0.0), [EventKind::AllSoundOff]);
        assert_eq!(cc(123, 0.0), [EventKind::AllNotesOff]);
        assert_eq!(cc(121, 0.0).len(), 2);
        assert_eq!(cc(7, 1.0), []);
        let bend = |value| {
            kinds(NoteEvent::MidiPitchBend {
                timing: 5,
                channel,
                value,
            })
        };
        assert_eq!(
            bend(0.5),
            [EventKind::PitchBend {
                channel,
                value: 0.0
            }]
        );
        assert_eq!(
            bend(0.0),
            [EventKind::PitchBend {
                channel,
                value: -1.0
            }]
        );
    }

    /// What a broken host sends must not reach the voices.
    #[test]
    fn expressions_are_brought_into_range() {
        let (id, channel, key) = (7, 3, 64.0);
        let (timing, voice_id) = (5, VOICE);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e9, -1e9] {
            for event in [
                NoteEvent::NoteOn {
                    timing,
                    voice_id,
                    channel: CHANNEL,
                    key: KEY,
                    velocity: bad,
                },
                NoteEvent::PolyTuning {
                    timing,
                    voice_id,
                    channel: CHANNEL,
                    key: KEY,
                    tuning: bad,
                },
                NoteEvent::PolyVolume {
                    timing,
                    voice_id,
                    channel: CHANNEL,
                    key: KEY,
                    gain: bad,
                },
                NoteEvent::PolyPan {
                    timing,
                    voice_id,
                    channel: CHANNEL,
                    key: KEY,
                    pan: bad,
                },
                NoteEvent::PolyBrightness {
                    timing,
                    voice_id,
                    channel: CHANNEL,
                    key: KEY,
                    brightness: bad,
                },
                NoteEvent::MidiPitchBend {
                    timing,
                    channel,
                    value: bad,
                },
            ] {
                let (value, low, high) = match kinds(event)[0] {
                    EventKind::NoteOn { velocity, .. } => (velocity, 0.0, 1.0),
                    EventKind::Tuning { semitones, .. } => (semitones, -128.0, 128.0),
                    EventKind::Volume { gain, .. } => (gain, 0.0, MAX_GAIN),
                    EventKind::Pan { pan, .. } => (pan, -1.0, 1.0),
                    EventKind::Brightness { value, .. } => (value, 0.0, 1.0),
                    EventKind::PitchBend { value, .. } => (value, -1.0, 1.0),
                    other => panic!("{event:?} became {other:?}"),
                };
                assert!((low..=high).contains(&value), "{event:?} gave {value}");
            }
        }
        let tuning = NoteEvent::PolyTuning {
            timing,
            voice_id,
            channel: CHANNEL,
            key: KEY,
            tuning: 1.5,
        };
        assert_eq!(
            kinds(tuning),
            [EventKind::Tuning {
                id,
                channel,
                key,
                semitones: 1.5
            }]
        );
    }
}
