//! The `mirrornet` command.

mod commands;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// MirrorNet: hears a sound, finds the synthesizer parameters that reproduce it.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(commands::train::Args),
    RenderDataset(commands::render_dataset::Args),
    Adopt(commands::adopt::Args),
    Mirror(commands::mirror::Args),
    Evaluate(commands::evaluate::Args),
    Ear(commands::ear::Args),
    Render(commands::render::Args),
    Serve(commands::serve::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train(args) => commands::train::run(args),
        Command::RenderDataset(args) => commands::render_dataset::run(args),
        Command::Adopt(args) => commands::adopt::run(args),
        Command::Mirror(args) => commands::mirror::run(args),
        Command::Evaluate(args) => commands::evaluate::run(args),
        Command::Ear(args) => commands::ear::run(args),
        Command::Render(args) => commands::render::run(args),
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
