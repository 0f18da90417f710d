//! `mirrornet mirror`.

use super::Error;
use audio_file::mono;
use indicatif::{ProgressBar, ProgressStyle};
use matcher::metric::pitch_agreement;
use matcher::search::infer_clip;
use matcher::search::{
    Options, Passages, RENDER_SEED, Reference, Refined, Score, candidates_until, refine,
};
use mirrornet::encoder::LoadedModel;
use mirrornet::files::{check_outputs, write_atomically};
use mirrornet::timed::Deadline;
use mirrornet::{parallel, values, wav};
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
    /// Sound to mirror: a melody of single notes (WAV, AIFF, FLAC, MP3, Ogg Vorbis or CAF).
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
    /// Search for a better match, on all cores, so that the command takes this many seconds. Of a
    /// clip that is long for the time, passages are searched for one patch.
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds)]
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
    let started = Instant::now();
    let time = super::search_time(args.refine)?;
    let deadline = time.map(|time| Deadline::new(started, time));
    let searches = time.is_some() || args.renders.is_some();
    if args.one_patch && !searches {
        return Err(
            "--one-patch narrows a search: give --refine SECONDS or --renders N too".into(),
        );
    }
    let notes = args.notes.as_deref().map(|path| ("--notes", path));
    let inputs: Vec<_> = notes
        .into_iter()
        .chain([("the reference", &*args.reference)])
        .collect();
    check_outputs(&inputs, &[("--out", &args.out), ("--patch", &args.patch)])?;
    let sound = super::read_audio(&args.reference)?;
    let (whole, rate) = (sound.mono(), sound.rate as f64);
    let LoadedModel {
        mut encoder,
        contract,
    } = args.model.load()?;
    let ear = contract.ear;
    let heard = ear::spectrogram(&ear, &whole, rate, true)?;
    let (notes, without_note) = match &args.notes {
        Some(path) => (super::read_notes(path)?, 0.0),
        None => {
            let found = matcher::metric::transcribe(&heard);
            (found.notes, found.without_note)
        }
    };
    let threads = parallel::cores();
    let passages = match &deadline {
        Some(deadline) => deadline.passages(&whole, rate, &notes, &ear, threads)?,
        None => None,
    };
    // From here on the clip is what is searched: the passages, or all of it.
    let (samples, played, heard) = match &passages {
        Some(passages) => {
            let heard = ear::spectrogram(&ear, &passages.samples, rate, true)?;
            (&passages.samples, &passages.notes, heard)
        }
        None => (&whole, &notes, heard),
    };
    let inferred = infer_clip(&heard, &mut encoder)?.ok_or_else(|| {
        format!(
            "{} is silent (its channels added up): there is nothing to mirror",
            args.reference.display()
        )
    })?;
    if notes.is_empty() {
        return Err(no_notes(&args).into());
    }

    let reference = Reference::new(samples, rate, &ear)?;
    let end = deadline.map(|deadline| deadline.candidates());
    let starts = candidates_until(end, &reference, played, &inferred, &mut encoder, threads)?;
    let score = |patch: Patch| reference.score_of(played, &patch.into());
    let began = Instant::now();
    let default = score(Patch::default())?;
    let once = began.elapsed();
    let first = score(starts[0])?;
    // The quicker of two: something else may have run at the time.
    let scoring = once.min(began.elapsed() - once);
    let seconds = whole.len() as f64 / rate;
    let began = Instant::now();
    let result = match searches {
        true => search(
            &reference,
            played,
            &starts,
            &Options {
                renders: args.renders.map(|n| n as usize),
                time: deadline.map(|d| d.search(reference.seconds(), seconds, scoring)),
                seed: args.seed,
                threads,
                // A note's patch is searched in its own place, which passages leave out.
                each_note: !args.one_patch && passages.is_none(),
                free_notes: args.notes.is_none(),
                ..Options::around(&inferred.whole)
            },
        )?,
        false => Refined {
            automation: starts[0].into(),
            notes: played.clone(),
            score: first,
            one_patch: first,
            renders: 1,
        },
    };
    let searched = began.elapsed();

    let render = |notes: &[Note], seconds| {
        result
            .automation
            .render(notes, seconds, rate as f32, RENDER_SEED)
    };
    let notes = passages.as_ref().map_or(&result.notes, |_| &notes);
    let mirrored = render(notes, seconds);
    let compared = match &passages {
        Some(_) => mono(&render(&result.notes, reference.seconds())),
        None => mono(&mirrored),
    };
    let agreement = pitch_agreement(&heard, &ear::spectrogram(&ear, &compared, rate, true)?);
    wav::write(&args.out, sound.rate, &[&mirrored[0], &mirrored[1]])
        .map_err(|e| format!("cannot write {}: {e}", args.out.display()))?;
    let text = serde_json::to_string_pretty(&patch_file(&result.automation, notes))?;
    write_atomically(&args.patch, text.as_bytes())
        .map_err(|e| format!("cannot write {}: {e}", args.patch.display()))?;
    let mut more = json!({
        "notes": notes,
        "seconds_without_note": without_note,
        "patches": result.automation.points.len() + 1,
        "confidence": inferred.whole.confidence(),
        "renders": result.renders,
        "pitch_agreement": agreement,
        "seconds": seconds,
        "rate": sound.rate,
        "model": args.model.folder()?,
    });
    if searches {
        more["gain"] = json!({
            "likeness": result.score.likeness - first.likeness,
            "mel_distance_db": first.mel - result.score.mel,
        });
    }
    if time.is_some() {
        more["search_seconds"] = json!(searched.as_secs_f64());
    }
    if let Some(passages) = &passages {
        more["passages"] = json!(passages.starts);
    }
    report(
        &args,
        &[
            ("default patch", default),
            ("inferred", first),
            ("one patch", result.one_patch),
            ("result", result.score),
        ],
        &more,
    );
    Ok(())
}

/// The message for a clip without notes.
fn no_notes(args: &Args) -> String {
    match &args.notes {
        Some(path) => format!(
            "no notes are in {}: expected a melody of single notes",
            path.display()
        ),
        None => "no notes were heard: expected a melody of single notes; give its notes with \
                 --notes F.mid"
            .into(),
    }
}

/// The patch file: patch, automation, and the notes they were found for.
fn patch_file(automation: &Automation, notes: &[Note]) -> serde_json::Value {
    let mut file = automation.to_json();
    file["notes"] = json!(notes);
    file
}

/// Searches, and shows a progress bar.
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

/// Describes sound that belongs to no note.
fn unheard(seconds: f64) -> Option<String> {
    const FEW: f64 = 0.1;
    (seconds >= FEW).then(|| {
        format!(
            "{seconds:.2} s of sound belong to no note: no single pitch between 27 Hz and 4.8 kHz \
             was heard there"
        )
    })
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
        lines.extend(unheard(number("seconds_without_note")));
        lines.extend(scores.iter().map(|(name, score)| {
            format!(
                "{name:14} likeness {:.3}, mel distance {:5.2} dB",
                score.likeness, score.mel
            )
        }));
        let gain = &more["gain"];
        if let (Some(likeness), Some(mel)) =
            (gain["likeness"].as_f64(), gain["mel_distance_db"].as_f64())
        {
            let time = more["search_seconds"].as_f64();
            lines.push(format!(
                "the search made {} renders{} and gained {likeness:.3} in likeness, {mel:.2} dB in \
                 mel distance",
                number("renders"),
                time.map_or(String::new(), |s| format!(" in {s:.1} s")),
            ));
        }
        if let Some(passages) = more["passages"].as_array() {
            lines.push(format!(
                "to keep the time limit, {} passages of {} s were searched and compared; one patch \
                 plays the whole",
                passages.len(),
                Passages::SECONDS
            ));
        }
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
