//! The body: a real-time subtractive synthesizer. Knows no host, no network and no ear.

mod automation;
mod batch;
mod common;
mod effects;
mod envelope;
mod event;
mod filter;
mod glide;
mod lfo;
mod math;
mod matrix;
mod offsets;
mod oscillator;
mod output;
pub mod params;
pub mod patch;
mod render;
mod settings;
mod synth;
mod tones;
mod voice;
mod wavetable;

pub use automation::Automation;
pub use batch::{Batch, Job};
pub use common::Transport;
pub use event::{Event, EventKind};
pub use params::{COUNT, MATCHED, MATCHED_COUNT, PARAMS, Param, Scale, Section, Unit};
pub use patch::{Patch, PatchError};
pub use render::{Note, notes_to_events, render, render_changes, render_mono, to_mono};
pub use settings::part::can_modulate;
pub use simd::InstructionSet;
pub use synth::{Ended, Synth};

/// Samples between control updates: modulators are evaluated on this grid, and what would be heard
/// to step is ramped in between.
pub const CONTROL: usize = 16;
