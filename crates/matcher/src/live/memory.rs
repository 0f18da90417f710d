//! The sounds heard and matched so far.

use synth::{Lean, MATCHED_COUNT};

/// Largest number of sounds remembered.
pub const MOST: usize = 16;

/// Part of a found sound that projects keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnownSound {
    /// The best values found for the matched parameters, normalised, order of [`synth::MATCHED`].
    pub mean: [f32; MATCHED_COUNT],
    /// How these values change across the keyboard.
    pub lean: Lean,
    /// Likeness of these values to the phrase that was searched, -1 to 1.
    pub likeness: f32,
}

/// A sound that was searched.
#[derive(Clone, Debug)]
pub(super) struct Sound {
    /// The patch found, and its likeness.
    pub(super) known: KnownSound,
    /// Samples of the phrase last searched, at the ear's own rate.
    pub(super) phrase: Vec<f32>,
    /// Number of searches so far, and of the last ones in a row that found little.
    pub(super) searches: u32,
    pub(super) little: u32,
}

impl Sound {
    /// A sound that was found, and not searched since.
    pub(super) fn new(known: KnownSound) -> Self {
        Self {
            known,
            phrase: Vec::new(),
            searches: 0,
            little: 0,
        }
    }
}

/// Remembered sounds, the one that was heard last in front.
#[derive(Clone, Default)]
pub(super) struct Memory {
    sounds: Vec<Sound>,
    /// True while the first one is heard.
    hears_first: bool,
    /// Place of the sound to be tried next.
    next: usize,
}

impl Memory {
    /// Returns the parts of the sounds that projects keep.
    pub(super) fn known(&self) -> Vec<KnownSound> {
        self.sounds.iter().map(|sound| sound.known).collect()
    }

    /// A memory of what was kept, in which none of the sounds is heard.
    pub(super) fn of(known: &[KnownSound]) -> Self {
        Self {
            sounds: known.iter().copied().take(MOST).map(Sound::new).collect(),
            ..Self::default()
        }
    }

    /// The sound that is heard, where it is known.
    pub(super) fn current(&self) -> Option<&Sound> {
        self.sounds.first().filter(|_| self.hears_first)
    }

    /// See [`Memory::current`].
    pub(super) fn current_mut(&mut self) -> Option<&mut Sound> {
        self.sounds.first_mut().filter(|_| self.hears_first)
    }

    /// Sound at place `i`.
    pub(super) fn sound(&self, i: usize) -> &Sound {
        &self.sounds[i]
    }

    /// Places of the `count` sounds to be tried next, each once.
    pub(super) fn next(&mut self, count: usize) -> Vec<usize> {
        let count = count.min(self.sounds.len());
        let places = (0..count).map(|k| (self.next + k) % self.sounds.len());
        let places: Vec<usize> = places.collect();
        self.next += count;
        places
    }

    /// A new sound is heard; the one heard longest ago is forgotten where there are too many.
    pub(super) fn add(&mut self, sound: Sound) {
        self.sounds.insert(0, sound);
        self.sounds.truncate(MOST);
        self.hears_first = true;
    }

    /// The sound at place `i` is heard again.
    pub(super) fn enter(&mut self, i: usize) -> &Sound {
        self.sounds[..=i].rotate_right(1);
        self.hears_first = true;
        // It may be worth another search.
        self.sounds[0].little = 0;
        &self.sounds[0]
    }

    /// An unknown sound is heard, or none.
    pub(super) fn leave(&mut self) {
        self.hears_first = false;
        self.next = 0;
    }

    /// Lets the current sound be searched again.
    pub(super) fn wake(&mut self) {
        if let Some(sound) = self.current_mut() {
            sound.little = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(x: f32) -> Sound {
        Sound::new(KnownSound {
            mean: [x; MATCHED_COUNT],
            lean: Lean::NONE,
            likeness: x,
        })
    }

    #[test]
    fn the_sounds_heard_last_are_kept() {
        let mut memory = Memory::default();
        assert!(memory.current().is_none() && memory.next(4).is_empty());
        (0..20).for_each(|i| memory.add(sound(i as f32)));
        assert_eq!(memory.current().unwrap().known.likeness, 19.0);
        memory.leave();
        assert!(memory.current().is_none());
        assert_eq!(memory.next(4), [0, 1, 2, 3]);
        assert_eq!(memory.next(4), [4, 5, 6, 7]);
        assert_eq!(memory.sound(15).known.likeness, 4.0);
        assert_eq!(memory.enter(15).known.likeness, 4.0);
        let order: Vec<f32> = (0..3).map(|i| memory.sound(i).known.likeness).collect();
        assert_eq!(order, [4.0, 19.0, 18.0]);
    }
}
