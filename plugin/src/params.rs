//! The host's parameters: a view of the synth's table, and the plugin's own four.
//!
//! Every number the host sees is normalised by the row's own scale, so the host's 0 to 1 is the
//! encoder's, the sampler's and the loss's 0 to 1.

use std::collections::BTreeMap;
use std::sync::Arc;

use nice_plug::prelude::*;
use synth::{COUNT, PARAMS, Patch, Scale, Section, Unit};

use crate::state::{FIELD, InstanceState};

/// Group of the plugin's own parameters in the host's tree.
const GROUP: &str = "Match";

/// Share of the way from the knob to the inferred value that matched parameters go: 0 plays the
/// knobs alone, 1 the inferred sound.
pub const AMOUNT: synth::Param = synth::Param {
    id: "match",
    name: "Match",
    section: Section::Voice,
    unit: Unit::Percent,
    scale: Scale::Linear,
    min: 0.0,
    max: 1.0,
    default: 1.0,
    matched: false,
};

/// Duration of the glide from one inferred patch to the next, in seconds. The cubic scale gives
/// half of the knob's travel to times below 0.5 s.
pub const GLIDE: synth::Param = synth::Param {
    id: "match_glide",
    name: "Glide time",
    unit: Unit::Seconds,
    scale: Scale::Power(3.0),
    max: 4.0,
    default: 0.1,
    ..AMOUNT
};

/// Gain of the output in dB, after the effects.
pub const OUTPUT: synth::Param = synth::Param {
    id: "output",
    name: "Output",
    unit: Unit::Decibels,
    min: -60.0,
    max: 12.0,
    default: 0.0,
    ..AMOUNT
};

/// Id of the switch between listening and holding the last inference.
pub const LISTEN_ID: &str = "listen";

/// All parameters of one instance, with the state saved along with them.
pub struct Params {
    /// One per row of the table, in its order.
    pub rows: Box<[FloatParam]>,
    /// [`AMOUNT`].
    pub amount: FloatParam,
    /// Whether the sidechain is listened to; if not, the last inference is held.
    pub listen: BoolParam,
    /// [`GLIDE`].
    pub glide: FloatParam,
    /// [`OUTPUT`].
    pub output: FloatParam,
    /// Locks, held inference, listener.
    pub state: Arc<InstanceState>,
}

/// A parameter whose host value is the row's normalised value.
fn float(row: &'static synth::Param) -> FloatParam {
    let default = row.normalized(row.default);
    FloatParam::new(row.name, default, FloatRange::Linear { min: 0.0, max: 1.0 })
        .with_value_to_string(Arc::new(|x| row.format(row.plain(x))))
        .with_string_to_value(Arc::new(|text| row.parse(text).map(|v| row.normalized(v))))
}

impl Params {
    /// Every parameter at its default.
    pub fn new(state: Arc<InstanceState>) -> Self {
        static TABLE: [synth::Param; COUNT] = PARAMS;
        static OWN: [synth::Param; 3] = [AMOUNT, GLIDE, OUTPUT];
        Self {
            rows: TABLE
                .iter()
                .enumerate()
                .map(|(index, row)| match synth::can_modulate(index) {
                    // The id by which modulation events of single notes address the parameter.
                    true => float(row).with_poly_modulation_id(index as u32),
                    false => float(row),
                })
                .collect(),
            amount: float(&OWN[0]),
            listen: BoolParam::new("Listen", true)
                .with_value_to_string(Arc::new(|on| if on { "On" } else { "Off" }.into()))
                .with_string_to_value(Arc::new(|text| {
                    match text.trim().to_ascii_lowercase().as_str() {
                        "on" | "true" | "1" => Some(true),
                        "off" | "false" | "0" => Some(false),
                        _ => None,
                    }
                })),
            glide: float(&OWN[1]),
            output: float(&OWN[2]),
            state,
        }
    }

    /// Positions of the knobs, set by the player or by automation, with the host's modulation.
    pub fn knobs(&self) -> Patch {
        let mut patch = Patch::default();
        for (row, param) in self.rows.iter().enumerate() {
            patch.set(row, param.modulated_normalized_value());
        }
        patch
    }

    /// The knobs without the host's modulation, normalised.
    pub fn unmodulated(&self) -> [f32; COUNT] {
        std::array::from_fn(|row| self.rows[row].unmodulated_normalized_value())
    }
}

// SAFETY: the pointers are into this object, whose boxed parameters never move, and the wrapper
// keeps the `Arc` that holds it for as long as it keeps the pointers.
#[allow(unsafe_code)] // `Params` is an unsafe trait; its derive macro can't build a view of a table.
unsafe impl nice_plug::prelude::Params for Params {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let own = |id: &str, pointer| (id.to_owned(), pointer, GROUP.to_owned());
        let mut map = vec![
            own(AMOUNT.id, self.amount.as_ptr()),
            own(LISTEN_ID, self.listen.as_ptr()),
            own(GLIDE.id, self.glide.as_ptr()),
            own(OUTPUT.id, self.output.as_ptr()),
        ];
        map.extend(PARAMS.iter().zip(&self.rows).map(|(row, param)| {
            (
                row.id.to_owned(),
                param.as_ptr(),
                row.section.name().to_owned(),
            )
        }));
        map
    }

    fn serialize_fields(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(FIELD.to_owned(), self.state.save())])
    }

    fn deserialize_fields(&self, fields: &BTreeMap<String, String>) {
        self.state
            .restore(fields.get(FIELD).map(String::as_str), &self.unmodulated());
    }
}

/// Makes a saved state safe to load: clamps numbers out of range and drops NaN, so that the
/// parameter keeps its value.
pub fn sanitize(state: &mut PluginState) {
    use nice_plug::plugin::ParamValue;
    state.params.retain(|_, value| match value {
        ParamValue::F32(x) => {
            *x = x.clamp(0.0, 1.0);
            x.is_finite()
        }
        _ => true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use nice_plug::plugin::ParamValue;
    use nice_plug::prelude::Params as _;

    /// Hosts store automation under these ids: an id may be added, never changed or removed.
    const FROZEN: [&str; 111] = [
        "match",
        "listen",
        "match_glide",
        "output",
        "osc1_shape",
        "osc1_width",
        "osc1_pitch",
        "osc2_shape",
        "osc2_width",
        "osc2_pitch",
        "osc2_detune",
        "osc_balance",
        "sub_level",
        "noise_level",
        "filter_cutoff",
        "filter_resonance",
        "filter_drive",
        "filter_env_amount",
        "filter_keytrack",
        "filter_velocity",
        "highpass_cutoff",
        "filter_attack",
        "filter_decay",
        "filter_sustain",
        "filter_release",
        "amp_attack",
        "amp_decay",
        "amp_sustain",
        "amp_release",
        "lfo_rate",
        "lfo_delay",
        "lfo_vibrato",
        "lfo_tremolo",
        "lfo_cutoff",
        "glide",
        "bend_range",
        "velocity",
        "tune",
        "osc_level",
        "filter_type",
        "filter_morph",
        "filter_boost",
        "filter_fm",
        "level",
        "osc1_fm",
        "unison_voices",
        "unison_detune",
        "unison_spread",
        "osc_phase",
        "ring_level",
        "filter_attack_curve",
        "filter_fall_curve",
        "filter_key_time",
        "filter_velocity_time",
        "amp_attack_curve",
        "amp_fall_curve",
        "amp_key_time",
        "amp_velocity_time",
        "lfo_shape",
        "lfo_sync",
        "lfo_start",
        "lfo_phase",
        "lfo_fade",
        "lfo2_shape",
        "lfo2_sync",
        "lfo2_start",
        "lfo2_phase",
        "lfo2_fade",
        "lfo2_rate",
        "lfo2_delay",
        "mod1_source",
        "mod1_amount",
        "mod1_dest",
        "mod2_source",
        "mod2_amount",
        "mod2_dest",
        "mod3_source",
        "mod3_amount",
        "mod3_dest",
        "mod4_source",
        "mod4_amount",
        "mod4_dest",
        "mod5_source",
        "mod5_amount",
        "mod5_dest",
        "mod6_source",
        "mod6_amount",
        "mod6_dest",
        "mod7_source",
        "mod7_amount",
        "mod7_dest",
        "mod8_source",
        "mod8_amount",
        "mod8_dest",
        "play_mode",
        "voices",
        "mpe",
        "mpe_bend_range",
        "osc1_sync",
        "chorus_rate",
        "chorus_depth",
        "chorus_mix",
        "delay_time",
        "delay_feedback",
        "delay_tone",
        "delay_ping_pong",
        "delay_mix",
        "reverb_size",
        "reverb_decay",
        "reverb_damping",
        "reverb_mix",
    ];

    fn params() -> Params {
        Params::new(Arc::new(InstanceState::new().0))
    }

    #[test]
    fn ids_are_frozen() {
        let map = params().param_map();
        let ids: Vec<_> = map.iter().map(|(id, ..)| id.as_str()).collect();
        for id in FROZEN {
            assert!(
                ids.contains(&id),
                "{id} is gone: projects that automate it would break"
            );
        }
        assert_eq!(
            ids.len(),
            FROZEN.len(),
            "a new parameter: add its id to the list"
        );
    }

    /// VST3 knows a parameter by a 31-bit hash of its id.
    #[test]
    fn ids_do_not_collide() {
        let hash = |id: &String| {
            id.bytes()
                .fold(0u32, |h, c| h.wrapping_mul(31).wrapping_add(c.into()))
                & !(1 << 31)
        };
        let map = params().param_map();
        let hashes: std::collections::BTreeSet<_> = map.iter().map(|(id, ..)| hash(id)).collect();
        assert_eq!(hashes.len(), map.len());
    }

    #[test]
    fn host_parameters_have_the_tables_values_and_texts() {
        let params = params();
        assert_eq!(params.knobs(), Patch::default());
        for (row, param) in PARAMS.iter().zip(&params.rows) {
            assert_eq!(param.name(), row.name);
            for k in 0..=64 {
                let x = k as f32 / 64.0;
                assert_eq!(param.preview_plain(x), x, "{}", row.id);
                let text = param.normalized_value_to_string(x, true);
                assert_eq!(text, row.format(row.plain(x)));
                let back = param.string_to_normalized_value(&text).unwrap();
                if row.is_stepped() {
                    assert_eq!(row.format(row.plain(back)), text);
                    continue;
                }
                assert!(
                    (back - x).abs() < 0.08,
                    "{}: {x} -> {text} -> {back}",
                    row.id
                );
            }
            assert_eq!(param.string_to_normalized_value("much"), None);
        }
    }

    #[test]
    fn numbers_out_of_range_in_a_saved_state_are_made_safe() {
        let value = |x| ParamValue::F32(x);
        let mut state = PluginState {
            version: String::new(),
            params: BTreeMap::from([
                ("filter_cutoff".into(), value(1e9)),
                ("amp_decay".into(), value(f32::NAN)),
                ("output".into(), value(-3.0)),
            ]),
            fields: BTreeMap::new(),
        };
        sanitize(&mut state);
        let got = |id: &str| match state.params.get(id) {
            Some(ParamValue::F32(x)) => Some(*x),
            _ => None,
        };
        assert_eq!(got("filter_cutoff"), Some(1.0));
        assert_eq!(got("amp_decay"), None);
        assert_eq!(got("output"), Some(0.0));
    }
}
