//! The melody heard: pitch, gate and level per frame, causal, [`PITCH_DELAY`] behind the sound.
//!
//! `periods.rs` gives the best period of the newest sound, frame by frame. The reported pitch is
//! that of the held note, which outlasts single frames without a clear period. A new note is
//! recognised only when it outshines the one before, often 50 ms after it began: until then the old
//! note rings on. Therefore frames stay open for the delay and are rewritten:
//!
//! 1. A held note breaks where the sound no longer repeats the period before, measured against how
//!    steady this note has been.
//! 2. From there on the new note is looked for in the residual left when the old one is cancelled.
//! 3. Once the sound itself has a new steady period, the open frames back to the break get its
//!    pitch. A frame that must be reported sooner gets the best guess.
//!
//! The same holds for a note after silence: its first periods are reported with the pitch found
//! later.
//!
//! Open frames decided by a short look back are a plain form of fixed-lag smoothing, as in the note
//! tracking of Mauch and Dixon ("pYIN", 2014). A Viterbi path over candidates and an attack state
//! was tried first; on the melodies used for tuning it reported more frames wrong.
//!
//! With each frame come the [`Tone`]s that it may have, as they are known by then, from both of its
//! sides: notes are made of these, by a tracker that may answer later.

mod frame;
mod peaks;
mod periods;
mod prefilter;

pub use frame::{PitchFrame, TONES, Tone, key_to_hz};
use peaks::Peak;
use periods::Periods;
use simd::InstructionSet;

/// Delay of pitch and gate in seconds: those of a frame are reported this long after its end,
/// rounded to whole frames.
pub const PITCH_DELAY: f64 = 0.048;
/// Clarity above which a tone starts, and below which it ends.
const START: f32 = 0.65;
const END: f32 = 0.55;
/// A frame quieter than this in dBFS, or this far below the recent peak in dB, is never voiced.
const GATE_DB: f32 = -90.0;
const GATE_BELOW_PEAK_DB: f32 = 45.0;
/// Decay of the recent peak in dB per second.
const PEAK_FALL_DB: f32 = 12.0;
/// Lowest reported level in dBFS.
const FLOOR_DB: f32 = -120.0;
/// Largest distance in octaves between two pitches of one note.
const SAME: f32 = 0.7 / 12.0;
/// Residual above which a note may break, and its least multiple of the note's usual residual.
const BREAK: f32 = 0.003;
const BREAK_TIMES: f32 = 3.0;
/// Residual at the break below which the old note fades slowly: its end began one frame earlier.
const SLOW_BREAK: f32 = 0.2;
/// Steady frames of a note before it can break.
const SETTLE: usize = 4;
/// Smallest step per frame of the average of a note's usual residual.
const USUAL_RATE: f32 = 0.1;
/// Residual below which no new note is looked for in it.
const RESIDUAL_THRESHOLD: f32 = 0.1;
/// Frames for which a new period must be the best one before it is adopted: when it is also the
/// period of the residual or the held note has only begun, when the residual has none, and when the
/// residual has another.
const NEW_FRAMES: [u32; 3] = [2, 4, 8];
/// Frames after silence that must agree on a pitch.
const FIRST_FRAMES: u32 = 2;
/// Largest rise in dB from a note's first frame to the one in which its pitch is found.
const RISE_DB: f32 = 24.0;

/// Tracks the pitch of one stream, frame by frame.
pub(crate) struct PitchTracker {
    periods: Periods,
    frame_seconds: f32,
    /// Frames not reported yet, the newest at `now % open.len()`.
    open: Vec<Open>,
    /// Number of frames heard.
    now: u64,
    peak_db: f32,
    held: Option<HeldNote>,
    candidate: Option<Candidate>,
}

/// A frame not reported yet.
#[derive(Clone, Copy, Default)]
struct Open {
    frame: PitchFrame,
    audible: bool,
}

/// The held note.
#[derive(Clone, Copy)]
struct HeldNote {
    period: f32,
    /// First frame of the candidate, and the frame in which it was recognised.
    first_frame: u64,
    found: u64,
    /// Number of steady frames, and the usual logarithm of its residual.
    steady: usize,
    usual: f32,
    /// Frame in which it stopped being steady, and number of frames since that looked steady.
    broken: Option<u64>,
    calm: u32,
}

/// A period that may become the held note, and for how many frames it has been the best.
#[derive(Clone, Copy)]
struct Candidate {
    period: f32,
    frames: u32,
}

impl PitchTracker {
    /// A tracker for frames of `frame_len` samples at `rate` Hz.
    pub(crate) fn new(rate: f64, frame_len: usize, instructions: InstructionSet) -> Self {
        let frame_seconds = frame_len as f64 / rate;
        let delay = (PITCH_DELAY / frame_seconds).round() as usize;
        Self {
            periods: Periods::new(rate, frame_len, delay, instructions),
            frame_seconds: frame_seconds as f32,
            open: vec![silent(); delay + 1],
            now: 0,
            peak_db: FLOOR_DB,
            held: None,
            candidate: None,
        }
    }

    /// Forgets everything heard.
    pub(crate) fn reset(&mut self) {
        self.periods.reset();
        self.open.fill(silent());
        self.now = 0;
        self.peak_db = FLOOR_DB;
        (self.held, self.candidate) = (None, None);
    }

    /// Number of frames by which the reports are behind the sound.
    pub(crate) fn delay(&self) -> usize {
        self.open.len() - 1
    }

    /// Takes one frame with its level in dBFS; reports the frame [`PitchTracker::delay`] frames
    /// before.
    pub(crate) fn frame(&mut self, samples: &[f32], level_db: f32) -> PitchFrame {
        self.now += 1;
        self.peak_db = (self.peak_db - PEAK_FALL_DB * self.frame_seconds).max(level_db);
        self.periods.hear(samples);
        let audible = level_db > GATE_DB && level_db > self.peak_db - GATE_BELOW_PEAK_DB;
        let best = self.periods.best().filter(|_| audible);
        let clarity = best.map_or(0.0, |b| b.clarity);
        let threshold = if self.held.is_some() { END } else { START };
        let newest = self.slot(self.now);
        self.open[newest] = Open {
            frame: PitchFrame {
                hz: best.map_or(0.0, |b| self.periods.hz(b.period)),
                voiced: clarity > threshold,
                clarity,
                level_db,
                tones: [Tone::default(); TONES],
            },
            audible,
        };
        // Before the candidates of the residual overwrite them.
        let tones = self.periods.tones();
        let guess = match self.held {
            Some(held) => self.hold(held, best, audible),
            None => {
                self.begin(best.filter(|b| b.clarity > START));
                None
            }
        };
        let oldest = self.now.saturating_sub(self.delay() as u64);
        let mut reported = self.open[self.slot(oldest)];
        if let (Some(guess), Some(broken)) = (guess, self.held.and_then(|h| h.broken))
            && oldest >= broken
        {
            reported.frame.hz = self.periods.hz(guess);
            reported.frame.voiced |= reported.audible;
        }
        reported.frame.tones = tones;
        reported.frame
    }

    fn slot(&self, frame: u64) -> usize {
        (frame % self.open.len() as u64) as usize
    }

    /// Begins a note after silence once the first frames agree on a pitch.
    fn begin(&mut self, best: Option<Peak>) {
        let Some(best) = best else {
            self.candidate = None;
            return;
        };
        if self.candidate_frames(best.period) < FIRST_FRAMES {
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

    /// Follows the held note and the candidate for the next one; returns a guess of the new period
    /// if the held note broke.
    fn hold(&mut self, mut held: HeldNote, best: Option<Peak>, audible: bool) -> Option<f32> {
        let residual = self.periods.residual(held.period);
        held.update(residual, self.now);
        let other = best.filter(|b| !same(b.period, held.period));
        let (mut in_residual, mut guess) = (None, None);
        if held.broken.is_some() {
            if residual > RESIDUAL_THRESHOLD {
                let left = self.periods.best_in_residual(held.period);
                in_residual = left.filter(|b| !same(b.period, held.period));
            }
            let clear = |p: &Peak| p.clarity > END;
            in_residual = in_residual.filter(clear);
            guess = in_residual.or(other.filter(clear));
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
                self.candidate = None;
                if young {
                    // The first periods of an attack are not yet the note's pitch.
                    self.rewrite(held.first_frame, |open, hz| open.frame.hz = hz, best.period);
                }
            }
            (_, Some(new)) => {
                let frames = self.candidate_frames(new.period);
                let enough = match in_residual {
                    Some(b) if same(b.period, new.period) => NEW_FRAMES[0],
                    Some(_) => NEW_FRAMES[2],
                    None if young => NEW_FRAMES[0],
                    None => NEW_FRAMES[1],
                };
                if new.clarity > START && frames >= enough {
                    let mut first = self.now + 1 - u64::from(frames);
                    first = held.broken.map_or(first, |broken| broken.min(first));
                    if young {
                        // The held note was an error in this one's attack.
                        first = first.min(held.first_frame);
                    }
                    self.adopt(new, first);
                } else {
                    self.open[newest].frame.hz = self.periods.hz(held.period);
                }
            }
            (None, None) => self.candidate = None,
        }
        guess.map(|g| g.period)
    }

    /// Number of frames for which the best period has been that of the newest one.
    fn candidate_frames(&mut self, period: f32) -> u32 {
        let frames = match self.candidate {
            Some(r) if same(r.period, period) => r.frames + 1,
            _ => 1,
        };
        self.candidate = Some(Candidate { period, frames });
        frames
    }

    /// Holds a new note and rewrites the open frames from `first` on with it, voiced where loud
    /// enough.
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
        self.held = Some(HeldNote {
            period: note.period,
            first_frame: first,
            found: self.now,
            steady: 0,
            usual: 0.0,
            broken: None,
            calm: 0,
        });
        self.candidate = None;
    }

    /// Changes the open frames from `first` on except the newest, given the frequency of `period`.
    fn rewrite(&mut self, first: u64, change: impl Fn(&mut Open, f32), period: f32) {
        let hz = self.periods.hz(period);
        for frame in first.max(self.now.saturating_sub(self.delay() as u64))..self.now {
            let slot = self.slot(frame);
            change(&mut self.open[slot], hz);
        }
    }
}

impl HeldNote {
    /// Judges from the residual of frame `now` whether the note is still steady.
    fn update(&mut self, residual: f32, now: u64) {
        let log = residual.max(1e-4).ln();
        let unusual = residual > BREAK && log > self.usual + BREAK_TIMES.ln();
        if self.steady >= SETTLE && unusual {
            let early = u64::from(residual < SLOW_BREAK);
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
            // The average falls fast, because a note's start is unsteady.
            let rate = if log < self.usual { 0.5 } else { USUAL_RATE };
            self.usual += rate.max(1.0 / self.steady as f32) * (log - self.usual);
        }
    }
}

/// Returns whether two periods belong to one note.
fn same(a: f32, b: f32) -> bool {
    (a / b).log2().abs() < SAME
}

/// The frame reported before any sound.
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
