//! Child processes: run to their end, read, or put in this process's place.

use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};

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

/// Program and arguments of `command`, for messages.
fn describe(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
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

/// Builds `package` in release mode by `cargo`.
pub fn build(mut cargo: Command, package: &str) -> anyhow::Result<()> {
    run(cargo
        .args(["build", "--release", "--package", package])
        .stdout(std::io::stderr()))
}
