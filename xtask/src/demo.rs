//! `demo`: three bundled melodies mirrored, on a page; without libtorch, Python, display or sound
//! card.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::process;
use crate::programs::Program;
use crate::project::Project;
use crate::steps::Steps;

/// Builds the command and lets it write the page into `out`, or into target/demo.
pub fn run(project: &Project, steps: &mut Steps, out: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    Program::Cli.build(project, steps)?;
    process::become_command(
        Command::new(Program::Cli.path(project))
            .args(["experiments", "--clips", "0", "--unseen", "0"])
            .arg("--out")
            .arg(out.unwrap_or_else(|| project.target.join("demo")))
            .arg("--model")
            .arg(project.root.join("model-weights")),
    )
}
