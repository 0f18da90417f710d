//! Loading patches, and patches as text on the clipboard, in the JSON form that `mirror` writes and
//! `render` reads.

use copypasta::{ClipboardContext, ClipboardProvider};
use matcher::live::Limits;
use synth::{PARAMS, Patch};

use super::Scene;
use crate::history::{self, Step, Turn};
use crate::patches::NamedPatch;

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
    Ok(loaded(&named.name, &unknown))
}

/// Message to the player about a patch that was loaded.
pub fn loaded(name: &str, unknown: &[String]) -> String {
    match unknown.len() {
        0 => format!("{name} is loaded"),
        _ => format!(
            "{name} is loaded, without what this version has no knob for: {}",
            unknown.join(", ")
        ),
    }
}

/// Loads a patch: one step of undo. Drops the held inference and all locks.
pub fn load(name: &str, patch: &Patch, scene: &Scene<'_>) {
    let turns = PARAMS.iter().enumerate().map(|(row, table)| Turn {
        param: row,
        before: scene.params.rows[row].value(),
        // A choice is what it is rounded to.
        after: match table.is_stepped() {
            true => table.normalized(patch.plain(row).round()),
            false => patch.get(row),
        },
    });
    let step = Step {
        name: format!("Load {name}"),
        turns: turns.collect(),
        limits: [scene.params.state.limits(), Limits::NONE],
        held: Some([scene.params.state.held(), None]),
    };
    history::perform(step, scene.params, &scene.setter);
    scene.params.state.set_patch_name(name);
}
