//! `check`: formatting, lints and documentation, with warnings as errors.

use crate::process;
use crate::project::Project;
use crate::setup;
use crate::steps::Steps;
use crate::system;

/// Runs the three checks over the whole workspace.
pub fn run(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let libtorch = setup::prepare(steps, &[system::BUILD])?;
    steps.step("formatting", || {
        process::run(libtorch.cargo(project).args(["fmt", "--all", "--check"]))
    })?;
    steps.step("clippy", || {
        process::run(libtorch.cargo(project).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    steps.step("documentation", || {
        process::run(
            libtorch
                .cargo(project)
                .args(["doc", "--workspace", "--no-deps"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    })?;
    steps.summary();
    Ok(())
}
