//! The matched parameters as dials: where the input has them, or else the default patch, and where
//! the answers do.

use super::trial::Example;
use std::f32::consts::PI;
use synth::{MATCHED, PARAMS, Patch};

/// Radii of the rings in units of the picture, which is 64 wide.
const SEARCHED: f32 = 28.0;
const LIVE: f32 = 22.0;
/// Angles clockwise from the top at which a dial begins and ends, in turns.
const ENDS: (f32, f32) = (-0.375, 0.375);
/// Least range in a search's patches that is drawn.
const LEAST: f32 = 0.01;

/// A dial of the demo's page.
pub struct Dial {
    /// Name of the parameter.
    pub name: &'static str,
    /// Value in the input's patch, if there is one, with its unit.
    pub input: Option<String>,
    /// The live loop's last value, with its unit.
    pub live: String,
    /// The median of the search's patches, with its unit.
    pub searched: String,
    /// The picture, an `svg` element.
    pub svg: String,
}

/// The dials of all matched parameters, in the order of the table.
pub fn dials(example: &Example) -> Vec<Dial> {
    let values = &example.values;
    let default = Patch::default().matched();
    let dial = |(i, &row): (usize, &usize)| {
        let param = &PARAMS[row];
        let text = |x: f32| param.format(param.plain(x));
        let input = values.input.map(|input| input[i]);
        Dial {
            name: param.name,
            input: input.map(text),
            live: text(values.live[i]),
            searched: text(values.median(i)),
            svg: draw(
                input.unwrap_or(default[i]),
                values.live[i],
                &values.searched[i],
            ),
        }
    };
    MATCHED.iter().enumerate().map(dial).collect()
}

/// Draws a dial: the pointer at `origin`, rings from there to `live` and to the median of
/// `searched`, which is sorted, and the range of that. All normalised.
fn draw(origin: f32, live: f32, searched: &[f32]) -> String {
    let (low, high) = (searched[0], searched[searched.len() - 1]);
    let median = searched[searched.len() / 2];
    let (x, y) = point(15.0, origin);
    let (x2, y2) = point(8.0, origin);
    let range = match high - low > LEAST {
        true => format!(
            r#"<path class="range searched" d="{}"/>"#,
            arc(SEARCHED, low, high)
        ),
        false => String::new(),
    };
    format!(
        concat!(
            r#"<svg viewBox="-32 -32 64 58" aria-hidden="true">"#,
            r#"<path class="track" d="{}"/><path class="track" d="{}"/>"#,
            r#"<circle class="body" r="16"/>"#,
            r#"<path class="pointer" d="M{:.2} {:.2}L{:.2} {:.2}"/>"#,
            "{}{}{}</svg>"
        ),
        arc(SEARCHED, 0.0, 1.0),
        arc(LIVE, 0.0, 1.0),
        x,
        y,
        x2,
        y2,
        range,
        ring("searched", SEARCHED, origin, median),
        ring("live", LIVE, origin, live),
    )
}

/// A ring's part from `from` to `to`, with a dot there.
fn ring(class: &str, radius: f32, from: f32, to: f32) -> String {
    let (x, y) = point(radius, to);
    let path = arc(radius, from.min(to), from.max(to));
    format!(
        r#"<path class="ring {class}" d="{path}"/><circle class="dot {class}" cx="{x:.2}" cy="{y:.2}" r="3"/>"#
    )
}

/// The place of a normalised value on a circle.
fn point(radius: f32, value: f32) -> (f32, f32) {
    let turns = ENDS.0 + value.clamp(0.0, 1.0) * (ENDS.1 - ENDS.0);
    let (sin, cos) = (2.0 * PI * turns).sin_cos();
    (radius * sin, -radius * cos)
}

/// The path of a circle's part between two values.
fn arc(radius: f32, from: f32, to: f32) -> String {
    let ((x, y), (x2, y2)) = (point(radius, from), point(radius, to));
    let large = u8::from((to - from) * (ENDS.1 - ENDS.0) > 0.5);
    format!("M{x:.2} {y:.2}A{radius} {radius} 0 {large} 1 {x2:.2} {y2:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_clockwise_from_the_lower_left_to_the_lower_right() {
        let ((x, y), (top, up)) = (point(10.0, 0.0), point(10.0, 0.5));
        assert!(
            (x + 7.07).abs() < 0.01 && (y - 7.07).abs() < 0.01,
            "{x} {y}"
        );
        assert!(top.abs() < 1e-4 && (up + 10.0).abs() < 1e-4);
        assert_eq!(point(10.0, 1.0).1, point(10.0, 2.0).1);
        assert!(arc(10.0, 0.0, 1.0).contains(" 1 1 ") && arc(10.0, 0.0, 0.5).contains(" 0 1 "));
    }

    #[test]
    fn a_range_is_drawn_only_where_the_patches_differ() {
        assert!(draw(0.5, 0.6, &[0.2, 0.3, 0.4]).contains("range"));
        assert!(!draw(0.5, 0.6, &[0.3]).contains("range"));
    }
}
