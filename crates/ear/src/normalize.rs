//! The running normaliser: zero mean and unit deviation, estimated from the past.

/// Time constant in seconds with which the past fades.
const MEMORY_SECONDS: f64 = 1.0;
/// Power added to the estimate, so that silence stays quiet: -60 dB re full scale.
const FLOOR: f32 = 1e-6;
/// Values below this are set to 0: a fading memory must not become denormal.
const NEGLIGIBLE: f32 = 1e-20;

/// Subtracts the mean and divides by the deviation of the recent past, both causal. In the first
/// second all samples have equal weight; later the past fades exponentially.
pub(crate) struct RunningNormalizer {
    memory: f32,
    heard: f32,
    mean: f32,
    power: f32,
}

impl RunningNormalizer {
    /// A normaliser for samples at `rate` Hz.
    pub(crate) fn new(rate: f64) -> Self {
        Self {
            memory: (rate * MEMORY_SECONDS) as f32,
            heard: 0.0,
            mean: 0.0,
            power: 0.0,
        }
    }

    /// Forgets everything heard.
    pub(crate) fn reset(&mut self) {
        (self.heard, self.mean, self.power) = (0.0, 0.0, 0.0);
    }

    /// Normalises `samples` in place.
    pub(crate) fn process(&mut self, samples: &mut [f32]) {
        for x in samples {
            self.heard = (self.heard + 1.0).min(self.memory);
            let share = 1.0 / self.heard;
            self.mean += (*x - self.mean) * share;
            let centred = *x - self.mean;
            self.power += (centred * centred - self.power) * share;
            *x = centred / (self.power + FLOOR).sqrt();
        }
        if self.mean.abs() < NEGLIGIBLE {
            self.mean = 0.0;
        }
        if self.power < NEGLIGIBLE {
            self.power = 0.0;
        }
    }
}
