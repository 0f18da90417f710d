//! The training record: enough to say where a model came from, and to make it again.

use super::Options;
use super::checkpoint::State;
use mirrornet::samples::foreign::Foreign;
use serde_json::{Value, json};

/// The record of a training, for the model's contract.
pub fn record(options: &Options, state: &State, foreign: Option<&Foreign>) -> Value {
    let best = state.history.best.map(|i| state.history.points[i]);
    let last_babbling = state.history.points.iter().rfind(|p| !p.mirroring);
    let last_mirroring = state.history.points.iter().rfind(|p| p.mirroring);
    json!({
        "command": options.command,
        "version": env!("CARGO_PKG_VERSION"),
        "commit": option_env!("TRAINER_COMMIT"),
        "torch": env!("TRAINER_TORCH_VERSION"),
        "recipe": state.recipe,
        "device": format!("{:?}", options.device),
        "host_cores": std::thread::available_parallelism().map_or(0, |n| n.get()),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "minutes": state.seconds / 60.0,
        "cpu_minutes": state.cpu_seconds / 60.0,
        "steps": state.step,
        "own_samples_rendered": state.draws / 2,
        "own_samples_seen": state.draws,
        "foreign_windows_seen": state.foreign_draws,
        "guesses_rendered": state.tickets,
        // How many, and not their names: those are the player's.
        "references": foreign.map(|f| json!({ "files": f.files.len() })),
        "held_out_windows_of_each_kind": state.recipe.validation.windows,
        "baseline_default_patch": state.history.baseline,
        "exported": best,
        "end_of_babbling": last_babbling,
        "end_of_mirroring": last_mirroring,
        "history": state.history.points,
    })
}

/// CPU seconds this process has used.
pub fn cpu_seconds() -> f64 {
    cpu_time::ProcessTime::try_now().map_or(0.0, |t| t.as_duration().as_secs_f64())
}
