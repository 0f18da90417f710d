//! One file per subcommand: its options, and what it does.

pub mod ear;
pub mod mirror;
pub mod render;
pub mod serve;
pub mod train;

use mirrornet::audio::{self, Audio};
use std::path::Path;
use synth::Patch;

/// Any error, to be shown to the person at the terminal.
pub type Error = Box<dyn std::error::Error>;

fn read_audio(path: &Path) -> Result<Audio, Error> {
    let bytes = std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(audio::read(&bytes).map_err(|e| format!("{}: {e}", path.display()))?)
}

fn read_patch(path: &Path) -> Result<Patch, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(Patch::from_json(&text).map_err(|e| format!("{}: {e}", path.display()))?)
}
