//! The filters: from the published shape of one channel to digital coefficients.
//!
//! Every channel shares the sixth-order prototype `P(s)`, `s = j f / CF`. Its poles go to
//! `exp(p 2 pi CF / fs)`; what remains linear (two gains for each pole pair and two direct taps) is the
//! least-squares fit of the complex response. See the crate's documentation for the derivation.

use crate::config::{CHANNELS, Preset};
use std::sync::OnceLock;

/// Filters of a bank: one more than channels, the last only feeds lateral inhibition.
pub(crate) const FILTERS: usize = CHANNELS + 1;
/// Pole pairs of a filter.
pub(crate) const PAIRS: usize = 3;
/// Unknowns of the fit: two gains a pair, two direct taps.
const UNKNOWNS: usize = 2 * PAIRS + 2;
/// Frequencies of the fit.
const POINTS: usize = 400;

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
    Complex::new(-0.21717, 0.80071),
    Complex::new(-0.08204, 0.98709),
    Complex::new(-0.02364, 1.03592),
];
/// Zeros of the prototype in units of CF. The positive one makes it non-minimum-phase.
const ZEROS: [Complex; 2 * PAIRS] = [
    Complex::new(-5.3498, 0.0),
    Complex::new(0.59844, 0.0),
    Complex::new(-0.33723, 1.17841),
    Complex::new(-0.33723, -1.17841),
    Complex::new(-0.02455, 1.07540),
    Complex::new(-0.02455, -1.07540),
];
const GAIN: f64 = 0.0086571;

/// Complex response of the prototype at `u = f / CF`.
pub(crate) fn prototype(u: f64) -> Complex {
    let s = Complex::new(0.0, u);
    let zeros = ZEROS
        .iter()
        .fold(Complex::new(GAIN, 0.0), |h, &z| h * (s - z));
    POLES.iter().fold(zeros, |h, &p| {
        h / ((s - p) * (s - Complex::new(p.re, -p.im)))
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

/// One channel's digital filter: three pole pairs and two direct taps in parallel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    pub pairs: [Pair; PAIRS],
    /// Gains of `x[n]` and `x[n-1]`.
    pub direct: [f64; 2],
}

impl Filter {
    /// Response at `f / fs = nu`.
    #[cfg(test)]
    pub(crate) fn response(&self, nu: f64) -> Complex {
        let gains = self
            .pairs
            .iter()
            .flat_map(|p| [p.gain1, p.gain2])
            .chain(self.direct);
        basis(&self.pairs, nu)
            .into_iter()
            .zip(gains)
            .fold(Complex::new(0.0, 0.0), |h, (b, g)| h + g * b)
    }
}

/// What each gain multiplies, at `f / fs = nu`: (s1, s2) of each pair, then the direct taps.
fn basis(pairs: &[Pair; PAIRS], nu: f64) -> [Complex; UNKNOWNS] {
    let one = Complex::new(1.0, 0.0);
    let delay = Complex::polar(1.0, -std::f64::consts::TAU * nu);
    let mut columns = [one; UNKNOWNS];
    for (i, p) in pairs.iter().enumerate() {
        let damp = 1.0 - p.keep;
        let denominator = one + (damp - 2.0) * delay + (1.0 - damp + p.spring) * (delay * delay);
        columns[2 * i] = (one - delay) / denominator;
        columns[2 * i + 1] = delay / denominator;
    }
    columns[UNKNOWNS - 1] = delay;
    columns
}

/// The digital filter of centre frequency `ratio * fs`.
fn design(ratio: f64) -> Filter {
    let mut pairs = [Pair::default(); PAIRS];
    for (pair, p) in pairs.iter_mut().zip(POLES) {
        let scale = std::f64::consts::TAU * ratio;
        let (radius, angle) = ((p.re * scale).exp(), p.im * scale);
        // |z - 1|^2 without cancellation; it is A(1) of 1 + a1 z^-1 + a2 z^-2.
        let spring = (1.0 - radius).powi(2) + 4.0 * radius * (angle / 2.0).sin().powi(2);
        let damp = 1.0 - radius * radius + spring;
        *pair = Pair {
            keep: 1.0 - damp,
            spring,
            ..Pair::default()
        };
    }
    let low = 0.02 * ratio;
    let mut rows = Vec::with_capacity(2 * POINTS);
    for i in 0..POINTS {
        let nu = low + (0.5 - low) * i as f64 / (POINTS - 1) as f64;
        let columns = basis(&pairs, nu);
        let target = prototype(nu / ratio);
        rows.push((columns.map(|c| c.re), target.re));
        rows.push((columns.map(|c| c.im), target.im));
    }
    let x = least_squares(&rows);
    for (i, pair) in pairs.iter_mut().enumerate() {
        pair.gain1 = x[2 * i];
        pair.gain2 = x[2 * i + 1];
    }
    Filter {
        pairs,
        direct: [x[2 * PAIRS], x[2 * PAIRS + 1]],
    }
}

/// Solves `rows` in the least-squares sense by modified Gram-Schmidt.
fn least_squares(rows: &[([f64; UNKNOWNS], f64)]) -> [f64; UNKNOWNS] {
    let mut columns: Vec<Vec<f64>> = (0..UNKNOWNS)
        .map(|c| rows.iter().map(|r| r.0[c]).collect())
        .collect();
    let mut rest: Vec<f64> = rows.iter().map(|r| r.1).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut triangle = [[0.0; UNKNOWNS]; UNKNOWNS];
    let mut projected = [0.0; UNKNOWNS];
    for c in 0..UNKNOWNS {
        let norm = dot(&columns[c], &columns[c]).sqrt();
        triangle[c][c] = norm;
        columns[c].iter_mut().for_each(|v| *v /= norm);
        let unit = columns[c].clone();
        for later in c + 1..UNKNOWNS {
            let along = dot(&unit, &columns[later]);
            triangle[c][later] = along;
            columns[later]
                .iter_mut()
                .zip(&unit)
                .for_each(|(v, u)| *v -= along * u);
        }
        projected[c] = dot(&unit, &rest);
        rest.iter_mut()
            .zip(&unit)
            .for_each(|(v, u)| *v -= projected[c] * u);
    }
    let mut x = [0.0; UNKNOWNS];
    for c in (0..UNKNOWNS).rev() {
        let known: f64 = (c + 1..UNKNOWNS)
            .map(|later| triangle[c][later] * x[later])
            .sum();
        x[c] = (projected[c] - known) / triangle[c][c];
    }
    x
}

/// The filters of a preset, lowest first; designed once a process.
pub(crate) fn filters(preset: Preset) -> &'static [Filter; FILTERS] {
    static NSL: OnceLock<Box<[Filter; FILTERS]>> = OnceLock::new();
    static WIDE: OnceLock<Box<[Filter; FILTERS]>> = OnceLock::new();
    let cell = match preset {
        Preset::Nsl16k | Preset::Nsl8k => &NSL,
        Preset::Wide => &WIDE,
    };
    cell.get_or_init(|| Box::new(std::array::from_fn(|k| design(preset.ratio(k)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_follow_the_prototype() {
        // Root-mean-square error over the whole band, against the response's own.
        for preset in [Preset::Nsl16k, Preset::Wide] {
            for (k, filter) in filters(preset).iter().enumerate() {
                let ratio = preset.ratio(k);
                let (mut error, mut power) = (0.0, 0.0);
                for i in 1..2000 {
                    let nu = i as f64 / 4000.0;
                    let want = prototype(nu / ratio);
                    error += (filter.response(nu) - want).norm_sqr();
                    power += want.norm_sqr();
                }
                let e = (error / power).sqrt();
                // A real filter's phase is 0 or pi at half the rate, the prototype's is not.
                let bound = if ratio < 0.3 { 0.04 } else { 0.1 };
                assert!(e < bound, "{preset} filter {k}: {e}");
            }
        }
    }
}
