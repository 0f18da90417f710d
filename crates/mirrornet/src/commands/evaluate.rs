//! `mirrornet evaluate`.

use super::Error;
use indicatif::ProgressBar;
use matcher::Contract;
use matcher::refine::Score;
use mirrornet::evaluate::{Clip, EvaluateError, Row, held_note, measure, own_clip};
use mirrornet::midi;
use mirrornet::torchscript::TorchEncoder;
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Movement of an envelope's parameter through a held note that counts as steady.
const STEADY: f32 = 0.02;

/// Measure a model: how like the sounds it hears the synthesizer becomes, clip by clip.
///
/// Each clip is played with the same notes by the default patch, by the one patch inferred from the whole
/// clip, by the live loop as in the plugin, and after a search (--refine). `closed` is the share of the
/// distance left by the default patch; `settled` the likeness of the live loop's patch after 1.5 s over
/// that of its last one.
#[derive(clap::Args)]
pub struct Args {
    /// Melodies of our own synthesizer: random patches, uniform over the matched parameters.
    #[arg(long, value_name = "N", default_value_t = 20)]
    own: u64,
    /// Held notes of our own synthesizer, for how steady the match is.
    #[arg(long, value_name = "N", default_value_t = 40)]
    held: u64,
    /// Folder of WAV files of other instruments, searched recursively; the notes are those of the .mid
    /// file of the same name beside a file, else they are heard.
    #[arg(long, value_name = "DIR")]
    foreign: Option<PathBuf>,
    /// Also search for so long for a better patch of each clip.
    #[arg(long, value_name = "SECONDS")]
    refine: Option<f64>,
    /// Chooses our own patches and melodies. The trainer's are others for every seed.
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
    let search = super::search_time(args.refine)?;
    let model = args.model.folder()?;
    let mut encoder = TorchEncoder::new(&model)?;
    let contract = Contract::from_json(encoder.contract())?;
    let files = match &args.foreign {
        Some(folder) => mirrornet::audio::wav_files(folder)
            .map_err(|e| format!("cannot read the folder {}: {e}", folder.display()))?,
        None => Vec::new(),
    };
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(args.own + args.held + files.len() as u64)
    } else {
        ProgressBar::hidden()
    };
    let mut sets = Vec::new();
    let mut own = Vec::new();
    for i in 0..args.own {
        let row = measure(&own_clip(args.seed, i), &contract.ear, &mut encoder, search);
        own.extend(sounding(&bar, row)?);
        bar.inc(1);
    }
    sets.push(("own", own));
    let mut foreign = Vec::new();
    for file in &files {
        let row = measure(&read(file)?, &contract.ear, &mut encoder, search);
        foreign.extend(sounding(&bar, row)?);
        bar.inc(1);
    }
    sets.push(("foreign", foreign));
    let mut moved = Vec::new();
    for i in 0..args.held {
        moved.push(held_note(args.seed, i, &contract.ear, &mut encoder)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    sets.retain(|(_, rows)| !rows.is_empty());
    let report = if args.json {
        let report = json!({
            "weights_sha256": contract.weights_sha256,
            "seed": args.seed,
            "refine_seconds": args.refine,
            "sets": sets.iter().map(|(name, rows)| (name.to_string(), json!(rows)))
                .collect::<serde_json::Map<_, _>>(),
            "held_notes_moved": moved,
        });
        format!("{report:#}")
    } else {
        text(&sets, &moved)
    };
    let _ = writeln!(std::io::stdout(), "{report}");
    Ok(())
}

/// A clip without sound or notes is told and left out; other errors end the evaluation.
fn sounding(bar: &ProgressBar, row: Result<Row, EvaluateError>) -> Result<Option<Row>, Error> {
    match row {
        Err(e @ EvaluateError::Silent(_)) => {
            bar.suspend(|| eprintln!("left out {e}"));
            Ok(None)
        }
        other => Ok(Some(other?)),
    }
}

fn read(path: &Path) -> Result<Clip, Error> {
    let sound = super::read_audio(path)?;
    let beside = path.with_extension("mid");
    Ok(Clip {
        name: path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        mono: sound.mono(),
        rate: sound.rate as f64,
        notes: beside.is_file().then(|| midi::read(&beside)).transpose()?,
    })
}

fn text(sets: &[(&str, Vec<Row>)], moved: &[f32]) -> String {
    let mut lines = Vec::new();
    for (name, rows) in sets {
        lines.push(format!(
            "{name:20}   likeness                             closed                 mel distance [dB]\n\
             {:20}   default  patch   live  refined       patch   live  refined   default  patch   live  refined   settled  pitch",
            ""
        ));
        lines.extend(rows.iter().map(|row| line(&row.name, &[row])));
        let all: Vec<&Row> = rows.iter().collect();
        lines.push(line("mean", &all));
        let worst = rows
            .iter()
            .min_by(|a, b| a.live.likeness.total_cmp(&b.live.likeness));
        lines.extend(worst.map(|row| format!("worst live: {}\n", row.name)));
    }
    if !moved.is_empty() {
        let steady = moved.iter().filter(|&&m| m <= STEADY).count();
        let mut sorted = moved.to_vec();
        sorted.sort_by(f32::total_cmp);
        lines.push(format!(
            "held notes whose envelopes' parameters move by at most {:.0} % of their range: {steady} of {} \
             (median movement {:.1} %)",
            100.0 * STEADY,
            moved.len(),
            100.0 * sorted[moved.len() / 2]
        ));
    }
    lines.join("\n")
}

/// One row, or the mean of many.
fn line(name: &str, rows: &[&Row]) -> String {
    let mean = |of: &dyn Fn(&Row) -> Option<f32>| {
        let values: Option<Vec<f32>> = rows.iter().map(|row| of(row)).collect();
        match values {
            Some(values) => format!(
                "{:6.3}",
                values.iter().sum::<f32>() / values.len().max(1) as f32
            ),
            None => "     -".into(),
        }
    };
    type Column = fn(&Row) -> Option<Score>;
    let columns: [Column; 4] = [
        |row| Some(row.default),
        |row| Some(row.patch),
        |row| Some(row.live),
        |row| row.refined,
    ];
    let mut text = format!("{name:20}  ");
    for column in columns {
        text += &format!("  {}", mean(&|row| column(row).map(|s| s.likeness)));
    }
    text += "    ";
    for column in &columns[1..] {
        text += &format!("  {}", mean(&|row| column(row).map(|s| row.closed(s))));
    }
    text += "  ";
    for column in columns {
        text += &format!("  {}", mean(&|row| column(row).map(|s| s.mel)));
    }
    text += &format!("    {}", mean(&|row| Some(row.settled)));
    text += &format!("  {}", mean(&|row| Some(row.pitch)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(likeness: f32, refined: Option<f32>) -> Row {
        let score = |likeness| Score { likeness, mel: 3.0 };
        Row {
            name: "clip".into(),
            default: score(0.5),
            patch: score(likeness),
            live: score(likeness),
            settled: 0.9,
            pitch: 1.0,
            refined: refined.map(score),
        }
    }

    #[test]
    fn the_mean_line_averages_what_all_rows_have() {
        let (a, b) = (row(0.6, Some(0.9)), row(0.8, None));
        let both = line("mean", &[&a, &b]);
        // Closed .2 and .6 of the default's distance.
        assert!(both.contains(" 0.700") && both.contains(" 0.400"), "{both}");
        let searched = line("a", &[&a]);
        // Likeness, closed and mel distance of a search that one row has not had.
        assert_eq!(both.matches(" -").count(), 3, "{both}");
        assert_eq!(searched.matches(" -").count(), 0, "{searched}");
    }
}
