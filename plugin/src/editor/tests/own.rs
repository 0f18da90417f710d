//! The user's own patches in the browser: saved, renamed, removed, and never lost unasked.

use super::*;
use crate::patches::{self, NamedPatch};

/// A browser over a folder with these patches, as a stage and its folder.
fn browser(names: &[&str]) -> (Stage, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (k, name) in names.iter().enumerate() {
        let named = NamedPatch {
            name: (*name).to_owned(),
            tags: vec!["mine".into()],
            ..patches::factory()[k].clone()
        };
        patches::save(folder.path(), &named, false).unwrap();
    }
    let mut stage = Stage::new(SIZE, Some(folder.path().to_owned()));
    stage.click_text("Browse");
    stage.click_text("Mine");
    (stage, folder)
}

fn names(folder: &tempfile::TempDir) -> Vec<String> {
    let found = patches::in_folder(folder.path()).into_iter();
    found.map(|patch| patch.name).collect()
}

/// Opens the menu of the `n`-th patch and chooses from it.
fn choose(stage: &mut Stage, n: usize, word: &str) {
    let at = stage.places("…")[n];
    stage.click(at);
    stage.click_text(word);
    stage.frame(Vec::new());
}

#[test]
fn a_patch_is_renamed_in_its_place() {
    let (mut stage, folder) = browser(&["First", "Second"]);
    stage.click_text("Second");
    stage.app.settings.favourites.insert("Second".into());
    choose(&mut stage, 1, "Rename");
    stage.type_text("Warm pad");
    stage.key(egui::Key::Enter, Modifiers::NONE);
    assert_eq!(names(&folder), ["First", "Warm pad"]);
    assert!(folder.path().join("warm-pad.json").exists());
    // What is loaded has its new name, and so has the favourite.
    assert_eq!(stage.params.state.patch_name(), "Warm pad");
    assert!(stage.app.settings.favourites.contains("Warm pad"));
    assert!(!stage.app.settings.favourites.contains("Second"));
    stage.find("First");
}

#[test]
fn a_name_that_is_taken_is_asked_for_and_escape_gives_up() {
    let (mut stage, folder) = browser(&["First", "Second"]);
    choose(&mut stage, 1, "Rename");
    stage.type_text("First");
    stage.key(egui::Key::Enter, Modifiers::NONE);
    assert_eq!(
        names(&folder),
        ["First", "Second"],
        "Enter replaces nothing"
    );
    stage.find("You have a patch of this name.");
    stage.key(egui::Key::Escape, Modifiers::NONE);
    assert_ne!(stage.app.view, View::Main, "the browser stays");
    assert_eq!(stage.places("Replace it").len(), 0);
    choose(&mut stage, 1, "Rename");
    stage.type_text("First");
    stage.click_text("Replace it");
    assert_eq!(names(&folder), ["First"]);
    let left = &patches::in_folder(folder.path())[0];
    let second = &patches::factory()[1].patch;
    assert!((left.patch.get(FILTER_CUTOFF) - second.get(FILTER_CUTOFF)).abs() < 1e-4);
}

#[test]
fn a_patch_is_removed_after_a_question() {
    let (mut stage, folder) = browser(&["First", "Second"]);
    choose(&mut stage, 0, "Remove");
    stage.find("Remove First?");
    stage.click_text("Keep");
    assert_eq!(names(&folder), ["First", "Second"]);
    choose(&mut stage, 0, "Remove");
    stage.click_text("Remove");
    assert_eq!(names(&folder), ["Second"]);
}

#[test]
fn a_factory_patch_has_no_menu() {
    let (mut stage, _folder) = browser(&["First"]);
    stage.click_text("All");
    assert_eq!(stage.places("…").len(), 1);
}

#[test]
fn saving_under_a_name_that_is_there_asks_first() {
    let (mut stage, folder) = browser(&["First"]);
    let cutoff = || {
        patches::in_folder(folder.path())[0]
            .patch
            .get(FILTER_CUTOFF)
    };
    let before = cutoff();
    stage.params.state.set_patch_name("First");
    stage.params.rows[FILTER_CUTOFF].set(&stage.gui.param_setter(), 0.91);
    stage.params.state.set_lock(super::cutoff(), true);
    stage.click_text("Save");
    stage.find("You have a patch of this name.");
    let name = stage.places("First")[0];
    stage.click(name);
    stage.key(egui::Key::Enter, Modifiers::NONE);
    assert_eq!(cutoff(), before, "Enter replaces nothing");
    stage.click_text("Replace it");
    assert!((cutoff() - 0.91).abs() < 1e-4);
    assert_eq!(names(&folder), ["First"]);
}
