//! Costs of each stage of training on one core, in samples per second, and the time of an
//! inference: `cargo bench -p trainer` (`-- STAGE` for one of them).

use divan::{Bencher, black_box, counter::ItemsCount};
use ear::EarConfig;
use matcher::BuiltinEncoder;
use matcher::INPUT_LEN;
use mirrornet::samples::augment::augment;
use mirrornet::samples::babble::{Sample, rng, stream};
use mirrornet::samples::collected::Collected;
use mirrornet::samples::distribution::Distribution;
use mirrornet::samples::foreign::Foreign;
use mirrornet::samples::plant::{Phrase, Plant, RENDER_RATE, Render};
use mirrornet::samples::pool::Pool;
use rand::Rng;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use synth::{Note, Patch};
use tch::nn::VarStore;
use tch::{Device, Tensor};
use trainer::model::{Decoder, Encoder, P};
use trainer::torchscript::TorchEncoder;
use trainer::train::batch::Batch;
use trainer::train::losses::{auditory, likelihood};
use trainer::train::trainer::Trainer;
use trainer::train::{Budget, Recipe};

/// Windows of a step, as the default recipe has.
const BATCH: u64 = 32;
const SEED: u64 = 1;
/// Windows of an inference's latency.
const LATENCIES: usize = 2000;

fn main() {
    // As the trainer does.
    tch::set_num_threads(1);
    divan::main();
    latencies();
}

fn plant() -> Plant {
    Plant::new(&EarConfig::default()).unwrap()
}

fn samples(n: u64) -> Vec<Sample> {
    let indices: Vec<u64> = (0..n).collect();
    Sample::many(
        &mut plant(),
        &Distribution::default(),
        SEED,
        stream::BABBLE,
        &indices,
    )
}

/// Samples as they are drawn.
fn draws(n: u64) -> Vec<(u64, Arc<Sample>)> {
    (0..).zip(samples(n).into_iter().map(Arc::new)).collect()
}

fn batch(n: u64) -> Batch {
    let mut collected = Collected::default();
    collected.own(&draws(n), &Distribution::default(), SEED);
    Batch::new(&collected, Device::Cpu)
}

/// A sample of babbling: a random patch, rendered and heard.
#[divan::bench(max_time = 4)]
fn babble_sample(bencher: Bencher) {
    let (mut plant, mut i) = (plant(), 0);
    bencher.counter(ItemsCount::new(16u64)).bench_local(|| {
        i += 16;
        let indices: Vec<u64> = (i - 16..i).collect();
        Sample::many(
            &mut plant,
            &Distribution::default(),
            SEED,
            stream::BABBLE,
            &indices,
        )
    });
}

/// A guess of mirroring, rendered and heard with the notes of a foreign clip.
#[divan::bench(max_time = 4)]
fn guess(bencher: Bencher) {
    let mut plant = plant();
    let melody = melody(1);
    let mut rng = rng(SEED, stream::EXPLORE, 0);
    bencher.counter(ItemsCount::new(16u64)).bench_local(|| {
        let guesses: Vec<(Patch, Phrase)> = (0..16)
            .map(|_| {
                let start = rng.random_range(0.0..7.0);
                (Patch::random(&mut rng), Phrase::excerpt(&melody, start, 1))
            })
            .collect();
        let renders: Vec<Render<'_>> = guesses
            .iter()
            .map(|(patch, phrase)| Render {
                patch,
                phrase,
                whole: false,
            })
            .collect();
        for (audio, (_, phrase)) in plant.play(&renders).iter().zip(&guesses) {
            black_box(plant.window(audio, phrase.start));
        }
    });
}

#[divan::bench]
fn augmentation(bencher: Bencher) {
    let window = samples(1).remove(0).clean;
    let mut rng = rng(SEED, stream::AUGMENT, 0);
    bencher
        .counter(ItemsCount::new(1u64))
        .with_inputs(|| window.clone())
        .bench_local_refs(|window| augment(window, &Distribution::default(), &mut rng));
}

/// Windows and notes to tensors.
#[divan::bench]
fn collecting(bencher: Bencher) {
    let draws = draws(BATCH);
    bencher.counter(ItemsCount::new(BATCH)).bench_local(|| {
        let mut collected = Collected::default();
        collected.own(&draws, &Distribution::default(), SEED);
        Batch::new(&collected, Device::Cpu)
    });
}

#[divan::bench(args = [BATCH, 2 * BATCH])]
fn encoder_forward_backward(bencher: Bencher, n: u64) {
    let (store, batch) = (VarStore::new(Device::Cpu), batch(n));
    let encoder = Encoder::new(&store.root());
    bencher.counter(ItemsCount::new(n)).bench_local(|| {
        let answer = encoder.forward(&batch.heard);
        let loss = likelihood(&answer.narrow(1, 0, P), &answer.narrow(1, P, P), &batch.h);
        Tensor::run_backward(&[&loss], &store.trainable_variables(), false, false)
    });
}

#[divan::bench(args = [BATCH, 2 * BATCH])]
fn decoder_forward_backward(bencher: Bencher, n: u64) {
    let (store, batch) = (VarStore::new(Device::Cpu), batch(n));
    let cf = ear::centre_frequencies(&EarConfig::default(), RENDER_RATE);
    let decoder = Decoder::new(&store.root(), &cf, &Default::default());
    bencher.counter(ItemsCount::new(n)).bench_local(|| {
        let guess = decoder.forward(&batch.h, &batch.keys, &batch.scalars);
        let loss = auditory(&Default::default(), &guess, &batch.clean);
        Tensor::run_backward(&[&loss], &store.trainable_variables(), false, false)
    });
}

fn trainer() -> (Trainer, Pool) {
    let ear = EarConfig::default();
    let recipe = Recipe::new(Budget::Minutes(1.0), &[]).unwrap();
    let pool = Pool::new(1, &ear, &recipe.samples, SEED, None).unwrap();
    (Trainer::new(recipe, &ear, Device::Cpu), pool)
}

/// A whole step with one rendering thread, as on two cores.
#[divan::bench(max_time = 8)]
fn babble_step(bencher: Bencher) {
    let (mut trainer, mut pool) = trainer();
    bencher
        .counter(ItemsCount::new(BATCH))
        .bench_local(|| trainer.babble(&mut pool, 1e-4).unwrap());
}

/// A whole step of mirroring with one rendering thread, as on two cores.
#[divan::bench(max_time = 12)]
fn mirror_step(bencher: Bencher) {
    let (mut trainer, mut pool) = trainer();
    let folder = tempfile::tempdir().unwrap();
    let foreign = foreign(folder.path());
    bencher
        .counter(ItemsCount::new(BATCH))
        .bench_local(|| trainer.mirror(&mut pool, Some(&foreign), 1e-4).unwrap());
}

/// Eight seconds of notes as the references have them.
fn melody(seed: u64) -> Vec<Note> {
    let mut rng = rng(seed, stream::HELD_OUT, 0);
    let mut t = 0.05;
    let mut notes = Vec::new();
    while t < 7.0 {
        let duration = rng.random_range(0.25..0.9);
        notes.push(Note {
            onset: t,
            duration,
            key: rng.random_range(45..80) as f32,
            velocity: 0.8,
        });
        t += duration + rng.random_range(0.02..0.15);
    }
    notes
}

fn foreign(folder: &Path) -> Foreign {
    let mut rng = rng(SEED, stream::HELD_OUT, 1);
    for i in 0..4 {
        let patch = Patch::random(&mut rng);
        let sound = synth::render_mono(&patch, &melody(i), 8.0, 32_000.0, i);
        mirrornet::wav::write(&folder.join(format!("{i}.wav")), 32_000, &[&sound]).unwrap();
    }
    Foreign::read(folder, &EarConfig::default()).unwrap()
}

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../model-weights")
}

/// Prints the median and the 99th percentile of one window's inference, which divan doesn't.
fn latencies() {
    match TorchEncoder::new(&model()) {
        Ok(encoder) => latency("TorchScript", encoder),
        Err(e) => println!("TorchScript encoder not measured: {e}"),
    }
    match BuiltinEncoder::from_folder(&model()) {
        Ok(encoder) => latency("built-in", encoder),
        Err(e) => println!("built-in encoder not measured: {e}"),
    }
}

fn latency(name: &str, mut encoder: impl matcher::Encoder) {
    let window: Vec<u8> = (0..INPUT_LEN).map(|i| (i * 7919 % 251) as u8).collect();
    let mut times: Vec<f64> = (0..LATENCIES)
        .map(|_| {
            let started = Instant::now();
            black_box(encoder.infer(&window).unwrap());
            1e3 * started.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "inference of one window, {name} encoder: median {:.2} ms, 99 of 100 within {:.2} ms",
        times[LATENCIES / 2],
        times[LATENCIES * 99 / 100]
    );
}
