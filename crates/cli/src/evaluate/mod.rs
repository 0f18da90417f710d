//! Evaluation of a model: how closely the synthesizer reproduces each clip of a stated source and
//! seed.
//!
//! Each clip is played with the same notes by the default patch, by the one patch inferred from the
//! whole clip, by the live loop ([`LiveSimulation`]), and, when asked for, after a search.

mod baselines;
pub mod looped;
mod mirrored;
pub mod report;
mod simulation;
pub mod unmatched;

pub use baselines::{Baselines, baselines};
pub use mirrored::{Mirrored, Played, mirror};
pub use simulation::LiveSimulation;

use audio_file::mono;
use ear::{EarConfig, EarError, Spectrogram};
use matcher::metric::melody;
use matcher::search::Score;
use matcher::{Encoder, EncoderError, ListenError};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;
use std::time::Duration;
use synth::{MATCHED, Note, PARAMS, Patch, Section, params};

/// Length of our own melodies in seconds.
const SECONDS: f64 = 8.0;
/// Rate of our own melodies in Hz.
pub const RATE: u32 = 48_000;
/// A held note: when the sound counts as settled, and when it is let go, in seconds.
const HELD: (f64, f64) = (1.5, 4.5);
/// Time at which the live loop is frozen to measure how fast it settles, in seconds.
const FROZEN: f64 = 1.5;

/// A melody and its sound.
pub struct Clip {
    /// Name of the clip, for reports.
    pub name: String,
    /// Sound.
    pub mono: Vec<f32>,
    /// Hz.
    pub rate: f64,
    /// Notes; `None`: transcribed from the sound.
    pub notes: Option<Vec<Note>>,
}

impl Clip {
    /// Returns the clip's notes, or transcribes them from `heard`, its spectrogram with pitch.
    fn notes_in(&self, heard: &Spectrogram) -> Vec<Note> {
        match &self.notes {
            Some(notes) => notes.clone(),
            None => melody(heard),
        }
    }
}

/// A search for a better match of each clip; it ends at the first of its limits.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Limit on time.
    pub time: Option<Duration>,
    /// Limit on renders of the clip, which gives the same result on every machine.
    pub renders: Option<usize>,
    /// Threads.
    pub threads: usize,
}

/// Measurements of one clip.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The clip.
    pub name: String,
    /// The default patch.
    pub default: Score,
    /// One patch for the whole clip: the encoder's answer that is most alike when played.
    pub patch: Score,
    /// The live loop, from the clip's first sample.
    pub live: Score,
    /// The live loop frozen 1.5 s after the start, over the same loop's last patch: ratio of
    /// likenesses.
    pub settled: f32,
    /// Share of the clip's voiced frames in which the live loop has the same pitch, within 50
    /// cents.
    pub pitch: f32,
    /// The best single patch of a search around the one patch.
    pub one: Option<Score>,
    /// The search's result, a patch a note where that is better.
    pub refined: Option<Score>,
    /// Renders of the clip that the search made.
    pub renders: Option<usize>,
    /// [`Row::pitch`] of the search's result.
    pub refined_pitch: Option<f32>,
}

impl Row {
    /// Share of the distance to the clip left by the default patch that `score` closes.
    pub fn closed(&self, score: Score) -> f32 {
        (score.likeness - self.default.likeness) / (1.0 - self.default.likeness)
    }
}

/// A clip's row, and what it was made of.
pub struct Measured {
    /// The figures.
    pub row: Row,
    /// The clip as heard.
    pub heard: Spectrogram,
    /// The search's result as heard; without a search, that of the one patch.
    pub answer: Spectrogram,
}

/// The reason a clip can't be measured.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The ear.
    #[error(transparent)]
    Ear(#[from] EarError),
    /// The encoder.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// One of the two, while answering or live.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The clip has no sound, or no notes.
    #[error("{0}: no sound, or no notes in it")]
    Silent(String),
}

/// A clip of our own synthesizer: random patch `index` of `seed`, uniform over the matched
/// parameters, plays a random melody. `effects`: with a vibrato, a chorus and a width that no
/// matched parameter has.
pub fn own_clip(seed: u64, index: u64, effects: bool) -> Clip {
    let mut rng = rng(seed, index);
    let mut patch = Patch::random(&mut rng);
    let mut notes = Vec::new();
    let (mut onset, mut key) = (0.05, rng.random_range(48..=76));
    loop {
        let duration = [0.25, 0.3, 0.45, 0.6, 0.9][rng.random_range(0..5)];
        if onset + duration > SECONDS - 0.8 {
            break;
        }
        notes.push(Note {
            onset,
            duration,
            key: key as f32,
            velocity: rng.random_range(0.5..0.95),
        });
        onset += duration + rng.random_range(0.02..0.15);
        key = (key + rng.random_range(-7..=7)).clamp(43, 84);
    }
    if effects {
        add_effects(&mut patch, &mut rng);
    }
    Clip {
        name: format!("{} {index}", if effects { "effects" } else { "own" }),
        mono: play(&patch, &notes, SECONDS, &mut rng),
        rate: RATE as f64,
        notes: Some(notes),
    }
}

/// A vibrato of the second LFO, which starts anywhere in its cycle, and a chorus.
fn add_effects(patch: &mut Patch, rng: &mut impl Rng) {
    let choice = |names: &[&str], name: &str| {
        let index = names.iter().position(|n| *n == name);
        index.unwrap_or_default() as f32
    };
    patch.set_plain(params::MOD1_SOURCE, choice(params::SOURCES, "LFO 2"));
    patch.set_plain(params::MOD1_DEST, choice(params::DESTINATIONS, "Pitch"));
    // Of the range of pitch modulation, 24 semitones: 15 to 50 cents.
    patch.set_plain(params::MOD1_AMOUNT, rng.random_range(0.15..0.5) / 24.0);
    patch.set_plain(params::LFO2_RATE, rng.random_range(3.0..7.0));
    patch.set_plain(params::LFO2_PHASE, rng.random());
    patch.set_plain(params::CHORUS_RATE, rng.random_range(0.2..1.5));
    patch.set_plain(params::CHORUS_DEPTH, rng.random_range(0.2..0.8));
    patch.set_plain(params::CHORUS_MIX, rng.random_range(0.2..0.6));
}

/// Measures one clip; searches, if at all, with the notes as they are where the clip has them.
pub fn measure(
    clip: &Clip,
    ear: &EarConfig,
    encoder: &mut impl Encoder,
    search: Option<Search>,
) -> Result<Measured, EvaluateError> {
    let mirrored = mirror(clip, ear, encoder, search, |_| true)?;
    let seconds = clip.mono.len() as f64 / clip.rate;
    let score = |patch: Patch| mirrored.score_of(patch);
    let held = |time| {
        let held = mirrored.simulation.at(time);
        held.map_or(Patch::default(), |t| {
            Patch::default().with_matched(&t.inference.mean)
        })
    };
    let searched = |score: Score| search.map(|_| score);
    let row = Row {
        name: clip.name.clone(),
        default: score(Patch::default())?,
        patch: score(mirrored.start)?,
        live: mirrored.live.score,
        settled: score(held(FROZEN))?.likeness / score(held(seconds))?.likeness,
        pitch: mirrored.live.pitch,
        one: searched(mirrored.found.one_patch),
        refined: searched(mirrored.found.score),
        renders: search.map(|_| mirrored.found.renders),
        refined_pitch: search.map(|_| mirrored.searched.pitch),
    };
    Ok(Measured {
        row,
        heard: mirrored.heard,
        answer: mirrored.searched.heard,
    })
}

/// Largest movement, in parts of their range, of the envelopes' parameters through a held note of
/// random patch `index` of `seed`, once it has settled.
pub fn held_note(
    seed: u64,
    index: u64,
    ear: &EarConfig,
    encoder: &mut impl Encoder,
) -> Result<f32, EvaluateError> {
    let mut rng = rng(seed, index);
    let patch = Patch::random(&mut rng);
    let note = Note {
        onset: 0.1,
        duration: HELD.1 - 0.1,
        key: rng.random_range(43..=84) as f32,
        velocity: 0.8,
    };
    let mono = play(&patch, &[note], HELD.1, &mut rng);
    let simulation = LiveSimulation::new(&mono, RATE as f64, ear, encoder)?;
    let envelopes = |section| matches!(section, Section::AmpEnv | Section::FilterEnv);
    let moved = (0..MATCHED.len())
        .filter(|&i| envelopes(PARAMS[MATCHED[i]].section))
        .map(|i| {
            let values = simulation.held.iter().filter(|(t, _)| *t >= HELD.0);
            let (low, high) = values
                .map(|(_, held)| held.inference.mean[i])
                .fold((1.0f32, 0.0f32), |(l, h), v| (l.min(v), h.max(v)));
            (high - low).max(0.0)
        })
        .fold(0.0, f32::max);
    Ok(moved)
}

fn rng(seed: u64, index: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index)
}

fn play(patch: &Patch, notes: &[Note], seconds: f64, rng: &mut impl Rng) -> Vec<f32> {
    mono(&synth::render(
        patch,
        notes,
        seconds,
        RATE as f32,
        rng.random(),
    ))
}
