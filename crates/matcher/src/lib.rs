//! The run-time loop: listen, infer, apply, search. Depends on neither torch nor a plugin host.
//!
//! | module | what it does |
//! |---|---|
//! | (root) | the model: its contract, the [`Encoder`] trait and the encoder in plain Rust |
//! | [`engine`] | client of the process that runs TorchScript |
//! | [`live`] | the listener: sound in, timed [`live::Target`]s out |
//! | [`metric`] | likeness, mel distance, notes of a clip |
//! | [`search`] | search for the patch that sounds most like a clip or a phrase |
//!
//! The root is the lowest layer: `engine` and `metric` use only the root, `search` uses the root
//! and `metric`, `live` uses all of them.

pub mod engine;
pub mod live;
pub mod metric;
mod model;
pub mod search;

pub use model::{
    BUILTIN_WEIGHTS, BuiltinEncoder, BuiltinError, CONTRACT, Contract, ContractError, Encoder,
    EncoderError, FLOOR_DB, HOP_FRAMES, INPUT_LEN, INPUT_OFFSET, Inference, ListenError, MAX_BATCH,
    ModelFiles, SIGMA_RANGE, WEIGHTS, WINDOW_FRAMES, quantize_window, sha256_hex,
};
