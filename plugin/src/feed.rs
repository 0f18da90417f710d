//! Feed from the audio thread to the editor, in addition to the match: levels, notes, and the
//! played sound; and the keys that the editor plays.
//!
//! The audio thread's end touches atomics and wait-free rings only.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use parking_lot::Mutex;
use rtrb::{Consumer, Producer, RingBuffer};
use synth::{Event, EventKind};

/// Room for played samples: half a second at 96 kHz. The editor takes them 30 times a second.
const SAMPLES: usize = 48_000;
/// Room for keys.
const KEYS: usize = 64;
/// Peak below which nothing is shown: -100 dBFS.
const QUIET: f32 = 1e-5;
/// Velocity of the keys that the editor plays, 0 to 1.
const VELOCITY: f32 = 0.8;

/// A key pressed or let go in the editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyMove {
    /// MIDI key.
    pub key: u8,
    /// Whether it is pressed.
    pub down: bool,
}

/// The editor's end.
pub struct Feed {
    /// Largest absolute samples since the editor last looked, as bits of f32.
    sidechain: AtomicU32,
    output: AtomicU32,
    /// Whether a sample of the output went beyond full scale since the player last looked.
    clipped: AtomicBool,
    /// Number of notes that have begun.
    notes: AtomicU32,
    /// Number of voices that sound.
    voices: AtomicU32,
    /// Sample rate in Hz, as bits of f32.
    rate: AtomicU32,
    /// Whether an editor wants the played samples.
    watched: AtomicBool,
    played: Mutex<Consumer<f32>>,
    keys: Mutex<Producer<KeyMove>>,
}

/// The audio thread's end.
pub struct AudioFeed {
    played: Producer<f32>,
    keys: Consumer<KeyMove>,
}

/// Both ends.
pub fn feed() -> (Feed, AudioFeed) {
    let (to_editor, played) = RingBuffer::new(SAMPLES);
    let (keys, from_editor) = RingBuffer::new(KEYS);
    let feed = Feed {
        sidechain: AtomicU32::default(),
        output: AtomicU32::default(),
        clipped: AtomicBool::default(),
        notes: AtomicU32::default(),
        voices: AtomicU32::default(),
        rate: AtomicU32::new(48_000.0f32.to_bits()),
        watched: AtomicBool::default(),
        played: Mutex::new(played),
        keys: Mutex::new(keys),
    };
    let audio = AudioFeed {
        played: to_editor,
        keys: from_editor,
    };
    (feed, audio)
}

impl Feed {
    /// Largest absolute sample of the sidechain since the last call.
    pub fn take_sidechain(&self) -> f32 {
        f32::from_bits(self.sidechain.swap(0, Ordering::Relaxed))
    }

    /// Largest absolute sample of the output since the last call.
    pub fn take_output(&self) -> f32 {
        f32::from_bits(self.output.swap(0, Ordering::Relaxed))
    }

    /// Whether the output went beyond full scale since [`Feed::forget_clip`].
    pub fn clipped(&self) -> bool {
        self.clipped.load(Ordering::Relaxed)
    }

    /// Puts the clip light out.
    pub fn forget_clip(&self) {
        self.clipped.store(false, Ordering::Relaxed);
    }

    /// Number of notes that have begun so far, and of voices that sound.
    pub fn notes(&self) -> [u32; 2] {
        [&self.notes, &self.voices].map(|n| n.load(Ordering::Relaxed))
    }

    /// A number that changes while something comes in or goes out, and with the notes.
    pub fn stamp(&self) -> u64 {
        let [notes, voices] = self.notes();
        let peaks = [&self.sidechain, &self.output].map(|peak| peak.load(Ordering::Relaxed));
        let loudest = peaks[0].max(peaks[1]);
        let quiet = f32::from_bits(loudest) < QUIET;
        let moving = if quiet {
            0
        } else {
            self.played.lock().slots() as u64
        };
        u64::from(notes) << 32 ^ u64::from(voices) << 24 ^ u64::from(self.clipped()) ^ moving << 1
    }

    /// Sample rate in Hz.
    pub fn rate(&self) -> f32 {
        f32::from_bits(self.rate.load(Ordering::Relaxed))
    }

    /// Notes the sample rate in Hz.
    pub fn set_rate(&self, rate: f32) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }

    /// Whether the played samples are wanted from now on.
    pub fn watch(&self, on: bool) {
        if !self.watched.swap(on, Ordering::Relaxed) {
            // What an earlier editor left.
            self.take_played(|_| {});
        }
    }

    /// Calls `each` with the mono samples played since the last call, in one or two parts.
    pub fn take_played(&self, mut each: impl FnMut(&[f32])) {
        let mut played = self.played.lock();
        let count = played.slots();
        if let Ok(chunk) = played.read_chunk(count) {
            let (first, second) = chunk.as_slices();
            each(first);
            each(second);
            chunk.commit_all();
        }
    }

    /// Presses or lets go a key. One that finds no room is lost: nothing plays then anyway.
    pub fn play(&self, key: KeyMove) {
        let _ = self.keys.lock().push(key);
    }
}

impl AudioFeed {
    /// Adds the keys played in the editor to `events`, at the block's start, as far as there is
    /// room. Wait-free.
    pub fn add_keys(&mut self, events: &mut Vec<Event>) {
        while events.len() < events.capacity() {
            let Ok(KeyMove { key, down }) = self.keys.pop() else {
                return;
            };
            let kind = match down {
                true => EventKind::NoteOn {
                    id: -1,
                    channel: 0,
                    key: f32::from(key),
                    velocity: VELOCITY,
                },
                false => EventKind::NoteOff {
                    id: -1,
                    channel: 0,
                    key: f32::from(key),
                },
            };
            events.push(Event { time: 0, kind });
        }
    }

    /// Shows a block's sidechain, output and events. Wait-free.
    pub fn show(
        &mut self,
        feed: &Feed,
        sidechain: Option<[&[f32]; 2]>,
        output: [&[f32]; 2],
        begun: u32,
        voices: u32,
    ) {
        let peak = |channels: [&[f32]; 2]| {
            let samples = channels.into_iter().flatten();
            samples.fold(0.0f32, |peak, x| peak.max(x.abs()))
        };
        let watched = feed.watched.load(Ordering::Relaxed);
        if watched {
            raise(&feed.sidechain, sidechain.map_or(0.0, peak));
        }
        // An instance that nobody plays or looks at costs nothing. Clipping is remembered for those
        // who look later.
        if watched || voices > 0 {
            let loudest = peak(output);
            raise(&feed.output, loudest);
            if loudest > 1.0 {
                feed.clipped.store(true, Ordering::Relaxed);
            }
        }
        feed.notes.fetch_add(begun, Ordering::Relaxed);
        feed.voices.store(voices, Ordering::Relaxed);
        if watched {
            let [left, right] = output;
            let count = left.len().min(self.played.slots());
            if let Ok(chunk) = self.played.write_chunk_uninit(count) {
                let mono = left.iter().zip(right).map(|(l, r)| 0.5 * (l + r));
                chunk.fill_from_iter(mono);
            }
        }
    }
}

/// Raises `peak` to `x`. For positive floats the order is that of their bits.
fn raise(peak: &AtomicU32, x: f32) {
    peak.fetch_max(x.to_bits(), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_played_arrives_while_an_editor_watches() {
        let (feed, mut audio) = feed();
        let block = [0.5, -1.5, 0.25];
        audio.show(&feed, None, [&block; 2], 1, 3);
        let take = |feed: &Feed| {
            let mut all = Vec::new();
            feed.take_played(|part| all.extend_from_slice(part));
            all
        };
        assert!(take(&feed).is_empty());
        assert_eq!((feed.take_output(), feed.take_sidechain()), (1.5, 0.0));
        assert_eq!(feed.take_output(), 0.0);
        assert_eq!(feed.notes(), [1, 3]);
        audio.show(&feed, Some([&block; 2]), [&block; 2], 0, 0);
        assert_eq!((feed.take_output(), feed.take_sidechain()), (0.0, 0.0));
        assert_eq!(feed.notes(), [1, 0]);
        assert!(feed.clipped());
        feed.forget_clip();
        assert!(!feed.clipped());
        feed.watch(true);
        audio.show(&feed, Some([&block; 2]), [&block, &[0.5; 3]], 0, 0);
        assert_eq!(take(&feed), [0.5, -0.5, 0.375]);
        // More than there is room for is lost, and nothing blocks.
        let long = vec![0.0; SAMPLES + 10];
        audio.show(&feed, None, [&long; 2], 0, 0);
        assert_eq!(take(&feed).len(), SAMPLES);
    }

    #[test]
    fn keys_are_events_as_far_as_there_is_room() {
        let (feed, mut audio) = feed();
        for key in 60..64 {
            feed.play(KeyMove { key, down: true });
        }
        let mut events = Vec::with_capacity(3);
        audio.add_keys(&mut events);
        assert_eq!(events.len(), 3);
        assert_eq!(events.capacity(), 3);
        events.clear();
        feed.play(KeyMove {
            key: 60,
            down: false,
        });
        audio.add_keys(&mut events);
        let keys: Vec<_> = events
            .iter()
            .map(|event| match event.kind {
                EventKind::NoteOn { key, .. } => (key, true),
                EventKind::NoteOff { key, .. } => (key, false),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(keys, [(63.0, true), (60.0, false)]);
    }
}
