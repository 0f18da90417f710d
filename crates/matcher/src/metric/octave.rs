//! Notes whose pitch is that of a sub-oscillator.
//!
//! The synthesizer's sub-oscillator is a sine an octave below the key. The pitch heard is rightly
//! the sine's, but played with that pitch the patch would be an octave too low. The partials tell:
//! above the sine every odd one is missing. No instrument that was recorded has such partials, and
//! what is played without a sub-oscillator can't have them.

use ear::{CHANNELS, Spectrogram, key_to_hz};
use synth::Note;

/// Number of dB by which odd partials must be below the even ones beside them, median over the
/// notes. Of twenty random patches nine that are heard an octave low have 16 to 34, those heard at
/// their key at most 15; of 48 melodies of recorded instruments none has more than 12.
const MISSING_DB: f32 = 16.0;
/// Number of frames of a note's attack and of its end that don't count, least number of the others,
/// and largest.
const ATTACK: usize = 5;
const BLUR: usize = 2;
const LEAST: usize = 3;
const MOST: usize = 60;
/// Level of the fourth partial, in dB below the strongest one, from which on it counts.
const RANGE_DB: f32 = 35.0;
/// Largest distance of a channel from a partial, in octaves.
const NEAR: f32 = 0.043;

/// Moves `notes` of `heard` an octave up where their pitch is that of a sub-oscillator, all of them
/// together, and returns whether it is. `centre` are the channels' centre frequencies in Hz.
pub fn raise_sub(heard: &Spectrogram, centre: &[f32; CHANNELS], notes: &mut [Note]) -> bool {
    let missing = |note: &Note| missing_db(heard, centre, note);
    let mut all: Vec<f32> = notes.iter().filter_map(missing).collect();
    all.sort_by(f32::total_cmp);
    let is_sub = all.get(all.len() / 2).is_some_and(|&db| db >= MISSING_DB);
    if is_sub {
        notes.iter_mut().for_each(|note| note.key += 12.0);
    }
    is_sub
}

/// By how many dB the third and the fifth partial of a note are below the fourth, and the fifth and
/// seventh below the sixth where there is one; `None` where it is too short or too high.
fn missing_db(heard: &Spectrogram, centre: &[f32; CHANNELS], note: &Note) -> Option<f32> {
    let frame = |seconds: f64| (seconds * heard.frame_rate).max(0.0) as usize;
    let end = frame(note.onset + note.duration).min(heard.frames());
    let frames = frame(note.onset) + ATTACK..end.saturating_sub(BLUR);
    if frames.len() < LEAST {
        return None;
    }
    let hz = key_to_hz(f64::from(note.key)) as f32;
    let level = |partial: usize| {
        let distance = |c: &usize| (centre[*c] / (partial as f32 * hz)).log2().abs();
        let nearest = (0..CHANNELS).min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        let around = nearest.saturating_sub(1)..(nearest + 2).min(CHANNELS);
        let peak = |f: usize| {
            let row = &heard.data[f * CHANNELS..][around.clone()];
            row.iter().fold(0.0f32, |m, &x| m.max(x))
        };
        let sum: f32 = frames.clone().take(MOST).map(peak).sum();
        (distance(&nearest) < NEAR).then(|| 20.0 * sum.max(1e-9).log10())
    };
    let lacks = |odd: usize| Some(level(odd + 1)? - level(odd)?.max(level(odd + 2)?));
    // What is hardly heard may be anything.
    let top = (1..=4).filter_map(level).fold(f32::MIN, f32::max);
    (level(4)? > top - RANGE_DB).then_some(lacks(3)? + lacks(5).unwrap_or(0.0).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::melody;
    use ear::EarConfig;
    use synth::{Patch, params::SUB_LEVEL};

    const RATE: f64 = 16_000.0;

    fn phrase() -> Vec<Note> {
        let note = |i: usize| Note {
            onset: 0.1 + 0.5 * i as f64,
            duration: 0.4,
            key: 60.0 + [0.0, 4.0, -5.0, 7.0][i],
            velocity: 0.8,
        };
        (0..4).map(note).collect()
    }

    /// Distances in semitones of the notes heard from those of `sound`.
    fn off(sound: &[f32]) -> Vec<f32> {
        let config = EarConfig::default();
        let heard = ear::spectrogram(&config, sound, RATE, true).unwrap();
        let mut notes = melody(&heard);
        raise_sub(&heard, &ear::centre_frequencies(&config, RATE), &mut notes);
        assert_eq!(notes.len(), 4);
        let pairs = notes.iter().zip(phrase());
        pairs
            .map(|(heard, played)| (heard.key - played.key).round())
            .collect()
    }

    #[test]
    fn notes_with_a_sub_oscillator_are_heard_at_their_key() {
        for (sub, shape) in [(0.0, 2.0), (0.5, 2.0), (1.0, 2.0), (0.7, 3.0), (0.0, 3.0)] {
            let mut patch = Patch::default();
            patch.set_plain(SUB_LEVEL, sub);
            patch.set_plain(synth::params::OSC1_SHAPE, shape);
            patch.set_plain(synth::params::OSC2_SHAPE, shape);
            let sound = synth::render_mono(&patch, &phrase(), 2.2, RATE as f32, 1);
            assert_eq!(off(&sound), [0.0; 4], "sub {sub}, shape {shape}");
        }
    }

    #[test]
    fn partials_of_other_sounds_do_not_move_a_note() {
        // Amplitudes of partials: a sine, an octave beside its fundamental, only odd ones, a weak
        // third one, and only the first and the even ones, but soft.
        let sounds: [&[f32]; 5] = [
            &[1.0],
            &[1.0, 0.8],
            &[1.0, 0.0, 0.5, 0.0, 0.3, 0.0, 0.2],
            &[1.0, 0.5, 0.05, 0.3, 0.3, 0.2, 0.2],
            &[1.0, 0.5, 0.2, 0.2, 0.1, 0.1, 0.1],
        ];
        for partials in sounds {
            let mut sound = vec![0.0; (2.2 * RATE) as usize];
            for note in phrase() {
                let hz = key_to_hz(f64::from(note.key));
                let first = (note.onset * RATE) as usize;
                for i in 0..(note.duration * RATE) as usize {
                    let time = i as f64 / RATE;
                    let fade = (time.min(note.duration - time) / 0.01).min(1.0);
                    let wave = |(p, a): (usize, &f32)| {
                        let phase = std::f64::consts::TAU * hz * (p + 1) as f64 * time;
                        f64::from(*a) * phase.sin()
                    };
                    let sum: f64 = partials.iter().enumerate().map(wave).sum();
                    sound[first + i] += (0.2 * fade * sum) as f32;
                }
            }
            assert_eq!(off(&sound), [0.0; 4], "{partials:?}");
        }
    }
}
