//! The built-in encoder standing by: no window goes without an answer while the engine is absent,
//! starting, dying or hung, and the player is told who listens.

use matcher::engine::{Engine, EngineStatus, MODEL_FOLDER, engine_program};
use matcher::live::{AudioEnd, DELAY, HoldReason, LONGEST_WAIT, Runtime, Status, View, live};
use matcher::{BUILTIN_WEIGHTS, CONTRACT, sha256_hex};
use matcher::{BuiltinEncoder, ModelFiles};
use matcher::{Contract, Encoder};
use std::path::Path;
use std::time::{Duration, Instant};
use synth::Note;

const RATE: f64 = 48_000.0;
const BLOCK: usize = 480;

/// The shipped model.
const MODEL: ModelFiles = ModelFiles {
    contract: include_str!("../../model-weights/encoder.json"),
    weights: include_bytes!("../../model-weights/encoder.safetensors"),
};

/// An engine folder with the stand-in in this mode; without a mode, with nothing.
fn folder(mode: Option<&str>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    if let Some(mode) = mode {
        let program = folder.path().join(engine_program());
        #[cfg(unix)]
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_fake_engine"), program).unwrap();
        #[cfg(not(unix))]
        std::fs::copy(env!("CARGO_BIN_EXE_fake_engine"), program).unwrap();
        std::fs::write(folder.path().join("mode"), mode).unwrap();
    }
    folder
}

/// Puts the shipped model where the engine's is; if it is not `whole`, its weights are not those
/// that its contract names.
fn put_model(folder: &Path, whole: bool) {
    let mut contract = Contract::from_json(MODEL.contract).unwrap();
    if !whole {
        contract.builtin_sha256 = Some(sha256_hex(b"other weights"));
    }
    let model = folder.join(MODEL_FOLDER);
    std::fs::create_dir_all(&model).unwrap();
    let json = serde_json::to_string(&contract).unwrap();
    std::fs::write(model.join(CONTRACT), json).unwrap();
    std::fs::write(model.join(BUILTIN_WEIGHTS), MODEL.weights).unwrap();
}

/// High notes: the stand-in engine is the surer the less there is in the lowest channel.
fn melody() -> Vec<f32> {
    let note = |i: usize| Note {
        onset: 0.3 * i as f64,
        duration: 0.25,
        key: 76.0 + 2.0 * i as f32,
        velocity: 0.9,
    };
    let notes: Vec<Note> = (0..8).map(note).collect();
    let patch = tests::sure::patch();
    let [left, _] = synth::render(&patch, &notes, 2.4, RATE as f32, 1);
    left
}

/// A stream that plays the melody over and over.
struct Stream {
    end: AudioEnd,
    view: View,
    sound: Vec<f32>,
    blocks: usize,
    /// Samples at which results took effect.
    effects: Vec<usize>,
    /// Blocks at whose end no encoder had answered.
    gaps: Vec<usize>,
}

impl Stream {
    fn new(folder: &Path, model: Option<ModelFiles>) -> Self {
        let (end, view) = live(RATE, Engine::at(folder), model);
        Self {
            end,
            view,
            sound: melody(),
            blocks: 0,
            effects: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Hands over the next block, and takes what is due in it after `wait`.
    fn block(&mut self, wait: impl FnOnce(&mut Self)) {
        let start = self.blocks * BLOCK;
        let at = start % self.sound.len();
        self.end.push(&self.sound[at..][..BLOCK]);
        self.blocks += 1;
        wait(self);
        while let Some((offset, _)) = self.end.next_due() {
            self.effects.push(start + offset);
        }
        if let Status::Holding(HoldReason::NoAnswer | HoldReason::NoEncoder) =
            self.view.snapshot().status
        {
            self.gaps.push(self.blocks);
        }
    }

    /// A block as of an offline host.
    fn offline(&mut self) {
        self.block(|stream| stream.end.wait(Instant::now() + LONGEST_WAIT));
    }

    /// A block as of a live host, however slow this machine is: waits until the listener has
    /// answered what is due in it. Returns how long that took.
    fn live(&mut self) -> Duration {
        let started = Instant::now();
        self.block(|stream| {
            // What is due is 15 frames old; frames are 8 ms, and the ear takes a few of them.
            let frames = (stream.blocks * BLOCK) as f64 / RATE / 0.008;
            while (stream.view.snapshot().heard as f64) < frames - 10.0 {
                std::thread::sleep(Duration::from_millis(1));
                assert!(
                    started.elapsed() < Duration::from_secs(30),
                    "the listener is stuck"
                );
            }
        });
        started.elapsed()
    }

    fn play(&mut self, seconds: f64) {
        for _ in 0..(seconds * RATE) as usize / BLOCK {
            self.offline();
        }
    }

    /// Plays on until this one answers; the limit only keeps a failing test from hanging.
    fn until(&mut self, runtime: Runtime) {
        let limit = Instant::now() + Duration::from_secs(30);
        while self.view.snapshot().answering != Some(runtime) {
            self.offline();
            std::thread::sleep(Duration::from_millis(1));
            assert!(Instant::now() < limit, "{runtime:?} never answered");
        }
    }

    /// Fails unless every window that was asked about had an answer in time, and what was found
    /// took effect on the lattice of windows.
    fn assert_no_gap(&self) {
        assert!(self.gaps.is_empty(), "no encoder in blocks {:?}", self.gaps);
        let off = |&p: &usize| (p as f64 / RATE - DELAY).rem_euclid(0.040);
        let lattice = self.effects.iter().map(off);
        assert!(lattice.clone().all(|x| x.min(0.040 - x) < 1e-4));
        let seen = self.view.snapshot();
        assert_eq!((seen.late, seen.dropped), (0, 0));
    }
}

#[test]
fn without_an_engine_the_built_in_encoder_follows() {
    let nothing = folder(None);
    let mut stream = Stream::new(nothing.path(), Some(MODEL));
    stream.play(5.0);
    stream.assert_no_gap();
    let seen = stream.view.snapshot();
    assert_eq!((seen.answering, seen.changes), (Some(Runtime::Builtin), 0));
    assert!(
        matches!(seen.status, Status::Following(_) | Status::Matched { .. }),
        "{:?}",
        seen.status
    );
    let words = stream.view.describe_encoder();
    assert!(words.contains("is not installed"), "{words}");
    assert!(
        words.ends_with("The built-in encoder listens in its place."),
        "{words}"
    );
}

#[test]
fn it_answers_until_the_engine_is_there_and_again_when_it_dies() {
    // Never ready, so the start fails after 5 s; then a new one works until its 20th request.
    let folder = folder(Some("hang-at-start"));
    let mut stream = Stream::new(folder.path(), Some(MODEL));
    stream.until(Runtime::Builtin);
    let words = stream.view.describe_encoder();
    assert!(
        words.contains("is starting") && words.contains("listens until the engine is ready"),
        "{words}"
    );
    assert_eq!(stream.view.snapshot().changes, 0);

    std::fs::write(folder.path().join("mode"), "crash 20").unwrap();
    stream.until(Runtime::Engine);
    assert_eq!(stream.view.snapshot().changes, 1);
    assert!(stream.view.describe_encoder().ends_with("is running."));
    stream.until(Runtime::Builtin);
    assert_eq!(stream.view.snapshot().changes, 2);
    let words = stream.view.describe_encoder();
    assert!(
        words.contains("out of luck") && words.ends_with("listens in its place."),
        "{words}"
    );
    stream.until(Runtime::Engine);
    stream.assert_no_gap();
}

#[test]
fn a_hung_engine_leaves_no_gap_live() {
    let folder = folder(Some("hang 30"));
    let mut stream = Stream::new(folder.path(), Some(MODEL));
    stream.until(Runtime::Engine);
    let longest = (0..200).map(|_| stream.live()).max();
    // The client gives a request up after 2 s.
    assert!(longest < Some(Duration::from_secs(1)), "{longest:?}");
    assert!(stream.view.snapshot().changes >= 1);
    stream.assert_no_gap();
}

#[test]
fn an_engine_without_a_built_in_model_is_told_so_and_matches() {
    let folder = folder(Some("ok"));
    put_model(folder.path(), false);
    // The engine's model is the one that counts, though another is at hand.
    let mut stream = Stream::new(folder.path(), Some(MODEL));
    stream.until(Runtime::Engine);
    stream.play(1.0);
    stream.assert_no_gap();
    let words = stream.view.describe_encoder();
    assert!(
        words.contains("is running")
            && words.contains("with the plugin's own model: encoder.safetensors"),
        "{words}"
    );
}

/// A broken model in the engine's folder leaves the plugin its own.
#[test]
fn a_broken_model_is_said_and_the_plugins_own_stands_in() {
    let folder = folder(Some("failed"));
    put_model(folder.path(), false);
    let mut stream = Stream::new(folder.path(), Some(MODEL));
    stream.until(Runtime::Builtin);
    stream.play(1.0);
    stream.assert_no_gap();
    let words = stream.view.describe_encoder();
    assert!(
        words.contains("encoder.pt is truncated")
            && words.contains("plugin's own model: encoder.safetensors does not belong"),
        "{words}"
    );

    put_model(folder.path(), true);
    stream.view.restart();
    stream.until(Runtime::Builtin);
    let until = Instant::now() + Duration::from_secs(10);
    while stream.view.describe_encoder().contains("own model") {
        stream.offline();
        assert!(Instant::now() < until, "{}", stream.view.describe_encoder());
    }
}

#[test]
fn without_any_model_the_match_holds_and_says_why() {
    let folder = folder(Some("failed"));
    put_model(folder.path(), false);
    let mut stream = Stream::new(folder.path(), None);
    for _ in 0..200 {
        stream.live();
    }
    assert!(stream.effects.is_empty(), "{:?}", stream.effects);
    let seen = stream.view.snapshot();
    assert_eq!((seen.answering, seen.changes), (None, 0));
    assert_eq!(seen.status, Status::Holding(HoldReason::NoEncoder));
    let words = stream.view.describe_encoder();
    assert!(
        words.contains(
            "can't listen either, and the match holds: encoder.safetensors does not belong"
        ),
        "{words}"
    );
    put_model(folder.path(), true);
    stream.view.restart();
    stream.until(Runtime::Builtin);
}

/// Silence needs no engine.
#[test]
fn the_engine_starts_with_the_first_sound() {
    let folder = folder(Some("ok"));
    put_model(folder.path(), true);
    let mut stream = Stream::new(folder.path(), Some(MODEL));
    for _ in 0..200 {
        stream.end.push(&[1e-6; BLOCK]);
        stream.end.wait(Instant::now() + LONGEST_WAIT);
        assert!(stream.end.next_due().is_none());
        stream.blocks += 1;
    }
    let idle = EngineStatus::Idle;
    assert_eq!(stream.view.engine().status(), idle);
    let silence = stream.blocks * BLOCK;
    assert_eq!(silence % 1_920, 0, "a whole number of hops");
    stream.play(1.0);
    assert_ne!(stream.view.engine().status(), idle);
    stream.until(Runtime::Engine);
    stream.assert_no_gap();
    assert!(stream.effects.iter().all(|&p| p > silence));
}

/// A model is exchanged for engine and built-in encoders of all instances at once, and the player's
/// own comes first.
#[test]
fn a_players_model_reaches_every_encoder_at_a_restart() {
    let (folder, own) = (folder(Some("ok")), tempfile::tempdir().unwrap());
    put_model(folder.path(), true);
    let own = own.path().join("model");
    let engine = Engine::with_own_model(folder.path(), &own);
    let streams = [(); 2].map(|()| {
        let (end, view) = live(RATE, engine.clone(), Some(MODEL));
        Stream {
            end,
            view,
            sound: melody(),
            blocks: 0,
            effects: Vec::new(),
            gaps: Vec::new(),
        }
    });
    let [mut a, mut b] = streams;
    a.until(Runtime::Engine);
    b.until(Runtime::Engine);
    assert_eq!(
        engine.model_folder(),
        Some(folder.path().join(MODEL_FOLDER))
    );
    let pid = engine.pid();
    // One whose weights are broken, so that the built-in encoders say which one they have read.
    put_model(own.parent().unwrap(), false);
    assert_eq!(engine.model_folder().as_ref(), Some(&own));
    a.view.restart();
    let until = Instant::now() + Duration::from_secs(10);
    let reads = |stream: &Stream| stream.view.describe_encoder().contains("own model");
    while !(reads(&a) && reads(&b) && matches!(engine.status(), EngineStatus::Running { .. })) {
        a.offline();
        b.offline();
        assert!(Instant::now() < until, "{}", b.view.describe_encoder());
    }
    assert_ne!(engine.pid(), pid);
}

/// Removing the last instance, engine and all, keeps the host waiting for at most 20 ms.
#[test]
fn the_last_instance_goes_at_once() {
    let folder = folder(Some("ok"));
    put_model(folder.path(), true);
    let mut stream = Stream::new(folder.path(), Some(MODEL));
    stream.until(Runtime::Engine);
    let (start, Stream { end, view, .. }) = (Instant::now(), stream);
    drop((end, view));
    let took = start.elapsed();
    println!("removing the last instance took {took:?}");
    // Of a machine that does other things meanwhile.
    assert!(took < Duration::from_millis(60), "{took:?}");
}

#[test]
fn both_ways_to_a_model_give_the_same_answers() {
    let folder = folder(None);
    put_model(folder.path(), true);
    let window: Vec<u8> = (0..matcher::INPUT_LEN)
        .map(|i| (i * 7919 % 251) as u8)
        .collect();
    let memory = BuiltinEncoder::from_memory(MODEL).unwrap().infer(&window);
    // Nothing shares these weights any more: they are read again.
    let file = BuiltinEncoder::from_folder(&folder.path().join(MODEL_FOLDER))
        .unwrap()
        .infer(&window);
    assert!(memory.is_ok());
    assert_eq!(memory, file);
}
