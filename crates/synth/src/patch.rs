//! A patch: one normalised value per row of the parameter table.

use crate::lean::Lean;
use crate::params::{self, COUNT, MATCHED, MATCHED_COUNT, PARAMS};
use rand::Rng;
use serde_json::{Map, Value, json};

/// One normalised value in `[0, 1]` per row of [`PARAMS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patch {
    values: [f32; COUNT],
    /// Change of the matched parameters across the keyboard.
    pub lean: Lean,
}

/// Why a patch could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// The text is not JSON, or not of the expected shape.
    #[error(
        "not a patch: {0}. Expected {{\"format\": 1, \"params\": {{\"filter_cutoff\": 1200.0}}}}"
    )]
    Malformed(String),
    /// A format this version does not know.
    #[error("patch format {0} is not known here (expected 1): update MirrorNet to read it")]
    Format(Value),
    /// A value that is not a number or outside the parameter's range.
    #[error("parameter \"{id}\" is {value}: expected a number from {min} to {max}")]
    OutOfRange {
        /// The parameter's id.
        id: String,
        /// The value in the patch.
        value: Value,
        /// Smallest allowed plain value.
        min: f32,
        /// Largest allowed plain value.
        max: f32,
    },
}

impl Default for Patch {
    /// The init patch: every parameter at its default.
    fn default() -> Self {
        Self {
            values: std::array::from_fn(|i| PARAMS[i].normalized(PARAMS[i].default)),
            lean: Lean::NONE,
        }
    }
}

impl Patch {
    /// Normalised value of a row.
    pub fn get(&self, row: usize) -> f32 {
        self.values[row]
    }

    /// Sets a row's normalised value; clamped to `[0, 1]`, NaN is ignored.
    pub fn set(&mut self, row: usize, x: f32) {
        if !x.is_nan() {
            self.values[row] = x.clamp(0.0, 1.0);
        }
    }

    /// Value of a row in its unit.
    pub fn plain(&self, row: usize) -> f32 {
        PARAMS[row].plain(self.values[row])
    }

    /// Sets a row in its unit; clamped to its range.
    pub fn set_plain(&mut self, row: usize, v: f32) {
        self.set(row, PARAMS[row].normalized(v));
    }

    /// All normalised values, in table order.
    pub fn values(&self) -> &[f32; COUNT] {
        &self.values
    }

    /// The matched parameters' normalised values, in the order of [`MATCHED`].
    pub fn matched(&self) -> [f32; MATCHED_COUNT] {
        MATCHED.map(|row| self.values[row])
    }

    /// Returns this patch with its matched parameters replaced (normalised, order of [`MATCHED`]).
    pub fn with_matched(mut self, h: &[f32; MATCHED_COUNT]) -> Self {
        for (&row, &x) in MATCHED.iter().zip(h) {
            self.set(row, x);
        }
        self
    }

    /// Returns this patch with another lean.
    pub fn leaning(mut self, lean: Lean) -> Self {
        self.lean = lean;
        self
    }

    /// The init patch with every matched parameter drawn uniformly in normalised space.
    pub fn random(rng: &mut impl Rng) -> Self {
        let h = std::array::from_fn(|_| rng.random::<f32>());
        Self::default().with_matched(&h)
    }

    /// `self` at `t` = 0, `other` at `t` = 1, linear in normalised space. Choices don't glide: they
    /// are the other's from the start.
    pub fn lerp(&self, other: &Self, t: f32) -> Self {
        self.lerp_by_rows(other, |_| t)
    }

    /// [`Patch::lerp`] with a `t` for each row, and at [`COUNT`] one for the lean; `other` where it
    /// is 1 or more.
    pub(crate) fn lerp_by_rows(&self, other: &Self, t: impl Fn(usize) -> f32) -> Self {
        Self {
            values: std::array::from_fn(|i| {
                let t = t(i);
                if t >= 1.0 || (PARAMS[i].is_stepped() && t > 0.0) {
                    other.values[i]
                } else {
                    self.values[i] + t * (other.values[i] - self.values[i])
                }
            }),
            lean: self.lean.lerp(&other.lean, t(COUNT)),
        }
    }

    /// `{"format": 1, "params": {id: plain value}}` with every parameter, and its lean where it has
    /// one.
    pub fn to_json(&self) -> Value {
        let params: Map<String, Value> = (0..COUNT)
            .map(|i| (PARAMS[i].id.into(), json!(self.plain(i))))
            .collect();
        let mut value = json!({ "format": 1, "params": params });
        if !self.lean.is_none() {
            value["lean"] = self.lean.to_json();
        }
        value
    }

    /// Reads [`Patch::to_json`]'s form: the patch, and the ids in it that name no parameter, which
    /// a newer version or a misspelling may have put there. A missing id takes its default.
    pub fn from_json(text: &str) -> Result<(Self, Vec<String>), PatchError> {
        let value: Value =
            serde_json::from_str(text).map_err(|e| PatchError::Malformed(e.to_string()))?;
        Self::from_value(&value)
    }

    /// [`Patch::from_json`] of an already parsed value; keys other than `format`, `params` and
    /// `lean` are left to their owners (notes, automation, tags).
    pub fn from_value(value: &Value) -> Result<(Self, Vec<String>), PatchError> {
        let object = value
            .as_object()
            .ok_or_else(|| PatchError::Malformed("not an object".into()))?;
        match object.get("format") {
            Some(v) if v.as_u64() == Some(1) => {}
            Some(v) => return Err(PatchError::Format(v.clone())),
            None => return Err(PatchError::Malformed("\"format\" is missing".into())),
        }
        let params = object
            .get("params")
            .and_then(Value::as_object)
            .ok_or_else(|| {
                PatchError::Malformed("\"params\" is missing or not an object".into())
            })?;
        let mut patch = Self::default();
        let unknown = patch.set_from(params)?;
        patch.lean = Lean::from_json(object.get("lean"))?;
        Ok((patch, unknown))
    }

    /// Sets the named rows to plain values, as in [`Patch::to_json`]'s `params`; returns the ids
    /// that name no row.
    pub(crate) fn set_from(
        &mut self,
        params: &Map<String, Value>,
    ) -> Result<Vec<String>, PatchError> {
        let mut unknown = Vec::new();
        for (id, value) in params {
            let Some(row) = params::index_of(id) else {
                unknown.push(id.clone());
                continue;
            };
            let p = &PARAMS[row];
            // Half a millionth of the range: room for a float printed and read back.
            let slack = 5e-7 * (p.max - p.min) as f64;
            match value.as_f64() {
                Some(v) if v >= p.min as f64 - slack && v <= p.max as f64 + slack => {
                    self.set_plain(row, v as f32);
                }
                _ => {
                    return Err(PatchError::OutOfRange {
                        id: id.clone(),
                        value: value.clone(),
                        min: p.min,
                        max: p.max,
                    });
                }
            }
        }
        Ok(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn json_round_trips() {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        for _ in 0..50 {
            let patch = Patch::random(&mut rng);
            let (back, unknown) = Patch::from_json(&patch.to_json().to_string()).unwrap();
            assert!(unknown.is_empty());
            for i in 0..COUNT {
                assert!(
                    (back.get(i) - patch.get(i)).abs() < 1e-4,
                    "{}",
                    PARAMS[i].id
                );
            }
        }
    }

    #[test]
    fn missing_ids_are_default_and_unknown_ones_and_faults_are_named() {
        let text = r#"{"format":1,"params":{"cutof":1,"filter_cutoff":1200.0}}"#;
        let (patch, unknown) = Patch::from_json(text).unwrap();
        assert_eq!(unknown, ["cutof"]);
        assert!((patch.plain(params::FILTER_CUTOFF) - 1200.0).abs() < 0.5);
        assert_eq!(
            patch.get(params::AMP_DECAY),
            Patch::default().get(params::AMP_DECAY)
        );
        for (text, needle) in [
            (
                r#"{"format":1,"params":{"filter_cutoff":1e9}}"#,
                "filter_cutoff",
            ),
            (
                r#"{"format":1,"params":{"filter_cutoff":"x"}}"#,
                "filter_cutoff",
            ),
            (r#"{"format":2,"params":{}}"#, "format 2"),
            (r#"{"params":{}}"#, "format"),
            (r#"{"format":1}"#, "params"),
            ("{", "not a patch"),
        ] {
            let message = Patch::from_json(text).unwrap_err().to_string();
            assert!(message.contains(needle), "{text}: {message}");
        }
    }
}
