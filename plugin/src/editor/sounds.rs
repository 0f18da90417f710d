//! The sounds found so far: a picture and a likeness each; a click recalls one without a click.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ear::{Ear, EarConfig};
use egui::{
    Align2, CursorIcon, Pos2, Rect, Role, Sense, TextureHandle, TextureOptions, Ui, WidgetInfo,
    pos2, vec2,
};
use matcher::Inference;
use matcher::live::{KnownSound, Target};
use synth::{MATCHED_COUNT, Note};

use super::{Scene, theme};
use crate::history::{self, Step};

/// Sample rate, length and key of the note that is pictured.
const RATE: f32 = 16_000.0;
const SECONDS: f64 = 1.0;
const KEY: f32 = 60.0;
/// Range of levels in a picture, in dB.
const RANGE: f32 = 50.0;
/// Size of a sound's card, and space between two of them, in points.
pub const CARD: [f32; 2] = [130.0, 112.0];
const GAP: f32 = 8.0;

/// Pictures of sounds, by their values.
#[derive(Default)]
pub struct Sounds {
    pictures: HashMap<u64, TextureHandle>,
}

impl Sounds {
    /// Draws the sounds into `rect`.
    pub fn show(&mut self, ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
        theme::card(ui.painter(), rect);
        let inside = rect.shrink2(vec2(14.0, 10.0));
        theme::heading(ui.painter(), inside.min, "Sounds found");
        let sounds = &scene.sounds;
        let words = match sounds.is_empty() {
            true => {
                "Nothing yet. What is found while a melody plays is kept here, with the project."
            }
            false => {
                "The one heard last comes first. Click one to play it; Listen goes on from there."
            }
        };
        let at = inside.min + vec2(0.0, 18.0);
        ui.painter()
            .text(at, Align2::LEFT_TOP, words, theme::font(12.5), theme::TEXT);
        let below = Rect::from_min_max(inside.min + vec2(0.0, 44.0), inside.max);
        self.grid(ui, below, scene);
    }

    /// Draws as many sounds as there is room for in `rect`, the one heard last first.
    pub fn grid(&mut self, ui: &Ui, rect: Rect, scene: &Scene<'_>) {
        let now = scene.held.map(|held| held.inference.mean);
        let columns = ((rect.width() + GAP) / (CARD[0] + GAP)).max(1.0) as usize;
        let width = CARD[0].min(rect.width());
        for (n, sound) in scene.sounds.iter().enumerate() {
            let corner = pos2(
                rect.left() + (n % columns) as f32 * (width + GAP),
                rect.top() + (n / columns) as f32 * (CARD[1] + GAP),
            );
            let place = Rect::from_min_size(corner, vec2(width, CARD[1]));
            if place.bottom() <= rect.bottom() {
                let sounding = now == Some(sound.mean);
                self.card(ui, place, n, sound, sounding, scene);
            }
        }
    }

    fn card(
        &mut self,
        ui: &Ui,
        rect: Rect,
        n: usize,
        sound: &KnownSound,
        sounding: bool,
        scene: &Scene<'_>,
    ) {
        let response = ui
            .interact(rect, ui.scope_id().with(("sound", n)), Sense::click())
            .on_hover_cursor(CursorIcon::PointingHand);
        let name = format!("Sound {}", n + 1);
        response.widget_info(|| WidgetInfo::selected(Role::Button, true, sounding, &name));
        super::control::button_body(ui, rect, &response, sounding);
        let picture = Rect::from_min_max(rect.min + vec2(5.0, 5.0), rect.max - vec2(5.0, 24.0));
        let texture = self.picture(ui, sound, scene);
        let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        ui.painter()
            .image(texture, picture, whole, egui::Color32::WHITE);
        let foot = pos2(rect.left() + 8.0, rect.bottom() - 12.0);
        let font = theme::font(12.0);
        ui.painter()
            .text(foot, Align2::LEFT_CENTER, &name, font.clone(), theme::TEXT);
        let foot = pos2(rect.right() - 8.0, foot.y);
        let likeness = format!("{:.0} %", 100.0 * sound.likeness.max(0.0));
        ui.painter()
            .text(foot, Align2::RIGHT_CENTER, likeness, font, theme::HEARD);
        if response.clicked() {
            recall(&name, sound, scene);
        }
        response.on_hover_text("Plays this sound, as loud as your knobs, and freezes the match.");
    }

    /// The auditory spectrogram of a note that the sound plays.
    fn picture(&mut self, ui: &Ui, sound: &KnownSound, scene: &Scene<'_>) -> egui::TextureId {
        let mut hasher = DefaultHasher::new();
        sound.mean.map(f32::to_bits).hash(&mut hasher);
        let key = hasher.finish();
        let texture = self.pictures.entry(key).or_insert_with(|| {
            let knobs = scene.params.knobs();
            let patch = knobs.with_matched(&sound.mean).leaning(sound.lean);
            let note = Note {
                onset: 0.0,
                duration: 0.7 * SECONDS,
                key: KEY,
                velocity: 0.8,
            };
            let mono = synth::render_mono(&patch, &[note], SECONDS, RATE, 1);
            let mut frames = Vec::new();
            if let Ok(mut ear) = Ear::new(&EarConfig::default(), f64::from(RATE), false) {
                ear.process(&mono, |frame| frames.push(*frame.spectrum));
            }
            let image = super::spectrogram::still(&frames, RANGE);
            ui.ctx()
                .load_texture("sound", image, TextureOptions::LINEAR)
        });
        texture.id()
    }
}

/// Plays a sound from now on: one step of undo. The match is frozen, so that it stays.
fn recall(name: &str, sound: &KnownSound, scene: &Scene<'_>) {
    let inference = Inference {
        mean: sound.mean,
        sigma: [0.0; MATCHED_COUNT],
    };
    let target = Target::new(inference, &scene.params.knobs()).leaning(sound.lean);
    let mut step = Step::new(format!("Recall {name}"), scene.limits);
    step.held = Some([scene.held, Some(target)]);
    step.listen = Some([scene.params.listen.value(), false]);
    history::perform(step, scene.params, &scene.setter);
}
