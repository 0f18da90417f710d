//! Notes played by an instrument of its own.

use synth::{Event, EventKind, Patch, Synth};

/// Starts a note of this key on the first channel; its id is the key.
pub fn on(key: f32, velocity: f32) -> EventKind {
    EventKind::NoteOn {
        id: key as i32,
        channel: 0,
        key,
        velocity,
    }
}

/// Plays `events`, each at its sample, for `len` samples at 48 kHz; returns left and right.
pub fn play(patch: &Patch, len: usize, events: &[(u32, EventKind)]) -> [Vec<f32>; 2] {
    let mut synth = Synth::new(48_000.0);
    synth.set_patch(patch, 0.0);
    let events: Vec<Event> = events
        .iter()
        .map(|&(time, kind)| Event { time, kind })
        .collect();
    let mut sides = [vec![0.0; len], vec![0.0; len]];
    let [left, right] = &mut sides;
    synth.process(left, right, &events);
    sides
}
