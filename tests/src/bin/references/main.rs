//! Writes a folder of foreign melodies for `mirrornet train --references`: unlabelled material to mirror.
//!
//! The sounds are Debian's fluid-soundfont-gm. The tests measure the match with another SoundFont, on
//! other melodies and on programs that are left out here.

use rand::{Rng, SeedableRng};
use std::path::PathBuf;
use tests::melody::{RATE, compose, play, soundfont};
use tests::wav;

/// General MIDI programs (from 0) that the tests measure with: never in the references.
const HELD_OUT: [i32; 5] = [0, 40, 56, 71, 73];

/// Melodic programs and the keys they are played in. Pads, effects and drums are no melodies.
const PROGRAMS: [(std::ops::RangeInclusive<i32>, i32, i32); 13] = [
    (1..=7, 40, 84),     // pianos, harpsichord, clavinet
    (8..=14, 55, 88),    // celesta to dulcimer
    (16..=23, 40, 84),   // organs, accordion, harmonica
    (24..=31, 40, 79),   // guitars
    (32..=39, 36, 60),   // basses
    (41..=46, 43, 79),   // viola to harp
    (48..=51, 43, 84),   // string ensembles
    (52..=54, 48, 79),   // voices
    (57..=63, 41, 77),   // trombone to synth brass
    (64..=70, 43, 81),   // saxophones to bassoon
    (72..=79, 60, 88),   // piccolo to ocarina
    (80..=87, 40, 84),   // synth leads
    (104..=111, 48, 84), // sitar to shanai
];

/// Melodies of each program, the latter half in a room. Odd, so that the trainer's held-out clips, every
/// tenth, are of both kinds.
const TAKES: usize = 9;

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let out = match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(flag), Some(out), None) if flag == "--out" => PathBuf::from(out),
        _ => {
            eprintln!("usage: references --out DIR");
            std::process::exit(2);
        }
    };
    if let Err(e) = std::fs::create_dir_all(&out) {
        eprintln!("could not make the folder {}: {e}", out.display());
        std::process::exit(1);
    }
    let font = soundfont("FluidR3_GM.sf2", "fluid-soundfont-gm");
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(0x5eed);
    let mut written = 0;
    for (programs, low, high) in PROGRAMS {
        for program in programs.filter(|p| !HELD_OUT.contains(p)) {
            for take in 1..=TAKES {
                let notes = compose(rng.random(), low, high);
                let wet = take > TAKES / 2;
                let samples = play(&font, program, &notes, wet);
                let room = if wet { "wet" } else { "dry" };
                wav::write(
                    &out.join(format!("{program:03}-{take}-{room}.wav")),
                    &[&samples],
                    RATE,
                );
                written += 1;
            }
        }
    }
    println!("{written} melodies of 8 s in {}", out.display());
}
