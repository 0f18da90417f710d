//! The presets: sets of filters by their centre frequencies, one row each.

use crate::error::EarError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Name and filters of a preset.
struct Row {
    name: &'static str,
    /// Rate in Hz at which the filters are meant to run.
    rate: f64,
    /// Centre frequency in Hz of one filter at that rate, and the filter's number.
    anchor: (f64, f64),
    /// Filters per octave.
    per_octave: f64,
}

/// Makes [`Preset`] and its table from one row per preset: variant, name (on the command line and
/// in contracts), rate, frequency and number of one filter, filters per octave.
macro_rules! presets {
    ($($(#[$doc:meta])* $preset:ident $name:literal $rate:literal Hz,
        $hz:literal Hz at $filter:literal, $per_octave:literal per octave;)*) => {
        /// A set of digital filters and the rate in Hz it is meant to run at.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Preset {
            $($(#[$doc])* #[serde(rename = $name)] $preset,)*
        }

        impl Preset {
            /// All presets, in the order of the table.
            pub const ALL: [Self; ROWS.len()] = [$(Self::$preset),*];
        }

        const ROWS: &[Row] = &[$(Row {
            name: $name,
            rate: $rate,
            anchor: ($hz, $filter),
            per_octave: $per_octave,
        }),*];
    };
}

presets! {
    /// The NSL model: 24 channels an octave, 180 Hz to 7.04 kHz, at 16 kHz.
    Nsl16k "nsl16k" 16_000.0 Hz, 440.0 Hz at 31.0, 24.0 per octave;
    /// The MirrorNet paper's setting: the same digital filters at 8 kHz, 90 Hz to 3.52 kHz.
    Nsl8k "nsl8k" 8_000.0 Hz, 220.0 Hz at 31.0, 24.0 per octave;
    /// Bass and brilliance: 16 channels an octave, 55 Hz to 13.5 kHz, at 32 kHz.
    Wide "wide" 32_000.0 Hz, 55.0 Hz at 0.0, 16.0 per octave;
}

impl Preset {
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The preset's name: `nsl16k`, `nsl8k` or `wide`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The rate in Hz at which the preset's filters are meant to run.
    pub fn rate(self) -> f64 {
        self.row().rate
    }

    /// Centre frequency of filter `k` (0 to 128) as a fraction of the rate the filters run at.
    pub(crate) fn ratio(self, k: usize) -> f64 {
        let row = self.row();
        let (hz, filter) = row.anchor;
        hz / row.rate * 2f64.powf((k as f64 - filter) / row.per_octave)
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = EarError;

    fn from_str(text: &str) -> Result<Self, EarError> {
        let named = Preset::ALL.into_iter().find(|preset| preset.name() == text);
        named.ok_or_else(|| {
            let names = Preset::ALL.map(Preset::name).join(", ");
            EarError::Config(format!("a preset is one of {names}, got {text:?}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presets_text_is_its_name_everywhere() {
        for preset in Preset::ALL {
            assert_eq!(preset.to_string(), preset.name());
            assert_eq!(preset.name().parse(), Ok(preset));
        }
        let refused = "nsl".parse::<Preset>().unwrap_err().to_string();
        assert!(Preset::ALL.iter().all(|p| refused.contains(p.name())));
    }

    #[test]
    fn filters_lie_at_the_published_frequencies() {
        for (preset, lowest, highest) in [
            (Preset::Nsl16k, 179.7, 7_040.0),
            (Preset::Nsl8k, 89.9, 3_520.0),
            (Preset::Wide, 55.0, 13_483.0),
        ] {
            for (filter, hz) in [(0, lowest), (127, highest)] {
                let is = preset.ratio(filter) * preset.rate();
                assert!(
                    (is / hz - 1.0).abs() < 1e-3,
                    "{preset} filter {filter}: {is}"
                );
            }
        }
        // The paper's preset is the same filters at half the rate, to the last bit.
        for filter in 0..=128 {
            let ratios = [Preset::Nsl16k, Preset::Nsl8k].map(|preset| preset.ratio(filter));
            assert_eq!(ratios[0].to_bits(), ratios[1].to_bits());
        }
    }
}
