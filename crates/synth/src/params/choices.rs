//! What the choices of modulation and playing choose from. A choice is stored as its index: names may be
//! added at the end, never moved.

/// What `LFO_SHAPE` and `LFO2_SHAPE` choose from.
pub const LFO_SHAPES: &[&str] = &[
    "Sine",
    "Triangle",
    "Saw up",
    "Saw down",
    "Square",
    "Sample & hold",
    "Smooth random",
];

/// What `LFO_SYNC` and `LFO2_SYNC` choose from: the length of a cycle in the host's tempo; dotted,
/// triplet. Bars have four beats.
pub const LFO_SYNCS: &[&str] = &[
    "Off", "8 bars", "4 bars", "2 bars", "1 bar", "1/2 D", "1/2", "1/2 T", "1/4 D", "1/4", "1/4 T",
    "1/8 D", "1/8", "1/8 T", "1/16 D", "1/16", "1/16 T", "1/32",
];

/// Beats in a cycle of each of [`LFO_SYNCS`]; 0: not synced.
pub(crate) const LFO_BEATS: [f32; LFO_SYNCS.len()] = [
    0.0,
    32.0,
    16.0,
    8.0,
    4.0,
    3.0,
    2.0,
    4.0 / 3.0,
    1.5,
    1.0,
    2.0 / 3.0,
    0.75,
    0.5,
    1.0 / 3.0,
    0.375,
    0.25,
    1.0 / 6.0,
    0.125,
];

/// What `LFO_START` and `LFO2_START` choose from: every note has its own, or one for all that follows
/// the song.
pub const LFO_STARTS: &[&str] = &["Per note", "Free"];

/// What the slots' sources choose from.
pub const SOURCES: &[&str] = &[
    "Off",
    "Velocity",
    "Key",
    "Mod wheel",
    "Pressure",
    "Bend",
    "Brightness",
    "Amp envelope",
    "Filter envelope",
    "LFO 1",
    "LFO 2",
    "Random",
];

pub use crate::matrix::DESTINATIONS;

/// What `PLAY_MODE` chooses from.
pub const PLAY_MODES: &[&str] = &["Poly", "Mono", "Legato"];

/// What `VOICES` chooses from: the index is the number.
pub const VOICE_COUNTS: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
    "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32",
    "33", "34", "35", "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47", "48",
    "49", "50", "51", "52", "53", "54", "55", "56", "57", "58", "59", "60", "61", "62", "63", "64",
];

/// What `MPE` chooses from: one zone, its master channel 1.
pub const MPE_ZONES: &[&str] = &["Off", "On"];
