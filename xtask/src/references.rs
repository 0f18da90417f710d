//! `references`: foreign melodies for the trainer to listen to.

use std::path::Path;

use crate::process;
use crate::project::Project;
use crate::steps::Steps;
use crate::system;

/// Installs the SoundFonts, builds the program that plays them and has it write into `out`.
pub fn run(project: &Project, steps: &mut Steps, out: &Path) -> anyhow::Result<()> {
    steps.step("system packages", || system::install(&[system::REFERENCES]))?;
    steps.step("write the melodies", || {
        process::run(
            project
                .cargo()
                .args(["run", "--release", "-p", "tests", "--bin", "references"])
                .args(["--", "--out"])
                .arg(std::path::absolute(out)?),
        )
    })?;
    steps.summary();
    Ok(())
}
