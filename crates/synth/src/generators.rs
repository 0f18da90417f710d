//! The sound generators of a voice: two oscillators, each in up to seven copies, of which the
//! second can modulate the first's phase and the cutoff; a sub-oscillator; noise.

use crate::math::{Ramp, inverse, split_mix};
use crate::oscillator::{Noise, Oscillator, Timbre};
use crate::params::StartPhase;
use crate::settings::{Settings, UNISON};
use crate::wavetable::Wavetables;
use crate::{CONTROL, Samples};
use simd::Vector;

/// The sub-oscillator's waveform: a sine.
const SUB: Timbre = Timbre {
    blend: [1.0, 0.0, 0.0, 0.0],
    width: 0.0,
    sync: 1.0,
};

/// Samples of a step that the generators hand to the filters.
#[derive(Default)]
pub struct SourceBlock {
    /// Samples of left and right; while [`SourceBlock::stereo`] is false the left ones serve both.
    pub audio: [Samples; 2],
    /// Octaves by which oscillator 2 moves the cutoff, where it does.
    pub modulator: Option<Samples>,
    /// Whether the sides differ.
    pub stereo: bool,
}

/// Sound generators of a voice, with their gains.
#[derive(Clone, Copy, Debug, Default)]
pub struct Generators {
    osc: [[Oscillator; UNISON]; 2],
    /// Left and right gain of each copy, the same for both oscillators.
    copies: [[Ramp; 2]; UNISON],
    /// Number of copies in the planned step, and after it.
    count: [usize; 2],
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
    /// Whether all ramps have reached their targets.
    still: bool,
    heard: Heard,
}

/// The generators that are heard in a step; the same as long as the ramps stand still.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    /// True for each copy of the oscillators that is heard.
    osc: [[bool; UNISON]; 2],
    /// Each oscillator has only one copy, in the middle.
    single: bool,
    /// The copies' left and right differ.
    stereo: bool,
    fm: bool,
    cutoff_fm: bool,
    ring: bool,
    sub: bool,
    noise: bool,
}

impl Generators {
    /// Starts a note. `increments`: of both oscillators, in 2^-32 cycles a sample.
    pub fn start(&mut self, increments: [u32; 2], seed: u64, s: &Settings) {
        let mut seed = seed;
        *self = Self {
            copies: s.copies.map(|gains| gains.map(Ramp::still)),
            count: [s.count; 2],
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
            if s.start_phase == StartPhase::Retrigger {
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

    /// Plans the next `len` samples; `same`: whether the settings are those of the step before.
    #[inline(always)]
    pub fn plan(&mut self, len: usize, increments: [u32; 2], s: &Settings, same: bool) {
        if same && self.still {
            self.go_on(len, increments, s);
        } else {
            // A ramp that is sent to the same target again starts from it.
            self.still = same;
            self.aim(len, increments, s);
        }
    }

    /// Plans a step in which anything may move.
    fn aim(&mut self, len: usize, increments: [u32; 2], s: &Settings) {
        let inverse_len = inverse(len);
        self.count = [self.count[1].max(s.count), s.count];
        let count = self.count[0];
        for (ramps, gains) in self.copies[..count].iter_mut().zip(&s.copies) {
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
        let mut heard = [[false; UNISON]; 2];
        for n in 0..2 {
            let knobs = &s.osc[n];
            for c in 0..count {
                heard[n][c] = self.is_heard(n, c);
                if heard[n][c] {
                    let increment = detuned(increments[n], s.detune[c]);
                    self.osc[n][c].plan(len, increment, &knobs.timbre);
                } else {
                    self.osc[n][c].rest();
                }
            }
        }
        if self.sub_gain.is_silent() {
            self.sub.rest();
        } else {
            self.sub.plan(len, increments[0] / 2, &SUB);
        }
        let single = self.is_single();
        self.heard = Heard {
            osc: heard,
            single,
            stereo: !single && self.is_stereo(),
            fm: !self.fm.is_silent(),
            cutoff_fm: !self.cutoff_fm.is_silent(),
            ring: !self.ring.is_silent(),
            sub: !self.sub_gain.is_silent(),
            noise: !self.noise_gain.is_silent(),
        };
    }

    /// Plans a step in which at most the pitch moves.
    #[inline(always)]
    fn go_on(&mut self, len: usize, increments: [u32; 2], s: &Settings) {
        let count = self.count[0];
        for (copies, increment) in self.osc.iter_mut().zip(increments) {
            if count == 1 {
                // A single copy isn't detuned.
                copies[0].go_on(len, increment);
                continue;
            }
            for (osc, &factor) in copies[..count].iter_mut().zip(&s.detune) {
                osc.go_on(len, detuned(increment, factor));
            }
        }
        self.sub.go_on(len, increments[0] / 2);
    }

    /// Cuts the planned step short at its `done`-th sample.
    pub fn cut(&mut self, done: usize) {
        self.still = false;
        let count = self.count[0];
        let osc = self.osc.iter_mut().flat_map(|osc| &mut osc[..count]);
        osc.for_each(|osc| osc.cut(done));
        let copies = self.copies[..count].iter_mut().flatten();
        copies.for_each(|gain| gain.cut(done));
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

    /// Whether copy `c` of oscillator `n` is heard in the planned step, or modulates.
    fn is_heard(&self, n: usize, c: usize) -> bool {
        let modulates = !(self.fm.is_silent() && self.cutoff_fm.is_silent());
        let rings = !self.ring.is_silent();
        let copy = c == 0 || !self.copies[c].iter().all(Ramp::is_silent);
        (n == 1 && c == 0 && modulates) || (copy && (rings || !self.gain[n].is_silent()))
    }

    /// Whether each oscillator has only one copy, in the middle.
    fn is_single(&self) -> bool {
        let is_one = |ramp: &Ramp| ramp.start == 1.0 && ramp.target == 1.0;
        self.count[0] == 1 && self.copies[0].iter().all(is_one)
    }

    /// Whether the copies' left and right differ.
    fn is_stereo(&self) -> bool {
        let differ = |[l, r]: &[Ramp; 2]| l.start != r.start || l.target != r.target;
        self.copies[..self.count[0]].iter().any(differ)
    }

    /// Adds the `len` samples from the `done`-th of the planned step on to an empty block; samples
    /// past `len` are unspecified.
    #[inline(always)]
    pub fn play<V: Vector>(
        &mut self,
        v: V,
        tables: &Wavetables,
        done: usize,
        len: usize,
        block: &mut SourceBlock,
    ) {
        block.stereo = self.heard.stereo;
        let channels = if block.stereo { 2 } else { 1 };
        // Initialised even where nothing moves the phases: the compiler may multiply it all the
        // same, and stale memory can hold denormals.
        let mut cycles = [0.0; CONTROL];
        let mut offset = None;
        let mut second = [[0.0; CONTROL]; 2];
        // Oscillator 2 comes first: it modulates oscillator 1.
        for n in [1, 0] {
            if !self.heard.osc[n][0] {
                continue;
            }
            let tone = self.osc[n][0].tone(v, tables, done, offset);
            if n == 1 {
                if self.heard.fm {
                    self.fm.mix_in(v, done, &tone, &mut cycles);
                    offset = Some(&cycles);
                }
                if self.heard.cutoff_fm {
                    let octaves = block.modulator.insert([0.0; CONTROL]);
                    self.cutoff_fm.mix_in(v, done, &tone, octaves);
                }
            }
            let mut sides = [tone; 2];
            if !self.heard.single {
                sides = [[0.0; CONTROL]; 2];
                for c in 0..self.count[0] {
                    if !self.heard.osc[n][c] {
                        continue;
                    }
                    let mut copy = tone;
                    if c > 0 {
                        copy = self.osc[n][c].tone(v, tables, done, offset);
                    }
                    for k in 0..channels {
                        self.copies[c][k].mix_in(v, done, &copy, &mut sides[k]);
                    }
                }
            }
            for k in 0..channels {
                self.gain[n].mix_in(v, done, &sides[k], &mut block.audio[k]);
                if n == 0 && self.heard.ring {
                    let mut product = sides[k];
                    for i in 0..CONTROL {
                        product[i] *= second[k][i];
                    }
                    self.ring.mix_in(v, done, &product, &mut block.audio[k]);
                }
            }
            if self.heard.ring {
                second = sides;
            }
        }
        if self.heard.sub {
            let tone = self.sub.pure_tone(v, done);
            for k in 0..channels {
                self.sub_gain.mix_in(v, done, &tone, &mut block.audio[k]);
            }
        }
        if self.heard.noise {
            let noise = self.noise.next(v, len);
            for k in 0..channels {
                self.noise_gain.mix_in(v, done, &noise, &mut block.audio[k]);
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
