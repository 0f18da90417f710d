//! The lists that choices choose from, and those between whose names a value lies. A choice is
//! stored as its index: names may be added at the end, never moved.

use crate::choice::choice;

/// Names of the shapes of an oscillator that lie at whole numbers, short enough for a small knob.
pub const SHAPES: &[&str] = &["Sine", "Tri", "Saw", "Sqr", "Pulse"];

/// Names of the responses between which the state-variable filter morphs.
pub const MORPHS: &[&str] = &["Low", "Band", "High"];

choice! {
    /// Phases at which a note's oscillators start.
    StartPhase;
    /// Names of the start phases of a note's oscillators.
    PHASES:
    /// A random phase for each note.
    #[default]
    Free "Free",
    /// The same phase for every note.
    Retrigger "Retrigger",
}

choice! {
    /// Waveforms of the low-frequency oscillators.
    LfoShape;
    /// Names of the waveforms of the low-frequency oscillators.
    LFO_SHAPES:
    /// A sine that starts at 0, upwards.
    #[default]
    Sine "Sine",
    /// A triangle that starts at 0, upwards.
    Triangle "Triangle",
    /// A ramp from -1 to 1.
    SawUp "Saw up",
    /// A ramp from 1 to -1.
    SawDown "Saw down",
    /// 1, then -1.
    Square "Square",
    /// A new random value every cycle.
    Hold "Sample & hold",
    /// A smooth movement from one random value to the next.
    Smooth "Smooth random",
}

choice! {
    /// Scopes of a low-frequency oscillator.
    LfoStart;
    /// Names of the scopes of a low-frequency oscillator.
    LFO_STARTS:
    /// One oscillator for each note, from its start.
    #[default]
    PerNote "Per note",
    /// One oscillator for all notes, which follows the song.
    Free "Free",
}

choice! {
    /// Sources of the modulation matrix.
    Source;
    /// Names of the sources of the modulation matrix.
    SOURCES:
    /// No source: always 0.
    #[default]
    Off "Off",
    /// 0 to 1.
    Velocity "Velocity",
    /// -1 to 1 over five octaves below and above middle C.
    Key "Key",
    /// 0 to 1.
    Wheel "Mod wheel",
    /// 0 to 1, of the note or its channel, whichever is more.
    Pressure "Pressure",
    /// -1 to 1.
    Bend "Bend",
    /// -1 to 1.
    Brightness "Brightness",
    /// 0 to 1.
    AmpEnvelope "Amp envelope",
    /// 0 to 1.
    FilterEnvelope "Filter envelope",
    /// -1 to 1.
    Lfo1 "LFO 1",
    /// -1 to 1.
    Lfo2 "LFO 2",
    /// -1 to 1, drawn for each note.
    Random "Random",
}

choice! {
    /// Play modes: ways in which keys become notes.
    PlayMode;
    /// Names of the play modes.
    PLAY_MODES:
    /// A note for each key.
    #[default]
    Poly "Poly",
    /// One note, retriggered by every key.
    Mono "Mono",
    /// One note, which a key only moves while another is held.
    Legato "Legato",
}

choice! {
    /// Whether the channels form an MPE zone.
    MpeZone;
    /// Names of the MPE zones.
    MPE_ZONES:
    /// No zone.
    #[default]
    Off "Off",
    /// One zone of all channels, its master channel 1.
    On "On",
}

/// Numbers of unison copies; the index is one less than the number.
pub const UNISON_VOICES_NAMES: &[&str] = &["1", "2", "3", "4", "5", "6", "7"];

/// Lengths in the host's tempo: name and beats; 0: not synced. Bars have four beats; D: dotted, T:
/// triplet.
const SYNCS: [(&str, f32); 18] = [
    ("Off", 0.0),
    ("8 bars", 32.0),
    ("4 bars", 16.0),
    ("2 bars", 8.0),
    ("1 bar", 4.0),
    ("1/2 D", 3.0),
    ("1/2", 2.0),
    ("1/2 T", 4.0 / 3.0),
    ("1/4 D", 1.5),
    ("1/4", 1.0),
    ("1/4 T", 2.0 / 3.0),
    ("1/8 D", 0.75),
    ("1/8", 0.5),
    ("1/8 T", 1.0 / 3.0),
    ("1/16 D", 0.375),
    ("1/16", 0.25),
    ("1/16 T", 1.0 / 6.0),
    ("1/32", 0.125),
];

/// Number of lengths after the first, two bars and more, that are too long for a delay.
const TOO_LONG: usize = 3;

/// [`SYNCS`] for a delay.
const ECHOES: [(&str, f32); SYNCS.len() - TOO_LONG] = {
    let mut list = [SYNCS[0]; SYNCS.len() - TOO_LONG];
    let mut i = 1;
    while i < list.len() {
        list[i] = SYNCS[i + TOO_LONG];
        i += 1;
    }
    list
};

/// Names of the lengths of a synced low-frequency oscillator's cycle.
pub const LFO_SYNCS: &[&str] = &names(&SYNCS);

/// Names of the times of a synced delay.
pub const DELAY_SYNCS: &[&str] = &names(&ECHOES);

/// Beats in a low-frequency oscillator's cycle, of a row's plain value; 0: not synced.
pub(crate) fn cycle_from_plain(plain: f32) -> f32 {
    beats(&SYNCS, plain)
}

/// Beats from one echo of a delay to the next, of a row's plain value; 0: not synced.
pub(crate) fn echo_from_plain(plain: f32) -> f32 {
    beats(&ECHOES, plain)
}

/// Beats of a list's entry, by its index, rounded.
fn beats(list: &[(&str, f32)], plain: f32) -> f32 {
    list[(plain.round() as usize).min(list.len() - 1)].1
}

/// The names in a list of names and what they stand for.
pub(super) const fn names<T: Copy, const N: usize>(
    list: &[(&'static str, T); N],
) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < N {
        names[i] = list[i].0;
        i += 1;
    }
    names
}
