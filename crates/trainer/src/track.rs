//! The notes of a window as the decoder takes them: per frame, the sounding note and the one before
//! it, as rows of the comb table and a few scalars.

use matcher::WINDOW_FRAMES;
use mirrornet::samples::plant::FRAME;
use synth::Note;

/// Lowest key of the comb table.
pub const KEY_MIN: f32 = 20.0;
/// Rows of the comb table per semitone.
pub const KEYS_PER_SEMITONE: f32 = 4.0;
/// Rows of the comb table: none, then keys 20 to 110.
pub const KEY_ROWS: usize = 2 + (90.0 * KEYS_PER_SEMITONE) as usize;
/// Scalars per frame.
pub const SCALARS: usize = 9;

/// The notes of one window, frame by frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// Rows of the comb table: the sounding or last note, then the one before; `[2,
    /// WINDOW_FRAMES]`.
    pub keys: Vec<i64>,
    /// `[SCALARS, WINDOW_FRAMES]`.
    pub scalars: Vec<f32>,
}

fn row_of(key: f32) -> i64 {
    let row = ((key - KEY_MIN) * KEYS_PER_SEMITONE).round() as i64 + 1;
    row.clamp(1, KEY_ROWS as i64 - 1)
}

/// Seconds on a scale where equal steps are about equally audible; 0 at 0, 1 near 8 s.
fn age(seconds: f64) -> f32 {
    ((1.0 + seconds / 0.005).ln() / 7.4) as f32
}

impl Track {
    /// The window that starts at `start` seconds of a melody; `notes` in order of onset.
    pub fn new(notes: &[Note], start: f64) -> Self {
        let mut keys = vec![0; 2 * WINDOW_FRAMES];
        let mut scalars = vec![0.0; SCALARS * WINDOW_FRAMES];
        for i in 0..WINDOW_FRAMES {
            let t = start + (i + 1) as f64 * FRAME;
            let begun = notes.iter().take_while(|n| n.onset < t).count();
            let mut set = |k: usize, v: f32| scalars[k * WINDOW_FRAMES + i] = v;
            if begun > 0 {
                let n = &notes[begun - 1];
                let since = t - n.onset - n.duration;
                keys[i] = row_of(n.key);
                set(0, (since < 0.0) as u8 as f32);
                set(1, age(t - n.onset));
                set(2, (-(t - n.onset) / 0.03).exp() as f32);
                set(3, age(since.max(0.0)));
                set(4, n.velocity);
                set(5, (n.key - 60.0) / 36.0);
            }
            if begun > 1 {
                let n = &notes[begun - 2];
                keys[WINDOW_FRAMES + i] = row_of(n.key);
                set(6, age((t - n.onset - n.duration).max(0.0)));
                set(7, n.velocity);
                set(8, (n.key - 60.0) / 36.0);
            }
        }
        Self { keys, scalars }
    }
}
