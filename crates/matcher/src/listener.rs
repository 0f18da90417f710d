//! Samples -> ear -> window -> encoder -> inference. No threads here: `step` is testable alone.
// Seam sketch.

use crate::encoder::{Encoder, EncoderError, Inference};
use ear::{CHANNELS, EarConfig, EarError, PitchFrame};

/// What a step brought.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// Frames heard since reset, up to and including the window's last.
    pub frame: u64,
    /// The smoothed inference now held.
    pub inference: Inference,
    /// Confidence of the newest window, 0 to 1.
    pub confidence: f32,
    /// Whether the newest window was good enough to move the held inference.
    pub moved: bool,
}

/// Listens to one reference.
pub struct Listener<E> {
    _encoder: E,
}

impl<E: Encoder> Listener<E> {
    /// `input_rate` of the samples to come, Hz.
    pub fn new(_ear: &EarConfig, _input_rate: f64, _encoder: E) -> Result<Self, EarError> {
        todo!()
    }
    /// Hears `mono`; calls `on_frame` for each frame, and `on_inference` after every HOP_FRAMES-th.
    /// An encoder error is handed on and the samples are not lost for the next window.
    pub fn step(
        &mut self,
        _mono: &[f32],
        _on_frame: impl FnMut(&[f32; CHANNELS], PitchFrame),
        _on_inference: impl FnMut(Result<Heard, EncoderError>),
    ) {
        todo!()
    }
    /// Forgets everything heard and held.
    pub fn reset(&mut self) {}
    /// Forgets the held inference only.
    pub fn clear(&mut self) {}
}
