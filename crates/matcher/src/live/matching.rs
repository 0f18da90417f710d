//! The match: what is heard moves it only once it has been judged by resynthesis.
//!
//! Three rivals play the notes of the last second: the knobs, what is held, and what the encoder
//! infers now; of a sound that has just begun also what was found for earlier ones. The one that is
//! most like the reference is held. While a sound goes on, searches look for better patches on the
//! phrase heard so far. Each begins a fixed time of the stream after the one before and takes
//! effect at a fixed time, so that what is held depends on what was heard alone.

use super::memory::{KnownSound, Memory, Sound};
use super::phrase::Phrase;
use super::resynthesis::{Kind, LEAST_LIKENESS, Resynthesis};
use super::searching::{Found, Request, Searcher};
use super::status::HoldReason;
use super::target::{Limits, Settings, Target};
use super::tracker::of_an_envelope;
use crate::model::{Encoder, HOP_FRAMES, Inference, LEAST_SIGMA};
use crate::search::Bounds;
use ear::{Ear, EarConfig, Frame};
use synth::{COUNT, Lean, MATCHED, MATCHED_COUNT, Patch};

/// Number of frames that have sounded before a new sound is first judged (0.28 s), and from one
/// judgement to the next, until a second has sounded and after it.
const FIRST_JUDGED: u64 = 7 * HOP_FRAMES as u64;
const OFTEN: u64 = 3 * HOP_FRAMES as u64;
const SELDOM: u64 = 12 * HOP_FRAMES as u64;
const YOUNG: u64 = 125;
/// Lead in likeness by which a rival replaces what is held.
const LEAD: f32 = 0.02;
/// Loss of likeness, against that of the phrase, at which another sound is suspected, and number of
/// judgements in a row that prove it: after a silence, and while a sound goes on, where it may be
/// no more than a note that the patch found suits less.
const FAR: f32 = 0.15;
const PROOF: u32 = 2;
const PROOF_LATER: u32 = 4;
/// Number of judgements in a row without a melody after which the phrase is over.
const OVER: u32 = 4;
/// Loss of likeness, against that of the phrase, up to which a sound of the memory has come back.
const NEAR: f32 = 0.08;
/// Number of remembered sounds tried in one judgement.
const TRIED: usize = 4;

/// Likeness of the best rival from which on a search is worth its while, and likeness to the phrase
/// that its result must have to be held as a new sound.
const PROMISING: f32 = 0.55;
const LEAST_FOUND: f32 = 0.7;
/// Length of the phrase, in frames, from which on it is searched.
const SEARCHED: usize = 75;
/// Renders that a second of the stream pays for, in seconds; least number of renders of the phrase
/// in a search, and least length of all of them together, in seconds.
const PACE: f64 = 240.0;
const LEAST_RENDERS: f64 = 60.0;
const LEAST_SECONDS: f64 = 100.0;
/// Factor of the length of searches after one that found little: the first begins elsewhere.
const PATIENT: f64 = 3.0;
/// Number of searches of a young sound, for which a result counts however little alike, and the
/// encoder is asked about the phrase, as it is by those that begin elsewhere: what was found on its
/// first notes may fit those only.
const ASKED: u32 = 3;
/// Gain of a search below which it has found little, and number of such searches in a row after
/// which the sound is not searched any more.
const LITTLE: f32 = 0.001;
const CONVERGED: u32 = 3;
/// Loss of likeness, smoothed, at which a sound is searched again, and the share that one judgement
/// has in it.
const STALE: f32 = 0.04;
const SMOOTHING: f32 = 0.15;
/// Number of frames after a search of something that can't be matched until the next.
const GIVEN_UP: u64 = 500;

/// Movement of an unmatched knob, normalised, up to which a search for it counts.
const LEEWAY: f32 = 0.02;

/// Largest movement of a parameter, normalised, for which the measured level stays valid.
const SAME: f32 = 0.006;

/// State of the match while something sounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The held target is kept.
    Holding(HoldReason),
    /// The encoder is followed.
    Following,
    /// A sound that a search has found is held.
    Matched {
        /// True while another search runs.
        searching: bool,
    },
}

/// A search on its way.
struct Pending {
    /// Frame at which its result takes effect.
    due: u64,
    /// True for a sound that wasn't searched before.
    fresh: bool,
}

/// The match of one listener.
pub(super) struct Matching {
    judge: Resynthesis,
    phrase: Phrase,
    ear: EarConfig,
    frame_rate: f64,
    searcher: Option<Box<dyn Searcher>>,
    pending: Option<Pending>,
    /// True unless the player has switched searching off.
    search: bool,
    /// Frame before which nothing is searched.
    not_before: u64,
    memory: Memory,
    /// True if what is kept of the sounds has changed.
    changed: bool,
    /// The sounds known when the host began to render offline; `None` while it doesn't.
    before_offline: Option<Vec<KnownSound>>,
    /// The player's knobs, and how they bound the match.
    knobs: Patch,
    limits: Limits,
    held: Option<Target>,
    /// The encoder's last sure inference.
    inferred: Option<Inference>,
    /// The target whose level was measured last.
    measured: Option<Target>,
    /// True while the encoder is followed.
    following: bool,
    /// True while what is held was found by a search, or recalled.
    searched: bool,
    /// Number of frames that the sound has gone on, and of silent ones up to now.
    sounding: u64,
    silent: usize,
    /// Number of frames of the sound at which it is judged next.
    judged_next: u64,
    /// Kind of the sound, by the last judgement.
    kind: Option<Kind>,
    /// Number of judgements in a row that found no melody.
    unlike: u32,
    /// Likeness of the best rival, by the last judgement.
    best: f32,
    /// The target that was held when the sound began.
    before: Option<Target>,
    /// Likeness of what is held, by the last judgement.
    likeness: Option<f32>,
    /// Likeness of the player's knobs by the last judgement of the sound.
    of_knobs: Option<f32>,
    /// Number of judgements in a row in which the sound seemed to be another.
    strange: u32,
    /// Loss of likeness against that of the phrase, smoothed.
    loss: f32,
    /// Number of frames of the sound after which it was taken for another one.
    changed_at: u64,
    /// Number of notes that had ended when a search was last asked for.
    ended: u64,
}

impl Matching {
    /// A match that holds nothing. `ear` was made from `config`.
    pub(super) fn new(config: &EarConfig, ear: &Ear) -> Self {
        Self {
            judge: Resynthesis::new(config, ear),
            phrase: Phrase::default(),
            ear: *config,
            frame_rate: ear.frame_rate(),
            searcher: None,
            pending: None,
            search: true,
            not_before: 0,
            memory: Memory::default(),
            changed: false,
            before_offline: None,
            knobs: Patch::default(),
            limits: Limits::NONE,
            held: None,
            inferred: None,
            measured: None,
            following: false,
            searched: false,
            sounding: 0,
            silent: 0,
            judged_next: FIRST_JUDGED,
            kind: None,
            unlike: 0,
            best: 0.0,
            before: None,
            likeness: None,
            of_knobs: None,
            strange: 0,
            loss: 0.0,
            changed_at: 0,
            ended: 0,
        }
    }

    /// Replaces the ear.
    pub(super) fn set_ear(&mut self, config: &EarConfig, ear: &Ear) {
        self.judge = Resynthesis::new(config, ear);
        self.ear = *config;
        self.frame_rate = ear.frame_rate();
    }

    /// Lets `searcher` search what is heard.
    pub(super) fn search_with(&mut self, searcher: Box<dyn Searcher>) {
        self.searcher = Some(searcher);
    }

    /// The sounds found so far, if they have changed since the last call. What is found offline is
    /// not kept.
    pub(super) fn take_changed_sounds(&mut self) -> Option<Vec<KnownSound>> {
        let news = self.changed && self.before_offline.is_none();
        news.then(|| {
            self.changed = false;
            self.memory.known()
        })
    }

    /// Replaces the sounds found so far.
    pub(super) fn set_sounds(&mut self, sounds: &[KnownSound]) {
        self.cancel();
        self.memory = Memory::of(sounds);
        self.searched = false;
        self.changed = false;
    }

    /// Takes the player's settings.
    pub(super) fn set(&mut self, settings: &Settings) {
        self.search = settings.search;
        if !settings.search {
            self.cancel();
        }
        match (&self.before_offline, settings.offline) {
            (None, true) => {
                // No more than a fresh instance would know.
                let known = self.memory.known();
                self.set_sounds(&known);
                self.before_offline = Some(known);
            }
            (Some(_), false) => {
                let known = self.before_offline.take().unwrap_or_default();
                self.set_sounds(&known);
            }
            _ => {}
        }
        self.set_knobs(&settings.knobs, &settings.limits);
    }

    /// Takes the player's knobs, locks and ranges.
    fn set_knobs(&mut self, knobs: &Patch, limits: &Limits) {
        let others = limits.bounds(knobs);
        let before = self.bounds();
        if (self.knobs, self.limits) == (*knobs, *limits) {
            return;
        }
        // What the match leaves alone has moved: what is on its way was searched for another sound.
        let unmatched = |row: &usize| !MATCHED.contains(row);
        let moved = |row: usize| (knobs.get(row) - self.knobs.get(row)).abs() > LEEWAY;
        if others != before || (0..COUNT).filter(unmatched).any(moved) {
            self.cancel();
            self.memory.wake();
        }
        (self.knobs, self.limits) = (*knobs, *limits);
        self.measured = None;
    }

    /// Takes a frame; `silent` is the number of silent ones up to it.
    pub(super) fn take(&mut self, frame: &Frame<'_>, silent: usize) {
        self.sounding += 1;
        self.silent = silent;
        self.judge.take(frame);
        self.phrase.take(frame.samples, silent);
    }

    /// Ends the sound.
    pub(super) fn end(&mut self) {
        self.sounding = 0;
        self.changed_at = 0;
        self.judged_next = FIRST_JUDGED;
        self.likeness = None;
        self.of_knobs = None;
        self.kind = None;
        self.unlike = 0;
        self.best = 0.0;
        self.strange = 0;
        self.following = false;
        self.before = self.held;
    }

    /// Starts a new stream: forgets what was heard, and keeps the sounds found.
    pub(super) fn reset(&mut self) {
        self.judge.clear();
        self.phrase.keep(0);
        self.not_before = 0;
        self.ended = 0;
        self.clear();
        self.end();
        if let Some(known) = self.before_offline.clone() {
            self.set_sounds(&known);
        }
    }

    /// Forgets what is held only.
    pub(super) fn clear(&mut self) {
        self.cancel();
        self.held = None;
        self.inferred = None;
        self.measured = None;
        self.following = false;
        self.searched = false;
        self.memory.leave();
    }

    /// The target held.
    pub(super) fn held(&self) -> Option<Target> {
        self.held
    }

    /// Likeness of what is held by the last judgement; `None` before the sound's first.
    pub(super) fn likeness(&self) -> Option<f32> {
        self.likeness
    }

    /// Likeness of the player's knobs by the last judgement; `None` before the sound's first.
    pub(super) fn of_knobs(&self) -> Option<f32> {
        self.of_knobs
    }

    /// State of the match.
    pub(super) fn state(&self) -> State {
        State::Holding(match self.kind {
            _ if self.searched => {
                let searching = self.pending.is_some();
                return State::Matched { searching };
            }
            Some(Kind::Melody) if self.following => return State::Following,
            None => HoldReason::Judging,
            Some(Kind::Noise) => HoldReason::Noise,
            Some(Kind::Unsteady) => HoldReason::Unsteady,
            Some(Kind::Melody) if self.best < LEAST_LIKENESS => HoldReason::Unlike,
            Some(Kind::Melody) => HoldReason::KnobsAreCloser,
        })
    }

    /// Whether the encoder's answer to the newest window counts. While a found sound goes on it
    /// does only in judgements.
    pub(super) fn wants_inference(&self) -> bool {
        !self.searched || self.sounding >= self.judged_next
    }

    fn cancel(&mut self) {
        if self.pending.take().is_some()
            && let Some(searcher) = &mut self.searcher
        {
            searcher.cancel();
        }
    }

    /// Judges and searches after frame number `frame`. `inferred` is what the encoder says, where
    /// it is sure enough; `encoder` is for searches. Returns whether what is held has changed.
    pub(super) fn step(
        &mut self,
        frame: u64,
        inferred: Option<Inference>,
        encoder: impl FnOnce() -> Option<Box<dyn Encoder>>,
    ) -> bool {
        let mut moved = self.take_found(frame);
        self.inferred = inferred.or(self.inferred);
        if self.is_judged() {
            moved |= self.judge(inferred.as_ref());
        }
        if let Some(inferred) = inferred.filter(|_| self.following) {
            self.hold(inferred);
            moved = true;
        }
        self.ask(frame, encoder);
        moved
    }

    /// Returns whether there is a judgement now.
    fn is_judged(&mut self) -> bool {
        let due = self.sounding >= self.judged_next;
        if due {
            self.judged_next = self.sounding + if self.sounding < YOUNG { OFTEN } else { SELDOM };
        }
        due
    }

    /// Holds `inference` with its level. The last measured level is reused while it has hardly
    /// moved since: a measurement costs as much as half an inference.
    fn hold(&mut self, inference: Inference) {
        let near = |t: &Target| {
            let mut both = t.inference.mean.iter().zip(&inference.mean);
            both.all(|(a, b)| (a - b).abs() < SAME)
        };
        let measured = match self.measured.filter(near) {
            Some(measured) => measured,
            None => *(self.measured).insert(Target::new(inference, &self.knobs)),
        };
        self.held = Some(Target {
            inference,
            ..measured
        });
    }

    /// Holds a sound that was found.
    fn hold_sound(&mut self, sound: &KnownSound) {
        self.hold(Inference {
            mean: sound.mean,
            sigma: [LEAST_SIGMA; MATCHED_COUNT],
        });
        self.held = self.held.map(|held| held.leaning(sound.lean));
        self.likeness = Some(sound.likeness);
    }

    fn bounds(&self) -> Bounds {
        self.limits.bounds(&self.knobs)
    }

    /// Lets the rivals play the notes of the last second, and holds the best. Returns whether what
    /// is held has changed.
    fn judge(&mut self, inferred: Option<&Inference>) -> bool {
        let bounds = self.bounds();
        let patch = |values: &[f32; MATCHED_COUNT]| bounds.patch(&self.knobs, values);
        let leaning = |values, lean: &Lean| patch(values).leaning(self.limits.lean(*lean));
        let held = self.held.map(|held| (held.inference.mean, held.lean));
        // Just after a change the sound before it may turn out to go on.
        let begun = self.sounding <= self.changed_at + 2 * YOUNG;
        let tried: Vec<usize> = match self.searched || !begun {
            true => Vec::new(),
            false => self.memory.next(TRIED),
        };
        let mut patches = vec![self.knobs];
        patches.extend(held.iter().map(|(mean, lean)| leaning(mean, lean)));
        patches.extend(inferred.map(|inferred| patch(&inferred.mean)));
        patches.extend(tried.iter().map(|&i| {
            let sound = &self.memory.sound(i).known;
            leaning(&sound.mean, &sound.lean)
        }));
        let frames = self.sounding as usize;
        let Ok(judged) = self.judge.judge(frames, &patches, bounds.allow_sub()) else {
            return false;
        };
        self.kind = Some(judged.kind);
        if judged.kind != Kind::Melody {
            return self.meet_no_melody();
        }
        self.unlike = 0;
        let mut all = judged.likenesses.into_iter();
        let of_knobs = all.next().unwrap_or(0.0);
        let of_held = held.and_then(|_| all.next()).unwrap_or(of_knobs);
        let of_encoder = inferred.and_then(|_| all.next()).unwrap_or(-1.0);
        self.likeness = Some(of_held);
        self.of_knobs = Some(of_knobs);
        self.best = of_knobs.max(of_held).max(of_encoder);

        if self.searched {
            let before = self.memory.current().map_or(of_held, |s| s.known.likeness);
            self.loss += SMOOTHING * (before - of_held - self.loss);
            if self.loss > STALE {
                self.memory.wake();
            }
            // One that is only played in another register is unlike it too, but then neither the
            // encoder nor the knobs are much better.
            let rival = of_encoder.max(of_knobs);
            if of_held >= before - FAR || rival < of_held + FAR {
                self.strange = 0;
                return false;
            }
            self.strange += 1;
            let young = self.sounding <= 2 * YOUNG;
            if self.strange < if young { PROOF } else { PROOF_LATER } {
                return false;
            }
            self.meet_another();
        }
        let best = |(i, l): (usize, f32)| (tried[i], l);
        let back = (all.enumerate().map(best))
            .filter(|(i, l)| *l >= self.memory.sound(*i).known.likeness - NEAR)
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .filter(|(_, l)| *l > of_held.max(of_encoder) && *l >= LEAST_LIKENESS);
        if let Some((i, likeness)) = back {
            self.recall(i, likeness);
            return true;
        }
        let sounds_like_it = of_encoder >= LEAST_LIKENESS && of_encoder > of_knobs + LEAD;
        // What the encoder said before gives way to what it says now.
        let lead = if held.is_some() { -LEAD } else { 0.0 };
        self.following = sounds_like_it && of_encoder > of_held + lead;
        if self.following {
            self.likeness = Some(of_encoder);
        } else if held.is_some() && of_knobs > of_held + LEAD {
            self.hold_knobs();
            self.likeness = Some(of_knobs);
            return true;
        }
        false
    }

    /// Returns to the target held before, because the sound turned out not to be a melody.
    fn meet_no_melody(&mut self) -> bool {
        self.following = false;
        self.best = 0.0;
        self.unlike += 1;
        if self.unlike >= OVER {
            self.phrase.keep(0);
        }
        if self.unlike < PROOF || self.searched {
            return false;
        }
        self.cancel();
        let moved = self.held != self.before;
        match self.before {
            Some(before) => self.held = Some(before),
            None if moved => self.hold_knobs(),
            None => {}
        }
        moved
    }

    /// Returns to the knobs, which are more like the reference.
    fn hold_knobs(&mut self) {
        self.searched = false;
        self.held = Some(Target {
            inference: Inference {
                mean: self.knobs.matched(),
                sigma: [LEAST_SIGMA; MATCHED_COUNT],
            },
            lean: Lean::NONE,
            level_db: 0.0,
        });
    }

    /// Starts a new sound: another one than the one searched is heard.
    fn meet_another(&mut self) {
        self.cancel();
        self.memory.leave();
        self.changed_at = self.sounding;
        self.searched = false;
        self.strange = 0;
        self.loss = 0.0;
        let young = (self.sounding as usize).min(YOUNG as usize);
        self.phrase.keep(young);
    }

    /// Recalls sound `i` of the memory, which has come back.
    fn recall(&mut self, i: usize, likeness: f32) {
        self.cancel();
        let sound = self.memory.enter(i);
        let (known, earlier) = (sound.known, sound.phrase.clone());
        self.phrase.keep(self.sounding as usize);
        self.phrase.resume(&earlier);
        self.hold_sound(&KnownSound { likeness, ..known });
        self.following = false;
        self.searched = true;
        self.loss = 0.0;
    }

    /// Takes up the result of a search that is due after frame number `frame`; in silences too.
    /// Returns whether the target has changed.
    pub(super) fn take_found(&mut self, frame: u64) -> bool {
        let Some(pending) = self.pending.as_ref().filter(|p| frame >= p.due) else {
            return false;
        };
        let fresh = pending.fresh;
        let Some(found) = self.searcher.as_mut().and_then(|s| s.answer()) else {
            return false;
        };
        self.pending = None;
        // What was found on a sound's first notes gives way to whatever suits them all better.
        let young = (self.memory.current()).is_some_and(|sound| sound.searches < ASKED);
        let counts = |found: &Found| young || found.sound.likeness >= LEAST_FOUND;
        match found.filter(|found| counts(found) && self.unlike == 0) {
            Some(found) => {
                self.follow_search(&found, fresh);
                true
            }
            None => {
                self.not_before = frame + GIVEN_UP;
                false
            }
        }
    }

    fn follow_search(&mut self, found: &Found, fresh: bool) {
        let gain = found.value - found.starts.iter().fold(f32::MIN, |m, &v| m.max(v));
        let phrase = self.phrase.to_vec();
        if fresh {
            self.memory.add(Sound::new(found.sound));
        }
        self.changed = true;
        if let Some(sound) = self.memory.current_mut() {
            sound.known = found.sound;
            sound.phrase = phrase;
            sound.searches += 1;
            sound.little = if gain < LITTLE { sound.little + 1 } else { 0 };
        }
        self.hold_sound(&found.sound);
        self.following = false;
        self.searched = true;
        self.strange = 0;
        self.loss = 0.0;
    }

    /// Begins a search when there is something to find. Only a note that has ended shows its whole
    /// envelope: as long as none has since the last search, the envelopes stay as they are.
    fn ask(&mut self, frame: u64, encoder: impl FnOnce() -> Option<Box<dyn Encoder>>) {
        let current = self.memory.current();
        let converged = current.is_some_and(|sound| sound.little >= CONVERGED);
        let waits = !self.search || self.pending.is_some() || converged || self.strange > 0;
        let (frames, silent) = (self.phrase.frames(), self.silent > 0);
        if waits || silent || frames < SEARCHED || frame < self.not_before {
            return;
        }
        let worth = self.kind == Some(Kind::Melody) && self.best >= PROMISING;
        if (self.sounding as usize) < SEARCHED || !worth {
            return;
        }
        let mut bounds = self.bounds();
        let before = std::mem::replace(&mut self.ended, self.judge.notes_ended());
        if self.ended == before {
            let knobs = self.knobs.matched();
            let values = self.held.map_or(knobs, |held| held.inference.mean);
            let envelopes = (0..MATCHED_COUNT).filter(|&i| of_an_envelope(i));
            envelopes.for_each(|i| bounds.fix(i, values[i]));
        }
        let Some(searcher) = &mut self.searcher else {
            return;
        };
        let patch = |values: &[f32; MATCHED_COUNT]| bounds.patch(&self.knobs, values);
        let fresh = current.is_none();
        let mut starts: Vec<Patch> = Vec::new();
        let leaning =
            |held: &Target| patch(&held.inference.mean).leaning(self.limits.lean(held.lean));
        starts.extend(self.held.iter().map(leaning));
        starts.push(patch(&self.knobs.matched()));
        starts.extend(
            self.inferred
                .iter()
                .filter(|_| !fresh)
                .map(|e| patch(&e.mean)),
        );
        let seconds = frames as f64 / self.frame_rate;
        let little = current.map_or(0, |sound| sound.little);
        let explore = little == 1;
        let times = if little > 0 { PATIENT } else { 1.0 };
        let seconds = times * (LEAST_RENDERS * seconds).max(LEAST_SECONDS);
        searcher.ask(Request {
            samples: self.phrase.to_vec(),
            rate: self.phrase.frame_samples() as f64 * self.frame_rate,
            ear: self.ear,
            starts,
            bounds,
            encoder: match current {
                Some(sound) if sound.searches >= ASKED && !explore => None,
                _ => encoder(),
            },
            explore,
            seconds,
            seed: current.map_or(0, |sound| u64::from(sound.searches)),
        });
        self.pending = Some(Pending {
            due: frame + (seconds / PACE * self.frame_rate).round() as u64,
            fresh,
        });
    }
}

#[cfg(test)]
mod tests;
