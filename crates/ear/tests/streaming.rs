//! Frames don't depend on blocks; silence is silent; faults are counted.

mod common;

use common::HAIR_CELLS;
use ear::{Ear, EarConfig, Preset, spectrogram};

fn melody(rate: f64, seconds: f64) -> Vec<f32> {
    let mut phase = 0.0;
    (0..(rate * seconds) as usize)
        .map(|n| {
            let hz = [220.0, 330.0, 110.0, 880.0][(n as f64 / rate * 4.0) as usize % 4];
            phase = (phase + hz / rate) % 1.0;
            (phase - 0.5) as f32
        })
        .collect()
}

fn hear(ear: &mut Ear, samples: &[f32], blocks: &[usize]) -> Vec<u32> {
    let mut out = Vec::new();
    let mut rest = samples;
    for &block in blocks.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at(block.min(rest.len()));
        rest = later;
        ear.process(now, |f| {
            out.extend(f.spectrum.map(f32::to_bits));
            out.extend([f.pitch.hz, f.pitch.clarity, f.pitch.level_db].map(f32::to_bits));
        });
    }
    out
}

#[test]
fn frames_do_not_depend_on_blocks() {
    for (preset, rate, native_rate) in [
        (Preset::Nsl16k, 16_000.0, false),
        (Preset::Nsl8k, 44_100.0, false),
        (Preset::Wide, 48_000.0, false),
        (Preset::Nsl16k, 11_025.0, true),
    ] {
        let config = EarConfig {
            preset,
            native_rate,
            ..EarConfig::default()
        };
        let sound = melody(rate, 0.7);
        let mut ear = Ear::new(&config, rate, true).unwrap();
        let whole = hear(&mut ear, &sound, &[usize::MAX]);
        assert!(whole.len() > 80 * 131);
        for blocks in [&[1][..], &[64], &[777, 3, 4096]] {
            ear.reset();
            assert!(
                hear(&mut ear, &sound, blocks) == whole,
                "{preset}, blocks {blocks:?}"
            );
        }
    }
}

#[test]
fn silence_is_exactly_silent() {
    for hair_cell in HAIR_CELLS {
        let config = EarConfig {
            hair_cell,
            ..EarConfig::default()
        };
        let heard = spectrogram(&config, &[0.0; 44_100], 44_100.0, true).unwrap();
        assert_eq!(heard.frames(), 125);
        assert!(heard.data.iter().all(|&x| x == 0.0));
        assert!(
            heard
                .pitch
                .iter()
                .all(|p| !p.voiced && p.level_db == -120.0)
        );
    }
}

#[test]
fn a_block_with_nan_is_taken_as_silence_and_counted() {
    let config = EarConfig::default();
    let sound = melody(16_000.0, 0.5);
    let mut broken = sound.clone();
    let mut silenced = sound.clone();
    silenced[1280..1920].fill(0.0);
    broken[1500] = f32::NAN;
    broken[1700] = f32::INFINITY;
    let mut ear = Ear::new(&config, 16_000.0, true).unwrap();
    let got = hear(&mut ear, &broken, &[640]);
    assert_eq!(ear.faults(), 1);
    ear.reset();
    assert!(got == hear(&mut ear, &silenced, &[640]));
}
