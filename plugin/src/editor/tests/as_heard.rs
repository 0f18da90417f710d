//! Locks as heard, in the blocks between the editor's click and the host's new values.

use super::*;
use crate::MirrorNet;
use crate::history::{redo, undo};
use crate::plugin::tests::{block, modulate, params_of, set, sounding, started};
use crate::state::Snapshot;
use synth::PARAMS;

/// An instance that plays and matches, `amount` of the way.
fn matching(amount: f32) -> MirrorNet {
    let mut plugin = started();
    let params = params_of(&plugin);
    set(&params.amount, amount);
    let now = params.state.snapshot(&params.unmodulated());
    let held = Some(inference(0.25));
    params.state.load(now, Snapshot { held, ..now });
    block(&mut plugin, &[]);
    plugin
}

/// Plays blocks, two of them before the host delivers its values; fails if a matched value leaves
/// where it was heard.
fn stays(plugin: &mut MirrorNet, host: &Host, heard: &Patch, case: &str) {
    for number in 0..5 {
        if number == 2 {
            host.deliver();
        }
        block(plugin, &[]);
        let sounds = sounding(plugin);
        for row in MATCHED {
            let (now, before) = (sounds.get(row), heard.get(row));
            let name = PARAMS[row].name;
            assert!(
                (now - before).abs() < 1e-5,
                "{case}, block {number}: {name} at {now}, heard at {before}"
            );
        }
    }
}

#[test]
fn a_lock_as_heard_and_its_value_take_effect_in_the_same_block() {
    for amount in [0.5, 1.0] {
        let mut plugin = matching(amount);
        let params = params_of(&plugin);
        let host = Arc::new(Host::late());
        let gui = GuiContext::new(host.clone());
        let before = params.knobs();
        let heard = sounding(&plugin);
        assert!((heard.get(FILTER_CUTOFF) - before.get(FILTER_CUTOFF)).abs() > 0.1);

        locks::lock_as_heard("all", &MATCHED, &Scene::now(&params, &gui));
        stays(&mut plugin, &host, &heard, &format!("{amount}, locked"));
        assert!(params.state.limits().locked.iter().all(|&locked| locked));
        for row in MATCHED {
            assert!((params.rows[row].value() - heard.get(row)).abs() < 1e-5);
        }

        // The way back too, and there again.
        undo(&params, &gui.param_setter());
        stays(&mut plugin, &host, &heard, &format!("{amount}, undone"));
        assert_eq!(params.knobs(), before);
        assert_eq!(params.state.limits(), Limits::NONE);
        redo(&params, &gui.param_setter());
        stays(&mut plugin, &host, &heard, &format!("{amount}, done again"));
        assert!(params.state.limits().locked.iter().all(|&locked| locked));
    }
}

/// It comes on top of a locked knob too.
#[test]
fn a_lock_as_heard_leaves_the_hosts_modulation_out() {
    let mut plugin = matching(1.0);
    let params = params_of(&plugin);
    modulate(&params.rows[FILTER_CUTOFF], 0.2);
    block(&mut plugin, &[]);
    let heard = sounding(&plugin);
    assert!((heard.get(FILTER_CUTOFF) - 0.45).abs() < 1e-5);
    let host = Arc::new(Host::late());
    let gui = GuiContext::new(host.clone());
    locks::lock_as_heard("Cutoff", &[FILTER_CUTOFF], &Scene::now(&params, &gui));
    stays(&mut plugin, &host, &heard, "modulated");
    assert!(params.state.limits().locked[cutoff()]);
}
