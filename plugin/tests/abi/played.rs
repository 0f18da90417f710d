//! Tests of MIDI playing, in both formats.

use crate::both::{Host, Input, in_both_formats};
use crate::{LONGEST, crossings, peak};

in_both_formats! {
    volume_expression_and_pan_are_heard;
    sostenuto_holds_what_was_down;
    a_released_member_keeps_its_bend;
    registered_parameters_are_heard;
}

const CHANNEL: u8 = 3;

fn on(key: u8) -> Input {
    let channel = CHANNEL;
    Input::On { channel, key }
}

fn off(key: u8) -> Input {
    let channel = CHANNEL;
    Input::Off { channel, key }
}

fn controller(number: u8, value: u8) -> Input {
    Input::Controller {
        channel: CHANNEL,
        number,
        value,
    }
}

fn bend(value: f32) -> Input {
    let channel = CHANNEL;
    Input::Bend { channel, value }
}

/// Both sides of what comes after each input, one input a block, and of ten blocks at the end.
fn sound<H: Host>(host: &H, inputs: &[Input]) -> [Vec<f32>; 2] {
    for &input in inputs {
        host.play(LONGEST, &[(0, input)]);
    }
    let mut sides = [vec![], vec![]];
    for _ in 0..10 {
        let [left, right] = host.play(LONGEST, &[]);
        sides[0].extend(left);
        sides[1].extend(right);
    }
    sides
}

fn volume_expression_and_pan_are_heard<H: Host>() {
    let levels = |inputs: &[Input]| {
        let host = H::new();
        host.automate(&[("Match", 0.0)]);
        sound(&host, &[inputs, &[on(60)]].concat()).map(|side| peak(&side))
    };
    let [full, right] = levels(&[]);
    assert!(full > 0.01 && full == right, "{}", H::NAME);
    for (number, value, [l, r]) in [
        (7, 64, [0.254, 0.254]),
        (11, 64, [0.254, 0.254]),
        (7, 127, [1.0, 1.0]),
        (10, 0, [2.0f32.sqrt(), 0.0]),
        (10, 64, [1.0, 1.0]),
        (10, 127, [0.0, 2.0f32.sqrt()]),
    ] {
        let [left, right] = levels(&[controller(number, value)]);
        let near = |got: f32, want: f32| (got / full - want).abs() < 0.02;
        assert!(
            near(left, l) && near(right, r),
            "{number}: {left} {right} of {full}"
        );
    }
}

fn sostenuto_holds_what_was_down<H: Host>() {
    let host = H::new();
    host.automate(&[("Match", 0.0), ("Amp release", 0.0)]);
    let [left, _] = sound(&host, &[on(60), controller(66, 127), off(60)]);
    assert!(peak(&left[LONGEST..]) > 0.01, "{}", H::NAME);
    sound(&host, &[controller(66, 0)]);
    assert_eq!(peak(&host.play(LONGEST, &[])[0]), 0.0);
    sound(&host, &[controller(66, 127), on(60), off(60)]);
    assert_eq!(peak(&host.play(LONGEST, &[])[0]), 0.0);
}

fn a_released_member_keeps_its_bend<H: Host>() {
    let play = |next: &[Input]| {
        let host = H::new();
        host.automate(&[("Match", 0.0), ("MPE", 1.0), ("Amp release", 0.8)]);
        sound(&host, &[&[on(60), bend(0.1), off(60)], next].concat())
    };
    // As many blocks.
    let other = Input::Bend {
        channel: CHANNEL + 1,
        value: 1.0,
    };
    let kept = play(&[other]);
    assert!(peak(&kept[0]) > 1e-3, "{}: it rings on", H::NAME);
    assert!(play(&[bend(-1.0)]) == kept);
}

/// The bend range, and a zone of MPE.
fn registered_parameters_are_heard<H: Host>() {
    let cycles = |inputs: &[Input]| {
        let host = H::new();
        host.automate(&[("Match", 0.0), ("Cutoff", 0.3)]);
        let [left, _] = sound(&host, &[inputs, &[on(57), bend(1.0)]].concat());
        crossings(&left)
    };
    let set = |number, value| {
        [
            controller(101, 0),
            controller(100, number),
            controller(6, value),
        ]
    };
    let (plain, octave) = (cycles(&[]), cycles(&set(0, 12)));
    assert!(2 * octave > 3 * plain, "{}: {octave}, {plain}", H::NAME);
    let zone = [101, 100, 6].into_iter().zip([0, 6, 15]);
    let zone = zone.map(|(number, value)| Input::Controller {
        channel: 0,
        number,
        value,
    });
    let four_octaves = cycles(&zone.collect::<Vec<_>>());
    assert!(four_octaves > 2 * octave, "{four_octaves}, {octave}");
}
