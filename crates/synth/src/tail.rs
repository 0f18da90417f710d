//! The time that a patch rings on after the last note's end.

use crate::Patch;
use crate::effects::DelaySettings;
use crate::params as p;

/// Amplitude (-126 dB) of a full-scale sound's remains that count as silence; effects stop
/// processing a little above it.
const SILENCE: f32 = 5e-7;
/// Decay times of 60 dB until then, with a margin for the reverb's diffusion.
const DECAYS: f32 = 2.2;
/// Time that the voices' ramps and the effects' own lines add, in seconds.
const MARGIN: f32 = 0.5;
/// Octaves from middle C to the lowest and the highest key.
const BELOW: f32 = 60.0 / 12.0;
const ABOVE: f32 = 67.0 / 12.0;

/// Longest time from the last note's end to silence, in seconds, at `tempo` beats per second.
pub fn tail(patch: &Patch, tempo: f32) -> f32 {
    let v = |row| patch.plain(row);
    // The slowest key and velocity.
    let by_key = v(p::AMP_KEY_TIME);
    let by_velocity = 3.0 * v(p::AMP_VELOCITY_TIME);
    let slowest = (by_key * BELOW).max(-by_key * ABOVE) + by_velocity.max(0.0);
    let mut seconds = v(p::AMP_RELEASE) * slowest.exp2() + MARGIN;
    if v(p::DELAY_MIX) > 0.0 {
        let feedback = v(p::DELAY_FEEDBACK).clamp(SILENCE, 0.99);
        let rounds = SILENCE.ln() / feedback.ln();
        seconds += (rounds + 2.0) * DelaySettings::new(v).seconds(tempo);
    }
    if v(p::REVERB_MIX) > 0.0 {
        seconds += DECAYS * v(p::REVERB_DECAY);
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, EventKind, Synth};
    use rand::{Rng, SeedableRng};

    /// Seconds from a short chord's end until the synth says that it is silent.
    fn measured(patch: &Patch, rate: f32) -> f32 {
        let mut synth = Synth::new(rate);
        synth.set_patch(patch, 0.0);
        let on = |(key, velocity)| Event {
            time: 0,
            kind: EventKind::NoteOn {
                id: -1,
                channel: 0,
                key,
                velocity,
            },
        };
        let (mut left, mut right) = ([0.0; 480], [0.0; 480]);
        synth.process(&mut left, &mut right, &[(36.0, 1.0), (96.0, 0.2)].map(on));
        for _ in 0..50 {
            synth.process(&mut left, &mut right, &[]);
        }
        let off = Event {
            time: 0,
            kind: EventKind::AllNotesOff { channel: 0 },
        };
        synth.process(&mut left, &mut right, &[off]);
        let mut blocks = 1;
        while !synth.is_silent() {
            synth.process(&mut left, &mut right, &[]);
            blocks += 1;
        }
        // What it says is true.
        synth.process(&mut left, &mut right, &[]);
        assert!(left.iter().chain(&right).all(|x| *x == 0.0));
        blocks as f32 * 480.0 / rate
    }

    #[test]
    fn a_patch_is_silent_after_its_tail_and_not_long_before() {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(21);
        let mut nearest: f32 = 0.0;
        for k in 0..24 {
            let mut patch = Patch::random(&mut rng);
            let mut set = |row, range: std::ops::Range<f32>| {
                patch.set_plain(row, rng.random_range(range));
            };
            set(p::AMP_RELEASE, 0.01..1.0);
            set(p::DELAY_TIME, 0.05..0.5);
            set(p::DELAY_FEEDBACK, 0.1..0.6);
            set(p::REVERB_DECAY, 0.2..2.0);
            // With and without each effect.
            set(p::DELAY_MIX, if k % 2 == 0 { 0.3..0.5 } else { 0.0..1e-9 });
            set(p::REVERB_MIX, if k % 3 == 0 { 0.3..0.5 } else { 0.0..1e-9 });
            if k % 4 == 0 {
                // An eighth.
                patch.set_plain(p::DELAY_SYNC, 9.0);
            }
            if k % 2 == 1 {
                patch.set_plain(p::DELAY_MIX, 0.0);
            }
            if k % 3 != 0 {
                patch.set_plain(p::REVERB_MIX, 0.0);
            }
            // At 120 beats a minute, as the synth plays.
            let (said, was) = (tail(&patch, 2.0), measured(&patch, 48_000.0));
            assert!(was <= said, "{was} s, said {said} s: {}", patch.to_json());
            nearest = nearest.max(was / said);
        }
        assert!(
            nearest > 0.5,
            "the nearest tail is {nearest} of what was said"
        );
    }
}
