//! How alike two sounds are, and which notes a clip has.

mod likeness;
pub mod mel;
mod melody;

pub(crate) use likeness::aligned;
pub use likeness::{likeness, mel_distance, pitch_agreement};
pub use melody::melody;
