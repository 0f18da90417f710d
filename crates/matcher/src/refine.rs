//! Search around an inference with the real synth and the real ear.

use crate::cma::SepCma;
use crate::encoder::Inference;
use crate::likeness::likeness;
use crate::mel::{Mel, Profile};
use ear::{EarConfig, EarError, Spectrogram};
use rand::SeedableRng;
use std::time::{Duration, Instant};
use synth::{MATCHED_COUNT, Note, Patch};

/// Mel distance in dB worth as much as all of the likeness.
const MEL_SCALE: f32 = 40.0;
/// A search narrower than this, in normalised units, has converged; it starts anew around the best.
const CONVERGED: f64 = 0.003;
/// Seed of the renders' phases and noise: all patches are compared with the same.
const RENDER_SEED: u64 = 1;

/// A sound to be matched, heard once.
pub struct Reference {
    rate: f64,
    samples: usize,
    ear: EarConfig,
    heard: Spectrogram,
    mel: Mel,
    profile: Profile,
}

/// How well a sound matches its reference.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Score {
    /// [`crate::likeness::likeness`], at most 1.
    pub likeness: f32,
    /// [`crate::likeness::mel_distance`] in dB, at least 0.
    pub mel: f32,
}

impl Score {
    /// What the search raises: half likeness, half log-mel similarity (1 - distance / 40 dB).
    pub fn objective(&self) -> f32 {
        0.5 * self.likeness + 0.5 * (1.0 - self.mel / MEL_SCALE)
    }
}

impl Reference {
    /// Hears a mono clip at `rate` Hz. Fails where [`ear::spectrogram`] does.
    pub fn new(samples: &[f32], rate: f64, ear: &EarConfig) -> Result<Self, EarError> {
        let heard = ear::spectrogram(ear, samples, rate, false)?;
        let mel = Mel::new(rate);
        let profile = mel.profile(samples);
        Ok(Self {
            rate,
            samples: samples.len(),
            ear: *ear,
            heard,
            mel,
            profile,
        })
    }

    /// Compares another mono clip at the same rate.
    pub fn score(&self, samples: &[f32]) -> Result<Score, EarError> {
        let heard = ear::spectrogram(&self.ear, samples, self.rate, false)?;
        Ok(Score {
            likeness: likeness(&self.heard, &heard),
            mel: self.profile.distance(&self.mel.profile(samples)),
        })
    }

    /// Renders `notes` with `patch` at the reference's length and rate, in mono.
    pub fn render(&self, notes: &[Note], patch: &Patch) -> Vec<f32> {
        let seconds = self.samples as f64 / self.rate;
        synth::render_mono(patch, notes, seconds, self.rate as f32, RENDER_SEED)
    }
}

/// How far and how long to search.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Ends after so many renders. With this limit alone a search is deterministic.
    pub renders: Option<usize>,
    /// Ends after this time.
    pub time: Option<Duration>,
    /// Seed of the search.
    pub seed: u64,
    /// Standard deviation of the first steps in each matched parameter, normalised, order of
    /// [`synth::MATCHED`].
    pub spread: [f32; MATCHED_COUNT],
}

impl Options {
    /// Steps as wide as the inference is unsure.
    pub fn around(inference: &Inference) -> Self {
        Self {
            spread: inference.sigma.map(|s| s.clamp(0.03, 0.3)),
            ..Self::default()
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            renders: None,
            time: None,
            seed: 1,
            spread: [0.15; MATCHED_COUNT],
        }
    }
}

/// The best found.
#[derive(Clone, Copy, Debug)]
pub struct Refined {
    /// The patch; unmatched parameters are the start's.
    pub patch: Patch,
    /// Its score; neither half is worse than the start's.
    pub score: Score,
    /// Renders so far, the start's included.
    pub renders: usize,
}

/// Searches the matched parameters around `start` for a patch that plays `notes` more like `reference`.
/// Better-only: a patch counts only when neither likeness nor mel distance is worse than the start's.
/// `progress` is called after each render with the best so far; `false` ends the search. Without a limit
/// in `options` it is the only end.
pub fn refine(
    reference: &Reference,
    notes: &[Note],
    start: &Patch,
    options: &Options,
    mut progress: impl FnMut(&Refined) -> bool,
) -> Result<Refined, EarError> {
    let began = Instant::now();
    let first = reference.score(&reference.render(notes, start))?;
    let mut best = Refined {
        patch: *start,
        score: first,
        renders: 1,
    };
    let over = |best: &Refined| {
        options.renders.is_some_and(|most| best.renders >= most)
            || options.time.is_some_and(|limit| began.elapsed() >= limit)
    };
    if !progress(&best) {
        return Ok(best);
    }
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(options.seed);
    let spread = options.spread.map(f64::from);
    let mut search = SepCma::new(&start.matched().map(f64::from), &spread);
    while !over(&best) {
        if search.width() < CONVERGED {
            search = SepCma::new(&best.patch.matched().map(f64::from), &spread);
        }
        let samples = search.ask(&mut rng);
        let mut costs = Vec::with_capacity(samples.len());
        for sample in &samples {
            if over(&best) {
                return Ok(best);
            }
            let h = std::array::from_fn(|i| sample.point[i] as f32);
            let patch = start.with_matched(&h);
            let score = reference.score(&reference.render(notes, &patch))?;
            costs.push(-score.objective() as f64);
            best.renders += 1;
            let no_worse = score.likeness >= first.likeness && score.mel <= first.mel;
            if no_worse && score.objective() > best.score.objective() {
                best.patch = patch;
                best.score = score;
            }
            if !progress(&best) {
                return Ok(best);
            }
        }
        search.tell(&samples, &costs);
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synth::params;

    const RATE: f64 = 16_000.0;

    fn notes() -> Vec<Note> {
        vec![
            Note {
                onset: 0.05,
                duration: 0.3,
                key: 57.0,
                velocity: 0.8,
            },
            Note {
                onset: 0.45,
                duration: 0.3,
                key: 64.0,
                velocity: 0.8,
            },
        ]
    }

    /// A reference by the synth itself, some way from the init patch.
    fn reference() -> Reference {
        let mut patch = Patch::default();
        patch.set_plain(params::FILTER_CUTOFF, 700.0);
        patch.set_plain(params::FILTER_RESONANCE, 0.5);
        patch.set_plain(params::AMP_ATTACK, 0.05);
        patch.set_plain(params::AMP_SUSTAIN, 0.2);
        patch.set_plain(params::OSC1_SHAPE, 1.0);
        let [left, _] = synth::render(&patch, &notes(), 1.0, RATE as f32, 9);
        Reference::new(&left, RATE, &EarConfig::default()).unwrap()
    }

    fn run(reference: &Reference, renders: usize, seed: u64) -> Refined {
        let options = Options {
            renders: Some(renders),
            seed,
            ..Options::default()
        };
        refine(reference, &notes(), &Patch::default(), &options, |_| true).unwrap()
    }

    #[test]
    fn finds_its_way_back_to_a_patch_of_the_synth() {
        let reference = reference();
        let start = run(&reference, 1, 1);
        assert_eq!((start.renders, start.patch), (1, Patch::default()));
        let found = run(&reference, 400, 1);
        assert_eq!(found.renders, 400);
        println!("{:?} -> {:?}", start.score, found.score);
        assert!(found.score.likeness >= start.score.likeness && found.score.mel <= start.score.mel);
        let closed = |a: f32, b: f32| (b - a) / (1.0 - a);
        assert!(
            closed(start.score.likeness, found.score.likeness) > 0.7,
            "{:?}",
            found.score
        );
        assert!(found.score.mel < 0.6 * start.score.mel, "{:?}", found.score);
        // The score is the patch's own.
        assert_eq!(
            reference
                .score(&reference.render(&notes(), &found.patch))
                .unwrap(),
            found.score
        );
    }

    #[test]
    fn is_deterministic_for_a_seed() {
        let reference = reference();
        let (a, b, c) = (
            run(&reference, 60, 1),
            run(&reference, 60, 1),
            run(&reference, 60, 2),
        );
        assert_eq!((a.patch, a.score), (b.patch, b.score));
        assert_ne!(a.patch, c.patch);
    }

    #[test]
    fn never_gets_worse_and_ends_when_told() {
        let reference = reference();
        let mut last = f32::MIN;
        let mut calls = 0;
        let options = Options::default();
        let found = refine(&reference, &notes(), &Patch::default(), &options, |best| {
            assert!(best.score.objective() >= last);
            last = best.score.objective();
            calls += 1;
            calls < 40
        })
        .unwrap();
        assert_eq!((found.renders, calls), (40, 40));
        let at_once = Options {
            time: Some(Duration::ZERO),
            ..Options::default()
        };
        let found = refine(&reference, &notes(), &Patch::default(), &at_once, |_| true).unwrap();
        assert_eq!(found.renders, 1);
    }

    #[test]
    fn unmatched_parameters_stay() {
        let mut start = Patch::default();
        start.set_plain(params::TUNE, 7.0);
        let options = Options {
            renders: Some(30),
            ..Options::default()
        };
        let found = refine(&reference(), &notes(), &start, &options, |_| true).unwrap();
        for row in (0..synth::COUNT).filter(|row| !synth::MATCHED.contains(row)) {
            assert_eq!(found.patch.get(row), start.get(row));
        }
    }

    #[test]
    fn silence_and_no_notes_are_no_trouble() {
        let silence = Reference::new(&[0.0; 8000], RATE, &EarConfig::default()).unwrap();
        let options = Options {
            renders: Some(20),
            ..Options::default()
        };
        let found = refine(&silence, &[], &Patch::default(), &options, |_| true).unwrap();
        assert_eq!((found.score.likeness, found.score.mel), (1.0, 0.0));
    }
}
