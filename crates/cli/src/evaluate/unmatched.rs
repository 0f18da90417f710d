//! Sounds that can't be matched: noise, drums, speech, hum, chords. They should leave the knobs
//! alone.

use super::{EvaluateError, LiveSimulation};
use audio_file::mono;
use ear::{CHANNELS, EarConfig, Spectrogram};
use matcher::Encoder;
use matcher::metric::likeness;
use serde::Serialize;
use synth::{Note, Patch};

/// Rate of what is played, in Hz.
const RATE: f64 = 16_000.0;
/// Length of the parts that are compared, in seconds.
const PART: f64 = 0.5;
/// Likeness from which on a part sounds as without a match.
const SAME: f32 = 0.99;

/// Movement of the match by a sound that can't be matched.
#[derive(Clone, Debug, Serialize)]
pub struct Unmatched {
    /// The sound.
    pub name: String,
    /// Number of parts of half a second that a melody has meanwhile, and of those that sound
    /// otherwise than with the knobs.
    pub parts: usize,
    /// See `parts`.
    pub moved: usize,
    /// Longest stretch of parts that sound otherwise, in seconds.
    pub longest: f64,
    /// Likeness to the knobs of the part that is least like them.
    pub least: f32,
}

/// Hears `sound`, mono at `rate` Hz, while a melody is played.
pub fn unmatched(
    name: &str,
    sound: &[f32],
    rate: f64,
    ear: &EarConfig,
    encoder: &mut impl Encoder,
) -> Result<Unmatched, EvaluateError> {
    let seconds = sound.len() as f64 / rate;
    let simulation = LiveSimulation::new(sound, rate, ear, encoder)?;
    let note = |i: usize| Note {
        onset: PART * i as f64,
        duration: 0.4,
        key: 60.0 + [0.0, 4.0, -5.0, 7.0, 2.0][i % 5],
        velocity: 0.8,
    };
    let notes: Vec<Note> = (0..(seconds / PART) as usize).map(note).collect();
    let with = simulation.play(&notes, seconds, RATE, 0.0);
    let knobs = Patch::default();
    let without = mono(&synth::render(
        &knobs,
        &notes,
        seconds,
        RATE as f32,
        super::simulation::SEED,
    ));
    let hear = |sound: &[f32]| ear::spectrogram(ear, sound, RATE, false);
    let (with, without) = (hear(&with)?, hear(&without)?);
    let frames = (PART * with.frame_rate).round() as usize;
    let part = |heard: &Spectrogram, i: usize| Spectrogram {
        data: heard.data[i * frames * CHANNELS..][..frames * CHANNELS].to_vec(),
        pitch: Vec::new(),
        frame_rate: heard.frame_rate,
    };
    let parts = (with.frames().min(without.frames()) / frames).min(notes.len());
    let (mut moved, mut run, mut longest, mut least) = (0, 0, 0, 1.0f32);
    for i in 0..parts {
        let alike = likeness(&part(&without, i), &part(&with, i));
        least = least.min(alike);
        let other = alike < SAME;
        moved += usize::from(other);
        run = if other { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    Ok(Unmatched {
        name: name.to_owned(),
        parts,
        moved,
        longest: PART * longest as f64,
        least,
    })
}

/// The sounds as a table.
pub fn table(rows: &[Unmatched]) -> String {
    let mut text = format!("{:24} parts  moved  longest [s]  least\n", "unmatched");
    for row in rows {
        text += &format!(
            "{:24} {:5}  {:5}  {:11.1}  {:.3}\n",
            row.name, row.parts, row.moved, row.longest, row.least
        );
    }
    let never = rows.iter().filter(|row| row.moved == 0).count();
    let soon = rows.iter().filter(|row| row.longest <= PART).count();
    text + &format!(
        "never moved: {never} of {}; back within half a second: {soon}\n",
        rows.len()
    )
}
