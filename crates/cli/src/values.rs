//! Values as people type them: with units, with a comma or a point.

/// Reads a number and what follows it, its unit. A comma is a decimal comma, unless it may separate
/// thousands.
fn number(text: &str) -> Result<(f64, String), String> {
    let text = text.trim().replace('\u{2212}', "-");
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || "+-.,eE".contains(c)))
        .unwrap_or(text.len());
    // An "e" that begins a unit's name is not an exponent.
    let (digits, unit) = text.split_at(end);
    let digits = digits.trim_end_matches(['e', 'E']);
    let wrong = || format!("expected a number, got {text:?}");
    let digits = match digits.split_once(',') {
        Some((whole, part)) if !part.contains(['.', ',']) && !whole.contains('.') => {
            let may_be_thousands =
                part.len() == 3 && !whole.trim_start_matches(['+', '-', '0']).is_empty();
            if may_be_thousands {
                return Err(format!(
                    "{text:?} may be {whole}{part} or {whole}.{part}: write one of them"
                ));
            }
            format!("{whole}.{part}")
        }
        Some(_) => return Err(wrong()),
        None => digits.to_owned(),
    };
    let value: f64 = digits.parse().map_err(|_| wrong())?;
    match value.is_finite() {
        true => Ok((value, unit.trim().to_lowercase())),
        false => Err(wrong()),
    }
}

/// Seconds: `1.5`, `1,5 s`, `250 ms`, `2 min`, `1:30`.
pub fn seconds(text: &str) -> Result<f64, String> {
    if let Some((minutes, rest)) = text.trim().split_once(':') {
        let whole: u32 = minutes
            .parse()
            .map_err(|_| format!("expected minutes:seconds, got {text:?}"))?;
        return match number(rest)? {
            (rest, unit) if unit.is_empty() && (0.0..60.0).contains(&rest) => {
                Ok(60.0 * f64::from(whole) + rest)
            }
            _ => Err(format!("expected minutes:seconds, got {text:?}")),
        };
    }
    let (value, unit) = number(text)?;
    let factor = match unit.as_str() {
        "" | "s" | "sec" | "second" | "seconds" => 1.0,
        "ms" => 1e-3,
        "min" | "minute" | "minutes" => 60.0,
        "h" => 3_600.0,
        _ => return Err(unknown(&unit, "seconds (s), ms, min or h")),
    };
    Ok(value * factor)
}

/// Milliseconds: `8`, `8,5 ms`, `0.008 s`.
pub fn milliseconds(text: &str) -> Result<f32, String> {
    let (value, unit) = number(text)?;
    match unit.as_str() {
        "" | "ms" => Ok(value as f32),
        "s" => Ok((value * 1e3) as f32),
        _ => Err(unknown(&unit, "milliseconds (ms) or s")),
    }
}

/// A sample rate in whole Hz: `48000`, `48 kHz`, `44,1 kHz`.
pub fn hertz(text: &str) -> Result<u32, String> {
    let (value, unit) = number(text)?;
    let value = match unit.as_str() {
        "" | "hz" => value,
        "k" | "khz" => 1e3 * value,
        _ => return Err(unknown(&unit, "Hz or kHz")),
    };
    // 44.1 k is a little beside 44,100 in binary.
    let whole = value.round();
    match (value - whole).abs() < 1e-6 && (1.0..=1e9).contains(&whole) {
        true => Ok(whole as u32),
        false => Err(format!("expected a whole number of Hz, got {text:?}")),
    }
}

/// A MIDI key that may have a fraction: `60`, `60,5`.
pub fn key(text: &str) -> Result<f32, String> {
    let (value, unit) = number(text)?;
    match unit.is_empty() && (0.0..=127.0).contains(&value) {
        true => Ok(value as f32),
        false => Err(format!(
            "expected a MIDI key from 0 to 127 (60 is the middle C, 69 is 440 Hz), got {text:?}"
        )),
    }
}

/// A velocity from 0 to 1: `0.8`, `0,8`, `80 %`; whole numbers from 2 to 127 are MIDI's. A 1 is the
/// full velocity.
pub fn velocity(text: &str) -> Result<f32, String> {
    let wrong =
        || format!("expected a velocity from 0 to 1, or a whole number up to 127, got {text:?}");
    let (value, unit) = number(text)?;
    match unit.as_str() {
        "" if (0.0..=1.0).contains(&value) => Ok(value as f32),
        "" if (1.0..=127.0).contains(&value) && value.fract() == 0.0 => Ok((value / 127.0) as f32),
        "%" if (0.0..=100.0).contains(&value) => Ok((value / 100.0) as f32),
        _ => Err(wrong()),
    }
}

fn unknown(unit: &str, expected: &str) -> String {
    format!("unknown unit {unit:?}: expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_decimal_commas_are_understood() {
        for (text, wanted) in [
            ("1.5", 1.5),
            ("1,5", 1.5),
            (" 1,5 s ", 1.5),
            ("250ms", 0.25),
            ("0,125", 0.125),
            ("2 min", 120.0),
            ("2MIN", 120.0),
            ("1:30", 90.0),
            ("0:02,5", 2.5),
            ("1e1", 10.0),
            ("-1", -1.0),
        ] {
            assert_eq!(seconds(text), Ok(wanted), "{text:?}");
        }
        for (text, wanted) in [("8", 8.0), ("8,5 ms", 8.5), ("0.25 s", 250.0)] {
            assert_eq!(milliseconds(text), Ok(wanted), "{text:?}");
        }
        for (text, wanted) in [
            ("48000", 48_000),
            ("48 kHz", 48_000),
            ("44,1 kHz", 44_100),
            ("44.1k", 44_100),
            ("22050 Hz", 22_050),
            ("11.025 kHz", 11_025),
        ] {
            assert_eq!(hertz(text), Ok(wanted), "{text:?}");
        }
        assert_eq!(key("60,5"), Ok(60.5));
    }

    #[test]
    fn a_velocity_is_a_share_or_a_midi_value() {
        for (text, wanted) in [
            ("0", 0.0),
            ("0,8", 0.8),
            ("1", 1.0),
            ("1.0", 1.0),
            ("2", 2.0 / 127.0),
            ("100", 100.0 / 127.0),
            ("127", 1.0),
            ("80 %", 0.8),
        ] {
            assert_eq!(velocity(text), Ok(wanted), "{text:?}");
        }
        for text in ["-0.1", "1.5", "64.5", "128", "101 %", "loud", ""] {
            assert!(velocity(text).unwrap_err().contains("expected"), "{text:?}");
        }
    }

    #[test]
    fn what_may_mean_two_things_or_nothing_is_refused() {
        let error = seconds("1,500").unwrap_err();
        assert!(error.contains("1500 or 1.500"), "{error}");
        for text in [
            "", "s", "1.500,5", "1,5,5", "nan", "inf", "1e999", "1 parsec", "1:75", "1:2:3", "x:3",
            "1:2 min", "1.5.5", "--1",
        ] {
            assert!(seconds(text).is_err(), "{text:?}");
        }
        for text in ["48000.5", "44,100", "48 dB", "0", "-48000"] {
            assert!(hertz(text).is_err(), "{text:?}");
        }
        for text in ["60 Hz", "128", "-1", "C4"] {
            assert!(key(text).is_err(), "{text:?}");
        }
        assert!(milliseconds("8 m").is_err());
    }
}
