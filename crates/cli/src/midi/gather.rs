//! Gathering a song from tracks: ticks become seconds, and keys and pedals become notes.

use super::event::Message;
use super::song::{Played, Song};
use super::track::Track;
use midly::{MidiMessage, Timing};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;
use synth::{EventKind, Note};

/// Drums, counted from 0: General MIDI's channel 10.
const DRUMS: u8 = 9;

/// A channel, 0 to 15, and a key.
type Key = (u8, u8);

/// Puts tracks together, and says what of them is left out.
pub fn gather(tracks: &[Track], timing: Timing) -> Song {
    let mut gathering = Gathering::default();
    for (i, track) in tracks.iter().enumerate() {
        let remarks = track.remarks.iter();
        let named = remarks.map(|remark| format!("track {}: {remark}", i + 1));
        gathering.song.remarks.extend(named);
    }
    let all = tracks.iter().flat_map(|track| track.events.iter().copied());
    let mut events: Vec<(u64, Message)> = all.collect();
    events.sort_by_key(|&(tick, _)| tick);
    let drums = leave_out_drums(&mut events);
    gathering.song.remarks.extend(drums);
    // Seconds per tick; a tempo event changes it unless ticks are parts of a second.
    let mut tick_seconds = match timing {
        Timing::Metrical(per_beat) => 0.5 / f64::from(per_beat.as_int().max(1)),
        Timing::Timecode(fps, sub) => 1.0 / (f64::from(fps.as_f32()) * f64::from(sub.max(1))),
    };
    let mut last = 0;
    for (tick, message) in events {
        gathering.now += (tick - last) as f64 * tick_seconds;
        last = tick;
        match (message, timing) {
            (Message::Tempo(us), Timing::Metrical(per_beat)) => {
                tick_seconds = f64::from(us) * 1e-6 / f64::from(per_beat.as_int().max(1));
            }
            (Message::Tempo(_), Timing::Timecode(..)) => {}
            (Message::Channel(channel, message), _) => gathering.add(channel, message),
        }
    }
    // What is still held lasts until the end.
    let end = tracks.iter().map(|track| track.end).max().unwrap_or(last);
    gathering.now += end.saturating_sub(last) as f64 * tick_seconds;
    (0..16).for_each(|channel| gathering.end_channel(channel));
    let mut song = gathering.song;
    song.played.retain(|p| p.note.duration > 0.0);
    song
}

/// Leaves out the drums where there is something else, and says so.
fn leave_out_drums(events: &mut Vec<(u64, Message)>) -> Option<String> {
    let is_note = |message: &Message, drums: bool| {
        matches!(message, Message::Channel(channel, MidiMessage::NoteOn { vel, .. })
            if (*channel == DRUMS) == drums && vel.as_int() > 0)
    };
    let count = events.iter().filter(|(_, m)| is_note(m, true)).count();
    if count == 0 || !events.iter().any(|(_, m)| is_note(m, false)) {
        return None;
    }
    events.retain(|(_, m)| !matches!(m, Message::Channel(channel, _) if *channel == DRUMS));
    Some(format!("notes of channel 10 (drums) left out: {count}"))
}

#[derive(Default)]
struct Gathering {
    song: Song,
    /// Current time in seconds.
    now: f64,
    /// Notes, as indices, whose keys are down, the earliest first.
    held: BTreeMap<Key, VecDeque<usize>>,
    /// Notes that sound on by a pedal.
    sustained: BTreeMap<Key, Vec<usize>>,
    pedals: [bool; 16],
    sostenuto: [bool; 16],
    /// Notes that the sostenuto pedal caught.
    caught: BTreeSet<usize>,
}

impl Gathering {
    fn add(&mut self, channel: u8, message: MidiMessage) {
        use MidiMessage as M;
        let unit = |value: midly::num::u7| f32::from(value.as_int()) / 127.0;
        match message {
            M::NoteOn { key, vel } if vel.as_int() > 0 => {
                self.note_on((channel, key.as_int()), unit(vel));
            }
            M::NoteOn { key, .. } | M::NoteOff { key, .. } => {
                self.note_off((channel, key.as_int()));
            }
            M::PitchBend { bend } => {
                // As the plugin gets it from a host.
                let value = f32::from(bend.0.as_int()) / 16_383.0;
                let value = 2.0 * value - 1.0;
                self.control(EventKind::PitchBend { channel, value });
            }
            M::ChannelAftertouch { vel } => self.control(EventKind::ChannelPressure {
                channel,
                value: unit(vel),
            }),
            M::Aftertouch { key, vel } => self.control(EventKind::Pressure {
                id: -1,
                channel,
                key: f32::from(key.as_int()),
                value: unit(vel),
            }),
            M::Controller { controller, value } => {
                self.controller(channel, controller.as_int(), unit(value));
            }
            M::ProgramChange { .. } => {}
        }
    }

    /// A MIDI controller, with the meaning that it has in the plugin.
    fn controller(&mut self, channel: u8, controller: u8, value: f32) {
        let Some(kind) = EventKind::of_controller(channel, controller, value) else {
            return;
        };
        self.control(kind);
        match kind {
            EventKind::Sustain { down, .. } => self.sustain(channel, down),
            EventKind::Sostenuto { down, .. } => self.catch(channel, down),
            EventKind::ResetControllers { .. } => {
                self.sustain(channel, false);
                self.catch(channel, false);
            }
            EventKind::AllSoundOff { .. } | EventKind::AllNotesOff { .. } => {
                self.end_channel(channel);
            }
            _ => {}
        }
    }

    fn control(&mut self, kind: EventKind) {
        self.song.controls.push((self.now, kind));
    }

    fn note_on(&mut self, key: Key, velocity: f32) {
        let mut id = self.song.played.len() as i32;
        // Struck again while only the pedal holds it, a key lets its earlier note go. So does the
        // synth where both notes have one name.
        for earlier in self.sustained.remove(&key).unwrap_or_default() {
            self.end(earlier);
            id = self.song.played[earlier].id;
        }
        let index = self.song.played.len();
        self.held.entry(key).or_default().push_back(index);
        self.song.played.push(Played {
            note: Note {
                onset: self.now,
                duration: 0.0,
                key: f32::from(key.1),
                velocity,
            },
            let_go: self.now,
            channel: key.0,
            id,
        });
    }

    /// Lets the earliest note of a key go.
    fn note_off(&mut self, key: Key) {
        if let Some(index) = self.held.get_mut(&key).and_then(VecDeque::pop_front) {
            self.song.played[index].let_go = self.now;
            match self.pedals[usize::from(key.0)] || self.caught.contains(&index) {
                true => self.sustained.entry(key).or_default().push(index),
                false => self.end(index),
            }
        }
    }

    fn sustain(&mut self, channel: u8, down: bool) {
        self.pedals[usize::from(channel)] = down;
        if !down {
            self.end_sustained(channel);
        }
    }

    /// The sostenuto pedal catches the notes whose keys are down.
    fn catch(&mut self, channel: u8, down: bool) {
        let before = std::mem::replace(&mut self.sostenuto[usize::from(channel)], down);
        if before == down {
            return;
        }
        let held = self.held.range(keys_of(channel));
        let sustained = self.sustained.range(keys_of(channel));
        if down {
            self.caught.extend(held.flat_map(|(_, notes)| notes));
        } else {
            let of_channel = held.flat_map(|(_, notes)| notes);
            let of_channel = of_channel.chain(sustained.flat_map(|(_, notes)| notes));
            for index in of_channel {
                self.caught.remove(index);
            }
            if !self.pedals[usize::from(channel)] {
                self.end_sustained(channel);
            }
        }
    }

    /// Ends the notes of a channel that sound on by its sustain pedal.
    fn end_sustained(&mut self, channel: u8) {
        let caught = &self.caught;
        let mut ended = Vec::new();
        for (_, notes) in self.sustained.range_mut(keys_of(channel)) {
            ended.extend(notes.extract_if(.., |note| !caught.contains(note)));
        }
        ended.into_iter().for_each(|index| self.end(index));
    }

    /// Ends all notes of a channel.
    fn end_channel(&mut self, channel: u8) {
        let of_channel = self.held.extract_if(keys_of(channel), |_, _| true);
        let notes: Vec<usize> = of_channel.flat_map(|(_, notes)| notes).collect();
        for index in notes {
            self.song.played[index].let_go = self.now;
            self.end(index);
        }
        let of_channel = self.sustained.extract_if(keys_of(channel), |_, _| true);
        let notes: Vec<usize> = of_channel.flat_map(|(_, notes)| notes).collect();
        notes.into_iter().for_each(|index| self.end(index));
    }

    fn end(&mut self, index: usize) {
        self.caught.remove(&index);
        let note = &mut self.song.played[index].note;
        note.duration = self.now - note.onset;
    }
}

/// All keys of a channel.
fn keys_of(channel: u8) -> RangeInclusive<Key> {
    (channel, 0)..=(channel, u8::MAX)
}
