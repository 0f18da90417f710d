//! A patch that changes while it plays: parameter automation, as a host would write it.

use crate::patch::PatchError;
use crate::render::{notes_to_events, render_events};
use crate::{COUNT, Event, Lean, Note, PARAMS, Patch};
use serde_json::{Map, Value, json};

/// A patch and its changes over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Automation {
    /// The patch that sounds from the start.
    pub patch: Patch,
    /// Times in seconds from the start, ascending, each with the patch that sounds from then on.
    pub points: Vec<(f64, Patch)>,
}

impl From<Patch> for Automation {
    fn from(patch: Patch) -> Self {
        let points = Vec::new();
        Self { patch, points }
    }
}

impl Automation {
    /// Renders `notes`, as [`crate::render`]; each point takes effect at its very sample, before
    /// the notes there.
    pub fn render(
        &self,
        notes: &[Note],
        seconds: f64,
        sample_rate: f32,
        seed: u64,
    ) -> [Vec<f32>; 2] {
        self.render_events(
            |rate| notes_to_events(notes, rate),
            seconds,
            sample_rate,
            seed,
        )
    }

    /// Renders as [`Automation::render`] does, with the events that `events` gives for a rate in
    /// Hz, in order of time and timed as in one block that spans everything.
    pub fn render_events(
        &self,
        events: impl FnOnce(f32) -> Vec<Event>,
        seconds: f64,
        sample_rate: f32,
        seed: u64,
    ) -> [Vec<f32>; 2] {
        let changes = self.points.iter().copied();
        render_events(
            &self.patch,
            changes,
            0.0,
            events,
            seconds,
            sample_rate,
            seed,
        )
    }

    /// [`Patch::to_json`] and, where there are points, `"automation": [{"time": seconds, "params":
    /// {id: plain value}}]` with the parameters, and the lean, that change there.
    pub fn to_json(&self) -> Value {
        let mut value = self.patch.to_json();
        let mut before = &self.patch;
        let mut points = Vec::new();
        for (time, patch) in &self.points {
            let params: Map<String, Value> = (0..COUNT)
                .filter(|&row| patch.get(row) != before.get(row))
                .map(|row| (PARAMS[row].id.into(), json!(patch.plain(row))))
                .collect();
            let mut point = json!({ "time": time, "params": params });
            if patch.lean != before.lean {
                point["lean"] = patch.lean.to_json();
            }
            points.push(point);
            before = patch;
        }
        if !points.is_empty() {
            value["automation"] = points.into();
        }
        value
    }

    /// Reads [`Automation::to_json`]'s form: the automation, and the ids in it that name no
    /// parameter, each once. A plain patch is an automation without points.
    pub fn from_json(text: &str) -> Result<(Self, Vec<String>), PatchError> {
        let malformed = |what: String| PatchError::Malformed(what);
        let value: Value =
            serde_json::from_str(text).map_err(|e| PatchError::Malformed(e.to_string()))?;
        let (patch, mut unknown) = Patch::from_value(&value)?;
        let mut automation = Self::from(patch);
        let Some(points) = value.get("automation") else {
            return Ok((automation, unknown));
        };
        let points = points
            .as_array()
            .ok_or_else(|| malformed("\"automation\" is not a list".into()))?;
        let (mut last, mut patch) = (0.0, automation.patch);
        for point in points {
            let time = point.get("time").and_then(Value::as_f64).ok_or_else(|| {
                malformed("an automation point's \"time\" is missing or not a number".into())
            })?;
            if time < last {
                return Err(malformed(format!(
                    "automation points must be in ascending order from 0: \"time\" {time} follows {last}"
                )));
            }
            let params = point.get("params").and_then(Value::as_object);
            let params = params.ok_or_else(|| {
                malformed("an automation point's \"params\" is missing or not an object".into())
            })?;
            unknown.extend(patch.set_from(params)?);
            if let Some(lean) = point.get("lean") {
                patch.lean = Lean::from_json(Some(lean))?;
            }
            automation.points.push((time, patch));
            last = time;
        }
        unknown.sort();
        unknown.dedup();
        Ok((automation, unknown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{params, render};

    const RATE: f32 = 16_000.0;

    fn notes() -> Vec<Note> {
        [0.0, 0.3003, 0.6]
            .map(|onset| Note {
                onset,
                duration: 0.2,
                key: 57.0,
                velocity: 0.8,
            })
            .to_vec()
    }

    fn automation() -> Automation {
        let mut dark = Patch::default();
        dark.set_plain(params::FILTER_CUTOFF, 300.0);
        let mut late = dark;
        late.set_plain(params::AMP_ATTACK, 0.05);
        Automation {
            patch: Patch::default(),
            points: vec![(0.3003, dark), (0.6, late)],
        }
    }

    #[test]
    fn survives_json_and_writes_only_what_changes() {
        let automation = automation();
        let text = automation.to_json().to_string();
        let (again, unknown) = Automation::from_json(&text).unwrap();
        assert!(unknown.is_empty());
        assert_eq!(again.points.len(), 2);
        for (a, b) in automation.points.iter().zip(&again.points) {
            assert_eq!(a.0, b.0);
            for row in 0..COUNT {
                assert!((a.1.get(row) - b.1.get(row)).abs() < 1e-5);
            }
        }
        let value = automation.to_json();
        let params = value["automation"][1]["params"].as_object().unwrap();
        assert_eq!(params.keys().collect::<Vec<_>>(), ["amp_attack"]);
        // A patch reader takes the patch and leaves the rest.
        assert_eq!(Patch::from_json(&text).unwrap().0, again.patch);
        let (plain, _) = Automation::from_json(&Patch::default().to_json().to_string()).unwrap();
        assert!(plain.points.is_empty());
    }

    #[test]
    fn unknown_parameters_are_named_once() {
        let point = r#"{"time": 1, "params": {"x": 1, "y": 2}}"#;
        let text =
            format!(r#"{{"format": 1, "params": {{"x": 1}}, "automation": [{point}, {point}]}}"#);
        let (automation, unknown) = Automation::from_json(&text).unwrap();
        assert_eq!(automation.points.len(), 2);
        assert_eq!(unknown, ["x", "y"]);
    }

    #[test]
    fn malformed_automation_is_refused_with_the_reason() {
        for (automation, what) in [
            ("3", "not a list"),
            (r#"[{"params": {}}]"#, "time"),
            (r#"[{"time": 1}]"#, "params"),
            (
                r#"[{"time": 2, "params": {}}, {"time": 1, "params": {}}]"#,
                "\"time\" 1 follows 2",
            ),
        ] {
            let text = format!(r#"{{"format": 1, "params": {{}}, "automation": {automation}}}"#);
            let error = Automation::from_json(&text).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn each_note_sounds_as_its_patch_alone() {
        let automation = automation();
        let [whole, _] = automation.render(&notes(), 1.0, RATE, 1);
        // No note rings into the next here, so each part equals that of a plain render.
        let mut short = automation.clone();
        let points = short.points.iter_mut().map(|(_, patch)| patch);
        for patch in std::iter::once(&mut short.patch).chain(points) {
            patch.set_plain(params::AMP_RELEASE, 0.005);
        }
        let [changing, _] = short.render(&notes(), 1.0, RATE, 1);
        assert_ne!(changing, whole);
        let starts = [0, 4805, 9600, 16_000];
        for (i, patch) in [short.patch, short.points[0].1, short.points[1].1]
            .iter()
            .enumerate()
        {
            let [plain, _] = render(patch, &notes(), 1.0, RATE, 1);
            let part = starts[i]..starts[i + 1];
            assert!(plain[part.clone()].iter().any(|x| x.abs() > 0.01));
            assert_eq!(plain[part.clone()], changing[part], "note {i}");
        }
    }

    #[test]
    fn without_points_it_is_the_patch() {
        let patch = automation().points[0].1;
        let plain = render(&patch, &notes(), 1.0, RATE, 3);
        assert!(Automation::from(patch).render(&notes(), 1.0, RATE, 3) == plain);
    }
}
