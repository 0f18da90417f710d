//! Makes a saved state of any version complete and safe before the framework loads it.
//!
//! The framework silently skips values of another type than their parameter's, and leaves alone
//! the parameters that a state lacks. Here every parameter gets a value of its type: the saved
//! one, brought to today's form, or its default.

use nice_plug::plugin::ParamValue;
use nice_plug::prelude::PluginState;
use synth::{PARAMS, Param};

use super::{AMOUNT, GLIDE, LISTEN_ID, OUTPUT, SEARCH_ID};

/// Number of steps that a choice or count had in version 0.1.0, which saved it as its share of
/// them. The lists have grown since, or will; these numbers never change.
#[rustfmt::skip]
const STEPS_0_1_0: [(&str, f32); 28] = [
    ("unison_voices", 6.0), ("osc_phase", 1.0), ("filter_type", 4.0),
    ("lfo_shape", 6.0), ("lfo_sync", 17.0), ("lfo_start", 1.0),
    ("lfo2_shape", 6.0), ("lfo2_sync", 17.0), ("lfo2_start", 1.0),
    ("mod1_source", 11.0), ("mod1_dest", 31.0), ("mod2_source", 11.0), ("mod2_dest", 31.0),
    ("mod3_source", 11.0), ("mod3_dest", 31.0), ("mod4_source", 11.0), ("mod4_dest", 31.0),
    ("mod5_source", 11.0), ("mod5_dest", 31.0), ("mod6_source", 11.0), ("mod6_dest", 31.0),
    ("mod7_source", 11.0), ("mod7_dest", 31.0), ("mod8_source", 11.0), ("mod8_dest", 31.0),
    ("play_mode", 2.0), ("voices", 63.0), ("mpe", 1.0),
];

/// Brings a saved state to this version's form.
pub fn migrate(state: &mut PluginState) {
    for row in PARAMS.iter().chain([&AMOUNT, &GLIDE, &OUTPUT]) {
        let saved = state.params.get(row.id);
        let value = match row.steps() {
            Some(_) => ParamValue::I32(stepped(row, saved)),
            None => ParamValue::F32(quantity(row, saved)),
        };
        state.params.insert(row.id.into(), value);
    }
    for id in [LISTEN_ID, SEARCH_ID] {
        let on = match state.params.get(id) {
            Some(ParamValue::Bool(on)) => *on,
            _ => true,
        };
        state.params.insert(id.into(), ParamValue::Bool(on));
    }
}

/// The normalised value of a quantity; its default where none was saved.
fn quantity(row: &Param, saved: Option<&ParamValue>) -> f32 {
    match saved {
        Some(ParamValue::F32(x)) if !x.is_nan() => x.clamp(0.0, 1.0),
        _ => row.normalized(row.default),
    }
}

/// The plain value of a choice or a count; its default where none was saved.
fn stepped(row: &Param, saved: Option<&ParamValue>) -> i32 {
    let plain = match saved {
        Some(ParamValue::I32(v)) => *v as f32,
        Some(ParamValue::String(name)) => row.parse(name).unwrap_or(row.default),
        // Only version 0.1.0 saved these as fractions.
        Some(ParamValue::F32(x)) if !x.is_nan() => {
            let then = STEPS_0_1_0.iter().find(|(id, _)| *id == row.id);
            then.map_or(row.default, |(_, steps)| {
                row.min + (x.clamp(0.0, 1.0) * steps).round()
            })
        }
        _ => row.default,
    };
    plain.round().clamp(row.min, row.max) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn state(params: &[(&str, ParamValue)]) -> PluginState {
        PluginState {
            version: String::new(),
            params: params
                .iter()
                .map(|(id, value)| ((*id).to_owned(), value.clone()))
                .collect(),
            fields: BTreeMap::new(),
        }
    }

    fn plain(state: &PluginState, id: &str) -> i32 {
        match state.params[id] {
            ParamValue::I32(v) => v,
            ref other => panic!("{id}: {other:?}"),
        }
    }

    fn normalized(state: &PluginState, id: &str) -> f32 {
        match state.params[id] {
            ParamValue::F32(x) => x,
            ref other => panic!("{id}: {other:?}"),
        }
    }

    /// A choice of 0.1.0 is the same name whatever has been added to its list.
    #[test]
    fn fractions_of_0_1_0_are_read_with_the_lists_of_then() {
        for (id, steps) in STEPS_0_1_0 {
            let row = PARAMS.iter().find(|row| row.id == id).expect("ids stay");
            for k in 0..=steps as i32 {
                let mut state = state(&[(id, ParamValue::F32(k as f32 / steps))]);
                migrate(&mut state);
                assert_eq!(plain(&state, id), row.min as i32 + k, "{id}");
            }
        }
        let since_then = PARAMS
            .iter()
            .filter(|row| row.since == "0.1.0" && row.steps().is_some());
        assert!(since_then.count() == STEPS_0_1_0.len());
    }

    #[test]
    fn missing_and_unusable_values_are_defaults_and_others_are_clamped() {
        let mut state = state(&[
            ("filter_cutoff", ParamValue::F32(1e9)),
            ("amp_decay", ParamValue::F32(f32::NAN)),
            ("output", ParamValue::F32(-3.0)),
            ("noise_level", ParamValue::Bool(true)),
            ("filter_type", ParamValue::I32(1000)),
            ("lfo_shape", ParamValue::String("Square".into())),
            ("lfo2_shape", ParamValue::String("gone".into())),
            ("play_mode", ParamValue::F32(f32::NAN)),
            ("listen", ParamValue::F32(0.0)),
            ("of a newer version", ParamValue::F32(0.5)),
        ]);
        migrate(&mut state);
        let row = |id| &PARAMS[synth::params::index_of(id).unwrap()];
        assert_eq!(normalized(&state, "filter_cutoff"), 1.0);
        assert_eq!(normalized(&state, "output"), 0.0);
        for id in ["amp_decay", "noise_level", "sub_level"] {
            let row = row(id);
            assert_eq!(normalized(&state, id), row.normalized(row.default), "{id}");
        }
        assert_eq!(plain(&state, "filter_type"), row("filter_type").max as i32);
        assert_eq!(plain(&state, "lfo_shape"), 4);
        assert_eq!(plain(&state, "lfo2_shape"), 0);
        assert_eq!(plain(&state, "play_mode"), 0);
        // A parameter of 0.2.0, which leaves older projects as they were.
        assert_eq!(plain(&state, "delay_sync"), 0);
        assert!(matches!(state.params["listen"], ParamValue::Bool(true)));
        // All rows, the five of the match, and the one that is not known.
        assert_eq!(state.params.len(), synth::COUNT + 5 + 1);
    }
}
