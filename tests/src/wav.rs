//! Float32 WAV files between the tests and the hosts.

use std::path::Path;

/// Writes channels of equal length as a float32 WAV at `rate` Hz. NaN and infinities are kept.
///
/// # Panics
/// When the file can't be written.
pub fn write(path: &Path, channels: &[&[f32]], rate: u32) {
    let spec = hound::WavSpec {
        channels: channels.len() as u16,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let run = || -> hound::Result<()> {
        let mut file = hound::WavWriter::create(path, spec)?;
        for i in 0..channels[0].len() {
            for channel in channels {
                file.write_sample(channel[i])?;
            }
        }
        file.finalize()
    };
    run().unwrap_or_else(|e| panic!("could not write {}: {e}", path.display()));
}

/// Reads a float32 WAV as channels and their rate in Hz.
///
/// # Panics
/// When the file can't be read or holds integers.
pub fn read(path: &Path) -> (Vec<Vec<f32>>, u32) {
    let run = || -> hound::Result<_> {
        let mut file = hound::WavReader::open(path)?;
        let spec = file.spec();
        let width = spec.channels as usize;
        let mut channels = vec![Vec::new(); width];
        for (i, sample) in file.samples::<f32>().enumerate() {
            channels[i % width].push(sample?);
        }
        Ok((channels, spec.sample_rate))
    };
    run().unwrap_or_else(|e| panic!("could not read {}: {e}", path.display()))
}
