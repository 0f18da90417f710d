//! The recipe of a training: one value that holds every hyper-parameter which decides a model.
//! `train --set NAME=VALUE` sets each number of it; a model's record has all of it.

use super::losses::Weights;
use crate::model::DecoderSize;
use mirrornet::samples::distribution::Distribution;
use mirrornet::settings;
use mirrornet::settings::{Field, Setting, SettingError};
use serde::{Deserialize, Serialize};

/// How long to train.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Budget {
    /// Minutes on the clock.
    Minutes(f64),
    /// Optimiser steps of each network.
    Steps(u64),
}

/// Everything that must stay the same when a training is resumed, but for the budget. What is not
/// here follows from the version and the commit: the encoder's layers, which are part of the
/// contract with the engine, and the references.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Random seed.
    pub seed: u64,
    /// Windows per step.
    pub batch: u64,
    /// How long.
    pub budget: Budget,
    /// SHA-256 of the weights that the encoder begins with, in hexadecimal; `None`: random ones.
    /// [`super::train`] takes it from [`super::Options::from`].
    #[serde(default)]
    pub from: Option<String>,
    /// Learning rate and phases.
    #[serde(default)]
    pub schedule: Schedule,
    /// Optimiser of both networks.
    #[serde(default)]
    pub adam: AdamSettings,
    /// Weights of the losses.
    #[serde(default)]
    pub losses: Weights,
    /// Windows and renders of mirroring.
    #[serde(default)]
    pub mirroring: Mirroring,
    /// Size of the forward model.
    #[serde(default)]
    pub decoder: DecoderSize,
    /// Distribution of the samples.
    #[serde(default)]
    pub samples: Distribution,
    /// Choice of the model that is exported.
    #[serde(default)]
    pub validation: Validation,
}

settings! {
    /// Settings of the learning rate and of the phases.
    pub struct Schedule {
        /// Share of the budget spent on babbling; the rest is mirroring.
        babbling: f64 = 0.2, 0.0..=1.0;
        /// Share of the budget over which the learning rate rises.
        warm_up: f64 = 0.01, 0.0..=1.0;
        /// Highest learning rate.
        rate: f64 = 1.2e-3, 1e-7..=1.0;
        /// Factor on the same with `--from`: less of what the encoder knows is lost.
        begun: f64 = 0.5, 1e-3..=1.0;
        /// Learning rate at the end, as a share of the highest.
        last: f64 = 0.02, 0.0..=1.0;
    }
}

settings! {
    /// Settings of the optimiser (`adam.rs`).
    pub struct AdamSettings {
        /// Memory of the gradients' mean.
        beta1: f64 = 0.9, 0.0..=0.9999;
        /// Memory of the gradients' square.
        beta2: f64 = 0.99, 0.0..=0.99999;
        /// Addend to the root of the square.
        epsilon: f64 = 1e-8, 1e-12..=1e-2;
        /// Decay of the weights, as a factor on the learning rate.
        weight_decay: f64 = 0.01, 0.0..=1.0;
        /// Norm that longer gradients are scaled down to.
        clip: f64 = 1.0, 1e-4..=1e9;
        /// Memory of the averaged weights, steps.
        average: f64 = 400.0, 1.0..=1e6;
        /// Steps over which the rate rises with `--from`: the first ones know no gradient's size,
        /// and all weights at once would leave what they know.
        rise: f64 = 200.0, 1.0..=1e6;
    }
}

settings! {
    /// Settings of mirroring.
    pub struct Mirroring {
        /// Share of foreign windows in a batch, where there are references.
        foreign: f64 = 0.5, 0.0..=0.75;
        /// One in this many guesses is rendered for the decoder.
        rendered: u64 = 4, 2..=64;
        /// How far from the encoder's guesses the decoder learns too, normalised.
        explore: f64 = 0.06, 1e-6..=1.0;
        /// Steps from asking for a render to learning from it: room for the threads to work in,
        /// however fast a GPU learns.
        lag: u64 = 16, 1..=256;
    }
}

settings! {
    /// Settings of the validation. Its own windows are of the default distribution, whatever is
    /// trained on, so that trainings can be compared.
    pub struct Validation {
        /// Held-out windows of each kind.
        windows: u64 = 64, 1..=4096;
        /// Steps between validations; a quarter of the training where that is less.
        every: u64 = 400, 1..=1_000_000;
    }
}

/// The recipe's own numbers.
const ROOT: [Field; 2] = [
    Field {
        name: "seed",
        doc: " Random seed. [default: 1]",
        low: 0.0,
        high: u64::MAX as f64,
        whole: true,
    },
    Field {
        name: "batch",
        doc: " Windows per step, a multiple of 4. [default: 32]",
        low: 4.0,
        high: 4096.0,
        whole: true,
    },
];

/// Every number of a recipe that can be set, by its full name.
pub fn fields() -> Vec<(String, Field)> {
    let parts: [(&str, &[Field]); 7] = [
        ("schedule", Schedule::FIELDS),
        ("adam", AdamSettings::FIELDS),
        ("losses", Weights::FIELDS),
        ("mirroring", Mirroring::FIELDS),
        ("decoder", DecoderSize::FIELDS),
        ("samples", Distribution::FIELDS),
        ("validation", Validation::FIELDS),
    ];
    let parts = parts.into_iter().flat_map(|(part, fields)| {
        let full = move |field: &Field| (format!("{part}.{}", field.name), *field);
        fields.iter().map(full)
    });
    let root = ROOT.iter().map(|field| (field.name.into(), *field));
    root.chain(parts).collect()
}

/// The reason a recipe can't be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecipeError {
    /// A setting.
    #[error("{0}. `train --help` lists all of them")]
    Setting(#[from] SettingError),
    /// Settings that don't go together.
    #[error("{0}")]
    Together(String),
    /// A setting that the training resumed has not.
    #[error(
        "{setting} contradicts the training to be resumed, which has {name}={has}: leave it out, or \
         begin a new training without --resume",
        name = .setting.name
    )]
    Contradicts {
        /// The setting.
        setting: Setting,
        /// The value in the checkpoint.
        has: String,
    },
}

impl Recipe {
    /// The default recipe with `settings` made, from random weights.
    pub fn new(budget: Budget, settings: &[Setting]) -> Result<Self, RecipeError> {
        let mut recipe = Self {
            seed: 1,
            batch: 32,
            budget,
            from: None,
            schedule: Schedule::default(),
            adam: AdamSettings::default(),
            losses: Weights::default(),
            mirroring: Mirroring::default(),
            decoder: DecoderSize::default(),
            samples: Distribution::default(),
            validation: Validation::default(),
        };
        let fields = fields();
        for setting in settings {
            settings::set(&mut recipe, &fields, setting)?;
        }
        recipe.check().map_err(RecipeError::Together)?;
        Ok(recipe)
    }

    /// This recipe, that of a training to be resumed, with another budget; `settings` may say again
    /// what it has.
    pub fn resumed(&self, budget: Budget, settings: &[Setting]) -> Result<Self, RecipeError> {
        let fields = fields();
        for setting in settings {
            let mut other = self.clone();
            settings::set(&mut other, &fields, setting)?;
            if other != *self {
                return Err(RecipeError::Contradicts {
                    setting: setting.clone(),
                    has: settings::get(self, &setting.name)
                        .unwrap_or_default()
                        .to_string(),
                });
            }
        }
        Ok(Self {
            budget,
            ..self.clone()
        })
    }

    /// Checks what single ranges can't.
    fn check(&self) -> Result<(), String> {
        if !self.batch.is_multiple_of(4) {
            return Err(format!("batch must be a multiple of 4, got {}", self.batch));
        }
        if self.mirroring.rendered > self.batch {
            return Err(format!(
                "mirroring.rendered must be at most batch, got {} and {}",
                self.mirroring.rendered, self.batch
            ));
        }
        self.samples
            .check()
            .map_err(|e| format!("of the settings samples: {e}"))
    }
}

/// Where a training stood when it was last given another budget, from which on it goes the rest of
/// its way within that one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    /// Steps done.
    pub step: u64,
    /// Seconds on the clock.
    pub seconds: f64,
    /// Progress of the schedule, 0 to 1.
    pub progress: f64,
}

impl Recipe {
    /// Whether the budget is used up after `step` steps and `seconds` on the clock.
    pub fn is_used_up(&self, step: u64, seconds: f64) -> bool {
        match self.budget {
            Budget::Minutes(minutes) => seconds >= 60.0 * minutes,
            Budget::Steps(steps) => step >= steps,
        }
    }

    /// How far the schedule of a training is, 0 to 1, after `step` steps and `seconds` on the
    /// clock. It never goes back: more budget after the schedule's end is spent at its end.
    pub fn progress(&self, anchor: &Anchor, step: u64, seconds: f64) -> f64 {
        let (used, before, whole) = match self.budget {
            Budget::Minutes(minutes) => (seconds, anchor.seconds, 60.0 * minutes),
            Budget::Steps(steps) => (step as f64, anchor.step as f64, steps as f64),
        };
        let share = match whole > before {
            true => (used - before) / (whole - before),
            false => 1.0,
        };
        (anchor.progress + (1.0 - anchor.progress) * share).clamp(anchor.progress, 1.0)
    }

    /// The anchor of a training that goes on with another budget.
    pub fn anchor(&self, last: &Anchor, step: u64, seconds: f64) -> Anchor {
        Anchor {
            step,
            seconds,
            progress: self.progress(last, step, seconds),
        }
    }

    /// Learning rate at `progress`: a rise, then half a cosine.
    pub fn rate(&self, progress: f64) -> f64 {
        let Schedule {
            warm_up,
            rate,
            begun,
            last,
            ..
        } = self.schedule;
        let rise = (progress / warm_up + 0.02).min(1.0);
        let highest = if self.from.is_some() {
            begun * rate
        } else {
            rate
        };
        let cosine = 1.0 + (std::f64::consts::PI * progress).cos();
        highest * rise * (last + (1.0 - last) * 0.5 * cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(budget: Budget) -> Recipe {
        Recipe::new(budget, &[]).unwrap()
    }

    /// FAULTS E8: more budget begins neither babbling nor full rates again.
    #[test]
    fn a_larger_budget_goes_on_where_the_schedule_was() {
        let first = recipe(Budget::Steps(100));
        let start = Anchor::default();
        assert_eq!(first.progress(&start, 50, 9.0), 0.5);
        for more in [Budget::Steps(1_000), Budget::Minutes(60.0)] {
            let more = recipe(more);
            let anchor = first.anchor(&start, 50, 600.0);
            let mut last = more.progress(&anchor, 50, 600.0);
            assert_eq!(last, 0.5);
            for k in 1..=100 {
                let (step, seconds) = (50 + k * 95 / 10, 600.0 + 30.0 * k as f64);
                let next = more.progress(&anchor, step, seconds);
                assert!(next >= last && more.rate(next) <= more.rate(last));
                last = next;
            }
            assert_eq!(last, 1.0);
            // A finished one trains on at its last rate.
            let anchor = first.anchor(&start, 100, 900.0);
            assert!(!more.is_used_up(100, 900.0));
            assert_eq!(more.progress(&anchor, 101, 901.0), 1.0);
        }
        // A smaller one is used up.
        assert!(recipe(Budget::Steps(40)).is_used_up(50, 0.0));
    }

    fn make(settings: &[&str]) -> Result<Recipe, String> {
        let settings: Vec<Setting> = settings.iter().map(|s| s.parse().unwrap()).collect();
        Recipe::new(Budget::Steps(9), &settings).map_err(|e| e.to_string())
    }

    /// The numbers of a JSON value, by their full names.
    fn numbers(value: &serde_json::Value, name: &str, all: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => {
                for (key, value) in map {
                    let dot = if name.is_empty() { "" } else { "." };
                    numbers(value, &format!("{name}{dot}{key}"), all);
                }
            }
            serde_json::Value::Number(_) => all.push(name.into()),
            _ => {}
        }
    }

    #[test]
    fn every_number_of_a_recipe_can_be_set_and_is_in_range() {
        let default = make(&[]).unwrap();
        let json = serde_json::to_value(&default).unwrap();
        let mut found = Vec::new();
        numbers(&json, "", &mut found);
        found.retain(|name| name != "budget.steps");
        let mut named: Vec<String> = fields().into_iter().map(|(name, _)| name).collect();
        found.sort();
        named.sort();
        assert_eq!(found, named);
        for (name, field) in fields() {
            let value = settings::get(&default, &name).unwrap().as_f64().unwrap();
            assert!((field.low..=field.high).contains(&value), "{name}");
            // Half of the way to a bound: another value in range.
            let bound = if value < field.high {
                field.high
            } else {
                field.low
            };
            let other = (0.5 * (value + bound.min(1e6)))
                .ceil()
                .min(bound.max(value));
            let other = if field.whole {
                other
            } else {
                0.5 * (value + bound)
            };
            let setting: Setting = format!("{name}={other}").parse().unwrap();
            let mut changed = default.clone();
            settings::set(&mut changed, &fields(), &setting).unwrap();
            assert_ne!(changed, default, "{name}");
        }
    }

    #[test]
    fn settings_that_do_not_fit_are_refused() {
        let anchor = make(&["losses.anchor=0.25", "batch=8"]).unwrap();
        assert_eq!((anchor.losses.anchor, anchor.batch), (0.25, 8));
        for (settings, wanted) in [
            (vec!["anchr=1"], "losses.anchor"),
            (vec!["losses.anchor=much"], "got \"much\""),
            (vec!["batch=6"], "multiple of 4, got 6"),
            (vec!["batch=4", "mirroring.rendered=5"], "got 5 and 4"),
            (vec!["samples.lowest_key=99"], "lowest_key"),
        ] {
            let error = make(&settings).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn a_resumed_training_has_its_own_recipe() {
        let has = make(&["losses.anchor=0.25"]).unwrap();
        let resume = |text: &str| {
            let settings = [text.parse().unwrap()];
            has.resumed(Budget::Steps(20), &settings)
        };
        let resumed = resume("losses.anchor=0.25").unwrap();
        assert_eq!(resumed.losses, has.losses);
        assert_eq!(resumed.budget, Budget::Steps(20));
        let error = resume("losses.anchor=0.5").unwrap_err().to_string();
        assert!(error.contains("losses.anchor=0.5 contradicts"), "{error}");
        assert!(error.contains("has losses.anchor=0.25"), "{error}");
        assert!(resume("losses.anchr=0.25").is_err());
    }

    /// A record written before the recipe was one value.
    #[test]
    fn a_short_recipe_has_the_defaults() {
        let json = r#"{"seed": 1, "batch": 32, "budget": {"steps": 9}, "from": null}"#;
        assert_eq!(serde_json::from_str(json).ok(), make(&[]).ok());
        let foreign = json.replace("from", "form");
        assert!(serde_json::from_str::<Recipe>(&foreign).is_err());
    }
}
