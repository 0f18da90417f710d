//! The instrument: its voices in control steps, parameter glides, and the output stage.
//!
//! Control steps lie on a fixed grid of the stream since the last reset, so that what is heard
//! depends on when things happen, never on how the stream is cut into blocks.

mod notes;

use crate::common::{Common, Transport};
use crate::effects::{Effects, safety_clip};
use crate::event::Event;
use crate::filter::lanes::{Channel, Lanes};
use crate::oscillator::Samples;
use crate::simd::{InstructionSet, Kernel, Vector};
use crate::voice::Voice;
use crate::wavetable::Wavetables;
use crate::{CONTROL, Patch};
use std::ops::Range;

pub use notes::Ended;

/// Voices that may sound at once, fading ones included.
const SLOTS: usize = Synth::MAX_VOICES + 32;

/// The instrument.
pub struct Synth {
    sample_rate: f32,
    tables: &'static Wavetables,
    set: InstructionSet,
    lanes: Lanes,
    voices: Vec<Voice>,
    /// Where the search for a free voice begins.
    first: usize,
    /// Indices of the sounding voices, in order of their start.
    active: Vec<usize>,
    /// Keys held down or by the pedal, the last struck last: what a single voice follows.
    keys: Vec<notes::Key>,
    /// Notes that have ended since the host last asked.
    ended: Vec<Ended>,
    common: Common,
    seed: u64,
    notes: u64,
    last_key: Option<f32>,
    /// Samples since the last reset.
    position: u64,
    effects: Effects,
    glide: Option<PatchGlide>,
    /// What was played last.
    output: Output,
}

/// A piece of a control step, on its way out.
pub(crate) struct Output {
    /// Left and right; what follows its samples is any number.
    sides: [Samples; 2],
    /// Whether the left one stands for both.
    pub mono: bool,
}

impl Output {
    /// Left and right.
    pub fn sides(&self) -> [&Samples; 2] {
        let [left, right] = &self.sides;
        [left, if self.mono { left } else { right }]
    }
}

/// The next `len` samples of some instruments, up to the filters.
pub(crate) struct Play<'a> {
    pub synths: &'a mut [Synth],
    /// At most [`Synth::ahead`] of each.
    pub len: usize,
}

impl Kernel for Play<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        for synth in self.synths {
            synth.play(v, self.len);
        }
    }
}

/// What was played and filtered, to the output.
pub(crate) struct Mix<'a> {
    pub synths: &'a mut [Synth],
    /// That of [`Play`].
    pub len: usize,
}

impl Kernel for Mix<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        for synth in self.synths {
            synth.mix(v, self.len);
        }
    }
}

/// A patch on its way.
struct PatchGlide {
    from: Patch,
    to: Patch,
    start: u64,
    samples: f32,
}

impl Synth {
    /// Largest number of simultaneous notes a patch may allow; the notes they displace fade out beside
    /// them.
    pub const MAX_VOICES: usize = 64;

    /// Allocates everything. `sample_rate` in Hz, 8,000 to 384,000 (others are clamped).
    pub fn new(sample_rate: f32) -> Self {
        Self::with_instruction_set(sample_rate, InstructionSet::best())
    }

    /// [`Synth::new`] on other vector instructions than the CPU's best.
    pub fn with_instruction_set(sample_rate: f32, set: InstructionSet) -> Self {
        let sample_rate = if sample_rate.is_nan() {
            48_000.0
        } else {
            sample_rate.clamp(8_000.0, 384_000.0)
        };
        Self {
            sample_rate,
            tables: Wavetables::shared(),
            set,
            lanes: Lanes::new(set),
            voices: vec![Voice::default(); SLOTS],
            first: 0,
            active: Vec::with_capacity(SLOTS),
            keys: Vec::with_capacity(notes::KEYS),
            ended: Vec::with_capacity(SLOTS),
            common: Common::new(sample_rate),
            seed: 0,
            notes: 0,
            last_key: None,
            position: 0,
            effects: Effects::new(sample_rate),
            glide: None,
            output: Output {
                sides: [[0.0; CONTROL]; 2],
                mono: true,
            },
        }
    }

    /// Makes the `first`-th voice the first to be used. Every instrument's voices begin a page of memory:
    /// if all began with the same one, they would push each other out of the cache.
    pub(crate) fn begin_with(&mut self, first: usize) {
        self.first = first % SLOTS;
    }

    /// Hz.
    pub fn sample_rate(&self) -> f32 {
        self.sample_rate
    }

    /// Silences everything and returns to the state after `new`; the patch stays, at the end of
    /// its glide, and so does the seed.
    pub fn reset(&mut self) {
        self.active.clear();
        self.keys.clear();
        self.ended.clear();
        self.common.reset();
        self.notes = 0;
        self.last_key = None;
        self.position = 0;
        self.effects.reset();
        if let Some(glide) = self.glide.take() {
            self.common.apply(glide.to);
        }
    }

    /// Chooses the oscillators' phases and the noise of the notes to come: the n-th note after a
    /// reset depends on the seed and n. 0 at first.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Aims every parameter at `patch`; each glides there linearly, in normalised space, over
    /// `glide` seconds from the stream's current position, on the control grid. 0 (or less): notes
    /// to come have it at once, sounding ones within two control steps.
    pub fn set_patch(&mut self, patch: &Patch, glide: f32) {
        let samples = glide * self.sample_rate;
        if samples >= 1.0 {
            let (from, to, start) = (self.common.patch, *patch, self.position);
            self.glide = Some(PatchGlide {
                from,
                to,
                start,
                samples,
            });
        } else {
            self.glide = None;
            self.common.apply(*patch);
        }
    }

    /// The patch sounding now, on its way to the one last set.
    pub fn current(&self) -> &Patch {
        &self.common.patch
    }

    /// Says where the song is now: what synced and free-running LFOs follow. Between calls it goes on
    /// by itself; after a reset it starts at 0 with 120 beats per minute.
    pub fn set_transport(&mut self, transport: &Transport) {
        self.common.set_transport(self.position, transport);
    }

    /// Renders a block. `left` and `right` have equal length (of unequal ones, the shorter counts)
    /// and are overwritten; `events` are in time order, and numbers that are not finite make an
    /// event void. Real-time safe.
    pub fn process(&mut self, left: &mut [f32], right: &mut [f32], events: &[Event]) {
        let len = left.len().min(right.len());
        let (left, right) = (&mut left[..len], &mut right[..len]);
        left.fill(0.0);
        right.fill(0.0);
        let mut done = 0;
        for event in events {
            let time = (event.time as usize).clamp(done, len);
            self.advance(&mut left[done..time], &mut right[done..time]);
            done = time;
            self.handle(&event.kind);
        }
        self.advance(&mut left[done..], &mut right[done..]);
        safety_clip(left);
        safety_clip(right);
    }

    /// Number of sounding notes, without those that fade out after being stolen or choked.
    pub fn active_voices(&self) -> usize {
        self.active
            .iter()
            .filter(|&&i| !self.voices[i].fading)
            .count()
    }

    /// Samples until the control grid's next line; 0 on a line whose step is not yet planned.
    fn to_grid(&self) -> usize {
        (CONTROL - (self.position % CONTROL as u64) as usize) % CONTROL
    }

    fn advance(&mut self, left: &mut [f32], right: &mut [f32]) {
        let mut done = 0;
        while done < left.len() {
            let len = self.ahead().min(left.len() - done);
            let set = self.set;
            set.run(Play {
                synths: std::slice::from_mut(self),
                len,
            });
            let sounding = self.sounding();
            let channels = self.voices[sounding].iter_mut().flat_map(Voice::channels);
            self.lanes.process(len, channels);
            set.run(Mix {
                synths: std::slice::from_mut(self),
                len,
            });
            let [l, r] = self.output.sides();
            left[done..done + len].copy_from_slice(&l[..len]);
            right[done..done + len].copy_from_slice(&r[..len]);
            done += len;
        }
    }

    /// Samples to the control grid's next line; a whole step on a line.
    fn ahead(&self) -> usize {
        CONTROL - (self.position % CONTROL as u64) as usize
    }

    #[inline(always)]
    fn play<V: Vector>(&mut self, v: V, len: usize) {
        let planned = self.to_grid() > 0;
        if !planned {
            self.control();
        }
        for &i in &self.active {
            let voice = &mut self.voices[i];
            if !planned {
                voice.plan(CONTROL, &self.common);
            }
            voice.play(v, self.tables, len);
        }
    }

    /// What is to be filtered of what was played.
    pub(crate) fn channels(&mut self) -> impl Iterator<Item = Channel<'_>> {
        let sounding = self.sounding();
        self.voices[sounding].iter_mut().flat_map(Voice::channels)
    }

    /// From the first to the last voice that sounds.
    fn sounding(&self) -> Range<usize> {
        let start = self.active.iter().fold(SLOTS, |start, &i| start.min(i));
        let end = self.active.iter().fold(start, |end, &i| end.max(i + 1));
        start..end
    }

    /// Mixes the voices, sends them through the effects, and moves on.
    #[inline(always)]
    fn mix<V: Vector>(&mut self, v: V, len: usize) {
        let Output { sides, mono } = &mut self.output;
        *mono = self.active.iter().all(|&i| self.voices[i].is_mono());
        sides[0] = [0.0; CONTROL];
        let mut channels = 1;
        if !*mono {
            sides[1] = [0.0; CONTROL];
            channels = 2;
        }
        for &i in &self.active {
            self.voices[i].add_to(v, len, &mut sides[..channels]);
        }
        if !self.effects.are_idle() {
            if *mono {
                sides[1] = sides[0];
                *mono = false;
            }
            let [left, right] = sides;
            self.effects.process(&mut left[..len], &mut right[..len]);
        }
        self.position += len as u64;
    }

    /// What [`Mix`] left, without the [`safety_clip`].
    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// On the grid: moves the patch on, and plans the effects' next step.
    fn control(&mut self) {
        if let Some(glide) = &self.glide {
            let t = (self.position + CONTROL as u64 - glide.start) as f32 / glide.samples;
            let patch = if t < 1.0 {
                glide.from.lerp(&glide.to, t)
            } else {
                glide.to
            };
            if t >= 1.0 {
                self.glide = None;
            }
            self.common.apply(patch);
        }
        self.common.advance(self.position);
        if self.active.iter().any(|&i| self.voices[i].is_idle()) {
            self.retire();
        }
        self.effects.plan(&self.common.settings.effects);
    }

    /// Forgets the voices that have ended.
    fn retire(&mut self) {
        let ended = &mut self.ended;
        self.active.retain(|&i| {
            let voice = &self.voices[i];
            if voice.is_idle() {
                notes::tell(ended, voice);
            }
            !voice.is_idle()
        });
    }
}
