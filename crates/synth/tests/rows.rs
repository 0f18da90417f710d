//! The rows of the parameter table: each is heard, and a host's modulation of one is heard as its
//! knob would be.

#[path = "common/play.rs"]
mod play;

use play::{on, play};
use synth::{COUNT, EventKind, PARAMS, Patch, can_modulate, params};

/// A patch in which every row is heard: all sources, filters, modulators and effects at work.
fn busy() -> Patch {
    let mut patch = Patch::default();
    for (row, v) in [
        (params::OSC1_SHAPE, 2.4),
        (params::OSC1_WIDTH, 0.6),
        (params::OSC1_FM, 0.1),
        (params::OSC1_SYNC, 7.0),
        (params::OSC2_SHAPE, 2.5),
        (params::OSC2_WIDTH, 0.7),
        (params::UNISON_VOICES, 2.0),
        (params::OSC_BALANCE, 0.4),
        (params::RING_LEVEL, 0.3),
        (params::SUB_LEVEL, 0.3),
        (params::NOISE_LEVEL, 0.2),
        (params::FILTER_TYPE, 3.0),
        (params::FILTER_MORPH, 0.5),
        (params::FILTER_RESONANCE, 0.9),
        (params::FILTER_DRIVE, 0.5),
        (params::FILTER_VELOCITY, 12.0),
        (params::FILTER_FM, 5.0),
        (params::HIGHPASS_CUTOFF, 100.0),
        (params::FILTER_ATTACK, 0.02),
        (params::FILTER_DECAY, 0.2),
        (params::AMP_ATTACK, 0.02),
        (params::AMP_DECAY, 0.2),
        (params::LFO_VIBRATO, 20.0),
        (params::LFO_TREMOLO, 0.3),
        (params::LFO_CUTOFF, 5.0),
        (params::GLIDE, 0.1),
        (params::MPE, 1.0),
        (params::CHORUS_MIX, 0.3),
        (params::DELAY_TIME, 0.05),
        (params::DELAY_MIX, 0.3),
        (params::REVERB_MIX, 0.3),
    ] {
        patch.set_plain(row, v);
    }
    let index = |names: &[&str], name| names.iter().position(|n| *n == name).unwrap() as f32;
    let slots = (params::MOD1_SOURCE..).step_by(3);
    let destinations = ["Pitch", "Pan", "Cutoff", "Drive"].into_iter().cycle();
    for ((slot, destination), n) in slots.zip(destinations).zip(0..8) {
        let (source, amount) = [("LFO 2", 0.2), ("Random", -0.2)][n / 4];
        patch.set_plain(slot, index(params::SOURCES, source));
        patch.set_plain(slot + 1, amount);
        patch.set_plain(slot + 2, index(params::DESTINATIONS, destination));
    }
    patch
}

#[test]
fn every_row_is_heard() {
    let on_channel = |channel, key, velocity| EventKind::NoteOn {
        id: -1,
        channel,
        key,
        velocity,
    };
    let events = [
        (
            0,
            EventKind::PitchBend {
                channel: 0,
                value: 0.4,
            },
        ),
        (
            0,
            EventKind::PitchBend {
                channel: 2,
                value: -0.3,
            },
        ),
        (0, on_channel(1, 50.0, 0.8)),
        (2_000, on_channel(2, 57.0, 0.6)),
        (4_000, on_channel(1, 69.0, 0.9)),
        (9_000, EventKind::AllNotesOff { channel: 0 }),
    ];
    let patch = busy();
    let [before, _] = play(&patch, 14_400, &events);
    for (row, param) in PARAMS.iter().enumerate() {
        let mut other = patch;
        let v = patch.plain(row);
        if param.is_stepped() {
            other.set_plain(row, if v > param.min { v - 1.0 } else { v + 1.0 });
        } else if patch.get(row) < 0.5 {
            other.set(row, patch.get(row) + 0.4);
        } else {
            other.set(row, patch.get(row) - 0.4);
        }
        if row == params::VOICES {
            other.set_plain(row, 1.0);
        }
        let [after, _] = play(&other, 14_400, &events);
        let apart = before.iter().zip(&after);
        let apart = apart.fold(0.0f32, |p, (a, b)| p.max((a - b).abs()));
        assert!(apart > 1e-4, "{} is not heard: {apart:e}", param.id);
    }
}

#[test]
fn a_hosts_modulation_moves_one_note_as_its_knob_would() {
    let id = 50;
    for row in (0..COUNT).filter(|&row| can_modulate(row)) {
        let offset = if Patch::default().get(row) < 0.5 {
            0.3
        } else {
            -0.3
        };
        let modulation = EventKind::Modulation { id, row, offset };
        let note = on(50.0, 0.8);
        let mut knob = Patch::default();
        knob.set(row, knob.get(row) + offset);
        let by_host = play(&Patch::default(), 9_600, &[(0, note), (0, modulation)]);
        let by_knob = play(&knob, 9_600, &[(0, note)]);
        // Within the first step the one goes where the other starts.
        let apart = by_host[0][4_800..].iter().zip(&by_knob[0][4_800..]);
        let apart = apart.fold(0.0f32, |p, (a, b)| p.max((a - b).abs()));
        let pitched = ["pitch", "detune", "tune"]
            .iter()
            .any(|p| PARAMS[row].id.ends_with(p));
        assert!(apart < 4e-3 || pitched, "{}: {apart}", PARAMS[row].id);
        let other = play(
            &Patch::default(),
            9_600,
            &[(0, note), (0, EventKind::Modulation { id: 3, row, offset })],
        );
        assert!(other == play(&Patch::default(), 9_600, &[(0, note)]));
    }
}
