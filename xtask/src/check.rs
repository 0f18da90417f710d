//! `check`: formatting, lints and documentation, with warnings as errors.

use crate::project::{self, Project};
use crate::setup;
use crate::steps::Steps;
use crate::system;

/// Runs the three checks over the whole workspace.
pub fn run(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let libtorch = setup::prepare(steps, &[system::BUILD])?;
    steps.step("formatting", || {
        project::run(project.cargo(&libtorch).args(["fmt", "--all", "--check"]))
    })?;
    steps.step("clippy", || {
        project::run(project.cargo(&libtorch).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    steps.step("documentation", || {
        project::run(
            project
                .cargo(&libtorch)
                .args(["doc", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    })?;
    steps.summary();
    Ok(())
}
