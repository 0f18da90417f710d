//! `mirrornet ear`.

use super::Error;
use clap::ValueEnum;
use ear::{EarConfig, HairCell, Normalize, Preset};
use mirrornet::files::check_outputs;
use mirrornet::{npy, pictures, values};
use std::path::PathBuf;

/// Write the auditory spectrogram of a sound file as a NumPy file of float32 (frames, 128).
#[derive(clap::Args)]
pub struct Args {
    /// Sound to hear (WAV, AIFF, FLAC, MP3, Ogg Vorbis or CAF); several channels are averaged.
    input: PathBuf,
    /// NumPy file to write.
    #[arg(long, value_name = "F.npy")]
    out: PathBuf,
    /// The ear: nsl16k (180 Hz to 7.2 kHz), nsl8k (90 Hz to 3.6 kHz) or wide.
    #[arg(long, value_name = "nsl16k|nsl8k|wide", default_value_t = Preset::Nsl16k)]
    preset: Preset,
    /// `native`: run the preset's digital filters at the file's own rate. Else the file is
    /// resampled to the preset's.
    #[arg(long, value_enum)]
    rate: Option<Rate>,
    /// Frame length in milliseconds.
    #[arg(long, value_name = "MS", default_value = "8", value_parser = values::milliseconds)]
    frame_ms: f32,
    /// Time constant of the integration in milliseconds.
    #[arg(long, value_name = "MS", default_value = "8", value_parser = values::milliseconds)]
    tc_ms: f32,
    /// Hair cell: linear, half-wave, hard, or the factor of a sigmoid.
    #[arg(long, value_name = "linear|half-wave|hard|FACTOR", default_value_t = HairCell::Linear)]
    hair_cell: HairCell,
    /// Level: none; clip (zero mean, unit deviation of the file); running (causal).
    #[arg(long, value_name = "none|clip|running", default_value_t = Normalize::None)]
    normalize: Normalize,
    /// Also draw the spectrogram, 60 dB below its peak.
    #[arg(long, value_name = "F.png")]
    png: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Rate {
    Native,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    let config = EarConfig {
        preset: args.preset,
        frame_ms: args.frame_ms,
        tc_ms: args.tc_ms,
        hair_cell: args.hair_cell,
        normalize: args.normalize,
        native_rate: args.rate.is_some(),
    };
    let png = args.png.as_deref().map(|path| ("--png", path));
    let outputs: Vec<_> = [("--out", &*args.out)].into_iter().chain(png).collect();
    check_outputs(&[("the input", &args.input)], &outputs)?;
    let sound = super::read_audio(&args.input)?;
    let heard = ear::spectrogram(&config, &sound.mono(), sound.rate as f64, false)?;
    npy::write(&args.out, &heard)
        .map_err(|e| format!("cannot write {}: {e}", args.out.display()))?;
    if let Some(png) = &args.png {
        let cf = ear::centre_frequencies(&config, sound.rate as f64);
        pictures::spectrogram::save(png, &[(String::new(), &heard)], &cf)
            .map_err(|e| format!("cannot draw {}: {e}", png.display()))?;
    }
    let (rate, channels) = (sound.rate, &sound.channels);
    println!(
        "{} frames of {} ms from {:.3} s at {rate} Hz",
        heard.frames(),
        1000.0 / heard.frame_rate,
        channels[0].len() as f64 / f64::from(rate)
    );
    Ok(())
}
