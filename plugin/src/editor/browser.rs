//! The patch browser: search, kinds, favourites, try, save, rename, remove, import.

mod own;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui::{Key, Rect, Ui, vec2};
use synth::{COUNT, PARAMS, Patch};

use super::{App, Scene, View, patch, theme};
use crate::patches::{self, NamedPatch};
use own::{Edit, MENU};

/// Time between two looks into the user's folder, while it is shown.
const LOOK: Duration = Duration::from_secs(2);
/// Largest difference between a knob and its patch that doesn't count, normalised: files hold plain
/// values.
const SAME: f32 = 2e-3;
/// The tag of patches that the user has saved.
const OWN: &str = "mine";

/// Filters of the list of patches.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Filter {
    /// All.
    #[default]
    All,
    /// Favourites.
    Favourites,
    /// The user's.
    Own,
    /// Patches of a kind.
    Kind(String),
}

/// The patches with what the browser shows of them.
pub struct Library {
    own: Vec<NamedPatch>,
    folder: Option<PathBuf>,
    looked: Option<Instant>,
    search: String,
    filter: Filter,
    /// Name and kind that are typed to save a patch.
    name: String,
    kind: String,
    /// The patch that is being renamed or removed.
    edit: Option<Edit>,
}

impl Library {
    /// The factory's patches, and those in `folder`.
    pub fn new(folder: Option<PathBuf>) -> Self {
        let mut library = Self {
            own: Vec::new(),
            folder,
            looked: None,
            search: String::new(),
            filter: Filter::All,
            name: String::new(),
            kind: OWN.to_owned(),
            edit: None,
        };
        library.look();
        library
    }

    /// Reads the user's folder again.
    fn look(&mut self) {
        self.own = self
            .folder
            .as_deref()
            .map(patches::in_folder)
            .unwrap_or_default();
        self.looked = Some(Instant::now());
        let listed = |file: &Path| self.own.iter().any(|p| p.file.as_deref() == Some(file));
        if self.edit.as_ref().is_some_and(|edit| !listed(edit.file())) {
            self.edit = None;
        }
    }

    /// Returns whether the user has a patch of this name, in another file than `file`.
    fn is_taken(&self, name: &str, file: Option<&Path>) -> bool {
        let other = |patch: &NamedPatch| patch.name == name && patch.file.as_deref() != file;
        self.own.iter().any(other)
    }

    /// All patches: the user's first.
    pub fn all(&self) -> impl Iterator<Item = &NamedPatch> {
        self.own.iter().chain(patches::factory())
    }

    /// The patch of this name.
    pub fn find(&self, name: &str) -> Option<&NamedPatch> {
        self.all().find(|patch| patch.name == name)
    }

    /// Returns whether the knobs differ from the patch of this name; `false` if no patch has it.
    pub fn is_changed(&self, name: &str, scene: &Scene<'_>) -> bool {
        self.find(name).is_some_and(|patch| {
            (0..COUNT).any(|row| {
                let knob = scene.params.rows[row].value();
                match PARAMS[row].is_stepped() {
                    true => PARAMS[row].plain(knob).round() != patch.patch.plain(row).round(),
                    false => (knob - patch.patch.get(row)).abs() > SAME,
                }
            })
        })
    }

    fn shown(&self, favourites: &std::collections::BTreeSet<String>) -> Vec<NamedPatch> {
        let fits = |patch: &&NamedPatch| {
            patch.matches(&self.search)
                && match &self.filter {
                    Filter::All => true,
                    Filter::Favourites => favourites.contains(&patch.name),
                    Filter::Own => patch.file.is_some(),
                    Filter::Kind(kind) => patch.kind() == kind,
                }
        };
        self.all().filter(fits).cloned().collect()
    }
}

impl App {
    /// Loads the next patch of the list, or the one before.
    pub(super) fn step_patch(&mut self, by: i32, scene: &Scene<'_>) {
        let list = self.library.shown(&self.settings.favourites);
        if list.is_empty() {
            return;
        }
        let name = scene.params.state.patch_name();
        let now = list.iter().position(|patch| patch.name == name);
        let next = match now {
            Some(now) => (now as i32 + by).rem_euclid(list.len() as i32) as usize,
            None if by > 0 => 0,
            None => list.len() - 1,
        };
        patch::load(&list[next].name, &list[next].patch, scene);
    }

    /// Makes a patch a favourite, or no longer.
    pub(super) fn love(&mut self, name: &str) {
        if !self.settings.favourites.remove(name) {
            self.settings.favourites.insert(name.to_owned());
        }
        self.save_settings();
    }

    /// Loads a patch file that was dropped on the window.
    pub(super) fn load_file(&mut self, file: &Path, time: f64, scene: &Scene<'_>) {
        match patches::read(file) {
            Ok((named, unknown)) => {
                patch::load(&named.name, &named.patch, scene);
                self.note = Some((patches::loaded(&named.name, &unknown), time));
            }
            Err(error) => scene.params.state.set_message(Some(format!(
                "{} holds no patch ({error}). Drop a patch file, which ends in .json.",
                file.file_name().unwrap_or_default().to_string_lossy()
            ))),
        }
    }

    /// Draws the browser into `rect`.
    pub(super) fn browser(&mut self, ui: &mut Ui, rect: Rect, saving: bool, scene: &Scene<'_>) {
        theme::card(ui.painter(), rect);
        if self
            .library
            .looked
            .is_none_or(|looked| looked.elapsed() > LOOK)
        {
            self.library.look();
        }
        ui.ctx().request_repaint_after(LOOK);
        self.watch_edit(ui);
        let inside = rect.shrink(12.0);
        let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(inside));
        if saving {
            self.save_line(&mut ui, scene);
        }
        self.tools(&mut ui, scene);
        self.kinds(&mut ui);
        ui.add_space(4.0);
        self.list(&mut ui, scene);
    }

    /// The line in which a patch is named and saved.
    fn save_line(&mut self, ui: &mut Ui, scene: &Scene<'_>) {
        let Some(folder) = self.library.folder.clone() else {
            ui.label("The system names no folder for patches. Use Copy, and keep the text.");
            return;
        };
        if self.library.name.is_empty() {
            self.library.name = scene.params.state.patch_name();
        }
        ui.horizontal(|ui| {
            ui.label("Save as");
            let field = egui::TextEdit::singleline(&mut self.library.name)
                .desired_width(200.0)
                .hint_text("Name");
            let name = ui.add(field);
            ui.label("kind");
            ui.add(egui::TextEdit::singleline(&mut self.library.kind).desired_width(90.0));
            let entered = name.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            let typed = self.library.name.trim();
            let (named, taken) = (!typed.is_empty(), self.library.is_taken(typed, None));
            let word = if taken {
                "Replace it"
            } else {
                "Save what sounds"
            };
            let save = ui.add_enabled(named, egui::Button::new(word));
            // Enter alone replaces nothing.
            if named && (save.clicked() || (entered && !taken)) {
                self.save_patch(&folder, taken, ui.input(|input| input.time), scene);
            }
            if ui.button("Cancel").clicked() {
                self.view = View::Main;
            }
            if taken {
                ui.colored_label(theme::WARN, "You have a patch of this name.");
            }
        });
        ui.add_space(6.0);
    }

    fn save_patch(&mut self, folder: &Path, replace: bool, time: f64, scene: &Scene<'_>) {
        let named = NamedPatch {
            name: self.library.name.trim().to_owned(),
            tags: vec![self.library.kind.trim().to_lowercase()],
            patch: sounding(scene),
            file: None,
        };
        match patches::save(folder, &named, replace) {
            Ok(_) => {
                self.library.look();
                self.library.name.clear();
                scene.params.state.set_patch_name(&named.name);
                self.note = Some((format!("{} is saved", named.name), time));
                self.view = View::Main;
            }
            // Somebody else has made one just now: the line asks.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.library.look(),
            Err(error) => scene.params.state.set_message(Some(format!(
                "The patch could not be written ({error}). Use Copy, and keep the text."
            ))),
        }
    }

    /// Search, clipboard, close.
    fn tools(&mut self, ui: &mut Ui, scene: &Scene<'_>) {
        ui.horizontal(|ui| {
            let field = egui::TextEdit::singleline(&mut self.library.search)
                .desired_width(220.0)
                .hint_text("Search names and tags");
            ui.add(field);
            let time = ui.input(|input| input.time);
            let copy = ui
                .button("Copy")
                .on_hover_text("Copies what sounds now as a patch's text.");
            if copy.clicked() {
                ui.ctx().copy_text(patch::text(&scene.effective));
                self.note = Some(("What sounds is on the clipboard".into(), time));
            }
            let paste = ui
                .button("Paste")
                .on_hover_text("Loads a patch's text from the clipboard.");
            if paste.clicked() {
                match patch::paste(scene) {
                    Ok(word) => self.note = Some((word, time)),
                    Err(message) => scene.params.state.set_message(Some(message)),
                }
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if ui.button("Close").clicked() {
                    self.view = View::Main;
                }
                ui.label("A .json file can be dropped anywhere.");
            });
        });
        ui.add_space(4.0);
    }

    /// All, favourites, own, and the kinds.
    fn kinds(&mut self, ui: &mut Ui) {
        let mut kinds: Vec<String> = self.library.all().map(|p| p.kind().to_owned()).collect();
        kinds.sort();
        kinds.dedup();
        ui.horizontal_wrapped(|ui| {
            let filters = [
                (Filter::All, "All".to_owned()),
                (Filter::Favourites, "Favourites".to_owned()),
                (Filter::Own, "Mine".to_owned()),
            ];
            let kinds = kinds
                .into_iter()
                .map(|kind| (Filter::Kind(kind.clone()), kind));
            for (filter, word) in filters.into_iter().chain(kinds) {
                let on = self.library.filter == filter;
                if ui.selectable_label(on, word).clicked() {
                    self.library.filter = filter;
                }
            }
        });
    }

    /// The patches: a click loads one, so that it can be heard at once.
    fn list(&mut self, ui: &mut Ui, scene: &Scene<'_>) {
        let list = self.library.shown(&self.settings.favourites);
        if list.is_empty() {
            ui.label("Nothing here. Search for less, or choose All.");
        }
        let loaded = scene.params.state.patch_name();
        let columns = (ui.available_width() / 250.0).max(1.0) as usize;
        let width = ui.available_width() / columns as f32 - 8.0;
        egui::ScrollArea::vertical()
            .auto_shrink(false)
            .show(ui, |ui| {
                egui::Grid::new("patches")
                    .num_columns(columns)
                    .spacing(vec2(8.0, 2.0))
                    .show(ui, |ui| {
                        for (i, patch) in list.iter().enumerate() {
                            ui.allocate_ui(vec2(width, 24.0), |ui| {
                                self.entry(ui, patch, width, patch.name == loaded, scene);
                            });
                            if (i + 1) % columns == 0 {
                                ui.end_row();
                            }
                        }
                    });
            });
    }

    fn entry(
        &mut self,
        ui: &mut Ui,
        entry: &NamedPatch,
        width: f32,
        loaded: bool,
        scene: &Scene<'_>,
    ) {
        ui.horizontal(|ui| {
            let loved = self.settings.favourites.contains(&entry.name);
            let (place, star) = ui.allocate_exact_size(vec2(18.0, 22.0), egui::Sense::click());
            let colour = match (loved, star.hovered()) {
                (true, _) => theme::PLAYED,
                (false, true) => theme::TEXT,
                (false, false) => theme::TRACK,
            };
            super::header::star(ui.painter(), place.center(), 5.5, loved, colour);
            if star.clicked() {
                self.love(&entry.name);
            }
            let file = entry.file.as_deref();
            if file.is_some() && file == self.library.edit.as_ref().map(Edit::file) {
                self.edited(ui, entry, width - 26.0, scene);
                return;
            }
            let room = width - 26.0 - if file.is_some() { MENU } else { 0.0 };
            let label = egui::Button::selectable(loaded, &entry.name).truncate();
            let response = ui.add_sized(vec2(room, 22.0), label);
            if response.clicked() {
                patch::load(&entry.name, &entry.patch, scene);
            }
            response.on_hover_text(entry.tags.join(", "));
            if let Some(file) = file {
                self.own_menu(ui, entry, file);
            }
        });
    }
}

/// The sounding patch, without the host's modulation.
fn sounding(scene: &Scene<'_>) -> Patch {
    let knobs = scene.params.knobs();
    match &scene.held {
        Some(held) => held.effective(&knobs, scene.amount, &scene.limits),
        None => knobs,
    }
}
