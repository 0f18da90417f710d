//! The contract that a model declares, and the conversion of a spectrogram to the model's input.
//!
//! The trainer and the listener both call [`quantize_window`], so they can't drift apart.

use ear::{CHANNELS, EarConfig};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use synth::{MATCHED, PARAMS};

/// Frames of one input window: 128 x 8 ms = 1.024 s.
pub const WINDOW_FRAMES: usize = 128;
/// Frames from one inference to the next: 5 x 8 ms = 40 ms.
pub const HOP_FRAMES: usize = 5;
/// File name of a model's contract.
pub const CONTRACT: &str = "encoder.json";
/// File name of a model's TorchScript module: the engine's encoder.
pub const WEIGHTS: &str = "encoder.pt";
/// File name of a model's weights for the built-in encoder.
pub const BUILTIN_WEIGHTS: &str = "encoder.safetensors";
/// Length of a quantised window in bytes.
pub const INPUT_LEN: usize = WINDOW_FRAMES * CHANNELS;
/// Dynamic range of the input below its window's peak, in dB.
pub const FLOOR_DB: f32 = 64.0;

/// A matched parameter as it was when the model was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractParam {
    /// Id of the parameter.
    pub id: String,
    /// Scale, as written by `{:?}`.
    pub scale: String,
    /// Smallest plain value, in the parameter's unit.
    pub min: f32,
    /// Largest plain value, in the parameter's unit.
    pub max: f32,
}

/// Contents of `encoder.json`, which accompanies `encoder.pt` and `encoder.safetensors`.
///
/// The TorchScript module maps f32 `[batch, WINDOW_FRAMES, CHANNELS]` in `[0, 1]` (a quantised
/// window divided by 255) to f32 `[batch, 2 * params]`: first the means of the matched parameters
/// (normalised, in the order of `params`), then their standard deviations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Format of this file: 1.
    pub format: u32,
    /// Configuration of the ear that the model was trained with.
    pub ear: EarConfig,
    /// Number of frames in a window.
    pub window_frames: usize,
    /// Number of frames from one inference to the next.
    pub hop_frames: usize,
    /// Dynamic range of the input in dB.
    pub floor_db: f32,
    /// Matched parameters, in the order of the outputs.
    pub params: Vec<ContractParam>,
    /// SHA-256 of `encoder.pt`, hex.
    pub weights_sha256: String,
    /// SHA-256 of `encoder.safetensors`, hex; missing from models exported before the built-in
    /// encoder existed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builtin_sha256: Option<String>,
    /// Training record, free-form, written by the trainer.
    #[serde(default)]
    pub training: serde_json::Value,
}

/// Reason why this version can't use a model.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The text can't be parsed as a contract.
    #[error("encoder.json is not a model contract: {0}. Train or install a model again")]
    Malformed(String),
    /// A declared property differs from the one that this version needs.
    #[error(
        "the model was made for another MirrorNet version: {what} is {found}, expected {expected}. Retrain it with this version (cargo xtask train)"
    )]
    Foreign {
        /// Name of the property.
        what: String,
        /// Value in the contract.
        found: String,
        /// Value that this version needs.
        expected: String,
    },
    /// The hash of a weights file differs from the contract's.
    #[error(
        "{file} does not belong to its encoder.json (SHA-256 {found}, expected {expected}): the file is truncated or from another model. Install the model again"
    )]
    Weights {
        /// Name of the weights file.
        file: &'static str,
        /// SHA-256 of the file, hex.
        found: String,
        /// SHA-256 in the contract, hex.
        expected: String,
    },
    /// The contract predates the built-in encoder and declares no weights for it.
    #[error(
        "the model has no weights for the built-in encoder: encoder.json names no {BUILTIN_WEIGHTS}. Train it with this version (cargo xtask train)"
    )]
    NoBuiltin,
}

/// Computes the SHA-256 of `bytes` as lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

impl Contract {
    /// Builds the contract of a model trained by this version with `ear`. `weights` are the bytes
    /// of its `encoder.pt`; weights for the built-in encoder are not declared.
    pub fn current(ear: EarConfig, weights: &[u8], training: serde_json::Value) -> Self {
        Self {
            format: 1,
            ear,
            window_frames: WINDOW_FRAMES,
            hop_frames: HOP_FRAMES,
            floor_db: FLOOR_DB,
            params: MATCHED
                .iter()
                .map(|&row| {
                    let p = &PARAMS[row];
                    ContractParam {
                        id: p.id.into(),
                        scale: format!("{:?}", p.scale),
                        min: p.min,
                        max: p.max,
                    }
                })
                .collect(),
            weights_sha256: sha256_hex(weights),
            builtin_sha256: None,
            training,
        }
    }

    /// Parses a contract without checking it. Fails where `text` is not a contract in JSON.
    pub fn from_json(text: &str) -> Result<Self, ContractError> {
        serde_json::from_str(text).map_err(|e| ContractError::Malformed(e.to_string()))
    }

    /// Checks that this version can use the model; the error names the first difference.
    pub fn check(&self) -> Result<(), ContractError> {
        let here = Self::current(self.ear, &[], serde_json::Value::Null);
        let same = |what: &str, found: String, expected: String| {
            if found == expected {
                return Ok(());
            }
            Err(ContractError::Foreign {
                what: what.into(),
                found,
                expected,
            })
        };
        same("format", self.format.to_string(), here.format.to_string())?;
        same(
            "window_frames",
            self.window_frames.to_string(),
            here.window_frames.to_string(),
        )?;
        same(
            "hop_frames",
            self.hop_frames.to_string(),
            here.hop_frames.to_string(),
        )?;
        same(
            "floor_db",
            self.floor_db.to_string(),
            here.floor_db.to_string(),
        )?;
        same(
            "number of parameters",
            self.params.len().to_string(),
            here.params.len().to_string(),
        )?;
        for (theirs, ours) in self.params.iter().zip(&here.params) {
            same("a parameter", format!("{theirs:?}"), format!("{ours:?}"))?;
        }
        Ok(())
    }

    /// Checks that `weights` are the bytes of the `encoder.pt` that this contract was written for.
    pub fn check_weights(&self, weights: &[u8]) -> Result<(), ContractError> {
        same_file(WEIGHTS, weights, &self.weights_sha256).map(drop)
    }

    /// Checks that `weights` are the bytes of the `encoder.safetensors` that this contract was
    /// written for; returns their SHA-256, hex.
    pub fn check_builtin(&self, weights: &[u8]) -> Result<String, ContractError> {
        let expected = self
            .builtin_sha256
            .as_ref()
            .ok_or(ContractError::NoBuiltin)?;
        same_file(BUILTIN_WEIGHTS, weights, expected)
    }
}

/// Computes the SHA-256 of `bytes`; an error if it is not the expected one.
fn same_file(file: &'static str, bytes: &[u8], expected: &str) -> Result<String, ContractError> {
    let found = sha256_hex(bytes);
    if found == expected {
        return Ok(found);
    }
    Err(ContractError::Weights {
        file,
        found,
        expected: expected.into(),
    })
}

/// Converts `WINDOW_FRAMES * CHANNELS` linear ear outputs (frame-major) to the model's input:
/// decibels below the window's peak, quantised so that `FLOOR_DB` spans 0..=255 (255 is the peak).
/// A silent window is all 0.
pub fn quantize_window(window: &[f32], out: &mut [u8]) {
    debug_assert_eq!(window.len(), INPUT_LEN);
    debug_assert_eq!(out.len(), INPUT_LEN);
    let peak = window.iter().fold(0.0f32, |m, &v| m.max(v));
    // Quieter than about -120 dBFS is inaudible.
    if peak < 1e-7 {
        out.fill(0);
        return;
    }
    let scale = 20.0 * 255.0 / FLOOR_DB;
    let inverse = 1.0 / peak;
    for (o, &v) in out.iter_mut().zip(window) {
        // `as u8` saturates: anything below the floor is 0.
        *o = (255.5 + scale * (v * inverse).max(1e-9).log10()) as u8;
    }
}
