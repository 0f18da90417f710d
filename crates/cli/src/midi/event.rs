//! One event of a track, as the standard has it.

use midly::MidiMessage;
use midly::live::LiveEvent;

/// An event of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Message {
    /// Microseconds a beat from here on.
    Tempo(u32),
    /// A note or a controller on a channel, 0 to 15.
    Channel(u8, MidiMessage),
}

/// A flaw of a track, for the reader's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// Running status goes on over an event that ends it.
    RunningStatus,
    /// A realtime or system byte, which belongs in live streams only.
    Realtime,
    /// A value above 127.
    Value,
    /// A message without its last bytes.
    Incomplete,
    /// A byte that belongs to no event.
    Unreadable,
}

impl Flaw {
    /// Describes the remark for the user.
    pub fn describe(self, count: usize) -> String {
        let what = match self {
            Self::RunningStatus => {
                "events without a status after a text or SysEx event, read with the status before"
            }
            Self::Realtime => "realtime or system bytes left out",
            Self::Value => "values above 127, taken for 127",
            Self::Incomplete => "incomplete events left out",
            Self::Unreadable => "bytes that can't be read, left out",
        };
        format!("{what}: {count}")
    }
}

/// Kinds of events.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A note, a controller or a tempo.
    Message(Message),
    /// An event without meaning here: text, SysEx, a key signature.
    Other,
    /// The end mark.
    End,
}

/// An event as read.
pub struct Event {
    /// Ticks after the event before.
    pub delta: u32,
    /// Meaning of the event.
    pub kind: Kind,
    /// Position after the event.
    pub next: usize,
    /// The running status after it, with whether it still counts by the standard.
    pub running: Option<(u8, bool)>,
    /// The one thing that was wrong with it.
    pub flaw: Option<Flaw>,
}

/// An event without anything wrong but its running status.
pub fn plain(bytes: &[u8], at: usize, running: Option<(u8, bool)>) -> Option<Event> {
    let (delta, start) = delta(bytes, at)?;
    let mut event = message(bytes, start, running)?;
    event.delta = delta;
    Some(event)
}

/// Reads the message that follows an event's time.
pub fn message(bytes: &[u8], at: usize, running: Option<(u8, bool)>) -> Option<Event> {
    let event = |kind, next, running| Event {
        delta: 0,
        kind,
        next,
        running,
        flaw: None,
    };
    // Text and SysEx end the running status, by the standard; many writers think otherwise.
    let over = running.map(|(status, _)| (status, false));
    match *bytes.get(at)? {
        0xFF => {
            let kind = *bytes.get(at + 1)?;
            let (body, next) = block(bytes, at + 2)?;
            Some(match (kind, body) {
                (0x2F, _) => event(Kind::End, next, None),
                (0x51, [a, b, c, ..]) => {
                    let tempo = u32::from_be_bytes([0, *a, *b, *c]);
                    event(Kind::Message(Message::Tempo(tempo)), next, over)
                }
                (0..=0x7F, _) => event(Kind::Other, next, over),
                _ => return None,
            })
        }
        0xF0 | 0xF7 => {
            let (_, next) = block(bytes, at + 1)?;
            Some(event(Kind::Other, next, over))
        }
        0xF1.. => None,
        first => {
            let ((status, counts), data) = match first {
                0x80.. => ((first, true), at + 1),
                _ => (running?, at),
            };
            let next = data + data_bytes(status);
            let values = bytes.get(data..next)?;
            let mut event = event(channel_message(status, values)?, next, Some((status, true)));
            event.flaw = (!counts).then_some(Flaw::RunningStatus);
            Some(event)
        }
    }
}

/// Number of data bytes of a channel message.
pub fn data_bytes(status: u8) -> usize {
    match status >> 4 {
        0xC | 0xD => 1,
        _ => 2,
    }
}

/// Whether a byte is a status of live streams only.
pub fn is_system(byte: u8) -> bool {
    (0xF1..=0xFE).contains(&byte) && byte != 0xF7
}

/// Number of data bytes after a system status at the start of `bytes`, where they are data.
pub fn system_data(bytes: &[u8]) -> usize {
    let most = match bytes[0] {
        0xF1 | 0xF3 => 1,
        0xF2 => 2,
        _ => 0,
    };
    let data = bytes[1..].iter().take(most);
    data.take_while(|b| **b < 0x80).count()
}

/// A channel message with its data bytes.
pub fn channel_message(status: u8, data: &[u8]) -> Option<Kind> {
    let mut raw = [status, 0, 0];
    raw[1..=data.len()].copy_from_slice(data);
    match LiveEvent::parse(&raw[..=data.len()]) {
        Ok(LiveEvent::Midi { channel, message }) => {
            Some(Kind::Message(Message::Channel(channel.as_int(), message)))
        }
        _ => None,
    }
}

/// A number of up to four bytes with seven bits each, and the position after it.
pub fn delta(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let mut value = 0;
    for next in at..at + 4 {
        let byte = *bytes.get(next)?;
        value = value << 7 | u32::from(byte & 0x7F);
        if byte < 0x80 {
            return Some((value, next + 1));
        }
    }
    None
}

/// Bytes with their length in front, and the position after them.
fn block(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let (size, start) = delta(bytes, at)?;
    let end = start.checked_add(size as usize)?;
    Some((bytes.get(start..end)?, end))
}
