//! `mirrornet mirror`.

use super::Error;
use indicatif::{ProgressBar, ProgressStyle};
use matcher::Contract;
use matcher::infer::infer_clip;
use matcher::likeness::pitch_agreement;
use matcher::refine::{Options, Reference, Score, refine};
use mirrornet::torchscript::TorchEncoder;
use mirrornet::{audio, midi};
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use synth::{Note, Patch};

/// Phases and noise of the render, those of the search.
const SEED: u64 = 1;

/// Hear a sound and play it back with the synthesizer: its notes, a patch, and how alike they are.
#[derive(clap::Args)]
pub struct Args {
    /// Sound to mirror: a melody of single notes.
    reference: PathBuf,
    /// WAV to write: 32-bit float stereo, of the reference's length and rate.
    #[arg(long, value_name = "OUT.wav")]
    out: PathBuf,
    /// Patch to write.
    #[arg(long, value_name = "P.json")]
    patch: PathBuf,
    /// The notes as MIDI, instead of hearing them.
    #[arg(long, value_name = "F.mid")]
    notes: Option<PathBuf>,
    /// Then search for a better patch for so long.
    #[arg(long, value_name = "SECONDS")]
    refine: Option<f64>,
    /// Seed of the search.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: super::Model,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    let time = super::search_time(args.refine)?;
    let sound = super::read_audio(&args.reference)?;
    let (mono, rate) = (sound.mono(), sound.rate as f64);
    let model = args.model.folder()?;
    let mut encoder = TorchEncoder::new(&model)?;
    let ear = Contract::from_json(encoder.contract())?.ear;
    let heard = ear::spectrogram(&ear, &mono, rate, true)?;
    let inference = infer_clip(&heard, &mut encoder)?.ok_or_else(|| {
        format!(
            "{} is silent: there is nothing to mirror",
            args.reference.display()
        )
    })?;
    let notes = match &args.notes {
        Some(path) => midi::read(path)?,
        None => matcher::melody::melody(&heard),
    };
    if notes.is_empty() {
        return Err(format!(
            "no notes {}: a melody of single notes is needed{}",
            args.notes
                .as_ref()
                .map_or("were heard".into(), |p| format!("are in {}", p.display())),
            if args.notes.is_some() {
                ""
            } else {
                "; give its notes with --notes F.mid"
            }
        )
        .into());
    }

    let reference = Reference::new(&mono, rate, &ear)?;
    let start = Patch::default().with_matched(&inference.mean);
    let score = |patch: &Patch| reference.score(&reference.render(&notes, patch));
    let default = score(&Patch::default())?;
    let inferred = score(&start)?;
    let (patch, last, renders) = match time {
        Some(_) => search(
            &reference,
            &notes,
            &start,
            &Options {
                time,
                seed: args.seed,
                ..Options::around(&inference)
            },
        )?,
        None => (start, inferred, 0),
    };

    let seconds = mono.len() as f64 / rate;
    let mirrored = synth::render(&patch, &notes, seconds, rate as f32, SEED);
    let mixed = audio::mono(&mirrored);
    let agreement = pitch_agreement(&heard, &ear::spectrogram(&ear, &mixed, rate, true)?);
    audio::write(&args.out, sound.rate, &[&mirrored[0], &mirrored[1]])
        .map_err(|e| format!("{}: {e}", args.out.display()))?;
    write_patch(&args.patch, &patch)?;
    report(
        &args,
        &[
            ("default patch", default),
            ("inferred", inferred),
            ("result", last),
        ],
        &json!({
            "notes": notes,
            "confidence": inference.confidence(),
            "renders": renders,
            "pitch_agreement": agreement,
            "seconds": seconds,
            "rate": sound.rate,
            "model": model,
        }),
    );
    Ok(())
}

/// Searches with a spinner; the patch, its score and the number of renders.
fn search(
    reference: &Reference,
    notes: &[Note],
    start: &Patch,
    options: &Options,
) -> Result<(Patch, Score, usize), Error> {
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}");
        ProgressBar::new_spinner()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
    });
    let found = refine(reference, notes, start, options, |best| {
        if let Some(bar) = &bar {
            bar.set_message(format!(
                "{} renders, likeness {:.3}, mel distance {:.2} dB",
                best.renders, best.score.likeness, best.score.mel
            ));
            bar.tick();
        }
        true
    })?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok((found.patch, found.score, found.renders))
}

fn write_patch(path: &Path, patch: &Patch) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(&patch.to_json())?;
    audio::write_atomically(path, text.as_bytes())
        .map_err(|e| format!("cannot write {}: {e}", path.display()).into())
}

/// The report as text or JSON. A reader that has gone (`| head`) is no error.
fn report(args: &Args, scores: &[(&str, Score)], more: &serde_json::Value) {
    let text = if args.json {
        let mut all = more.clone();
        for (name, score) in scores {
            all[name.replace(' ', "_")] =
                json!({ "likeness": score.likeness, "mel_distance_db": score.mel });
        }
        format!("{all:#}")
    } else {
        let number = |key: &str| more[key].as_f64().unwrap_or(0.0);
        let notes = more["notes"].as_array().map_or(0, Vec::len);
        let mut lines = vec![format!(
            "{notes} notes, {:.2} s at {} Hz",
            number("seconds"),
            number("rate")
        )];
        lines.extend(scores.iter().map(|(name, score)| {
            format!(
                "{name:14} likeness {:.3}, mel distance {:5.2} dB",
                score.likeness, score.mel
            )
        }));
        lines.push(format!(
            "pitch agrees in {:.0} % of the frames",
            100.0 * number("pitch_agreement")
        ));
        lines.push(format!(
            "confidence of the inference {:.2}",
            number("confidence")
        ));
        lines.join("\n")
    };
    let _ = writeln!(std::io::stdout(), "{text}");
}
