//! The sound files of a folder.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// Extensions of files that can be read.
const EXTENSIONS: [&str; 13] = [
    "wav", "wave", "bwf", "rf64", "aif", "aiff", "aifc", "flac", "mp3", "ogg", "oga", "caf", "bw64",
];

/// Sound files found in a folder, and folders that could not be read.
#[derive(Debug, Default, PartialEq)]
pub struct SoundFiles {
    /// The files, sorted by path.
    pub files: Vec<PathBuf>,
    /// Subfolders that can't be looked into, each with the reason.
    pub closed: Vec<String>,
}

/// All sound files in `folder` and its subfolders, by their extensions. A link that leads back to a
/// folder already seen is not followed.
pub fn sound_files(folder: &Path) -> io::Result<SoundFiles> {
    let mut found = SoundFiles::default();
    let mut seen = HashSet::from([folder.canonicalize()?]);
    let mut folders = vec![folder.to_path_buf()];
    while let Some(inner) = folders.pop() {
        let entries = std::fs::read_dir(&inner).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = match entries {
            Err(e) if inner != folder => {
                found.closed.push(format!("{}: {e}", inner.display()));
                continue;
            }
            entries => entries?,
        };
        for path in entries.into_iter().map(|entry| entry.path()) {
            if path.is_dir() {
                if path.canonicalize().is_ok_and(|real| seen.insert(real)) {
                    folders.push(path);
                }
            } else if is_sound(&path) {
                found.files.push(path);
            }
        }
    }
    found.files.sort();
    Ok(found)
}

fn is_sound(path: &Path) -> bool {
    // "._name.wav" is what macOS leaves on foreign disks next to "name.wav".
    let hidden = path
        .file_name()
        .is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    !hidden && EXTENSIONS.iter().any(|e| e.eq_ignore_ascii_case(extension))
}
