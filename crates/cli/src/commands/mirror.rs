//! `mirrornet mirror`.

use super::Error;
use indicatif::{ProgressBar, ProgressStyle};
use matcher::metric::pitch_agreement;
use matcher::search::infer_clip;
use matcher::search::{Options, RENDER_SEED, Reference, Refined, Score, candidates, refine};
use mirrornet::encoder::LoadedModel;
use mirrornet::files::write_atomically;
use mirrornet::{midi, parallel, wav};
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Instant;
use synth::{Automation, Note, Patch};

/// Mirror a sound: transcribe its notes, infer a patch, render both, and report how alike they are.
///
/// With --refine or --renders it then searches on all cores, first for one patch, then for one
/// patch per note; where notes get patches of their own, the patch file has an "automation", which
/// `render --patch` plays. Notes that were transcribed may move a little. A result of the search
/// counts only when neither likeness nor mel distance gets worse.
#[derive(clap::Args)]
pub struct Args {
    /// Sound to mirror: a melody of single notes.
    reference: PathBuf,
    /// WAV to write: 32-bit float stereo, of the reference's length and rate.
    #[arg(long, value_name = "OUT.wav")]
    out: PathBuf,
    /// Patch to write, with an automation where notes have patches of their own.
    #[arg(long, value_name = "P.json")]
    patch: PathBuf,
    /// MIDI file with the notes, instead of transcribing them.
    #[arg(long, value_name = "F.mid")]
    notes: Option<PathBuf>,
    /// Keep searching for a better match for this many seconds, on all cores.
    #[arg(long, value_name = "SECONDS")]
    refine: Option<f64>,
    /// Keep searching for this many renders of the sound (with --refine: at most): the same result
    /// on every machine with the same vector instructions.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    renders: Option<u32>,
    /// Search only for one patch for the whole sound.
    #[arg(long)]
    one_patch: bool,
    /// Random seed of the search.
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
    let LoadedModel {
        mut encoder,
        contract,
    } = args.model.load()?;
    let ear = contract.ear;
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
            "no notes {}: expected a melody of single notes{}",
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
    let threads = parallel::cores();
    let starts = candidates(&reference, &notes, &inferred, &mut encoder, threads)?;
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
    let mixed = wav::mono(&mirrored);
    let agreement = pitch_agreement(&heard, &ear::spectrogram(&ear, &mixed, rate, true)?);
    wav::write(&args.out, sound.rate, &[&mirrored[0], &mirrored[1]])
        .map_err(|e| format!("{}: {e}", args.out.display()))?;
    let text = serde_json::to_string_pretty(&patch_file(&result.automation, &result.notes))?;
    write_atomically(&args.patch, text.as_bytes())
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
            "model": args.model.folder()?,
        }),
    );
    Ok(())
}

/// The patch file: patch, automation, and the notes they were found for.
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

/// Advice for a result of low similarity. Single notes of the instruments tried end above 0.87
/// after a search, chords near 0.73.
fn advice(args: &Args, scores: &[(&str, Score)]) -> Option<String> {
    const LOW: f32 = 0.8;
    let (_, result) = scores.last()?;
    let next = match args.refine.is_none() && args.renders.is_none() {
        true => "try --refine 10",
        false => "only a melody of single notes can be mirrored, not chords, speech or noise",
    };
    let likeness = result.likeness;
    (likeness < LOW).then(|| format!("low similarity ({likeness:.2}): {next}"))
}

/// Prints the report as text or JSON. A closed pipe (`| head`) is not an error.
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
        lines.extend(advice(args, scores));
        lines.join("\n")
    };
    let _ = writeln!(std::io::stdout(), "{text}");
}
