//! Loudness and spectrogram of a render.

use realfft::RealFftPlanner;

/// Hz: the rate for which ITU-R BS.1770 gives its filters.
pub const RATE: f32 = 48_000.0;
/// Samples of a momentary loudness, and from one to the next.
const MOMENT: usize = 19_200;
const HOP: usize = 4_800;
/// Samples of a spectrum, and from one to the next.
const WINDOW: usize = 4_096;
const STRIDE: usize = 1_024;
/// Lowest frequency of a spectrum, Hz, its bands in an octave, and all of them.
const LOWEST: f64 = 50.0;
const PER_OCTAVE: usize = 3;
pub const BANDS: usize = 26;
/// Seconds from one spectrum to the next.
pub const STEP: f64 = STRIDE as f64 / RATE as f64;
/// Range of audibility below the loudest band, in dB.
pub const RANGE: f64 = 60.0;
/// Seconds of the spectrogram.
const SECONDS: f64 = 3.5;

/// A stereo render.
pub struct Sound {
    /// Samples of left and right.
    pub sides: [Vec<f32>; 2],
    /// Momentary loudness (ITU-R BS.1770-4), LUFS, every 100 ms.
    moments: Vec<f64>,
    /// Decibels below the loudest band, at most [`RANGE`], by time and band.
    pub image: Vec<f64>,
}

impl Sound {
    /// Measures a render.
    pub fn new(sides: [Vec<f32>; 2]) -> Self {
        Self {
            moments: moments(&sides),
            image: image(&sides, PER_OCTAVE, BANDS, SECONDS),
            sides,
        }
    }

    /// Loudness of the loudest 400 ms, LUFS.
    pub fn loudness(&self) -> f64 {
        self.moments.iter().copied().fold(f64::MIN, f64::max)
    }

    /// Loudness of the last 400 ms.
    pub fn last_loudness(&self) -> f64 {
        *self.moments.last().unwrap()
    }
}

/// Correlation of two spectrograms in decibels.
pub fn likeness(a: &Sound, b: &Sound) -> f64 {
    let mean = |x: &Sound| x.image.iter().sum::<f64>() / x.image.len() as f64;
    let means = [mean(a), mean(b)];
    let [mut both, mut first, mut second] = [0.0; 3];
    for (x, y) in a.image.iter().zip(&b.image) {
        let (x, y) = (x - means[0], y - means[1]);
        both += x * y;
        first += x * x;
        second += y * y;
    }
    both / (first * second).sqrt()
}

fn moments(sides: &[Vec<f32>; 2]) -> Vec<f64> {
    let weighted = sides.each_ref().map(|side| weigh(side));
    let len = weighted[0].len();
    (0..=len.saturating_sub(MOMENT))
        .step_by(HOP)
        .map(|at| {
            let power = |side: &Vec<f64>| -> f64 {
                side[at..at + MOMENT].iter().map(|x| x * x).sum::<f64>() / MOMENT as f64
            };
            let sum: f64 = weighted.iter().map(power).sum();
            -0.691 + 10.0 * sum.max(1e-20).log10()
        })
        .collect()
}

/// The K-weighting: a shelf for the head, then a high-pass.
fn weigh(samples: &[f32]) -> Vec<f64> {
    const SECTIONS: [[f64; 5]; 2] = [
        [
            1.53512485958697,
            -2.69169618940638,
            1.19839281085285,
            -1.69065929318241,
            0.73248077421585,
        ],
        [1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621],
    ];
    let mut out: Vec<f64> = samples.iter().map(|&x| x as f64).collect();
    for [b0, b1, b2, a1, a2] in SECTIONS {
        let [mut s1, mut s2] = [0.0; 2];
        for x in &mut out {
            let y = b0 * *x + s1;
            s1 = b1 * *x - a1 * y + s2;
            s2 = b2 * *x - a2 * y;
            *x = y;
        }
    }
    out
}

/// Mean difference of two spectrograms in decibels, where either is heard: within 40 dB of its
/// loudest.
pub fn difference(a: &Sound, b: &Sound) -> f64 {
    let pairs = a.image.iter().zip(&b.image);
    let heard: Vec<f64> = pairs
        .filter(|(x, y)| x.min(**y) < 40.0)
        .map(|(x, y)| (x - y).abs())
        .collect();
    heard.iter().sum::<f64>() / heard.len() as f64
}

/// Middle of a band of [`Sound::image`], Hz.
pub fn middle(band: usize) -> f64 {
    LOWEST * ((band as f64 + 0.5) / PER_OCTAVE as f64).exp2()
}

/// Decibels below the loudest band, at most [`RANGE`], by time and band.
pub fn image(sides: &[Vec<f32>; 2], per_octave: usize, bands: usize, seconds: f64) -> Vec<f64> {
    let fft = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
    let (mut time, mut bins) = (fft.make_input_vec(), fft.make_output_vec());
    let edge = |band: usize| {
        let hertz = LOWEST * (band as f64 / per_octave as f64).exp2();
        (hertz * WINDOW as f64 / RATE as f64).min((WINDOW / 2) as f64)
    };
    let mut image = Vec::new();
    let len = sides[0].len().min((seconds * RATE as f64) as usize);
    for at in (0..len - WINDOW).step_by(STRIDE) {
        let mut powers = vec![1e-20f64; bands];
        for side in sides {
            for (i, t) in time.iter_mut().enumerate() {
                let turn = std::f32::consts::TAU * i as f32 / WINDOW as f32;
                *t = side[at + i] * (0.5 - 0.5 * turn.cos());
            }
            fft.process(&mut time, &mut bins).unwrap();
            for (band, power) in powers.iter_mut().enumerate() {
                let from = edge(band).ceil() as usize;
                // A band narrower than a bin has the one below it.
                let (from, to) = match edge(band + 1).ceil() as usize {
                    to if to > from => (from, to),
                    to => (to - 1, to),
                };
                *power += bins[from..to]
                    .iter()
                    .map(|bin| bin.norm_sqr() as f64)
                    .sum::<f64>();
            }
        }
        image.extend(powers.iter().map(|power| 10.0 * power.log10()));
    }
    let top = image.iter().copied().fold(f64::MIN, f64::max);
    image.iter_mut().for_each(|db| *db = (top - *db).min(RANGE));
    image
}
