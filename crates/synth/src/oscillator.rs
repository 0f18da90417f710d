//! The tone sources of a voice: a morphing oscillator (sine, triangle, saw, pulse), a sine for the
//! sub, and white noise. Fixed-point phase: 2^32 is one cycle.

mod sync;

use crate::math::{INDEX, Ramp, inverse};
use crate::wavetable::{Wave, Wavetables, sines};
use crate::{CONTROL, Phases, Samples};
use simd::Vector;

/// Weights of the waveforms whose sum is the oscillator's output: sine, triangle, saw, and the
/// shifted saw that is subtracted to make a pulse.
pub type Blend = [f32; 4];

/// Blend for a shape from 0 (sine) over 1 (triangle) and 2 (saw) to 3 (pulse).
///
/// saw(x) - t saw(x + width) is a saw at t = 0 and a pulse, free of DC, at t = 1; it is turned down
/// on the way, a square being 4.8 dB stronger than a saw of the same height.
pub fn blend(shape: f32) -> Blend {
    let shape = shape.clamp(0.0, 3.0);
    if shape <= 1.0 {
        [1.0 - shape, shape, 0.0, 0.0]
    } else if shape <= 2.0 {
        [0.0, 2.0 - shape, shape - 1.0, 0.0]
    } else {
        let gain = 1.0 - 0.25 * (shape - 2.0);
        [0.0, 0.0, gain, -gain * (shape - 2.0)]
    }
}

/// Waveform of an oscillator.
#[derive(Clone, Copy, Debug)]
pub struct Timbre {
    /// Weights of the waveforms.
    pub blend: Blend,
    /// Pulse width, cycles.
    pub width: f32,
    /// Hard sync: factor by which it runs faster than the note; 1: no sync.
    pub sync: f32,
}

impl Default for Timbre {
    /// The default timbre: a sine.
    fn default() -> Self {
        Self {
            blend: blend(0.0),
            width: 0.5,
            sync: 1.0,
        }
    }
}

/// A morphing oscillator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Oscillator {
    /// Phase at the planned step's first sample.
    phase: u32,
    increment: u32,
    increment_step: u32,
    target_increment: u32,
    /// Samples of the planned step.
    len: u32,
    inverse_len: f32,
    weights: [Ramp; 4],
    /// Offset of the shifted saw, cycles.
    width: Ramp,
    /// Hard sync: factor by which the waveform runs faster than the note, whose every cycle
    /// restarts it.
    sync: Ramp,
    /// Table levels at the start and the end of the control step; they are crossfaded.
    levels: [u8; 2],
    /// True for each weight that is heard in the planned step, and for hard sync that is.
    heard: [bool; 4],
    synced: bool,
    /// Whether the planned step is not heard.
    resting: bool,
}

impl Oscillator {
    /// Starts at `phase`; the next [`Oscillator::plan`] goes on from there.
    pub fn start(&mut self, phase: u32, increment: u32, s: &Timbre) {
        *self = Self {
            phase,
            increment,
            target_increment: increment,
            weights: s.blend.map(Ramp::still),
            width: Ramp::still(s.width),
            sync: Ramp::still(s.sync),
            levels: [Wavetables::shared().level(increment); 2],
            ..Self::default()
        };
    }

    /// Pauses for a step in which it is not heard.
    pub fn rest(&mut self) {
        if !self.resting {
            [self.phase, _] = self.at(self.len);
            self.resting = true;
        }
    }

    /// Plans `len` samples: ramps to `increment` (2^-32 cycles a sample) and the timbre.
    pub fn plan(&mut self, len: usize, increment: u32, s: &Timbre) {
        if self.resting {
            self.start(self.phase, increment, s);
        }
        self.bend(len, increment);
        for (ramp, w) in self.weights.iter_mut().zip(&s.blend) {
            ramp.aim(*w, self.inverse_len);
        }
        self.width.aim(s.width, self.inverse_len);
        self.sync.aim(s.sync, self.inverse_len);
        self.heard = self.weights.each_ref().map(|weight| !weight.is_silent());
        self.synced = self.sync.start != 1.0 || self.sync.target != 1.0;
    }

    /// Plans `len` samples with the timbre of the ones before, whose ramps stand still.
    #[inline(always)]
    pub fn go_on(&mut self, len: usize, increment: u32) {
        if !self.resting {
            self.bend(len, increment);
        }
    }

    /// Moves on to the planned step's end and plans `len` samples' phases.
    #[inline(always)]
    fn bend(&mut self, len: usize, increment: u32) {
        [self.phase, _] = self.at(self.len);
        self.len = len as u32;
        self.inverse_len = inverse(len);
        self.increment = self.target_increment;
        self.levels[0] = self.levels[1];
        self.increment_step = 0;
        if increment != self.increment {
            let difference = increment.wrapping_sub(self.increment) as i32;
            // The whole step's constant length spares a division.
            let step = if len == CONTROL {
                difference / CONTROL as i32
            } else {
                difference / len as i32
            };
            self.increment_step = step as u32;
            self.target_increment = increment;
            self.levels[1] = Wavetables::shared().level(increment);
        }
    }

    /// Phase and increment at a sample of the planned step.
    #[inline(always)]
    fn at(&self, sample: u32) -> [u32; 2] {
        let steps =
            (sample.wrapping_mul(sample.wrapping_sub(1)) / 2).wrapping_mul(self.increment_step);
        [
            self.phase
                .wrapping_add(sample.wrapping_mul(self.increment))
                .wrapping_add(steps),
            self.increment
                .wrapping_add(sample.wrapping_mul(self.increment_step)),
        ]
    }

    /// Cuts the planned step short at its `done`-th sample.
    pub fn cut(&mut self, done: usize) {
        self.len = done as u32;
        [_, self.target_increment] = self.at(self.len);
        self.weights.iter_mut().for_each(|w| w.cut(done));
        self.width.cut(done);
        self.sync.cut(done);
        self.levels[1] = self.levels[0];
    }

    /// Computes the samples from the `done`-th of the planned step on, with phases moved on by
    /// `offset` cycles; samples past the step's end are unspecified.
    #[inline(always)]
    pub fn tone<V: Vector>(
        &self,
        v: V,
        tables: &Wavetables,
        done: usize,
        offset: Option<&Samples>,
    ) -> Samples {
        let mut phases = self.phases(v, done);
        if let Some(offset) = offset {
            for i in (0..CONTROL).step_by(V::LANES) {
                let phase = v.add_i(v.load_i(&phases[i..]), turns(v, v.load(&offset[i..])));
                v.store_i(&mut phases[i..], phase);
            }
        }
        if self.synced {
            return sync::tone(self, v, tables, done, &phases);
        }
        let mut out = [0.0; CONTROL];
        let [sine, triangle, saw, shifted] = &self.weights;
        if self.heard[0] {
            let tone = self.sine(v, done, &phases);
            sine.mix_in(v, done, &tone, &mut out);
        }
        if self.heard[1] {
            let tone = self.wave(v, tables, Wave::Triangle, done, &phases);
            triangle.mix_in(v, done, &tone, &mut out);
        }
        if self.heard[2] {
            let tone = self.wave(v, tables, Wave::Saw, done, &phases);
            saw.mix_in(v, done, &tone, &mut out);
        }
        if self.heard[3] {
            for i in (0..CONTROL).step_by(V::LANES) {
                let width = turns(v, self.width.vector(v, done + i));
                let phase = v.add_i(v.load_i(&phases[i..]), width);
                v.store_i(&mut phases[i..], phase);
            }
            let tone = self.wave(v, tables, Wave::Saw, done, &phases);
            shifted.mix_in(v, done, &tone, &mut out);
        }
        out
    }

    /// [`Oscillator::tone`] of one that is only ever a sine.
    #[inline(always)]
    pub fn pure_tone<V: Vector>(&self, v: V, done: usize) -> Samples {
        self.sine(v, done, &self.phases(v, done))
    }

    /// Phases from the `done`-th sample of the planned step on.
    #[inline(always)]
    fn phases<V: Vector>(&self, v: V, done: usize) -> Phases {
        /// Factors of the increment and of its step at each sample.
        const TIMES: [Phases; 2] = {
            let mut times = [[0; CONTROL]; 2];
            let mut i = 0;
            while i < CONTROL as i32 {
                times[0][i as usize] = i;
                times[1][i as usize] = i * (i - 1) / 2;
                i += 1;
            }
            times
        };
        let [phase, increment] = self.at(done as u32);
        let mut phases = [0; CONTROL];
        for i in (0..CONTROL).step_by(V::LANES) {
            let increments = v.mul_i(v.load_i(&TIMES[0][i..]), v.splat_i(increment as i32));
            let mut at = v.add_i(v.splat_i(phase as i32), increments);
            if self.increment_step != 0 {
                let step = v.splat_i(self.increment_step as i32);
                at = v.add_i(at, v.mul_i(v.load_i(&TIMES[1][i..]), step));
            }
            v.store_i(&mut phases[i..], at);
        }
        phases
    }

    /// A table's values at these phases, faded from one level to the next.
    #[inline(always)]
    fn wave<V: Vector>(
        &self,
        v: V,
        tables: &Wavetables,
        wave: Wave,
        done: usize,
        phases: &Phases,
    ) -> Samples {
        let [from, to] = self.levels;
        let tone = tables.table(wave, to).lookup(v, phases);
        if from == to {
            return tone;
        }
        let before = tables.table(wave, from).lookup(v, phases);
        self.fade(v, done, &before, &tone)
    }

    /// A sine, silent above Nyquist.
    #[inline(always)]
    fn sine<V: Vector>(&self, v: V, done: usize, phases: &Phases) -> Samples {
        let tone = sines(v, phases);
        match self.levels {
            [0, 0] => [0.0; CONTROL],
            [0, _] => self.fade(v, done, &[0.0; CONTROL], &tone),
            [_, 0] => self.fade(v, done, &tone, &[0.0; CONTROL]),
            _ => tone,
        }
    }

    /// Crossfades from one table's samples to another's over the planned step.
    #[inline(always)]
    fn fade<V: Vector>(&self, v: V, done: usize, from: &Samples, to: &Samples) -> Samples {
        let mut out = [0.0; CONTROL];
        for i in (0..CONTROL).step_by(V::LANES) {
            let way = v.mul(v.load(&INDEX[done + i..]), v.splat(self.inverse_len));
            let [from, to] = [v.load(&from[i..]), v.load(&to[i..])];
            v.store(&mut out[i..], v.mul_add(v.sub(to, from), way, from));
        }
        out
    }
}

/// Converts cycles, a few at most, to phases, with an error of at most 2^-24.
#[inline(always)]
fn turns<V: Vector>(v: V, cycles: V::F) -> V::I {
    v.shift_left(v.to_i(v.mul(cycles, v.splat(16_777_216.0))), 8)
}

/// White noise, uniform in -1 to 1: the high half of a 64-bit linear congruential generator
/// (Knuth's MMIX constants).
#[derive(Clone, Copy, Debug, Default)]
pub struct Noise {
    state: u64,
}

impl Noise {
    /// Noise from a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Factors and terms of one step, two steps ..., so that no sample has to wait for another.
    const STEPS: [[u64; CONTROL]; 2] = {
        let factor: u64 = 6_364_136_223_846_793_005;
        let term: u64 = 1_442_695_040_888_963_407;
        let mut steps = [[factor; CONTROL], [term; CONTROL]];
        let mut i = 1;
        while i < CONTROL {
            steps[0][i] = steps[0][i - 1].wrapping_mul(factor);
            steps[1][i] = steps[1][i - 1].wrapping_mul(factor).wrapping_add(term);
            i += 1;
        }
        steps
    };

    /// Computes the next `len` samples; samples past `len` are unspecified.
    #[inline(always)]
    pub fn next<V: Vector>(&mut self, v: V, len: usize) -> Samples {
        let [factors, terms] = &Self::STEPS;
        let (low, high) = (self.state as u32, (self.state >> 32) as u32);
        let (mut states, mut out) = ([0; CONTROL], [0.0; CONTROL]);
        // The high halves of `state * factor + term`: vectors multiply halves, not the whole.
        for i in 0..CONTROL {
            let product = u64::from(low) * (factors[i] & 0xFFFF_FFFF);
            states[i] = (product.wrapping_add(terms[i]) >> 32) as i32;
        }
        for i in 0..CONTROL {
            let (factor, over) = (factors[i] as u32, (factors[i] >> 32) as u32);
            let crossed = low
                .wrapping_mul(over)
                .wrapping_add(high.wrapping_mul(factor));
            states[i] = states[i].wrapping_add(crossed as i32);
        }
        if len > 0 {
            let ahead = self.state.wrapping_mul(factors[len - 1]);
            self.state = ahead.wrapping_add(terms[len - 1]);
        }
        for i in (0..CONTROL).step_by(V::LANES) {
            let white = v.to_f(v.load_i(&states[i..]));
            v.store(&mut out[i..], v.mul(white, v.splat(1.0 / 2_147_483_648.0)));
        }
        out
    }
}

#[cfg(test)]
mod tests;
