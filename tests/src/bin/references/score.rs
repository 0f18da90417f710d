//! Melodies in several styles of playing, so that the training material has no single one.

use ::tests::melody::SECONDS;
use rand::Rng;
use rand::seq::IndexedRandom;
use synth::Note;

/// A style of playing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Style {
    /// A walk of notes of 0.25 to 0.9 s with short rests, as the tests' melodies.
    Walk,
    /// Each note until the next one begins, or a little longer.
    Legato,
    /// Short notes with rests as long as they are.
    Staccato,
    /// Notes of 1.5 to 4 s.
    Held,
    /// Runs of notes of 0.09 to 0.2 s, with a longer one now and then.
    Fast,
    /// Leaps of up to an octave and a half, soft and loud.
    Leaps,
}

impl Style {
    /// All styles, in the order in which a program's melodies take them; common ones come twice.
    pub const ALL: [Self; 8] = [
        Self::Walk,
        Self::Legato,
        Self::Staccato,
        Self::Held,
        Self::Walk,
        Self::Leaps,
        Self::Fast,
        Self::Legato,
    ];

    /// The style's part of a file's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::Legato => "legato",
            Self::Staccato => "staccato",
            Self::Held => "held",
            Self::Fast => "fast",
            Self::Leaps => "leaps",
        }
    }

    /// Length of a note and of the rest after it, in seconds; a negative rest overlaps.
    fn duration(self, rng: &mut impl Rng) -> (f64, f64) {
        let walk = [0.25, 0.3, 0.45, 0.6, 0.9];
        match self {
            Self::Walk | Self::Leaps => {
                let duration = *walk.choose(rng).unwrap_or(&0.5);
                (duration, rng.random_range(0.02..0.15))
            }
            Self::Legato => (
                *[0.25, 0.4, 0.6, 1.2].choose(rng).unwrap_or(&0.5),
                rng.random_range(-0.04..0.0),
            ),
            Self::Staccato => {
                let duration = rng.random_range(0.08..0.25);
                (duration, duration * rng.random_range(0.7..2.5))
            }
            Self::Held => (rng.random_range(1.5..4.0), rng.random_range(0.1..0.5)),
            Self::Fast if rng.random_bool(0.15) => (0.6, 0.1),
            Self::Fast => (rng.random_range(0.09..0.2), rng.random_range(0.0..0.03)),
        }
    }
}

/// A melody from `low` to `high`, in a part of that range, ending 0.5 s before the clip.
pub fn compose(rng: &mut impl Rng, style: Style, low: i32, high: i32) -> Vec<Note> {
    const SCALES: [&[i32]; 3] = [
        &[0, 2, 4, 5, 7, 9, 11],
        &[0, 2, 3, 5, 7, 8, 10],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ];
    let scale = SCALES.choose(rng).copied().unwrap_or(SCALES[0]);
    let root = rng.random_range(0..12);
    // An octave and a half somewhere in the range, or all of it.
    let (low, high) = match rng.random_bool(0.3) || high - low <= 18 {
        true => (low, high),
        false => {
            let from = rng.random_range(low..=high - 18);
            (from, from + 18)
        }
    };
    let keys: Vec<i32> = (low..=high)
        .filter(|k| scale.contains(&(k - root).rem_euclid(12)))
        .collect();
    let furthest = match style {
        Style::Leaps => 10,
        _ => 4,
    };
    let dynamics = match style {
        Style::Leaps => 25..=127,
        _ => {
            let softest = rng.random_range(35..=85);
            softest..=softest + 40
        }
    };
    let mut at = rng.random_range(0..keys.len());
    let mut onset = rng.random_range(0.0..0.3);
    let mut notes = Vec::new();
    loop {
        let (duration, rest) = style.duration(rng);
        if onset + duration > SECONDS - 0.5 {
            return notes;
        }
        notes.push(Note {
            onset,
            duration,
            key: keys[at] as f32,
            velocity: rng.random_range(dynamics.clone()) as f32 / 127.0,
        });
        onset += duration + rest;
        // Never the same key twice.
        let step = rng.random_range(1..=furthest.min(keys.len() / 2));
        let up = at < step || (at + step < keys.len() && rng.random());
        at = if up { at + step } else { at - step };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn every_style_plays_in_its_range_and_differs() {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        for style in Style::ALL {
            for _ in 0..50 {
                let notes = compose(&mut rng, style, 50, 79);
                assert!(!notes.is_empty(), "{style:?}");
                assert!(notes.iter().all(|n| (50.0..=79.0).contains(&n.key)));
                assert!(notes.iter().all(|n| (0.0..=1.0).contains(&n.velocity)));
                assert!(notes.iter().all(|n| n.onset + n.duration < SECONDS));
                let overlaps = notes
                    .windows(2)
                    .filter(|n| n[0].onset + n[0].duration > n[1].onset)
                    .count();
                let all = if style == Style::Legato {
                    notes.len() - 1
                } else {
                    0
                };
                assert_eq!(overlaps, all, "{style:?}");
                assert!(notes.windows(2).all(|n| n[0].key != n[1].key));
            }
        }
    }
}
