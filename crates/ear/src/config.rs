//! Settings of the ear: preset, frames, hair cell, normalisation. Part of the model contract.

use crate::error::EarError;
use crate::preset::Preset;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Frequency channels of a frame.
pub const CHANNELS: usize = 128;

/// Length of a frame of the default ear in seconds: 125 frames per second.
pub const FRAME_SECONDS: f64 = 0.008;

/// Lowest and highest input rate in Hz.
pub const INPUT_RATES: (f64, f64) = (8_000.0, 192_000.0);

/// The hair cell's transfer curve. All but `Linear` are followed by the membrane's low-pass.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HairCell {
    /// The identity `y`, without membrane.
    Linear,
    /// Half-wave rectification `max(y, 0)`.
    HalfWave,
    /// 1 where `y > 0`, otherwise 0.
    Hard,
    /// `1 / (1 + exp(-y / factor))`; the factor is positive, 0.1 typically.
    Factor(f32),
}

/// Normalisation of the input's level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// Samples are used as they are.
    None,
    /// The whole clip to zero mean and unit standard deviation (n - 1). Not for live input.
    Clip,
    /// Causal: by the mean and deviation of the past, forgotten over a second.
    Running,
}

/// Settings of the ear; part of the model contract.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarConfig {
    /// Filters and their rate.
    pub preset: Preset,
    /// Frame length in ms, 1 to 100; rounded to whole samples.
    pub frame_ms: f32,
    /// Time constant of the leaky integration in ms, 0.1 to 1000.
    pub tc_ms: f32,
    /// Hair cell curve.
    pub hair_cell: HairCell,
    /// Level normalisation.
    pub normalize: Normalize,
    /// True if the preset's digital filters run at the input's own rate instead of resampling; all
    /// centre frequencies then scale with the rate.
    pub native_rate: bool,
}

impl Default for EarConfig {
    fn default() -> Self {
        Self {
            preset: Preset::Nsl16k,
            frame_ms: (1000.0 * FRAME_SECONDS) as f32,
            tc_ms: 8.0,
            hair_cell: HairCell::Linear,
            normalize: Normalize::None,
            native_rate: false,
        }
    }
}

impl EarConfig {
    /// Checks every setting against its range, and `input_rate` in Hz against [`INPUT_RATES`].
    pub fn validate(&self, input_rate: f64) -> Result<(), EarError> {
        let fail = |text: String| Err(EarError::Config(text));
        let (low, high) = INPUT_RATES;
        if !(low..=high).contains(&input_rate) {
            return fail(format!(
                "the ear takes input at {low} to {high} Hz, got {input_rate} Hz; resample the input"
            ));
        }
        if !(1.0..=100.0).contains(&self.frame_ms) {
            return fail(format!("frame-ms is 1 to 100, got {}", self.frame_ms));
        }
        if !(0.1..=1000.0).contains(&self.tc_ms) {
            return fail(format!("tc-ms is 0.1 to 1000, got {}", self.tc_ms));
        }
        match self.hair_cell {
            HairCell::Factor(f) if !(1e-4..=1e4).contains(&f) => {
                fail(format!("a hair-cell factor is 0.0001 to 10000, got {f}"))
            }
            _ => Ok(()),
        }
    }

    /// The rate in Hz at which the filters run for input at `input_rate` Hz.
    pub fn filter_rate(&self, input_rate: f64) -> f64 {
        if self.native_rate {
            input_rate
        } else {
            self.preset.rate()
        }
    }

    /// Samples of one frame at the filters' rate.
    pub fn frame_len(&self, input_rate: f64) -> usize {
        (f64::from(self.frame_ms) * self.filter_rate(input_rate) / 1000.0).round() as usize
    }

    /// Frames per second, for input at `input_rate` Hz.
    pub fn frame_rate(&self, input_rate: f64) -> f64 {
        self.filter_rate(input_rate) / self.frame_len(input_rate) as f64
    }
}

/// Centre frequencies in Hz of the channels, lowest first, for input at `input_rate` Hz.
pub fn centre_frequencies(config: &EarConfig, input_rate: f64) -> [f32; CHANNELS] {
    let rate = config.filter_rate(input_rate);
    std::array::from_fn(|k| (config.preset.ratio(k) * rate) as f32)
}

impl fmt::Display for HairCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HairCell::Linear => f.write_str("linear"),
            HairCell::HalfWave => f.write_str("half-wave"),
            HairCell::Hard => f.write_str("hard"),
            HairCell::Factor(factor) => write!(f, "{factor}"),
        }
    }
}

impl FromStr for HairCell {
    type Err = EarError;

    fn from_str(text: &str) -> Result<Self, EarError> {
        match text {
            "linear" => Ok(HairCell::Linear),
            "half-wave" => Ok(HairCell::HalfWave),
            "hard" => Ok(HairCell::Hard),
            _ => match text.parse::<f32>() {
                Ok(factor) if factor > 0.0 && factor.is_finite() => Ok(HairCell::Factor(factor)),
                _ => Err(EarError::Config(format!(
                    "a hair cell is linear, half-wave, hard or a positive factor such as 0.1, got {text:?}"
                ))),
            },
        }
    }
}

impl fmt::Display for Normalize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Normalize::None => "none",
            Normalize::Clip => "clip",
            Normalize::Running => "running",
        })
    }
}

impl FromStr for Normalize {
    type Err = EarError;

    fn from_str(text: &str) -> Result<Self, EarError> {
        match text {
            "none" => Ok(Normalize::None),
            "clip" => Ok(Normalize::Clip),
            "running" => Ok(Normalize::Running),
            _ => Err(EarError::Config(format!(
                "a normalisation is none, clip or running, got {text:?}"
            ))),
        }
    }
}
