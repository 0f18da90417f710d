//! The encoder in plain Rust: what matches while there is no engine. Knows one architecture, the shipped
//! one; its weights are those of the TorchScript module beside them, and so are its answers, to 1e-5.

mod conv;
mod network;

use crate::model::{BUILTIN_WEIGHTS, CONTRACT, Contract, ContractError, INPUT_LEN};
use crate::model::{Encoder, EncoderError, Inference, whole_windows};
use ear::EarConfig;
pub use network::{INPUT_OFFSET, SIGMA_RANGE};
use network::{MOST_LANES, Network, Scratch};
use parking_lot::Mutex;
use simd::InstructionSet;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use synth::MATCHED_COUNT;

/// Why the built-in encoder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BuiltinError {
    /// A file can't be read.
    #[error("cannot read {0}: {1}. Install the model again")]
    Read(PathBuf, std::io::Error),
    /// The model is another version's, or the weights are not its.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The weights are not those of the architecture built in.
    #[error(
        "{BUILTIN_WEIGHTS} does not fit the built-in encoder: {0}. Train the model with this version (cargo xtask train)"
    )]
    Architecture(String),
}

/// A model's files, in memory.
#[derive(Clone, Copy)]
pub struct ModelFiles {
    /// `encoder.json`.
    pub contract: &'static str,
    /// `encoder.safetensors`.
    pub weights: &'static [u8],
}

/// Weights ready for use.
struct Loaded {
    network: Network,
    /// Hash of the file they came from.
    hash: String,
}

/// The weights in use: instances of one process share them.
static LOADED: Mutex<Weak<Loaded>> = Mutex::new(Weak::new());

/// [`Encoder`] in this process.
pub struct BuiltinEncoder {
    loaded: Arc<Loaded>,
    scratch: Scratch,
    ear: EarConfig,
}

impl BuiltinEncoder {
    /// The model in `folder`. Takes some 30 ms unless another instance has it.
    pub fn from_folder(folder: &Path) -> Result<Self, BuiltinError> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|e| BuiltinError::Read(path, e))
        };
        let contract = read(CONTRACT)?;
        Self::load(&String::from_utf8_lossy(&contract), || {
            read(BUILTIN_WEIGHTS).map(Cow::from)
        })
    }

    /// A model in memory; see [`BuiltinEncoder::from_folder`].
    pub fn from_memory(model: ModelFiles) -> Result<Self, BuiltinError> {
        Self::load(model.contract, || Ok(model.weights.into()))
    }

    fn load(
        contract: &str,
        weights: impl FnOnce() -> Result<Cow<'static, [u8]>, BuiltinError>,
    ) -> Result<Self, BuiltinError> {
        let contract = Contract::from_json(contract)?;
        contract.check()?;
        // Held throughout, so that instances started together wait for one load instead of all loading.
        let mut shared = LOADED.lock();
        let same = |l: &Arc<Loaded>| Some(&l.hash) == contract.builtin_sha256.as_ref();
        let loaded = match shared.upgrade().filter(same) {
            Some(loaded) => loaded,
            None => {
                let weights = weights()?;
                let hash = contract.check_builtin(&weights)?;
                let network = Network::new(&weights, InstructionSet::best_within(MOST_LANES))
                    .map_err(BuiltinError::Architecture)?;
                let loaded = Arc::new(Loaded { network, hash });
                *shared = Arc::downgrade(&loaded);
                loaded
            }
        };
        Ok(Self {
            scratch: loaded.network.scratch(),
            loaded,
            ear: contract.ear,
        })
    }

    /// The ear the model was trained with.
    pub fn ear(&self) -> EarConfig {
        self.ear
    }

    /// SHA-256 of the weights, in hexadecimal.
    pub fn weights_sha256(&self) -> &str {
        &self.loaded.hash
    }
}

impl Encoder for BuiltinEncoder {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        whole_windows(windows)?;
        let answer = |window: &[u8]| {
            let y = self.loaded.network.run(window, &mut self.scratch);
            Inference {
                mean: std::array::from_fn(|i| y[i]),
                sigma: std::array::from_fn(|i| y[MATCHED_COUNT + i]),
            }
        };
        Ok(windows.chunks_exact(INPUT_LEN).map(answer).collect())
    }
}

#[cfg(test)]
mod tests;
