//! A simulation of the plugin: the live loop in one thread, with every inference and every search
//! on time.

use audio_file::mono;
use ear::EarConfig;
use matcher::live::DELAY;
use matcher::live::Limits;
use matcher::live::Target;
use matcher::live::{Inline, Listener};
use matcher::{Encoder, ListenError};
use synth::{Note, Patch};

/// Glide time of the plugin's default state, in seconds.
const GLIDE: f32 = 0.1;
/// Seed of oscillator phases and noise.
pub(super) const SEED: u64 = 1;

/// Inferences of the live loop in one pass through a clip.
pub struct LiveSimulation {
    /// Time of effect in seconds and the target held from then on, for every inference.
    pub held: Vec<(f64, Target)>,
}

impl LiveSimulation {
    /// Listens to a mono clip at `rate` Hz.
    pub fn new(
        mono: &[f32],
        rate: f64,
        ear: &EarConfig,
        encoder: impl Encoder,
    ) -> Result<Self, ListenError> {
        let mut listener = Listener::new(ear, rate, encoder)?;
        listener.search_with(Inline::default());
        let frame_rate = listener.frame_rate();
        let mut held = Vec::new();
        let mut failed = None;
        listener.step(
            mono,
            |_, _| (),
            |heard| match heard {
                Ok(heard) => {
                    let time = heard.frame as f64 / frame_rate + DELAY;
                    held.extend(
                        heard
                            .target
                            .filter(|_| heard.moved)
                            .map(|target| (time, target)),
                    );
                }
                Err(e) => failed = Some(e),
            },
        );
        match failed {
            Some(e) => Err(e.into()),
            None => Ok(Self { held }),
        }
    }

    /// The target held at `time` seconds, that of the last inference before; `None` before the
    /// first.
    pub fn at(&self, time: f64) -> Option<&Target> {
        let after = self.held.partition_point(|(t, _)| *t <= time);
        self.held[..after].last().map(|(_, target)| target)
    }

    /// Plays `notes` for `seconds` at `rate` Hz with the match at 100 % from `from` seconds on,
    /// over the default patch; mono.
    pub fn play(&self, notes: &[Note], seconds: f64, rate: f64, from: f64) -> Vec<f32> {
        let changes = self.held.iter().filter(|(t, _)| *t >= from);
        let changes = changes.map(|(time, target)| {
            let patch = target.effective(&Patch::default(), 1.0, &Limits::NONE);
            (*time, patch)
        });
        mono(&synth::render_changes(
            &Patch::default(),
            changes,
            GLIDE,
            notes,
            seconds,
            rate as f32,
            SEED,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use matcher::{EncoderError, Inference};
    use rand::SeedableRng;
    use synth::MATCHED_COUNT;

    /// The patch that plays the clip.
    fn played() -> Patch {
        Patch::random(&mut rand_pcg::Pcg64Mcg::seed_from_u64(31))
    }

    /// Infers that patch from every window.
    struct Sure;
    impl Encoder for Sure {
        fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
            let inference = Inference {
                mean: played().matched(),
                sigma: [0.01; MATCHED_COUNT],
            };
            Ok(vec![inference; windows.len() / matcher::INPUT_LEN])
        }
    }

    #[test]
    fn plays_the_knobs_first_and_what_was_heard_from_then_on() {
        let rate = 16_000.0;
        let melody = [0.0, 0.5, 1.0].map(|onset| Note {
            onset,
            duration: 0.4,
            key: 60.0,
            velocity: 0.8,
        });
        let play = |patch: &Patch| mono(&synth::render(patch, &melody, 1.5, rate as f32, SEED));
        let knobs = play(&Patch::default());
        let clip = play(&played());
        let simulation = LiveSimulation::new(&clip, rate, &EarConfig::default(), Sure).unwrap();
        let (first, _) = simulation.held[0];
        assert!((0.35..0.5).contains(&first), "{first}");
        assert!(simulation.at(first - 0.001).is_none() && simulation.at(first).is_some());

        let played = simulation.play(&melody, 1.5, rate, 0.0);
        let before = (first * rate) as usize - 1;
        assert_eq!(played[..before], knobs[..before]);
        assert_ne!(played, knobs);
        // From a time after the end on: the knobs throughout.
        assert_eq!(simulation.play(&melody, 1.5, rate, 9.0), knobs);
    }
}
