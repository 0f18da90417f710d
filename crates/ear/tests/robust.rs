//! Robustness: no allocation while processing, no lasting effect of bad input, the same result on
//! every instruction set.

mod common;

use common::{HAIR_CELLS, noise};
use ear::{Ear, EarConfig, HairCell, InstructionSet, Normalize, Preset};

const CURVES: [HairCell; 3] = [HairCell::Linear, HairCell::HalfWave, HairCell::Factor(0.1)];

/// Spectra of all frames of `sound`; `ear` keeps its state from earlier calls.
fn hear(ear: &mut Ear, sound: &[f32]) -> Vec<f32> {
    let mut out = Vec::new();
    for block in sound.chunks(512) {
        ear.process(block, |frame| out.extend_from_slice(frame.spectrum));
    }
    out
}

#[test]
fn processing_does_not_allocate() {
    for (preset, rate, normalize, hair_cell) in [
        (Preset::Nsl16k, 16_000.0, Normalize::None, HairCell::Linear),
        (
            Preset::Nsl8k,
            44_100.0,
            Normalize::Running,
            HairCell::HalfWave,
        ),
        (
            Preset::Wide,
            48_000.0,
            Normalize::Running,
            HairCell::Factor(0.1),
        ),
    ] {
        let config = EarConfig {
            preset,
            normalize,
            hair_cell,
            ..EarConfig::default()
        };
        let mut ear = Ear::new(&config, rate, true).unwrap();
        let mut sound = noise(20_000);
        let mut frames = 0;
        let counted = allocation_counter::measure(|| {
            for block in [1, 64, 333, 4096, 15_000] {
                ear.process(&sound[..block], |_| frames += 1);
            }
            sound[7] = f32::NAN;
            ear.process(&sound, |_| frames += 1);
            ear.reset();
            ear.process(&sound, |_| frames += 1);
        });
        assert!(frames > 100);
        assert_eq!(counted.count_total, 0, "{preset}: {counted:?}");
    }
}

#[test]
fn no_input_has_a_lasting_effect() {
    let rate = 16_000.0;
    let quiet = vec![0.0; 4 * 16_000];
    let sound = noise(8_000);
    for hair_cell in HAIR_CELLS {
        let config = EarConfig {
            hair_cell,
            ..EarConfig::default()
        };
        let mut fresh = Ear::new(&config, rate, true).unwrap();
        let want = hear(&mut fresh, &sound);
        let mut click = vec![0.0; 800];
        click[3] = 1.0;
        for (name, harm) in [
            ("click", click),
            ("constant", vec![1.0; 8_000]),
            ("largest numbers", vec![f32::MAX; 800]),
            ("denormals", vec![1e-40; 8_000]),
            ("NaN", vec![f32::NAN; 512]),
        ] {
            let mut ear = Ear::new(&config, rate, true).unwrap();
            let during = hear(&mut ear, &harm);
            assert!(during.iter().all(|x| x.is_finite()), "{name}");
            let after = hear(&mut ear, &quiet);
            // Exactly silent again, not only nearly.
            assert!(
                after[after.len() - 128..].iter().all(|&x| x == 0.0),
                "{name}, {hair_cell}"
            );
            // Frames may have another phase now: complete the one that was begun.
            let begun = (harm.len() + quiet.len()) % 128;
            hear(&mut ear, &vec![0.0; (128 - begun) % 128]);
            assert!(hear(&mut ear, &sound) == want, "{name}, {hair_cell}");
        }
    }
}

#[test]
fn instruction_sets_agree() {
    let sound = noise(24_000);
    let sets = InstructionSet::ALL
        .into_iter()
        .filter(|set| set.is_available());
    // Without a resampler and with one.
    let presets = [Preset::Nsl16k, Preset::Wide];
    let rates = presets
        .into_iter()
        .flat_map(|p| [(p, p.rate()), (p, 48_000.0)]);
    for (preset, rate) in rates {
        for hair_cell in CURVES {
            let config = EarConfig {
                preset,
                hair_cell,
                ..EarConfig::default()
            };
            let run = |set| {
                hear(
                    &mut Ear::with_instructions(&config, rate, false, set).unwrap(),
                    &sound,
                )
            };
            let a = run(InstructionSet::Baseline);
            let peak = a.iter().copied().fold(0.0, f32::max);
            for set in sets.clone() {
                let b = run(set);
                let worst = a
                    .iter()
                    .zip(&b)
                    .map(|(a, b)| (a - b).abs())
                    .fold(0.0, f32::max);
                println!(
                    "{preset} {hair_cell} {set:?} from {rate} Hz: {:.1e}",
                    worst / peak
                );
                assert!(
                    worst <= 1e-5 * peak,
                    "{preset} {hair_cell} {set:?} from {rate} Hz: {worst} of {peak}"
                );
            }
        }
    }
}

#[test]
fn running_normalisation_removes_level_and_offset() {
    let config = EarConfig {
        normalize: Normalize::Running,
        ..EarConfig::default()
    };
    let sound = noise(48_000);
    let loud: Vec<f32> = sound.iter().map(|x| 10.0 * x).collect();
    let offset: Vec<f32> = sound.iter().map(|x| 0.3 * x + 0.5).collect();
    let mut ear = Ear::new(&config, 16_000.0, false).unwrap();
    let want = hear(&mut ear, &sound);
    for other in [loud, offset] {
        ear.reset();
        let got = hear(&mut ear, &other);
        // The second second: the offset's own onset has passed.
        let (mut error, mut power) = (0.0, 0.0);
        for (g, w) in got.iter().zip(&want).skip(125 * 128) {
            error += f64::from(g - w).powi(2);
            power += f64::from(*w).powi(2);
        }
        assert!((error / power).sqrt() < 0.01, "{}", (error / power).sqrt());
    }
}

#[test]
fn settings_out_of_range_are_refused_with_a_reason() {
    let good = EarConfig::default();
    for (config, rate, says) in [
        (good, 7_999.0, "8000"),
        (good, 192_001.0, "192000"),
        (good, f64::NAN, "NaN"),
        (
            EarConfig {
                frame_ms: 0.0,
                ..good
            },
            16_000.0,
            "frame-ms",
        ),
        (
            EarConfig {
                tc_ms: f32::NAN,
                ..good
            },
            16_000.0,
            "tc-ms",
        ),
        (
            EarConfig {
                hair_cell: HairCell::Factor(-1.0),
                ..good
            },
            16_000.0,
            "factor",
        ),
        (
            EarConfig {
                normalize: Normalize::Clip,
                ..good
            },
            16_000.0,
            "running",
        ),
    ] {
        let error = Ear::new(&config, rate, true)
            .err()
            .expect("refused")
            .to_string();
        assert!(error.contains(says), "{error}");
    }
}
