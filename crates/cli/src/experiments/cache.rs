//! Finished results as JSON files in the output folder, keyed by all that decides them.

use super::ExperimentError;
use crate::files::write_atomically;
use matcher::sha256_hex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use synth::Synth;

/// The folder of the files, and what all of their keys have in common.
pub struct Cache {
    folder: PathBuf,
    common: String,
}

impl Cache {
    /// The cache in `folder`, which is made where it is missing, of results of this very program
    /// with the encoder `encoder`: its weights' hash and kind.
    pub fn open(folder: &Path, encoder: &str) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        // The program's own bytes are the synthesizer, ear, search and page that made a result.
        let program = sha256_hex(&std::fs::read(std::env::current_exe()?)?);
        Ok(Self {
            folder: folder.into(),
            common: format!("{program} {encoder} {:?}", Synth::best_instruction_set()),
        })
    }

    /// The file of a result that `of` decides beside the program and the encoder.
    fn path(&self, of: &str) -> PathBuf {
        let key = sha256_hex(format!("{} {of}", self.common).as_bytes());
        self.folder.join(format!("{}.json", &key[..32]))
    }

    /// The result that `of` decides, if it is there and whole.
    fn get<T: DeserializeOwned>(&self, of: &str) -> Option<T> {
        serde_json::from_slice(&std::fs::read(self.path(of)).ok()?).ok()
    }

    /// Keeps a result.
    fn put(&self, of: &str, result: &impl Serialize) -> io::Result<()> {
        write_atomically(&self.path(of), &serde_json::to_vec(result)?)
    }

    /// The result that `of` decides, made and kept unless it is there, and the time that making it
    /// took.
    pub fn get_or<T: Serialize + DeserializeOwned>(
        &self,
        of: &str,
        make: impl FnOnce() -> Result<T, ExperimentError>,
    ) -> Result<(T, Option<Duration>), ExperimentError> {
        if let Some(kept) = self.get(of) {
            return Ok((kept, None));
        }
        let began = Instant::now();
        let made = make()?;
        self.put(of, &made)
            .map_err(|e| ExperimentError::Cache(self.folder.clone(), e))?;
        Ok((made, Some(began.elapsed())))
    }
}

/// A hash of samples and of anything else that decides a result.
pub fn fingerprint(samples: &[f32], rest: &impl Serialize) -> String {
    let mut bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    bytes.extend(serde_json::to_vec(rest).unwrap_or_default());
    sha256_hex(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_found_again_by_what_decides_it_and_by_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), "a").unwrap();
        cache.put("one", &vec![1.5, 0.1]).unwrap();
        assert_eq!(cache.get::<Vec<f64>>("one"), Some(vec![1.5, 0.1]));
        assert_eq!(cache.get::<Vec<f64>>("two"), None);
        let other = Cache::open(folder.path(), "b").unwrap();
        assert_eq!(other.get::<Vec<f64>>("one"), None);
        // One that was cut short counts as missing.
        std::fs::write(cache.path("one"), "[1.5, 0.").unwrap();
        assert_eq!(cache.get::<Vec<f64>>("one"), None);
        assert_ne!(fingerprint(&[0.1], &1), fingerprint(&[0.2], &1));
        assert_ne!(fingerprint(&[0.1], &1), fingerprint(&[0.1], &2));
    }
}
