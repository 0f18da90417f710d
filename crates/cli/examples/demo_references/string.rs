//! A plucked string: a digital waveguide (Karplus and Strong 1983, Jaffe and Smith 1983) with two
//! polarisations, a plucking point, damping by the next note, and the resonances of a wooden body.

use crate::MODEL_RATE;
use crate::dsp::{Delay, Noise, OnePole, Resonance};
use crate::melody::{Melody, Note};
use std::f64::consts::PI;

/// Polarisations: detuning in cents, decay to -60 dB in seconds at 220 Hz, level.
const POLARISATIONS: [(f64, f64, f64); 2] = [(0.0, 2.4, 0.7), (0.9, 4.5, 0.3)];
/// Decay to -60 dB under the damping finger, in seconds.
const DAMPED: f64 = 0.09;
/// Corner of the loss at every reflection, in Hz.
const LOSS: f64 = 11_000.0;
/// Plucking point, as a share of the string from the bridge.
const POINT: f64 = 0.17;
/// The body's resonances: Hz, width in Hz, level.
const BODY: [(f64, f64, f64); 5] = [
    (104.0, 12.0, 0.9),
    (207.0, 16.0, 1.0),
    (292.0, 24.0, 0.5),
    (415.0, 30.0, 0.6),
    (687.0, 60.0, 0.35),
];

/// Plays `melody`, dry, at the models' rate.
pub fn play(melody: &Melody) -> Vec<f64> {
    let mut sound = vec![0.0; (melody.seconds * MODEL_RATE) as usize];
    for (i, note) in melody.notes.iter().enumerate() {
        let first = (melody.time(note.beat) * MODEL_RATE) as usize;
        let damped = (note.beats * melody.beat * MODEL_RATE) as usize;
        let excitation = excitation(note, i as u64);
        for (cents, decay, level) in POLARISATIONS {
            let hz = note.hz() * 2f64.powf(cents / 1200.0);
            // Thinner strings ring shorter.
            let ring = decay * (220.0 / hz).sqrt();
            vibrate(&excitation, hz, ring, damped, level, &mut sound[first..]);
        }
    }
    body(&sound)
}

/// Two periods of noise, softer and darker for soft notes, with the comb of the plucking point.
fn excitation(note: &Note, seed: u64) -> Vec<f64> {
    let period = MODEL_RATE / note.hz();
    let mut noise = Noise::new(seed);
    let (mut first, mut second) = (OnePole::default(), OnePole::default());
    let pole = OnePole::pole(900.0 + 4_200.0 * note.velocity * note.velocity);
    let raw: Vec<f64> = (0..period as usize)
        .map(|i| {
            // A pulse under the noise: a finger moves the whole string.
            let phase = i as f64 / period;
            let pulse = 1.2 * (2.0 * PI * phase).sin() * (1.0 - phase);
            note.velocity * second.next(first.next(0.9 * noise.next() + pulse, pole), pole)
        })
        .collect();
    let point = (POINT * period) as usize;
    (0..raw.len() + point)
        .map(|i| {
            let direct = raw.get(i).unwrap_or(&0.0);
            let reflected = i
                .checked_sub(point)
                .and_then(|i| raw.get(i))
                .unwrap_or(&0.0);
            direct - 0.85 * reflected
        })
        .collect()
}

/// Adds the string's motion at the bridge to `out`; from sample `damped` on a finger damps it.
fn vibrate(excitation: &[f64], hz: f64, ring: f64, damped: usize, level: f64, out: &mut [f64]) {
    let pole = OnePole::pole(LOSS);
    let period = MODEL_RATE / hz;
    let length = period - OnePole::delay(pole, hz);
    let mut line = Delay::new(length as usize + 2);
    let mut loss = OnePole::default();
    let gain = |seconds: f64| 10f64.powf(-3.0 / (hz * seconds));
    for (i, out) in out.iter_mut().enumerate() {
        let gain = if i < damped { gain(ring) } else { gain(DAMPED) };
        let back = gain * loss.next(line.read(length - 1.0), pole);
        let x = excitation.get(i).unwrap_or(&0.0) + back;
        line.write(x);
        *out += level * x;
    }
}

/// The sound of the body around the string's force on the bridge.
fn body(bridge: &[f64]) -> Vec<f64> {
    let mut modes = BODY.map(|(hz, width, level)| (Resonance::new(hz, width), level));
    bridge
        .iter()
        .map(|&x| {
            let ringing: f64 = modes
                .iter_mut()
                .map(|(mode, level)| *level * mode.next(x))
                .sum();
            0.75 * x + ringing
        })
        .collect()
}
