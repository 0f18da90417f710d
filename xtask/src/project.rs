//! The project's folder, and cargo commands in it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use cargo_metadata::MetadataCommand;

/// The version of every crate of the workspace, this one included.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A way to build.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Profile {
    /// The profile for players.
    Release,
    /// The profile for tests, with assertions.
    Dev,
}

impl Profile {
    /// Cargo's arguments for it.
    pub fn args(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["--release"],
            Self::Dev => &[],
        }
    }

    /// Name of the profile's folder in cargo's target folder.
    fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Dev => "debug",
        }
    }
}

/// The folders of a working copy.
pub struct Project {
    /// The workspace's root.
    pub root: PathBuf,
    /// Cargo's target folder, wherever the user's configuration puts it.
    pub target: PathBuf,
}

impl Project {
    /// Asks cargo. Fails when this was not started through cargo inside the project.
    pub fn find() -> anyhow::Result<Self> {
        // As `cargo run` says it: with a target folder that several working copies share, this
        // program may have been built in another of them.
        let here = env::var_os("CARGO_MANIFEST_DIR");
        let here = here.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let metadata = MetadataCommand::new()
            .manifest_path(Path::new(&here).join("Cargo.toml"))
            .no_deps()
            .exec()
            .context("cargo cannot describe the project: run `cargo xtask` inside it")?;
        Ok(Self {
            root: metadata.workspace_root.into(),
            target: metadata.target_directory.into(),
        })
    }

    /// Folder of the products of `bundle`.
    pub fn bundled(&self) -> PathBuf {
        self.target.join("bundled")
    }

    /// The program `name` as it was built.
    pub fn built(&self, name: &str, profile: Profile) -> PathBuf {
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        self.target.join(profile.folder()).join(file)
    }

    /// `cargo` on this project, for crates that need no libtorch.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        cargo
    }
}
