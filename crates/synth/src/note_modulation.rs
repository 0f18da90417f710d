//! A host's polyphonic modulation of the parameters of one note (CLAP: per-note modulation).

use crate::matrix::Sum;

/// Largest number of parameters of one note that can be modulated.
const MOST: usize = 16;
/// An offset closer to its target than this is there.
const THERE: f32 = 1e-6;

#[derive(Clone, Copy, Debug, Default)]
struct Offset {
    row: usize,
    value: f32,
    target: f32,
}

/// Offsets to parameters of one note, in normalised space, each on its way to what the host last
/// set.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoteModulation {
    list: [Offset; MOST],
    count: usize,
}

impl NoteModulation {
    /// Sets the target of a row's offset; `at_once`: the offset itself too. Where there is no room
    /// for another row, that row is not modulated.
    pub fn set(&mut self, row: usize, target: f32, at_once: bool) {
        let known = self.list[..self.count].iter().position(|o| o.row == row);
        let place = match known {
            Some(place) => place,
            None if self.count < MOST => {
                self.list[self.count] = Offset {
                    row,
                    ..Offset::default()
                };
                self.count += 1;
                self.count - 1
            }
            None => return,
        };
        let offset = &mut self.list[place];
        offset.target = target;
        if at_once {
            offset.value = target;
        }
    }

    /// Moves every offset on by a control step; `smoothing`: share of the way left after it.
    pub fn advance(&mut self, smoothing: f32) {
        for offset in &mut self.list[..self.count] {
            let way = (offset.value - offset.target) * smoothing;
            offset.value = offset.target + if way.abs() < THERE { 0.0 } else { way };
        }
    }

    /// Whether no parameter was ever modulated.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds the offsets to a voice's modulation.
    pub fn add_to(&self, sum: &mut Sum) {
        for offset in &self.list[..self.count] {
            sum.add(offset.row, offset.value);
        }
    }
}
