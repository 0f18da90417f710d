//! Products, norms and differences of the search's long rows of f32.

use crate::metric::mel::FLOOR_DB;
use ear::CHANNELS;

/// Inner product. Rows of [`CHANNELS`] are summed in f32, eight lanes wide, and added up in f64.
pub(super) fn product(x: &[f32], y: &[f32]) -> f64 {
    let rows = x.chunks(CHANNELS).zip(y.chunks(CHANNELS));
    rows.map(|(x, y)| {
        let mut sums = [0.0f32; 8];
        for (x, y) in x.chunks_exact(8).zip(y.chunks_exact(8)) {
            for i in 0..8 {
                sums[i] += x[i] * y[i];
            }
        }
        f64::from(sums.iter().sum::<f32>())
    })
    .sum()
}

/// Squared Euclidean norm.
pub(super) fn sum_of_squares(x: &[f32]) -> f64 {
    product(x, x)
}

/// Subtracts the mean from `x` and scales it to norm 1; zeros where `x` is constant.
pub(super) fn standardized(x: &[f32]) -> Vec<f32> {
    let mean = (x.iter().map(|&v| f64::from(v)).sum::<f64>() / x.len().max(1) as f64) as f32;
    let centred: Vec<f32> = x.iter().map(|v| v - mean).collect();
    let norm = sum_of_squares(&centred).sqrt();
    if norm == 0.0 {
        return centred;
    }
    let by = (1.0 / norm) as f32;
    centred.iter().map(|v| v * by).collect()
}

/// Sum of absolute differences of cells in dB, with `b` raised by `gain_db`; a shorter `b` is
/// padded with silence.
pub(super) fn absolute_difference(a: &[f32], b: &[f32], gain_db: f32) -> f64 {
    let silence = std::iter::repeat(-FLOOR_DB);
    let b = b
        .iter()
        .map(|b| (b + gain_db).max(-FLOOR_DB))
        .chain(silence);
    a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum()
}

/// Adds `by` times `x` to `y`.
pub(super) fn add_scaled(y: &mut [f32], by: f32, x: &[f32]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += by * x);
}
