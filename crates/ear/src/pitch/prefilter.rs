//! The pitch tracker's band-pass, which keeps the band of the fundamentals.

/// Cutoff in Hz of the low-pass: partials above it only blur short lags.
const LOWPASS_HZ: f64 = 2_500.0;
/// Cutoff in Hz of the high-pass, below the lowest pitch: a constant would look periodic at every
/// lag.
const HIGHPASS_HZ: f64 = 30.0;

/// Band-pass before the correlation: a first-order high-pass and a second-order Butterworth
/// low-pass.
pub(super) struct Prefilter {
    high: f32,
    low: [f32; 3],
    mean: f32,
    s1: f32,
    s2: f32,
}

impl Prefilter {
    /// A filter at `rate` Hz.
    pub(super) fn new(rate: f64) -> Self {
        // Trapezoidal state-variable low-pass (Zavalishin), which stays exact at low cutoffs.
        let g = (std::f64::consts::PI * (LOWPASS_HZ / rate).min(0.45)).tan();
        let a1 = 1.0 / (1.0 + g * (g + std::f64::consts::SQRT_2));
        let high = 1.0 - (-std::f64::consts::TAU * HIGHPASS_HZ / rate).exp();
        let low = [a1 as f32, (g * a1) as f32, (g * g * a1) as f32];
        Self {
            high: high as f32,
            low,
            mean: 0.0,
            s1: 0.0,
            s2: 0.0,
        }
    }

    /// Forgets everything heard.
    pub(super) fn reset(&mut self) {
        (self.mean, self.s1, self.s2) = (0.0, 0.0, 0.0);
    }

    /// Filters one sample.
    #[inline]
    pub(super) fn process(&mut self, x: f32) -> f32 {
        self.mean += self.high * (x - self.mean);
        let [a1, a2, a3] = self.low;
        let v3 = x - self.mean - self.s2;
        let v1 = a1 * self.s1 + a2 * v3;
        let v2 = self.s2 + a2 * self.s1 + a3 * v3;
        self.s1 = 2.0 * v1 - self.s1;
        self.s2 = 2.0 * v2 - self.s2;
        v2
    }

    /// Ends a fading tail before it becomes denormal.
    pub(super) fn flush_denormals(&mut self) {
        for s in [&mut self.mean, &mut self.s1, &mut self.s2] {
            if s.abs() < 1e-20 {
                *s = 0.0;
            }
        }
    }
}

/// The high-pass of the band of high notes: thumps, breath and bow noise lie below it.
pub(super) struct HighPass {
    damping: f32,
    a1: f32,
    g: f32,
    s1: f32,
    s2: f32,
}

impl HighPass {
    /// A second-order Butterworth filter with its cutoff at `hz`, for samples at `rate` Hz.
    pub(super) fn new(hz: f64, rate: f64) -> Self {
        let g = (std::f64::consts::PI * hz / rate).tan();
        let a1 = 1.0 / (1.0 + g * (g + std::f64::consts::SQRT_2));
        Self {
            damping: std::f32::consts::SQRT_2,
            a1: a1 as f32,
            g: g as f32,
            s1: 0.0,
            s2: 0.0,
        }
    }

    /// Forgets everything heard.
    pub(super) fn reset(&mut self) {
        (self.s1, self.s2) = (0.0, 0.0);
    }

    /// Filters one sample.
    #[inline]
    pub(super) fn process(&mut self, x: f32) -> f32 {
        let high = (x - (self.damping + self.g) * self.s1 - self.s2) * self.a1;
        let band = self.g * high + self.s1;
        let low = self.g * band + self.s2;
        self.s1 = self.g * high + band;
        self.s2 = self.g * band + low;
        high
    }

    /// Ends a fading tail before it becomes denormal.
    pub(super) fn flush_denormals(&mut self) {
        for s in [&mut self.s1, &mut self.s2] {
            if s.abs() < 1e-20 {
                *s = 0.0;
            }
        }
    }
}
