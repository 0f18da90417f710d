//! The patches on offer: those that come with the plugin, and the user's.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};
use synth::Patch;

/// The factory patches' files.
const FILES: &[&str] = include!(concat!(env!("OUT_DIR"), "/factory_patches.rs"));
/// Kind of patches that have no tags.
const UNTAGGED: &str = "other";

/// A patch with what is said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedPatch {
    /// Name for the player.
    pub name: String,
    /// Words to find it by; the first is its kind.
    pub tags: Vec<String>,
    /// The values.
    pub patch: Patch,
    /// File of the patch, if it is one of the user's.
    pub file: Option<PathBuf>,
}

impl NamedPatch {
    /// Reads a patch file's text. `name` is that of a patch which has none. The second value names
    /// parameters that this version doesn't have.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text.
    pub fn from_json(text: &str, name: &str) -> Result<(Self, Vec<String>), String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let (patch, unknown) = Patch::from_value(&value).map_err(|error| error.to_string())?;
        let words = |value: &Value| {
            let list = value.as_array()?;
            Some(
                list.iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            )
        };
        let named = Self {
            name: value["name"].as_str().unwrap_or(name).to_owned(),
            tags: words(&value["tags"]).unwrap_or_default(),
            patch,
            file: None,
        };
        Ok((named, unknown))
    }

    /// The patch file's text.
    pub fn to_json(&self) -> String {
        let mut value = self.patch.to_json();
        value["name"] = json!(self.name);
        value["tags"] = json!(self.tags);
        format!("{value:#}\n")
    }

    /// Kind of sound: `bass`, `keys`.
    pub fn kind(&self) -> &str {
        self.tags.first().map_or(UNTAGGED, String::as_str)
    }

    /// Whether name or tags contain every word of a search.
    pub fn matches(&self, search: &str) -> bool {
        let search = search.to_lowercase();
        search.split_whitespace().all(|word| {
            self.name.to_lowercase().contains(word)
                || self
                    .tags
                    .iter()
                    .any(|tag| tag.to_lowercase().contains(word))
        })
    }
}

/// The patches that come with the plugin, by kind and name.
pub fn factory() -> &'static [NamedPatch] {
    static PATCHES: LazyLock<Vec<NamedPatch>> = LazyLock::new(|| {
        let read = |text: &&str| NamedPatch::from_json(text, "");
        let mut patches: Vec<_> = FILES
            .iter()
            .filter_map(|text| Some(read(text).ok()?.0))
            .collect();
        sort(&mut patches);
        patches
    });
    &PATCHES
}

fn sort(patches: &mut [NamedPatch]) {
    patches.sort_by_cached_key(|patch| (patch.kind().to_owned(), patch.name.to_lowercase()));
}

/// Reads a patch file. A patch without a name has its file's. The second value names parameters
/// that this version doesn't have.
///
/// # Errors
///
/// Returns what the system says, or, as [`InvalidData`](std::io::ErrorKind::InvalidData), what is
/// wrong with the text.
pub fn read(file: &Path) -> std::io::Result<(NamedPatch, Vec<String>)> {
    let invalid = |fault: String| std::io::Error::new(std::io::ErrorKind::InvalidData, fault);
    // A pipe would keep its reader waiting.
    if !file.metadata()?.is_file() {
        return Err(invalid("it is no file".into()));
    }
    let text = std::fs::read_to_string(file)?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let (mut patch, unknown) = NamedPatch::from_json(&text, &name).map_err(invalid)?;
    patch.file = Some(file.to_owned());
    Ok((patch, unknown))
}

/// Message to the player about a patch that was loaded.
pub fn loaded(name: &str, unknown: &[String]) -> String {
    match unknown.len() {
        0 => format!("{name} is loaded"),
        _ => format!(
            "{name} is loaded, without what this version has no knob for: {}",
            unknown.join(", ")
        ),
    }
}

/// Folder of the user's patches: MirrorNet/patches in the user's data folder.
pub fn user_folder() -> Option<PathBuf> {
    let base = directories::BaseDirs::new()?;
    Some(base.data_dir().join("MirrorNet").join("patches"))
}

/// The patches in a folder, by kind and name. Files that hold none are left out.
pub fn in_folder(folder: &Path) -> Vec<NamedPatch> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut patches: Vec<_> = files
        .filter_map(|entry| {
            let file = entry.path();
            if file.extension()? != "json" {
                return None;
            }
            Some(read(&file).ok()?.0)
        })
        .collect();
    sort(&mut patches);
    patches
}

/// Writes a patch into a folder under a file name made of its own, as a whole or not at all, in
/// place of one of the same name. Returns the file.
///
/// # Errors
///
/// Returns what the system says where the file can't be written.
pub fn save(folder: &Path, patch: &NamedPatch) -> std::io::Result<PathBuf> {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
    let name: String = patch
        .name
        .trim()
        .to_lowercase()
        .chars()
        .map(plain)
        .collect();
    let name = if name.is_empty() { "patch" } else { &name };
    let file = folder.join(format!("{name}.json"));
    write_whole(&file, patch.to_json().as_bytes())?;
    Ok(file)
}

/// Writes a file in place of any of its name, as a whole or not at all. Makes its folder.
///
/// # Errors
///
/// Returns what the system says where the file can't be written.
pub fn write_whole(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().ok_or(std::io::ErrorKind::NotFound)?;
    std::fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_factory_patch_can_be_read_and_found_by_a_name_of_its_own() {
        let patches = factory();
        assert_eq!(patches.len(), FILES.len());
        let names: std::collections::BTreeSet<_> = patches.iter().map(|p| &p.name).collect();
        assert_eq!(names.len(), patches.len());
        assert!(
            patches
                .iter()
                .all(|p| !p.name.is_empty() && p.kind() != UNTAGGED)
        );
        let found: Vec<_> = patches.iter().filter(|p| p.matches("CELLO sec")).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "Cello Section");
    }

    #[test]
    fn a_saved_patch_comes_back_and_damaged_files_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let mut patch = factory()[3].clone();
        patch.name = "Mine: a/b".into();
        patch.tags = vec!["lead".into()];
        let file = save(folder.path(), &patch).unwrap();
        std::fs::write(folder.path().join("broken.json"), "{").unwrap();
        std::fs::write(folder.path().join("notes.txt"), "hello").unwrap();
        let mut found = in_folder(folder.path());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].file.take(), Some(file));
        for row in 0..synth::COUNT {
            assert!((found[0].patch.get(row) - patch.patch.get(row)).abs() < 1e-4);
        }
        found[0].patch = patch.patch;
        assert_eq!(found[0], patch);
        // Saved again, it takes the place of the first.
        save(folder.path(), &patch).unwrap();
        assert_eq!(in_folder(folder.path()).len(), 1);
        assert!(in_folder(Path::new("no such folder")).is_empty());
    }
}
