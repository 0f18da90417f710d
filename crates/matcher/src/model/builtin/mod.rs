//! The encoder in plain Rust, which answers while the engine is unavailable. Implements one
//! architecture, the shipped one, with the weights of the TorchScript module that accompanies them;
//! its outputs agree with the module's to 1e-5.

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

/// Reason why the built-in encoder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum BuiltinError {
    /// A file can't be read.
    #[error("cannot read {0}: {1}. Install the model again")]
    Read(PathBuf, std::io::Error),
    /// The contract is of another version, or the weights are not the ones it declares.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The weights don't fit the built-in architecture.
    #[error(
        "{BUILTIN_WEIGHTS} does not fit the built-in encoder: {0}. Train the model with this version (cargo xtask train)"
    )]
    Architecture(String),
}

/// Files of a model, in memory.
#[derive(Clone, Copy)]
pub struct ModelFiles {
    /// Text of `encoder.json`.
    pub contract: &'static str,
    /// Bytes of `encoder.safetensors`.
    pub weights: &'static [u8],
}

/// A loaded network.
struct Loaded {
    network: Network,
    /// SHA-256 of the weights file, hex.
    hash: String,
}

/// The network in use, shared by all instances in the process.
static LOADED: Mutex<Weak<Loaded>> = Mutex::new(Weak::new());

/// [`Encoder`] that runs the network in this process.
pub struct BuiltinEncoder {
    loaded: Arc<Loaded>,
    scratch: Scratch,
    ear: EarConfig,
}

impl BuiltinEncoder {
    /// Loads the model in `folder`; takes about 30 ms unless another instance has loaded it. Fails
    /// where a file can't be read or doesn't fit this version.
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

    /// Loads a model in memory; see [`BuiltinEncoder::from_folder`].
    pub fn from_memory(model: ModelFiles) -> Result<Self, BuiltinError> {
        Self::load(model.contract, || Ok(model.weights.into()))
    }

    fn load(
        contract: &str,
        weights: impl FnOnce() -> Result<Cow<'static, [u8]>, BuiltinError>,
    ) -> Result<Self, BuiltinError> {
        let contract = Contract::from_json(contract)?;
        contract.check()?;
        // Held throughout, so that instances started together wait for one load instead of all
        // loading.
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

    /// Configuration of the ear that the model was trained with.
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

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        Some(Box::new(Self {
            loaded: self.loaded.clone(),
            scratch: self.loaded.network.scratch(),
            ear: self.ear,
        }))
    }
}

#[cfg(test)]
mod tests;
