//! Saved state: a reopened project sounds as it was left, before any reference arrives.

use matcher::metric::likeness;
use synth::{Note, Patch};
use tests::host::Host;
use tests::measure::{hear, mono};
use tests::melody::{self, RATE};
use tests::sandbox::Sandbox;

const CLAP_HOST: &str = env!("CARGO_BIN_EXE_clap_host");
const SURE_ENGINE: &str = env!("CARGO_BIN_EXE_sure_engine");

/// Seconds of reference, and where the phrase after it begins.
const HEARD: f64 = 4.0;
const PHRASE: f64 = 7.0;
const PHRASE_SECONDS: f64 = 3.0;

/// A phrase that starts at `start`.
fn phrase(start: f64) -> Vec<Note> {
    [(0.0, 55.0), (0.8, 62.0), (1.6, 67.0)]
        .iter()
        .map(|&(onset, key)| Note {
            onset: start + onset,
            duration: 0.6,
            key,
            velocity: 0.8,
        })
        .collect()
}

/// An engine that infers the same patch from any sound shows the way of an inference: through the
/// match into the voices, over silence, into the state and out of it.
#[test]
fn a_reopened_project_sounds_the_same_before_any_reference() {
    // A trumpet's melody, played by that patch.
    let mut trumpet = melody::foreign().swap_remove(2);
    trumpet.samples = mono(&synth::render(
        &tests::sure::patch(),
        &trumpet.notes,
        HEARD,
        RATE as f32,
        2,
    ));
    let sandbox = Sandbox::with_program(SURE_ENGINE);
    let state = sandbox.file("state");
    let sidechain = sandbox.file("trumpet.wav");
    let heard = &trumpet.samples[..(HEARD * RATE as f64) as usize];
    tests::wav::write(&sidechain, &[heard], RATE);

    // Hears the trumpet, then plays a phrase over silence: the match holds.
    let mut job = Host::Clap.job(&sandbox, "first", PHRASE + PHRASE_SECONDS);
    job.notes = trumpet
        .notes
        .iter()
        .filter(|n| n.onset + n.duration < HEARD)
        .copied()
        .collect();
    job.notes.extend(phrase(PHRASE));
    job.sidechain = Some(sidechain);
    // What is found would be another patch.
    job.params.insert("Search".into(), 0.0);
    job.save_state = Some(state.clone());
    let (_, out) = Host::Clap.run(CLAP_HOST, &sandbox, &job);
    let left_as = mono(&out)[(PHRASE * RATE as f64) as usize..].to_vec();

    // A new process, no reference, and not even an engine.
    let bare = Sandbox::without_engine();
    let reopen = |name: &str, state| {
        let mut job = Host::Clap.job(&bare, name, PHRASE_SECONDS);
        job.notes = phrase(0.0);
        job.load_state = state;
        job.save_state = Some(bare.file(&format!("{name}.state")));
        let (_, out) = Host::Clap.run(CLAP_HOST, &bare, &job);
        (mono(&out), job.save_state)
    };
    let (reopened, saved_again) = reopen("reopened", Some(state));
    let play = |patch| {
        mono(&synth::render(
            &patch,
            &phrase(0.0),
            PHRASE_SECONDS,
            RATE as f32,
            1,
        ))
    };
    let (inferred, default) = (
        hear(&play(tests::sure::patch())),
        hear(&play(Patch::default())),
    );
    for (name, sound) in [("left", &left_as), ("reopened", &reopened)] {
        let heard = hear(sound);
        let (same, other) = (likeness(&inferred, &heard), likeness(&default, &heard));
        assert!(
            same > 0.99,
            "{name}: {same:.3} alike to the inferred patch, {other:.3} to the default"
        );
        assert!(
            other < 0.9,
            "{name}: the default patch is too like the inferred one to tell: {other:.3}"
        );
    }

    // And again: saved, reopened, the same to the last bit.
    let (again, _) = reopen("again", saved_again);
    assert!(again == reopened, "a second round trip changed the sound");
}

#[test]
fn a_corrupt_state_is_refused_and_nothing_is_lost() {
    let sandbox = Sandbox::without_engine();
    let mut job = Host::Clap.job(&sandbox, "saved", 1.0);
    job.notes = phrase(0.0);
    job.params.insert("Cutoff".into(), 0.3);
    job.save_state = Some(sandbox.file("state"));
    Host::Clap.run(CLAP_HOST, &sandbox, &job);
    let whole = std::fs::read(sandbox.file("state")).expect("it was saved");

    let play = |name: &str, state: Option<&[u8]>| {
        let mut job = Host::Clap.job(&sandbox, name, 1.0);
        job.notes = phrase(0.0);
        job.load_state = state.map(|bytes| {
            let path = sandbox.file(&format!("{name}.state"));
            std::fs::write(&path, bytes).expect("the sandbox is ours");
            path
        });
        // The host reports a refused state and plays on.
        Host::Clap.run(CLAP_HOST, &sandbox, &job).1
    };
    let fresh = play("fresh", None);
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    for (name, bytes) in [
        ("cut", &whole[..whole.len() / 2]),
        ("empty", &[][..]),
        ("noise", &[0xA5; 300][..]),
    ] {
        assert!(
            play(name, Some(bytes)) == fresh,
            "a {name} state changed the sound"
        );
    }
    // One damaged byte may still be a state; it must not be a crash or a NaN.
    let out = play("flipped", Some(&flipped));
    assert!(out.iter().flatten().all(|s| s.is_finite()));
    assert!(
        play("whole", Some(&whole)) != fresh,
        "the whole state has no effect"
    );
}
