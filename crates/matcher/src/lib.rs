//! The loop at run time: listen, infer, apply, refine. Knows no torch and no host.

pub mod builtin;
pub mod cma;
pub mod contract;
pub mod correction;
pub mod encoder;
pub mod engine;
pub mod infer;
pub mod likeness;
pub mod listener;
pub mod live;
pub mod mel;
pub mod melody;
mod onset;
pub mod protocol;
pub mod refine;
pub mod resynthesis;
pub mod target;
pub mod tracker;

pub use contract::{Contract, HOP_FRAMES, INPUT_LEN, WINDOW_FRAMES};
pub use encoder::{Encoder, EncoderError, Inference, ListenError};
pub use target::Target;
