//! The generators, heard through the whole voice with the filter off.

use crate::{Note, Patch, params, render};
use std::f64::consts::TAU;

const RATE: f64 = 48_000.0;
const KEY: f32 = 57.0;

/// Oscillator 1 alone, a sine at full level.
fn sine() -> Patch {
    with(
        &Patch::default(),
        &[
            (params::OSC1_SHAPE, 0.0),
            (params::OSC2_SHAPE, 0.0),
            (params::OSC2_DETUNE, 0.0),
            (params::OSC_BALANCE, 0.0),
            (params::FILTER_TYPE, 4.0),
            (params::AMP_SUSTAIN, 1.0),
        ],
    )
}

fn with(patch: &Patch, rows: &[(usize, f32)]) -> Patch {
    let mut patch = *patch;
    for &(row, v) in rows {
        patch.set_plain(row, v);
    }
    patch
}

fn hold(patch: &Patch, seed: u64) -> [Vec<f32>; 2] {
    let note = Note {
        onset: 0.0,
        duration: 2.0,
        key: KEY,
        velocity: 1.0,
    };
    render(patch, &[note], 2.0, RATE as f32, seed)
}

/// Amplitude at `ratio` times the note's 220 Hz over the last second.
fn amplitude(x: &[f32], ratio: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    let at = x.len() - RATE as usize;
    for (i, &x) in x[at..].iter().enumerate() {
        let window = 0.5 - 0.5 * (TAU * (i as f64 + 0.5) / RATE).cos();
        let (sin, cos) = (TAU * (220.0 * ratio * i as f64 / RATE).fract()).sin_cos();
        re += window * x as f64 * cos;
        im += window * x as f64 * sin;
    }
    4.0 * re.hypot(im) / RATE
}

fn power(x: &[f32]) -> f64 {
    x[24_000..].iter().map(|&x| (x * x) as f64).sum()
}

#[test]
fn one_voice_of_unison_is_none() {
    let plain = with(&Patch::default(), &[(params::NOISE_LEVEL, 0.3)]);
    let rows = [(params::UNISON_DETUNE, 80.0), (params::UNISON_SPREAD, 1.0)];
    assert!(hold(&plain, 3) == hold(&with(&plain, &rows), 3));
}

#[test]
fn unison_detunes_spreads_and_keeps_the_level() {
    let saw = with(&sine(), &[(params::OSC1_SHAPE, 2.0)]);
    let [one, _] = hold(&saw, 1);
    for count in 2..=7 {
        let rows = [
            (params::UNISON_VOICES, count as f32 - 1.0),
            (params::UNISON_DETUNE, 25.0),
            (params::UNISON_SPREAD, 0.8),
        ];
        let many = with(&saw, &rows);
        let [left, right] = hold(&many, 1);
        let level = 10.0 * ((power(&left) + power(&right)) / (2.0 * power(&one))).log10();
        assert!(level.abs() < 2.0, "{count} copies: {level:.1} dB");
        let apart = left.iter().zip(&right).map(|(l, r)| l - r);
        let apart = power(&apart.collect::<Vec<_>>()) / power(&left);
        assert!(apart > 0.1, "{count} copies: sides differ by {apart}");
        let outer = (25.0f64 / 1200.0).exp2();
        for ratio in [outer, 1.0 / outer] {
            let there = amplitude(&left, 8.0 * ratio) + amplitude(&right, 8.0 * ratio);
            assert!(
                there > 0.2 * amplitude(&one, 8.0),
                "{count} copies: {there}"
            );
        }
        let narrow = with(&many, &[(params::UNISON_SPREAD, 0.0)]);
        let [left, right] = hold(&narrow, 1);
        assert!(left == right, "{count} copies without spread");
    }
}

#[test]
fn ring_gives_sum_and_difference() {
    // A fifth above: 3 / 2 of 220 Hz within the tempered fifth's two cents.
    let rows = [
        (params::OSC2_PITCH, 7.0),
        (params::RING_LEVEL, 0.5),
        (params::OSC_LEVEL, 0.0),
    ];
    let [x, _] = hold(&with(&sine(), &rows), 1);
    let fifth = (7.0f64 / 12.0).exp2();
    for ratio in [fifth - 1.0, fifth + 1.0] {
        let got = amplitude(&x, ratio) / 0.2;
        assert!((got - 0.25).abs() < 0.005, "{got} at {ratio}");
    }
    assert!(amplitude(&x, 1.0) < 1e-4);
}

#[test]
fn fm_has_the_sidebands_of_its_index() {
    // Half a radian: J0 and J1 of 0.5.
    let rows = [
        (params::OSC2_PITCH, 7.0),
        (params::OSC1_FM, 0.5 / std::f32::consts::TAU),
    ];
    let [x, _] = hold(&with(&sine(), &rows), 1);
    let fifth = (7.0f64 / 12.0).exp2();
    for (ratio, want) in [
        (1.0, 0.938_47),
        (1.0 + fifth, 0.242_27),
        (fifth - 1.0, 0.242_27),
    ] {
        let got = amplitude(&x, ratio) / 0.2;
        assert!(
            (got - want).abs() < 0.003,
            "{got} at {ratio}, expected {want}"
        );
    }
}

#[test]
fn retriggered_notes_start_alike_and_free_ones_do_not() {
    let saws = with(
        &Patch::default(),
        &[(params::UNISON_VOICES, 2.0), (params::OSC_PHASE, 0.0)],
    );
    assert!(hold(&saws, 1) != hold(&saws, 2));
    let again = with(&saws, &[(params::OSC_PHASE, 1.0)]);
    assert!(hold(&again, 1) == hold(&again, 2));
}
