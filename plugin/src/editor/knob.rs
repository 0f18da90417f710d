//! The look of a knob, and how it is turned: drag up and down (shift: finely), or scroll.

use std::f32::consts::TAU;

use egui::{Color32, Painter, Pos2, Rect, Response, Shape, Stroke, Ui, pos2, vec2};

use super::theme;

/// Points of drag for the whole range.
const TRAVEL: f32 = 190.0;
/// Factor of the speed while shift is held.
const FINE: f32 = 0.1;
/// Share of the range for a point of scrolling; a notch of a wheel is some 40 points.
const SCROLL: f32 = 1.0 / 2000.0;
/// Angle of the lower end, clockwise from the right, and angle between the ends, in radians.
const START: f32 = TAU * 0.375;
const SWEEP: f32 = TAU * 0.75;
/// Space between the knob's track and the ring of what sounds.
const RING: f32 = 4.5;

/// A knob to draw. Values are normalised.
pub struct Look {
    /// Centre.
    pub centre: Pos2,
    /// Radius of its track.
    pub radius: f32,
    /// Position of the knob.
    pub value: f32,
    /// Value from which the track is lit.
    pub origin: f32,
    /// The sounding value, where the match moves it.
    pub sounding: Option<f32>,
    /// Range that the match may use, where it is limited.
    pub range: Option<[f32; 2]>,
    /// False where turning it would change nothing.
    pub active: bool,
    /// Ends of the way that modulation moves it.
    pub modulation: Option<[f32; 2]>,
    /// True while the pointer is over the knob or the keyboard focus is on it.
    pub lit: bool,
    /// True while the keyboard focus is on it.
    pub focused: bool,
}

impl Look {
    /// The point of the outer ring for a value.
    pub fn ring(&self, value: f32) -> Pos2 {
        point(self.centre, self.radius + RING, value)
    }

    /// The value of the ring's point that is nearest to the pointer.
    pub fn value_at(&self, pointer: Pos2) -> f32 {
        let way = pointer - self.centre;
        let angle = (way.y.atan2(way.x) - START).rem_euclid(TAU);
        // Below, where the ring is open, the nearer end counts.
        let beyond = 0.5 * (TAU + SWEEP);
        (if angle > beyond { 0.0 } else { angle / SWEEP }).clamp(0.0, 1.0)
    }

    /// Draws it.
    pub fn paint(&self, painter: &Painter) {
        let Self { centre, radius, .. } = *self;
        arc(
            painter,
            centre,
            radius,
            [0.0, 1.0],
            Stroke::new(2.5, theme::TRACK),
        );
        let colour = match (self.active, self.sounding) {
            (false, _) => theme::TRACK,
            (true, Some(_)) => theme::DIM,
            (true, None) => theme::TEXT,
        };
        let lit = [self.origin, self.value];
        arc(painter, centre, radius, lit, Stroke::new(2.5, colour));
        let body = match self.lit {
            true => theme::BODY_HOVER,
            false => theme::BODY,
        };
        let edge = match self.focused {
            true => Stroke::new(2.0, theme::TEXT),
            false => Stroke::new(1.0, theme::EDGE),
        };
        painter.circle(centre, radius - 4.0, body, edge);
        if let Some(ends) = self.modulation {
            arc(
                painter,
                centre,
                radius - 4.0,
                ends,
                Stroke::new(2.0, theme::MODULATION),
            );
        }
        let pointer = [
            point(centre, radius * 0.3, self.value),
            point(centre, radius - 5.5, self.value),
        ];
        let colour = if self.active {
            theme::TEXT
        } else {
            theme::TRACK
        };
        painter.line_segment(pointer, Stroke::new(2.0, colour));
        let ring = radius + RING;
        if let Some(range) = self.range {
            arc(painter, centre, ring, range, Stroke::new(1.0, theme::DIM));
        }
        if let Some(sounding) = self.sounding {
            arc(
                painter,
                centre,
                ring,
                [self.value, sounding],
                Stroke::new(2.0, theme::HEARD),
            );
            painter.circle_filled(self.ring(sounding), 3.0, theme::HEARD);
        }
    }
}

/// Returns the player's turn of a knob now, normalised, and whether it is by the wheel.
pub fn travel(ui: &Ui, response: &Response) -> Option<(f32, bool)> {
    let (down, way, scroll, shift) = ui.input(|input| {
        let pointer = &input.pointer;
        // A way that the pointer came before it was pressed is no turn.
        let way = match (pointer.press_origin(), pointer.latest_pos()) {
            (Some(from), Some(to)) if pointer.primary_pressed() => to - from,
            _ => pointer.delta(),
        };
        let down = pointer.primary_down();
        (
            down,
            way.y,
            input.smooth_scroll_delta(),
            input.modifiers.shift,
        )
    });
    let speed = if shift { FINE } else { 1.0 };
    if response.is_pointer_button_down_on() && down {
        let travel = -way / TRAVEL * speed;
        return (travel != 0.0).then_some((travel, false));
    }
    // With shift the system may turn the wheel sideways.
    let step = (scroll.x + scroll.y) * SCROLL * speed;
    (response.hovered() && !down && step != 0.0).then_some((step, true))
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

/// Draws a small triangle that points down.
pub fn triangle(painter: &Painter, centre: Pos2, size: f32, colour: Color32) {
    let corners = [[-1.0, -0.6], [1.0, -0.6], [0.0, 0.8]]
        .map(|[x, y]| pos2(centre.x + size * x, centre.y + size * y));
    painter.add(Shape::convex_polygon(
        corners.to_vec(),
        colour,
        Stroke::NONE,
    ));
}

/// The point for a value on a circle.
fn point(centre: Pos2, radius: f32, value: f32) -> Pos2 {
    let angle = START + SWEEP * value;
    centre + radius * vec2(angle.cos(), angle.sin())
}

/// Draws the arc from one value to another.
fn arc(painter: &Painter, centre: Pos2, radius: f32, [from, to]: [f32; 2], stroke: Stroke) {
    // A tenth of a pixel off the circle at most.
    let steps = 2 + ((to - from).abs() * (8.0 + 0.6 * radius)) as usize;
    let points = (0..=steps)
        .map(|k| point(centre, radius, from + (to - from) * k as f32 / steps as f32))
        .collect();
    painter.add(Shape::line(points, stroke));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_of_the_ring_is_its_value() {
        let look = Look {
            centre: pos2(50.0, 50.0),
            radius: 20.0,
            value: 0.0,
            origin: 0.0,
            sounding: None,
            range: None,
            active: true,
            modulation: None,
            lit: false,
            focused: false,
        };
        for x in [0.0, 0.2, 0.5, 0.9, 1.0] {
            assert!((look.value_at(look.ring(x)) - x).abs() < 1e-4);
        }
        assert_eq!(look.value_at(pos2(45.0, 90.0)), 0.0);
        assert_eq!(look.value_at(pos2(55.0, 90.0)), 1.0);
    }
}
