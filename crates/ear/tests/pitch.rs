//! Pitch and gate on tones whose pitch is known exactly. Foreign instruments:
//! `examples/pitch_table.rs`.

use ear::{Ear, EarConfig, FRAME_SECONDS, PITCH_DELAY, PitchFrame, Preset, key_to_hz, spectrogram};
use std::f64::consts::TAU;

/// Number of frames after which a tone must be found: 48 ms.
const SETTLED: usize = 6;

fn pitch(preset: Preset, rate: f64, native_rate: bool, sound: &[f32]) -> Vec<PitchFrame> {
    let config = EarConfig {
        preset,
        native_rate,
        ..EarConfig::default()
    };
    spectrogram(&config, sound, rate, true).unwrap().pitch
}

/// Partials with the amplitudes of `partials`, below half the rate.
fn tone(rate: f64, hz: f64, seconds: f64, partials: &[f64]) -> Vec<f32> {
    (0..(rate * seconds) as usize)
        .map(|n| {
            let sum: f64 = partials
                .iter()
                .enumerate()
                .map(|(k, a)| (hz * (k + 1) as f64, a))
                .filter(|(f, _)| *f < 0.45 * rate)
                .map(|(f, a)| a * (TAU * f * n as f64 / rate).sin())
                .sum();
            (0.2 * sum) as f32
        })
        .collect()
}

fn white(samples: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..samples)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 8) as f32 / 8_388_608.0 - 1.0) * 0.5
        })
        .collect()
}

#[test]
fn tones_are_found_over_the_whole_range() {
    let saw: Vec<f64> = (1..40).map(|k| 1.0 / f64::from(k)).collect();
    let hollow: Vec<f64> = (1..40)
        .map(|k| if k % 2 == 1 { 1.0 / f64::from(k) } else { 0.0 })
        .collect();
    let bright = [0.3, 1.0, 0.6, 0.3, 0.2, 0.1];
    for (preset, rate, native) in [
        (Preset::Nsl16k, 16_000.0, false),
        (Preset::Nsl16k, 44_100.0, false),
        (Preset::Nsl8k, 48_000.0, false),
        (Preset::Wide, 44_100.0, false),
        (Preset::Nsl16k, 11_025.0, true),
        (Preset::Wide, 192_000.0, true),
    ] {
        for (name, partials) in [
            ("sine", &[1.0][..]),
            ("saw", &saw),
            ("hollow", &hollow),
            ("bright", &bright),
        ] {
            // From a five-string bass to a piccolo, where the filters' rate is the preset's.
            let highest = if native || preset == Preset::Nsl8k {
                93
            } else {
                108
            };
            for key in 23..=highest {
                let hz = key_to_hz(f64::from(key));
                let settled = SETTLED.max((3.0 / hz / FRAME_SECONDS).ceil() as usize);
                let seconds = FRAME_SECONDS * (settled + 9) as f64;
                let frames = pitch(preset, rate, native, &tone(rate, hz, seconds, partials));
                for (i, frame) in frames.iter().enumerate().skip(settled).take(6) {
                    let cents = 1200.0 * (f64::from(frame.hz) / hz).log2();
                    assert!(
                        frame.voiced && cents.abs() < 25.0,
                        "{preset} {rate} {name} {hz:.1} Hz, frame {i}: {frame:?}, {cents:.0} cents"
                    );
                }
            }
        }
    }
}

#[test]
fn noise_is_not_a_tone() {
    let frames = pitch(Preset::Nsl16k, 16_000.0, false, &white(160_000));
    let voiced = frames.iter().filter(|f| f.voiced).count();
    assert!(voiced * 100 < frames.len(), "{voiced} of {}", frames.len());
}

#[test]
fn the_gate_closes_on_silence_and_not_on_soft_sound() {
    // 250 Hz: whole periods in a frame, so the level is exact.
    let mut sound = tone(16_000.0, 250.0, 0.3, &[1.0]);
    let ends = sound.len() / 128;
    sound.extend([0.0; 8000]);
    let frames = pitch(Preset::Nsl16k, 16_000.0, false, &sound);
    assert!(frames[SETTLED..ends - 1].iter().all(|f| f.voiced));
    assert!(frames[ends + 1..].iter().all(|f| !f.voiced));
    // A sine of amplitude 0.2 has -16.99 dBFS.
    assert!((frames[20].level_db + 16.99).abs() < 0.05);
    let voiced = |gain: f32| -> Vec<bool> {
        let soft: Vec<f32> = sound.iter().map(|x| x * gain).collect();
        let frames = pitch(Preset::Nsl16k, 16_000.0, false, &soft);
        frames.iter().map(|f| f.voiced).collect()
    };
    // -77 dBFS is heard, -117 dBFS is nothing.
    assert_eq!(voiced(1e-3), voiced(1.0));
    assert!(voiced(1e-5).iter().all(|v| !v));
}

/// The tones of a frame: one is the pitch, over the whole range and above thumps.
#[test]
fn a_frames_tones_contain_its_pitch() {
    for key in 23..=108 {
        let hz = key_to_hz(f64::from(key));
        let mut sound = tone(44_100.0, hz, 0.4, &[0.6, 1.0, 0.5, 0.3, 0.2]);
        if key > 70 {
            // As loud as the tone.
            let thump = tone(44_100.0, 70.0, 0.4, &[0.8]);
            sound.iter_mut().zip(&thump).for_each(|(x, t)| *x += t);
        }
        let frames = pitch(Preset::Nsl16k, 44_100.0, false, &sound);
        for frame in &frames[16..30] {
            let near = |t: &&ear::Tone| (1200.0 * (f64::from(t.hz) / hz).log2()).abs() < 20.0;
            let own = frame.tones.iter().find(near);
            assert!(own.is_some_and(|t| t.clarity > 0.9), "{key}: {frame:?}");
        }
        let tones = frames[20].tones.iter().take_while(|t| t.clarity > 0.0);
        let tones: Vec<_> = tones.collect();
        let ordered = |w: &[&ear::Tone]| w[0].hz > w[1].hz && w[0].clarity < w[1].clarity;
        assert!(tones.windows(2).all(ordered), "{tones:?}");
    }
    let silence = pitch(Preset::Nsl16k, 44_100.0, false, &vec![0.0; 44_100]);
    assert!(
        silence
            .iter()
            .all(|f| f.tones == [ear::Tone::default(); ear::TONES])
    );
}

/// Two tones of `keys` in turn; each fades by 6 dB in `fade` seconds from the end of its turn on.
fn ringing(keys: [u8; 2], turn: f64, fade: f64) -> Vec<f32> {
    let rate = 16_000.0;
    let mut sound = vec![0.0; (2.0 * turn * rate) as usize];
    for (i, key) in keys.into_iter().enumerate() {
        let hz = key_to_hz(f64::from(key));
        let start = (i as f64 * turn * rate) as usize;
        for (n, y) in sound[start..].iter_mut().enumerate() {
            let t = n as f64 / rate;
            // A slow attack, as of a flute.
            let gain = (t / 0.04).min(1.0) * 0.5f64.powf(((t - turn) / fade).max(0.0));
            let partials = (1..=4).map(|k| (TAU * hz * f64::from(k) * t).sin() / f64::from(k * k));
            *y += (0.2 * gain * partials.sum::<f64>()) as f32;
        }
    }
    sound
}

/// A slurred note is reported from its beginning, though the one before rings on, louder at first.
#[test]
fn a_note_is_reported_from_its_start_while_the_one_before_rings() {
    let (turn, mut wrong, mut frames) = (0.32, 0, 0);
    for low in (40..=88).step_by(4) {
        for keys in [
            [low, low + 5],
            [low + 5, low],
            [low, low + 2],
            [low + 4, low],
        ] {
            let heard = pitch(Preset::Nsl16k, 16_000.0, false, &ringing(keys, turn, 0.02));
            for (i, frame) in heard.iter().enumerate().skip(2) {
                let key = keys[usize::from((i + 1) as f64 * FRAME_SECONDS > turn + 1e-9)];
                let hz = key_to_hz(f64::from(key));
                let cents = 1200.0 * (f64::from(frame.hz) / hz).log2();
                frames += 1;
                wrong += usize::from(!frame.voiced || cents.abs() > 50.0);
            }
        }
    }
    println!("{wrong} of {frames} frames are wrong");
    assert!(wrong * 50 < frames, "{wrong} of {frames} frames are wrong");
}

/// Live, a frame comes with the pitch of the frame the declared delay before.
#[test]
fn live_pitch_is_late_by_the_declared_delay() {
    let config = EarConfig::default();
    let mut sound = vec![0.0; 128 * 40];
    sound.extend(tone(16_000.0, 440.0, 0.3, &[1.0]));
    let mut ear = Ear::new(&config, 16_000.0, true).unwrap();
    let delay = ear.pitch_delay();
    assert_eq!(delay, (PITCH_DELAY * ear.frame_rate()).round() as usize);
    let mut levels = Vec::new();
    let mut live = Vec::new();
    ear.process(&sound, |frame| {
        levels.push(frame.level_db);
        live.push(frame.pitch);
    });
    let clip = pitch(Preset::Nsl16k, 16_000.0, false, &sound);
    let reported = live.len() - delay;
    assert_eq!(live[delay..], clip[..reported]);
    for (frame, level) in clip.iter().zip(levels) {
        assert_eq!(frame.level_db, level);
    }
    assert_eq!(clip.iter().position(|f| f.voiced), Some(40));
}
