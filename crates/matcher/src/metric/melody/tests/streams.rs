//! The notes of a stream: the same as a clip's, whatever the blocks, and told in time.

use super::sounds::{Played, RATE, heard, line, sound};
use super::{HeardNote, NoteTracker, melody};
use ear::{Ear, EarConfig};

/// The reported notes, each with the number of samples fed until then.
pub fn told(sound: &[f32], block: usize) -> Vec<(usize, HeardNote)> {
    let mut ear = Ear::new(&EarConfig::default(), RATE, true).unwrap();
    let mut tracker = NoteTracker::new(&ear);
    let mut all = Vec::new();
    for (i, block_of) in sound.chunks(block).enumerate() {
        let fed = i * block + block_of.len();
        ear.process(block_of, |frame| {
            tracker.take(&frame, |note| all.push((fed, note)))
        });
    }
    all
}

fn phrase() -> Vec<Played> {
    let mut notes = line(&[60.0, 64.0, 64.0, 59.0, 72.0, 71.0, 67.0], 0.3, 0.03);
    notes[1].attack = 0.08;
    notes[3].vibrato = (0.5, 6.0);
    notes[6].gain = 0.1;
    notes
}

#[test]
fn blocks_of_any_size_tell_the_same() {
    let sound = sound(&phrase());
    let notes = |block| -> Vec<HeardNote> {
        told(&sound, block)
            .into_iter()
            .map(|(_, note)| note)
            .collect()
    };
    let whole = notes(sound.len());
    assert!(whole.len() >= 2 * 7 - 1, "{whole:?}");
    for block in [1, 37, 512, 8_192] {
        assert_eq!(notes(block), whole, "blocks of {block}");
    }
}

#[test]
fn a_stream_has_the_notes_of_the_clip() {
    let sound = sound(&phrase());
    let clip = melody(&heard(&sound));
    let ended: Vec<HeardNote> = told(&sound, 441)
        .into_iter()
        .map(|(_, note)| note)
        .filter(|note| note.end.is_some())
        .collect();
    assert_eq!(ended.len(), clip.len());
    // The resampler's delay is not taken off a stream.
    for (i, (a, b)) in ended.iter().zip(&clip).enumerate() {
        assert_eq!(a.number, i as u64);
        let end = a.end.unwrap() - b.onset - b.duration;
        assert!(
            (a.onset - b.onset).abs() < 0.009 && end.abs() < 0.03,
            "{a:?} {b:?}"
        );
        assert!((a.key - b.key).abs() < 0.15, "{a:?} {b:?}");
    }
}

#[test]
fn a_note_is_told_within_150_ms() {
    for gap in [0.0, 0.05] {
        for keys in [[60.0, 64.0, 62.0, 69.0], [81.0, 74.0, 88.0, 93.0]] {
            let notes = line(&keys, 0.35, gap);
            let all = told(&sound(&notes), 1);
            for (i, note) in notes.iter().enumerate() {
                let (fed, heard) = all.iter().find(|(_, n)| n.number == i as u64).unwrap();
                let late = *fed as f64 / RATE - note.onset;
                assert!(
                    (0.0..=0.15).contains(&late),
                    "told after {late:.3} s: {heard:?}"
                );
                assert!((f64::from(heard.key) - note.key).abs() < 0.5, "{heard:?}");
            }
        }
    }
}

#[test]
fn a_tone_held_from_the_start_is_a_note_only_if_it_ends() {
    let held = |end: f64| {
        let note = Played {
            attack: 1e-9,
            ..Played::new(0.0, end, 57.0)
        };
        let mut sound = sound(&[note, Played::new(end, end + 0.4, 60.0)]);
        sound.truncate(((end + 0.3) * RATE) as usize);
        melody(&heard(&sound))
    };
    assert_eq!(held(0.4).len(), 2);
    assert_eq!(held(4.0).len(), 1);
    // Alone in a clip it is all there is to play.
    let note = Played {
        attack: 1e-9,
        ..Played::new(0.0, 4.0, 57.0)
    };
    let mut alone = sound(&[note]);
    alone.truncate((3.0 * RATE) as usize);
    let notes = melody(&heard(&alone));
    assert_eq!(notes.len(), 1);
    assert!((notes[0].duration - 3.0).abs() < 0.05, "{notes:?}");
}

#[test]
fn a_reset_tracker_is_a_new_one() {
    let sound = sound(&phrase());
    let mut ear = Ear::new(&EarConfig::default(), RATE, true).unwrap();
    let mut tracker = NoteTracker::new(&ear);
    let mut runs = Vec::new();
    for _ in 0..2 {
        let mut all = Vec::new();
        ear.process(&sound[..60_000], |frame| {
            tracker.take(&frame, |note| all.push(note))
        });
        runs.push(all);
        ear.reset();
        tracker.reset();
    }
    assert!(!runs[0].is_empty());
    assert_eq!(runs[0], runs[1]);
}
