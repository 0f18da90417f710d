//! Judgement by resynthesis: patches play the notes of the last second, and the renders are
//! compared with that second. What is no melody (noise, speech, drums) shows in its pitch, what the
//! synthesizer can't follow (chords) in the likeness, however sure the encoder is.

use crate::metric::{HeardNote, NoteTracker, likeness, raise_sub, velocity};
use crate::model::WINDOW_FRAMES;
use ear::{CHANNELS, Ear, EarConfig, EarError, Frame, PitchFrame, Spectrogram};
use std::collections::VecDeque;
use synth::{Batch, Job, Note, Patch};

/// Likeness below which the match holds.
pub const LEAST_LIKENESS: f32 = 0.6;
/// Rate of the renders in Hz: the ear's own, which spares half of the samples and a resampling.
const RATE: f64 = 16_000.0;
/// Number of warm-up frames that the ear hears before those that are compared.
const WARM: usize = 16;
/// Number of frames kept: the second that is compared, and the one before it, in which its first
/// note may have begun.
const FRAMES: usize = 2 * WINDOW_FRAMES;
/// Largest number of notes kept.
const NOTES: usize = 64;
/// Fall in dB below the second's peak from which on a frame does not count.
const QUIET_DB: f32 = 30.0;
/// Number of frames of a note's attack whose pitch does not count.
const ATTACK: usize = 4;
/// Least share of the frames that a melody's notes cover, and of these, that have the note's pitch;
/// least mean clarity of that pitch. Of recorded melodies nine tenths of the seconds have more than
/// 0.73, 0.90 and 0.85; of drums 0.32 to 0.76, 0.53 to 0.95 and 0.51 to 0.92, of speech 0.65 to
/// 0.86, 0.70 to 0.98 and 0.62 to 0.92.
const COVERED: f32 = 0.6;
const STEADY: f32 = 0.86;
const CLEAR: f32 = 0.75;
/// Distance in semitones within which a frame has its note's pitch: a vibrato's.
const SAME_PITCH: f32 = 0.7;

/// Kinds of sounds, by their last second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Notes, one at a time.
    Melody,
    /// No notes, or hardly any.
    Noise,
    /// Sounds whose pitch glides or is unclear: speech, drums.
    Unsteady,
}

/// A judgement of the last second.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Kind of the last second.
    pub kind: Kind,
    /// Likeness to it of each patch, -1 to 1; 0 where there are no notes.
    pub likenesses: Vec<f32>,
}

/// Keeps the last frames heard with their notes, and judges patches by them.
pub struct Resynthesis {
    config: EarConfig,
    frame_rate: f64,
    /// Number of frames by which pitches come later than spectra.
    delay: usize,
    /// Number of frames taken since the stream's start.
    taken: usize,
    cells: VecDeque<f32>,
    /// Pitches of the frames in `cells`, without the last `delay` ones.
    pitch: VecDeque<PitchFrame>,
    tracker: NoteTracker,
    /// Centre frequencies of the channels in Hz.
    centre: [f32; CHANNELS],
    notes: VecDeque<HeardNote>,
    /// Made when it is first needed.
    batch: Option<Batch>,
    renders: Vec<Vec<f32>>,
}

impl Resynthesis {
    /// Creates a judge for frames of `ear`, which was made from `config`.
    pub fn new(config: &EarConfig, ear: &Ear) -> Self {
        let delay = ear.pitch_delay();
        Self {
            config: *config,
            frame_rate: ear.frame_rate(),
            delay,
            taken: 0,
            cells: VecDeque::with_capacity((FRAMES + delay) * CHANNELS),
            pitch: VecDeque::with_capacity(FRAMES),
            tracker: NoteTracker::new(ear),
            centre: ear::centre_frequencies(config, RATE),
            notes: VecDeque::with_capacity(NOTES),
            batch: None,
            renders: Vec::new(),
        }
    }

    /// Takes a frame of the ear, whose pitch is that of an earlier frame.
    pub fn take(&mut self, frame: &Frame<'_>) {
        if self.pitch.len() == FRAMES {
            self.cells.drain(..CHANNELS);
            self.pitch.pop_front();
        }
        self.cells.extend(frame.spectrum);
        self.taken += 1;
        if self.taken > self.delay {
            self.pitch.push_back(frame.pitch);
        }
        let notes = &mut self.notes;
        self.tracker.take(frame, |told| {
            match notes.iter_mut().rev().find(|n| n.number == told.number) {
                Some(note) => *note = told,
                None => {
                    if notes.len() == NOTES {
                        notes.pop_front();
                    }
                    notes.push_back(told);
                }
            }
        });
    }

    /// Forgets every frame, as after the ear's reset.
    pub fn clear(&mut self) {
        self.taken = 0;
        self.cells.clear();
        self.pitch.clear();
        self.tracker.reset();
        self.notes.clear();
    }

    /// Number of notes that have ended since the stream's start.
    pub fn notes_ended(&self) -> u64 {
        let ended = self.notes.iter().rev().find(|note| note.end.is_some());
        ended.map_or(0, |note| note.number + 1)
    }

    /// The notes in the frames kept, from their beginning on.
    fn kept_notes(&self) -> Vec<Note> {
        let length = self.pitch.len() as f64 / self.frame_rate;
        let begin = (self.taken.saturating_sub(self.delay)) as f64 / self.frame_rate - length;
        let sounding = self.notes.iter().filter_map(|note| {
            let onset = (note.onset - begin).max(0.0);
            let end = note.end.map_or(length, |end| (end - begin).min(length));
            (end > onset).then_some((note, onset, end))
        });
        let loudest = sounding
            .clone()
            .map(|(n, ..)| n.level_db)
            .fold(f32::MIN, f32::max);
        let note = |(note, onset, end): (&HeardNote, f64, f64)| Note {
            onset,
            duration: end - onset,
            key: note.key,
            velocity: velocity(note.level_db - loudest),
        };
        sounding.map(note).collect()
    }

    /// Judges the last `frames` frames (a second at most), and renders of their notes with each of
    /// `patches`. Where the pitch heard may be that of a sub-oscillator, and they may have one,
    /// which `sub` tells, each plays the notes an octave up where that is more alike. Takes some
    /// milliseconds. Fails where the ear can't be created.
    pub fn judge(
        &mut self,
        frames: usize,
        patches: &[Patch],
        sub: bool,
    ) -> Result<Judgement, EarError> {
        let frames = frames.min(WINDOW_FRAMES).min(self.pitch.len());
        let notes = self.kept_notes();
        let kind = self.kind(frames, &notes);
        if notes.is_empty() {
            return Ok(Judgement {
                kind,
                likenesses: vec![0.0; patches.len()],
            });
        }
        let kept = self.pitch.len();
        let cells = self.cells.iter().take(kept * CHANNELS).copied();
        let mut heard = self.spectrogram(cells.collect());
        let mut raised = notes.clone();
        let melodies = match sub && raise_sub(&heard, &self.centre, &mut raised) {
            true => vec![notes, raised],
            false => vec![notes],
        };
        heard.data.drain(..(kept - frames) * CHANNELS);
        let first = kept.saturating_sub(frames + WARM);
        let from = (first as f64 * RATE / self.frame_rate).round() as usize;
        let job = |notes, patch| Job {
            patch,
            notes,
            seconds: kept as f64 / self.frame_rate,
            seed: 1,
        };
        let jobs: Vec<Job<'_>> = (melodies.iter())
            .flat_map(|notes| patches.iter().map(move |patch| job(notes, patch)))
            .collect();
        let batch = self.batch.get_or_insert_with(|| Batch::new(RATE as f32));
        batch.render_mono(&jobs, &mut self.renders);
        let mut likenesses = vec![-1.0f32; patches.len()];
        for (i, mono) in self.renders[..jobs.len()].iter().enumerate() {
            let mono = &mono[from.min(mono.len())..];
            let played = ear::spectrogram(&self.config, mono, RATE, false)?;
            let before = played.frames().saturating_sub(frames) * CHANNELS;
            let played = self.spectrogram(played.data[before..].to_vec());
            let most = &mut likenesses[i % patches.len()];
            *most = most.max(likeness(&heard, &played));
        }
        Ok(Judgement { kind, likenesses })
    }

    fn spectrogram(&self, data: Vec<f32>) -> Spectrogram {
        Spectrogram {
            data,
            pitch: Vec::new(),
            frame_rate: self.frame_rate,
        }
    }

    /// Classifies the last `frames` frames; `notes` are those of all that are kept.
    fn kind(&self, frames: usize, notes: &[Note]) -> Kind {
        let first = self.pitch.len() - frames;
        let level = |p: &PitchFrame| p.level_db;
        let peak = self
            .pitch
            .range(first..)
            .map(level)
            .fold(f32::MIN, f32::max);
        let counts = |p: &PitchFrame| p.level_db > peak - QUIET_DB;
        let sounding = self.pitch.range(first..).filter(|p| counts(p)).count() as f32;
        let (mut covered, mut steady, mut clear) = (0.0, 0.0, 0.0);
        for note in notes {
            let frame = |seconds: f64| (seconds * self.frame_rate).round() as usize;
            let end = frame(note.onset + note.duration).min(self.pitch.len());
            let begin = (frame(note.onset) + ATTACK).clamp(first, end.max(first));
            let hz = ear::key_to_hz(f64::from(note.key)) as f32;
            for pitch in self
                .pitch
                .range(begin..end.max(begin))
                .filter(|p| counts(p))
            {
                let near = |hz_of: f32| (12.0 * (hz_of / hz).log2()).abs() < SAME_PITCH;
                let tones = pitch.tones.iter().filter(|t| t.clarity > 0.0 && near(t.hz));
                let clarity = tones.map(|t| t.clarity).fold(0.0, f32::max);
                covered += 1.0;
                steady += f32::from(u8::from(clarity > 0.0));
                clear += clarity;
            }
        }
        if covered < COVERED * (sounding - (ATTACK * notes.len()) as f32) || covered == 0.0 {
            Kind::Noise
        } else if steady < STEADY * covered || clear < CLEAR * covered {
            Kind::Unsteady
        } else {
            Kind::Melody
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use synth::Note;

    fn judge(sound: &[f32], patch: &Patch) -> f32 {
        let config = EarConfig::default();
        let mut ear = Ear::new(&config, RATE, true).unwrap();
        let mut judge = Resynthesis::new(&config, &ear);
        ear.process(sound, |frame| judge.take(&frame));
        judge
            .judge(WINDOW_FRAMES, &[*patch], true)
            .unwrap()
            .likenesses[0]
    }

    fn notes(keys: &[f32], seconds: f64) -> Vec<Note> {
        (0..8)
            .flat_map(|i| {
                keys.iter().map(move |key| Note {
                    onset: 0.05 + seconds * i as f64,
                    duration: 0.9 * seconds,
                    key: key + [0.0, 4.0, -3.0, 7.0][i % 4],
                    velocity: 0.8,
                })
            })
            .collect()
    }

    #[test]
    fn the_right_patch_is_trusted_and_noise_is_not() {
        let patch = Patch::default();
        let [melody, _] = synth::render(&patch, &notes(&[60.0], 0.4), 3.0, RATE as f32, 7);
        assert!(judge(&melody, &patch) > 0.9);

        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        let noise: Vec<f32> = (0..96_000).map(|_| rng.random_range(-0.3..0.3)).collect();
        assert!(judge(&noise, &patch) < LEAST_LIKENESS);
        assert_eq!(judge(&[0.0; 96_000], &patch), 0.0);
    }
}
