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
        text(&value)
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

/// A patch file's text of its value.
fn text(value: &Value) -> String {
    format!("{value:#}\n")
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

/// Writes a patch into a folder under a file name made of its own, as a whole or not at all.
/// Returns the file.
///
/// # Errors
///
/// Returns [`AlreadyExists`](std::io::ErrorKind::AlreadyExists) where the folder has a patch of
/// this name and it is not to be replaced, or else what the system says where the file can't be
/// written.
pub fn save(folder: &Path, patch: &NamedPatch, replace: bool) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let place = Place::find(folder, &patch.name, None, replace)?;
    place.write(patch.to_json().as_bytes())
}

/// Gives the patch in a file another name, and the file that name's. Whatever else it holds stays.
/// Returns the file.
///
/// # Errors
///
/// Those of [`save`], and what the system or [`read`] says where the file can't be read. The patch
/// has its old name then.
pub fn rename(file: &Path, name: &str, replace: bool) -> std::io::Result<PathBuf> {
    read(file)?;
    let mut value: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    value["name"] = json!(name);
    let folder = file.parent().ok_or(std::io::ErrorKind::NotFound)?;
    let new = Place::find(folder, name, Some(file), replace)?.write(text(&value).as_bytes())?;
    if new != file {
        std::fs::remove_file(file)?;
    }
    Ok(new)
}

/// A file for a patch of a certain name.
struct Place {
    file: PathBuf,
    /// True if a file that is there already may be replaced.
    replace: bool,
}

impl Place {
    /// The file of the folder's patch of this name, if that may be replaced; otherwise one that
    /// there isn't yet, or `own`, which is to get the name.
    fn find(folder: &Path, name: &str, own: Option<&Path>, replace: bool) -> std::io::Result<Self> {
        let mut others = in_folder(folder).into_iter();
        let same = others.find(|patch| patch.name == name && patch.file.as_deref() != own);
        if let Some(file) = same.and_then(|patch| patch.file) {
            return match replace {
                true => Ok(Self { file, replace }),
                false => Err(std::io::ErrorKind::AlreadyExists.into()),
            };
        }
        let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
        let stem: String = name.trim().to_lowercase().chars().map(plain).collect();
        let stem = if stem.is_empty() { "patch" } else { &stem };
        // Names that differ in signs only, and damaged files, have the same stem.
        let mut file = folder.join(format!("{stem}.json"));
        for n in 2.. {
            let replace = own == Some(&file);
            if replace || file.symlink_metadata().is_err() {
                return Ok(Self { file, replace });
            }
            file = folder.join(format!("{stem}-{n}.json"));
        }
        Err(std::io::ErrorKind::AlreadyExists.into())
    }

    fn write(self, bytes: &[u8]) -> std::io::Result<PathBuf> {
        let new = whole(&self.file, bytes)?;
        match self.replace {
            true => new.persist(&self.file)?,
            // Another program may have made it by now.
            false => new.persist_noclobber(&self.file)?,
        };
        Ok(self.file)
    }
}

/// Writes a file in place of any of its name, as a whole or not at all. Makes its folder.
///
/// # Errors
///
/// Returns what the system says where the file can't be written.
pub fn write_whole(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().ok_or(std::io::ErrorKind::NotFound)?;
    std::fs::create_dir_all(folder)?;
    whole(file, bytes)?.persist(file)?;
    Ok(())
}

/// A temporary file next to `file`, with these bytes on the disk.
fn whole(file: &Path, bytes: &[u8]) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = file.parent().ok_or(std::io::ErrorKind::NotFound)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(bytes)?;
    new.as_file().sync_all()?;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

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
        let file = save(folder.path(), &patch, false).unwrap();
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
        // Saved again, it takes the place of the first only if it may.
        patch.tags = vec!["bass".into()];
        let refused = save(folder.path(), &patch, false).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(in_folder(folder.path())[0].kind(), "lead");
        save(folder.path(), &patch, true).unwrap();
        let found = in_folder(folder.path());
        assert_eq!((found.len(), found[0].kind()), (1, "bass"));
        assert!(in_folder(Path::new("no such folder")).is_empty());
    }

    /// Nothing is lost to a patch of another name, or to a file that can't be read.
    #[test]
    fn names_that_make_the_same_file_name_have_a_file_each() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a-b.json"), "{").unwrap();
        for (name, file) in [("a b", "a-b-2"), ("A/b", "a-b-3")] {
            let named = NamedPatch {
                name: name.into(),
                ..factory()[0].clone()
            };
            // Replacing is for patches of the same name.
            let saved = save(folder.path(), &named, true).unwrap();
            assert_eq!(saved, folder.path().join(file).with_extension("json"));
        }
        let broken = std::fs::read_to_string(folder.path().join("a-b.json"));
        assert_eq!(broken.unwrap(), "{");
        let names: Vec<_> = in_folder(folder.path())
            .into_iter()
            .map(|p| p.name)
            .collect();
        assert_eq!(names, ["a b", "A/b"]);
    }

    #[test]
    fn a_renamed_patch_keeps_all_else_and_takes_no_others_place() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let patches = in_folder(folder.path()).into_iter();
            let mut names: Vec<_> = patches.map(|patch| patch.name).collect();
            names.sort();
            names
        };
        let mut value = factory()[3].patch.to_json();
        value["notes"] = json!([{ "key": 60 }]);
        let old = folder.path().join("found.json");
        std::fs::write(&old, value.to_string()).unwrap();
        let patch = read(&old).unwrap().0.patch;
        let new = rename(&old, "Kept", false).unwrap();
        assert_eq!(new, folder.path().join("kept.json"));
        assert!(!old.exists());
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(&new).unwrap()).unwrap();
        assert_eq!(kept["notes"], value["notes"]);
        assert_eq!(read(&new).unwrap().0.patch, patch);
        // Another way to write the same file name.
        assert_eq!(rename(&new, "KEPT", false).unwrap(), new);
        assert_eq!(names(), ["KEPT"]);
        let mut other = factory()[4].clone();
        other.name = "Other".into();
        let other = save(folder.path(), &other, false).unwrap();
        let refused = rename(&new, "Other", false).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(names(), ["KEPT", "Other"]);
        assert_eq!(rename(&new, "Other", true).unwrap(), other);
        assert_eq!(names(), ["Other"]);
        assert_eq!(read(&other).unwrap().0.patch, patch);
        // What can't be read stays as it is.
        std::fs::write(&old, "[]").unwrap();
        assert!(rename(&old, "New", false).is_err());
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "[]");
    }
}
