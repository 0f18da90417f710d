//! Every reader of outside bytes, fed with broken ones: it may refuse them, it may not panic, and
//! what it accepts is in range. A few thousand cases each time, and very many with `cargo xtask
//! test --long`.

use matcher::Contract;
use matcher::engine::protocol::{self, Message};
use mirrornet::{midi, wav};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use synth::{Note, Patch};

/// One to eight changes: bytes overwritten, bits flipped, pieces cut out, doubled or cut off.
fn damage(bytes: &[u8], rng: &mut Pcg64Mcg) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..=8) {
        let n = bytes.len();
        if n == 0 {
            break;
        }
        // Headers are where it hurts.
        let at = match rng.random_bool(0.5) {
            true => rng.random_range(0..n.min(64)),
            false => rng.random_range(0..n),
        };
        match rng.random_range(0..6) {
            0 => bytes[at] = rng.random(),
            1 => bytes[at] ^= 1 << rng.random_range(0..8),
            2 => bytes[at] = [0, 0xFF, 0x7F, 0x80][rng.random_range(0..4)],
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..(at + rng.random_range(1..16)).min(n))),
            _ => {
                let piece = bytes[at..(at + 16).min(n)].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn melody() -> Vec<Note> {
    (0..6)
        .map(|i| Note {
            onset: 0.25 * i as f64,
            duration: 0.2,
            key: 60.0 + i as f32,
            velocity: 0.7,
        })
        .collect()
}

fn wavs(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let sine: Vec<f32> = (0..400).map(|i| (i as f32 * 0.1).sin()).collect();
    let float = folder.join("float.wav");
    wav::write(&float, 16_000, &[&sine, &sine]).unwrap();
    let int = |bits| {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 44_100,
            bits_per_sample: bits,
            sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for x in &sine {
            writer
                .write_sample((x * ((1i64 << (bits - 1)) - 1) as f32) as i32)
                .unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    };
    vec![std::fs::read(float).unwrap(), int(16), int(24)]
}

fn fuzz(rounds: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Pcg64Mcg::seed_from_u64(rounds);
    let wavs = wavs(folder.path());
    let file = folder.path().join("melody.mid");
    midi::write(&file, &melody()).unwrap();
    let mid = std::fs::read(&file).unwrap();
    let patch = Patch::random(&mut rng).to_json().to_string();
    let contract = serde_json::to_string(&Contract::current(
        Default::default(),
        b"weights",
        serde_json::Value::Null,
    ))
    .unwrap();
    let mut frames = Vec::new();
    protocol::write(&mut frames, &Message::Hello { protocol: 1 }).unwrap();
    protocol::write(
        &mut frames,
        &Message::Failed {
            message: "reason".into(),
        },
    )
    .unwrap();
    for round in 0..rounds {
        let wav = damage(&wavs[round as usize % wavs.len()], &mut rng);
        if let Ok(sound) = audio_file::read(&wav) {
            assert!(sound.channels.iter().flatten().all(|x| x.is_finite()));
            assert!((8_000..=192_000).contains(&sound.rate));
        }
        let damaged = damage(&mid, &mut rng);
        if let Ok(song) = midi::parse(&damaged, &file) {
            let notes = song.notes();
            let sane = |n: &Note| n.onset >= 0.0 && n.duration >= 0.0 && n.key.is_finite();
            assert!(notes.iter().all(sane), "{notes:?}");
        }
        let text = damage(patch.as_bytes(), &mut rng);
        if let Ok((patch, _)) = Patch::from_json(&String::from_utf8_lossy(&text)) {
            assert!(patch.values().iter().all(|x| (0.0..=1.0).contains(x)));
        }
        let text = damage(contract.as_bytes(), &mut rng);
        if let Ok(contract) = Contract::from_json(&String::from_utf8_lossy(&text)) {
            let _ = contract.check();
        }
        let bytes = damage(&frames, &mut rng);
        let mut rest = bytes.as_slice();
        while let Ok(Some(_)) = protocol::read(&mut rest) {}
    }
}

#[test]
fn broken_input_is_refused() {
    fuzz(3_000);
}

#[test]
#[ignore = "long: run by cargo xtask test --long"]
fn much_broken_input_is_refused() {
    fuzz(1_000_000);
}
