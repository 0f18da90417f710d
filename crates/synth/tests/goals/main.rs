//! The voice's rows of the goals, measured on 32-bit float files as `mirrornet render` writes them
//! (48 kHz, the init patches of assets/patches) and printed next to their goals:
//! `cargo test -p synth --test goals -- --nocapture --test-threads 1`. With `UPDATE_PICTURES=1` it
//! also draws assets/voice.

mod judgement;
mod measure;
mod patches;
mod picture;
mod playing;
mod sound;
mod spectrum;

use spectrum::{Spectrum, cents};
use std::path::Path;
use synth::{Event, EventKind, Note, PARAMS, Param, Patch, Section, Synth, params};

const RATE: f64 = 48_000.0;
/// A, A, E flat, E flat, C: 55 Hz steps up to where the saw has five harmonics.
const NOTES: [u8; 5] = [33, 45, 87, 99, 108];
/// Samples measured, after the first second.
const LENGTH: usize = 1 << 17;

fn key_to_hertz(key: f64) -> f64 {
    440.0 * ((key - 69.0) / 12.0).exp2()
}

fn patch(name: &str) -> Patch {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/patches");
    let text = std::fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    Patch::from_json(&text).unwrap().0
}

/// Renders a held note into a float file and reads its left channel from the first second on.
fn render(name: &str, patch: &Patch, key: f32) -> Vec<f32> {
    let seconds = 1.0 + LENGTH as f64 / RATE;
    let note = Note {
        onset: 0.0,
        duration: seconds,
        key,
        velocity: 0.8,
    };
    let sides = synth::render(patch, &[note], seconds, RATE as f32, 1);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{key}.wav"));
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE as u32,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for (l, r) in sides[0].iter().zip(&sides[1]) {
        writer.write_sample(*l).unwrap();
        writer.write_sample(*r).unwrap();
    }
    writer.finalize().unwrap();
    let mut reader = hound::WavReader::open(&path).unwrap();
    let samples: Vec<f32> = reader.samples::<f32>().map(Result::unwrap).collect();
    samples[2 * RATE as usize..]
        .iter()
        .copied()
        .step_by(2)
        .collect()
}

fn row(what: &str, got: f64, goal: f64, unit: &str) -> bool {
    let met = got <= goal;
    let verdict = if met { "met" } else { "MISSED" };
    println!("{what:<46} {got:>9.3} {unit:<5} goal {goal:>8.3}  {verdict}");
    met
}

fn peak(x: &[f32]) -> f64 {
    x.iter().fold(0.0f32, |p, x| p.max(x.abs())) as f64
}

#[test]
fn saw_is_clean_level_and_in_tune() {
    let init_saw = patch("init-saw");
    let mut met = true;
    for (key, goal) in NOTES
        .into_iter()
        .zip([-100.0, -112.0, -142.0, -142.0, -142.0])
    {
        let hertz = key_to_hertz(key.into());
        let x = render("init-saw", &init_saw, key.into());
        let spectrum = Spectrum::new(&x[..LENGTH], RATE);
        let between = spectrum.between(hertz);
        met &= row(
            &format!("saw, note {key}: between the harmonics"),
            between,
            goal,
            "dB",
        );
        if key > 33 && std::env::var_os("UPDATE_PICTURES").is_some() {
            let title = format!(
                "init-saw, note {key} ({hertz:.1} Hz): {between:.1} dB between the harmonics"
            );
            picture::spectrum(&format!("init-saw-{key}"), &title, &spectrum, hertz, RATE);
        }
        let fundamental = spectrum.component(hertz);
        let worst = (1..=(16_000.0 / hertz) as usize)
            .map(|k| {
                let level = spectrum.component(k as f64 * hertz) / fundamental;
                (10.0 * level.log10() + 20.0 * (k as f64).log10()).abs()
            })
            .fold(0.0, f64::max);
        met &= row(
            &format!("saw, note {key}: harmonic level"),
            worst,
            0.05,
            "dB",
        );
        let off = cents(&x, hertz, RATE).abs();
        met &= row(&format!("saw, note {key}: pitch"), off, 0.01, "cents");
        let unit: Vec<f32> = (0..LENGTH)
            .map(|i| (std::f64::consts::TAU * (hertz * i as f64 / RATE).fract()).sin() as f32)
            .collect();
        // A saw's fundamental is 2 / pi of its height.
        let amplitude = (fundamental / Spectrum::new(&unit, RATE).component(hertz)).sqrt();
        let db = 20.0 * (amplitude * std::f64::consts::FRAC_PI_2).log10();
        met &= row(
            &format!("saw, note {key}: |level + 6 dBFS|"),
            (db + 6.0206).abs(),
            0.1,
            "dB",
        );
    }
    assert!(met);
}

#[test]
fn pulses_are_clean() {
    let mut met = true;
    for width in [0.5, 0.7, 0.95] {
        let mut pulse = patch("init-saw");
        pulse.set_plain(params::OSC1_SHAPE, 3.0);
        pulse.set_plain(params::OSC1_WIDTH, width);
        let mut worst = f64::MIN;
        for key in NOTES {
            let x = render(&format!("pulse-{width}"), &pulse, key.into());
            let residue = Spectrum::new(&x[..LENGTH], RATE).between(key_to_hertz(key.into()));
            worst = worst.max(residue);
        }
        met &= row(
            &format!("pulse of width {width}: between"),
            worst,
            -80.0,
            "dB",
        );
    }
    assert!(met);
}

#[test]
fn hard_sync_is_clean() {
    let mut met = true;
    for (shape, name) in [
        (0.0, "sine"),
        (1.0, "triangle"),
        (2.0, "saw"),
        (3.0, "pulse"),
    ] {
        for semitones in [0.1, 7.0, 19.3, 31.0, 48.0] {
            let mut synced = patch("init-saw");
            synced.set_plain(params::OSC1_SHAPE, shape);
            synced.set_plain(params::OSC1_WIDTH, 0.7);
            synced.set_plain(params::OSC1_SYNC, semitones);
            synced.set_plain(params::LEVEL, -6.0);
            let mut worst = f64::MIN;
            for key in NOTES {
                let x = render(&format!("sync-{name}-{semitones}"), &synced, key.into());
                let hertz = key_to_hertz(key.into());
                let spectrum = Spectrum::new(&x[..LENGTH], RATE);
                // A wave that runs beyond Nyquist all but vanishes: it is compared with the
                // unsynced one instead of its own strongest harmonic.
                let beyond = hertz * (semitones as f64 / 12.0).exp2() > 0.5 * RATE;
                let reference = if beyond {
                    let mut plain = synced;
                    plain.set_plain(params::OSC1_SYNC, 0.0);
                    let x = render(&format!("unsynced-{name}"), &plain, key.into());
                    Spectrum::new(&x[..LENGTH], RATE).component(hertz)
                } else {
                    spectrum.strongest_harmonic(hertz)
                };
                let residue = 10.0 * (spectrum.rest(hertz) / reference).log10();
                worst = worst.max(residue);
            }
            let what = format!("{name} synced {semitones} semitones up: between");
            met &= row(&what, worst, -80.0, "dB");
        }
    }
    assert!(met);
}

#[test]
fn self_oscillation_is_in_tune() {
    let mut met = true;
    for (name, kind) in [("ladder", 1.0), ("SVF 12", 2.0), ("SVF 24", 3.0)] {
        let mut patch = patch("init-self-oscillation");
        patch.set_plain(params::FILTER_TYPE, kind);
        for (key, octave, goal) in [
            (33, 0, 1.0),
            (45, 0, 1.0),
            (57, 0, 1.0),
            (69, 0, 1.0),
            (81, 0, 1.0),
            (93, 0, 1.0),
            (105, 0, 1.0),
            (117, 0, 1.0),
            (117, 1, 3.0),
        ] {
            let mut patch = patch;
            let cutoff = patch.plain(params::FILTER_CUTOFF) * (octave + 1) as f32;
            patch.set_plain(params::FILTER_CUTOFF, cutoff);
            let hertz = key_to_hertz((key + 12 * octave).into());
            let x = render("init-self-oscillation", &patch, key as f32);
            let what = format!("{name} sings at {hertz:.0} Hz");
            met &= row(&what, cents(&x, hertz, RATE).abs(), goal, "cents");
            let db = 20.0 * peak(&x).log10();
            met &= row(
                &format!("{what}: |level + 12 dBFS|"),
                (db + 12.0).abs(),
                1.5,
                "dB",
            );
        }
    }
    assert!(met);
}

/// Moves that add partials by themselves.
const PARTIALS: &[usize] = &[
    params::OSC1_SHAPE,
    params::OSC1_WIDTH,
    params::OSC1_FM,
    params::OSC1_SYNC,
    params::OSC2_SHAPE,
    params::OSC2_WIDTH,
    params::NOISE_LEVEL,
    params::FILTER_DRIVE,
    params::FILTER_FM,
];

/// Level of a held 220 Hz note above 4 kHz while `before` becomes `after` in 20 ms, in the worst 10
/// ms; in dB relative to the whole note.
fn zipper(before: &Patch, after: &Patch) -> f64 {
    let mut synth = Synth::new(RATE as f32);
    synth.set_patch(before, 0.0);
    let on = Event {
        time: 0,
        kind: EventKind::NoteOn {
            id: -1,
            channel: 0,
            key: 57.0,
            velocity: 0.8,
        },
    };
    let [mut left, mut right] = [vec![0.0; 24_003], vec![0.0; 24_003]];
    synth.process(&mut left, &mut right, &[on]);
    synth.set_patch(after, 0.02);
    synth.process(&mut left, &mut right, &[]);
    // Against the louder of the sines before and after: one of them may be silent.
    let [mut loudest, mut worst] = [0.0f64; 2];
    for window in left[..9_600].windows(480).step_by(120) {
        let spectrum = Spectrum::new(window, RATE);
        loudest = loudest.max(spectrum.above(0.0));
        worst = worst.max(spectrum.above(4_000.0));
    }
    10.0 * (worst / loudest).log10()
}

/// The mix of the effect that a parameter belongs to.
fn heard_by(param: &Param) -> Option<usize> {
    match param.section {
        Section::Chorus => Some(params::CHORUS_MIX),
        Section::Delay => Some(params::DELAY_MIX),
        Section::Reverb => Some(params::REVERB_MIX),
        _ => None,
    }
}

#[test]
fn jumps_of_knobs_leave_no_zipper_noise() {
    let sine = open_sine();
    let mut met = true;
    for (index, param) in PARAMS.iter().enumerate() {
        if param.is_stepped() || PARTIALS.contains(&index) {
            continue;
        }
        for (from, to) in [(0.0, 1.0), (1.0, 0.0)] {
            // The knob's own end is where it starts; the plugin's knobs take 20 ms.
            let mut sine = sine;
            if let Some(mix) = heard_by(param) {
                sine.set(mix, 0.5);
            }
            let (mut before, mut after) = (sine, sine);
            before.set(index, from);
            after.set(index, to);
            let worst = zipper(&before, &after);
            if worst > -75.0 || index == params::FILTER_CUTOFF || heard_by(param).is_some() {
                met &= row(
                    &format!("{} {from} to {to}: above 4 kHz", param.id),
                    worst,
                    -60.0,
                    "dB",
                );
            }
        }
    }
    assert!(met);
}

/// A sine through an open filter, 220 Hz at note 57.
fn open_sine() -> Patch {
    let mut sine = patch("init-saw");
    for (row, v) in [
        (params::OSC1_SHAPE, 0.0),
        (params::OSC2_SHAPE, 0.0),
        (params::FILTER_TYPE, 0.0),
        (params::FILTER_CUTOFF, 18_000.0),
        (params::FILTER_RESONANCE, 0.0),
        (params::LEVEL, 0.0),
    ] {
        sine.set_plain(row, v);
    }
    sine
}

#[test]
fn jumps_of_matrix_amounts_leave_no_zipper_noise() {
    let mut met = true;
    for (destination, name) in params::DESTINATIONS.iter().enumerate() {
        if ["shape", "width", "FM", "Noise", "Drive", "to cutoff"]
            .iter()
            .any(|adds| name.contains(adds))
        {
            continue;
        }
        for (from, to) in [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)] {
            let [mut before, mut after] = [open_sine(); 2];
            for (patch, amount) in [(&mut before, from), (&mut after, to)] {
                patch.set_plain(params::MOD1_SOURCE, 1.0);
                patch.set_plain(params::MOD1_AMOUNT, amount);
                patch.set_plain(params::MOD1_DEST, destination as f32);
            }
            let worst = zipper(&before, &after);
            if worst > -75.0 {
                let what = format!("{name} modulated by {from}, then {to}");
                met &= row(&what, worst, -60.0, "dB");
            }
        }
    }
    assert!(met);
}

#[test]
fn cutoff_modulated_at_audio_rate_stays_bounded() {
    stays_bounded(2.0);
}

#[test]
#[ignore = "long: run by cargo xtask test --long"]
fn cutoff_modulated_at_audio_rate_stays_bounded_for_a_minute() {
    stays_bounded(60.0);
}

/// Modulates the cutoff by four octaves each way, at frequencies up to almost half the sample rate.
fn stays_bounded(seconds: f64) {
    let mut met = true;
    for rate in [44_100.0f32, 48_000.0, 96_000.0, 192_000.0] {
        for kind in 0..4 {
            let mut patch = patch("init-saw");
            patch.set_plain(params::FILTER_TYPE, kind as f32);
            patch.set_plain(params::FILTER_FM, 48.0);
            patch.set_plain(params::FILTER_RESONANCE, 1.0);
            patch.set_plain(params::FILTER_BOOST, 0.1);
            patch.set_plain(params::OSC2_SHAPE, 0.0);
            patch.set_plain(params::LEVEL, 0.0);
            let mut worst = 0.0f64;
            for (key, pitch) in [(16.0, -24.0), (57.0, 12.0), (105.0, 24.0), (113.5, 24.0)] {
                patch.set_plain(params::OSC2_PITCH, pitch);
                let note = Note {
                    onset: 0.0,
                    duration: seconds,
                    key,
                    velocity: 0.8,
                };
                let [left, _] = synth::render(&patch, &[note], seconds, rate, 1);
                assert!(left.iter().all(|x| x.is_finite()));
                worst = worst.max(peak(&left) / 0.2);
            }
            let what = format!("filter {kind} by +-4 octaves, {rate} Hz, {seconds} s");
            met &= row(&what, worst, 4.0, "x in");
        }
    }
    assert!(met);
}
