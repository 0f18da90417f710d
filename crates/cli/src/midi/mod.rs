//! Standard MIDI files: reading what they play, and writing notes.

mod event;
mod gather;
mod song;
#[cfg(test)]
mod tests;
mod track;

use crate::files::write_atomically;
use midly::num::{u4, u7, u15, u24, u28};
use midly::{
    Format, Fps, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind,
};
use std::path::{Path, PathBuf};
use synth::Note;

pub use song::Song;

/// Ticks per second of the files written: 480 a beat at 120 beats a minute.
const TICKS_PER_SECOND: f64 = 960.0;

/// The reason a MIDI file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MidiError {
    /// The file can't be read.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// The file can't be written.
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, std::io::Error),
    /// The file is not a MIDI file.
    #[error("{0} is not a standard MIDI file: {1}")]
    Malformed(PathBuf, String),
}

/// Reads what the file plays. A note still held at the end lasts until then; of a damaged file
/// what is readable is kept, and [`Song::remarks`] says what was not.
pub fn read(path: &Path) -> Result<Song, MidiError> {
    let bytes = std::fs::read(path).map_err(|e| MidiError::Read(path.into(), e))?;
    parse(&bytes, path)
}

/// Parses the bytes of a file as [`read`] does; `path` names it in the error.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Song, MidiError> {
    let malformed = |reason: &str| MidiError::Malformed(path.into(), reason.into());
    // Some files are wrapped in another one, which their header does not begin.
    let start = bytes.windows(4).position(|w| w == b"MThd");
    let start = start.ok_or_else(|| malformed("it has no header (MThd)"))?;
    let header = &bytes[start..];
    let size = header.get(4..8).and_then(|b| b.try_into().ok());
    let size = size.map_or(0, u32::from_be_bytes) as usize;
    let division = header.get(12..14).filter(|_| size >= 6);
    let timing = match division {
        Some(&[high, low]) if high < 0x80 => {
            Timing::Metrical(u15::new(u16::from_be_bytes([high, low])))
        }
        // Frames per second, negative.
        Some(&[high, low]) => match Fps::from_int(high.wrapping_neg()) {
            Some(fps) => Timing::Timecode(fps, low),
            None => return Err(malformed("its time division is not a valid SMPTE rate")),
        },
        _ => return Err(malformed("its header is cut off")),
    };
    // Past a header whose length is wrong, the tracks are found all the same.
    let rest = header
        .get(size.saturating_add(8)..)
        .unwrap_or(&header[14..]);
    let tracks = track::tracks(rest);
    if tracks.is_empty() {
        return Err(malformed("it has no tracks (MTrk)"));
    }
    Ok(gather::gather(&tracks, timing))
}

/// Writes notes as a one-track file; a fractional key is rounded.
pub fn write(path: &Path, notes: &[Note]) -> Result<(), MidiError> {
    let mut events: Vec<(u32, bool, Note)> = Vec::new();
    for n in notes {
        let tick = |seconds: f64| (seconds * TICKS_PER_SECOND).round().max(0.0) as u32;
        events.push((tick(n.onset), true, *n));
        // At least a tick, or on and off would fall together.
        events.push((tick(n.onset + n.duration).max(tick(n.onset) + 1), false, *n));
    }
    // An end before a start at the same tick.
    events.sort_by_key(|&(tick, on, _)| (tick, on));
    let mut track = vec![TrackEvent {
        delta: u28::new(0),
        kind: TrackEventKind::Meta(MetaMessage::Tempo(u24::new(500_000))),
    }];
    let mut last = 0;
    for (tick, on, n) in events {
        let key = u7::new(n.key.round().clamp(0.0, 127.0) as u8);
        let vel = u7::new(if on {
            (n.velocity * 127.0).round().clamp(1.0, 127.0) as u8
        } else {
            0
        });
        let message = if on {
            MidiMessage::NoteOn { key, vel }
        } else {
            MidiMessage::NoteOff { key, vel }
        };
        let kind = TrackEventKind::Midi {
            channel: u4::new(0),
            message,
        };
        track.push(TrackEvent {
            delta: u28::new(tick - last),
            kind,
        });
        last = tick;
    }
    track.push(TrackEvent {
        delta: u28::new(0),
        kind: TrackEventKind::Meta(MetaMessage::EndOfTrack),
    });
    let mut smf = Smf::new(Header::new(
        Format::SingleTrack,
        Timing::Metrical(u15::new(480)),
    ));
    smf.tracks.push(track);
    let mut bytes = Vec::new();
    smf.write_std(&mut bytes)
        .map_err(|e| MidiError::Write(path.into(), e))?;
    write_atomically(path, &bytes).map_err(|e| MidiError::Write(path.into(), e))
}
