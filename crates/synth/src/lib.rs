//! The body: a real-time subtractive synthesizer. Knows no host, no network and no ear.

mod automation;
mod batch;
mod choice;
mod controllers;
pub mod curves;
mod effects;
mod envelope;
mod event;
mod filter;
mod generators;
mod glide;
mod lean;
mod lfo;
mod math;
mod matrix;
mod note_modulation;
mod oscillator;
mod output;
pub mod params;
pub mod patch;
mod render;
mod settings;
mod shared;
mod synth;
mod tail;
mod transport;
mod voice;
mod wavetable;
mod zones;

pub use automation::Automation;
pub use batch::{Batch, Job};
pub use event::{ANY_CHANNEL, ANY_KEY, Event, EventKind};
pub use filter::FilterResponse;
pub use lean::Lean;
pub use params::{
    COUNT, MATCHED, MATCHED_COUNT, PARAMS, Param, Scale, Section, Unit, can_modulate,
};
pub use patch::{Patch, PatchError};
pub use render::{Note, notes_to_events, render, render_changes, render_mono, to_mono};
pub use simd::InstructionSet;
pub use synth::{Ended, Synth};
pub use transport::Transport;

/// Samples between control updates: modulators are evaluated on this grid, and whatever would be
/// heard to step is ramped in between.
pub const CONTROL: usize = 16;

/// The samples of a control step.
type Samples = [f32; CONTROL];
/// Phases at each sample of a control step, 2^-32 cycles.
type Phases = [i32; CONTROL];
