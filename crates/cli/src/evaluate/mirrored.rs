//! A clip and everything that is played in answer to it: by the live loop, and by a search.

use super::{Clip, EvaluateError, LiveSimulation, Search};
use ear::{EarConfig, EarError, Spectrogram};
use matcher::Encoder;
use matcher::metric::pitch_agreement;
use matcher::search::{
    Options, Progress, Reference, Refined, Score, candidates, infer_clip, refine,
};
use std::time::{Duration, Instant};
use synth::{Automation, Note, Patch};

/// A sound that was played in answer to a clip.
pub struct Played {
    /// Sound, at the clip's rate and length.
    pub mono: Vec<f32>,
    /// The sound as heard, with pitch.
    pub heard: Spectrogram,
    /// Comparison with the clip.
    pub score: Score,
    /// Share of the clip's voiced frames in which it has the same pitch, within 50 cents.
    pub pitch: f32,
    /// Time that it took to find and to play.
    pub time: Duration,
}

/// A clip with what was heard in it and played in answer to it.
pub struct Mirrored {
    /// The clip, ready to be compared.
    pub reference: Reference,
    /// The clip as heard, with pitch.
    pub heard: Spectrogram,
    /// Notes of the clip, given or transcribed.
    pub notes: Vec<Note>,
    /// The live loop's inferences.
    pub simulation: LiveSimulation,
    /// Answer of the live loop, from the clip's first sample on.
    pub live: Played,
    /// The encoder's best candidate, from which a search starts.
    pub start: Patch,
    /// The search's result; without a search, [`Mirrored::start`] with the notes.
    pub found: Refined,
    /// Answer of [`Mirrored::found`], the result of the search.
    pub searched: Played,
}

impl Mirrored {
    /// Scores `patch` when it plays the clip's notes.
    pub fn score_of(&self, patch: Patch) -> Result<Score, EarError> {
        self.reference.score_of(&self.notes, &patch.into())
    }
}

/// Hears one clip, plays it by the live loop, and searches if asked to, with the notes as they are
/// where the clip has them. `progress` is that of [`refine`].
///
/// Fails where the ear or the encoder does, and for a clip without sound or notes.
pub fn mirror(
    clip: &Clip,
    ear: &EarConfig,
    encoder: &mut impl Encoder,
    search: Option<Search>,
    progress: impl FnMut(&Progress) -> bool,
) -> Result<Mirrored, EvaluateError> {
    let silent = || EvaluateError::Silent(clip.name.clone());
    let seconds = clip.mono.len() as f64 / clip.rate;
    let heard = ear::spectrogram(ear, &clip.mono, clip.rate, true)?;
    let notes = clip.notes_in(&heard);
    let inferred = infer_clip(&heard, encoder)?.ok_or_else(silent)?;
    if notes.is_empty() {
        return Err(silent());
    }
    let reference = Reference::new(&clip.mono, clip.rate, ear)?;
    let played = |mono: Vec<f32>, time| -> Result<Played, EarError> {
        let answer = ear::spectrogram(ear, &mono, clip.rate, true)?;
        Ok(Played {
            score: reference.score(&mono)?,
            pitch: pitch_agreement(&heard, &answer),
            heard: answer,
            mono,
            time,
        })
    };

    let began = Instant::now();
    let simulation = LiveSimulation::new(&clip.mono, clip.rate, ear, &mut *encoder)?;
    let mono = simulation.play(&notes, seconds, clip.rate, 0.0);
    let live = played(mono, began.elapsed())?;

    let began = Instant::now();
    let threads = search.map_or(1, |search| search.threads);
    let starts = candidates(&reference, &notes, &inferred, encoder, threads)?;
    let found = match search {
        Some(search) => {
            let options = Options {
                time: search.time.map(|t| t.saturating_sub(began.elapsed())),
                renders: search.renders,
                threads: search.threads,
                each_note: true,
                free_notes: clip.notes.is_none(),
                ..Options::around(&inferred.whole)
            };
            refine(&reference, &notes, &starts, &options, progress)?
        }
        None => {
            let automation = Automation::from(starts[0]);
            let score = reference.score_of(&notes, &automation)?;
            Refined {
                automation,
                notes: notes.clone(),
                score,
                one_patch: score,
                renders: 1,
            }
        }
    };
    let mono = reference.render(&found.notes, &found.automation);
    let searched = played(mono, began.elapsed())?;
    Ok(Mirrored {
        heard,
        notes,
        simulation,
        live,
        start: starts[0],
        found,
        searched,
        reference,
    })
}
