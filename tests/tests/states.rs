//! Projects of every version so far sound as they did. Unix only: Windows offers no data folder
//! that a test could redirect.
#![cfg(unix)]

use matcher::Inference;
use matcher::live::{Limits, Target};
use std::collections::BTreeMap;
use synth::{MATCHED, Note, PARAMS, Patch};
use tests::host::Host;
use tests::sandbox::Sandbox;
use tests::states::{Fixture, to_clap};

const CLAP_HOST: &str = env!("CARGO_BIN_EXE_clap_host");
const SECONDS: f64 = 1.5;

/// Sustained and short notes, soft and loud.
fn phrase() -> Vec<Note> {
    [
        (0.0, 0.9, 48.0, 1.0),
        (0.3, 0.2, 60.0, 0.5),
        (0.7, 0.5, 67.0, 0.7),
    ]
    .map(|(onset, duration, key, velocity)| Note {
        onset,
        duration,
        key,
        velocity,
    })
    .to_vec()
}

/// The patch that sounded with this state in the version that saved it.
fn sounding(fixture: &Fixture) -> Patch {
    let mut knobs = Patch::default();
    for (row, table) in PARAMS.iter().enumerate() {
        if let Some(&x) = fixture.quantities.get(table.id) {
            knobs.set(row, x);
        }
        if let Some(name) = fixture.choices.get(table.id) {
            let plain = table.parse(name).expect("names stay");
            assert_eq!(table.format(plain), *name, "{} has lost a name", table.id);
            knobs.set_plain(row, plain);
        }
    }
    if fixture.held.is_empty() {
        return knobs;
    }
    let mut limits = Limits::NONE;
    let id = |i: usize| PARAMS[MATCHED[i]].id;
    limits.locked = std::array::from_fn(|i| fixture.locks.iter().any(|lock| lock == id(i)));
    let inference = Inference {
        // A parameter that is matched since a later version stays at its knob.
        mean: std::array::from_fn(|i| {
            let held = fixture.held.get(id(i));
            *held.unwrap_or(&knobs.get(MATCHED[i]))
        }),
        sigma: [0.1; synth::MATCHED_COUNT],
    };
    Target::new(inference, &Patch::default()).effective(&knobs, 1.0, &limits)
}

#[test]
fn states_of_every_version_sound_as_they_did() {
    let sandbox = Sandbox::without_engine();
    let mut versions = BTreeMap::new();
    for (version, fixture) in tests::states::all() {
        let name = format!("{version}-{}", fixture.name);
        let state = sandbox.file(&format!("{name}.state"));
        std::fs::write(&state, to_clap(&fixture.state)).expect("the sandbox is ours");
        let mut job = Host::Clap.job(&sandbox, &name, SECONDS);
        job.notes = phrase();
        job.load_state = Some(state);
        let (_, loaded) = Host::Clap.run(CLAP_HOST, &sandbox, &job);

        let mut job = Host::Clap.job(&sandbox, &format!("{name}-expected"), SECONDS);
        job.notes = phrase();
        job.params.insert("Match".into(), 0.0);
        let patch = sounding(&fixture);
        for (row, table) in PARAMS.iter().enumerate() {
            job.params.insert(table.name.into(), patch.get(row).into());
        }
        let (_, expected) = Host::Clap.run(CLAP_HOST, &sandbox, &job);
        let peak = expected[0].iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
        assert!(peak > 0.01, "{name} is silent");
        let unequal = (0..2)
            .flat_map(|side| loaded[side].iter().zip(&expected[side]))
            .filter(|(a, b)| a.to_bits() != b.to_bits())
            .count();
        assert_eq!(unequal, 0, "{name} ({}): unequal samples", fixture.content);
        *versions.entry(version).or_insert(0) += 1;
    }
    assert_eq!(versions.get("0.1.0"), Some(&4), "{versions:?}");
}
