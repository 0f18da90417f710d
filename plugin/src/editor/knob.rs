//! A rotary knob over a host parameter, with the inferred value as a second ring.
//!
//! Drag up and down (shift: finely), scroll, double-click for the default.

use std::f32::consts::TAU;

use egui::{Align2, Color32, CursorIcon, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui};
use egui::{pos2, vec2};

use super::gesture::{self, Gesture};
use super::{Scene, theme};

/// Points of drag for the whole range.
const TRAVEL: f32 = 190.0;
/// Factor of the speed while shift is held.
const FINE: f32 = 0.1;
/// Share of the range for a point of scrolling; a notch of a wheel is some 40 points.
const SCROLL: f32 = 1.0 / 2000.0;
/// Angle of the lower end, clockwise from the right, and angle between the ends, in radians.
const START: f32 = TAU * 0.375;
const SWEEP: f32 = TAU * 0.75;
/// Space between the knob's track and the inferred ring.
const RING: f32 = 5.0;

/// The match's part in a knob.
#[derive(Clone, Debug)]
pub struct Inferred {
    /// Normalised value that sounds.
    pub effective: f32,
    /// Inferred value as text.
    pub text: String,
}

/// A knob to draw.
pub struct Knob<'a> {
    /// Index of the parameter it sets, as [`Params::get`](crate::params::Params::get) takes it.
    pub param: usize,
    /// Text above it.
    pub label: &'a str,
    /// Radius of its track.
    pub radius: f32,
    /// Normalised value from which the track is lit.
    pub origin: f32,
    /// Whether the matcher may set it.
    pub matched: bool,
    /// The inferred value; `None` when there is none or the knob is locked.
    pub inferred: Option<Inferred>,
    /// Whether the parameter is locked.
    pub locked: bool,
    /// Text shown under the pointer.
    pub hint: &'a str,
}

/// The player's click on a knob's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockClick {
    /// Lock it where it sounds.
    Lock,
    /// Release it.
    Release,
}

impl Knob<'_> {
    /// Radius of the whole knob with its rings, for a track of `radius`.
    pub fn outer(radius: f32) -> f32 {
        radius + RING + 2.5
    }

    /// Draws the knob around `centre`, the label above it within `width`, the value and the
    /// inferred value below, and carries out turns; a click on the lock is left to the caller.
    pub fn show(self, ui: &Ui, centre: Pos2, width: f32, scene: &Scene<'_>) -> Option<LockClick> {
        let painter = ui.painter();
        let outer = Self::outer(self.radius);
        let foot = pos2(centre.x, centre.y - outer);
        write_label(painter, foot, width, self.label, self.matched);

        let param = scene.params.get(self.param);
        let id = ui.scope_id().with(("knob", param.name()));
        let body = Rect::from_center_size(centre, vec2(2.0 * outer, 2.0 * outer));
        let badge = Rect::from_center_size(centre + vec2(outer, -outer + 3.0), vec2(15.0, 17.0));
        let response = ui
            .interact(body, id, Sense::click_and_drag())
            .on_hover_and_drag_cursor(CursorIcon::ResizeVertical);
        let value = self.turn(ui, &response, scene);

        let lit = response.hovered() || response.dragged();
        self.paint(painter, centre, value, lit);
        let line = |offset: f32, text: &str, colour: Color32| {
            let at = pos2(centre.x, centre.y + outer + offset);
            painter.text(at, Align2::CENTER_TOP, text, theme::font(11.0), colour);
        };
        line(0.0, &param.text(value), theme::TEXT);
        if let Some(inferred) = &self.inferred {
            line(12.5, &inferred.text, theme::ACCENT);
        }

        let mut click = None;
        // An open lock shows where the pointer is: a click keeps what is heard.
        if self.locked || self.inferred.is_some() {
            let lock = ui
                .interact(badge, id.with("lock"), Sense::click())
                .on_hover_cursor(CursorIcon::PointingHand);
            if self.locked || lit || lock.hovered() {
                paint_lock(painter, badge.center(), self.locked, lock.hovered());
            }
            if lock.clicked() {
                click = Some(match self.locked {
                    true => LockClick::Release,
                    false => LockClick::Lock,
                });
            }
            lock.on_hover_text(match self.locked {
                true => "Locked: you set it, so the match leaves it alone. Click to release.",
                false => "Click to keep it as it sounds now.",
            });
        }
        if !response.dragged() {
            response.on_hover_text(self.hint);
        }
        click
    }

    /// Lets the player turn the knob: the normalised value to show. A matched knob is taken up
    /// where it sounds.
    fn turn(&self, ui: &Ui, response: &Response, scene: &Scene<'_>) -> f32 {
        let param = scene.params.get(self.param);
        let from = match &self.inferred {
            Some(inferred) => inferred.effective,
            None => param.value(),
        };
        let (down, travel, shift) = ui.input(|input| {
            let pointer = &input.pointer;
            // A way that the pointer came before it was pressed is no turn.
            let way = match (pointer.press_origin(), pointer.latest_pos()) {
                (Some(from), Some(to)) if pointer.primary_pressed() => to - from,
                _ => pointer.delta(),
            };
            (
                pointer.primary_down(),
                -way.y / TRAVEL,
                input.modifiers.shift,
            )
        });
        let speed = if shift { FINE } else { 1.0 };
        if response.is_pointer_button_down_on() && down {
            if travel != 0.0 {
                Gesture::turn(ui, scene, self.param, from, travel * speed, false);
            }
        } else if response.double_clicked() {
            gesture::reset(scene, self.param);
        } else if response.hovered() && !down {
            let scroll = ui.input(|input| input.smooth_scroll_delta());
            // With shift the system may turn the wheel sideways.
            let step = (scroll.x + scroll.y) * SCROLL * speed;
            if step != 0.0 {
                Gesture::turn(ui, scene, self.param, from, step, true);
            }
        }
        match Gesture::open(ui) {
            Some(gesture) if gesture.param == self.param => gesture.value,
            _ => param.value(),
        }
    }

    fn paint(&self, painter: &Painter, centre: Pos2, value: f32, lit: bool) {
        let radius = self.radius;
        arc(
            painter,
            centre,
            radius,
            0.0,
            1.0,
            Stroke::new(3.0, theme::TRACK),
        );
        let colour = match self.inferred.is_some() {
            true => theme::DIM,
            false => theme::TEXT,
        };
        arc(
            painter,
            centre,
            radius,
            self.origin,
            value,
            Stroke::new(3.0, colour),
        );
        let body = if lit { theme::BODY_HOVER } else { theme::BODY };
        painter.circle(centre, radius - 4.5, body, Stroke::new(1.0, theme::EDGE));
        let pointer = [
            point(centre, radius * 0.3, value),
            point(centre, radius - 6.0, value),
        ];
        painter.line_segment(pointer, Stroke::new(2.0, theme::TEXT));

        if let Some(inferred) = &self.inferred {
            let ring = radius + RING;
            let stroke = Stroke::new(2.0, theme::ACCENT);
            arc(painter, centre, ring, value, inferred.effective, stroke);
            painter.circle_filled(point(centre, ring, inferred.effective), 3.0, theme::ACCENT);
        }
    }
}

/// Draws the label above `foot`, in at most two lines.
fn write_label(painter: &Painter, foot: Pos2, width: f32, label: &str, matched: bool) {
    let colour = if matched { theme::TEXT } else { theme::DIM };
    let font = theme::font(10.5);
    // Lines break between words only: a long one may reach into the space between two knobs.
    let longest = label
        .split(' ')
        .map(|word| {
            painter
                .layout_no_wrap(word.to_owned(), font.clone(), colour)
                .size()
                .x
        })
        .fold(width - 4.0, f32::max);
    let mut job = egui::text::LayoutJob::simple(label.to_owned(), font, colour, longest + 0.5);
    job.halign = egui::Align::Center;
    job.wrap.max_rows = 2;
    let galley = painter.layout_job(job);
    let top = foot.y - galley.size().y - 1.0;
    painter.galley(pos2(foot.x, top), galley, colour);
}

/// Draws a padlock, `closed` or open.
pub fn paint_lock(painter: &Painter, centre: Pos2, closed: bool, lit: bool) {
    let colour = match (lit, closed) {
        (true, _) => theme::TEXT,
        (false, true) => theme::WARN,
        (false, false) => theme::DIM,
    };
    let body = Rect::from_center_size(centre + vec2(0.0, 2.0), vec2(8.0, 6.5));
    painter.rect_filled(body, 1.5, colour);
    // An open one's shackle ends short of the body on its right.
    let end = if closed { 12 } else { 8 };
    let shackle = (0..=end)
        .map(|k| {
            let angle = TAU * (0.5 + k as f32 / 24.0);
            body.center_top() + vec2(2.6 * angle.cos(), 3.6 * angle.sin())
        })
        .collect();
    painter.add(Shape::line(shackle, Stroke::new(1.5, colour)));
}

/// The point for `value`, 0 to 1, on a circle.
fn point(centre: Pos2, radius: f32, value: f32) -> Pos2 {
    let angle = START + SWEEP * value;
    centre + radius * vec2(angle.cos(), angle.sin())
}

/// Draws the arc from one value to another.
fn arc(painter: &Painter, centre: Pos2, radius: f32, from: f32, to: f32, stroke: Stroke) {
    let steps = 2 + ((to - from).abs() * 48.0) as usize;
    let points = (0..=steps)
        .map(|k| point(centre, radius, from + (to - from) * k as f32 / steps as f32))
        .collect();
    painter.add(Shape::line(points, stroke));
}
