//! The match over renders of known patches, without threads.

use super::super::searching::Inline;
use super::*;
use ear::spectrogram;
use parking_lot::Mutex;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::sync::Arc;
use synth::Note;

const RATE: f64 = 16_000.0;

fn random(seed: u64) -> Patch {
    Patch::random(&mut Pcg64Mcg::seed_from_u64(seed))
}

fn sure(patch: &Patch) -> Inference {
    Inference {
        mean: patch.matched(),
        sigma: [0.05; MATCHED_COUNT],
    }
}

fn melody(patch: &Patch, seconds: f64) -> Vec<f32> {
    let note = |i: usize| Note {
        onset: 0.05 + 0.4 * i as f64,
        duration: 0.35,
        key: 57.0 + (5 * i % 12) as f32,
        velocity: 0.8,
    };
    let notes: Vec<Note> = (0..).map(note).take_while(|n| n.onset < seconds).collect();
    synth::render_mono(patch, &notes, seconds, RATE as f32, 1)
}

/// A match that hears samples, and is told of each hop what the encoder infers.
struct Scene {
    ear: Ear,
    matching: Matching,
    frames: u64,
    silent: usize,
}

impl Scene {
    fn new() -> Self {
        let config = EarConfig::default();
        let ear = Ear::new(&config, RATE, true).unwrap();
        let matching = Matching::new(&config, &ear);
        Self {
            ear,
            matching,
            frames: 0,
            silent: 0,
        }
    }

    fn searching() -> Self {
        let mut scene = Self::new();
        scene.matching.search_with(Box::new(Inline::default()));
        scene
    }

    /// Hears `sound`; returns what was held after each hop.
    fn hear(&mut self, sound: &[f32], inferred: Option<Inference>) -> Vec<Option<Target>> {
        let mut held = Vec::new();
        let Self {
            ear,
            matching,
            frames,
            silent,
        } = self;
        ear.process(sound, |frame| {
            *frames += 1;
            *silent = if frame.level_db > -60.0 {
                0
            } else {
                *silent + 1
            };
            matching.take(&frame, *silent);
            if *silent >= 64 {
                matching.end();
            }
            if frames.is_multiple_of(HOP_FRAMES as u64) {
                let inferred = inferred.filter(|_| *silent < 64);
                matching.step(*frames, inferred, || None);
                held.push(matching.held());
            }
        });
        held
    }

    fn target(&self) -> Target {
        self.matching.held().unwrap()
    }

    fn held(&self) -> [f32; MATCHED_COUNT] {
        self.target().inference.mean
    }
}

/// Likeness of `target` over the default patch to `patch`, playing the same notes.
fn alike(target: &Target, patch: &Patch) -> f32 {
    let hear = |patch: &Patch| {
        let config = EarConfig::default();
        spectrogram(&config, &melody(patch, 3.0), RATE, false).unwrap()
    };
    let played = Patch::default().with_matched(&target.inference.mean);
    let played = played.leaning(target.lean);
    crate::metric::likeness(&hear(patch), &hear(&played))
}

#[test]
fn nothing_moves_before_it_is_judged_and_the_right_answer_does_then() {
    let patch = random(31);
    let mut scene = Scene::new();
    let held = scene.hear(&melody(&patch, 1.0), Some(sure(&patch)));
    let first = held.iter().position(Option::is_some).unwrap();
    // 0.28 s after the beginning of the first note at 0.05 s, to a hop.
    assert!((6..=9).contains(&first), "{first}");
    assert_eq!(scene.held(), patch.matched());
}

#[test]
fn what_is_worse_than_the_knobs_never_moves_them() {
    let mut rng = Pcg64Mcg::seed_from_u64(3);
    let noise: Vec<f32> = (0..48_000).map(|_| rng.random_range(-0.3..0.3)).collect();
    let melodies = [(melody(&Patch::default(), 3.0), 7), (noise, 8)];
    for (sound, seed) in melodies {
        let mut scene = Scene::searching();
        let held = scene.hear(&sound, Some(sure(&random(seed))));
        let knobs = Patch::default().matched();
        for target in held.into_iter().flatten() {
            let far = alike(&target, &Patch::default());
            let near = (target.inference.mean.iter().zip(knobs)).all(|(a, b)| (a - b).abs() < 0.3);
            assert!(far > 0.95 || near, "{far}");
        }
    }
}

#[test]
fn searches_close_the_match_while_a_sound_goes_on() {
    let patch = random(31);
    let wrong = Inference {
        mean: std::array::from_fn(|i| 0.5 * (patch.matched()[i] + 0.5)),
        sigma: [0.2; MATCHED_COUNT],
    };
    let sound = melody(&patch, 12.0);
    let mut follower = Scene::new();
    follower.hear(&sound, Some(wrong));
    let mut searcher = Scene::searching();
    searcher.hear(&sound, Some(wrong));
    let (followed, searched) = (
        alike(&follower.target(), &patch),
        alike(&searcher.target(), &patch),
    );
    assert!(
        searched > 0.97 && searched > followed + 0.01,
        "{followed}, {searched}"
    );
}

#[test]
fn what_is_held_depends_on_what_was_heard_alone() {
    let sound = melody(&random(31), 4.0);
    let inferred = Some(sure(&random(9)));
    let mut whole = Scene::searching();
    let at_once = whole.hear(&sound, inferred);
    let mut pieces = Scene::searching();
    let in_pieces: Vec<_> = (sound.chunks(777))
        .flat_map(|piece| pieces.hear(piece, inferred))
        .collect();
    assert!(at_once.iter().any(Option::is_some));
    assert_eq!(at_once, in_pieces);
    // A new stream finds the same again, but for what is remembered.
    whole.matching.reset();
    whole.matching.memory = Memory::default();
    (whole.frames, whole.silent) = (0, 0);
    whole.ear.reset();
    assert_eq!(whole.hear(&sound, inferred), at_once);
}

#[test]
fn a_sound_that_comes_back_is_played_as_well_as_it_was_found() {
    let (first, second) = (random(31), random(34));
    let (a, b) = (melody(&first, 6.0), melody(&second, 6.0));
    let rest = vec![0.0; 16_000];
    let mut scene = Scene::searching();
    scene.hear(&a, Some(sure(&first)));
    let found = alike(&scene.target(), &first);
    scene.hear(&rest, None);
    scene.hear(&b, Some(sure(&second)));
    assert!(alike(&scene.target(), &second) > alike(&scene.target(), &first));
    scene.hear(&rest, None);
    // The encoder is lost this time.
    scene.hear(&a[..24_000], Some(Inference::flat(0.5, 0.1)));
    let again = alike(&scene.target(), &first);
    assert!(again > found - 0.01, "{found}, then {again}");
}

#[test]
fn a_sub_oscillator_is_not_taken_for_the_key() {
    let mut patch = random(31);
    patch.set_plain(synth::params::SUB_LEVEL, 0.7);
    let mut scene = Scene::new();
    scene.hear(&melody(&patch, 1.0), Some(sure(&patch)));
    assert_eq!(scene.held(), patch.matched());
}

/// Keeps the bounds of what it is asked, and never answers.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<Bounds>>>);

impl Searcher for Asked {
    fn ask(&mut self, request: Request) {
        self.0.lock().push(request.bounds);
    }

    fn answer(&mut self) -> Option<Option<Found>> {
        None
    }

    fn cancel(&mut self) {}
}

#[test]
fn envelopes_are_searched_once_a_note_has_ended() {
    for (duration, is_free) in [(0.2, true), (4.0, false)] {
        let note = |i: usize| Note {
            onset: 0.05 + (duration + 0.05) * i as f64,
            duration,
            key: 57.0 + [0.0, 7.0, 3.0][i % 3],
            velocity: 0.8,
        };
        let notes: Vec<Note> = (0..8).map(note).collect();
        let sound = synth::render_mono(&Patch::default(), &notes, 2.0, RATE as f32, 1);
        let asked = Asked::default();
        let mut scene = Scene::new();
        scene.matching.search_with(Box::new(asked.clone()));
        scene.hear(&sound, None);
        let bounds = asked.0.lock()[0];
        for i in (0..MATCHED_COUNT).filter(|&i| of_an_envelope(i)) {
            assert_eq!(bounds.low[i] < bounds.high[i], is_free, "{duration} s");
        }
    }
}

#[test]
fn locks_and_ranges_bound_what_is_searched() {
    let patch = random(31);
    let mut limits = Limits::NONE;
    limits.locked[3] = true;
    limits.ranges[5] = [0.2, 0.4];
    let mut scene = Scene::searching();
    let knobs = Patch::default();
    scene.matching.set_knobs(&knobs, &limits);
    scene.hear(&melody(&patch, 6.0), None);
    let held = scene.held();
    assert_eq!(held[3], knobs.matched()[3]);
    assert!((0.2..=0.4).contains(&held[5]), "{}", held[5]);
}

#[test]
fn a_reused_level_is_near_the_measured_one() {
    let mut scene = Scene::new();
    let mut levels = std::collections::BTreeSet::new();
    for step in 0..400 {
        // Across the whole range, by a quarter of a hundredth at a time.
        let inference = Inference::flat(0.05 + 0.9 * step as f32 / 400.0, 0.1);
        scene.matching.hold(inference);
        let level = scene.matching.held().unwrap().level_db;
        let measured = Target::new(inference, &Patch::default()).level_db;
        assert!(
            (level - measured).abs() < 0.5,
            "{step}: {level}, {measured}"
        );
        levels.insert(level.to_bits());
    }
    assert!(levels.len() < 200, "{}", levels.len());
}
