//! Patches as text on the clipboard: the same JSON that `mirror` writes and `render` reads.

use copypasta::{ClipboardContext, ClipboardProvider};
use nice_plug::prelude::ParamSetter;
use synth::Patch;

use crate::params::Params;

/// What the player is told when it worked.
pub const COPIED: &str = "The sounding patch is on the clipboard.";

/// Text of a patch.
pub fn text(patch: &Patch) -> String {
    format!("{:#}", patch.to_json())
}

/// Loads the clipboard's patch into the knobs; the message is for the player.
pub fn paste(params: &Params, setter: &ParamSetter<'_>) -> String {
    let clipboard = ClipboardContext::new().and_then(|mut clipboard| clipboard.get_contents());
    match clipboard {
        Ok(text) => match Patch::from_json(&text) {
            Ok(patch) => {
                load(&patch, params, setter);
                "The clipboard's patch is loaded; what was heard is forgotten.".into()
            }
            Err(error) => format!("The clipboard holds no patch that can be loaded: {error}."),
        },
        Err(error) => format!("The clipboard can't be read: {error}. Copy a patch first."),
    }
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
