//! The mirror: what is heard above, what is played below, the melody between, and keys to play.

use std::collections::VecDeque;

use ear::{Ear, EarConfig, PITCH_DELAY, PitchFrame};
use egui::{Align2, Color32, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};
use matcher::live::Status;
use nice_plug::context::PluginApi;

use super::shadow::Shadow;
use super::spectrogram::{self, AXIS, Spectrogram, Spectrum, columns};
use super::{Scene, theme};
use crate::door::Sidechain;
use crate::feed::{Feed, KeyMove};

/// Height of the line of words above, of the melody, and of the keys, in points.
const WORDS: f32 = 24.0;
const MELODY: f32 = 24.0;
const KEYS: f32 = 26.0;
/// Width of the meters at the right.
const METER: f32 = 10.0;
/// Level at the foot of a meter, in dBFS.
const FLOOR: f32 = -60.0;
/// Fall of a meter, in dB a second.
const FALL: f32 = 26.0;
/// Frames after the last voice until the melody heard is shown as it would be played: 1 s.
const QUIET: u64 = 125;
/// Lowest and highest key of the small keyboard.
const LOWEST: u8 = 36;
const HIGHEST: u8 = 96;
const NOTES: [&str; 12] = [
    "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B",
];

/// State of the mirror between two frames.
pub struct Mirror {
    heard: Spectrogram,
    played: Spectrogram,
    /// The newest frames of what is played, and how many there have been.
    frames: VecDeque<Spectrum>,
    count: u64,
    ear: Option<(f32, Ear)>,
    shadow: Shadow,
    /// Whether the shadow plays, because nobody else does.
    shadowed: bool,
    /// Number of frames heard when last looked at, and of frames since anyone played.
    seen: u64,
    quiet: u64,
    /// Levels shown by the meters, in dBFS.
    meters: [f32; 2],
    time: f64,
    key: Option<u8>,
}

impl Mirror {
    /// An empty mirror.
    pub fn new() -> Self {
        Self {
            heard: Spectrogram::new("heard", &spectrogram::HEARD, false),
            played: Spectrogram::new("played", &spectrogram::PLAYED, true),
            frames: VecDeque::new(),
            count: 0,
            ear: None,
            shadow: Shadow::new(),
            shadowed: false,
            seen: 0,
            quiet: 0,
            meters: [FLOOR; 2],
            time: 0.0,
            key: None,
        }
    }

    /// Whether what it shows changes by itself.
    pub fn is_moving(&self) -> bool {
        let sounding = |frame: &Spectrum| frame.iter().any(|&x| x > 1e-6);
        self.meters.iter().any(|&db| db > FLOOR) || self.frames.iter().any(sounding)
    }

    /// Takes what was played and heard since the last call.
    pub fn listen(&mut self, scene: &Scene<'_>) {
        let feed = &scene.params.state.feed;
        let rate = feed.rate();
        let config = EarConfig::default();
        if self.ear.as_ref().is_none_or(|(of, _)| *of != rate) {
            let ear = Ear::new(&config, f64::from(rate), false).ok();
            self.ear = ear.map(|ear| (rate, ear));
        }
        let snapshot = &scene.snapshot;
        let new = snapshot.heard.saturating_sub(self.seen) as usize;
        self.seen = snapshot.heard;
        let [_, voices] = feed.notes();
        self.quiet = match voices {
            0 => self.quiet + new as u64,
            _ => 0,
        };
        // What was played last is heard to its end first.
        self.shadowed = self.quiet > QUIET && scene.held.is_some();
        let most = columns(&config);
        let (frames, count) = (&mut self.frames, &mut self.count);
        let mut push = |frame: &Spectrum| {
            if frames.len() == most {
                frames.pop_front();
            }
            frames.push_back(*frame);
            *count += 1;
        };
        let shadowed = self.shadowed;
        if let Some((_, ear)) = &mut self.ear {
            feed.take_played(|mono| {
                ear.process(mono, |frame| {
                    if !shadowed {
                        push(frame.spectrum);
                    }
                });
            });
        }
        if shadowed {
            let melody = &snapshot.melody;
            let new = &melody[melody.len() - new.min(melody.len())..];
            self.shadow.play(new, &scene.effective, push);
        } else {
            self.shadow.rest();
        }
    }

    /// Draws it into `rect`.
    pub fn show(&mut self, ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
        theme::card(ui.painter(), rect);
        let inside = rect.shrink2(vec2(theme::PAD, 6.0));
        let words = Rect::from_min_size(inside.min, vec2(inside.width(), WORDS - 4.0));
        let foot = Rect::from_min_max(pos2(inside.left(), inside.bottom() - KEYS), inside.max);
        let right = inside.right() - METER - 6.0;
        let half = (foot.top() - words.bottom() - MELODY - 8.0) / 2.0;
        let above = Rect::from_min_max(
            pos2(inside.left(), words.bottom() + 2.0),
            pos2(right, words.bottom() + 2.0 + half),
        );
        let between = Rect::from_min_max(above.left_bottom(), pos2(right, above.bottom() + MELODY));
        let below = Rect::from_min_max(between.left_bottom(), pos2(right, between.bottom() + half));
        let silent = scene.snapshot.heard == 0;
        self.heard.show(
            ui,
            above,
            &scene.snapshot.frames,
            scene.snapshot.heard,
            &scene.snapshot.ear,
        );
        self.played.show(
            ui,
            below,
            self.frames.make_contiguous(),
            self.count,
            &EarConfig::default(),
        );
        self.show_melody(ui, between, scene);
        status(ui, words, scene);
        let at = below.left_bottom() + vec2(AXIS + 6.0, -4.0);
        let label = match (self.shadowed, scene.params.state.feed.notes()) {
            (true, _) => "HOW IT WOULD PLAY WHAT IS HEARD",
            (false, [_, 0]) => "PLAYED: play a key",
            (false, _) => "PLAYED",
        };
        ui.painter().text(
            at,
            Align2::LEFT_BOTTOM,
            label,
            theme::font(11.0),
            theme::PLAYED,
        );
        if silent || matches!(scene.snapshot.status, Status::Waiting) {
            invite(ui, above, scene);
        }
        self.show_meters(
            ui,
            Rect::from_min_max(
                pos2(right + 6.0, above.top()),
                pos2(inside.right(), below.bottom()),
            ),
            scene,
        );
        self.keyboard(ui, foot, scene);
    }

    /// The pitch heard over time, at the line between the two pictures.
    fn show_melody(&self, ui: &Ui, rect: Rect, scene: &Scene<'_>) {
        let strip = Rect::from_min_max(rect.min + vec2(AXIS, 0.0), rect.max);
        ui.painter().rect_filled(strip, 0.0, theme::PANEL);
        let at = pos2(strip.left() - 6.0, strip.center().y);
        let font = theme::font(10.5);
        ui.painter()
            .text(at, Align2::RIGHT_CENTER, "notes", font, theme::DIM);
        let melody = &scene.snapshot.melody;
        let keys = melody.iter().filter(|key| key.is_finite());
        let (low, high) = keys.fold((f32::MAX, f32::MIN), |(a, b), &key| {
            (a.min(key), b.max(key))
        });
        // At least an octave, so that a vibrato doesn't fill the strip.
        let middle = 0.5 * (low + high);
        let half = (0.5 * (high - low)).max(6.0);
        let ear = &scene.snapshot.ear;
        let most = columns(ear) as f32;
        let late = (PITCH_DELAY as f32 * spectrogram::frame_rate(ear)).round();
        let place = |n: usize, key: f32| {
            let ago = (melody.len() - n) as f32 + late;
            let up = 0.5 - 0.4 * (key - middle) / half;
            pos2(
                strip.right() - strip.width() * ago / most,
                strip.top() + strip.height() * up,
            )
        };
        let mut line = Vec::new();
        let stroke = Stroke::new(2.5, theme::TEXT);
        let mut last = f32::NAN;
        for (n, &key) in melody.iter().enumerate() {
            if (key - last).abs() >= 0.7 || key.is_nan() {
                let done = std::mem::take(&mut line);
                ui.painter().add(Shape::line(done, stroke));
            }
            if key.is_finite() {
                line.push(place(n, key));
            }
            last = key;
        }
        ui.painter().add(Shape::line(line, stroke));
    }

    /// Meters of what comes in (above) and goes out (below), with a light for what is too loud.
    fn show_meters(&mut self, ui: &Ui, rect: Rect, scene: &Scene<'_>) {
        let feed = &scene.params.state.feed;
        let now = ui.input(|input| input.time);
        let fallen = FALL * (now - self.time).clamp(0.0, 1.0) as f32;
        self.time = now;
        let peaks = [feed.take_sidechain(), feed.take_output()];
        let middle = rect.center().y;
        let halves = [
            Rect::from_min_max(rect.min, pos2(rect.right(), middle - 4.0)),
            Rect::from_min_max(pos2(rect.left(), middle + 4.0), rect.max),
        ];
        let colours = [theme::HEARD, theme::PLAYED];
        let names = ["Level of what is heard", "Level of what is played"];
        for n in 0..2 {
            let db = 20.0 * peaks[n].max(1e-6).log10();
            self.meters[n] = db.max(self.meters[n] - fallen).max(FLOOR);
            let bar = halves[n];
            ui.painter().rect_filled(bar, 2.0, theme::WELL);
            let share = (1.0 - self.meters[n] / FLOOR).clamp(0.0, 1.0);
            let top = bar.bottom() - share * bar.height();
            let lit = Rect::from_min_max(pos2(bar.left(), top), bar.max);
            ui.painter().rect_filled(lit, 2.0, colours[n]);
            let response = ui.interact(bar, ui.scope_id().with(names[n]), Sense::hover());
            response.on_hover_text(format!("{}: {:.0} dBFS", names[n], self.meters[n]));
        }
        if feed.clipped() {
            let light = Rect::from_min_size(halves[1].min, vec2(METER, METER));
            ui.painter().rect_filled(light, 2.0, theme::BAD);
            let response = ui.interact(light, ui.scope_id().with("clip"), Sense::click());
            if response.clicked() {
                feed.forget_clip();
            }
            response.on_hover_text("The output went beyond full scale. Click to put this out.");
        }
    }

    /// A small keyboard, played by the pointer.
    fn keyboard(&mut self, ui: &Ui, rect: Rect, scene: &Scene<'_>) {
        let rect = Rect::from_min_max(rect.min + vec2(AXIS, 6.0), rect.max);
        let is_black = |key: u8| matches!(key % 12, 1 | 3 | 6 | 8 | 10);
        let white: Vec<u8> = (LOWEST..=HIGHEST).filter(|&key| !is_black(key)).collect();
        let width = rect.width() / white.len() as f32;
        let place = |key: u8| {
            let before = white.partition_point(|&w| w < key) as f32;
            match is_black(key) {
                true => Rect::from_min_size(
                    pos2(rect.left() + (before - 0.3) * width, rect.top()),
                    vec2(0.6 * width, 0.6 * rect.height()),
                ),
                false => Rect::from_min_size(
                    pos2(rect.left() + before * width, rect.top()),
                    vec2(width - 1.0, rect.height()),
                ),
            }
        };
        let response = ui.interact(rect, ui.scope_id().with("keyboard"), Sense::drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Group, true, "Keyboard"));
        let under = response
            .interact_pointer_pos()
            .filter(|_| response.is_pointer_button_down_on())
            .and_then(|pointer| {
                let blacks = (LOWEST..=HIGHEST).filter(|&key| is_black(key));
                let mut keys = blacks.chain(white.iter().copied());
                keys.find(|&key| place(key).contains(pointer))
            });
        if under != self.key {
            let feed = &scene.params.state.feed;
            for (key, down) in [(self.key, false), (under, true)] {
                if let Some(key) = key {
                    feed.play(KeyMove { key, down });
                }
            }
            self.key = under;
        }
        let heard = scene.snapshot.melody.last().map(|key| key.round());
        for black in [false, true] {
            for key in (LOWEST..=HIGHEST).filter(|&key| is_black(key) == black) {
                let colour = match (under == Some(key), heard == Some(f32::from(key)), black) {
                    (true, ..) => theme::PLAYED,
                    (_, true, _) => theme::HEARD,
                    (_, _, true) => Color32::from_rgb(0x1b, 0x20, 0x27),
                    (_, _, false) => Color32::from_rgb(0xc3, 0xca, 0xd4),
                };
                ui.painter().rect_filled(place(key), 0.0, colour);
            }
        }
        response.on_hover_text("Click to play.");
    }

    /// Lets go a key that is still pressed.
    pub fn let_go(&mut self, feed: &Feed) {
        if let Some(key) = self.key.take() {
            feed.play(KeyMove { key, down: false });
        }
    }
}

/// Describes the sound that is heard: its source, pitch and level.
fn status(ui: &Ui, rect: Rect, scene: &Scene<'_>) {
    let centre = rect.center().y;
    let at = pos2(rect.left() + 2.0, centre - 6.0);
    let written = theme::heading(ui.painter(), at, "Heard");
    let source = scene.params.state.source.choice().name();
    let at = pos2(written.right() + 10.0, centre);
    ui.painter().text(
        at,
        Align2::LEFT_CENTER,
        source,
        theme::font(12.5),
        theme::TEXT,
    );
    let snapshot = &scene.snapshot;
    let mut right = rect.right();
    let mut write = |text: String, colour: Color32| {
        let at = pos2(right, centre);
        let font = theme::font(12.0);
        let drawn = ui
            .painter()
            .text(at, Align2::RIGHT_CENTER, text, font, colour);
        right = drawn.left() - 16.0;
    };
    if snapshot.heard > 0 && snapshot.pitch.level_db > -100.0 {
        write(format!("{:.0} dB", snapshot.pitch.level_db), theme::DIM);
    }
    if let Some(pitch) = pitch(&snapshot.pitch) {
        write(pitch, theme::TEXT);
    }
}

/// One line on how something gets here to be heard.
fn invite(ui: &Ui, rect: Rect, scene: &Scene<'_>) {
    let words = match (scene.api, scene.params.state.door.sidechain()) {
        (PluginApi::Standalone, _) => {
            "Nothing to hear yet: choose a melody under Source, at the right."
        }
        (_, Sidechain::Unconnected) => {
            "Nothing to hear yet: send a track to this plugin's Sidechain input, or choose a \
             melody under Source."
        }
        _ => {
            "The sidechain is silent: play the track that is sent here, or choose a melody under \
             Source."
        }
    };
    let place = Rect::from_min_max(rect.min + vec2(AXIS + 10.0, 0.0), rect.max);
    let mut job = egui::text::LayoutJob::simple(
        words.into(),
        theme::font(14.0),
        theme::TEXT,
        place.width() - 20.0,
    );
    job.halign = egui::Align::Center;
    let galley = ui.painter().layout_job(job);
    let top = place.center().y - 0.5 * galley.size().y;
    ui.painter()
        .galley(pos2(place.center().x, top), galley, theme::TEXT);
}

/// Note, deviation and frequency of a voiced frame, as text.
fn pitch(frame: &PitchFrame) -> Option<String> {
    if !frame.voiced || frame.hz <= 0.0 {
        return None;
    }
    let key = frame.key();
    let cents = 100.0 * (key - key.round());
    Some(format!("{} {cents:+.0} ct", note(key)))
}

/// Name of the note that is nearest to a key, e.g. `C4` for key 60.
pub fn note(key: f32) -> String {
    let nearest = key.round() as i32;
    let name = NOTES[nearest.rem_euclid(12) as usize];
    format!("{name}{}", nearest.div_euclid(12) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitches_are_named() {
        let frame = |hz| PitchFrame {
            hz,
            voiced: true,
            ..PitchFrame::default()
        };
        assert_eq!(pitch(&frame(440.0)).unwrap(), "A4 +0 ct");
        assert_eq!(pitch(&frame(261.0)).unwrap(), "C4 -4 ct");
        assert_eq!(pitch(&PitchFrame::default()), None);
    }
}
