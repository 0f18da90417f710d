//! Words on how what sounds changes across the keyboard, where the match leans.

use synth::params::matched_index;

use super::{Scene, control, mirror};

/// Sentence for the match, where anything differs from key to key.
pub fn of_match(scene: &Scene<'_>) -> Option<&'static str> {
    (!scene.effective.lean.is_none()).then_some("Differs from key to key.")
}

/// Sentence for a parameter that differs from key to key, with its values on either side of the key
/// in the middle.
pub fn of(param: usize, scene: &Scene<'_>) -> Option<String> {
    let lean = scene.effective.lean;
    let slope = lean.slopes[matched_index(param)?];
    if slope == 0.0 {
        return None;
    }
    let row = control::row(param);
    let [below, above] =
        [-slope, slope].map(|by| row.format(row.plain(scene.effective.get(param) + by)));
    let middle = mirror::note(lean.key);
    Some(format!(
        "Differs from key to key: {below} an octave below {middle}, {above} an octave above."
    ))
}
