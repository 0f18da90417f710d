//! `references`: foreign melodies for the trainer to listen to.

use std::path::Path;

use crate::project::{self, Project};
use crate::setup;
use crate::steps::Steps;
use crate::system;

/// Installs the SoundFonts, builds the program that plays them and has it write into `out`.
pub fn run(project: &Project, steps: &mut Steps, out: &Path) -> anyhow::Result<()> {
    let libtorch = setup::prepare(steps, &[system::BUILD, system::REFERENCES])?;
    steps.step("write the melodies", || {
        project::run(
            project
                .cargo(&libtorch)
                .args(["run", "--release", "-p", "tests", "--bin", "references"])
                .args(["--", "--out"])
                .arg(std::path::absolute(out)?),
        )
    })?;
    steps.summary();
    Ok(())
}
