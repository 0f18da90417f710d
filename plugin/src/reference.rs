//! The source that is listened to: the sidechain, a melody that comes with the plugin, or a sound
//! file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use matcher::sha256_hex;
use parking_lot::Mutex;
use rtrb::{Consumer, Producer, RingBuffer};

/// Gain of a sound that is heard beside what the synth plays.
const ALOUD: f32 = 0.5;
/// Longest part of a file that is listened to, in seconds.
const LONGEST: usize = 300;
/// Room for sounds on their way to the audio thread.
const WAITING: usize = 8;

/// A sound that comes with the plugin.
pub struct Melody {
    /// Name for the player; a project that listens to it keeps it.
    pub name: &'static str,
    file: &'static [u8],
}

/// The sounds that come with the plugin.
pub static MELODIES: [Melody; 3] = [
    Melody {
        name: "Plucked string",
        file: include_bytes!("../../assets/references/plucked-string.wav"),
    },
    Melody {
        name: "Reed pipe",
        file: include_bytes!("../../assets/references/reed-pipe.wav"),
    },
    Melody {
        name: "Tine piano",
        file: include_bytes!("../../assets/references/tine-piano.wav"),
    },
];

/// The player's choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Choice {
    /// The host's sidechain.
    #[default]
    Sidechain,
    /// One of [`MELODIES`], by its place.
    Melody(usize),
    /// A sound file.
    File {
        /// Where it is.
        path: PathBuf,
        /// SHA-256 of what was in it, in hexadecimal digits; empty until it was read.
        hash: String,
    },
}

impl Choice {
    /// Name for the player.
    pub fn name(&self) -> String {
        match self {
            Self::Sidechain => "Sidechain".into(),
            Self::Melody(i) => MELODIES[*i].name.into(),
            Self::File { path, .. } => file_name(path),
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A sound that is played in a loop.
#[derive(Debug, PartialEq)]
pub struct Clip {
    /// One channel.
    samples: Vec<f32>,
    /// Hz.
    rate: f64,
}

impl Clip {
    /// Decodes a sound file's bytes; also what the player should know of it.
    ///
    /// # Errors
    ///
    /// Says what it is instead, and what to do.
    fn read(bytes: &[u8]) -> Result<(Self, Vec<String>), String> {
        let audio = audio_file::read(bytes).map_err(|error| error.to_string())?;
        let mut remarks = audio.remarks.clone();
        let mut samples = audio.mono();
        let most = LONGEST * audio.rate as usize;
        if samples.len() > most {
            samples.truncate(most);
            remarks.push(format!("only its first {LONGEST} s are listened to"));
        }
        let rate = f64::from(audio.rate);
        Ok((Self { samples, rate }, remarks))
    }

    /// The loop's value at a position between samples, by the cubic through its neighbours.
    fn at(&self, position: f64) -> f32 {
        let whole = position.floor();
        let t = (position - whole) as f32;
        let length = self.samples.len();
        let first = whole as usize + length - 1;
        let [a, b, c, d] = [0, 1, 2, 3].map(|k| self.samples[(first + k) % length]);
        let (slope, next) = (0.5 * (c - a), 0.5 * (d - b));
        let square = 3.0 * (c - b) - 2.0 * slope - next;
        let cube = 2.0 * (b - c) + slope + next;
        b + t * (slope + t * (square + t * cube))
    }
}

/// Messages to the audio thread: a sound, or the sidechain again.
type Sent = Option<Arc<Clip>>;

/// The ways to the audio thread and back.
struct Ways {
    /// The sound sent last.
    last: Sent,
    /// New sounds.
    new: Producer<Sent>,
    /// Sounds that are not played any more: they are dropped here, not on the audio thread.
    spent: Consumer<Sent>,
}

/// The end of editor and host.
pub struct Source {
    choice: Mutex<Choice>,
    aloud: AtomicBool,
    /// Text for the player about the last file.
    message: Mutex<Option<String>>,
    ways: Mutex<Ways>,
    /// Number of choices so far: a file that took long to read must not replace a later one.
    choices: AtomicU64,
}

/// Both ends, listening to the sidechain.
pub fn source() -> (Arc<Source>, SourcePlayer) {
    let (new, from_editor) = RingBuffer::new(WAITING);
    // Each sound that arrives sends one back.
    let (back, spent) = RingBuffer::new(2 * WAITING);
    let source = Source {
        choice: Mutex::default(),
        aloud: AtomicBool::default(),
        message: Mutex::default(),
        ways: Mutex::new(Ways {
            last: None,
            new,
            spent,
        }),
        choices: AtomicU64::new(0),
    };
    let player = SourcePlayer {
        new: from_editor,
        back,
        clip: None,
        position: 0.0,
        mono: Vec::new(),
        len: 0,
    };
    (Arc::new(source), player)
}

impl Source {
    /// The player's choice.
    pub fn choice(&self) -> Choice {
        self.choice.lock().clone()
    }

    /// Whether the sound is heard too.
    pub fn is_aloud(&self) -> bool {
        self.aloud.load(Ordering::Relaxed)
    }

    /// Lets the sound be heard, or not.
    pub fn set_aloud(&self, on: bool) {
        self.aloud.store(on, Ordering::Relaxed);
    }

    /// Returns the message to the player about the last file, once.
    pub fn take_message(&self) -> Option<String> {
        self.message.lock().take()
    }

    /// Listens to the sidechain or a melody at once, or to a file as soon as a thread has read it.
    /// The thread is returned for those who wait.
    pub fn choose(self: &Arc<Self>, choice: Choice) -> Option<std::thread::JoinHandle<()>> {
        let number = self.choices.fetch_add(1, Ordering::AcqRel) + 1;
        *self.choice.lock() = choice.clone();
        match choice {
            Choice::Sidechain => self.send(None),
            Choice::Melody(i) => match Clip::read(MELODIES[i].file) {
                Ok((clip, _)) => self.send(Some(Arc::new(clip))),
                Err(error) => *self.message.lock() = Some(error),
            },
            Choice::File { path, hash } => {
                // Until it is read nothing is listened to but the sidechain.
                self.send(None);
                let source = self.clone();
                let read = move || source.read(&path, &hash, number);
                let thread = std::thread::Builder::new().name("mirrornet reader".into());
                return thread.spawn(read).ok();
            }
        }
        None
    }

    /// Reads a file and listens to it, unless something else was chosen meanwhile. `known` is the
    /// hash of what was in it before, empty where that is unknown.
    fn read(&self, path: &Path, known: &str, number: u64) {
        let name = file_name(path);
        let read = read_file(path);
        let hash = read
            .as_ref()
            .map(|bytes| sha256_hex(bytes))
            .unwrap_or_default();
        let clip = read.and_then(|bytes| Clip::read(&bytes));
        if self.choices.load(Ordering::Acquire) != number {
            return;
        }
        let message = match clip {
            Ok((clip, mut remarks)) => {
                if !known.is_empty() && known != hash {
                    remarks.push("it is not what it was when the project was saved".into());
                }
                if let Choice::File { hash: kept, .. } = &mut *self.choice.lock() {
                    *kept = hash;
                }
                self.send(Some(Arc::new(clip)));
                (!remarks.is_empty()).then(|| format!("{name}: {}.", remarks.join("; ")))
            }
            Err(error) => Some(format!(
                "{name} can't be listened to: {error}. Drop it here again when it is there, or \
                 choose another source."
            )),
        };
        *self.message.lock() = message;
    }

    fn send(&self, clip: Sent) {
        self.ways.lock().last = clip;
        self.send_again();
    }

    /// Sends the last sound again: while no audio runs there may have been no room for it.
    pub fn send_again(&self) {
        let mut ways = self.ways.lock();
        while ways.spent.pop().is_ok() {}
        let last = ways.last.clone();
        let _ = ways.new.push(last);
    }
}

/// The bytes of a file. Pipes and devices, which may never end, are none.
fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let kind = std::fs::metadata(path).map_err(|error| error.to_string())?;
    match kind.is_file() {
        true => std::fs::read(path).map_err(|error| error.to_string()),
        false => Err("it is no file".into()),
    }
}

/// The audio thread's end: plays the chosen sound in a loop.
pub struct SourcePlayer {
    new: Consumer<Sent>,
    back: Producer<Sent>,
    clip: Sent,
    /// Samples of the clip from its start.
    position: f64,
    mono: Vec<f32>,
    /// Length of the block last played.
    len: usize,
}

impl SourcePlayer {
    /// Makes room for blocks of at most `block` samples. Allocates.
    pub fn prepare(&mut self, block: usize) {
        self.mono.resize(block, 0.0);
        self.len = 0;
    }

    /// Takes up what was chosen last. Wait-free.
    fn take_up(&mut self) {
        while self.back.slots() > 0
            && let Ok(next) = self.new.pop()
        {
            let old = std::mem::replace(&mut self.clip, next);
            self.position = 0.0;
            // There is room: it was looked for.
            let _ = self.back.push(old);
        }
    }

    /// Plays the next `len` samples of the chosen sound at `rate` Hz; `false` for the sidechain, or
    /// where the block is too long. While the song plays, its position in seconds decides where in
    /// the loop they are, so that every bounce hears the same. Real-time safe.
    pub fn play(&mut self, len: usize, rate: f32, song: Option<f64>) -> bool {
        self.take_up();
        let (Some(clip), Some(mono)) = (&self.clip, self.mono.get_mut(..len)) else {
            return false;
        };
        self.len = len;
        let whole = clip.samples.len() as f64;
        if let Some(seconds) = song {
            self.position = (seconds * clip.rate).rem_euclid(whole);
        }
        let step = clip.rate / f64::from(rate);
        for x in mono.iter_mut() {
            *x = clip.at(self.position);
            self.position = (self.position + step) % whole;
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
pub mod tests {
    use super::*;

    /// A player of one of the melodies.
    pub fn playing(melody: usize, block: usize) -> SourcePlayer {
        let (source, mut player) = source();
        source.choose(Choice::Melody(melody));
        player.prepare(block);
        player
    }

    #[test]
    fn blocks_of_any_size_make_one_stream_and_the_song_decides_the_place() {
        let mut whole = playing(0, 4096);
        assert!(whole.play(4096, 44_100.0, None));
        let mut parts = playing(0, 64);
        for chunk in whole.played().chunks(64) {
            assert!(parts.play(64, 44_100.0, None));
            assert_eq!(parts.played(), chunk);
        }
        assert!(!parts.play(65, 44_100.0, None));
        // Two bounces from the same place in the song are equal, wherever the loop was before.
        whole.play(512, 48_000.0, Some(7.25));
        let mut again = playing(0, 512);
        again.play(512, 48_000.0, Some(7.25));
        assert_eq!(again.played(), whole.played());
        assert!(again.played().iter().any(|&x| x != 0.0));
    }

    #[test]
    fn at_its_own_rate_a_sound_is_its_samples() {
        for (i, melody) in MELODIES.iter().enumerate() {
            let (clip, remarks) = Clip::read(melody.file).unwrap();
            assert!(remarks.is_empty());
            let mut player = playing(i, 1000);
            assert!(player.play(1000, clip.rate as f32, None));
            assert_eq!(player.played(), &clip.samples[..1000]);
        }
    }

    #[test]
    fn a_file_is_read_kept_and_missed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reed.wav");
        std::fs::write(&path, MELODIES[1].file).unwrap();
        let file = |hash: &str| Choice::File {
            path: path.clone(),
            hash: hash.into(),
        };
        let (source, mut player) = source();
        player.prepare(256);
        let wait = |thread: Option<std::thread::JoinHandle<()>>| thread.unwrap().join().unwrap();
        wait(source.choose(file("")));
        assert_eq!(source.take_message(), None);
        assert!(player.play(256, 32_000.0, None));
        let Choice::File { hash, .. } = source.choice() else {
            panic!("{:?}", source.choice());
        };
        assert_eq!(hash.len(), 64);

        // Another content, no sound at all, and no file: each is said.
        std::fs::write(&path, MELODIES[2].file).unwrap();
        wait(source.choose(file(&hash)));
        assert!(source.take_message().unwrap().contains("not what it was"));
        std::fs::write(&path, "hello").unwrap();
        wait(source.choose(file(&hash)));
        assert!(
            source
                .take_message()
                .unwrap()
                .contains("can't be listened to")
        );
        std::fs::remove_file(&path).unwrap();
        wait(source.choose(file(&hash)));
        assert!(source.take_message().unwrap().contains("reed.wav"));
        assert!(!player.play(256, 32_000.0, None), "the sidechain is back");
        assert_eq!(
            source.choice(),
            file(&hash),
            "and the project still names it"
        );
    }

    #[test]
    fn sounds_are_never_dropped_where_they_are_played() {
        let (source, mut player) = source();
        player.prepare(64);
        for _ in 0..5 {
            for i in 0..MELODIES.len() {
                source.choose(Choice::Melody(i));
            }
            nice_assert_no_alloc::assert_no_alloc(|| player.play(64, 48_000.0, None));
        }
        source.choose(Choice::Sidechain);
        assert!(!player.play(64, 48_000.0, None));
        // More than there is room for while no audio runs: the last one is played.
        for _ in 0..2 * WAITING {
            source.choose(Choice::Melody(0));
        }
        source.choose(Choice::Melody(2));
        while player.clip.is_none() || !player.new.is_empty() {
            player.play(64, 32_000.0, None);
        }
        source.send_again();
        player.play(64, 32_000.0, None);
        let expected = Clip::read(MELODIES[2].file).unwrap().0;
        assert_eq!(player.clip.as_deref(), Some(&expected));
    }
}
