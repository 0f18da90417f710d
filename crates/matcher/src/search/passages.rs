//! Passages of a long clip, one after the other, that stand for all of it in a search.

use synth::Note;

/// Length of a passage in seconds.
const PASSAGE: f64 = 2.5;
/// Time before a passage's first note, in seconds: for the ear, and a note that began earlier than
/// transcribed.
const LEAD: f64 = 0.05;
/// Length of the fades at a passage's ends, in seconds.
const FADE: f64 = 0.005;
/// A clip is not cut where its passages would be more than this share of it.
const MOST: f64 = 0.7;

/// Passages of a clip as a clip of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Passages {
    /// Samples of the passages, mono.
    pub samples: Vec<f32>,
    /// The notes that begin in them, timed from the start of [`Passages::samples`]; none lasts
    /// beyond its passage.
    pub notes: Vec<Note>,
    /// Starts of the passages within the clip, in seconds.
    pub starts: Vec<f64>,
}

impl Passages {
    /// Cuts about `seconds` of passages from a clip at `rate` Hz, evenly spread: from each part of
    /// the clip the passage with the most to hear of `notes`, which are in order of onset. `None`
    /// where that is most of the clip, or there are no notes.
    pub fn of(samples: &[f32], rate: f64, notes: &[Note], seconds: f64) -> Option<Self> {
        let clip = samples.len() as f64 / rate;
        let count = (seconds / PASSAGE).ceil().max(1.0);
        if notes.is_empty() || count * PASSAGE > MOST * clip {
            return None;
        }
        let mut passages = Self {
            samples: Vec::new(),
            notes: Vec::new(),
            starts: Vec::new(),
        };
        let part = clip / count;
        for i in 0..count as usize {
            let from = i as f64 * part;
            let first = notes.partition_point(|n| n.onset < from);
            let last = notes.partition_point(|n| n.onset < from + part - PASSAGE.min(part / 2.0));
            let starts = first..last.max(first);
            let best = starts.max_by(|&a, &b| heard(notes, a).total_cmp(&heard(notes, b)));
            if let Some(best) = best.filter(|&best| heard(notes, best) > 0.0) {
                passages.add(samples, rate, notes, best);
            }
        }
        (!passages.starts.is_empty()).then_some(passages)
    }

    /// Adds the passage that begins with note `first`.
    fn add(&mut self, samples: &[f32], rate: f64, notes: &[Note], first: usize) {
        let start = (notes[first].onset - LEAD).max(0.0);
        let sample = |time: f64| ((time * rate) as usize).min(samples.len());
        let (from, to) = (sample(start), sample(start + PASSAGE));
        let shift = self.samples.len() as f64 / rate - from as f64 / rate;
        let length = (to - from) as f64 / rate;
        let fade = FADE * rate;
        let faded = samples[from..to].iter().enumerate().map(|(i, x)| {
            let edge = i.min(to - from - 1 - i) as f64;
            (edge / fade).min(1.0) as f32 * x
        });
        self.samples.extend(faded);
        let end = from as f64 / rate + length;
        let inside = notes[first..].iter().take_while(|n| n.onset < end - LEAD);
        self.notes.extend(inside.map(|n| Note {
            onset: n.onset + shift,
            duration: n.duration.min(end - n.onset),
            ..*n
        }));
        self.starts.push(start);
    }

    /// Length of a passage in seconds.
    pub const SECONDS: f64 = PASSAGE;
}

/// Time that notes sound in the passage that begins with note `first`, weighted by their velocity;
/// several keys count as several notes.
fn heard(notes: &[Note], first: usize) -> f64 {
    let end = notes[first].onset - LEAD + PASSAGE;
    let inside = notes[first..].iter().take_while(|n| n.onset < end);
    let sounding = inside.map(|n| f64::from(n.velocity) * n.duration.min(end - n.onset));
    sounding.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 1_000.0;

    /// A note a second, the key counting, in a clip whose samples are their times.
    fn clip(seconds: usize) -> (Vec<f32>, Vec<Note>) {
        let samples = (0..seconds * RATE as usize).map(|i| i as f32 / RATE as f32);
        let notes = (0..seconds).map(|i| Note {
            onset: i as f64 + 0.25,
            duration: 0.5,
            key: (i % 128) as f32,
            velocity: 0.8,
        });
        (samples.collect(), notes.collect())
    }

    #[test]
    fn notes_stay_with_their_sound() {
        let (samples, notes) = clip(120);
        let passages = Passages::of(&samples, RATE, &notes, 10.0).unwrap();
        assert_eq!(passages.starts.len(), 4);
        assert_eq!(passages.samples.len(), 10_000);
        // One from each quarter.
        for (i, start) in passages.starts.iter().enumerate() {
            assert!(
                (30.0 * i as f64..30.0 * (i + 1) as f64).contains(start),
                "{start}"
            );
        }
        for note in &passages.notes {
            let middle = ((note.onset + 0.1) * RATE) as usize;
            let time = f64::from(passages.samples[middle]) - 0.1;
            assert!(
                (time - (f64::from(note.key) + 0.25)).abs() < 2e-3,
                "{note:?} {time}"
            );
            let passage = (note.onset / PASSAGE).floor();
            assert!(
                note.onset + note.duration <= (passage + 1.0) * PASSAGE + 1e-9,
                "{note:?}"
            );
        }
        assert!(passages.notes.len() >= 4 * 2);
        assert!(passages.notes.is_sorted_by_key(|n| n.onset));
    }

    #[test]
    fn where_the_clip_is_dense_is_what_is_heard() {
        let (samples, mut notes) = clip(60);
        notes.retain(|n| n.onset > 40.0 && n.onset < 44.0);
        let passages = Passages::of(&samples, RATE, &notes, 5.0).unwrap();
        assert_eq!(passages.starts.len(), 1);
        assert!(
            (40.0..42.5).contains(&passages.starts[0]),
            "{:?}",
            passages.starts
        );
        assert!(Passages::of(&samples, RATE, &[], 5.0).is_none());
        assert!(Passages::of(&samples[..6_000], RATE, &notes, 5.0).is_none());
    }
}
