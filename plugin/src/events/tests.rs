//! Host events and what the synthesizer gets of them.

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
    assert_eq!(cc(121, 0.0).len(), 5);
    assert_eq!(
        cc(1, 0.5),
        [EventKind::ModWheel {
            channel,
            value: 0.5
        }]
    );
    assert_eq!(
        cc(74, 0.25),
        [EventKind::ChannelBrightness {
            channel,
            value: 0.25
        }]
    );
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
            NoteEvent::PolyPressure {
                timing,
                voice_id,
                channel: CHANNEL,
                key: KEY,
                pressure: bad,
            },
            NoteEvent::MidiChannelPressure {
                timing,
                channel,
                pressure: bad,
            },
            NoteEvent::PolyModulation {
                timing,
                voice_id: id,
                poly_modulation_id: 3,
                normalized_offset: bad,
            },
        ] {
            let (value, low, high) = match kinds(event)[0] {
                EventKind::NoteOn { velocity, .. } => (velocity, 0.0, 1.0),
                EventKind::Tuning { semitones, .. } => (semitones, -128.0, 128.0),
                EventKind::Volume { gain, .. } => (gain, 0.0, MAX_GAIN),
                EventKind::Pan { pan, .. } => (pan, -1.0, 1.0),
                EventKind::Brightness { value, .. } => (value, 0.0, 1.0),
                EventKind::PitchBend { value, .. } => (value, -1.0, 1.0),
                EventKind::Pressure { value, .. } => (value, 0.0, 1.0),
                EventKind::ChannelPressure { value, .. } => (value, 0.0, 1.0),
                EventKind::Modulation { offset, row: 3, .. } => (offset, -1.0, 1.0),
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
