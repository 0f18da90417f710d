//! The frequency response of a patch's filters, as an editor draws it.

use super::FilterSettings;
use crate::Patch;
use crate::settings::Settings;

/// Frequency response of a patch's filters for a steady note at middle C, without modulation.
pub struct FilterResponse {
    settings: FilterSettings,
    /// Low- and high-pass, as fractions of the sample rate.
    cutoffs: [f32; 2],
    /// Sample rate in Hz.
    sample_rate: f32,
}

impl FilterResponse {
    /// The response of `patch`'s filters at `sample_rate` in Hz.
    pub fn new(patch: &Patch, sample_rate: f32) -> Self {
        let settings = Settings::new(patch, sample_rate);
        Self {
            settings: settings.filter,
            cutoffs: [settings.cutoff, settings.high_pass],
            sample_rate,
        }
    }

    /// Gain at a frequency in Hz, from 0 to half the sample rate, as a factor of the amplitude. It
    /// is that of samples so small that nothing saturates: drive counts as gain. Beyond the edge of
    /// self-oscillation (full resonance with boost) it shows where the filter rings, not its level.
    pub fn gain(&self, hertz: f32) -> f32 {
        let frequency = f64::from(hertz) / f64::from(self.sample_rate);
        self.settings.response(self.cutoffs, frequency).norm() as f32
    }
}
