//! `mirrornet render-dataset`.

use super::Error;
use indicatif::{ProgressBar, ProgressStyle};
use mirrornet::parallel;
use mirrornet::samples::dataset::{DatasetOptions, Shard, plan, render};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Time between lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Render one shard of a labelled data set into safetensors files, to train on other machines.
///
/// Shard I/N renders every N-th file from the I-th on; all shards may share a folder. The same
/// command run again continues where it was interrupted. Files are the same bytes for any number of
/// shards and jobs. 100000 samples take 3.3 GB.
#[derive(clap::Args)]
pub struct Args {
    /// Shard to render and number of shards, as in 3/8.
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    shard: Shard,
    /// Number of samples of all shards together.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    samples: u64,
    /// Random seed of the samples.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of samples per file.
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    samples_per_file: u64,
    /// Folder; made if missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Rendering threads [default: the number of cores].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    let options = DatasetOptions {
        seed: args.seed,
        samples: args.samples,
        samples_per_file: args.samples_per_file,
        shard: args.shard,
        out: args.out,
        threads: args.jobs.map_or_else(parallel::cores, usize::from),
    };
    let plan = plan(&options)?;
    for path in &plan.unfinished {
        eprintln!("{} is not complete and is rendered again", path.display());
    }
    eprintln!(
        "{} files to render ({} samples), {} there already",
        plan.files.len(),
        plan.samples(),
        plan.finished
    );
    let progress = Progress::new(plan.samples());
    render(&options, &plan, || progress.sample())?;
    eprintln!("the shard is complete in {}", options.out.display());
    Ok(())
}

/// A bar on a terminal, a line every half minute elsewhere.
struct Progress {
    bar: ProgressBar,
    last_line: std::cell::Cell<Instant>,
}

impl Progress {
    fn new(samples: u64) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(samples)
        } else {
            ProgressBar::with_draw_target(Some(samples), indicatif::ProgressDrawTarget::hidden())
        };
        let style = "{bar:30} {percent:>3} % {pos}/{len} samples, {per_sec}, {eta} left";
        let style = ProgressStyle::with_template(style);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            last_line: Instant::now().into(),
        }
    }

    fn sample(&self) {
        self.bar.inc(1);
        if self.bar.is_hidden() && self.last_line.get().elapsed() > LINE_EVERY {
            self.last_line.set(Instant::now());
            eprintln!(
                "{} of {} samples, {:.0} a second, {:.1} min left",
                self.bar.position(),
                self.bar.length().unwrap_or(0),
                self.bar.per_sec(),
                self.bar.eta().as_secs_f64() / 60.0
            );
        }
    }
}
