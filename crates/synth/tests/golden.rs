//! The sound of today: renders of three patches against stored samples. When they change, so has
//! the sound, and CHANGELOG.md must say so.
//!
//! The golden file is written by this test itself: `UPDATE_GOLDEN=1 cargo test -p synth --test
//! golden`. The comparison has a tolerance of -70 dBFS because the platform's libm and the FFT's
//! instruction set may round the last bit of a coefficient differently.

use rand::SeedableRng;
use std::path::Path;
use synth::{Note, Patch, render};

const STRIDE: usize = 61;
const TOLERANCE: f32 = 3e-4;

fn renders() -> Vec<Vec<f32>> {
    let note = |onset, key, velocity| Note {
        onset,
        duration: 0.3,
        key,
        velocity,
    };
    let melody = [
        note(0.0, 45.0, 0.9),
        note(0.25, 57.5, 0.6),
        note(0.5, 64.0, 1.0),
    ];
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(2027);
    let patches = [
        Patch::default(),
        Patch::random(&mut rng),
        Patch::random(&mut rng),
    ];
    let every = |patch| {
        let [left, _] = render(patch, &melody, 1.0, 32_000.0, 11);
        left.into_iter().step_by(STRIDE).collect()
    };
    patches.iter().map(every).collect()
}

#[test]
fn renders_sound_as_before() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden.json");
    let now = renders();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let rounded: Vec<Vec<f64>> = now
            .iter()
            .map(|r| r.iter().map(|&x| (x as f64 * 1e6).round() / 1e6).collect())
            .collect();
        std::fs::write(&file, serde_json::to_string(&rounded).unwrap()).unwrap();
        return;
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let golden: Vec<Vec<f32>> = serde_json::from_str(&text).unwrap();
    assert_eq!(golden.len(), now.len());
    for (patch, (want, got)) in golden.iter().zip(&now).enumerate() {
        assert_eq!(want.len(), got.len());
        let loudest = want.iter().fold(0.0f32, |p, x| p.max(x.abs()));
        assert!(loudest > 0.01, "render {patch} is too soft to judge");
        for (i, (a, b)) in want.iter().zip(got).enumerate() {
            let sample = i * STRIDE;
            assert!(
                (a - b).abs() < TOLERANCE,
                "render {patch}, sample {sample}: {b}, was {a}"
            );
        }
    }
}
