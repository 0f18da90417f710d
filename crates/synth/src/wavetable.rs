//! Band-limited single-cycle waveforms, one table per number of harmonics, a third of an octave
//! apart: a note plays the richest table whose top harmonic stays below Nyquist.
//!
//! All waveforms start at phase 0 like a sine (rising through zero, or at the falling edge's top
//! for the saw) so that blending two of them never cancels a harmonic. A sine needs no table.
//!
//! A table holds, for each of the equal parts of the cycle, the cubic that passes through the
//! waveform at the four nodes of Gauss's quadrature: of all cubics the one with about the least
//! error. Three multiplications and additions evaluate it, and its error has less of a spectrum
//! than that of an interpolation between samples.

use crate::{CONTROL, Phases, Samples};
use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;
use simd::Vector;
use std::f64::consts::{PI, TAU};
use std::sync::OnceLock;

/// Most harmonics in a table: 23 Hz is complete at 48 kHz.
const MAX_HARMONICS: usize = 1024;
/// Parts of a cycle per harmonic at least, as long as the table has not the most it may have. The
/// richest ones thereby miss their harmonics by -100 dB, and the smallest by less than f32 can
/// tell.
const PARTS: usize = 32;
/// Fewest and most parts.
const SIZES: [usize; 2] = [256, 4096];

/// All parts of a waveform's tables, and room for more.
type Parts = [[f32; 4]; 1 << 16];

/// A cycle in parts, each a polynomial of the phase from its start (0) to its end (1), the constant
/// first.
pub struct Table<'a> {
    parts: &'a Parts,
    place: Place,
}

/// Position of a table among the others.
#[derive(Clone, Copy)]
struct Place {
    first: i32,
    /// log2 of the number of its parts.
    bits: u32,
}

/// Waveforms that have tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wave {
    /// Triangle, peak 1.
    Triangle = 0,
    /// Falling saw, from 1 to -1.
    Saw = 1,
    /// Integral over phase of half the saw: its slope jumps by 1 per cycle at phase 0.
    Parabola = 2,
}

/// The tables of all waveforms.
pub struct Wavetables {
    /// Polynomials of each wave's tables.
    parts: [Box<Parts>; 3],
    /// Positions of the tables by level; level 0 is silence, for notes above Nyquist.
    places: Vec<Place>,
    /// Number of harmonics of each level.
    harmonics: Vec<usize>,
    /// Richest level whose number of harmonics is at most the index.
    level: [u8; MAX_HARMONICS + 1],
}

impl Wavetables {
    /// The tables, made at the first call (some ten milliseconds) and shared by the process.
    pub fn shared() -> &'static Self {
        static TABLES: OnceLock<Wavetables> = OnceLock::new();
        TABLES.get_or_init(Self::new)
    }

    fn new() -> Self {
        let mut harmonics = vec![0];
        for i in 0..=30 {
            let h = (i as f64 / 3.0).exp2() as usize;
            if h > *harmonics.last().unwrap_or(&0) {
                harmonics.push(h);
            }
        }
        let mut planner = RealFftPlanner::<f64>::new();
        let mut places = Vec::new();
        let mut first = 0;
        for &h in &harmonics {
            let bits = size(h).ilog2();
            places.push(Place { first, bits });
            first += 1 << bits;
        }
        let parts = [Wave::Triangle, Wave::Saw, Wave::Parabola].map(|wave| {
            let mut parts = Vec::new();
            for &h in &harmonics {
                parts.extend(cycle(wave, h, &mut planner));
            }
            parts.resize(1 << 16, [0.0; 4]);
            parts.try_into().expect("the tables fit in")
        });
        let level =
            std::array::from_fn(|n| harmonics.iter().rposition(|&h| h <= n).unwrap_or(0) as u8);
        Self {
            parts,
            places,
            harmonics,
            level,
        }
    }

    /// Number of harmonics of a level.
    pub fn harmonics(&self, level: u8) -> usize {
        self.harmonics[level as usize]
    }

    /// Richest level without aliasing for a phase increment of `increment` / 2^32 cycles a sample.
    pub fn level(&self, increment: u32) -> u8 {
        let harmonics = (1u32 << 31) / increment.max(1);
        self.level[(harmonics as usize).min(MAX_HARMONICS)]
    }

    /// One waveform's table at a level from [`Wavetables::level`].
    #[inline(always)]
    pub fn table(&self, wave: Wave, level: u8) -> Table<'_> {
        Table {
            parts: &self.parts[wave as usize],
            place: self.places[level as usize],
        }
    }
}

/// Amplitudes of a waveform's `k`-th sine and cosine.
fn amplitude(wave: Wave, k: usize) -> [f64; 2] {
    let x = PI * k as f64;
    match (wave, k % 4) {
        (Wave::Triangle, 1) => [8.0 / (x * x), 0.0],
        (Wave::Triangle, 3) => [-8.0 / (x * x), 0.0],
        (Wave::Triangle, _) => [0.0; 2],
        (Wave::Saw, _) => [2.0 / x, 0.0],
        (Wave::Parabola, _) => [0.0, -0.5 / (x * x)],
    }
}

/// Number of a table's parts.
fn size(harmonics: usize) -> usize {
    (PARTS * harmonics.next_power_of_two()).clamp(SIZES[0], SIZES[1])
}

/// Computes the parts of a table.
fn cycle(wave: Wave, harmonics: usize, planner: &mut RealFftPlanner<f64>) -> Vec<[f32; 4]> {
    let size = size(harmonics);
    let fft = planner.plan_fft_inverse(size);
    // Roots of Legendre's fourth polynomial, from 0 to 1.
    let root = |sign: f64| (3.0 / 7.0 + sign * 2.0 / 7.0 * 1.2f64.sqrt()).sqrt() / 2.0;
    let nodes = [
        0.5 - root(1.0),
        0.5 - root(-1.0),
        0.5 + root(-1.0),
        0.5 + root(1.0),
    ];
    let at_nodes = nodes.map(|node| {
        let mut spectrum = fft.make_input_vec();
        for k in 1..=harmonics {
            // a sin(kx) = Im(a e^ikx): half of -ia at +k, the other half at -k.
            let [sine, cosine] = amplitude(wave, k);
            let ahead = Complex64::from_polar(1.0, TAU * k as f64 * node / size as f64);
            spectrum[k] = Complex64::new(0.5 * cosine, -0.5 * sine) * ahead;
        }
        let mut cycle = fft.make_output_vec();
        // It fails only where the constant or the highest coefficient isn't real: both are 0.
        fft.process(&mut spectrum, &mut cycle)
            .expect("lengths come from the transform itself");
        cycle
    });
    let part = |i: usize| cubic(nodes, at_nodes.each_ref().map(|cycle| cycle[i]));
    (0..size).map(part).collect()
}

impl Table<'_> {
    /// The values at phases in 2^-32 cycles.
    #[inline(always)]
    pub fn lookup<V: Vector>(&self, v: V, phases: &Phases) -> Samples {
        let Place { first, bits } = self.place;
        let (mut rows, mut out) = ([0; CONTROL], [0.0; CONTROL]);
        for i in (0..CONTROL).step_by(V::LANES) {
            let phase = v.load_i(&phases[i..]);
            let row = v.add_i(v.shift_right(phase, 32 - bits), v.splat_i(first));
            v.store_i(&mut rows[i..], row);
            let [a, b, c, d] = v.gather4(self.parts, &rows[i..]);
            let within = v.shift_right(v.shift_left(phase, bits), 8);
            let f = v.mul(v.to_f(within), v.splat(1.0 / 16_777_216.0));
            let y = v.mul_add(v.mul_add(v.mul_add(d, f, c), f, b), f, a);
            v.store(&mut out[i..], y);
        }
        out
    }
}

/// Coefficients of the cubic through four points, by Newton's divided differences.
fn cubic(x: [f64; 4], y: [f64; 4]) -> [f32; 4] {
    let mut d = y;
    for order in 1..4 {
        for i in (order..4).rev() {
            d[i] = (d[i] - d[i - 1]) / (x[i] - x[i - order]);
        }
    }
    // Horner's scheme of ((d3 (x - x2) + d2) (x - x1) + d1) (x - x0) + d0.
    let mut c = [d[3], 0.0, 0.0, 0.0];
    for i in (0..3).rev() {
        for j in (1..4).rev() {
            c[j] = c[j - 1] - x[i] * c[j];
        }
        c[0] = d[i] - x[i] * c[0];
    }
    c.map(|c| c as f32)
}

/// sin(2 pi x) at phases in 2^-32 cycles, absolute error below 3e-7.
#[inline(always)]
pub fn sines<V: Vector>(v: V, phases: &Phases) -> Samples {
    let mut out = [0.0; CONTROL];
    let quarter = v.splat_i(1 << 30);
    for i in (0..CONTROL).step_by(V::LANES) {
        // Folded to within a quarter of a cycle around 0, exactly.
        let from_top = v.sub_i(v.load_i(&phases[i..]), quarter);
        let x = v.to_f(v.sub_i(quarter, v.abs_i(from_top)));
        let a = v.mul(x, v.splat((TAU / 4_294_967_296.0) as f32));
        let q = v.mul(a, a);
        // Taylor's series up to the 13th power.
        let mut p = v.splat(1.605_904_4e-10);
        for c in [
            -2.505_210_8e-8,
            2.755_731_9e-6,
            -1.984_127e-4,
            8.333_333_3e-3,
            -1.666_666_7e-1,
        ] {
            p = v.mul_add(p, q, v.splat(c));
        }
        v.store(&mut out[i..], v.mul_add(v.mul(a, q), p, a));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use simd::Baseline;

    #[test]
    fn tables_are_their_fourier_series() {
        let t = Wavetables::shared();
        let level = t.level((1 << 31) / 5); // five harmonics
        for i in 0..200u32 {
            let phase = i.wrapping_mul(0x9E37_79B9);
            let x = phase as f64 / 4_294_967_296.0 * TAU;
            let saw: f64 = (1..=5)
                .map(|k| 2.0 / (PI * k as f64) * (k as f64 * x).sin())
                .sum();
            let triangle: f64 = [1.0, -3.0, 5.0]
                .map(|k: f64| 8.0 / (PI * k).powi(2) * k.signum() * (k.abs() * x).sin())
                .iter()
                .sum();
            let parabola: f64 = (1..=5)
                .map(|k| -0.5 / (PI * k as f64).powi(2) * (k as f64 * x).cos())
                .sum();
            for (wave, want) in [
                (Wave::Parabola, parabola),
                (Wave::Saw, saw),
                (Wave::Triangle, triangle),
            ] {
                let got = t
                    .table(wave, level)
                    .lookup(Baseline, &[phase as i32; CONTROL]);
                let got = got[i as usize % CONTROL] as f64;
                assert!(
                    (got - want).abs() < 3e-7,
                    "{wave:?} at {x}: {got}, expected {want}"
                );
            }
        }
    }

    #[test]
    fn sines_are_sines() {
        for i in 0..100_000u32 {
            let phase = i.wrapping_mul(0x9E37_79B9) as i32;
            let want = (phase as f64 / 4_294_967_296.0 * TAU).sin();
            let got = sines(Baseline, &[phase; CONTROL])[i as usize % CONTROL];
            assert!((got as f64 - want).abs() < 3e-7, "{phase}: {got}, {want}");
        }
        assert_eq!(sines(Baseline, &[0; CONTROL]), [0.0; CONTROL]);
        assert_eq!(sines(Baseline, &[i32::MIN; CONTROL]), [0.0; CONTROL]);
    }

    #[test]
    fn no_level_reaches_past_nyquist() {
        let t = Wavetables::shared();
        assert_eq!(t.level(u32::MAX), 0);
        let phases = std::array::from_fn(|i| i as i32 * 0x0123_4567);
        let silence = t.table(Wave::Saw, 0).lookup(Baseline, &phases);
        assert_eq!(silence, [0.0; CONTROL]);
        for n in 1..=MAX_HARMONICS {
            let increment = ((1u64 << 31) / n as u64) as u32;
            let level = t.level(increment);
            // The level's own number of harmonics, counted by its spectrum.
            let table = t.table(Wave::Saw, level);
            let mut fft = RealFftPlanner::<f32>::new();
            if n % 97 == 1 {
                let size = 1 << table.place.bits;
                let fft = fft.plan_fft_forward(size);
                let parts = &table.parts[table.place.first as usize..][..size];
                let mut cycle: Vec<f32> = parts.iter().map(|part| part[0]).collect();
                let mut spectrum = fft.make_output_vec();
                fft.process(&mut cycle, &mut spectrum).unwrap();
                let least = 0.5 * size as f32 / (PI as f32 * 2.0 * n as f32);
                let top = spectrum.iter().rposition(|c| c.norm() > least).unwrap();
                assert!(
                    top <= n && top as f64 * 1.5 > n.min(MAX_HARMONICS) as f64,
                    "{n}: {top}"
                );
            }
        }
    }
}
