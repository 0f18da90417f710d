//! Patches as text on the clipboard: the same JSON that `mirror` writes and `render` reads.

use copypasta::{ClipboardContext, ClipboardProvider};
use nice_plug::prelude::ParamSetter;
use synth::Patch;

use crate::params::Params;

/// Text of a patch.
pub fn text(patch: &Patch) -> String {
    format!("{:#}", patch.to_json())
}

/// Loads the clipboard's patch into the knobs; the error is for the player.
pub fn paste(params: &Params, setter: &ParamSetter<'_>) -> Result<(), String> {
    let text = ClipboardContext::new()
        .and_then(|mut clipboard| clipboard.get_contents())
        .map_err(|error| format!("The clipboard can't be read ({error}). Copy a patch first."))?;
    let patch = Patch::from_json(&text)
        .map_err(|error| format!("The clipboard holds no patch that can be loaded: {error}."))?;
    load(&patch, params, setter);
    Ok(())
}

/// Loads a patch: the held inference and the locks are gone.
pub fn load(patch: &Patch, params: &Params, setter: &ParamSetter<'_>) {
    params.shared.load(patch.values());
    for (row, param) in params.rows.iter().enumerate() {
        setter.begin_set_parameter(param);
        setter.set_parameter_normalized(param, patch.get(row));
        setter.end_set_parameter(param);
    }
}
