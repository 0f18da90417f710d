//! Faults in VST3.

use std::cell::{Cell, RefCell};
use std::ptr::null_mut;

use nice_plug::wrapper::vst3::vst3::ComWrapper;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IAudioProcessorTrait, IComponentTrait, IEditControllerTrait, SpeakerArr,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{kResultFalse, kResultOk};

use rand::{Rng, SeedableRng};

use crate::memory::Fenced;
use crate::vst3_host::{Bus, Call, Events, LIVE, OFFLINE, Plugin, Stream, controller};
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
    let (output, nothing) = (Bus::stereo(LONGEST), Bus::without_list());
    // Its list of channels is a pointer to the closed page.
    // SAFETY: the bus's own.
    unsafe {
        (*nothing.raw.as_ptr()).__field0.channelBuffers32 = nothing.raw.as_ptr().add(1).cast();
    }
    let result = plugin.process(&Call {
        frames: LONGEST,
        input: Some(&nothing),
        input_count: Some(0),
        output: Some(&output),
        events: Some(&Events::default().on(0, 60)),
    });
    assert_eq!(result, kResultOk);
    assert!(peak(&output.samples(0)) > 0.01);
}

/// A host that sends every parameter's value, MIDI controllers included, changes nothing.
#[test]
fn every_parameter_rests_at_its_value() {
    let play = |events: Events| {
        let plugin = Plugin::started();
        plugin.block(LONGEST, &events);
        plugin.block(LONGEST, &Events::default().on(0, 60));
        plugin.block(LONGEST, &Events::default().off(0, 60));
        plugin.block(LONGEST, &Events::default())
    };
    let plugin = Plugin::started();
    let ids = plugin.ids().into_iter();
    let ids = ids.chain((0..16).flat_map(|c| (0..130).map(move |n| controller(c, n))));
    let all = ids.fold(Events::default(), |events, id| {
        events.param(0, id, plugin.value(id))
    });
    assert!(play(all) == play(Events::default()));
}

#[test]
fn a_sidechain_without_buffers_is_silence() {
    for input in [
        Bus::new(vec![None, None]),
        Bus::without_list(),
        Bus::new(vec![None, Some(Fenced::new(0.1, LONGEST))]),
        Bus::new(vec![Some(Fenced::new(0.1, LONGEST)), None]),
    ] {
        let plugin = Plugin::started();
        let output = Bus::stereo(LONGEST);
        let result = plugin.process(&Call {
            frames: LONGEST,
            input: Some(&input),
            output: Some(&output),
            events: Some(&Events::default().on(0, 60)),
            ..Call::default()
        });
        assert_eq!(result, kResultOk);
        assert!(peak(&output.samples(0)) > 0.01);
    }
}

#[test]
fn events_outside_the_block_are_played_in_it() {
    let plugin = Plugin::started();
    let id = plugin.param("Cutoff");
    for (value, time) in [
        (0.1, 200),
        (0.2, 201),
        (0.3, i32::MAX),
        (0.4, -1),
        (0.5, i32::MIN),
    ] {
        let samples = plugin.block(200, &Events::default().param(time, id, value));
        assert_eq!(samples.len(), 200);
        assert!((plugin.value(id) - value).abs() < 1e-6, "at {time}");
    }
    assert!(peak(&plugin.block(200, &Events::default().on(200, 60))) < 0.01);
    assert!(rest(&plugin, 3) > 0.01);
    // A note before the block begins with it.
    let other = Plugin::started();
    assert!(peak(&other.block(200, &Events::default().on(-9, 60))) > 0.01);
}

/// More events than there is room for.
#[test]
fn no_event_of_a_flood_is_lost() {
    let plugin = Plugin::started();
    let id = plugin.param("Cutoff");
    for spread in [0, 1] {
        let mut events = Events::default().on(0, 60);
        for k in 0..5_000 {
            events = events.param(spread * k / 20, id, f64::from(k) / 5_000.0);
        }
        plugin.block(LONGEST, &events.off(LONGEST as i32 - 1, 60));
        assert!((plugin.value(id) - 0.9998).abs() < 1e-6);
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
    for rate in [8_000.0, 384_000.0, 768_000.0] {
        let there = heard(rate);
        assert!(
            there.abs_diff(usual) <= usual / 10,
            "{there} at {rate} Hz, {usual} at 48 kHz"
        );
    }
    for rate in [1.0, 1_234.567_8, 1e12] {
        let plugin = Plugin::at(rate);
        check_samples(&plugin.block(LONGEST, &Events::default().on(0, 60)));
    }
    let plugin = Plugin::new();
    for rate in [0.0, -48_000.0, f64::NAN, f64::INFINITY, 1e300] {
        assert_ne!(plugin.set_up(rate, 0), kResultOk, "{rate}");
    }
}

#[test]
fn what_a_host_may_not_do_is_survived() {
    let plugin = Plugin::new();
    let id = plugin.param("Cutoff");
    let output = Bus::stereo(LONGEST);
    let early = |value: f64| {
        let result = plugin.process(&Call {
            frames: LONGEST,
            output: Some(&output),
            events: Some(&Events::default().on(0, 60).param(5, id, value)),
            ..Call::default()
        });
        assert_eq!(result, kResultFalse);
        assert_eq!(peak(&output.samples(0)), 0.0);
        assert!((plugin.value(id) - value).abs() < 1e-6);
    };
    // Processed before it is set up, and before it is active.
    early(0.25);
    assert_eq!(plugin.set_up(RATE, 0), kResultOk);
    early(0.35);
    plugin.start(RATE);
    let events = Events::default().null_data(0).on(0, 60);
    assert!(peak(&plugin.block(LONGEST, &events)) > 0.01);
    for count in [1, 3, 6, 100] {
        let (input, output) = (Bus::filled(count, LONGEST), Bus::filled(count, LONGEST));
        let result = plugin.process(&Call {
            frames: LONGEST,
            input: Some(&input),
            output: Some(&output),
            ..Call::default()
        });
        assert_eq!(result, kResultOk);
        assert!(peak(&output.samples(0)) > 0.01);
        for channel in 2..count.min(64) {
            assert_eq!(peak(&output.samples(channel)), 0.0);
        }
    }
    // Values that are none, and an index after the last.
    // SAFETY: null pointers are what this is about.
    unsafe {
        assert_ne!(
            plugin.controller.setParamNormalized(id, f64::NAN),
            kResultOk
        );
        assert!(plugin.value(id).is_finite());
        let count = plugin.controller.getParameterCount();
        let mut info = std::mem::zeroed();
        assert_ne!(
            plugin.controller.getParameterInfo(count, &mut info),
            kResultOk
        );
        assert_ne!(plugin.component.getState(null_mut()), kResultOk);
        assert_ne!(plugin.component.setState(null_mut()), kResultOk);
        assert!(plugin.controller.createView(std::ptr::null()).is_null());
    }
}

/// Renders a held note while `channels` channels of the reference are heard, in blocks of `block`.
fn heard(plugin: &Plugin, seconds: f64, channels: usize, block: usize) -> Vec<f32> {
    let mut events = Events::default().on(0, 60);
    let mut played = Vec::new();
    let samples = reference();
    for chunk in samples[..(seconds * RATE) as usize].chunks_exact(block) {
        let channel = |k| {
            if k == 0 {
                chunk.to_vec()
            } else {
                vec![0.0; block]
            }
        };
        let input = Bus::new(
            (0..channels.max(1))
                .map(|k| Some(Fenced::of(&channel(k))))
                .collect(),
        );
        let output = Bus::stereo(block);
        plugin.process(&Call {
            frames: block,
            input: (channels > 0).then_some(&input),
            output: Some(&output),
            events: Some(&std::mem::take(&mut events)),
            ..Call::default()
        });
        played.extend(output.samples(0));
    }
    played
}

#[test]
fn a_mono_sidechain_is_heard_whatever_the_blocks_size() {
    let played = |channels: usize, block: usize| {
        let plugin = Plugin::new();
        plugin.mode.set(OFFLINE);
        plugin.start(RATE);
        heard(&plugin, 3.0, channels, block)
    };
    let stereo = played(2, LONGEST);
    assert!(stereo != played(0, LONGEST), "nothing was heard");
    assert!(played(1, LONGEST) == stereo);
    assert!(played(1, LONGEST / 2) == stereo);
}

#[test]
fn bus_arrangements_are_read_within_their_arrays() {
    let plugin = Plugin::new();
    // SAFETY: arrays of one entry, behind which nothing may be read.
    unsafe {
        for (input, output, wanted) in [
            (SpeakerArr::kStereo, SpeakerArr::kStereo, kResultOk),
            (SpeakerArr::kMono, SpeakerArr::kStereo, kResultOk),
            (SpeakerArr::kStereo, SpeakerArr::kMono, kResultFalse),
            (SpeakerArr::k51, SpeakerArr::kStereo, kResultFalse),
        ] {
            let (inputs, outputs) = (Fenced::of(&[input]), Fenced::of(&[output]));
            let result =
                plugin
                    .processor
                    .setBusArrangements(inputs.as_ptr(), 1, outputs.as_ptr(), 1);
            assert_eq!(result, wanted);
            if result == kResultOk {
                let (mut arrangement, mut info) = (0, std::mem::zeroed());
                plugin.processor.getBusArrangement(0, 0, &mut arrangement);
                plugin.component.getBusInfo(0, 0, 0, &mut info);
                assert_eq!(arrangement, input);
                assert_eq!(info.channelCount as u32, input.count_ones());
            }
        }
        let mut output = SpeakerArr::kStereo;
        let result = plugin
            .processor
            .setBusArrangements(null_mut(), 0, &mut output, 1);
        assert_eq!(result, kResultFalse);
        assert_ne!(
            plugin
                .component
                .getBusInfo(0, 0, -1, &mut std::mem::zeroed()),
            kResultOk
        );
    }
}

#[test]
fn a_state_is_written_and_read_whole_by_short_pieces() {
    let plugin = Plugin::new();
    let whole = plugin.state(1 << 20).expect("a state");
    assert_eq!(plugin.state(23).expect("a state"), whole);
    assert_eq!(plugin.load(&whole, 23), kResultOk);
    assert_eq!(plugin.state(1 << 20).expect("a state"), whole);
    // A stream that is full is an error.
    let full = ComWrapper::new(Stream {
        bytes: RefCell::default(),
        position: Cell::new(0),
        piece: 100,
        room: Cell::new(1_000),
    });
    assert!(plugin.write_state(&full).is_err());
}

#[test]
fn double_precision_is_refused() {
    let plugin = Plugin::new();
    assert_ne!(plugin.set_up(RATE, 1), kResultOk);
    assert_eq!(plugin.set_up(RATE, 0), kResultOk);
}

/// A note so soft that its samples are subnormal.
#[test]
fn a_note_as_soft_as_can_be_is_silent() {
    let plugin = Plugin::started();
    plugin.block(LONGEST, &Events::default().on(0, 60));
    plugin.block(LONGEST, &Events::default().expression(0, 60, 0, 1e-38));
    for _ in 0..100 {
        check_samples(&plugin.block(LONGEST, &Events::default()));
    }
}

/// Parameters at either end of their ranges, as the public validators set them.
#[test]
fn no_sample_is_subnormal() {
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(10);
    let plugin = Plugin::started();
    let ids = plugin.ids();
    for _ in 0..100 {
        let mut events = Events::default();
        for id in &ids {
            events = events.param(0, *id, f64::from(u8::from(rng.random_bool(0.5))));
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
            events: Some(events),
            ..Call::default()
        })
    };
    let id = plugin.param("Cutoff");
    mute(0, &Events::default().on(0, 60).param(0, id, 0.4));
    assert!((plugin.value(id) - 0.4).abs() < 1e-6);
    assert!(rest(&plugin, 3) > 0.01);
    mute(0, &Events::default().off(0, 60));
    rest(&plugin, LONG);
    assert_eq!(rest(&plugin, 1), 0.0);
    mute(LONGEST, &Events::default().on(17, 60));
    assert!(rest(&plugin, 3) > 0.01);
    mute(LONGEST, &Events::default().off(17, 60));
    rest(&plugin, LONG);
    assert_eq!(rest(&plugin, 1), 0.0);
    // A controller without frames: all notes off on the first channel.
    let all_off = (1u32 << 31) - 130 * 16 + 123;
    plugin.block(LONGEST, &Events::default().on(0, 60));
    mute(0, &Events::default().param(0, all_off, 0.0));
    rest(&plugin, LONG);
    assert_eq!(rest(&plugin, 1), 0.0);
}

#[test]
fn brightness_moves_the_cutoff_and_expression_does_not() {
    const EXPRESSION: u32 = 4;
    const BRIGHTNESS: u32 = 5;
    let play = |kind: Option<u32>| {
        let plugin = Plugin::started();
        let mut events = Events::default().on(0, 60);
        if let Some(kind) = kind {
            events = events.expression(0, 60, kind, 1.0);
        }
        plugin.block(LONGEST, &events);
        plugin.block(LONGEST, &Events::default())
    };
    let plain = play(None);
    assert!(play(Some(EXPRESSION)) == plain);
    assert!(play(Some(BRIGHTNESS)) != plain);
}

#[test]
fn an_offline_render_is_one_from_its_first_sample() {
    // Less than a second, after which any fast host is taken to render offline.
    let plugin = Plugin::new();
    plugin.mode.set(OFFLINE);
    plugin.start(RATE);
    let deaf = {
        let plugin = Plugin::new();
        plugin.mode.set(OFFLINE);
        plugin.start(RATE);
        heard(&plugin, 0.9, 0, LONGEST)
    };
    assert!(
        heard(&plugin, 0.9, 2, LONGEST) != deaf,
        "nothing was heard in time"
    );
    // The live pass after it does not wait.
    plugin.stop();
    plugin.mode.set(LIVE);
    plugin.start(RATE);
    let before = std::time::Instant::now();
    heard(&plugin, 0.9, 2, LONGEST);
    let took = before.elapsed().as_secs_f64();
    assert!(took < 0.9, "a live pass took {took} s");
}

#[test]
fn a_host_is_told_of_the_tail_and_of_what_it_must_not_miss() {
    let plugin = Plugin::started();
    // SAFETY: allowed at any time.
    let tail = || unsafe { plugin.processor.getTailSamples() };
    rest(&plugin, 1);
    let dry = f64::from(tail()) / RATE;
    assert!((0.1..2.0).contains(&dry), "{dry} s");
    let events = Events::default()
        .param(0, plugin.param("Reverb mix"), 0.6)
        .param(0, plugin.param("Reverb decay"), 0.7)
        .on(0, 60)
        .off(400, 60);
    plugin.block(LONGEST, &events);
    let said = f64::from(tail()) / RATE;
    let blocks = (said * RATE / LONGEST as f64).ceil() as usize;
    assert!(rest(&plugin, blocks / 4) > 0.0);
    rest(&plugin, blocks);
    assert_eq!(rest(&plugin, 1), 0.0);
    // While a reference sounds, and a moment after it, the tail has no end.
    let tone = || Some(Fenced::new(0.1, LONGEST));
    let (input, output) = (Bus::new(vec![tone(), tone()]), Bus::stereo(LONGEST));
    plugin.process(&Call {
        frames: LONGEST,
        input: Some(&input),
        output: Some(&output),
        ..Call::default()
    });
    assert_eq!(tail(), u32::MAX);
    rest(&plugin, (2.5 * RATE) as usize / LONGEST);
    assert!(f64::from(tail()) / RATE <= said);
}

/// Blocks longer than announced are cut.
#[test]
fn a_block_longer_than_announced_is_played_the_same() {
    let (one, many) = (Plugin::started(), Plugin::started());
    let id = one.param("Cutoff");
    let (input, output) = (Bus::filled(1, 3 * LONGEST), Bus::stereo(3 * LONGEST));
    let events = Events::default().on(1_000, 64).on(3, 60);
    one.process(&Call {
        frames: 3 * LONGEST,
        input: Some(&input),
        output: Some(&output),
        events: Some(&events.param(700, id, 0.9)),
        ..Call::default()
    });
    let long = output.samples(0);
    let mut cut = many.block(LONGEST, &Events::default().on(3, 60));
    let events = Events::default()
        .param(700 - 512, id, 0.9)
        .on(1_000 - 512, 64);
    cut.extend(many.block(LONGEST, &events));
    cut.extend(many.block(LONGEST, &Events::default()));
    assert!(long == cut);
}
