//! `mirrornet-trainer adopt`.

use super::Error;
use std::path::PathBuf;
use trainer::adopt;

/// Import weights that were trained elsewhere, on shards of `render-dataset`, as a model.
///
/// Writes encoder.pt, encoder.safetensors and encoder.json. The weights come with example windows
/// and the answers of the network that was trained; unless this network gives the same answers to
/// 1e-5, they are refused.
#[derive(clap::Args)]
pub struct Args {
    /// Weights named as the encoder's, as crates/trainer/examples/torchrun/train.py writes them.
    #[arg(long, value_name = "F.safetensors")]
    weights: PathBuf,
    /// Model folder; made if missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the model that is in the folder.
    #[arg(long)]
    overwrite: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    let difference = adopt::adopt(&args.weights, &args.out, args.overwrite)?;
    eprintln!(
        "model in {}; its answers to the example differ by at most {difference:.1e}",
        args.out.display()
    );
    Ok(())
}
