//! The window's top: name, engine, and the parameters of the match.

use egui::{Align2, Color32, CursorIcon, Rect, Sense, Ui, pos2, vec2};
use matcher::engine::EngineStatus;
use nice_plug::prelude::{FloatParam, Param};
use synth::Unit;

use super::knob::Knob;
use super::{Scene, patch, theme};
use crate::params::{AMOUNT, GLIDE, OUTPUT};

/// Height of the header.
pub const HEIGHT: f32 = 104.0;
/// Width of the name's part.
const NAME: f32 = 200.0;
/// Width of the knobs' part.
const KNOBS: f32 = 316.0;

/// Draws it into `rect` and does what the player asks.
pub fn show(ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
    let name = Rect::from_min_size(rect.min, vec2(NAME, HEIGHT));
    let knobs = Rect::from_min_max(pos2(rect.right() - KNOBS, rect.top()), rect.max);
    let engine = Rect::from_min_max(
        pos2(name.right() + theme::GAP, rect.top()),
        pos2(knobs.left() - theme::GAP, rect.bottom()),
    );
    show_name(ui, name, scene);
    show_engine(ui, engine, scene);
    show_match(ui, knobs, scene);
}

fn show_name(ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
    let painter = ui.painter();
    let corner = rect.min + vec2(4.0, 2.0);
    let name = painter.text(
        corner,
        Align2::LEFT_TOP,
        "Mirror",
        theme::font(27.0),
        theme::TEXT,
    );
    painter.text(
        name.right_top(),
        Align2::LEFT_TOP,
        "Net",
        theme::font(27.0),
        theme::ACCENT,
    );
    let version = concat!("version ", env!("CARGO_PKG_VERSION"));
    let below = name.left_bottom() + vec2(1.0, 1.0);
    painter.text(
        below,
        Align2::LEFT_TOP,
        version,
        theme::font(11.0),
        theme::FAINT,
    );

    let buttons = Rect::from_min_max(pos2(rect.left() + 4.0, rect.bottom() - 28.0), rect.max);
    let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(buttons));
    ui.horizontal(|ui| {
        let copy = ui.button("Copy patch").on_hover_text(
            "Copies what sounds now, as JSON: `cargo xtask render --patch` plays it, Paste loads it.",
        );
        if copy.clicked() {
            ui.ctx().copy_text(patch::text(&scene.effective));
            scene.params.shared.tell(Some(patch::COPIED.into()));
        }
        let paste = ui
            .button("Paste patch")
            .on_hover_text("Loads a patch from the clipboard; what was heard and all locks are forgotten.");
        if paste.clicked() {
            let message = patch::paste(scene.params, &scene.setter);
            scene.params.shared.tell(Some(message));
        }
    });
}

/// The engine in words, and its restart.
fn show_engine(ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
    theme::card(ui.painter(), rect);
    theme::heading(
        ui.painter(),
        rect.min + vec2(theme::PAD + 14.0, 8.0),
        "Listening engine",
    );
    let (colour, text, restart) = match &scene.engine {
        None => (
            theme::FAINT,
            "The host has switched this instrument off; it listens when it plays.".into(),
            false,
        ),
        Some(status) => {
            let (colour, restart) = light(status);
            (colour, status.text(), restart)
        }
    };
    ui.painter()
        .circle_filled(rect.min + vec2(theme::PAD + 4.0, 14.5), 4.0, colour);
    let body = Rect::from_min_max(
        rect.min + vec2(theme::PAD, 25.0),
        rect.max - vec2(if restart { 84.0 } else { theme::PAD }, 4.0),
    );
    let mut words = ui.new_child(egui::UiBuilder::new().max_rect(body));
    words.set_clip_rect(body);
    words
        .add(egui::Label::new(egui::RichText::new(&text).size(11.5).color(theme::TEXT)).wrap())
        .on_hover_text(&text);
    if restart {
        let place = Rect::from_min_size(
            pos2(rect.right() - 78.0, rect.bottom() - 36.0),
            vec2(68.0, 26.0),
        );
        if ui.put(place, egui::Button::new("Restart")).clicked() {
            scene.restart_engine();
        }
    }
}

/// The engine's colour, and whether a click can restart it.
fn light(status: &EngineStatus) -> (Color32, bool) {
    match status {
        EngineStatus::Idle => (theme::FAINT, false),
        EngineStatus::Starting => (theme::WARN, false),
        EngineStatus::Running { .. } => (theme::ACCENT, false),
        EngineStatus::Restarting { .. } => (theme::WARN, false),
        EngineStatus::Missing { .. } | EngineStatus::Stopped { .. } => (theme::BAD, true),
    }
}

/// Listen, match, glide, output.
fn show_match(ui: &Ui, rect: Rect, scene: &Scene<'_>) {
    theme::card(ui.painter(), rect);
    let left = rect.left() + theme::PAD;
    show_listen(
        ui,
        Rect::from_min_size(pos2(left, rect.top()), vec2(62.0, HEIGHT)),
        scene,
    );
    let params = scene.params;
    let dial = |x: f32, width: f32, radius: f32, param: &FloatParam, row: &synth::Param, hint| {
        let origin = match row.unit {
            Unit::Decibels => row.normalized(0.0),
            _ => 0.0,
        };
        let knob = Knob {
            param,
            label: row.name,
            radius,
            origin,
            matched: true,
            inferred: None,
            locked: false,
            hint,
        };
        let area = Rect::from_min_max(
            pos2(x, rect.top() + 4.0),
            pos2(
                x + width,
                rect.bottom() + if radius > 20.0 { 8.0 } else { 2.0 },
            ),
        );
        knob.show(ui, area, &scene.setter);
    };
    let x = left + 66.0;
    dial(
        x,
        88.0,
        24.0,
        &params.amount,
        &AMOUNT,
        "How far the knobs that can follow the reference do",
    );
    dial(
        x + 88.0,
        72.0,
        18.0,
        &params.glide,
        &GLIDE,
        "Time from one inferred sound to the next",
    );
    dial(
        x + 160.0,
        72.0,
        18.0,
        &params.output,
        &OUTPUT,
        "Level of the output",
    );
}

/// The switch.
fn show_listen(ui: &Ui, rect: Rect, scene: &Scene<'_>) {
    let painter = ui.painter();
    let on = scene.params.listen.value();
    let pill = Rect::from_center_size(rect.center() + vec2(0.0, 4.0), vec2(42.0, 22.0));
    let response = ui
        .interact(
            pill.expand(6.0),
            ui.scope_id().with("listen"),
            Sense::click(),
        )
        .on_hover_cursor(CursorIcon::PointingHand);
    let at = pos2(rect.center().x, rect.top() + 9.0);
    painter.text(
        at,
        Align2::CENTER_TOP,
        "Listen",
        theme::font(10.5),
        theme::TEXT,
    );
    let fill = match (on, response.hovered()) {
        (true, _) => theme::ACCENT.gamma_multiply(0.55),
        (false, true) => theme::BODY_HOVER,
        (false, false) => theme::BODY,
    };
    painter.rect_filled(pill, 11.0, fill);
    let x = if on {
        pill.right() - 11.0
    } else {
        pill.left() + 11.0
    };
    let handle = if on { theme::TEXT } else { theme::DIM };
    painter.circle_filled(pos2(x, pill.center().y), 8.0, handle);
    let at = pos2(rect.center().x, pill.bottom() + 6.0);
    let (word, colour) = if on {
        ("on", theme::ACCENT)
    } else {
        ("off", theme::DIM)
    };
    painter.text(at, Align2::CENTER_TOP, word, theme::font(11.0), colour);
    if response.clicked() {
        let listen = &scene.params.listen;
        scene.setter.begin_set_parameter(listen);
        scene.setter.set_parameter(listen, !on);
        scene.setter.end_set_parameter(listen);
    }
    response.on_hover_text(format!(
        "{}: off freezes what was heard",
        scene.params.listen.name()
    ));
}
