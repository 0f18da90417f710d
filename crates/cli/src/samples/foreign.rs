//! Unlabelled sounds to mirror: every sound file under a folder, heard once at the start.

use super::distribution::Distribution;
use super::plant::{FRAME, Phrase, Window};
use crate::parallel::{cores, side_by_side};
use audio_file::AudioError;
use ear::{CHANNELS, EarConfig, EarError};
use matcher::{INPUT_LEN, WINDOW_FRAMES};
use matcher::{quantize_window, sha256_hex};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use synth::Note;

/// Longest total of references kept, in seconds: 64 kB each.
const MAX_SECONDS: f64 = 4.0 * 3600.0;
/// Files heard side by side, by as many threads as there are cores.
const AT_ONCE: usize = 64;
/// A window whose peak is this far below its clip's is taken for silence.
const SILENCE: f32 = 0.01;

/// The reason the references can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The folder can't be read.
    #[error("cannot read the references folder {0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// The folder has no usable sound.
    #[error(
        "no sound file of at least 0.3 s that sounds was found under {0}: give a folder with some"
    )]
    Empty(PathBuf),
    /// The ear rejects its configuration.
    #[error(transparent)]
    Ear(#[from] EarError),
}

/// A file's name within the folder and its SHA-256, for the training record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path below the references folder, with `/`.
    pub name: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
}

struct Clip {
    frames: Vec<f32>,
    peak: f32,
    melody: Vec<Note>,
}

/// A window of a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    clip: usize,
    /// Frame at which the window starts; may be negative: silence before the clip.
    frame: i64,
}

/// The clips of a references folder, split into a training and a held-out part.
pub struct Foreign {
    clips: Vec<Clip>,
    /// True for each clip that is held out for validation.
    held_out: Vec<bool>,
    /// Files that were read.
    pub files: Vec<FileRecord>,
    /// Files left out, with the reason.
    pub skipped: Vec<String>,
    /// Remarks on the files that were read.
    pub remarks: Vec<String>,
}

impl Foreign {
    /// Reads and hears every sound file under `folder`, in order of name.
    pub fn read(folder: &Path, ear: &EarConfig) -> Result<Self, ForeignError> {
        let found =
            audio_file::sound_files(folder).map_err(|e| ForeignError::Folder(folder.into(), e))?;
        let mut all = Self {
            clips: Vec::new(),
            held_out: Vec::new(),
            files: Vec::new(),
            skipped: found.closed,
            remarks: Vec::new(),
        };
        let mut seconds = 0.0;
        for paths in found.files.chunks(AT_ONCE) {
            let heard = match seconds > MAX_SECONDS {
                true => paths
                    .iter()
                    .map(|_| Err("four hours are enough".into()))
                    .collect(),
                false => side_by_side(cores(), paths, |p| Clip::read(p, ear)),
            };
            for (path, clip) in paths.iter().zip(heard) {
                let name = path
                    .strip_prefix(folder)
                    .unwrap_or(path)
                    .to_string_lossy()
                    .replace('\\', "/");
                match clip {
                    Ok((clip, sha256, remarks)) => {
                        let remarks = remarks.into_iter();
                        all.remarks
                            .extend(remarks.map(|remark| format!("{name}: {remark}")));
                        seconds += clip.frames.len() as f64 / CHANNELS as f64 * FRAME;
                        all.clips.push(clip);
                        all.files.push(FileRecord { name, sha256 });
                    }
                    Err(reason) => all.skipped.push(format!("{name}: {reason}")),
                }
            }
        }
        if all.clips.is_empty() {
            return Err(ForeignError::Empty(folder.into()));
        }
        all.held_out = held_out(&all.files);
        Ok(all)
    }

    /// A random window that is not silent, from the training part.
    pub fn draw(&self, of: &Distribution, rng: &mut impl Rng) -> Place {
        self.draw_from(of, rng, false)
    }

    /// A random window of the held-out part.
    pub fn draw_held_out(&self, of: &Distribution, rng: &mut impl Rng) -> Place {
        // Of a single clip there is nothing to hold out.
        self.draw_from(of, rng, self.held_out.contains(&true))
    }

    fn draw_from(&self, of: &Distribution, rng: &mut impl Rng, held_out: bool) -> Place {
        let early = of.early as i64;
        let n = self.clips.len();
        let mut place = Place { clip: 0, frame: 0 };
        // A clip chosen evenly, so that one long file can't drown the others.
        for _ in 0..1000 {
            place.clip = rng.random_range(0..n);
            if self.held_out[place.clip] != held_out {
                continue;
            }
            let frames = (self.clips[place.clip].frames.len() / CHANNELS) as i64;
            place.frame = rng.random_range(-early..(frames - 32).max(1 - early));
            if self.sounds(place) {
                break;
            }
        }
        place
    }

    fn sounds(&self, place: Place) -> bool {
        let clip = &self.clips[place.clip];
        let (from, to) = clip.range(place.frame);
        let loudest = clip.frames[from * CHANNELS..to * CHANNELS]
            .iter()
            .fold(0.0f32, |m, &v| m.max(v));
        loudest > SILENCE * clip.peak
    }

    /// A window up to `of.ahead` frames later in the clip, one in which something sounds: what is
    /// played while the inference of the window at `place` holds.
    pub fn later(&self, place: Place, of: &Distribution, rng: &mut impl Rng) -> Place {
        (0..20)
            .map(|_| Place {
                frame: place.frame + rng.random_range(0..=of.ahead as i64),
                ..place
            })
            .find(|&later| self.sounds(later))
            .unwrap_or(place)
    }

    /// The quantised window at `place`.
    pub fn window(&self, place: Place) -> Window {
        let clip = &self.clips[place.clip];
        let (from, to) = clip.range(place.frame);
        let mut linear = vec![0.0; INPUT_LEN];
        let offset = (from as i64 - place.frame) as usize * CHANNELS;
        let cells = &clip.frames[from * CHANNELS..to * CHANNELS];
        linear[offset..][..cells.len()].copy_from_slice(cells);
        let mut out = vec![0; INPUT_LEN].into_boxed_slice();
        quantize_window(&linear, &mut out);
        out
    }

    /// The notes heard in the window at `place`, to be played by our synthesizer.
    pub fn phrase(&self, place: Place) -> Phrase {
        let start = place.frame as f64 * FRAME;
        // A fixed seed: the same guess must sound the same.
        Phrase::excerpt(&self.clips[place.clip].melody, start, 1)
    }
}

/// Selects the files to hold out: every tenth folder, an instrument each, where there are at least
/// ten; else every tenth file; none of a single one.
fn held_out(files: &[FileRecord]) -> Vec<bool> {
    let folder = |file: &FileRecord| {
        file.name
            .rsplit_once('/')
            .map(|(folder, _)| folder.to_owned())
    };
    let mut folders: Vec<_> = files.iter().map(folder).collect();
    folders.dedup();
    if folders.len() < 10 {
        return (0..files.len()).map(|i| i % 10 == 1).collect();
    }
    files
        .iter()
        .map(|file| {
            folders
                .iter()
                .position(|f| *f == folder(file))
                .is_some_and(|i| i % 10 == 1)
        })
        .collect()
}

impl Clip {
    /// The clip, the SHA-256 of its file, and what is odd about that.
    fn read(path: &Path, ear: &EarConfig) -> Result<(Self, String, Vec<String>), String> {
        let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
        let audio = audio_file::read(&bytes).map_err(|e: AudioError| e.to_string())?;
        let heard = ear::spectrogram(ear, &audio.mono(), audio.rate as f64, true)
            .map_err(|e| e.to_string())?;
        let peak = heard.data.iter().fold(0.0f32, |m, &v| m.max(v));
        if heard.frames() < 38 {
            return Err("shorter than 0.3 s".into());
        }
        if peak < 1e-6 {
            return Err("silent".into());
        }
        let melody = matcher::metric::melody(&heard);
        Ok((
            Self {
                frames: heard.data,
                peak,
                melody,
            },
            sha256_hex(&bytes),
            audio.remarks,
        ))
    }

    /// Frames of the clip inside the window that starts at `frame`.
    fn range(&self, frame: i64) -> (usize, usize) {
        let n = (self.frames.len() / CHANNELS) as i64;
        (
            frame.clamp(0, n) as usize,
            (frame + WINDOW_FRAMES as i64).clamp(0, n) as usize,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_out_of(names: &[String]) -> Vec<String> {
        let files: Vec<FileRecord> = names
            .iter()
            .map(|name| FileRecord {
                name: name.clone(),
                sha256: String::new(),
            })
            .collect();
        let held_out = held_out(&files);
        let both = names.iter().zip(held_out);
        both.filter(|(_, held_out)| *held_out)
            .map(|(name, _)| name.clone())
            .collect()
    }

    #[test]
    fn whole_instruments_are_held_out_where_there_are_many() {
        let clips = |instruments: usize| -> Vec<String> {
            let clip = |i: usize| format!("font/{:02}/{}.wav", i / 3, i % 3);
            (0..3 * instruments).map(clip).collect()
        };
        let wanted: Vec<String> = [1, 11]
            .iter()
            .flat_map(|i| (0..3).map(move |k| format!("font/{i:02}/{k}.wav")))
            .collect();
        assert_eq!(held_out_of(&clips(20)), wanted);
        let few = ["font/00/1.wav", "font/03/2.wav"].map(String::from);
        assert_eq!(held_out_of(&clips(5)), few);
        assert!(held_out_of(&clips(5)[..1]).is_empty());
    }
}
