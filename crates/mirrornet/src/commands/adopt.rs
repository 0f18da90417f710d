//! `mirrornet adopt`.

use super::Error;
use mirrornet::train::adopt;
use std::path::PathBuf;

/// Make a model of weights that were trained elsewhere, on shards of `render-dataset`.
///
/// Writes encoder.pt, encoder.safetensors and encoder.json. The weights bring windows with the answers of
/// the network that was trained; unless this network answers the same to 1e-5, they are refused.
#[derive(clap::Args)]
pub struct Args {
    /// Weights by the encoder's names, as crates/mirrornet/examples/torchrun/train.py writes them.
    #[arg(long, value_name = "F.safetensors")]
    weights: PathBuf,
    /// Model folder; made if missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    let difference = adopt::adopt(&args.weights, &args.out)?;
    eprintln!(
        "model in {}; its answers to the example differ by at most {difference:.1e}",
        args.out.display()
    );
    Ok(())
}
