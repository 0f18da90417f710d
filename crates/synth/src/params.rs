//! THE parameter table: one row per parameter. Ids, knobs, host parameters, JSON, sampling, the
//! matrix's destinations, the network's outputs and the loss are all views of it.
//!
//! Every parameter is a number. Its *normalised* value in `[0, 1]` is the currency of host,
//! encoder, sampler and loss; its *plain* value is in the row's unit. The row's [`Scale`] joins the
//! two and is chosen perceptually: equal normalised steps should sound about equally large.

mod choices;
mod destinations;
mod group;
mod table;

pub use choices::*;
pub use table::*;

pub(crate) use destinations::Destination;
pub(crate) use group::{Group, Groups};

use Scale::{Linear, Log, Power};

/// The panels of the instrument, to each of which parameters belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// First oscillator.
    Osc1,
    /// Second oscillator.
    Osc2,
    /// Copies and phases of both oscillators.
    Unison,
    /// Levels of the sources.
    Mixer,
    /// Filters.
    Filter,
    /// Envelope of the filter cutoff.
    FilterEnv,
    /// Envelope of the amplitude.
    AmpEnv,
    /// First low-frequency oscillator.
    Lfo,
    /// Second low-frequency oscillator.
    Lfo2,
    /// First half of the modulation matrix.
    Modulation,
    /// Second half of the modulation matrix.
    Modulation2,
    /// Play mode, voices, MPE and glide.
    Voice,
    /// Chorus, after the voices.
    Chorus,
    /// Delay, after the chorus.
    Delay,
    /// Reverb, after the delay.
    Reverb,
}

impl Section {
    /// Panel heading.
    pub fn name(self) -> &'static str {
        match self {
            Section::Osc1 => "Oscillator 1",
            Section::Osc2 => "Oscillator 2",
            Section::Unison => "Unison",
            Section::Mixer => "Mixer",
            Section::Filter => "Filter",
            Section::FilterEnv => "Filter envelope",
            Section::AmpEnv => "Amp envelope",
            Section::Lfo => "LFO 1",
            Section::Lfo2 => "LFO 2",
            Section::Modulation => "Modulation 1 to 4",
            Section::Modulation2 => "Modulation 5 to 8",
            Section::Voice => "Voice",
            Section::Chorus => "Chorus",
            Section::Delay => "Delay",
            Section::Reverb => "Reverb",
        }
    }
}

/// Unit of a parameter's plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Named whole numbers from 0 on, and what lies between two of them.
    Between(&'static [&'static str]),
    /// 0 to 1, shown as 0 to 100 %.
    Percent,
    /// Hertz.
    Hertz,
    /// Seconds.
    Seconds,
    /// Semitones.
    Semitones,
    /// Cents.
    Cents,
    /// Decibels.
    Decibels,
    /// A whole number of things.
    Count,
    /// One of several: the plain value, rounded, is the index of its name.
    Choice(&'static [&'static str]),
}

/// The curve between normalised and plain values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// plain = min + x (max - min).
    Linear,
    /// plain = min (max / min)^x; needs min > 0.
    Log,
    /// plain = min + x^k (max - min): finer steps near min for k > 1.
    Power(f32),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Stable identifier: host automation, JSON and model contracts refer to it.
    pub id: &'static str,
    /// Name shown to players.
    pub name: &'static str,
    /// Panel.
    pub section: Section,
    /// Unit of the plain value.
    pub unit: Unit,
    /// Curve between normalised and plain.
    pub scale: Scale,
    /// Smallest plain value.
    pub min: f32,
    /// Largest plain value.
    pub max: f32,
    /// Plain value of the init patch.
    pub default: f32,
    /// Whether the matcher may set it.
    pub matched: bool,
    /// The version of MirrorNet that brought it: states and patches of older ones lack it.
    pub since: &'static str,
}

impl Param {
    /// Plain value of the normalised `x`; `x` is clamped to `[0, 1]`, NaN gives the default.
    pub fn plain(&self, x: f32) -> f32 {
        if x.is_nan() {
            return self.default;
        }
        let x = x.clamp(0.0, 1.0);
        match self.scale {
            Linear => self.min + x * (self.max - self.min),
            Log => self.min * (self.max / self.min).powf(x),
            Power(k) => self.min + x.powf(k) * (self.max - self.min),
        }
        .clamp(self.min, self.max)
    }

    /// Normalised value of the plain `v`; `v` is clamped to the row's range.
    pub fn normalized(&self, v: f32) -> f32 {
        let v = v.clamp(self.min, self.max);
        match self.scale {
            Linear => (v - self.min) / (self.max - self.min),
            Log => (v / self.min).ln() / (self.max / self.min).ln(),
            Power(k) => ((v - self.min) / (self.max - self.min)).powf(1.0 / k),
        }
    }

    /// Whether the plain value, rounded, is a choice or a count rather than a quantity: it jumps
    /// instead of gliding.
    pub const fn is_stepped(&self) -> bool {
        matches!(self.unit, Unit::Choice(_) | Unit::Count)
    }

    /// Number of steps between the smallest and the largest value of a choice or a count; `None`
    /// for a quantity.
    pub fn steps(&self) -> Option<usize> {
        self.is_stepped().then_some((self.max - self.min) as usize)
    }

    /// The plain value `v` as text with its unit, e.g. `1.20 kHz`. [`Param::parse`] reads it back
    /// as a value with the same text.
    pub fn format(&self, v: f32) -> String {
        match self.unit {
            Unit::Between(names) => between(names, v),
            Unit::Percent => decimal(v * 100.0, 0) + " %",
            // The numbers at which the unit changes are those that would be shown.
            Unit::Hertz if v >= 999.5 => decimal(v / 1000.0, 2) + " kHz",
            Unit::Hertz if v >= 99.995 => decimal(v, 0) + " Hz",
            Unit::Hertz => decimal(v, 2) + " Hz",
            Unit::Seconds if v < 0.99995 => decimal(v * 1000.0, 1) + " ms",
            Unit::Seconds => decimal(v, 2) + " s",
            Unit::Semitones => {
                let text = decimal(v, 2);
                format!("{} st", text.strip_suffix(".00").unwrap_or(&text))
            }
            Unit::Cents => decimal(v, 1) + " ct",
            Unit::Decibels => decimal(v, 1) + " dB",
            Unit::Count => decimal(v.round(), 0),
            Unit::Choice(names) => names
                .get(v.round().max(0.0) as usize)
                .map_or_else(|| decimal(v, 0), |name| (*name).into()),
        }
    }

    /// Reads what [`Param::format`] writes, with or without the unit; `None` if it is not a number.
    pub fn parse(&self, text: &str) -> Option<f32> {
        let text = text.trim().to_ascii_lowercase();
        if let Unit::Choice(names) = self.unit
            && let Some(index) = names.iter().position(|n| n.eq_ignore_ascii_case(&text))
        {
            return Some(index as f32);
        }
        let (text, from) = match self.unit {
            Unit::Between(names) => passed(names, &text),
            _ => (text.as_str(), None),
        };
        if let Some(from) = from {
            let beyond = text.trim_end_matches('%').trim();
            let percent: f32 = if beyond.is_empty() {
                0.0
            } else {
                beyond.parse().ok()?
            };
            return Some((from + 0.01 * percent).clamp(self.min, self.max));
        }
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
            .unwrap_or(text.len());
        let number: f32 = text[..end].parse().ok()?;
        let factor = match (self.unit, text[end..].trim()) {
            (Unit::Percent, _) => 0.01,
            (Unit::Hertz, "khz" | "k") => 1000.0,
            (Unit::Seconds, "s") => 1.0,
            (Unit::Seconds, _) => 0.001,
            _ => 1.0,
        };
        Some((number * factor).clamp(self.min, self.max))
    }
}

/// Formats a value between names: the name it has passed, and the hundredths of the way on to the
/// next, e.g. `Saw +40`.
fn between(names: &[&str], v: f32) -> String {
    let hundredths = (100.0 * v).round().max(0.0) as usize;
    let name = names.get(hundredths / 100).copied().unwrap_or_default();
    match hundredths % 100 {
        0 => name.into(),
        beyond => format!("{name} +{beyond}"),
    }
}

/// Rest of a lower-case text after a name, and the name's number, if it begins with one.
fn passed<'a>(names: &[&str], text: &'a str) -> (&'a str, Option<f32>) {
    for (i, name) in names.iter().enumerate() {
        if let Some(rest) = text.strip_prefix(&name.to_ascii_lowercase()) {
            return (rest.trim(), Some(i as f32));
        }
    }
    (text, None)
}

/// Formats a number with `digits` digits after the decimal point; a number that rounds to 0 has no
/// sign.
fn decimal(v: f32, digits: usize) -> String {
    let text = format!("{v:.digits$}");
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|b| matches!(b, b'0' | b'.')) => zero.into(),
        _ => text,
    }
}

pub use crate::filter::FILTER_TYPES;

/// Whether a row can differ from voice to voice: it is a quantity, and part of a voice's sound.
pub const fn can_modulate(row: usize) -> bool {
    !PARAMS[row].is_stepped() && GROUPS[row].is_per_voice()
}

/// Row of the parameter with this id.
pub fn index_of(id: &str) -> Option<usize> {
    PARAMS.iter().position(|p| p.id == id)
}

/// Number of parameters the matcher may set: the width of the network's output.
pub const MATCHED_COUNT: usize = {
    let (mut n, mut i) = (0, 0);
    while i < COUNT {
        n += PARAMS[i].matched as usize;
        i += 1;
    }
    n
};

/// Rows the matcher may set, ascending: the order of the network's outputs.
pub const MATCHED: [usize; MATCHED_COUNT] = {
    let mut rows = [0; MATCHED_COUNT];
    let (mut n, mut i) = (0, 0);
    while i < COUNT {
        if PARAMS[i].matched {
            rows[n] = i;
            n += 1;
        }
        i += 1;
    }
    rows
};

/// Place of a row among the matched ones, if it is one.
pub fn matched_index(row: usize) -> Option<usize> {
    MATCHED.iter().position(|&matched| matched == row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_defaults_in_range() {
        for (i, p) in PARAMS.iter().enumerate() {
            assert_eq!(index_of(p.id), Some(i), "duplicate id {}", p.id);
            assert!(
                p.min < p.max && (p.min..=p.max).contains(&p.default),
                "{}",
                p.id
            );
            assert!(p.scale != Log || p.min > 0.0, "{}", p.id);
        }
    }

    #[test]
    fn every_choice_has_a_name() {
        for p in &PARAMS {
            if let Unit::Choice(names) = p.unit {
                assert_eq!(p.max as usize + 1, names.len(), "{}", p.id);
            }
            if let Unit::Between(names) = p.unit {
                assert_eq!((p.min, p.max as usize + 1), (0.0, names.len()), "{}", p.id);
            }
            if p.is_stepped() {
                assert_eq!(p.normalized(p.default.round()), p.normalized(p.default));
            }
        }
    }

    #[test]
    fn plain_and_normalized_are_inverse() {
        for p in &PARAMS {
            for k in 0..=100 {
                let x = k as f32 / 100.0;
                let back = p.normalized(p.plain(x));
                assert!((back - x).abs() < 1e-4, "{} at {x}: {back}", p.id);
            }
        }
    }

    /// The text of a value is read back as a value with that text, also after its way through the
    /// normalised number that a host keeps.
    #[test]
    fn a_text_is_read_back_as_it_was_shown() {
        for p in &PARAMS {
            let steps = if p.is_stepped() {
                p.steps().unwrap()
            } else {
                20_000
            };
            for k in 0..=steps {
                let text = p.format(p.plain(k as f32 / steps as f32));
                assert!(
                    !text.starts_with("-0 ") && !text.starts_with("-0.0 "),
                    "{text}"
                );
                let back = p.parse(&text).unwrap();
                assert_eq!(p.format(back), text, "{}", p.id);
                let kept = p.plain(p.normalized(back));
                assert_eq!(p.format(kept), text, "{}: {back} -> {kept}", p.id);
            }
        }
    }

    #[test]
    fn shapes_have_names_and_whole_semitones_no_decimals() {
        let shape = &PARAMS[OSC1_SHAPE];
        for (v, text) in [
            (0.0, "Sine"),
            (0.004, "Sine"),
            (1.25, "Tri +25"),
            (1.996, "Saw"),
            (3.0, "Sqr"),
            (4.0, "Pulse"),
        ] {
            assert_eq!(shape.format(v), text);
        }
        for (text, v) in [
            ("saw", 2.0),
            ("Saw +40", 2.4),
            ("SAW 40 %", 2.4),
            ("2.4", 2.4),
            ("Pulse +50 %", 4.0),
        ] {
            let got = shape.parse(text).expect(text);
            assert!((got - v).abs() < 1e-6, "{text}: {got}");
        }
        assert_eq!(shape.parse("saw and more"), None);
        let pitch = &PARAMS[OSC1_PITCH];
        for (v, text) in [
            (12.0, "12 st"),
            (-12.0, "-12 st"),
            (-0.004, "0 st"),
            (6.996, "7 st"),
            (7.5, "7.50 st"),
        ] {
            assert_eq!(pitch.format(v), text);
        }
    }

    #[test]
    fn text_round_trips_to_its_precision() {
        for p in &PARAMS {
            for k in 0..=20 {
                let v = p.plain(k as f32 / 20.0);
                let back = p.parse(&p.format(v)).unwrap();
                let v = if p.is_stepped() { v.round() } else { v };
                let error = (p.normalized(back) - p.normalized(v)).abs();
                assert!(error < 0.08, "{}: {v} -> {} -> {back}", p.id, p.format(v));
            }
        }
    }
}
