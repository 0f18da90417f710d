//! The chunks and tracks of a standard MIDI file, read as far as they make sense.
//!
//! Damage is common: lost bytes, lengths that are wrong, bytes of a live stream in a file. Where an
//! event makes no sense, the reading that lets most of the following events make sense is taken;
//! what can't be read is skipped, and counted.

use super::event::{
    Event, Flaw, Kind, Message, channel_message, data_bytes, delta, is_system, message, plain,
    system_data,
};
use std::collections::BTreeMap;

/// Events that have to make sense in a row for their place to count as the start of one.
const LOOK_AHEAD: usize = 4;

/// Messages of a track.
#[derive(Debug, Default)]
pub struct Track {
    /// Events with their ticks from the start.
    pub events: Vec<(u64, Message)>,
    /// Tick of its end.
    pub end: u64,
    /// Remarks on what was repaired or left out.
    pub remarks: Vec<String>,
}

/// The tracks of a file, from the bytes after its header chunk.
pub fn tracks(bytes: &[u8]) -> Vec<Track> {
    let mut tracks = Vec::new();
    let mut at = 0;
    while let Some((id, size)) = chunk(bytes, at) {
        let start = at + 8;
        let end = start.saturating_add(size).min(bytes.len());
        if id != b"MTrk" {
            // A chunk of another kind, or garbage.
            at = match is_id(id) && start.saturating_add(size) <= bytes.len() {
                true => end,
                false => next_track(bytes, at + 1),
            };
            continue;
        }
        // A length that ends in the midst of something is too short: the track goes on to the next.
        let follows = end == bytes.len() || chunk(bytes, end).is_some_and(|(id, _)| is_id(id));
        let limit = match follows {
            true => end,
            false => next_track(bytes, end),
        };
        let mut reader = Reader::new(&bytes[..limit], start);
        reader.read();
        let mut track = reader.track;
        let stop = reader.at;
        let flaws = reader.flaws.into_iter();
        track
            .remarks
            .extend(flaws.map(|(flaw, count)| flaw.describe(count)));
        if stop > end {
            track.remarks.push(format!(
                "its length is {} bytes too short: read to its end",
                stop - end
            ));
        } else if start.saturating_add(size) > bytes.len() && !reader.ended {
            track.remarks.push("it is cut off".into());
        }
        // A length that spans the next track is too long.
        let within = bytes.get(stop..bytes.len().min(end.saturating_add(3)));
        let next = within.filter(|_| stop < end).and_then(find_track);
        at = match next {
            Some(next) if reader.ended => {
                track
                    .remarks
                    .push("its length is too long: read to its end mark".into());
                stop + next
            }
            _ => end.max(stop),
        };
        // Garbage between tracks hides none of them.
        if !chunk(bytes, at).is_some_and(|(id, _)| is_id(id)) {
            at = next_track(bytes, at);
        }
        tracks.push(track);
    }
    tracks
}

/// Id and size of the chunk at `at`.
fn chunk(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let header = bytes.get(at..at.checked_add(8)?)?;
    let size = u32::from_be_bytes(header[4..].try_into().ok()?);
    Some((&header[..4], size as usize))
}

fn is_id(id: &[u8]) -> bool {
    id.iter().all(|b| (0x20..0x7F).contains(b))
}

fn find_track(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|w| w == b"MTrk")
}

/// Position of the next track from `at` on, or the end.
fn next_track(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    find_track(rest).map_or(bytes.len(), |next| at + next)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    tick: u64,
    running: Option<(u8, bool)>,
    /// Whether the end mark was reached.
    ended: bool,
    flaws: BTreeMap<Flaw, usize>,
    track: Track,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            tick: 0,
            running: None,
            ended: false,
            flaws: BTreeMap::new(),
            track: Track::default(),
        }
    }

    fn read(&mut self) {
        while self.at < self.bytes.len() && !self.ended {
            let Some(event) = self.event(self.at, self.running) else {
                self.skip();
                continue;
            };
            if let Some(flaw) = event.flaw {
                *self.flaws.entry(flaw).or_default() += 1;
            }
            self.tick += u64::from(event.delta);
            (self.at, self.running) = (event.next, event.running);
            match event.kind {
                Kind::Message(message) => self.track.events.push((self.tick, message)),
                Kind::Other => {}
                Kind::End => self.ended = true,
            }
        }
        self.track.end = self.tick;
    }

    /// Skips to the next place where events make sense, or to the end.
    fn skip(&mut self) {
        /// Bytes within which an event with a status of its own is waited for.
        const NEAR: usize = 32;
        let from = self.at;
        let (start, end) = (from + 1, self.bytes.len());
        let near = end.min(start + NEAR);
        let find = |mut range: std::ops::Range<usize>, running| {
            range.find(|&at| self.sense(at, running) >= LOOK_AHEAD)
        };
        // The running status may belong to what is unreadable: it is the second choice.
        let found = find(start..near, None).or_else(|| find(start..end, self.running));
        if found.is_none()
            && let Some((delta, _)) = delta(self.bytes, from)
        {
            // The time of an event that is cut off is known all the same.
            self.tick += u64::from(delta);
        }
        self.at = found.unwrap_or(self.bytes.len());
        *self.flaws.entry(Flaw::Unreadable).or_default() += self.at - from;
    }

    /// Number of events from `at` on that are without a flaw, up to [`LOOK_AHEAD`]; the track's end
    /// makes all sense.
    fn sense(&self, mut at: usize, mut running: Option<(u8, bool)>) -> usize {
        for count in 0..LOOK_AHEAD {
            match plain(self.bytes, at, running) {
                Some(Event {
                    kind: Kind::End, ..
                }) => return LOOK_AHEAD,
                Some(event) if event.flaw.is_none() => (at, running) = (event.next, event.running),
                _ => return count,
            }
        }
        LOOK_AHEAD
    }

    /// The event at `at`, repaired where that makes sense.
    fn event(&self, at: usize, running: Option<(u8, bool)>) -> Option<Event> {
        if let Some(event) = plain(self.bytes, at, running) {
            return Some(event);
        }
        let (delta, start) = delta(self.bytes, at)?;
        let first = *self.bytes.get(start)?;
        if is_system(first) {
            return Some(self.system(delta, start, running));
        }
        let (status, data) = match first {
            0x80.. => (first, start + 1),
            _ => (running?.0, start),
        };
        self.repaired(delta, status, data)
    }

    /// A system byte: after it comes either the next event or, where it was put into a message's
    /// stream, that message without a time of its own.
    fn system(&self, delta: u32, start: usize, running: Option<(u8, bool)>) -> Event {
        let after = start + 1 + system_data(&self.bytes[start..]);
        let mut event = Event {
            delta,
            kind: Kind::Other,
            next: after,
            running,
            flaw: Some(Flaw::Realtime),
        };
        if let Some(inner) = message(self.bytes, after, running)
            && self.sense(inner.next, inner.running) > self.sense(after, running)
        {
            (event.kind, event.next, event.running) = (inner.kind, inner.next, inner.running);
        }
        event
    }

    /// A channel message whose data bytes are not all data.
    fn repaired(&self, delta: u32, status: u8, data: usize) -> Option<Event> {
        if status >= 0xF0 {
            return None;
        }
        let running = Some((status, true));
        let wanted = data_bytes(status);
        // Without realtime bytes in between, which may be anywhere.
        let mut values = Vec::with_capacity(2);
        let (mut at, mut system) = (data, false);
        while values.len() < wanted {
            let byte = *self.bytes.get(at)?;
            match (0xF8..0xFF).contains(&byte) {
                true => system = true,
                false => values.push((at, byte)),
            }
            at += 1;
        }
        let bad = values.iter().position(|(_, value)| *value > 127);
        let Some(bad) = bad else {
            let values: Vec<u8> = values.iter().map(|(_, value)| *value).collect();
            return Some(Event {
                delta,
                kind: channel_message(status, &values)?,
                next: at,
                running,
                flaw: system.then_some(Flaw::Realtime),
            });
        };
        // Either the byte is a value gone wrong, or the message lost some and the next begins.
        let next = values[bad].0;
        let as_value = self.sense(at, running);
        let as_next = self.sense(next, running);
        if as_value == 0 && as_next == 0 {
            return None;
        }
        if as_next > as_value {
            return Some(Event {
                delta,
                kind: Kind::Other,
                next,
                running,
                flaw: Some(Flaw::Incomplete),
            });
        }
        // A wrong velocity or controller value is a matter of degree; a wrong key is not.
        let is_degree = wanted == 2 && bad == 1 && matches!(status >> 4, 0x8 | 0x9 | 0xB);
        let kind = match is_degree {
            true => channel_message(status, &[values[0].1, 127])?,
            false => Kind::Other,
        };
        let flaw = match is_degree {
            true => Flaw::Value,
            false => Flaw::Incomplete,
        };
        Some(Event {
            delta,
            kind,
            next: at,
            running,
            flaw: Some(flaw),
        })
    }
}
