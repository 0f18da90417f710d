//! A stereo delay with a tone control in its loop. A new time doesn't bend the pitch of what is in
//! the line: the old reading fades into the new one.

use super::line::Line;
use super::{Effect, approach, share};
use crate::math::Ramp;
use crate::{CONTROL, params as p};

/// Seconds to fade from one time to the next.
const FADE: f32 = 0.06;
/// Longest delay in seconds: a bar at 60 beats a minute.
const LONGEST: f32 = 4.0;

/// The delay's knobs.
#[derive(Clone, Copy, Debug, Default)]
pub struct DelaySettings {
    /// Delay time in seconds, where it is not synced.
    time: f32,
    /// Delay time in beats; 0: not synced.
    beats: f32,
    /// Gain of the loop.
    feedback: f32,
    /// Cutoff of the low-pass in Hz.
    tone: f32,
    /// 0: each side repeats itself; 1: the middle repeats left, right, left.
    ping_pong: f32,
    mix: f32,
}

impl DelaySettings {
    /// Reads a patch; `v` gives a row's plain value.
    pub fn new(v: impl Fn(usize) -> f32) -> Self {
        Self {
            time: v(p::DELAY_TIME),
            beats: p::echo_from_plain(v(p::DELAY_SYNC)),
            feedback: v(p::DELAY_FEEDBACK),
            tone: v(p::DELAY_TONE),
            ping_pong: v(p::DELAY_PING_PONG),
            mix: v(p::DELAY_MIX),
        }
    }

    /// Delay time in seconds at `tempo` beats per second. A synced one that is longer than the line
    /// is halved until it fits, and so stays in time with the song.
    pub fn seconds(&self, tempo: f32) -> f32 {
        if self.beats == 0.0 {
            return self.time;
        }
        let mut seconds = self.beats / tempo;
        while seconds > LONGEST {
            seconds *= 0.5;
        }
        seconds
    }

    /// These settings with the time that they have at `tempo` beats per second.
    pub fn at_tempo(self, tempo: f32) -> Self {
        Self {
            time: self.seconds(tempo),
            beats: 0.0,
            ..self
        }
    }
}

/// A stereo delay.
pub struct Delay {
    sample_rate: f32,
    lines: [Line; 2],
    /// Delay heard and the one it fades to, samples.
    times: [usize; 2],
    /// Progress of the fade, 0 to 1.
    fade: f32,
    feedback: f32,
    tone: f32,
    ping_pong: f32,
    ramps: [Ramp; 3],
    /// One-pole low-passes.
    low: [f32; 2],
    share: f32,
}

impl Delay {
    /// Allocates everything. `sample_rate` in Hz.
    pub fn new(sample_rate: f32) -> Self {
        let longest = (LONGEST * sample_rate) as usize + 1;
        Self {
            sample_rate,
            lines: [Line::new(longest), Line::new(longest)],
            times: [1; 2],
            fade: 0.0,
            feedback: 0.0,
            tone: 0.0,
            ping_pong: 0.0,
            ramps: [Ramp::default(); 3],
            low: [0.0; 2],
            share: share(0.02, sample_rate),
        }
    }

    fn samples(&self, s: &DelaySettings) -> usize {
        (s.time * self.sample_rate).round().max(1.0) as usize
    }

    /// Coefficient of the low-pass.
    fn coefficient(&self, s: &DelaySettings) -> f32 {
        1.0 - (-std::f32::consts::TAU * s.tone / self.sample_rate).exp()
    }
}

impl Effect for Delay {
    type Settings = DelaySettings;

    fn mix(s: &DelaySettings) -> f32 {
        s.mix
    }

    fn memory(&self) -> usize {
        self.times[0].max(self.times[1])
    }

    fn wake(&mut self, s: &DelaySettings) {
        self.lines.iter_mut().for_each(Line::clear);
        self.times = [self.samples(s); 2];
        (self.fade, self.low) = (0.0, [0.0; 2]);
        (self.feedback, self.tone, self.ping_pong) = (s.feedback, self.coefficient(s), s.ping_pong);
        self.ramps = [self.feedback, self.tone, self.ping_pong].map(Ramp::still);
    }

    fn plan(&mut self, s: &DelaySettings) {
        if self.fade == 0.0 {
            self.times[1] = self.samples(s);
        }
        let tone = self.coefficient(s);
        approach(&mut self.feedback, s.feedback, self.share);
        approach(&mut self.tone, tone, self.share);
        approach(&mut self.ping_pong, s.ping_pong, self.share);
        let targets = [self.feedback, self.tone, self.ping_pong];
        for (ramp, target) in self.ramps.iter_mut().zip(targets) {
            ramp.aim(target, 1.0 / CONTROL as f32);
        }
    }

    #[inline(always)]
    fn tick(&mut self, i: usize, input: [f32; 2]) -> ([f32; 2], f32) {
        let [feedback, tone, cross] = self.ramps.map(|ramp| ramp.at(i));
        let [from, to] = self.times;
        // What was written last is one sample old.
        let mut out = [0, 1].map(|side: usize| self.lines[side].tap(from - 1));
        if from != to {
            self.fade += 1.0 / (FADE * self.sample_rate);
            let t = self.fade.min(1.0);
            let share = t * t * (3.0 - 2.0 * t);
            for (side, out) in out.iter_mut().enumerate() {
                *out += share * (self.lines[side].tap(to - 1) - *out);
            }
            if t == 1.0 {
                (self.times[0], self.fade) = (to, 0.0);
            }
        }
        let middle = 0.5 * (input[0] + input[1]);
        let fed = [
            input[0] + cross * (middle - input[0]),
            (1.0 - cross) * input[1],
        ];
        let mut loudest = 0.0f32;
        for side in 0..2 {
            let back = out[side] + cross * (out[1 - side] - out[side]);
            let low = &mut self.low[side];
            *low += tone * (fed[side] + feedback * back - *low);
            let size = self.lines[side].push(*low);
            if size == 0.0 {
                *low = 0.0;
            }
            loudest = loudest.max(size);
        }
        (out, loudest)
    }
}
