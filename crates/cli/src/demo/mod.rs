//! The demo: three bundled melodies of other instruments, mirrored by the live loop and by the
//! search, on one HTML page that needs nothing but itself.

mod charts;
mod dials;
mod page;
mod pair;

pub use page::page;

use crate::encoder::LoadedModel;
use crate::evaluate::{Clip, EvaluateError, Mirrored, Search, mirror};
use audio_file::AudioError;
use matcher::search::Score;
use synth::Patch;

/// Renders of a search for one melody: about 5 s on two cores.
pub const RENDERS: u32 = 1_000;

/// A melody that comes with this program.
pub struct Bundled {
    /// Name for people and, with hyphens for spaces, for links.
    pub name: &'static str,
    /// The instrument, in a sentence.
    pub about: &'static str,
    /// Bytes of a WAV file.
    wav: &'static [u8],
}

/// The bundled melodies, made by `examples/demo_references`.
pub const REFERENCES: [Bundled; 3] = [
    Bundled {
        name: "Plucked string",
        about: "A string on a wooden body, computed as waves that run along it.",
        wav: include_bytes!("../../../../assets/references/plucked-string.wav"),
    },
    Bundled {
        name: "Reed pipe",
        about: "A reed at the end of a pipe, computed as waves in a bore, blown in one breath.",
        wav: include_bytes!("../../../../assets/references/reed-pipe.wav"),
    },
    Bundled {
        name: "Tine piano",
        about: "A struck tine in front of a pickup, computed by frequency modulation.",
        wav: include_bytes!("../../../../assets/references/tine-piano.wav"),
    },
];

/// A bundled melody and all that was played in answer to it.
pub struct Example {
    /// The melody.
    pub reference: &'static Bundled,
    /// Sound and notes of the reference.
    pub clip: Clip,
    /// Renders that answer the melody.
    pub mirrored: Mirrored,
    /// Score of the default patch with the same notes, for comparison.
    pub default: Score,
}

/// The reason a melody can't be mirrored.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The bundled file is broken.
    #[error("the bundled melody is {0}")]
    Audio(#[from] AudioError),
    /// The ear or the encoder fails.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
}

/// Mirrors a bundled melody by the live loop and by a search of `renders` renders on `threads`
/// threads, the same on every machine with the same vector instructions. `progress` is told the
/// share of the search that is done.
pub fn mirror_bundled(
    reference: &'static Bundled,
    model: &mut LoadedModel,
    renders: u32,
    threads: usize,
    mut progress: impl FnMut(f64),
) -> Result<Example, DemoError> {
    let sound = audio_file::read(reference.wav)?;
    let clip = Clip {
        name: reference.name.into(),
        mono: sound.mono(),
        rate: f64::from(sound.rate),
        notes: None,
    };
    let search = Search {
        time: None,
        renders: Some(renders as usize),
        threads,
    };
    let mirrored = mirror(
        &clip,
        &model.contract.ear,
        &mut model.encoder,
        Some(search),
        |at| {
            progress(at.used);
            true
        },
    )?;
    let default = mirrored.score_of(Patch::default());
    Ok(Example {
        reference,
        default: default.map_err(EvaluateError::from)?,
        mirrored,
        clip,
    })
}
