//! Hard sync: a waveform that runs `ratio` times as fast as the note and is restarted by each of
//! the note's cycles.
//!
//! Restarted at the note's own pitch it is periodic at that pitch, so it needs no rounding of
//! jumps where they fall between samples: it is a sum of band-limited waveforms of the note's
//! pitch, each shifted to where a jump lies. Let s be the saw of jump 1 and q its integral, the
//! wave whose slope jumps by 1; both are tables. A synced saw or pulse is a sum of s, one for each
//! jump; a synced triangle is one s and a q for each corner. A synced sine has one jump and one
//! corner, which leave Fourier coefficients that fall with the cube of their number: those are
//! added one by one, as far as they matter. All of it is as free of aliases as the tables are, and
//! free of DC.

use super::{Oscillator, turns};
use crate::math::sin_turn;
use crate::wavetable::{Wave, Wavetables, sines};
use crate::{CONTROL, Phases, Samples};
use simd::Vector;
use std::f32::consts::PI;

/// Most of a synced sine's harmonics that are corrected: four times the largest ratio, and some.
const CORRECTED: usize = 80;

/// [`Oscillator::tone`]'s samples at these phases of the note.
#[inline(always)]
pub fn tone<V: Vector>(
    osc: &Oscillator,
    v: V,
    tables: &Wavetables,
    done: usize,
    phases: &Phases,
) -> Samples {
    let (mut ratio, mut width) = ([0.0; CONTROL], [0.0; CONTROL]);
    for i in (0..CONTROL).step_by(V::LANES) {
        v.store(&mut ratio[i..], osc.sync.vector(v, done + i));
        v.store(&mut width[i..], osc.width.vector(v, done + i));
    }
    let step = Step {
        osc,
        v,
        tables,
        done,
        phases,
        ratio: &ratio,
    };
    let mut out = [0.0; CONTROL];
    for (slot, weight) in osc.weights.iter().enumerate() {
        if weight.is_silent() {
            continue;
        }
        let tone = match slot {
            0 => step.sine(),
            1 => step.triangle(),
            2 => step.saw(&[0.0; CONTROL]),
            _ => step.saw(&width),
        };
        weight.mix_in(v, done, &tone, &mut out);
    }
    out
}

/// Computation of a step's samples.
struct Step<'a, V> {
    osc: &'a Oscillator,
    v: V,
    tables: &'a Wavetables,
    done: usize,
    phases: &'a Phases,
    ratio: &'a Samples,
}

impl<V: Vector> Step<'_, V> {
    /// A table's values, `behind` cycles behind the note's phases.
    #[inline(always)]
    fn behind(&self, wave: Wave, behind: &Samples) -> Samples {
        let mut phases = [0; CONTROL];
        let v = self.v;
        for i in (0..CONTROL).step_by(V::LANES) {
            let behind = turns(v, v.load(&behind[i..]));
            let phase = v.sub_i(v.load_i(&self.phases[i..]), behind);
            v.store_i(&mut phases[i..], phase);
        }
        self.osc.wave(self.v, self.tables, wave, self.done, &phases)
    }

    /// The sum of `wave`, its size 1, behind by each of the places that `ratio` cycles reach: the
    /// first place and every whole cycle after it.
    #[inline(always)]
    fn each(&self, wave: Wave, first: &Samples) -> Samples {
        let mut sum = [0.0; CONTROL];
        for cycle in 0.. {
            let mut behind = [0.0; CONTROL];
            let mut reached = [false; CONTROL];
            for i in 0..CONTROL {
                let place = first[i] + cycle as f32;
                reached[i] = place <= self.ratio[i];
                behind[i] = (place / self.ratio[i]).min(1.0);
            }
            if !reached.contains(&true) {
                break;
            }
            let tone = self.behind(wave, &behind);
            for i in 0..CONTROL {
                sum[i] += if reached[i] { tone[i] } else { 0.0 };
            }
        }
        sum
    }

    /// The saw `1 - 2 x`, x being the phase `shift` cycles further on.
    #[inline(always)]
    fn saw(&self, shift: &Samples) -> Samples {
        let mut first = [0.0; CONTROL];
        for i in 0..CONTROL {
            first[i] = 1.0 - shift[i];
        }
        let mut out = self.each(Wave::Saw, &first);
        let here = self.behind(Wave::Saw, &[0.0; CONTROL]);
        for i in 0..CONTROL {
            // From the value where it is broken off to the one where it begins.
            let size = (self.ratio[i] + shift[i]).fract() - shift[i];
            out[i] += size * here[i];
        }
        out
    }

    #[inline(always)]
    fn triangle(&self) -> Samples {
        let later = self.each(Wave::Parabola, &[0.75; CONTROL]);
        let sooner = self.each(Wave::Parabola, &[0.25; CONTROL]);
        let corner = self.behind(Wave::Parabola, &[0.0; CONTROL]);
        let jump = self.behind(Wave::Saw, &[0.0; CONTROL]);
        let mut out = [0.0; CONTROL];
        for i in 0..CONTROL {
            let (value, slope) = triangle(self.ratio[i].fract());
            let corners = 8.0 * (later[i] - sooner[i]) + (4.0 - slope) * corner[i];
            out[i] = -0.5 * value * jump[i] + self.ratio[i] * corners;
        }
        out
    }

    #[inline(always)]
    fn sine(&self) -> Samples {
        let Oscillator { sync, levels, .. } = self.osc;
        let to = Sine::new(sync.target, levels[1], self.tables).at(self);
        if levels[0] == levels[1] && sync.start == sync.target {
            return to;
        }
        let from = Sine::new(sync.start, levels[0], self.tables).at(self);
        self.osc.fade(self.v, self.done, &from, &to)
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
    /// The jump, and the corner's change of slope, at the restart.
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
    fn at<V: Vector>(&self, step: &Step<'_, V>) -> Samples {
        if self.corrected == 0 {
            return [0.0; CONTROL];
        }
        let mut ahead = [0; CONTROL];
        for i in 0..CONTROL {
            ahead[i] = step.phases[i].wrapping_add(1 << 30);
        }
        let (re, im) = (sines(step.v, &ahead), sines(step.v, step.phases));
        // Horner's scheme in z = e^(2 pi i x).
        let (mut x, mut y) = ([0.0; CONTROL], [0.0; CONTROL]);
        for &[a, b] in self.rest[..self.corrected].iter().rev() {
            for i in 0..CONTROL {
                let (sum_x, sum_y) = (x[i] + a, y[i] + b);
                x[i] = sum_x * re[i] - sum_y * im[i];
                y[i] = sum_x * im[i] + sum_y * re[i];
            }
        }
        let table = |wave| step.tables.table(wave, self.level);
        let jump = table(Wave::Saw).lookup(step.v, step.phases);
        let bend = table(Wave::Parabola).lookup(step.v, step.phases);
        for i in 0..CONTROL {
            // The table's saw jumps by 2.
            x[i] += 0.5 * self.jump * jump[i] + self.bend * bend[i];
        }
        x
    }
}

#[cfg(test)]
mod tests;
