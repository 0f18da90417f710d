//! The factory's presets in a folder that hosts write to as well: what a player has saved there, or
//! changed, stays.
//!
//! Copies of what was installed lie elsewhere: a preset is ours as long as it is equal to its copy.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::files;

/// Puts the files that `write` makes into `folder`, in place of those put there before, and their
/// copies into `copies`. A file that isn't ours stays as it is, and its new version is left out.
pub fn replace(
    folder: &Path,
    copies: &Path,
    write: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let cannot_write = || format!("cannot write into {}", folder.display());
    fs::create_dir_all(folder).with_context(cannot_write)?;
    let staging = tempfile::Builder::new()
        .prefix(files::STAGING)
        .tempdir_in(folder)
        .with_context(cannot_write)?;
    let new = staging.path().join("new");
    // First: where it fails, all stays as it was.
    write(&new)?;
    remove_unchanged(folder, copies)?;
    files::replace(copies, |copies| files::copy(&new, copies))?;
    for name in names(&new)? {
        let place = folder.join(&name);
        if place.symlink_metadata().is_ok() {
            eprintln!("{} stays: it is your own.", place.display());
        } else {
            fs::rename(new.join(&name), &place).with_context(cannot_write)?;
        }
    }
    Ok(())
}

/// Removes what [`replace`] put into `folder` and nobody has changed, and the folder if it is empty
/// then; says whether there was any.
pub fn remove(folder: &Path, copies: &Path) -> anyhow::Result<bool> {
    remove_unchanged(folder, copies)?;
    let removed = files::remove(copies)?;
    // Fails when there are presets of the player's, and then it shall stay.
    let _ = fs::remove_dir(folder);
    Ok(removed)
}

/// Removes the files that are equal to their copies.
fn remove_unchanged(folder: &Path, copies: &Path) -> anyhow::Result<()> {
    if !copies.is_dir() {
        return Ok(());
    }
    for name in names(copies)? {
        let place = folder.join(&name);
        if fs::read(&place).ok() == fs::read(copies.join(&name)).ok() {
            files::remove(&place)?;
        }
    }
    Ok(())
}

/// Names of what is in a folder.
fn names(folder: &Path) -> anyhow::Result<Vec<OsString>> {
    let cannot_read = || format!("cannot read {}", folder.display());
    fs::read_dir(folder)
        .with_context(cannot_read)?
        .map(|item| Ok(item.with_context(cannot_read)?.file_name()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A home with a folder of presets and one of copies.
    fn home() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let [folder, copies] = ["presets", "copies"].map(|name| home.path().join(name));
        (home, folder, copies)
    }

    fn install(folder: &Path, copies: &Path, presets: &[(&str, &str)]) {
        replace(folder, copies, |new| {
            fs::create_dir(new)?;
            presets
                .iter()
                .try_for_each(|(name, text)| Ok(fs::write(new.join(name), text)?))
        })
        .unwrap();
    }

    #[test]
    fn presets_of_the_players_and_changed_ones_stay() {
        let (_home, folder, copies) = home();
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        install(
            &folder,
            &copies,
            &["a", "b", "c", "d"].map(|name| (name, "1")),
        );
        fs::write(folder.join("own"), "own").unwrap();
        fs::write(folder.join("b"), "changed").unwrap();
        fs::remove_file(folder.join("d")).unwrap();
        install(
            &folder,
            &copies,
            &["a", "b", "d", "own"].map(|name| (name, "2")),
        );
        assert_eq!(read("a").as_deref(), Some("2"));
        assert_eq!(read("b").as_deref(), Some("changed"));
        assert_eq!(read("c"), None, "the newer version has none");
        assert_eq!(read("d").as_deref(), Some("2"));
        assert_eq!(read("own").as_deref(), Some("own"));
        assert!(remove(&folder, &copies).unwrap());
        let mut left = names(&folder).unwrap();
        left.sort();
        assert_eq!(left, ["b", "own"]);
        assert!(!remove(&folder, &copies).unwrap());
    }

    #[test]
    fn a_failed_writer_changes_nothing() {
        let (_home, folder, copies) = home();
        install(&folder, &copies, &[("a", "1")]);
        let failed = replace(&folder, &copies, |new| {
            fs::create_dir(new)?;
            fs::write(new.join("a"), "2")?;
            anyhow::bail!("disk full")
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(folder.join("a")).unwrap(), "1");
        assert_eq!(names(&folder).unwrap(), ["a"]);
        assert!(remove(&folder, &copies).unwrap());
        assert!(!folder.exists());
    }
}
