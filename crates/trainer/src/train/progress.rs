//! Progress of a training: a bar on a terminal, a line every half minute elsewhere.

use super::checkpoint::State;
use super::history::Point;
use super::recipe::{Budget, Recipe};
use super::validate::Quality;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

const LINE_EVERY: Duration = Duration::from_secs(30);

/// Display of a training's progress.
pub struct Progress {
    bar: Option<ProgressBar>,
    batch: u64,
    started: Instant,
    first_step: Cell<Option<(u64, f64)>>,
    last_line: Cell<Instant>,
}

/// `own 0.812, foreign 0.650`.
pub fn quality(q: &Quality) -> String {
    let foreign = q
        .foreign
        .map_or(String::new(), |f| format!(", foreign {f:.3}"));
    format!("likeness own {:.3}{foreign}", q.own)
}

impl Progress {
    /// A display for this recipe.
    pub fn new(recipe: &Recipe) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(1000);
            let style = ProgressStyle::with_template("{bar:30} {percent:>3} % {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        match recipe.budget {
            Budget::Minutes(minutes) => log(&bar, &format!("training for {minutes} minutes")),
            Budget::Steps(steps) => log(&bar, &format!("training for {steps} steps")),
        }
        Self {
            bar,
            batch: recipe.batch,
            started: Instant::now(),
            first_step: Cell::new(None),
            last_line: Cell::new(Instant::now()),
        }
    }

    /// Prints a line.
    pub fn say(&self, text: &str) {
        log(&self.bar, text);
    }

    /// Shows a step; `at` is the share of the budget used.
    pub fn step(&self, state: &State, at: f64, mirroring: bool) {
        let now = self.started.elapsed().as_secs_f64();
        let Some((first, when)) = self.first_step.get() else {
            self.first_step.set(Some((state.step, now)));
            return;
        };
        if self.bar.is_none() && self.last_line.get().elapsed() < LINE_EVERY {
            return;
        }
        self.last_line.set(Instant::now());
        let seconds = (now - when).max(1e-3);
        let rate = ((state.step - first) * self.batch) as f64 / seconds;
        let left = match state.recipe.budget {
            Budget::Minutes(minutes) => minutes * (1.0 - at),
            Budget::Steps(steps) => {
                (steps - state.step) as f64 * seconds / (state.step - first) as f64 / 60.0
            }
        };
        let losses = state.history.means();
        let phase = if mirroring { "mirroring" } else { "babbling" };
        let text = format!(
            "{phase}, step {}, {rate:.0} samples/s, {losses}, {left:.1} min left",
            state.step
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position((at * 1000.0) as u64);
                bar.set_message(text);
            }
            None => eprintln!("{text}"),
        }
    }

    /// Prints the result of a validation.
    pub fn point(&self, point: Option<&Point>, better: bool) {
        if let Some(p) = point {
            let star = if better { " (best)" } else { "" };
            self.say(&format!(
                "step {}, {:.1} min: {}{star}; {}",
                p.step,
                p.minutes,
                quality(&p.quality),
                p.losses
            ));
        }
    }
}

fn log(bar: &Option<ProgressBar>, text: &str) {
    match bar {
        Some(bar) => bar.println(text),
        None => eprintln!("{text}"),
    }
}
