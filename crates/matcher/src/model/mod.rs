//! The model: the [`Encoder`] trait, the [`Contract`] of a model's files, and the encoder in plain
//! Rust.

mod builtin;
mod contract;
mod encoder;

pub use builtin::{BuiltinEncoder, BuiltinError, INPUT_OFFSET, ModelFiles, SIGMA_RANGE};
pub use contract::{
    BUILTIN_WEIGHTS, CONTRACT, Contract, ContractError, FLOOR_DB, HOP_FRAMES, INPUT_LEN, WEIGHTS,
    WINDOW_FRAMES, quantize_window, sha256_hex,
};
pub use encoder::{Encoder, EncoderError, Inference, ListenError, MAX_BATCH};
pub(crate) use encoder::{LEAST_SIGMA, precision, weighted_sum, whole_windows};
