//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` to a temporary file in the folder of `path`, syncs it to the disk, then renames
/// it.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |temporary| {
        let mut file = File::create(temporary)?;
        file.write_all(bytes)?;
        file.sync_all()
    })
}

/// Lets `write` make a temporary file in the folder of `path`, then renames it. The temporary name
/// keeps the extension of `path`, by which some writers choose a format. After an error no
/// temporary file is left and `path` is as it was.
pub fn replace_with(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let temporary = temporary_name(path)?;
    let written = write(&temporary).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// `folder/name.PID.tmp.extension` for `folder/name.extension`.
fn temporary_name(path: &Path) -> io::Result<PathBuf> {
    let stem = path.file_stem().ok_or_else(|| {
        let reason = format!("{} does not name a file", path.display());
        io::Error::new(io::ErrorKind::InvalidInput, reason)
    })?;
    let mut name = stem.to_os_string();
    name.push(format!(".{}.tmp", std::process::id()));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    Ok(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        for text in ["first, long", "second"] {
            write_atomically(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_temporary_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_atomically(&path, b"old").unwrap();
        let failed = replace_with(&path, |temporary| {
            assert_eq!(temporary.parent(), path.parent());
            assert_eq!(temporary.extension(), path.extension());
            fs::write(temporary, "half")?;
            Err(io::Error::other("disk full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "disk full");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a.txt"]);
        assert!(write_atomically(&folder.path().join("missing/a.txt"), b"x").is_err());
        assert!(write_atomically(Path::new(".."), b"x").is_err());
    }
}
