//! The processor, tested without a host.

use super::*;
use matcher::Inference;
use nice_assert_no_alloc::assert_no_alloc;
use rand::{Rng, SeedableRng};
use synth::EventKind;
use synth::MATCHED_COUNT;
use synth::params::{FILTER_CUTOFF, OSC1_SHAPE};

// Aborts when the code under `assert_no_alloc` allocates. Release builds don't have it.
#[cfg(debug_assertions)]
#[global_allocator]
static ALLOCATOR: nice_assert_no_alloc::AllocDisabler = nice_assert_no_alloc::AllocDisabler;

const RATE: f32 = 48_000.0;
const LENGTH: usize = 24_000;

/// Inferences at fixed positions of the stream, and what was pushed.
#[derive(Default)]
struct Script {
    due: Vec<(usize, Target)>,
    next: usize,
    begin: usize,
    end: usize,
    heard: Vec<f32>,
    resets: usize,
    waits: Vec<Instant>,
    settings: Option<Settings>,
}

impl InferenceSource for Script {
    fn set(&mut self, settings: &Settings) {
        self.settings = Some(*settings);
    }

    fn push(&mut self, mono: &[f32]) {
        self.begin = self.end;
        self.end += mono.len();
        if self.heard.capacity() >= self.end {
            self.heard.extend_from_slice(mono);
        }
    }

    fn wait(&mut self, until: Instant) {
        self.waits.push(until);
    }

    fn next_due(&mut self) -> Option<(usize, Target)> {
        let &(position, target) = self.due.get(self.next)?;
        (position < self.end).then(|| {
            self.next += 1;
            (position - self.begin, target)
        })
    }

    fn reset(&mut self) {
        self.resets += 1;
    }
}

fn random(rng: &mut impl Rng) -> Target {
    Target::new(
        Inference {
            mean: std::array::from_fn(|_| rng.random()),
            sigma: [0.1; MATCHED_COUNT],
        },
        &Patch::default(),
    )
}

fn script(seed: u64) -> Script {
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    let positions = [0, 700, 701, 1920, 1920, 4000, 9999, 15_000];
    Script {
        due: positions.map(|at| (at, random(&mut rng))).into(),
        heard: Vec::with_capacity(LENGTH),
        ..Script::default()
    }
}

fn controls() -> Controls {
    Controls {
        knobs: Patch::default(),
        modulation: [0.0; COUNT],
        amount: 0.8,
        limits: Limits::NONE,
        glide: 0.05,
        listen: true,
        search: true,
        bounce: false,
        gain: 0.7,
        transport: Transport::default(),
    }
}

/// Notes, some of them right where an inference is due.
fn melody() -> Vec<Event> {
    let note = |time, key, on| {
        let (id, channel) = (-1, 0);
        let kind = match on {
            true => EventKind::NoteOn {
                id,
                channel,
                key,
                velocity: 0.8,
            },
            false => EventKind::NoteOff { id, channel, key },
        };
        Event { time, kind }
    };
    vec![
        note(0, 60.0, true),
        note(700, 64.0, true),
        note(3000, 60.0, false),
        note(4000, 67.0, true),
        note(8191, 64.0, false),
        note(23_999, 67.0, false),
    ]
}

fn play(processor: &mut Processor<Script>, controls: &Controls, block: usize) -> [Vec<f32>; 2] {
    let side: Vec<f32> = (0..LENGTH).map(|i| (i as f32 * 0.1).sin()).collect();
    let (mut left, mut right) = (vec![0.0; LENGTH], vec![0.0; LENGTH]);
    let melody = melody();
    for start in (0..LENGTH).step_by(block) {
        let end = LENGTH.min(start + block);
        let mut events: Vec<_> = melody
            .iter()
            .filter(|event| (start..end).contains(&(event.time as usize)))
            .map(|event| Event {
                time: event.time - start as u32,
                ..*event
            })
            .collect();
        let side = Some([&side[start..end], &side[start..end]]);
        assert_no_alloc(|| {
            processor.process(
                controls,
                None,
                side,
                &mut left[start..end],
                &mut right[start..end],
                &mut events,
            )
        });
    }
    [left, right]
}

#[test]
fn blocks_of_any_size_give_the_same_samples() {
    let whole = play(&mut Processor::new(RATE, script(1)), &controls(), LENGTH);
    assert!(whole[0].iter().any(|x| x.abs() > 0.01), "it plays");
    for block in [1, 64, 512, 777, 1024, 5000] {
        let mut processor = Processor::new(RATE, script(1));
        let blocks = play(&mut processor, &controls(), block);
        assert!(blocks == whole, "blocks of {block}");
        assert_eq!(processor.source.heard.len(), LENGTH);
    }
}

#[test]
fn a_reset_starts_the_same_again() {
    let mut processor = Processor::new(RATE, Script::default());
    processor.hold(Some(script(2).due[0].1));
    let first = play(&mut processor, &controls(), 512);
    play(&mut processor, &controls(), 333);
    processor.reset();
    assert_eq!(processor.source.resets, 1);
    assert!(play(&mut processor, &controls(), 512) == first);
}

/// A reopened project sounds at once as it did, not on the way there.
#[test]
fn an_inference_held_at_the_start_sounds_from_the_first_sample() {
    let held = script(3).due[0].1;
    let mut by_match = Processor::new(RATE, Script::default());
    by_match.hold(Some(held));
    let full = Controls {
        amount: 1.0,
        ..controls()
    };
    let matched = play(&mut by_match, &full, 512);

    let mut by_hand = Processor::new(RATE, Script::default());
    let knobs = Controls {
        knobs: held.effective(&Patch::default(), 1.0, &Limits::NONE),
        ..full
    };
    assert!(play(&mut by_hand, &knobs, 512) == matched);
}

/// Modulation is not part of the knob that the match hides.
#[test]
fn modulation_is_heard_on_top_of_the_match() {
    let held = script(3).due[0].1;
    let full = Controls {
        amount: 1.0,
        ..controls()
    };
    let mut modulation = [0.0; COUNT];
    modulation[FILTER_CUTOFF] = 0.1;
    modulation[OSC1_SHAPE] = 2.0;
    let mut by_match = Processor::new(RATE, Script::default());
    by_match.hold(Some(held));
    let matched = play(&mut by_match, &Controls { modulation, ..full }, 512);

    let mut by_hand = Processor::new(RATE, Script::default());
    let mut knobs = held.effective(&Patch::default(), 1.0, &Limits::NONE);
    knobs.set(FILTER_CUTOFF, knobs.get(FILTER_CUTOFF) + 0.1);
    knobs.set(OSC1_SHAPE, 1.0);
    assert!(play(&mut by_hand, &Controls { knobs, ..full }, 512) == matched);
}

#[test]
fn amount_and_locks_decide_what_sounds() {
    let held = script(4).due[0].1;
    let plain = play(
        &mut Processor::new(RATE, Script::default()),
        &controls(),
        512,
    );
    let variant = |amount, locked| {
        let mut processor = Processor::new(RATE, Script::default());
        processor.hold(Some(held));
        let controls = Controls {
            amount,
            limits: Limits {
                locked,
                ..Limits::NONE
            },
            ..controls()
        };
        play(&mut processor, &controls, 512)
    };
    assert!(variant(0.0, [false; MATCHED_COUNT]) == plain);
    assert!(variant(1.0, [true; MATCHED_COUNT]) == plain);
    assert!(variant(1.0, [false; MATCHED_COUNT]) != plain);
}

#[test]
fn not_listening_freezes_the_held_inference() {
    let mut processor = Processor::new(RATE, script(5));
    let deaf = Controls {
        listen: false,
        ..controls()
    };
    play(&mut processor, &deaf, 512);
    assert_eq!(processor.held(), None);
    assert!(processor.source.heard.iter().all(|&x| x == 0.0));
    // Hearing again begins a new stream.
    assert_eq!(processor.source.resets, 0);
    play(&mut processor, &controls(), 512);
    assert_eq!(processor.source.resets, 1);
}

#[test]
fn a_mono_source_on_one_channel_is_heard_as_on_both() {
    let mut processor = Processor::new(RATE, script(6));
    let side: Vec<f32> = (0..512).map(|i| i as f32).collect();
    let (mut left, mut right) = ([0.0; 512], [0.0; 512]);
    let sidechain = Some([&side[..], &[0.0; 512]]);
    let until = Instant::now();
    processor.process(
        &controls(),
        Some(until),
        sidechain,
        &mut left,
        &mut right,
        &mut [],
    );
    assert_eq!(processor.source.heard, side);
    assert_eq!(processor.source.waits, [until]);
    // No sidechain is silence, and time passes.
    processor.process(&controls(), None, None, &mut left, &mut right, &mut []);
    assert_eq!(processor.source.heard[512..], [0.0; 512]);
}

/// A knob moved during a long glide neither cuts it short nor waits for it.
#[test]
fn knobs_move_soon_and_glides_keep_their_time() {
    let position = |processor: &Processor<Script>, row| processor.synth.current().get(row);
    let run = |processor: &mut Processor<Script>, controls: &Controls, samples: usize| {
        let (mut left, mut right) = (vec![0.0; samples], vec![0.0; samples]);
        processor.process(controls, None, None, &mut left, &mut right, &mut []);
    };
    let mut processor = Processor::new(RATE, Script::default());
    let mut controls = Controls {
        amount: 1.0,
        glide: 1.0,
        ..controls()
    };
    run(&mut processor, &controls, 4800);
    controls.knobs.set(FILTER_CUTOFF, 0.9);
    run(&mut processor, &controls, 2400);
    assert!((position(&processor, FILTER_CUTOFF) - 0.9).abs() < 0.01);

    let target = Target::new(
        Inference {
            mean: [0.25; MATCHED_COUNT],
            sigma: [0.1; MATCHED_COUNT],
        },
        &Patch::default(),
    );
    processor.source.due.push((processor.source.end, target));
    run(&mut processor, &controls, 12_000);
    controls.knobs.set(synth::params::TUNE, 0.7);
    run(&mut processor, &controls, 1_440);
    assert!((position(&processor, synth::params::TUNE) - 0.7).abs() < 0.01);
    run(&mut processor, &controls, 10_560);
    let start = Patch::default().get(OSC1_SHAPE);
    let half = (start + 0.25) / 2.0;
    assert!((position(&processor, OSC1_SHAPE) - half).abs() < 0.01);
    run(&mut processor, &controls, 26_400);
    assert!((position(&processor, OSC1_SHAPE) - 0.25).abs() < 0.01);
    assert!((position(&processor, synth::params::TUNE) - 0.7).abs() < 0.01);
}

/// Checks that a block of any length has one deadline.
#[test]
fn all_waits_of_a_block_end_at_one_time() {
    let mut processor = Processor::new(RATE, Script::default());
    let (mut left, mut right) = (vec![0.0; 8_192], vec![0.0; 8_192]);
    let until = Instant::now();
    processor.process(
        &controls(),
        Some(until),
        None,
        &mut left,
        &mut right,
        &mut [],
    );
    assert_eq!(processor.source.waits, [until; 8]);
}

/// Whatever comes in, numbers go out.
#[test]
fn output_is_finite_for_any_input() {
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(7);
    let odd = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        -1e9,
        1e-40,
    ];
    for round in 0..30 {
        let mut due = script(round).due;
        for (_, target) in &mut due {
            let i = rng.random_range(0..MATCHED_COUNT);
            target.inference.mean[i] = odd[rng.random_range(0..odd.len())];
            target.level_db = odd[rng.random_range(0..odd.len())];
        }
        let mut processor = Processor::new(
            RATE,
            Script {
                due,
                ..Script::default()
            },
        );
        let mut left = vec![0.0; 4096];
        let mut right = vec![0.0; 4096];
        let side: Vec<f32> = (0..4096)
            .map(|_| odd[rng.random_range(0..odd.len())])
            .collect();
        for _ in 0..4 {
            // Times run wild as well.
            let mut events: Vec<_> = (0..rng.random_range(0..40))
                .map(|_| Event {
                    time: rng.random_range(0..9000),
                    kind: EventKind::NoteOn {
                        id: -1,
                        channel: rng.random_range(0..16),
                        key: rng.random_range(0.0..128.0),
                        velocity: rng.random(),
                    },
                })
                .collect();
            let controls = Controls {
                knobs: Patch::random(&mut rng),
                glide: rng.random(),
                ..controls()
            };
            let sidechain = Some([&side[..], &side[..]]);
            processor.process(
                &controls,
                None,
                sidechain,
                &mut left,
                &mut right,
                &mut events,
            );
            assert!(left.iter().chain(&right).all(|x| x.is_finite()));
            // Through `process`, an empty block keeps its events.
            processor.process(&controls, None, None, &mut [], &mut [], &mut events);
        }
    }
}
