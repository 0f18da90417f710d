//! Careless hosts: the plugin is called through its libraries' entries as no host should call it.
//! Each test of [`clap`] and [`vst3`] is a fault that once ended the host, or lost what it played.

#![cfg(unix)]
#![allow(unsafe_code)] // Hosts speak C.

mod both;
mod clap;
mod clap_host;
mod fuzz;
mod memory;
mod played;
mod presets;
mod state;
mod vst3;
mod vst3_host;

use rand::SeedableRng;
use std::sync::Once;

// Aborts when `process` allocates. Release builds don't have it.
#[cfg(debug_assertions)]
#[global_allocator]
static ALLOCATOR: nice_assert_no_alloc::AllocDisabler = nice_assert_no_alloc::AllocDisabler;

/// Sample rate in Hz, and the longest block that the hosts announce.
const RATE: f64 = 48_000.0;
const LONGEST: usize = 512;

/// Folder of the player's data while this runs; it is not there.
fn data_folder() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("no MirrorNet engine here {}", std::process::id()))
}

/// Makes sure that no engine of the player's is started.
fn without_engine() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let nowhere = data_folder();
        // SAFETY: before any thread of the plugin's exists.
        unsafe {
            std::env::set_var("XDG_DATA_HOME", &nowhere);
            std::env::set_var("HOME", &nowhere);
            std::env::remove_var("DISPLAY");
        }
    });
}

/// A melody that the shipped model follows: the synth's own, three seconds.
fn reference() -> Vec<f32> {
    reference_of(38)
}

/// A melody played by the random patch of `seed`.
fn reference_of(seed: u64) -> Vec<f32> {
    let notes: Vec<_> = [57.0, 60.0, 64.0, 62.0, 57.0, 55.0]
        .into_iter()
        .enumerate()
        .map(|(k, key)| synth::Note {
            key,
            onset: 0.5 * k as f64,
            duration: 0.45,
            velocity: 0.9,
        })
        .collect();
    let patch = synth::Patch::random(&mut rand_pcg::Pcg64Mcg::seed_from_u64(seed));
    synth::render_mono(&patch, &notes, 3.0, RATE as f32, 0)
}

/// Largest magnitude.
fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, x| peak.max(x.abs()))
}

/// Upward zero crossings.
fn crossings(samples: &[f32]) -> usize {
    samples
        .windows(2)
        .filter(|w| w[0] < 0.0 && w[1] >= 0.0)
        .count()
}

/// Fails for a sample that is NaN, infinite or subnormal.
fn check_samples(samples: &[f32]) {
    let bad = samples
        .iter()
        .position(|x| !x.is_finite() || x.is_subnormal());
    assert_eq!(bad, None, "{:?}", bad.map(|k| samples[k]));
}
