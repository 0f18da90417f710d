//! A model that filters nothing: it is bit-transparent, and the high-pass is bypassed too.

use super::FilterSettings;
use super::model::{Cutoff, Mode, Model};
use realfft::num_complex::Complex64;
use simd::Vector;

/// The absence of a filter, as a model.
pub struct Off;

impl Model for Off {
    type Coefficients<T: Copy> = [T; 0];
    type States<T: Copy> = [T; 0];
    const MODES: [Mode; 2] = [Mode::Bypass; 2];

    #[inline(always)]
    fn input_gain(_: &FilterSettings) -> f32 {
        1.0
    }

    #[inline(always)]
    fn coefficients(_: &FilterSettings, _: &Cutoff) -> [f32; 0] {
        []
    }

    fn kick(_: f32) -> [f32; 0] {
        []
    }

    #[inline(always)]
    fn process<V: Vector>(
        _: V,
        _: Mode,
        _: &mut [V::F],
        _: V::F,
        _: &[V::F; 0],
        _: &mut [V::F; 0],
    ) {
    }

    fn response(_: &[f32; 0], _: Complex64) -> Complex64 {
        1.0.into()
    }
}
