//! The window's top: name, patch, undo, comparison, voices, zoom.

use egui::{
    Align2, Color32, CursorIcon, Painter, Popup, Pos2, Rect, Response, Role, Sense, Shape, Stroke,
    Ui, WidgetInfo, pos2, vec2,
};

use super::control::button_body;
use super::match_card::button;
use super::settings::ZOOMS;
use super::{App, Scene, View, theme};
use crate::history;

/// Height of the header, in points.
pub const HEIGHT: f32 = 32.0;
/// Width of the name.
const NAME: f32 = 104.0;
/// Seconds for which a note is shown in the patch's place.
const NOTE_SECONDS: f64 = 4.0;

impl App {
    /// Draws the header into `rect`.
    pub(super) fn header(&mut self, ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
        let painter = ui.painter();
        let at = rect.left_center() + vec2(4.0, 0.0);
        let font = theme::font(21.0);
        let first = painter.text(at, Align2::LEFT_CENTER, "Mirror", font.clone(), theme::TEXT);
        painter.text(
            first.right_center(),
            Align2::LEFT_CENTER,
            "Net",
            font,
            theme::HEARD,
        );

        let mut right = rect.right();
        let mut from_right = |width: f32| {
            let place =
                Rect::from_min_max(pos2(right - width, rect.top()), pos2(right, rect.bottom()));
            right -= width + 6.0;
            place.shrink2(vec2(0.0, 3.0))
        };
        let trouble = scene.has_trouble();
        let about = button(
            ui,
            from_right(52.0),
            "About",
            self.view == View::About,
            true,
        );
        if trouble {
            let dot = about.rect.right_top() + vec2(-4.0, 4.0);
            ui.painter().circle_filled(dot, 4.0, theme::WARN);
        }
        if about
            .on_hover_text(match trouble {
                true => "Something needs a look.",
                false => "Version, engine, diagnostics.",
            })
            .clicked()
        {
            self.view.toggle(View::About);
        }
        self.zoom_menu(ui, from_right(54.0));
        lights(ui, from_right(64.0), scene, &mut self.notes);
        let compare = from_right(62.0);
        self.compare(ui, compare, scene);
        let undo = from_right(62.0);
        self.undo(ui, undo, scene);
        let save = from_right(46.0);
        if button(
            ui,
            save,
            "Save",
            self.view == View::Browser { saving: true },
            true,
        )
        .on_hover_text("Save this sound as a patch of your own.")
        .clicked()
        {
            self.view.toggle(View::Browser { saving: true });
        }
        let browse = from_right(56.0);
        if button(
            ui,
            browse,
            "Browse",
            self.view == View::Browser { saving: false },
            true,
        )
        .on_hover_text("All patches, to search and to try.")
        .clicked()
        {
            self.view.toggle(View::Browser { saving: false });
        }
        let bar = Rect::from_min_max(
            pos2(rect.left() + NAME, rect.top() + 3.0),
            pos2(right, rect.bottom() - 3.0),
        );
        self.patch_bar(ui, bar, scene);
    }

    /// The patch's name, with a star for a favourite and arrows to the next ones.
    fn patch_bar(&mut self, ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
        theme::well(ui.painter(), rect);
        let square = |left: f32| {
            Rect::from_min_size(pos2(left, rect.top()), vec2(rect.height(), rect.height()))
        };
        for (n, left, label) in [
            (-1, rect.left(), "Previous patch"),
            (1, rect.right() - rect.height(), "Next patch"),
        ] {
            let response = icon(ui, square(left), label, |painter, centre, colour| {
                let (x, y) = (4.0 * n as f32, 4.5);
                let corners = vec![
                    centre + vec2(-x, -y),
                    centre + vec2(-x, y),
                    centre + vec2(x, 0.0),
                ];
                painter.add(Shape::convex_polygon(corners, colour, Stroke::NONE));
            });
            if response.clicked() {
                self.step_patch(n, scene);
            }
        }
        let name = scene.params.state.patch_name();
        let loved = self.settings.favourites.contains(&name);
        let place = square(rect.right() - 2.0 * rect.height());
        if !name.is_empty() {
            let label = if loved {
                "No favourite any more"
            } else {
                "Make it a favourite"
            };
            let response = icon(ui, place, label, |painter, centre, colour| {
                star(
                    painter,
                    centre,
                    6.0,
                    loved,
                    if loved { theme::PLAYED } else { colour },
                );
            });
            if response.clicked() {
                self.love(&name);
            }
        }
        let words = Rect::from_min_max(
            pos2(rect.left() + rect.height() + 4.0, rect.top()),
            pos2(place.left() - 4.0, rect.bottom()),
        );
        let time = ui.input(|input| input.time);
        if let Some((note, since)) = &self.note
            && time - since < NOTE_SECONDS
        {
            let left = NOTE_SECONDS - (time - since);
            ui.ctx()
                .request_repaint_after(std::time::Duration::from_secs_f64(left));
            let (at, align) = (words.center(), Align2::CENTER_CENTER);
            theme::line(ui.painter(), at, align, words.width(), note, theme::HEARD);
            return;
        }
        let response = ui
            .interact(words, ui.scope_id().with("patch name"), Sense::click())
            .on_hover_cursor(CursorIcon::PointingHand);
        let changed = self.library.is_changed(&name, scene);
        let shown = match (name.is_empty(), changed) {
            (true, _) => "Unnamed patch".to_owned(),
            (false, true) => format!("{name} (changed)"),
            (false, false) => name,
        };
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &shown));
        let (at, align) = (words.center(), Align2::CENTER_CENTER);
        theme::line(ui.painter(), at, align, words.width(), &shown, theme::TEXT);
        if response.on_hover_text("Browse patches").clicked() {
            self.view.toggle(View::Browser { saving: false });
        }
    }

    fn undo(&mut self, ui: &Ui, rect: Rect, scene: &Scene<'_>) {
        let (undo, redo) = {
            let history = scene.params.state.history.lock();
            let name = |name: Option<&str>| name.map(str::to_owned);
            (name(history.undo_name()), name(history.redo_name()))
        };
        let half = 0.5 * rect.width() - 2.0;
        for (n, (word, what)) in [("Undo", undo), ("Redo", redo)].into_iter().enumerate() {
            let corner = pos2(rect.left() + (half + 4.0) * n as f32, rect.top());
            let place = Rect::from_min_size(corner, vec2(half, rect.height()));
            let label = match &what {
                Some(what) => format!("{word}: {what}"),
                None => format!("Nothing to {}", word.to_lowercase()),
            };
            let possible = what.is_some();
            let response = icon(ui, place, &label, |painter, centre, colour| {
                let colour = if possible { colour } else { theme::TRACK };
                turn_arrow(painter, centre, n == 1, colour);
            });
            if response.clicked() && possible {
                match n {
                    0 => history::undo(scene.params, &scene.setter),
                    _ => history::redo(scene.params, &scene.setter),
                }
            }
        }
    }

    /// Two sounds to compare: the other one waits.
    fn compare(&mut self, ui: &Ui, rect: Rect, scene: &Scene<'_>) {
        let half = 0.5 * rect.width() - 2.0;
        for (n, word) in ["A", "B"].into_iter().enumerate() {
            let corner = pos2(rect.left() + (half + 4.0) * n as f32, rect.top());
            let place = Rect::from_min_size(corner, vec2(half, rect.height()));
            let on = self.side == n;
            let hint = match on {
                true => "You hear this one.",
                false => "Click to hear the other one.",
            };
            if button(ui, place, word, on, true)
                .on_hover_text(hint)
                .clicked()
                && !on
            {
                self.switch_side(n, scene);
            }
        }
    }

    fn zoom_menu(&mut self, ui: &Ui, rect: Rect) {
        let now = self.settings.zoom;
        let word = format!("{:.0} %", 100.0 * now);
        let response = ui
            .interact(rect, ui.scope_id().with("zoom"), Sense::click())
            .on_hover_cursor(CursorIcon::PointingHand);
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::ComboBox, true, "Zoom");
            info.current_text_value = Some(word.clone());
            info
        });
        button_body(ui, rect, &response, false);
        let (at, align) = (rect.center(), Align2::CENTER_CENTER);
        theme::line(ui.painter(), at, align, rect.width(), &word, theme::TEXT);
        let mut chosen = None;
        Popup::menu(&response).show(|ui| {
            for zoom in ZOOMS {
                let word = format!("{:.0} %", 100.0 * zoom);
                if ui.selectable_label(zoom == now, word).clicked() {
                    chosen = Some(zoom);
                    ui.close();
                }
            }
        });
        if let Some(zoom) = chosen {
            self.settings.zoom = zoom;
            self.save_settings();
            ui.ctx().set_zoom_factor(zoom);
        }
        response.on_hover_text("Size of everything.");
    }
}

/// The light for notes that come in, and the number of voices.
fn lights(ui: &Ui, rect: Rect, scene: &Scene<'_>, seen: &mut (u32, f64)) {
    let [notes, voices] = scene.params.state.feed.notes();
    let time = ui.input(|input| input.time);
    if notes != seen.0 {
        *seen = (notes, time);
    }
    let lit = time - seen.1 < 0.15 && notes > 0;
    if lit {
        ui.ctx()
            .request_repaint_after(std::time::Duration::from_millis(160));
    }
    let at = rect.left_center() + vec2(6.0, 0.0);
    let edge = Stroke::new(1.5, theme::DIM);
    match lit {
        true => drop(ui.painter().circle_filled(at, 4.5, theme::PLAYED)),
        false => drop(ui.painter().circle_stroke(at, 4.0, edge)),
    }
    let words = match voices {
        1 => "1 voice".to_owned(),
        n => format!("{n} voices"),
    };
    let at = at + vec2(8.0, 0.0);
    let width = rect.right() - at.x;
    theme::line(
        ui.painter(),
        at,
        Align2::LEFT_CENTER,
        width,
        &words,
        theme::DIM,
    );
    ui.interact(rect, ui.scope_id().with("lights"), Sense::hover())
        .on_hover_text("Lights up with every note that arrives.");
}

/// A button with a drawing, said by `label`.
fn icon(ui: &Ui, rect: Rect, label: &str, draw: impl Fn(&Painter, Pos2, Color32)) -> Response {
    let key = label.split(':').next().unwrap_or_default();
    let response = ui
        .interact(
            rect,
            ui.scope_id().with(("icon", key, rect.left() as i32)),
            Sense::click(),
        )
        .on_hover_cursor(CursorIcon::PointingHand);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label));
    if response.has_focus() {
        let edge = Stroke::new(1.5, theme::TEXT);
        ui.painter()
            .rect_stroke(rect.shrink(2.0), 4.0, edge, egui::StrokeKind::Inside);
    }
    let colour = if response.hovered() {
        theme::TEXT
    } else {
        theme::DIM
    };
    draw(ui.painter(), rect.center(), colour);
    response.on_hover_text(label)
}

/// Draws an arrow that turns back or, `forth`, on.
fn turn_arrow(painter: &Painter, centre: Pos2, forth: bool, colour: Color32) {
    let side = if forth { -1.0 } else { 1.0 };
    let at = |x: f32, y: f32| centre + vec2(side * x, y);
    let bow: Vec<Pos2> = (0..=10)
        .map(|k| {
            let angle = std::f32::consts::PI * (k as f32 / 10.0 - 0.5);
            at(1.0 + 4.5 * angle.cos(), 1.0 + 4.5 * angle.sin())
        })
        .collect();
    let stroke = Stroke::new(1.7, colour);
    painter.add(Shape::line(bow, stroke));
    painter.line_segment([at(1.0, -3.5), at(-5.0, -3.5)], stroke);
    painter.line_segment([at(-5.0, -3.5), at(-2.0, -6.5)], stroke);
    painter.line_segment([at(-5.0, -3.5), at(-2.0, -0.5)], stroke);
    painter.line_segment([at(1.0, 5.5), at(-3.0, 5.5)], stroke);
}

/// Draws a five-pointed star.
pub fn star(painter: &Painter, centre: Pos2, radius: f32, filled: bool, colour: Color32) {
    let points: Vec<Pos2> = (0..10)
        .map(|k| {
            let angle = std::f32::consts::TAU * (k as f32 / 10.0 - 0.25);
            let radius = if k % 2 == 0 { radius } else { 0.42 * radius };
            centre + radius * vec2(angle.cos(), angle.sin())
        })
        .collect();
    if filled {
        // A star isn't convex: five kites around the centre are.
        for k in (0..10).step_by(2) {
            let kite = vec![centre, points[(k + 9) % 10], points[k], points[k + 1]];
            painter.add(Shape::convex_polygon(kite, colour, Stroke::NONE));
        }
    }
    painter.add(Shape::closed_line(points, Stroke::new(1.2, colour)));
}
