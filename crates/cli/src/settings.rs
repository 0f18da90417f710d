//! Numbers that are set by name: structs whose fields have documented defaults and ranges
//! ([`settings!`](crate::settings!)), and the `NAME=VALUE` of a command line.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// A field of a [`settings!`](crate::settings!) struct.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Name within its struct.
    pub name: &'static str,
    /// Meaning, unit and default.
    pub doc: &'static str,
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
    /// True for a setting that takes whole numbers only.
    pub whole: bool,
}

/// Declares a struct of numbers: `name: type = default, low..=high;`, the type `f64` or `u64`. The
/// struct has these defaults, is read from JSON strictly but for missing fields, and lists its
/// fields in `FIELDS`.
#[macro_export]
macro_rules! settings {
    (
        $(#[$outer:meta])*
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident: $kind:tt = $default:literal, $range:expr; )+
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                #[doc = concat!(
                    "Default ", stringify!($default), ", range ", stringify!($range), "."
                )]
                pub $field: $kind,
            )+
        }

        impl $name {
            /// The fields, in order.
            pub const FIELDS: &'static [$crate::settings::Field] = &[$({
                const RANGE: std::ops::RangeInclusive<$kind> = $range;
                $crate::settings::Field {
                    name: stringify!($field),
                    doc: concat!($($doc),+, " [default: ", stringify!($default), "]"),
                    low: *RANGE.start() as f64,
                    high: *RANGE.end() as f64,
                    whole: $crate::settings!(@whole $kind),
                }
            },)+];
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }
    };
    (@whole u64) => { true };
    (@whole f64) => { false };
}

/// A setting as it is written on a command line: `NAME=VALUE`, nested names with points.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Name, such as `losses.anchor`.
    pub name: String,
    /// Value as it was written.
    pub value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => Ok(Self {
                name: name.trim().into(),
                value: value.trim().into(),
            }),
            _ => Err(format!("expected NAME=VALUE, got {text:?}")),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

/// The reason a setting can't be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// No such name; the nearest ones.
    #[error("no setting is named {0:?}: the nearest names are {1}")]
    Unknown(String, String),
    /// The value does not fit.
    #[error("{name} is {} from {low} to {high}, got {value:?}", if *.whole { "a whole number" } else { "a number" })]
    Value {
        /// Name.
        name: String,
        /// Value as it was written.
        value: String,
        /// Least value.
        low: f64,
        /// Greatest value.
        high: f64,
        /// True for a setting that takes whole numbers only.
        whole: bool,
    },
}

/// The value called `name` in `of`, whose nested structs are JSON objects.
pub fn get(of: &impl Serialize, name: &str) -> Option<Value> {
    let all = serde_json::to_value(of).ok()?;
    all.pointer(&format!("/{}", name.replace('.', "/")))
        .cloned()
}

/// Makes `setting` in `of`, whose fields by their full names are `fields`.
pub fn set<T: Serialize + DeserializeOwned>(
    of: &mut T,
    fields: &[(String, Field)],
    setting: &Setting,
) -> Result<(), SettingError> {
    let Setting { name, value } = setting;
    let unknown = || SettingError::Unknown(name.clone(), nearest(name, fields));
    let (_, field) = fields.iter().find(|(n, _)| n == name).ok_or_else(unknown)?;
    let Field {
        low, high, whole, ..
    } = *field;
    let number = match whole {
        true => value.parse::<u64>().ok().map(Value::from),
        false => value.parse::<f64>().ok().map(Value::from),
    };
    let fits = |number: &Value| number.as_f64().is_some_and(|v| (low..=high).contains(&v));
    let wrong = || SettingError::Value {
        name: name.clone(),
        value: value.clone(),
        low,
        high,
        whole,
    };
    let number = number.filter(fits).ok_or_else(wrong)?;
    let mut all = serde_json::to_value(&*of).expect("settings are numbers");
    let place = all.pointer_mut(&format!("/{}", name.replace('.', "/")));
    *place.expect("`fields` are those of the struct") = number;
    *of = serde_json::from_value(all).expect("the number is of the field's type");
    Ok(())
}

/// The three names that are most like `name`, which may lack its struct's name.
fn nearest(name: &str, fields: &[(String, Field)]) -> String {
    let last = |full: &str| full.rsplit('.').next().unwrap_or_default().to_owned();
    let alike = |full: &str| {
        let whole = strsim::normalized_damerau_levenshtein(name, full);
        whole.max(strsim::normalized_damerau_levenshtein(
            &last(name),
            &last(full),
        ))
    };
    let mut names: Vec<&str> = fields.iter().map(|(full, _)| full.as_str()).collect();
    names.sort_by(|a, b| alike(b).total_cmp(&alike(a)));
    names.truncate(3);
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    settings! {
        /// Two numbers.
        pub struct Pair {
            /// A share.
            share: f64 = 0.5, 0.0..=1.0;
            /// A count
            /// of things.
            count: u64 = 3, 1..=9;
        }
    }

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Outer {
        inner: Pair,
    }

    fn fields() -> Vec<(String, Field)> {
        let full = |field: &Field| (format!("inner.{}", field.name), *field);
        Pair::FIELDS.iter().map(full).collect()
    }

    fn make(text: &str) -> Result<Outer, String> {
        let mut outer = Outer::default();
        let setting: Setting = text.parse()?;
        set(&mut outer, &fields(), &setting).map_err(|e| e.to_string())?;
        Ok(outer)
    }

    #[test]
    fn a_setting_changes_its_field_alone() {
        let made = make("inner.share=0.25").unwrap();
        assert_eq!((made.inner.share, made.inner.count), (0.25, 3));
        let made = make(" inner.count = 9 ").unwrap();
        assert_eq!((made.inner.share, made.inner.count), (0.5, 9));
        assert_eq!(get(&made, "inner.count"), Some(Value::from(9)));
        assert_eq!(get(&made, "inner.counts"), None);
        assert!(Pair::FIELDS[1].doc.contains("of things. [default: 3]"));
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        for (text, wanted) in [
            ("inner.share", "expected NAME=VALUE, got \"inner.share\""),
            ("=1", "expected NAME=VALUE, got \"=1\""),
            (
                "inner.share=1.5",
                "inner.share is a number from 0 to 1, got \"1.5\"",
            ),
            (
                "inner.share=NaN",
                "inner.share is a number from 0 to 1, got \"NaN\"",
            ),
            (
                "inner.count=2.5",
                "inner.count is a whole number from 1 to 9, got \"2.5\"",
            ),
            (
                "cuont=2",
                "no setting is named \"cuont\": the nearest names are inner.count, inner.share",
            ),
        ] {
            assert_eq!(make(text).unwrap_err(), wanted);
        }
    }

    #[test]
    fn unknown_fields_are_refused_and_missing_ones_take_their_defaults() {
        assert_eq!(
            serde_json::from_str::<Pair>(r#"{"count": 4}"#)
                .unwrap()
                .share,
            0.5
        );
        assert!(serde_json::from_str::<Pair>(r#"{"cuont": 4}"#).is_err());
    }
}
