//! MirrorNet's networks, their trainer, the models it exports, and the engine process that serves
//! them. The only crate that names torch.

pub mod adopt;
pub mod export;
mod file_set;
pub mod model;
pub mod serve;
pub mod torchscript;
pub mod track;
pub mod train;
