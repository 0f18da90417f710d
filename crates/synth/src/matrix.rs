//! The modulation matrix: slots, each adding a source, scaled, to a destination.
//!
//! Destinations are rows of the parameter table, moved in normalised space, so that full amount is
//! the knob's whole way and the row's scale and range hold; and three that no knob has: pitch,
//! amplitude and stereo position of a voice.

use crate::params::{COUNT, Destination, GROUPS, Groups, SLOT_ROWS, Source};

/// Semitones by which a full amount moves the pitch.
pub const PITCH_RANGE: f32 = 24.0;

#[derive(Clone, Copy, Debug)]
struct Slot {
    source: Source,
    amount: f32,
    destination: Destination,
}

/// The slots in use.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    slots: [Slot; SLOT_ROWS.len()],
    count: usize,
    /// Sources in use, a bit each.
    sources: u32,
}

impl Default for Matrix {
    fn default() -> Self {
        let slot = Slot {
            source: Source::Off,
            amount: 0.0,
            destination: Destination::Off,
        };
        Self {
            slots: [slot; SLOT_ROWS.len()],
            count: 0,
            sources: 0,
        }
    }
}

/// Sum of everything that modulates one voice.
pub struct Sum {
    /// Modulation of each row, in normalised space.
    pub rows: [f32; COUNT],
    /// Groups of the rows that are moved.
    pub groups: Groups,
    /// Semitones.
    pub pitch: f32,
    /// Gain, 0 to 2.
    pub amp: f32,
    /// -1 left to 1 right.
    pub pan: f32,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            rows: [0.0; COUNT],
            groups: Groups::default(),
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
        self.groups.insert(GROUPS[row]);
    }
}

impl Matrix {
    /// Reads the slots; `v` gives a row's plain value. Slots without source, amount or destination
    /// are left out.
    pub fn new(v: impl Fn(usize) -> f32) -> Self {
        let mut matrix = Self::default();
        for [source, amount, destination] in SLOT_ROWS {
            let slot = Slot {
                source: Source::from_plain(v(source)),
                amount: v(amount),
                destination: Destination::from_plain(v(destination)),
            };
            if slot.source != Source::Off
                && slot.amount != 0.0
                && slot.destination != Destination::Off
            {
                matrix.slots[matrix.count] = slot;
                matrix.count += 1;
                matrix.sources |= 1 << slot.source as u32;
            }
        }
        matrix
    }

    /// Whether no slot is in use.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a slot uses this source.
    pub fn uses(&self, source: Source) -> bool {
        self.sources >> source as u32 & 1 == 1
    }

    /// Adds every slot's amount of its source; `value` gives a source's value.
    #[inline(always)]
    pub fn add_to(&self, sum: &mut Sum, value: impl Fn(Source) -> f32) {
        let mut amp = 1.0;
        for slot in &self.slots[..self.count] {
            let x = slot.amount * value(slot.source);
            match slot.destination {
                Destination::Off => {}
                Destination::Row(row) => sum.add(row, x),
                Destination::Pitch => sum.pitch += PITCH_RANGE * x,
                Destination::Amplitude => amp += x,
                Destination::Pan => sum.pan += x,
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
    use crate::params::{self as p, GROUPS};

    #[test]
    fn slots_add_up_and_idle_ones_vanish() {
        let mut patch = Patch::default();
        for (slot, source, amount, dest) in [
            (0, Source::Velocity, 0.5, 17.0),
            (1, Source::Key, -0.25, 17.0),
            (2, Source::Wheel, 0.0, 17.0),
            (3, Source::Off, 1.0, 17.0),
            (4, Source::Bend, 1.0, 0.0),
            (7, Source::Lfo2, 0.5, 1.0),
        ] {
            let first = p::MOD1_SOURCE + 3 * slot;
            patch.set_plain(first, source as u8 as f32);
            patch.set_plain(first + 1, amount);
            patch.set_plain(first + 2, dest);
        }
        let matrix = Matrix::new(|row| patch.plain(row));
        assert_eq!(matrix.count, 3);
        assert!(matrix.uses(Source::Lfo2) && !matrix.uses(Source::Lfo1));
        let value = |source| match source {
            Source::Velocity => 0.8,
            Source::Key => 0.4,
            Source::Lfo2 => -1.0,
            _ => 0.0,
        };
        let mut sum = Sum::default();
        matrix.add_to(&mut sum, value);
        assert!((sum.rows[p::FILTER_CUTOFF] - 0.3).abs() < 1e-6);
        assert_eq!(sum.pitch, -12.0);
        let groups: Vec<_> = sum.groups.iter().collect();
        assert_eq!(groups, [GROUPS[p::FILTER_CUTOFF]]);
        assert!(Matrix::new(|row| Patch::default().plain(row)).is_empty());
    }
}
