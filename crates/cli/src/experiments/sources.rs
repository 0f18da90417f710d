//! The sounds of the experiments: melodies of our own synthesizer after the paper's generator, and
//! three melodies of other instruments that come with this program.

use crate::evaluate::Clip;
use audio_file::AudioError;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use synth::params;
use synth::{MATCHED_COUNT, Note, Patch};

/// Rate of our own sounds in Hz: twice the ear's.
pub const RATE: f64 = 32_000.0;
/// Length of a melody of the paper's generator, and of the silence after it, in seconds.
const MELODY: f64 = 2.0;
const PAD: f64 = 0.1;
/// Notes of a melody.
const NOTES: usize = 5;
/// Keys: the steps of the paper's scale above its lowest key.
const LOWEST: i32 = 62;
const SCALE: [i32; 8] = [0, 2, 3, 5, 7, 9, 10, 12];
/// Part of each matched parameter's range that the paper's experiments are drawn from.
pub const MIDDLE: (f32, f32) = (0.2, 0.8);
/// Peak below which a patch is taken for silent, and another one is drawn.
const AUDIBLE: f32 = 1e-3;

/// A sound to be mirrored.
pub struct Subject {
    /// Name for people; links have hyphens for its spaces.
    pub name: String,
    /// Description, a sentence.
    pub about: String,
    /// The sound, and its notes where they are given.
    pub clip: Clip,
    /// The patch that made it, if our synthesizer did.
    pub patch: Option<Patch>,
}

/// A set of our own sounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Own {
    /// The paper's first experiment: parameters in [`MIDDLE`] of their ranges.
    Plain,
    /// The paper's second: the same with a vibrato that no matched parameter controls.
    Vibrato,
    /// Patches uniform over the whole of each range.
    Unseen,
}

/// A source of random numbers for item `index` of a set.
fn rng(seed: u64, stream: u64, index: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03)
            ^ index.wrapping_mul(0xA076_1D64_78BD_642F),
    )
}

/// Melody `index` of `seed` by the paper's generator: five notes one after the other, keys of a
/// scale, durations of 0.4 to 0.9 made 2 s together, full velocity.
pub fn melody(seed: u64, index: u64) -> Vec<Note> {
    let mut rng = rng(seed, 11, index);
    let durations: [f64; NOTES] = std::array::from_fn(|_| 0.4 + 0.5 * rng.random::<f64>());
    let factor = MELODY / durations.iter().sum::<f64>();
    let mut onset = 0.0;
    durations
        .iter()
        .map(|duration| {
            let step = SCALE[rng.random_range(0..SCALE.len())];
            let note = Note {
                onset,
                duration: factor * duration,
                key: (LOWEST + step) as f32,
                velocity: 1.0,
            };
            onset += note.duration;
            note
        })
        .collect()
}

/// Random patch `index` of `seed`, for a library or a guess.
pub fn random_patch(seed: u64, index: u64) -> Patch {
    Patch::random(&mut rng(seed, 12, index))
}

/// Sound `index` of `seed` of a set, playing `notes`.
pub fn own(set: Own, seed: u64, index: u64, notes: Vec<Note>) -> Subject {
    let (stream, name) = match set {
        Own::Plain => (13, "Own"),
        Own::Vibrato => (14, "Vibrato"),
        Own::Unseen => (15, "Unseen"),
    };
    let mut rng = rng(seed, stream, index);
    let (patch, mono) = loop {
        let patch = draw(set, &mut rng);
        let sound = synth::render(&patch, &notes, MELODY + PAD, RATE as f32, rng.random());
        let mono = synth::to_mono(sound);
        if mono.iter().any(|x| x.abs() > AUDIBLE) {
            break (patch, mono);
        }
    };
    let about = match set {
        Own::Vibrato => format!(
            "A random patch with a vibrato of {:.0} cents at {:.1} Hz that no matched parameter has.",
            2_400.0 * patch.plain(params::MOD1_AMOUNT),
            patch.plain(params::LFO2_RATE)
        ),
        _ => "A random patch of our own synthesizer.".into(),
    };
    let name = format!("{name} {}", index + 1);
    Subject {
        clip: Clip {
            name: name.clone(),
            mono,
            rate: RATE,
            notes: Some(notes),
        },
        name,
        about,
        patch: Some(patch),
    }
}

/// A random patch of a set.
fn draw(set: Own, rng: &mut impl Rng) -> Patch {
    let (low, high) = match set {
        Own::Unseen => (0.0, 1.0),
        Own::Plain | Own::Vibrato => MIDDLE,
    };
    let mut h = [0.0; MATCHED_COUNT];
    h.fill_with(|| rng.random_range(low..=high));
    let mut patch = Patch::default().with_matched(&h);
    if set == Own::Vibrato {
        vibrato(&mut patch, rng);
    }
    patch
}

/// Sets a vibrato of the second LFO, which starts anywhere in its cycle.
fn vibrato(patch: &mut Patch, rng: &mut impl Rng) {
    let choice = |names: &[&str], name: &str| {
        let index = names.iter().position(|n| *n == name);
        index.expect("the synthesizer has it") as f32
    };
    patch.set_plain(params::MOD1_SOURCE, choice(params::SOURCES, "LFO 2"));
    patch.set_plain(params::MOD1_DEST, choice(params::DESTINATIONS, "Pitch"));
    // Of the range of pitch modulation, 24 semitones: 15 to 50 cents.
    patch.set_plain(params::MOD1_AMOUNT, rng.random_range(0.15..0.5) / 24.0);
    patch.set_plain(params::LFO2_RATE, rng.random_range(3.0..7.0));
    patch.set_plain(params::LFO2_PHASE, rng.random());
}

/// A melody that comes with this program, made by `examples/demo_references`.
struct Bundled {
    name: &'static str,
    about: &'static str,
    wav: &'static [u8],
}

const BUNDLED: [Bundled; 3] = [
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

/// The bundled melodies; their notes are not given.
pub fn bundled() -> Result<Vec<Subject>, AudioError> {
    let subject = |bundled: &Bundled| {
        let sound = audio_file::read(bundled.wav)?;
        Ok(Subject {
            name: bundled.name.into(),
            about: bundled.about.into(),
            clip: Clip {
                name: bundled.name.into(),
                mono: sound.mono(),
                rate: f64::from(sound.rate),
                notes: None,
            },
            patch: None,
        })
    };
    BUNDLED.iter().map(subject).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn melodies_are_those_of_the_papers_generator() {
        for index in 0..50 {
            let notes = melody(1, index);
            assert_eq!(notes.len(), NOTES);
            let end = notes.last().map(|n| n.onset + n.duration).unwrap();
            assert!((end - MELODY).abs() < 1e-9);
            for pair in notes.windows(2) {
                assert!((pair[0].onset + pair[0].duration - pair[1].onset).abs() < 1e-9);
            }
            for note in notes {
                assert!(SCALE.contains(&(note.key as i32 - LOWEST)));
                assert!((0.2..0.8).contains(&note.duration), "{}", note.duration);
                assert_eq!(note.velocity, 1.0);
            }
        }
        assert_ne!(melody(1, 0), melody(1, 1));
        assert_ne!(melody(1, 0), melody(2, 0));
    }

    #[test]
    fn own_sounds_are_audible_and_in_their_ranges() {
        for set in [Own::Plain, Own::Vibrato, Own::Unseen] {
            let mut outside = 0;
            for index in 0..20 {
                let subject = own(set, 3, index, melody(3, index));
                assert_eq!(subject.clip.mono.len(), (RATE * (MELODY + PAD)) as usize);
                assert!(subject.clip.mono.iter().any(|x| x.abs() > AUDIBLE));
                let h = subject.patch.unwrap().matched();
                let (low, high) = MIDDLE;
                outside += h.iter().filter(|x| !(low..=high).contains(x)).count();
            }
            assert_eq!(outside > 0, set == Own::Unseen, "{set:?}");
        }
    }

    #[test]
    fn a_vibrato_changes_the_sound_and_no_matched_parameter() {
        let mut rng = rng(1, 1, 1);
        let plain = Patch::default();
        let mut with = plain;
        vibrato(&mut with, &mut rng);
        assert_eq!(plain.matched(), with.matched());
        let play = |patch| synth::render_mono(&patch, &melody(1, 0), 1.0, 32_000.0, 1);
        assert_ne!(play(plain), play(with));
    }

    #[test]
    fn bundled_melodies_sound() {
        let all = bundled().unwrap();
        assert_eq!(all.len(), 3);
        assert!(
            all.iter()
                .all(|s| s.clip.mono.iter().any(|x| x.abs() > 0.01))
        );
    }
}
