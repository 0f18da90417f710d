//! Decoding by symphonia.

use super::{AudioError, Plain, check_length, check_shape};
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};

/// Damaged packets in a row after which the rest is given up.
const MOST_DAMAGED: usize = 1_000;

/// Decoded sound, and what its file said of it.
#[derive(Default)]
pub struct Decoded {
    /// Sample rate in Hz.
    pub rate: u32,
    /// One vector per channel.
    pub channels: Vec<Vec<f32>>,
    /// Frames that the file says it has.
    pub announced: Option<u64>,
    /// Packets that could not be decoded.
    pub damaged: usize,
    /// True where channels or rate change within the file; the rest is left out.
    pub changes: bool,
}

/// Decodes a file.
pub fn decode(plain: &Plain<'_>) -> Result<Decoded, AudioError> {
    let name = name(plain.extension);
    // A broken file must not end what reads many; a decoder's panic is the file's fault.
    catch_unwind(AssertUnwindSafe(|| run(plain)))
        .unwrap_or_else(|_| Err(AudioError::Broken(name, "its decoder gave up".into())))
}

/// A kind of file with its article.
pub fn name(extension: &str) -> &'static str {
    match extension {
        "wav" => "a WAV file",
        "aiff" => "an AIFF file",
        "flac" => "a FLAC file",
        "mp3" => "an MP3 file",
        "ogg" => "an Ogg file",
        _ => "a CAF file",
    }
}

fn run(plain: &Plain<'_>) -> Result<Decoded, AudioError> {
    let broken = |e: Error| error(plain.extension, &e);
    let mut hint = Hint::new();
    hint.with_extension(plain.extension);
    // What is whole can be searched for an end; a header of ours in front of it has all one needs.
    let source: Box<dyn MediaSource + '_> = match plain.header.is_empty() {
        true => Box::new(Cursor::new(&*plain.body)),
        false => Box::new(ReadOnlySource::new(plain.header.chain(&*plain.body))),
    };
    let stream = MediaSourceStream::new(source, Default::default());
    let mut file = symphonia::default::get_probe()
        .probe(&hint, stream, Default::default(), Default::default())
        .map_err(broken)?;
    let (mut track, announced, mut decoder) = decoder(&*file).map_err(broken)?;
    let mut decoded = Decoded {
        // CAF's number counts the padding of the last packet.
        announced: announced.filter(|_| plain.extension != "caf"),
        ..Default::default()
    };
    let (mut in_a_row, mut planes) = (0, Vec::new());
    loop {
        let packet = match file.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(Error::ResetRequired) => {
                // Another stream follows in the same file.
                match self::decoder(&*file) {
                    Ok((next, _, of_it)) => (track, decoder) = (next, of_it),
                    Err(_) => break,
                }
                decoded.announced = None;
                continue;
            }
            Err(Error::DecodeError(_)) if in_a_row < MOST_DAMAGED => {
                (decoded.damaged, in_a_row) = (decoded.damaged + 1, in_a_row + 1);
                continue;
            }
            // The end of the file, in mid-packet or not.
            Err(_) => break,
        };
        if packet.track_id != track {
            continue;
        }
        let Ok(sound) = decoder.decode(&packet) else {
            (decoded.damaged, in_a_row) = (decoded.damaged + 1, in_a_row + 1);
            if in_a_row > MOST_DAMAGED {
                break;
            }
            continue;
        };
        in_a_row = 0;
        let (rate, channels) = (sound.spec().rate(), sound.num_planes());
        if decoded.channels.is_empty() {
            check_shape(channels, rate)?;
            decoded.rate = rate;
            decoded.channels = vec![Vec::new(); channels];
        }
        if (rate, channels) != (decoded.rate, decoded.channels.len()) {
            decoded.changes = true;
            break;
        }
        sound.copy_to_vecs_planar::<f32>(&mut planes);
        for (all, plane) in decoded.channels.iter_mut().zip(&planes) {
            all.extend_from_slice(plane);
        }
        check_length(channels * decoded.channels[0].len())?;
    }
    Ok(decoded)
}

/// The sound's track, its frames as announced, and its decoder.
type Opened = (u32, Option<u64>, Box<dyn AudioDecoder>);

fn decoder(file: &dyn FormatReader) -> Result<Opened, Error> {
    let track = file
        .default_track(TrackType::Audio)
        .ok_or(Error::Unsupported("there is no sound in it"))?;
    let codec = track.codec_params.as_ref().and_then(|codec| codec.audio());
    let codec = codec.ok_or(Error::Unsupported("its codec is unknown"))?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(codec, &AudioDecoderOptions::default())?;
    Ok((track.id, track.num_frames, decoder))
}

fn error(extension: &str, error: &Error) -> AudioError {
    let name = name(extension);
    match error {
        Error::Unsupported(what) => {
            AudioError::Codec(name, format!("something unsupported ({what})"))
        }
        Error::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            AudioError::Broken(name, "it ends before its sound begins".into())
        }
        other => AudioError::Broken(name, other.to_string()),
    }
}
