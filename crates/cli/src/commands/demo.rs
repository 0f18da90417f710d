//! `mirrornet demo`.

use super::Error;
use indicatif::{ProgressBar, ProgressStyle};
use matcher::search::Score;
use mirrornet::demo::{Example, REFERENCES, RENDERS, mirror_bundled, page};
use mirrornet::files::write_atomically;
use mirrornet::parallel;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// Mirror three bundled melodies of other instruments, and make a page to hear and see it.
///
/// Each is played by the live loop and after a search of a fixed number of renders. The page is one
/// HTML file, index.html, with sounds and pictures inside.
#[derive(clap::Args)]
pub struct Args {
    /// Folder for the page; it is made where it is missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Renders of each search.
    #[arg(long, value_name = "N", default_value_t = RENDERS, value_parser = clap::value_parser!(u32).range(1..=999_999))]
    renders: u32,
    #[command(flatten)]
    model: super::Model,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    /// Steps of the bar for each melody.
    const STEPS: f64 = 1_000.0;
    std::fs::create_dir_all(&args.out)
        .map_err(|e| format!("cannot make the folder {}: {e}", args.out.display()))?;
    let mut model = args.model.load()?;
    let bar = match std::io::stderr().is_terminal() {
        true => {
            let style = ProgressStyle::with_template("{bar:40} {elapsed} {msg}");
            let length = REFERENCES.len() as u64 * STEPS as u64;
            ProgressBar::new(length)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        }
        false => ProgressBar::hidden(),
    };
    let mut examples = Vec::new();
    for (i, reference) in REFERENCES.iter().enumerate() {
        bar.set_message(format!("mirrors the {}", reference.name.to_lowercase()));
        let progress = |share| bar.set_position((STEPS * (i as f64 + share)) as u64);
        examples.push(mirror_bundled(
            reference,
            &mut model,
            args.renders,
            parallel::cores(),
            progress,
        )?);
    }
    bar.finish_and_clear();
    let rate = examples.first().map_or(0.0, |example| example.clip.rate);
    let centre = ear::centre_frequencies(&model.contract.ear, rate);
    let path = args.out.join("index.html");
    write_atomically(&path, page(&examples, args.renders, &centre).as_bytes())
        .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    let path = path.canonicalize().unwrap_or(path);
    let _ = writeln!(
        std::io::stdout(),
        "{}\n\nThe page to hear and see it, for any browser:\n{}",
        table(&examples),
        path.display()
    );
    Ok(())
}

/// The figures as text.
fn table(examples: &[Example]) -> String {
    let mut lines = vec![format!(
        "{:16} {:>10} {:>10} {:>14} {:>10} {:>9} {:>8}",
        "", "", "likeness", "mel distance", "pitch", "renders", "seconds"
    )];
    for example in examples {
        let name = example.reference.name;
        let line = |name: &str, what: &str, score: Score, rest: String| {
            format!(
                "{name:16} {what:>10} {:>10.3} {:>11.2} dB {rest}",
                score.likeness, score.mel
            )
        };
        let mirrored = &example.mirrored;
        lines.push(line(name, "default", example.default, String::new()));
        for (what, answer, renders) in [
            ("live", &mirrored.live, 1),
            ("searched", &mirrored.searched, mirrored.found.renders),
        ] {
            let rest = format!(
                "{:>8.0} % {renders:>9} {:>8.1}",
                100.0 * answer.pitch,
                answer.time.as_secs_f64()
            );
            lines.push(line("", what, answer.score, rest));
        }
    }
    lines.join("\n")
}
