//! How alike two sounds are: the one metric shown to players and used by search, tests and reports.
// TODO(helper): to be written. Signatures are the seam.

use ear::Spectrogram;

/// Likeness of two spectrograms (GOALS.md): the largest Pearson correlation over all cells within
/// +-40 ms of shift; the shorter is padded with silence. One side constant = 0, both silent = 1.
pub fn likeness(_a: &Spectrogram, _b: &Spectrogram) -> f32 {
    todo!()
}

/// Multi-scale log-mel distance in dB of two mono signals at the same `rate`: full band, each
/// peak-normalised.
pub fn mel_distance(_a: &[f32], _b: &[f32], _rate: f64) -> f32 {
    todo!()
}
