//! The window's top: name, engine, and the parameters of the match.

use std::sync::atomic::Ordering;

use egui::{Align2, Color32, CursorIcon, Pos2, Rect, Sense, Ui, pos2, vec2};
use matcher::engine::EngineStatus;
use matcher::live::Snapshot;
use nice_plug::prelude::{BoolParam, Param};
use synth::{COUNT, MATCHED, Unit};

use super::knob::Knob;
use super::{Scene, locks, patch, theme};
use crate::history;
use crate::params::{AMOUNT, GLIDE, OUTPUT};

/// Height of the header.
pub const HEIGHT: f32 = 104.0;
/// Width of the name's part.
const NAME: f32 = 200.0;
/// Width of the knobs' part.
const KNOBS: f32 = 316.0;
/// Key of the note in egui's memory.
const NOTE: &str = "note";
/// Seconds for which a note is shown.
const NOTE_SECONDS: f64 = 5.0;

/// Draws the header into `rect` and carries out clicks and drags.
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

    show_undo(
        ui,
        pos2(rect.left() + 4.0, rect.bottom() - 54.0),
        rect.width(),
        scene,
    );
    let buttons = Rect::from_min_max(pos2(rect.left() + 4.0, rect.bottom() - 28.0), rect.max);
    let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(buttons));
    ui.horizontal(|ui| {
        let copy = ui.button("Copy patch").on_hover_text(
            "Copies what sounds now, as JSON: `cargo xtask render --patch` plays it, Paste loads it.",
        );
        if copy.clicked() {
            ui.ctx().copy_text(patch::text(&scene.effective));
            note(ui, "The sounding patch is on the clipboard.".into());
        }
        let paste = ui
            .button("Paste patch")
            .on_hover_text("Loads a patch from the clipboard; the held inference and all locks are dropped.");
        if paste.clicked() {
            match patch::paste(scene.params, &scene.setter) {
                Ok(word) => note(ui, word),
                Err(message) => scene.params.state.set_message(Some(message)),
            }
        }
    });
}

/// Draws undo, redo, and the release of all locks.
fn show_undo(ui: &mut Ui, corner: Pos2, width: f32, scene: &Scene<'_>) {
    let row = Rect::from_min_size(corner, vec2(width, 24.0));
    let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(row));
    let (undo, redo) = {
        let history = scene.params.state.history.lock();
        let name = |name: Option<&str>| name.map(str::to_owned);
        (name(history.undo_name()), name(history.redo_name()))
    };
    ui.horizontal(|ui| {
        let mut button = |word: &str, what: Option<String>| {
            let button = egui::Button::new(word).small();
            let response = ui.add_enabled(what.is_some(), button);
            response.on_hover_text(what.unwrap_or_default()).clicked()
        };
        if button("Undo", undo) {
            history::undo(scene.params, &scene.setter);
        }
        if button("Redo", redo) {
            history::redo(scene.params, &scene.setter);
        }
        let any = scene.limits.locked.contains(&true);
        let what = any.then(|| "Releases every lock: the match moves all its knobs again.".into());
        if button("Release all", what) {
            locks::release("all", &MATCHED, scene);
        }
    });
}

/// Shows a note about a finished action for [`NOTE_SECONDS`].
fn note(ui: &Ui, text: String) {
    let time = ui.input(|input| input.time);
    ui.data_mut(|data| data.insert_temp(egui::Id::unique(NOTE), (text, time)));
}

/// The note to show now.
fn current_note(ui: &Ui) -> Option<String> {
    let time = ui.input(|input| input.time);
    let note = ui.data(|data| data.get_temp::<(String, f64)>(egui::Id::unique(NOTE)));
    note.filter(|(_, since)| time - since < NOTE_SECONDS)
        .map(|(text, _)| text)
}

/// The engine's state as text with its restart button, and the message or note about the last patch
/// or project.
fn show_engine(ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
    let painter = ui.painter();
    theme::card(painter, rect);
    let corner = rect.min + vec2(theme::PAD, 8.0);
    theme::heading(painter, corner + vec2(14.0, 0.0), "Listening engine");
    let (colour, text, restart) = match &scene.engine {
        None => {
            let text = "The host has switched this instrument off; it listens when it plays.";
            (theme::FAINT, text, false)
        }
        Some(status) => {
            let (colour, restart) = status_light(status);
            (colour, scene.listening.as_str(), restart)
        }
    };
    painter.circle_filled(corner + vec2(4.0, 6.5), 4.0, colour);
    let right = rect.right() - theme::PAD;
    let mut top = rect.top() + 25.0;
    let mut line = |ui: &mut Ui, text: &str, colour: Color32, action: Option<&str>| {
        let width = if action.is_some() { 76.0 } else { 0.0 };
        let place = Rect::from_min_max(
            pos2(corner.x, top),
            pos2(right - width, rect.bottom() - 4.0),
        );
        let mut label = ui.new_child(egui::UiBuilder::new().max_rect(place));
        label.set_clip_rect(place);
        let text = egui::RichText::new(text).size(11.5).color(colour);
        let drawn = label.add(egui::Label::new(text).wrap()).rect;
        let button = Rect::from_min_size(pos2(right - 68.0, top), vec2(68.0, 24.0));
        top = drawn.bottom().max(if action.is_some() {
            button.bottom()
        } else {
            top
        }) + 5.0;
        action.is_some_and(|action| ui.put(button, egui::Button::new(action)).clicked())
    };
    if line(ui, text, theme::TEXT, restart.then_some("Restart")) {
        scene.params.state.listener.restart();
    }
    if let Some(message) = scene.params.state.message() {
        if line(ui, &message, theme::WARN, Some("OK")) {
            scene.params.state.set_message(None);
        }
    } else if let Some(note) = current_note(ui) {
        line(ui, &note, theme::DIM, None);
    }
    let foot = pos2(corner.x, rect.bottom() - 7.0);
    if scene.engine.is_some() && top < foot.y - 12.0 {
        let counts = counts(scene);
        let painter = ui.painter();
        painter.text(
            foot,
            Align2::LEFT_BOTTOM,
            counts,
            theme::font(10.5),
            theme::FAINT,
        );
    }
}

/// Counts of events that can make one pass sound unlike the next.
fn counts(scene: &Scene<'_>) -> String {
    let Snapshot {
        late,
        dropped,
        changes,
        ..
    } = scene.snapshot;
    let switches = scene.params.state.offline_switches.load(Ordering::Relaxed);
    format!(
        "Late inferences {late} · dropped samples {dropped} · offline switches {switches} · \
         fallbacks {changes}"
    )
}

/// The colour of the engine's status, and whether a click can restart the engine.
fn status_light(status: &EngineStatus) -> (Color32, bool) {
    match status {
        EngineStatus::Idle => (theme::FAINT, false),
        EngineStatus::Starting => (theme::WARN, false),
        // With the model that is in its folder by then.
        EngineStatus::Running { .. } => (theme::ACCENT, true),
        EngineStatus::Restarting { .. } => (theme::WARN, false),
        EngineStatus::Missing { .. } | EngineStatus::Stopped { .. } => (theme::BAD, true),
    }
}

/// Draws the plugin's own parameters: listen, search, match, glide, output.
fn show_match(ui: &Ui, rect: Rect, scene: &Scene<'_>) {
    theme::card(ui.painter(), rect);
    let at = |x: f32| pos2(rect.left() + x, rect.top() + 55.0);
    let params = scene.params;
    let hint = "Off holds the last inferred sound";
    show_switch(ui, at(34.0), &params.listen, hint, scene);
    let hint = "On looks for closer matches while a melody goes on";
    show_switch(ui, at(90.0), &params.search, hint, scene);
    let dial = |x, radius, param: usize, row: &synth::Param, hint| {
        let knob = Knob {
            param,
            label: row.name,
            radius,
            origin: match row.unit {
                Unit::Decibels => row.normalized(0.0),
                _ => 0.0,
            },
            matched: true,
            inferred: None,
            locked: false,
            hint,
        };
        knob.show(ui, at(x), 70.0, scene);
    };
    let amount = "How far the knobs follow the reference: not at all at 0 %, all the way at 100 %";
    dial(154.0, 24.0, COUNT, &AMOUNT, amount);
    let glide = "Duration of the glide from one inferred sound to the next";
    dial(219.0, 19.0, COUNT + 1, &GLIDE, glide);
    dial(277.0, 19.0, COUNT + 2, &OUTPUT, "Level of the output");
}

/// Draws the switch of `param` around `centre`.
fn show_switch(ui: &Ui, centre: Pos2, param: &BoolParam, hint: &str, scene: &Scene<'_>) {
    let painter = ui.painter();
    let on = param.value();
    let pill = Rect::from_center_size(centre, vec2(42.0, 22.0));
    let response = ui
        .interact(
            pill.expand(6.0),
            ui.scope_id().with(param.name()),
            Sense::click(),
        )
        .on_hover_cursor(CursorIcon::PointingHand);
    let outer = Knob::outer(19.0);
    let label = centre - vec2(0.0, outer);
    painter.text(
        label,
        Align2::CENTER_BOTTOM,
        param.name(),
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
    painter.circle_filled(pos2(x, centre.y), 8.0, handle);
    let value = centre + vec2(0.0, outer);
    let word = if on { "On" } else { "Off" };
    painter.text(
        value,
        Align2::CENTER_TOP,
        word,
        theme::font(11.0),
        theme::TEXT,
    );
    if response.clicked() {
        scene.setter.begin_set_parameter(param);
        scene.setter.set_parameter(param, !on);
        scene.setter.end_set_parameter(param);
    }
    response.on_hover_text(hint);
}
