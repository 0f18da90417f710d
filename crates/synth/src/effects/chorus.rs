//! A chorus: each side is joined by three copies of itself whose delays swing, a sixth of a turn
//! apart from side to side, so that no two of the six ever move together (after the string
//! ensembles' three-phase choruses).

use super::line::Line;
use super::{Effect, approach, share};
use crate::math::{Ramp, sin_turn};
use crate::{CONTROL, params as p};

/// Number of copies for each side.
const COPIES: usize = 3;
/// Mean delays of the copies, in seconds.
const DELAYS: [f32; COPIES] = [0.0073, 0.0104, 0.0141];
/// Swing of the delays to either side at full depth and the lowest rate, in seconds.
const SWING: f32 = 0.0045;
/// Gain of a copy, between the one that keeps the lows, which add up, and the one that keeps the
/// highs, which don't.
const GAIN: f32 = 0.45;

/// The chorus's knobs.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChorusSettings {
    /// Rate of the swing in Hz.
    rate: f32,
    /// Depth of the swing, 0 to 1.
    depth: f32,
    mix: f32,
}

impl ChorusSettings {
    /// Reads a patch; `v` gives a row's plain value.
    pub fn new(v: impl Fn(usize) -> f32) -> Self {
        Self {
            rate: v(p::CHORUS_RATE),
            depth: v(p::CHORUS_DEPTH),
            mix: v(p::CHORUS_MIX),
        }
    }

    /// Seconds to either side; the faster, the smaller, so that the pitch doesn't wobble.
    fn swing(&self) -> f32 {
        self.depth * SWING / (1.0 + self.rate)
    }
}

/// A stereo chorus.
pub struct Chorus {
    sample_rate: f32,
    lines: [Line; 2],
    /// Turns, 0 to 1.
    phase: f32,
    rate: f32,
    swing: f32,
    /// Delay of each copy in samples.
    delays: [[Ramp; COPIES]; 2],
    share: f32,
}

impl Chorus {
    /// Allocates everything. `sample_rate` in Hz.
    pub fn new(sample_rate: f32) -> Self {
        let longest = (0.02 * sample_rate) as usize;
        Self {
            sample_rate,
            lines: [Line::new(longest), Line::new(longest)],
            phase: 0.0,
            rate: 0.0,
            swing: 0.0,
            delays: Default::default(),
            share: share(0.05, sample_rate),
        }
    }

    /// A copy's delay now, samples.
    fn delay(&self, side: usize, copy: usize) -> f32 {
        let turn = self.phase + (2 * copy + side) as f32 / (2 * COPIES) as f32;
        (DELAYS[copy] + self.swing * sin_turn(turn.fract())) * self.sample_rate
    }

    fn aim(&mut self) {
        for side in 0..2 {
            for copy in 0..COPIES {
                let delay = self.delay(side, copy);
                self.delays[side][copy].aim(delay, 1.0 / CONTROL as f32);
            }
        }
    }
}

impl Effect for Chorus {
    type Settings = ChorusSettings;

    fn mix(s: &ChorusSettings) -> f32 {
        s.mix
    }

    fn memory(&self) -> usize {
        (0.02 * self.sample_rate) as usize
    }

    fn wake(&mut self, s: &ChorusSettings) {
        self.lines.iter_mut().for_each(Line::clear);
        (self.phase, self.rate, self.swing) = (0.0, s.rate, s.swing());
        // Twice, so that the next ramp starts here.
        self.aim();
        self.aim();
    }

    fn plan(&mut self, s: &ChorusSettings) {
        approach(&mut self.rate, s.rate, self.share);
        approach(&mut self.swing, s.swing(), self.share);
        self.phase = (self.phase + self.rate * CONTROL as f32 / self.sample_rate).fract();
        self.aim();
    }

    #[inline(always)]
    fn tick(&mut self, i: usize, input: [f32; 2]) -> ([f32; 2], f32) {
        let mut out = [0.0; 2];
        for side in 0..2 {
            self.lines[side].push(input[side]);
            for delay in &self.delays[side] {
                out[side] += self.lines[side].read(delay.at(i));
            }
            out[side] *= GAIN;
        }
        (out, 0.0)
    }
}
