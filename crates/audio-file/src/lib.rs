//! Sound files: WAV, AIFF, FLAC, MP3, Ogg Vorbis and CAF.
//!
//! symphonia decodes them. It takes headers at their word, so those of WAV, AIFF and CAF are
//! brought into a plain form first: sizes that are wrong or missing, odd chunks, 64-bit sizes,
//! samples that are wider than their bits.

mod aiff;
mod caf;
mod chunks;
mod decode;
mod folder;
mod halve;
mod kind;
#[cfg(test)]
mod tests;
mod wave;

use kind::Kind;
use std::borrow::Cow;
use std::ops::RangeInclusive;

pub use folder::{SoundFiles, sound_files};

/// Sample rates that can be read, in Hz.
pub const RATES: RangeInclusive<u32> = 8_000..=384_000;
/// Most channels that can be read.
pub const MOST_CHANNELS: usize = 26;
/// Most samples of all channels together: 2 GiB, more than three hours of one channel at 48 kHz.
const MOST_SAMPLES: usize = 1 << 29;

/// A decoded sound, one vector a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// Hz, at most what the ear takes: higher rates are halved.
    pub rate: u32,
    /// One vector per channel, of equal length and at least one sample, full scale = 1. Finite;
    /// floating-point files may go beyond full scale.
    pub channels: Vec<Vec<f32>>,
    /// Faults of the file that its listener should know of: a missing end, samples that are no
    /// numbers.
    pub remarks: Vec<String>,
}

/// The reason a sound file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// A file of another kind.
    #[error("it is {0}: expected {EXPECTED}. {CONVERT}")]
    Other(&'static str),
    /// A file of the right kind with a codec that can't be read.
    #[error("{0} with {1}, which can't be read. {CONVERT}")]
    Codec(&'static str, String),
    /// A file that does not begin like any known kind.
    #[error("not a sound file of a known kind: expected {EXPECTED}. {CONVERT}")]
    Unknown,
    /// The file is damaged.
    #[error("{0} that is damaged: {1}. If other programs play it: {CONVERT}")]
    Broken(&'static str, String),
    /// A header that makes no sense, or is beyond what can be heard and played.
    #[error(
        "{channels} channels at {rate} Hz: expected 1 to {MOST_CHANNELS} channels at {} to {} Hz. \
         Convert it, for example with `ffmpeg -i in -ac 2 -ar 48000 out.wav`",
        RATES.start(), RATES.end()
    )]
    Shape {
        /// Number of channels.
        channels: usize,
        /// Sample rate in Hz.
        rate: u32,
    },
    /// The file has no sound.
    #[error("there is no sound in it: expected at least one sample")]
    Empty,
    /// The sound is too long.
    #[error(
        "too long: expected at most {MOST_SAMPLES} samples (three hours of one channel at 48 kHz). \
         Cut it, for example with `ffmpeg -ss 0 -t 600 -i in out.wav`"
    )]
    TooLong,
}

/// The kinds of files that are read, for errors.
const EXPECTED: &str = "WAV, AIFF, FLAC, MP3, Ogg Vorbis or CAF";
/// Advice for files of other kinds.
const CONVERT: &str = "Convert it, for example with `ffmpeg -i in out.wav`";

/// A file in a form that the decoder reads.
struct Plain<'a> {
    /// The extension that stands for its kind.
    extension: &'static str,
    /// A header in front of the body; empty where the body has its own.
    header: Vec<u8>,
    body: Cow<'a, [u8]>,
    /// Frames that the file's own header promises, where they are not all there.
    announced: Option<u64>,
    remarks: Vec<String>,
}

impl<'a> Plain<'a> {
    /// A file that the decoder reads as it is.
    fn as_it_is(extension: &'static str, body: impl Into<Cow<'a, [u8]>>) -> Self {
        Self {
            extension,
            header: Vec::new(),
            body: body.into(),
            announced: None,
            remarks: Vec::new(),
        }
    }
}

impl Audio {
    /// The mean of the channels.
    pub fn mono(&self) -> Vec<f32> {
        mono(&self.channels)
    }
}

/// The mean of at least one channel; all of equal length.
pub fn mono(channels: &[Vec<f32>]) -> Vec<f32> {
    let gain = 1.0 / channels.len() as f32;
    (0..channels[0].len())
        .map(|i| gain * channels.iter().map(|c| c[i]).sum::<f32>())
        .collect()
}

/// Decodes a sound file. What is there of a truncated one is read, and samples that are not finite
/// become 0; [`Audio::remarks`] says so.
pub fn read(bytes: &[u8]) -> Result<Audio, AudioError> {
    let mut plain = match Kind::of(bytes) {
        Kind::Wave => wave::plain(bytes)?,
        Kind::Aiff => aiff::plain(bytes)?,
        Kind::Decoded("caf") => caf::plain(bytes),
        Kind::Decoded(extension) => Plain::as_it_is(extension, bytes),
        Kind::Other(name) => return Err(AudioError::Other(name)),
        Kind::Unknown if bytes.is_empty() => return Err(AudioError::Empty),
        Kind::Unknown => return Err(AudioError::Unknown),
    };
    let decoded = decode::decode(&plain)?;
    let (mut rate, mut channels) = (decoded.rate, decoded.channels);
    let frames = channels.iter().map(Vec::len).min().unwrap_or(0);
    if frames == 0 {
        return Err(AudioError::Empty);
    }
    let mut remarks = std::mem::take(&mut plain.remarks);
    let seconds = |frames: u64| frames as f64 / f64::from(rate);
    let announced = plain.announced.or(decoded.announced).unwrap_or(0);
    if announced > frames as u64 {
        remarks.push(format!(
            "it is truncated: {:.2} s of {:.2} s are there",
            seconds(frames as u64),
            seconds(announced)
        ));
    } else if plain.extension == "ogg" && !ends(bytes) {
        remarks.push(format!(
            "it is truncated: {:.2} s are there",
            seconds(frames as u64)
        ));
    }
    if decoded.damaged > 0 {
        remarks.push(format!("damaged packets left out: {}", decoded.damaged));
    }
    if decoded.changes {
        remarks.push("its rate or its channels change: read up to there".into());
    }
    let mut not_finite = 0;
    for channel in &mut channels {
        channel.truncate(frames);
        for sample in channel {
            if !sample.is_finite() {
                (*sample, not_finite) = (0.0, not_finite + 1);
            }
        }
    }
    if not_finite > 0 {
        remarks.push(format!(
            "samples that are not finite numbers, set to 0: {not_finite}"
        ));
    }
    let most = ear::INPUT_RATES.1;
    if f64::from(rate) > most {
        let given = rate;
        while f64::from(rate) > most {
            channels = channels.iter().map(|c| halve::halve(c)).collect();
            rate = rate.div_ceil(2);
        }
        remarks.push(format!(
            "its rate of {given} Hz is brought down to {rate} Hz: the ear takes at most {most} Hz"
        ));
    }
    Ok(Audio {
        rate,
        channels,
        remarks,
    })
}

/// Returns whether the last page of an Ogg file is marked as the last one.
fn ends(bytes: &[u8]) -> bool {
    let last = bytes.windows(4).rposition(|w| w == b"OggS");
    last.and_then(|at| bytes.get(at + 5))
        .is_some_and(|flags| flags & 4 != 0)
}

fn check_shape(channels: usize, rate: u32) -> Result<(), AudioError> {
    match (1..=MOST_CHANNELS).contains(&channels) && RATES.contains(&rate) {
        true => Ok(()),
        false => Err(AudioError::Shape { channels, rate }),
    }
}

fn check_length(samples: usize) -> Result<(), AudioError> {
    match samples <= MOST_SAMPLES {
        true => Ok(()),
        false => Err(AudioError::TooLong),
    }
}
