//! The encoders a command can choose between: the built-in network, or TorchScript in the engine
//! process.

use matcher::engine::{Engine, EngineStatus, engine_folder, engine_program};
use matcher::{BuiltinEncoder, BuiltinError};
use matcher::{CONTRACT, ContractError};
use matcher::{Contract, Encoder};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest wait for the engine to run. It restarts by itself after a start that failed.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Time between two looks at an engine that is starting.
const LOOK: Duration = Duration::from_millis(5);

/// The implementation of the network that answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, clap::ValueEnum)]
pub enum EncoderChoice {
    /// The network in plain Rust, within this process.
    #[default]
    Builtin,
    /// TorchScript in the engine process, which must be installed.
    Engine,
}

/// A model that is ready to answer.
pub struct LoadedModel {
    /// Maps windows to parameters.
    pub encoder: Box<dyn Encoder>,
    /// The model's `encoder.json`.
    pub contract: Contract,
}

/// The reason a model can't answer.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The contract can't be read.
    #[error(
        "cannot read {0}: {1}. Install the model again, or give the folder of one with --model"
    )]
    Read(PathBuf, std::io::Error),
    /// The contract is another version's.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The built-in encoder refuses the model.
    #[error(transparent)]
    Builtin(#[from] BuiltinError),
    /// No engine is installed.
    #[error(
        "no engine is installed (looked for {} in {}). Run `cargo xtask install`, or leave \
         --encoder engine away: the built-in encoder answers the same",
        engine_program(),
        listed(.0)
    )]
    NotInstalled(Vec<PathBuf>),
    /// The engine does not get to run.
    #[error(
        "the engine in {0} does not run: {1}. Run `cargo xtask install` again, or leave \
         --encoder engine away: the built-in encoder answers the same"
    )]
    NotRunning(PathBuf, String),
}

fn listed(folders: &[PathBuf]) -> String {
    let names: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    names.join(" and ")
}

impl EncoderChoice {
    /// Loads the model in the folder `model`; with [`EncoderChoice::Engine`] the first engine of
    /// [`engine_folders`] is started and serves it.
    pub fn load(self, model: &Path) -> Result<LoadedModel, LoadError> {
        match self {
            Self::Builtin => {
                let encoder = Box::new(BuiltinEncoder::from_folder(model)?);
                let path = model.join(CONTRACT);
                let json = std::fs::read_to_string(&path).map_err(|e| LoadError::Read(path, e))?;
                let contract = Contract::from_json(&json)?;
                Ok(LoadedModel { encoder, contract })
            }
            Self::Engine => {
                let folders = engine_folders();
                let installed = |folder: &&PathBuf| folder.join(engine_program()).is_file();
                match folders.iter().find(installed) {
                    Some(engine) => through_engine(engine, model),
                    None => Err(LoadError::NotInstalled(folders)),
                }
            }
        }
    }
}

/// Folders an engine may be in, the preferred one first: the installed engine's, and that of the
/// bundle in the target folder this program was built in.
pub fn engine_folders() -> Vec<PathBuf> {
    let bundled = std::env::current_exe().ok().and_then(|program| {
        let mut engines = program.ancestors().map(|f| f.join("bundled/engine"));
        engines.find(|folder| folder.is_dir())
    });
    engine_folder().into_iter().chain(bundled).collect()
}

/// Starts the engine in the folder `engine` with the model in the folder `model`, and waits until
/// it runs, at most half a minute.
pub fn through_engine(engine: &Path, model: &Path) -> Result<LoadedModel, LoadError> {
    let process = Engine::with_model(engine, model);
    process.start();
    let until = Instant::now() + START_LIMIT;
    let reason = loop {
        let last = match process.status() {
            EngineStatus::Running { .. } => match process.contract() {
                Some(contract) => {
                    return Ok(LoadedModel {
                        encoder: Box::new(process.encoder()),
                        contract: Contract::clone(&contract),
                    });
                }
                None => "it has no model".into(),
            },
            EngineStatus::Missing { .. } => {
                break format!("its program {} is missing", engine_program());
            }
            EngineStatus::Stopped { reason } => break reason,
            EngineStatus::Restarting { reason, .. } => reason,
            EngineStatus::Idle | EngineStatus::Starting => {
                format!("it did not start within {} s", START_LIMIT.as_secs())
            }
        };
        if Instant::now() > until {
            break last;
        }
        std::thread::sleep(LOOK);
    };
    Err(LoadError::NotRunning(engine.into(), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../model-weights")
    }

    #[test]
    fn the_builtin_encoder_is_the_default_and_loads_the_shipped_model() {
        let LoadedModel {
            mut encoder,
            contract,
        } = EncoderChoice::default().load(&shipped()).unwrap();
        assert_eq!(EncoderChoice::default(), EncoderChoice::Builtin);
        assert_eq!(contract.ear, ear::EarConfig::default());
        let silence = vec![0; matcher::INPUT_LEN];
        assert_eq!(encoder.infer(&silence).unwrap().len(), 1);
        let error = EncoderChoice::Builtin.load(Path::new("no such folder"));
        assert!(error.err().unwrap().to_string().contains("no such folder"));
    }

    #[test]
    fn an_absent_engine_is_an_error_that_says_where_and_what_to_do() {
        let nowhere = tempfile::tempdir().unwrap();
        let error = through_engine(nowhere.path(), &shipped()).err().unwrap();
        let text = error.to_string();
        assert!(
            text.contains(&nowhere.path().display().to_string()),
            "{text}"
        );
        assert!(text.contains("cargo xtask install"), "{text}");
        let none = LoadError::NotInstalled(vec!["here".into(), "there".into()]).to_string();
        assert!(none.contains("here and there") && none.contains(&engine_program()));
        assert!(!engine_folders().is_empty());
    }
}
