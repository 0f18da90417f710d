//! The results of the experiments, and their figures as JSON and as text.

use super::intervals::{Mean, Share};
use super::trial::{Answers, MEASURES, Trial};
use super::unseen::{Rivals, Sizes};
use super::{Options, SEED};
use crate::encoder::LoadedModel;
use serde_json::{Map, Value, json};

/// Results of one experiment.
pub struct Experiment {
    /// Identifier, for links and programs.
    pub id: &'static str,
    /// Title.
    pub title: &'static str,
    /// Description of the sounds and of what is known of them, in sentences.
    pub about: &'static str,
    /// The sounds, in order.
    pub trials: Vec<Trial>,
}

/// All results.
pub struct Report {
    /// The three experiments.
    pub experiments: [Experiment; 3],
    /// Unseen patches.
    pub unseen: Vec<Rivals>,
    /// Renders of what these are compared with.
    pub sizes: Sizes,
    /// Renders of a search.
    pub renders: usize,
    /// Sounds that were left out, with the reason.
    pub skipped: Vec<String>,
    /// The command.
    pub command: String,
    /// Implementation of the network.
    pub encoder: String,
    /// SHA-256 of the encoder's weights.
    pub weights: String,
    /// The model's training record.
    pub training: Value,
}

impl Report {
    /// A report without results.
    pub fn new(options: &Options, model: &LoadedModel) -> Self {
        let experiment = |id, title, about| Experiment {
            id,
            title,
            about,
            trials: Vec::new(),
        };
        Self {
            experiments: [
                experiment(
                    "own",
                    "Experiment 1: its own sounds",
                    "Random patches of this synthesizer, drawn from the middle 60 % of each matched range, \
                     play melodies of the paper’s generator: five notes in 2 s. The notes are given, the \
                     patch is not.",
                ),
                experiment(
                    "vibrato",
                    "Experiment 2: with a vibrato that it can’t know",
                    "The same with a vibrato of 15 to 50 cents at 3 to 7 Hz, made by a modulation that no \
                     matched parameter controls.",
                ),
                experiment(
                    "foreign",
                    "Experiment 3: other instruments",
                    "Melodies of instruments that aren’t its own. Nothing of them is in the answers: these \
                     are two oscillators, noise, a filter and envelopes. The notes are heard, too, unless \
                     a MIDI file lies beside the sound.",
                ),
            ],
            unseen: Vec::new(),
            sizes: options.sizes,
            renders: options.renders,
            skipped: Vec::new(),
            command: options.command.clone(),
            encoder: options.encoder.clone(),
            weights: model.contract.weights_sha256.clone(),
            training: model.contract.training.clone(),
        }
    }

    /// All figures.
    pub fn json(&self) -> Value {
        let experiments = self.experiments.iter().filter(|e| !e.trials.is_empty());
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "command": self.command,
            "encoder": self.encoder,
            "weights_sha256": self.weights,
            "seed": SEED,
            "renders": self.renders,
            "experiments": experiments.map(Experiment::json).collect::<Map<_, _>>(),
            "unseen": (!self.unseen.is_empty()).then(|| json!({
                "sizes": self.sizes,
                "wins": self.wins().into_iter().collect::<Map<_, _>>(),
                "sounds": self.unseen,
            })),
            "left_out": self.skipped,
        })
    }

    /// How often ours is more alike than each baseline: a tie is none.
    fn wins(&self) -> Vec<(String, Value)> {
        let win = |i: usize| (Rivals::NAMES[i].to_owned(), json!(self.win(i)));
        (0..Rivals::NAMES.len()).map(win).collect()
    }

    /// How often ours is more alike than baseline `i`.
    pub fn win(&self, i: usize) -> Option<Share> {
        let wins = self.unseen.iter().filter(|r| r.ours > r.baselines()[i]);
        Share::of(wins.count(), self.unseen.len())
    }

    /// Mean likeness of baseline `i`, or of ours.
    pub fn mean(&self, i: Option<usize>) -> Option<Mean> {
        let value = |r: &Rivals| f64::from(i.map_or(r.ours, |i| r.baselines()[i]));
        Mean::of(&self.unseen.iter().map(value).collect::<Vec<f64>>())
    }

    /// The figures as a table.
    pub fn text(&self) -> String {
        let names = Answers::<()>::NAMES;
        let mut lines = Vec::new();
        for experiment in self.experiments.iter().filter(|e| !e.trials.is_empty()) {
            lines.push(experiment.title.to_owned());
            let heads: String = names.iter().map(|name| format!("{name:>18}")).collect();
            lines.push(format!("{:20}{heads}", ""));
            for (number, measure) in MEASURES.iter().enumerate() {
                let cells = experiment.means(number).map(|mean| {
                    let (factor, digits) = measure.scale;
                    let text = mean.map_or("-".into(), |m| {
                        let spread = m
                            .plus_minus
                            .map_or(String::new(), |by| format!(" ± {:.digits$}", factor * by));
                        format!("{:.digits$}{spread}{}", factor * m.mean, measure.unit)
                    });
                    format!("{text:>18}")
                });
                lines.push(format!("{:20}{}", measure.name, cells.concat()));
            }
            if let Some(worst) = experiment.worst().first() {
                lines.push(format!(
                    "{} sounds; one patch {:.1} %; the worst: {}, {:.1} %",
                    experiment.trials.len(),
                    100.0 * experiment.one_patch().map_or(0.0, |m| m.mean),
                    experiment.trials[*worst].name,
                    100.0 * experiment.trials[*worst].answers.searched.likeness
                ));
            }
            lines.push(String::new());
        }
        if let Some(ours) = self.mean(None) {
            lines.push(format!(
                "{} unseen patches, encoder and search: likeness {:.1} %",
                ours.count,
                100.0 * ours.mean
            ));
            for (i, name) in Rivals::NAMES.iter().enumerate() {
                if let (Some(mean), Some(win)) = (self.mean(Some(i)), self.win(i)) {
                    lines.push(format!(
                        "{name:>28}: {:.1} %, ours is more alike on {} of {} ({:.0} to {:.0} %)",
                        100.0 * mean.mean,
                        win.count,
                        win.of,
                        100.0 * win.low,
                        100.0 * win.high
                    ));
                }
            }
        }
        lines.extend(
            self.skipped
                .iter()
                .map(|reason| format!("left out {reason}")),
        );
        lines.join("\n")
    }
}

impl Experiment {
    /// Mean of measure `number` of each answer.
    pub fn means(&self, number: usize) -> [Option<Mean>; 4] {
        let of = MEASURES[number].of;
        std::array::from_fn(|answer| {
            let value = |trial: &Trial| of(trial.answers.each()[answer]);
            let values: Option<Vec<f64>> = self.trials.iter().map(value).collect();
            values.and_then(|values| Mean::of(&values))
        })
    }

    /// Mean likeness of the search's best single patch.
    pub fn one_patch(&self) -> Option<Mean> {
        let values = self.trials.iter().map(|t| f64::from(t.one_patch));
        Mean::of(&values.collect::<Vec<f64>>())
    }

    /// Indices of the trials, the least alike after the search first.
    pub fn worst(&self) -> Vec<usize> {
        let alike = |i: &usize| self.trials[*i].answers.searched.likeness;
        let mut order: Vec<usize> = (0..self.trials.len()).collect();
        order.sort_by(|a, b| alike(a).total_cmp(&alike(b)));
        order
    }

    fn json(&self) -> (String, Value) {
        let trial = |trial: &Trial| {
            let mut value = json!(trial);
            if let Some(value) = value.as_object_mut() {
                value.remove("article");
            }
            value
        };
        let mean = |(number, measure): (usize, &super::trial::Measure)| {
            let means = self.means(number);
            let each = Answers::<()>::NAMES.into_iter().zip(means);
            let each: Map<String, Value> = each.map(|(name, m)| (name.into(), json!(m))).collect();
            (measure.name.to_owned(), Value::Object(each))
        };
        let value = json!({
            "means": MEASURES.iter().enumerate().map(mean).collect::<Map<_, _>>(),
            "one_patch": self.one_patch(),
            "sounds": self.trials.iter().map(trial).collect::<Vec<_>>(),
        });
        (self.id.to_owned(), value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::Figures;
    use super::*;

    fn alike(likeness: f32) -> Figures {
        Figures {
            likeness,
            mel: 1.0,
            spectral: 1.0,
            mfcc: 1.0,
            pitch: 1.0,
            seconds: None,
        }
    }

    fn trial(name: &str, searched: f32) -> Trial {
        Trial {
            name: name.into(),
            answers: Answers {
                default: alike(0.5),
                encoder: alike(0.8),
                live: alike(0.7),
                searched: alike(searched),
            },
            one_patch: searched,
            renders: 9,
            parameters: Vec::new(),
            article: "long".into(),
        }
    }

    #[test]
    fn means_and_the_worst_are_of_all_sounds() {
        let experiment = Experiment {
            id: "own",
            title: "",
            about: "",
            trials: vec![trial("a", 0.9), trial("b", 0.8), trial("c", 1.0)],
        };
        let [default, _, _, searched] = experiment.means(0);
        assert_eq!(default.unwrap().plus_minus, Some(0.0));
        assert!((searched.unwrap().mean - 0.9).abs() < 1e-6);
        // Only what took time has a time.
        assert_eq!(experiment.means(5), [None; 4]);
        assert_eq!(experiment.worst(), [1, 0, 2]);
        let (id, json) = experiment.json();
        assert_eq!(id, "own");
        assert_eq!(json["sounds"][1]["name"], "b");
        assert!(json["sounds"][1].get("article").is_none());
        assert!(
            (json["means"]["likeness"]["searched"]["mean"]
                .as_f64()
                .unwrap()
                - 0.9)
                .abs()
                < 1e-6
        );
    }
}
