//! WAV files: reading, writing, and finding them in a folder.

use crate::files::write_atomically;
use std::path::{Path, PathBuf};

/// Decoded audio, one vector a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// Hz.
    pub rate: u32,
    /// One vector per channel, of equal length, full scale = 1.
    pub channels: Vec<Vec<f32>>,
}

/// The reason a WAV file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// Not a WAV file, or a broken one.
    #[error("not a readable WAV file ({0}). Expected PCM of 8 to 32 bits or 32-bit float")]
    Wav(#[from] hound::Error),
    /// A header that makes no sense.
    #[error(
        "a WAV file with {channels} channels at {rate} Hz: expected at least one channel and 8000 to 192000 Hz"
    )]
    Shape {
        /// Channels.
        channels: u16,
        /// Hz.
        rate: u32,
    },
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

/// All WAV files in `folder` and its subfolders, sorted by path.
pub fn wav_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("wav"))
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Decodes a WAV file: PCM of 8 to 32 bits or 32-bit float. Samples that are not finite become 0.
pub fn read(bytes: &[u8]) -> Result<Audio, AudioError> {
    let mut reader = hound::WavReader::new(bytes)?;
    let spec = reader.spec();
    if spec.channels == 0 || !(8_000..=192_000).contains(&spec.sample_rate) {
        return Err(AudioError::Shape {
            channels: spec.channels,
            rate: spec.sample_rate,
        });
    }
    let interleaved: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>()?,
        hound::SampleFormat::Int if !(1..=32).contains(&spec.bits_per_sample) => {
            return Err(hound::Error::Unsupported.into());
        }
        hound::SampleFormat::Int => {
            let scale = 1.0 / (1u64 << (spec.bits_per_sample - 1)) as f32;
            reader
                .samples::<i32>()
                .map(|s| s.map(|v| v as f32 * scale))
                .collect::<Result<_, _>>()?
        }
    };
    let n = spec.channels as usize;
    let channels = (0..n)
        .map(|c| {
            let samples = interleaved.iter().skip(c).step_by(n).copied();
            samples
                .take(interleaved.len() / n)
                .map(|v| if v.is_finite() { v } else { 0.0 })
                .collect()
        })
        .collect();
    Ok(Audio {
        rate: spec.sample_rate,
        channels,
    })
}

/// A 16-bit WAV file of a mono sound at `rate` Hz; what is beyond full scale is clipped.
pub fn encode_16(rate: u32, mono: &[f32]) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).expect("memory takes a header");
    for x in mono {
        let sample = (f32::from(i16::MAX) * x.clamp(-1.0, 1.0)).round() as i16;
        writer.write_sample(sample).expect("memory takes a sample");
    }
    writer.finalize().expect("memory takes the end");
    bytes.into_inner()
}

/// Writes a 32-bit float WAV file of `channels` of equal length at `rate` Hz, atomically.
pub fn write(path: &Path, rate: u32, channels: &[&[f32]]) -> Result<(), AudioError> {
    let spec = hound::WavSpec {
        channels: channels.len() as u16,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec)?;
    for i in 0..channels[0].len() {
        for channel in channels {
            writer.write_sample(channel[i])?;
        }
    }
    writer.finalize()?;
    write_atomically(path, &bytes.into_inner()).map_err(hound::Error::IoError)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_keep_a_sound_and_clip_what_is_too_loud() {
        let sound = [0.0, 0.5, -0.25, 3.0, -3.0];
        let read = read(&encode_16(32_000, &sound)).unwrap();
        assert_eq!((read.rate, read.channels.len()), (32_000, 1));
        let wanted = [0.0, 0.5, -0.25, 1.0, -1.0];
        assert_eq!(read.channels[0].len(), wanted.len());
        for (x, y) in read.channels[0].iter().zip(wanted) {
            assert!((x - y).abs() < 1e-4, "{x} {y}");
        }
    }
}
