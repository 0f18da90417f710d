//! Tests of playing: notes from keys, controllers and the matrix, and the absence of clicks.

mod common;
#[path = "common/play.rs"]
mod play;
#[path = "common/sine.rs"]
mod sine;

use common::bend;
use play::{on, play};
use sine::{RATE, key, peak, sine};
use synth::{Event, EventKind, Patch, Synth, Transport, params};

fn with(rows: &[(usize, f32)]) -> Patch {
    let mut patch = Patch::default();
    set(&mut patch, rows);
    patch
}

fn set(patch: &mut Patch, rows: &[(usize, f32)]) {
    for &(row, v) in rows {
        patch.set_plain(row, v);
    }
}

/// The index of a choice's name.
fn named(names: &[&str], name: &str) -> f32 {
    names.iter().position(|n| *n == name).unwrap() as f32
}

/// Fills a slot of the matrix.
fn slot(patch: &mut Patch, slot: usize, source: &str, amount: f32, destination: &str) {
    let first = params::MOD1_SOURCE + 3 * slot;
    patch.set_plain(first, named(params::SOURCES, source));
    patch.set_plain(first + 1, amount);
    patch.set_plain(first + 2, named(params::DESTINATIONS, destination));
}

fn off(key: f32) -> EventKind {
    EventKind::NoteOff {
        id: key as i32,
        channel: 0,
        key,
    }
}

#[test]
fn every_destination_moves_the_sound_and_an_idle_slot_does_not() {
    let mut base = with(&[
        (params::OSC1_SHAPE, 2.4),
        (params::OSC2_SHAPE, 2.5),
        (params::RING_LEVEL, 0.2),
        (params::UNISON_VOICES, 2.0),
        (params::OSC_BALANCE, 0.5),
        (params::LFO_VIBRATO, 20.0),
        (params::FILTER_TYPE, 3.0),
    ]);
    slot(&mut base, 7, "LFO 2", 0.1, "Pitch");
    let notes = [(0, on(48.0, 0.5)), (3_000, on(55.0, 1.0))];
    let plain = play(&base, 12_000, &notes);
    for name in params::DESTINATIONS {
        let mut patch = base;
        slot(&mut patch, 2, "Velocity", 0.0, name);
        assert!(play(&patch, 12_000, &notes) == plain, "{name}: amount 0");
        slot(&mut patch, 2, "Mod wheel", 1.0, name);
        assert!(play(&patch, 12_000, &notes) == plain, "{name}: wheel at 0");
        // A knob at its end moves one way only.
        let moved = [-0.4, 0.4].iter().any(|amount| {
            slot(&mut patch, 2, "Velocity", *amount, name);
            play(&patch, 12_000, &notes) != plain
        });
        assert!(moved == (*name != "Off"), "{name}");
    }
}

#[test]
fn every_source_arrives() {
    let hears = |source: &str, amount: f32, events: &[(u32, EventKind)]| {
        let mut patch = sine();
        set(&mut patch, &[(params::LFO_RATE, 3.0)]);
        slot(&mut patch, 0, source, amount, "Pitch");
        key(&play(&patch, 24_000, events)[0][14_000..])
    };
    let channel = 0;
    let struck = [(0, on(72.0, 0.5))];
    let and = |kind| [(0, on(72.0, 0.5)), (5_000, kind)];
    for (source, events, semitones) in [
        ("Velocity", &struck[..], 12.0),
        ("Key", &struck[..], 24.0 * 0.2),
        (
            "Mod wheel",
            &and(EventKind::ModWheel {
                channel,
                value: 0.5,
            }),
            12.0,
        ),
        (
            "Pressure",
            &and(EventKind::ChannelPressure {
                channel,
                value: 0.25,
            }),
            6.0,
        ),
        (
            "Pressure",
            &and(EventKind::Pressure {
                id: 72,
                channel,
                key: 72.0,
                value: 0.25,
            }),
            6.0,
        ),
        (
            "Brightness",
            &and(EventKind::Brightness {
                id: 72,
                channel,
                key: 72.0,
                value: 1.0,
            }),
            24.0,
        ),
        (
            "Brightness",
            &and(EventKind::ChannelBrightness {
                channel,
                value: 0.0,
            }),
            -24.0,
        ),
        ("Amp envelope", &struck[..], 24.0),
    ] {
        for amount in [1.0, -0.5] {
            let got = hears(source, amount, events) - 72.0;
            let want = amount * semitones;
            assert!(
                (got - want).abs() < 0.02,
                "{source}: {got}, expected {want}"
            );
        }
    }
    // The bend moves the pitch by itself, too.
    let bent = hears(
        "Bend",
        0.5,
        &and(EventKind::PitchBend {
            channel,
            value: -0.5,
        }),
    ) - 72.0;
    assert!((bent + 1.0 + 6.0).abs() < 0.02, "{bent}");
    let random: Vec<f32> = (60..66)
        .map(|k| hears("Random", 1.0, &[(0, on(k as f32, 1.0))]) - k as f32)
        .collect();
    // All first notes of the same seed.
    assert!(
        random
            .iter()
            .all(|r| (r - random[0]).abs() < 0.02 && r.abs() <= 24.0)
    );
}

#[test]
fn a_single_voice_follows_the_keys() {
    for (mode, name) in params::PLAY_MODES.iter().enumerate().skip(1) {
        let mut synth = Synth::new(RATE);
        let mut patch = sine();
        set(&mut patch, &[(params::PLAY_MODE, mode as f32)]);
        synth.set_patch(&patch, 0.0);
        let [mut left, mut right] = [vec![0.0; 9_600], vec![0.0; 9_600]];
        for (kind, want) in [
            (on(60.0, 1.0), Some(60.0)),
            (on(64.0, 1.0), Some(64.0)),
            (on(67.0, 1.0), Some(67.0)),
            (off(64.0), Some(67.0)),
            (off(67.0), Some(60.0)),
            (
                EventKind::Sustain {
                    channel: 0,
                    down: true,
                },
                Some(60.0),
            ),
            (off(60.0), Some(60.0)),
            (on(72.0, 1.0), Some(72.0)),
            (off(72.0), Some(72.0)),
            (
                EventKind::Sustain {
                    channel: 0,
                    down: false,
                },
                None,
            ),
        ] {
            for part in 0..2 {
                let events = [Event { time: 3, kind }];
                synth.process(&mut left, &mut right, &events[..1 - part]);
            }
            match want {
                Some(want) => {
                    assert_eq!(synth.active_voices(), 1, "{name} after {kind:?}");
                    let got = key(&left);
                    assert!((got - want).abs() < 0.01, "{name}: {got} after {kind:?}");
                }
                None => assert_eq!(synth.active_voices(), 0, "{name} after {kind:?}"),
            }
        }
    }
}

#[test]
fn legato_moves_what_mono_strikes() {
    let strike = |mode: f32, overlap: u32| {
        let mut patch = sine();
        set(
            &mut patch,
            &[
                (params::PLAY_MODE, mode),
                (params::AMP_ATTACK, 0.02),
                (params::AMP_DECAY, 0.3),
                (params::AMP_SUSTAIN, 0.1),
                (params::GLIDE, 0.2),
            ],
        );
        let events = [
            (0, on(60.0, 1.0)),
            (24_000 + overlap, off(60.0)),
            (24_012, on(67.0, 1.0)),
        ];
        let mut events = events;
        events.sort_by_key(|e| e.0);
        let [left, _] = play(&patch, 48_000, &events);
        let loud = peak(&left[24_960..26_000]) > 5.0 * peak(&left[22_000..24_000]);
        let glides = key(&left[25_000..27_000]) < 66.0;
        (loud, glides)
    };
    assert_eq!(strike(1.0, 100), (true, true), "mono, overlapping");
    assert_eq!(strike(1.0, 0), (true, true), "mono, apart");
    assert_eq!(strike(2.0, 100), (false, true), "legato, overlapping");
    assert_eq!(strike(2.0, 0), (true, false), "legato, apart");
}

#[test]
fn as_many_voices_as_asked_for() {
    for voices in [1, 5, 16, 64] {
        let mut synth = Synth::new(RATE);
        let mut patch = Patch::default();
        patch.set_plain(params::VOICES, voices as f32);
        synth.set_patch(&patch, 0.0);
        let events: Vec<Event> = (0..80)
            .map(|i| Event {
                time: 7 * i,
                kind: on(20.0 + i as f32, 0.2),
            })
            .collect();
        let [mut left, mut right] = [vec![0.0; 4_000], vec![0.0; 4_000]];
        synth.process(&mut left, &mut right, &events);
        assert_eq!(synth.active_voices(), voices);
        let ended: Vec<i32> = synth.ended().map(|e| e.id).collect();
        assert_eq!(ended.len(), 80 - voices, "the stolen ones are told of");
        assert_eq!(synth.ended().count(), 0);
    }
}

#[test]
fn single_voices_and_modulation_do_not_click() {
    let line: Vec<(u32, EventKind)> = (0..30)
        .flat_map(|i| {
            let key = 45.0 + (i * 5 % 8) as f32;
            let at = 1_501 * i;
            [
                (at, on(key, [0.2, 1.0][i as usize % 2])),
                (at + 1_700, off(key)),
            ]
        })
        .collect();
    let mut line = line;
    line.sort_by_key(|e| e.0);
    for curve in [-1.0, 0.0, 1.0] {
        for mode in [1.0, 2.0] {
            let mut patch = sine();
            set(
                &mut patch,
                &[
                    (params::PLAY_MODE, mode),
                    (params::AMP_ATTACK_CURVE, curve),
                    (params::AMP_FALL_CURVE, curve),
                    (params::AMP_VELOCITY_TIME, 0.5),
                ],
            );
            let got = bend(&play(&patch, 48_000, &line)[0]);
            // The steepest curve leaves 0 with 7.5 times the slope of a 5 ms line; a click would be
            // 0.1.
            assert!(got < 8e-3, "mode {mode}, curve {curve}: {got:e}");
        }
    }
    for shape in 0..params::LFO_SHAPES.len() {
        for (destination, amount) in [("Amplitude", 1.0), ("Pan", 0.9), ("Osc level", 1.0)] {
            let mut patch = sine();
            set(
                &mut patch,
                &[
                    (params::LFO2_SHAPE, shape as f32),
                    (params::LFO2_RATE, 11.0),
                ],
            );
            slot(&mut patch, 3, "LFO 2", amount, destination);
            let [left, right] = play(&patch, 48_000, &[(0, on(49.0, 1.0))]);
            for side in [left, right] {
                let got = bend(&side);
                assert!(got < 4e-3, "{destination} by shape {shape}: {got:e}");
            }
        }
    }
}

#[test]
fn envelopes_follow_key_and_velocity() {
    let decay = |row: usize, v: f32, note: EventKind| {
        let mut patch = sine();
        set(
            &mut patch,
            &[
                (params::AMP_DECAY, 0.4),
                (params::AMP_SUSTAIN, 0.0),
                (params::VELOCITY, 0.0),
                (row, v),
            ],
        );
        let [left, _] = play(&patch, 96_000, &[(0, note)]);
        let half = peak(&left) * 0.1;
        left.iter().rposition(|x| x.abs() > half).unwrap() as f32
    };
    for (row, note, want) in [
        (params::AMP_KEY_TIME, on(72.0, 1.0), 0.5),
        (params::AMP_KEY_TIME, on(48.0, 1.0), 2.0),
        (params::AMP_VELOCITY_TIME, on(60.0, 1.0), 1.0),
        (params::AMP_VELOCITY_TIME, on(60.0, 2.0 / 3.0), 2.0),
    ] {
        let got = decay(row, 1.0, note) / decay(row, 0.0, note);
        assert!((got / want - 1.0).abs() < 0.05, "{got}, expected {want}");
    }
}

#[test]
fn a_free_lfo_keeps_to_the_song_whatever_the_blocks() {
    let mut patch = sine();
    set(
        &mut patch,
        &[
            (params::LFO2_SYNC, named(params::LFO_SYNCS, "1/8")),
            (params::LFO2_START, 1.0),
            (params::LFO2_SHAPE, 5.0),
            (params::LFO_START, 1.0),
            (params::LFO_VIBRATO, 50.0),
        ],
    );
    slot(&mut patch, 0, "LFO 2", 0.5, "Pitch");
    let len = 30_000;
    let run = |block: usize| {
        let mut synth = Synth::new(RATE);
        synth.set_patch(&patch, 0.0);
        let mut out = vec![0.0; len];
        let mut right = vec![0.0; len];
        let mut at = 0;
        while at < len {
            // The song jumps back at 20,000.
            let end = (at + block)
                .min(len)
                .min(if at < 20_000 { 20_000 } else { len });
            let song = if at < 20_000 { at } else { at - 20_000 };
            synth.set_transport(&Transport {
                tempo: 133.0,
                beats: Some(song as f64 / f64::from(RATE) * 133.0 / 60.0),
            });
            let events = [Event {
                time: 0,
                kind: on(60.0, 1.0),
            }];
            let events = if at == 0 { &events[..] } else { &[] };
            synth.process(&mut out[at..end], &mut right[at..end], events);
            at = end;
        }
        out
    };
    let whole = run(len);
    for block in [1, 64, 512, 777] {
        assert!(run(block) == whole, "blocks of {block}");
    }
    // An eighth at 133 beats a minute is 10,827 samples; the values held differ.
    let keys: Vec<f32> = [1_000, 11_500].map(|at| key(&whole[at..at + 8_000])).into();
    assert!((keys[0] - keys[1]).abs() > 0.1, "{keys:?}");
}

#[test]
fn a_zone_bends_its_notes_apart() {
    let mut patch = sine();
    set(&mut patch, &[(params::MPE, 1.0)]);
    let note = |channel, key| EventKind::NoteOn {
        id: -1,
        channel,
        key,
        velocity: 1.0,
    };
    let bend = |channel, value| EventKind::PitchBend { channel, value };
    let single = play(
        &patch,
        20_000,
        &[
            (0, note(2, 60.0)),
            (0, bend(2, 0.25)),
            (0, bend(3, -1.0)),
            (0, bend(0, 0.5)),
        ],
    );
    let got = key(&single[0][5_000..]);
    assert!((got - 73.0).abs() < 0.02, "{got}");
}

/// Checks that, whatever was played and however the mode changed meanwhile, nothing sounds on once
/// every key and pedal is up and the release is over.
#[test]
fn no_note_hangs() {
    use rand::{Rng, SeedableRng};
    for seed in 0..1_500 {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
        let mut patch = sine();
        let mut synth = Synth::new(RATE);
        synth.set_patch(&patch, 0.0);
        let mut began = Vec::new();
        let (mut left, mut right) = ([0.0; 96], [0.0; 96]);
        let mut send = |synth: &mut Synth, kind| {
            synth.process(&mut left, &mut right, &[Event { time: 17, kind }]);
            left[95].abs()
        };
        for _ in 0..rng.random_range(5..40) {
            let channel = rng.random_range(0..3);
            let key = rng.random_range(60..65) as f32;
            let id = if rng.random() { key as i32 } else { -1 };
            match rng.random_range(0..8) {
                0 => {
                    patch.set_plain(params::PLAY_MODE, rng.random_range(0..3) as f32);
                    synth.set_patch(&patch, 0.0);
                }
                1 => {
                    let down = rng.random();
                    let kind = match rng.random_range(0..3) {
                        0 => EventKind::Sustain { channel, down },
                        1 => EventKind::Sostenuto { channel, down },
                        _ => {
                            // The zone of the pedal comes and goes.
                            patch.set_plain(params::MPE, f32::from(u8::from(down)));
                            synth.set_patch(&patch, 0.0);
                            EventKind::ResetControllers { channel }
                        }
                    };
                    send(&mut synth, kind);
                }
                2 | 3 if !began.is_empty() => {
                    let (id, channel, key) = began.swap_remove(rng.random_range(0..began.len()));
                    send(&mut synth, EventKind::NoteOff { id, channel, key });
                }
                _ => {
                    let velocity = 0.8;
                    let note = EventKind::NoteOn {
                        id,
                        channel,
                        key,
                        velocity,
                    };
                    send(&mut synth, note);
                    began.push((id, channel, key));
                }
            }
        }
        for (id, channel, key) in began {
            send(&mut synth, EventKind::NoteOff { id, channel, key });
        }
        for channel in 0..3 {
            let down = false;
            send(&mut synth, EventKind::Sustain { channel, down });
            send(&mut synth, EventKind::Sostenuto { channel, down });
        }
        let (mut left, mut right) = (vec![0.0; 48_000], vec![0.0; 48_000]);
        synth.process(&mut left, &mut right, &[]);
        assert!(synth.is_silent(), "seed {seed}: a note hangs");
    }
}

/// A channel's messages leave the others alone, and "all sound off" the effects silent.
#[test]
fn all_off_is_for_a_channel_and_for_what_rings() {
    let mut patch = sine();
    patch.set_plain(params::REVERB_MIX, 1.0);
    let note = |channel: u8, key: f32| EventKind::NoteOn {
        id: -1,
        channel,
        key,
        velocity: 0.8,
    };
    let run = |events: &[(u32, EventKind)], voices: usize| {
        let mut synth = Synth::new(RATE);
        synth.set_patch(&patch, 0.0);
        let events: Vec<Event> = events
            .iter()
            .map(|&(time, kind)| Event { time, kind })
            .collect();
        let (mut left, mut right) = (vec![0.0; 24_000], vec![0.0; 24_000]);
        synth.process(&mut left, &mut right, &events);
        assert_eq!(synth.active_voices(), voices, "{events:?}");
        left[20_000..]
            .iter()
            .fold(0.0f32, |peak, x| peak.max(x.abs()))
    };
    let both = [(0, note(1, 60.0)), (0, note(2, 67.0))];
    let with = |kind| [both[0], both[1], (8_000, kind)];
    run(&both, 2);
    run(&with(EventKind::AllNotesOff { channel: 2 }), 1);
    run(&with(EventKind::AllSoundOff { channel: 2 }), 1);
    let any = synth::ANY_CHANNEL;
    let rings = run(&with(EventKind::AllNotesOff { channel: any }), 0);
    let silent = run(&with(EventKind::AllSoundOff { channel: any }), 0);
    assert!(rings > 1e-3, "the reverb rings on: {rings}");
    assert!(silent < 1e-6, "{silent}");
}
