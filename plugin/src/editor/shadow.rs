//! The resynthesis that is shown while nobody plays: the melody heard, played by what sounds.

use ear::{Ear, EarConfig};
use synth::{Event, EventKind, Patch, Synth};

use super::spectrogram::{Spectrum, frame_rate};

/// Sample rate in Hz.
const RATE: f32 = 32_000.0;
/// Largest difference in semitones that is still the same note.
const SAME: f32 = 0.7;
/// Time in seconds in which a change of the match is taken up.
const GLIDE: f32 = 0.1;
/// Velocity of the notes, 0 to 1.
const VELOCITY: f32 = 0.8;

/// A synth of its own with an ear of its own.
pub struct Shadow {
    synth: Synth,
    ear: Option<Ear>,
    /// Samples of a frame.
    frame: usize,
    key: Option<f32>,
}

impl Shadow {
    /// A silent one.
    pub fn new() -> Self {
        let config = EarConfig::default();
        Self {
            synth: Synth::new(RATE),
            ear: Ear::new(&config, f64::from(RATE), false).ok(),
            frame: (RATE / frame_rate(&config)).round() as usize,
            key: None,
        }
    }

    /// Plays a melody, a key for each frame (NaN: none), with `patch`; `each` is given the ear's
    /// frames.
    pub fn play(&mut self, melody: &[f32], patch: &Patch, mut each: impl FnMut(&Spectrum)) {
        self.synth.set_patch(patch, GLIDE);
        let (mut left, mut right) = (vec![0.0; self.frame], vec![0.0; self.frame]);
        for &key in melody {
            let now = key.is_finite().then_some(key);
            let same = match (self.key, now) {
                (Some(last), Some(now)) => (last - now).abs() < SAME,
                (None, None) => true,
                _ => false,
            };
            let mut events = Vec::new();
            if !same {
                let id = -1;
                let channel = 0;
                if let Some(key) = self.key {
                    let kind = EventKind::NoteOff { id, channel, key };
                    events.push(Event { time: 0, kind });
                }
                if let Some(key) = now {
                    let velocity = VELOCITY;
                    let kind = EventKind::NoteOn {
                        id,
                        channel,
                        key,
                        velocity,
                    };
                    events.push(Event { time: 0, kind });
                }
                self.key = now;
            }
            self.synth.process(&mut left, &mut right, &events);
            for (l, r) in left.iter_mut().zip(&right) {
                *l = 0.5 * (*l + r);
            }
            if let Some(ear) = &mut self.ear {
                ear.process(&left, |frame| each(frame.spectrum));
            }
        }
    }

    /// Silences it.
    pub fn rest(&mut self) {
        if self.key.take().is_some() {
            self.synth.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_melody_is_played_where_it_was_heard() {
        let mut shadow = Shadow::new();
        let mut melody = vec![f32::NAN; 40];
        melody.extend([69.0; 60]);
        melody.extend([f32::NAN; 200]);
        let mut loud = Vec::new();
        shadow.play(&melody, &Patch::default(), |frame| {
            loud.push(frame.iter().fold(0.0f32, |peak, &x| peak.max(x)));
        });
        assert!(loud.len() >= 299, "{}", loud.len());
        let peak = loud.iter().fold(0.0f32, |peak, &x| peak.max(x));
        assert!(peak > 0.0);
        assert!(loud[..39].iter().all(|&x| x < 1e-3 * peak));
        assert!(loud[50..100].iter().all(|&x| x > 0.1 * peak));
        assert!(loud[280..].iter().all(|&x| x < 0.1 * peak));
    }
}
