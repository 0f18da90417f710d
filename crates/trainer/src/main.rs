//! The `mirrornet-trainer` command, which is also the engine process.

mod commands;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// MirrorNet's trainer and engine: trains models, imports them, and serves them to the plugin.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(commands::train::Args),
    Adopt(commands::adopt::Args),
    Serve(commands::serve::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train(args) => commands::train::run(args),
        Command::Adopt(args) => commands::adopt::run(args),
        Command::Serve(args) => commands::serve::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}
