//! The inverse model's interface: an [`Encoder`] maps windows to [`Inference`]s.

use crate::model::INPUT_LEN;
use ear::EarError;
use synth::MATCHED_COUNT;

/// Means and standard deviations of the matched parameters inferred from a window, in the order of
/// [`synth::MATCHED`].
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Inference {
    /// Means, normalised to 0..=1.
    #[serde(with = "array")]
    pub mean: [f32; MATCHED_COUNT],
    /// Standard deviations of the normalised values.
    #[serde(with = "array")]
    pub sigma: [f32; MATCHED_COUNT],
}

impl Inference {
    /// Confidence, 0 (no better than chance) to 1 (certain): the share of the parameters' variance
    /// that the window explains, that of a uniform draw being 1/12. Few sounds show every
    /// parameter: without vibrato its rate is unknown, and in a held note the release.
    pub fn confidence(&self) -> f32 {
        let explained = self.sigma.map(|s| (1.0 - 12.0 * s * s).max(0.0));
        explained.iter().sum::<f32>() / MATCHED_COUNT as f32
    }
}

/// Standard deviation, normalised, below which an answer counts as no more precise.
pub(crate) const LEAST_SIGMA: f32 = 0.01;

/// Precision of an answer with the standard deviation `sigma`: its weight in a mean over windows.
pub(crate) fn precision(sigma: f32) -> f32 {
    sigma.max(LEAST_SIGMA).powi(-2)
}

/// Sums the values of `(standard deviation, value)` pairs weighted by precision, and the weights.
/// Weights are relative to the precision of the standard deviation `best`, so that they neither
/// overflow nor vanish.
pub(crate) fn weighted_sum(best: f32, seen: impl IntoIterator<Item = (f32, f32)>) -> (f32, f32) {
    let best = precision(best);
    let (mut sum, mut total) = (0.0, 0.0);
    for (sigma, value) in seen {
        let relative = precision(sigma) / best;
        sum += relative * value;
        total += relative;
    }
    (sum, total)
}

#[cfg(test)]
impl Inference {
    /// An inference with one mean and standard deviation for all parameters, for tests.
    pub fn flat(mean: f32, sigma: f32) -> Self {
        Self {
            mean: [mean; MATCHED_COUNT],
            sigma: [sigma; MATCHED_COUNT],
        }
    }
}

/// Reason why there is no inference.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EncoderError {
    /// The encoder can't answer now; the text is shown to the player.
    #[error("{0}")]
    Unavailable(String),
}

/// Reason why inference from a sound fails.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The ear can't be created.
    #[error(transparent)]
    Ear(#[from] EarError),
    /// The encoder gives no answer.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
}

/// Checks that `windows` is a whole number of windows of [`INPUT_LEN`] bytes.
pub(crate) fn whole_windows(windows: &[u8]) -> Result<(), EncoderError> {
    match windows.len().is_multiple_of(INPUT_LEN) {
        true => Ok(()),
        false => Err(EncoderError::Unavailable(format!(
            "{} bytes of windows: expected a multiple of {INPUT_LEN}",
            windows.len()
        ))),
    }
}

/// Largest number of windows in a batch.
pub const MAX_BATCH: usize = 64;

/// Maps quantised windows to inferences.
pub trait Encoder: Send {
    /// Infers the parameters of one or more windows of [`crate::model::INPUT_LEN`] bytes each (see
    /// [`crate::model::quantize_window`]); returns one inference per window. May block; never
    /// called on an audio thread.
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError>;

    /// Creates an encoder with the same answers for another thread, where that costs little.
    fn fork(&self) -> Option<Box<dyn Encoder>> {
        None
    }
}

impl<E: Encoder + ?Sized> Encoder for &mut E {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        (**self).infer(windows)
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        (**self).fork()
    }
}

impl<E: Encoder + ?Sized> Encoder for Box<E> {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        (**self).infer(windows)
    }

    fn fork(&self) -> Option<Box<dyn Encoder>> {
        (**self).fork()
    }
}

/// Serialization of arrays of any length, which serde lacks.
mod array {
    use super::MATCHED_COUNT;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub fn serialize<S: Serializer>(v: &[f32; MATCHED_COUNT], s: S) -> Result<S::Ok, S::Error> {
        v.as_slice().serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[f32; MATCHED_COUNT], D::Error> {
        let v = Vec::<f32>::deserialize(d)?;
        let n = v.len();
        v.try_into()
            .map_err(|_| D::Error::invalid_length(n, &"one number per matched parameter"))
    }
}
