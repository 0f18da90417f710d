//! Measuring tools that several of the synth's tests share.

/// Largest second difference in a signal: of a tone of amplitude a and frequency w, a w^2.
pub fn bend(x: &[f32]) -> f32 {
    x.windows(3)
        .map(|w| (w[0] - 2.0 * w[1] + w[2]).abs())
        .fold(0.0, f32::max)
}
