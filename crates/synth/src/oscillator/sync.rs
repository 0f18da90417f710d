//! Hard sync: a waveform that runs `ratio` times as fast as the note and begins anew with each of
//! the note's cycles.
//!
//! Begun anew at the note's own pitch it is periodic at that pitch, so it needs no rounding of jumps
//! where they fall between samples: it is a sum of band-limited waveforms of the note's pitch, each
//! shifted to where a jump lies. Let s be the saw of jump 1 and q its integral, the wave whose slope
//! jumps by 1; both are tables. A synced saw or pulse is a sum of s, one for each jump; a synced
//! triangle is one s and a q for each corner. A synced sine has one jump and one corner, which leave
//! Fourier coefficients that fall with the cube of their number: those are added one by one, as far
//! as they matter. All of it is as free of aliases as the tables are, and free of DC.

use super::{Oscillator, QUAD, turn};
use crate::CONTROL;
use crate::math::sin_turn;
use crate::wavetable::{Wave, Wavetables, lookup};
use std::f32::consts::PI;
use wide::f32x4;

/// Most of a synced sine's harmonics that are corrected: four times the largest ratio, and some.
const CORRECTED: usize = 80;

/// [`Oscillator::tone`]'s samples at these phases of the note.
pub fn tone(
    osc: &Oscillator,
    tables: &Wavetables,
    done: usize,
    len: usize,
    phases: &[u32; CONTROL],
) -> [f32; CONTROL] {
    let mut out = [0.0; CONTROL];
    let sines = [0, 1].map(|end| {
        let ratio = [osc.sync.start, osc.sync.target][end];
        // Computed only where it is heard.
        (!osc.weights[0].is_silent()).then(|| Sine::new(ratio, osc.levels[end], tables))
    });
    let steady = osc.levels[0] == osc.levels[1];
    let quads = out.as_chunks_mut().0.iter_mut().zip(phases.as_chunks().0);
    for (n, (o, phases)) in quads.take(len.div_ceil(4)).enumerate() {
        let index = QUAD + (done + 4 * n) as f32;
        let way = index * osc.inverse_len;
        let ratio = index * osc.sync.step + osc.sync.start;
        let quad = Quad {
            tables,
            levels: osc.levels,
            way: (!steady).then_some(way),
            phases,
            ratio: ratio.to_array(),
        };
        let mut sum = f32x4::ZERO;
        for (slot, ramp) in osc.weights.iter().enumerate() {
            if ramp.is_silent() {
                continue;
            }
            let tone = match (slot, &sines) {
                (0, [Some(from), Some(to)]) => {
                    let before = from.at(tables, phases);
                    if steady && osc.sync.step == 0.0 {
                        before
                    } else {
                        before + (to.at(tables, phases) - before) * way
                    }
                }
                (0, _) => f32x4::ZERO,
                (1, _) => quad.triangle(),
                (2, _) => quad.saw([0.0; 4]),
                _ => quad.saw((index * osc.width.step + osc.width.start).to_array()),
            };
            sum += (index * ramp.step + ramp.start) * tone;
        }
        *o = sum.to_array();
    }
    out
}

/// Four samples.
struct Quad<'a> {
    tables: &'a Wavetables,
    levels: [u8; 2],
    /// How far between the two levels, if they differ.
    way: Option<f32x4>,
    phases: &'a [u32; 4],
    ratio: [f32; 4],
}

impl Quad<'_> {
    /// A table's values, `behind` cycles behind the note's phases.
    #[inline(always)]
    fn behind(&self, wave: Wave, behind: [f32; 4]) -> f32x4 {
        let phases = std::array::from_fn(|i| self.phases[i].wrapping_sub(turn(behind[i])));
        let [from, to] = self.levels.map(|level| self.tables.table(wave, level));
        let tone = lookup(to, &phases);
        match self.way {
            Some(way) => {
                let before = lookup(from, &phases);
                before + (tone - before) * way
            }
            None => tone,
        }
    }

    /// The sum of `wave`, its size 1, behind by each of the places that `ratio` cycles reach: the
    /// first place and every whole cycle after it.
    #[inline(always)]
    fn each(&self, wave: Wave, first: [f32; 4]) -> f32x4 {
        let mut sum = f32x4::ZERO;
        for cycle in 0.. {
            let place = first.map(|first| first + cycle as f32);
            let reached: [bool; 4] = std::array::from_fn(|i| place[i] <= self.ratio[i]);
            if !reached.contains(&true) {
                break;
            }
            let behind = std::array::from_fn(|i| (place[i] / self.ratio[i]).min(1.0));
            let size = reached.map(|reached| reached as u8 as f32);
            sum += f32x4::from(size) * self.behind(wave, behind);
        }
        sum
    }

    /// The saw `1 - 2 x`, x being the phase `shift` cycles further on.
    #[inline(always)]
    fn saw(&self, shift: [f32; 4]) -> f32x4 {
        let own = self.each(Wave::Saw, shift.map(|shift| 1.0 - shift));
        // From the value where it is broken off to the one where it begins.
        let size: [f32; 4] = std::array::from_fn(|i| (self.ratio[i] + shift[i]).fract() - shift[i]);
        own + f32x4::from(size) * self.behind(Wave::Saw, [0.0; 4])
    }

    #[inline(always)]
    fn triangle(&self) -> f32x4 {
        let ends = self.ratio.map(|ratio| triangle(ratio.fract()));
        let jump = ends.map(|(value, _)| -0.5 * value);
        let bend = ends.map(|(_, slope)| 4.0 - slope);
        let corners = self.each(Wave::Parabola, [0.75; 4]) - self.each(Wave::Parabola, [0.25; 4]);
        let here = f32x4::from(bend) * self.behind(Wave::Parabola, [0.0; 4]);
        f32x4::from(jump) * self.behind(Wave::Saw, [0.0; 4])
            + f32x4::from(self.ratio) * (8.0 * corners + here)
    }
}

/// A triangle's value, and slope per cycle, at a phase from 0 to 1.
fn triangle(phase: f32) -> (f32, f32) {
    match phase {
        p if p < 0.25 => (4.0 * p, 4.0),
        p if p < 0.75 => (2.0 - 4.0 * p, -4.0),
        p => (4.0 * p - 4.0, 4.0),
    }
}

/// sin(2 pi ratio x) for x from 0 to 1, repeated, without its mean.
struct Sine {
    level: u8,
    /// The jump, and the corner's change of slope, where it begins anew.
    jump: f32,
    bend: f32,
    /// Fourier coefficients, real and imaginary, beyond those of jump and corner; from the first.
    rest: [[f32; 2]; CORRECTED],
    corrected: usize,
}

impl Sine {
    fn new(ratio: f32, level: u8, tables: &Wavetables) -> Self {
        // sin(pi ratio) and cos, the sine exact where it is 0.
        let whole = ratio.round();
        let past = ratio - whole;
        let sign = if (whole as u32).is_multiple_of(2) {
            1.0
        } else {
            -1.0
        };
        let sin = sign * sin_turn(0.5 * past.abs()).copysign(past);
        let cos = sign * sin_turn(0.5 * past.abs() + 0.25);
        let corrected = CORRECTED
            .min((4.0 * ratio) as usize + 16)
            .min(tables.harmonics(level));
        let mut rest = [[0.0; 2]; CORRECTED];
        for (n, rest) in rest[..corrected].iter_mut().enumerate() {
            let k = (n + 1) as f32;
            // sin(pi ratio) / (pi (ratio - k)), at its pole too.
            let pole = if k == whole && past.abs() < 1e-4 {
                sign
            } else {
                sin / (PI * (ratio - k))
            };
            let size = 2.0 * pole * ratio * ratio / (k * k * (ratio + k));
            *rest = [size * sin * ratio, -size * cos * k];
        }
        Self {
            level,
            jump: -2.0 * sin * cos,
            bend: 4.0 * PI * ratio * sin * sin,
            rest,
            corrected,
        }
    }

    #[inline(always)]
    fn at(&self, tables: &Wavetables, phases: &[u32; 4]) -> f32x4 {
        if self.corrected == 0 {
            return f32x4::ZERO;
        }
        let table = |wave| tables.table(wave, self.level);
        let ahead = phases.map(|phase| phase.wrapping_add(1 << 30));
        let [re, im] = [&ahead, phases].map(|phases| lookup(table(Wave::Sine), phases));
        // Horner's scheme in z = e^(2 pi i x).
        let (mut x, mut y) = (f32x4::ZERO, f32x4::ZERO);
        for &[a, b] in self.rest[..self.corrected].iter().rev() {
            let (sum_x, sum_y) = (x + a, y + b);
            (x, y) = (sum_x * re - sum_y * im, sum_x * im + sum_y * re);
        }
        // The table's saw jumps by 2.
        x + 0.5 * self.jump * lookup(table(Wave::Saw), phases)
            + self.bend * lookup(table(Wave::Parabola), phases)
    }
}

#[cfg(test)]
mod tests;
