//! `mirrornet experiments`.

use super::Error;
use indicatif::{ProgressBar, ProgressStyle};
use mirrornet::command_line::recorded;
use mirrornet::experiments::sources::{self, Subject};
use mirrornet::experiments::{Options, Progress, RENDERS, Sizes, page, run as run_experiments};
use mirrornet::files::write_atomically;
use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Steps of the bar.
const STEPS: f64 = 1_000.0;
/// Time between two lines of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(15);
/// Options that name files.
const PATHS: [&str; 4] = ["--out", "--foreign", "--json", "--model"];
/// Sounds of each kind with --quick: its own, unseen patches, other instruments.
const QUICK: (u64, u64, usize) = (8, 6, 8);

/// Run the experiments, and make a page to hear, see and check them.
///
/// Experiments 1 and 2 mirror melodies of the synthesizer itself by the MirrorNet paper's
/// generator, the second with a vibrato that no matched parameter has; experiment 3 mirrors other
/// instruments. Unseen patches are compared with searches that have no encoder. The page is one
/// HTML file, index.html, with sounds and pictures inside. What is finished is kept in the output
/// folder: the same command goes on where it was ended.
#[derive(clap::Args)]
pub struct Args {
    /// Folder for the page; it is made where it is missing.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Melodies of each of experiments 1 and 2; 0 leaves them out.
    #[arg(long, value_name = "N", default_value_t = 100)]
    clips: u64,
    /// Folder of sounds of other instruments for experiment 3, searched recursively [default: three
    /// melodies that come with this program]. The notes come from the .mid file of the same name,
    /// and are heard where there is none.
    #[arg(long, value_name = "DIR")]
    foreign: Option<PathBuf>,
    /// Unseen patches; 0 leaves them out.
    #[arg(long, value_name = "N", default_value_t = 200)]
    unseen: u64,
    /// Take few sounds: less than ten minutes on two cores.
    #[arg(long)]
    quick: bool,
    /// Renders of each search.
    #[arg(long, value_name = "N", default_value_t = RENDERS as u32, value_parser = clap::value_parser!(u32).range(1..=999_999))]
    renders: u32,
    /// Also write all figures to this file as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    model: super::Model,
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Error> {
    let mut foreign = match &args.foreign {
        Some(folder) => subjects(folder)?,
        None => sources::bundled()?,
    };
    let (mut clips, mut unseen) = (args.clips, args.unseen);
    if args.quick {
        clips = clips.min(QUICK.0);
        unseen = unseen.min(QUICK.1);
        foreign.truncate(QUICK.2);
    }
    std::fs::create_dir_all(&args.out)
        .map_err(|e| format!("cannot make the folder {}: {e}", args.out.display()))?;
    let mut model = args.model.load()?;
    let options = Options {
        clips,
        foreign,
        unseen,
        sizes: Sizes::default(),
        renders: args.renders as usize,
        out: args.out.clone(),
        encoder: format!("{:?}", args.model.encoder).to_lowercase(),
        command: recorded("mirrornet", &PATHS, std::env::args().skip(1)),
    };
    let display = Display::new();
    let report = run_experiments(options, &mut model, |progress| display.show(progress))?;
    display.bar.finish_and_clear();
    let write = |path: &Path, bytes: &[u8]| {
        write_atomically(path, bytes).map_err(|e| format!("cannot write {}: {e}", path.display()))
    };
    let path = args.out.join("index.html");
    write(&path, page(&report).as_bytes())?;
    if let Some(file) = &args.json {
        write(file, format!("{:#}\n", report.json()).as_bytes())?;
    }
    let path = path.canonicalize().unwrap_or(path);
    let _ = writeln!(
        std::io::stdout(),
        "{}\n\nThe page to hear and see it, for any browser:\n{}",
        report.text(),
        path.display()
    );
    Ok(())
}

/// The sounds in a folder.
fn subjects(folder: &Path) -> Result<Vec<Subject>, Error> {
    let found = super::evaluate::sounds_in(folder)?;
    for reason in &found.closed {
        eprintln!("left out {reason}");
    }
    let subject = |path: &PathBuf| {
        let clip = super::evaluate::read(path)?;
        let name = path.strip_prefix(folder).unwrap_or(path).with_extension("");
        Some(Subject {
            name: name.to_string_lossy().replace('\\', "/"),
            about: match clip.notes {
                Some(_) => "Notes from the MIDI file beside it.".into(),
                None => "Its notes are heard.".into(),
            },
            clip,
            patch: None,
        })
    };
    let subjects: Vec<Subject> = found.files.iter().filter_map(subject).collect();
    match subjects.is_empty() {
        true => Err(format!("no sound file was found under {}", folder.display()).into()),
        false => Ok(subjects),
    }
}

/// A bar on a terminal, a line now and then elsewhere.
struct Display {
    bar: ProgressBar,
    last: Cell<Option<Instant>>,
}

impl Display {
    fn new() -> Self {
        let bar = match std::io::stderr().is_terminal() {
            true => {
                let style = ProgressStyle::with_template("{bar:30} {elapsed} {msg}");
                ProgressBar::new(STEPS as u64)
                    .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            }
            false => ProgressBar::hidden(),
        };
        Self {
            bar,
            last: Cell::new(None),
        }
    }

    fn show(&self, progress: &Progress<'_>) {
        let left = progress.left.as_secs();
        let text = format!(
            "{}, {} of {}: {}; about {} min {:02} s left",
            progress.stage,
            progress.done,
            progress.count,
            progress.name,
            left / 60,
            left % 60
        );
        let due = self
            .last
            .get()
            .is_none_or(|last| last.elapsed() > LINE_EVERY);
        if self.bar.is_hidden() && due {
            self.last.set(Some(Instant::now()));
            eprintln!("{text}");
        }
        self.bar.set_position((STEPS * progress.share) as u64);
        self.bar.set_message(text);
    }
}
