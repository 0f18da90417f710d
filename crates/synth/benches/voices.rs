//! Speed of the engine: `cargo bench -p synth`. The counter is samples of one voice; divided by the
//! sample rate it is voices x real time.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use rand::SeedableRng;
use synth::{Event, EventKind, Note, Patch, Synth};

const RATE: f32 = 48_000.0;
const SECOND: usize = 48_000;

fn main() {
    divan::main();
}

/// One second in blocks of 256 with `notes` held notes.
fn play(bencher: Bencher, patch: &Patch, notes: usize) {
    let mut synth = Synth::new(RATE);
    synth.set_patch(patch, 0.0);
    let on = |i: usize| Event {
        time: 0,
        kind: EventKind::NoteOn {
            id: -1,
            channel: 0,
            key: 36.0 + 3.0 * i as f32,
            velocity: 0.8,
        },
    };
    let events: Vec<Event> = (0..notes).map(on).collect();
    let [mut left, mut right] = [[0.0; 256]; 2];
    bencher
        .counter(ItemsCount::new(notes.max(1) * SECOND))
        .bench_local(|| {
            synth.reset();
            synth.process(&mut left, &mut right, &events);
            for _ in 1..SECOND / 256 {
                synth.process(&mut left, &mut right, &[]);
            }
            black_box(left[0])
        });
}

#[divan::bench]
fn one_voice_default(bencher: Bencher) {
    play(bencher, &Patch::default(), 1);
}

#[divan::bench]
fn sixteen_voices_default(bencher: Bencher) {
    play(bencher, &Patch::default(), 16);
}

#[divan::bench(args = [1, 2, 3, 4])]
fn one_voice_random(bencher: Bencher, seed: u64) {
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    play(bencher, &Patch::random(&mut rng), 1);
}

/// A held note that has decayed to nothing.
#[divan::bench]
fn silent_tail(bencher: Bencher) {
    let mut patch = Patch::default();
    patch.set_plain(synth::params::AMP_SUSTAIN, 0.0);
    patch.set_plain(synth::params::AMP_DECAY, 0.01);
    play(bencher, &patch, 1);
}

/// What a trainer does: random patches, 1.5 s clips of one note at 32 kHz.
#[divan::bench]
fn training_clips(bencher: Bencher) {
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(9);
    let mut synth = Synth::new(32_000.0);
    let mut out = Vec::new();
    let notes = [Note {
        onset: 0.0,
        duration: 1.0,
        key: 57.0,
        velocity: 0.8,
    }];
    bencher.counter(ItemsCount::new(SECOND)).bench_local(|| {
        synth.render_into(&Patch::random(&mut rng), &notes, 1.5, 1, &mut out);
        black_box(out[0])
    });
}
