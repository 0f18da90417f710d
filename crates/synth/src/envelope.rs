//! An ADSR envelope of exponential segments, advanced in steps of any length.
//!
//! Each segment aims a little past its end so that it arrives in the stated time: the attack takes
//! `attack` seconds from 0 to 1; decay and release fall 60 dB of their way in `decay` and `release`
//! seconds and are then there. Curves bend the segments: from the usual one to steeper starts (-1)
//! or, over the straight line, to steeper ends (1). A retriggered or interrupted envelope goes on
//! from where it is.

use crate::CONTROL;
use crate::math::exp2;

/// Distance by which the attack aims past 1, which bends it gently.
const ATTACK_EXCESS: f32 = 0.3;
/// Distance by which decay and release aim past their end, as a fraction of the fall: -60 dB.
const FALL_EXCESS: f32 = 0.001;
/// Bend that a full curve adds to or takes off the attack's.
const ATTACK_BEND: f32 = 6.0;
/// Bend that a full curve takes off the fall's, and the one that a full negative curve adds.
const FALL_BEND: [f32; 2] = [9.0, 4.0];
/// Smallest bend that is not treated as straight: a straighter segment would aim too far off for
/// its precision.
const STRAIGHT: f32 = 0.05;
/// Shortest attack, decay and release that keys and velocities may lead to, seconds.
const SHORTEST: [f32; 3] = [0.001, 0.01, 0.005];
/// Time of the fade of stolen and choked notes, seconds from full level.
const FADE: f32 = 0.004;
/// Time constant with which a held level follows its knob, seconds.
const FOLLOW: f32 = 0.005;

/// An exponential approach.
#[derive(Clone, Copy, Debug, Default)]
struct Approach {
    /// log2 of the share of the way still to go after a sample.
    rate: f32,
    /// Share of the way still to go after a whole control step, the usual stride.
    step: f32,
}

impl Approach {
    fn new(rate: f32) -> Self {
        Self {
            rate,
            step: exp2(rate * CONTROL as f32),
        }
    }

    #[inline(always)]
    fn after(&self, samples: f32) -> f32 {
        if samples == CONTROL as f32 {
            self.step
        } else {
            exp2(self.rate * samples)
        }
    }
}

/// A segment of an envelope.
#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    approach: Approach,
    /// Distance by which the segment aims past its end, as a fraction of the whole way; below -1 it
    /// moves away from a point before its start.
    excess: f32,
    /// Largest factor of the segment's speed.
    fastest: f32,
}

impl Segment {
    /// A segment of `samples` samples, at the fastest of `shortest`. `excess` is the one at `curve`
    /// 0.
    fn new(samples: f32, shortest: f32, excess: f32, curve: f32, bend: [f32; 2]) -> Self {
        let fastest = (samples / shortest).max(1.0);
        if curve == 0.0 {
            let rate = -((1.0 + excess) / excess).log2() / samples;
            return Self {
                approach: Approach::new(rate),
                excess,
                fastest,
            };
        }
        // Over its time t from 0 to 1 it goes (1 - e^(-k t)) / (1 - e^(-k)) of its way.
        let usual = ((1.0 + excess) / excess).ln();
        let k = usual - curve * if curve > 0.0 { bend[0] } else { bend[1] };
        let k = if k.abs() < STRAIGHT { STRAIGHT } else { k };
        Self {
            approach: Approach::new(-k * std::f32::consts::LOG2_E / samples),
            excess: 1.0 / (k.exp() - 1.0),
            fastest,
        }
    }
}

/// The knobs, as rates.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvelopeSettings {
    attack: Segment,
    decay: Segment,
    sustain: f32,
    release: Segment,
    /// Change of the level per sample while fading.
    fade: f32,
    follow: Approach,
}

impl EnvelopeSettings {
    /// `times`: attack, decay and release in seconds; `sustain`: the level held; `curves`, -1 to 1:
    /// of the attack, and of decay and release.
    pub fn new(times: [f32; 3], sustain: f32, curves: [f32; 2], sample_rate: f32) -> Self {
        let samples = times.map(|seconds| seconds * sample_rate);
        let shortest = SHORTEST.map(|seconds| seconds * sample_rate);
        let fall =
            |n: usize| Segment::new(samples[n], shortest[n], FALL_EXCESS, curves[1], FALL_BEND);
        Self {
            attack: Segment::new(
                samples[0],
                shortest[0],
                ATTACK_EXCESS,
                curves[0],
                [ATTACK_BEND; 2],
            ),
            decay: fall(1),
            sustain,
            release: fall(2),
            fade: 1.0 / (FADE * sample_rate),
            follow: Approach::new(-std::f32::consts::LOG2_E / (FOLLOW * sample_rate)),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Stage {
    #[default]
    Idle,
    Attack,
    Decay,
    Sustain,
    Release,
    Fade,
}

/// An envelope's state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Envelope {
    stage: Stage,
    level: f32,
}

impl Envelope {
    /// Attacks from the current level.
    pub fn attack(&mut self) {
        self.stage = Stage::Attack;
    }

    /// Falls to 0 at the release rate, unless it is already on a shorter way.
    pub fn release(&mut self) {
        if !matches!(self.stage, Stage::Idle | Stage::Fade) {
            self.stage = Stage::Release;
        }
    }

    /// Falls to 0 within 4 ms.
    pub fn fade(&mut self) {
        if self.stage != Stage::Idle {
            self.stage = Stage::Fade;
        }
    }

    /// Whether the envelope has ended.
    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Whether it is on its way to its end, or there.
    pub fn is_released(&self) -> bool {
        matches!(self.stage, Stage::Idle | Stage::Release | Stage::Fade)
    }

    /// Current level, 0 to 1.
    pub fn level(&self) -> f32 {
        self.level
    }

    /// Moves on by `samples`, its segments `speed` times as fast as their knobs say.
    #[inline(always)]
    pub fn advance(&mut self, samples: f32, speed: f32, s: &EnvelopeSettings) {
        let mut left = samples;
        while left > 0.0 {
            let (from, end, segment, next) = match self.stage {
                Stage::Idle => return,
                Stage::Attack => (0.0, 1.0, &s.attack, Stage::Decay),
                Stage::Decay if self.level <= s.sustain => {
                    self.stage = Stage::Sustain;
                    continue;
                }
                Stage::Decay => (1.0, s.sustain, &s.decay, Stage::Sustain),
                Stage::Sustain => {
                    let distance = (self.level - s.sustain) * s.follow.after(left);
                    self.level = s.sustain + if distance.abs() < 1e-6 { 0.0 } else { distance };
                    return;
                }
                Stage::Release => (1.0, 0.0, &s.release, Stage::Idle),
                Stage::Fade => {
                    self.level -= left * s.fade;
                    if self.level <= 0.0 {
                        *self = Self::default();
                    }
                    return;
                }
            };
            let aim = end - segment.excess * (from - end);
            let speed = speed.min(segment.fastest);
            let reached = aim + (self.level - aim) * segment.approach.after(left * speed);
            let rising = end > from;
            if (rising && reached < end) || (!rising && reached > end) {
                self.level = reached;
                return;
            }
            // The segment ends within this step: the rest of it belongs to the next segment.
            let way = reached - self.level;
            left -= if way == 0.0 {
                left
            } else {
                left * (end - self.level) / way
            };
            self.level = end;
            self.stage = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds until `done`, in steps of `step` samples at 48 kHz.
    fn time_until(
        e: &mut Envelope,
        s: &EnvelopeSettings,
        step: f32,
        done: impl Fn(&Envelope) -> bool,
    ) -> f32 {
        let mut n = 0.0;
        while !done(e) && n < 2e6 {
            e.advance(step, 1.0, s);
            n += step;
        }
        n / 48_000.0
    }

    #[test]
    fn segments_take_the_stated_times() {
        for (attack, decay, sustain, release) in [
            (0.001, 0.01, 0.5, 0.005),
            (0.3, 0.2, 0.1, 1.5),
            (2.0, 8.0, 0.0, 5.0),
        ] {
            let s = EnvelopeSettings::new([attack, decay, release], sustain, [0.0; 2], 48_000.0);
            let step = 1.0;
            let mut e = Envelope::default();
            e.attack();
            let near = |got: f32, want: f32| (got - want).abs() <= want * 0.005 + 2.0 / 48_000.0;
            let t = time_until(&mut e, &s, step, |e| e.stage != Stage::Attack);
            assert!(near(t, attack), "attack {t}, expected {attack}");
            let t = time_until(&mut e, &s, step, |e| e.stage == Stage::Sustain);
            assert!(near(t, decay), "decay {t}, expected {decay}");
            assert!((e.level() - sustain).abs() < 1e-6);
            e.level = 1.0;
            e.release();
            let t = time_until(&mut e, &s, step, |e| e.is_idle());
            assert!(near(t, release), "release {t}, expected {release}");
            assert_eq!(e.level(), 0.0);
        }
    }

    #[test]
    fn release_passes_minus_30_db_at_half_time() {
        let s = EnvelopeSettings::new([0.001, 0.1, 1.0], 1.0, [0.0; 2], 48_000.0);
        let mut e = Envelope {
            stage: Stage::Release,
            level: 1.0,
        };
        e.advance(24_000.0, 1.0, &s);
        let db = 20.0 * e.level().log10();
        assert!((db + 30.0).abs() < 0.4, "{db} dB");
    }

    #[test]
    fn curved_segments_take_their_times_too_and_bend_as_said() {
        let near = |got: f32, want: f32| (got - want).abs() <= want * 0.01 + 2.0 / 48_000.0;
        let mut last = [2.0f32, -1.0];
        for curve in [-1.0, -0.5, -0.01, 0.0, 0.01, 0.25, 0.5, 0.7676, 1.0] {
            for speed in [1.0, 4.0] {
                let s = EnvelopeSettings::new([0.2, 0.3, 0.4], 0.0, [curve; 2], 48_000.0);
                let mut e = Envelope::default();
                e.attack();
                let (mut n, mut halves) = (0, [0.0; 2]);
                for (stage, seconds) in [(Stage::Attack, 0.2), (Stage::Decay, 0.3)] {
                    let from = n;
                    while e.stage == stage {
                        let before = e.level;
                        e.advance(1.0, speed, &s);
                        n += 1;
                        assert!(
                            (e.level - before).abs() < 2e-2,
                            "{curve}: {before} {}",
                            e.level
                        );
                        if ((n - from) as f32 - 24_000.0 * seconds / speed).abs() <= 1.0 {
                            halves[(stage == Stage::Decay) as usize] = e.level;
                        }
                    }
                    let t = (n - from) as f32 / 48_000.0;
                    assert!(near(t, seconds / speed), "{stage:?}, curve {curve}: {t} s");
                }
                if speed == 1.0 {
                    assert!(
                        halves[0] < last[0] && halves[1] > last[1],
                        "{curve}: {halves:?}"
                    );
                    last = halves;
                }
            }
        }
        // From a steep start to a steep end.
        assert!(last[0] < 0.15 && last[1] > 0.6, "{last:?}");
    }

    #[test]
    fn no_speed_makes_a_segment_click() {
        for curve in [-1.0, 0.0, 1.0] {
            let s = EnvelopeSettings::new([0.001, 0.01, 0.005], 0.5, [curve; 2], 48_000.0);
            let mut e = Envelope::default();
            let mut previous = 0.0;
            for i in 0..4000 {
                match i % 400 {
                    0 => e.attack(),
                    200 => e.release(),
                    _ => {}
                }
                e.advance(1.0, 1000.0, &s);
                // The steepest curve's slope is 7.5 times the straight one's of 48 samples.
                assert!((e.level() - previous).abs() < 0.17, "{i}");
                previous = e.level();
            }
        }
    }

    #[test]
    fn long_and_short_steps_agree() {
        let s = EnvelopeSettings::new([0.01, 0.05, 0.1], 0.4, [0.0; 2], 48_000.0);
        let [mut a, mut b] = [Envelope::default(); 2];
        a.attack();
        b.attack();
        for i in 0..600 {
            if i == 300 {
                a.release();
                b.release();
            }
            a.advance(16.0, 1.0, &s);
            (0..16).for_each(|_| b.advance(1.0, 1.0, &s));
            assert!(
                (a.level() - b.level()).abs() < 0.01,
                "{i}: {} {}",
                a.level(),
                b.level()
            );
        }
    }

    #[test]
    fn retrigger_and_release_never_jump() {
        let s = EnvelopeSettings::new([0.005, 0.05, 0.1], 0.4, [0.0; 2], 48_000.0);
        let mut e = Envelope::default();
        let mut previous = 0.0;
        for i in 0..4000 {
            match i % 700 {
                0 => e.attack(),
                300 => e.release(),
                650 => e.fade(),
                _ => {}
            }
            e.advance(1.0, 1.0, &s);
            assert!(
                (e.level() - previous).abs() < 0.0102,
                "{i}: {previous} {}",
                e.level()
            );
            assert!((0.0..=1.0).contains(&e.level()));
            previous = e.level();
        }
    }
}
