//! A cheap reverberator for training sounds: parallel feedback combs with damping, after Schroeder
//! (1962) and Moorer (1979).

use super::plant::RENDER_RATE;
use rand::Rng;

/// Adds the reverberation of a random room to `audio` at [`RENDER_RATE`]: reverberation time 0.2 to
/// 1.5 s, direct-to-reverberant ratio -3 to 14 dB.
pub fn reverberate(audio: &mut [f32], rng: &mut impl Rng) {
    let t60: f64 = 0.2 * 7.5f64.powf(rng.random());
    let wet = 10f32.powf(rng.random_range(-14.0..3.0) / 20.0) * 0.4;
    let damping: f32 = rng.random_range(0.1..0.7);
    let size: f64 = rng.random_range(0.6..1.6);
    let mut combs: Vec<(Vec<f32>, usize, f32, f32)> =
        [0.0297, 0.0371, 0.0411, 0.0437, 0.0523, 0.0611]
            .iter()
            .map(|seconds| {
                let n = (seconds * size * RENDER_RATE) as usize;
                let gain = 10f64.powf(-3.0 * n as f64 / RENDER_RATE / t60) as f32;
                (vec![0.0; n], 0, gain, 0.0)
            })
            .collect();
    for x in audio.iter_mut() {
        let dry = *x;
        for (line, at, gain, low) in &mut combs {
            let y = line[*at];
            *low += (1.0 - damping) * (y - *low);
            line[*at] = dry + *gain * *low;
            *at = (*at + 1) % line.len();
            *x += wet * y;
        }
    }
}
