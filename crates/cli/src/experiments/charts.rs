//! Likeness over time, as curves of an SVG picture.

use ear::{CHANNELS, Spectrogram};
use matcher::metric::likeness;
use std::fmt::Write;

/// Length of what one point compares, and distance of the points, in seconds.
pub const WINDOW: f64 = 1.0;
const STEP: f64 = 0.25;
/// Level below the sound's peak under which a window counts as silence.
const SILENCE_DB: f32 = 40.0;
/// Lowest likenesses that a chart may begin at.
const FLOORS: [f32; 5] = [0.8, 0.6, 0.4, 0.2, 0.0];

/// Points of a curve: seconds, and likeness around then.
pub type Curve = Vec<(f64, f32)>;

/// Likeness of `played` to `heard` in windows of a second, where `heard` isn't silent; of a shorter
/// sound, the one point of all of it.
pub fn likeness_over_time(heard: &Spectrogram, played: &Spectrogram) -> Curve {
    let rate = heard.frame_rate;
    let frames = heard.frames().min(played.frames());
    let window = ((WINDOW * rate) as usize).min(frames);
    let step = ((STEP * rate) as usize).max(1);
    let peak = |part: &Spectrogram| part.data.iter().fold(0.0f32, |peak, x| peak.max(*x));
    let quiet = peak(heard) * 10f32.powf(-SILENCE_DB / 20.0);
    (0..=frames - window)
        .step_by(step)
        .filter_map(|first| {
            let part = |sound: &Spectrogram| Spectrogram {
                data: sound.data[first * CHANNELS..][..window * CHANNELS].to_vec(),
                pitch: Vec::new(),
                frame_rate: rate,
            };
            let reference = part(heard);
            let middle = (first as f64 + 0.5 * window as f64) / rate;
            (peak(&reference) > quiet).then(|| (middle, likeness(&reference, &part(played))))
        })
        .collect()
}

/// A chart of curves over a sound of `seconds` seconds.
pub struct Chart {
    /// The picture, an `svg` element; 1 by 1 in size, to be stretched.
    pub svg: String,
    /// Likeness at its bottom; the top is 1.
    pub floor: f32,
}

/// Draws curves, each in the colour of a CSS class.
pub fn chart(curves: &[(&str, &Curve)], seconds: f64) -> Chart {
    let values = curves
        .iter()
        .flat_map(|(_, curve)| curve.iter().map(|p| p.1));
    let lowest = values.fold(1.0f32, f32::min);
    let floor = FLOORS.into_iter().find(|f| *f <= lowest).unwrap_or(0.0);
    let mut svg =
        String::from(r#"<svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">"#);
    for y in [0.25, 0.5, 0.75] {
        let _ = write!(svg, r#"<path class="grid" d="M0 {y}H1"/>"#);
    }
    for (class, curve) in curves {
        let mut path = String::new();
        for (i, (time, value)) in curve.iter().enumerate() {
            let y = (1.0 - value) / (1.0 - floor);
            let draw = if i == 0 { "M" } else { "L" };
            let _ = write!(path, "{draw}{:.4} {:.4}", time / seconds, y.clamp(0.0, 1.0));
        }
        let _ = write!(svg, r#"<path class="curve {class}" d="{path}"/>"#);
    }
    svg += "</svg>";
    Chart { svg, floor }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise of `frames` frames, silent in `pause`.
    fn noise(frames: usize, seed: u32, pause: std::ops::Range<usize>) -> Spectrogram {
        let mut state = seed;
        let cell = |i: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let silent = pause.contains(&(i / CHANNELS));
            if silent {
                0.0
            } else {
                (state >> 8) as f32 / 16_777_216.0
            }
        };
        Spectrogram {
            data: (0..frames * CHANNELS).map(cell).collect(),
            pitch: Vec::new(),
            frame_rate: 125.0,
        }
    }

    #[test]
    fn a_curve_shows_where_two_sounds_part_and_leaves_out_silence() {
        let heard = noise(625, 1, 250..450);
        let mut played = noise(625, 2, 0..0);
        let same = 250 * CHANNELS;
        played.data[..same].copy_from_slice(&heard.data[..same]);
        let curve = likeness_over_time(&heard, &played);
        let at = |time: f64| {
            curve
                .iter()
                .find(|p| (p.0 - time).abs() < 0.13)
                .map(|p| p.1)
        };
        assert!(
            at(0.5).unwrap() > 0.999 && at(1.25).unwrap() > 0.999,
            "{curve:?}"
        );
        assert!(at(4.4).unwrap() < 0.2, "{curve:?}");
        assert_eq!(at(2.75), None);
        assert!(likeness_over_time(&noise(60, 1, 0..0), &noise(60, 1, 0..0))[0].1 > 0.999);
        assert!(likeness_over_time(&noise(0, 1, 0..0), &played).is_empty());
    }

    #[test]
    fn a_chart_begins_below_its_lowest_point() {
        let (high, low) = (vec![(0.5, 0.9), (1.0, 1.0)], vec![(0.5, 0.3)]);
        assert_eq!(chart(&[("a", &high)], 2.0).floor, 0.8);
        let both = chart(&[("a", &high), ("b", &low)], 2.0);
        assert_eq!(both.floor, 0.2);
        assert!(
            both.svg.contains(r#"class="curve b" d="M0.2500 0.8750""#),
            "{}",
            both.svg
        );
        assert_eq!(chart(&[("a", &vec![(0.0, -0.5)])], 1.0).floor, 0.0);
    }
}
