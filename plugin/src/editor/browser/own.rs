//! The user's own patches in the browser: renamed and removed where they stand in the list.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use egui::{Key, Modifiers, Popup, Role, Ui, WidgetInfo, vec2};

use super::super::{App, Scene};
use crate::patches::{self, NamedPatch};

/// Width of the button that opens a patch's menu, with the space before it.
pub const MENU: f32 = 34.0;

/// A change of a patch that waits for the player's word.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// A new name is typed.
    Rename {
        /// File of the patch.
        file: PathBuf,
        /// The text typed so far.
        name: String,
        /// True until the field has the keyboard.
        fresh: bool,
    },
    /// The patch in this file is to be removed.
    Remove(PathBuf),
}

impl Edit {
    /// File of the patch.
    pub fn file(&self) -> &Path {
        match self {
            Self::Rename { file, .. } | Self::Remove(file) => file,
        }
    }
}

impl App {
    /// Gives up a change at the Escape key, which then leaves the browser open.
    pub(super) fn watch_edit(&mut self, ui: &Ui) {
        let edits = self.library.edit.is_some();
        if edits && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            self.library.edit = None;
        }
    }

    /// The button with the menu of a patch of the user's.
    pub(super) fn own_menu(&mut self, ui: &mut Ui, entry: &NamedPatch, file: &Path) {
        let button = ui.add(egui::Button::new("…").small());
        let name = format!("Change {}", entry.name);
        button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        let file = file.to_owned();
        Popup::menu(&button).show(|ui| {
            if ui.button("Rename").clicked() {
                self.library.edit = Some(Edit::Rename {
                    file: file.clone(),
                    name: entry.name.clone(),
                    fresh: true,
                });
                ui.close();
            }
            if ui.button("Remove").clicked() {
                self.library.edit = Some(Edit::Remove(file));
                ui.close();
            }
        });
        button.on_hover_text("Rename or remove this patch of yours.");
    }

    /// Draws the patch that is being renamed or removed.
    pub(super) fn edited(
        &mut self,
        ui: &mut Ui,
        entry: &NamedPatch,
        width: f32,
        scene: &Scene<'_>,
    ) {
        match self.library.edit.take() {
            Some(Edit::Rename { file, name, fresh }) => {
                self.renamed(ui, entry, width, (file, name, fresh), scene);
            }
            Some(Edit::Remove(file)) => {
                let words = format!("Remove {}?", entry.name);
                let words = egui::Label::new(words).truncate();
                ui.add_sized(vec2(width - 122.0, 22.0), words);
                let [remove, keep] = ["Remove", "Keep"].map(|word| ui.small_button(word));
                if remove.clicked() {
                    self.remove(&file, &entry.name, scene);
                } else if !keep.clicked() {
                    self.library.edit = Some(Edit::Remove(file));
                }
            }
            None => {}
        }
    }

    /// Lets the player type a new name: Enter takes it, unless that would replace another patch.
    fn renamed(
        &mut self,
        ui: &mut Ui,
        entry: &NamedPatch,
        width: f32,
        (file, mut name, fresh): (PathBuf, String, bool),
        scene: &Scene<'_>,
    ) {
        let field = egui::TextEdit::singleline(&mut name).desired_width(width - 144.0);
        let field = ui.add(field);
        if fresh {
            field.request_focus();
        }
        let typed = name.trim().to_owned();
        let taken = self.library.is_taken(&typed, Some(&file));
        if taken {
            field.show_tooltip_text("You have a patch of this name.");
        }
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let word = if taken { "Replace it" } else { "Rename" };
        let button = ui.add_enabled(!typed.is_empty(), egui::Button::new(word).small());
        let chosen = button.clicked() || (entered && !taken && !typed.is_empty());
        if chosen {
            self.rename(&file, [&entry.name, &typed], taken, scene);
        } else if !ui.small_button("Cancel").clicked() {
            if entered {
                field.request_focus();
            }
            self.library.edit = Some(Edit::Rename {
                file,
                name,
                fresh: false,
            });
        }
    }

    /// Gives a patch another name, and makes that of the loaded one and a favourite follow.
    fn rename(&mut self, file: &Path, [old, new]: [&str; 2], replace: bool, scene: &Scene<'_>) {
        if old == new {
            return;
        }
        match patches::rename(file, new, replace) {
            Ok(_) => {
                if self.settings.favourites.remove(old) {
                    self.settings.favourites.insert(new.to_owned());
                    self.save_settings();
                }
                if scene.params.state.patch_name() == old {
                    scene.params.state.set_patch_name(new);
                }
            }
            // Somebody else has made one of this name just now: the player is asked.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.library.edit = Some(Edit::Rename {
                    file: file.to_owned(),
                    name: new.to_owned(),
                    fresh: true,
                });
            }
            Err(error) => scene.params.state.set_message(Some(format!(
                "The patch could not be renamed ({error}). See whether its folder can be written."
            ))),
        }
        self.library.look();
    }

    fn remove(&mut self, file: &Path, name: &str, scene: &Scene<'_>) {
        if let Err(error) = std::fs::remove_file(file) {
            scene.params.state.set_message(Some(format!(
                "The patch could not be removed ({error}). Remove its file by hand."
            )));
        }
        self.library.look();
        if self.library.find(name).is_none() && self.settings.favourites.remove(name) {
            self.save_settings();
        }
    }
}
