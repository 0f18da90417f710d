//! A clip that is played again and again while the live loop listens, as in a host.

use super::{Clip, EvaluateError, LiveSimulation};
use ear::EarConfig;
use matcher::Encoder;
use matcher::live::Limits;
use matcher::metric::pitch_agreement;
use matcher::search::{Reference, Score};
use serde::Serialize;
use synth::{Note, Patch};

/// Likeness at which a clip gets worse from one pass to the next, or falls below the knobs.
const WORSE: f32 = 0.01;

/// Measurements of a looped clip.
#[derive(Clone, Debug, Serialize)]
pub struct Looped {
    /// The clip.
    pub name: String,
    /// The default patch.
    pub knobs: Score,
    /// The live loop, pass by pass.
    pub passes: Vec<Score>,
    /// Share of voiced frames with the same pitch, within 50 cents, in the last pass.
    pub pitch: f32,
    /// Time of the first movement of the match after the first note's onset, in seconds.
    pub moved: Option<f64>,
    /// The last pass's patch, playing the notes of another melody of the same instrument.
    pub other: Option<Score>,
    /// The default patch, playing them.
    pub other_knobs: Option<Score>,
}

impl Looped {
    /// Returns whether the first pass is below the knobs, or another one below the pass before it.
    pub fn gets_worse(&self) -> bool {
        let first = self.passes.first().map(|s| s.likeness);
        let below = first.is_some_and(|l| l < self.knobs.likeness - WORSE);
        let falls = |pair: &[Score]| pair[1].likeness < pair[0].likeness - WORSE;
        below || self.passes.windows(2).any(falls)
    }
}

/// Plays `clip` for `passes` passes to a fresh instance, and its notes with what the instance holds
/// then. `other` is another melody, played with what is held at the end.
pub fn looped(
    clip: &Clip,
    other: Option<&Clip>,
    ear: &EarConfig,
    encoder: &mut impl Encoder,
    passes: usize,
) -> Result<Looped, EvaluateError> {
    let seconds = clip.mono.len() as f64 / clip.rate;
    let heard = ear::spectrogram(ear, &clip.mono, clip.rate, true)?;
    let notes = clip.notes_in(&heard);
    if notes.is_empty() {
        return Err(EvaluateError::Silent(clip.name.clone()));
    }
    let reference = Reference::new(&clip.mono, clip.rate, ear)?;
    let stream = clip.mono.repeat(passes);
    let simulation = LiveSimulation::new(&stream, clip.rate, ear, &mut *encoder)?;
    let at = |pass: usize| {
        move |note: &Note| Note {
            onset: note.onset + pass as f64 * seconds,
            ..*note
        }
    };
    let all: Vec<Note> = (0..passes)
        .flat_map(|pass| notes.iter().map(at(pass)))
        .collect();
    let played = simulation.play(&all, passes as f64 * seconds, clip.rate, 0.0);
    let mut scores = Vec::new();
    let mut pitch = 0.0;
    for part in played.chunks(clip.mono.len()).take(passes) {
        scores.push(reference.score(part)?);
        pitch = pitch_agreement(&heard, &ear::spectrogram(ear, part, clip.rate, true)?);
    }
    let knobs = reference.score_of(&notes, &Patch::default().into())?;
    let held = simulation.held.last();
    let last = held.map_or(Patch::default(), |(_, target)| {
        target.effective(&Patch::default(), 1.0, &Limits::NONE)
    });
    let other = match other {
        Some(other) => {
            let heard = ear::spectrogram(ear, &other.mono, other.rate, true)?;
            let notes = other.notes_in(&heard);
            let reference = Reference::new(&other.mono, other.rate, ear)?;
            let score = |patch: Patch| reference.score_of(&notes, &patch.into());
            Some((score(last)?, score(Patch::default())?))
        }
        None => None,
    };
    let first = notes.iter().map(|n| n.onset).fold(f64::INFINITY, f64::min);
    Ok(Looped {
        name: clip.name.clone(),
        knobs,
        passes: scores,
        pitch,
        moved: simulation.held.first().map(|(time, _)| time - first),
        other: other.map(|(score, _)| score),
        other_knobs: other.map(|(_, knobs)| knobs),
    })
}

/// The looped clips as a table.
pub fn table(rows: &[Looped]) -> String {
    let passes = rows.first().map_or(0, |row| row.passes.len());
    let mut text = format!("{:20} knobs ", "looped");
    (1..=passes).for_each(|pass| text += &format!("   {pass:4}"));
    text += "     mel knobs, first, last   pitch  moved [s]  other (knobs)\n";
    let mean = |of: &dyn Fn(&Looped) -> Option<f32>, rows: &[Looped]| {
        let values: Vec<f32> = rows.iter().filter_map(of).collect();
        values.iter().sum::<f32>() / values.len() as f32
    };
    let line = |name: &str, rows: &[Looped]| {
        let mut text = format!("{name:20} {:.3} ", mean(&|r| Some(r.knobs.likeness), rows));
        for pass in 0..passes {
            text += &format!("  {:.3}", mean(&|r| Some(r.passes[pass].likeness), rows));
        }
        let mel = |pass: usize| mean(&|r| Some(r.passes[pass].mel), rows);
        text += &format!(
            "     {:5.2} {:5.2} {:5.2}   {:.3}  {:.2}  {:.3} ({:.3})",
            mean(&|r| Some(r.knobs.mel), rows),
            mel(0),
            mel(passes - 1),
            mean(&|r| Some(r.pitch), rows),
            mean(&|r| r.moved.map(|m| m as f32), rows),
            mean(&|r| r.other.map(|s| s.likeness), rows),
            mean(&|r| r.other_knobs.map(|s| s.likeness), rows),
        );
        if let [row] = rows
            && row.gets_worse()
        {
            text += "  worse";
        }
        text + "\n"
    };
    for row in rows {
        text += &line(&row.name, std::slice::from_ref(row));
    }
    if !rows.is_empty() {
        text += &line("mean", rows);
    }
    text
}
