//! Knobs that a length in the host's tempo stands in for.

use super::*;
use crate::history::undo;
use synth::params::{DELAY_SYNC, DELAY_SYNCS, DELAY_TIME, LFO_SYNC};

/// Drags from a place upwards.
fn drag_up(stage: &mut Stage, from: egui::Pos2) {
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let to = from - vec2(0.0, 30.0);
    for event in [
        Event::PointerMoved(from),
        button(from, true),
        Event::PointerMoved(to),
        button(to, false),
    ] {
        stage.frame(vec![event]);
    }
    stage.frame(Vec::new());
}

#[test]
fn a_delay_is_synced_by_its_menu_and_its_time_rests_meanwhile() {
    let mut stage = Stage::new(SIZE, None);
    stage.open("Effects");
    let plain = |stage: &Stage, row: usize| stage.params.knobs().plain(row);
    let own = plain(&stage, DELAY_TIME);
    let knob = stage.find("Time") - vec2(0.0, 30.0);
    // The menu stands above its name.
    let menu = stage.find("Sync") - vec2(0.0, 33.0);
    stage.click(menu);
    stage.click_text(DELAY_SYNCS[1]);
    // The wheel steps through its list.
    let wheel = Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, -40.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    };
    stage.frame(vec![Event::PointerMoved(menu)]);
    stage.frame(vec![wheel]);
    let chosen = DELAY_SYNCS[plain(&stage, DELAY_SYNC) as usize];
    assert_eq!(chosen, "1/2 D");
    stage.frame(Vec::new());
    // On the menu, and in the place of the time.
    assert_eq!(stage.places("1/2 D").len(), 2);
    drag_up(&mut stage, knob);
    assert_eq!(plain(&stage, DELAY_TIME), own);
    for _ in 0..2 {
        undo(&stage.params, &stage.gui.param_setter());
    }
    assert_eq!(plain(&stage, DELAY_SYNC), 0.0);
    assert!(stage.places("1/2 D").is_empty());
    drag_up(&mut stage, knob);
    assert!(plain(&stage, DELAY_TIME) > own);
}

#[test]
fn the_rate_of_a_synced_lfo_rests_too_and_is_named() {
    let mut stage = Stage::new(SIZE, None);
    stage.open("LFOs");
    let row = control::row(LFO_SYNC);
    let quarter = row.normalized(row.parse("1/4").unwrap());
    stage.params.rows[LFO_SYNC].set(&stage.gui.param_setter(), quarter);
    stage.window.context.enable_accesskit();
    stage.frame(Vec::new());
    assert_eq!(stage.places("1/4").len(), 2);
    let tree = stage.window.tree.as_ref().expect("it is enabled");
    let node = |name: &str| {
        let mut nodes = tree.nodes.iter().map(|(_, node)| node);
        nodes.find(|node| node.label() == Some(name)).expect(name)
    };
    assert!(node("LFO rate").is_disabled());
    assert!(!node("LFO 2 rate").is_disabled());
}
