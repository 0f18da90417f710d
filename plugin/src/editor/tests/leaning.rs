//! A match that leans: it says that it differs from key to key, and how.

use super::*;
use synth::params::{FILTER_RESONANCE, PLAY_MODE};

/// A stage whose match has a cutoff that rises with the key.
fn leaning(size: [f32; 2], knobs: &[f32]) -> Stage {
    let mut stage = Stage::new(size, None);
    let mut slopes = synth::Lean::NONE;
    slopes.key = 57.0;
    slopes.slopes[cutoff()] = 0.125;
    stage.hold(inference(0.5).leaning(slopes));
    for &amount in knobs {
        let setter = stage.gui.param_setter();
        stage.params.amount.set(&setter, amount);
    }
    stage
}

#[test]
fn the_match_says_that_it_leans_without_being_cut() {
    for size in [SIZE, SMALLEST] {
        let mut stage = leaning(size, &[]);
        stage.frame(Vec::new());
        let shapes = stage.frame(Vec::new());
        let said = shapes.iter().find_map(|clipped| match &clipped.shape {
            egui::Shape::Text(text) if text.galley.text().contains("from key to key") => {
                Some(text.galley.clone())
            }
            _ => None,
        });
        let said = said.expect("it is said");
        assert!(!said.elided, "{size:?}: {}", said.text());
        assert!(said.text().contains("1 of"), "locks are still counted");
    }
}

#[test]
fn a_knob_that_leans_tells_its_values_an_octave_away() {
    let stage = leaning(SIZE, &[]);
    let scene = Scene::now(&stage.params, &stage.gui);
    let row = control::row(FILTER_CUTOFF);
    let [below, above] = [0.375, 0.625].map(|x| row.format(row.plain(x)));
    let said = lean::of(FILTER_CUTOFF, &scene).expect("it leans");
    let values = format!("{below} an octave below A3, {above} an octave above.");
    assert!(said.ends_with(&values), "{said}, expected {values}");
    assert_eq!(lean::of(FILTER_RESONANCE, &scene), None);
    assert_eq!(lean::of(PLAY_MODE, &scene), None);
    drop(scene);
    // Where it is locked, or the match at 0 %, it doesn't.
    stage.params.state.set_lock(cutoff(), true);
    let scene = Scene::now(&stage.params, &stage.gui);
    assert_eq!(lean::of(FILTER_CUTOFF, &scene), None);
    assert_eq!(lean::of_match(&scene), None);
    drop(scene);
    let stage = leaning(SIZE, &[0.0]);
    let scene = Scene::now(&stage.params, &stage.gui);
    assert_eq!(lean::of_match(&scene), None);
}
