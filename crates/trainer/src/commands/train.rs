//! `mirrornet-trainer train`.

use super::Error;
use clap::ValueEnum;
use mirrornet::command_line::recorded;
use mirrornet::parallel;
use mirrornet::settings::{Field, Setting};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tch::Device;
use trainer::train::{Budget, Options, fields, train};

/// Train a model: babbling on random patches, then mirroring on unlabelled sounds.
///
/// Writes encoder.pt, encoder.safetensors, encoder.json, losses.png and a checkpoint to the output
/// folder. Ctrl-C saves and ends; --resume continues.
#[derive(clap::Args)]
#[command(after_long_help = names())]
pub struct Args {
    /// Train for this many minutes on the clock.
    #[arg(long, conflicts_with = "steps", default_value_t = 60.0)]
    minutes: f64,
    /// Train for this many steps instead; on the CPU the same seed and steps give the same weights.
    #[arg(long)]
    steps: Option<u64>,
    /// Set a number of the recipe, as in losses.anchor=0.25; may be given several times. The names
    /// are below.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<Setting>,
    /// Random seed [default: 1]; short for --set seed=SEED.
    #[arg(long)]
    seed: Option<u64>,
    /// Start from the encoder of this model instead of random weights, at half the learning rate.
    #[arg(long, value_name = "MODEL", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Continue from the checkpoint in the output folder, with its recipe.
    #[arg(long)]
    resume: bool,
    /// Replace the training and the model that are in the output folder.
    #[arg(long, conflicts_with = "resume")]
    overwrite: bool,
    /// Device that the networks are trained on; synthesizer and ear always run on the CPU.
    #[arg(long, value_enum, default_value_t = Where::Cpu)]
    device: Where,
    /// Output folder; made if missing.
    #[arg(long, value_name = "DIR", default_value = "model")]
    out: PathBuf,
    /// Folder of WAV files to mirror (searched recursively, no labels needed).
    #[arg(long, value_name = "DIR")]
    references: Option<PathBuf>,
    /// Windows per step [default: 32]; short for --set batch=BATCH.
    #[arg(long)]
    batch: Option<u64>,
    /// Folder of the cache of rendered samples (about 22 kB each), reused by --resume and by runs
    /// with the same seed [default: the output folder].
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Keep no rendered samples on disk.
    #[arg(long, conflicts_with = "cache")]
    no_cache: bool,
    /// Rendering threads [default: one less than the cores].
    #[arg(long)]
    threads: Option<usize>,
}

/// Options that name the player's files and folders.
const PATHS: [&str; 4] = ["--from", "--out", "--references", "--cache"];

#[derive(Clone, Copy, ValueEnum)]
enum Where {
    Cpu,
    Cuda,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    let budget = match args.steps {
        Some(0) => return Err("--steps 0 trains nothing: give at least 1".into()),
        Some(steps) => Budget::Steps(steps),
        None if args.minutes > 0.0 && args.minutes.is_finite() => Budget::Minutes(args.minutes),
        None => {
            return Err(
                format!("--minutes must be a positive number, got {}", args.minutes).into(),
            );
        }
    };
    let short = [("seed", args.seed), ("batch", args.batch)];
    let short = short.into_iter().filter_map(|(name, value)| {
        let (name, value) = (name.into(), value?.to_string());
        Some(Setting { name, value })
    });
    let device = match args.device {
        Where::Cpu => Device::Cpu,
        Where::Cuda if tch::Cuda::is_available() => {
            // Shapes never change: the fastest kernels are worth a search.
            tch::Cuda::cudnn_set_benchmark(true);
            Device::Cuda(0)
        }
        Where::Cuda => {
            return Err(
                "--device cuda: this libtorch sees no CUDA device. On a machine with an NVIDIA GPU and \
                 its driver, `cargo xtask setup --cuda` fetches a libtorch that does; or use --device cpu"
                    .into(),
            );
        }
    };
    let options = Options {
        budget,
        settings: short.chain(args.set).collect(),
        from: args.from,
        references: args.references,
        cache: (!args.no_cache).then(|| args.cache.unwrap_or_else(|| args.out.clone())),
        out: args.out,
        resume: args.resume,
        overwrite: args.overwrite,
        device,
        threads: args.threads.unwrap_or(parallel::cores() - 1).max(1),
        command: recorded("mirrornet-trainer", &PATHS, std::env::args().skip(1)),
    };
    let stopped = Arc::new(AtomicBool::new(false));
    let flag = stopped.clone();
    ctrlc::set_handler(move || {
        // The second Ctrl-C doesn't wait for the step to end.
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })?;
    train(&options, |_| stopped.load(Ordering::Relaxed))?;
    Ok(())
}

/// The numbers of a recipe, for the help.
fn names() -> String {
    let line = |(name, field): (String, Field)| format!("  {name:<24}{}", field.doc.trim());
    let lines: Vec<String> = fields().into_iter().map(line).collect();
    format!("Numbers of the recipe (--set):\n{}", lines.join("\n"))
}
