//! Five melodies played by sampled instruments: references for the tests alone.
//!
//! Rendered at test time, dry (no reverb, no chorus), by a SoundFont player from Debian's
//! timgm6mb-soundfont. These clips measure the match; they must never train or tune it.

use crate::wav;
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rustysynth::{SoundFont, Synthesizer, SynthesizerSettings};
use std::path::Path;
use std::sync::Arc;
use synth::Note;

/// Sample rate of the clips in Hz.
pub const RATE: u32 = 48_000;
/// Length of a clip in seconds, release of the last note included.
pub const SECONDS: f64 = 8.0;

/// General MIDI program (from 0), name, lowest and highest key.
const INSTRUMENTS: [(i32, &str, i32, i32); 5] = [
    (73, "flute", 60, 84),
    (40, "violin", 55, 81),
    (56, "trumpet", 54, 77),
    (71, "clarinet", 50, 79),
    (0, "piano", 48, 84),
];

/// A monophonic melody and its sound.
pub struct Melody {
    /// Name of the instrument.
    pub instrument: &'static str,
    /// Notes that are played.
    pub notes: Vec<Note>,
    /// Mono sound at [`RATE`], `RATE * SECONDS` samples.
    pub samples: Vec<f32>,
}

impl Melody {
    /// Writes the sound as a WAV.
    pub fn write(&self, path: &Path) {
        wav::write(path, &[&self.samples], RATE);
    }
}

/// The five melodies; the same ones every time.
///
/// # Panics
/// When the SoundFont is not installed or not readable.
pub fn foreign() -> Vec<Melody> {
    let font = soundfont("TimGM6mb.sf2", "timgm6mb-soundfont");
    INSTRUMENTS
        .iter()
        .map(|&(program, instrument, low, high)| {
            let notes = compose(program as u64, low, high);
            let samples = play(&font, program, &notes, false);
            Melody {
                instrument,
                notes,
                samples,
            }
        })
        .collect()
}

/// General MIDI program (from 0) and keys of the instruments the match is measured on, five
/// melodies each.
const MEASURED: [(i32, i32, i32); 8] = [
    (0, 48, 84),  // piano
    (24, 45, 76), // nylon guitar
    (40, 55, 81), // violin
    (42, 40, 67), // cello
    (56, 54, 77), // trumpet
    (68, 58, 84), // oboe
    (71, 50, 79), // clarinet
    (73, 60, 84), // flute
];

/// Writes the melodies on which the goals of the match are measured into `folder`, which is made:
/// five of each of eight instruments, 8 s, named by program and take.
///
/// # Panics
/// When the SoundFont or the folder can't be used.
pub fn write_measured(folder: &Path) {
    std::fs::create_dir_all(folder)
        .unwrap_or_else(|e| panic!("could not make the folder {}: {e}", folder.display()));
    let font = soundfont("TimGM6mb.sf2", "timgm6mb-soundfont");
    for (program, low, high) in MEASURED {
        for take in 0..5 {
            // Unused by other melodies: seeds of the five test clips are their programs' numbers.
            let notes = compose(1_000 + 100 * take + program as u64, low, high);
            let sound = play(&font, program, &notes, false);
            let path = folder.join(format!("{program:03}-{take}.wav"));
            wav::write(&path, &[&sound], RATE);
        }
    }
}

/// Loads a SoundFont from the folders of the system's packages.
///
/// # Panics
/// When it is not installed (the message names `package`) or not readable.
pub fn soundfont(name: &str, package: &str) -> Arc<SoundFont> {
    let folders = [
        "/usr/share/sounds/sf2",
        "/usr/share/soundfonts",
        "/usr/local/share/soundfonts",
    ];
    let path = folders
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|p| p.exists());
    let path = path.unwrap_or_else(|| {
        panic!(
            "{name} is in none of {folders:?}: install Debian's package {package}, or put the file \
             into one of these folders"
        )
    });
    let mut file = std::fs::File::open(&path)
        .unwrap_or_else(|e| panic!("could not open {}: {e}", path.display()));
    let font = SoundFont::new(&mut file)
        .unwrap_or_else(|e| panic!("could not read {}: {e}", path.display()));
    Arc::new(font)
}

/// A walk over a minor scale: notes of 0.25 to 0.9 s with short rests, ending 0.8 s before the
/// clip.
pub fn compose(seed: u64, low: i32, high: i32) -> Vec<Note> {
    const SCALE: [i32; 7] = [0, 2, 3, 5, 7, 8, 10];
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    let keys: Vec<i32> = (low..=high).filter(|k| SCALE.contains(&(k % 12))).collect();
    let mut at = keys.len() / 2;
    let mut onset = 0.05;
    let mut notes = Vec::new();
    loop {
        let duration = *[0.25, 0.3, 0.45, 0.6, 0.9]
            .choose(&mut rng)
            .expect("not empty");
        if onset + duration > SECONDS - 0.8 {
            return notes;
        }
        let velocity = rng.random_range(64..=120) as f32 / 127.0;
        notes.push(Note {
            onset,
            duration,
            key: keys[at] as f32,
            velocity,
        });
        onset += duration + rng.random_range(0.02..0.15);
        // Steps of up to four scale notes; never the same key twice.
        let step = rng.random_range(1..=4);
        let up = if at < step {
            true
        } else if at + step >= keys.len() {
            false
        } else {
            rng.random()
        };
        at = if up { at + step } else { at - step };
    }
}

/// Plays `notes` with a General MIDI `program` (from 0): mono, [`SECONDS`] at [`RATE`]. `wet` adds
/// the player's reverb and chorus.
pub fn play(font: &Arc<SoundFont>, program: i32, notes: &[Note], wet: bool) -> Vec<f32> {
    let mut settings = SynthesizerSettings::new(RATE as i32);
    settings.enable_reverb_and_chorus = wet;
    // Events take effect at a block's start: 16 samples are a third of a millisecond.
    settings.block_size = 16;
    let mut player = Synthesizer::new(font, &settings).expect("the settings are valid");
    player.process_midi_message(0, 0xC0, program, 0);

    let total = (RATE as f64 * SECONDS) as usize;
    let (mut left, mut right) = (vec![0.0; total], vec![0.0; total]);
    let mut done = 0;
    let mut advance = |player: &mut Synthesizer, seconds: f64| {
        let until = ((seconds * RATE as f64).round() as usize).min(total);
        player.render(&mut left[done..until], &mut right[done..until]);
        done = until;
    };
    for (time, on, key, velocity) in events(notes) {
        advance(&mut player, time);
        match on {
            true => player.note_on(0, key, velocity),
            false => player.note_off(0, key),
        }
    }
    advance(&mut player, SECONDS);
    left.iter()
        .zip(&right)
        .map(|(l, r)| 0.5 * (l + r))
        .collect()
}

/// Time in seconds, whether the note begins, MIDI key and velocity of each beginning and end, in
/// order. Where a note ends as another begins, the end comes first.
fn events(notes: &[Note]) -> Vec<(f64, bool, i32, i32)> {
    let mut events: Vec<_> = notes
        .iter()
        .flat_map(|n| {
            let (key, velocity) = (n.key as i32, (n.velocity * 127.0).round() as i32);
            [
                (n.onset, true, key, velocity),
                (n.onset + n.duration, false, key, velocity),
            ]
        })
        .collect();
    events.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn melodies_are_distinct_monophonic_and_audible() {
        let melodies = foreign();
        for (i, melody) in melodies.iter().enumerate() {
            assert!(
                melody.notes.len() >= 8,
                "{}: {} notes",
                melody.instrument,
                melody.notes.len()
            );
            for pair in melody.notes.windows(2) {
                assert!(pair[0].onset + pair[0].duration < pair[1].onset);
            }
            for note in &melody.notes {
                assert!((48.0..=84.0).contains(&note.key));
                // The second half of each note sounds.
                let from = ((note.onset + 0.5 * note.duration) * RATE as f64) as usize;
                let to = ((note.onset + note.duration) * RATE as f64) as usize;
                let peak = melody.samples[from..to]
                    .iter()
                    .fold(0.0f32, |m, s| m.max(s.abs()));
                assert!(
                    peak > 1e-3 && peak < 1.0,
                    "{}: peak {peak}",
                    melody.instrument
                );
            }
            for other in &melodies[..i] {
                assert_ne!(melody.notes, other.notes);
            }
        }
    }
}
