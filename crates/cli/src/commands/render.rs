//! `mirrornet render`.

use super::Error;
use mirrornet::{midi, wav};
use std::path::PathBuf;
use synth::{Automation, Note};

/// Render a MIDI file or one note with a patch to a 32-bit float stereo WAV file.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["midi", "note"]))]
pub struct Args {
    /// Patch as JSON: {"format": 1, "params": {"filter_cutoff": 1200.0}}. An automation in it is
    /// played.
    #[arg(long, value_name = "P.json")]
    patch: PathBuf,
    /// Melody to play: every track and channel of a standard MIDI file.
    #[arg(long, value_name = "F.mid")]
    midi: Option<PathBuf>,
    /// One note to play, as a MIDI key that may have a fraction (69 = 440 Hz).
    #[arg(long, value_name = "KEY", allow_negative_numbers = true)]
    note: Option<f32>,
    /// The note's velocity, 0 to 1.
    #[arg(long, default_value_t = 0.8, conflicts_with = "midi")]
    velocity: f32,
    /// Seconds the note is held.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 1.0,
        conflicts_with = "midi"
    )]
    gate: f64,
    /// Length of the file in seconds.
    #[arg(long, value_name = "SECONDS")]
    seconds: f64,
    /// Sample rate in Hz, 8000 to 192000.
    #[arg(long, value_name = "HZ", default_value_t = 48_000)]
    rate: u32,
    /// Random seed of oscillator phases and noise.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// File to write.
    #[arg(long, value_name = "F.wav")]
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    if !(args.seconds > 0.0 && args.seconds <= 3600.0) {
        return Err(format!(
            "--seconds {}: expected more than 0, at most 3600",
            args.seconds
        )
        .into());
    }
    if !(8_000..=192_000).contains(&args.rate) {
        return Err(format!("--rate {}: expected 8000 to 192000", args.rate).into());
    }
    let patch = super::read_patch(&args.patch)?;
    let notes = match (&args.midi, args.note) {
        (Some(path), _) => midi::read(path)?,
        (None, Some(key)) => vec![one_note(key, args.velocity, args.gate)?],
        (None, None) => return Err("give --midi or --note".into()),
    };
    render(
        &patch,
        &notes,
        args.seconds,
        args.rate,
        args.seed,
        &args.out,
    )
}

fn one_note(key: f32, velocity: f32, gate: f64) -> Result<Note, Error> {
    if !(0.0..=127.0).contains(&key) {
        return Err(format!("--note {key}: expected 0 to 127").into());
    }
    if !(0.0..=1.0).contains(&velocity) {
        return Err(format!("--velocity {velocity}: expected 0 to 1").into());
    }
    if !(gate > 0.0 && gate.is_finite()) {
        return Err(format!("--gate {gate}: expected seconds above 0").into());
    }
    Ok(Note {
        onset: 0.0,
        duration: gate,
        key,
        velocity,
    })
}

fn render(
    patch: &Automation,
    notes: &[Note],
    seconds: f64,
    rate: u32,
    seed: u64,
    out: &std::path::Path,
) -> Result<(), Error> {
    let [left, right] = patch.render(notes, seconds, rate as f32, seed);
    wav::write(out, rate, &[&left, &right]).map_err(|e| format!("{}: {e}", out.display()))?;
    Ok(())
}
