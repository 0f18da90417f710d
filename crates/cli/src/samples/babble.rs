//! Babbling: random patches playing random melodies. Sample `i` of a seed is a function of the seed
//! and `i` alone, whichever thread makes it and when.

use super::distribution::Distribution;
use super::plant::{Phrase, Plant, Render, Window, window_seconds};
use super::reverb;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use synth::params::*;
use synth::{MATCHED_COUNT, Note, PARAMS, Patch};

/// A source of random numbers for item `index` of one of the trainer's streams.
pub fn rng(seed: u64, stream: u64, index: u64) -> Pcg64Mcg {
    // Distinct odd multipliers keep the streams apart; seed_from_u64 scrambles what is left.
    Pcg64Mcg::seed_from_u64(
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03)
            ^ index.wrapping_mul(0xA076_1D64_78BD_642F),
    )
}

/// Stream numbers of [`rng`].
pub mod stream {
    /// Stream of patches and melodies.
    pub const BABBLE: u64 = 1;
    /// Stream of the choice of replayed samples.
    pub const REPLAY: u64 = 2;
    /// Stream of the augmentation at each visit.
    pub const AUGMENT: u64 = 3;
    /// Stream of the choice of foreign windows.
    pub const FOREIGN: u64 = 4;
    /// Stream of the exploration around the encoder's guess.
    pub const EXPLORE: u64 = 5;
    /// Stream of held-out samples.
    pub const HELD_OUT: u64 = 6;
}

/// One example of our own synthesizer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Matched parameters, normalised.
    pub h: [f32; MATCHED_COUNT],
    /// Notes and window.
    pub phrase: Phrase,
    /// The window as the synthesizer sounds.
    pub clean: Window,
    /// The window as heard in a room, doubled or over another note; `None`: as `clean`.
    pub heard: Option<Window>,
}

impl Sample {
    /// Sample `index` of the stream.
    pub fn new(plant: &mut Plant, of: &Distribution, seed: u64, stream: u64, index: u64) -> Self {
        Self::many(plant, of, seed, stream, &[index]).remove(0)
    }

    /// Samples of the stream, in the order of `indices`, rendered side by side.
    pub fn many(
        plant: &mut Plant,
        of: &Distribution,
        seed: u64,
        stream: u64,
        indices: &[u64],
    ) -> Vec<Self> {
        let mut drafts: Vec<(usize, Draft)> = indices
            .iter()
            .map(|&index| Draft::new(of, rng(seed, stream, index)))
            .enumerate()
            .collect();
        let mut samples: Vec<(usize, Self)> = Vec::with_capacity(drafts.len());
        while !drafts.is_empty() {
            let renders: Vec<Render<'_>> = drafts.iter().flat_map(|(_, d)| d.renders()).collect();
            let mut played = plant.play(&renders).into_iter();
            let mut silent = Vec::new();
            for (place, draft) in drafts {
                let played: Vec<_> = played.by_ref().take(draft.renders().count()).collect();
                match draft.heard(plant, played) {
                    Ok(sample) => samples.push((place, sample)),
                    // A window in which nothing sounds teaches nothing: the index draws again.
                    Err(rng) => silent.push((place, Draft::new(of, rng))),
                }
            }
            drafts = silent;
        }
        samples.sort_by_key(|(place, _)| *place);
        samples.into_iter().map(|(_, sample)| sample).collect()
    }
}

/// A sample before it is rendered.
struct Draft {
    rng: Pcg64Mcg,
    patch: Patch,
    phrase: Phrase,
    surroundings: Option<Surroundings>,
}

/// Disturbances that the encoder hears with the synthesizer.
struct Surroundings {
    /// Gain of another phrase that sounds along.
    other: Option<(f32, Phrase)>,
    /// Seed of the reverberation, if there is one.
    room: Option<u64>,
}

impl Draft {
    fn new(of: &Distribution, mut rng: Pcg64Mcg) -> Self {
        let patch = patch(of, &mut rng);
        let phrase = phrase(of, &mut rng);
        let surroundings = rng.random_bool(of.surrounded).then(|| {
            let other = match rng.random_range(0..3) {
                0 => None,
                1 => Some(double(&mut rng, &phrase)),
                _ => Some(overlap(of, &mut rng, &phrase)),
            };
            let room = other.is_none() || rng.random_bool(0.3);
            Surroundings {
                room: room.then(|| rng.random()),
                other,
            }
        });
        Self {
            rng,
            patch,
            phrase,
            surroundings,
        }
    }

    /// The renders needed: the phrase, and the other one if there is one.
    fn renders(&self) -> impl Iterator<Item = Render<'_>> {
        let other = self.surroundings.as_ref().and_then(|s| s.other.as_ref());
        let in_a_room = self.surroundings.as_ref().is_some_and(|s| s.room.is_some());
        std::iter::once(&self.phrase)
            .chain(other.map(|(_, phrase)| phrase))
            .map(move |phrase| Render {
                patch: &self.patch,
                phrase,
                whole: in_a_room,
            })
    }

    /// Makes the sample of the audio of [`Draft::renders`]. If its window is silent, the error is
    /// the random generator to draw again with.
    fn heard(self, plant: &mut Plant, played: Vec<Vec<f32>>) -> Result<Sample, Pcg64Mcg> {
        let start = self.phrase.start;
        let mut played = played.into_iter();
        let mut audio = played.next().unwrap_or_default();
        let Some(clean) = plant.audible_window(&audio, start) else {
            return Err(self.rng);
        };
        let heard = self.surroundings.map(|surroundings| {
            if let (Some((gain, _)), Some(other)) = (surroundings.other, played.next()) {
                for (a, b) in audio.iter_mut().zip(other) {
                    *a += gain * b;
                }
            }
            if let Some(seed) = surroundings.room {
                reverb::reverberate(&mut audio, &mut Pcg64Mcg::seed_from_u64(seed));
            }
            plant.window(&audio, start)
        });
        Ok(Sample {
            h: self.patch.matched(),
            phrase: self.phrase,
            clean,
            heard,
        })
    }
}

/// Some patches are uniform in normalised space, the others lean to how instruments are: what a
/// sound may lack (noise, sub, vibrato, ...) is often absent, and attacks are short.
fn patch(of: &Distribution, rng: &mut impl Rng) -> Patch {
    let mut patch = Patch::random(rng);
    if rng.random_bool(of.uniform) {
        return patch;
    }
    for row in [
        OSC2_DETUNE,
        SUB_LEVEL,
        NOISE_LEVEL,
        FILTER_DRIVE,
        HIGHPASS_CUTOFF,
        LFO_DELAY,
        LFO_VIBRATO,
        LFO_TREMOLO,
        LFO_CUTOFF,
    ] {
        if rng.random_bool(of.absent) {
            patch.set_plain(row, PARAMS[row].min);
        } else {
            let x = patch.get(row);
            patch.set(row, of.softer as f32 * x);
        }
    }
    for row in [AMP_ATTACK, FILTER_ATTACK, FILTER_RESONANCE] {
        let x = patch.get(row);
        patch.set(row, of.shorter as f32 * x);
    }
    patch
}

fn log_uniform(rng: &mut impl Rng, low: f64, high: f64) -> f64 {
    low * (high / low).powf(rng.random())
}

/// A monophonic melody and a window cut out of it: at its start with leading silence, anywhere
/// within, or late in a long note.
fn phrase(of: &Distribution, rng: &mut impl Rng) -> Phrase {
    let share = f64::from(rng.random_range(0i32..100)) / 100.0;
    let lead = match share {
        share if share < of.opening => 0.0,
        share if share < 1.0 - of.late => rng.random_range(0.0..1.0),
        _ => rng.random_range(1.0..3.0),
    };
    let end = lead + window_seconds();
    let mut notes = Vec::new();
    let keys = of.lowest_key as i32..=of.highest_key as i32;
    let leap = of.leap as i32;
    let mut key = rng.random_range(keys.clone());
    // At the melody's start some silence, never a whole window of it.
    let mut t = if lead == 0.0 {
        rng.random_range(0.0..0.7)
    } else {
        rng.random_range(0.0..0.1)
    };
    let slow = rng.random_bool(of.slow);
    let slowest = if slow { of.slowest } else { of.longest };
    let detuned = if rng.random_bool(of.detuned) {
        rng.random_range(-0.5..0.5)
    } else {
        0.0
    };
    while t < end {
        let duration = log_uniform(rng, of.shortest, slowest);
        notes.push(Note {
            onset: t,
            duration,
            key: key as f32 + detuned,
            velocity: rng.random_range(of.softest as f32..1.0),
        });
        t += match rng.random_range(0..10) {
            0..5 => duration + log_uniform(rng, 0.01, 0.4),
            5..8 => duration,
            _ => (duration - rng.random_range(0.01..0.06)).max(0.03),
        };
        key = (key + rng.random_range(-leap..=leap)).clamp(*keys.start(), *keys.end());
    }
    Phrase {
        notes,
        start: lead,
        seed: rng.random(),
    }
}

/// Draws a gain and a second player's version of the melody: a little late and out of tune.
fn double(rng: &mut impl Rng, phrase: &Phrase) -> (f32, Phrase) {
    let mut other = Phrase {
        seed: rng.random(),
        ..phrase.clone()
    };
    let (late, cents) = (rng.random_range(0.0..0.03), rng.random_range(-25.0..25.0));
    for n in &mut other.notes {
        n.onset += late;
        n.key += cents / 100.0;
    }
    (rng.random_range(0.3..1.0), other)
}

/// Another note that sounds along, softer.
fn overlap(of: &Distribution, rng: &mut impl Rng, phrase: &Phrase) -> (f32, Phrase) {
    let note = Note {
        onset: phrase.start + rng.random_range(-0.5..0.8),
        duration: log_uniform(rng, 0.1, 1.5),
        key: rng.random_range(of.lowest_key as i32..=of.highest_key as i32) as f32,
        velocity: 0.8,
    };
    let note = Note {
        onset: note.onset.max(0.0),
        ..note
    };
    (
        rng.random_range(0.05..0.35),
        Phrase {
            notes: vec![note],
            start: phrase.start,
            seed: rng.random(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ear::EarConfig;

    #[test]
    fn a_sample_is_its_own_whatever_is_rendered_beside_it() {
        let mut plant = Plant::new(&EarConfig::default()).unwrap();
        let indices: Vec<u64> = (0..40).rev().collect();
        let many = Sample::many(&mut plant, &Default::default(), 3, stream::BABBLE, &indices);
        assert!(many.iter().any(|s| s.heard.is_some()));
        for (&index, sample) in indices.iter().zip(&many) {
            let alone = Sample::new(&mut plant, &Default::default(), 3, stream::BABBLE, index);
            assert!(alone == *sample, "sample {index}");
        }
    }

    #[test]
    fn some_patches_lack_something() {
        let mut rng = rng(1, stream::BABBLE, 0);
        let of = Distribution::default();
        let patches: Vec<Patch> = (0..1000).map(|_| patch(&of, &mut rng)).collect();
        let without = |row| patches.iter().filter(|p| p.get(row) == 0.0).count();
        for row in [LFO_VIBRATO, LFO_TREMOLO, NOISE_LEVEL, SUB_LEVEL] {
            assert!((200..350).contains(&without(row)), "{}", PARAMS[row].id);
        }
        // What is not leant on stays uniform.
        let low = patches.iter().filter(|p| p.get(FILTER_CUTOFF) < 0.5);
        assert!((430..570).contains(&low.count()));
    }
}
