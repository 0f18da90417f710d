//! Patches as text on the clipboard, in the JSON form that `mirror` writes and `render` reads.

use copypasta::{ClipboardContext, ClipboardProvider};
use nice_plug::prelude::ParamSetter;
use synth::Patch;

use crate::params::Params;

/// The text form of a patch.
pub fn text(patch: &Patch) -> String {
    format!("{:#}", patch.to_json())
}

/// Loads the clipboard's patch into the knobs; the error is for the player.
pub fn paste(params: &Params, setter: &ParamSetter<'_>) -> Result<(), String> {
    let text = ClipboardContext::new()
        .and_then(|mut clipboard| clipboard.get_contents())
        .map_err(|error| format!("The clipboard can't be read ({error}). Copy a patch first."))?;
    let patch = Patch::from_json(&text).map_err(|error| {
        format!("The clipboard does not hold a valid patch: {error}. Copy a patch first.")
    })?;
    load(&patch, params, setter);
    Ok(())
}

/// Loads a patch; drops the held inference and all locks.
pub fn load(patch: &Patch, params: &Params, setter: &ParamSetter<'_>) {
    params.state.load(patch.values());
    for (row, param) in params.rows.iter().enumerate() {
        setter.begin_set_parameter(param);
        setter.set_parameter_normalized(param, patch.get(row));
        setter.end_set_parameter(param);
    }
}
