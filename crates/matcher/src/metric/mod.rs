//! The likeness and mel distance of two sounds, and the notes of a clip.

mod likeness;
pub mod mel;
mod melody;
mod octave;

pub(crate) use likeness::aligned;
pub use likeness::{likeness, mel_distance, pitch_agreement};
pub(crate) use melody::velocity;
pub use melody::{HeardNote, NoteTracker, Transcription, melody, transcribe};
pub(crate) use octave::raise_sub;
