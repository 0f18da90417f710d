//! The host's parameters: a view of the synth's table, and the plugin's own four.
//!
//! Every number the host sees is normalised by the row's own scale, so the host's 0 to 1 is the
//! encoder's, the sampler's and the loss's 0 to 1.

mod host_param;
mod migrate;

pub use host_param::HostParam;
pub use migrate::migrate;

use std::collections::BTreeMap;
use std::sync::Arc;

use nice_plug::prelude::*;
use synth::{COUNT, PARAMS, Patch, Scale, Section, Unit};

use crate::state::{FIELD, InstanceState};

/// Group of the plugin's own parameters in the host's tree.
const GROUP: &str = "Match";

/// Share of the way from the knob to the inferred value that matched parameters go: 0 plays the
/// knobs alone, 1 the inferred sound.
pub static AMOUNT: synth::Param = synth::Param {
    id: "match",
    name: "Match",
    section: Section::Voice,
    unit: Unit::Percent,
    scale: Scale::Linear,
    min: 0.0,
    max: 1.0,
    default: 1.0,
    matched: false,
    since: "0.1.0",
};

/// Duration of the glide from one inferred patch to the next, in seconds. The cubic scale gives
/// half of the knob's travel to times below 0.5 s.
pub static GLIDE: synth::Param = synth::Param {
    id: "match_glide",
    name: "Glide time",
    unit: Unit::Seconds,
    scale: Scale::Power(3.0),
    max: 4.0,
    default: 0.1,
    ..AMOUNT
};

/// Gain of the output in dB, after the effects.
pub static OUTPUT: synth::Param = synth::Param {
    id: "output",
    name: "Output",
    unit: Unit::Decibels,
    min: -60.0,
    max: 12.0,
    default: 0.0,
    ..AMOUNT
};

/// Id of the switch of the search while playing.
pub const SEARCH_ID: &str = "match_search";
/// Id of the switch between listening and holding the last inference.
pub const LISTEN_ID: &str = "listen";

/// All parameters of one instance, with the state saved along with them.
pub struct Params {
    /// One per row of the table, in its order.
    pub rows: Box<[HostParam]>,
    /// [`AMOUNT`].
    pub amount: HostParam,
    /// Whether the sidechain is listened to; if not, the last inference is held.
    pub listen: BoolParam,
    /// Whether better matches are searched while a sound goes on.
    pub search: BoolParam,
    /// [`GLIDE`].
    pub glide: HostParam,
    /// [`OUTPUT`].
    pub output: HostParam,
    /// Locks, held inference, listener.
    pub state: Arc<InstanceState>,
}

impl Params {
    /// Every parameter at its default.
    pub fn new(state: Arc<InstanceState>) -> Self {
        static TABLE: [synth::Param; COUNT] = PARAMS;
        Self {
            rows: (0..COUNT)
                .map(|row| {
                    let id = synth::can_modulate(row).then_some(row as u32);
                    HostParam::new(&TABLE[row], id)
                })
                .collect(),
            amount: HostParam::new(&AMOUNT, None),
            listen: switch("Listen"),
            search: switch("Search"),
            glide: HostParam::new(&GLIDE, None),
            output: HostParam::new(&OUTPUT, None),
            state,
        }
    }

    /// The parameter with this index: the rows in the table's order, then [`AMOUNT`], [`GLIDE`] and
    /// [`OUTPUT`].
    pub fn get(&self, index: usize) -> &HostParam {
        match index.checked_sub(COUNT) {
            None => &self.rows[index],
            Some(0) => &self.amount,
            Some(1) => &self.glide,
            Some(_) => &self.output,
        }
    }

    /// Positions of the knobs, set by the player or by automation, without the host's modulation.
    pub fn knobs(&self) -> Patch {
        let mut patch = Patch::default();
        for (row, param) in self.rows.iter().enumerate() {
            patch.set(row, param.value());
        }
        patch
    }

    /// The host's modulation of the rows for all notes, normalised.
    pub fn modulation(&self) -> [f32; COUNT] {
        let door = &self.state.door;
        std::array::from_fn(|row| self.rows[row].modulation(door.modulation(row)))
    }

    /// The knobs without the host's modulation, normalised.
    pub fn unmodulated(&self) -> [f32; COUNT] {
        std::array::from_fn(|row| self.rows[row].value())
    }
}

/// A switch that is on at first.
fn switch(name: &str) -> BoolParam {
    BoolParam::new(name, true)
        .with_value_to_string(Arc::new(|on| if on { "On" } else { "Off" }.into()))
        .with_string_to_value(Arc::new(|text| {
            match text.trim().to_ascii_lowercase().as_str() {
                "on" | "true" | "1" => Some(true),
                "off" | "false" | "0" => Some(false),
                _ => None,
            }
        }))
}

/// A patch with the host's modulation on top.
pub fn modulated(mut patch: Patch, modulation: &[f32; COUNT]) -> Patch {
    for (row, offset) in modulation.iter().enumerate() {
        if *offset != 0.0 {
            patch.set(row, patch.get(row) + offset);
        }
    }
    patch
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
        map.push(own(SEARCH_ID, self.search.as_ptr()));
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

#[cfg(test)]
mod tests {
    use super::*;
    use nice_plug::prelude::Params as _;

    /// Ids and ranges of the plugin's own parameters; those of the rows are frozen where the table
    /// is, in the synth's tests. Hosts store automation under these ids: an id may be added, never
    /// changed or removed.
    #[test]
    fn own_parameters_are_frozen() {
        let line = |p: &synth::Param| {
            let (unit, scale) = (p.unit, p.scale);
            format!(
                "{} {}: {unit:?} {scale:?} {} to {}",
                p.since, p.id, p.min, p.max
            )
        };
        assert_eq!(line(&AMOUNT), "0.1.0 match: Percent Linear 0 to 1");
        assert_eq!(line(&GLIDE), "0.1.0 match_glide: Seconds Power(3.0) 0 to 4");
        assert_eq!(line(&OUTPUT), "0.1.0 output: Decibels Linear -60 to 12");
        let map = params().param_map();
        let ids: Vec<_> = map.iter().map(|(id, ..)| id.as_str()).collect();
        assert_eq!(ids[..4], ["match", "listen", "match_glide", "output"]);
        assert!(
            ids[4..][..COUNT]
                .iter()
                .eq(PARAMS.iter().map(|row| &row.id))
        );
        assert_eq!(ids[COUNT + 4..], ["match_search"]);
    }

    fn params() -> Params {
        Params::new(Arc::new(InstanceState::new().0))
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
        let own = [&AMOUNT, &GLIDE, &OUTPUT];
        let all = PARAMS.iter().chain(own).enumerate();
        for (row, param) in all.map(|(index, row)| (row, params.get(index))) {
            let read = |text: &str| match param {
                HostParam::Quantity(param) => param.string_to_normalized_value(text),
                HostParam::Stepped(param) => param.string_to_normalized_value(text),
            };
            assert_eq!(param.name(), row.name);
            for k in 0..=1_000 {
                let x = k as f32 / 1_000.0;
                let text = param.text(x);
                assert_eq!(text, row.format(row.plain(x)));
                let back = read(&text).unwrap();
                assert_eq!(param.text(back), text);
                if row.is_stepped() {
                    continue;
                }
                assert!(
                    (back - x).abs() < 0.08,
                    "{}: {x} -> {text} -> {back}",
                    row.id
                );
            }
            assert_eq!(read("much"), None);
        }
    }

    /// A choice is saved as the plain number of its name, which a longer list doesn't change.
    #[test]
    fn choices_and_counts_have_a_step_for_each_name() {
        let params = params();
        for (row, param) in PARAMS.iter().zip(&params.rows) {
            match param {
                HostParam::Quantity(param) => {
                    assert!(!row.is_stepped(), "{}", row.id);
                    assert_eq!(param.step_count(), None);
                    assert_eq!(param.preview_plain(0.3), 0.3);
                }
                HostParam::Stepped(param) => {
                    assert_eq!(param.step_count(), row.steps());
                    for k in 0..=row.steps().unwrap() {
                        let plain = row.min as i32 + k as i32;
                        let x = param.preview_normalized(plain);
                        assert_eq!(param.preview_plain(x), plain);
                        assert_eq!(row.plain(x).round(), plain as f32);
                    }
                }
            }
        }
    }
}
