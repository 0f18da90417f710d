//! `mirror --refine S` takes S seconds, whatever the clip's length.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// A melody of bundled references, `seconds` long.
fn clip(seconds: f64) -> (u32, Vec<f32>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/references");
    let names = ["plucked-string.wav", "reed-pipe.wav", "tine-piano.wav"];
    let sounds = names.map(|name| std::fs::read(folder.join(name)).unwrap());
    let sounds = sounds.map(|bytes| audio_file::read(&bytes).unwrap());
    let rate = sounds[0].rate;
    let all = sounds
        .iter()
        .flat_map(|sound| sound.mono())
        .collect::<Vec<f32>>();
    let length = (seconds * f64::from(rate)) as usize;
    (rate, all.into_iter().cycle().take(length).collect())
}

/// Mirrors a clip; the report, and the seconds that the command took.
fn mirror(seconds: f64, refine: f64) -> (serde_json::Value, f64) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (rate, samples) = clip(seconds);
    mirrornet::wav::write(&path("in.wav"), rate, &[&samples]).unwrap();
    let began = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_mirrornet"))
        .arg("mirror")
        .arg(path("in.wav"))
        .arg("--out")
        .arg(path("out.wav"))
        .arg("--patch")
        .arg(path("patch.json"))
        .args(["--json", "--refine", &format!("{refine} s")])
        .output()
        .unwrap();
    let took = began.elapsed().as_secs_f64();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let out = audio_file::read(&std::fs::read(path("out.wav")).unwrap()).unwrap();
    assert_eq!(
        out.channels[0].len(),
        samples.len(),
        "the whole clip is played"
    );
    (serde_json::from_slice(&output.stdout).unwrap(), took)
}

/// Three minutes took 56 s of 5, and nothing was searched.
#[test]
fn a_long_clip_is_searched_in_passages() {
    let (report, _) = mirror(180.0, 5.0);
    let passages = report["passages"].as_array().expect("passages");
    assert!((2..=16).contains(&passages.len()), "{passages:?}");
    assert!(report["renders"].as_u64().unwrap() > 20, "{report:#}");
    assert!(report["gain"]["likeness"].as_f64().unwrap() >= 0.0);
    assert!(report["gain"]["mel_distance_db"].as_f64().unwrap() >= 0.0);
    assert!(report["search_seconds"].as_f64().unwrap() <= 5.0);
}

#[test]
#[ignore = "measures time: needs a machine with nothing else to do"]
fn a_long_clip_takes_the_time_it_is_given() {
    let (_, took) = mirror(180.0, 5.0);
    // What a busy machine does to the last steps is not the search's.
    assert!(took < 1.5 * 5.0, "{took} s");
}

#[test]
fn a_short_clip_is_searched_whole() {
    let (report, took) = mirror(3.0, 3.0);
    assert!(report["passages"].is_null());
    assert!(report["renders"].as_u64().unwrap() > 20, "{report:#}");
    assert!(report["search_seconds"].as_f64().unwrap() <= 3.0);
    assert!(took > 1.5 && took < 1.5 * 3.0, "{took} s");
}
