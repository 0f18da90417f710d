//! Colours, type and the few shapes that all parts of the editor share.

use egui::{Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Stroke, StrokeKind};

/// Window.
pub const BACKGROUND: Color32 = Color32::from_rgb(0x0d, 0x10, 0x14);
/// Cards on the window.
pub const PANEL: Color32 = Color32::from_rgb(0x15, 0x1a, 0x20);
/// Ground of pictures and curves.
pub const WELL: Color32 = Color32::from_rgb(0x0b, 0x0e, 0x12);
/// Edges of cards.
pub const EDGE: Color32 = Color32::from_rgb(0x27, 0x2e, 0x38);
/// Knobs and buttons.
pub const BODY: Color32 = Color32::from_rgb(0x22, 0x28, 0x31);
/// Knobs and buttons under the pointer.
pub const BODY_HOVER: Color32 = Color32::from_rgb(0x2d, 0x35, 0x40);
/// Buttons that are on.
pub const BODY_ON: Color32 = Color32::from_rgb(0x17, 0x3f, 0x3e);
/// Empty part of a knob's track.
pub const TRACK: Color32 = Color32::from_rgb(0x6b, 0x76, 0x86);
/// Important text.
pub const TEXT: Color32 = Color32::from_rgb(0xe9, 0xed, 0xf3);
/// Labels and secondary text.
pub const DIM: Color32 = Color32::from_rgb(0xa9, 0xb3, 0xc2);
/// Everything that comes from the reference.
pub const HEARD: Color32 = Color32::from_rgb(0x4f, 0xd6, 0xc2);
/// Everything that the synth plays.
pub const PLAYED: Color32 = Color32::from_rgb(0xf4, 0xa6, 0x5d);
/// Modulation.
pub const MODULATION: Color32 = Color32::from_rgb(0xb7, 0x9c, 0xff);
/// Colour of a warning.
pub const WARN: Color32 = Color32::from_rgb(0xf0, 0xc3, 0x6a);
/// Colour of an error, or of a level that is too high.
pub const BAD: Color32 = Color32::from_rgb(0xff, 0x8a, 0x8a);

/// Outer margin of the window, and between its cards, in points.
pub const GAP: f32 = 8.0;
/// Inner margin of a card.
pub const PAD: f32 = 10.0;
/// Size of most text, in points.
pub const SMALL: f32 = 11.5;
const CORNER: CornerRadius = CornerRadius::same(7);

/// The font at `size` points.
pub fn font(size: f32) -> FontId {
    FontId::proportional(size)
}

/// Draws a card.
pub fn card(painter: &Painter, rect: Rect) {
    let edge = Stroke::new(1.0, EDGE);
    painter.rect(rect, CORNER, PANEL, edge, StrokeKind::Inside);
}

/// Draws the ground of a picture.
pub fn well(painter: &Painter, rect: Rect) {
    let edge = Stroke::new(1.0, EDGE);
    painter.rect(rect, CornerRadius::same(4), WELL, edge, StrokeKind::Inside);
}

/// Draws a heading; returns where it is.
pub fn heading(painter: &Painter, at: Pos2, text: &str) -> Rect {
    painter.text(at, Align2::LEFT_TOP, text.to_uppercase(), font(11.0), DIM)
}

/// Draws text in one line that ends before `width` points, with an ellipsis if it must.
pub fn line(painter: &Painter, at: Pos2, align: Align2, width: f32, text: &str, colour: Color32) {
    let mut job = egui::text::LayoutJob::simple_singleline(text.into(), font(SMALL), colour);
    job.wrap.max_width = width;
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    let galley = painter.layout_job(job);
    let place = align.anchor_size(at, galley.size());
    painter.galley(place.min, galley, colour);
}

/// Makes egui's own widgets look like the rest.
pub fn apply(context: &egui::Context) {
    context.set_theme(egui::Theme::Dark);
    context.all_styles_mut(|style| {
        let visuals = &mut style.visuals;
        visuals.panel_fill = BACKGROUND;
        visuals.window_fill = PANEL;
        visuals.window_stroke = Stroke::new(1.0, TRACK);
        visuals.extreme_bg_color = WELL;
        visuals.override_text_color = Some(TEXT);
        visuals.weak_text_color = Some(DIM);
        visuals.selection.bg_fill = BODY_ON;
        visuals.selection.stroke = Stroke::new(1.5, HEARD);
        for (widget, fill) in [
            (&mut visuals.widgets.noninteractive, PANEL),
            (&mut visuals.widgets.inactive, BODY),
            (&mut visuals.widgets.hovered, BODY_HOVER),
            (&mut visuals.widgets.active, BODY_HOVER),
            (&mut visuals.widgets.open, BODY_HOVER),
        ] {
            widget.bg_fill = fill;
            widget.weak_bg_fill = fill;
            widget.bg_stroke = Stroke::new(1.0, EDGE);
            widget.corner_radius = CornerRadius::same(5);
            widget.expansion = 0.0;
        }
        style.spacing.button_padding = egui::vec2(9.0, 4.0);
        style.interaction.tooltip_delay = 0.5;
        style.interaction.selectable_labels = false;
        for (text, size) in [
            (egui::TextStyle::Body, 12.5),
            (egui::TextStyle::Button, 12.0),
            (egui::TextStyle::Small, SMALL),
        ] {
            style.text_styles.insert(text, font(size));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(colour: Color32) -> f32 {
        let channel = |x: u8| {
            let x = f32::from(x) / 255.0;
            match x <= 0.04045 {
                true => x / 12.92,
                false => ((x + 0.055) / 1.055).powf(2.4),
            }
        };
        0.2126 * channel(colour.r()) + 0.7152 * channel(colour.g()) + 0.0722 * channel(colour.b())
    }

    fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_and_graphics_stand_out_from_every_ground() {
        assert!((contrast(Color32::WHITE, Color32::BLACK) - 21.0).abs() < 0.01);
        let texts = [TEXT, DIM, HEARD, PLAYED, MODULATION, WARN, BAD];
        let grounds = [BACKGROUND, PANEL, WELL, BODY, BODY_HOVER, BODY_ON];
        for text in texts {
            for ground in grounds {
                let ratio = contrast(text, ground);
                assert!(ratio >= 4.5, "{text:?} on {ground:?}: {ratio}");
            }
        }
        for ground in [BACKGROUND, PANEL, WELL] {
            let ratio = contrast(TRACK, ground);
            assert!(ratio >= 3.0, "a track on {ground:?}: {ratio}");
        }
    }
}
