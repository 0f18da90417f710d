//! Files that belong together and are replaced together.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A set of files on its way into a folder: written and checked in a folder of its own within it,
/// then synced and renamed. Dropped before that, it leaves the folder as it was.
pub struct FileSet<'a> {
    folder: &'a Path,
    names: &'a [&'a str],
    staging: PathBuf,
}

impl<'a> FileSet<'a> {
    /// Begins a set of `names` in `folder`, the last of which makes the others valid: it goes in
    /// last.
    pub fn begin(folder: &'a Path, names: &'a [&'a str]) -> io::Result<Self> {
        let staging = folder.join(format!(".new.{}.tmp", std::process::id()));
        let _ = fs::remove_dir_all(&staging);
        fs::create_dir(&staging)?;
        Ok(Self {
            folder,
            names,
            staging,
        })
    }

    /// Folder to write the files to.
    pub fn staging(&self) -> &Path {
        &self.staging
    }

    /// Syncs the files to the disk and puts them in place; after an error those of before are there
    /// again. Where the power fails meanwhile, old and new files may be mixed: then the last one
    /// doesn't fit the others.
    pub fn finish(self) -> io::Result<()> {
        for name in self.names {
            // Windows syncs only what may be written.
            let file = File::options().write(true).open(self.staging.join(name))?;
            file.sync_all()?;
        }
        let before = self.staging.join("before");
        fs::create_dir(&before)?;
        for (done, name) in self.names.iter().enumerate() {
            if let Err(e) = self.swap(&before, name) {
                for name in &self.names[..=done] {
                    let _ = fs::rename(before.join(name), self.folder.join(name));
                }
                return Err(e);
            }
        }
        sync_folder(self.folder)
    }

    fn swap(&self, before: &Path, name: &str) -> io::Result<()> {
        let place = self.folder.join(name);
        if place.exists() {
            fs::rename(&place, before.join(name))?;
        }
        fs::rename(self.staging.join(name), place)
    }
}

impl Drop for FileSet<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.staging);
    }
}

/// Makes renames in a folder last.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder can't be opened.
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 2] = ["weights", "contract"];

    fn read(folder: &Path) -> Vec<String> {
        let text = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
        NAMES.map(text).into()
    }

    fn write(set: &FileSet<'_>, text: &str, count: usize) {
        for name in &NAMES[..count] {
            fs::write(set.staging().join(name), text).unwrap();
        }
    }

    /// All files are replaced, or none.
    #[test]
    fn a_set_is_replaced_whole_or_stays() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let begin = || FileSet::begin(folder, &NAMES).unwrap();
        let set = begin();
        write(&set, "one", 2);
        set.finish().unwrap();
        assert_eq!(read(folder), ["one", "one"]);
        // One is missing; one was never finished; one can't take its place.
        let set = begin();
        write(&set, "two", 1);
        assert!(set.finish().is_err());
        write(&begin(), "two", 2);
        assert_eq!(read(folder), ["one", "one"]);
        fs::remove_file(folder.join("contract")).unwrap();
        fs::create_dir(folder.join("contract")).unwrap();
        let set = begin();
        write(&set, "two", 2);
        fs::remove_file(set.staging().join("contract")).unwrap();
        fs::create_dir(set.staging().join("contract")).unwrap();
        assert!(set.finish().is_err());
        assert_eq!(read(folder)[0], "one");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 2, "nothing is left");
    }
}
