//! A reed pipe: a cylindrical bore closed by a reed, as a digital waveguide (Smith 1986), played in
//! one breath with vibrato and breath noise.

use crate::MODEL_RATE;
use crate::dsp::{Delay, Noise, OnePole};
use crate::melody::Melody;
use std::f64::consts::PI;

/// Corner of the reflection at the open end, in Hz.
const END: f64 = 3_200.0;
/// Share of the pressure that the open end reflects.
const REFLECTION: f64 = 0.95;
/// The reed: reflection at rest, and its fall with the pressure difference.
const REED: (f64, f64) = (0.7, -0.34);
/// Vibrato: rate in Hz, depth in cents, and seconds until it is there.
const VIBRATO: (f64, f64, f64) = (5.1, 14.0, 0.45);
/// Time constants of the fingers and of the breath in seconds.
const FINGERS: f64 = 0.006;
const BREATH: f64 = 0.007;
/// Depth of the tongue's dip in the breath between notes, and its length in seconds.
const TONGUE: (f64, f64) = (0.32, 0.04);
/// Noise in the breath, relative to its pressure.
const NOISE: f64 = 0.07;

/// Plays `melody`, dry, at the models' rate.
pub fn play(melody: &Melody) -> Vec<f64> {
    let samples = (melody.seconds * MODEL_RATE) as usize;
    let pole = OnePole::pole(END);
    let smooth = |seconds: f64| (-1.0 / (seconds * MODEL_RATE)).exp();
    let (fingers, lungs) = (smooth(FINGERS), smooth(BREATH));
    let (mut pitch, mut breath) = (OnePole::default(), OnePole::default());
    let mut bore = Delay::new((MODEL_RATE / 100.0) as usize);
    let (mut end, mut hiss, mut bell) =
        (OnePole::default(), OnePole::default(), OnePole::default());
    let mut swell = OnePole::default();
    let mut noise = Noise::new(7);
    let first = melody.notes[0].hz().log2();
    (0..samples)
        .map(|i| {
            let time = i as f64 / MODEL_RATE;
            let begun = |beat: f64| melody.time(beat) <= time;
            let note = melody.notes.iter().rev().find(|n| begun(n.beat));
            let note = note.unwrap_or(&melody.notes[0]);
            let since = time - melody.time(note.beat);
            let until = melody.time(note.beat + note.beats) - time;

            let depth = VIBRATO.1 * (since / VIBRATO.2).clamp(0.0, 1.0);
            let vibrato = (2.0 * PI * VIBRATO.0 * time).sin();
            // Relative to the first note, where the filter's memory starts.
            let octaves = pitch.next(note.hz().log2() - first, fingers);
            let hz = 2f64.powf(first + octaves + depth * vibrato / 1200.0);

            let sounding = since >= 0.0 && until > 0.0;
            // The tongue holds the breath back for a moment; the first note it releases.
            let tongue = match since < TONGUE.1 {
                true if note.beat == 0.0 => 1.0 + TONGUE.0,
                true => 1.0 - TONGUE.0,
                false => 1.0,
            };
            let wanted = 0.54 + 0.30 * note.velocity;
            let wanted = if sounding { wanted * tongue } else { 0.0 };
            let pressure = breath.next(wanted, lungs) * (1.0 + 0.02 * vibrato);
            let hiss = hiss.next(noise.next(), OnePole::pole(6_000.0));
            let pressure = pressure * (1.0 + NOISE * hiss);

            let delay = 0.5 * MODEL_RATE / hz - OnePole::delay(pole, hz);
            let back = -REFLECTION * end.next(bore.read(delay - 1.0), pole);
            let difference = back - pressure;
            let reflected = (REED.0 + REED.1 * difference).clamp(-1.0, 1.0);
            let forward = pressure + difference * reflected;
            bore.write(forward);
            // What the open end lets out: high frequencies more than low ones.
            let radiated = 0.35 * forward + (forward - bell.next(forward, OnePole::pole(1_500.0)));
            radiated * swell.next(note.velocity, lungs)
        })
        .collect()
}
