//! The judgement of the factory patches: tables and pictures, written by
//! `UPDATE_PICTURES=1 cargo test -p synth --release --test goals judge`.

use crate::measure::Figures;
use crate::patches::{Factory, VELOCITY, by_kind, factory, peak, perform};
use crate::picture;
use crate::playing::{answers, cents_off, slots};
use crate::sound::{Sound, image};
use std::fmt::Write;
use std::path::Path;
use synth::{EventKind, Note};

/// Twelve that stand for all: two steps and a leap of a melody each.
const TWELVE: [&str; 12] = [
    "Ladder Bass",
    "Wobble Bass",
    "Square Solo",
    "Sync Wail",
    "Warm Saws",
    "Tidal Pad",
    "Tine Piano",
    "Rotary Organ",
    "Harp",
    "Solo Trumpet",
    "Swell Strings",
    "Winter Wind",
];
/// Four whose wheel is shown going up.
const TURNED: [&str; 4] = [
    "Wobble Bass",
    "Square Solo",
    "Pulse Ensemble",
    "Swell Strings",
];
/// Seconds of a phrase's picture, and of a turn of the wheel.
const SECONDS: f64 = 4.0;
/// The pictures' bands in an octave, and all of them.
const BANDS: (usize, usize) = (12, 104);
/// Mark after which the text is generated; the text before it is written by hand.
const MARK: &str = "<!-- measured -->";

fn named(name: &str) -> &'static Factory {
    let found = factory().iter().find(|f| f.file.name == name);
    found.unwrap_or_else(|| panic!("no patch {name}"))
}

/// Three notes, the last one held, overlapping as a player's do.
fn phrase(key: f32) -> Vec<Note> {
    let note = |(onset, duration, step, velocity)| Note {
        onset,
        duration,
        key: key + step,
        velocity,
    };
    [
        (0.0, 0.62, 0.0, 0.55),
        (0.6, 0.62, 3.0, 0.75),
        (1.2, 1.6, 7.0, 0.95),
    ]
    .map(note)
    .to_vec()
}

/// Describes the parameters that a source moves; an arrow gives the direction.
fn moves(f: &Factory, source: &str) -> String {
    let words: Vec<String> = slots(&f.patch)
        .iter()
        .filter(|slot| slot.0 == source)
        .map(|(_, amount, dest)| {
            let arrow = if *amount > 0.0 { '+' } else { '-' };
            format!("{} {arrow}", dest.to_lowercase())
        })
        .collect();
    words.join(", ")
}

/// A frequency, or that there is none.
fn hertz(hertz: f64) -> String {
    match hertz {
        0.0 => "nothing".into(),
        ..1e3 => format!("{:.0} Hz", 10.0 * (hertz / 10.0).round()),
        _ => format!("{:.1} kHz", hertz / 1e3),
    }
}

/// Milliseconds or seconds, as short as they are precise.
fn time(seconds: f64) -> String {
    match seconds {
        ..1e-3 => "< 1 ms".into(),
        ..1.0 => format!("{:.0} ms", 1e3 * seconds),
        _ => format!("{seconds:.1} s"),
    }
}

fn table() -> String {
    let mut text = String::from(
        "| kind | patch | for | wheel | pressure | velocity 0.3 to 1 | attack | brightness | decay | tail | width |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for f in by_kind() {
        let a = &answers()[f.file.name.as_str()];
        let [first, later] = a.figures.centroids.map(hertz);
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {:.0} dB, x{:.1} | {} | {first} to {later} | {} | {} | {:.0} % |",
            f.kind(),
            f.file.name,
            f.file.tags[1..].join(", "),
            moves(f, "Mod wheel"),
            moves(f, "Pressure"),
            a.velocity[0],
            a.velocity[1],
            time(a.figures.attack),
            a.figures.decay.map_or("held".into(), time),
            time(a.figures.tail),
            100.0 * a.figures.width,
        )
        .unwrap();
    }
    text
}

/// The twelve with what only they are asked for.
fn twelve(phrases: &[(&Factory, Sound)]) -> String {
    let mut text = String::from(
        "| patch | tuning | peak of the phrase | crest | DC | wheel changes |\n|---|---|---|---|---|---|\n",
    );
    for (f, sound) in phrases {
        let a = &answers()[f.file.name.as_str()];
        let Figures { crest, dc, .. } = a.figures;
        writeln!(
            text,
            "| {} | {:+.0} cents | {:.1} dBFS | {crest:.0} dB | {dc:.0} dB | {:.1} dB, {:+.1} LU |",
            f.file.name,
            cents_off(f),
            peak(&sound.sides),
            a.wheel[0],
            a.wheel[1],
        )
        .unwrap();
    }
    text
}

#[test]
fn judge_the_patches() {
    if std::env::var_os("UPDATE_PICTURES").is_none() {
        return;
    }
    let phrases = TWELVE.map(|name| {
        let f = named(name);
        let sides = perform(&f.patch, &phrase(f.key()), &[], SECONDS);
        (f, Sound::new(sides))
    });
    let drawn: Vec<_> = phrases
        .iter()
        .map(|(f, sound)| {
            let image = image(&sound.sides, BANDS.0, BANDS.1, SECONDS);
            (format!("{}: {}", f.kind(), f.file.name), image)
        })
        .collect();
    picture::sheet("phrases", &drawn, BANDS.1, 4, (300, 232));

    let turned: Vec<_> = TURNED.map(named).into_iter().map(turn).collect();
    picture::sheet("modulation", &turned, BANDS.1, 2, (500, 260));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/patches/README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (by_hand, _) = text.split_once(MARK).expect("a mark in the README");
    let text = format!("{by_hand}{MARK}\n{}\n{}", twelve(&phrases), table());
    std::fs::write(path, text).unwrap();
}

/// A note that is held while the wheel goes from 0 to 1.
fn turn(f: &Factory) -> (String, Vec<f64>) {
    let note = Note {
        onset: 0.0,
        duration: SECONDS,
        key: f.key(),
        velocity: VELOCITY,
    };
    let hands: Vec<_> = (0..=400)
        .map(|i| {
            let value = i as f32 / 400.0;
            let kind = EventKind::ModWheel { channel: 0, value };
            (SECONDS * value as f64, kind)
        })
        .collect();
    let sides = perform(&f.patch, &[note], &hands, SECONDS);
    let title = format!("{}, wheel 0 to 1: {}", f.file.name, moves(f, "Mod wheel"));
    (title, image(&sides, BANDS.0, BANDS.1, SECONDS))
}
