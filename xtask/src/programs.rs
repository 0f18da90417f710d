//! The front door to our two command-line programs: build one, then become it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::CommandFactory;

use crate::Cli;
use crate::process::{self, become_command};
use crate::project::{Profile, Project};
use crate::setup;
use crate::steps::Steps;
use crate::system;

/// A command-line program of ours.
#[derive(Clone, Copy)]
pub enum Program {
    /// `mirrornet`: needs neither libtorch nor Python.
    Cli,
    /// `mirrornet-trainer`: needs libtorch.
    Trainer,
}

impl Program {
    /// The package that it is built from.
    pub fn package(self) -> &'static str {
        match self {
            Self::Cli => "mirrornet",
            Self::Trainer => "trainer",
        }
    }

    /// Path of the program's release build.
    pub fn path(self, project: &Project) -> PathBuf {
        project.built(self.name(), Profile::Release)
    }

    /// File name of the program, without an extension.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cli => "mirrornet",
            Self::Trainer => "mirrornet-trainer",
        }
    }

    /// Fetches what its build needs, and builds it in release mode.
    pub fn build(self, project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
        let cargo = match self {
            Self::Cli => project.cargo(),
            Self::Trainer => setup::prepare(steps, &[system::COMPILER])?.cargo(project),
        };
        let package = self.package();
        steps.step(&format!("build {package}"), || {
            process::build(cargo, package)
        })
    }

    /// Builds the program and runs its `command` in the user's working folder.
    pub fn run(
        self,
        project: &Project,
        command: &str,
        arguments: &Arguments,
    ) -> anyhow::Result<ExitCode> {
        let program = self.path(project);
        let asks_help = |arg: &OsString| arg == "-h" || arg == "--help";
        // For help an answer at once is worth more than the newest one.
        match (arguments.args.iter().any(asks_help), self) {
            (true, _) if program.exists() => {}
            // Building it may fetch half a gigabyte.
            (true, Self::Trainer) => return explain(command),
            _ => self.build(project, &mut Steps::new())?,
        }
        become_command(Command::new(program).arg(command).args(&arguments.args))
    }
}

/// The arguments after a command's name, passed on as they stand.
#[derive(clap::Args)]
pub struct Arguments {
    /// Arguments of the command.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

/// Says what the trainer's `command` is for when the program that knows its options is not built
/// yet.
fn explain(command: &str) -> anyhow::Result<ExitCode> {
    let mut all = Cli::command();
    all.build();
    let task = all
        .find_subcommand_mut(command)
        .with_context(|| format!("no such command: {command}"))?;
    eprintln!(
        "{}\nIts options are listed here once the trainer is built: `cargo xtask bundle` does that.",
        task.render_long_help()
    );
    Ok(ExitCode::SUCCESS)
}
