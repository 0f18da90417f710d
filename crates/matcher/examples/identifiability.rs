//! Audibility of the matched parameters: two tables over 200 random patches (or as many as the
//! first argument says). `cargo run --release -p matcher --example identifiability`
//!
//! A patch plays two notes; its effect vectors are the differences that moving one matched
//! parameter by a tenth of its range makes to the auditory spectrogram.
//!
//! 1. Effect over chance: the length of each effect over the distance between two renders that
//!    differ only in what is random: with phases alone (the noise turned off), and with phases and
//!    noise. Notes start in phase by default, so that without noise chance does nothing; a patch
//!    with free phases is given for comparison. An effect is audible above three such distances.
//! 2. Twins: |cosine| between the effects of each pair. It should not exceed 0.95 in half of them.

use ear::{EarConfig, Spectrogram};
use rand::SeedableRng;
use synth::{MATCHED, MATCHED_COUNT, Note, PARAMS, Patch, params};

const RATE: f64 = 32_000.0;
const SECONDS: f64 = 1.5;
/// Smallest audible effect, in distances between two seeds.
const AUDIBLE: f64 = 3.0;
/// |cosine| above which two effects are the same.
const SAME: f64 = 0.95;

/// Two notes with a rest between, so that attack, decay, sustain and release are heard.
fn notes() -> [Note; 2] {
    let note = |onset, duration, key| Note {
        onset,
        duration,
        key,
        velocity: 0.8,
    };
    [note(0.05, 0.6, 48.0), note(0.85, 0.35, 60.0)]
}

fn hear(ear: &EarConfig, patch: &Patch, seed: u64) -> Vec<f32> {
    let [left, _] = synth::render(patch, &notes(), SECONDS, RATE as f32, seed);
    let heard: Spectrogram =
        ear::spectrogram(ear, &left, RATE, false).expect("32 kHz suits the ear");
    heard.data
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| a as f64 * b as f64).sum()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Source of chance in the first table.
#[derive(Clone, Copy)]
struct Chance {
    name: &'static str,
    noise: bool,
    free_phases: bool,
}

const CHANCES: [Chance; 3] = [
    Chance {
        name: "phases",
        noise: false,
        free_phases: false,
    },
    Chance {
        name: "and noise",
        noise: true,
        free_phases: false,
    },
    Chance {
        name: "free phases",
        noise: false,
        free_phases: true,
    },
];

/// Effects of each matched parameter of `patch`, and the distance between two renders of it.
fn effects(config: &EarConfig, patch: &Patch) -> (Vec<Vec<f32>>, f64) {
    let base = hear(config, patch, 1);
    let other = difference(&base, &hear(config, patch, 2));
    let effects = MATCHED
        .iter()
        .map(|&row| {
            let mut moved = *patch;
            let x = patch.get(row);
            moved.set(row, if x > 0.9 { x - 0.1 } else { x + 0.1 });
            difference(&hear(config, &moved, 1), &base)
        })
        .collect();
    (effects, dot(&other, &other).sqrt())
}

fn main() {
    let count = std::env::args()
        .nth(1)
        .map_or(200, |n| n.parse().expect("the number of patches"));
    let config = EarConfig::default();
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(200);
    let mut audible = [[0usize; MATCHED_COUNT]; CHANCES.len()];
    let mut cosines = vec![vec![Vec::new(); MATCHED_COUNT]; MATCHED_COUNT];
    for _ in 0..count {
        let random = Patch::random(&mut rng);
        for (chance, audible) in CHANCES.iter().zip(&mut audible) {
            let mut patch = random;
            if !chance.noise {
                patch.set_plain(params::NOISE_LEVEL, 0.0);
            }
            if chance.free_phases {
                patch.set_plain(params::OSC_PHASE, 0.0);
            }
            let (effects, distance) = effects(&config, &patch);
            let lengths: Vec<f64> = effects.iter().map(|e| dot(e, e).sqrt()).collect();
            for (audible, length) in audible.iter_mut().zip(&lengths) {
                *audible += (*length > AUDIBLE * distance) as usize;
            }
            if !chance.noise || chance.free_phases {
                continue;
            }
            for i in 0..MATCHED_COUNT {
                for j in 0..i {
                    let lengths = lengths[i] * lengths[j];
                    let cosine = match lengths > 0.0 {
                        true => (dot(&effects[i], &effects[j]) / lengths).abs(),
                        false => 0.0,
                    };
                    cosines[i][j].push(cosine);
                }
            }
        }
    }
    let share = |n: usize| 100.0 * n as f64 / count as f64;
    println!(
        "share of {count} patches in which 10 % is more than {AUDIBLE} times what chance does, %"
    );
    print!("{:<20}", "parameter");
    CHANCES.iter().for_each(|c| print!("{:>13}", c.name));
    println!();
    for (i, &row) in MATCHED.iter().enumerate() {
        print!("{:<20}", PARAMS[row].id);
        audible.iter().for_each(|a| print!("{:>13.0}", share(a[i])));
        println!();
    }
    println!("\npairs by |cosine|: the ten most alike");
    let mut pairs = Vec::new();
    for (i, row) in cosines.iter().enumerate() {
        for (j, cosines) in row.iter().enumerate().take(i) {
            let same = cosines.iter().filter(|&&c| c > SAME).count();
            pairs.push((median(cosines), share(same), i, j));
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (cosine, same, i, j) in pairs.into_iter().take(10) {
        let [a, b] = [i, j].map(|k| PARAMS[MATCHED[k]].id);
        println!("{a:<20} {b:<20} median {cosine:.3}, above {SAME} in {same:.0} %");
    }
}
