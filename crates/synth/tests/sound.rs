//! Measurements on renders: pitch, timing, level, the path of every modulation.

use std::f64::consts::TAU;
use synth::{Event, EventKind, Note, Patch, Synth, params, render};

fn patch(rows: &[(usize, f32)]) -> Patch {
    let mut patch = Patch::default();
    for &(row, v) in rows {
        patch.set_plain(row, v);
    }
    patch
}

/// A steady sine through an open filter.
fn sine() -> Patch {
    patch(&[
        (params::OSC1_SHAPE, 0.0),
        (params::OSC_BALANCE, 0.0),
        (params::FILTER_CUTOFF, 18_000.0),
        (params::FILTER_RESONANCE, 0.0),
        (params::FILTER_ENV_AMOUNT, 0.0),
        (params::AMP_SUSTAIN, 1.0),
    ])
}

fn hold(patch: &Patch, key: f32, seconds: f64, rate: f32) -> Vec<f32> {
    let note = Note {
        onset: 0.0,
        duration: seconds,
        key,
        velocity: 1.0,
    };
    let [left, _] = render(patch, &[note], seconds, rate, 1);
    left
}

/// Phase in turns of the component at `hertz` in the Hann-windowed samples `at..at + len`, for a
/// time axis that starts with `x`; and its amplitude.
fn component(x: &[f32], at: usize, len: usize, hertz: f64, rate: f64) -> (f64, f64) {
    let (mut re, mut im) = (0.0, 0.0);
    for i in 0..len {
        let window = 0.5 - 0.5 * (TAU * (i as f64 + 0.5) / len as f64).cos();
        let angle = TAU * (hertz * (at + i) as f64 / rate).fract();
        re += window * x[at + i] as f64 * angle.cos();
        im -= window * x[at + i] as f64 * angle.sin();
    }
    (im.atan2(re) / TAU, 4.0 * re.hypot(im) / len as f64)
}

/// Frequency near `hertz` between two moments, from the phase advance.
fn frequency(x: &[f32], from: usize, to: usize, len: usize, hertz: f64, rate: f64) -> f64 {
    let turn = component(x, to, len, hertz, rate).0 - component(x, from, len, hertz, rate).0;
    let turn = turn - turn.round();
    hertz + turn * rate / (to - from) as f64
}

fn key_to_hertz(key: f32) -> f64 {
    440.0 * ((key as f64 - 69.0) / 12.0).exp2()
}

#[test]
fn pitch_is_within_a_hundredth_of_a_cent() {
    let mut worst = 0.0f64;
    for rate in [44_100.0, 48_000.0, 96_000.0] {
        for key in [21.0, 33.0, 48.3, 57.0, 69.0, 80.77, 96.0, 108.0] {
            let x = hold(&sine(), key, 2.0, rate);
            let (second, hertz) = (rate as usize, key_to_hertz(key));
            let [from, to] = [second / 4, second * 5 / 4];
            let got = frequency(&x, from, to, second / 2, hertz, rate as f64);
            let cents = 1200.0 * (got / hertz).log2();
            worst = worst.max(cents.abs());
            assert!(
                cents.abs() < 0.01,
                "key {key} at {rate} Hz is off by {cents:.4} cents"
            );
        }
    }
    println!("pitch: worst {worst:.5} cents");
}

#[test]
fn bend_tuning_and_master_tune_add_up() {
    let rate = 48_000.0;
    let mut synth = Synth::new(rate);
    let mut tuned = sine();
    tuned.set_plain(params::TUNE, 50.0);
    tuned.set_plain(params::BEND_RANGE, 12.0);
    synth.set_patch(&tuned, 0.0);
    let (id, channel, key) = (-1, 4, 57.0);
    let events = [
        EventKind::NoteOn {
            id,
            channel,
            key,
            velocity: 1.0,
        },
        EventKind::PitchBend {
            channel,
            value: -0.25,
        },
        EventKind::PitchBend {
            channel: 5,
            value: 1.0,
        },
        EventKind::Tuning {
            id,
            channel,
            key,
            semitones: 1.25,
        },
    ]
    .map(|kind| Event { time: 0, kind });
    let [mut left, mut right] = [vec![0.0; 96_000], vec![0.0; 96_000]];
    synth.process(&mut left, &mut right, &events);
    let hertz = key_to_hertz(57.0 + 0.5 - 3.0 + 1.25);
    let got = frequency(&left, 12_000, 60_000, 24_000, hertz, rate as f64);
    assert!(
        (1200.0 * (got / hertz).log2()).abs() < 0.01,
        "{got} Hz, expected {hertz}"
    );
}

#[test]
fn portamento_slides_from_the_last_key() {
    let mut sliding = sine();
    sliding.set_plain(params::GLIDE, 0.5);
    sliding.set_plain(params::AMP_RELEASE, 0.005);
    let note = |onset, key| Note {
        onset,
        duration: 1.0,
        key,
        velocity: 1.0,
    };
    let [x, _] = render(
        &sliding,
        &[note(0.0, 50.0), note(1.0, 62.0)],
        2.0,
        48_000.0,
        1,
    );
    let glide = sliding.plain(params::GLIDE);
    for (seconds, key) in [
        (0.1f64, 50.0),
        (0.8, 50.0),
        (1.0 + 0.5 * glide as f64, 56.0),
        (1.8, 62.0),
    ] {
        let hertz = key_to_hertz(key);
        let at = (seconds * 48_000.0) as usize;
        let got = frequency(&x, at - 960, at - 480, 1_440, hertz, 48_000.0);
        let cents = 1200.0 * (got / hertz).log2();
        assert!(
            cents.abs() < 30.0,
            "after {seconds} s: {cents:.0} cents from key {key}"
        );
    }
    let steady = frequency(&x, 12_000, 24_000, 12_000, key_to_hertz(50.0), 48_000.0);
    assert!(
        (1200.0 * (steady / key_to_hertz(50.0)).log2()).abs() < 0.01,
        "first note glides"
    );
}

/// Largest absolute value around each hop, a hop being 5 ms.
fn contour(x: &[f32]) -> Vec<f32> {
    x.chunks(240)
        .map(|c| c.iter().fold(0.0f32, |p, v| p.max(v.abs())))
        .collect()
}

#[test]
fn amplitude_follows_the_stated_envelope() {
    let mut shaped = sine();
    for (row, v) in [
        (params::AMP_ATTACK, 0.2),
        (params::AMP_DECAY, 0.4),
        (params::AMP_SUSTAIN, 0.5),
        (params::AMP_RELEASE, 0.3),
    ] {
        shaped.set_plain(row, v);
    }
    let note = Note {
        onset: 0.1,
        duration: 1.0,
        key: 81.0,
        velocity: 1.0,
    };
    let [x, _] = render(&shaped, &[note], 1.6, 48_000.0, 1);
    let c = contour(&x);
    let at = |seconds: f64| c[(seconds / 0.005) as usize];
    let peak = c.iter().fold(0.0f32, |p, &v| p.max(v));
    assert_eq!(at(0.09), 0.0, "silent before the note");
    assert!(at(0.11) > 0.0, "sounds from its onset");
    assert!(
        at(0.29) > 0.93 * peak && at(0.27) < 0.97 * peak,
        "peak after the attack"
    );
    let sustain = at(1.0) / peak;
    assert!(
        (sustain - 0.25).abs() < 0.01,
        "sustain 0.5 is a quarter of the amplitude: {sustain}"
    );
    let middle = at(1.25) / at(1.0);
    assert!(
        (20.0 * middle.log10() + 30.0).abs() < 2.0,
        "half the release is -30 dB: {middle}"
    );
    assert_eq!(at(1.41), 0.0, "silent after the release");
}

#[test]
fn velocity_sets_the_level() {
    let level = |amount: f32, velocity: f32| {
        let mut p = sine();
        p.set_plain(params::VELOCITY, amount);
        let note = Note {
            onset: 0.0,
            duration: 0.3,
            key: 60.0,
            velocity,
        };
        contour(&render(&p, &[note], 0.3, 48_000.0, 1)[0])[40]
    };
    assert!((level(1.0, 0.5) / level(1.0, 1.0) - 0.25).abs() < 0.01);
    assert!((level(0.0, 0.1) / level(0.0, 1.0) - 1.0).abs() < 0.01);
}

#[test]
fn default_note_peaks_near_minus_12_dbfs() {
    for key in [36.0, 48.0, 60.0, 72.0, 84.0] {
        let peak = contour(&hold(&Patch::default(), key, 1.0, 48_000.0))
            .into_iter()
            .fold(0.0, f32::max);
        let db = 20.0 * peak.log10();
        assert!(
            (-16.0..-9.0).contains(&db),
            "key {key} peaks at {db:.1} dBFS"
        );
    }
}

/// Amplitudes of harmonics 1 to `n` after a quarter of a second.
fn harmonics(x: &[f32], key: f32, n: usize, rate: f64) -> Vec<f64> {
    let hertz = key_to_hertz(key);
    let at = (0.25 * rate) as usize;
    (1..=n)
        .map(|k| component(x, at, (0.5 * rate) as usize, hertz * k as f64, rate).1)
        .collect()
}

#[test]
fn timbre_follows_the_key_and_ignores_the_sample_rate() {
    let mut p = patch(&[
        (params::OSC_BALANCE, 0.0),
        (params::FILTER_CUTOFF, 800.0),
        (params::FILTER_RESONANCE, 0.5),
        (params::HIGHPASS_CUTOFF, 100.0),
        (params::FILTER_SUSTAIN, 0.2),
        (params::FILTER_DECAY, 0.01),
    ]);
    let reference = harmonics(&hold(&p, 60.0, 1.0, 48_000.0), 60.0, 8, 48_000.0);
    for (key, rate) in [
        (48.0, 48_000.0),
        (72.0, 48_000.0),
        (60.0, 32_000.0),
        (60.0, 192_000.0),
    ] {
        let got = harmonics(&hold(&p, key, 1.0, rate), key, 8, rate as f64);
        for (k, (a, b)) in got.iter().zip(&reference).enumerate() {
            let db = 20.0 * (a / b).log10();
            assert!(
                db.abs() < 1.0,
                "harmonic {} of key {key} at {rate} Hz: {db:.2} dB",
                k + 1
            );
        }
    }
    p.set_plain(params::FILTER_KEYTRACK, 0.0);
    let fixed = harmonics(&hold(&p, 72.0, 1.0, 48_000.0), 72.0, 8, 48_000.0);
    assert!(
        fixed[6] / fixed[0] < 0.3 * reference[6] / reference[0],
        "no tracking: duller above"
    );
}

#[test]
fn oscillator_2_and_sub_sit_where_they_should() {
    let mut p = sine();
    p.set_plain(params::OSC2_SHAPE, 0.0);
    p.set_plain(params::OSC_BALANCE, 0.7);
    p.set_plain(params::OSC2_DETUNE, 20.0);
    p.set_plain(params::SUB_LEVEL, 0.5);
    let x = hold(&p, 60.0, 2.0, 48_000.0);
    // Equal power: balance 0.7 is 63 degrees.
    let [one, two] = [63f64.to_radians().cos(), 63f64.to_radians().sin()];
    for (key, level) in [(60.0, 0.2 * one), (72.2, 0.2 * two), (48.0, 0.1)] {
        let hertz = key_to_hertz(key);
        let amplitude = component(&x, 24_000, 48_000, hertz, 48_000.0).1;
        assert!(
            (amplitude / level - 1.0).abs() < 0.1,
            "key {key}: {amplitude}, expected {level}"
        );
        let got = frequency(&x, 12_000, 60_000, 24_000, hertz, 48_000.0);
        let cents = 1200.0 * (got / hertz).log2();
        assert!(cents.abs() < 0.05, "key {key}: off by {cents} cents");
    }
}

#[test]
fn lfo_swings_pitch_level_and_cutoff() {
    // Vibrato: the deviation seen in short windows spans +-50 cents.
    let mut p = sine();
    p.set_plain(params::LFO_RATE, 2.0);
    p.set_plain(params::LFO_VIBRATO, 50.0);
    let x = hold(&p, 81.0, 2.0, 48_000.0);
    let hertz = key_to_hertz(81.0);
    let deviation = |seconds: f64| {
        let at = (seconds * 48_000.0) as usize;
        let got = frequency(&x, at - 480, at, 480, hertz, 48_000.0);
        1200.0 * (got / hertz).log2()
    };
    // A quarter of the period of 0.5 s, in the middle of the two windows.
    let [up, down] = [deviation(1.125), deviation(1.375)];
    assert!(
        (up - 50.0).abs() < 5.0 && (down + 50.0).abs() < 5.0,
        "{up} {down} cents"
    );

    let mut p = sine();
    p.set_plain(params::LFO_RATE, 2.0);
    p.set_plain(params::LFO_TREMOLO, 1.0);
    p.set_plain(params::LFO_DELAY, 0.5);
    let c = contour(&hold(&p, 81.0, 2.0, 48_000.0));
    let [before, crest, trough] = [c[60], c[225], c[275]];
    assert!(
        (crest / before - 1.0).abs() < 0.02,
        "crest {crest} {before}"
    );
    assert!(trough < 0.02 * before, "trough {trough}");

    let mut p = patch(&[(params::OSC_BALANCE, 0.0), (params::FILTER_CUTOFF, 400.0)]);
    p.set_plain(params::FILTER_ENV_AMOUNT, 0.0);
    p.set_plain(params::AMP_SUSTAIN, 1.0);
    p.set_plain(params::LFO_RATE, 2.0);
    p.set_plain(params::LFO_CUTOFF, 24.0);
    let x = hold(&p, 69.0, 2.0, 48_000.0);
    let fourth = |at| component(&x, at, 2_400, 4.0 * 440.0, 48_000.0).1;
    let [open, closed] = [fourth(52_800), fourth(64_800)];
    assert!(open > 30.0 * closed, "open {open}, closed {closed}");
}

#[test]
fn pan_is_equal_power_and_neutral_in_the_middle() {
    let side = |pan: f32| {
        let mut synth = Synth::new(48_000.0);
        synth.set_patch(&sine(), 0.0);
        let (id, channel, key) = (7, 0, 60.0);
        let events = [
            EventKind::NoteOn {
                id,
                channel,
                key,
                velocity: 1.0,
            },
            EventKind::Pan {
                id,
                channel,
                key,
                pan,
            },
        ]
        .map(|kind| Event { time: 0, kind });
        let [mut left, mut right] = [vec![0.0; 24_000], vec![0.0; 24_000]];
        synth.process(&mut left, &mut right, &events);
        [left, right].map(|x| contour(&x)[80])
    };
    let [l, r] = side(0.0);
    assert_eq!(l, r);
    for pan in [-1.0, -0.4, 0.7, 1.0f32] {
        let [a, b] = side(pan);
        assert!(
            ((a * a + b * b) / (l * l + r * r) - 1.0).abs() < 0.02,
            "power at pan {pan}"
        );
        assert!((b > a) == (pan > 0.0));
    }
}
