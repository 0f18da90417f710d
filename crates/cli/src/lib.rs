//! The torch-free half of the tools: files in and out, the encoders a command can choose between,
//! labelled samples for training, and the evaluation of a model. The `mirrornet` command is a thin
//! layer over it.

pub mod command_line;
pub mod encoder;
pub mod evaluate;
pub mod experiments;
pub mod files;
pub mod midi;
pub mod npy;
pub mod parallel;
pub mod pictures;
pub mod samples;
pub mod settings;
pub mod timed;
pub mod values;
pub mod wav;
