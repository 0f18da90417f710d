//! The modulation matrix: eight slots, each adding a source, scaled, to a destination.
//!
//! Destinations are rows of the parameter table, moved in normalised space, so that full amount is the
//! knob's whole way and the row's scale and range hold; and three that no knob has: the pitch, the
//! amplitude and the place of a voice.

use crate::params::{self as p, COUNT, SOURCES};
use crate::settings::part;

/// Number of slots.
pub const SLOTS: usize = 8;
/// Semitones by which a full amount moves the pitch.
pub const PITCH_RANGE: f32 = 24.0;

/// Positions in [`SOURCES`].
pub mod source {
    /// 0 to 1.
    pub const VELOCITY: usize = 1;
    /// -1 to 1 over five octaves below and above middle C.
    pub const KEY: usize = 2;
    /// 0 to 1.
    pub const WHEEL: usize = 3;
    /// 0 to 1, of the note or its channel, whichever is more.
    pub const PRESSURE: usize = 4;
    /// -1 to 1.
    pub const BEND: usize = 5;
    /// -1 to 1.
    pub const BRIGHTNESS: usize = 6;
    /// 0 to 1.
    pub const AMP: usize = 7;
    /// 0 to 1.
    pub const FILTER: usize = 8;
    /// -1 to 1.
    pub const LFO1: usize = 9;
    /// -1 to 1.
    pub const LFO2: usize = 10;
    /// -1 to 1, drawn for each note.
    pub const RANDOM: usize = 11;
}

/// The sources' values, by [`source`].
pub type Sources = [f32; SOURCES.len()];

/// What a slot moves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    None,
    Row(usize),
    Pitch,
    Amp,
    Pan,
}

use Target::{Amp, None, Pan, Pitch, Row};

const TABLE: [(&str, Target); 32] = [
    ("Off", None),
    ("Pitch", Pitch),
    ("Osc 1 pitch", Row(p::OSC1_PITCH)),
    ("Osc 2 pitch", Row(p::OSC2_PITCH)),
    ("Osc 2 detune", Row(p::OSC2_DETUNE)),
    ("Osc 1 shape", Row(p::OSC1_SHAPE)),
    ("Osc 2 shape", Row(p::OSC2_SHAPE)),
    ("Osc 1 width", Row(p::OSC1_WIDTH)),
    ("Osc 2 width", Row(p::OSC2_WIDTH)),
    ("Osc 1 FM", Row(p::OSC1_FM)),
    ("Unison detune", Row(p::UNISON_DETUNE)),
    ("Unison spread", Row(p::UNISON_SPREAD)),
    ("Balance", Row(p::OSC_BALANCE)),
    ("Osc level", Row(p::OSC_LEVEL)),
    ("Ring level", Row(p::RING_LEVEL)),
    ("Sub level", Row(p::SUB_LEVEL)),
    ("Noise level", Row(p::NOISE_LEVEL)),
    ("Cutoff", Row(p::FILTER_CUTOFF)),
    ("Resonance", Row(p::FILTER_RESONANCE)),
    ("Drive", Row(p::FILTER_DRIVE)),
    ("Morph", Row(p::FILTER_MORPH)),
    ("Envelope amount", Row(p::FILTER_ENV_AMOUNT)),
    ("Osc 2 to cutoff", Row(p::FILTER_FM)),
    ("High-pass", Row(p::HIGHPASS_CUTOFF)),
    ("LFO 1 rate", Row(p::LFO_RATE)),
    ("LFO 2 rate", Row(p::LFO2_RATE)),
    ("Vibrato", Row(p::LFO_VIBRATO)),
    ("Tremolo", Row(p::LFO_TREMOLO)),
    ("LFO to cutoff", Row(p::LFO_CUTOFF)),
    ("Amplitude", Amp),
    ("Pan", Pan),
    ("Resonance boost", Row(p::FILTER_BOOST)),
];

/// What the slots' destinations choose from.
pub const DESTINATIONS: &[&str] = &{
    let mut names = [""; TABLE.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = TABLE[i].0;
        i += 1;
    }
    names
};

#[derive(Clone, Copy, Debug)]
struct Slot {
    source: usize,
    amount: f32,
    target: Target,
}

/// The slots in use.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    slots: [Slot; SLOTS],
    count: usize,
    /// Positions in [`SOURCES`], as bits.
    sources: u32,
}

impl Default for Matrix {
    fn default() -> Self {
        let slot = Slot {
            source: 0,
            amount: 0.0,
            target: None,
        };
        Self {
            slots: [slot; SLOTS],
            count: 0,
            sources: 0,
        }
    }
}

/// What the slots add up to for one voice.
pub struct Sum {
    /// To each row, in normalised space.
    pub rows: [f32; COUNT],
    /// The groups of settings they belong to; see [`part`].
    pub parts: u32,
    /// Semitones.
    pub pitch: f32,
    /// Gain, 0 to 2.
    pub amp: f32,
    /// -1 to 1.
    pub pan: f32,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            rows: [0.0; COUNT],
            parts: 0,
            pitch: 0.0,
            amp: 1.0,
            pan: 0.0,
        }
    }
}

impl Sum {
    /// Adds to a row, in normalised space.
    pub fn add(&mut self, row: usize, x: f32) {
        self.rows[row] += x;
        self.parts |= part::of(row);
    }
}

impl Matrix {
    /// Reads the slots; `v` gives a row's plain value. One without source, amount or destination is none.
    pub fn new(v: impl Fn(usize) -> f32) -> Self {
        let mut matrix = Self::default();
        for first in (p::MOD1_SOURCE..).step_by(3).take(SLOTS) {
            let source = (v(first).round() as usize).min(SOURCES.len() - 1);
            let amount = v(first + 1);
            let target = TABLE[(v(first + 2).round() as usize).min(TABLE.len() - 1)].1;
            if source != 0 && amount != 0.0 && target != None {
                matrix.slots[matrix.count] = Slot {
                    source,
                    amount,
                    target,
                };
                matrix.count += 1;
                matrix.sources |= 1 << source;
            }
        }
        matrix
    }

    /// Whether no slot is in use.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a slot uses this source.
    pub fn uses(&self, source: usize) -> bool {
        self.sources >> source & 1 == 1
    }

    /// Adds what the slots make of the sources.
    pub fn add_to(&self, sum: &mut Sum, sources: &Sources) {
        let mut amp = 1.0;
        for slot in &self.slots[..self.count] {
            let x = slot.amount * sources[slot.source];
            match slot.target {
                None => {}
                Row(row) => sum.add(row, x),
                Pitch => sum.pitch += PITCH_RANGE * x,
                Amp => amp += x,
                Pan => sum.pan += x,
            }
        }
        sum.amp = amp.clamp(0.0, 2.0);
        sum.pan = sum.pan.clamp(-1.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Patch;

    #[test]
    fn slots_add_up_and_idle_ones_vanish() {
        let mut patch = Patch::default();
        for (slot, source, amount, dest) in [
            (0, source::VELOCITY, 0.5, 17.0),
            (1, source::KEY, -0.25, 17.0),
            (2, source::WHEEL, 0.0, 17.0),
            (3, 0, 1.0, 17.0),
            (4, source::BEND, 1.0, 0.0),
            (7, source::LFO2, 0.5, 1.0),
        ] {
            let first = p::MOD1_SOURCE + 3 * slot;
            patch.set_plain(first, source as f32);
            patch.set_plain(first + 1, amount);
            patch.set_plain(first + 2, dest);
        }
        let matrix = Matrix::new(|row| patch.plain(row));
        assert_eq!(matrix.count, 3);
        assert!(matrix.uses(source::LFO2) && !matrix.uses(source::LFO1));
        let mut sources = [0.0; SOURCES.len()];
        sources[source::VELOCITY] = 0.8;
        sources[source::KEY] = 0.4;
        sources[source::LFO2] = -1.0;
        let mut sum = Sum::default();
        matrix.add_to(&mut sum, &sources);
        assert!((sum.rows[p::FILTER_CUTOFF] - 0.3).abs() < 1e-6);
        assert_eq!(sum.pitch, -12.0);
        assert_eq!(sum.parts, part::of(p::FILTER_CUTOFF));
        assert!(Matrix::new(|row| Patch::default().plain(row)).is_empty());
    }

    #[test]
    fn every_destination_can_be_modulated() {
        for (name, target) in TABLE {
            if let Row(row) = target {
                assert!(part::can_modulate(row), "{name}");
            }
        }
    }
}
