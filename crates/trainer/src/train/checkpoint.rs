//! Checkpoints: one safetensors file with weights, moments, averages, and the rest as JSON in a
//! byte tensor; written under a temporary name, synced and renamed.

use super::history::History;
use super::recipe::{Anchor, Recipe};
use mirrornet::files::replace_with;
use mirrornet::samples::plant::Phrase;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use tch::{Kind, Tensor};

/// Name of the checkpoint in the output folder.
pub const FILE: &str = "checkpoint.safetensors";

/// A render asked for and not yet learnt from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Ticket in the pool.
    pub ticket: u64,
    /// Matched parameters, normalised.
    pub h: Vec<f32>,
    /// Notes and window.
    pub phrase: Phrase,
}

/// Everything but tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Options that may not change.
    pub recipe: Recipe,
    /// Point at which the budget last changed.
    #[serde(default)]
    pub anchor: Anchor,
    /// Networks' variables, to notice another version's.
    pub architecture: String,
    /// Steps done.
    pub step: u64,
    /// Seconds on the clock, all sessions together.
    pub seconds: f64,
    /// CPU seconds of the process, all sessions together.
    pub cpu_seconds: f64,
    /// Own samples drawn.
    pub draws: u64,
    /// Foreign windows drawn.
    pub foreign_draws: u64,
    /// Renders asked for.
    pub tickets: u64,
    /// Renders on their way, oldest first.
    pub pending: Vec<Pending>,
    /// Curves so far, and the best.
    pub history: History,
}

/// The reason a checkpoint can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file is missing or can't be read.
    #[error("cannot read the checkpoint {0}: {1}. Train without --resume to start over")]
    Read(PathBuf, String),
    /// The file can't be written.
    #[error("cannot write the checkpoint {0}: {1}")]
    Write(PathBuf, String),
    /// The checkpoint was not made by this version.
    #[error(
        "the checkpoint {0} does not fit this version: {1}. Train without --resume to start over"
    )]
    Foreign(PathBuf, String),
}

/// Writes `tensors` and `state` to `folder`.
pub fn save(
    folder: &Path,
    tensors: &[(String, Tensor)],
    state: &State,
) -> Result<(), CheckpointError> {
    let path = folder.join(FILE);
    let fail = |e: String| CheckpointError::Write(path.clone(), e);
    let json = serde_json::to_vec(state).map_err(|e| fail(e.to_string()))?;
    let mut all: Vec<(&str, Tensor)> = tensors
        .iter()
        .map(|(n, t)| (n.as_str(), t.shallow_clone()))
        .collect();
    all.push(("state", Tensor::from_slice(&json)));
    replace_with(&path, |to| {
        Tensor::write_safetensors(&all, to).map_err(io::Error::other)
    })
    .map_err(|e| fail(e.to_string()))
}

/// Reads what [`save`] wrote.
pub fn load(folder: &Path) -> Result<(Vec<(String, Tensor)>, State), CheckpointError> {
    let path = folder.join(FILE);
    let tensors = Tensor::read_safetensors(&path)
        .map_err(|e| CheckpointError::Read(path.clone(), e.to_string()))?;
    let foreign = |e: String| CheckpointError::Foreign(path.clone(), e);
    let (_, json) = tensors
        .iter()
        .find(|(name, t)| name == "state" && t.kind() == Kind::Uint8)
        .ok_or_else(|| foreign("it has no state".into()))?;
    let json = Vec::<u8>::try_from(json).map_err(|e| foreign(e.to_string()))?;
    let state = serde_json::from_slice(&json).map_err(|e| foreign(e.to_string()))?;
    Ok((tensors, state))
}
