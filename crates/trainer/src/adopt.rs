//! Import of weights trained elsewhere as a model.
//!
//! They come as safetensors: the encoder's weights by this crate's names; `example.heard`, some
//! windows (u8 `[n, frames, channels]`), and `example.answer`, what the network answered to them
//! (f32 `[n, 2 P]`); and the data set's contract as JSON under `contract` in the metadata, with the
//! training record in it. The example shows that the network trained there is the one that will run
//! here.

use crate::export::{ExportError, FILES, TOLERANCE, export};
use crate::model::{C, Encoder, P, T};
use matcher::{Contract, ContractError};
use safetensors::{Dtype, SafeTensors};
use std::path::{Path, PathBuf};
use tch::nn::VarStore;
use tch::{Device, Kind, TchError, Tensor, no_grad};

/// The reason weights can't be imported.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The weights can't be read.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// The weights don't match this version's encoder.
    #[error("{0} does not match this version's encoder: {1}")]
    Weights(PathBuf, String),
    /// The weights were trained for another version.
    #[error("{0}: {1}")]
    Contract(PathBuf, ContractError),
    /// torch fails.
    #[error("torch could not run the encoder: {0}")]
    Torch(#[from] TchError),
    /// The output folder can't be made.
    #[error("cannot make the folder {0}: {1}")]
    Out(PathBuf, std::io::Error),
    /// The output folder holds another model.
    #[error("{0} is there already: replace it with --overwrite, or give another folder with --out")]
    Exists(PathBuf),
    /// The model can't be written.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// Makes the model folder `out` of `weights`; a model that is there is replaced only with
/// `overwrite`. Returns by how much this network's answers to the example differ at most from
/// those that came with it.
pub fn adopt(weights: &Path, out: &Path, overwrite: bool) -> Result<f64, AdoptError> {
    let mut there = FILES.iter().map(|name| out.join(name));
    if let Some(path) = there.find(|path| path.exists() && !overwrite) {
        return Err(AdoptError::Exists(path));
    }
    let bytes = std::fs::read(weights).map_err(|e| AdoptError::Read(weights.into(), e))?;
    let wrong = |what: String| AdoptError::Weights(weights.into(), what);
    let foreign = |e| AdoptError::Contract(weights.into(), e);
    let (file, contract) = parse(&bytes).map_err(wrong)?;
    let contract = Contract::from_json(&contract).map_err(foreign)?;
    contract.check().map_err(foreign)?;

    let mut store = VarStore::new(Device::Cpu);
    let encoder = Encoder::new(&store.root());
    let variables = store.variables();
    for (name, variable) in &variables {
        let from = tensor(&file, name, Dtype::F32, Some(&variable.size())).map_err(wrong)?;
        if !bool::try_from(from.isfinite().all())? {
            return Err(wrong(format!("{name} has numbers that are not finite")));
        }
        no_grad(|| variable.shallow_clone().f_copy_(&from))?;
    }
    let known = |name: &str| name.starts_with("example.") || variables.contains_key(name);
    if let Some(name) = file.names().into_iter().find(|name| !known(name)) {
        return Err(wrong(format!(
            "it has a tensor {name}, which the encoder has not"
        )));
    }
    store.freeze();

    let heard = tensor(&file, "example.heard", Dtype::U8, None).map_err(wrong)?;
    let n = heard.size().first().copied().unwrap_or(0);
    if n == 0 || heard.size() != [n, T, C] {
        let what = format!(
            "example.heard is {:?}, expected [n, {T}, {C}]",
            heard.size()
        );
        return Err(wrong(what));
    }
    let theirs = tensor(&file, "example.answer", Dtype::F32, Some(&[n, 2 * P])).map_err(wrong)?;
    let ours = no_grad(|| encoder.forward(&(heard.to_kind(Kind::Float) / 255.0)));
    let difference = (ours - theirs).abs().max().double_value(&[]);
    if difference.is_nan() || difference > TOLERANCE {
        return Err(wrong(format!(
            "its answers to the example differ from this network's by {difference}, expected at most \
             {TOLERANCE}"
        )));
    }
    std::fs::create_dir_all(out).map_err(|e| AdoptError::Out(out.into(), e))?;
    export(out, &(store, encoder), contract.ear, contract.training)?;
    Ok(difference)
}

/// The tensors of a file, and its contract.
fn parse(bytes: &[u8]) -> Result<(SafeTensors<'_>, String), String> {
    let no_safetensors = |e: safetensors::SafeTensorError| format!("not a safetensors file ({e})");
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(no_safetensors)?;
    let contract = metadata.metadata().as_ref().and_then(|m| m.get("contract"));
    let contract = contract.ok_or("its metadata has no `contract` of a data set")?;
    let file = SafeTensors::deserialize(bytes).map_err(no_safetensors)?;
    Ok((file, contract.clone()))
}

/// A tensor of a file, of the type and, if one is given, the shape expected.
fn tensor(
    file: &SafeTensors,
    name: &str,
    kind: Dtype,
    shape: Option<&[i64]>,
) -> Result<Tensor, String> {
    let view = file
        .tensor(name)
        .map_err(|_| format!("{name} is missing"))?;
    let size: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
    if view.dtype() != kind || shape.is_some_and(|s| s != size) {
        let shape = shape.map_or(String::new(), |s| format!(" {s:?}"));
        return Err(format!(
            "{name} is {:?} {size:?}, expected {kind:?}{shape}",
            view.dtype()
        ));
    }
    let kind = if kind == Dtype::U8 {
        Kind::Uint8
    } else {
        Kind::Float
    };
    Tensor::f_from_data_size(view.data(), &size, kind).map_err(|e| e.to_string())
}
