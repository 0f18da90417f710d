//! Speed of the ear on one core: `cargo bench -p ear`.
//!
//! `second_of_sound` counts seconds of sound as items, so items a second are times real time;
//! `frame` is the time of one 8 ms frame.

#[path = "../tests/common/mod.rs"]
mod common;

use common::noise;
use divan::Bencher;
use divan::counter::ItemsCount;
use ear::{Ear, EarConfig, FRAME_SECONDS, HairCell, InstructionSet, Preset};
use std::fmt;

fn main() {
    divan::main();
}

#[derive(Clone, Copy)]
struct Case {
    preset: Preset,
    hair_cell: HairCell,
    pitch: bool,
    instructions: InstructionSet,
    input_rate: f64,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {:?}",
            self.preset, self.hair_cell, self.instructions
        )?;
        if self.input_rate != self.preset.rate() {
            write!(f, " from {} Hz", self.input_rate)?;
        }
        if self.pitch {
            write!(f, " with pitch")?;
        }
        Ok(())
    }
}

impl Case {
    fn ear(&self) -> Ear {
        let config = EarConfig {
            preset: self.preset,
            hair_cell: self.hair_cell,
            ..EarConfig::default()
        };
        Ear::with_instructions(&config, self.input_rate, self.pitch, self.instructions)
            .expect("a valid case")
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for instructions in InstructionSet::ALL {
        if !instructions.is_available() {
            continue;
        }
        let plain = |preset: Preset| Case {
            preset,
            hair_cell: HairCell::Linear,
            pitch: false,
            instructions,
            input_rate: preset.rate(),
        };
        let nsl = plain(Preset::Nsl16k);
        cases.extend([nsl, plain(Preset::Nsl8k), plain(Preset::Wide)]);
        cases.push(Case {
            hair_cell: HairCell::HalfWave,
            ..nsl
        });
        cases.push(Case {
            hair_cell: HairCell::Factor(0.1),
            ..nsl
        });
        cases.push(Case { pitch: true, ..nsl });
        cases.push(Case {
            pitch: true,
            input_rate: 48_000.0,
            ..nsl
        });
        cases.push(Case {
            pitch: true,
            input_rate: 44_100.0,
            ..plain(Preset::Wide)
        });
    }
    cases
}

/// A second of four slurred notes, each ringing into the next.
fn melody(rate: f64) -> Vec<f32> {
    (0..rate as usize)
        .map(|n| {
            let t = n as f64 / rate;
            let sum: f64 = [220.0, 330.0, 262.0, 392.0]
                .iter()
                .zip([0.0, 0.25, 0.5, 0.75])
                .filter(|(_, start)| t >= *start)
                .map(|(hz, start)| {
                    let fade = 0.5f64.powf(((t - start - 0.25) / 0.02).max(0.0));
                    let saw = (hz * t).fract() - 0.5;
                    fade * saw
                })
                .sum();
            (0.3 * sum) as f32
        })
        .collect()
}

#[divan::bench(args = cases())]
fn second_of_sound(bencher: Bencher, case: &Case) {
    let mut ear = case.ear();
    // Noise has no notes to follow.
    let sound = if case.pitch {
        melody(case.input_rate)
    } else {
        noise(case.input_rate as usize)
    };
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| {
        let mut last = 0.0;
        ear.process(&sound, |frame| last = frame.spectrum[64]);
        last
    });
}

#[divan::bench(args = cases())]
fn frame(bencher: Bencher, case: &Case) {
    let mut ear = case.ear();
    let sound = noise((case.input_rate * FRAME_SECONDS).round() as usize);
    bencher.bench_local(|| {
        let mut last = 0.0;
        ear.process(&sound, |frame| last = frame.spectrum[64]);
        last
    });
}
