//! Properties that hold for any patch, any events and any division of the stream into blocks.

mod common;
#[path = "common/sine.rs"]
mod sine;

use common::bend;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use sine::sine;
use synth::{COUNT, Event, EventKind, Note, Patch, Synth, params, render};

/// A patch with every row drawn, the unmatched ones too.
fn wild_patch(rng: &mut Pcg64Mcg) -> Patch {
    let mut patch = Patch::default();
    for row in 0..COUNT {
        patch.set(row, rng.random());
    }
    patch
}

/// `count` events in time order within `len` samples, dense enough to steal voices.
fn wild_events(rng: &mut Pcg64Mcg, count: usize, len: usize) -> Vec<(usize, EventKind)> {
    let mut times: Vec<usize> = (0..count).map(|_| rng.random_range(0..len)).collect();
    times.sort_unstable();
    let event = |time| {
        let id = rng.random_range(-1..20);
        let channel = rng.random_range(0..3);
        let key = rng.random_range(20..110) as f32;
        let x: f32 = rng.random();
        let kind = match rng.random_range(0..34) {
            0..10 => EventKind::NoteOn {
                id,
                channel,
                key,
                velocity: x,
            },
            10..15 => EventKind::NoteOff { id, channel, key },
            15 => EventKind::Choke { id, channel, key },
            16 => EventKind::PitchBend {
                channel,
                value: 2.0 * x - 1.0,
            },
            17 => EventKind::Sustain {
                channel,
                down: x < 0.5,
            },
            18 => EventKind::Tuning {
                id,
                channel,
                key,
                semitones: 4.0 * x,
            },
            19 => EventKind::Volume {
                id,
                channel,
                key,
                gain: 4.0 * x,
            },
            20 => EventKind::Pan {
                id,
                channel,
                key,
                pan: 2.0 * x - 1.0,
            },
            21 => EventKind::Brightness {
                id,
                channel,
                key,
                value: x,
            },
            24 => EventKind::ModWheel { channel, value: x },
            25 => EventKind::ChannelPressure { channel, value: x },
            26 => EventKind::ChannelBrightness { channel, value: x },
            27 => EventKind::Pressure {
                id,
                channel,
                key,
                value: x,
            },
            28 | 29 => EventKind::Modulation {
                id,
                row: rng.random_range(0..COUNT + 2),
                offset: 2.0 * x - 1.0,
            },
            30 => EventKind::ChannelVolume { channel, value: x },
            31 => EventKind::ChannelPan {
                channel,
                pan: 2.0 * x - 1.0,
            },
            32 => EventKind::Sostenuto {
                channel,
                down: x < 0.5,
            },
            33 => EventKind::DataEntry {
                channel,
                controller: [6, 38, 100, 101][rng.random_range(0..4)],
                value: rng.random_range(0..7),
            },
            22 if x > 0.8 => EventKind::ChannelExpression { channel, value: x },
            23 if x > 0.8 => EventKind::ResetControllers { channel },
            22 if x < 0.2 => EventKind::AllNotesOff { channel },
            23 if x < 0.2 => EventKind::AllSoundOff { channel },
            _ => EventKind::NoteOn {
                id: -1,
                channel,
                key,
                velocity: x,
            },
        };
        (time, kind)
    };
    times.into_iter().map(event).collect()
}

/// Plays events and patch changes (sample, patch, glide) in blocks of at most `block` samples.
fn play(
    rate: f32,
    len: usize,
    block: usize,
    events: &[(usize, EventKind)],
    patches: &[(usize, Patch, f32)],
) -> [Vec<f32>; 2] {
    let mut synth = Synth::new(rate);
    let [mut left, mut right] = [vec![9.0; len], vec![9.0; len]];
    let (mut at, mut e, mut p) = (0, 0, 0);
    while at < len {
        while p < patches.len() && patches[p].0 == at {
            synth.set_patch(&patches[p].1, patches[p].2);
            p += 1;
        }
        let until_patch = patches.get(p).map_or(len, |x| x.0);
        let end = (at + block).min(len).min(until_patch);
        let first = e;
        while e < events.len() && events[e].0 < end {
            e += 1;
        }
        let inside: Vec<Event> = events[first..e]
            .iter()
            .map(|&(time, kind)| Event {
                time: (time - at) as u32,
                kind,
            })
            .collect();
        synth.process(&mut left[at..end], &mut right[at..end], &inside);
        at = end;
    }
    [left, right]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn blocks_do_not_matter(seed: u64) {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let len = 20_000;
        let events = wild_events(&mut rng, 120, len);
        let mut patches = vec![(0, wild_patch(&mut rng), 0.0)];
        for at in [3_001, 9_000, 15_555] {
            patches.push((at, wild_patch(&mut rng), if at == 9_000 { 0.0 } else { 0.08 }));
        }
        let whole = play(48_000.0, len, len, &events, &patches);
        prop_assert!(whole[0].iter().any(|&x| x != 0.0));
        for block in [1, 64, 512, 777] {
            let cut = play(48_000.0, len, block, &events, &patches);
            prop_assert!(cut == whole, "blocks of {} differ", block);
        }
    }

    #[test]
    fn output_is_finite_and_bounded(seed: u64) {
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        for rate in [8_000.0, 16_000.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            let len = 12_000;
            let events = wild_events(&mut rng, 100, len);
            let patches: Vec<_> =
                (0..6).map(|i| (i * 2_000, wild_patch(&mut rng), 0.01 * (i % 2) as f32)).collect();
            for side in play(rate, len, 512, &events, &patches) {
                for (i, x) in side.iter().enumerate() {
                    prop_assert!(x.abs() <= 1.0, "sample {} at {} Hz is {}", i, rate, x);
                }
            }
        }
    }
}

#[test]
fn hostile_numbers_are_ignored() {
    let mut synth = Synth::new(f32::NAN);
    let mut events = Vec::new();
    for x in [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
        -0.0,
        1e-40,
    ] {
        let (id, channel, key) = (-1, 255, 60.0);
        for kind in [
            EventKind::NoteOn {
                id,
                channel,
                key,
                velocity: 1.0,
            },
            EventKind::NoteOn {
                id,
                channel,
                key: x,
                velocity: x,
            },
            EventKind::PitchBend { channel, value: x },
            EventKind::Tuning {
                id,
                channel,
                key,
                semitones: x,
            },
            EventKind::Volume {
                id,
                channel,
                key,
                gain: x,
            },
            EventKind::Pan {
                id,
                channel,
                key,
                pan: x,
            },
            EventKind::Brightness {
                id,
                channel,
                key,
                value: x,
            },
            EventKind::ModWheel { channel, value: x },
            EventKind::ChannelPressure { channel, value: x },
            EventKind::ChannelBrightness { channel, value: x },
            EventKind::ChannelExpression { channel, value: x },
            EventKind::ChannelPan { channel, pan: x },
            EventKind::DataEntry {
                channel,
                controller: u8::MAX,
                value: u8::MAX,
            },
            EventKind::ResetControllers { channel },
            EventKind::Pressure {
                id,
                channel,
                key,
                value: x,
            },
            EventKind::Modulation {
                id: 1,
                row: usize::MAX,
                offset: x,
            },
            EventKind::NoteOff {
                id,
                channel,
                key: x,
            },
            EventKind::Choke {
                id: i32::MIN,
                channel,
                key: x,
            },
        ] {
            events.push(Event {
                time: u32::MAX - events.len() as u32,
                kind,
            });
        }
    }
    let [mut left, mut right] = [vec![0.0; 4_000], vec![0.0; 3_000]];
    for _ in 0..4 {
        synth.process(&mut left, &mut right, &events);
        synth.process(&mut left, &mut right, &[]);
        assert!(left.iter().chain(&right).all(|x| x.abs() <= 1.0));
    }
    assert!(
        left[..3_000].iter().any(|&x| x != 0.0),
        "the sane notes sound"
    );
    synth.set_patch(&Patch::default(), f32::NAN);
    synth.process(&mut [], &mut [], &events);
    assert!(synth.active_voices() <= Synth::MAX_VOICES);
}

#[test]
fn starting_stealing_choking_and_gliding_never_click() {
    let on = |key: i32| EventKind::NoteOn {
        id: key,
        channel: 0,
        key: key as f32,
        velocity: 1.0,
    };
    let (id, channel, key) = (49, 0, 49.0);
    let steal: Vec<_> = (0..24)
        .map(|i| {
            if i < 16 {
                (0, on(45))
            } else {
                (20_007 + 700 * i, on(45))
            }
        })
        .collect();
    let early = (0..6)
        .flat_map(|i| {
            [
                (3_000 * i, on(49)),
                (3_041 + 3_013 * i, EventKind::NoteOff { id, channel, key }),
            ]
        })
        .collect();
    let cases = [
        (
            "start and stop",
            vec![
                (5, on(49)),
                (9_001, EventKind::NoteOff { id, channel, key }),
            ],
            1.0,
        ),
        ("stop in the attack", early, 2.0),
        (
            "retrigger",
            (0..8).map(|i| (i * 1_501, on(49))).collect(),
            4.0,
        ),
        (
            "choke",
            vec![(0, on(49)), (9_003, EventKind::Choke { id, channel, key })],
            1.0,
        ),
        (
            "sound off",
            vec![(0, on(49)), (9_003, EventKind::AllSoundOff { channel })],
            1.0,
        ),
        ("steal", steal, 18.0),
        (
            "expression",
            vec![
                (0, on(49)),
                (
                    9_003,
                    EventKind::Volume {
                        id,
                        channel,
                        key,
                        gain: 0.0,
                    },
                ),
                (
                    15_003,
                    EventKind::Volume {
                        id,
                        channel,
                        key,
                        gain: 1.0,
                    },
                ),
                (
                    20_003,
                    EventKind::Pan {
                        id,
                        channel,
                        key,
                        pan: 1.0,
                    },
                ),
                (
                    25_003,
                    EventKind::PitchBend {
                        channel,
                        value: -1.0,
                    },
                ),
            ],
            2.0,
        ),
    ];
    for (name, events, voices) in cases {
        let [left, right] = play(48_000.0, 48_000, 512, &events, &[(0, sine(), 0.0)]);
        for side in [left, right] {
            // A voice's tone bends its signal by up to 0.2 (2 pi 138.6 / 48000)^2 = 6.6e-5; the
            // corners of its ramps, 4 ms from full level, by 0.2 / 192 = 1e-3. A click would be
            // 0.1.
            let limit = 1.3e-3 * voices;
            let got = bend(&side);
            assert!(
                got < limit,
                "{name}: second difference {got:e}, expected below {limit:e}"
            );
            assert!(got > 1e-5, "{name}: nothing sounds");
        }
    }
}

#[test]
fn sixteen_notes_sound_and_silence_frees_them() {
    let mut synth = Synth::new(48_000.0);
    let on = |i: usize| Event {
        time: i as u32 * 10,
        kind: EventKind::NoteOn {
            id: i as i32,
            channel: 0,
            key: 40.0 + i as f32,
            velocity: 1.0,
        },
    };
    let events: Vec<Event> = (0..40).map(on).collect();
    let [mut left, mut right] = [vec![0.0; 2_000], vec![0.0; 2_000]];
    synth.process(&mut left, &mut right, &events);
    assert_eq!(synth.active_voices(), 16);
    synth.process(
        &mut left,
        &mut right,
        &[Event {
            time: 0,
            kind: EventKind::AllNotesOff {
                channel: synth::ANY_CHANNEL,
            },
        }],
    );
    for _ in 0..10 {
        synth.process(&mut left, &mut right, &[]);
    }
    assert_eq!(synth.active_voices(), 0);
    assert!(left.iter().chain(&right).all(|&x| x == 0.0));
}

#[test]
fn pedal_holds_what_the_keys_let_go() {
    let mut synth = Synth::new(48_000.0);
    let [mut left, mut right] = [vec![0.0; 48_000], vec![0.0; 48_000]];
    let (id, channel, key) = (-1, 2, 60.0);
    let mut step = |kind| {
        synth.process(&mut left, &mut right, &[Event { time: 0, kind }]);
        synth.active_voices()
    };
    assert_eq!(
        step(EventKind::Sustain {
            channel,
            down: true
        }),
        0
    );
    assert_eq!(
        step(EventKind::NoteOn {
            id,
            channel,
            key,
            velocity: 1.0
        }),
        1
    );
    assert_eq!(step(EventKind::NoteOff { id, channel, key }), 1);
    assert_eq!(
        step(EventKind::Sustain {
            channel: 1,
            down: false
        }),
        1
    );
    assert_eq!(
        step(EventKind::Sustain {
            channel,
            down: false
        }),
        0
    );
}

#[test]
fn reset_returns_to_the_start() {
    let mut rng = Pcg64Mcg::seed_from_u64(3);
    let events: Vec<Event> = wild_events(&mut rng, 60, 8_000)
        .into_iter()
        .map(|(time, kind)| Event {
            time: time as u32,
            kind,
        })
        .collect();
    let patch = wild_patch(&mut rng);
    let mut synth = Synth::new(48_000.0);
    synth.set_patch(&patch, 0.5);
    let [mut left, mut right] = [vec![0.0; 8_003], vec![0.0; 8_003]];
    synth.process(&mut left, &mut right, &events);
    assert_ne!(synth.current(), &patch, "the glide is under way");
    synth.reset();
    assert_eq!(synth.current(), &patch);
    synth.process(&mut left, &mut right, &events);
    let mut fresh = Synth::new(48_000.0);
    fresh.set_patch(&patch, 0.0);
    let [mut l, mut r] = [vec![0.0; 8_003], vec![0.0; 8_003]];
    fresh.process(&mut l, &mut r, &events);
    assert!(left == l && right == r);
}

#[test]
fn patch_glides_are_linear_and_arrive() {
    let mut synth = Synth::new(48_000.0);
    let [mut left, mut right] = [[0.0; 480]; 2];
    let (from, mut to) = (Patch::default(), Patch::default());
    to.set(params::FILTER_CUTOFF, 0.1);
    to.set(params::LFO_RATE, 0.9);
    synth.process(&mut left[..5], &mut right[..5], &[]);
    synth.set_patch(&to, 0.1);
    for i in 1..=12 {
        synth.process(&mut left, &mut right, &[]);
        let want = from.lerp(&to, (i as f32 / 10.0).min(1.0));
        for row in 0..COUNT {
            let [got, want] = [synth.current().get(row), want.get(row)];
            assert!(
                (got - want).abs() < 0.004,
                "row {row} after {i} blocks: {got}, {want}"
            );
        }
    }
    assert_eq!(synth.current(), &to);
}

#[test]
fn seed_decides_phases_and_noise() {
    let mut patch = Patch::default();
    patch.set(params::NOISE_LEVEL, 0.5);
    let notes = [
        Note {
            onset: 0.0,
            duration: 0.2,
            key: 50.0,
            velocity: 0.8,
        },
        Note {
            onset: 0.1,
            duration: 0.2,
            key: 57.5,
            velocity: 0.8,
        },
    ];
    let a = render(&patch, &notes, 0.4, 44_100.0, 5);
    assert_eq!(a[0].len(), 17_640);
    assert!(a == render(&patch, &notes, 0.4, 44_100.0, 5));
    assert!(a != render(&patch, &notes, 0.4, 44_100.0, 6));
    let mut synth = Synth::new(44_100.0);
    let mut mono = vec![1.0; 3];
    for _ in 0..2 {
        synth.render_into(&patch, &notes, 0.4, 5, &mut mono);
        assert!(
            mono == a[0] && mono == a[1],
            "mono and stereo renders agree"
        );
    }
}
