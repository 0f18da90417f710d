//! The ear: causal, streaming auditory spectrogram and pitch tracker. Knows no synth, no network.

mod cochlea;
mod config;
mod design;
mod ear;
mod normalize;
mod pitch;
mod resample;
mod simd;
mod spectrogram;

pub use config::{
    CHANNELS, EarConfig, EarError, HairCell, INPUT_RATES, Normalize, Preset, centre_frequencies,
};
pub use ear::{Ear, Frame};
pub use pitch::PitchFrame;
pub use simd::InstructionSet;
pub use spectrogram::{Spectrogram, brightness, decibel_image, spectrogram, write_npy};
