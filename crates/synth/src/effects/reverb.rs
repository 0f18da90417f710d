//! A reverb: a feedback delay network of eight lines (Jot and Chaigne, "Digital delay networks for
//! designing artificial reverberators", AES 1991). All-passes thicken what goes in, an orthogonal
//! (Hadamard) matrix spreads what comes round, each line loses per round what its length in the
//! decay time asks for, more of the highs, and slowly moving lengths keep modes from ringing.

use super::line::Line;
use super::{Effect, approach, share};
use crate::math::{Ramp, exp2, sin_turn};
use crate::{CONTROL, params as p};

const LINES: usize = 8;
/// Lengths at a scale of 1, seconds: no two have a simple ratio.
const LENGTHS: [f32; LINES] = [
    0.031_1, 0.035_9, 0.041_3, 0.046_7, 0.053_9, 0.060_7, 0.068_3, 0.077_9,
];
/// Mean of the lengths, in seconds.
const MEAN: f32 = 0.052;
/// Lengths' scale at size 0, and octaves from there to size 1.
const SMALLEST: f32 = 0.25;
const OCTAVES: f32 = 2.585;
/// Movement of the lengths to either side in seconds, and its rate for the first line in Hz.
const SWING: f32 = 0.000_25;
const RATE: f32 = 0.43;
/// All-passes on the way in, seconds, for either side.
const DIFFUSERS: [[f32; 4]; 2] = [
    [0.004_77, 0.003_59, 0.012_73, 0.009_31],
    [0.004_51, 0.003_83, 0.012_11, 0.009_87],
];
const DIFFUSION: [f32; 4] = [0.72, 0.72, 0.6, 0.6];
/// Crossover between lows and highs, in Hz.
const CROSSOVER: f32 = 2_500.0;
/// Least decay of the highs, as a share of the lows'.
const LEAST: f32 = 0.04;

/// The reverb's knobs.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReverbSettings {
    /// Size of the room, 0 to 1.
    size: f32,
    /// Seconds in which the lows fall by 60 dB.
    decay: f32,
    /// 0: the highs fall as slowly; 1: at once.
    damping: f32,
    mix: f32,
}

impl ReverbSettings {
    /// Reads a patch; `v` gives a row's plain value.
    pub fn new(v: impl Fn(usize) -> f32) -> Self {
        Self {
            size: v(p::REVERB_SIZE),
            decay: v(p::REVERB_DECAY),
            damping: v(p::REVERB_DAMPING),
            mix: v(p::REVERB_MIX),
        }
    }

    /// Scale of the lengths.
    fn scale(&self) -> f32 {
        SMALLEST * exp2(OCTAVES * self.size)
    }

    /// Decays per second, of lows and highs, in octaves of amplitude.
    fn losses(&self) -> [f32; 2] {
        // 60 dB are 9.97 octaves.
        let lows = 3.0 * std::f32::consts::LOG2_10 / self.decay;
        [lows, lows / (1.0 - self.damping).max(LEAST)]
    }
}

/// A stereo reverb.
pub struct Reverb {
    sample_rate: f32,
    lines: [Line; LINES],
    diffusers: [[Line; 4]; 2],
    /// Samples.
    diffusion: [[usize; 4]; 2],
    /// One-pole low-passes.
    low: [f32; LINES],
    coefficient: f32,
    /// Phase of each length's movement, in turns.
    phase: [f32; LINES],
    /// Moves towards the knob in two stages, so that the pitch bends without a corner.
    scale: [f32; 2],
    losses: [f32; 2],
    /// Samples.
    lengths: [Ramp; LINES],
    /// Gains of lows and highs.
    gains: [[Ramp; 2]; LINES],
    input: Ramp,
    shares: [f32; 2],
}

impl Reverb {
    /// Allocates everything. `sample_rate` in Hz.
    pub fn new(sample_rate: f32) -> Self {
        let largest = SMALLEST * OCTAVES.exp2();
        let line = |seconds: f32| Line::new(((seconds + SWING) * sample_rate) as usize + 2);
        Self {
            sample_rate,
            lines: LENGTHS.map(|length| line(length * largest)),
            diffusers: DIFFUSERS.map(|side| side.map(line)),
            diffusion: DIFFUSERS
                .map(|side| side.map(|seconds| (seconds * sample_rate).round() as usize)),
            low: [0.0; LINES],
            coefficient: 1.0 - (-std::f32::consts::TAU * CROSSOVER / sample_rate).exp(),
            phase: [0.0; LINES],
            scale: [1.0; 2],
            losses: [1.0; 2],
            lengths: [Ramp::default(); LINES],
            gains: [[Ramp::default(); 2]; LINES],
            input: Ramp::default(),
            shares: [share(0.15, sample_rate), share(0.03, sample_rate)],
        }
    }

    fn aim(&mut self) {
        const INVERSE: f32 = 1.0 / CONTROL as f32;
        for n in 0..LINES {
            let length = LENGTHS[n] * self.scale[1];
            let moving = length + SWING * sin_turn(self.phase[n]);
            self.lengths[n].aim(moving * self.sample_rate, INVERSE);
            for (gain, loss) in self.gains[n].iter_mut().zip(self.losses) {
                gain.aim(exp2(-loss * length), INVERSE);
            }
        }
        // What keeps a steady sound's reverb as loud whatever the decay.
        let round = exp2(-2.0 * self.losses[0] * MEAN * self.scale[1]);
        self.input.aim((1.0 - round).sqrt(), INVERSE);
    }

    /// One side's input through its all-passes.
    #[inline(always)]
    fn diffuse(&mut self, side: usize, x: f32) -> f32 {
        let mut x = x;
        for k in 0..4 {
            let line = &mut self.diffusers[side][k];
            let past = line.tap(self.diffusion[side][k] - 1);
            let fed = x - DIFFUSION[k] * past;
            line.push(fed);
            x = past + DIFFUSION[k] * fed;
        }
        x
    }
}

impl Effect for Reverb {
    type Settings = ReverbSettings;

    fn mix(s: &ReverbSettings) -> f32 {
        s.mix
    }

    fn memory(&self) -> usize {
        let longest = LENGTHS[LINES - 1] * self.scale[1] + SWING;
        (longest * self.sample_rate) as usize + 2
    }

    fn wake(&mut self, s: &ReverbSettings) {
        self.lines.iter_mut().for_each(Line::clear);
        self.diffusers.iter_mut().flatten().for_each(Line::clear);
        self.low = [0.0; LINES];
        self.phase = std::array::from_fn(|n| n as f32 / LINES as f32);
        (self.scale, self.losses) = ([s.scale(); 2], s.losses());
        // Twice, so that the next ramps start here.
        self.aim();
        self.aim();
    }

    fn plan(&mut self, s: &ReverbSettings) {
        let [slow, quick] = self.shares;
        approach(&mut self.scale[0], s.scale(), slow);
        let scale = self.scale[0];
        approach(&mut self.scale[1], scale, slow);
        for (loss, target) in self.losses.iter_mut().zip(s.losses()) {
            approach(loss, target, quick);
        }
        for (n, phase) in self.phase.iter_mut().enumerate() {
            let rate = RATE * (1.0 + 0.17 * n as f32);
            *phase = (*phase + rate * CONTROL as f32 / self.sample_rate).fract();
        }
        self.aim();
    }

    #[inline(always)]
    fn tick(&mut self, i: usize, input: [f32; 2]) -> ([f32; 2], f32) {
        let gain = self.input.at(i);
        let fed = [0, 1].map(|side| gain * self.diffuse(side, input[side]));
        let mut x = [0.0; LINES];
        for n in 0..LINES {
            let past = self.lines[n].read(self.lengths[n].at(i) - 1.0);
            let low = &mut self.low[n];
            *low += self.coefficient * (past - *low);
            let [lows, highs] = self.gains[n].map(|gain| gain.at(i));
            x[n] = highs * past + (lows - highs) * *low;
        }
        let out = [x[0] - x[2] + x[4] - x[6], x[1] - x[3] + x[5] - x[7]].map(|x| 0.5 * x);
        hadamard(&mut x);
        let mut loudest = 0.0f32;
        for n in 0..LINES {
            loudest = loudest.max(self.lines[n].push(x[n] + 0.5 * fed[n % 2]));
            // Its line may have gone quiet while others ring.
            if self.low[n].abs() < 1e-15 {
                self.low[n] = 0.0;
            }
        }
        (out, loudest)
    }
}

/// Multiplies by the orthogonal Hadamard matrix.
#[inline(always)]
fn hadamard(x: &mut [f32; LINES]) {
    for half in [1, 2, 4] {
        for n in 0..LINES {
            if n & half == 0 {
                let (a, b) = (x[n], x[n + half]);
                (x[n], x[n + half]) = (a + b, a - b);
            }
        }
    }
    // 1 / sqrt(8).
    x.iter_mut().for_each(|x| *x *= 0.353_553_39);
}
