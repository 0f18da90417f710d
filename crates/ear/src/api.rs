#![allow(missing_docs)] // seam sketch, to be replaced by the real modules
use serde::{Deserialize, Serialize};

/// Frequency channels of a frame.
pub const CHANNELS: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset { Nsl16k, Nsl8k, Wide }

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HairCell { Linear, HalfWave, Hard, Factor(f32) }

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize { None, Clip, Running }

/// Everything that shapes a spectrogram; part of the model contract.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarConfig {
    pub preset: Preset,
    pub frame_ms: f32,
    pub tc_ms: f32,
    pub hair_cell: HairCell,
    pub normalize: Normalize,
    /// Run the preset's digital filters at the input's own rate instead of resampling.
    pub native_rate: bool,
}

impl Default for EarConfig {
    fn default() -> Self {
        Self { preset: Preset::Nsl16k, frame_ms: 8.0, tc_ms: 8.0, hair_cell: HairCell::Linear, normalize: Normalize::None, native_rate: false }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum EarError {
    #[error("{0}")]
    Config(String),
}

/// Pitch and gate of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PitchFrame {
    /// Fundamental in Hz; meaningful while `voiced`.
    pub hz: f32,
    /// Whether a pitched sound is present.
    pub voiced: bool,
    /// Normalised autocorrelation peak, 0 to 1.
    pub clarity: f32,
    /// RMS level in dBFS, at least -120.
    pub level_db: f32,
}

/// One frame: `spectrum` has CHANNELS values, lowest frequency first.
pub struct Frame<'a> {
    pub spectrum: &'a [f32; CHANNELS],
    /// Default when pitch tracking is off.
    pub pitch: PitchFrame,
}

pub struct Ear {}

impl Ear {
    /// Allocates everything for mono input at `input_rate` Hz (8,000 to 192,000). `pitch`: also track pitch.
    pub fn new(_config: &EarConfig, _input_rate: f64, _pitch: bool) -> Result<Self, EarError> { todo!() }
    /// Feeds any number of mono samples; calls `sink` for each finished frame. Real-time safe after `new`.
    pub fn process(&mut self, _input: &[f32], _sink: impl FnMut(Frame<'_>)) { todo!() }
    pub fn reset(&mut self) {}
    /// Frames per second (125 by default).
    pub fn frame_rate(&self) -> f64 { 125.0 }
    /// Input blocks whose NaN or infinite samples were heard as silence.
    pub fn faults(&self) -> u64 { 0 }
    /// Delay of the resampler in seconds.
    pub fn delay(&self) -> f64 { 0.0 }
}

/// A whole spectrogram, frames x CHANNELS, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrogram {
    pub data: Vec<f32>,
    /// One per frame; empty when pitch tracking was off.
    pub pitch: Vec<PitchFrame>,
    pub frame_rate: f64,
}

impl Spectrogram {
    pub fn frames(&self) -> usize { self.data.len() / CHANNELS }
    pub fn frame(&self, i: usize) -> &[f32] { &self.data[i * CHANNELS..][..CHANNELS] }
}

/// Hears a whole clip. The resampler's delay is compensated, so frame i ends at (i+1) frame periods.
pub fn spectrogram(_config: &EarConfig, _samples: &[f32], _rate: f64, _pitch: bool) -> Result<Spectrogram, EarError> { todo!() }

/// Centre frequencies in Hz of the channels.
pub fn centre_frequencies(_config: &EarConfig, _input_rate: f64) -> [f32; CHANNELS] { todo!() }
