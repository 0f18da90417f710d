//! Melodies from drawn pitch tracks, and from the synth through the ear.

use super::*;
use rand::{Rng, SeedableRng};

const RATE: f64 = 125.0;

fn heard(pitch: Vec<PitchFrame>) -> Spectrogram {
    Spectrogram {
        data: Vec::new(),
        pitch,
        frame_rate: RATE,
    }
}

fn frame(key: f32, level_db: f32) -> PitchFrame {
    PitchFrame {
        hz: 440.0 * 2f32.powf((key - 69.0) / 12.0),
        voiced: true,
        clarity: 0.95,
        level_db,
    }
}

fn rest(level_db: f32) -> PitchFrame {
    PitchFrame {
        level_db,
        ..PitchFrame::default()
    }
}

/// Makes `seconds` of frames, each from its time.
fn track(seconds: f64, f: impl Fn(f64) -> PitchFrame) -> Vec<PitchFrame> {
    (0..(seconds * RATE).round() as usize)
        .map(|i| f(i as f64 / RATE))
        .collect()
}

fn keys(notes: &[Note]) -> Vec<f32> {
    notes
        .iter()
        .map(|n| (n.key * 100.0).round() / 100.0)
        .collect()
}

#[test]
fn steps_and_rests_are_notes() {
    let scale = [60.0, 62.0, 64.0, 65.0, 67.0];
    let legato = heard(track(2.0, |t| frame(scale[(t / 0.4) as usize], -20.0)));
    let notes = melody(&legato);
    assert_eq!(keys(&notes), scale);
    for (i, note) in notes.iter().enumerate() {
        assert!((note.onset - 0.4 * i as f64).abs() < 0.025, "{note:?}");
        assert!((note.duration - 0.4).abs() < 0.035, "{note:?}");
    }
    let staccato = heard(track(2.0, |t| {
        if t % 0.4 < 0.2 {
            frame(60.0, -20.0)
        } else {
            rest(-80.0)
        }
    }));
    let notes = melody(&staccato);
    assert_eq!(keys(&notes), [60.0; 5]);
    assert!(
        notes.iter().all(|n| (n.duration - 0.2).abs() < 0.025),
        "{notes:?}"
    );
}

#[test]
fn vibrato_does_not_split_notes() {
    for (rate, cents) in [(4.0, 50.0), (5.0, 100.0), (6.5, 100.0)] {
        let vibrato = |t: f64| 0.01 * cents * (std::f64::consts::TAU * rate * t).sin() as f32;
        let notes = melody(&heard(track(2.0, |t| {
            frame(if t < 1.0 { 60.0 } else { 67.0 } + vibrato(t), -20.0)
        })));
        assert_eq!(notes.len(), 2, "{rate} Hz, {cents} cents: {notes:?}");
        assert!(
            (notes[0].key - 60.0).abs() < 0.2 && (notes[1].key - 67.0).abs() < 0.2,
            "{notes:?}"
        );
    }
}

#[test]
fn short_notes_count_and_shorter_slips_do_not() {
    let with = |length: f64, key: f32| {
        let odd = |t: f64| (0.5..0.5 + length).contains(&t);
        melody(&heard(track(1.0, |t| {
            frame(if odd(t) { key } else { 60.0 }, -20.0)
        })))
    };
    assert_eq!(keys(&with(0.056, 62.0)), [60.0, 62.0, 60.0]);
    assert_eq!(keys(&with(0.120, 61.0)), [60.0, 61.0, 60.0]);
    // Subharmonics of 80 ms between two notes.
    let slip = heard(track(1.0, |t| match t {
        t if t < 0.5 => frame(60.0, -20.0),
        t if t < 0.58 => frame(46.0, -20.0),
        _ => frame(65.0, -20.0),
    }));
    let notes = melody(&slip);
    assert_eq!(keys(&notes), [60.0, 65.0]);
    assert!((notes[1].onset - 0.5).abs() < 0.01, "{notes:?}");
    // Octave slips of 24 ms, in the middle and at the start.
    assert_eq!(keys(&with(0.024, 72.0)), [60.0]);
    let at_start = heard(track(1.0, |t| {
        frame(if t < 0.024 { 72.0 } else { 60.0 }, -20.0)
    }));
    assert_eq!(keys(&melody(&at_start)), [60.0]);
    let alone = heard(track(1.0, |t| {
        if t < 0.04 {
            frame(60.0, -20.0)
        } else {
            rest(-80.0)
        }
    }));
    assert_eq!(melody(&alone), []);
}

#[test]
fn a_rise_of_level_repeats_a_note() {
    let plucked = heard(track(2.0, |t| frame(60.0, -15.0 - 30.0 * (t % 0.5) as f32)));
    let notes = melody(&plucked);
    assert_eq!(keys(&notes), [60.0; 4]);
    for (i, note) in notes.iter().enumerate() {
        assert!((note.onset - 0.5 * i as f64).abs() < 0.02, "{note:?}");
    }
    // A slow swell and a tremolo of 4 dB are one note.
    assert_eq!(
        melody(&heard(track(2.0, |t| frame(60.0, -50.0 + 20.0 * t as f32)))).len(),
        1
    );
    let tremolo = |t: f64| -20.0 + 2.0 * (std::f64::consts::TAU * 5.0 * t).sin() as f32;
    assert_eq!(
        melody(&heard(track(2.0, |t| frame(60.0, tremolo(t))))).len(),
        1
    );
}

#[test]
fn interruptions_of_voicing_are_bridged_unless_the_sound_stops() {
    let with = |level: f32| {
        let gap = |t: f64| (0.5..0.524).contains(&t);
        melody(&heard(track(1.0, |t| {
            if gap(t) {
                rest(level)
            } else {
                frame(60.0, -20.0)
            }
        })))
    };
    assert_eq!(with(-22.0).len(), 1);
    assert_eq!(with(-60.0).len(), 2);
}

#[test]
fn detuned_melodies_keep_their_tuning() {
    for off in [-0.45, -0.2, 0.3, 0.5] {
        let scale = [60.0, 62.0, 64.0, 65.0];
        let notes = melody(&heard(track(1.6, |t| {
            frame(scale[(t / 0.4) as usize] + off, -20.0)
        })));
        let expected: Vec<f32> = scale.iter().map(|k| k + off).collect();
        assert_eq!(keys(&notes), keys(&notes_of(&expected)));
    }
}

fn notes_of(keys: &[f32]) -> Vec<Note> {
    keys.iter()
        .map(|&key| Note {
            onset: 0.0,
            duration: 0.0,
            key,
            velocity: 0.0,
        })
        .collect()
}

#[test]
fn a_note_begins_where_its_sound_does() {
    // Sound from 0.2 s on, pitch only from 0.24 s on.
    let late = heard(track(1.0, |t| match t {
        t if t < 0.199 => rest(-100.0),
        t if t < 0.239 => rest(-20.0),
        _ => frame(60.0, -18.0),
    }));
    assert!(
        (melody(&late)[0].onset - 0.2).abs() < 0.005,
        "{:?}",
        melody(&late)
    );
}

#[test]
fn velocities_reproduce_the_levels() {
    let levels = [-20.0, -14.0, -17.0];
    let notes = melody(&heard(track(1.5, |t| {
        frame(
            60.0 + 2.0 * (t / 0.5).floor() as f32,
            levels[(t / 0.5) as usize],
        )
    })));
    let response = PARAMS[VELOCITY].default;
    for (note, level) in notes.iter().zip(levels) {
        let gain = 1.0 - response * (1.0 - note.velocity * note.velocity);
        assert!(
            (20.0 * gain.log10() - (level + 14.0)).abs() < 0.1,
            "{note:?}"
        );
    }
}

#[test]
fn silence_noise_and_nothing_have_no_notes() {
    assert_eq!(melody(&heard(Vec::new())), []);
    assert_eq!(melody(&heard(vec![rest(-120.0); 200])), []);
    assert_eq!(melody(&heard(vec![rest(-20.0); 200])), []);
}

/// Notes that the synth played are read back from the ear's pitch track.
#[test]
fn melodies_of_the_synth_are_read_back() {
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(5);
    let (mut onset_errors, mut wrong) = (Vec::new(), 0);
    for _ in 0..12 {
        let mut onset = 0.1;
        let mut last = 0.0;
        let notes: Vec<Note> = (0..5)
            .map(|_| {
                let duration = rng.random_range(0.2..0.5);
                let mut key = last;
                while key == last {
                    key = rng.random_range(48..84) as f32;
                }
                last = key;
                let note = Note {
                    onset,
                    duration,
                    key,
                    velocity: 0.8,
                };
                onset += duration;
                note
            })
            .collect();
        let [left, _] = synth::render(&synth::Patch::default(), &notes, onset + 0.2, 16_000.0, 1);
        let heard = ear::spectrogram(&ear::EarConfig::default(), &left, 16_000.0, true).unwrap();
        let found = melody(&heard);
        for note in &notes {
            let near = found.iter().min_by(|a, b| {
                (a.onset - note.onset)
                    .abs()
                    .total_cmp(&(b.onset - note.onset).abs())
            });
            match near {
                Some(n)
                    if (n.key - note.key).abs() < 0.3 && (n.onset - note.onset).abs() < 0.05 =>
                {
                    onset_errors.push(n.onset - note.onset);
                }
                n => {
                    println!("{note:?} {n:?}");
                    wrong += 1
                }
            }
        }
        wrong += found.len().saturating_sub(notes.len());
    }
    let mean = onset_errors.iter().sum::<f64>() / onset_errors.len() as f64;
    let spread =
        onset_errors.iter().map(|e| (e - mean).abs()).sum::<f64>() / onset_errors.len() as f64;
    println!("wrong {wrong} of 60, onset {mean:.4} +- {spread:.4} s");
    assert!(wrong <= 3, "{wrong} of 60 notes are wrong");
    assert!(
        mean.abs() < 0.008 && spread < 0.010,
        "onsets are off by {mean} +- {spread} s"
    );
}
