//! The factory patches: complete, named, playable, equally loud, and no two alike.
//!
//! Their levels are set by this test: `UPDATE_LEVELS=1 cargo test -p synth --test goals equally`.

use crate::sound::{BANDS, RATE, Sound, likeness};
use crate::{key_to_hertz, picture};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use synth::{Event, EventKind, Note, PARAMS, Patch, Synth, notes_to_events, params};

/// First tag of a factory patch, and the key it is judged at.
pub const CATEGORIES: [(&str, f32); 8] = [
    ("bass", 36.0),
    ("lead", 60.0),
    ("pad", 60.0),
    ("keys", 60.0),
    ("pluck", 60.0),
    ("brass", 60.0),
    ("strings", 60.0),
    ("effects", 60.0),
];
/// MIDI velocity 100.
pub const VELOCITY: f32 = 100.0 / 127.0;
/// Loudness of every patch, LUFS, and how far it may be off: together a window of 3 dB.
const LOUDNESS: f64 = -25.0;
const WINDOW: f64 = 1.5;
/// Time for which the key is held, and for which the sound is watched after it, in seconds.
pub const HELD: f64 = 2.5;
pub const AFTER: f64 = 12.0;

/// A patch file, with nothing in it but this.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    format: u32,
    pub name: String,
    pub tags: Vec<String>,
    params: serde_json::Map<String, serde_json::Value>,
}

pub struct Factory {
    path: PathBuf,
    pub file: File,
    pub patch: Patch,
    pub sound: Sound,
}

impl Factory {
    /// Kind of the patch: its first tag.
    pub fn kind(&self) -> &str {
        &self.file.tags[0]
    }

    /// The key it is judged at.
    pub fn key(&self) -> f32 {
        key(&self.file)
    }

    /// Frequency of the patch's note in Hz.
    pub fn hertz(&self) -> f64 {
        key_to_hertz(self.key().into())
    }
}

/// Every factory patch with its sound: one note.
pub fn factory() -> &'static [Factory] {
    static ALL: OnceLock<Vec<Factory>> = OnceLock::new();
    ALL.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/patches");
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .collect();
        paths.sort();
        let read = |path: PathBuf| {
            let text = std::fs::read_to_string(&path).unwrap();
            let (patch, unknown) =
                Patch::from_json(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert!(unknown.is_empty(), "{}: {unknown:?}", path.display());
            let file: File =
                serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path, file, patch)
        };
        let all = paths.into_iter().map(read);
        all.filter(|(_, file, _)| file.tags[0] != "init")
            .map(|(path, file, patch)| {
                let sound = Sound::new(play(&patch, &[key(&file)], HELD + AFTER));
                Factory {
                    path,
                    file,
                    patch,
                    sound,
                }
            })
            .collect()
    })
}

/// The key a patch is judged at.
fn key(file: &File) -> f32 {
    let category = CATEGORIES.iter().find(|(name, _)| *name == file.tags[0]);
    category
        .unwrap_or_else(|| panic!("{}: no category {}", file.name, file.tags[0]))
        .1
}

/// A chord held for [`HELD`] seconds.
fn play(patch: &Patch, keys: &[f32], seconds: f64) -> [Vec<f32>; 2] {
    perform(patch, &chord(keys, VELOCITY), &[], seconds)
}

/// Notes of a chord held for [`HELD`] seconds.
pub fn chord(keys: &[f32], velocity: f32) -> Vec<Note> {
    let note = |&key: &f32| Note {
        onset: 0.0,
        duration: HELD,
        key,
        velocity,
    };
    keys.iter().map(note).collect()
}

/// The chord of four notes that the loudest peak is looked for in.
pub fn four_notes(root: f32) -> [f32; 4] {
    [0.0, 4.0, 7.0, 12.0].map(|step| root + step)
}

/// Renders notes while hands move: at these seconds.
pub fn perform(
    patch: &Patch,
    notes: &[Note],
    hands: &[(f64, EventKind)],
    seconds: f64,
) -> [Vec<f32>; 2] {
    let mut synth = Synth::new(RATE);
    synth.set_patch(patch, 0.0);
    synth.set_seed(1);
    let hand = |&(at, kind): &(f64, EventKind)| Event {
        time: (at * RATE as f64) as u32,
        kind,
    };
    let mut events: Vec<Event> = hands.iter().map(hand).collect();
    events.extend(notes_to_events(notes, RATE));
    // Stable: a hand that is there from the start is there before the notes.
    events.sort_by_key(|event| event.time);
    let len = (seconds * RATE as f64) as usize;
    let mut sides = [vec![0.0; len], vec![0.0; len]];
    let [left, right] = &mut sides;
    synth.process(left, right, &events);
    sides
}

/// Largest sample, dBFS.
pub fn peak(sides: &[Vec<f32>; 2]) -> f32 {
    let peak = sides.iter().flatten().fold(0.0f32, |p, x| p.max(x.abs()));
    20.0 * peak.log10()
}

#[test]
fn there_are_enough_of_every_kind_and_they_are_named_and_tagged() {
    let all = factory();
    assert!(all.len() >= 48, "{} patches", all.len());
    for (category, _) in CATEGORIES {
        let count = all.iter().filter(|f| f.file.tags[0] == category).count();
        println!("{category}: {count}");
        assert!(count >= 6, "{count} of {category}");
    }
    for Factory { path, file, .. } in all {
        assert_eq!(file.format, 1, "{}", file.name);
        assert!(
            file.tags.len() >= 2,
            "{} says too little of itself",
            file.name
        );
        assert!(file.params.contains_key("level"), "{}", file.name);
        let slug = file.name.to_lowercase().replace(' ', "-");
        assert_eq!(path.file_stem().unwrap().to_str(), Some(slug.as_str()));
    }
    let names: BTreeSet<&str> = all.iter().map(|f| f.file.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "no name twice");
}

#[test]
fn all_are_equally_loud() {
    let update = std::env::var_os("UPDATE_LEVELS").is_some();
    let mut worst = 0.0f64;
    for Factory {
        path,
        file,
        patch,
        sound,
    } in factory()
    {
        let loudness = sound.loudness();
        println!("{:<8} {:<18} {loudness:.2} LUFS", file.tags[0], file.name);
        if update {
            let level = patch.plain(params::LEVEL) as f64 + LOUDNESS - loudness;
            let row = &PARAMS[params::LEVEL];
            set_level(path, level.clamp(row.min as f64, row.max as f64));
        } else {
            worst = worst.max((loudness - LOUDNESS).abs());
        }
    }
    assert!(worst <= WINDOW, "off by {worst:.2} dB");
}

/// Rewrites a file's level.
fn set_level(path: &Path, level: f64) {
    let text = std::fs::read_to_string(path).unwrap();
    let set = |line: &str| match line.split_once("\"level\": ") {
        Some((indent, rest)) => {
            let comma = if rest.ends_with(',') { "," } else { "" };
            format!("{indent}\"level\": {level:.1}{comma}\n")
        }
        None => format!("{line}\n"),
    };
    std::fs::write(path, text.lines().map(set).collect::<String>()).unwrap();
}

#[test]
fn all_sound_and_fall_silent_and_none_clips() {
    let mut loudest = ("", f32::MIN);
    for Factory {
        file, patch, sound, ..
    } in factory()
    {
        let name = &file.name;
        let samples = || sound.sides.iter().flatten();
        assert!(samples().all(|x| x.is_finite()), "{name}");
        // The clip sets in at -1 dBFS.
        let db = peak(&sound.sides);
        assert!((-34.0..-1.0).contains(&db), "{name} peaks at {db} dBFS");
        let left = sound.loudness() - sound.last_loudness();
        assert!(
            left > 40.0,
            "{name} has fallen by {left:.1} dB after {AFTER} s"
        );
        let db = peak(&play(patch, &four_notes(key(file)), HELD));
        println!("{name:<18} chord {db:.1} dBFS, {left:.0} dB down {AFTER} s after");
        if db > loudest.1 {
            loudest = (name, db);
        }
    }
    assert!(loudest.1 <= -1.0, "chords peak as high as {loudest:?}");
}

#[test]
fn no_two_are_alike() {
    let all = factory();
    let mut nearest = Vec::new();
    for (i, a) in all.iter().enumerate() {
        for b in &all[..i] {
            nearest.push((likeness(&a.sound, &b.sound), &a.file.name, &b.file.name));
        }
    }
    nearest.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (likeness, a, b) in &nearest[..8] {
        println!("{likeness:.4} {a} and {b}");
    }
    assert!(nearest[0].0 <= 0.99, "{nearest:?}");
}

/// Every factory patch, kind by kind.
pub fn by_kind() -> Vec<&'static Factory> {
    let mut all: Vec<_> = factory().iter().collect();
    all.sort_by_key(|f| CATEGORIES.iter().position(|(name, _)| *name == f.kind()));
    all
}

/// Draws every spectrogram into one picture: `cargo test -p synth --test goals draw` with
/// `UPDATE_PICTURES=1`.
#[test]
fn draw_the_patches() {
    if std::env::var_os("UPDATE_PICTURES").is_some() {
        let tiles: Vec<_> = by_kind()
            .into_iter()
            .map(|f| {
                let title = format!("{}: {}", f.kind(), f.file.name);
                (title, f.sound.image.clone())
            })
            .collect();
        picture::sheet("patches", &tiles, BANDS, 8, (172, 132));
    }
}
