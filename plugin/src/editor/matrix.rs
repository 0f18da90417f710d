//! The modulation matrix as rows: source, amount, destination; add and remove.

use egui::{Align2, CursorIcon, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use synth::params::SLOT_ROWS;
use synth::{PARAMS, Unit};

use super::control::{self, button_body, choice_button};
use super::gesture::{self, Gesture};
use super::{Scene, knob, theme};
use crate::history::{self, Step, Turn};

/// Height of a row.
const ROW: f32 = 30.0;
/// Largest width of a column of rows.
const WIDE: f32 = 620.0;

/// Draws the matrix into `rect`, in two columns where there is room.
pub fn show(ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
    theme::card(ui.painter(), rect);
    let inside = rect.shrink2(vec2(12.0, 8.0));
    theme::heading(ui.painter(), inside.min, "Modulation");
    let used: Vec<usize> = (0..SLOT_ROWS.len())
        .filter(|&slot| is_used(slot, scene))
        .collect();
    let top = inside.top() + 24.0;
    let columns = if inside.width() > 760.0 { 2 } else { 1 };
    let width = ((inside.width() - 24.0) / columns as f32).min(WIDE);
    let lines = ((inside.bottom() - top) / ROW).floor().max(1.0) as usize;
    let place = |n: usize| {
        let column = (n / lines).min(1) as f32;
        let line = (n % lines) as f32;
        let corner = pos2(inside.left() + column * (width + 24.0), top + line * ROW);
        Rect::from_min_size(corner, vec2(width, ROW - 4.0))
    };
    for (n, &slot) in used.iter().enumerate() {
        row(ui, place(n), slot, scene);
    }
    let free = (0..SLOT_ROWS.len()).find(|slot| !used.contains(slot));
    match free {
        Some(slot) => add(ui, place(used.len()), slot, scene),
        None => {
            let at = pos2(inside.right(), inside.top());
            let text = "All eight are in use";
            ui.painter().text(
                at,
                Align2::RIGHT_TOP,
                text,
                theme::font(theme::SMALL),
                theme::DIM,
            );
        }
    }
}

/// Whether a slot has a source, a destination or an amount: it then has a row.
fn is_used(slot: usize, scene: &Scene<'_>) -> bool {
    let params = scene.params;
    SLOT_ROWS[slot]
        .iter()
        .any(|&row| params.get(row).value() != params.get(row).default())
}

fn names(param: usize) -> &'static [&'static str] {
    match control::row(param).unit {
        Unit::Choice(names) => names,
        _ => &[],
    }
}

/// One modulation.
fn row(ui: &mut Ui, rect: Rect, slot: usize, scene: &Scene<'_>) {
    let [source, amount, destination] = SLOT_ROWS[slot];
    let list = 0.29 * rect.width();
    let from = Rect::from_min_size(rect.min, vec2(list, rect.height()));
    let to = Rect::from_min_size(
        pos2(rect.right() - list - 30.0, rect.top()),
        vec2(list, rect.height()),
    );
    let bar = Rect::from_min_max(
        pos2(from.right() + 10.0, rect.top()),
        pos2(to.left() - 10.0, rect.bottom()),
    );
    choice_button(ui, from, source, names(source), scene)
        .on_hover_text("The source of this modulation.");
    amount_bar(ui, bar, amount, scene);
    choice_button(ui, to, destination, names(destination), scene)
        .on_hover_text("The parameter that it moves.");
    let place = Rect::from_min_size(
        pos2(rect.right() - 24.0, rect.top()),
        vec2(24.0, rect.height()),
    );
    let remove = ui
        .interact(place, ui.scope_id().with(("remove", slot)), Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    let label = format!("Remove modulation {}", slot + 1);
    remove.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    let colour = match remove.hovered() || remove.has_focus() {
        true => theme::TEXT,
        false => theme::DIM,
    };
    let (centre, arm) = (place.center(), 4.0);
    for sign in [-1.0, 1.0] {
        let ends = [
            centre - vec2(arm, sign * arm),
            centre + vec2(arm, sign * arm),
        ];
        ui.painter().line_segment(ends, Stroke::new(1.5, colour));
    }
    if remove.clicked() {
        let mut step = Step::new(label.clone(), scene.limits);
        step.turns.extend(SLOT_ROWS[slot].map(|param| Turn {
            param,
            before: scene.params.get(param).value(),
            after: scene.params.get(param).default(),
        }));
        history::perform(step, scene.params, &scene.setter);
    }
    remove.on_hover_text("Remove this modulation.");
}

/// The amount as a bar from the middle: drag sideways, double-click for none.
fn amount_bar(ui: &mut Ui, rect: Rect, param: usize, scene: &Scene<'_>) {
    let table = &PARAMS[param];
    let text = Rect::from_min_max(pos2(rect.right() - 50.0, rect.top()), rect.max);
    let bar = Rect::from_min_max(rect.min, pos2(text.left() - 6.0, rect.bottom()));
    let response = ui
        .interact(
            bar,
            ui.scope_id().with(("amount", param)),
            Sense::click_and_drag(),
        )
        .on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
    let now = scene.params.get(param).value();
    let (moved, fine) = ui.input(|input| (input.pointer.delta().x, input.modifiers.shift));
    if response.dragged() && moved != 0.0 {
        let speed = if fine { 0.1 } else { 1.0 };
        Gesture::turn(ui, scene, param, now, moved / bar.width() * speed, false);
    } else if response.double_clicked() {
        gesture::reset(scene, param);
    } else if let Some((travel, true)) = knob::travel(ui, &response) {
        Gesture::turn(ui, scene, param, now, travel, true);
    }
    let value = match Gesture::open(ui) {
        Some(gesture) if gesture.param == param => gesture.value,
        _ => now,
    };
    let words = table.format(table.plain(value));
    response.widget_info(|| {
        let mut info = WidgetInfo::slider(true, f64::from(value), table.name);
        info.current_text_value = Some(words.clone());
        info
    });
    let line = bar.center().y;
    let x = |value: f32| bar.left() + value * bar.width();
    ui.painter()
        .hline(bar.x_range(), line, Stroke::new(3.0, theme::TRACK));
    let lit = [pos2(x(0.5), line), pos2(x(value), line)];
    ui.painter()
        .line_segment(lit, Stroke::new(4.0, theme::MODULATION));
    let radius = if response.has_focus() { 6.0 } else { 5.0 };
    ui.painter().circle_filled(lit[1], radius, theme::TEXT);
    let at = text.right_center();
    ui.painter().text(
        at,
        Align2::RIGHT_CENTER,
        words,
        theme::font(theme::SMALL),
        theme::TEXT,
    );
    response.on_hover_text("By how much: drag sideways, shift for fine, double-click for none.");
}

/// The button that makes a new row in a free slot: the wheel opens the filter a little.
fn add(ui: &mut Ui, rect: Rect, slot: usize, scene: &Scene<'_>) {
    let place = Rect::from_min_size(rect.min, vec2(150.0, rect.height()));
    let response = ui
        .interact(place, ui.scope_id().with("add modulation"), Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Add a modulation"));
    button_body(ui, place, &response, false);
    let words = "+ add a modulation";
    let colour = theme::TEXT;
    theme::line(
        ui.painter(),
        place.center(),
        Align2::CENTER_CENTER,
        140.0,
        words,
        colour,
    );
    if response.clicked() {
        let [source, amount, destination] = SLOT_ROWS[slot];
        let plain = |param: usize, name: &str| {
            let place = names(param).iter().position(|&n| n == name).unwrap_or(0);
            PARAMS[param].normalized(place as f32)
        };
        let mut step = Step::new("Add a modulation".into(), scene.limits);
        for (param, after) in [
            (source, plain(source, "Mod wheel")),
            (amount, PARAMS[amount].normalized(0.1)),
            (destination, plain(destination, "Cutoff")),
        ] {
            let before = scene.params.get(param).value();
            step.turns.push(Turn {
                param,
                before,
                after,
            });
        }
        history::perform(step, scene.params, &scene.setter);
    }
}
