//! The filter bank and the stages after it: hair cell, lateral inhibition, leaky integration.
//!
//! Channels run side by side in SIMD lanes: with `L` lanes and `V = 128 / L`, lane `l` of vector
//! `v` is filter `l * V + v`. Lateral inhibition, each channel minus its upper neighbour, is then a
//! difference of two vectors without any shuffle. One extra vector on top holds the neighbours of
//! the highest, filter 128 among them; its own output is thrown away.

use crate::config::{CHANNELS, HairCell};
use crate::design::{Filter, PAIRS};
use simd::{InstructionSet, Kernel, Vector};

/// Rows of coefficients of one vector: keep, -spring, gain1, gain2 of each pair, direct.
const COEFFICIENTS: usize = 4 * PAIRS + 1;
/// Rows of state of one vector: s1 and s2 of each pair, the membrane, the leaky integrator.
const STATES: usize = 2 * PAIRS + 2;
const MEMBRANE: usize = 2 * PAIRS;
const LEAK: usize = 2 * PAIRS + 1;
/// States below this are set to 0 after each frame, long before they become denormal.
const NEGLIGIBLE: f32 = 1e-20;

/// The bank with its state. One [`Cochlea::frame`] call per frame.
pub(crate) struct Cochlea {
    instructions: InstructionSet,
    hair_cell: HairCell,
    /// Decay per sample of the leaky integrator.
    leak: f32,
    /// Decay per sample of the hair cell's membrane.
    membrane: f32,
    coefficients: Vec<f32>,
    state: Vec<f32>,
    /// Hair cell outputs of the vector above, for each sample of the frame.
    above: Vec<f32>,
}

/// Time constants in samples, and the hair cell.
#[derive(Clone, Copy)]
pub(crate) struct Stages {
    pub leak_samples: f64,
    pub membrane_samples: f64,
    pub hair_cell: HairCell,
}

impl Cochlea {
    /// A bank of 129 `filters`, lowest first, for frames of `frame_len` samples.
    pub(crate) fn new(
        filters: &[Filter],
        stages: Stages,
        frame_len: usize,
        instructions: InstructionSet,
    ) -> Self {
        let lanes = instructions.lanes();
        let vectors = CHANNELS / lanes;
        let mut coefficients = Vec::with_capacity((vectors + 1) * COEFFICIENTS * lanes);
        for v in 0..=vectors {
            let of_lane = |l: usize| &filters[l * vectors + v];
            for pair in 0..PAIRS {
                coefficients.extend((0..lanes).map(|l| of_lane(l).pairs[pair].keep as f32));
                coefficients.extend((0..lanes).map(|l| -of_lane(l).pairs[pair].spring as f32));
                coefficients.extend((0..lanes).map(|l| of_lane(l).pairs[pair].gain1 as f32));
                coefficients.extend((0..lanes).map(|l| of_lane(l).pairs[pair].gain2 as f32));
            }
            coefficients.extend((0..lanes).map(|l| of_lane(l).direct as f32));
        }
        Self {
            instructions,
            hair_cell: stages.hair_cell,
            leak: (-1.0 / stages.leak_samples).exp() as f32,
            membrane: (-1.0 / stages.membrane_samples).exp() as f32,
            coefficients,
            state: vec![0.0; (vectors + 1) * STATES * lanes],
            above: vec![0.0; frame_len * lanes],
        }
    }

    /// Forgets everything heard.
    pub(crate) fn reset(&mut self) {
        self.state.fill(0.0);
    }

    /// Hears one frame of `samples` and writes the integrators' values at its end, lowest channel
    /// first.
    pub(crate) fn frame(&mut self, samples: &[f32], spectrum: &mut [f32; CHANNELS]) {
        match self.hair_cell {
            HairCell::Linear => self.run(samples, Linear),
            HairCell::HalfWave => self.run(samples, HalfWave),
            HairCell::Hard => self.run(samples, Hard),
            HairCell::Factor(factor) => self.run(samples, Sigmoid(0.125 / factor)),
        }
        for s in &mut self.state {
            if s.abs() < NEGLIGIBLE {
                *s = 0.0;
            }
        }
        let lanes = self.instructions.lanes();
        let vectors = CHANNELS / lanes;
        for (channel, out) in spectrum.iter_mut().enumerate() {
            let (lane, v) = (channel / vectors, channel % vectors);
            *out = self.state[(v * STATES + LEAK) * lanes + lane];
        }
    }

    fn run(&mut self, samples: &[f32], curve: impl Curve) {
        self.instructions.run(FrameKernel {
            samples,
            leak: self.leak,
            membrane: self.membrane,
            coefficients: &self.coefficients,
            state: &mut self.state,
            above: &mut self.above,
            curve,
        });
    }
}

/// A hair cell's transfer curve.
trait Curve: Copy {
    /// Whether the membrane's low-pass follows.
    const MEMBRANE: bool;
    fn apply<V: Vector>(self, v: V, y: V::F) -> V::F;
}

#[derive(Clone, Copy)]
struct Linear;

impl Curve for Linear {
    const MEMBRANE: bool = false;
    #[inline(always)]
    fn apply<V: Vector>(self, _: V, y: V::F) -> V::F {
        y
    }
}

#[derive(Clone, Copy)]
struct HalfWave;

impl Curve for HalfWave {
    const MEMBRANE: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(self, v: V, y: V::F) -> V::F {
        v.max(y, v.splat(0.0))
    }
}

#[derive(Clone, Copy)]
struct Hard;

impl Curve for Hard {
    const MEMBRANE: bool = true;
    #[inline(always)]
    fn apply<V: Vector>(self, v: V, y: V::F) -> V::F {
        v.step(y)
    }
}

/// `1 / (1 + exp(-y / factor)) - 1/2`, that is `tanh(y / (2 factor)) / 2`: the constant half is the
/// same in all channels, so lateral inhibition removes it, and without it small signals keep their
/// precision. Holds `1 / (8 factor)`.
#[derive(Clone, Copy)]
struct Sigmoid(f32);

impl Curve for Sigmoid {
    const MEMBRANE: bool = true;
    /// tanh at a quarter of the argument from its continued fraction, then doubled twice by
    /// `tanh 2x = 2 t / (1 + t^2)`, all on one fraction. The error stays below 1e-6.
    #[inline(always)]
    fn apply<V: Vector>(self, v: V, y: V::F) -> V::F {
        let limit = 2.25;
        let x = v.mul(y, v.splat(self.0));
        let x = v.max(v.min(x, v.splat(limit)), v.splat(-limit));
        let q = v.mul(x, x);
        let one = v.splat(1.0);
        let above = v.mul_add(
            v.mul_add(v.splat(1.0 / 945.0), q, v.splat(1.0 / 9.0)),
            q,
            one,
        );
        let below = v.mul_add(
            v.mul_add(v.splat(1.0 / 63.0), q, v.splat(4.0 / 9.0)),
            q,
            one,
        );
        let mut numerator = v.mul(x, above);
        let mut denominator = below;
        for _ in 0..2 {
            let product = v.mul(numerator, denominator);
            let square = v.mul(numerator, numerator);
            denominator = v.mul_add(denominator, denominator, square);
            numerator = v.add(product, product);
        }
        v.div(v.mul(v.splat(0.5), numerator), denominator)
    }
}

struct FrameKernel<'a, C> {
    samples: &'a [f32],
    leak: f32,
    membrane: f32,
    coefficients: &'a [f32],
    state: &'a mut [f32],
    above: &'a mut [f32],
    curve: C,
}

/// One vector of channels during a frame.
#[derive(Clone, Copy)]
struct Group<V: Vector> {
    keep: [V::F; PAIRS],
    spring: [V::F; PAIRS],
    gain1: [V::F; PAIRS],
    gain2: [V::F; PAIRS],
    direct: V::F,
    s1: [V::F; PAIRS],
    s2: [V::F; PAIRS],
    membrane: V::F,
    leak: V::F,
}

impl<V: Vector> Group<V> {
    #[inline(always)]
    fn load(c: &[V::F], s: &[V::F]) -> Self {
        Self {
            keep: [c[0], c[4], c[8]],
            spring: [c[1], c[5], c[9]],
            gain1: [c[2], c[6], c[10]],
            gain2: [c[3], c[7], c[11]],
            direct: c[12],
            s1: [s[0], s[2], s[4]],
            s2: [s[1], s[3], s[5]],
            membrane: s[MEMBRANE],
            leak: s[LEAK],
        }
    }

    #[inline(always)]
    fn store(&self, s: &mut [V::F]) {
        for pair in 0..PAIRS {
            s[2 * pair] = self.s1[pair];
            s[2 * pair + 1] = self.s2[pair];
        }
        s[MEMBRANE] = self.membrane;
        s[LEAK] = self.leak;
    }

    /// Filters and hair cells: one sample in, one value of each channel out.
    #[inline(always)]
    fn hear<C: Curve>(&mut self, v: V, x: V::F, membrane: V::F, curve: C) -> V::F {
        let mut y = v.mul(self.direct, x);
        for pair in 0..PAIRS {
            let (s1, s2) = (self.s1[pair], self.s2[pair]);
            self.s1[pair] = v.mul_add(self.keep[pair], s1, v.mul_add(self.spring[pair], s2, x));
            self.s2[pair] = v.add(s2, s1);
            y = v.mul_add(self.gain1[pair], self.s1[pair], y);
            y = v.mul_add(self.gain2[pair], self.s2[pair], y);
        }
        let y = curve.apply(v, y);
        if C::MEMBRANE {
            self.membrane = v.mul_add(membrane, self.membrane, y);
            self.membrane
        } else {
            y
        }
    }

    /// Lateral inhibition against `above`, rectification, leaky integration.
    #[inline(always)]
    fn integrate(&mut self, v: V, y: V::F, above: V::F, leak: V::F) {
        let contrast = v.max(v.sub(y, above), v.splat(0.0));
        self.leak = v.mul_add(leak, self.leak, contrast);
    }
}

impl<C: Curve> Kernel for FrameKernel<'_, C> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        let coefficients = V::cast(self.coefficients);
        let state = V::cast_mut(self.state);
        let above = V::cast_mut(self.above);
        let (leak, membrane) = (v.splat(self.leak), v.splat(self.membrane));
        let top = state.len() / STATES - 1;
        let load = |state: &[V::F], g: usize| {
            Group::<V>::load(
                &coefficients[g * COEFFICIENTS..][..COEFFICIENTS],
                &state[g * STATES..][..STATES],
            )
        };

        let mut highest = load(state, top);
        for (&x, out) in self.samples.iter().zip(above.iter_mut()) {
            let x = v.splat(x);
            *out = highest.hear(v, x, membrane, self.curve);
        }
        highest.store(&mut state[top * STATES..][..STATES]);

        for g in (0..top).rev() {
            let mut group = load(state, g);
            for (&x, neighbour) in self.samples.iter().zip(above.iter_mut()) {
                let x = v.splat(x);
                let y = group.hear(v, x, membrane, self.curve);
                group.integrate(v, y, *neighbour, leak);
                *neighbour = y;
            }
            group.store(&mut state[g * STATES..][..STATES]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::filters;
    use crate::preset::Preset;

    #[test]
    fn fading_states_skip_the_denormals_and_end_at_zero() {
        let frame_len = 128;
        for instructions in InstructionSet::ALL
            .into_iter()
            .filter(|set| set.is_available())
        {
            let stages = Stages {
                leak_samples: 128.0,
                membrane_samples: 8.0,
                hair_cell: HairCell::HalfWave,
            };
            let mut bank = Cochlea::new(filters(Preset::Nsl16k), stages, frame_len, instructions);
            let mut spectrum = [0.0; CHANNELS];
            let click: Vec<f32> = (0..frame_len)
                .map(|n| f32::from(u8::from(n == 5)))
                .collect();
            bank.frame(&click, &mut spectrum);
            let mut frames = 0;
            while bank.state.iter().any(|&s| s != 0.0) {
                assert!(
                    bank.state.iter().all(|s| !s.is_subnormal()),
                    "frame {frames}"
                );
                bank.frame(&vec![0.0; frame_len], &mut spectrum);
                frames += 1;
                assert!(frames < 500, "never ends");
            }
            assert!(frames > 50, "cut off too early: {frames}");
        }
    }
}
