//! Host events and what the synthesizer gets of them.

use super::*;
use synth::{Patch, Synth, params};

const VOICE: VoiceID = VoiceID::ID(7);
const CHANNEL: Channel = Channel::Number(3);
const KEY: Key = Key::Number(64);

fn kinds(event: NoteEvent<()>) -> Vec<EventKind> {
    let event = translate(&event);
    event
        .iter()
        .inspect(|event| assert_eq!(event.time, 5))
        .map(|event| event.kind)
        .collect()
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
    let all = EventKind::AllNotesOff {
        channel: ANY_CHANNEL,
    };
    assert_eq!(kinds(off), [all]);
}

/// Fields that a host leaves open match anything, not channel 1 or middle C.
#[test]
fn wildcards_are_wildcards() {
    let off = |channel, key| {
        kinds(NoteEvent::NoteOff {
            timing: 5,
            voice_id: VoiceID::Wildcard,
            channel,
            key,
            velocity: 0.0,
        })
    };
    let any = EventKind::NoteOff {
        id: -1,
        channel: ANY_CHANNEL,
        key: 64.0,
    };
    assert_eq!(off(Channel::Wildcard, Key::Number(64)), [any]);
    let channel = 5;
    assert_eq!(
        off(Channel::Number(channel), Key::Wildcard),
        [EventKind::AllNotesOff { channel }]
    );
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
    assert_eq!(cc(120, 0.0), [EventKind::AllSoundOff { channel }]);
    assert_eq!(cc(123, 0.0), [EventKind::AllNotesOff { channel }]);
    assert_eq!(cc(121, 0.0), [EventKind::ResetControllers { channel }]);
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
    let value = 1.0;
    assert_eq!(cc(7, value), [EventKind::ChannelVolume { channel, value }]);
    assert_eq!(
        cc(11, value),
        [EventKind::ChannelExpression { channel, value }]
    );
    assert_eq!(cc(10, 0.0), [EventKind::ChannelPan { channel, pan: -1.0 }]);
    let down = true;
    assert_eq!(cc(66, 1.0), [EventKind::Sostenuto { channel, down }]);
    let (controller, value) = (101, 127);
    let entry = EventKind::DataEntry {
        channel,
        controller,
        value,
    };
    assert_eq!(cc(101, 1.0), [entry]);
    assert_eq!(cc(3, 1.0), []);
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

/// A broken host's value sounds like the nearest one in range, and NaN like the neutral one.
#[test]
fn expressions_are_brought_into_range() {
    let (id, channel, key) = (7, 3, 64.0);
    let (timing, voice_id) = (5, VOICE);
    let events = |x: f32| {
        [
            NoteEvent::NoteOn {
                timing,
                voice_id,
                channel: CHANNEL,
                key: KEY,
                velocity: x,
            },
            NoteEvent::PolyTuning {
                timing,
                voice_id,
                channel: CHANNEL,
                key: KEY,
                tuning: x,
            },
            NoteEvent::PolyVolume {
                timing,
                voice_id,
                channel: CHANNEL,
                key: KEY,
                gain: x,
            },
            NoteEvent::PolyPan {
                timing,
                voice_id,
                channel: CHANNEL,
                key: KEY,
                pan: x,
            },
            NoteEvent::PolyBrightness {
                timing,
                voice_id,
                channel: CHANNEL,
                key: KEY,
                brightness: x,
            },
            NoteEvent::MidiPitchBend {
                timing,
                channel,
                value: x,
            },
            NoteEvent::PolyPressure {
                timing,
                voice_id,
                channel: CHANNEL,
                key: KEY,
                pressure: x,
            },
            NoteEvent::MidiChannelPressure {
                timing,
                channel,
                pressure: x,
            },
            NoteEvent::PolyModulation {
                timing,
                voice_id: id,
                poly_modulation_id: 3,
                normalized_offset: x,
            },
        ]
    };
    // In the host's terms: lowest, neutral, highest.
    let ranges = [
        [0.0, 0.0, 1.0],
        [-128.0, 0.0, 128.0],
        [0.0, 1.0, 4.0],
        [-1.0, 0.0, 1.0],
        [0.0, 0.5, 1.0],
        [0.0, 0.5, 1.0],
        [0.0, 0.0, 1.0],
        [0.0, 0.0, 1.0],
        [-1.0, 0.0, 1.0],
    ];
    let mut patch = Patch::default();
    patch.set_plain(params::MOD1_SOURCE, 4.0);
    assert_eq!(params::SOURCES[4], "Pressure");
    patch.set_plain(params::MOD1_AMOUNT, -0.5);
    patch.set_plain(params::MOD1_DEST, 17.0);
    let play = |kind: EventKind| {
        let mut synth = Synth::new(48_000.0);
        synth.set_patch(&patch, 0.0);
        let on = EventKind::NoteOn {
            id,
            channel,
            key,
            velocity: 0.7,
        };
        let mut out = Vec::new();
        for kind in [on, kind] {
            let [mut left, mut right] = [[0.0; 2_048]; 2];
            synth.process(&mut left, &mut right, &[Event { time: 0, kind }]);
            out.extend([left, right].concat());
        }
        out
    };
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e9, -1e9] {
        for (n, [low, neutral, high]) in ranges.into_iter().enumerate() {
            let x = match bad {
                x if x.is_nan() => neutral,
                x if x < 0.0 => low,
                _ => high,
            };
            let [got, want] = [bad, x].map(|x| play(kinds(events(x)[n])[0]));
            assert!(want.iter().any(|x| *x != 0.0) && want.iter().all(|x| x.is_finite()));
            assert!(got == want, "{:?} is not like {x}", events(bad)[n]);
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
