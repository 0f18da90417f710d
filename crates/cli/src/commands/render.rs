//! `mirrornet render`.

use super::Error;
use mirrornet::files::check_outputs;
use mirrornet::{values, wav};
use std::path::PathBuf;
use synth::Note;

/// Render a MIDI file or one note with a patch to a 32-bit float stereo WAV file.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["midi", "note"]))]
pub struct Args {
    /// Patch as JSON: {"format": 1, "params": {"filter_cutoff": 1200.0}}. An automation in it is
    /// played.
    #[arg(long, value_name = "P.json")]
    patch: PathBuf,
    /// Melody to play: every track and channel of a standard MIDI file, with its pedals, pitch
    /// bends and other controllers as in the plugin. Channel 10 (drums) is left out where there are
    /// others.
    #[arg(long, value_name = "F.mid")]
    midi: Option<PathBuf>,
    /// One note to play, as a MIDI key that may have a fraction (69 = 440 Hz).
    #[arg(long, value_name = "KEY", allow_hyphen_values = true, value_parser = values::key)]
    note: Option<f32>,
    /// The note's velocity: 0 to 1 (0.8, 80 %), or MIDI's whole numbers from 2 to 127.
    #[arg(
        long,
        default_value = "0.8",
        conflicts_with = "midi",
        allow_hyphen_values = true,
        value_parser = values::velocity
    )]
    velocity: f32,
    /// Seconds the note is held.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "1",
        conflicts_with = "midi",
        allow_hyphen_values = true,
        value_parser = values::seconds
    )]
    gate: f64,
    /// Length of the file in seconds.
    #[arg(
        long,
        value_name = "SECONDS",
        allow_hyphen_values = true,
        value_parser = values::seconds
    )]
    seconds: f64,
    /// Sample rate in Hz, 8000 to 192000.
    #[arg(long, value_name = "HZ", default_value = "48000", value_parser = values::hertz)]
    rate: u32,
    /// Random seed of oscillator phases and noise.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// WAV file to write.
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
    let midi = args.midi.as_deref().map(|path| ("--midi", path));
    let inputs: Vec<_> = midi
        .into_iter()
        .chain([("--patch", &*args.patch)])
        .collect();
    check_outputs(&inputs, &[("--out", &args.out)])?;
    let patch = super::read_patch(&args.patch)?;
    let (seconds, rate, seed) = (args.seconds, args.rate as f32, args.seed);
    let [left, right] = match (&args.midi, args.note) {
        (Some(path), _) => super::read_midi(path)?.render(&patch, seconds, rate, seed),
        (None, Some(key)) => {
            let note = one_note(key, args.velocity, args.gate)?;
            patch.render(&[note], seconds, rate, seed)
        }
        (None, None) => return Err("give --midi or --note".into()),
    };
    wav::write(&args.out, args.rate, &[&left, &right])
        .map_err(|e| format!("cannot write {}: {e}", args.out.display()))?;
    Ok(())
}

fn one_note(key: f32, velocity: f32, gate: f64) -> Result<Note, Error> {
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
