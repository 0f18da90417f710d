//! The brain: MirrorNet's networks, their trainer, and the engine process. The only crate that names
//! torch.

pub mod audio;
pub mod evaluate;
pub mod midi;
pub mod model;
mod picture;
pub mod plant;
pub mod serve;
pub mod spectrogram_picture;
pub mod torchscript;
pub mod track;
pub mod train;
