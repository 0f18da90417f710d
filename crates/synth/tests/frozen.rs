//! The frozen properties of parameters, on which projects, patches and automation rely: ids,
//! ranges, scales, names of choices and their order, and the version that added each parameter.

use std::fmt::Write;
use synth::{PARAMS, Param, Unit};

/// A line for each parameter: version, id, then the names of a choice by index, or unit, scale and
/// range of a number.
const FROZEN: &str = include_str!("frozen.txt");

fn line(row: &Param) -> String {
    let mut line = format!("{} {}:", row.since, row.id);
    match row.unit {
        Unit::Choice(names) => write!(line, " {}", names.join(" | ")),
        // Names of places on the way are no unit: the numbers are saved.
        Unit::Between(_) => write!(line, " None {:?} {} to {}", row.scale, row.min, row.max),
        unit => write!(line, " {unit:?} {:?} {} to {}", row.scale, row.min, row.max),
    }
    .expect("a string takes everything");
    line
}

#[test]
fn rows_are_as_they_were() {
    let frozen: Vec<&str> = FROZEN.lines().collect();
    for old in &frozen {
        assert!(
            PARAMS.iter().any(|row| line(row) == *old),
            "no row is like this any more, and projects that use it would break: {old}\nOnly names \
             of a choice may be added, at its end: then add them to the line here too"
        );
    }
    for row in &PARAMS {
        assert!(
            frozen.contains(&line(row).as_str()),
            "a new row: add its line to tests/frozen.txt, with the version that brings it: {}",
            line(row)
        );
    }
    assert_eq!(frozen.len(), PARAMS.len());
}

/// A choice is saved by index, and older versions of a list are shorter.
#[test]
fn a_stepped_row_has_a_step_for_each_whole_number() {
    for row in PARAMS.iter().filter(|row| row.is_stepped()) {
        let steps = row.steps().expect("it is stepped");
        for k in 0..=steps {
            let plain = row.min + k as f32;
            let x = k as f32 / steps as f32;
            assert_eq!(row.plain(x).round(), plain, "{} at {x}", row.id);
            assert!((row.normalized(plain) - x).abs() < 1e-6);
        }
    }
}
