//! Training: babbling, then mirroring, on one torch thread fed by rendering threads.

mod adam;
pub mod batch;
mod checkpoint;
mod forward;
mod history;
pub mod losses;
mod picture;
mod progress;
mod recipe;
mod record;
pub mod trainer;
mod validate;

pub use adam::Diverged;
pub use checkpoint::CheckpointError;
pub use history::{History, Point};
pub use recipe::{Budget, Recipe, RecipeError, fields};
pub use validate::Quality;

use crate::export::{ExportError, FILES, export};
use checkpoint::State;
use ear::{EarConfig, EarError};
use matcher::{BuiltinEncoder, BuiltinError};
use mirrornet::samples::cache::{self, Cache};
use mirrornet::samples::foreign::{Foreign, ForeignError};
use mirrornet::samples::plant::Plant;
use mirrornet::samples::pool::{Pool, WorkerDied};
use mirrornet::settings::Setting;
use progress::Progress;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tch::{Device, TchError};
use trainer::Trainer;
use validate::HeldOut;

/// Options of a training: what makes its recipe, its sources, and where its results go.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long.
    pub budget: Budget,
    /// Differences from the default recipe.
    pub settings: Vec<Setting>,
    /// Unlabelled WAV files to mirror.
    pub references: Option<PathBuf>,
    /// Folder for checkpoint, model and picture; made if missing.
    pub out: PathBuf,
    /// Folder of the cache of rendered samples, made if missing; `None`: no cache.
    pub cache: Option<PathBuf>,
    /// Folder of the model whose encoder to start from; `None`: random weights.
    pub from: Option<PathBuf>,
    /// Continue from the checkpoint in `out` with its recipe, which `settings` may not contradict;
    /// the budget is this one's.
    pub resume: bool,
    /// Replace what an earlier training left in `out`.
    pub overwrite: bool,
    /// Device of the networks.
    pub device: Device,
    /// Rendering threads, at least 1.
    pub threads: usize,
    /// The command, for the training record.
    pub command: String,
}

/// Outcome of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Steps done in all.
    pub steps: u64,
    /// Whether the budget was used up; else it was stopped and can be resumed.
    pub finished: bool,
    /// The curves.
    pub history: History,
}

/// The reason a training can't start or continue.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The ear can't be created.
    #[error(transparent)]
    Ear(#[from] EarError),
    /// The recipe.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The references.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// The checkpoint can't be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A gradient is not finite.
    #[error(transparent)]
    Diverged(#[from] Diverged),
    /// The model can't be written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The model to begin with can't be used.
    #[error("cannot begin with the model in {0}: {1}")]
    From(PathBuf, BuiltinError),
    /// The weights to begin with can't be read.
    #[error("cannot begin with the weights in {0}: {1}")]
    FromWeights(PathBuf, TchError),
    /// The output folder can't be made.
    #[error("cannot make the folder {0}: {1}")]
    Out(PathBuf, std::io::Error),
    /// The output folder holds another training's results.
    #[error(
        "{0} is there already: continue that training with --resume, replace it with --overwrite, \
         or give another folder with --out"
    )]
    Exists(PathBuf),
    /// A rendering thread has died.
    #[error("a rendering thread has died ({0}). Continue from the last checkpoint with --resume")]
    Renderer(String),
}

/// Time between checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(180);

/// Trains. Asks `stop` before each step, with the number of steps done, whether to save and end.
pub fn train(options: &Options, stop: impl Fn(u64) -> bool) -> Result<Outcome, TrainError> {
    let result = catch_unwind(AssertUnwindSafe(|| train_on(options, stop)));
    result.unwrap_or_else(|panic| match panic.downcast::<WorkerDied>() {
        Ok(died) => Err(TrainError::Renderer(died.0)),
        Err(panic) => resume_unwind(panic),
    })
}

/// Files that a training writes into its folder.
const RESULTS: [&str; 5] = [checkpoint::FILE, LOSSES, FILES[0], FILES[1], FILES[2]];
/// Picture of the curves.
const LOSSES: &str = "losses.png";

fn train_on(options: &Options, stop: impl Fn(u64) -> bool) -> Result<Outcome, TrainError> {
    if !options.resume && !options.overwrite {
        let there = RESULTS.map(|name| options.out.join(name));
        if let Some(path) = there.into_iter().find(|path| path.exists()) {
            return Err(TrainError::Exists(path));
        }
    }
    // One torch thread: the same sums in the same order, and the other cores are for rendering.
    tch::set_num_threads(1);
    let ear = EarConfig::default();
    let resumed = if options.resume {
        Some(checkpoint::load(&options.out)?)
    } else {
        None
    };
    let recipe = match &resumed {
        Some((_, state)) => state.recipe.resumed(options.budget, &options.settings)?,
        None => Recipe {
            from: options.from.as_deref().map(weights_of).transpose()?,
            ..Recipe::new(options.budget, &options.settings)?
        },
    };
    std::fs::create_dir_all(&options.out).map_err(|e| TrainError::Out(options.out.clone(), e))?;
    let started = Instant::now();
    let progress = Progress::new(&recipe);
    let foreign = options
        .references
        .as_deref()
        .map(|folder| Foreign::read(folder, &ear))
        .transpose()?;
    if let Some(foreign) = &foreign {
        progress.say(&format!("{} reference files heard", foreign.files.len()));
        for reason in &foreign.skipped {
            progress.say(&format!("left out {reason}"));
        }
        for remark in &foreign.remarks {
            progress.say(remark);
        }
    }
    let cache = match &options.cache {
        Some(folder) => open_cache(
            folder,
            &cache::key(&ear, &recipe.samples, recipe.seed)?,
            &progress,
        ),
        None => None,
    };
    let threads = options.threads.max(1);
    let mut pool = Pool::new(threads, &ear, &recipe.samples, recipe.seed, cache)?;
    let held_out = HeldOut::new(
        &mut Plant::new(&ear)?,
        foreign.as_ref(),
        recipe.seed,
        recipe.validation.windows,
    );
    let mut trainer = Trainer::new(recipe.clone(), &ear, options.device);
    match (resumed, &options.from) {
        (Some((tensors, state)), _) => {
            trainer.restore(&options.out, &tensors, state, &mut pool)?;
            let state = &mut trainer.state;
            if state.recipe.budget != recipe.budget {
                let (step, seconds) = (state.step, state.seconds);
                state.anchor = state.recipe.anchor(&state.anchor, step, seconds);
            }
            state.recipe = recipe.clone();
        }
        (None, Some(folder)) => {
            trainer
                .begin_from(folder)
                .map_err(|e| TrainError::FromWeights(folder.clone(), e))?;
            let quality = held_out.measure(trainer.averaged(), options.device, &mut pool);
            progress.say(&format!(
                "begins with {}: {}",
                folder.display(),
                progress::quality(&quality)
            ));
        }
        (None, None) => {}
    }
    trainer.state.history.baseline = held_out.baseline;
    progress.say(&format!(
        "default patch: {}",
        progress::quality(&held_out.baseline)
    ));

    let (before, cpu_before) = (trainer.state.seconds, trainer.state.cpu_seconds);
    let validate_every = match recipe.budget {
        Budget::Minutes(_) => recipe.validation.every,
        Budget::Steps(steps) => recipe.validation.every.min(steps.div_ceil(4)).max(1),
    };
    let mut saved = Instant::now();
    let finished = loop {
        trainer.state.seconds = before + started.elapsed().as_secs_f64();
        trainer.state.cpu_seconds = cpu_before + record::cpu_seconds();
        let State {
            anchor,
            step,
            seconds,
            ..
        } = trainer.state;
        let used_up = recipe.is_used_up(step, seconds);
        if used_up || stop(step) {
            break used_up;
        }
        let at = recipe.progress(&anchor, step, seconds);
        let lr = recipe.rate(at);
        let mirroring = at >= recipe.schedule.babbling;
        if mirroring {
            let first = trainer.state.tickets == 0;
            if first && trainer.state.history.count > 0 {
                // The end of babbling, measured before its losses mix with mirroring's.
                validate(
                    &mut trainer,
                    &held_out,
                    &mut pool,
                    options,
                    false,
                    &progress,
                );
            }
            trainer.mirror(&mut pool, foreign.as_ref(), lr)?;
        } else {
            trainer.babble(&mut pool, lr)?;
        }
        progress.step(&trainer.state, at, mirroring);
        if let Some(error) = pool.cache_error() {
            progress.say(&error);
        }
        if trainer.state.step.is_multiple_of(validate_every) {
            validate(
                &mut trainer,
                &held_out,
                &mut pool,
                options,
                mirroring,
                &progress,
            );
        }
        if saved.elapsed() > CHECKPOINT_EVERY {
            save(&trainer, options)?;
            saved = Instant::now();
        }
    };
    if finished && trainer.state.history.count > 0 {
        validate(&mut trainer, &held_out, &mut pool, options, true, &progress);
    }
    save(&trainer, options)?;
    let record = record::record(options, &trainer.state, foreign.as_ref());
    export(&options.out, &trainer.best(), ear, record)?;
    progress.say(&format!(
        "{} after {} steps; model in {}",
        if finished {
            "finished"
        } else {
            "stopped; continue with --resume"
        },
        trainer.state.step,
        options.out.display()
    ));
    Ok(Outcome {
        steps: trainer.state.step,
        finished,
        history: trainer.state.history,
    })
}

/// Hash of the weights of the model in `folder`, which must be this version's.
fn weights_of(folder: &Path) -> Result<String, TrainError> {
    let model =
        BuiltinEncoder::from_folder(folder).map_err(|e| TrainError::From(folder.into(), e))?;
    Ok(model.weights_sha256().into())
}

/// Opens the cache of `key` in `folder`. A failure is reported, and the training continues without
/// it.
fn open_cache(folder: &Path, key: &str, progress: &Progress) -> Option<Cache> {
    match Cache::open(folder, key) {
        Ok(cache) => {
            progress.say(&format!("{} rendered samples in the cache", cache.len()));
            Some(cache)
        }
        Err(reason) => {
            progress.say(&format!("{reason}. Training continues without a cache"));
            None
        }
    }
}

fn validate(
    trainer: &mut Trainer,
    held_out: &HeldOut,
    pool: &mut Pool,
    options: &Options,
    mirroring: bool,
    progress: &Progress,
) {
    let quality = held_out.measure(trainer.averaged(), options.device, pool);
    let state = &mut trainer.state;
    let minutes = state.seconds / 60.0;
    let better = state.history.close(state.step, minutes, mirroring, quality);
    progress.point(state.history.points.last(), better);
    if better {
        trainer.keep_best();
    }
}

fn save(trainer: &Trainer, options: &Options) -> Result<(), TrainError> {
    let (tensors, state) = trainer.snapshot();
    checkpoint::save(&options.out, &tensors, &state)?;
    picture::losses(&options.out.join(LOSSES), &state.history)
        .map_err(|e| CheckpointError::Write(options.out.join(LOSSES), e.to_string()))?;
    Ok(())
}
