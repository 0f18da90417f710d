//! The container that a project keeps in addition to the host's parameters, as sections of JSON.
//!
//! A section is a key with a meaning that never changes; a new thing to keep is a new section.
//! Sections that this version doesn't know, and entries for parameters it doesn't have, are kept
//! and written again, so that a project that went through an older version loses nothing.

use matcher::Inference;
use matcher::live::{KnownSound, Limits, MOST_DB, MOST_SOUNDS, Target};
use serde_json::{Map, Value, json};
use synth::{COUNT, Lean, MATCHED, MATCHED_COUNT, PARAMS, Patch, params};

use crate::reference::{Choice, MELODIES};

/// Key of the container among the host's fields.
pub const FIELD: &str = "mirrornet";
/// Version of the container: greater where a section's meaning had to change after all.
const FORMAT: u64 = 1;
/// Ids of the locked parameters.
const LOCKS: &str = "locks";
/// Smallest and largest value an inference may give a parameter, normalised, by id. A parameter
/// that isn't there may take every value.
const RANGES: &str = "ranges";
/// The held inference: mean and deviation, normalised, by id.
const INFERENCE: &str = "inference";
/// Gain in dB that goes with it. Without it, it is as loud as the default patch.
const LEVEL: &str = "inference_level";
/// Change of the held inference across the keyboard, as in a patch file. Without it, it is the same
/// at every key.
const LEAN: &str = "inference_lean";
/// The sounds found by searching, the one heard last in front: likeness, values by id,
/// normalised, and how they lean. A parameter that isn't there is where its knob is.
const SOUNDS: &str = "sounds";
/// Name of the patch last loaded.
const PATCH: &str = "patch";
/// The source in the sidechain's place: a melody's name, or a file's path and hash; and whether it
/// is heard too.
const SOURCE: &str = "source";

/// The content of the container.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// Locks and ranges.
    pub limits: Limits,
    /// The held inference with its level.
    pub held: Option<Target>,
    /// The sounds found by searching.
    pub sounds: Vec<KnownSound>,
    /// Name of the patch last loaded; empty for none.
    pub patch: String,
    /// Source that is listened to.
    pub source: Choice,
    /// Whether it is heard too.
    pub aloud: bool,
    /// The container as it was loaded.
    loaded: Map<String, Value>,
    /// The held inference as it was loaded.
    loaded_inference: Option<Inference>,
}

impl Saved {
    /// Creates an empty container: nothing locked, nothing held.
    pub fn empty() -> Self {
        Self {
            limits: Limits::NONE,
            held: None,
            sounds: Vec::new(),
            patch: String::new(),
            source: Choice::Sidechain,
            aloud: false,
            loaded: Map::new(),
            loaded_inference: None,
        }
    }

    /// Reads the container. `knobs` are the normalised values loaded with it: a matched parameter
    /// that the held inference lacks stays where its knob is.
    ///
    /// A section that can't be read is left out as a whole; the second value says which and why.
    pub fn from_text(text: &str, knobs: &[f32; COUNT]) -> (Self, Vec<String>) {
        let mut saved = Self::empty();
        let loaded = match serde_json::from_str(text) {
            Ok(Value::Object(loaded)) => loaded,
            Ok(other) => return (saved, vec![format!("it is {other}, not an object")]),
            Err(error) => return (saved, vec![error.to_string()]),
        };
        let mut faults = Vec::new();
        match loaded.get("format").map(Value::as_u64) {
            Some(Some(format)) if format <= FORMAT => {}
            Some(Some(_)) => faults
                .push("a newer MirrorNet saved it; what this one doesn't know is kept".to_owned()),
            _ => faults.push("\"format\" is missing".to_owned()),
        }
        let mut take = |section: &str, fault: Option<String>| {
            faults.extend(fault.map(|fault| format!("\"{section}\": {fault}")));
        };
        match read_locks(loaded.get(LOCKS)) {
            Ok(locked) => saved.limits.locked = locked,
            Err(fault) => take(LOCKS, Some(fault)),
        }
        match read_pairs(loaded.get(RANGES)) {
            Ok(pairs) => {
                for (range, pair) in saved.limits.ranges.iter_mut().zip(pairs) {
                    if let Some([low, high]) = pair.filter(|[low, high]| low <= high) {
                        *range = [low, high];
                    }
                }
            }
            Err(fault) => take(RANGES, Some(fault)),
        }
        match read_pairs(loaded.get(INFERENCE)) {
            Ok(pairs) if pairs.iter().any(Option::is_some) => {
                let pair = |i: usize| pairs[i].unwrap_or([knobs[MATCHED[i]], 0.0]);
                let inference = Inference {
                    mean: std::array::from_fn(|i| pair(i)[0]),
                    sigma: std::array::from_fn(|i| pair(i)[1]),
                };
                let mut held = Target::new(inference, &Patch::default());
                match Lean::from_json(loaded.get(LEAN)) {
                    Ok(lean) => held.lean = lean,
                    Err(fault) => take(LEAN, Some(fault.to_string())),
                }
                if let Some(level) = loaded.get(LEVEL).and_then(Value::as_f64) {
                    held.level_db = (level as f32).clamp(-MOST_DB, MOST_DB);
                }
                saved.held = Some(held);
            }
            Ok(_) => {}
            Err(fault) => take(INFERENCE, Some(fault)),
        }
        match read_sounds(loaded.get(SOUNDS), knobs) {
            Ok(sounds) => saved.sounds = sounds,
            Err(fault) => take(SOUNDS, Some(fault)),
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        saved.patch = loaded.get(PATCH).and_then(text).unwrap_or_default();
        if let Some(source) = loaded.get(SOURCE) {
            saved.source = read_source(source);
            saved.aloud = source["aloud"].as_bool().unwrap_or(false);
        }
        saved.loaded_inference = saved.held.map(|held| held.inference);
        saved.loaded = loaded;
        (saved, faults)
    }

    /// Writes the container.
    pub fn to_text(&self) -> String {
        let mut container = self.loaded.clone();
        let format = container.get("format").and_then(Value::as_u64);
        container.insert("format".into(), format.unwrap_or(0).max(FORMAT).into());

        let known = |id: &Value| id.as_str().is_some_and(|id| place(id).is_some());
        let mut locks: Vec<Value> = (0..MATCHED_COUNT)
            .filter(|&i| self.limits.locked[i])
            .map(|i| PARAMS[MATCHED[i]].id.into())
            .collect();
        if let Some(Value::Array(loaded)) = self.loaded.get(LOCKS) {
            locks.extend(loaded.iter().filter(|id| !known(id)).cloned());
        }
        container.insert(LOCKS.into(), locks.into());

        let mut ranges = self.others(RANGES);
        for (i, range) in self.limits.ranges.iter().enumerate() {
            if *range != Limits::NONE.ranges[i] {
                ranges.insert(PARAMS[MATCHED[i]].id.into(), json!(range));
            }
        }
        match ranges.is_empty() {
            true => container.remove(RANGES),
            false => container.insert(RANGES.into(), ranges.into()),
        };

        let sounds: Vec<Value> = self.sounds.iter().map(write_sound).collect();
        match sounds.is_empty() {
            true => container.remove(SOUNDS),
            false => container.insert(SOUNDS.into(), sounds.into()),
        };

        match self.patch.is_empty() {
            true => container.remove(PATCH),
            false => container.insert(PATCH.into(), self.patch.as_str().into()),
        };
        let source = match &self.source {
            Choice::Sidechain => None,
            Choice::Melody(i) => Some(json!({"melody": MELODIES[*i].name, "aloud": self.aloud})),
            Choice::File { path, hash } => {
                Some(json!({"file": path, "hash": hash, "aloud": self.aloud}))
            }
        };
        match source {
            None => container.remove(SOURCE),
            Some(source) => container.insert(SOURCE.into(), source),
        };

        match self.held {
            Some(held) => container.insert(LEVEL.into(), held.level_db.into()),
            None => container.remove(LEVEL),
        };
        match self.held.filter(|held| !held.lean.is_none()) {
            Some(held) => container.insert(LEAN.into(), held.lean.to_json()),
            None => container.remove(LEAN),
        };
        let inference = self.held.map(|held| held.inference).map(|inference| {
            // What others kept of it belongs to that inference only.
            let mut section = match Some(inference) == self.loaded_inference {
                true => self.others(INFERENCE),
                false => Map::new(),
            };
            for i in 0..MATCHED_COUNT {
                let values = json!([inference.mean[i], inference.sigma[i]]);
                section.insert(PARAMS[MATCHED[i]].id.into(), values);
            }
            section
        });
        container.insert(INFERENCE.into(), inference.into());
        Value::from(container).to_string()
    }

    /// Returns this content with other limits and another target; unknown entries that were loaded
    /// stay.
    pub fn with(&self, limits: Limits, held: Option<Target>) -> Self {
        Self {
            limits,
            held,
            ..self.clone()
        }
    }

    /// The loaded entries of a section for parameters that this version doesn't match.
    fn others(&self, section: &str) -> Map<String, Value> {
        let mut entries = match self.loaded.get(section) {
            Some(Value::Object(entries)) => entries.clone(),
            _ => Map::new(),
        };
        entries.retain(|id, _| place(id).is_none());
        entries
    }
}

/// Place of a parameter among the matched ones.
fn place(id: &str) -> Option<usize> {
    params::index_of(id).and_then(params::matched_index)
}

/// Reads the source. A melody that this version doesn't have is the sidechain.
fn read_source(section: &Value) -> Choice {
    let text = |key: &str| section[key].as_str().unwrap_or_default();
    let melody = MELODIES
        .iter()
        .position(|melody| melody.name == text("melody"));
    match melody {
        Some(i) => Choice::Melody(i),
        None if !text("file").is_empty() => Choice::File {
            path: text("file").into(),
            hash: text("hash").into(),
        },
        None => Choice::Sidechain,
    }
}

/// Writes a sound.
fn write_sound(sound: &KnownSound) -> Value {
    let values = MATCHED.iter().zip(sound.mean);
    let values: Map<String, Value> = values
        .map(|(&row, x)| (PARAMS[row].id.to_owned(), x.into()))
        .collect();
    let mut entry = json!({"likeness": sound.likeness, "values": values});
    if !sound.lean.is_none() {
        entry["lean"] = sound.lean.to_json();
    }
    entry
}

/// Reads the sounds.
fn read_sounds(section: Option<&Value>, knobs: &[f32; COUNT]) -> Result<Vec<KnownSound>, String> {
    let entries = match section {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(entries)) => entries,
        Some(other) => return Err(format!("expected a list of sounds, got {other}")),
    };
    let number = |x: &Value, low: f64| {
        let x = x.as_f64().filter(|x| (low..=1.0).contains(x));
        x.ok_or_else(|| format!("expected a number from {low} to 1"))
    };
    let read = |entry: &Value| {
        let mut mean = MATCHED.map(|row| knobs[row]);
        for (x, &row) in mean.iter_mut().zip(&MATCHED) {
            if let Some(value) = entry["values"].get(PARAMS[row].id) {
                *x = number(value, 0.0)? as f32;
            }
        }
        let likeness = number(&entry["likeness"], -1.0)? as f32;
        let lean = Lean::from_json(entry.get("lean")).map_err(|fault| fault.to_string())?;
        Ok(KnownSound {
            mean,
            lean,
            likeness,
        })
    };
    entries.iter().take(MOST_SOUNDS).map(read).collect()
}

/// Reads the locks. Ids of parameters that this version doesn't match lock nothing here.
fn read_locks(section: Option<&Value>) -> Result<[bool; MATCHED_COUNT], String> {
    match section {
        None => Ok([false; MATCHED_COUNT]),
        Some(Value::Array(ids)) => Ok(MATCHED.map(|row| ids.iter().any(|id| id == PARAMS[row].id))),
        Some(other) => Err(format!("expected a list of ids, got {other}")),
    }
}

/// Reads two numbers from 0 to 1 for each matched parameter that a section has.
fn read_pairs(section: Option<&Value>) -> Result<[Option<[f32; 2]>; MATCHED_COUNT], String> {
    let mut pairs = [None; MATCHED_COUNT];
    let entries = match section {
        None | Some(Value::Null) => return Ok(pairs),
        Some(Value::Object(entries)) => entries,
        Some(other) => return Err(format!("expected entries by id, got {other}")),
    };
    for (pair, &row) in pairs.iter_mut().zip(&MATCHED) {
        let id = PARAMS[row].id;
        let Some(entry) = entries.get(id) else {
            continue;
        };
        let number = |k: usize| {
            let x = entry.get(k)?.as_f64()?;
            (0.0..=1.0).contains(&x).then_some(x as f32)
        };
        let (Some(first), Some(second)) = (number(0), number(1)) else {
            return Err(format!("{id} is {entry}, expected two numbers from 0 to 1"));
        };
        *pair = Some([first, second]);
    }
    Ok(pairs)
}
