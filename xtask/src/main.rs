//! `cargo xtask`: the project's tasks. A thin dispatcher; each task has a file of its own.
//!
//! It depends on no crate of ours, so that it can fetch what they need before they are built.
//! Everything it says itself goes to stderr: stdout belongs to the commands it runs.

mod bundle;
mod check;
mod demo;
mod deny;
mod files;
mod install;
mod libtorch;
mod manifest;
mod notices;
mod presets;
mod process;
mod programs;
mod project;
mod python;
mod references;
mod setup;
mod steps;
mod system;
mod test;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use bundle::Parts;
use programs::{Arguments, Program};
use project::Project;
use steps::Steps;

/// MirrorNet's tasks. The heavy ones set up what they need first.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Mirror three bundled melodies and write a page to hear and see it into target/demo.
    ///
    /// Needs neither libtorch, Python, display nor sound card. Prints the figures and where the
    /// page is.
    Demo {
        /// Folder for the page, instead of target/demo.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Install the system packages of a build and fetch libtorch into a per-user cache.
    ///
    /// On Debian and Ubuntu missing packages are installed with apt-get when this is root or sudo
    /// asks no password; otherwise the exact command is printed. libtorch comes from PyPI through
    /// pip, checked by hash (527 MB on Linux, once). An own LIBTORCH or LIBTORCH_USE_PYTORCH in the
    /// environment wins, and nothing is fetched.
    Setup {
        /// Fetch libtorch with its CUDA part instead, for `train --device cuda` (Linux x86_64; 2.3
        /// GB to fetch, 3.4 GB on disk).
        #[arg(long)]
        cuda: bool,
    },
    /// Build MirrorNet.clap, MirrorNet.vst3, the standalone and the engine into target/bundled.
    Bundle(Extent),
    /// Bundle, then install for this user: plugins where hosts look, the engine in the data folder.
    ///
    /// Plugins go to ~/.clap and ~/.vst3 (macOS: ~/Library/Audio/Plug-Ins, Windows:
    /// %LOCALAPPDATA%\Programs\Common). The engine goes to MirrorNet/engine/VERSION in the user's
    /// data folder, where every plugin format finds it. The factory patches go, as presets for VST3
    /// hosts, to ~/.vst3/presets/MirrorNet/MirrorNet (macOS: ~/Library/Audio/Presets, Windows:
    /// %APPDATA%\VST3 Presets); presets of your own in there are never touched. A model of your
    /// own, in MirrorNet/model of the same folder, is never touched.
    Install(Extent),
    /// Remove exactly what `install` of this version puts there.
    Uninstall,
    /// Bundle, install the engine and start the standalone with the given arguments.
    Run {
        #[command(flatten)]
        extent: Extent,
        /// Arguments of the standalone; its own help: `cargo xtask run -- --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Check formatting, clippy and documentation; warnings are errors.
    Check,
    /// Check the libraries' licences and sources with cargo-deny (see deny.toml).
    Deny {
        /// Also look for known vulnerabilities; needs a network.
        #[arg(long)]
        advisories: bool,
    },
    /// Set up, bundle, prepare a private Python environment with a VST3 host, and run all tests.
    Test {
        /// Also run the soaks, the fuzzing and all measured goals (hours).
        #[arg(long)]
        long: bool,
        /// Arguments for `cargo test --workspace`, e.g. `cargo xtask test -- --test vst3`.
        #[arg(last = true)]
        args: Vec<OsString>,
    },
    /// Install three SoundFonts and write melodies of their instruments (2.2 GB), to train on.
    References {
        /// Output folder.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Train the networks: builds the trainer and runs its `train` with these arguments.
    #[command(disable_help_flag = true)]
    Train(Arguments),
    /// Render labelled samples into safetensors files, to train on other machines.
    #[command(disable_help_flag = true)]
    RenderDataset(Arguments),
    /// Import weights that were trained on other machines as a model.
    #[command(disable_help_flag = true)]
    Adopt(Arguments),
    /// Transcribe a recording, infer a patch, and render both with the synthesizer.
    #[command(disable_help_flag = true)]
    Mirror(Arguments),
    /// Evaluate a model: how closely the synthesizer reproduces each clip.
    #[command(disable_help_flag = true)]
    Evaluate(Arguments),
    /// Run the experiments, and make a page to hear, see and check them.
    #[command(disable_help_flag = true)]
    Experiments(Arguments),
    /// Turn a sound file into an auditory spectrogram.
    #[command(disable_help_flag = true)]
    Ear(Arguments),
    /// Render a patch with notes to a WAV file.
    #[command(disable_help_flag = true)]
    Render(Arguments),
}

/// Contents of the bundle.
#[derive(clap::Args)]
struct Extent {
    /// Leave the engine out: no libtorch and no Python are needed, and the plugin matches with its
    /// built-in encoder.
    #[arg(long)]
    without_engine: bool,
}

impl Extent {
    fn parts(&self) -> Parts {
        match self.without_engine {
            true => Parts::WithoutEngine,
            false => Parts::All,
        }
    }
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(task: Task) -> anyhow::Result<ExitCode> {
    let project = Project::find()?;
    let mut steps = Steps::new();
    match task {
        Task::Demo { out } => return demo::run(&project, &mut steps, out),
        Task::Setup { cuda: false } => setup::run(&mut steps)?,
        Task::Setup { cuda: true } => setup::run_cuda(&mut steps)?,
        Task::Bundle(extent) => bundle::run(&project, &mut steps, extent.parts())?,
        Task::Install(extent) => install::install(&project, &mut steps, extent.parts())?,
        Task::Uninstall => install::uninstall()?,
        Task::Run { extent, args } => {
            return install::start_standalone(&project, &mut steps, extent.parts(), &args);
        }
        Task::Check => check::run(&project, &mut steps)?,
        Task::Deny { advisories } => deny::run(&project, advisories)?,
        Task::Test { long, args } => test::run(&project, &mut steps, long, &args)?,
        Task::References { out } => references::run(&project, &mut steps, &out)?,
        Task::Train(args) => return Program::Trainer.run(&project, "train", &args),
        Task::RenderDataset(args) => return Program::Cli.run(&project, "render-dataset", &args),
        Task::Adopt(args) => return Program::Trainer.run(&project, "adopt", &args),
        Task::Mirror(args) => return Program::Cli.run(&project, "mirror", &args),
        Task::Evaluate(args) => return Program::Cli.run(&project, "evaluate", &args),
        Task::Experiments(args) => return Program::Cli.run(&project, "experiments", &args),
        Task::Ear(args) => return Program::Cli.run(&project, "ear", &args),
        Task::Render(args) => return Program::Cli.run(&project, "render", &args),
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn command_line_is_consistent_and_every_command_is_explained() {
        let mut command = Cli::command();
        command.build();
        command.clone().debug_assert();
        for task in command.get_subcommands() {
            assert!(task.get_about().is_some(), "{}", task.get_name());
        }
    }

    #[test]
    fn arguments_of_the_programs_pass_through_untouched() {
        let cli = Cli::parse_from(["xtask", "train", "--steps", "3", "--help", "--", "x"]);
        let Task::Train(arguments) = cli.task else {
            panic!("train was not recognised");
        };
        assert_eq!(arguments.args, ["--steps", "3", "--help", "--", "x"]);

        let cli = Cli::parse_from(["xtask", "run", "--", "--help"]);
        let Task::Run { args, extent } = cli.task else {
            panic!("run was not recognised");
        };
        assert_eq!(args, ["--help"]);
        assert_eq!(extent.parts(), Parts::All);

        let cli = Cli::parse_from(["xtask", "run", "--without-engine", "--backend", "x"]);
        let Task::Run { args, extent } = cli.task else {
            panic!("run was not recognised");
        };
        assert_eq!(args, ["--backend", "x"]);
        assert_eq!(extent.parts(), Parts::WithoutEngine);
    }
}
