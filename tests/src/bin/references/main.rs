//! Writes a folder of foreign melodies, unlabelled material for `mirrornet-trainer train`.
//!
//! The sounds are those of three SoundFonts that Debian packages, each instrument in a folder of
//! its own, so that the trainer can hold out whole instruments. The tests measure the match with
//! another SoundFont, on other melodies and on programs that are left out here.

mod score;

use rand::{Rng, SeedableRng};
use score::{Style, compose};
use std::path::{Path, PathBuf};
use tests::melody::{RATE, play, soundfont};
use tests::wav;

/// General MIDI programs (from 0) used by the tests: never in the references.
const HELD_OUT: [i32; 5] = [0, 40, 56, 71, 73];

/// More programs, used by the long tests. Only FluidR3's recordings of them are in the references.
const HELD_OUT_OF_OTHERS: [i32; 3] = [24, 42, 68];

/// Folder, SoundFont, Debian package, melodies of each program, further programs left out.
const FONTS: [(&str, &str, &str, usize, &[i32]); 3] = [
    ("fluid", "FluidR3_GM.sf2", "fluid-soundfont-gm", 8, &[]),
    (
        "csound",
        "sf_GMbank.sf2",
        "csound-soundfont",
        4,
        &HELD_OUT_OF_OTHERS,
    ),
    // A chip's frequency modulation: synthetic, and like nothing in the other two.
    (
        "opl3",
        "OPL-3_FM_128M.sf2",
        "opl3-soundfont",
        4,
        &HELD_OUT_OF_OTHERS,
    ),
];

/// Melodic programs and the keys they are played in. Effects and drums are no melodies.
const PROGRAMS: [(std::ops::RangeInclusive<i32>, i32, i32); 14] = [
    (1..=7, 36, 88),     // pianos, harpsichord, clavinet
    (8..=14, 55, 91),    // celesta to dulcimer
    (16..=23, 36, 88),   // organs, accordion, harmonica
    (24..=31, 40, 82),   // guitars
    (32..=39, 36, 62),   // basses
    (41..=46, 41, 81),   // viola to harp
    (48..=51, 40, 86),   // string ensembles
    (52..=54, 46, 81),   // voices
    (57..=63, 40, 79),   // trombone to synth brass
    (64..=70, 41, 83),   // saxophones to bassoon
    (72..=79, 57, 91),   // piccolo to ocarina
    (80..=87, 36, 88),   // synth leads
    (88..=95, 43, 79),   // synth pads
    (104..=111, 45, 86), // sitar to shanai
];

fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let out = match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(flag), Some(out), None) if flag == "--out" => PathBuf::from(out),
        _ => {
            eprintln!("usage: references --out DIR");
            std::process::exit(2);
        }
    };
    let mut written = 0;
    for (folder, font, package, takes, left_out) in FONTS {
        let font = soundfont(font, package);
        let programs = PROGRAMS
            .into_iter()
            .flat_map(|(programs, low, high)| programs.map(move |program| (program, low, high)));
        // The player would put the font's first instrument in the place of one that it lacks.
        let has = |program: i32| {
            let presets = font.get_presets().iter();
            presets
                .filter(|p| p.get_bank_number() == 0)
                .any(|p| p.get_patch_number() == program)
        };
        let wanted = |p: i32| has(p) && !HELD_OUT.contains(&p) && !left_out.contains(&p);
        for (program, low, high) in programs.filter(|(p, ..)| wanted(*p)) {
            let instrument = out.join(folder).join(format!("{program:03}"));
            make(&instrument);
            for take in 0..takes {
                // Each melody has its own seed: a font more or less changes no other's.
                let seed = [folder.len() as u64, program as u64, take as u64];
                let seed = seed.iter().fold(0x5eed, |s: u64, n| {
                    s.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(*n)
                });
                let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
                let style = Style::ALL[take % Style::ALL.len()];
                let notes = compose(&mut rng, style, low, high);
                let wet = rng.random_bool(0.4);
                let samples = play(&font, program, &notes, wet);
                let room = if wet { "wet" } else { "dry" };
                let name = format!("{take}-{}-{room}.wav", style.name());
                wav::write(&instrument.join(name), &[&samples], RATE);
                written += 1;
            }
        }
    }
    println!("{written} melodies of 8 s in {}", out.display());
}

fn make(folder: &Path) {
    if let Err(e) = std::fs::create_dir_all(folder) {
        eprintln!("could not make the folder {}: {e}", folder.display());
        std::process::exit(1);
    }
}
