//! What a host's polyphonic modulation adds to the parameters of one note.

use crate::matrix::Sum;

/// Most parameters of one note that can be modulated.
const MOST: usize = 16;
/// An offset closer to its aim than this is there.
const THERE: f32 = 1e-6;

#[derive(Clone, Copy, Debug, Default)]
struct Offset {
    row: usize,
    value: f32,
    aim: f32,
}

/// Offsets in normalised space, each on its way to what the host last said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offsets {
    list: [Offset; MOST],
    count: usize,
}

impl Offsets {
    /// Aims a row's offset; `at_once`: without a way. Of more rows than there is room for, the last are
    /// not modulated.
    pub fn set(&mut self, row: usize, aim: f32, at_once: bool) {
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
        offset.aim = aim;
        if at_once {
            offset.value = aim;
        }
    }

    /// Moves on by a control step; `smoothing`: share of the way left after it.
    pub fn advance(&mut self, smoothing: f32) {
        for offset in &mut self.list[..self.count] {
            let way = (offset.value - offset.aim) * smoothing;
            offset.value = offset.aim + if way.abs() < THERE { 0.0 } else { way };
        }
    }

    /// Whether nothing was ever modulated.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds them.
    pub fn add_to(&self, sum: &mut Sum) {
        for offset in &self.list[..self.count] {
            sum.add(offset.row, offset.value);
        }
    }
}
