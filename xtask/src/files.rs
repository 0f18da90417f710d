//! Files and folders: the per-user cache, copies, and replacing a folder in one step.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use directories::BaseDirs;

/// Prefix of the names of [`replace`]'s staging folders.
pub const STAGING: &str = ".mirrornet-";

/// Home and data folders of this user.
pub fn user_folders() -> anyhow::Result<BaseDirs> {
    BaseDirs::new().context("this user has no home folder: set HOME")
}

/// The per-user cache of this project; it is created when missing.
pub fn cache_folder() -> anyhow::Result<PathBuf> {
    let folder = user_folders()?.cache_dir().join("MirrorNet");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// Locks the cache until the result is dropped, and removes the leftovers of interrupted runs.
pub fn lock_cache() -> anyhow::Result<File> {
    let folder = cache_folder()?;
    let path = folder.join("lock");
    let cannot_lock = || format!("cannot lock {}", path.display());
    let lock = File::create(&path).with_context(cannot_lock)?;
    if lock.try_lock().is_err() {
        eprintln!("    waiting for another xtask to finish its set-up");
        lock.lock().with_context(cannot_lock)?;
    }
    for item in fs::read_dir(&folder).with_context(cannot_lock)? {
        let item = item.with_context(cannot_lock)?;
        if item.file_name().to_string_lossy().starts_with(STAGING) {
            remove(&item.path())?;
        }
    }
    Ok(lock)
}

/// Removes a file, a link or a folder with its contents; returns whether it existed.
pub fn remove(path: &Path) -> anyhow::Result<bool> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => Err(error),
    };
    removed.with_context(|| format!("cannot remove {}", path.display()))?;
    Ok(true)
}

/// Replaces `target` by what `fill` creates at the path it is given: a neighbour of `target`, which
/// is renamed at the end, so that nobody ever sees half of it.
pub fn replace(
    target: &Path,
    fill: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let cannot_write = || format!("cannot write {}", target.display());
    let parent = target.parent().with_context(cannot_write)?;
    fs::create_dir_all(parent).with_context(cannot_write)?;
    let staging = tempfile::Builder::new()
        .prefix(STAGING)
        .tempdir_in(parent)
        .with_context(cannot_write)?;
    let new = staging.path().join("new");
    let old = staging.path().join("old");
    fill(&new)?;
    let had_one = target.symlink_metadata().is_ok();
    if had_one {
        fs::rename(target, &old).with_context(cannot_write)?;
    }
    if let Err(error) = fs::rename(&new, target) {
        if had_one {
            fs::rename(&old, target).with_context(cannot_write)?;
        }
        return Err(error).with_context(cannot_write);
    }
    Ok(())
}

/// Copies a file, a link, or a folder with its contents, to `to`, which must not exist.
pub fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    walk(from, to, &|from, to| fs::copy(from, to).map(|_| ()))
}

/// Hard-links files instead of copying them where the file system allows it, otherwise as [`copy`]:
/// for hundreds of megabytes of libraries that nobody writes to.
pub fn link(from: &Path, to: &Path) -> anyhow::Result<()> {
    walk(from, to, &|from, to| {
        fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(|_| ()))
    })
}

fn walk(
    from: &Path,
    to: &Path,
    place: &dyn Fn(&Path, &Path) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let cannot_copy = || format!("cannot copy {} to {}", from.display(), to.display());
    let kind = from
        .symlink_metadata()
        .with_context(cannot_copy)?
        .file_type();
    if kind.is_dir() {
        fs::create_dir(to).with_context(cannot_copy)?;
        for item in fs::read_dir(from).with_context(cannot_copy)? {
            let item = item.with_context(cannot_copy)?;
            walk(&item.path(), &to.join(item.file_name()), place)?;
        }
        Ok(())
    } else if kind.is_symlink() {
        let target = fs::read_link(from).with_context(cannot_copy)?;
        link_folder(&target, to).with_context(cannot_copy)
    } else {
        place(from, to).with_context(cannot_copy)
    }
}

/// Makes `to` a symbolic link to the folder `target`.
#[cfg(unix)]
pub fn link_folder(target: &Path, to: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, to)
}

/// Makes `to` a symbolic link to the folder `target`.
#[cfg(windows)]
pub fn link_folder(target: &Path, to: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(target, to)
}

/// Bytes in a file, or in all files of a folder, following links.
pub fn size(path: &Path) -> anyhow::Result<u64> {
    let cannot_read = || format!("cannot read {}", path.display());
    let metadata = path.metadata().with_context(cannot_read)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut sum = 0;
    for item in fs::read_dir(path).with_context(cannot_read)? {
        sum += size(&item.with_context(cannot_read)?.path())?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_replacement_leaves_the_old_one_and_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("engine");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("a"), "old").unwrap();
        let failed = replace(&target, |new| {
            fs::create_dir(new)?;
            fs::write(new.join("a"), "half")?;
            anyhow::bail!("disk full")
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(target.join("a")).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_replacement_holds_only_the_new_files() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("not/yet/there");
        for name in ["first", "second"] {
            replace(&target, |new| {
                fs::create_dir(new)?;
                Ok(fs::write(new.join(name), name)?)
            })
            .unwrap();
        }
        assert!(target.join("second").exists() && !target.join("first").exists());
        assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn copies_and_links_hold_the_same_content_and_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs::create_dir_all(from.join("lib")).unwrap();
        fs::write(from.join("lib/big"), vec![7; 5000]).unwrap();
        fs::write(from.join("small"), "x").unwrap();
        let (copied, linked) = (folder.path().join("copied"), folder.path().join("linked"));
        copy(&from, &copied).unwrap();
        link(&from, &linked).unwrap();
        for to in [&copied, &linked] {
            assert_eq!(size(to).unwrap(), 5001);
            assert_eq!(fs::read(to.join("lib/big")).unwrap(), vec![7; 5000]);
        }
        // Writing to the original must not reach a copy.
        fs::write(from.join("small"), "changed").unwrap();
        assert_eq!(fs::read_to_string(copied.join("small")).unwrap(), "x");
    }
}
