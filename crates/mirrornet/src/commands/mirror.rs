//! `mirrornet mirror`.

use super::Error;
use indicatif::{ProgressBar, ProgressStyle};
use matcher::metric::pitch_agreement;
use matcher::search::infer_clip;
use matcher::search::{Options, RENDER_SEED, Reference, Refined, Score, answers, refine};
use mirrornet::{audio, midi};
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Instant;
use synth::{Automation, Note, Patch};

/// Hear a sound and play it back with the synthesizer: its notes, a patch, and how alike they are.
///
/// With --refine it then searches, on all cores, first for one patch, then for one a note; where notes
/// differ the patch file has an "automation" that `render --patch` plays. Notes that were only heard may move a
/// little. What is found counts only when neither likeness nor mel distance gets worse.
#[derive(clap::Args)]
pub struct Args {
    /// Sound to mirror: a melody of single notes.
    reference: PathBuf,
    /// WAV to write: 32-bit float stereo, of the reference's length and rate.
    #[arg(long, value_name = "OUT.wav")]
    out: PathBuf,
    /// Patch to write, with its automation where notes differ.
    #[arg(long, value_name = "P.json")]
    patch: PathBuf,
    /// The notes as MIDI, instead of hearing them.
    #[arg(long, value_name = "F.mid")]
    notes: Option<PathBuf>,
    /// Then search for a better match for this many seconds, on all cores.
    #[arg(long, value_name = "SECONDS")]
    refine: Option<f64>,
    /// Then search with this many renders of the sound (with --refine: at most): the same result on every
    /// machine with the same vector instructions.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    renders: Option<u32>,
    /// Search for one patch for the whole sound only.
    #[arg(long)]
    one_patch: bool,
    /// Seed of the search.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: super::Model,
    /// Who runs the network: `builtin` (plain Rust) or `engine` (TorchScript).
    #[arg(long, value_enum, default_value_t)]
    encoder: super::EncoderChoice,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    let time = super::search_time(args.refine)?;
    let sound = super::read_audio(&args.reference)?;
    let (mono, rate) = (sound.mono(), sound.rate as f64);
    let model = args.model.folder()?;
    let (mut encoder, ear) = args.encoder.load(&model)?;
    let heard = ear::spectrogram(&ear, &mono, rate, true)?;
    let inferred = infer_clip(&heard, &mut encoder)?.ok_or_else(|| {
        format!(
            "{} is silent (its channels added up): there is nothing to mirror",
            args.reference.display()
        )
    })?;
    let notes = match &args.notes {
        Some(path) => midi::read(path)?,
        None => matcher::metric::melody(&heard),
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
    let began = Instant::now();
    let threads = mirrornet::train::parallel::cores();
    let starts = answers(&reference, &notes, &inferred, &mut encoder, threads)?;
    let score = |patch: Patch| reference.score_of(&notes, &patch.into());
    let default = score(Patch::default())?;
    let first = score(starts[0])?;
    let searches = time.is_some() || args.renders.is_some();
    if args.one_patch && !searches {
        return Err(
            "--one-patch narrows a search: give --refine SECONDS or --renders N too".into(),
        );
    }
    let result = match searches {
        true => search(
            &reference,
            &notes,
            &starts,
            &Options {
                renders: args.renders.map(|n| n as usize),
                time: time.map(|t| t.saturating_sub(began.elapsed())),
                seed: args.seed,
                threads,
                each_note: !args.one_patch,
                free_notes: args.notes.is_none(),
                ..Options::around(&inferred.whole)
            },
        )?,
        false => Refined {
            automation: starts[0].into(),
            notes: notes.clone(),
            score: first,
            one_patch: first,
            renders: 1,
        },
    };

    let seconds = reference.seconds();
    let mirrored = result
        .automation
        .render(&result.notes, seconds, rate as f32, RENDER_SEED);
    let mixed = audio::mono(&mirrored);
    let agreement = pitch_agreement(&heard, &ear::spectrogram(&ear, &mixed, rate, true)?);
    audio::write(&args.out, sound.rate, &[&mirrored[0], &mirrored[1]])
        .map_err(|e| format!("{}: {e}", args.out.display()))?;
    let text = serde_json::to_string_pretty(&patch_file(&result.automation, &result.notes))?;
    audio::write_atomically(&args.patch, text.as_bytes())
        .map_err(|e| format!("cannot write {}: {e}", args.patch.display()))?;
    report(
        &args,
        &[
            ("default patch", default),
            ("inferred", first),
            ("one patch", result.one_patch),
            ("result", result.score),
        ],
        &json!({
            "notes": result.notes,
            "patches": result.automation.points.len() + 1,
            "confidence": inferred.whole.confidence(),
            "renders": result.renders,
            "pitch_agreement": agreement,
            "seconds": seconds,
            "rate": sound.rate,
            "model": model,
        }),
    );
    Ok(())
}

/// Patch, automation and the notes they were found for.
fn patch_file(automation: &Automation, notes: &[Note]) -> serde_json::Value {
    let mut file = automation.to_json();
    file["notes"] = json!(notes);
    file
}

/// Searches, with a bar.
fn search(
    reference: &Reference,
    notes: &[Note],
    starts: &[Patch],
    options: &Options,
) -> Result<Refined, Error> {
    /// Steps of the bar.
    const STEPS: u64 = 1_000;
    let bar = std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{bar:40} {elapsed} {msg}");
        ProgressBar::new(STEPS).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
    });
    let found = refine(reference, notes, starts, options, |at| {
        if let Some(bar) = &bar {
            bar.set_position((at.used * STEPS as f64) as u64);
            bar.set_message(format!(
                "{} renders, likeness {:.3}, mel distance {:.2} dB",
                at.renders, at.score.likeness, at.score.mel
            ));
        }
        true
    })?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    Ok(found)
}

/// What to do about a result that is hardly alike. Single notes of the instruments tried end above .87 after
/// a search, chords at some .73.
fn doubt(args: &Args, scores: &[(&str, Score)]) -> Option<&'static str> {
    const HARDLY: f32 = 0.8;
    let (_, result) = scores.last()?;
    (result.likeness < HARDLY).then_some(if args.refine.is_none() && args.renders.is_none() {
        "hardly alike: search for a better match with --refine 10"
    } else {
        "hardly alike: only a melody of single notes can be mirrored, not chords, speech or noise"
    })
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
            "{notes} notes, {} patches, {:.2} s at {} Hz",
            number("patches"),
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
        lines.extend(doubt(args, scores).map(String::from));
        lines.join("\n")
    };
    let _ = writeln!(std::io::stdout(), "{text}");
}
