//! Faults in CLAP.

use std::ffi::CStr;
use std::ptr::{null, null_mut};

use clap_sys::ext::gui::{CLAP_EXT_GUI, CLAP_WINDOW_API_X11, clap_plugin_gui};
use clap_sys::ext::note_ports::{CLAP_EXT_NOTE_PORTS, clap_plugin_note_ports};
use clap_sys::ext::params::clap_param_info;
use clap_sys::ext::remote_controls::*;
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_plugin_tail};
use clap_sys::id::CLAP_INVALID_ID;
use clap_sys::process::*;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use crate::both::Host;
use crate::clap_host::{Call, Events, Plugin, Port, call};
use crate::memory::Fenced;
use crate::{LONGEST, RATE, check_samples, crossings, peak, reference};

/// Blocks of silence that end every tail of the default patch.
const LONG: usize = 100;

/// Peak of what a plugin plays in `blocks` blocks without events.
fn rest(plugin: &Plugin, blocks: usize) -> f32 {
    (0..blocks)
        .map(|_| peak(&plugin.block(LONGEST, &Events::default())))
        .fold(0.0, f32::max)
}

#[test]
fn no_input_beside_an_array_that_is_not_null_is_no_sidechain() {
    let plugin = Plugin::started();
    let output = Port::stereo(LONGEST);
    // An array of no entries: its address is the closed page.
    let nothing = Port::stereo(1);
    let end = nothing.raw.as_ptr().wrapping_add(1);
    let events = Events::default().on(0, 60);
    let status = plugin.process_raw(
        &Call {
            frames: LONGEST,
            output: Some(&output),
            events: &events,
            ..Call::default()
        },
        (end, 0),
    );
    assert_ne!(status, CLAP_PROCESS_ERROR);
    assert!(peak(&output.samples(0)) > 0.01);
}

#[test]
fn a_sidechain_without_buffers_is_silence() {
    for input in [
        Port::new(vec![None, None]),
        Port::without_list(),
        Port::new(vec![None, Some(Fenced::new(0.1, LONGEST))]),
        Port::new(vec![Some(Fenced::new(0.1, LONGEST)), None]),
    ] {
        let plugin = Plugin::started();
        let output = Port::stereo(LONGEST);
        let status = plugin.process(&Call {
            frames: LONGEST,
            input: Some(&input),
            output: Some(&output),
            events: &Events::default().on(0, 60),
            ..Call::default()
        });
        assert_ne!(status, CLAP_PROCESS_ERROR);
        assert!(peak(&output.samples(0)) > 0.01);
    }
}

#[test]
fn events_after_the_blocks_end_are_played_in_its_last_sample() {
    let plugin = Plugin::started();
    let id = plugin.param("Cutoff").id;
    let frames = 200;
    for (value, time) in [(0.1, 200), (0.2, 201), (0.3, 10_000_000), (0.4, u32::MAX)] {
        let events = Events::default().tempo(time, 90.0).param(time, id, value);
        let samples = plugin.block(frames, &events);
        assert_eq!(samples.len(), frames);
        assert!((plugin.value(id) - value).abs() < 1e-6, "at {time}");
    }
    assert!(peak(&plugin.block(frames, &Events::default().on(200, 60))) < 0.01);
    assert!(rest(&plugin, 3) > 0.01);
}

/// Times that do not ascend.
#[test]
fn events_in_no_order_are_all_played() {
    let plugin = Plugin::started();
    let id = plugin.param("Cutoff").id;
    let events = Events::default()
        .param(100, id, 0.1)
        .on(50, 60)
        .param(7, id, 0.6)
        .off(3, 60);
    plugin.block(LONGEST, &events);
    assert!((plugin.value(id) - 0.6).abs() < 1e-6);
    rest(&plugin, LONG);
    assert_eq!(rest(&plugin, 1), 0.0);
}

/// More events than there is room for, in a block and in one sample.
#[test]
fn no_event_of_a_flood_is_lost() {
    let plugin = Plugin::started();
    let id = plugin.param("Cutoff").id;
    for spread in [0, 1] {
        let mut events = Events::default().on(0, 60);
        for k in 0..5_000u32 {
            events = events.param(spread * k / 20, id, f64::from(k) / 5_000.0);
        }
        plugin.block(LONGEST, &events.off(LONGEST as u32 - 1, 60));
        assert!((plugin.value(id) - 0.9998).abs() < 1e-6);
        // All at once in a single sample, and then without any frame.
        let mut events = Events::default().on(0, 60);
        for k in 0..2_500i16 {
            events = events.on(0, k % 128).off(0, k % 128);
        }
        let events = events.off(0, 60);
        plugin.block(1, &events);
        plugin.block(0, &events);
        rest(&plugin, LONG);
        assert_eq!(rest(&plugin, 1), 0.0);
    }
}

#[test]
fn the_plugin_plays_at_any_rate() {
    let heard = |rate: f64| {
        let plugin = Plugin::at(rate);
        let mut samples = plugin.block(LONGEST, &Events::default().on(0, 69));
        while samples.len() < (rate / 4.0) as usize {
            samples.extend(plugin.block(LONGEST, &Events::default()));
        }
        samples.truncate((rate / 4.0) as usize);
        assert!(peak(&samples) > 0.01, "silent at {rate} Hz");
        check_samples(&samples);
        crossings(&samples)
    };
    let usual = heard(48_000.0);
    for rate in [8_000.0, 192_000.0, 384_000.0, 768_000.0] {
        let there = heard(rate);
        assert!(
            there.abs_diff(usual) <= usual / 10,
            "{there} at {rate} Hz, {usual} at 48 kHz"
        );
    }
    for rate in [1.0, 1_000.0, 1_234.567_8, 1e6, 1e12] {
        let plugin = Plugin::at(rate);
        check_samples(&plugin.block(LONGEST, &Events::default().on(0, 60)));
    }
    let plugin = Plugin::new();
    for rate in [0.0, -48_000.0, f64::NAN, f64::INFINITY, 1e300] {
        assert!(
            !call!(plugin.raw, activate, plugin.raw, rate, 1, 512),
            "{rate}"
        );
    }
}

#[test]
fn what_a_host_may_not_do_is_survived() {
    let plugin = Plugin::new();
    // Processed before it is active: silence, and parameters change all the same.
    let output = Port::stereo(LONGEST);
    let id = plugin.param("Cutoff").id;
    let status = plugin.process(&Call {
        frames: LONGEST,
        output: Some(&output),
        events: &Events::default().on(0, 60).param(5, id, 0.25),
        ..Call::default()
    });
    assert_eq!(status, CLAP_PROCESS_ERROR);
    assert_eq!(peak(&output.samples(0)), 0.0);
    assert!((plugin.value(id) - 0.25).abs() < 1e-6);
    assert!(!call!(plugin.raw, start_processing, plugin.raw));
    plugin.start(RATE);

    // SysEx without bytes, and an event that is null.
    let mut events = Events::default().sysex(null(), 3).sysex(null(), 0);
    events.push([0u64; 0]);
    assert!(peak(&plugin.block(LONGEST, &events.on(0, 60))) > 0.01);

    // Wrong numbers of channels.
    for count in [1, 3, 6, 100] {
        let output = Port::filled(count, LONGEST);
        let input = Port::filled(count, LONGEST);
        let status = plugin.process(&Call {
            frames: LONGEST,
            input: Some(&input),
            output: Some(&output),
            ..Call::default()
        });
        assert_ne!(status, CLAP_PROCESS_ERROR);
        assert!(peak(&output.samples(0)) > 0.01);
        for channel in 2..count.min(64) {
            assert_eq!(peak(&output.samples(channel)), 0.0);
        }
    }
    // One of two output buffers.
    let output = Port::new(vec![None, Some(Fenced::new(9.0, LONGEST))]);
    plugin.process(&Call {
        frames: LONGEST,
        output: Some(&output),
        ..Call::default()
    });
    assert!((0.01..2.0).contains(&peak(&output.samples(1))));

    // Editor calls of a host without `clap.gui`, and without an editor.
    let gui: &clap_plugin_gui = plugin.extension(CLAP_EXT_GUI);
    assert!(!call!(gui, is_api_supported, plugin.raw, null(), false));
    assert!(!call!(gui, create, plugin.raw, null(), false));
    assert!(!call!(gui, set_parent, plugin.raw, null()));
    assert!(!call!(gui, adjust_size, plugin.raw, null_mut(), null_mut()));
    assert!(!call!(gui, set_size, plugin.raw, 10, 10));
    // There is no display: it fails, and nothing else.
    assert!(!call!(
        gui,
        create,
        plugin.raw,
        CLAP_WINDOW_API_X11.as_ptr(),
        false
    ));
    call!(gui, destroy, plugin.raw);

    // The index after the last parameter.
    let params = plugin.params();
    let count = call!(params, count, plugin.raw);
    // SAFETY: all bits may be zero.
    let mut info = unsafe { std::mem::zeroed() };
    assert!(!call!(params, get_info, plugin.raw, count, &mut info));
    assert!(!call!(params, get_value, plugin.raw, id, null_mut()));
    assert!(!call!(
        params,
        value_to_text,
        plugin.raw,
        id,
        0.5,
        null_mut(),
        9
    ));
    call!(params, flush, plugin.raw, null(), null());
    let notes: &clap_plugin_note_ports = plugin.extension(CLAP_EXT_NOTE_PORTS);
    assert!(!call!(notes, get, plugin.raw, 0, true, null_mut()));
}

#[test]
fn a_mono_sidechain_is_heard_whatever_the_blocks_size() {
    // What is played to a held note while the reference is heard.
    let played = |channels: usize, block: usize| {
        let mut events = Events::default().on(0, 60);
        let mut played = Vec::new();
        let plugin = Plugin::new();
        plugin.set_offline();
        plugin.start(RATE);
        for chunk in reference().chunks_exact(block) {
            let input = Port::new(
                (0..channels.max(1))
                    .map(|k| {
                        Some(Fenced::of(&if k == 0 {
                            chunk.to_vec()
                        } else {
                            vec![0.0; block]
                        }))
                    })
                    .collect(),
            );
            let output = Port::stereo(block);
            plugin.process(&Call {
                frames: block,
                input: (channels > 0).then_some(&input),
                output: Some(&output),
                events: &std::mem::take(&mut events),
                ..Call::default()
            });
            played.extend(output.samples(0));
        }
        played
    };
    let stereo = played(2, LONGEST);
    assert!(stereo != played(0, LONGEST), "nothing was heard");
    assert!(played(1, LONGEST) == stereo);
    assert!(played(1, LONGEST / 2) == stereo);
}

#[test]
fn a_state_is_written_whole_by_short_writes() {
    let plugin = Plugin::new();
    assert_eq!(plugin.state(23), plugin.state(1 << 20));
}

#[test]
fn a_parameters_value_is_what_was_set_not_what_is_modulated() {
    let plugin = Plugin::started();
    let id = plugin.param("Cutoff").id;
    plugin.block(
        LONGEST,
        &Events::default().param(0, id, 0.3).modulation(1, id, 0.4),
    );
    assert!((plugin.value(id) - 0.3).abs() < 1e-6);
}

/// Renders a note whose second block begins with `events`, after the cutoff `knob` was loaded under
/// a held match.
fn modulated(knob: f64, events: &Events) -> Vec<f32> {
    let plugin = Plugin::started();
    let mut state = Host::save(&plugin);
    let match_of = synth::PARAMS.iter().filter(|row| row.matched);
    let held = match_of.map(|row| (row.id.to_owned(), json!([0.4, 0.1])));
    let content = json!({ "format": 1, "locks": [], "inference": Value::Object(held.collect()) });
    state["fields"]["mirrornet"] = content.to_string().into();
    state["params"]["filter_cutoff"] = json!({ "f32": knob });
    assert!(Host::load(&plugin, state.to_string().as_bytes()));
    plugin.block(LONGEST, &Events::default());
    plugin.block(LONGEST, &Events::default().named(0, 60, 7));
    plugin.block(LONGEST, events);
    plugin.block(LONGEST, &Events::default())
}

/// A matched knob is hidden, what modulates it is not, whether or not it fits above the knob.
#[test]
fn modulation_is_heard_at_full_match() {
    let cutoff = Plugin::new().param("Cutoff").id;
    let none = Events::default();
    for knob in [0.3, 0.95, 1.0] {
        let up = modulated(knob, &none.clone().modulation(0, cutoff, 0.3));
        let down = modulated(knob, &none.clone().modulation(0, cutoff, -0.3));
        let still = modulated(knob, &none);
        assert!(up != still && down != still, "knob at {knob}");
        // The knob is hidden: the same offset sounds the same.
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(near(
            &up,
            &modulated(0.5, &none.clone().modulation(0, cutoff, 0.3))
        ));
    }
    // At its time within the block, however the block is cut.
    let at = |time| modulated(1.0, &none.clone().modulation(time, cutoff, 0.3));
    assert!(at(0) != at(300));
}

/// Modulation of a note is that note's, and of what can't be modulated so, nobody's.
#[test]
fn a_notes_modulation_is_that_notes() {
    let plugin = Plugin::new();
    let [cutoff, mix] = ["Cutoff", "Reverb mix"].map(|name| plugin.param(name).id);
    let still = modulated(0.5, &Events::default());
    let of = |id, note| {
        let events = Events::default().note_modulation(0, id, note, 0.3);
        modulated(0.5, &events) != still
    };
    assert!(of(cutoff, 7));
    assert!(!of(cutoff, 8));
    assert!(!of(mix, 7));
}

/// A note so soft that its samples are subnormal.
#[test]
fn a_note_as_soft_as_can_be_is_silent() {
    let plugin = Plugin::started();
    plugin.block(LONGEST, &Events::default().on(0, 60));
    plugin.block(LONGEST, &Events::default().volume(0, 60, 1e-38));
    for _ in 0..100 {
        check_samples(&plugin.block(LONGEST, &Events::default()));
    }
}

/// Parameters at either end of their ranges, as the public validator sets them.
#[test]
fn no_sample_is_subnormal() {
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(10);
    let plugin = Plugin::started();
    let params = plugin.params();
    let ranges: Vec<_> = (0..call!(params, count, plugin.raw))
        .map(|k| {
            // SAFETY: all bits may be zero.
            let mut info: clap_param_info = unsafe { std::mem::zeroed() };
            assert!(call!(params, get_info, plugin.raw, k, &mut info));
            (info.id, info.min_value, info.max_value)
        })
        .collect();
    for _ in 0..100 {
        let mut events = Events::default();
        for (id, min, max) in &ranges {
            let value = if rng.random_bool(0.5) { *min } else { *max };
            events = events.param(0, *id, value);
        }
        // Most notes are held while the sound changes under them.
        for _ in 0..2 {
            let key = rng.random_range(0..128);
            events = match rng.random_bool(0.6) {
                true => events.on(5, key),
                false => events.off(5, key),
            };
        }
        check_samples(&plugin.block(LONGEST, &events));
        for _ in 0..3 {
            check_samples(&plugin.block(LONGEST, &Events::default()));
        }
    }
}

#[test]
fn notes_in_blocks_without_frames_or_outputs_are_played() {
    let plugin = Plugin::started();
    let mute = |frames, events: &Events| {
        plugin.process(&Call {
            frames,
            events,
            ..Call::default()
        })
    };
    let id = plugin.param("Cutoff").id;
    // On and off without frames.
    mute(0, &Events::default().on(0, 60).param(0, id, 0.4));
    assert!((plugin.value(id) - 0.4).abs() < 1e-6);
    assert!(rest(&plugin, 3) > 0.01);
    mute(0, &Events::default().off(0, 60));
    rest(&plugin, LONG);
    assert_eq!(rest(&plugin, 1), 0.0);
    // On and off without outputs.
    mute(LONGEST, &Events::default().on(17, 60));
    assert!(rest(&plugin, 3) > 0.01);
    mute(LONGEST, &Events::default().off(17, 60));
    rest(&plugin, LONG);
    assert_eq!(rest(&plugin, 1), 0.0);
}

#[test]
fn a_host_is_told_of_the_tail_and_of_what_it_must_not_miss() {
    let plugin = Plugin::started();
    let tail: &clap_plugin_tail = plugin.extension(CLAP_EXT_TAIL);
    let get = || f64::from(call!(tail, get, plugin.raw)) / RATE;
    let (mix, decay) = (plugin.param("Reverb mix"), plugin.param("Reverb decay"));
    let silent = Events::default();
    let process = |input: Option<&Port>, events: &Events| {
        let output = Port::stereo(LONGEST);
        let status = plugin.process(&Call {
            frames: LONGEST,
            input,
            output: Some(&output),
            events,
            ..Call::default()
        });
        (status, peak(&output.samples(0)))
    };
    assert_eq!(process(None, &silent).0, CLAP_PROCESS_CONTINUE_IF_NOT_QUIET);
    let dry = get();
    assert!((0.1..2.0).contains(&dry), "{dry} s");
    // Nothing but the release, then a long reverb.
    for (reverb, least) in [(0.0, 0.1), (0.6, 5.0)] {
        let events = Events::default()
            .param(0, mix.id, reverb)
            .param(0, decay.id, decay.max_value * 0.7)
            .on(0, 60)
            .off(400, 60);
        assert_eq!(process(None, &events).0, CLAP_PROCESS_CONTINUE);
        let said = get();
        let mut rang = 0.0;
        while process(None, &silent).0 == CLAP_PROCESS_CONTINUE {
            rang += LONGEST as f64 / RATE;
        }
        assert!(
            (least..said).contains(&rang),
            "rang {rang} s, said {said} s"
        );
        assert_eq!(process(None, &silent).1, 0.0);
    }
    // A reference alone, and a moment after it.
    let input = Port::new(vec![
        Some(Fenced::new(0.1, LONGEST)),
        Some(Fenced::new(0.1, LONGEST)),
    ]);
    assert_eq!(process(Some(&input), &silent).0, CLAP_PROCESS_CONTINUE);
    let mut after = 0.0;
    while process(None, &silent).0 == CLAP_PROCESS_CONTINUE {
        after += LONGEST as f64 / RATE;
    }
    assert!((1.5..2.5).contains(&after), "{after} s");
}

#[test]
fn stopping_between_blocks_silences_nothing() {
    let held = Plugin::started();
    let stopped = Plugin::started();
    for k in 0..20 {
        let events = match k {
            0 => Events::default().on(0, 60),
            _ => Events::default(),
        };
        let wanted = held.block(LONGEST, &events);
        call!(stopped.raw, stop_processing, stopped.raw);
        assert!(call!(stopped.raw, start_processing, stopped.raw));
        assert_eq!(stopped.block(LONGEST, &events), wanted);
        assert!(peak(&wanted) > 0.01);
    }
    // A reset is asked for by its own name.
    call!(stopped.raw, reset, stopped.raw);
    assert_eq!(rest(&stopped, 1), 0.0);
}

/// Blocks longer than announced are cut.
#[test]
fn a_block_longer_than_announced_is_played_the_same() {
    let (one, many) = (Plugin::started(), Plugin::started());
    let id = one.param("Cutoff").id;
    let events = Events::default()
        .on(3, 60)
        .param(700, id, 0.9)
        .on(1_000, 64);
    let (input, output) = (Port::filled(1, 3 * LONGEST), Port::stereo(3 * LONGEST));
    one.process(&Call {
        frames: 3 * LONGEST,
        input: Some(&input),
        output: Some(&output),
        events: &events,
        ..Call::default()
    });
    let long = output.samples(0);
    let mut cut = many.block(LONGEST, &Events::default().on(3, 60));
    cut.extend(
        many.block(
            LONGEST,
            &Events::default()
                .param(700 - 512, id, 0.9)
                .on(1_000 - 512, 64),
        ),
    );
    cut.extend(many.block(LONGEST, &Events::default()));
    assert!(long == cut);
}

/// The match comes first on a controller, then the editor's main page.
#[test]
fn controllers_have_pages_of_parameters() {
    let plugin = Plugin::new();
    let pages: &clap_plugin_remote_controls = plugin.extension(CLAP_EXT_REMOTE_CONTROLS);
    let same: &clap_plugin_remote_controls = plugin.extension(CLAP_EXT_REMOTE_CONTROLS_COMPAT);
    assert!(std::ptr::eq(pages, same));
    let page = |index: u32| {
        // SAFETY: all bits may be zero.
        let mut page: clap_remote_controls_page = unsafe { std::mem::zeroed() };
        let there = call!(pages, get, plugin.raw, index, &mut page);
        there.then_some(page)
    };
    let name = |page: &clap_remote_controls_page| {
        // SAFETY: a string of the plugin's.
        let name = unsafe { CStr::from_ptr(page.page_name.as_ptr()) };
        name.to_str().expect("UTF-8").to_owned()
    };
    let count = call!(pages, count, plugin.raw);
    let all: Vec<_> = (0..count).map(|k| page(k).expect("a page")).collect();
    let names: Vec<_> = all.iter().map(name).collect();
    let expected = [
        "Match",
        "Oscillators",
        "Filter",
        "Envelopes",
        "Movement and space",
    ];
    assert_eq!(names, expected);
    let ids = ["Match", "Glide time", "Output", "Listen", "Search"].map(|p| plugin.param(p).id);
    assert_eq!(all[0].param_ids[..5], ids);
    assert_eq!(all[0].param_ids[5..], [CLAP_INVALID_ID; 3]);
    assert_eq!(all[2].param_ids[0], plugin.param("Cutoff").id);
    let mut used: Vec<_> = all.iter().flat_map(|page| page.param_ids).collect();
    used.retain(|id| *id != CLAP_INVALID_ID);
    used.iter()
        .for_each(|id| assert!(plugin.value(*id).is_finite()));
    let (before, mut ids) = (used.len(), used);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), before, "a parameter is on two pages");
    assert!(page(count).is_none() && page(u32::MAX).is_none());
    assert!(!call!(pages, get, plugin.raw, 0, null_mut()));
    assert!(!call!(pages, get, null(), 0, null_mut()));
    assert_eq!(call!(pages, count, null()), 0);
}
