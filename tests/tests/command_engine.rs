//! The command's `--encoder engine` against the stand-in engine: it answers, or the error says why
//! and what to do.

use matcher::INPUT_LEN;
use matcher::engine::engine_program;
use mirrornet::encoder::through_engine;
use std::path::Path;

/// An engine folder with the stand-in in this mode.
fn folder(mode: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (fake, program) = (
        env!("CARGO_BIN_EXE_fake_engine"),
        folder.path().join(engine_program()),
    );
    #[cfg(unix)]
    std::os::unix::fs::symlink(fake, program).unwrap();
    #[cfg(not(unix))]
    std::fs::copy(fake, program).unwrap();
    std::fs::write(folder.path().join("mode"), mode).unwrap();
    folder
}

#[test]
fn an_engine_that_runs_answers_for_the_model_it_was_given() {
    let folder = folder("ok");
    let model = Path::new("some model");
    let mut loaded = through_engine(folder.path(), model).unwrap();
    assert_eq!(loaded.contract.ear, ear::EarConfig::default());
    // More windows than a request holds.
    let windows: Vec<u8> = (0..150).flat_map(|i| vec![i; INPUT_LEN]).collect();
    let answers = loaded.encoder.infer(&windows).unwrap();
    let means: Vec<f32> = answers.iter().map(|a| 255.0 * a.mean[0]).collect();
    assert!(
        means
            .iter()
            .zip(0..150)
            .all(|(m, i)| (m - i as f32).abs() < 1e-3)
    );
    let arguments = std::fs::read_to_string(folder.path().join("arguments")).unwrap();
    assert!(arguments.ends_with("some model"), "{arguments}");
}

#[test]
fn an_engine_that_cannot_run_is_an_error_with_its_reason_and_what_to_do() {
    for (mode, reason) in [
        ("failed", "encoder.pt is truncated"),
        ("old", "0.0.1"),
        ("die-at-start", "libtorch_cpu.so: cannot open"),
    ] {
        let folder = folder(mode);
        let error = through_engine(folder.path(), Path::new("model"));
        let text = error.err().unwrap().to_string();
        for needle in [reason, "cargo xtask install", "--encoder"] {
            assert!(text.contains(needle), "{mode}: {text}");
        }
        assert!(
            text.contains(&folder.path().display().to_string()),
            "{text}"
        );
    }
}
