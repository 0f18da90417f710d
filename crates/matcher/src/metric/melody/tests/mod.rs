//! The notes heard in sounds of known notes.

mod sounds;
mod streams;

use super::*;
use rand::{Rng, SeedableRng};
use sounds::{Played, add_hall, add_noise, heard, line, sound};

/// Largest distance of an onset in seconds and of a key in semitones.
const ONSET: f64 = 0.05;
const KEY: f64 = 0.5;

/// Asserts that `sound` is heard as the notes that were played, no more and no fewer.
fn assert_notes(sound: &[f32], played: &[Played], what: &str) -> Vec<Note> {
    let notes = melody(&heard(sound));
    let right = notes.len() == played.len()
        && notes.iter().zip(played).all(|(n, p)| {
            // A linear attack is 20 dB below its peak after a tenth.
            let onset = p.onset + 0.1 * p.attack;
            (n.onset - onset).abs() < ONSET && (f64::from(n.key) - p.key).abs() < KEY
        });
    let wanted: Vec<_> = played.iter().map(|p| (p.onset, p.key)).collect();
    let found: Vec<_> = notes.iter().map(|n| (n.onset, n.key)).collect();
    assert!(right, "{what}: {found:?} instead of {wanted:?}");
    notes
}

fn assert_heard(played: &[Played], what: &str) -> Vec<Note> {
    assert_notes(&sound(played), played, what)
}

#[test]
fn a_swelling_attack_is_one_note() {
    for attack in [0.06, 0.12, 0.2, 0.3] {
        for gap in [0.0, 0.1] {
            let mut notes = line(&[69.0, 72.0, 76.0, 72.0], 0.5, gap);
            notes.iter_mut().for_each(|n| n.attack = attack);
            assert_heard(&notes, &format!("attacks of {attack} s, rests of {gap} s"));
        }
    }
}

#[test]
fn a_dip_of_nine_decibels_is_a_repeat() {
    for key in [45.0, 57.0, 69.0, 84.0] {
        // One tone whose level dips for 40 ms on each side.
        let mut all = sound(&[Played::new(0.2, 2.2, key)]);
        for (n, y) in all.iter_mut().enumerate() {
            let t = n as f64 / sounds::RATE;
            let near = [0.6, 1.0, 1.4, 1.8].map(|at: f64| 1.0 - (t - at).abs() / 0.04);
            let dip = near.iter().fold(0.0f64, |m, &d| m.max(d));
            *y *= 10f32.powf((-9.0 * dip / 20.0) as f32);
        }
        let onsets = [0.2, 0.6, 1.0, 1.4, 1.8];
        let notes: Vec<_> = onsets
            .iter()
            .map(|&t| Played::new(t, t + 0.4, key))
            .collect();
        assert_notes(&all, &notes, &format!("repeats of {key}"));
    }
}

#[test]
fn plucked_repeats_are_repeats_and_a_tremolo_is_not() {
    let mut plucked = sound(&[Played::new(0.2, 2.2, 60.0)]);
    let mut tremolo = plucked.clone();
    for (n, (p, t)) in plucked.iter_mut().zip(&mut tremolo).enumerate() {
        let at = n as f64 / sounds::RATE - 0.2;
        *p *= 10f32.powf((-30.0 * at.rem_euclid(0.5) / 20.0) as f32);
        let wave = (std::f64::consts::TAU * 5.0 * at).sin();
        *t *= 10f32.powf((2.0 * wave / 20.0) as f32);
    }
    let onsets = [0.2, 0.7, 1.2, 1.7];
    let notes: Vec<_> = onsets
        .iter()
        .map(|&t| Played::new(t, t + 0.5, 60.0))
        .collect();
    assert_notes(&plucked, &notes, "plucked");
    assert_notes(&tremolo, &[Played::new(0.2, 2.2, 60.0)], "tremolo");
}

#[test]
fn nothing_sounds_between_two_notes() {
    for interval in [-12.0, -7.0, -5.0, -2.0, -1.0, 1.0, 2.0, 4.0, 7.0, 12.0] {
        for gap in [0.0, 0.02, 0.06] {
            let keys = [60.0, 60.0 + interval, 60.0, 60.0 + interval];
            let notes = line(&keys, 0.3, gap);
            assert_heard(&notes, &format!("{interval} semitones, rests of {gap} s"));
        }
    }
}

#[test]
fn a_hall_of_two_seconds_adds_no_notes() {
    for keys in [[60.0, 65.0, 62.0, 69.0], [57.0, 64.0, 60.0, 67.0]] {
        let mut notes = line(&keys, 0.5, 0.0);
        notes.iter_mut().for_each(|n| n.gain = 0.2);
        let mut all = sound(&notes);
        add_hall(&mut all, 2.0, 0.2);
        assert_notes(&all, &notes, "a hall");
    }
}

#[test]
fn glides_lead_to_one_note_each() {
    let mut notes = line(&[60.0, 64.0, 62.0, 67.0], 0.5, 0.0);
    for i in 1..notes.len() {
        notes[i].glide = (notes[i - 1].key, 0.06);
    }
    assert_heard(&notes, "portamento");
}

#[test]
fn a_vibrato_of_a_semitone_splits_no_note() {
    for (hz, depth) in [(4.5, 0.5), (5.5, 1.0), (6.5, 1.0)] {
        let mut notes = line(&[60.0, 67.0, 64.0], 0.8, 0.05);
        notes.iter_mut().for_each(|n| n.vibrato = (depth, hz));
        assert_heard(&notes, &format!("{hz} Hz, {depth} semitones"));
    }
}

#[test]
fn any_tuning_is_kept() {
    for off in [-0.5, -0.25, 0.1, 0.35, 0.5] {
        let keys = [60.0, 62.0, 64.0, 65.0, 67.0].map(|k| k + off);
        let notes = assert_heard(&line(&keys, 0.3, 0.03), &format!("{off} semitones off"));
        for (note, key) in notes.iter().zip(keys) {
            assert!((f64::from(note.key) - key).abs() < 0.06, "{note:?}: {key}");
        }
    }
}

#[test]
fn a_five_string_bass_and_a_piccolo_are_heard() {
    // From 31 Hz to 4186 Hz.
    for low in [23.0, 26.0, 31.0, 38.0] {
        let keys = [0.0, 5.0, 2.0, 7.0].map(|k| low + k);
        assert_heard(&line(&keys, 0.5, 0.05), &format!("from {low}"));
    }
    for high in [91.0, 96.0, 101.0] {
        let keys = [0.0, 5.0, 2.0, 7.0].map(|k| high + k);
        let notes = assert_heard(&line(&keys, 0.3, 0.05), &format!("from {high}"));
        assert!((f64::from(notes[3].key) - keys[3]).abs() < 0.1, "{notes:?}");
    }
}

#[test]
fn sound_beyond_the_range_is_said_to_be_without_a_note() {
    for key in [12.0, 112.0] {
        let mut notes = line(&[60.0, 62.0], 0.4, 0.1);
        notes.push(Played::new(1.3, 2.3, key));
        let found = transcribe(&heard(&sound(&notes)));
        assert!(
            found.notes.iter().all(|n| n.onset < 1.2),
            "{key}: {found:?}"
        );
        assert!((0.7..1.3).contains(&found.without_note), "{key}: {found:?}");
    }
    let all = transcribe(&heard(&sound(&line(&[60.0, 62.0, 64.0], 0.4, 0.1))));
    assert!(all.without_note < 0.1, "{all:?}");
}

#[test]
fn level_means_nothing() {
    let notes = line(&[72.0, 76.0, 74.0, 79.0], 0.35, 0.05);
    let loud = sound(&notes);
    let expected = assert_notes(&loud, &notes, "loud");
    for db in [-10.0, -40.0, -55.0] {
        let gain = 10f32.powf(db / 20.0);
        let soft: Vec<f32> = loud.iter().map(|x| gain * x).collect();
        let found = assert_notes(&soft, &notes, &format!("{db} dB"));
        for (a, b) in found.iter().zip(&expected) {
            assert_eq!((a.onset, a.duration), (b.onset, b.duration));
        }
    }
}

#[test]
fn hum_and_noise_are_no_notes() {
    let mut hum = sound(&[Played {
        gain: 0.003,
        attack: 1e-9,
        ..Played::new(0.0, 6.0, 31.35)
    }]);
    hum.truncate((5.5 * sounds::RATE) as usize);
    assert_eq!(streams::told(&hum, 512), []);
    let mut noise = vec![0.0; sounds::RATE as usize * 4];
    add_noise(&mut noise, 0.3, 1);
    assert_eq!(melody(&heard(&noise)), []);
    // Knocks: bursts of noise that fade within 30 ms.
    for (n, y) in noise.iter_mut().enumerate() {
        *y *= (-(n as f32 / sounds::RATE as f32 % 0.4) / 0.01).exp();
    }
    assert_eq!(melody(&heard(&noise)), []);
    // A melody above the hum and a noise floor.
    let notes = line(&[67.0, 71.0, 69.0, 74.0], 0.4, 0.2);
    let mut both = sound(&notes);
    both.iter_mut().zip(&hum).for_each(|(y, h)| *y += h);
    add_noise(&mut both, 0.002, 2);
    assert_notes(&both, &notes, "a melody above hum");
}

#[test]
fn a_note_at_the_very_start_is_heard() {
    for attack in [0.002, 0.01, 0.05] {
        let mut notes = line(&[60.0, 64.0, 67.0], 0.3, 0.0);
        for note in &mut notes {
            (note.onset, note.end) = (note.onset - 0.2, note.end - 0.2);
            note.attack = attack;
        }
        assert_heard(&notes, &format!("an attack of {attack} s"));
    }
}

#[test]
fn velocities_reproduce_the_levels() {
    let gains = [0.1, 0.2, 0.14];
    let mut notes = line(&[60.0, 62.0, 64.0], 0.4, 0.05);
    for (note, gain) in notes.iter_mut().zip(gains) {
        note.gain = gain;
    }
    let found = assert_heard(&notes, "three levels");
    let response = PARAMS[VELOCITY].default;
    for (note, gain) in found.iter().zip(gains) {
        let played = 1.0 - response * (1.0 - note.velocity * note.velocity);
        let off = 20.0 * (f64::from(played) / (gain / 0.2)).log10();
        assert!(off.abs() < 0.5, "{note:?}: {off:.2} dB");
    }
}

#[test]
fn silence_and_nothing_have_no_notes() {
    assert_eq!(
        transcribe(&Spectrogram::default()),
        Transcription::default()
    );
    let silent = transcribe(&heard(&vec![0.0; 44_100]));
    assert_eq!(silent, Transcription::default());
}

/// Notes that the synth played are read back from what the ear hears.
#[test]
fn melodies_of_the_synth_are_read_back() {
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(5);
    let (mut errors, mut wrong) = (Vec::new(), 0);
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
            let near = found
                .iter()
                .filter(|n| (n.key - note.key).abs() < 0.3)
                .map(|n| n.onset - note.onset)
                .filter(|off| off.abs() < ONSET)
                .min_by(|a, b| a.abs().total_cmp(&b.abs()));
            match near {
                Some(off) => errors.push(off),
                None => {
                    println!("{note:?} {found:?}");
                    wrong += 1;
                }
            }
        }
        wrong += found.len().saturating_sub(notes.len());
    }
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    let spread = errors.iter().map(|e| (e - mean).abs()).sum::<f64>() / errors.len() as f64;
    println!("wrong {wrong} of 60, onset {mean:.4} +- {spread:.4} s");
    assert!(wrong <= 3, "{wrong} of 60 notes are wrong");
    assert!(
        mean.abs() < 0.010 && spread < 0.010,
        "onsets are off by {mean} +- {spread} s"
    );
}
