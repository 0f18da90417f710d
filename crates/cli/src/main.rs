//! The `mirrornet` command.

mod commands;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// MirrorNet: hears a sound and finds the synthesizer parameters that reproduce it.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Mirror(commands::mirror::Args),
    Evaluate(commands::evaluate::Args),
    Ear(commands::ear::Args),
    Render(commands::render::Args),
    Experiments(commands::experiments::Args),
    RenderDataset(commands::render_dataset::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Mirror(args) => commands::mirror::run(args),
        Command::Evaluate(args) => commands::evaluate::run(args),
        Command::Ear(args) => commands::ear::run(args),
        Command::Experiments(args) => commands::experiments::run(args),
        Command::Render(args) => commands::render::run(args),
        Command::RenderDataset(args) => commands::render_dataset::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}
