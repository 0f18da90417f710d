//! Where the project is, and how cargo is called in it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use cargo_metadata::MetadataCommand;

use crate::libtorch::Libtorch;

/// The version of every crate of the workspace, this one included.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

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

    /// Where `bundle` puts its products.
    pub fn bundled(&self) -> PathBuf {
        self.target.join("bundled")
    }

    /// The release build of the `mirrornet` command.
    pub fn mirrornet(&self) -> PathBuf {
        self.target
            .join("release")
            .join(format!("mirrornet{}", env::consts::EXE_SUFFIX))
    }

    /// `cargo` on this project, with libtorch's place in its environment. Every call uses the same
    /// environment: torch-sys is rebuilt (minutes) when `LIBTORCH` changes.
    pub fn cargo(&self, libtorch: &Libtorch) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        if let Libtorch::Cached(prefix) = libtorch {
            cargo.env("LIBTORCH", prefix);
        }
        cargo
    }
}

/// Runs `command` to its end; an error says which command failed and how.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let words = describe(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{words}`"))?;
    ensure!(status.success(), "`{words}` failed ({status})");
    Ok(())
}

/// Runs `command` and returns what it printed on stdout.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let words = describe(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start `{words}`"))?;
    ensure!(
        output.status.success(),
        "`{words}` failed ({}): {}",
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn describe(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
