//! Saving, restoring and loading the state.

use super::*;
use matcher::Inference;
use rand::{Rng, SeedableRng};
use synth::{Lean, MATCHED, MATCHED_COUNT, PARAMS, Patch};

fn some() -> Target {
    Target::new(
        Inference {
            mean: std::array::from_fn(|i| i as f32 / MATCHED_COUNT as f32),
            sigma: [0.125; MATCHED_COUNT],
        },
        &Patch::default(),
    )
}

fn knobs() -> [f32; COUNT] {
    *Patch::default().values()
}

/// A state with a lock, a range and a held inference.
fn full() -> (InstanceState, AudioState) {
    let (state, mut audio) = InstanceState::new();
    let mut limits = Limits::NONE;
    limits.locked[3] = true;
    limits.ranges[5] = [0.25, 0.5];
    state.set_limits(&limits);
    audio.mailbox.report(Some(some()));
    (state, audio)
}

#[test]
fn saved_and_restored() {
    let (state, _audio) = full();
    let text = state.save();

    let (other, mut audio) = InstanceState::new();
    other.set_lock(0, true);
    other.restore(Some(&text), &knobs());
    assert_eq!(other.limits(), state.limits());
    assert_eq!(other.message(), None);
    // Before the audio thread has taken it up, and after.
    assert_eq!(other.held(), Some(some()));
    assert_eq!(other.save(), text);
    assert_eq!(audio.mailbox.recalled(), Some(Some(some())));
    assert_eq!(audio.mailbox.recalled(), None);
    audio.mailbox.report(None);
    assert_eq!(other.held(), None);

    other.restore(None, &knobs());
    assert_eq!((other.limits(), other.held()), (Limits::NONE, None));
}

/// The inference that the audio thread still held when a patch was loaded must not come back.
#[test]
fn a_report_of_an_earlier_generation_does_not_undo_a_load() {
    let (state, mut audio) = InstanceState::new();
    let empty = state.snapshot(&knobs());
    state.load(empty, empty);
    audio.mailbox.report(Some(some()));
    assert_eq!(state.held(), None);
    assert_eq!(audio.mailbox.recalled(), Some(None));
    audio.mailbox.report(Some(some()));
    assert_eq!(state.held(), Some(some()));
}

/// Sections that can be read are loaded as a whole, and the others are reported.
#[test]
fn a_damaged_container_loads_by_sections_and_says_so() {
    let (state, _audio) = full();
    let good = state.save();
    for end in 0..good.len() {
        state.restore(Some(&good[..end]), &knobs());
        assert_eq!(
            (state.limits(), state.held()),
            (Limits::NONE, None),
            "{end}"
        );
        assert!(state.message().is_some(), "{end}");
    }
    let whole = |text: &str| {
        state.restore(Some(text), &knobs());
        (state.limits(), state.held())
    };
    let (limits, held) = whole(&good);
    assert_eq!(held, Some(some()));
    for (text, expected) in [
        (good.replace("0.125", "1e30"), (limits, None)),
        (good.replace("0.125", "null"), (limits, None)),
        ("[]".into(), (Limits::NONE, None)),
        (
            "{\"format\":1,\"locks\":[],\"inference\":7}".into(),
            (Limits::NONE, None),
        ),
        (
            good.replace("[0.25,0.5]", "[0.25]"),
            (
                Limits {
                    ranges: Limits::NONE.ranges,
                    ..limits
                },
                held,
            ),
        ),
    ] {
        assert_eq!(whole(&text), expected, "{text}");
        assert!(state.message().is_some(), "{text}");
    }
    whole(&good);
    assert_eq!(state.message(), None);
}

/// A project that went through this version and back loses nothing that a newer one keeps in it.
#[test]
fn unknown_sections_and_entries_survive() {
    let (state, mut audio) = full();
    let newer = state
        .save()
        .replace("\"format\":1", "\"format\":7,\"memory\":{\"sounds\":[1,2]}")
        .replace("\"locks\":[", "\"locks\":[\"osc9_shape\",")
        .replace("\"ranges\":{", "\"ranges\":{\"osc9_shape\":[0.1,0.2],")
        .replace(
            "\"inference\":{",
            "\"inference\":{\"osc9_shape\":[0.3,0.1],",
        );
    let (other, mut other_audio) = InstanceState::new();
    other.restore(Some(&newer), &knobs());
    assert_eq!(
        (other.limits(), other.held()),
        (state.limits(), state.held())
    );
    assert!(other.message().is_some_and(|text| text.contains("newer")));
    let again: serde_json::Value = serde_json::from_str(&other.save()).unwrap();
    let mut first: serde_json::Value = serde_json::from_str(&newer).unwrap();
    // The order of locks is not theirs.
    first["locks"].as_array_mut().unwrap().reverse();
    assert_eq!(again, first);

    // Locks and ranges that are changed here leave theirs alone; another match replaces theirs.
    other.set_lock(3, false);
    other_audio.mailbox.recalled();
    audio.mailbox.report(None);
    other_audio.mailbox.report(Some(Target::new(
        Inference {
            mean: [0.5; MATCHED_COUNT],
            sigma: [0.125; MATCHED_COUNT],
        },
        &Patch::default(),
    )));
    let again: serde_json::Value = serde_json::from_str(&other.save()).unwrap();
    assert_eq!(again["locks"], serde_json::json!(["osc9_shape"]));
    assert_eq!(again["memory"], first["memory"]);
    assert!(again["inference"].get("osc9_shape").is_none());
}

/// A parameter that is matched since a later version costs no match and no lock.
#[test]
fn a_match_that_lacks_a_parameter_leaves_that_one_at_its_knob() {
    let (state, _audio) = full();
    let mut text: serde_json::Value = serde_json::from_str(&state.save()).unwrap();
    let young = PARAMS[MATCHED[7]].id;
    text["inference"].as_object_mut().unwrap().remove(young);
    let mut knobs = knobs();
    knobs[MATCHED[7]] = 0.4321;
    let (other, _audio) = InstanceState::new();
    other.restore(Some(&text.to_string()), &knobs);
    assert_eq!(other.message(), None);
    assert_eq!(other.limits().locked, state.limits().locked);
    let (got, expected) = (other.held().unwrap().inference, some().inference);
    for i in 0..MATCHED_COUNT {
        let mean = if i == 7 { 0.4321 } else { expected.mean[i] };
        assert_eq!(got.mean[i], mean);
    }
}

/// Projects hold this text.
#[test]
fn the_text_form_stays_the_same() {
    let (state, mut audio) = InstanceState::new();
    assert_eq!(state.save(), r#"{"format":1,"inference":null,"locks":[]}"#);
    let mut limits = Limits::NONE;
    limits.locked[1] = true;
    limits.ranges[2] = [0.25, 0.75];
    state.set_limits(&limits);
    audio.mailbox.report(Some(Target::new(
        Inference {
            mean: [0.5; MATCHED_COUNT],
            sigma: [0.125; MATCHED_COUNT],
        },
        &Patch::default(),
    )));
    let mut ids = MATCHED.map(|row| PARAMS[row].id);
    ids.sort_unstable();
    let values = ids.map(|id| format!("\"{id}\":[0.5,0.125]")).join(",");
    let (lock, range) = (PARAMS[MATCHED[1]].id, PARAMS[MATCHED[2]].id);
    let level = f64::from(state.held().unwrap().level_db);
    let text = format!(
        "{{\"format\":1,\"inference\":{{{values}}},\"inference_level\":{level},\
         \"locks\":[\"{lock}\"],\"ranges\":{{\"{range}\":[0.25,0.75]}}}}"
    );
    assert_eq!(state.save(), text);
}

#[test]
fn found_sounds_are_kept_and_come_back() {
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(4);
    let mut sound = || KnownSound {
        mean: std::array::from_fn(|_| rng.random()),
        lean: Lean {
            key: rng.random_range(30..90) as f32,
            slopes: std::array::from_fn(|_| rng.random_range(-0.5..0.5)),
        },
        likeness: rng.random(),
    };
    let sounds: Vec<_> = (0..3).map(|_| sound()).collect();
    let mut saved = Saved::empty();
    saved.sounds.clone_from(&sounds);
    let (back, faults) = Saved::from_text(&saved.to_text(), &knobs());
    assert_eq!((back.sounds, faults.len()), (sounds, 0));

    let broken = r#"{"format": 1, "sounds": [{"likeness": 7}]}"#;
    let (back, faults) = Saved::from_text(broken, &knobs());
    assert!(
        back.sounds.is_empty() && faults[0].contains("sounds"),
        "{faults:?}"
    );
    // A level that goes with the held inference is restored as it was.
    let (state, mut audio) = InstanceState::new();
    let mut held = some();
    held.level_db = 3.25;
    audio.mailbox.report(Some(held));
    let (other, _audio) = InstanceState::new();
    other.restore(Some(&state.save()), &knobs());
    assert_eq!(other.held(), Some(held));
}

#[test]
fn a_refused_state_is_said_until_it_is_read() {
    let (state, _audio) = InstanceState::new();
    assert_eq!(state.message(), None);
    state.door.mark_refused();
    assert!(
        state
            .message()
            .is_some_and(|text| text.contains("could not be read"))
    );
    assert!(state.message().is_some());
    state.set_message(None);
    assert_eq!(state.message(), None);
}

#[test]
fn the_players_changes_are_worth_saving_and_loads_are_not() {
    let (state, _audio) = full();
    assert!(state.door.take_changed());
    let text = state.save();
    state.restore(Some(&text), &knobs());
    assert!(!state.door.take_changed());
    state.set_limits(&state.limits());
    assert!(!state.door.take_changed());
    state.set_limits(&Limits::NONE);
    assert!(state.door.take_changed());
    assert!(!state.door.take_changed());
}

/// Damages a text: flips bits, cuts, repeats, swaps.
fn damage(text: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for _ in 0..rng.random_range(1..4) {
        if bytes.is_empty() {
            break;
        }
        let (a, b) = (
            rng.random_range(0..bytes.len()),
            rng.random_range(0..bytes.len()),
        );
        match rng.random_range(0..5) {
            0 => bytes[a] ^= 1 << rng.random_range(0..8),
            1 => bytes.truncate(a),
            2 => bytes.swap(a, b),
            3 => drop(bytes.drain(a.min(b)..a.max(b))),
            _ => {
                let part = bytes[a.min(b)..a.max(b)].to_vec();
                bytes.extend(part);
            }
        }
    }
    bytes
}

/// Loads damaged states as the framework does: all of the host's parameters end within their
/// ranges, and the rest is loaded by whole sections.
fn fuzz(rounds: u64) {
    use nice_plug::plugin::ParamValue;
    use nice_plug::prelude::PluginState;
    let (state, _audio) = full();
    let mut good = PluginState {
        version: "0.1.0".into(),
        params: Default::default(),
        fields: [(FIELD.to_owned(), state.save())].into(),
    };
    crate::params::migrate(&mut good);
    let good = serde_json::to_vec(&good).unwrap();
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(rounds);
    let (mut loaded, mut matched) = (0, 0);
    for _ in 0..rounds {
        let Ok(mut damaged) = serde_json::from_slice::<PluginState>(&damage(&good, &mut rng))
        else {
            continue;
        };
        loaded += 1;
        crate::params::migrate(&mut damaged);
        for row in &PARAMS {
            let inside = match (&damaged.params[row.id], row.steps()) {
                (ParamValue::F32(x), None) => (0.0..=1.0).contains(x),
                (ParamValue::I32(v), Some(_)) => (row.min..=row.max).contains(&(*v as f32)),
                _ => false,
            };
            assert!(inside, "{}: {:?}", row.id, damaged.params[row.id]);
        }
        let text = damaged.fields.get(FIELD).map(String::as_str);
        let (saved, faults) = match text {
            Some(text) => Saved::from_text(text, &knobs()),
            None => (Saved::empty(), Vec::new()),
        };
        matched += usize::from(saved.held.is_some());
        assert!(saved.limits.ranges.iter().all(|[low, high]| low <= high));
        // What was loaded is saved as it was understood.
        let (again, _) = Saved::from_text(&saved.to_text(), &knobs());
        assert_eq!((again.limits, again.held), (saved.limits, saved.held));
        drop(faults);
    }
    assert!(loaded > rounds / 100, "{loaded} of {rounds} were states");
    assert!(matched > 0);
}

#[test]
fn damaged_states_load_safely() {
    fuzz(3_000);
}

#[test]
#[ignore = "long: run by cargo xtask test --long"]
fn a_million_damaged_states_load_safely() {
    fuzz(1_000_000);
}
