//! Tests of chorus, delay and reverb on signals.

use super::*;
use crate::Patch;
use crate::params as p;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Rates from a telephone's up.
const RATES: [f32; 5] = [8_000.0, 16_000.0, 44_100.0, 96_000.0, 192_000.0];

fn patch(rows: &[(usize, f32)]) -> Patch {
    let mut patch = Patch::default();
    for &(row, v) in rows {
        patch.set_plain(row, v);
    }
    patch
}

/// Sends a stereo signal through the effects of a patch.
fn run(effects: &mut Effects, patch: &Patch, input: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let settings = EffectSettings::new(|row| patch.plain(row));
    let mut out = Vec::with_capacity(input.len());
    for step in input.chunks(CONTROL) {
        effects.plan(&settings, 2.0);
        let mut left: Vec<f32> = step.iter().map(|x| x[0]).collect();
        let mut right: Vec<f32> = step.iter().map(|x| x[1]).collect();
        effects.process(&mut left, &mut right);
        out.extend(left.into_iter().zip(right).map(|(l, r)| [l, r]));
    }
    out
}

/// Steps of silence beforehand let the mix arrive.
fn respond(patch: &Patch, rate: f32, input: &[[f32; 2]]) -> Vec<[f32; 2]> {
    let mut effects = Effects::new(rate);
    run(&mut effects, patch, &[[0.0; 2]; 2 * CONTROL]);
    run(&mut effects, patch, input)
}

fn impulse(len: usize) -> Vec<[f32; 2]> {
    let mut input = vec![[0.0; 2]; len];
    input[0] = [1.0, 1.0];
    input
}

fn noise(len: usize) -> Vec<f32> {
    let mut rng = Pcg64Mcg::seed_from_u64(5);
    (0..len).map(|_| rng.random_range(-0.5..0.5)).collect()
}

fn power<'a>(x: impl IntoIterator<Item = &'a f32>) -> f64 {
    x.into_iter().map(|x| (*x as f64).powi(2)).sum()
}

#[test]
fn without_a_mix_nothing_happens() {
    let input: Vec<[f32; 2]> = noise(5_000).iter().map(|&x| [x, 1.3 * x]).collect();
    let mut patch = Patch::default();
    for row in p::CHORUS_RATE..=p::REVERB_MIX {
        patch.set(row, 1.0);
    }
    for row in [p::CHORUS_MIX, p::DELAY_MIX, p::REVERB_MIX] {
        patch.set(row, 0.0);
    }
    assert!(respond(&patch, 48_000.0, &input) == input);
}

#[test]
fn delay_repeats_on_time_and_falls_as_its_feedback_says() {
    let rate = 48_000.0;
    let rows = [
        (p::DELAY_TIME, 0.1),
        (p::DELAY_FEEDBACK, 0.5),
        (p::DELAY_TONE, 18_000.0),
        (p::DELAY_MIX, 1.0),
    ];
    let mut input = impulse(30_000);
    input[0] = [1.0, 0.0];
    for (ping_pong, sides) in [(0.0, [0, 0, 0]), (1.0, [0, 1, 0])] {
        let mut patch = patch(&rows);
        patch.set_plain(p::DELAY_PING_PONG, ping_pong);
        let out = respond(&patch, rate, &input);
        // What the tone control makes of an impulse is 16 samples long.
        let echo = |n: usize, side: usize| -> f32 {
            out[4_800 * n..4_800 * n + 16].iter().map(|x| x[side]).sum()
        };
        assert!(out[1..4_800].iter().flatten().all(|&x| x == 0.0));
        let first = echo(1, 0);
        let whole = if ping_pong == 0.0 { 1.0 } else { 0.5 };
        assert!((first - whole).abs() < 1e-3, "first echo {first}");
        for (n, side) in sides.into_iter().enumerate() {
            let want = first * 0.5f32.powi(n as i32);
            let (got, other) = (echo(n + 1, side), echo(n + 1, 1 - side));
            assert!(
                (got - want).abs() < 2e-3 && other.abs() < 1e-3,
                "{n}: {got}, {want}"
            );
        }
    }
}

/// Seconds in which a burst's reverb falls by 60 dB, from where it has fallen by 5 and by 35
/// (Schroeder's backward integration).
fn decay_time(patch: &Patch, rate: f32, hertz: f32, seconds: f32) -> f32 {
    let mut input = vec![[0.0; 2]; (seconds * rate) as usize];
    let burst = (0.01 * rate) as usize;
    for (i, x) in input[..burst].iter_mut().enumerate() {
        let window = 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / burst as f32).cos();
        *x = [window * (std::f32::consts::TAU * hertz * i as f32 / rate).sin(); 2];
    }
    let out = respond(patch, rate, &input);
    let mut left = 0.0;
    let mut fall: Vec<f64> = out
        .iter()
        .rev()
        .map(|x| {
            left += power(x);
            left
        })
        .collect();
    fall.reverse();
    let whole = fall[2 * burst];
    let when = |db: f64| {
        fall.iter()
            .rposition(|f| *f > whole * 10f64.powf(db / 10.0))
            .unwrap()
    };
    2.0 * (when(-35.0) - when(-5.0)) as f32 / rate
}

#[test]
fn reverb_decays_as_its_knobs_say() {
    for rate in [16_000.0, 48_000.0] {
        for size in [0.0, 0.5, 1.0] {
            for decay in [0.5, 2.0, 6.0] {
                let rows = [
                    (p::REVERB_MIX, 1.0),
                    (p::REVERB_SIZE, size),
                    (p::REVERB_DECAY, decay),
                    (p::REVERB_DAMPING, 0.0),
                ];
                let got = decay_time(&patch(&rows), rate, 400.0, 1.2 * decay);
                println!("size {size}, {rate} Hz: {got:.2} s for {decay} s");
                assert!((got / decay - 1.0).abs() < 0.12, "{got} s, not {decay}");
            }
        }
    }
    let damped = patch(&[(p::REVERB_MIX, 1.0), (p::REVERB_DAMPING, 0.6)]);
    let [low, high] = [200.0, 9_000.0].map(|hertz| decay_time(&damped, 48_000.0, hertz, 2.5));
    println!("damped by 60 %: lows {low:.2} s, highs {high:.2} s");
    assert!((low / 2.0 - 1.0).abs() < 0.15, "lows {low} s");
    assert!(
        (0.3..0.55).contains(&(high / low)),
        "highs {high} s of {low}"
    );
}

#[test]
fn reverb_is_dense_and_wide() {
    let rows = [(p::REVERB_MIX, 1.0), (p::REVERB_DAMPING, 0.2)];
    let out = respond(&patch(&rows), 48_000.0, &impulse(48_000));
    // A quarter of a second in, no 10 ms are empty or stick out.
    let powers: Vec<f64> = out[12_000..24_000]
        .chunks(480)
        .map(|chunk| power(chunk.iter().flatten()))
        .collect();
    for pair in powers.windows(2) {
        assert!((0.2..5.0).contains(&(pair[1] / pair[0])), "{powers:?}");
    }
    let [left, right] = [0, 1].map(|side| power(out.iter().map(|x| &x[side])));
    let both: f64 = out.iter().map(|x| (x[0] * x[1]) as f64).sum();
    let correlation = both / (left * right).sqrt();
    assert!(correlation.abs() < 0.2, "correlation {correlation}");
    assert!(
        (left / right).log2().abs() < 0.4,
        "{left} left, {right} right"
    );
}

#[test]
fn chorus_moves_widens_and_survives_mono() {
    let patch = patch(&[(p::CHORUS_MIX, 0.5), (p::CHORUS_DEPTH, 0.7)]);
    let x = noise(96_000);
    let input: Vec<[f32; 2]> = x.iter().map(|&x| [x, x]).collect();
    let out = respond(&patch, 48_000.0, &input);
    let [left, right] = [0, 1].map(|side| power(out.iter().map(|x| &x[side])));
    let mono: Vec<f32> = out.iter().map(|x| 0.5 * (x[0] + x[1])).collect();
    let side: Vec<f32> = out.iter().map(|x| 0.5 * (x[0] - x[1])).collect();
    let db = |a: f64, b: f64| 10.0 * (a / b).log10();
    let [stereo, dry] = [0.5 * (left + right), power(&x)];
    let lost = db(power(&mono), stereo);
    println!(
        "chorus: {:.1} dB of dry, mono {lost:.1} dB, side {:.1} dB",
        db(stereo, dry),
        db(power(&side), power(&mono))
    );
    assert!(db(stereo, dry).abs() < 2.0, "as loud as without");
    assert!(lost > -2.0, "mono loses {lost} dB");
    assert!(db(power(&side), power(&mono)) > -12.0, "wide");
    // Mono's power hardly moves from moment to moment: no copy cancels another.
    let powers: Vec<f64> = mono[9_600..].chunks(9_600).map(power).collect();
    let [least, most] = [f64::min, f64::max].map(|f| powers.iter().copied().reduce(f).unwrap());
    assert!(db(most, least) < 2.0, "{} dB", db(most, least));
}

#[test]
fn tails_stay_finite_free_of_denormals_and_fall_asleep() {
    let mut long = Patch::default();
    for row in p::CHORUS_RATE..=p::REVERB_MIX {
        long.set(row, 0.5);
    }
    long.set_plain(p::DELAY_SYNC, 0.0);
    long.set_plain(p::DELAY_TIME, 0.02);
    long.set_plain(p::DELAY_FEEDBACK, 0.9);
    long.set_plain(p::REVERB_DECAY, 1.0);
    for rate in RATES {
        let mut effects = Effects::new(rate);
        let mut input = impulse((4.0 * rate) as usize);
        // Left ends before right: its states must not linger.
        for (i, x) in noise((0.2 * rate) as usize).into_iter().enumerate() {
            input[i] = if (i as f32) < 0.1 * rate {
                [x, 0.0]
            } else {
                [0.0, x]
            };
        }
        let out = run(&mut effects, &long, &input);
        for x in out.iter().flatten() {
            assert!(
                x.abs() < 8.0 && (*x == 0.0 || x.abs() > 1e-30),
                "{x} at {rate} Hz"
            );
        }
        assert!(
            out[(0.5 * rate) as usize..]
                .iter()
                .flatten()
                .any(|&x| x != 0.0)
        );
        assert_eq!(out.last(), Some(&[0.0; 2]), "asleep at {rate} Hz");
        assert!(!effects.chorus.awake && !effects.delay.awake && !effects.reverb.awake);
        // Awake again it is as good as new.
        let again = run(&mut effects, &long, &input);
        assert!(again[2 * CONTROL..] == respond(&long, rate, &input)[2 * CONTROL..]);
    }
}

#[test]
fn hostile_input_does_no_lasting_harm() {
    let mut all = Patch::default();
    for row in [p::CHORUS_MIX, p::DELAY_MIX, p::REVERB_MIX] {
        all.set(row, 0.5);
    }
    let mut effects = Effects::new(48_000.0);
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX];
    let input: Vec<[f32; 2]> = (0..400).map(|i| [bad[i % 4], bad[i / 4 % 4]]).collect();
    run(&mut effects, &all, &input);
    let out = run(&mut effects, &all, &vec![[0.1; 2]; 48_000]);
    assert!(out.iter().flatten().all(|x| x.is_finite()));
    assert!(out.last().unwrap()[0].abs() < 1.0);
}
