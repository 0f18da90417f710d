//! The filters: from the published shape of one channel to digital coefficients.
//!
//! Every channel shares the sixth-order prototype `P(s)`, `s = j f / CF`. The digital filter's
//! impulse response is the prototype's, sampled (impulse invariance). See the crate's documentation
//! for why.

use crate::config::CHANNELS;
use crate::preset::Preset;
use std::sync::OnceLock;

/// Filters of a bank: one more than channels, the last only feeds lateral inhibition.
pub(crate) const FILTERS: usize = CHANNELS + 1;
/// Pole pairs of a filter.
pub(crate) const PAIRS: usize = 3;

/// A complex number; the few operations the design needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Complex {
    pub re: f64,
    pub im: f64,
}

impl Complex {
    pub(crate) const fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }

    pub(crate) fn polar(radius: f64, angle: f64) -> Self {
        Self::new(radius * angle.cos(), radius * angle.sin())
    }

    fn conjugate(self) -> Self {
        Self::new(self.re, -self.im)
    }

    fn norm_sqr(self) -> f64 {
        self.re * self.re + self.im * self.im
    }
}

impl std::ops::Add for Complex {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self::new(self.re + o.re, self.im + o.im)
    }
}

impl std::ops::Sub for Complex {
    type Output = Self;
    fn sub(self, o: Self) -> Self {
        Self::new(self.re - o.re, self.im - o.im)
    }
}

impl std::ops::Mul for Complex {
    type Output = Self;
    fn mul(self, o: Self) -> Self {
        Self::new(
            self.re * o.re - self.im * o.im,
            self.re * o.im + self.im * o.re,
        )
    }
}

impl std::ops::Mul<Complex> for f64 {
    type Output = Complex;
    fn mul(self, o: Complex) -> Complex {
        Complex::new(self * o.re, self * o.im)
    }
}

impl std::ops::Div for Complex {
    type Output = Self;
    fn div(self, o: Self) -> Self {
        let n = o.norm_sqr();
        Self::new(
            (self.re * o.re + self.im * o.im) / n,
            (self.im * o.re - self.re * o.im) / n,
        )
    }
}

/// Poles of the prototype in units of CF; their conjugates belong to it too.
const POLES: [Complex; PAIRS] = [
    Complex::new(-0.21721, 0.80026),
    Complex::new(-0.08211, 0.98871),
    Complex::new(-0.02376, 1.03621),
];
/// Zeros of the prototype in units of CF. The positive one makes it non-minimum-phase.
const ZEROS: [Complex; 2 * PAIRS] = [
    Complex::new(-5.7055, 0.0),
    Complex::new(0.61864, 0.0),
    Complex::new(-0.32922, 1.17953),
    Complex::new(-0.32922, -1.17953),
    Complex::new(-0.02369, 1.07582),
    Complex::new(-0.02369, -1.07582),
];
/// The prototype's value at infinite frequency.
const GAIN: f64 = 0.00824;

/// Residue of the prototype at its pole `i`: `P(s) = GAIN + sum of r / (s - p) + r* / (s - p*)`.
fn residue(i: usize) -> Complex {
    let pole = POLES[i];
    let zeros = ZEROS
        .iter()
        .fold(Complex::new(GAIN, 0.0), |r, &z| r * (pole - z));
    POLES
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != i)
        .fold(zeros / (pole - pole.conjugate()), |r, (_, &p)| {
            r / ((pole - p) * (pole - p.conjugate()))
        })
}

/// One pole pair as two chained integrators, `s1 += x - damp s1 - spring s2`, `s2 += s1`: the form
/// whose coefficients stay exact in f32 when the pole is close to 1. Its output is
/// `gain1 s1 + gain2 s2` after the update.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pair {
    /// `1 - damp`.
    pub keep: f64,
    /// Restoring coefficient; `spring` is close to the squared pole angle.
    pub spring: f64,
    pub gain1: f64,
    pub gain2: f64,
}

/// One channel's digital filter: three pole pairs and a direct path in parallel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    pub pairs: [Pair; PAIRS],
    /// Gain of the direct path.
    pub direct: f64,
}

/// The digital filter of centre frequency `ratio * fs`.
fn design(ratio: f64) -> Filter {
    // Duration of a sample in the prototype's time.
    let step = std::f64::consts::TAU * ratio;
    let pairs = std::array::from_fn(|i| {
        let (pole, residue) = (POLES[i], residue(i));
        let (radius, angle) = ((pole.re * step).exp(), pole.im * step);
        // |z - 1|^2 without cancellation; it is A(1) of 1 + a1 z^-1 + a2 z^-2.
        let spring = (1.0 - radius).powi(2) + 4.0 * radius * (angle / 2.0).sin().powi(2);
        let damp = 1.0 - radius * radius + spring;
        // 2 Re(r / (1 - z0 z^-1)), in terms of both integrators.
        let towards_one = Complex::new(1.0, 0.0) - Complex::polar(radius, -angle);
        Pair {
            keep: 1.0 - damp,
            spring,
            gain1: 2.0 * step * residue.re,
            gain2: 2.0 * step * (residue * towards_one).re,
        }
    });
    Filter {
        pairs,
        direct: GAIN,
    }
}

/// The filters of a preset, lowest first; designed once per process.
pub(crate) fn filters(preset: Preset) -> &'static [Filter; FILTERS] {
    static BANKS: [OnceLock<Box<[Filter; FILTERS]>>; Preset::ALL.len()] =
        [const { OnceLock::new() }; Preset::ALL.len()];
    BANKS[preset as usize]
        .get_or_init(|| Box::new(std::array::from_fn(|k| design(preset.ratio(k)))))
}

#[cfg(test)]
impl Filter {
    /// Response at `f / fs = nu`.
    pub(crate) fn response(&self, nu: f64) -> Complex {
        let one = Complex::new(1.0, 0.0);
        let delay = Complex::polar(1.0, -std::f64::consts::TAU * nu);
        self.pairs.iter().fold(self.direct * one, |sum, p| {
            let damp = 1.0 - p.keep;
            let poles = one + (damp - 2.0) * delay + (1.0 - damp + p.spring) * (delay * delay);
            sum + (p.gain1 * (one - delay) + p.gain2 * delay) / poles
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The prototype at `u = f / CF`, from its poles and zeros alone.
    fn prototype(u: f64) -> Complex {
        let s = Complex::new(0.0, u);
        let zeros = ZEROS
            .iter()
            .fold(Complex::new(GAIN, 0.0), |h, &z| h * (s - z));
        POLES
            .iter()
            .fold(zeros, |h, &p| h / ((s - p) * (s - p.conjugate())))
    }

    #[test]
    fn responses_are_the_prototypes_with_all_its_images() {
        // Poisson: sampling repeats a spectrum at every multiple of the rate. The sum of images
        // takes half of the first sample, where the response jumps; the filter has it whole.
        let start = (0..PAIRS).map(|i| 2.0 * residue(i).re).sum::<f64>();
        for preset in [Preset::Nsl16k, Preset::Wide] {
            for k in [0, 40, 80, 110, 128] {
                let ratio = preset.ratio(k);
                let half = std::f64::consts::PI * ratio * start;
                for nu in [0.01, 0.1, 0.9 * ratio, ratio, 1.05 * ratio, 0.3, 0.49] {
                    let image =
                        |m: i32| prototype((nu + f64::from(m)) / ratio) - Complex::new(GAIN, 0.0);
                    let images = (1..20_000).fold(image(0), |sum, m| sum + (image(m) + image(-m)));
                    let want = images + Complex::new(GAIN + half, 0.0);
                    let error = (filters(preset)[k].response(nu) - want).norm_sqr().sqrt();
                    assert!(error < 1e-4, "{preset} filter {k} at {nu}: {error}");
                }
            }
        }
    }

    #[test]
    fn gain_and_flanks_are_the_published_ones() {
        // Decibels re CF at octaves from it, from the measured responses.
        let peak = prototype(1.0).norm_sqr();
        for (octaves, low, high) in [
            (-2.0, -26.0, -21.0),
            (-1.0, -17.0, -16.0),
            (-0.5, -10.7, -9.7),
            (-0.25, -6.2, -5.2),
            (0.1, -18.0, -14.0),
            (0.25, -23.0, -19.0),
            (0.5, -27.0, -24.0),
        ] {
            let db = 10.0 * (prototype(2f64.powf(octaves)).norm_sqr() / peak).log10();
            assert!((low..high).contains(&db), "{octaves} octaves: {db} dB");
        }
    }
}
