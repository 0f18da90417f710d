//! Speed of the engine: `cargo bench -p synth`. The counter is samples of one voice; divided by the
//! sample rate it is voices x real time. The goal is 72 Mitem/s (1,500 voices) for the plain voice
//! with AVX2, 33.6 (700) with the baseline, and 72 for batches.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use synth::{Batch, Event, EventKind, InstructionSet, Job, Note, Patch, Synth, params};

const RATE: f32 = 48_000.0;
const SECOND: usize = 48_000;
const SETS: [InstructionSet; 2] = [InstructionSet::Avx2, InstructionSet::Baseline];

fn main() {
    divan::main();
}

/// One second in blocks of 256 with `notes` held notes.
fn play(bencher: Bencher, patch: &Patch, notes: usize, set: InstructionSet) {
    let mut synth = Synth::with_instruction_set(RATE, set);
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

fn with(rows: &[(usize, f32)]) -> Patch {
    let mut patch = Patch::default();
    for &(row, v) in rows {
        patch.set_plain(row, v);
    }
    patch
}

/// Two plain saws, ladder, two envelopes.
#[divan::bench(args = SETS)]
fn plain_16(bencher: Bencher, set: InstructionSet) {
    play(bencher, &Patch::default(), 16, set);
}

/// The plain voice with one note: the vectors are nearly empty.
#[divan::bench(args = SETS)]
fn plain_1(bencher: Bencher, set: InstructionSet) {
    play(bencher, &Patch::default(), 1, set);
}

/// Both oscillators between two waveforms.
#[divan::bench(args = SETS)]
fn morphing_16(bencher: Bencher, set: InstructionSet) {
    let patch = with(&[(params::OSC1_SHAPE, 1.5), (params::OSC2_SHAPE, 2.5)]);
    play(bencher, &patch, 16, set);
}

/// The ladder at twice the rate.
#[divan::bench(args = SETS)]
fn ladder_2x_16(bencher: Bencher, set: InstructionSet) {
    play(bencher, &with(&[(params::FILTER_TYPE, 1.0)]), 16, set);
}

/// The state-variable filter.
#[divan::bench(args = SETS)]
fn svf_24_16(bencher: Bencher, set: InstructionSet) {
    play(bencher, &with(&[(params::FILTER_TYPE, 3.0)]), 16, set);
}

/// Both oscillators in seven copies, spread over both sides.
#[divan::bench(args = SETS)]
fn unison_7_16(bencher: Bencher, set: InstructionSet) {
    play(bencher, &with(&[(params::UNISON_VOICES, 6.0)]), 16, set);
}

/// A saw synced two octaves up, and a sine.
#[divan::bench(args = [2.0, 0.0])]
fn sync_16(bencher: Bencher, shape: f32) {
    let patch = with(&[(params::OSC1_SHAPE, shape), (params::OSC1_SYNC, 24.0)]);
    play(bencher, &patch, 16, Synth::best_instruction_set());
}

/// One voice with chorus, delay and reverb.
#[divan::bench]
fn effects_1(bencher: Bencher) {
    let mixes = [params::CHORUS_MIX, params::DELAY_MIX, params::REVERB_MIX];
    let patch = with(&mixes.map(|row| (row, 0.3)));
    play(bencher, &patch, 1, Synth::best_instruction_set());
}

/// Any timbre the matcher may set.
#[divan::bench(args = [1, 2])]
fn random_16(bencher: Bencher, seed: u64) {
    let patch = Patch::random(&mut Pcg64Mcg::seed_from_u64(seed));
    play(bencher, &patch, 16, Synth::best_instruction_set());
}

/// A held note that has decayed to nothing.
#[divan::bench]
fn silent_tail(bencher: Bencher) {
    let patch = with(&[(params::AMP_SUSTAIN, 0.0), (params::AMP_DECAY, 0.01)]);
    play(bencher, &patch, 1, Synth::best_instruction_set());
}

const CLIPS: usize = 64;
const CLIP: f64 = 1.0;

/// A trainer's work: clips of one note with random patches, at 48 kHz.
fn clips() -> Vec<(Patch, [Note; 1])> {
    let mut rng = Pcg64Mcg::seed_from_u64(9);
    let clip = |_| {
        let note = Note {
            onset: 0.0,
            duration: 0.9 * CLIP,
            key: rng.random_range(36.0..84.0f32).round(),
            velocity: 0.8,
        };
        (Patch::random(&mut rng), [note])
    };
    (0..CLIPS).map(clip).collect()
}

/// Sixteen at a time.
#[divan::bench(args = SETS)]
fn training_batch(bencher: Bencher, set: InstructionSet) {
    let clips = clips();
    let jobs: Vec<Job> = clips
        .iter()
        .map(|(patch, notes)| Job {
            patch,
            notes,
            seconds: CLIP,
            seed: 1,
        })
        .collect();
    let mut batch = Batch::with_instruction_set(RATE, set);
    let mut out = Vec::new();
    bencher
        .counter(ItemsCount::new(CLIPS * SECOND))
        .bench_local(|| {
            batch.render_mono(&jobs, &mut out);
            black_box(out[0][0])
        });
}

/// Training clips rendered one by one.
#[divan::bench]
fn training_single(bencher: Bencher) {
    let clips = clips();
    let mut synth = Synth::new(RATE);
    let mut out = Vec::new();
    bencher
        .counter(ItemsCount::new(CLIPS * SECOND))
        .bench_local(|| {
            for (patch, notes) in &clips {
                synth.render_into(patch, notes, CLIP, 1, &mut out);
            }
            black_box(out[0])
        });
}
