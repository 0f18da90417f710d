//! Batches of training windows as tensors.

use crate::model::{C, P, T};
use crate::track::{SCALARS, Track};
use matcher::INPUT_LEN;
use mirrornet::parallel::on_quarter;
use mirrornet::samples::collected::Collected;
use tch::{Device, Kind, Tensor};

/// A batch on a device: `B` windows, of which the first `h.size()[0]` have known parameters.
pub struct Batch {
    /// Windows as the encoder hears them: `[B, T, C]` in `[0, 1]`.
    pub heard: Tensor,
    /// Windows as the decoder should give them: `[B, T, C]` in `[0, 1]`.
    pub clean: Tensor,
    /// True parameters `[B or fewer, P]`.
    pub h: Tensor,
    /// Comb table rows `[B, 2, T]`.
    pub keys: Tensor,
    /// Note scalars `[B, SCALARS, T]`.
    pub scalars: Tensor,
}

impl Batch {
    /// Another handle to the same tensors.
    pub fn shallow_clone(&self) -> Self {
        Self {
            heard: self.heard.shallow_clone(),
            clean: self.clean.shallow_clone(),
            h: self.h.shallow_clone(),
            keys: self.keys.shallow_clone(),
            scalars: self.scalars.shallow_clone(),
        }
    }

    /// Copies what was collected to `device`.
    pub fn new(collected: &Collected, device: Device) -> Self {
        let b = collected.phrases.len() as i64;
        debug_assert_eq!(collected.heard.len(), collected.phrases.len() * INPUT_LEN);
        let windows = |bytes: &[u8]| {
            Tensor::from_data_size(bytes, &[b, T, C], Kind::Uint8)
                .to_device(device)
                .to_kind(Kind::Float)
                / 255.0
        };
        let (mut keys, mut scalars) = (Vec::new(), Vec::new());
        for track in on_quarter(&collected.phrases, |p| Track::new(&p.notes, p.start)) {
            keys.extend_from_slice(&track.keys);
            scalars.extend_from_slice(&track.scalars);
        }
        Self {
            heard: windows(&collected.heard),
            clean: windows(&collected.clean),
            h: Tensor::from_slice(&collected.h)
                .view([-1, P])
                .to_device(device),
            keys: Tensor::from_slice(&keys).view([b, 2, T]).to_device(device),
            scalars: Tensor::from_slice(&scalars)
                .view([b, SCALARS as i64, T])
                .to_device(device),
        }
    }
}
