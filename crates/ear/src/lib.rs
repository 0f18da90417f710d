//! The ear: causal, streaming auditory spectrogram and pitch tracker. Knows no synth, no network.

mod api;
pub use api::*;
