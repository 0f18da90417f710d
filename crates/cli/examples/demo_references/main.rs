//! Makes the demo's reference melodies from physical and acoustic models of three instruments, none
//! of which is a subtractive synthesizer.
//!
//! `cargo run --release -p mirrornet --example demo_references -- assets/references`

mod dsp;
mod melody;
mod reed;
mod string;
mod tines;

use dsp::{decimate, room, seconds};
use melody::Melody;
use std::path::{Path, PathBuf};

/// Rate of the models in Hz.
const MODEL_RATE: f64 = 96_000.0;
/// Rate of the files in Hz.
const FILE_RATE: u32 = 32_000;
/// Highest sample of a file, full scale being 1.
const PEAK: f64 = 0.8;
/// Fade at a file's end in seconds.
const FADE: f64 = 0.15;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or("give the folder to write the references to")?;
    for (name, melody, play) in [
        (
            "plucked-string",
            melody::PLUCKED,
            string::play as fn(&Melody) -> Vec<f64>,
        ),
        ("reed-pipe", melody::BLOWN, reed::play),
        ("tine-piano", melody::STRUCK, tines::play),
    ] {
        let sound = finish(&play(&melody), &melody);
        save(&folder.join(name).with_extension("wav"), &sound)?;
    }
    Ok(())
}

/// Puts a dry sound at the models' rate into a room and brings it to the files' rate and level.
fn finish(dry: &[f64], melody: &Melody) -> Vec<f64> {
    let mut sound = decimate(&room(dry, melody.wet));
    sound.truncate((melody.seconds * f64::from(FILE_RATE)) as usize);
    let fade = FADE * f64::from(FILE_RATE);
    let length = sound.len();
    for (i, x) in sound.iter_mut().enumerate() {
        *x *= ((length - 1 - i) as f64 / fade).min(1.0);
    }
    let peak = sound.iter().fold(0.0f64, |peak, x| peak.max(x.abs()));
    sound.iter().map(|x| x * PEAK / peak).collect()
}

/// Writes a 16-bit mono WAV file.
fn save(path: &Path, sound: &[f64]) -> Result<(), hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: FILE_RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    for x in sound {
        writer.write_sample((x * 32_767.0).round() as i16)?;
    }
    writer.finalize()?;
    let length = seconds(sound.len(), f64::from(FILE_RATE));
    println!("{}: {length:.2} s", path.display());
    Ok(())
}
