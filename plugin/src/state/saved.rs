//! The state's text form in a project: locks and held inference as JSON.

use matcher::Inference;
use serde_json::{Map, Value, json};
use synth::{MATCHED, MATCHED_COUNT, PARAMS};

/// Key of the saved state among the host's fields.
pub const FIELD: &str = "mirrornet";
/// Version of the text form.
const FORMAT: u64 = 1;

/// The saved part of the state; both arrays are in the order of [`MATCHED`].
pub struct Saved {
    /// Locked parameters.
    pub locks: [bool; MATCHED_COUNT],
    /// The held inference.
    pub inference: Option<Inference>,
}

impl Saved {
    /// Nothing locked, nothing held.
    pub const EMPTY: Self = Self {
        locks: [false; MATCHED_COUNT],
        inference: None,
    };

    /// Writes the text form.
    pub fn to_text(&self) -> String {
        let ids = (0..MATCHED_COUNT)
            .filter(|&i| self.locks[i])
            .map(|i| PARAMS[MATCHED[i]].id);
        let inference = self.inference.map(|inference| {
            let entry = |i: usize| {
                let values = json!([inference.mean[i], inference.sigma[i]]);
                (PARAMS[MATCHED[i]].id.to_owned(), values)
            };
            (0..MATCHED_COUNT).map(entry).collect::<Map<_, _>>()
        });
        json!({ "format": FORMAT, "locks": ids.collect::<Vec<_>>(), "inference": inference })
            .to_string()
    }

    /// Reads the text form. The error says what is wrong with it.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match value["format"].as_u64() {
            Some(FORMAT) => {}
            Some(newer) => {
                return Err(format!(
                    "format {newer}, expected {FORMAT}: update MirrorNet"
                ));
            }
            None => return Err("\"format\" is missing".into()),
        }
        let ids = value["locks"].as_array().ok_or("\"locks\" is missing")?;
        // Ids of parameters that are gone match no row.
        let locks = MATCHED.map(|row| ids.iter().any(|id| id == PARAMS[row].id));
        let inference = match &value["inference"] {
            Value::Null => None,
            Value::Object(values) => Some(read_inference(values)?),
            other => return Err(format!("\"inference\" is {other}")),
        };
        Ok(Self { locks, inference })
    }
}

/// Reads the held inference: mean and deviation of every matched parameter.
fn read_inference(values: &Map<String, Value>) -> Result<Inference, String> {
    let mut inference = Inference {
        mean: [0.0; MATCHED_COUNT],
        sigma: [0.0; MATCHED_COUNT],
    };
    for (i, &row) in MATCHED.iter().enumerate() {
        let id = PARAMS[row].id;
        let number = |k: usize| {
            let x = values.get(id)?.get(k)?.as_f64()?;
            (0.0..=1.0).contains(&x).then_some(x as f32)
        };
        let (Some(mean), Some(sigma)) = (number(0), number(1)) else {
            return Err(format!(
                "\"{id}\" of the inference is not two numbers from 0 to 1"
            ));
        };
        (inference.mean[i], inference.sigma[i]) = (mean, sigma);
    }
    Ok(inference)
}
