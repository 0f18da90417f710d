//! The inverse model as the listener sees it.

use crate::model::INPUT_LEN;
use ear::EarError;
use synth::MATCHED_COUNT;

/// What one window says about the matched parameters, in the order of [`synth::MATCHED`].
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Inference {
    /// Normalised values.
    #[serde(with = "array")]
    pub mean: [f32; MATCHED_COUNT],
    /// Standard deviations of the normalised values.
    #[serde(with = "array")]
    pub sigma: [f32; MATCHED_COUNT],
}

impl Inference {
    /// How much the window said, 0 (no more than chance) to 1 (certain): the share of the parameters'
    /// variance that it explains, that of a uniform draw being 1/12. Sounds seldom show everything: a
    /// vibrato's rate without vibrato, a release in a held note.
    pub fn confidence(&self) -> f32 {
        let explained = self.sigma.map(|s| (1.0 - 12.0 * s * s).max(0.0));
        explained.iter().sum::<f32>() / MATCHED_COUNT as f32
    }
}

/// Smallest standard deviation that is believed.
pub(crate) const LEAST_SIGMA: f32 = 0.01;

/// Precision of an answer with this standard deviation: its weight in a mean over windows.
pub(crate) fn precision(sigma: f32) -> f32 {
    sigma.max(LEAST_SIGMA).powi(-2)
}

/// Sum of the values of `(standard deviation, value)` pairs weighted by precision, and the sum of the weights.
/// Weights are relative to the precision of the standard deviation `best`, so that they neither overflow nor
/// vanish.
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
    /// The same of every parameter, for tests.
    pub fn flat(mean: f32, sigma: f32) -> Self {
        Self {
            mean: [mean; MATCHED_COUNT],
            sigma: [sigma; MATCHED_COUNT],
        }
    }
}

/// Why there is no inference.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EncoderError {
    /// The engine can't answer now; the text is for the player.
    #[error("{0}")]
    Unavailable(String),
}

/// Why a sound can't be listened to.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The ear can't be made.
    #[error(transparent)]
    Ear(#[from] EarError),
    /// The encoder gives no answer.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
}

/// Refuses what is not one window after the other.
pub(crate) fn whole_windows(windows: &[u8]) -> Result<(), EncoderError> {
    match windows.len().is_multiple_of(INPUT_LEN) {
        true => Ok(()),
        false => Err(EncoderError::Unavailable(format!(
            "{} bytes are not whole windows of {INPUT_LEN}",
            windows.len()
        ))),
    }
}

/// Most windows that an encoder is asked about at once.
pub const MAX_BATCH: usize = 64;

/// Maps quantised windows to inferences.
pub trait Encoder: Send {
    /// `windows` holds one or more windows of [`crate::model::INPUT_LEN`] bytes (see
    /// [`crate::model::quantize_window`]); returns one inference per window. May block; never
    /// called on an audio thread.
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError>;
}

impl<E: Encoder + ?Sized> Encoder for &mut E {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        (**self).infer(windows)
    }
}

impl<E: Encoder + ?Sized> Encoder for Box<E> {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        (**self).infer(windows)
    }
}

/// serde has no impl for arrays of any length.
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
