//! Cost of the engine's client without the network: `cargo bench -p tests --bench engine_client`.

use divan::Bencher;
use matcher::engine::{Engine, EngineStatus, engine_program};
use matcher::{Encoder, INPUT_LEN};
use std::time::Duration;

fn main() {
    divan::main();
}

/// One window to the stand-in engine process and back.
#[divan::bench]
fn engine_round_trip(bencher: Bencher) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(
        env!("CARGO_BIN_EXE_fake_engine"),
        folder.path().join(engine_program()),
    )
    .unwrap();
    std::fs::write(folder.path().join("mode"), "ok").unwrap();
    let engine = Engine::at(folder.path());
    engine.start();
    while !matches!(engine.status(), EngineStatus::Running { .. }) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (mut encoder, window) = (engine.encoder(), vec![100; INPUT_LEN]);
    bencher.bench_local(|| encoder.infer(&window).unwrap());
}
