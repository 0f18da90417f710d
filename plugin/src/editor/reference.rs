//! The reference: its spectrogram, and a line of text with the match's state, level and pitch.

use ear::PitchFrame;
use egui::{Align2, Color32, Rect, Ui, pos2, vec2};
use matcher::live::Status;

use super::spectrogram::Spectrogram;
use super::{Scene, theme};

/// Height of the line of text.
const TEXT_LINE: f32 = 24.0;
const NOTES: [&str; 12] = [
    "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B",
];

/// Draws the reference into `rect`.
pub fn show(ui: &Ui, rect: Rect, spectrogram: &mut Spectrogram, scene: &Scene<'_>) {
    theme::card(ui.painter(), rect);
    let inside = rect.shrink2(vec2(theme::PAD, 6.0));
    let words = Rect::from_min_size(inside.min, vec2(inside.width(), TEXT_LINE - 4.0));
    show_text(ui, words, scene);
    let picture = Rect::from_min_max(inside.min + vec2(0.0, TEXT_LINE), inside.max);
    spectrogram.show(ui, picture, &scene.snapshot);
    if scene.snapshot.frames.is_empty() {
        let words = "Route a track into the Sidechain input and play it";
        let painter = ui.painter();
        painter.text(
            picture.center(),
            Align2::CENTER_CENTER,
            words,
            theme::font(14.0),
            theme::DIM,
        );
    }
}

fn show_text(ui: &Ui, rect: Rect, scene: &Scene<'_>) {
    let painter = ui.painter();
    let centre = rect.center().y;
    theme::heading(painter, pos2(rect.left() + 2.0, centre - 6.0), "Sidechain");
    let (state, colour) = state(scene);
    let at = pos2(rect.left() + 92.0, centre);
    painter.circle_filled(at, 4.0, colour);
    let at = at + vec2(11.0, 0.0);
    painter.text(
        at,
        Align2::LEFT_CENTER,
        state,
        theme::font(12.5),
        theme::TEXT,
    );

    let snapshot = &scene.snapshot;
    let mut right = rect.right();
    let mut write = |text: String, colour: Color32| {
        let at = pos2(right, centre);
        let drawn = painter.text(at, Align2::RIGHT_CENTER, text, theme::font(12.0), colour);
        right = drawn.left() - 18.0;
    };
    if scene.held.is_some() && scene.params.listen.value() {
        let text = match snapshot.likeness {
            Some(likeness) => format!("Similarity {:.0} %", 100.0 * likeness.max(0.0)),
            None => format!("Confidence {:.0} %", 100.0 * snapshot.confidence),
        };
        write(text, theme::DIM);
    }
    if let Some(pitch) = pitch(&snapshot.pitch) {
        write(pitch, theme::TEXT);
    }
    if !snapshot.frames.is_empty() && snapshot.pitch.level_db > -100.0 {
        write(format!("{:.0} dBFS", snapshot.pitch.level_db), theme::DIM);
    }
}

/// The match's state as text, and the colour of its light.
fn state(scene: &Scene<'_>) -> (String, Color32) {
    let locked = scene.limits.locked.iter().filter(|&&locked| locked).count();
    let (mut words, colour) = if scene.engine.is_none() {
        ("Not playing".to_owned(), theme::FAINT)
    } else if !scene.params.listen.value() {
        (
            "Not listening: the last sound is held".to_owned(),
            theme::FAINT,
        )
    } else {
        let status = &scene.snapshot.status;
        let colour = match status {
            Status::Following(_) | Status::Matched { .. } => theme::ACCENT,
            _ => theme::WARN,
        };
        (status.to_string(), colour)
    };
    match locked {
        0 => {}
        1 => words += "  ·  1 knob locked",
        n => words += &format!("  ·  {n} knobs locked"),
    }
    (words, colour)
}

/// Note, deviation and frequency of a voiced frame, as text.
fn pitch(frame: &PitchFrame) -> Option<String> {
    if !frame.voiced || frame.hz <= 0.0 {
        return None;
    }
    let key = frame.key();
    let nearest = key.round();
    let cents = 100.0 * (key - nearest);
    let note = (nearest as i32).rem_euclid(12) as usize;
    let octave = (nearest as i32).div_euclid(12) - 1;
    Some(format!(
        "{}{octave} {cents:+.0} ct   {:.1} Hz",
        NOTES[note], frame.hz
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitches_are_named() {
        let frame = |hz| PitchFrame {
            hz,
            voiced: true,
            ..PitchFrame::default()
        };
        assert_eq!(pitch(&frame(440.0)).unwrap(), "A4 +0 ct   440.0 Hz");
        assert_eq!(pitch(&frame(261.0)).unwrap(), "C4 -4 ct   261.0 Hz");
        assert_eq!(pitch(&PitchFrame::default()), None);
    }
}
