//! Python: the pip client that fetches libtorch, and the private environment of the host tests.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::files;
use crate::process;

/// A command of the user's Python 3.
pub fn command() -> Command {
    Command::new(if cfg!(windows) { "python" } else { "python3" })
}

/// Whether the user's Python can download wheels and make environments.
pub fn has_pip_and_venv() -> bool {
    command()
        .args(["-c", "import pip, venv, ensurepip"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// The Python of an environment holding what the `requirements` file lists, made on first use in
/// the per-user cache. A changed file, or another Python, gets an environment of its own.
pub fn environment(requirements: &Path) -> anyhow::Result<PathBuf> {
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let base =
        process::output(command().args(["-c", "import sys; print(sys.executable, sys.version)"]))?;
    let mut hasher = DefaultHasher::new();
    (wanted, base).hash(&mut hasher);
    let folder = files::cache_folder()?.join(format!("venv-{:016x}", hasher.finish()));
    let python = if cfg!(windows) {
        folder.join("Scripts").join("python.exe")
    } else {
        folder.join("bin").join("python")
    };

    // An environment knows its own path and cannot be moved into place: this file marks it
    // complete.
    let complete = folder.join("complete");
    let _lock = files::lock_cache()?;
    if complete.exists() && python.exists() {
        return Ok(python);
    }
    files::remove(&folder)?;
    process::run(
        command()
            .args(["-m", "venv"])
            .arg(&folder)
            .stdout(std::io::stderr()),
    )?;
    process::run(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--only-binary=:all:", "--requirement"])
            .arg(requirements)
            .stdout(std::io::stderr()),
    )?;
    fs::write(&complete, "").with_context(|| format!("cannot write {}", complete.display()))?;
    Ok(python)
}
