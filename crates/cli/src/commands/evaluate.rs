//! `mirrornet evaluate`.

use super::Error;
use audio_file::{SoundFiles, sound_files};
use indicatif::ProgressBar;
use matcher::{Contract, ListenError};
use mirrornet::encoder::LoadedModel;
use mirrornet::evaluate::looped::{looped, table as looped_table};
use mirrornet::evaluate::unmatched::{table as unmatched_table, unmatched};
use mirrornet::evaluate::{
    Clip, EvaluateError, Measured, Search, baselines, held_note, measure, own_clip, report,
};
use mirrornet::{parallel, pictures, values};
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Pairs of spectrograms drawn, of the best and of the worst.
const PICTURES: usize = 3;

/// Evaluate a model: how closely the synthesizer reproduces each clip.
///
/// Each clip is played with the same notes by the default patch, by the one patch inferred from the
/// whole clip, by the live loop as in the plugin, and after a search (--refine or --renders) by the
/// best single patch and by a patch a note. `closed` is the share of the default patch's distance
/// that a patch closes; `settled` is the likeness of the live loop's patch after 1.5 s over that of
/// its last patch; `pitch` is the share of voiced frames with the same pitch, for the live loop and
/// for the search's result.
#[derive(clap::Args)]
pub struct Args {
    /// Number of melodies of our own synthesizer: random patches, uniform over the matched
    /// parameters, with the notes given.
    #[arg(long, value_name = "N", default_value_t = 20)]
    own: u64,
    /// Number of such melodies with a vibrato and a chorus, which no matched parameter controls.
    #[arg(long, value_name = "N", default_value_t = 0)]
    effects: u64,
    /// Number of held notes of our own synthesizer, to measure how steady the match is.
    #[arg(long, value_name = "N", default_value_t = 40)]
    held: u64,
    /// Number of sounds of 2 s of our own synthesizer to compare with baselines: the encoder with
    /// the best of 1,000 random patches, and encoder and 2 s of search on one core with CMA-ES of
    /// 2,000 renders (minutes).
    #[arg(long, value_name = "N", default_value_t = 0)]
    peers: u64,
    /// Folder of sound files of other instruments, searched recursively. The notes come from the
    /// .mid file of the same name next to a sound, and are transcribed where there is none. Files
    /// that can't be read are left out with a message.
    #[arg(long, value_name = "DIR")]
    foreign: Option<PathBuf>,
    /// Also search for a better match of each clip for this many seconds, on all cores.
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds)]
    refine: Option<f64>,
    /// Also search with this many renders of each clip (with --refine: at most): the same result on
    /// every machine with the same vector instructions.
    #[arg(long, value_name = "N")]
    renders: Option<usize>,
    /// Play each clip of --foreign this many times in a row to the live loop, as a host does,
    /// instead of the other measurements.
    #[arg(long = "loop", value_name = "N", requires = "foreign")]
    passes: Option<usize>,
    /// Folder of other melodies of the instruments of --foreign: the n-th file, by name, is played
    /// with what was found on the n-th clip.
    #[arg(long, value_name = "DIR", requires = "passes")]
    other: Option<PathBuf>,
    /// Hear each sound in this folder, none of which can be matched, and print how far it moves the
    /// match, instead of the other measurements.
    #[arg(long, value_name = "DIR")]
    unmatched: Option<PathBuf>,
    /// Transcribe the notes of our own melodies instead of giving them.
    #[arg(long)]
    hear_notes: bool,
    /// Folder for pictures: spectrograms of the three best and the three worst clips of each kind,
    /// above those of the synthesizer's version.
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
    /// Random seed of our own patches and melodies; no seed gives the trainer's.
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
    let search = (time.is_some() || args.renders.is_some()).then(|| Search {
        time,
        renders: args.renders,
        threads: parallel::cores(),
    });
    let LoadedModel {
        mut encoder,
        contract,
    } = args.model.load()?;
    let files = match &args.foreign {
        Some(folder) => {
            let found = sounds_in(folder)?;
            found
                .closed
                .iter()
                .for_each(|reason| eprintln!("left out {reason}"));
            found.files
        }
        None => Vec::new(),
    };
    if let Some(folder) = &args.unmatched {
        return run_unmatched(folder, args.json, &contract, &mut encoder);
    }
    if let Some(passes) = args.passes {
        return run_loops(&args, &files, &contract, &mut encoder, passes.max(1));
    }
    if let Some(folder) = &args.pictures {
        std::fs::create_dir_all(folder)
            .map_err(|e| format!("cannot make the folder {}: {e}", folder.display()))?;
    }
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(args.own + args.effects + args.held + args.peers + files.len() as u64)
    } else {
        ProgressBar::hidden()
    };
    let own = |i, effects| {
        let clip = own_clip(args.seed, i, effects);
        Clip {
            notes: clip.notes.filter(|_| !args.hear_notes),
            ..clip
        }
    };
    // The bar would be drawn over what is said of a file.
    let foreign = files.iter().filter_map(|file| bar.suspend(|| read(file)));
    type Clips<'a> = Box<dyn Iterator<Item = Clip> + 'a>;
    let kinds: [(&str, Clips<'_>); 3] = [
        ("own", Box::new((0..args.own).map(|i| own(i, false)))),
        ("effects", Box::new((0..args.effects).map(|i| own(i, true)))),
        ("foreign", Box::new(foreign)),
    ];
    let mut sets = Vec::new();
    for (name, clips) in kinds {
        let mut measured = Vec::new();
        for clip in clips {
            let result = measure(&clip, &contract.ear, &mut encoder, search);
            measured.extend(sounding(&bar, result)?);
            bar.inc(1);
        }
        if let Some(folder) = &args.pictures {
            draw(folder, name, &mut measured, &contract)?;
        }
        sets.push((
            name,
            measured.into_iter().map(|m| m.row).collect::<Vec<_>>(),
        ));
    }
    let mut moved = Vec::new();
    for i in 0..args.held {
        moved.push(held_note(args.seed, i, &contract.ear, &mut encoder)?);
        bar.inc(1);
    }
    let mut rivals = Vec::new();
    for i in 0..args.peers {
        let result = baselines(args.seed, i, &contract.ear, &mut encoder);
        rivals.extend(sounding(&bar, result)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    sets.retain(|(_, rows)| !rows.is_empty());
    let report = if args.json {
        let report = json!({
            "weights_sha256": contract.weights_sha256,
            "seed": args.seed,
            "refine_seconds": args.refine,
            "refine_renders": args.renders,
            "notes_heard": args.hear_notes,
            "sets": sets.iter().map(|(name, rows)| (name.to_string(), json!(rows)))
                .collect::<serde_json::Map<_, _>>(),
            "held_notes_moved": moved,
            "peers": rivals,
        });
        format!("{report:#}")
    } else {
        report::text(&sets, &moved, &rivals)
    };
    let _ = writeln!(std::io::stdout(), "{report}");
    Ok(())
}

/// The sound files in a folder.
pub(super) fn sounds_in(folder: &Path) -> Result<SoundFiles, Error> {
    sound_files(folder)
        .map_err(|e| format!("cannot read the folder {}: {e}", folder.display()).into())
}

/// Hears each file of a folder, and prints how far it moves the match.
fn run_unmatched(
    folder: &Path,
    json: bool,
    contract: &Contract,
    encoder: &mut Box<dyn matcher::Encoder>,
) -> Result<(), Error> {
    let files = sounds_in(folder)?.files;
    let mut rows = Vec::new();
    for file in &files {
        if let Some(clip) = read(file) {
            let heard = unmatched(&clip.name, &clip.mono, clip.rate, &contract.ear, encoder);
            rows.push(heard?);
        }
    }
    let report = match json {
        true => format!("{:#}", json!({"unmatched": rows})),
        false => unmatched_table(&rows),
    };
    let _ = writeln!(std::io::stdout(), "{report}");
    Ok(())
}

/// Plays each file in a loop, and prints how the match closes.
fn run_loops(
    args: &Args,
    files: &[PathBuf],
    contract: &Contract,
    encoder: &mut Box<dyn matcher::Encoder>,
    passes: usize,
) -> Result<(), Error> {
    let others = match &args.other {
        Some(folder) => sounds_in(folder)?.files,
        None => Vec::new(),
    };
    let bar = match std::io::stderr().is_terminal() {
        true => ProgressBar::new(files.len() as u64),
        false => ProgressBar::hidden(),
    };
    let mut rows = Vec::new();
    for (i, file) in files.iter().enumerate() {
        let other = others.get(i).and_then(|file| bar.suspend(|| read(file)));
        if let Some(clip) = bar.suspend(|| read(file)) {
            let result = looped(&clip, other.as_ref(), &contract.ear, encoder, passes);
            rows.extend(sounding(&bar, result)?);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let report = match args.json {
        true => format!(
            "{:#}",
            json!({"weights_sha256": contract.weights_sha256, "looped": rows})
        ),
        false => looped_table(&rows),
    };
    let _ = writeln!(std::io::stdout(), "{report}");
    Ok(())
}

/// Draws the best and the worst clips of a kind by the likeness of what was found last.
fn draw(
    folder: &Path,
    kind: &str,
    measured: &mut [Measured],
    contract: &Contract,
) -> Result<(), Error> {
    let likeness = |m: &Measured| m.row.refined.unwrap_or(m.row.patch).likeness;
    measured.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    let cf = ear::centre_frequencies(&contract.ear, f64::from(mirrornet::evaluate::RATE));
    let best = measured.iter().take(PICTURES).enumerate();
    let worst = measured.iter().rev().take(PICTURES).enumerate();
    let named = best
        .map(|(i, m)| (format!("{kind}-best-{}", i + 1), m))
        .chain(worst.map(|(i, m)| (format!("{kind}-worst-{}", i + 1), m)));
    for (name, m) in named {
        let title = |what: &str| format!("{what}: {}, likeness {:.3}", m.row.name, likeness(m));
        let path = folder.join(name).with_extension("png");
        let pair = [(title("heard"), &m.heard), (title("played"), &m.answer)];
        pictures::spectrogram::save(&path, &pair, &cf)
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
}

/// Reports a clip that can't be measured and leaves it out; an encoder that fails ends the
/// evaluation.
fn sounding<T>(bar: &ProgressBar, result: Result<T, EvaluateError>) -> Result<Option<T>, Error> {
    match result {
        Err(
            e @ (EvaluateError::Silent(_)
            | EvaluateError::Ear(_)
            | EvaluateError::Listen(ListenError::Ear(_))),
        ) => {
            bar.suspend(|| eprintln!("left out {e}"));
            Ok(None)
        }
        other => Ok(Some(other?)),
    }
}

/// Reads a clip and its notes. One that can't be read is reported and left out; where only its
/// notes can't, they are transcribed.
pub(super) fn read(path: &Path) -> Option<Clip> {
    let sound = super::read_audio(path)
        .map_err(|e| eprintln!("left out {e}"))
        .ok()?;
    let beside = path.with_extension("mid");
    let notes = beside.is_file().then(|| super::read_notes(&beside));
    let notes = notes.transpose().unwrap_or_else(|e| {
        eprintln!("{e}: the notes of {} are transcribed", path.display());
        None
    });
    Some(Clip {
        name: path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        mono: sound.mono(),
        rate: sound.rate as f64,
        notes,
    })
}
