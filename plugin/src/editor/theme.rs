//! Colours, type and the few shapes that all parts of the editor share.

use egui::{Align2, Color32, CornerRadius, FontId, Painter, Pos2, Rect, Stroke, StrokeKind};

/// Window.
pub const BACKGROUND: Color32 = Color32::from_rgb(0x0f, 0x12, 0x16);
/// Cards on the window.
pub const PANEL: Color32 = Color32::from_rgb(0x17, 0x1b, 0x21);
/// Edges of cards and knobs.
pub const EDGE: Color32 = Color32::from_rgb(0x25, 0x2b, 0x34);
/// Knobs and buttons.
pub const BODY: Color32 = Color32::from_rgb(0x24, 0x2a, 0x33);
/// Knobs and buttons under the pointer.
pub const BODY_HOVER: Color32 = Color32::from_rgb(0x2e, 0x36, 0x41);
/// Empty part of a knob's track.
pub const TRACK: Color32 = Color32::from_rgb(0x2c, 0x33, 0x3d);
/// Important text.
pub const TEXT: Color32 = Color32::from_rgb(0xdf, 0xe4, 0xeb);
/// Labels.
pub const DIM: Color32 = Color32::from_rgb(0x97, 0xa1, 0xb0);
/// Secondary text.
pub const FAINT: Color32 = Color32::from_rgb(0x65, 0x6e, 0x7c);
/// The accent colour, for everything that comes from the reference.
pub const ACCENT: Color32 = Color32::from_rgb(0x4f, 0xd6, 0xc2);
/// Waiting, or in need of attention.
pub const WARN: Color32 = Color32::from_rgb(0xe9, 0xb9, 0x5f);
/// Not working.
pub const BAD: Color32 = Color32::from_rgb(0xe7, 0x6f, 0x6f);

/// Outer margin of the window, and between its cards, in points.
pub const GAP: f32 = 10.0;
/// Inner margin of a card.
pub const PAD: f32 = 10.0;
const CORNER: CornerRadius = CornerRadius::same(7);

/// The font at `size` points.
pub fn font(size: f32) -> FontId {
    FontId::proportional(size)
}

/// Draws a card.
pub fn card(painter: &Painter, rect: Rect) {
    painter.rect(
        rect,
        CORNER,
        PANEL,
        Stroke::new(1.0, EDGE),
        StrokeKind::Inside,
    );
}

/// Draws a heading.
pub fn heading(painter: &Painter, at: Pos2, text: &str) {
    painter.text(at, Align2::LEFT_TOP, text.to_uppercase(), font(10.5), DIM);
}

/// Makes egui's own widgets look like the rest.
pub fn apply(context: &egui::Context) {
    context.set_theme(egui::Theme::Dark);
    context.all_styles_mut(|style| {
        let visuals = &mut style.visuals;
        visuals.panel_fill = BACKGROUND;
        visuals.window_fill = PANEL;
        visuals.window_stroke = Stroke::new(1.0, EDGE);
        visuals.override_text_color = Some(TEXT);
        visuals.selection.bg_fill = ACCENT.gamma_multiply(0.4);
        for (widget, fill) in [
            (&mut visuals.widgets.noninteractive, PANEL),
            (&mut visuals.widgets.inactive, BODY),
            (&mut visuals.widgets.hovered, BODY_HOVER),
            (&mut visuals.widgets.active, BODY_HOVER),
            (&mut visuals.widgets.open, BODY),
        ] {
            widget.bg_fill = fill;
            widget.weak_bg_fill = fill;
            widget.bg_stroke = Stroke::new(1.0, EDGE);
            widget.corner_radius = CornerRadius::same(5);
            widget.expansion = 0.0;
        }
        style.spacing.button_padding = egui::vec2(9.0, 4.0);
        for (text, size) in [
            (egui::TextStyle::Body, 12.5),
            (egui::TextStyle::Button, 12.0),
            (egui::TextStyle::Small, 10.5),
        ] {
            style.text_styles.insert(text, font(size));
        }
    });
}
