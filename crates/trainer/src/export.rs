//! Export of an encoder as a model: TorchScript by tracing, the same weights as safetensors for the
//! built-in encoder, and their contract.

use crate::file_set::FileSet;
use crate::model::{C, Encoder, T};
use crate::torchscript::{self, ModelError};
use ear::EarConfig;
use matcher::{BUILTIN_WEIGHTS, CONTRACT, Contract, WEIGHTS, sha256_hex};
use matcher::{BuiltinEncoder, BuiltinError};
use matcher::{Encoder as _, EncoderError, INPUT_LEN};
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};
use tch::nn::VarStore;
use tch::{CModule, Kind, TchError, Tensor, no_grad};

/// Largest difference of an output of what was saved from the network's.
pub const TOLERANCE: f64 = 1e-5;

/// The reason a model can't be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// torch fails to trace or to load.
    #[error("torch could not export the encoder: {0}")]
    Torch(#[from] TchError),
    /// A file can't be written.
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, io::Error),
    /// The saved module can't be loaded.
    #[error("the exported model does not load: {0}")]
    Load(#[from] ModelError),
    /// The saved weights can't be loaded.
    #[error("the exported weights do not load: {0}")]
    LoadBuiltin(#[from] BuiltinError),
    /// The saved weights can't be run.
    #[error("the built-in encoder gave no answer: {0}")]
    BuiltinEncoder(#[from] EncoderError),
    /// The exported network gives different outputs.
    #[error(
        "the outputs of the exported {0} differ from the network's by {1}, expected at most 1e-5"
    )]
    Differs(&'static str, f64),
}

/// Files of a model; the contract, which names the others' hashes, last.
pub const FILES: [&str; 3] = [WEIGHTS, BUILTIN_WEIGHTS, CONTRACT];

/// Writes the [`FILES`] of a model to `folder` as a set, once what is to be written is found to
/// give the same outputs. `variables` are `encoder`'s: frozen, and on the CPU.
pub fn export(
    folder: &Path,
    (variables, encoder): &(VarStore, Encoder),
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
    let fail = |e| ExportError::Write(folder.into(), e);
    let set = FileSet::begin(folder, &FILES).map_err(fail)?;
    let builtin = write(&set.staging().join(BUILTIN_WEIGHTS), |to| {
        let named: Vec<_> = variables.variables().into_iter().collect();
        Tensor::write_safetensors(&named, to)
    })?;
    let pt = write(&set.staging().join(WEIGHTS), |to| module.save(to))?;
    let mut contract = Contract::current(ear, &pt, record);
    contract.builtin_sha256 = Some(sha256_hex(&builtin));
    let json = serde_json::to_string_pretty(&contract).unwrap_or_default();
    std::fs::write(set.staging().join(CONTRACT), json).map_err(fail)?;
    check(set.staging(), encoder)?;
    set.finish().map_err(fail)
}

/// Writes the file `path` by `save`, and returns its bytes.
fn write(
    path: &Path,
    save: impl FnOnce(&Path) -> Result<(), TchError>,
) -> Result<Vec<u8>, ExportError> {
    save(path)
        .map_err(io::Error::other)
        .and_then(|()| std::fs::read(path))
        .map_err(|e| ExportError::Write(path.into(), e))
}

/// Checks that the module and the built-in encoder in `folder` give the outputs of `encoder`.
fn check(folder: &Path, encoder: &Encoder) -> Result<(), ExportError> {
    // Not the traced batch size: the shape must not have been frozen in.
    let windows: Vec<u8> = (0..3 * INPUT_LEN)
        .map(|i| (255.0 * (i as f32 * 0.37).sin().abs()) as u8)
        .collect();
    let x =
        Tensor::f_from_data_size(&windows, &[3, T, C], Kind::Uint8)?.to_kind(Kind::Float) / 255.0;
    let expected = no_grad(|| encoder.forward(&x));
    let close = |file, outputs: Tensor| {
        let difference = (&expected - outputs).abs().max().double_value(&[]);
        match difference <= TOLERANCE {
            true => Ok(()),
            false => Err(ExportError::Differs(file, difference)),
        }
    };
    let (module, _) = torchscript::load(folder)?;
    close(WEIGHTS, no_grad(|| module.forward_ts(&[&x]))?)?;
    let answers = BuiltinEncoder::from_folder(folder)?.infer(&windows)?;
    let outputs: Vec<f32> = answers
        .iter()
        .flat_map(|a| [a.mean, a.sigma].concat())
        .collect();
    close(
        BUILTIN_WEIGHTS,
        Tensor::from_slice(&outputs).view_as(&expected),
    )
}
