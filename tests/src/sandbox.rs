//! A separate user data folder for each test, with or without an engine, and the bundle under test.

use matcher::engine::engine_program;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's root.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("tests/ has a parent").to_path_buf()
}

/// Folder of the artefacts of `cargo xtask bundle`; `cargo xtask test` sets MIRRORNET_BUNDLED to
/// it.
fn bundle_folder() -> PathBuf {
    match std::env::var_os("MIRRORNET_BUNDLED") {
        Some(folder) => folder.into(),
        None => workspace().join("target/bundled"),
    }
}

/// An artefact of `cargo xtask bundle`, e.g. `MirrorNet.clap`.
///
/// # Panics
/// When it is not there.
pub fn bundled(name: &str) -> PathBuf {
    let path = bundle_folder().join(name);
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask bundle` first",
        path.display()
    );
    path
}

/// A data folder that lives as long as this value.
pub struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    /// A data folder in which no engine is installed.
    ///
    /// # Panics
    /// When the folder can't be made.
    pub fn without_engine() -> Self {
        // Next to the bundle, so that the engine's hundreds of megabytes can be hard-linked.
        let bundle = bundle_folder();
        let beside = bundle.parent().unwrap_or(&bundle);
        let dir = tempfile::Builder::new()
            .prefix("sandbox-")
            .tempdir_in(beside)
            .unwrap_or_else(|e| panic!("could not make a folder in {}: {e}", beside.display()));
        Self { dir }
    }

    /// A data folder with the bundled engine and model installed.
    ///
    /// # Panics
    /// When the engine is not bundled or can't be linked.
    pub fn with_engine() -> Self {
        let sandbox = Self::without_engine();
        link_tree(&bundled("engine"), &sandbox.engine_folder())
            .unwrap_or_else(|e| panic!("could not install the engine in a sandbox: {e}"));
        sandbox
    }

    /// A data folder with the program `engine` as its engine, without a model.
    ///
    /// # Panics
    /// When it can't be copied.
    pub fn with_program(engine: &str) -> Self {
        let sandbox = Self::without_engine();
        let folder = sandbox.engine_folder();
        fs::create_dir_all(&folder)
            .and_then(|()| fs::copy(engine, folder.join(engine_program())))
            .unwrap_or_else(|e| panic!("could not install {engine} in a sandbox: {e}"));
        sandbox
    }

    /// The folder in which hosts started in this sandbox look for the engine.
    pub fn engine_folder(&self) -> PathBuf {
        self.data_folder()
            .join("MirrorNet/engine")
            .join(env!("CARGO_PKG_VERSION"))
    }

    /// A path for a file of the test.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command whose process has this sandbox as its user's data folder, and no display.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        if cfg!(target_os = "macos") {
            command.env("HOME", self.dir.path());
        } else {
            command.env("XDG_DATA_HOME", self.data_folder());
        }
        command
    }

    /// Replaces a file of the installed engine; the bundle it was linked from stays whole.
    ///
    /// # Panics
    /// When it can't be written.
    pub fn replace(&self, name: &str, bytes: &[u8]) {
        let path = self.engine_folder().join(name);
        let run = || {
            fs::remove_file(&path)?;
            fs::write(&path, bytes)
        };
        run().unwrap_or_else(|e| panic!("could not replace {}: {e}", path.display()));
    }

    fn data_folder(&self) -> PathBuf {
        if cfg!(target_os = "macos") {
            self.dir.path().join("Library/Application Support")
        } else {
            self.dir.path().join("share")
        }
    }
}

/// Hard-links the files of a tree (copies them where that fails) into a new tree.
fn link_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            link_tree(&source, &target)?;
        } else if fs::hard_link(&source, &target).is_err() {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}
