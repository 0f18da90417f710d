//! The body: a real-time subtractive synthesizer. Knows no host, no network and no ear.

pub mod params;
pub mod patch;
mod synth;

pub use params::{COUNT, MATCHED, MATCHED_COUNT, PARAMS, Param, Scale, Section, Unit};
pub use patch::{Patch, PatchError};
pub use synth::{Event, EventKind, Note, Synth, render};
