//! The melody heard: pitch, gate and level per frame, causal, [`PITCH_DELAY`] behind the sound.
//!
//! `periods.rs` gives the best period of the newest sound, frame by frame. What is told is the note held,
//! which outlasts single frames without it. A new note is known only when it outshines the one before,
//! often 50 ms after it began: until then the old one rings on. Therefore frames stay open for the delay
//! and are rewritten:
//!
//! 1. A held note breaks where the sound stops being what it was one period earlier, measured against how
//!    steady this note has been.
//! 2. From there on the new note is looked for in what remains when the old one is cancelled.
//! 3. Once the sound itself has a new steady period, the open frames back to the break are its own. A frame
//!    that must be told sooner goes to the best guess.
//!
//! The same holds for a note out of silence: its first periods are told with the pitch found later.
//!
//! Open frames decided by a short look back are a plain form of fixed-lag smoothing, as in the note tracking
//! of Mauch and Dixon ("pYIN", 2014). A Viterbi path over candidates and an attack state was tried first, and
//! on the melodies this was tuned on it told more frames wrong.

mod periods;
mod prefilter;

use periods::{Peak, Periods};
use simd::InstructionSet;

/// How far pitch and gate are behind the sound, in seconds: a frame's are told when so much more was heard
/// after its end. Rounded to whole frames.
pub const PITCH_DELAY: f64 = 0.048;
/// Clarity above which a tone starts, and below which it ends.
const START: f32 = 0.65;
const END: f32 = 0.55;
/// A frame quieter than this in dBFS, or this far below the recent peak in dB, is never voiced.
const GATE_DB: f32 = -60.0;
const GATE_BELOW_PEAK_DB: f32 = 45.0;
/// How fast the recent peak is forgotten, dB a second.
const PEAK_FALL_DB: f32 = 12.0;
/// Lowest level told, dBFS.
const FLOOR_DB: f32 = -120.0;
/// Pitches this near are one note, in octaves.
const SAME: f32 = 0.7 / 12.0;
/// Remainder at which a note may break, and how many times its usual one.
const BREAK: f32 = 0.003;
const BREAK_TIMES: f32 = 3.0;
/// A remainder below this at the break: the old note fades slowly, and has begun to a frame before.
const SLOW_BREAK: f32 = 0.2;
/// Steady frames of a note before it can break.
const SETTLE: usize = 4;
/// Slowest average of a note's usual remainder, per frame.
const USUAL_RATE: f32 = 0.1;
/// Remainder below which nothing is looked for beside a note.
const BESIDE: f32 = 0.1;
/// Frames for which a new period must be the best one: when it is also the one beside the old note or the
/// note held has only begun, when nothing is known, and when the one beside the old note is another.
const NEW_FRAMES: [u32; 3] = [2, 4, 8];
/// Frames out of silence that must agree on a pitch.
const FIRST_FRAMES: u32 = 2;
/// How much softer than where its pitch is found a note may begin, in dB.
const RISE_DB: f32 = 24.0;

/// Pitch and gate of a frame; told [`PITCH_DELAY`] after it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PitchFrame {
    /// Fundamental in Hz; meaningful while `voiced`.
    pub hz: f32,
    /// Whether a pitched sound is present.
    pub voiced: bool,
    /// Normalised autocorrelation peak, 0 to 1.
    pub clarity: f32,
    /// RMS level in dBFS, at least -120.
    pub level_db: f32,
}

/// Tracks the pitch of one stream, frame by frame.
pub(crate) struct PitchTracker {
    periods: Periods,
    frame_seconds: f32,
    /// Frames not told yet, the newest at `now % open.len()`.
    open: Vec<Open>,
    /// Frames heard.
    now: u64,
    peak_db: f32,
    held: Option<Held>,
    rival: Option<Rival>,
}

/// A frame not told yet.
#[derive(Clone, Copy, Default)]
struct Open {
    frame: PitchFrame,
    audible: bool,
}

/// The note held.
#[derive(Clone, Copy)]
struct Held {
    period: f32,
    /// Its first frame, and the one that showed it.
    born: u64,
    found: u64,
    /// Frames it has been steady, and the usual logarithm of its remainder.
    steady: usize,
    usual: f32,
    /// Where it stopped being steady, and frames since that looked steady.
    broken: Option<u64>,
    calm: u32,
}

/// A period that may become the note held.
#[derive(Clone, Copy)]
struct Rival {
    period: f32,
    frames: u32,
}

impl PitchTracker {
    /// For frames of `frame_len` samples at `rate` Hz.
    pub(crate) fn new(rate: f64, frame_len: usize, instructions: InstructionSet) -> Self {
        let frame_seconds = frame_len as f64 / rate;
        let delay = (PITCH_DELAY / frame_seconds).round() as usize;
        Self {
            periods: Periods::new(rate, frame_len, instructions),
            frame_seconds: frame_seconds as f32,
            open: vec![silent(); delay + 1],
            now: 0,
            peak_db: FLOOR_DB,
            held: None,
            rival: None,
        }
    }

    /// Forgets everything heard.
    pub(crate) fn reset(&mut self) {
        self.periods.reset();
        self.open.fill(silent());
        self.now = 0;
        self.peak_db = FLOOR_DB;
        (self.held, self.rival) = (None, None);
    }

    /// Frames by which what is told is behind what is heard.
    pub(crate) fn delay(&self) -> usize {
        self.open.len() - 1
    }

    /// Hears one frame of a level in dBFS; tells the frame [`PitchTracker::delay`] frames before.
    pub(crate) fn frame(&mut self, samples: &[f32], level_db: f32) -> PitchFrame {
        self.now += 1;
        self.peak_db = (self.peak_db - PEAK_FALL_DB * self.frame_seconds).max(level_db);
        self.periods.hear(samples);
        let audible = level_db > GATE_DB && level_db > self.peak_db - GATE_BELOW_PEAK_DB;
        let best = if audible { self.periods.best() } else { None };
        let clarity = best.map_or(0.0, |b| b.clarity);
        let threshold = if self.held.is_some() { END } else { START };
        let newest = self.slot(self.now);
        self.open[newest] = Open {
            frame: PitchFrame {
                hz: best.map_or(0.0, |b| self.periods.hz(b.period)),
                voiced: clarity > threshold,
                clarity,
                level_db,
            },
            audible,
        };
        let guess = match self.held {
            Some(held) => self.hold(held, best, audible),
            None => {
                self.begin(best.filter(|b| b.clarity > START));
                None
            }
        };
        let oldest = self.now.saturating_sub(self.delay() as u64);
        let mut told = self.open[self.slot(oldest)];
        if let (Some(guess), Some(broken)) = (guess, self.held.and_then(|h| h.broken))
            && oldest >= broken
        {
            told.frame.hz = self.periods.hz(guess);
            told.frame.voiced |= told.audible;
        }
        told.frame
    }

    fn slot(&self, frame: u64) -> usize {
        (frame % self.open.len() as u64) as usize
    }

    /// Silence so far: the first frames that agree on a pitch begin a note.
    fn begin(&mut self, best: Option<Peak>) {
        let Some(best) = best else {
            self.rival = None;
            return;
        };
        if self.rival_frames(best.period) < FIRST_FRAMES {
            return;
        }
        let newest = self.open[self.slot(self.now)].frame;
        let oldest = self.now.saturating_sub(self.delay() as u64);
        let begun = |&f: &u64| {
            let open = self.open[self.slot(f)];
            open.audible && open.frame.level_db > newest.level_db - RISE_DB
        };
        let sounding = (oldest..self.now).rev().take_while(begun).count() as u64;
        self.adopt(best, self.now - sounding);
    }

    /// Follows the note held, and the one that may follow it, whose period is guessed if it broke.
    fn hold(&mut self, mut held: Held, best: Option<Peak>, audible: bool) -> Option<f32> {
        let remainder = self.periods.remainder(held.period);
        held.listen(remainder, self.now);
        let other = best.filter(|b| !same(b.period, held.period));
        let (mut beside, mut guess) = (None, None);
        if held.broken.is_some() {
            if remainder > BESIDE {
                let left = self.periods.beside(held.period);
                beside = left.filter(|b| !same(b.period, held.period));
            }
            let clear = |p: &Peak| p.clarity > END;
            beside = beside.filter(clear);
            guess = beside.or(other.filter(clear));
        } else if other.is_none()
            && let Some(best) = best
        {
            held.period += 0.5 * (best.period - held.period);
        }
        let newest = self.slot(self.now);
        let voiced = self.open[newest].frame.voiced;
        let (now, delay) = (self.now, self.delay() as u64);
        let overdue = |since| now >= since + delay;
        let lost = !audible || best.is_none();
        self.held = (voiced || !lost || !held.broken.is_none_or(overdue)).then_some(held);
        let young = !overdue(held.found);
        match (best, other) {
            (Some(best), None) => {
                self.rival = None;
                if young {
                    // Its first periods are not yet its pitch.
                    self.rewrite(held.born, |open, hz| open.frame.hz = hz, best.period);
                }
            }
            (_, Some(new)) => {
                let frames = self.rival_frames(new.period);
                let enough = match beside {
                    Some(b) if same(b.period, new.period) => NEW_FRAMES[0],
                    Some(_) => NEW_FRAMES[2],
                    None if young => NEW_FRAMES[0],
                    None => NEW_FRAMES[1],
                };
                if new.clarity > START && frames >= enough {
                    let mut first = self.now + 1 - u64::from(frames);
                    first = held.broken.map_or(first, |broken| broken.min(first));
                    if young {
                        // The note held was a slip in this one's attack.
                        first = first.min(held.born);
                    }
                    self.adopt(new, first);
                } else {
                    self.open[newest].frame.hz = self.periods.hz(held.period);
                }
            }
            (None, None) => self.rival = None,
        }
        guess.map(|g| g.period)
    }

    /// Frames for which the newest best period has been the same.
    fn rival_frames(&mut self, period: f32) -> u32 {
        let frames = match self.rival {
            Some(r) if same(r.period, period) => r.frames + 1,
            _ => 1,
        };
        self.rival = Some(Rival { period, frames });
        frames
    }

    /// Holds a new note and gives it the open frames from `first` on, voiced where loud enough.
    fn adopt(&mut self, note: Peak, first: u64) {
        let floor = self.open[self.slot(self.now)].frame.level_db - RISE_DB;
        let claim = |open: &mut Open, hz| {
            if open.audible {
                open.frame.hz = hz;
                open.frame.clarity = open.frame.clarity.max(note.clarity);
                open.frame.voiced |= open.frame.level_db > floor;
            }
        };
        self.rewrite(first, claim, note.period);
        self.held = Some(Held {
            period: note.period,
            born: first,
            found: self.now,
            steady: 0,
            usual: 0.0,
            broken: None,
            calm: 0,
        });
        self.rival = None;
    }

    /// Changes the open frames from `first` on, the newest excepted, given the frequency of `period`.
    fn rewrite(&mut self, first: u64, change: impl Fn(&mut Open, f32), period: f32) {
        let hz = self.periods.hz(period);
        for frame in first.max(self.now.saturating_sub(self.delay() as u64))..self.now {
            let slot = self.slot(frame);
            change(&mut self.open[slot], hz);
        }
    }
}

impl Held {
    /// Judges from the remainder of frame `now` whether the note is still steady.
    fn listen(&mut self, remainder: f32, now: u64) {
        let log = remainder.max(1e-4).ln();
        let unusual = remainder > BREAK && log > self.usual + BREAK_TIMES.ln();
        if self.steady >= SETTLE && unusual {
            let early = u64::from(remainder < SLOW_BREAK);
            self.broken = self.broken.or(Some(now - early));
            self.calm = 0;
        } else {
            self.calm += 1;
            if self.calm >= 2 {
                self.broken = None;
            }
        }
        if self.broken.is_none() {
            self.steady += 1;
            // Falls fast: a note's start is unsteady.
            let rate = if log < self.usual { 0.5 } else { USUAL_RATE };
            self.usual += rate.max(1.0 / self.steady as f32) * (log - self.usual);
        }
    }
}

/// Whether two periods are one note's.
fn same(a: f32, b: f32) -> bool {
    (a / b).log2().abs() < SAME
}

/// What is told before anything is heard.
fn silent() -> Open {
    Open {
        frame: PitchFrame {
            level_db: FLOOR_DB,
            ..PitchFrame::default()
        },
        audible: false,
    }
}

/// RMS level of a frame in dBFS, at least -120.
pub(crate) fn level_db(samples: &[f32]) -> f32 {
    let power = samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / samples.len() as f64;
    (10.0 * power.max(1e-30).log10() as f32).max(FLOOR_DB)
}
