//! What is listened to: the sidechain, or one of the melodies that come with the plugin.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// A melody that comes with the plugin: mono, 16 bits.
pub struct Melody {
    /// Name for the player; a project that listens to it keeps it.
    pub name: &'static str,
    /// A WAV file with a header of [`HEADER`] bytes.
    wav: &'static [u8],
}

/// Length of the files' headers, in bytes.
const HEADER: usize = 44;
/// Sample rate of the melodies, in Hz.
const RATE: f64 = 32_000.0;
/// Gain of a melody that is heard beside what the synth plays.
const ALOUD: f32 = 0.5;

/// The melodies.
pub static MELODIES: [Melody; 3] = [
    Melody {
        name: "Plucked string",
        wav: include_bytes!("../../assets/references/plucked-string.wav"),
    },
    Melody {
        name: "Reed pipe",
        wav: include_bytes!("../../assets/references/reed-pipe.wav"),
    },
    Melody {
        name: "Tine piano",
        wav: include_bytes!("../../assets/references/tine-piano.wav"),
    },
];

impl Melody {
    /// Number of samples.
    fn len(&self) -> usize {
        (self.wav.len() - HEADER) / 2
    }

    /// Sample `i` of the endless loop.
    fn sample(&self, i: usize) -> f32 {
        let at = HEADER + 2 * (i % self.len());
        f32::from(i16::from_le_bytes([self.wav[at], self.wav[at + 1]])) / 32_768.0
    }

    /// The loop's value at a position between samples, by the cubic through its neighbours.
    fn at(&self, position: f64) -> f32 {
        let whole = position.floor();
        let t = (position - whole) as f32;
        let first = whole as usize + self.len() - 1;
        let [a, b, c, d] = [0, 1, 2, 3].map(|k| self.sample(first + k));
        let (slope, next) = (0.5 * (c - a), 0.5 * (d - b));
        let (square, cube) = (
            3.0 * (c - b) - 2.0 * slope - next,
            2.0 * (b - c) + slope + next,
        );
        b + t * (slope + t * (square + t * cube))
    }
}

/// The player's choice of what is listened to. Wait-free.
#[derive(Default)]
pub struct Source {
    /// 0: the sidechain; from 1 on the melodies.
    choice: AtomicU8,
    aloud: AtomicBool,
}

impl Source {
    /// Place of the melody that is listened to; `None`: the sidechain.
    pub fn melody(&self) -> Option<usize> {
        let choice = usize::from(self.choice.load(Ordering::Relaxed));
        choice.checked_sub(1).filter(|&i| i < MELODIES.len())
    }

    /// Listens to a melody, or to the sidechain.
    pub fn choose(&self, melody: Option<usize>) {
        let choice = melody.map_or(0, |i| i as u8 + 1);
        self.choice.store(choice, Ordering::Relaxed);
    }

    /// Whether the melody is heard too.
    pub fn is_aloud(&self) -> bool {
        self.aloud.load(Ordering::Relaxed)
    }

    /// Lets the melody be heard, or not.
    pub fn set_aloud(&self, on: bool) {
        self.aloud.store(on, Ordering::Relaxed);
    }
}

/// Plays a melody in a loop.
pub struct MelodyPlayer {
    /// Samples of the melody from its start.
    position: f64,
    mono: Vec<f32>,
    /// Length of the block last played.
    len: usize,
}

impl MelodyPlayer {
    /// A player of blocks of at most `block` samples. Allocates.
    pub fn new(block: usize) -> Self {
        Self {
            position: 0.0,
            mono: vec![0.0; block],
            len: 0,
        }
    }

    /// Plays the next `len` samples of a melody at `rate` Hz; `false` where the block is too long.
    /// While the song plays, its position in seconds decides where in the loop they are, so that
    /// every bounce hears the same. Real-time safe.
    pub fn play(&mut self, melody: usize, len: usize, rate: f32, song: Option<f64>) -> bool {
        let (Some(melody), Some(mono)) = (MELODIES.get(melody), self.mono.get_mut(..len)) else {
            return false;
        };
        self.len = len;
        let whole = melody.len() as f64;
        if let Some(seconds) = song {
            self.position = (seconds * RATE).rem_euclid(whole);
        }
        let step = RATE / f64::from(rate);
        for x in mono.iter_mut() {
            *x = melody.at(self.position);
            self.position += step;
            if self.position >= whole {
                self.position -= whole;
            }
        }
        true
    }

    /// The samples last played.
    pub fn played(&self) -> &[f32] {
        &self.mono[..self.len]
    }

    /// Adds the samples last played to the output, softly.
    pub fn add(&self, left: &mut [f32], right: &mut [f32]) {
        for ((l, r), x) in left.iter_mut().zip(right).zip(self.played()) {
            *l += ALOUD * x;
            *r += ALOUD * x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn melodies_are_what_their_headers_say() {
        for melody in &MELODIES {
            let field = |at: usize| {
                u32::from_le_bytes(melody.wav[at..at + 4].try_into().expect("four bytes"))
            };
            assert_eq!(&melody.wav[..4], b"RIFF");
            // PCM, one channel, 32 kHz, 16 bits, and all the rest is data.
            assert_eq!(field(20), 1 | 1 << 16);
            assert_eq!(f64::from(field(24)), RATE);
            assert_eq!(melody.wav[34], 16);
            assert_eq!(&melody.wav[36..40], b"data");
            assert_eq!(field(40) as usize, melody.wav.len() - HEADER);
        }
    }

    #[test]
    fn blocks_of_any_size_make_one_stream_and_the_song_decides_the_place() {
        let mut whole = MelodyPlayer::new(4096);
        assert!(whole.play(0, 4096, 44_100.0, None));
        let mut parts = MelodyPlayer::new(64);
        for chunk in whole.played().chunks(64) {
            assert!(parts.play(0, 64, 44_100.0, None));
            assert_eq!(parts.played(), chunk);
        }
        assert!(!parts.play(0, 65, 44_100.0, None));
        // Two bounces from the same place in the song are equal, wherever the loop was before.
        whole.play(1, 512, 48_000.0, Some(7.25));
        let mut again = MelodyPlayer::new(512);
        again.play(1, 512, 48_000.0, Some(7.25));
        assert_eq!(again.played(), whole.played());
        assert!(again.played().iter().any(|&x| x != 0.0));
    }

    #[test]
    fn at_its_own_rate_a_melody_is_its_samples() {
        let mut player = MelodyPlayer::new(1000);
        assert!(player.play(2, 1000, RATE as f32, None));
        for (i, x) in player.played().iter().enumerate() {
            assert_eq!(*x, MELODIES[2].sample(i));
        }
    }
}
