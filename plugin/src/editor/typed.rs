//! The value of a parameter as a field in which the player can type another.

use egui::text::{CCursor, CCursorRange};
use egui::{Align2, Color32, CursorIcon, Id, Key, Rect, Sense, Ui, vec2};

use super::{Scene, control, theme};

/// A value that is being typed.
#[derive(Clone)]
pub struct Entry {
    param: usize,
    text: String,
    /// True after a text that is no value was entered.
    refused: bool,
    fresh: bool,
}

impl Entry {
    fn key() -> Id {
        Id::unique("typed value")
    }

    /// Lets the player type, beginning with `text`.
    pub fn open(ui: &Ui, param: usize, text: &str) {
        let entry = Self {
            param,
            text: text.to_owned(),
            refused: false,
            fresh: true,
        };
        ui.data_mut(|data| data.insert_temp(Self::key(), entry));
    }

    fn of(ui: &Ui, param: usize) -> Option<Self> {
        ui.data(|data| data.get_temp::<Self>(Self::key()))
            .filter(|entry| entry.param == param)
    }

    fn close(ui: &Ui) {
        ui.data_mut(|data| data.remove::<Self>(Self::key()));
    }
}

/// The value as text; a click lets the player type another.
pub fn value_field(
    ui: &mut Ui,
    rect: Rect,
    param: usize,
    text: &str,
    colour: Color32,
    scene: &Scene<'_>,
) {
    let Some(mut entry) = Entry::of(ui, param) else {
        let id = ui.scope_id().with(("value", param));
        let response = ui
            .interact(rect, id, Sense::CLICK)
            .on_hover_cursor(CursorIcon::Text);
        if response.hovered() {
            ui.painter()
                .rect_filled(rect.shrink2(vec2(4.0, 0.0)), 3.0, theme::BODY);
        }
        control::centred(ui, rect, text, colour);
        if response.clicked() {
            Entry::open(ui, param, text);
        }
        return;
    };
    let id = ui.scope_id().with(("entry", param));
    let field = egui::TextEdit::singleline(&mut entry.text)
        .id(id)
        .font(theme::font(theme::SMALL))
        .margin(egui::Margin::symmetric(2, 0))
        .align(Align2::CENTER_CENTER)
        .text_color(if entry.refused {
            theme::BAD
        } else {
            theme::TEXT
        });
    let place = rect.expand2(vec2(2.0, 1.0));
    let response = ui.put(place, field);
    if entry.fresh {
        entry.fresh = false;
        response.request_focus();
        let mut state = egui::TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
        let end = CCursor::new(entry.text.chars().count());
        let all = CCursorRange::two(CCursor::new(0), end);
        state.cursor.set_char_range(Some(all));
        egui::TextEdit::store_state(ui.ctx(), id, state);
    } else if response.lost_focus() {
        let given_up = ui.input(|input| input.key_pressed(Key::Escape));
        match control::row(param).parse(&entry.text.replace(',', ".")) {
            Some(plain) if !given_up => {
                control::set(param, control::row(param).normalized(plain), scene);
                return Entry::close(ui);
            }
            None if !given_up && ui.input(|input| input.key_pressed(Key::Enter)) => {
                entry.refused = true;
                response.request_focus();
            }
            _ => return Entry::close(ui),
        }
    } else if response.changed() {
        entry.refused = false;
    }
    if entry.refused {
        let table = control::row(param);
        let ends = [table.min, table.max].map(|end| table.format(end));
        response.show_tooltip_text(format!("A value from {} to {}.", ends[0], ends[1]));
    }
    ui.data_mut(|data| data.insert_temp(Entry::key(), entry));
}
