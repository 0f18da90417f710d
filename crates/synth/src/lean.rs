//! The lean of a patch: how its matched parameters change across the keyboard.

use crate::matrix::Sum;
use crate::params::{self, MATCHED, MATCHED_COUNT, PARAMS};
use crate::patch::PatchError;
use serde_json::{Map, Value, json};

/// Largest distance from the middle key that counts, in octaves: beyond it a sound stays as it is
/// there.
const FARTHEST: f32 = 1.0;

/// Change of the matched parameters from key to key. A single patch with constant values plays an
/// instrument rightly in one register only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lean {
    /// MIDI key at which the patch's own values sound.
    pub key: f32,
    /// Change of each matched parameter per octave above that key, in normalised space, order of
    /// [`MATCHED`].
    pub slopes: [f32; MATCHED_COUNT],
}

impl Lean {
    /// Values that are the same at every key.
    pub const NONE: Self = Self {
        key: 60.0,
        slopes: [0.0; MATCHED_COUNT],
    };

    /// Returns whether the values are the same at every key.
    pub fn is_none(&self) -> bool {
        self.slopes.iter().all(|&slope| slope == 0.0)
    }

    /// `self` at `t` = 0, `other` where it is 1 or more, linear in between. The middle of one that
    /// does not lean is the other's.
    pub(crate) fn lerp(&self, other: &Self, t: f32) -> Self {
        if t >= 1.0 {
            return *other;
        }
        let between = |a: f32, b: f32| a + t * (b - a);
        let key = match (self.is_none(), other.is_none()) {
            (true, _) => other.key,
            (false, true) => self.key,
            (false, false) => between(self.key, other.key),
        };
        Self {
            key,
            slopes: std::array::from_fn(|i| between(self.slopes[i], other.slopes[i])),
        }
    }

    /// Adds the change at `key` to a voice's modulation.
    pub(crate) fn add_to(&self, key: f32, sum: &mut Sum) {
        let octaves = self.octaves(key);
        for (&row, slope) in MATCHED.iter().zip(self.slopes) {
            if slope != 0.0 {
                sum.add(row, slope * octaves);
            }
        }
    }

    /// Octaves from the middle to `key`, as far as they count.
    pub fn octaves(&self, key: f32) -> f32 {
        ((key - self.key) / 12.0).clamp(-FARTHEST, FARTHEST)
    }

    /// `{"key": MIDI key, "per_octave": {id: change in normalised space}}` with the parameters that
    /// change.
    pub fn to_json(&self) -> Value {
        let rows = MATCHED.iter().zip(self.slopes);
        let slopes: Map<String, Value> = rows
            .filter(|(_, slope)| *slope != 0.0)
            .map(|(&row, slope)| (PARAMS[row].id.into(), json!(slope)))
            .collect();
        json!({ "key": self.key, "per_octave": slopes })
    }

    /// Reads [`Lean::to_json`]'s form; without a value there is no lean. Ids that name no matched
    /// parameter are left out.
    ///
    /// # Errors
    ///
    /// Says which value is not a number, or out of its range: keys are 0 to 127, slopes -1 to 1.
    pub fn from_json(value: Option<&Value>) -> Result<Self, PatchError> {
        let Some(value) = value.filter(|value| !value.is_null()) else {
            return Ok(Self::NONE);
        };
        let number = |name: &str, value: &Value, [low, high]: [f32; 2]| {
            let x = value.as_f64().map(|x| x as f32);
            x.filter(|x| (low..=high).contains(x)).ok_or_else(|| {
                PatchError::Malformed(format!(
                    "\"lean\": \"{name}\" is {value}, not a number from {low} to {high}"
                ))
            })
        };
        let key = number("key", &value["key"], [0.0, 127.0])?;
        let slopes = value["per_octave"].as_object().ok_or_else(|| {
            PatchError::Malformed("\"lean\": \"per_octave\" is not an object".into())
        })?;
        let mut lean = Self { key, ..Self::NONE };
        for (id, slope) in slopes {
            let place = params::index_of(id).and_then(params::matched_index);
            if let Some(i) = place {
                lean.slopes[i] = number(id, slope, [-1.0, 1.0])?;
            }
        }
        Ok(lean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{FILTER_CUTOFF, OSC_BALANCE, PLAY_MODE, PlayMode};
    use crate::{Automation, Note, Patch, render_mono};

    fn leaning() -> Patch {
        let place = |row| params::matched_index(row).unwrap();
        let mut lean = Lean {
            key: 57.0,
            ..Lean::NONE
        };
        lean.slopes[place(FILTER_CUTOFF)] = -0.25;
        lean.slopes[place(OSC_BALANCE)] = 0.125;
        Patch::default().leaning(lean)
    }

    fn play(patch: &Patch, key: f32) -> Vec<f32> {
        let note = Note {
            onset: 0.0,
            duration: 0.2,
            key,
            velocity: 0.8,
        };
        render_mono(patch, &[note], 0.3, 48_000.0, 1)
    }

    fn difference(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).fold(0.0, |m, (a, b)| (a - b).abs().max(m))
    }

    #[test]
    fn each_key_has_its_own_patch() {
        let patch = leaning();
        for (key, octaves) in [(57.0, 0.0), (69.0, 1.0), (45.0, -1.0), (105.0, 1.0)] {
            let mut plain = Patch::default();
            for (row, slope) in [(FILTER_CUTOFF, -0.25), (OSC_BALANCE, 0.125)] {
                plain.set(row, plain.get(row) + slope * octaves);
            }
            let (leaning, plain) = (play(&patch, key), play(&plain, key));
            assert!(difference(&leaning, &plain) < 1e-4, "{key}");
            let straight = difference(&leaning, &play(&Patch::default(), key));
            assert_eq!(straight > 1e-2, octaves != 0.0, "{key}: {straight}");
        }
    }

    /// A single voice that is moved to another key.
    #[test]
    fn a_legato_voice_takes_the_patch_of_its_new_key() {
        let note = |onset, duration, key| Note {
            onset,
            duration,
            key,
            velocity: 0.8,
        };
        let notes = [note(0.0, 0.3, 45.0), note(0.2, 0.3, 69.0)];
        let mut patch = leaning();
        patch.set_plain(PLAY_MODE, PlayMode::Legato as u8 as f32);
        let plain = |octaves: f32| {
            let mut plain = patch.leaning(Lean::NONE);
            for (row, slope) in [(FILTER_CUTOFF, -0.25), (OSC_BALANCE, 0.125)] {
                plain.set(row, plain.get(row) + slope * octaves);
            }
            plain
        };
        let changing = Automation {
            patch: plain(-1.0),
            points: vec![(0.2, plain(1.0))],
        };
        let [leaning, _] = Automation::from(patch).render(&notes, 0.5, 48_000.0, 1);
        let [changing, _] = changing.render(&notes, 0.5, 48_000.0, 1);
        let later = 12_000..22_000;
        assert!(difference(&leaning[later.clone()], &changing[later]) < 1e-3);
    }

    /// Also where both lean, around other keys, and where one of them does not.
    #[test]
    fn a_glide_begins_with_the_sound_of_before_and_ends_with_the_one_after() {
        let (from, mut to) = (leaning(), leaning());
        to.lean.key = 70.0;
        to.lean.slopes[3] = 0.3;
        let plain = Patch::default();
        for (from, to) in [(from, to), (from, plain), (plain, to)] {
            assert_eq!(from.lerp(&to, 1.0), to);
            let begin = from.lerp(&to, 0.0);
            for key in [50.0, 64.0, 90.0] {
                assert_eq!(play(&from, key), play(&begin, key), "{key}");
            }
        }
    }

    #[test]
    fn a_lean_is_written_and_read_with_its_patch() {
        let patch = leaning();
        let text = patch.to_json().to_string();
        let (back, unknown) = Patch::from_json(&text).unwrap();
        assert!(unknown.is_empty());
        assert_eq!(back.lean, patch.lean);
        assert!(Patch::default().to_json().get("lean").is_none());
        for (from, to, fault) in [
            ("57.0", "-3.0", "\"key\" is -3.0"),
            ("-0.25", "\"steep\"", "\"filter_cutoff\" is \"steep\""),
        ] {
            let broken = Patch::from_json(&text.replace(from, to)).unwrap_err();
            assert!(broken.to_string().contains(fault), "{broken}");
        }
        let newer = text.replace("\"osc_balance\":0.125", "\"of_a_newer_version\":0.125");
        assert!(Patch::from_json(&newer).is_ok());
    }
}
