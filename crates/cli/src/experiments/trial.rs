//! One sound of an experiment, and how closely each answer to it comes.

use super::distances::{mfcc, spectral};
use super::html::figure;
use super::sources::Subject;
use super::{ExperimentError, article};
use crate::encoder::LoadedModel;
use crate::evaluate::{EvaluateError, Mirrored, Search, mirror};
use ear::{CHANNELS, EarConfig};
use matcher::metric::pitch_agreement;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use synth::{Automation, MATCHED, MATCHED_COUNT, PARAMS, Patch};

/// Comparison of an answer with its input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Likeness, -1 to 1.
    pub likeness: f32,
    /// Mel distance in dB.
    pub mel: f32,
    /// Multi-scale spectral distance ([`spectral`]).
    pub spectral: f32,
    /// Weighted MFCC distance in dB ([`mfcc`]).
    pub mfcc: f32,
    /// Share of the input's voiced frames with the same pitch, within 50 cents.
    pub pitch: f32,
    /// Time that it took to find and to play, in seconds; `None` where nothing was sought.
    pub seconds: Option<f64>,
}

/// A figure that is shown.
pub struct Measure {
    /// Name for people.
    pub name: &'static str,
    /// Unit, after a space.
    pub unit: &'static str,
    /// Factor from the figure to the unit, and digits shown.
    pub scale: (f64, usize),
    /// The figure of an answer.
    pub of: fn(&Figures) -> Option<f64>,
}

/// The figures, in the order in which they are shown.
pub static MEASURES: [Measure; 6] = {
    const fn measure(
        name: &'static str,
        unit: &'static str,
        scale: (f64, usize),
        of: fn(&Figures) -> Option<f64>,
    ) -> Measure {
        Measure {
            name,
            unit,
            scale,
            of,
        }
    }
    [
        measure("likeness", " %", (100.0, 1), |f| {
            Some(f64::from(f.likeness))
        }),
        measure("mel distance", " dB", (1.0, 1), |f| Some(f64::from(f.mel))),
        measure("spectral distance", "", (1.0, 2), |f| {
            Some(f64::from(f.spectral))
        }),
        measure("MFCC distance", " dB", (1.0, 1), |f| {
            Some(f64::from(f.mfcc))
        }),
        measure("pitch agreement", " %", (100.0, 0), |f| {
            Some(f64::from(f.pitch))
        }),
        measure("time", " s", (1.0, 1), |f| f.seconds),
    ]
};

impl Measure {
    /// A value as it is shown, with the exact one for programs.
    pub fn text(&self, value: f64) -> String {
        let (factor, digits) = self.scale;
        figure(value, &format!("{:.digits$}", factor * value)) + self.unit
    }
}

/// A number of each answer to a sound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answers<T> {
    /// The default patch with the same notes.
    pub default: T,
    /// The encoder's best candidate, one patch.
    pub encoder: T,
    /// The live loop, on its first listen.
    pub live: T,
    /// The search, with a patch a note where that is better.
    pub searched: T,
}

impl<T> Answers<T> {
    /// Names for people.
    pub const NAMES: [&'static str; 4] = ["default", "encoder", "live", "searched"];

    /// All of them, in the order of the names.
    pub fn each(&self) -> [&T; 4] {
        [&self.default, &self.encoder, &self.live, &self.searched]
    }
}

/// A matched parameter of the input and of the answers, normalised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Identifier.
    pub id: String,
    /// Value in the patch that made the input, if our synthesizer did.
    pub input: Option<f32>,
    /// The encoder's best candidate.
    pub encoder: f32,
    /// The live loop's last value.
    pub live: f32,
    /// Median of the search's patches.
    pub searched: f32,
}

/// The results for one sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Name of the sound.
    pub name: String,
    /// The answers.
    pub answers: Answers<Figures>,
    /// Likeness of the search's best single patch.
    pub one_patch: f32,
    /// Renders of the search.
    pub renders: usize,
    /// The matched parameters, in the order of the table.
    pub parameters: Vec<Parameter>,
    /// Its part of the page.
    pub article: String,
}

/// A sound, what was played in answer to it, and the figures.
pub struct Example {
    /// The sound.
    pub subject: Subject,
    /// The answers.
    pub mirrored: Mirrored,
    /// Comparison of each.
    pub answers: Answers<Figures>,
    /// Values of the matched parameters, normalised.
    pub values: Values,
}

/// Values of the matched parameters, normalised, in the order of the table.
pub struct Values {
    /// Values of the patch that made the input, if our synthesizer did.
    pub input: Option<[f32; MATCHED_COUNT]>,
    /// Values of the encoder's best candidate.
    pub encoder: [f32; MATCHED_COUNT],
    /// The live loop's last values.
    pub live: [f32; MATCHED_COUNT],
    /// Values of each patch of the search, sorted.
    pub searched: [Vec<f32>; MATCHED_COUNT],
}

impl Values {
    /// Median of the search's patches.
    pub fn median(&self, i: usize) -> f32 {
        self.searched[i][self.searched[i].len() / 2]
    }
}

/// Mirrors a sound by the live loop and by a search of `renders` renders on `threads` threads; the
/// same on every machine with the same vector instructions, but for the times. `progress` is told
/// the share of the search that is done.
pub fn trial(
    subject: Subject,
    model: &mut LoadedModel,
    renders: usize,
    threads: usize,
    mut progress: impl FnMut(f64),
) -> Result<Trial, ExperimentError> {
    let ear = model.contract.ear;
    let search = Search {
        time: None,
        renders: Some(renders),
        threads,
    };
    let watch = |at: &matcher::search::Progress| {
        progress(at.used);
        true
    };
    let mirrored = mirror(&subject.clip, &ear, &mut model.encoder, Some(search), watch)?;
    let example = Example {
        answers: compare(&subject, &mirrored, &ear).map_err(EvaluateError::from)?,
        values: values(&subject, &mirrored),
        subject,
        mirrored,
    };
    let centre = ear::centre_frequencies(&ear, example.subject.clip.rate);
    Ok(summarise(&example, &centre))
}

fn summarise(example: &Example, centre: &[f32; CHANNELS]) -> Trial {
    let values = &example.values;
    let parameter = |(i, &row): (usize, &usize)| Parameter {
        id: PARAMS[row].id.into(),
        input: values.input.map(|input| input[i]),
        encoder: values.encoder[i],
        live: values.live[i],
        searched: values.median(i),
    };
    Trial {
        name: example.subject.name.clone(),
        answers: example.answers,
        one_patch: example.mirrored.found.one_patch.likeness,
        renders: example.mirrored.found.renders,
        parameters: MATCHED.iter().enumerate().map(parameter).collect(),
        article: article::article(example, centre),
    }
}

/// Compares each answer with the sound.
fn compare(
    subject: &Subject,
    mirrored: &Mirrored,
    ear: &EarConfig,
) -> Result<Answers<Figures>, ear::EarError> {
    let clip = &subject.clip;
    let figures = |mono: &[f32], time: Option<Duration>| {
        let score = mirrored.reference.score(mono)?;
        let heard = ear::spectrogram(ear, mono, clip.rate, true)?;
        Ok(Figures {
            likeness: score.likeness,
            mel: score.mel,
            spectral: spectral(&clip.mono, mono),
            mfcc: mfcc(&clip.mono, mono, clip.rate),
            pitch: pitch_agreement(&mirrored.heard, &heard),
            seconds: time.map(|time| time.as_secs_f64()),
        })
    };
    let play = |patch: Patch| {
        let automation = Automation::from(patch);
        mirrored.reference.render(&mirrored.notes, &automation)
    };
    let (live, searched) = (&mirrored.live, &mirrored.searched);
    Ok(Answers {
        default: figures(&play(Patch::default()), None)?,
        encoder: figures(&play(mirrored.start), None)?,
        live: figures(&live.mono, Some(live.time))?,
        searched: figures(&searched.mono, Some(searched.time))?,
    })
}

/// The matched parameters of a sound and of its answers.
fn values(subject: &Subject, mirrored: &Mirrored) -> Values {
    let last = mirrored.simulation.held.last();
    let default = Patch::default().matched();
    let automation = &mirrored.found.automation;
    let points = automation.points.iter().map(|(_, patch)| patch);
    let patches: Vec<_> = std::iter::once(&automation.patch)
        .chain(points)
        .map(Patch::matched)
        .collect();
    let sorted = |i: usize| {
        let mut values: Vec<f32> = patches.iter().map(|patch| patch[i]).collect();
        values.sort_by(f32::total_cmp);
        values
    };
    Values {
        input: subject.patch.map(|patch| patch.matched()),
        encoder: mirrored.start.matched(),
        live: last.map_or(default, |(_, target)| target.inference.mean),
        searched: std::array::from_fn(sorted),
    }
}
