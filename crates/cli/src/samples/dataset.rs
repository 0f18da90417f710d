//! Data sets: labelled samples as files, for training on other machines.
//!
//! File `k` holds samples `k * samples_per_file` and on, whatever the shards and threads: shard
//! `I/N` renders the files with `k mod N = I - 1`. A file is there whole or not at all, so a shard
//! that was interrupted continues with its next file, and the files are the same however they were
//! rendered, on the same kind of processor (vector instructions differ in the last bits of a
//! sample).
//!
//! A file is safetensors, with its [`Header`] as JSON under `dataset` in the metadata:
//!
//! | tensor | type and shape | contents |
//! |---|---|---|
//! | `heard` | u8 `[n, frames, channels]` | window as the encoder hears it, augmented |
//! | `clean` | u8 `[n, frames, channels]` | window of the synthesizer alone |
//! | `parameters` | f32 `[n, P]` | the matched parameters, normalised, in the contract's order |
//!
//! `heard` may have reverberation, a second player, noise and a microphone's response. Sample `i`
//! is the trainer's draw `2 i` with the same seed and the default distribution.

use super::collected::Collected;
use super::distribution::Distribution;
use super::pool::Pool;
use crate::files::write_atomically;
use ear::{CHANNELS, EarConfig, EarError};
use matcher::Contract;
use matcher::WINDOW_FRAMES;
use safetensors::tensor::{Dtype, Metadata, SafeTensorError, TensorView, serialize};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use synth::MATCHED_COUNT;

/// Samples asked of the threads ahead of the one waited for: enough to work on while a file is
/// written.
const AHEAD: usize = 512;
/// Longest safetensors header believed, in bytes: ours take a few thousand.
const LONGEST_HEADER: u64 = 1 << 20;
/// Key of the header in a file's metadata. It is the only key, because the order of several is not
/// deterministic.
const METADATA: &str = "dataset";

/// Part `index` of `count`, written `INDEX/COUNT`; parts count from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shard {
    index: u64,
    count: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once('/')
            .and_then(|(index, count)| {
                let (index, count) = (index.parse().ok()?, count.parse().ok()?);
                (1 <= index && index <= count).then_some(Self { index, count })
            })
            .ok_or_else(|| "expected I/N with I from 1 to N, as in 3/8".into())
    }
}

/// Options of a data set and of the shard to render.
#[derive(Clone, Debug)]
pub struct DatasetOptions {
    /// Random seed of the samples.
    pub seed: u64,
    /// Samples of all shards together.
    pub samples: u64,
    /// Samples of each file but the last; at least 1.
    pub samples_per_file: u64,
    /// Part of the files to render.
    pub shard: Shard,
    /// Folder; made if missing. All shards may share it.
    pub out: PathBuf,
    /// Rendering threads, at least 1.
    pub threads: usize,
}

/// The description in a file's metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Format of the files: 1.
    pub format: u32,
    /// Version of MirrorNet, and so of its synthesizer.
    pub version: String,
    /// Random seed of the samples.
    pub seed: u64,
    /// Samples of each file but the last.
    pub samples_per_file: u64,
    /// Index of the file's first sample.
    pub first: u64,
    /// Samples in the file.
    pub samples: u64,
    /// The contract of a model trained on the file, without weights and record: parameters, ear,
    /// window.
    pub contract: Contract,
}

impl Header {
    fn range(&self) -> Range<u64> {
        self.first..self.first + self.samples
    }

    /// Checks that this is a file of the same data set as `wanted`, at the same place in it.
    fn check(&self, wanted: &Self, path: &Path) -> Result<(), DatasetError> {
        let same = |what, found: &dyn ToString, expected: &dyn ToString| {
            let (found, expected) = (found.to_string(), expected.to_string());
            if found == expected {
                return Ok(());
            }
            Err(DatasetError::Foreign(
                path.into(),
                format!("its {what} is {found}, expected {expected}"),
            ))
        };
        same("format", &self.format, &wanted.format)?;
        same("version", &self.version, &wanted.version)?;
        same("seed", &self.seed, &wanted.seed)?;
        let per_file = "number of samples per file";
        same(per_file, &self.samples_per_file, &wanted.samples_per_file)?;
        same("first sample", &self.first, &wanted.first)?;
        if self.contract != wanted.contract {
            let what = "its parameters, ear or window are not this version's";
            return Err(DatasetError::Foreign(path.into(), what.into()));
        }
        Ok(())
    }
}

/// The files of a shard that are left to render.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Files to render, in order.
    pub files: Vec<Header>,
    /// Files of the shard that are there already.
    pub finished: u64,
    /// Files that are there but broken or short; they are rendered again.
    pub unfinished: Vec<PathBuf>,
}

impl Plan {
    /// Number of samples to render.
    pub fn samples(&self) -> u64 {
        self.files.iter().map(|f| f.samples).sum()
    }
}

/// The reason a data set can't be rendered.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The ear can't be created.
    #[error(transparent)]
    Ear(#[from] EarError),
    /// The folder, or a file in it, can't be read.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, io::Error),
    /// The folder can't be made.
    #[error("cannot make the folder {0}: {1}")]
    Out(PathBuf, io::Error),
    /// A file can't be written.
    #[error(
        "cannot write {0}: {1}. The files before it are complete: run the same command again to go on"
    )]
    Write(PathBuf, io::Error),
    /// A file of another data set lies at the path of one of ours.
    #[error(
        "{0} is of another data set: {1}. Give an empty folder, or the options it was made with"
    )]
    Foreign(PathBuf, String),
}

/// Path of file `k`.
fn path(folder: &Path, k: u64) -> PathBuf {
    folder.join(format!("samples-{k:06}.safetensors"))
}

/// The `k` of a file that [`path`] names.
fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix("samples-")?
        .strip_suffix(".safetensors")?
        .parse()
        .ok()
}

/// Plans the rest of the shard. It looks at every file of the folder, so that any shard notices a
/// file of another data set.
pub fn plan(options: &DatasetOptions) -> Result<Plan, DatasetError> {
    let folder = &options.out;
    std::fs::create_dir_all(folder).map_err(|e| DatasetError::Out(folder.clone(), e))?;
    let contract = Contract::current(EarConfig::default(), &[], serde_json::Value::Null);
    let per_file = options.samples_per_file.max(1);
    let header = |k: u64| Header {
        format: 1,
        version: env!("CARGO_PKG_VERSION").into(),
        seed: options.seed,
        samples_per_file: per_file,
        first: k.saturating_mul(per_file),
        samples: per_file.min(options.samples.saturating_sub(k.saturating_mul(per_file))),
        contract: contract.clone(),
    };
    let fail = |e| DatasetError::Read(folder.clone(), e);
    let mut there = HashMap::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let Some(k) = number(&path) else { continue };
        let samples = match read_header(&path)? {
            Some(found) => {
                found.check(&header(k), &path)?;
                found.samples
            }
            None => 0,
        };
        there.insert(k, (samples, path));
    }
    let mut plan = Plan {
        files: Vec::new(),
        finished: 0,
        unfinished: Vec::new(),
    };
    let Shard { index, count } = options.shard;
    for k in (index - 1..options.samples.div_ceil(per_file)).step_by(count as usize) {
        let wanted = header(k);
        match there.remove(&k) {
            Some((samples, _)) if samples >= wanted.samples => {
                plan.finished += 1;
                continue;
            }
            Some((_, path)) => plan.unfinished.push(path),
            None => {}
        }
        plan.files.push(wanted);
    }
    Ok(plan)
}

/// The header of a file; `None` if it is not a complete safetensors file.
fn read_header(path: &Path) -> Result<Option<Header>, DatasetError> {
    let fail = |e| DatasetError::Read(path.into(), e);
    let mut file = File::open(path).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    let mut size = [0; 8];
    if length < 8 {
        return Ok(None);
    }
    file.read_exact(&mut size).map_err(fail)?;
    let size = u64::from_le_bytes(size);
    if size > LONGEST_HEADER || 8 + size > length {
        return Ok(None);
    }
    let mut json = vec![0; size as usize];
    file.read_exact(&mut json).map_err(fail)?;
    let Ok(metadata) = serde_json::from_slice::<Metadata>(&json) else {
        return Ok(None);
    };
    if 8 + size + metadata.data_len() as u64 != length {
        return Ok(None);
    }
    let ours = metadata.metadata().as_ref().and_then(|m| m.get(METADATA));
    let foreign = |what: String| DatasetError::Foreign(path.into(), what);
    let json = ours.ok_or_else(|| foreign("it has no header of ours".into()))?;
    let header = serde_json::from_str(json)
        .map_err(|e| foreign(format!("its header is not this version's ({e})")))?;
    Ok(Some(header))
}

/// Renders the files of `plan`, which is of these `options`; calls `done` after each sample.
pub fn render(
    options: &DatasetOptions,
    plan: &Plan,
    mut done: impl FnMut(),
) -> Result<(), DatasetError> {
    let (ear, of) = (EarConfig::default(), Distribution::default());
    let mut pool = Pool::new(options.threads.max(1), &ear, &of, options.seed, None)?;
    let mut ahead = plan.files.iter().flat_map(Header::range);
    for i in ahead.by_ref().take(AHEAD) {
        pool.request_sample(i);
    }
    for header in &plan.files {
        let mut collected = Collected::default();
        for i in header.range() {
            if let Some(next) = ahead.next() {
                pool.request_sample(next);
            }
            collected.own(&[(2 * i, pool.sample(i))], &of, options.seed);
            pool.forget_before(i + 1);
            done();
        }
        let path = path(&options.out, header.first / header.samples_per_file);
        encode(header, &collected)
            .and_then(|bytes| write_atomically(&path, &bytes))
            .map_err(|e| DatasetError::Write(path, e))?;
    }
    Ok(())
}

fn encode(header: &Header, collected: &Collected) -> io::Result<Vec<u8>> {
    let n = header.samples as usize;
    let h: Vec<u8> = collected.h.iter().flat_map(|v| v.to_le_bytes()).collect();
    let window = vec![n, WINDOW_FRAMES, CHANNELS];
    let tensors = [
        ("heard", Dtype::U8, window.clone(), &collected.heard),
        ("clean", Dtype::U8, window, &collected.clean),
        ("parameters", Dtype::F32, vec![n, MATCHED_COUNT], &h),
    ];
    let views = tensors
        .into_iter()
        .map(|(name, kind, shape, bytes)| Ok((name, TensorView::new(kind, shape, bytes)?)))
        .collect::<Result<Vec<_>, SafeTensorError>>()
        .map_err(io::Error::other)?;
    let json = serde_json::to_string(header)?;
    let metadata = [(METADATA.to_string(), json)].into_iter().collect();
    serialize(views, Some(metadata)).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::babble::{Sample, stream};
    use crate::samples::plant::Plant;
    use safetensors::SafeTensors;

    #[test]
    fn shards_are_parts_from_the_first_to_the_last() {
        assert_eq!("3/8".parse(), Ok(Shard { index: 3, count: 8 }));
        for wrong in [
            "0/8", "9/8", "3", "3/", "/8", "-1/8", "1/0", "1/2/3", "a/b", "",
        ] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_holds_the_trainers_samples() {
        let folder = tempfile::tempdir().unwrap();
        let options = DatasetOptions {
            seed: 5,
            samples: 5,
            samples_per_file: 2,
            shard: "2/2".parse().unwrap(),
            out: folder.path().into(),
            threads: 2,
        };
        let todo = plan(&options).unwrap();
        assert_eq!(todo.files.len(), 1, "files 0 and 2 are the first shard's");
        let mut count = 0;
        render(&options, &todo, || count += 1).unwrap();
        assert_eq!(count, 2);

        let bytes = std::fs::read(path(folder.path(), 1)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensor = |name| file.tensor(name).unwrap();
        assert_eq!(tensor("heard").shape(), [2, WINDOW_FRAMES, CHANNELS]);
        assert_eq!(tensor("parameters").shape(), [2, MATCHED_COUNT]);
        let mut plant = Plant::new(&EarConfig::default()).unwrap();
        let window = WINDOW_FRAMES * CHANNELS;
        for (row, i) in [2, 3].into_iter().enumerate() {
            let sample = Sample::new(&mut plant, &Distribution::default(), 5, stream::BABBLE, i);
            assert!(tensor("clean").data()[row * window..][..window] == *sample.clean);
            let h: Vec<f32> = tensor("parameters").data()[row * MATCHED_COUNT * 4..]
                .chunks_exact(4)
                .take(MATCHED_COUNT)
                .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
                .collect();
            assert_eq!(h, sample.h);
        }
    }
}
