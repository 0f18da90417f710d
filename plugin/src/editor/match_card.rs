//! The match: how alike it sounds, its three words (listen, freeze, capture), its knobs and its
//! source.

use std::collections::VecDeque;

use egui::{
    Align2, CursorIcon, Popup, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};
use matcher::live::{Deafness, HoldReason, Status};
use synth::params::matched_index;
use synth::{COUNT, MATCHED, Patch};

use super::control::{self, button_body};
use super::sounds::{CARD, Sounds};
use super::{Scene, View, knob, lean, locks, theme};
use crate::history::{self, Step, Turn};
use crate::reference::{Choice, MELODIES};

/// Number of points of the likeness's curve (40 s of what is heard), and the time between two of
/// them, in seconds.
const POINTS: usize = 160;
const STEP: f64 = 0.25;
/// Height of a button.
const BUTTON: f32 = 26.0;

/// State of the card between two frames.
#[derive(Default)]
pub struct MatchCard {
    /// Likeness of what sounds and of the knobs over time, and when the last point was added.
    course: VecDeque<[f32; 2]>,
    last: f64,
}

impl MatchCard {
    /// Draws the card into `rect`.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        scene: &Scene<'_>,
        view: &mut View,
        sounds: &mut Sounds,
    ) {
        theme::card(ui.painter(), rect);
        let inside = rect.shrink2(vec2(12.0, 8.0));
        let source = Rect::from_min_max(pos2(inside.left(), inside.bottom() - 24.0), inside.max);
        let sentence = Rect::from_min_max(
            pos2(inside.left(), source.top() - 36.0),
            pos2(inside.right(), source.top() - 4.0),
        );
        let buttons = Rect::from_min_max(
            pos2(inside.left(), sentence.top() - BUTTON - 6.0),
            pos2(inside.right(), sentence.top() - 6.0),
        );
        let room = buttons.top() - 6.0 - (inside.top() + 52.0);
        let height = room.clamp(control::HEIGHT - 14.0, 128.0);
        let top = buttons.top() - 6.0 - height;
        let upper = Rect::from_min_max(inside.min, pos2(inside.right(), top));
        let curve = self.likeness(ui, upper, scene);
        // A large window has room for the sounds.
        let free = Rect::from_min_max(
            pos2(inside.left(), curve.bottom() + 10.0),
            pos2(inside.right(), top - 6.0),
        );
        if *view == View::Main && free.height() >= CARD[1] {
            sounds.grid(ui, free, scene);
        }
        let third = inside.width() / 3.0;
        for (n, (param, label)) in [
            (COUNT, "Match"),
            (COUNT + 1, "Glide"),
            (COUNT + 2, "Output"),
        ]
        .into_iter()
        .enumerate()
        {
            let corner = pos2(inside.left() + third * n as f32, top);
            let place = Rect::from_min_size(corner, vec2(third, height));
            let low = match n {
                0 => place,
                // The smaller ones stand on the same line.
                _ => Rect::from_min_max(
                    pos2(place.left(), place.bottom() - height.min(control::HEIGHT)),
                    place.max,
                ),
            };
            control::show(ui, low, param, label, scene);
        }
        words(ui, buttons, scene);
        says(ui, sentence, scene);
        foot(ui, source, scene, view);
    }

    /// The big number, its course, and what it is compared with; returns where the course is.
    fn likeness(&mut self, ui: &Ui, rect: Rect, scene: &Scene<'_>) -> Rect {
        theme::heading(ui.painter(), rect.min, "Likeness");
        let now = ui.input(|input| input.time);
        let likeness = scene.snapshot.likeness.filter(|_| scene.held.is_some());
        // While nothing is heard the curve rests.
        let due = self.course.is_empty() || now - self.last >= STEP;
        if let Some(likeness) = likeness.filter(|_| due) {
            self.last = now;
            let of_knobs = scene.snapshot.of_knobs.unwrap_or(0.0);
            self.course
                .push_back([likeness, of_knobs].map(|x| x.clamp(0.0, 1.0)));
            if self.course.len() > POINTS {
                self.course.pop_front();
            }
        }
        let text = match likeness {
            Some(likeness) => format!("{:.0}", 100.0 * likeness.max(0.0)),
            None => "–".into(),
        };
        let at = rect.min + vec2(-1.0, 13.0);
        let font = theme::font(36.0);
        let number = ui
            .painter()
            .text(at, Align2::LEFT_TOP, text, font, theme::TEXT);
        let unit = number.right_bottom() + vec2(4.0, -6.0);
        let font = theme::font(15.0);
        ui.painter()
            .text(unit, Align2::LEFT_BOTTOM, "%", font, theme::DIM);
        let curve = Rect::from_min_max(
            pos2(rect.left() + 92.0, rect.top() + 4.0),
            pos2(
                rect.right(),
                (rect.bottom() - 6.0).clamp(rect.top() + 40.0, rect.top() + 130.0),
            ),
        );
        theme::well(ui.painter(), curve);
        let newest = self.course.len().saturating_sub(1);
        for (which, colour) in [(1, theme::DIM), (0, theme::HEARD)] {
            let points = self.course.iter().enumerate().map(|(k, pair)| {
                let ago = (newest - k) as f32 / (POINTS - 1) as f32;
                pos2(
                    curve.right() - 3.0 - (curve.width() - 6.0) * ago,
                    curve.bottom() - 3.0 - (curve.height() - 6.0) * pair[which],
                )
            });
            let stroke = Stroke::new(1.5, colour);
            ui.painter().add(Shape::line(points.collect(), stroke));
        }
        if let Some(of_knobs) = scene.snapshot.of_knobs.filter(|_| likeness.is_some()) {
            let words = format!("knobs alone {:.0} %", 100.0 * of_knobs.max(0.0));
            let at = curve.right_bottom() - vec2(5.0, 4.0);
            let font = theme::font(11.0);
            ui.painter()
                .text(at, Align2::RIGHT_BOTTOM, words, font, theme::DIM);
        }
        let response = ui.interact(curve, ui.scope_id().with("course"), Sense::hover());
        response.on_hover_text(
            "How alike the reference and this synth sound at the notes heard, over the last 40 s, \
             from 0 % to 100 %. The lower line: your knobs alone.",
        );
        curve
    }
}

/// Listen, freeze, capture.
fn words(ui: &Ui, rect: Rect, scene: &Scene<'_>) {
    let third = (rect.width() - 8.0) / 3.0;
    let place = |n: usize| {
        let corner = pos2(rect.left() + (third + 4.0) * n as f32, rect.top());
        Rect::from_min_size(corner, vec2(third, rect.height()))
    };
    let listen = &scene.params.listen;
    let listens = listen.value();
    let hint = "The match follows what is heard.";
    if button(ui, place(0), "Listen", listens, true)
        .on_hover_text(hint)
        .clicked()
    {
        scene.switch(listen, true);
    }
    let hint = "Keeps the match as it is.";
    if button(ui, place(1), "Freeze", !listens, true)
        .on_hover_text(hint)
        .clicked()
    {
        scene.switch(listen, false);
    }
    let can = scene.held.is_some() && scene.amount > 0.0;
    let hint = "Writes what sounds into the knobs, as one step that can be undone.";
    if button(ui, place(2), "Capture", false, can)
        .on_hover_text(hint)
        .clicked()
        && can
    {
        capture(scene);
    }
}

/// Writes what sounds into the knobs.
pub fn capture(scene: &Scene<'_>) {
    let Some(held) = scene.held else {
        return;
    };
    let knobs = scene.params.knobs();
    let sounding: Patch = held.effective(&knobs, scene.amount, &scene.limits);
    let mut step = Step::new("Capture".into(), scene.limits);
    for row in 0..COUNT {
        if sounding.get(row) != knobs.get(row) {
            step.turns.push(Turn {
                param: row,
                before: knobs.get(row),
                after: sounding.get(row),
            });
        }
    }
    debug_assert!(
        step.turns.iter().all(|turn| {
            matched_index(turn.param).is_some() || turn.param == synth::params::LEVEL
        })
    );
    // The level is in the knobs now.
    let mut kept = held;
    kept.level_db = 0.0;
    step.held = Some([Some(held), Some(kept)]);
    history::perform(step, scene.params, &scene.setter);
}

/// A button with a word.
pub fn button(ui: &Ui, rect: Rect, word: &str, on: bool, enabled: bool) -> Response {
    let response = ui
        .interact(rect, ui.scope_id().with(("button", word)), Sense::click())
        .on_hover_cursor(match enabled {
            true => CursorIcon::PointingHand,
            false => CursorIcon::Default,
        });
    response.widget_info(|| WidgetInfo::selected(Role::Button, enabled, on, word));
    button_body(ui, rect, &response, on);
    let colour = if enabled { theme::TEXT } else { theme::DIM };
    let width = rect.width() - 6.0;
    theme::line(
        ui.painter(),
        rect.center(),
        Align2::CENTER_CENTER,
        width,
        word,
        colour,
    );
    response
}

/// Describes the match's status, and what the player can do about it.
fn says(ui: &Ui, rect: Rect, scene: &Scene<'_>) {
    let (mut text, working) = sentence(scene);
    let locked = scene.limits.locked.iter().filter(|&&locked| locked).count();
    if locked > 0 {
        text += &format!(" {locked} of {} locked.", MATCHED.len());
        release_all(ui, pos2(rect.right() - 8.0, rect.top() + 7.0), scene);
    }
    // The other sentences are about what to do, and need the room.
    let stands = working || !scene.params.listen.value();
    if let Some(lean) = lean::of_match(scene).filter(|_| stands) {
        text += &format!(" {lean}");
    }
    let end = if locked > 0 { 20.0 } else { 0.0 };
    let colour = if working { theme::HEARD } else { theme::DIM };
    let at = pos2(rect.left() + 4.0, rect.top() + 8.0);
    // A ring where it waits, a disc where it works: not by colour alone.
    match working {
        true => drop(ui.painter().circle_filled(at, 4.0, colour)),
        false => drop(
            ui.painter()
                .circle_stroke(at, 3.5, Stroke::new(1.5, colour)),
        ),
    }
    let room = Rect::from_min_max(pos2(at.x + 10.0, rect.top()), rect.max - vec2(end, 0.0));
    let mut job = egui::text::LayoutJob::simple(
        text.clone(),
        theme::font(theme::SMALL),
        theme::TEXT,
        room.width(),
    );
    job.wrap.max_rows = 2;
    let galley = ui.painter().layout_job(job);
    let cut = galley.elided;
    ui.painter().galley(room.min, galley, theme::TEXT);
    if cut {
        ui.interact(room, ui.scope_id().with("says"), Sense::hover())
            .on_hover_text(text);
    }
}

/// The match's state in a sentence with what to do, and whether it works.
pub fn sentence(scene: &Scene<'_>) -> (String, bool) {
    if scene.engine.is_none() {
        return ("The host has switched this instrument off.".into(), false);
    }
    if !scene.params.listen.value() {
        return ("Frozen. Listen goes on.".into(), false);
    }
    let text = match &scene.snapshot.status {
        Status::Following(_) => return ("Follows what is heard.".into(), true),
        Status::Matched { searching: true } => {
            return ("Matched, and searching for closer.".into(), true);
        }
        Status::Matched { searching: false } => return ("Matched.".into(), true),
        Status::Waiting | Status::Holding(HoldReason::Silence) => "Waits for a sound.",
        Status::Off => "Frozen. Listen goes on.",
        Status::Holding(HoldReason::Judging) => "Listens.",
        Status::Holding(HoldReason::Noise) => "Hears no notes. Send a melody.",
        Status::Holding(HoldReason::Unsteady) => {
            "Hears no clear pitch, as in speech or drums. Send a melody."
        }
        Status::Holding(HoldReason::Unlike) => "Can't play this alike. Send one note at a time.",
        Status::Holding(HoldReason::KnobsAreCloser) => "Your knobs are closest.",
        Status::Holding(HoldReason::NoAnswer | HoldReason::NoEncoder) => {
            "The encoder doesn't answer. See About."
        }
        Status::NotListening(Deafness::Ear(error)) => {
            return (format!("Can't hear: {error}."), false);
        }
        Status::NotListening(_) => "Can't listen. See About.",
    };
    (text.into(), false)
}

/// Source, search, sounds and locks.
fn foot(ui: &Ui, rect: Rect, scene: &Scene<'_>, view: &mut View) {
    let quarter = (rect.width() - 8.0) / 3.0;
    let place = |n: usize| {
        let corner = pos2(rect.left() + (quarter + 4.0) * n as f32, rect.top());
        Rect::from_min_size(corner, vec2(quarter, rect.height()))
    };
    source(ui, place(0), scene);
    let searches = scene.params.search.value();
    let response = button(ui, place(1), "Search", searches, true)
        .on_hover_text("On: looks for closer matches while a melody goes on.");
    if response.clicked() {
        scene.switch(&scene.params.search, !searches);
    }
    let count = scene.sounds.len();
    let word = format!("Sounds {count}");
    let hint = "The sounds found so far, to compare and to recall.";
    if button(ui, place(2), &word, *view == View::Sounds, true)
        .on_hover_text(hint)
        .clicked()
    {
        view.toggle(View::Sounds);
    }
}

/// Releases all locks, at a click on a lock at the end of the sentence that counts them.
fn release_all(ui: &Ui, at: Pos2, scene: &Scene<'_>) {
    let place = Rect::from_center_size(at, vec2(18.0, 20.0));
    let response = ui
        .interact(place, ui.scope_id().with("release all"), Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Release all"));
    knob::paint_lock(
        ui.painter(),
        at,
        true,
        response.hovered() || response.has_focus(),
    );
    if response.clicked() {
        locks::release("all", &MATCHED, scene);
    }
    response.on_hover_text("Release all: the match moves every knob of its own again.");
}

/// The menu of what is listened to.
fn source(ui: &Ui, rect: Rect, scene: &Scene<'_>) {
    let source = &scene.params.state.source;
    let choice = source.choice();
    let name = choice.name();
    let response = ui
        .interact(rect, ui.scope_id().with("source"), Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ComboBox, true, "Source");
        info.current_text_value = Some(name.clone());
        info
    });
    button_body(ui, rect, &response, choice != Choice::Sidechain);
    let arrow = rect.right_center() - vec2(9.0, 0.0);
    knob::triangle(ui.painter(), arrow, 3.0, theme::DIM);
    let at = rect.left_center() + vec2(6.0, 0.0);
    let width = rect.width() - 20.0;
    theme::line(
        ui.painter(),
        at,
        Align2::LEFT_CENTER,
        width,
        &name,
        theme::TEXT,
    );
    Popup::menu(&response).show(|ui| {
        let offer = |ui: &mut Ui, offered: Choice| {
            let on = offered == choice;
            if ui.selectable_label(on, offered.name()).clicked() {
                source.choose(offered);
                scene.params.state.door.mark_changed();
                ui.close();
            }
        };
        offer(ui, Choice::Sidechain);
        ui.separator();
        (0..MELODIES.len()).for_each(|i| offer(ui, Choice::Melody(i)));
        if let Choice::File { .. } = &choice {
            offer(ui, choice.clone());
        }
        ui.label("Or drop a sound file on this window.");
        ui.separator();
        let mut aloud = source.is_aloud();
        if ui.checkbox(&mut aloud, "Hear it too").changed() {
            source.set_aloud(aloud);
            scene.params.state.door.mark_changed();
        }
    });
    response.on_hover_text(
        "What is listened to: the sidechain, a melody that comes along, or a file dropped here.",
    );
}
