//! Whether a result is in tune: likeness may not be bought with pitch.

use super::evaluator::note_at;
use super::objective::Reference;
use crate::metric::pitch_agreement;
use ear::{EarError, Spectrogram};
use synth::{Automation, Note};

/// Loss of pitch agreement, against the first start's, from which on a result does not count, and
/// that of a single note's from which on its own patch does not.
const LOSS: f32 = 0.01;
const LOSS_OF_A_NOTE: f32 = 0.02;
/// Largest distance in semitones from a note at which a pitch is its own.
const OWN_PITCH: f32 = 0.5;

/// Compares pitches with the clip's, as the first start does.
pub(super) struct PitchTest<'a> {
    reference: &'a Reference,
    /// The clip, voiced where its pitch is that of the note which sounds.
    heard: Spectrogram,
    /// The first start, as heard.
    first: Spectrogram,
    /// Number of voiced frames that may lose their pitch besides.
    spare: f32,
}

impl<'a> PitchTest<'a> {
    /// A test for answers to `reference`, as good as `start` when it plays `notes`, but for `spare`
    /// voiced frames. Fails where [`ear::spectrogram`] does.
    pub(super) fn new(
        reference: &'a Reference,
        notes: &[Note],
        start: &Automation,
        spare: f32,
    ) -> Result<Self, EarError> {
        let mut heard = hear(reference, &reference.samples)?;
        only_of_notes(&mut heard, notes);
        let first = hear(reference, &reference.render(notes, start))?;
        Ok(Self {
            reference,
            heard,
            first,
            spare,
        })
    }

    /// Whether an answer agrees with the clip's pitch as well as the first start.
    pub(super) fn passes(&self, mono: &[f32]) -> Result<bool, EarError> {
        let played = hear(self.reference, mono)?;
        let before = pitch_agreement(&self.heard, &self.first);
        let voiced = self.heard.pitch.iter().filter(|p| p.voiced).count();
        Ok(pitch_agreement(&self.heard, &played) >= before - allowed_loss(voiced, self.spare))
    }

    /// Places of the notes in which an answer agrees less than the first start.
    pub(super) fn out_of_tune(&self, mono: &[f32], notes: &[Note]) -> Result<Vec<usize>, EarError> {
        let played = hear(self.reference, mono)?;
        let frame = |seconds: f64| (seconds * self.heard.frame_rate).round().max(0.0) as usize;
        let part = |all: &Spectrogram, note: &Note| {
            let end = frame(note.onset + note.duration).min(all.pitch.len());
            Spectrogram {
                pitch: all.pitch[frame(note.onset).min(end)..end].to_vec(),
                ..Spectrogram::default()
            }
        };
        let is_off = |i: &usize| {
            let part = |all| part(all, &notes[*i]);
            let heard = part(&self.heard);
            let before = pitch_agreement(&heard, &part(&self.first));
            pitch_agreement(&heard, &part(&played)) < before - LOSS_OF_A_NOTE
        };
        Ok((0..notes.len()).filter(is_off).collect())
    }
}

/// Calls frames of `heard` unvoiced whose pitch is not that of the note begun last: between notes
/// and where an octave is misheard, an agreement would be chance. Where no frame has the pitch of
/// its note, as where a sub-oscillator was heard, all stay.
fn only_of_notes(heard: &mut Spectrogram, notes: &[Note]) {
    let rate = heard.frame_rate;
    let is_of_note = |frame: usize, hz: f32| {
        let key = 12.0 * (hz / 440.0).log2() + 69.0;
        let note = note_at(notes, frame as f64 / rate);
        note.is_some_and(|note| (key - note.key).abs() <= OWN_PITCH)
    };
    let own: Vec<bool> = (heard.pitch.iter().enumerate())
        .map(|(i, pitch)| pitch.voiced && is_of_note(i, pitch.hz))
        .collect();
    if own.contains(&true) {
        let frames = heard.pitch.iter_mut().zip(own);
        frames.for_each(|(pitch, own)| pitch.voiced = own);
    }
}

/// Loss of pitch agreement that passes on a clip of so many voiced frames, `spare` of which don't
/// count.
fn allowed_loss(voiced: usize, spare: f32) -> f32 {
    LOSS + spare / voiced.max(1) as f32
}

fn hear(reference: &Reference, mono: &[f32]) -> Result<Spectrogram, EarError> {
    ear::spectrogram(&reference.ear, mono, reference.rate, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ear::PitchFrame;

    #[test]
    fn only_the_pitch_of_the_note_that_sounds_counts() {
        let hz = |key: f32| 440.0 * 2f32.powf((key - 69.0) / 12.0);
        let heard = |keys: [f32; 5]| Spectrogram {
            pitch: keys
                .map(|key| PitchFrame {
                    hz: hz(key),
                    voiced: key > 0.0,
                    ..PitchFrame::default()
                })
                .to_vec(),
            frame_rate: 10.0,
            ..Spectrogram::default()
        };
        let note = |onset, key| Note {
            onset,
            duration: 0.2,
            key,
            velocity: 0.8,
        };
        let notes = [note(0.2, 62.0), note(0.0, 57.0)];
        let voiced = |mut heard: Spectrogram, notes: &[Note]| -> Vec<bool> {
            only_of_notes(&mut heard, notes);
            heard.pitch.iter().map(|p| p.voiced).collect()
        };
        // An octave off, of the note before, and without a pitch.
        let keys = [57.3, 69.0, 57.0, 62.0, 0.0];
        assert_eq!(
            voiced(heard(keys), &notes),
            [true, false, false, true, false]
        );
        assert_eq!(
            voiced(heard(keys), &notes[..1]),
            [false, false, false, true, false]
        );
        // A pitch that is nowhere the notes' still counts.
        let all = [true, true, true, true, false];
        assert_eq!(voiced(heard(keys), &[note(0.0, 45.0)]), all);
        assert_eq!(voiced(heard(keys), &[]), all);
    }

    #[test]
    fn a_few_frames_of_a_short_phrase_do_not_count() {
        let off = |frames: f32, voiced: usize| frames / voiced as f32 > allowed_loss(voiced, 4.0);
        assert!(!off(4.0, 86) && off(6.0, 86));
        assert!(!off(13.0, 1000) && off(15.0, 1000));
        assert_eq!(allowed_loss(86, 0.0), LOSS);
    }
}
