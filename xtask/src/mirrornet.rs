//! The front door to the `mirrornet` command: build it, then become it.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::CommandFactory;

use crate::Cli;
use crate::bundle;
use crate::project::Project;
use crate::setup;
use crate::steps::Steps;
use crate::system;

/// What follows the command's name, passed on as it stands.
#[derive(clap::Args)]
pub struct Arguments {
    /// Arguments of the `mirrornet` command.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<OsString>,
}

/// Sets up, builds `mirrornet` and runs its `command` in the user's working folder.
pub fn run(project: &Project, command: &str, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let become_it = || {
        become_command(
            Command::new(project.mirrornet())
                .arg(command)
                .args(&arguments.args),
        )
    };
    // An answer at once is worth more than the newest one.
    if arguments
        .args
        .iter()
        .any(|arg| arg == "-h" || arg == "--help")
    {
        return if project.mirrornet().exists() {
            become_it()
        } else {
            explain(command)
        };
    }
    let mut steps = Steps::new();
    let libtorch = setup::prepare(&mut steps, &[system::COMPILER])?;
    steps.step("build mirrornet", || {
        bundle::build_mirrornet(project, &libtorch)
    })?;
    become_it()
}

/// Says what `command` is for, when the program that knows its options is not built yet.
fn explain(command: &str) -> anyhow::Result<ExitCode> {
    let mut all = Cli::command();
    all.build();
    let task = all
        .find_subcommand_mut(command)
        .with_context(|| format!("no such command: {command}"))?;
    eprintln!(
        "{}\nIts options are listed here once `mirrornet` is built: `cargo xtask bundle` does that.",
        task.render_long_help()
    );
    Ok(ExitCode::SUCCESS)
}

/// Becomes `command`: signals reach it directly, and its exit status is ours.
#[cfg(unix)]
pub fn become_command(command: &mut Command) -> anyhow::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// Runs `command` and exits as it does.
#[cfg(not(unix))]
pub fn become_command(command: &mut Command) -> anyhow::Result<ExitCode> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    std::process::exit(status.code().unwrap_or(1))
}
