//! Band-limited single-cycle waveforms, one table per number of harmonics, a third of an octave
//! apart: a note plays the richest table whose top harmonic stays below Nyquist.
//!
//! All waveforms start at phase 0 like a sine (rising through zero, or at the falling edge's top for
//! the saw) so that blending two of them never cancels a harmonic.

use crate::math::lagrange;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex64;
use std::f64::consts::PI;
use std::sync::OnceLock;
use wide::f32x4;

/// log2 of a cycle's samples.
const BITS: u32 = 13;
/// Samples in a cycle.
const SIZE: usize = 1 << BITS;
/// Most harmonics in a table: 23 Hz is complete at 48 kHz.
const MAX_HARMONICS: usize = 1024;

/// One cycle, preceded by its last sample and followed by its first two, so that the four-point
/// interpolation never wraps.
type Table = [f32; SIZE + 3];

/// Waveforms that have tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wave {
    /// Pure tone, peak 1.
    Sine = 0,
    /// Triangle, peak 1.
    Triangle = 1,
    /// Falling saw, from 1 to -1.
    Saw = 2,
    /// Integral over phase of half the saw: its slope jumps by 1 per cycle at phase 0.
    Parabola = 3,
}

/// All tables.
pub struct Wavetables {
    /// `tables[wave][level]`; level 0 is silence, for notes above Nyquist.
    tables: [Vec<Box<Table>>; 4],
    /// Number of harmonics of each level.
    harmonics: Vec<usize>,
    /// Richest level that has at most so many harmonics.
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
        // Amplitudes of the k-th sine and cosine.
        let amplitude = |wave: Wave, k: usize| match (wave, k) {
            (Wave::Sine, 1) => [1.0, 0.0],
            (Wave::Triangle, k) if k % 4 == 1 => [8.0 / (PI * k as f64).powi(2), 0.0],
            (Wave::Triangle, k) if k % 4 == 3 => [-8.0 / (PI * k as f64).powi(2), 0.0],
            (Wave::Saw, k) => [2.0 / (PI * k as f64), 0.0],
            (Wave::Parabola, k) => [0.0, -0.5 / (PI * k as f64).powi(2)],
            _ => [0.0; 2],
        };
        let mut planner = RealFftPlanner::<f64>::new();
        let fft = planner.plan_fft_inverse(SIZE);
        let mut tables = [Wave::Sine, Wave::Triangle, Wave::Saw, Wave::Parabola].map(|wave| {
            let mut levels = Vec::new();
            for &h in &harmonics {
                let mut spectrum = fft.make_input_vec();
                for k in 1..=h {
                    // a sin(kx) = Im(a e^ikx): half of -ia at +k, the other half at -k.
                    let [sine, cosine] = amplitude(wave, k);
                    spectrum[k] = Complex64::new(0.5 * cosine, -0.5 * sine);
                }
                let mut cycle = fft.make_output_vec();
                fft.process(&mut spectrum, &mut cycle)
                    .expect("lengths come from the transform itself");
                let mut table = Box::new([0.0; SIZE + 3]);
                for (i, v) in table.iter_mut().enumerate() {
                    *v = cycle[(i + SIZE - 1) % SIZE] as f32;
                }
                levels.push(table);
            }
            levels
        });
        for levels in &mut tables {
            levels.shrink_to_fit();
        }
        let level =
            std::array::from_fn(|n| harmonics.iter().rposition(|&h| h <= n).unwrap_or(0) as u8);
        Self {
            tables,
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
    pub fn table(&self, wave: Wave, level: u8) -> &Table {
        &self.tables[wave as usize][level as usize]
    }
}

/// The table's values at four phases, 2^-32 cycles each: Lagrange's four-point interpolation.
#[inline(always)]
pub fn lookup(table: &Table, phases: &[u32; 4]) -> f32x4 {
    let quads = phases.map(|phase| {
        let i = (phase >> (32 - BITS)) as usize;
        f32x4::from([table[i], table[i + 1], table[i + 2], table[i + 3]])
    });
    let fraction = phases.map(|phase| ((phase << BITS) >> 8) as i32);
    let f = f32x4::from_i32x4(fraction.into()) * (1.0 / 16_777_216.0);
    lagrange(f32x4::transpose(quads), f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_their_fourier_series() {
        let t = Wavetables::shared();
        let level = t.level((1 << 31) / 5); // five harmonics
        for i in 0..200u32 {
            let phase = i.wrapping_mul(0x9E37_79B9);
            let x = phase as f64 / 4_294_967_296.0 * 2.0 * PI;
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
                (Wave::Sine, x.sin()),
                (Wave::Saw, saw),
                (Wave::Triangle, triangle),
            ] {
                let got =
                    lookup(t.table(wave, level), &[phase; 4]).to_array()[i as usize % 4] as f64;
                assert!(
                    (got - want).abs() < 1e-6,
                    "{wave:?} at {x}: {got}, expected {want}"
                );
            }
        }
    }

    #[test]
    fn no_level_reaches_past_nyquist() {
        let t = Wavetables::shared();
        assert_eq!(t.level(u32::MAX), 0);
        assert!(t.table(Wave::Saw, 0).iter().all(|&v| v == 0.0));
        for n in 1..=MAX_HARMONICS {
            let increment = ((1u64 << 31) / n as u64) as u32;
            let level = t.level(increment);
            // The level's own number of harmonics, counted by its spectrum.
            let table = t.table(Wave::Saw, level);
            let mut fft = RealFftPlanner::<f32>::new();
            if n % 97 == 1 {
                let fft = fft.plan_fft_forward(SIZE);
                let mut cycle = table[1..=SIZE].to_vec();
                let mut spectrum = fft.make_output_vec();
                fft.process(&mut cycle, &mut spectrum).unwrap();
                let top = spectrum.iter().rposition(|c| c.norm() > 0.5).unwrap();
                assert!(
                    top <= n && top as f64 * 1.5 > n.min(MAX_HARMONICS) as f64,
                    "{n}: {top}"
                );
            }
        }
    }
}
