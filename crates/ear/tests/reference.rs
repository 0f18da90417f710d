//! The ear against the reference implementation (naplib 2.6.0), on signals made by
//! `fixtures/make.py`. `cargo test -p ear --test reference -- --nocapture` prints the table.

mod common;

use common::{agreement, fixture};
use ear::{EarConfig, HairCell, Preset, spectrogram};

const SIGNALS: [&str; 6] = ["noise", "saw440", "sweep", "impulses", "speech", "melody"];

fn check(mode: &str, rate: u32, config: EarConfig, least_r: f64, most_e: f64) {
    for name in SIGNALS {
        let samples: Vec<f32> = fixture(&format!("{name}_{rate}"))
            .iter()
            .map(|x| (x / 32_768.0) as f32)
            .collect();
        let reference = fixture(&format!("{name}_{rate}_{mode}"));
        let heard = spectrogram(&config, &samples, f64::from(rate), false).unwrap();
        let (r, e) = agreement(&heard.data, &reference);
        println!("{name:9} {rate:6} Hz {mode:9} r {r:.6}  e {e:.4}");
        assert!(
            r >= least_r && e <= most_e,
            "{name} at {rate} Hz, {mode}: r {r:.6}, e {e:.4}"
        );
    }
}

#[test]
fn linear_at_16_khz() {
    check("linear", 16_000, EarConfig::default(), 0.9998, 0.02);
}

#[test]
fn hair_cell_factor_at_16_khz() {
    let config = EarConfig {
        hair_cell: HairCell::Factor(0.1),
        ..EarConfig::default()
    };
    check("factor", 16_000, config, 0.999, 0.05);
}

#[test]
fn half_wave_at_16_khz() {
    let config = EarConfig {
        hair_cell: HairCell::HalfWave,
        ..EarConfig::default()
    };
    check("half-wave", 16_000, config, 0.998, 0.05);
}

#[test]
fn native_rates() {
    let native = EarConfig {
        native_rate: true,
        ..EarConfig::default()
    };
    check("native", 8_000, native, 0.998, 0.03);
    check("native", 11_025, native, 0.998, 0.03);
    // At 8 kHz this is what the paper's preset is.
    let paper = EarConfig {
        preset: Preset::Nsl8k,
        ..EarConfig::default()
    };
    check("native", 8_000, paper, 0.998, 0.03);
}
