//! Files that appear whole or not at all, and checks of where they will be.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` to a temporary file in the folder of `path`, syncs it to the disk, then renames
/// it. Links, pipes and devices are written through instead: see [`replace_with`].
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match Destination::of(path)? {
        Destination::Through => write_through(path, bytes),
        Destination::Replace(path) => {
            replace(&path, |temporary| File::create(temporary)?.write_all(bytes))
        }
    }
}

/// Lets `write` make a temporary file in the folder of `path`, syncs it to the disk, then renames
/// it. The temporary name keeps the extension of `path`, by which some writers choose a format.
/// After an error no temporary file is left and `path` is as it was.
///
/// A symbolic link stays and the file it leads to is replaced. A device, a pipe and a file with
/// several names get the bytes themselves, which is not atomic.
pub fn replace_with(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    match Destination::of(path)? {
        Destination::Replace(path) => replace(&path, write),
        Destination::Through => {
            let name = temporary_name(path)?;
            let name = name.file_name().unwrap_or_default();
            let temporary = std::env::temp_dir().join(name);
            let written = write(&temporary)
                .and_then(|()| fs::read(&temporary))
                .and_then(|bytes| write_through(path, &bytes));
            let _ = fs::remove_file(&temporary);
            written
        }
    }
}

fn replace(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let temporary = temporary_name(path)?;
    let written = write(&temporary)
        // Windows syncs only what may be written.
        .and_then(|()| OpenOptions::new().write(true).open(&temporary)?.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.flush()
}

/// Way in which a path is written.
enum Destination {
    /// A new file takes the path's place; links are followed.
    Replace(PathBuf),
    /// The existing file is opened.
    Through,
}

impl Destination {
    fn of(path: &Path) -> io::Result<Self> {
        /// Links that are followed before they count as a circle.
        const MOST_LINKS: usize = 40;
        if let Ok(there) = fs::metadata(path) {
            if there.is_dir() {
                return Err(io::Error::other("it is a folder"));
            }
            // What stands for an open file (/dev/stdout) is that file, not its name.
            let is_open_file = path.starts_with("/dev") || path.starts_with("/proc");
            if !there.is_file() || is_open_file || has_other_names(&there) {
                return Ok(Self::Through);
            }
        }
        let mut path = path.to_path_buf();
        for _ in 0..MOST_LINKS {
            match fs::read_link(&path) {
                // A relative link starts from its own folder.
                Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
                Err(_) => return Ok(Self::Replace(path)),
            }
        }
        Err(io::Error::other("its symbolic links lead in a circle"))
    }
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

/// The reason a file can't be written, found before any work.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OutputError {
    /// Nobody could write it.
    #[error("{option} {path}: it can't be written: {reason}")]
    Unwritable {
        /// The option that names it.
        option: &'static str,
        /// The path as given.
        path: String,
        /// Reason, in words.
        reason: String,
    },
    /// The output would overwrite something that is needed.
    #[error("{option} {path} is the same file as {other}: give another one")]
    Same {
        /// The option that names it.
        option: &'static str,
        /// The path as given.
        path: String,
        /// The other file's option.
        other: &'static str,
    },
}

/// Checks before any work that `outputs` can be written, and that none of them is one of `inputs`
/// or another output, through links too. Each path comes with the option that names it.
pub fn check_outputs(
    inputs: &[(&'static str, &Path)],
    outputs: &[(&'static str, &Path)],
) -> Result<(), OutputError> {
    for (n, &(option, path)) in outputs.iter().enumerate() {
        let shown = path.display().to_string();
        let identity = Identity::of(path);
        let others = inputs.iter().chain(&outputs[..n]);
        let mut same = others.filter(|(_, other)| identity.is(&Identity::of(other)));
        if let Some(&(other, _)) = same.next() {
            return Err(OutputError::Same {
                option,
                path: shown,
                other,
            });
        }
        writable(path).map_err(|e| OutputError::Unwritable {
            option,
            path: shown,
            reason: e.to_string(),
        })?;
    }
    Ok(())
}

/// Whether a file can be written at `path`; leaves nothing behind.
fn writable(path: &Path) -> io::Result<()> {
    match Destination::of(path)? {
        // Opening a pipe would wait for its reader.
        Destination::Through if fs::metadata(path)?.permissions().readonly() => {
            Err(io::Error::from(io::ErrorKind::PermissionDenied))
        }
        Destination::Through => Ok(()),
        Destination::Replace(path) => {
            let folder = folder(&path);
            if !folder.is_dir() {
                let reason = format!("there is no folder {}: make it first", folder.display());
                return Err(io::Error::new(io::ErrorKind::NotFound, reason));
            }
            let temporary = temporary_name(&path)?;
            File::create(&temporary)?;
            fs::remove_file(&temporary)
        }
    }
}

/// The folder a file is in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Identity of a file, by which two paths are compared.
struct Identity {
    /// Path without links; for a missing file, based on its folder's.
    path: PathBuf,
    metadata: Option<Metadata>,
}

impl Identity {
    fn of(path: &Path) -> Self {
        let path = match Destination::of(path) {
            Ok(Destination::Replace(path)) => path,
            _ => path.to_path_buf(),
        };
        let resolved = path.canonicalize().or_else(|_| {
            let name = path.file_name().unwrap_or_default();
            Ok::<_, io::Error>(folder(&path).canonicalize()?.join(name))
        });
        Self {
            metadata: fs::metadata(&path).ok(),
            path: resolved.unwrap_or(path),
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (&self.metadata, &other.metadata) {
            // A terminal or /dev/null takes what comes from several.
            (Some(a), _) if is_character_device(a) => false,
            (Some(a), Some(b)) => self.path == other.path || is_same_file(a, b),
            _ => self.path == other.path,
        }
    }
}

#[cfg(unix)]
mod system {
    use std::fs::Metadata;
    use std::os::unix::fs::{FileTypeExt, MetadataExt};

    pub fn has_other_names(file: &Metadata) -> bool {
        file.nlink() > 1
    }

    pub fn is_same_file(a: &Metadata, b: &Metadata) -> bool {
        (a.dev(), a.ino()) == (b.dev(), b.ino())
    }

    pub fn is_character_device(file: &Metadata) -> bool {
        file.file_type().is_char_device()
    }
}

/// Windows tells paths apart, without links; hard links are not seen.
#[cfg(not(unix))]
mod system {
    use std::fs::Metadata;

    pub fn has_other_names(_: &Metadata) -> bool {
        false
    }

    pub fn is_same_file(_: &Metadata, _: &Metadata) -> bool {
        false
    }

    pub fn is_character_device(_: &Metadata) -> bool {
        false
    }
}

use system::{has_other_names, is_character_device, is_same_file};

#[cfg(test)]
mod tests;
