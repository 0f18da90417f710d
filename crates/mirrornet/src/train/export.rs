//! From weights to a model others can load: TorchScript by tracing, and its contract.

use crate::audio::write_atomically;
use crate::model::{C, Encoder, T};
use crate::torchscript::{self, ModelError};
use ear::EarConfig;
use matcher::Contract;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tch::{CModule, Kind, TchError, Tensor, no_grad};

/// Largest difference of an output of the saved module from the network's.
const TOLERANCE: f64 = 1e-5;

/// Why a model can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Tracing or loading.
    #[error("torch could not export the encoder: {0}")]
    Torch(#[from] TchError),
    /// A file.
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, std::io::Error),
    /// The saved module can't be loaded.
    #[error("the exported model does not load: {0}")]
    Load(#[from] ModelError),
    /// The saved module is another function.
    #[error(
        "the exported module's outputs differ from the network's by {0}, expected at most 1e-5"
    )]
    Differs(f64),
}

/// Writes `encoder.pt` and `encoder.json` to `folder`, and checks that what was written gives the same
/// outputs. `encoder`'s variables must be frozen and on the CPU.
pub fn export(
    folder: &Path,
    encoder: &Encoder,
    ear: EarConfig,
    record: Value,
) -> Result<(), ExportError> {
    let example = Tensor::zeros([1, T, C], (Kind::Float, tch::Device::Cpu));
    let mut module = no_grad(|| {
        CModule::create_by_tracing("Encoder", "forward", &[example], &mut |x| {
            vec![encoder.forward(&x[0])]
        })
    })?;
    module.set_eval();
    let pt = folder.join(torchscript::WEIGHTS);
    let temporary = pt.with_extension(format!("pt.{}.tmp", std::process::id()));
    module.save(&temporary)?;
    let bytes = std::fs::read(&temporary).map_err(|e| ExportError::Write(temporary.clone(), e))?;
    let contract = Contract::current(ear, &bytes, record);
    let json = serde_json::to_string_pretty(&contract).unwrap_or_default();
    std::fs::rename(&temporary, &pt).map_err(|e| ExportError::Write(pt.clone(), e))?;
    let contract_path = folder.join(torchscript::CONTRACT);
    write_atomically(&contract_path, json.as_bytes())
        .map_err(|e| ExportError::Write(contract_path, e))?;

    let (saved, _) = torchscript::load(folder)?;
    // Not the traced batch size: the shape must not have been frozen in.
    let x = (Tensor::arange(3 * T * C, (Kind::Float, tch::Device::Cpu)) * 0.37)
        .sin()
        .abs()
        .view([3, T, C]);
    let (ours, theirs) = no_grad(|| (encoder.forward(&x), saved.forward_ts(&[&x])));
    let difference = (ours - theirs?).abs().max().double_value(&[]);
    if difference > TOLERANCE || difference.is_nan() {
        return Err(ExportError::Differs(difference));
    }
    Ok(())
}
