//! Pictures of what the synth does, by its own functions at the values that sound: waveforms,
//! filter response, envelopes, low-frequency oscillators. They can be dragged.

use std::sync::Arc;

use egui::{Color32, CursorIcon, Id, Pos2, Rect, Sense, Shape, Stroke, Ui, Vec2, pos2, vec2};
use synth::params::*;
use synth::{FilterResponse, PARAMS, Patch, Section, curves};

use super::gesture::Gesture;
use super::{Scene, theme};

/// Sample rate for the filter's picture, in Hz.
const RATE: f32 = 48_000.0;
/// Frequencies at the ends of the filter's picture, in Hz.
const HERTZ: [f32; 2] = [20.0, 20_000.0];
/// Gains at its foot and its top, in dB.
const DECIBELS: [f32; 2] = [-36.0, 24.0];

/// Pictures of parts of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Picture {
    /// Waveform of oscillator 1 (0) or 2 (1).
    Waveform(usize),
    /// Response of both filters.
    Filter,
    /// The envelope of one of these sections.
    Envelope(Section),
    /// Low-frequency oscillator 1 (0) or 2 (1).
    Lfo(usize),
}

impl Picture {
    /// The picture that belongs to a section.
    pub fn of(section: Section) -> Option<Self> {
        Some(match section {
            Section::Osc1 => Self::Waveform(0),
            Section::Osc2 => Self::Waveform(1),
            Section::Filter => Self::Filter,
            Section::FilterEnv | Section::AmpEnv => Self::Envelope(section),
            Section::Lfo => Self::Lfo(0),
            Section::Lfo2 => Self::Lfo(1),
            _ => return None,
        })
    }

    /// Draws it into `rect`, and turns what the player drags.
    pub fn show(self, ui: &Ui, rect: Rect, scene: &Scene<'_>) {
        theme::well(ui.painter(), rect);
        let inside = rect.shrink2(vec2(5.0, 6.0));
        let heard = scene.held.is_some() && scene.amount > 0.0;
        let colour = if heard { theme::HEARD } else { theme::TEXT };
        let patch = &scene.effective;
        let count = points(inside);
        match self {
            Self::Waveform(n) => {
                // Two cycles, with their edges.
                let cycle = self.curve(ui, patch, count, || curves::waveform(patch, n, count));
                let level = |k: usize| 0.5 - 0.42 * cycle[k % count].clamp(-1.15, 1.15);
                trace(ui, inside, 2 * count, colour, level);
                let shape = [OSC1_SHAPE, OSC2_SHAPE][n];
                let width = [OSC1_WIDTH, OSC2_WIDTH][n];
                drag(
                    ui,
                    rect,
                    ("wave", n),
                    [(shape, 4.0 / 3.0), (width, 1.0)],
                    scene,
                );
            }
            Self::Filter => {
                let gains = self.curve(ui, patch, count, || gains(patch, count));
                let level = |k: usize| 1.0 - (gains[k] - DECIBELS[0]) / (DECIBELS[1] - DECIBELS[0]);
                trace(ui, inside, count, colour, level);
                // The picture's width in octaves, over the knob's.
                let way = (HERTZ[1] / HERTZ[0]).ln() / (18_000.0f32 / 80.0).ln();
                let knobs = [(FILTER_CUTOFF, way), (FILTER_RESONANCE, 1.0)];
                drag(ui, rect, "filter", knobs, scene);
            }
            Self::Envelope(section) => self.envelope(ui, inside, section, colour, scene),
            Self::Lfo(n) => {
                let hertz =
                    PARAMS[[LFO_RATE, LFO2_RATE][n]].plain(patch.get([LFO_RATE, LFO2_RATE][n]));
                let seconds = (4.0 / hertz).clamp(0.5, 4.0);
                let levels = self.curve(ui, patch, count, || {
                    curves::lfo(patch, n, 120.0, seconds, count)
                });
                trace(ui, inside, count, colour, |k| 0.5 - 0.45 * levels[k]);
                let rate = [LFO_RATE, LFO2_RATE][n];
                let delay = [LFO_DELAY, LFO2_DELAY][n];
                drag(ui, rect, ("lfo", n), [(rate, -1.0), (delay, 1.0)], scene);
            }
        }
    }

    /// The numbers of a curve, computed anew where patch or length are not those of last time.
    fn curve(
        self,
        ui: &Ui,
        patch: &Patch,
        count: usize,
        compute: impl FnOnce() -> Vec<f32>,
    ) -> Arc<Vec<f32>> {
        type Kept = (Patch, usize, Arc<Vec<f32>>);
        let key = ui.scope_id().with(("curve", self));
        if let Some((of, length, curve)) = ui.data(|data| data.get_temp::<Kept>(key))
            && of == *patch
            && length == count
        {
            return curve;
        }
        let curve = Arc::new(compute());
        let kept: Kept = (*patch, count, curve.clone());
        ui.data_mut(|data| data.insert_temp(key, kept));
        curve
    }

    /// An envelope with its three corners.
    fn envelope(self, ui: &Ui, rect: Rect, section: Section, colour: Color32, scene: &Scene<'_>) {
        let knobs = match section {
            Section::FilterEnv => [FILTER_ATTACK, FILTER_DECAY, FILTER_SUSTAIN, FILTER_RELEASE],
            _ => [AMP_ATTACK, AMP_DECAY, AMP_SUSTAIN, AMP_RELEASE],
        };
        let plain = |row: usize| PARAMS[row].plain(scene.effective.get(row));
        let [attack, decay, _, release] = knobs.map(plain);
        let held = (1.3 * (attack + decay)).max(0.05);
        let seconds = 1.08 * (held + release);
        let count = points(rect);
        let patch = &scene.effective;
        let levels = self.curve(ui, patch, count, || {
            curves::envelope(patch, section, seconds, held, count)
        });
        trace(ui, rect, count, colour, |k| 1.0 - 0.95 * levels[k]);
        let sustain = levels[((attack + decay) / seconds * count as f32) as usize];
        let at = |time: f32, level: f32| {
            let x = rect.left() + rect.width() * time / seconds;
            pos2(x, rect.bottom() - 0.95 * rect.height() * level)
        };
        let corners = [
            (at(attack, 1.0), [(knobs[0], 0.6), (knobs[0], 0.0)]),
            (
                at(attack + decay, sustain),
                [(knobs[1], 0.6), (knobs[2], 1.0)],
            ),
            (at(held + release, 0.0), [(knobs[3], 0.6), (knobs[3], 0.0)]),
        ];
        for (n, (corner, knobs)) in corners.into_iter().enumerate() {
            handle(
                ui,
                corner,
                ("corner", section, n),
                knobs,
                rect.size(),
                colour,
                scene,
            );
        }
    }
}

/// Gains in dB of both filters at `count` frequencies of the filter's picture.
fn gains(patch: &Patch, count: usize) -> Vec<f32> {
    let response = FilterResponse::new(patch, RATE);
    let gain = |k: usize| {
        let at = k as f32 / (count - 1) as f32;
        let hertz = HERTZ[0] * (HERTZ[1] / HERTZ[0]).powf(at);
        20.0 * response.gain(hertz).max(1e-6).log10()
    };
    (0..count).map(gain).collect()
}

/// Number of points of a curve: one for two points of its width.
fn points(rect: Rect) -> usize {
    ((0.5 * rect.width()) as usize).clamp(32, 200)
}

/// Draws a curve: `level` from 0 at the top to 1 at the foot.
fn trace(ui: &Ui, rect: Rect, count: usize, colour: Color32, level: impl Fn(usize) -> f32) {
    let points = (0..count)
        .map(|k| {
            let x = rect.left() + rect.width() * k as f32 / (count - 1) as f32;
            pos2(x, rect.top() + rect.height() * level(k).clamp(0.0, 1.0))
        })
        .collect();
    ui.painter()
        .add(Shape::line(points, Stroke::new(1.5, colour)));
}

/// A corner of a picture that can be dragged.
fn handle(
    ui: &Ui,
    at: Pos2,
    id: impl std::hash::Hash + std::fmt::Debug,
    knobs: [(usize, f32); 2],
    size: Vec2,
    colour: Color32,
    scene: &Scene<'_>,
) {
    let place = Rect::from_center_size(at, vec2(14.0, 14.0));
    let response = ui
        .interact(place, ui.scope_id().with(id), Sense::drag())
        .on_hover_and_drag_cursor(CursorIcon::Grab);
    let lit = response.hovered() || response.dragged();
    let radius = if lit { 4.5 } else { 3.0 };
    ui.painter()
        .circle(at, radius, theme::WELL, Stroke::new(1.5, colour));
    turn(ui, &response, knobs, size, scene);
}

/// A picture that can be dragged as a whole: sideways the first parameter, upwards the second, each
/// with its share of the range that the picture's size is.
fn drag(
    ui: &Ui,
    rect: Rect,
    id: impl std::hash::Hash + std::fmt::Debug,
    knobs: [(usize, f32); 2],
    scene: &Scene<'_>,
) {
    let response = ui
        .interact(rect, ui.scope_id().with(id), Sense::drag())
        .on_hover_and_drag_cursor(CursorIcon::Grab);
    turn(ui, &response, knobs, rect.size(), scene);
    if !response.dragged() {
        let [across, up] = knobs.map(|(row, _)| PARAMS[row].name);
        response.on_hover_text(format!("Drag sideways: {across}. Drag up: {up}."));
    }
}

/// Turns what a drag points to. One drag turns one parameter: that of the direction it began in.
fn turn(
    ui: &Ui,
    response: &egui::Response,
    knobs: [(usize, f32); 2],
    size: Vec2,
    scene: &Scene<'_>,
) {
    if !response.dragged() {
        return;
    }
    let key = Id::unique("drag direction");
    let way = response.total_drag_delta().unwrap_or_default();
    let way = match response.drag_started() {
        true => None,
        false => ui.data(|data| data.get_temp::<usize>(key)),
    }
    .or_else(|| (way.length() > 3.0).then(|| usize::from(way.y.abs() > way.x.abs())));
    let Some(direction) = way else {
        ui.data_mut(|data| data.remove::<usize>(key));
        return;
    };
    ui.data_mut(|data| data.insert_temp(key, direction));
    let moved = response.drag_delta() / size;
    let (row, share) = knobs[direction];
    let travel = [moved.x, -moved.y][direction] * share;
    let speed = if ui.input(|input| input.modifiers.shift) {
        0.1
    } else {
        1.0
    };
    if travel != 0.0 {
        Gesture::turn(
            ui,
            scene,
            row,
            scene.effective.get(row),
            travel * speed,
            false,
        );
    }
}
