//! Tests of the project's state, in both formats: saved by one instance, loaded by another.

use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use synth::PARAMS;

use crate::both::{Host, Input, in_both_formats};
use crate::{reference, reference_of};

in_both_formats! {
    choices_are_saved_by_number_and_old_ones_are_read_with_the_lists_of_then;
    what_a_state_lacks_takes_its_default;
    a_match_survives_a_parameter_more_and_a_section_more;
    automation_locks_from_its_first_value_and_loading_does_not;
    nothing_is_locked_at_zero_percent;
    values_that_a_host_sets_back_bring_their_locks_and_match;
    a_hand_takes_a_matched_knob_up_where_it_sounds;
    an_unreadable_state_changes_nothing;
    damaged_states_load_whole_or_not_at_all;
    a_bounce_depends_on_the_project_and_on_what_it_hears;
}

/// The container in a state.
fn container(state: &Value) -> Value {
    let text = state["fields"]["mirrornet"].as_str().expect("text");
    serde_json::from_str(text).expect("JSON")
}

fn with_container(mut state: Value, container: &Value) -> Vec<u8> {
    state["fields"]["mirrornet"] = container.to_string().into();
    state.to_string().into_bytes()
}

/// A held match of all that can be matched.
fn inference() -> Value {
    let entries = PARAMS
        .iter()
        .filter(|row| row.matched)
        .map(|row| (row.id.to_owned(), json!([0.25, 0.125])));
    Value::Object(entries.collect())
}

fn choices_are_saved_by_number_and_old_ones_are_read_with_the_lists_of_then<H: Host>() {
    let host = H::new();
    host.automate(&[
        ("Filter type", 0.5),
        ("Voices", 1.0),
        ("LFO sync", 9.0 / 17.0),
    ]);
    let state = host.save();
    let number = |id: &str| state["params"][id]["i32"].as_i64();
    assert_eq!(number("filter_type"), Some(2), "{}", H::NAME);
    assert_eq!(number("voices"), Some(64));
    assert_eq!(number("lfo_sync"), Some(9));
    // As 0.1.0 saved it.
    let mut old = state.clone();
    old["params"]["filter_type"] = json!({ "f32": 0.75 });
    old["params"]["mod3_dest"] = json!({ "f32": 17.0 / 31.0 });
    assert!(host.load(old.to_string().as_bytes()));
    let state = host.save();
    assert_eq!(state["params"]["filter_type"]["i32"], 3);
    assert_eq!(state["params"]["mod3_dest"]["i32"], 17);
    assert_eq!(state["params"]["lfo_sync"]["i32"], 9);
}

fn what_a_state_lacks_takes_its_default<H: Host>() {
    let init = H::new().save();
    let host = H::new();
    host.automate(&[("Cutoff", 0.9), ("Filter type", 1.0), ("Noise level", 0.5)]);
    let mut old = host.save();
    let params = old["params"].as_object_mut().expect("values by id");
    params.remove("filter_cutoff");
    params.remove("filter_type");
    assert!(host.load(old.to_string().as_bytes()));
    let state = host.save();
    for id in ["filter_cutoff", "filter_type"] {
        assert_eq!(state["params"][id], init["params"][id], "{id}");
    }
    assert_ne!(
        state["params"]["noise_level"],
        init["params"]["noise_level"]
    );
}

fn a_match_survives_a_parameter_more_and_a_section_more<H: Host>() {
    let host = H::new();
    let mut content = json!({ "format": 1, "locks": ["noise_level"], "inference": inference() });
    content["inference"]
        .as_object_mut()
        .expect("entries")
        .remove("filter_cutoff");
    content["of a newer version"] = json!([1, 2, 3]);
    assert!(host.load(&with_container(host.save(), &content)));
    host.automate(&[]);
    let got = container(&host.save());
    assert_eq!(got["locks"], json!(["noise_level"]));
    assert_eq!(got["inference"]["osc1_shape"], json!([0.25, 0.125]));
    assert_eq!(got["of a newer version"], json!([1, 2, 3]));
    // What was not matched then stays at its knob.
    let knob = PARAMS
        .iter()
        .find(|row| row.id == "filter_cutoff")
        .expect("it is there");
    let held = got["inference"]["filter_cutoff"][0]
        .as_f64()
        .expect("a number");
    assert!((held - f64::from(knob.normalized(knob.default))).abs() < 1e-6);
}

/// Two bounces of one instance, and one of a fresh instance, are equal to the bit, and leave no
/// trace.
fn a_bounce_depends_on_the_project_and_on_what_it_hears<H: Host>() {
    let host = H::new();
    host.hear(&reference(), 60);
    // The listener may be behind a host that doesn't wait: what is saved is what it knows at the
    // end.
    host.restart(true);
    let state = host.save();
    assert!(
        container(&state)["inference"].is_object(),
        "nothing was heard"
    );
    let bounced = reference_of(34);
    let first = host.hear(&bounced, 60);
    host.reset();
    assert!(
        host.hear(&bounced, 60) == first,
        "{}: the second bounce",
        H::NAME
    );
    let fresh = H::new();
    assert!(fresh.load(state.to_string().as_bytes()));
    fresh.restart(true);
    assert!(
        fresh.hear(&bounced, 60) == first,
        "{}: a fresh instance",
        H::NAME
    );
    let deaf = H::new();
    deaf.restart(true);
    assert!(deaf.hear(&vec![0.0; bounced.len()], 60) != first);
    host.restart(false);
    host.play(64, &[]);
    for section in ["inference", "inference_level", "sounds"] {
        let of = |state: &Value| container(state)[section].clone();
        assert_eq!(of(&host.save()), of(&state), "{}: {section}", H::NAME);
    }
}

fn automation_locks_from_its_first_value_and_loading_does_not<H: Host>() {
    let host = H::new();
    let content = json!({ "format": 1, "locks": [], "inference": inference() });
    let mut state = host.save();
    state["params"]["filter_resonance"] = json!({ "f32": 0.875 });
    let state = with_container(state, &content);
    assert!(host.load(&state));
    // The host sends what it loaded, and what it automates.
    host.automate(&[("Resonance", 0.875), ("Cutoff", 0.9)]);
    for _ in 0..5 {
        host.automate(&[("Cutoff", 0.9)]);
    }
    assert_eq!(container(&host.save())["locks"], json!(["filter_cutoff"]));
    assert!(host.load(&state));
    host.automate(&[]);
    assert_eq!(container(&host.save())["locks"], json!([]));
    // Turned away and, released, turned back.
    host.automate(&[("Resonance", 0.5)]);
    host.automate(&[("Resonance", 0.875)]);
    assert_eq!(
        container(&host.save())["locks"],
        json!(["filter_resonance"])
    );
}

fn nothing_is_locked_at_zero_percent<H: Host>() {
    let host = H::new();
    host.automate(&[("Match", 0.0)]);
    host.automate(&[("Cutoff", 0.9)]);
    host.automate(&[("Match", 1.0)]);
    host.automate(&[]);
    assert_eq!(container(&host.save())["locks"], json!([]));
}

/// As a host undoes a load: it sets the parameters back, and knows nothing of the rest.
fn values_that_a_host_sets_back_bring_their_locks_and_match<H: Host>() {
    let host = H::new();
    let content = json!({ "format": 1, "locks": ["noise_level"], "inference": inference() });
    assert!(host.load(&with_container(host.save(), &content)));
    host.automate(&[]);
    let mut other = host.save();
    for row in PARAMS.iter().filter(|row| row.matched) {
        other["params"][row.id] = json!({ "f32": 0.4375 });
    }
    let nothing = json!({ "format": 1, "locks": [] });
    assert!(host.load(&with_container(other, &nothing)));
    host.automate(&[]);
    assert_eq!(container(&host.save())["locks"], json!([]));
    let before: Vec<_> = PARAMS
        .iter()
        .filter(|row| row.matched)
        .map(|row| (row.name, f64::from(row.normalized(row.default))))
        .collect();
    host.automate(&before);
    host.automate(&[]);
    let got = container(&host.save());
    assert_eq!(got["locks"], json!(["noise_level"]), "{}", H::NAME);
    assert_eq!(got["inference"], inference(), "{}", H::NAME);
}

/// A first small step is a hand's: it turns what sounds, not what the match hides.
fn a_hand_takes_a_matched_knob_up_where_it_sounds<H: Host>() {
    let cutoff = PARAMS.iter().find(|row| row.id == "filter_cutoff");
    let cutoff = cutoff.expect("it is there");
    let knob = f64::from(cutoff.normalized(cutoff.default));
    assert!(knob > 0.5, "the knob is far from the match's 0.25");
    // What sounds from the end of the knobs' glide on, 20 to 30 ms after the move.
    let play = |moves: &[(&str, f64)]| {
        let host = H::new();
        let content = json!({ "format": 1, "locks": [], "inference": inference() });
        assert!(host.load(&with_container(host.save(), &content)));
        host.automate(&[]);
        let key = 48;
        host.play(256, &[(0, Input::On { channel: 0, key })]);
        (0..20).for_each(|_| drop(host.play(256, &[])));
        host.automate(moves);
        (0..4).for_each(|_| drop(host.play(256, &[])));
        let [left, _] = host.play(256, &[]);
        left
    };
    let distance = |a: &[f32], b: &[f32]| -> f32 {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f32>().sqrt()
    };
    let still = play(&[]);
    let hand = distance(&play(&[(cutoff.name, knob + 0.01)]), &still);
    // Automation means the value that it says.
    let jump = distance(&play(&[(cutoff.name, knob + 0.06)]), &still);
    assert!(
        hand < 0.4 * jump && hand > 0.0,
        "{}: {hand} by hand, {jump} by automation",
        H::NAME
    );
}

fn an_unreadable_state_changes_nothing<H: Host>() {
    let host = H::new();
    host.automate(&[("Cutoff", 0.9)]);
    let before = host.save();
    let good = before.to_string();
    for bytes in [
        &b""[..],
        b"{}",
        b"no state",
        &good.as_bytes()[..good.len() - 1],
    ] {
        assert!(!host.load(bytes), "{}", String::from_utf8_lossy(bytes));
        assert_eq!(host.save(), before);
    }
    assert!(host.load(good.as_bytes()));
}

/// Any bytes are refused, and change nothing, or are a state whose saved form is stable.
fn damaged_states_load_whole_or_not_at_all<H: Host>() {
    let host = H::new();
    let content = json!({ "format": 1, "locks": ["noise_level"], "inference": inference() });
    let good = with_container(host.save(), &content);
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(20);
    let (mut refused, mut loaded) = (0, 0);
    for _ in 0..300 {
        let mut bytes = good.clone();
        for _ in 0..rng.random_range(1..3) {
            let at = rng.random_range(0..bytes.len());
            match rng.random_range(0..3) {
                0 => bytes[at] ^= 1 << rng.random_range(0..8),
                1 => bytes[at] = b'0' + rng.random_range(0..10),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let before = host.save();
        if host.load(&bytes) {
            host.automate(&[]);
            let once = host.save();
            assert!(host.load(once.to_string().as_bytes()));
            assert_eq!(host.save(), once);
            loaded += 1;
        } else {
            assert_eq!(host.save(), before);
            refused += 1;
        }
    }
    assert!(
        loaded > 10 && refused > 10,
        "{loaded} loaded, {refused} refused"
    );
}
