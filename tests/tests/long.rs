//! Long tests, run by `cargo xtask test --long`.

use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::host::Host;
use tests::melody::{self, RATE, SECONDS};
use tests::sandbox::{Sandbox, workspace};
use tests::wav;

/// Minutes of sound in the soak.
const SOAK_MINUTES: f64 = 10.0;

/// Ten minutes of four instances under hostile events and automation, with a reference that never
/// ends.
#[test]
#[ignore = "long: run by cargo xtask test --long"]
fn ten_minutes_of_hostile_events_stay_finite() {
    let sandbox = Sandbox::with_engine();
    let mut job = Host::Clap.job(&sandbox, "soak", 60.0 * SOAK_MINUTES);
    let rounds = (60.0 * SOAK_MINUTES / SECONDS).ceil() as usize;
    let melodies = melody::foreign();
    let mut sound = Vec::new();
    for round in 0..rounds {
        let melody = &melodies[round % melodies.len()];
        sound.extend_from_slice(&melody.samples);
        job.notes.extend(melody.notes.iter().map(|n| synth::Note {
            onset: n.onset + round as f64 * SECONDS,
            ..*n
        }));
    }
    let sidechain = sandbox.file("soak.sidechain.wav");
    wav::write(&sidechain, &[&sound], RATE);
    job.sidechain = Some(sidechain);
    job.hostile = Some(1);
    job.offline = true;
    job.instances = 4;
    let (report, out) = Host::Clap.run(env!("CARGO_BIN_EXE_clap_host"), &sandbox, &job);
    assert!(report.torch_mapped.is_empty(), "{:?}", report.torch_mapped);
    assert_eq!(report.children.len(), 1, "{:?}", report.children);
    let wrong = out
        .iter()
        .flatten()
        .position(|x| !x.is_finite() || x.abs() > 16.0);
    assert_eq!(wrong, None, "first sample that is not finite or above 16");
}

/// Compares the figures of `evaluate` (docs/metrics.md) with their goals; fails with a list of the
/// missed ones.
#[test]
#[ignore = "long, and not all of it is reached: run by cargo xtask test --long"]
fn the_match_reaches_its_goals() {
    let sandbox = Sandbox::without_engine();
    let folder = sandbox.file("foreign");
    melody::write_measured(&folder);
    let out = Command::new(env!("CARGO"))
        .current_dir(workspace())
        .args(["run", "--release", "--quiet", "-p", "mirrornet", "--"])
        .args(["evaluate", "--model", "model-weights"])
        .args([
            "--own",
            "20",
            "--effects",
            "20",
            "--held",
            "40",
            "--peers",
            "20",
            "--refine",
            "10",
            "--json",
            "--foreign",
        ])
        .arg(&folder)
        .output()
        .expect("cargo runs this test");
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{errors}");
    let report: Value = serde_json::from_slice(&out.stdout).expect("evaluate writes JSON");
    let mean = |set: &str, of: &dyn Fn(&Value) -> Option<f64>| {
        let rows = report["sets"][set].as_array().expect("rows");
        let values: Vec<f64> = rows.iter().filter_map(of).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let refined = |row: &Value| row["refined"]["likeness"].as_f64();
    let settled = |row: &Value| row["settled"].as_f64();
    let moved = report["held_notes_moved"].as_array().expect("numbers");
    let steady = moved
        .iter()
        .filter(|m| m.as_f64().is_some_and(|m| m <= 0.02));
    let wins = |one: &str, other: &str| {
        let rows = report["peers"].as_array().expect("rows");
        let won = rows
            .iter()
            .filter(|row| row[one].as_f64() > row[other].as_f64());
        won.count() as f64 / rows.len() as f64
    };
    let rows = [
        ("own melodies, refined 10 s", mean("own", &refined), 0.97),
        (
            "own melodies with unknown effects, refined 10 s",
            mean("effects", &refined),
            0.90,
        ),
        (
            "foreign melodies, refined 10 s",
            mean("foreign", &refined),
            0.90,
        ),
        ("settled after 1.5 s, own", mean("own", &settled), 0.9),
        (
            "settled after 1.5 s, foreign",
            mean("foreign", &settled),
            0.9,
        ),
        (
            "share of sounds on which the encoder beats 1,000 random patches",
            wins("encoder", "random"),
            0.9,
        ),
        (
            "share on which it beats CMA-ES after 2 s of search",
            wins("refined", "blind"),
            0.8,
        ),
        (
            "share of held notes that stay within 2 %",
            steady.count() as f64 / moved.len() as f64,
            1.0,
        ),
    ];
    let missed: Vec<String> = rows
        .iter()
        .map(|(what, is, goal)| (format!("{what}: {is:.3}, goal {goal}"), is < goal))
        .inspect(|(text, _)| println!("{text}"))
        .filter_map(|(text, missed)| missed.then_some(text))
        .collect();
    assert!(missed.is_empty(), "missed:\n{}", missed.join("\n"));
}

/// Longest time of the quick experiments.
const QUICK: Duration = Duration::from_secs(600);

#[test]
#[ignore = "long: run by cargo xtask test --long"]
fn the_quick_experiments_end_in_time_and_reach_their_goals() {
    let sandbox = Sandbox::without_engine();
    let json = sandbox.file("figures.json");
    let began = Instant::now();
    let out = Command::new(env!("CARGO"))
        .current_dir(workspace())
        .args(["run", "--release", "--quiet", "-p", "mirrornet", "--"])
        .args(["experiments", "--quick", "--model", "model-weights"])
        .arg("--out")
        .arg(sandbox.file("experiments"))
        .arg("--json")
        .arg(&json)
        .output()
        .expect("cargo runs this test");
    let took = began.elapsed();
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{errors}");
    println!("{}", String::from_utf8_lossy(&out.stdout));
    let text = std::fs::read_to_string(&json).expect("the figures are written");
    let report: Value = serde_json::from_str(&text).expect("they are JSON");
    let experiments = &report["experiments"];
    let mean = |set: &str| experiments[set]["means"]["likeness"]["searched"]["mean"].as_f64();
    for (set, goal) in [("own", 0.99), ("vibrato", 0.95), ("foreign", 0.96)] {
        assert!(
            mean(set) >= Some(goal),
            "{set}: {:?}, goal {goal}",
            mean(set)
        );
    }
    assert!(took < QUICK, "{took:?}");
}
