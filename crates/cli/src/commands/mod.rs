//! The subcommands, a file each: options and work.

pub mod ear;
pub mod evaluate;
pub mod experiments;
pub mod mirror;
pub mod render;
pub mod render_dataset;

use audio_file::Audio;
use matcher::engine::MODEL_FOLDER;
use mirrornet::encoder::{EncoderChoice, LoadedModel};
use mirrornet::midi::{self, Song};
use std::path::{Path, PathBuf};
use std::time::Duration;
use synth::{Automation, Note};

/// Any error, to be shown to the person at the terminal.
pub type Error = Box<dyn std::error::Error>;

/// Reads a sound, and tells the user what is odd about its file.
fn read_audio(path: &Path) -> Result<Audio, Error> {
    let bytes = std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let sound = audio_file::read(&bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    tell(path, &sound.remarks);
    Ok(sound)
}

/// Reads a MIDI file, and tells the user what of it was repaired or left out.
fn read_midi(path: &Path) -> Result<Song, Error> {
    let song = midi::read(path)?;
    tell(path, &song.remarks);
    Ok(song)
}

/// Reads the notes of a MIDI file, and tells the user which other events are not used.
fn read_notes(path: &Path) -> Result<Vec<Note>, Error> {
    let song = read_midi(path)?;
    if let Some(names) = song.beyond_notes() {
        tell(path, &[format!("only its notes are used, without {names}")]);
    }
    Ok(song.notes())
}

/// Tells the user about a file that is used all the same.
fn tell(path: &Path, remarks: &[String]) {
    for remark in remarks {
        eprintln!("{}: {remark}", path.display());
    }
}

fn read_patch(path: &Path) -> Result<Automation, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let (patch, unknown) =
        Automation::from_json(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    if !unknown.is_empty() {
        eprintln!(
            "{}: left out what this version has no parameter for: {}",
            path.display(),
            unknown.join(", ")
        );
    }
    Ok(patch)
}

/// The encoder that a command uses.
#[derive(clap::Args)]
struct Model {
    /// Folder of the model, or a file in it (encoder.json with encoder.safetensors or encoder.pt)
    /// [default: the model that this program came with].
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Implementation of the network: `builtin` (plain Rust) or `engine` (TorchScript in the
    /// installed engine process). Their outputs differ by less than 1e-5.
    #[arg(long, value_enum, default_value_t)]
    encoder: EncoderChoice,
}

impl Model {
    /// The model's folder; of a file, the folder that it is in.
    fn folder(&self) -> Result<PathBuf, Error> {
        match &self.model {
            Some(file) if file.is_file() => Ok(file.parent().unwrap_or(file).into()),
            Some(folder) => Ok(folder.clone()),
            None => shipped_model(),
        }
    }

    /// The model in [`Model::folder`], ready to answer.
    fn load(&self) -> Result<LoadedModel, Error> {
        Ok(self.encoder.load(&self.folder()?)?)
    }
}

/// The folder of the model this program came with: `model` in the program's own folder, or
/// `model-weights` in a folder above it (a checkout, whose target folder the program is in).
fn shipped_model() -> Result<PathBuf, Error> {
    let program = std::env::current_exe()?.canonicalize()?;
    let mut folders = program.ancestors().skip(1);
    let beside = folders.next().map(|f| f.join(MODEL_FOLDER));
    let above = folders.map(|f| f.join("model-weights"));
    beside
        .into_iter()
        .chain(above)
        .find(|f| f.join(matcher::CONTRACT).is_file())
        .ok_or_else(|| {
            "no model came with this program: give the folder of one with --model".into()
        })
}

/// The time that `--refine` gives to a search.
fn search_time(seconds: Option<f64>) -> Result<Option<Duration>, Error> {
    match seconds {
        Some(s) if !(s > 0.0 && s <= 86_400.0) => {
            Err(format!("--refine {s}: expected seconds above 0, at most a day").into())
        }
        seconds => Ok(seconds.map(Duration::from_secs_f64)),
    }
}
