//! Standard MIDI files: reading their notes, and writing notes.

use crate::files::write_atomically;
use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};
use std::path::{Path, PathBuf};
use synth::Note;

/// Ticks per second of the files written: 480 a beat at 120 beats a minute.
const TICKS_PER_SECOND: f64 = 960.0;

/// The reason a MIDI file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum MidiError {
    /// It can't be read.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// It can't be written.
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, std::io::Error),
    /// It is not a MIDI file.
    #[error("{0} is not a standard MIDI file: {1}")]
    Malformed(PathBuf, String),
}

/// Offset of the first byte of the time division in a header.
const DIVISION: usize = 12;

/// The notes of all tracks and channels, in order of onset. A note still held at the end lasts
/// until then.
pub fn read(path: &Path) -> Result<Vec<Note>, MidiError> {
    let bytes = std::fs::read(path).map_err(|e| MidiError::Read(path.into(), e))?;
    parse(&bytes, path)
}

/// Like [`read`], from the bytes of a file; `path` names it in the error.
pub fn parse(bytes: &[u8], path: &Path) -> Result<Vec<Note>, MidiError> {
    let malformed = |reason: String| MidiError::Malformed(path.into(), reason);
    // -128 frames a second: midly would negate it in eight bits.
    let header = bytes.windows(4).position(|w| w == b"MThd").unwrap_or(0);
    if bytes.get(header + DIVISION) == Some(&0x80) {
        return Err(malformed(
            "its time division is not a valid SMPTE rate".into(),
        ));
    }
    let smf = Smf::parse(bytes).map_err(|e| malformed(e.to_string()))?;
    let mut events: Vec<(u64, TrackEventKind)> = Vec::new();
    for track in &smf.tracks {
        let mut tick = 0u64;
        for event in track {
            tick += event.delta.as_int() as u64;
            events.push((tick, event.kind));
        }
    }
    events.sort_by_key(|&(tick, _)| tick);
    // Seconds per tick; a tempo event changes it unless ticks are parts of a second.
    let mut tick_seconds = match smf.header.timing {
        Timing::Metrical(per_beat) => 0.5 / per_beat.as_int().max(1) as f64,
        Timing::Timecode(fps, sub) => 1.0 / (fps.as_f32() as f64 * sub.max(1) as f64),
    };
    let (mut now, mut last) = (0.0, 0);
    let mut notes: Vec<Note> = Vec::new();
    let mut held: Vec<(u8, u8, usize)> = Vec::new();
    for (tick, kind) in events {
        now += (tick - last) as f64 * tick_seconds;
        last = tick;
        match kind {
            TrackEventKind::Meta(MetaMessage::Tempo(us)) => {
                if let Timing::Metrical(per_beat) = smf.header.timing {
                    tick_seconds = us.as_int() as f64 * 1e-6 / per_beat.as_int().max(1) as f64;
                }
            }
            TrackEventKind::Midi { channel, message } => {
                let channel = channel.as_int();
                let (key, velocity) = match message {
                    MidiMessage::NoteOn { key, vel } => (key.as_int(), vel.as_int()),
                    MidiMessage::NoteOff { key, .. } => (key.as_int(), 0),
                    _ => continue,
                };
                if velocity > 0 {
                    held.push((channel, key, notes.len()));
                    let velocity = velocity as f32 / 127.0;
                    notes.push(Note {
                        onset: now,
                        duration: f64::INFINITY,
                        key: key as f32,
                        velocity,
                    });
                } else if let Some(i) = held.iter().position(|&(c, k, _)| (c, k) == (channel, key))
                {
                    let note = &mut notes[held.remove(i).2];
                    note.duration = now - note.onset;
                }
            }
            _ => {}
        }
    }
    for (_, _, i) in held {
        notes[i].duration = now - notes[i].onset;
    }
    notes.retain(|n| n.duration > 0.0);
    Ok(notes)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_melody_round_trips() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mid");
        let notes = [
            (0.25, 0.5, 60.0, 0.8),
            (0.75, 0.25, 60.0, 0.5),
            (0.9, 1.0, 67.4, 1.0),
        ]
        .map(|(onset, duration, key, velocity)| Note {
            onset,
            duration,
            key,
            velocity,
        });
        write(&path, &notes).unwrap();
        let back = read(&path).unwrap();
        assert_eq!(back.len(), notes.len());
        for (a, b) in notes.iter().zip(&back) {
            assert!(
                (a.onset - b.onset).abs() < 1e-3 && (a.duration - b.duration).abs() < 2e-3,
                "{a:?} {b:?}"
            );
            assert!(
                a.key.round() == b.key && (a.velocity - b.velocity).abs() < 0.005,
                "{a:?} {b:?}"
            );
        }
    }

    #[test]
    fn what_is_no_midi_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mid");
        std::fs::write(&path, b"RIFF").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("a.mid"));
        assert!(
            read(&folder.path().join("none.mid"))
                .unwrap_err()
                .to_string()
                .contains("none.mid")
        );
    }
}
