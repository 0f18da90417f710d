//! `mirrornet-trainer serve`.

use super::Error;
use std::path::PathBuf;

/// The engine process, as the plugin starts it: answers requests on standard input.
///
/// Speaks a binary protocol on standard input and output and ends when its input does.
#[derive(clap::Args)]
pub struct Args {
    /// Folder with encoder.pt and encoder.json.
    #[arg(long, value_name = "DIR")]
    model: PathBuf,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    matcher::engine::close_inherited();
    trainer::serve::serve(
        &args.model,
        &mut std::io::stdin().lock(),
        &mut std::io::stdout().lock(),
    )?;
    Ok(())
}
