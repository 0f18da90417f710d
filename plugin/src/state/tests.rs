//! Saving, restoring and loading the state.

use super::*;
use matcher::Inference;
use synth::{MATCHED, PARAMS, Patch};

fn some() -> Target {
    Target::new(Inference {
        mean: std::array::from_fn(|i| i as f32 / MATCHED_COUNT as f32),
        sigma: [0.125; MATCHED_COUNT],
    })
}

#[test]
fn saved_and_restored() {
    let knobs = *Patch::default().values();
    let (state, mut mailbox) = InstanceState::new();
    state.set_lock(3, true);
    mailbox.report(Some(some()));
    let text = state.save();

    let (other, mut mailbox) = InstanceState::new();
    other.set_lock(0, true);
    other.restore(Some(&text), &knobs);
    assert_eq!(other.locks(), state.locks());
    // Before the audio thread has taken it up, and after.
    assert_eq!(other.held(), Some(some()));
    assert_eq!(other.save(), text);
    assert_eq!(mailbox.recalled(), Some(Some(some())));
    assert_eq!(mailbox.recalled(), None);
    mailbox.report(None);
    assert_eq!(other.held(), None);
}

/// The inference that the audio thread still held when a patch was loaded must not come back.
#[test]
fn a_report_of_an_earlier_generation_does_not_undo_a_load() {
    let (state, mut mailbox) = InstanceState::new();
    state.load(Patch::default().values());
    mailbox.report(Some(some()));
    assert_eq!(state.held(), None);
    assert_eq!(mailbox.recalled(), Some(None));
    mailbox.report(Some(some()));
    assert_eq!(state.held(), Some(some()));
}

#[test]
fn a_corrupt_state_gives_defaults_and_a_message() {
    let knobs = *Patch::default().values();
    let (state, mut mailbox) = InstanceState::new();
    mailbox.report(Some(some()));
    let good = state.save();
    let mut texts: Vec<String> = (0..good.len()).map(|n| good[..n].to_owned()).collect();
    texts.extend([
        good.replace("\"format\":1", "\"format\":2"),
        good.replace("0.125", "1e30"),
        good.replace("0.125", "null"),
        good.replace("locks", "lokcs"),
        good.replace("osc1_shape", "gone"),
        "[]".into(),
        "{\"format\":1,\"locks\":[],\"inference\":7}".into(),
    ]);
    for text in &texts {
        state.set_lock(1, true);
        state.restore(Some(text), &knobs);
        assert_eq!(state.held(), None, "{text}");
        assert_eq!(state.locks(), [false; MATCHED_COUNT], "{text}");
        assert!(state.message().is_some(), "{text}");
    }
    state.restore(Some(&good), &knobs);
    assert_eq!(state.message(), None);
    assert_eq!(state.held(), Some(some()));
}

/// Projects hold this text.
#[test]
fn the_text_form_stays_the_same() {
    let (state, mut mailbox) = InstanceState::new();
    assert_eq!(state.save(), r#"{"format":1,"inference":null,"locks":[]}"#);
    state.set_lock(1, true);
    mailbox.report(Some(Target::new(Inference {
        mean: [0.5; MATCHED_COUNT],
        sigma: [0.125; MATCHED_COUNT],
    })));
    let mut ids = MATCHED.map(|row| PARAMS[row].id);
    ids.sort_unstable();
    let values = ids.map(|id| format!("\"{id}\":[0.5,0.125]")).join(",");
    let lock = PARAMS[MATCHED[1]].id;
    let text = format!("{{\"format\":1,\"inference\":{{{values}}},\"locks\":[\"{lock}\"]}}");
    assert_eq!(state.save(), text);
}
