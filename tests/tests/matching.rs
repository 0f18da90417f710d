//! The match on instruments nobody here made, through a CLAP host and through a real VST3 host.

use std::io::Write;
use tests::host::Host;
use tests::measure::{Reference, Score, mono};
use tests::melody::{self, Melody, SECONDS};
use tests::sandbox::Sandbox;

/// Share of the distance to the reference that the match must close, for four melodies of five.
const GOAL: f32 = 0.30;

/// Plays a melody's notes through a host, its sound in the sidechain.
fn play(host: Host, sandbox: &Sandbox, melody: &Melody, matching: bool) -> Vec<f32> {
    let name = format!("{host:?}-{}-{matching}", melody.instrument);
    let mut job = host.job(sandbox, &name, SECONDS);
    job.notes = melody.notes.clone();
    let sidechain = sandbox.file(&format!("{}.wav", melody.instrument));
    melody.write(&sidechain);
    job.sidechain = Some(sidechain);
    if !matching {
        job.params.insert("Match".into(), 0.0);
    }
    let (report, out) = host.run(env!("CARGO_BIN_EXE_clap_host"), sandbox, &job);
    assert!(
        report.torch_mapped.is_empty(),
        "{host:?} maps {:?}",
        report.torch_mapped
    );
    mono(&out)
}

/// Without refinement, each clip measured from its first sample to its last.
#[test]
fn the_match_closes_at_least_30_percent_for_four_of_five() {
    let sandbox = Sandbox::with_engine();
    let melodies = melody::foreign();
    let mut table = String::from(
        "\nhost  instrument   default  random  match  closed   mel default  match [dB]   pitch default  match\n",
    );
    let mut failures = Vec::new();
    let medians: Vec<f32> = melodies
        .iter()
        .map(|m| Reference::new(m).median_random())
        .collect();
    for host in [Host::Clap, Host::Vst3] {
        let mut passed = 0;
        for (melody, &random) in melodies.iter().zip(&medians) {
            let reference = Reference::new(melody);
            let default: Score = reference.score(&play(host, &sandbox, melody, false));
            let matched: Score = reference.score(&play(host, &sandbox, melody, true));
            let baseline = default.likeness.max(random);
            let closed = (matched.likeness - baseline) / (1.0 - baseline);
            passed += (closed >= GOAL) as usize;
            table += &format!(
                "{:5} {:12} {:7.3} {:7.3} {:6.3} {:6.0} %   {:11.1} {:6.1}        {:13.2} {:6.2}\n",
                format!("{host:?}"),
                melody.instrument,
                default.likeness,
                random,
                matched.likeness,
                100.0 * closed,
                default.mel,
                matched.mel,
                default.pitch,
                matched.pitch,
            );
        }
        if passed < 4 {
            failures.push(format!("{host:?}: {passed} of 5"));
        }
    }
    // Not `println!`: the table is to be seen when the test passes, too.
    let _ = std::io::stderr().write_all(table.as_bytes());
    assert!(
        failures.is_empty(),
        "closed {} % of the distance for only {failures:?}\n{table}",
        100.0 * GOAL
    );
}
