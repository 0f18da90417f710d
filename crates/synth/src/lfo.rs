//! The low-frequency oscillators: each waits, fades in, and oscillates; for each note from its
//! start, or for all notes together, at a rate in hertz or in the host's tempo.

use crate::math::{sin_turn, split_mix};
use crate::params::{LfoShape, LfoStart};

/// Largest change per second where a shape jumps: it takes 4 ms from end to end, so that nothing it
/// moves clicks.
const SLEW: f32 = 500.0;
/// Shortest fade-in, seconds.
const FADE: f32 = 1e-3;

impl LfoShape {
    /// Whether the shape jumps.
    fn jumps(self) -> bool {
        matches!(
            self,
            Self::SawUp | Self::SawDown | Self::Square | Self::Hold
        )
    }

    /// Value, -1 to 1, at `phase`, 0 to 1, of the `cycle`-th cycle.
    #[inline(always)]
    fn at(self, phase: f32, cycle: u32, seed: u32) -> f32 {
        match self {
            Self::Sine => sin_turn(phase),
            Self::Triangle => {
                let turned = if phase < 0.75 {
                    phase + 0.25
                } else {
                    phase - 0.75
                };
                1.0 - 4.0 * (turned - 0.5).abs()
            }
            Self::SawUp => 2.0 * phase - 1.0,
            Self::SawDown => 1.0 - 2.0 * phase,
            Self::Square if phase < 0.5 => 1.0,
            Self::Square => -1.0,
            Self::Hold => random(seed, cycle),
            Self::Smooth => {
                let [from, to] = [random(seed, cycle), random(seed, cycle.wrapping_add(1))];
                from + (to - from) * phase * phase * (3.0 - 2.0 * phase)
            }
        }
    }
}

/// The `cycle`-th number, -1 to 1, of a sequence.
fn random(seed: u32, cycle: u32) -> f32 {
    let mut state = u64::from(seed) << 32 | u64::from(cycle);
    (split_mix(&mut state) >> 32) as i32 as f32 * (1.0 / 2_147_483_648.0)
}

/// An LFO's knobs.
#[derive(Clone, Copy, Debug, Default)]
pub struct LfoSettings {
    /// Rate in Hz, where it is not synced.
    pub rate: f32,
    /// Length of a cycle in beats; 0: not synced.
    pub beats: f32,
    /// Waveform.
    pub shape: LfoShape,
    /// Time before the fade-in, seconds.
    pub delay: f32,
    /// Duration of the fade-in beyond half the delay, seconds.
    pub fade: f32,
    /// Offset of the phase, cycles.
    pub phase: f32,
    /// Whether each note has its own or all notes share one.
    pub start: LfoStart,
}

impl LfoSettings {
    /// Cycles per second at `tempo` beats per second.
    pub fn hertz(&self, tempo: f32) -> f32 {
        if self.beats > 0.0 {
            tempo / self.beats
        } else {
            self.rate
        }
    }
}

/// The song's tempo, and the phase of an LFO that runs for all notes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// Beats per second.
    pub tempo: f32,
    /// Cycles of the free-running LFO at the end of the step.
    pub turns: f64,
}

/// A note's LFO.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lfo {
    /// Cycles, 0 to 1.
    phase: f32,
    /// Whole cycles since the start.
    cycle: u32,
    /// Seconds since the note's start.
    age: f32,
    /// Chooses the random shapes.
    seed: u32,
    /// The shape's value, slowed where it jumps.
    value: f32,
    /// Depth of the fade-in, 0 to 1.
    depth: f32,
}

impl Lfo {
    /// Starts with a note, at depth 0.
    pub fn new(seed: u32, s: &LfoSettings, clock: &Clock) -> Self {
        let mut lfo = Self {
            seed,
            ..Self::default()
        };
        lfo.value = lfo.shape(s, clock);
        lfo
    }

    /// Moves on by `seconds`, less than a cycle.
    #[inline(always)]
    pub fn advance(&mut self, seconds: f32, s: &LfoSettings, clock: &Clock) {
        self.phase += s.hertz(clock.tempo) * seconds;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
            self.cycle = self.cycle.wrapping_add(1);
        }
        // Beyond any delay the age no longer matters, and must not lose precision.
        self.age = (self.age + seconds).min(60.0);
        let aim = self.shape(s, clock);
        self.value = if s.shape.jumps() {
            let most = SLEW * seconds;
            self.value + (aim - self.value).clamp(-most, most)
        } else {
            aim
        };
        let fade = (0.5 * s.delay).max(FADE) + s.fade;
        self.depth = ((self.age - s.delay) / fade).clamp(0.0, 1.0);
    }

    #[inline(always)]
    fn shape(&self, s: &LfoSettings, clock: &Clock) -> f32 {
        let (phase, cycle, seed) = if s.start == LfoStart::Free {
            let whole = clock.turns.floor();
            ((clock.turns - whole) as f32, whole as i64 as u32, 0)
        } else {
            (self.phase, self.cycle, self.seed)
        };
        let mut phase = phase + s.phase;
        let mut cycle = cycle;
        while phase >= 1.0 {
            phase -= 1.0;
            cycle = cycle.wrapping_add(1);
        }
        s.shape.at(phase, cycle, seed)
    }

    /// Depth, 0 to 1: nothing for `delay` seconds, then a linear fade-in over half as long and
    /// `fade`.
    pub fn depth(&self) -> f32 {
        self.depth
    }

    /// Value times depth, -1 to 1.
    pub fn level(&self) -> f32 {
        self.value * self.depth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_fades_in_and_keeps_its_rate() {
        let s = LfoSettings {
            rate: 5.0,
            delay: 1.0,
            fade: 0.25,
            ..LfoSettings::default()
        };
        let mut lfo = Lfo::new(0, &s, &Clock::default());
        let (mut crossings, mut last) = (0, 0.0);
        for i in 1..=30_000 {
            lfo.advance(1e-3, &s, &Clock::default());
            let t = i as f32 * 1e-3;
            let want = ((t - 1.0) / 0.75).clamp(0.0, 1.0);
            let depth = lfo.depth();
            assert!((depth - want).abs() < 0.01, "depth {depth} at {t} s");
            crossings += (last < 0.0 && lfo.value >= 0.0) as i32;
            last = lfo.value;
        }
        assert!(
            (149..=150).contains(&crossings),
            "{crossings} cycles in 30 s at 5 Hz"
        );
    }

    #[test]
    fn a_synced_one_follows_tempo_and_song() {
        let mut s = LfoSettings {
            rate: 9.0,
            beats: 0.5,
            ..LfoSettings::default()
        };
        assert_eq!(s.hertz(2.0), 4.0);
        s.start = LfoStart::Free;
        s.shape = LfoShape::Hold;
        let at = |turns| Lfo::new(7, &s, &Clock { tempo: 2.0, turns }).value;
        assert_eq!(at(3.0), at(3.9));
        assert_ne!(at(3.9), at(4.1));
    }

    #[test]
    fn shapes_stay_in_their_range_and_only_jump_slowly() {
        for shape in LfoShape::ALL {
            for phase in [0.0, 0.3, 1.0] {
                let s = LfoSettings {
                    rate: 7.0,
                    shape,
                    phase,
                    ..LfoSettings::default()
                };
                let mut lfo = Lfo::new(3, &s, &Clock::default());
                let mut last = lfo.value;
                let [mut low, mut high] = [0.0f32; 2];
                for _ in 0..20_000 {
                    lfo.advance(1.0 / 3000.0, &s, &Clock::default());
                    let step = (lfo.value - last).abs();
                    assert!(step <= SLEW / 2990.0, "{shape:?} steps by {step}");
                    last = lfo.value;
                    (low, high) = (low.min(last), high.max(last));
                }
                assert!((-1.001..-0.85).contains(&low), "{shape:?} from {low}");
                assert!((0.85..1.001).contains(&high), "{shape:?} to {high}");
            }
        }
    }
}
