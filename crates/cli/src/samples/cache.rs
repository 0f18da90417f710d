//! A cache of rendered samples on disk, for a training that is resumed and for others with the same
//! seed. Sample `i` is a function of the seed and `i`, so the cache can't change a result.
//!
//! One file for each [`key`]; it only ever grows, record by record:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `MARK` |
//! | 4 | length of the payload, u32 little-endian, as all numbers are |
//! | 8 | index of the sample |
//! | 8 | start of the payload's SHA-256 |
//! | length | the sample: `encode` |
//!
//! A record that a crash left incomplete is cut off when the file is opened; a record whose payload
//! does not have its hash counts as missing. The file is locked by one process.

use super::babble::{Sample, stream};
use super::distribution::Distribution;
use super::plant::{Phrase, Plant};
use ear::{EarConfig, EarError};
use matcher::INPUT_LEN;
use matcher::{Contract, sha256_hex};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use synth::{MATCHED_COUNT, Note, Synth};

const MARK: [u8; 4] = *b"MNS1";
const HEAD: usize = 24;
/// Longest payload believed: two windows and the notes take some 40 kB.
const LONGEST: u32 = 1 << 20;
/// Samples rendered to recognise the sound by.
const PROBES: u64 = 16;

/// Offset and length of each sample's payload, by its index.
type Places = HashMap<u64, (u64, u32)>;

/// An open cache file, and the place of each sample in it.
pub struct Cache {
    path: PathBuf,
    file: File,
    places: Places,
    /// Offset of the next record.
    end: u64,
    /// Whether new samples are still written.
    writable: bool,
}

/// The key of a seed's samples: a hash of all that decides them. That is the seed, their
/// distribution, the version, the parameter table and the ear as in a model's contract, the vector
/// instructions, and the first samples themselves, which reveal a changed synthesizer, ear or
/// distribution of patches even under the same version.
pub fn key(ear: &EarConfig, of: &Distribution, seed: u64) -> Result<String, EarError> {
    let mut plant = Plant::new(ear)?;
    let probes: Vec<u64> = (0..PROBES).collect();
    let mut hash = Sha256::new();
    hash.update(format!(
        "{seed} {} {} {:?} ",
        stream::BABBLE,
        env!("CARGO_PKG_VERSION"),
        Synth::best_instruction_set()
    ));
    let contract = Contract::current(*ear, &[], serde_json::Value::Null);
    hash.update(serde_json::to_vec(&contract).unwrap_or_default());
    hash.update(serde_json::to_vec(of).unwrap_or_default());
    for sample in Sample::many(&mut plant, of, seed, stream::BABBLE, &probes) {
        hash.update(encode(&sample));
    }
    Ok(sha256_hex(&hash.finalize())[..16].into())
}

impl Cache {
    /// Opens or makes the cache of `key` in `folder`, which is made if missing. The error is a
    /// sentence.
    pub fn open(folder: &Path, key: &str) -> Result<Self, String> {
        let path = folder.join(format!("samples-{key}.cache"));
        let fail = |e: io::Error| format!("cannot use the cache {}: {e}", path.display());
        std::fs::create_dir_all(folder).map_err(fail)?;
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(format!(
                    "the cache {} is another training's",
                    path.display()
                ));
            }
            Err(TryLockError::Error(e)) => return Err(fail(e)),
        }
        let (places, end) = survey(&file).map_err(fail)?;
        file.set_len(end).map_err(fail)?;
        Ok(Self {
            path,
            file,
            places,
            end,
            writable: true,
        })
    }

    /// Number of samples in the cache.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns whether the cache has no samples.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Sample `index`, if it is there and whole.
    pub fn get(&mut self, index: u64) -> Option<Sample> {
        let &(offset, length) = self.places.get(&index)?;
        let mut head = [0; HEAD];
        let mut payload = vec![0; length as usize];
        let read = self
            .file
            .seek(SeekFrom::Start(offset - HEAD as u64))
            .and_then(|_| self.file.read_exact(&mut head))
            .and_then(|()| self.file.read_exact(&mut payload));
        let sample = match read {
            Ok(()) if head[16..] == check(&payload) => decode(&payload),
            _ => None,
        };
        if sample.is_none() {
            // It will be rendered and written again.
            self.places.remove(&index);
        }
        sample
    }

    /// Adds a sample unless the cache has it. After an error, which is a sentence, nothing more is
    /// written.
    pub fn add(&mut self, index: u64, sample: &Sample) -> Result<(), String> {
        if !self.writable || self.places.contains_key(&index) {
            return Ok(());
        }
        let payload = encode(sample);
        let mut record = Vec::with_capacity(HEAD + payload.len());
        record.extend(MARK);
        record.extend((payload.len() as u32).to_le_bytes());
        record.extend(index.to_le_bytes());
        record.extend(check(&payload));
        record.extend(&payload);
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(&record));
        if let Err(e) = written {
            self.writable = false;
            // A part of a record would hide nothing, but take room.
            let _ = self.file.set_len(self.end);
            return Err(format!(
                "cannot write the cache {}: {e}. Training continues without it: a resumed training will \
                 render missing samples again",
                self.path.display()
            ));
        }
        let place = (self.end + HEAD as u64, payload.len() as u32);
        self.places.insert(index, place);
        self.end += record.len() as u64;
        Ok(())
    }
}

/// Offsets of the complete records in a file, and the end of the last one.
fn survey(file: &File) -> io::Result<(Places, u64)> {
    let length = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    let mut places = Places::new();
    let mut end = 0;
    while end + HEAD as u64 <= length {
        let mut head = [0; HEAD];
        reader.read_exact(&mut head)?;
        let mut head = Fields(&head);
        let (mark, size, index) = (head.take(), head.take().map(u32::from_le_bytes), head.u64());
        let (Some(MARK), Some(size @ ..=LONGEST), Some(index)) = (mark, size, index) else {
            break;
        };
        let start = end + HEAD as u64;
        if start + size as u64 > length {
            break;
        }
        places.insert(index, (start, size));
        end = start + size as u64;
        reader.seek_relative(size as i64)?;
    }
    Ok((places, end))
}

fn check(payload: &[u8]) -> [u8; 8] {
    let hash = Sha256::digest(payload);
    std::array::from_fn(|i| hash[i])
}

/// `h`, the phrase's start, seed, number of notes and notes, whether the window heard is another
/// than the clean one, the clean one, the one heard.
fn encode(sample: &Sample) -> Vec<u8> {
    let Phrase { notes, start, seed } = &sample.phrase;
    let mut out = Vec::with_capacity(2 * INPUT_LEN + 1024);
    sample.h.iter().for_each(|v| out.extend(v.to_le_bytes()));
    out.extend(start.to_le_bytes());
    out.extend(seed.to_le_bytes());
    out.extend((notes.len() as u32).to_le_bytes());
    for n in notes {
        out.extend(n.onset.to_le_bytes());
        out.extend(n.duration.to_le_bytes());
        out.extend(n.key.to_le_bytes());
        out.extend(n.velocity.to_le_bytes());
    }
    out.push(sample.heard.is_some() as u8);
    out.extend(&sample.clean);
    if let Some(heard) = &sample.heard {
        out.extend(heard);
    }
    out
}

/// Decodes the output of [`encode`].
fn decode(payload: &[u8]) -> Option<Sample> {
    let mut fields = Fields(payload);
    let mut h = [0.0; MATCHED_COUNT];
    for v in &mut h {
        *v = f32::from_le_bytes(fields.take()?);
    }
    let start = f64::from_le_bytes(fields.take()?);
    let seed = fields.u64()?;
    let mut notes = Vec::new();
    for _ in 0..u32::from_le_bytes(fields.take()?) {
        notes.push(Note {
            onset: f64::from_le_bytes(fields.take()?),
            duration: f64::from_le_bytes(fields.take()?),
            key: f32::from_le_bytes(fields.take()?),
            velocity: f32::from_le_bytes(fields.take()?),
        });
    }
    let [other] = fields.take()?;
    let clean = fields.slice(INPUT_LEN)?.into();
    let heard = match other {
        0 => None,
        _ => Some(fields.slice(INPUT_LEN)?.into()),
    };
    let phrase = Phrase { notes, start, seed };
    fields.0.is_empty().then_some(Sample {
        h,
        phrase,
        clean,
        heard,
    })
}

/// Bytes still to be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn slice(&mut self, n: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(first)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.slice(N)?.try_into().ok()
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> Vec<Sample> {
        let mut plant = Plant::new(&EarConfig::default()).unwrap();
        let samples = Sample::many(
            &mut plant,
            &Distribution::default(),
            2,
            stream::BABBLE,
            &[0, 1, 2, 3, 4, 5, 6, 7],
        );
        assert!(samples.iter().any(|s| s.heard.is_some()));
        samples
    }

    fn fill(folder: &Path, samples: &[Sample]) -> PathBuf {
        let mut cache = Cache::open(folder, "a").unwrap();
        for (i, sample) in (0..).zip(samples) {
            cache.add(i, sample).unwrap();
        }
        cache.path
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let samples = samples();
        fill(folder.path(), &samples);
        let mut cache = Cache::open(folder.path(), "a").unwrap();
        assert_eq!(cache.len(), 8);
        for (i, sample) in (0..).zip(&samples) {
            assert!(cache.get(i).as_ref() == Some(sample));
        }
        assert!(cache.get(8).is_none());
        // Another key is another file.
        assert!(Cache::open(folder.path(), "b").unwrap().is_empty());
        // A second process is refused.
        let error = Cache::open(folder.path(), "a").err().unwrap();
        assert!(error.contains("another training"), "{error}");
    }

    #[test]
    fn a_torn_tail_is_cut_off_and_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let samples = samples();
        let path = fill(folder.path(), &samples);
        let whole = std::fs::read(&path).unwrap();
        let last = HEAD + encode(&samples[7]).len();
        for torn in [1, last / 2, last - 10, last - 1] {
            std::fs::write(&path, &whole[..whole.len() - torn]).unwrap();
            let mut cache = Cache::open(folder.path(), "a").unwrap();
            assert_eq!(cache.len(), 7, "{torn} bytes torn off");
            assert!(cache.get(6).as_ref() == Some(&samples[6]));
            cache.add(7, &samples[7]).unwrap();
            drop(cache);
            assert!(std::fs::read(&path).unwrap() == whole);
        }
        // Rubbish behind the last record.
        std::fs::write(&path, [&whole[..], &[0; 100]].concat()).unwrap();
        assert_eq!(Cache::open(folder.path(), "a").unwrap().len(), 8);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), whole.len() as u64);
    }

    #[test]
    fn a_damaged_sample_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let samples = samples();
        let path = fill(folder.path(), &samples);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[HEAD + 5000] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let mut cache = Cache::open(folder.path(), "a").unwrap();
        assert!(cache.get(0).is_none());
        assert!(cache.get(1).as_ref() == Some(&samples[1]));
        cache.add(0, &samples[0]).unwrap();
        assert!(cache.get(0).as_ref() == Some(&samples[0]));
    }

    #[test]
    fn what_cannot_be_written_is_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let samples = samples();
        let mut cache = Cache::open(folder.path(), "a").unwrap();
        cache.add(0, &samples[0]).unwrap();
        cache.file = File::open(&cache.path).unwrap();
        let error = cache.add(1, &samples[1]).unwrap_err();
        assert!(error.contains("continues without"), "{error}");
        assert_eq!(cache.add(2, &samples[2]), Ok(()));
        // What was written before still serves.
        assert!(cache.get(0).as_ref() == Some(&samples[0]));
        assert!(cache.get(1).is_none());
    }

    #[test]
    fn the_key_is_the_seeds_the_distributions_and_the_ears() {
        let (ear, of) = (EarConfig::default(), Distribution::default());
        let same = key(&ear, &of, 1).unwrap();
        assert_eq!(key(&ear, &of, 1).unwrap(), same);
        assert_ne!(key(&ear, &of, 2).unwrap(), same);
        let other = Distribution { uniform: 0.4, ..of };
        assert_ne!(key(&ear, &other, 1).unwrap(), same);
    }
}
