//! The sources of a voice: two oscillators, each in up to seven copies, a sub-oscillator and noise;
//! and what oscillator 2 modulates.

use crate::CONTROL;
use crate::math::{Ramp, split_mix};
use crate::oscillator::{Noise, Oscillator, Timbre};
use crate::settings::{Settings, UNISON};
use crate::wavetable::Wavetables;

/// The sub-oscillator's waveform: a sine.
const SUB: Timbre = Timbre {
    blend: [1.0, 0.0, 0.0, 0.0],
    width: 0.0,
    sync: 1.0,
};

/// The samples of a step, on their way from the oscillators to the output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Block {
    /// Left, right; while [`Block::stereo`] is false the left one stands for both.
    pub audio: [[f32; CONTROL]; 2],
    /// Octaves by which oscillator 2 moves the cutoff.
    pub modulator: [f32; CONTROL],
    /// Whether the sides differ.
    pub stereo: bool,
}

/// Sources.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tones {
    osc: [[Oscillator; UNISON]; 2],
    /// Left and right gain of each copy, the same for both oscillators.
    copies: [[Ramp; 2]; UNISON],
    gain: [Ramp; 2],
    /// Cycles by which oscillator 2 moves oscillator 1's phase.
    fm: Ramp,
    ring: Ramp,
    sub: Oscillator,
    sub_gain: Ramp,
    noise: Noise,
    noise_gain: Ramp,
    /// Octaves by which oscillator 2 moves the cutoff.
    cutoff_fm: Ramp,
}

impl Tones {
    /// Starts a note. `increments`: of both oscillators, in 2^-32 cycles a sample.
    pub fn start(&mut self, increments: [u32; 2], seed: u64, s: &Settings) {
        let mut seed = seed;
        *self = Self {
            copies: s.copies.map(|gains| gains.map(Ramp::still)),
            gain: s.osc.map(|knobs| Ramp::still(knobs.gain)),
            fm: Ramp::still(s.osc_fm),
            ring: Ramp::still(s.ring),
            sub_gain: Ramp::still(s.sub),
            noise: Noise::new(split_mix(&mut seed)),
            noise_gain: Ramp::still(s.noise),
            cutoff_fm: Ramp::still(s.cutoff_fm),
            ..Self::default()
        };
        let mut phase = |copy: usize| {
            let random = split_mix(&mut seed) as u32;
            if s.retrigger {
                // Copies that all began together would begin with a bang.
                (copy as u32).wrapping_mul(0x9E37_79B9)
            } else {
                random
            }
        };
        // The first copies and the sub draw first: what the others draw must not move them.
        let first = [phase(0), phase(0)];
        let sub = phase(0);
        for (n, (copies, knobs)) in self.osc.iter_mut().zip(&s.osc).enumerate() {
            for (c, osc) in copies.iter_mut().enumerate() {
                let phase = if c == 0 { first[n] } else { phase(c) };
                let increment = detuned(increments[n], s.detune[c]);
                osc.start(phase, increment, &knobs.timbre);
            }
        }
        self.sub.start(sub, increments[0] / 2, &SUB);
    }

    /// Plans the next `len` samples.
    pub fn plan(&mut self, len: usize, increments: [u32; 2], s: &Settings) {
        let inverse_len = 1.0 / len as f32;
        for (ramps, gains) in self.copies.iter_mut().zip(&s.copies) {
            for (ramp, gain) in ramps.iter_mut().zip(gains) {
                ramp.aim(*gain, inverse_len);
            }
        }
        for (gain, knobs) in self.gain.iter_mut().zip(&s.osc) {
            gain.aim(knobs.gain, inverse_len);
        }
        self.fm.aim(s.osc_fm, inverse_len);
        self.ring.aim(s.ring, inverse_len);
        self.sub_gain.aim(s.sub, inverse_len);
        self.noise_gain.aim(s.noise, inverse_len);
        self.cutoff_fm.aim(s.cutoff_fm, inverse_len);
        for n in 0..2 {
            let knobs = &s.osc[n];
            for c in 0..UNISON {
                let increment = detuned(increments[n], s.detune[c]);
                if self.is_heard(n, c) {
                    self.osc[n][c].plan(len, increment, &knobs.timbre);
                } else if c == 0 {
                    self.osc[n][c].rest(increment, &knobs.timbre);
                }
            }
        }
        if self.sub_gain.is_silent() {
            self.sub.rest(increments[0] / 2, &SUB);
        } else {
            self.sub.plan(len, increments[0] / 2, &SUB);
        }
    }

    /// Cuts the planned step short at its `done`-th sample.
    pub fn cut(&mut self, done: usize) {
        self.osc.iter_mut().flatten().for_each(|o| o.cut(done));
        self.copies.iter_mut().flatten().for_each(|g| g.cut(done));
        self.sub.cut(done);
        let ramps = [
            &mut self.fm,
            &mut self.ring,
            &mut self.sub_gain,
            &mut self.noise_gain,
            &mut self.cutoff_fm,
        ];
        self.gain
            .iter_mut()
            .chain(ramps)
            .for_each(|ramp| ramp.cut(done));
    }

    /// Whether copy `c` of oscillator `n` matters in the planned step.
    fn is_heard(&self, n: usize, c: usize) -> bool {
        let modulates = n == 1 && c == 0 && self.modulates();
        let rings = !self.ring.is_silent();
        let copy = c == 0 || !self.copies[c].iter().all(Ramp::is_silent);
        modulates || (copy && (rings || !self.gain[n].is_silent()))
    }

    fn modulates(&self) -> bool {
        self.modulates_cutoff() || !self.fm.is_silent()
    }

    /// Whether oscillator 2 moves the cutoff in the planned step.
    pub fn modulates_cutoff(&self) -> bool {
        !self.cutoff_fm.is_silent()
    }

    /// Whether each oscillator is one copy, in the middle.
    fn is_single(&self) -> bool {
        let is = |ramp: &Ramp, x: f32| ramp.start == x && ramp.target == x;
        self.copies[0].iter().all(|gain| is(gain, 1.0))
            && self.copies[1..].iter().flatten().all(Ramp::is_silent)
    }

    /// Plays the `len` samples from the `done`-th of the planned step on; what follows them in the
    /// block is any number.
    #[inline(always)]
    pub fn play(&mut self, tables: &Wavetables, done: usize, len: usize, block: &mut Block) {
        let single = self.is_single();
        block.audio = [[0.0; CONTROL]; 2];
        block.stereo = !single
            && self
                .copies
                .iter()
                .any(|[l, r]| l.start != r.start || l.target != r.target);
        let rings = !self.ring.is_silent();
        let mut first = None;
        let mut second = [[0.0; CONTROL]; 2];
        // Oscillator 2 comes first: it modulates oscillator 1.
        for n in [1, 0] {
            if !self.is_heard(n, 0) {
                continue;
            }
            let mut offset = None;
            if n == 0 && !self.fm.is_silent() {
                let mut cycles = [0.0; CONTROL];
                let by: [f32; CONTROL] = first.unwrap_or_default();
                self.fm.mix(done, &by, &mut cycles);
                offset = Some(cycles);
            }
            let tone = self.osc[n][0].tone(tables, done, len, offset.as_ref());
            if n == 1 {
                first = Some(tone);
                if self.modulates_cutoff() {
                    block.modulator = [0.0; CONTROL];
                    self.cutoff_fm.mix(done, &tone, &mut block.modulator);
                }
            }
            let mut sides = [tone; 2];
            if !single {
                sides = [[0.0; CONTROL]; 2];
                for c in 0..UNISON {
                    if !self.is_heard(n, c) {
                        continue;
                    }
                    let tone = match c {
                        0 => tone,
                        _ => self.osc[n][c].tone(tables, done, len, offset.as_ref()),
                    };
                    for (gain, side) in self.copies[c].iter().zip(&mut sides) {
                        gain.mix(done, &tone, side);
                    }
                }
            }
            let channels = if block.stereo { 2 } else { 1 };
            for k in 0..channels {
                self.gain[n].mix(done, &sides[k], &mut block.audio[k]);
                if rings && n == 0 {
                    let product: [f32; CONTROL] =
                        std::array::from_fn(|i| sides[k][i] * second[k][i]);
                    self.ring.mix(done, &product, &mut block.audio[k]);
                }
            }
            second = sides;
        }
        if !self.sub_gain.is_silent() {
            let tone = self.sub.tone(tables, done, len, None);
            self.sub_gain.mix(done, &tone, &mut block.audio[0]);
            if block.stereo {
                self.sub_gain.mix(done, &tone, &mut block.audio[1]);
            }
        }
        if !self.noise_gain.is_silent() {
            let mut noise = [0.0; CONTROL];
            self.noise.add(&self.noise_gain, done, &mut noise[..len]);
            let sides = if block.stereo { 2 } else { 1 };
            for side in &mut block.audio[..sides] {
                side.iter_mut().zip(&noise).for_each(|(x, n)| *x += n);
            }
        }
    }
}

/// An increment, detuned by a factor that is 1 for the first copy.
fn detuned(increment: u32, factor: f32) -> u32 {
    if factor == 1.0 {
        increment
    } else {
        (increment as f32 * factor) as u32
    }
}

#[cfg(test)]
mod tests;
