//! Costs of the loop at run time and of search, on one core: `cargo bench -p matcher`.

use divan::{Bencher, counter::ItemsCount};
use ear::EarConfig;
use matcher::BuiltinEncoder;
use matcher::engine::{Engine, EngineStatus};
use matcher::live::Listener;
use matcher::search::Reference;
use matcher::{Encoder, EncoderError, INPUT_LEN, Inference};
use std::path::{Path, PathBuf};
use std::time::Duration;
use synth::{MATCHED_COUNT, Note, Patch};

const RATE: f64 = 44_100.0;

fn main() {
    divan::main();
}

/// Five notes in 2 s, as in the paper.
fn notes() -> Vec<Note> {
    let note = |i: usize| Note {
        onset: 0.4 * i as f64,
        duration: 0.35,
        key: 60.0 + 2.0 * i as f32,
        velocity: 0.8,
    };
    (0..5).map(note).collect()
}

fn clip() -> Vec<f32> {
    let [left, _] = synth::render(&Patch::default(), &notes(), 2.0, RATE as f32, 1);
    left
}

struct Constant;

impl Encoder for Constant {
    fn infer(&mut self, _: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        Ok(vec![Inference {
            mean: [0.5; MATCHED_COUNT],
            sigma: [0.1; MATCHED_COUNT],
        }])
    }
}

/// A second of sound through ear, window and smoothing, without the network.
#[divan::bench]
fn listen_1_s(bencher: Bencher) {
    let mut listener = Listener::new(&EarConfig::default(), RATE, Constant).unwrap();
    let sound = &clip()[..RATE as usize];
    bencher.bench_local(|| listener.step(sound, |_, _| (), |heard| drop(divan::black_box(heard))));
}

#[divan::bench]
fn likeness_of_2_s(bencher: Bencher) {
    let heard = ear::spectrogram(&EarConfig::default(), &clip(), RATE, false).unwrap();
    bencher.bench_local(|| matcher::metric::likeness(&heard, &heard));
}

#[divan::bench]
fn mel_profile_of_2_s(bencher: Bencher) {
    let (mel, clip) = (matcher::metric::mel::Mel::new(RATE), clip());
    bencher.bench_local(|| mel.profile(&clip));
}

/// Half a minute of a melody through all that the listener does, the network in plain Rust: ear,
/// windows, inference, loudness, resynthesis. Over 30 s, its share of a core.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn listen_with_the_network_30_s(bencher: Bencher) {
    let encoder = BuiltinEncoder::from_folder(&workspace().join("model-weights")).unwrap();
    let mut listener = Listener::new(&EarConfig::default(), RATE, encoder).unwrap();
    let sound = clip().repeat(15);
    bencher.bench_local(|| listener.step(&sound, |_, _| (), |heard| drop(divan::black_box(heard))));
}

/// Benchmarks one comparison of a search's result: render, hear, compare.
#[divan::bench]
fn search_step_of_2_s(bencher: Bencher) {
    let reference = Reference::new(&clip(), RATE, &EarConfig::default()).unwrap();
    let (notes, patch) = (notes(), Patch::default());
    bencher
        .counter(ItemsCount::new(1usize))
        .bench_local(|| reference.score_of(&notes, &patch.into()));
}

fn window() -> Vec<u8> {
    (0..INPUT_LEN).map(|i| (i * 7919 % 251) as u8).collect()
}

/// One window through the built-in encoder.
#[divan::bench]
fn builtin_inference(bencher: Bencher) {
    let mut encoder = BuiltinEncoder::from_folder(&workspace().join("model-weights")).unwrap();
    let window = window();
    bencher.bench_local(|| encoder.infer(&window).unwrap());
}

/// Benchmarks one window through the engine that `cargo xtask bundle` made, pipe and torch
/// included.
#[divan::bench]
fn engine_inference(bencher: Bencher) {
    let bundled = std::env::var_os("MIRRORNET_BUNDLED").map(PathBuf::from);
    let bundled = bundled.unwrap_or_else(|| workspace().join("target/bundled"));
    let engine = Engine::at(&bundled.join("engine"));
    engine.start();
    while matches!(engine.status(), EngineStatus::Idle | EngineStatus::Starting) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (mut encoder, window) = (engine.encoder(), window());
    match encoder.infer(&window) {
        Ok(_) => bencher.bench_local(|| encoder.infer(&window).unwrap()),
        Err(e) => eprintln!("not measured: {e}"),
    }
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
