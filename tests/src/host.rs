//! Starts the two hosts: ours for CLAP (clack-host), dawdreamer (JUCE) for VST3.

use crate::job::{Job, Report};
use crate::sandbox::{Sandbox, bundled, workspace};
use crate::wav;
use std::path::Path;
use std::process::{Child, Command};

/// A host that plays the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The `clap_host` binary of this crate.
    Clap,
    /// `python/vst3_host.py`.
    Vst3,
}

impl Host {
    /// A job of `seconds` for this host, without notes, sidechain or changed parameters, at 48 kHz
    /// in blocks of 512. Its files lie in `sandbox` and begin with `name`.
    pub fn job(self, sandbox: &Sandbox, name: &str, seconds: f64) -> Job {
        let plugin = match self {
            Self::Clap => "MirrorNet.clap",
            Self::Vst3 => "MirrorNet.vst3",
        };
        Job {
            plugin: bundled(plugin),
            rate: 48_000.0,
            block: 512,
            seconds,
            notes: Vec::new(),
            sidechain: None,
            params: Default::default(),
            load_state: None,
            save_state: None,
            out: sandbox.file(&format!("{name}.wav")),
            report: sandbox.file(&format!("{name}.report.json")),
            paced: false,
            offline: false,
            midi: Vec::new(),
            hostile: None,
            watched: false,
            instances: 1,
        }
    }

    /// Starts a job in `sandbox`. `clap_host` is the binary's path: a test has it as
    /// `env!("CARGO_BIN_EXE_clap_host")`.
    ///
    /// # Panics
    /// When the host can't be started.
    pub fn start(self, clap_host: &str, sandbox: &Sandbox, job: &Job) -> Child {
        let path = job.report.with_extension("job");
        let text = serde_json::to_string(job).expect("a job is plain data");
        std::fs::write(&path, text)
            .unwrap_or_else(|e| panic!("could not write {}: {e}", path.display()));
        let mut command: Command = match self {
            Self::Clap => sandbox.command(clap_host),
            Self::Vst3 => {
                let python = std::env::var_os("MIRRORNET_TEST_PYTHON").expect(
                    "MIRRORNET_TEST_PYTHON is not set: run `cargo xtask test`, which installs the VST3 \
                     host, or set it to a Python that has tests/requirements.txt installed",
                );
                let mut command = sandbox.command(python);
                command.arg(workspace().join("tests/python/vst3_host.py"));
                command
            }
        };
        command
            .arg(&path)
            .spawn()
            .unwrap_or_else(|e| panic!("could not start the {self:?} host: {e}"))
    }

    /// Runs a job to its end: its report and its rendering, one `Vec` per channel.
    ///
    /// # Panics
    /// When the host fails.
    pub fn run(self, clap_host: &str, sandbox: &Sandbox, job: &Job) -> (Report, Vec<Vec<f32>>) {
        finish(self.start(clap_host, sandbox, job), job)
    }
}

/// Waits for a started host: its report and its rendering (none for a job of 0 seconds).
///
/// # Panics
/// When the host fails.
pub fn finish(mut host: Child, job: &Job) -> (Report, Vec<Vec<f32>>) {
    let status = host.wait().expect("the host was started by us");
    assert!(
        status.success(),
        "the host playing {} ended with {status}",
        job.plugin.display()
    );
    let channels = if job.seconds > 0.0 {
        wav::read(&job.out).0
    } else {
        Vec::new()
    };
    (read_report(&job.report), channels)
}

fn read_report(path: &Path) -> Report {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|e| panic!("could not read {}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
