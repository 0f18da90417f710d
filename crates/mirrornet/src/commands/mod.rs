//! One file per subcommand: its options, and what it does.

pub mod adopt;
pub mod ear;
pub mod evaluate;
pub mod mirror;
pub mod render;
pub mod render_dataset;
pub mod serve;
pub mod train;

use ::ear::EarConfig;
use matcher::BuiltinEncoder;
use matcher::engine::MODEL_FOLDER;
use matcher::{Contract, Encoder};
use mirrornet::audio::{self, Audio};
use mirrornet::torchscript::TorchEncoder;
use std::path::{Path, PathBuf};
use std::time::Duration;
use synth::Automation;

/// Any error, to be shown to the person at the terminal.
pub type Error = Box<dyn std::error::Error>;

fn read_audio(path: &Path) -> Result<Audio, Error> {
    let bytes = std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(audio::read(&bytes).map_err(|e| format!("{}: {e}", path.display()))?)
}

fn read_patch(path: &Path) -> Result<Automation, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(Automation::from_json(&text).map_err(|e| format!("{}: {e}", path.display()))?)
}

/// The model that a command uses.
#[derive(clap::Args)]
struct Model {
    /// Folder with encoder.pt and encoder.json [default: the model this program came with].
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
}

impl Model {
    fn folder(&self) -> Result<PathBuf, Error> {
        self.model.clone().map_or_else(shipped_model, Ok)
    }
}

/// Who runs the network.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum EncoderChoice {
    /// The plain Rust network.
    Builtin,
    /// TorchScript, as in the engine.
    #[default]
    Engine,
}

impl EncoderChoice {
    /// The encoder of the model in `folder`, and the ear that it was trained with.
    fn load(self, folder: &Path) -> Result<(Box<dyn Encoder>, EarConfig), Error> {
        match self {
            Self::Builtin => {
                let encoder = BuiltinEncoder::from_folder(folder)?;
                let ear = encoder.ear();
                Ok((Box::new(encoder), ear))
            }
            Self::Engine => {
                let encoder = TorchEncoder::new(folder)?;
                let ear = Contract::from_json(encoder.contract())?.ear;
                Ok((Box::new(encoder), ear))
            }
        }
    }
}

/// The model folder beside this program (an installed engine), or `model-weights` in a folder above it
/// (a checkout's target folder).
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
