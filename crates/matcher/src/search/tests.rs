//! Searches on sounds of the synth itself.

use super::clip::{ClipInference, infer_clip};
use super::cma::SepCma;
use super::improve::AS_ALIKE;
use super::*;
use crate::model::Encoder;
use crate::model::{EncoderError, INPUT_LEN};
use ear::CHANNELS;
use std::sync::Arc;
use synth::{Lean, params};

const RATE: f64 = 16_000.0;

fn notes() -> Vec<Note> {
    let note = |onset, key| Note {
        onset,
        duration: 0.3,
        key,
        velocity: 0.8,
    };
    vec![note(0.05, 57.0), note(0.45, 64.0)]
}

/// A patch some way from the init patch.
fn patch() -> Patch {
    let mut patch = Patch::default();
    patch.set_plain(params::FILTER_CUTOFF, 700.0);
    patch.set_plain(params::FILTER_RESONANCE, 0.5);
    patch.set_plain(params::AMP_ATTACK, 0.05);
    patch.set_plain(params::AMP_SUSTAIN, 0.2);
    patch.set_plain(params::OSC1_SHAPE, 1.0);
    patch
}

fn reference_of(automation: &Automation) -> Reference {
    let [left, _] = automation.render(&notes(), 1.0, RATE as f32, 9);
    Reference::new(&left, RATE, &ear::EarConfig::default()).unwrap()
}

fn reference() -> Reference {
    reference_of(&patch().into())
}

fn run(reference: &Reference, options: &Options) -> Refined {
    refine(reference, &notes(), &[Patch::default()], options, |_| true).unwrap()
}

fn limited(renders: usize, seed: u64) -> Options {
    Options {
        renders: Some(renders),
        seed,
        ..Options::default()
    }
}

fn closed(a: Score, b: Score) -> f32 {
    (b.likeness - a.likeness) / (1.0 - a.likeness)
}

#[test]
fn finds_its_way_back_to_a_patch_of_the_synth() {
    let reference = reference();
    let start = run(&reference, &limited(1, 1));
    assert_eq!(
        (start.renders, start.automation.patch),
        (1, Patch::default())
    );
    let found = run(&reference, &limited(400, 1));
    assert!((400..420).contains(&found.renders), "{}", found.renders);
    println!("{:?} -> {:?}", start.score, found.score);
    assert!(found.score.no_worse(&start.score));
    assert!(closed(start.score, found.score) > 0.7, "{:?}", found.score);
    assert!(found.score.mel < 0.6 * start.score.mel, "{:?}", found.score);
    // One patch, the notes unchanged, and the score is that of their render.
    assert!(found.automation.points.is_empty() && found.notes == notes());
    let again = reference.score_of(&found.notes, &found.automation).unwrap();
    assert_eq!(again, found.score);
    assert_eq!(found.one_patch, found.score);
}

#[test]
fn gauss_newton_steps_beat_as_many_random_candidates() {
    let reference = reference();
    let mut start = patch();
    for (row, by) in [
        (params::FILTER_CUTOFF, 0.1),
        (params::AMP_SUSTAIN, 0.15),
        (params::OSC1_SHAPE, -0.05),
        (params::OSC_BALANCE, 0.1),
    ] {
        start.set(row, start.get(row) + by);
    }
    let mut evaluator = Evaluator::new(&reference, FINE, &notes(), 1).unwrap();
    let mut best = evaluator.start(&[start])[0];
    let mut descent = gauss_newton::GaussNewton::default();
    let mut renders = 0;
    for _ in 0..12 {
        let before = evaluator.penalized(&best.score);
        renders += descent.step(&mut evaluator, &mut best).renders;
        assert!(evaluator.penalized(&best.score) >= before);
    }
    let centre = start.matched().map(f64::from);
    let tries = SepCma::with_population(&centre, &[0.05; MATCHED_COUNT], renders);
    let tries: Vec<Patch> = tries
        .ask(&mut Pcg64Mcg::seed_from_u64(1))
        .iter()
        .map(|s| patch_at(&start, &s.point))
        .collect();
    let tried = evaluator.candidates(&tries).into_iter();
    let luck = tried.map(|c| c.score.objective()).fold(0.0, f32::max);
    let [descent, luck] = [best.score.objective(), luck].map(|o| 1.0 - o);
    println!("{renders} renders: {:?}, {descent} for {luck}", best.score);
    assert!(descent < 0.3 * luck, "{descent} against {luck}");
}

#[test]
fn a_patch_per_note_follows_what_one_patch_cannot() {
    let mut bright = patch();
    bright.set_plain(params::FILTER_CUTOFF, 6_000.0);
    bright.set_plain(params::OSC1_SHAPE, 3.0);
    bright.set_plain(params::LEVEL, -9.0);
    let two = Automation {
        patch: patch(),
        points: vec![(notes()[1].onset, bright)],
    };
    let reference = reference_of(&two);
    let one = run(&reference, &limited(600, 1));
    let each = run(
        &reference,
        &Options {
            each_note: true,
            ..limited(600, 1)
        },
    );
    println!("{:?}, {:?}", one.score, each.score);
    assert_eq!(each.automation.points.len(), 1);
    assert_eq!(each.automation.points[0].0, notes()[1].onset);
    assert!(closed(one.score, each.score) > 0.3);
    assert!(each.score.objective() > each.one_patch.objective());
    assert!(each.notes == notes());
}

#[test]
fn transcribed_notes_find_their_place() {
    let reference = reference();
    let misheard: Vec<Note> = notes()
        .iter()
        .map(|n| Note {
            onset: n.onset + 0.02,
            duration: 0.8 * n.duration,
            velocity: if n.key < 60.0 { 0.9 } else { 0.4 },
            key: n.key + 0.2,
        })
        .collect();
    let run = |free_notes| {
        let options = Options {
            each_note: true,
            free_notes,
            ..limited(2_000, 1)
        };
        refine(&reference, &misheard, &[patch()], &options, |_| true).unwrap()
    };
    let (fixed, free) = (run(false), run(true));
    println!("{:?}, {:?}: {:?}", fixed.score, free.score, free.notes);
    assert_eq!(fixed.notes, misheard);
    assert!(free.score.objective() > fixed.score.objective());
    for (found, n) in free.notes.iter().zip(notes()) {
        assert!((found.onset - n.onset).abs() < 0.008, "{found:?}");
        assert!((found.key - n.key).abs() < 0.1, "{found:?}");
    }
    let ratio = free.notes[0].velocity / free.notes[1].velocity;
    assert!((0.8..1.25).contains(&ratio), "{ratio}");
}

#[test]
fn is_deterministic_for_a_seed_on_any_number_of_threads() {
    let reference = reference();
    let run_with = |options: &Options| run(&reference, options);
    let run = |seed, threads| {
        let options = Options {
            each_note: true,
            free_notes: true,
            threads,
            ..limited(120, seed)
        };
        run_with(&options)
    };
    let first = run(1, 1);
    assert_eq!(first, run(1, 1));
    assert_eq!(first, run(1, 3));
    assert_ne!(first.automation, run(2, 1).automation);
}

#[test]
fn never_gets_worse_and_ends_when_told() {
    let reference = reference();
    let (mut last, mut calls, mut renders) = (f32::MIN, 0, 0);
    let options = Options::default();
    let start = [Patch::default()];
    let found = refine(&reference, &notes(), &start, &options, |at| {
        assert!(at.score.objective() >= last && at.renders >= renders);
        (last, renders) = (at.score.objective(), at.renders);
        calls += 1;
        calls < 6
    })
    .unwrap();
    assert_eq!((found.renders, calls), (renders, 6));
    let at_once = Options {
        time: Some(Duration::ZERO),
        ..Options::default()
    };
    let found = refine(&reference, &notes(), &start, &at_once, |_| true).unwrap();
    assert_eq!(found.renders, 1);
}

#[test]
fn the_best_of_several_starts_is_searched_from() {
    let reference = reference();
    let starts = [Patch::default(), patch()];
    let found = refine(&reference, &notes(), &starts, &limited(5, 1), |_| true).unwrap();
    assert!(found.score.likeness > 0.99, "{:?}", found.score);
    assert_eq!(found.automation.patch, patch());
}

/// Encoder that gives the same answer to every window.
struct Deaf;

impl Encoder for Deaf {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        let count = windows.len() / INPUT_LEN;
        Ok(vec![inference(&Patch::default()); count])
    }
}

fn inference(patch: &Patch) -> Inference {
    Inference {
        mean: patch.matched(),
        sigma: [0.1; MATCHED_COUNT],
    }
}

#[test]
fn the_most_alike_candidate_comes_first() {
    let inferred = ClipInference {
        whole: inference(&Patch::default()),
        windows: vec![inference(&Patch::default()), inference(&patch())],
        ends: Vec::new(),
    };
    let found = candidates(&reference(), &notes(), &inferred, &mut Deaf, 1).unwrap();
    let score = |patch: &Patch| {
        let score = reference().score_of(&notes(), &(*patch).into()).unwrap();
        score.objective()
    };
    let given = Patch::default().with_matched(&patch().matched());
    assert!(score(&found[0]) >= score(&given) - 1e-3);
    let as_given = [&Patch::default(), &Patch::default(), &patch()];
    let as_given = as_given.map(|p| Patch::default().with_matched(&p.matched()));
    assert_eq!(found[1..], as_given);
}

/// Encoder that infers the cutoff from a window's brightness, leaning to the middle.
struct Bright;

impl Encoder for Bright {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        let answer = |window: &[u8]| {
            let (mut sum, mut total) = (0.0, 0.0);
            for (i, &v) in window.iter().enumerate() {
                sum += (i % CHANNELS) as f32 * v as f32;
                total += v as f32;
            }
            let mut mean = Patch::default().matched();
            mean[cutoff()] = 0.5 + 0.8 * (sum / f32::max(total, 1.0) / CHANNELS as f32 - 0.5);
            Inference {
                mean,
                sigma: [0.1; MATCHED_COUNT],
            }
        };
        Ok(windows.chunks(INPUT_LEN).map(answer).collect())
    }
}

/// Index of the cutoff among the matched parameters.
fn cutoff() -> usize {
    let place = params::matched_index(params::FILTER_CUTOFF);
    place.expect("cutoff is matched")
}

/// Result of a short search without an encoder, `seconds` of renders long.
fn improved(
    reference: &Reference,
    notes: &[Note],
    starts: &[Patch],
    bounds: Bounds,
    (seconds, explore): (f64, bool),
) -> Improved {
    let improved = improve(&Question {
        reference,
        notes,
        starts,
        bounds,
        inferred: None,
        explore,
        seconds,
        seed: 1,
        step: &|| (),
        stop: &Arc::default(),
    });
    improved.unwrap().unwrap()
}

#[test]
fn a_search_that_begins_elsewhere_goes_on_where_steps_gain_nothing() {
    let mut rng = Pcg64Mcg::seed_from_u64(8);
    let mut gains = [0.0; 2];
    for _ in 0..6 {
        let [sound, start] = [(); 2].map(|()| Patch::random(&mut rng));
        let sound = synth::render_mono(&sound, &notes(), 1.0, RATE as f32, 1);
        let reference = Reference::new(&sound, RATE, &ear::EarConfig::default()).unwrap();
        let search = |start, explore| {
            improved(
                &reference,
                &notes(),
                &[start],
                Bounds::ALL,
                (180.0, explore),
            )
        };
        let valley = search(start, false).patch;
        for (explore, gain) in [false, true].into_iter().zip(&mut gains) {
            let found = search(valley, explore);
            *gain += found.score.objective() - found.starts[0].objective();
        }
    }
    println!("gains {gains:?}");
    assert!(gains[1] > 1.5 * gains[0], "{gains:?}");
}

#[test]
fn no_result_is_less_alike_than_a_start() {
    let note = |i: usize| Note {
        onset: 0.05 + 0.4 * i as f64,
        duration: 0.35,
        key: 57.0 + 5.0 * i as f32,
        velocity: 0.8,
    };
    let notes: Vec<Note> = (0..3).map(note).collect();
    let mut rng = Pcg64Mcg::seed_from_u64(5);
    for _ in 0..8 {
        let sound = Patch::random(&mut rng);
        let starts: Vec<Patch> = (0..4).map(|_| Patch::random(&mut rng)).collect();
        let sound = synth::render_mono(&sound, &notes, 1.3, RATE as f32, 1);
        let reference = Reference::new(&sound, RATE, &ear::EarConfig::default()).unwrap();
        let improved = improved(&reference, &notes, &starts, Bounds::ALL, (0.0, false));
        let likenesses = improved.starts.iter().map(|s| s.likeness);
        let most_alike = likenesses.fold(-1.0, f32::max);
        assert!(improved.score.likeness >= most_alike - AS_ALIKE);
    }
}

#[test]
fn a_sound_that_changes_from_key_to_key_is_leaned_to() {
    let note = |(i, key): (usize, f32)| Note {
        onset: 0.05 + 0.35 * i as f64,
        duration: 0.3,
        key,
        velocity: 0.8,
    };
    let keys = [45.0, 57.0, 69.0, 50.0, 64.0, 60.0];
    let notes: Vec<Note> = keys.into_iter().enumerate().map(note).collect();
    let mut lean = Lean {
        key: 57.0,
        ..Lean::NONE
    };
    lean.slopes[cutoff()] = -0.2;
    let [sound, _] = Automation::from(patch().leaning(lean)).render(&notes, 2.2, RATE as f32, 9);
    let reference = Reference::new(&sound, RATE, &ear::EarConfig::default()).unwrap();
    let mut locked = Bounds::ALL;
    locked.fix(cutoff(), patch().matched()[cutoff()]);
    let [found, held] = [Bounds::ALL, locked]
        .map(|bounds| improved(&reference, &notes, &[patch()], bounds, (600.0, false)));
    let slope = found.patch.lean.slopes[cutoff()];
    assert!((-0.3..-0.1).contains(&slope), "{slope}");
    assert!(closed(found.starts[0], found.score) > 0.5, "{found:?}");
    assert_eq!(held.patch.lean.slopes[cutoff()], 0.0);
}

#[test]
fn corrections_by_resynthesis_get_nearer() {
    let mut truth = Patch::default();
    truth.set(params::FILTER_CUTOFF, 0.35);
    let sound = synth::render_mono(&truth, &notes(), 1.0, RATE as f32, RENDER_SEED);
    let reference = Reference::new(&sound, RATE, &ear::EarConfig::default()).unwrap();
    let heard = ear::spectrogram(&ear::EarConfig::default(), &sound, RATE, false).unwrap();
    let inferred = infer_clip(&heard, &mut Bright).unwrap().unwrap();
    let apart = |patch: &Patch| (patch.get(params::FILTER_CUTOFF) - 0.35).abs();
    let first = Patch::default().with_matched(&inferred.whole.mean);
    let found = candidates(&reference, &notes(), &inferred, &mut Bright, 2).unwrap();
    let [before, after] = [&first, &found[0]].map(apart);
    assert!(after < 0.5 * before, "{before} to {after}");
}

#[test]
fn unmatched_parameters_stay() {
    let mut start = Patch::default();
    start.set_plain(params::TUNE, 7.0);
    let found = refine(&reference(), &notes(), &[start], &limited(30, 1), |_| true).unwrap();
    for row in (0..synth::COUNT).filter(|row| !synth::MATCHED.contains(row)) {
        assert_eq!(found.automation.patch.get(row), start.get(row));
    }
}

#[test]
fn silence_and_empty_notes_give_finite_scores() {
    let ear = ear::EarConfig::default();
    let silence = Reference::new(&[0.0; 8000], RATE, &ear).unwrap();
    let options = Options {
        each_note: true,
        free_notes: true,
        ..limited(20, 1)
    };
    let start = [Patch::default()];
    let found = refine(&silence, &[], &start, &options, |_| true).unwrap();
    assert_eq!((found.score.likeness, found.score.mel), (1.0, 0.0));
    let found = refine(&silence, &notes(), &start, &options, |_| true).unwrap();
    assert!(found.score.likeness.is_finite() && found.score.mel.is_finite());
    // Notes that begin after the clip's end.
    let late: Vec<Note> = notes()
        .iter()
        .map(|n| Note {
            onset: n.onset + 9.0,
            ..*n
        })
        .collect();
    let found = refine(&reference(), &late, &start, &options, |_| true).unwrap();
    assert!(found.score.likeness.is_finite());
    let empty = Reference::new(&[], RATE, &ear).unwrap();
    let found = refine(&empty, &notes(), &start, &options, |_| true).unwrap();
    assert_eq!(found.renders, 0);
}

#[test]
fn a_search_ends_in_time_with_its_last_comparison() {
    // Twelve seconds, of which a single Gauss-Newton step renders minutes.
    let notes: Vec<Note> = (0..24)
        .map(|i| Note {
            onset: 0.5 * f64::from(i),
            duration: 0.3,
            key: 50.0 + (i % 12) as f32,
            velocity: 0.8,
        })
        .collect();
    let [left, _] = Automation::from(patch()).render(&notes, 12.0, RATE as f32, 9);
    let reference = Reference::new(&left, RATE, &ear::EarConfig::default()).unwrap();
    for (seconds, each_note) in [(2.0, false), (2.0, true), (4.0, true)] {
        let options = Options {
            time: Some(Duration::from_secs_f64(seconds)),
            each_note,
            free_notes: each_note,
            ..Options::default()
        };
        let began = Instant::now();
        let found = refine(&reference, &notes, &[Patch::default()], &options, |_| true).unwrap();
        let took = began.elapsed().as_secs_f64();
        // More than it takes where nothing else runs, for tests run side by side.
        assert!(took < 1.6 * seconds, "{took} s of {seconds}");
        assert!(took > 0.5 * seconds, "{took} s of {seconds}");
        assert!(found.renders > 3 && found.score.no_worse(&found.one_patch));
    }
}
