//! The experiments: melodies of our own synthesizer and of other instruments mirrored by the live
//! loop and by the search, and unseen patches against searches without an encoder; on one HTML page
//! that needs nothing but itself, like the MirrorNet paper's demo page.

mod article;
mod cache;
mod charts;
mod dials;
mod distances;
mod html;
mod intervals;
mod page;
mod pair;
mod plan;
mod record;
mod report;
pub mod sources;
mod trial;
mod unseen;

pub use distances::{mfcc, spectral};
pub use page::page;
pub use plan::Progress;
pub use report::{Experiment, Report};
pub use trial::{Answers, Figures, Trial};
pub use unseen::{Rivals, Sizes};

use crate::encoder::LoadedModel;
use crate::evaluate::EvaluateError;
use crate::parallel::cores;
use audio_file::AudioError;
use cache::{Cache, fingerprint};
use plan::Plan;
use sources::{Own, Subject};
use std::io;
use std::path::PathBuf;

/// Seed of the experiments' own sounds.
pub const SEED: u64 = 25;
/// Renders of a search for one melody.
pub const RENDERS: usize = 1_000;
/// Name of the folder of finished results in the output folder.
const CACHE: &str = "cache";
/// Stages of the plan after the experiments.
const LIBRARY: usize = 3;
const UNSEEN: usize = 4;
/// First melody of the second experiment, so that it plays others than the first.
const SECOND: u64 = 100_000;

/// Options of the experiments.
pub struct Options {
    /// Melodies of each of the paper's first two experiments.
    pub clips: u64,
    /// Sounds of other instruments.
    pub foreign: Vec<Subject>,
    /// Unseen patches.
    pub unseen: u64,
    /// Renders of what these are compared with.
    pub sizes: Sizes,
    /// Renders of a search for one melody.
    pub renders: usize,
    /// Folder for the page and for finished results; made if missing.
    pub out: PathBuf,
    /// Implementation of the network, for the page.
    pub encoder: String,
    /// The command, for the page.
    pub command: String,
}

/// The reason the experiments can't go on.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// A bundled file is broken.
    #[error("the bundled melody is {0}")]
    Audio(#[from] AudioError),
    /// The ear or the encoder fails.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The folder of finished results.
    #[error("cannot use the folder {0} for finished results: {1}")]
    Cache(PathBuf, io::Error),
}

/// Runs the experiments with the encoder of `model`. Sounds that have been finished by the same
/// program with the same encoder are taken from the output folder; those in which nothing is heard
/// are left out, with a word in the report. `say` is told of progress.
pub fn run(
    options: Options,
    model: &mut LoadedModel,
    mut say: impl FnMut(&Progress<'_>),
) -> Result<Report, ExperimentError> {
    let folder = options.out.join(CACHE);
    let encoder = format!("{} {}", options.encoder, model.contract.weights_sha256);
    let cache = Cache::open(&folder, &encoder).map_err(|e| ExperimentError::Cache(folder, e))?;
    let groups = unseen::groups(SEED, options.unseen);
    let own = |set, first: u64| {
        let own = move |i| sources::own(set, SEED, i, sources::melody(SEED, first + i));
        (0..options.clips).map(own)
    };
    let foreign = options.foreign.len();
    // In the order of `Report::experiments`, then LIBRARY and UNSEEN.
    let mut plan = Plan::new(&[
        ("experiment 1", options.clips as usize, 4.0),
        ("experiment 2", options.clips as usize, 4.0),
        ("experiment 3", foreign, 12.0),
        ("library", groups.len(), 60.0),
        ("unseen patches", options.unseen as usize, 15.0),
    ]);
    let mut report = Report::new(&options, model);
    let sets: [Box<dyn Iterator<Item = Subject>>; 3] = [
        Box::new(own(Own::Plain, 0)),
        Box::new(own(Own::Vibrato, SECOND)),
        Box::new(options.foreign.into_iter()),
    ];
    for (stage, subjects) in sets.into_iter().enumerate() {
        for subject in subjects {
            let name = subject.name.clone();
            let of = (&subject.clip.notes, &subject.name, &subject.about);
            let of = fingerprint(&subject.clip.mono, &of);
            let result = cache.get_or(&format!("trial {of} {}", options.renders), || {
                trial::trial(subject, model, options.renders, cores(), |share| {
                    say(&plan.progress(stage, &name, share));
                })
            });
            let trial = heard(result, &mut report.skipped)?;
            plan.finish(stage, trial.as_ref().and_then(|(_, took)| *took));
            let trials = &mut report.experiments[stage].trials;
            trials.extend(trial.map(|(trial, _)| trial));
            say(&plan.progress(stage, &name, 1.0));
        }
    }
    let sizes = &options.sizes;
    for (number, group) in groups.iter().enumerate() {
        let name = format!("melody {}", number + 1);
        let of = format!("nearest {SEED} {}", group.fingerprint(sizes));
        let (nearest, took) = cache.get_or(&of, || {
            group.nearest(SEED, sizes, &model.contract.ear, |share| {
                say(&plan.progress(LIBRARY, &name, share));
            })
        })?;
        plan.finish(LIBRARY, took);
        for (subject, nearest) in group.subjects.iter().zip(nearest) {
            say(&plan.progress(UNSEEN, &subject.name, 0.0));
            let of = fingerprint(&subject.clip.mono, &(&group.notes, nearest, sizes));
            let result = cache.get_or(&format!("rivals {of}"), || {
                unseen::rivals(subject, &group.notes, nearest, sizes, model)
            });
            let rivals = heard(result, &mut report.skipped)?;
            plan.finish(UNSEEN, rivals.as_ref().and_then(|(_, took)| *took));
            report.unseen.extend(rivals.map(|(rivals, _)| rivals));
            say(&plan.progress(UNSEEN, &subject.name, 1.0));
        }
    }
    Ok(report)
}

/// A result, or `None` and a word about a sound in which nothing is heard.
fn heard<T>(
    result: Result<T, ExperimentError>,
    skipped: &mut Vec<String>,
) -> Result<Option<T>, ExperimentError> {
    match result {
        Err(ExperimentError::Evaluate(EvaluateError::Silent(name))) => {
            skipped.push(format!("{name}: no sound, or no notes in it"));
            Ok(None)
        }
        other => other.map(Some),
    }
}
