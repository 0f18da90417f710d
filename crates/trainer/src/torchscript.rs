//! TorchScript models, checked against their contract and run in this process.

use matcher::{CONTRACT, Contract, ContractError, WEIGHTS};
use matcher::{Encoder, EncoderError, INPUT_LEN, Inference};
use std::path::{Path, PathBuf};
use synth::MATCHED_COUNT;
use tch::{CModule, Kind, TchError, Tensor, no_grad};

use crate::model::{C, T};

/// The reason a model can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file is missing or unreadable.
    #[error("cannot read {0}: {1}. Install a model, or give its folder with --model")]
    Read(PathBuf, std::io::Error),
    /// The model is for another version, or its weights are not those of its contract.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// torch can't load the module.
    #[error("torch can't use {0}: {1}. Install the model again")]
    Torch(PathBuf, TchError),
}

/// Reads and checks the model in `folder`: the module and its contract's text.
pub fn load(folder: &Path) -> Result<(CModule, String), ModelError> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(|e| ModelError::Read(path, e))
    };
    let json = String::from_utf8_lossy(&read(CONTRACT)?).into_owned();
    let weights = read(WEIGHTS)?;
    let contract = Contract::from_json(&json)?;
    contract.check()?;
    contract.check_weights(&weights)?;
    let path = folder.join(WEIGHTS);
    let mut module = CModule::load_data(&mut weights.as_slice())
        .map_err(|e| ModelError::Torch(path.clone(), e))?;
    module
        .f_set_eval()
        .map_err(|e| ModelError::Torch(path, e))?;
    Ok((module, json))
}

/// A model in this process. Not `Send` by nature of torch's handles; each thread loads its own.
pub struct TorchEncoder {
    module: CModule,
    contract: String,
}

impl TorchEncoder {
    /// Loads the model in `folder`, sets torch to one thread, and warms up: the first runs are
    /// slow.
    pub fn new(folder: &Path) -> Result<Self, ModelError> {
        tch::set_num_threads(1);
        let (module, contract) = load(folder)?;
        let encoder = Self { module, contract };
        for _ in 0..3 {
            encoder
                .run(&[0; INPUT_LEN])
                .map_err(|e| ModelError::Torch(folder.join(WEIGHTS), e))?;
        }
        Ok(encoder)
    }

    /// `encoder.json`.
    pub fn contract(&self) -> &str {
        &self.contract
    }

    /// Means, then standard deviations, of one window: `2 * MATCHED_COUNT` numbers.
    pub fn run(&self, window: &[u8]) -> Result<Vec<f32>, TchError> {
        let x = Tensor::f_from_data_size(window, &[1, T, C], Kind::Uint8)?
            .f_to_kind(Kind::Float)?
            / 255.0;
        let y = no_grad(|| self.module.forward_ts(&[x]))?;
        Vec::<f32>::try_from(y.f_flatten(0, -1)?)
    }
}

impl Encoder for TorchEncoder {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        // One window at a time: a fixed shape keeps torch's plan.
        windows
            .chunks_exact(INPUT_LEN)
            .map(|window| {
                let y = self
                    .run(window)
                    .map_err(|e| EncoderError::Unavailable(e.to_string()))?;
                if y.len() != 2 * MATCHED_COUNT {
                    return Err(EncoderError::Unavailable(format!(
                        "the model gave {} numbers, expected {}",
                        y.len(),
                        2 * MATCHED_COUNT
                    )));
                }
                Ok(Inference {
                    mean: std::array::from_fn(|i| y[i]),
                    sigma: std::array::from_fn(|i| y[MATCHED_COUNT + i]),
                })
            })
            .collect()
    }
}
