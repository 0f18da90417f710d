//! Events, and how keys become notes: many, or one that follows the keys.

use super::{SLOTS, Synth};
use crate::event::{ANY_CHANNEL, ANY_KEY, EventKind};
use crate::math::split_mix;
use crate::params::PlayMode;
use crate::voice::{NoteState, Voice};

/// Most keys that a single voice remembers.
pub(super) const KEYS: usize = 32;

/// A key that a single voice may return to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) note: NoteState,
    /// Whether only a pedal holds it.
    pub(super) let_go: bool,
    /// Whether the sostenuto pedal caught it.
    pub(super) caught: bool,
}

/// A note that has ended, as the host named it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ended {
    /// Host's voice id.
    pub id: i32,
    /// MIDI channel.
    pub channel: u8,
    /// MIDI pitch.
    pub key: f32,
}

/// Adds a voice's note to the ended ones, if the host named it.
pub(super) fn report_ended(ended: &mut Vec<Ended>, voice: &Voice) {
    let NoteState {
        id, channel, key, ..
    } = voice.note;
    if id >= 0 && ended.len() < ended.capacity() {
        ended.push(Ended { id, channel, key });
    }
}

/// Whether an event's address names a note: by id where both have one, else by channel and key.
fn named(id: i32, channel: u8, key: f32) -> impl Fn(&NoteState) -> bool + Copy {
    move |note: &NoteState| {
        if id >= 0 && note.id >= 0 {
            note.id == id
        } else {
            (channel == ANY_CHANNEL || note.channel == channel)
                && (key == ANY_KEY || (note.key - key).abs() < 1e-3)
        }
    }
}

impl Synth {
    /// Removes and returns the notes that have ended since the last call. Where more have ended
    /// than the synth has voices, the latest are left out.
    pub fn ended(&mut self) -> impl Iterator<Item = Ended> {
        self.ended.drain(..)
    }

    /// Changes a voice at the current sample.
    pub(super) fn change(&mut self, index: usize, change: impl FnOnce(&mut Voice)) {
        let voice = &mut self.voices[index];
        let left = voice.cut(&self.shared);
        change(voice);
        if !voice.held {
            voice.note.leave_channel(&self.shared);
        }
        voice.replan(left, &self.shared);
    }

    /// Changes every sounding voice that `which` selects.
    pub(super) fn change_all(
        &mut self,
        which: impl Fn(&Voice) -> bool,
        change: impl Fn(&mut Voice),
    ) {
        for n in 0..self.active.len() {
            let i = self.active[n];
            if which(&self.voices[i]) {
                self.change(i, &change);
            }
        }
    }

    /// Handles an event at the current sample.
    pub(crate) fn handle(&mut self, event: &EventKind) {
        use EventKind::*;
        let Some(event) = event.sanitized() else {
            return;
        };
        if self.is_poly() {
            self.leave_single();
        }
        let channels = &mut self.shared.channels;
        match event {
            NoteOn {
                id,
                channel,
                key,
                velocity,
            } => {
                let note = NoteState::new(id, channel, key, velocity);
                match self.shared.settings.play_mode {
                    PlayMode::Poly => self.note_on(note),
                    mode => self.single_on(note, mode),
                }
            }
            NoteOff { id, channel, key } => {
                let same = NoteState::new(id, channel, key, 0.0);
                self.note_off(named(id, channel, key), &same);
            }
            Choke { id, channel, key } => {
                let which = named(id, channel, key);
                self.keys.retain(|k| !which(&k.note));
                self.change_all(|v| !v.fading && which(&v.note), Voice::fade);
            }
            PitchBend { channel, value } => channels[channel as usize].bend = value,
            ModWheel { channel, value } => channels[channel as usize].wheel = value,
            ChannelPressure { channel, value } => channels[channel as usize].pressure = value,
            ChannelBrightness { channel, value } => {
                channels[channel as usize].brightness = octaves(value);
            }
            ChannelVolume { channel, value } => channels[channel as usize].volume = value,
            ChannelExpression { channel, value } => channels[channel as usize].expression = value,
            ChannelPan { channel, pan } => channels[channel as usize].pan = pan,
            Sustain { channel, down } => self.sustain(channel, down),
            Sostenuto { channel, down } => self.sostenuto(channel, down),
            ResetControllers { channel } => self.reset_controllers(channel),
            DataEntry {
                channel,
                controller,
                value,
            } => self.shared.enter(channel, controller, value),
            AllNotesOff { channel } => {
                let of = self.of_channel(channel);
                self.keys.retain(|k| !of(&k.note));
                self.change_all(|v| of(&v.note), Voice::release);
            }
            AllSoundOff { channel } => {
                let of = self.of_channel(channel);
                self.keys.retain(|k| !of(&k.note));
                self.change_all(|v| of(&v.note), Voice::fade);
                self.effects.reset();
                // Once more when the notes have faded: they are fed to them meanwhile.
                self.hushing = true;
            }
            Tuning {
                id,
                channel,
                key,
                semitones,
            } => self.express(named(id, channel, key), |n| n.tuning = semitones),
            Volume {
                id,
                channel,
                key,
                gain,
            } => self.express(named(id, channel, key), |n| n.volume = gain),
            Pan {
                id,
                channel,
                key,
                pan,
            } => self.express(named(id, channel, key), |n| n.pan = pan),
            Brightness {
                id,
                channel,
                key,
                value,
            } => self.express(named(id, channel, key), |n| n.brightness = octaves(value)),
            Pressure {
                id,
                channel,
                key,
                value,
            } => self.express(named(id, channel, key), |n| n.pressure = value),
            Modulation { id, row, offset } => self.change_all(
                |v| !v.fading && v.note.id == id && id >= 0,
                |v| v.modulate(row, offset),
            ),
        }
    }

    /// Whether a note belongs to a channel, or to the zone of which it is the master's.
    fn of_channel(&self, channel: u8) -> impl Fn(&NoteState) -> bool + use<> {
        let reached: [bool; 16] = std::array::from_fn(|c| {
            channel == ANY_CHANNEL || self.shared.reaches(channel, c as u8)
        });
        move |note| reached[usize::from(note.channel & 15)]
    }

    /// Forgets the keys of the single voice that a change of mode has left behind: its note is one
    /// of many now, and ends by its own note-off or, if that has come already, with the pedal.
    fn leave_single(&mut self) {
        while let Some(key) = self.keys.pop() {
            let same = |v: &Voice| !v.fading && v.note.has_name_of(&key.note);
            self.change_all(same, |v| v.caught |= key.caught);
            if key.let_go {
                self.change_all(same, |v| v.held = false);
            }
        }
    }

    /// Expressions are smoothed, so they may wait for the next grid line.
    pub(super) fn express(
        &mut self,
        which: impl Fn(&NoteState) -> bool,
        set: impl Fn(&mut NoteState),
    ) {
        for &i in &self.active {
            let voice = &mut self.voices[i];
            if !voice.fading && which(&voice.note) {
                set(&mut voice.note);
            }
        }
    }

    fn note_on(&mut self, note: NoteState) {
        // A key struck again lets its earlier note go.
        let same = |v: &Voice| !v.fading && v.note.has_name_of(&note);
        let sounding = self.active.iter().map(|&i| &self.voices[i]);
        let caught = sounding.filter(|v| same(v)).any(|v| v.caught);
        self.change_all(same, Voice::release);
        while self.active_voices() >= self.shared.settings.voices
            && let Some(victim) = self.victim()
        {
            self.change(victim, Voice::fade);
        }
        let offset = self.last_key.map_or(0.0, |last| last - note.key);
        let slot = self.start(note, offset);
        // The pedal holds the string, so to say, and not what was played on it.
        self.voices[slot].caught = caught;
    }

    /// Starts a voice that glides from `offset` semitones away; returns its index.
    fn start(&mut self, note: NoteState, offset: f32) -> usize {
        let slot = match (self.first..SLOTS)
            .chain(0..self.first)
            .find(|i| !self.active.contains(i))
        {
            Some(free) => {
                self.active.push(free);
                free
            }
            // More steals within one fade than slots: the oldest fade is cut off.
            None => {
                let oldest = self.active[0];
                report_ended(&mut self.ended, &self.voices[oldest]);
                oldest
            }
        };
        self.last_key = Some(note.key);
        let seed = self.draw();
        self.voices[slot].start(note, self.notes, offset, seed, &self.shared);
        self.notes += 1;
        let left = self.to_grid();
        self.voices[slot].replan(left, &self.shared);
        slot
    }

    /// The next note's seed.
    fn draw(&self) -> u64 {
        let mut seed = self.seed ^ self.notes.wrapping_mul(0xD134_2543_DE82_EF95);
        split_mix(&mut seed)
    }

    /// A key is struck where there is one voice for all.
    fn single_on(&mut self, note: NoteState, mode: PlayMode) {
        let mut caught = false;
        self.keys.retain(|k| {
            let same = k.note.channel == note.channel && k.note.key == note.key;
            caught |= same && k.caught;
            !same
        });
        let first = self.keys.is_empty();
        if self.keys.len() == KEYS {
            self.keys.remove(0);
        }
        self.keys.push(Key {
            note,
            let_go: false,
            caught,
        });
        let retrigger = mode == PlayMode::Mono || first;
        let glides = mode == PlayMode::Mono || !first;
        let Some(voice) = self.single() else {
            let last = self.last_key.filter(|_| glides);
            self.start(note, last.map_or(0.0, |last| last - note.key));
            return;
        };
        self.change_all(|v| !v.fading && v.number != voice, Voice::fade);
        self.follow(voice, note, retrigger, glides);
    }

    /// Number of the voice that follows the keys, if it sounds.
    fn single(&self) -> Option<u64> {
        let sounding = self.active.iter().map(|&i| &self.voices[i]);
        sounding
            .filter(|v| !v.fading && !v.is_idle())
            .map(|v| v.number)
            .max()
    }

    /// Makes a voice play another note.
    fn follow(&mut self, voice: u64, note: NoteState, retrigger: bool, glides: bool) {
        let Some(i) = self
            .active
            .iter()
            .copied()
            .find(|&i| self.voices[i].number == voice)
        else {
            return;
        };
        if self.voices[i].note.id != note.id {
            report_ended(&mut self.ended, &self.voices[i]);
        }
        self.last_key = Some(note.key);
        let seed = self.draw();
        self.notes += retrigger as u64;
        let glide = if glides {
            self.shared.settings.glide
        } else {
            0.0
        };
        self.change(i, |v| v.retarget(note, seed, retrigger, glide));
        // It is the youngest again, and its number stays the only one of its kind.
        if retrigger {
            self.voices[i].number = self.notes - 1;
        }
    }

    fn note_off(&mut self, which: impl Fn(&NoteState) -> bool + Copy, same: &NoteState) {
        // Of keys that a host names alike, one that is still down, and first the very same.
        let rank = |k: &Key| (k.let_go, !k.note.has_name_of(same));
        let keys = self.keys.iter().enumerate().rev();
        let named = keys.filter(|(_, k)| which(&k.note));
        let Some((at, _)) = named.min_by_key(|(_, k)| rank(k)) else {
            for n in 0..self.active.len() {
                let i = self.active[n];
                let voice = &self.voices[i];
                if voice.held && !voice.fading && which(&voice.note) {
                    let stays = voice.caught || self.shared.pedal(voice.note.channel);
                    self.change(i, |v| if stays { v.held = false } else { v.release() });
                }
            }
            return;
        };
        if self.keys[at].caught || self.shared.pedal(self.keys[at].note.channel) {
            self.keys[at].let_go = true;
        } else {
            self.keys.remove(at);
            self.settle();
        }
    }

    /// Lets the single voice follow the key struck last of those still held, or go.
    pub(super) fn settle(&mut self) {
        let Some(voice) = self.single().filter(|_| !self.is_poly()) else {
            return;
        };
        match self.keys.last().copied() {
            Some(key) => {
                let same = |v: &Voice| v.note.key == key.note.key && v.note.id == key.note.id;
                let there = self
                    .active
                    .iter()
                    .any(|&i| self.voices[i].number == voice && same(&self.voices[i]));
                if !there {
                    self.follow(voice, key.note, false, true);
                }
            }
            None => self.change_all(|v| v.held && !v.fading && v.number == voice, Voice::release),
        }
    }

    fn is_poly(&self) -> bool {
        self.shared.settings.play_mode == PlayMode::Poly
    }

    /// The note to displace: the quietest released one, else the oldest.
    fn victim(&self) -> Option<usize> {
        let candidates = self
            .active
            .iter()
            .copied()
            .filter(|&i| !self.voices[i].fading);
        candidates.min_by(|&a, &b| {
            let [a, b] = [&self.voices[a], &self.voices[b]];
            let by_level = if a.held {
                std::cmp::Ordering::Equal
            } else {
                a.level().total_cmp(&b.level())
            };
            a.held
                .cmp(&b.held)
                .then(by_level)
                .then(a.number.cmp(&b.number))
        })
    }
}

/// Octaves of cutoff for a brightness from 0 to 1.
fn octaves(value: f32) -> f32 {
    4.0 * (value - 0.5)
}
