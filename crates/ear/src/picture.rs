//! Spectrograms as pictures: cells in decibels below a peak.

/// Brightness of all cells against the largest value of `data`: 1 there, 0 at `floor_db` below it,
/// linear in dB between them; all 0 if everything is silent.
///
/// Same layout as `data`. `floor_db` is positive, 60 typically.
pub fn decibel_image(data: &[f32], floor_db: f32) -> Vec<f32> {
    let peak = data.iter().copied().fold(0.0, f32::max);
    data.iter()
        .map(|&value| brightness(value, peak, floor_db))
        .collect()
}

/// Brightness of one cell, 0 to 1: `value` against `peak`, see [`decibel_image`].
pub fn brightness(value: f32, peak: f32, floor_db: f32) -> f32 {
    if value > 0.0 && peak > 0.0 {
        (1.0 + 20.0 * (value / peak).log10() / floor_db).clamp(0.0, 1.0)
    } else {
        0.0
    }
}
