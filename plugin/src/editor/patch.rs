//! Patches as text on the clipboard, in the JSON form that `mirror` writes and `render` reads.

use copypasta::{ClipboardContext, ClipboardProvider};
use matcher::live::Limits;
use nice_plug::prelude::ParamSetter;
use synth::{PARAMS, Patch};

use crate::history::{self, Step, Turn};
use crate::params::Params;

/// The text form of a patch.
pub fn text(patch: &Patch) -> String {
    format!("{:#}", patch.to_json())
}

/// Loads the clipboard's patch into the knobs: what the player should know of it. The error is for
/// the player too.
pub fn paste(params: &Params, setter: &ParamSetter<'_>) -> Result<String, String> {
    let text = ClipboardContext::new()
        .and_then(|mut clipboard| clipboard.get_contents())
        .map_err(|error| format!("The clipboard can't be read ({error}). Copy a patch first."))?;
    let (patch, unknown) = Patch::from_json(&text).map_err(|error| {
        format!("The clipboard does not hold a valid patch: {error}. Copy a patch first.")
    })?;
    load("Paste patch", &patch, params, setter);
    Ok(match unknown.len() {
        0 => "The clipboard's patch is loaded; the held inference is dropped.".into(),
        _ => format!(
            "The patch is loaded, without what this version has no knob for: {}.",
            unknown.join(", ")
        ),
    })
}

/// Loads a patch; drops the held inference and all locks. `name` is the step's for undo.
pub fn load(name: &str, patch: &Patch, params: &Params, setter: &ParamSetter<'_>) {
    let state = &params.state;
    let turns = PARAMS.iter().enumerate().map(|(row, table)| Turn {
        param: row,
        before: params.rows[row].value(),
        // A choice is what it is rounded to.
        after: match table.is_stepped() {
            true => table.normalized(patch.plain(row).round()),
            false => patch.get(row),
        },
    });
    let step = Step {
        name: name.to_owned(),
        turns: turns.collect(),
        limits: [state.limits(), Limits::NONE],
        held: Some([state.held(), None]),
    };
    history::perform(step, params, setter);
}
