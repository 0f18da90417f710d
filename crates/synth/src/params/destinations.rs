//! The destinations of the modulation matrix: rows of the table, by their column, and those that
//! no row has. A destination is stored as its index, so an index once given is never given to
//! another.

/// Parameter or property of a voice that a slot of the matrix moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Destination {
    /// No destination.
    Off,
    /// A row of the table, in normalised space.
    Row(usize),
    /// Pitch of the voice.
    Pitch,
    /// Gain of the voice.
    Amplitude,
    /// Stereo position of the voice.
    Pan,
}

/// Index and name of the destinations that are not rows.
const OTHERS: [(usize, &str, Destination); 4] = [
    (0, "Off", Destination::Off),
    (1, "Pitch", Destination::Pitch),
    (29, "Amplitude", Destination::Amplitude),
    (30, "Pan", Destination::Pan),
];

/// Number of destinations that are not rows.
pub const OTHER_COUNT: usize = OTHERS.len();

/// Every destination with its name, by index, from those that are rows. Compiles only where each
/// index from 0 up is given once.
pub const fn by_index<const N: usize>(
    rows: &[(usize, &'static str, Destination)],
) -> [(&'static str, Destination); N] {
    let mut list = [("", Destination::Off); N];
    let mut i = 0;
    while i < OTHERS.len() + rows.len() {
        let (index, name, destination) = if i < OTHERS.len() {
            OTHERS[i]
        } else {
            rows[i - OTHERS.len()]
        };
        assert!(list[index].0.is_empty(), "two destinations have one index");
        list[index] = (name, destination);
        i += 1;
    }
    list
}
