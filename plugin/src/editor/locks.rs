//! Locking knobs as they sound, and releasing them: single ones, sections, or all.

use synth::MATCHED;

use super::Scene;
use crate::history::{self, Step, Turn};

/// Locks the matched ones of `rows` where they sound: their knobs go there.
pub fn lock_as_heard(name: &str, rows: &[usize], scene: &Scene<'_>) {
    let mut step = Step::new(format!("Lock {name}"), scene.limits);
    for (i, &row) in MATCHED.iter().enumerate() {
        if rows.contains(&row) && !scene.limits.locked[i] {
            step.limits[1].locked[i] = true;
            step.turns.push(Turn {
                param: row,
                before: scene.params.rows[row].value(),
                after: scene.unmodulated.get(row),
            });
        }
    }
    history::perform(step, scene.params, &scene.setter);
}

/// Releases the matched ones of `rows`: the match moves them again.
pub fn release(name: &str, rows: &[usize], scene: &Scene<'_>) {
    let mut step = Step::new(format!("Release {name}"), scene.limits);
    for (i, row) in MATCHED.iter().enumerate() {
        if rows.contains(row) {
            step.limits[1].locked[i] = false;
        }
    }
    history::perform(step, scene.params, &scene.setter);
}
