//! The control of one parameter: a knob for a quantity, a menu for a choice. Each has its name, its
//! value, a menu of its own, and can be reached by keyboard.

use egui::{
    Align2, Color32, CursorIcon, EventFilter, Key, Popup, Pos2, Rect, Response, Role, Sense, Ui,
    WidgetInfo, pos2, vec2,
};
use matcher::live::Limits;
use synth::params::{SLOT_ROWS, matched_index};
use synth::{COUNT, PARAMS, Unit, curves};

use super::gesture::{self, Gesture, RangeDrag};
use super::knob::{self, Look};
use super::typed::{Entry, value_field};
use super::{Scene, lean, locks, synced, theme};
use crate::history::{self, Step, Turn};
use crate::params::{AMOUNT, GLIDE, OUTPUT};

/// Height of a control with its name and value, in points.
pub const HEIGHT: f32 = 78.0;
/// Height of a line of text.
const LINE: f32 = 14.0;
/// Normalised step of an arrow key, and with shift.
const STEP: [f32; 2] = [0.02, 0.002];

/// The row of the table, or of the plugin's own parameters, with this index.
pub fn row(param: usize) -> &'static synth::Param {
    static TABLE: [synth::Param; COUNT] = PARAMS;
    match param.checked_sub(COUNT) {
        None => &TABLE[param],
        Some(0) => &AMOUNT,
        Some(1) => &GLIDE,
        Some(_) => &OUTPUT,
    }
}

/// The match's part in a parameter.
struct Matched {
    /// Place among the matched ones.
    place: usize,
    locked: bool,
    /// Normalised value that sounds where it differs from the knob's own.
    sounding: Option<f32>,
}

impl Matched {
    fn of(param: usize, scene: &Scene<'_>) -> Option<Self> {
        let place = matched_index(param)?;
        let locked = scene.limits.locked[place];
        let heard = scene.held.is_some() && scene.amount > 0.0 && !locked;
        Some(Self {
            place,
            locked,
            sounding: heard.then(|| scene.effective.get(param)),
        })
    }
}

/// Draws the control of a parameter into `rect`, under the name `label`, and carries out what the
/// player does with it.
pub fn show(ui: &mut Ui, rect: Rect, param: usize, label: &str, scene: &Scene<'_>) {
    match row(param).unit {
        Unit::Choice(names) => choice(ui, rect, param, label, names, scene),
        _ => match synced::length(param, scene) {
            Some(length) => synced::show(ui, rect, param, label, length, scene),
            None => quantity(ui, rect, param, label, scene),
        },
    }
}

/// The middle and the radius of the knob in a control's rectangle, above the lines of name and
/// value.
pub fn layout(rect: Rect) -> (Pos2, f32, [Rect; 2]) {
    let top = rect.bottom() - 2.0 * LINE;
    let room = Rect::from_min_max(rect.min, pos2(rect.right(), top));
    let radius = (0.5 * room.height() - 7.5).min(0.5 * room.width() - 8.0);
    let lines = [top, top + LINE]
        .map(|top| Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), LINE)));
    (room.center() + vec2(0.0, 1.0), radius, lines)
}

/// A knob with its name and value below.
fn quantity(ui: &mut Ui, rect: Rect, param: usize, label: &str, scene: &Scene<'_>) {
    let table = row(param);
    let matched = Matched::of(param, scene);
    let (centre, radius, lines) = layout(rect);
    let id = ui.scope_id().with(("control", param));
    let height = lines[0].top() - rect.top();
    let body = Rect::from_center_size(centre, vec2(2.0 * radius + 12.0, height));
    let response = ui
        .interact(body, id, Sense::click_and_drag())
        .on_hover_and_drag_cursor(CursorIcon::ResizeVertical);
    let sounding = matched.as_ref().and_then(|matched| matched.sounding);
    let from = sounding.unwrap_or_else(|| scene.params.get(param).value());
    let value = turn(ui, &response, param, from, scene);
    let shown = sounding.filter(|_| !response.dragged()).unwrap_or(value);
    response.widget_info(|| {
        let mut info = WidgetInfo::slider(true, f64::from(shown), table.name);
        info.current_text_value = Some(scene.params.get(param).text(shown));
        info
    });

    let look = Look {
        centre,
        radius,
        value,
        origin: table.normalized(0.0f32.clamp(table.min, table.max)),
        sounding,
        range: matched
            .as_ref()
            .filter(|matched| is_limited(ui, matched.place, scene))
            .map(|matched| scene.limits.ranges[matched.place]),
        active: true,
        modulation: modulation(param, shown, scene),
        lit: response.hovered() || response.dragged() || response.has_focus(),
        focused: response.has_focus(),
    };
    look.paint(ui.painter());
    if let Some(matched) = &matched {
        range_handles(ui, &look, matched.place, scene);
        badge(ui, &look, param, label, matched, scene);
    }
    let dim = match matched.is_some() {
        true => theme::TEXT,
        false => theme::DIM,
    };
    centred(ui, lines[0], label, dim);
    let colour = match sounding.is_some() {
        true => theme::HEARD,
        false => theme::TEXT,
    };
    value_field(
        ui,
        lines[1],
        param,
        &scene.params.get(param).text(shown),
        colour,
        scene,
    );
    menu(&response, param, matched.as_ref(), scene);
    if !response.dragged() {
        hint(response, param, matched.as_ref(), scene);
    }
}

/// Draws a line of text in the middle of `rect`.
pub fn centred(ui: &Ui, rect: Rect, text: &str, colour: Color32) {
    let width = rect.width();
    theme::line(
        ui.painter(),
        rect.center(),
        Align2::CENTER_CENTER,
        width,
        text,
        colour,
    );
}

/// Lets the player turn a knob from where it sounds; returns the normalised value to show.
fn turn(ui: &Ui, response: &Response, param: usize, from: f32, scene: &Scene<'_>) -> f32 {
    if let Some((travel, wheel)) = knob::travel(ui, response) {
        Gesture::turn(ui, scene, param, from, travel, wheel);
    } else if response.double_clicked() {
        gesture::reset(scene, param);
    }
    if response.has_focus() {
        let filter = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let (up, down, fine, enter) = ui.input(|input| {
            let count = |key| input.num_presses(key) as f32;
            (
                count(Key::ArrowUp) + count(Key::ArrowRight),
                count(Key::ArrowDown) + count(Key::ArrowLeft),
                input.modifiers.shift,
                input.key_pressed(Key::Enter),
            )
        });
        if up != down {
            let step = match row(param).steps() {
                Some(steps) => 1.0 / steps as f32,
                None => STEP[usize::from(fine)],
            };
            Gesture::turn(ui, scene, param, from, (up - down) * step, true);
        } else if enter {
            Entry::open(ui, param, &row(param).format(row(param).plain(from)));
        }
    }
    match Gesture::open(ui) {
        Some(gesture) if gesture.param == param => gesture.value,
        _ => scene.params.get(param).value(),
    }
}

/// Ends of what the matrix adds to a parameter, where it moves it: normalised.
fn modulation(param: usize, at: f32, scene: &Scene<'_>) -> Option<[f32; 2]> {
    let knob = |row: usize| PARAMS[row].plain(scene.effective.get(row)).round();
    let mut ends = [at; 2];
    for [source, amount, destination] in SLOT_ROWS {
        let moves = curves::destination_row(knob(destination) as usize) == Some(param);
        if moves && knob(source) > 0.0 {
            let by = PARAMS[amount].plain(scene.effective.get(amount));
            ends = [ends[0] + by.min(0.0), ends[1] + by.max(0.0)];
        }
    }
    (ends[0] < ends[1]).then(|| ends.map(|x| x.clamp(0.0, 1.0)))
}

/// The lock of a matched parameter: closed where it is locked, open under the pointer.
fn badge(ui: &Ui, look: &Look, param: usize, label: &str, matched: &Matched, scene: &Scene<'_>) {
    if !matched.locked && matched.sounding.is_none() {
        return;
    }
    let at = look.centre + vec2(look.radius + 5.0, 4.0 - look.radius);
    let place = Rect::from_center_size(at, vec2(16.0, 18.0));
    let id = ui.scope_id().with(("lock", param));
    let lock = ui
        .interact(place, id, Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    let words = match matched.locked {
        true => "Locked: the match leaves it alone. Click to release it.",
        false => "Click to lock it as it sounds now.",
    };
    let name = format!("{} lock", row(param).name);
    lock.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, matched.locked, &name));
    if matched.locked || look.lit || lock.hovered() || lock.has_focus() {
        knob::paint_lock(
            ui.painter(),
            at,
            matched.locked,
            lock.hovered() || lock.has_focus(),
        );
    }
    if lock.clicked() {
        match matched.locked {
            true => locks::release(label, &[param], scene),
            false => locks::lock_as_heard(label, &[param], scene),
        }
    }
    lock.on_hover_text(words);
}

/// Returns whether a range is shown: a limited one, and one that a hand still drags wide open.
fn is_limited(ui: &Ui, place: usize, scene: &Scene<'_>) -> bool {
    let dragged = RangeDrag::open(ui).is_some_and(|drag| drag.place == place);
    dragged || scene.limits.ranges[place] != [0.0, 1.0]
}

/// Handles at the ends of a limited range: they can be dragged along the ring.
fn range_handles(ui: &Ui, look: &Look, place: usize, scene: &Scene<'_>) {
    if look.range.is_none() {
        return;
    }
    for end in 0..2 {
        let at = look.ring(scene.limits.ranges[place][end]);
        let id = ui.scope_id().with(("range", place, end));
        let handle = ui
            .interact(
                Rect::from_center_size(at, vec2(11.0, 11.0)),
                id,
                Sense::drag(),
            )
            .on_hover_and_drag_cursor(CursorIcon::Grab);
        ui.painter().circle_filled(at, 3.5, theme::TEXT);
        if let Some(pointer) = handle.interact_pointer_pos().filter(|_| handle.dragged()) {
            RangeDrag::set(ui, scene, place, end, look.value_at(pointer));
        }
        let name = [
            "Smallest value that the match may give",
            "Largest value that the match may give",
        ];
        handle.on_hover_text(name[end]);
    }
}

/// Sets a parameter by the player's word: one step of undo, and a lock on what is matched.
pub fn set(param: usize, x: f32, scene: &Scene<'_>) {
    let host = scene.params.get(param);
    let mut step = Step::new(host.name().to_owned(), scene.limits);
    step.turns.push(Turn {
        param,
        before: host.value(),
        after: x,
    });
    if let Some(i) = matched_index(param).filter(|_| scene.amount > 0.0) {
        step.limits[1].locked[i] = true;
    }
    history::perform(step, scene.params, &scene.setter);
}

/// A choice: a button with its name, which opens a menu of all.
fn choice(ui: &mut Ui, rect: Rect, param: usize, label: &str, names: &[&str], scene: &Scene<'_>) {
    let text = Rect::from_min_max(pos2(rect.left(), rect.bottom() - 2.0 * LINE), rect.max);
    let name = Rect::from_min_size(text.min, vec2(rect.width(), LINE));
    centred(ui, name, label, theme::DIM);
    let height = 24.0f32.min(text.top() - rect.top());
    let button = Rect::from_center_size(
        pos2(rect.center().x, 0.5 * (rect.top() + text.top())),
        vec2(rect.width() - 6.0, height),
    );
    let response = choice_button(ui, button, param, names, scene);
    menu(&response, param, None, scene);
    hint(response, param, None, scene);
}

/// The button of a choice alone.
pub fn choice_button(
    ui: &mut Ui,
    rect: Rect,
    param: usize,
    names: &[&str],
    scene: &Scene<'_>,
) -> Response {
    let table = row(param);
    let now = table.plain(scene.params.get(param).value()).round() as usize;
    let id = ui.scope_id().with(("choice", param));
    let response = ui
        .interact(rect, id, Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    let shown = names.get(now).copied().unwrap_or_default();
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ComboBox, true, table.name);
        info.current_text_value = Some(shown.to_owned());
        info
    });
    button_body(ui, rect, &response, false);
    let words = rect.shrink2(vec2(6.0, 0.0));
    let arrow = words.right_center() - vec2(3.0, 0.0);
    knob::triangle(ui.painter(), arrow, 3.0, theme::DIM);
    theme::line(
        ui.painter(),
        words.left_center(),
        Align2::LEFT_CENTER,
        words.width() - 10.0,
        shown,
        theme::TEXT,
    );
    // The wheel steps through the list.
    if response.hovered() {
        let notch = ui.input(|input| {
            input.events.iter().find_map(|event| match event {
                egui::Event::MouseWheel { delta, .. } if delta.y != 0.0 => Some(delta.y),
                _ => None,
            })
        });
        if let Some(notch) = notch {
            let next = if notch > 0.0 {
                now.saturating_sub(1)
            } else {
                (now + 1).min(names.len() - 1)
            };
            if next != now {
                set(param, table.normalized(next as f32), scene);
            }
        }
    }
    // The right-click menu has the response's own popup, and a left click closes it.
    let list = Popup::menu(&response).id(response.id.with("list"));
    list.show(|ui| {
        egui::ScrollArea::vertical()
            .max_height(320.0)
            .show(ui, |ui| {
                for (i, name) in names.iter().enumerate() {
                    if ui.selectable_label(i == now, *name).clicked() {
                        set(param, table.normalized(i as f32), scene);
                        ui.close();
                    }
                }
            });
    });
    response
}

/// Draws a button's ground.
pub fn button_body(ui: &Ui, rect: Rect, response: &Response, on: bool) {
    let fill = match (
        on,
        response.hovered() || response.is_pointer_button_down_on(),
    ) {
        (true, _) => theme::BODY_ON,
        (false, true) => theme::BODY_HOVER,
        (false, false) => theme::BODY,
    };
    let edge = match (response.has_focus(), on) {
        (true, _) => egui::Stroke::new(1.5, theme::TEXT),
        (false, true) => egui::Stroke::new(1.0, theme::HEARD),
        (false, false) => egui::Stroke::new(1.0, theme::TRACK.gamma_multiply(0.6)),
    };
    ui.painter()
        .rect(rect, 5.0, fill, edge, egui::StrokeKind::Inside);
}

/// The menu of a parameter, at a right click.
fn menu(response: &Response, param: usize, matched: Option<&Matched>, scene: &Scene<'_>) {
    response.context_menu(|ui| {
        let table = row(param);
        let value = table.format(table.plain(scene.params.get(param).value()));
        if ui.button("Type a value…").clicked() {
            Entry::open(ui, param, &value);
            ui.close();
        }
        let default = table.format(table.default);
        if ui.button(format!("Default: {default}")).clicked() {
            gesture::reset(scene, param);
            ui.close();
        }
        if ui.button("Copy value").clicked() {
            ui.ctx().copy_text(value);
            ui.close();
        }
        let Some(matched) = matched else {
            return;
        };
        ui.separator();
        if matched.locked {
            if ui.button("Release: follow the reference").clicked() {
                locks::release(table.name, &[param], scene);
                ui.close();
            }
        } else if matched.sounding.is_some() && ui.button("Lock as it sounds").clicked() {
            locks::lock_as_heard(table.name, &[param], scene);
            ui.close();
        }
        let place = matched.place;
        if scene.limits.ranges[place] == [0.0, 1.0] {
            if ui.button("Limit the match's range").clicked() {
                let at = scene.effective.get(param);
                limit(table.name, place, [at - 0.15, at + 0.15], scene);
                ui.close();
            }
        } else if ui.button("Free the match's range").clicked() {
            limit(table.name, place, [0.0, 1.0], scene);
            ui.close();
        }
    });
}

/// Limits the values that the match may give a parameter: one step of undo.
fn limit(name: &str, place: usize, range: [f32; 2], scene: &Scene<'_>) {
    let mut step = Step::new(format!("Range of {name}"), scene.limits);
    let range = range.map(|x| x.clamp(0.0, 1.0));
    let limits: &mut Limits = &mut step.limits[1];
    limits.ranges[place] = range;
    history::perform(step, scene.params, &scene.setter);
}

/// A plain sentence on the parameter, beside the control, and one on its lean where it has one.
fn hint(response: Response, param: usize, matched: Option<&Matched>, scene: &Scene<'_>) {
    let name = row(param).name;
    let mut words = match matched {
        Some(matched) if matched.locked => format!("{name}: yours, the match leaves it alone."),
        Some(Matched {
            sounding: Some(_), ..
        }) => {
            format!("{name}: follows what is heard. Turn it to make it yours.")
        }
        Some(_) => format!("{name}: will follow what is heard."),
        None => format!("{name}: yours, never matched."),
    };
    if let Some(lean) = lean::of(param, scene) {
        words += &format!(" {lean}");
    }
    response.on_hover_text(words);
}
