//! Writes the states of a version of the plugin into `fixtures/states`, for the test that later
//! versions play them alike. Run once for each version, when it is released, with that version
//! bundled (MIRRORNET_BUNDLED names another bundle):
//!
//! `cargo run -p tests --bin state_fixtures -- VERSION`

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use synth::{PARAMS, Unit};
use tests::host::Host;
use tests::melody;
use tests::sandbox::Sandbox;
use tests::states::{Fixture, folder, to_clap};

/// Seconds of a reference that is matched.
const HEARD: f64 = 4.0;

fn main() {
    let version = std::env::args()
        .nth(1)
        .expect("usage: state_fixtures VERSION");
    let programs = std::env::current_exe().expect("it runs");
    let programs = programs.parent().expect("it lies in a folder");
    let folder = folder().join(version);
    std::fs::create_dir_all(&folder).expect("the fixtures' folder can be made");
    for fixture in fixtures() {
        let fixture = make(fixture, programs);
        let text = serde_json::to_string_pretty(&fixture).expect("plain data");
        let path = folder.join(&fixture.name).with_extension("json");
        std::fs::write(path, text + "\n").expect("the folder was just made");
    }
}

fn empty(name: &str, content: &str) -> Fixture {
    Fixture {
        name: name.into(),
        content: content.into(),
        quantities: BTreeMap::new(),
        choices: BTreeMap::new(),
        locks: Vec::new(),
        held: BTreeMap::new(),
        state: Value::Null,
    }
}

/// Contents of the states.
fn fixtures() -> Vec<Fixture> {
    let mut quantities = empty("quantities", "knobs of every scale off their defaults");
    for (id, x) in [
        ("osc1_shape", 0.25),
        ("osc2_detune", 0.5),
        ("filter_cutoff", 0.75),
        ("filter_env_amount", 0.375),
        ("amp_attack", 0.5),
        ("bend_range", 0.625),
        ("reverb_mix", 0.25),
        ("reverb_decay", 0.5),
    ] {
        quantities.quantities.insert(id.into(), x);
    }
    // Later versions have longer lists: whatever the list, each choice is another one.
    let mut choices = empty(
        "choices",
        "every choice and count off its default, and a matrix slot",
    );
    choices.quantities.insert("mod1_amount".into(), 0.875);
    choices.quantities.insert("mod2_amount".into(), 0.25);
    for (k, row) in PARAMS.iter().filter(|row| row.is_stepped()).enumerate() {
        let steps = row.steps().expect("it is stepped");
        let index = match row.unit {
            // In a zone of MPE the tests' notes would do nothing special, and in Mono few sound.
            Unit::Choice(_) => (k * 5 + 1) % (steps + 1),
            _ => 5,
        };
        let index = match index as f32 + row.min == row.default {
            true => (index + 1) % (steps + 1),
            false => index,
        };
        let name = row.format(row.min + index as f32);
        choices.choices.insert(row.id.into(), name);
    }
    let mut matched = empty(
        "matched",
        "a held match with two locks, and a knob off its default",
    );
    matched.quantities.insert("filter_cutoff".into(), 0.9);
    matched.quantities.insert("amp_sustain".into(), 0.5);
    matched.locks = vec!["filter_cutoff".into(), "amp_sustain".into()];
    vec![
        empty("init", "everything at its default"),
        quantities,
        choices,
        matched,
    ]
}

/// Lets the plugin save the state that the fixture describes.
fn make(mut fixture: Fixture, programs: &Path) -> Fixture {
    let program = |name: &str| {
        let path = programs
            .join(name)
            .with_extension(std::env::consts::EXE_EXTENSION);
        path.to_str().expect("a path of the build").to_owned()
    };
    let sandbox = Sandbox::with_program(&program("sure_engine"));
    let state = sandbox.file("state");
    let matched = !fixture.locks.is_empty();
    let mut job = Host::Clap.job(&sandbox, "first", if matched { HEARD } else { 0.1 });
    for row in &PARAMS {
        let normalized = match (fixture.quantities.get(row.id), fixture.choices.get(row.id)) {
            (Some(x), _) => *x,
            (_, Some(name)) => row.normalized(row.parse(name).expect("a name of the list")),
            _ => continue,
        };
        job.params.insert(row.name.into(), f64::from(normalized));
    }
    job.save_state = Some(state.clone());
    if matched {
        let trumpet = melody::foreign().swap_remove(2);
        let sidechain = sandbox.file("trumpet.wav");
        trumpet.write(&sidechain);
        job.sidechain = Some(sidechain);
        job.notes = trumpet.notes;
    }
    Host::Clap.run(&program("clap_host"), &sandbox, &job);
    let read = || -> Value {
        let bytes = std::fs::read(&state).expect("the host saved it");
        serde_json::from_slice(&bytes[8..]).expect("a state is JSON")
    };
    fixture.state = read();
    if matched {
        // Nothing but a hand locks; the lists are edited, and the plugin saves what it makes of it.
        let container = fixture.state["fields"]["mirrornet"].as_str().expect("text");
        let mut container: Value = serde_json::from_str(container).expect("JSON");
        container["locks"] = fixture.locks.clone().into();
        for (id, entry) in container["inference"].as_object().expect("a match is held") {
            let mean = entry[0].as_f64().expect("a number") as f32;
            fixture.held.insert(id.clone(), mean);
        }
        fixture.state["fields"]["mirrornet"] = container.to_string().into();
        std::fs::write(&state, to_clap(&fixture.state)).expect("the sandbox is ours");
        let mut job = Host::Clap.job(&sandbox, "second", 0.1);
        job.load_state = Some(state.clone());
        job.save_state = Some(state.clone());
        Host::Clap.run(&program("clap_host"), &sandbox, &job);
        fixture.state = read();
    }
    fixture
}
