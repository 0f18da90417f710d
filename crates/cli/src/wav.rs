//! Writing WAV files.

use crate::files::write_atomically;
use std::io;
use std::path::Path;

/// A 16-bit WAV file of a mono sound at `rate` Hz; what is beyond full scale is clipped.
pub fn encode_16(rate: u32, mono: &[f32]) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).expect("memory takes a header");
    for x in mono {
        let sample = (f32::from(i16::MAX) * x.clamp(-1.0, 1.0)).round() as i16;
        writer.write_sample(sample).expect("memory takes a sample");
    }
    writer.finalize().expect("memory takes the end");
    bytes.into_inner()
}

/// Writes a 32-bit float WAV file of `channels` of equal length at `rate` Hz, atomically.
pub fn write(path: &Path, rate: u32, channels: &[&[f32]]) -> io::Result<()> {
    let spec = hound::WavSpec {
        channels: channels.len() as u16,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut bytes = io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).map_err(io::Error::other)?;
    for i in 0..channels[0].len() {
        for channel in channels {
            writer.write_sample(channel[i]).map_err(io::Error::other)?;
        }
    }
    writer.finalize().map_err(io::Error::other)?;
    write_atomically(path, &bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_keep_a_sound_and_clip_what_is_too_loud() {
        let sound = [0.0, 0.5, -0.25, 3.0, -3.0];
        let read = audio_file::read(&encode_16(32_000, &sound)).unwrap();
        assert_eq!((read.rate, read.channels.len()), (32_000, 1));
        let wanted = [0.0, 0.5, -0.25, 1.0, -1.0];
        assert_eq!(read.channels[0].len(), wanted.len());
        for (x, y) in read.channels[0].iter().zip(wanted) {
            assert!((x - y).abs() < 1e-4, "{x} {y}");
        }
    }
}
