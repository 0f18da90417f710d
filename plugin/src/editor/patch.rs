//! Loading patches, and patches as text on the clipboard, in the JSON form that `mirror` writes and
//! `render` reads.

use copypasta::{ClipboardContext, ClipboardProvider};
use synth::Patch;

use super::Scene;
use crate::history::{self, Step};
use crate::patches::{self, NamedPatch};

/// The text form of a patch.
pub fn text(patch: &Patch) -> String {
    format!("{:#}", patch.to_json())
}

/// Loads the clipboard's patch into the knobs: what the player should know of it. The error is for
/// the player too.
pub fn paste(scene: &Scene<'_>) -> Result<String, String> {
    let text = ClipboardContext::new()
        .and_then(|mut clipboard| clipboard.get_contents())
        .map_err(|error| format!("The clipboard can't be read ({error}). Copy a patch first."))?;
    let (named, unknown) = NamedPatch::from_json(&text, "Pasted").map_err(|error| {
        format!("The clipboard does not hold a valid patch: {error}. Copy a patch first.")
    })?;
    load(&named.name, &named.patch, scene);
    Ok(patches::loaded(&named.name, &unknown))
}

/// Loads a patch: one step of undo. Drops the held inference and all locks.
pub fn load(name: &str, patch: &Patch, scene: &Scene<'_>) {
    let step = Step::load(name, patch, scene.params);
    history::perform(step, scene.params, &scene.setter);
    scene.params.state.set_patch_name(name);
}
