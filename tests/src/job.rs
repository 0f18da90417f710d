//! A host's job and its report afterwards, as JSON between processes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use synth::Note;

/// One run of a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The `.clap` or `.vst3` bundle.
    pub plugin: PathBuf,
    /// Sample rate in Hz.
    pub rate: f64,
    /// Number of samples in a block.
    pub block: usize,
    /// Length of the rendering in seconds; 0 only loads, describes and unloads the plugin.
    pub seconds: f64,
    /// Notes to play; keys are rounded to whole MIDI notes.
    pub notes: Vec<Note>,
    /// WAV at `rate` for the sidechain, mono or stereo; silence without it and after its end.
    pub sidechain: Option<PathBuf>,
    /// Parameters to set before the first sample: host name to normalised value.
    pub params: BTreeMap<String, f64>,
    /// State to load before activation.
    pub load_state: Option<PathBuf>,
    /// File for the state after the last sample.
    pub save_state: Option<PathBuf>,
    /// File for the rendering, a float32 WAV.
    pub out: PathBuf,
    /// File for the [`Report`].
    pub report: PathBuf,
    /// Keep pace with the wall clock, as a sound card would. CLAP host only.
    #[serde(default)]
    pub paced: bool,
    /// Declare that the rendering is offline. CLAP host only.
    #[serde(default)]
    pub offline: bool,
    /// Raw MIDI messages at a time in seconds. CLAP host only.
    #[serde(default)]
    pub midi: Vec<(f64, [u8; 3])>,
    /// Send hostile events too, drawn with this seed. CLAP host only.
    #[serde(default)]
    pub hostile: Option<u64>,
    /// Count allocations and system calls inside `process`. CLAP host only.
    #[serde(default)]
    pub watched: bool,
    /// Number of plugin instances, all played alike; the first is written. CLAP host only.
    #[serde(default = "one")]
    pub instances: usize,
}

fn one() -> usize {
    1
}

/// A host's observations.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Names of the plugin's parameters.
    pub params: Vec<String>,
    /// Audio inputs: name and number of channels. CLAP host only.
    #[serde(default)]
    pub inputs: Vec<(String, u32)>,
    /// Audio outputs: name and number of channels. CLAP host only.
    #[serde(default)]
    pub outputs: Vec<(String, u32)>,
    /// Declared latency in samples.
    #[serde(default)]
    pub latency: u32,
    /// Time to load, describe and unload, in milliseconds. Filled by a run of 0 seconds.
    #[serde(default)]
    pub scan_ms: f64,
    /// Files of libtorch mapped into the host, which must be none. Linux only.
    #[serde(default)]
    pub torch_mapped: Vec<String>,
    /// The host's child processes after the last sample. Linux only.
    #[serde(default)]
    pub children: Vec<u32>,
    /// Forbidden operations inside `process`; absent when it was not watched.
    #[serde(default)]
    pub watch: Option<Watch>,
}

/// Forbidden operations inside `process`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Watch {
    /// Calls to malloc, calloc, realloc and their like.
    pub allocations: u64,
    /// Calls to free.
    pub frees: u64,
    /// Backtrace of the first heap call.
    pub first_heap_call: Option<String>,
    /// Numbers of the system calls; absent where the kernel can't trap them.
    pub system_calls: Option<Vec<i64>>,
}
