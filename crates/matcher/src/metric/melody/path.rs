//! The pitch of each frame, chosen among its tones with regard to its neighbours.
//!
//! A tone is the stronger, the clearer and the higher it is: every multiple of a period is a period
//! too. A Viterbi path over tones and "no pitch" joins the frames; a frame is decided [`LAG`]
//! frames later.

use ear::{PitchFrame, TONES, Tone, key_to_hz};

/// Number of frames after which a frame's pitch is decided.
pub(super) const LAG: usize = 3;
/// Number of states of a frame: its tones, and no pitch.
const STATES: usize = TONES + 2;
const HELD: usize = TONES;
const UNVOICED: usize = TONES + 1;
/// A pitch's strength is what its octaves are worth, less what its sound and the one a period later
/// differ by, and the logarithm of that.
const OCTAVE: f32 = 0.55;
const LINEAR: f32 = 5.0;
const LOGARITHMIC: f32 = 0.5;
/// Difference that a tone of 4 kHz may have: its period is but four samples.
const COARSE: f32 = 0.03;
/// Cost of a missing strength of 1.
const WORTH: f32 = 2.5;
/// Clarity at which a frame is as likely to have a pitch as not, and cost of a clarity of 1 above
/// it for having none.
const VOICED: f32 = 0.5;
const UNVOICED_WORTH: f32 = 15.0;
/// Cost of a semitone between two frames, of a jump, and of a change of voicing.
const SEMITONE: f32 = 0.7;
const JUMP: f32 = 5.0;
const VOICING: f32 = 2.5;
/// Least clarity of a pitch hidden under another: two notes at once have a common period only.
const HIDDEN: f32 = 0.92;
/// Distance in semitones up to which two pitches are the same, and number of frames of one that may
/// ring into the next.
const SAME: f32 = 0.7;
const LASTING: usize = 5;
/// Level in dBFS below which there is no pitch.
const SILENCE_DB: f32 = -100.0;

/// A frame's pitch as a MIDI key, and how clear it is, 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pitch {
    pub(super) key: f32,
    pub(super) clarity: f32,
}

/// Costs of a frame's states, and how they were reached.
#[derive(Clone, Copy)]
struct Column {
    keys: [f32; STATES],
    clarities: [f32; STATES],
    costs: [f32; STATES],
    from: [u8; STATES],
}

const EMPTY: Column = Column {
    keys: [0.0; STATES],
    clarities: [0.0; STATES],
    costs: [0.0; STATES],
    from: [UNVOICED as u8; STATES],
};

/// The path through the last frames.
pub(super) struct Path {
    columns: [Column; LAG + 1],
    now: usize,
    /// Frequency of the pitch decided last, and of the one before it that lasted; 0 for none.
    heard: [f32; 2],
    /// Number of frames of the former.
    lasted: usize,
}

impl Path {
    pub(super) fn new() -> Self {
        let mut path = Self {
            columns: [EMPTY; LAG + 1],
            now: 0,
            heard: [0.0; 2],
            lasted: 0,
        };
        for column in &mut path.columns {
            column.costs[..UNVOICED].fill(f32::INFINITY);
        }
        path
    }

    /// Takes a frame; returns the pitch of the one [`LAG`] frames before, if it has one.
    pub(super) fn take(&mut self, frame: &PitchFrame) -> Option<Pitch> {
        let before = self.columns[self.now];
        self.now = (self.now + 1) % self.columns.len();
        let mut column = EMPTY;
        observe(frame, &self.heard, &mut column);
        for to in 0..STATES {
            let (from, least) = (0..STATES)
                .map(|from| {
                    let step = step(from, to, before.keys[from], column.keys[to]);
                    (from, before.costs[from] + step)
                })
                .fold((UNVOICED, f32::INFINITY), |best, at| {
                    if at.1 < best.1 { at } else { best }
                });
            column.from[to] = from as u8;
            column.costs[to] += least;
        }
        let least = column.costs.iter().copied().fold(f32::INFINITY, f32::min);
        let mut state = (0..STATES)
            .find(|&s| column.costs[s] == least)
            .unwrap_or(UNVOICED);
        for cost in &mut column.costs {
            *cost -= least;
        }
        self.columns[self.now] = column;
        let count = self.columns.len();
        for age in 0..LAG {
            let at = (self.now + count - age) % count;
            state = usize::from(self.columns[at].from[state]);
        }
        let oldest = &self.columns[(self.now + 1) % count];
        let pitch = (state != UNVOICED).then(|| Pitch {
            key: oldest.keys[state],
            clarity: oldest.clarities[state],
        });
        self.remember(pitch);
        pitch
    }
}

impl Path {
    /// Remembers a pitch that has been decided.
    fn remember(&mut self, pitch: Option<Pitch>) {
        let Some(pitch) = pitch else { return };
        let hz = key_to_hz(f64::from(pitch.key)) as f32;
        if semitones(hz, self.heard[0]) > SAME {
            if self.lasted >= LASTING {
                self.heard[1] = self.heard[0];
            }
            self.lasted = 0;
        }
        self.heard[0] = hz;
        self.lasted += 1;
    }
}

/// Fills in the keys, clarities and costs of a frame's own states.
/// `heard`: frequencies heard before.
fn observe(frame: &PitchFrame, heard: &[f32], column: &mut Column) {
    column.costs.fill(f32::INFINITY);
    column.costs[UNVOICED] = 0.0;
    let count = frame.tones.iter().take_while(|t| t.clarity > 0.0).count();
    if frame.level_db <= SILENCE_DB || count == 0 {
        return;
    }
    let mut tones = [Tone::default(); TONES + 1];
    tones[..count].copy_from_slice(&frame.tones[..count]);
    // What the ear holds may be hidden under the note before: the two have a common period only.
    let common = tones[count - 1].hz;
    if frame.voiced
        && is_multiple(frame.hz, common)
        && heard
            .iter()
            .any(|&h| is_multiple(h, common) && semitones(h, frame.hz) > SAME)
    {
        let near = |t: &Tone| semitones(t.hz, frame.hz) < 2.5;
        let slot = tones[..count].iter().position(near).unwrap_or(HELD);
        tones[slot] = Tone {
            hz: frame.hz,
            clarity: tones[slot].clarity.max(frame.clarity).max(HIDDEN),
        };
    }
    let strength = |t: &Tone| {
        let unlike = 1.0 - t.clarity;
        OCTAVE * t.hz.log2()
            - LINEAR * unlike
            - LOGARITHMIC * (unlike + 0.005 + COARSE * (t.hz / 4_000.0).powi(2)).ln()
    };
    let there = || (0..TONES + 1).filter(|&i| tones[i].clarity > 0.0);
    let best = there()
        .map(|i| strength(&tones[i]))
        .fold(f32::MIN, f32::max);
    let mut clearest = 0.0f32;
    for i in there() {
        let tone = tones[i];
        let behind = best - strength(&tone);
        column.keys[i] = 69.0 + 12.0 * (tone.hz / 440.0).log2();
        column.clarities[i] = tone.clarity;
        column.costs[i] = behind * WORTH;
        if behind < 1.0 {
            clearest = clearest.max(tone.clarity);
        }
    }
    column.costs[UNVOICED] = (clearest - VOICED) * UNVOICED_WORTH;
}

/// Returns whether `hz` is 2 to 8 times `common`.
fn is_multiple(hz: f32, common: f32) -> bool {
    let times = hz / common;
    (1.5..8.5).contains(&times) && semitones(times, times.round()) < 0.4
}

/// Distance of two frequencies in semitones.
fn semitones(a: f32, b: f32) -> f32 {
    12.0 * (a / b.max(1.0)).log2().abs()
}

/// Cost of a step from one frame's state to the next one's.
fn step(from: usize, to: usize, before: f32, key: f32) -> f32 {
    match (from == UNVOICED, to == UNVOICED) {
        (true, true) => 0.0,
        (false, false) => (SEMITONE * (key - before).abs()).min(JUMP),
        _ => VOICING,
    }
}
