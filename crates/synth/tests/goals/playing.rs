//! Responses of the factory patches to wheel, pressure, velocity and keys.

use crate::measure::{self, Figures};
use crate::patches::{Factory, HELD, VELOCITY, chord, factory, four_notes, peak, perform};
use crate::sound::{Sound, difference};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use synth::params::{self, DESTINATIONS, MOD1_SOURCE, SOURCES};
use synth::{EventKind, Patch};

/// Kinds whose wheel always does something.
const WHEELED: [&str; 5] = ["lead", "pad", "bass", "strings", "brass"];
/// Kinds that are played dynamically: all but effects.
const DYNAMIC: [&str; 7] = ["bass", "lead", "pad", "keys", "pluck", "brass", "strings"];
/// Smallest change that a wheel or pressure must make: of the spectrogram's cells on average, or of
/// the loudness, dB.
const AUDIBLE: f64 = 1.0;
/// Softest and loudest velocity that levels are compared at, and the range of their difference, dB.
const SOFT: f32 = 0.3;
const DYNAMICS: (f64, f64) = (3.0, 30.0);
/// Seconds to half the amplitude that a kind may take, at most.
const ATTACKS: [(&str, f64); 7] = [
    ("bass", 0.03),
    ("lead", 0.08),
    ("pad", 1.5),
    ("keys", 0.015),
    ("pluck", 0.015),
    ("brass", 0.1),
    ("strings", 0.25),
];

/// The slots of a patch as (source, amount, destination), those in use.
pub fn slots(patch: &Patch) -> Vec<(&'static str, f32, &'static str)> {
    (MOD1_SOURCE..)
        .step_by(3)
        .take(8)
        .map(|row| {
            let choice = |row: usize| patch.plain(row).round() as usize;
            let (source, dest) = (choice(row), choice(row + 2));
            (SOURCES[source], patch.plain(row + 1), DESTINATIONS[dest])
        })
        .filter(|&(source, amount, dest)| source != "Off" && amount != 0.0 && dest != "Off")
        .collect()
}

fn wheel(value: f32) -> (f64, EventKind) {
    (0.0, EventKind::ModWheel { channel: 0, value })
}

fn pressure(value: f32) -> (f64, EventKind) {
    (0.0, EventKind::ChannelPressure { channel: 0, value })
}

/// Deviation of a patch's tuning in cents, without the effects, whose echoes are of other times.
pub fn cents_off(f: &Factory) -> f64 {
    let mut dry = f.patch;
    for mix in [params::CHORUS_MIX, params::DELAY_MIX, params::REVERB_MIX] {
        dry.set_plain(mix, 0.0);
    }
    let sides = perform(&dry, &chord(&[f.key()], VELOCITY), &[], 1.2);
    measure::cents_off(&sides, f.hertz())
}

/// Responses of a patch.
pub struct Answers {
    /// Mean change of the spectrogram by the wheel, and change of the loudness, dB.
    pub wheel: [f64; 2],
    /// Change of spectrogram and loudness by pressure.
    pub pressure: [f64; 2],
    /// Loudness of the key at velocity 1 relative to [`SOFT`] in dB, and ratio of brightness.
    pub velocity: [f64; 2],
    /// Figures of a held note.
    pub figures: Figures,
}

/// Responses of every patch, by name.
pub fn answers() -> &'static BTreeMap<&'static str, Answers> {
    static ALL: OnceLock<BTreeMap<&str, Answers>> = OnceLock::new();
    ALL.get_or_init(|| {
        let answer = |f: &'static Factory| {
            let note = |velocity, hands: &[_]| {
                let notes = chord(&[f.key()], velocity);
                Sound::new(perform(&f.patch, &notes, hands, HELD + 1.0))
            };
            let [soft, hard] = [SOFT, 1.0].map(|velocity| note(velocity, &[]));
            let [wheel, pressure] = [wheel(1.0), pressure(1.0)].map(|hand| {
                let moved = note(VELOCITY, &[hand]);
                let louder = moved.loudness() - f.sound.loudness();
                [difference(&f.sound, &moved), louder]
            });
            let [soft_figures, hard_figures] = [&soft, &hard].map(Figures::new);
            let answers = Answers {
                wheel,
                pressure,
                velocity: [
                    hard.loudness() - soft.loudness(),
                    hard_figures.centroids[0] / soft_figures.centroids[0],
                ],
                figures: Figures::new(&f.sound),
            };
            (f.file.name.as_str(), answers)
        };
        factory().iter().map(answer).collect()
    })
}

#[test]
fn most_use_the_matrix_and_the_wheel_where_it_is_promised() {
    let all = factory();
    let used = all.iter().filter(|f| !slots(&f.patch).is_empty()).count();
    println!("{used} of {} use the matrix", all.len());
    assert!(3 * used >= 2 * all.len());
    for f in all.iter().filter(|f| WHEELED.contains(&f.kind())) {
        let wheeled = slots(&f.patch).iter().any(|slot| slot.0 == "Mod wheel");
        assert!(wheeled, "{}: the wheel does nothing", f.file.name);
    }
    // One that follows the song or its own clock has no rate that a note could change.
    for f in all {
        for (dest, sync, start) in [
            ("LFO 1 rate", params::LFO_SYNC, params::LFO_START),
            ("LFO 2 rate", params::LFO2_SYNC, params::LFO2_START),
        ] {
            let fixed = f.patch.plain(sync) != 0.0 || f.patch.plain(start) != 0.0;
            let moved = slots(&f.patch).iter().any(|slot| slot.2 == dest);
            assert!(!(fixed && moved), "{}: {dest} is fixed", f.file.name);
        }
    }
}

#[test]
fn wheel_and_pressure_are_heard_where_they_are_used() {
    for f in factory() {
        let name = f.file.name.as_str();
        let answers = &answers()[name];
        for (source, [change, louder]) in
            [("Mod wheel", answers.wheel), ("Pressure", answers.pressure)]
        {
            if slots(&f.patch).iter().any(|slot| slot.0 == source) {
                println!("{name:<18} {source} changes {change:.1} dB, {louder:+.1} LU");
                assert!(
                    change >= AUDIBLE || louder.abs() >= AUDIBLE,
                    "{name}, {source}: {change:.2} dB, {louder:.2} LU"
                );
                assert!(louder.abs() <= 6.0, "{name}, {source}: {louder:.2} LU");
            }
        }
    }
}

#[test]
fn no_hand_makes_any_clip() {
    let mut loudest = ("", f32::MIN);
    for f in factory() {
        let name = f.file.name.as_str();
        for (keys, velocity, hands) in [
            (&[f.key()][..], 1.0, &[wheel(1.0)][..]),
            (&four_notes(f.key()), VELOCITY, &[wheel(1.0)]),
            (&[f.key()], VELOCITY, &[wheel(1.0), pressure(1.0)]),
        ] {
            let sides = perform(&f.patch, &chord(keys, velocity), hands, HELD);
            assert!(sides.iter().flatten().all(|x| x.is_finite()), "{name}");
            let db = peak(&sides);
            println!("{name:<18} {} with hands: {db:.1} dBFS", keys.len());
            if db > loudest.1 {
                loudest = (name, db);
            }
        }
    }
    assert!(loudest.1 <= -1.0, "peaks as high as {loudest:?}");
}

#[test]
fn velocity_is_played() {
    for f in factory().iter().filter(|f| DYNAMIC.contains(&f.kind())) {
        let name = f.file.name.as_str();
        let [louder, brighter] = answers()[name].velocity;
        println!("{name:<18} velocity: {louder:.1} LU, x{brighter:.2} brighter");
        assert!(
            (DYNAMICS.0..=DYNAMICS.1).contains(&louder),
            "{name}: {louder:.2} LU"
        );
        assert!(brighter > 0.97, "{name} is duller when struck hard");
    }
}

#[test]
fn they_attack_as_their_kind_does_in_tune_and_without_dc() {
    for f in factory() {
        let name = f.file.name.as_str();
        let figures = &answers()[name].figures;
        assert!(figures.dc <= -30.0, "{name}: DC of {:.1} dB", figures.dc);
        let Some((_, slowest)) = ATTACKS.iter().find(|(kind, _)| *kind == f.kind()) else {
            continue;
        };
        let (attack, cents) = (figures.attack, cents_off(f));
        println!(
            "{name:<18} attack {:.0} ms, {cents:+.0} cents, DC {:.0} dB",
            1e3 * attack,
            figures.dc
        );
        assert!(attack <= *slowest, "{name}: attack of {attack:.3} s");
        assert!(cents.abs() <= 10.0, "{name} is off by {cents:.0} cents");
    }
}
