//! The instrument: its voices in control steps, parameter glides, and the output stage.
//!
//! Control steps lie on a fixed grid of the stream since the last reset, so that what is heard
//! depends on when things happen, never on how the stream is cut into blocks.

mod notes;
mod pedals;

use crate::effects::Effects;
use crate::event::Event;
use crate::filter::bank::FilterBank;
use crate::output::Output;
use crate::shared::SharedState;
use crate::tail::tail;
use crate::transport::Transport;
use crate::voice::Voice;
use crate::wavetable::Wavetables;
use crate::{CONTROL, COUNT, Patch};
use simd::{InstructionSet, Kernel, Vector};
use std::mem;

pub use notes::Ended;

/// Voices that may sound at once, fading ones included.
const SLOTS: usize = Synth::MAX_VOICES + 32;

/// The instrument.
pub struct Synth {
    sample_rate: f32,
    tables: &'static Wavetables,
    set: InstructionSet,
    /// Empty in a batch, whose instruments share its own.
    bank: FilterBank,
    voices: Vec<Voice>,
    /// Index at which the search for a free voice begins.
    first: usize,
    /// Indices of the sounding voices, in order of their start.
    active: Vec<usize>,
    /// Keys held down or by the pedal, the last struck last: a single voice follows them.
    keys: Vec<notes::Key>,
    /// Notes that have ended since the host last asked.
    ended: Vec<Ended>,
    shared: SharedState,
    seed: u64,
    notes: u64,
    last_key: Option<f32>,
    /// Samples since the last reset.
    position: u64,
    effects: Effects,
    /// Whether the effects are to be silent as soon as no voice fades.
    hushing: bool,
    glide: Option<PatchGlide>,
    /// Whether the voices' samples are the same on both sides.
    mono: bool,
    /// Samples that were played and not yet handed out.
    output: Output,
}

/// Renders the next `len` samples of some instruments, whose voices share a filter bank.
pub(crate) struct Step<'a> {
    pub synths: &'a mut [Synth],
    pub bank: &'a mut FilterBank,
    /// Number of samples, at most [`Synth::ahead`] of each instrument.
    pub len: usize,
}

impl Kernel for Step<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        let Self { synths, bank, len } = self;
        bank.clear();
        for synth in &mut *synths {
            synth.play(v, len, bank);
        }
        bank.filter(v, len);
        for synth in synths {
            synth.mix(v, len, bank);
        }
    }
}

/// Number of glides of a patch: of each row, and of the lean.
const GLIDES: usize = COUNT + 1;

/// A glide from one patch to another, each row and the lean in their own time.
struct PatchGlide {
    from: Patch,
    to: Patch,
    /// Start and length of each glide, in samples.
    start: [u64; GLIDES],
    samples: [f32; GLIDES],
}

impl Synth {
    /// Largest number of simultaneous notes a patch may allow; displaced notes fade out on top of
    /// them.
    pub const MAX_VOICES: usize = 64;

    /// Allocates everything. `sample_rate` in Hz, 1,000 to 768,000 (others are clamped).
    pub fn new(sample_rate: f32) -> Self {
        Self::with_instruction_set(sample_rate, Self::best_instruction_set())
    }

    /// The instruction set that [`Synth::new`] chooses on this CPU: the best with at most eight
    /// lanes. The voices of one instrument would leave most lanes of wider vectors empty.
    pub fn best_instruction_set() -> InstructionSet {
        InstructionSet::best_within(8)
    }

    /// [`Synth::new`] with another instruction set than [`Synth::best_instruction_set`].
    pub fn with_instruction_set(sample_rate: f32, set: InstructionSet) -> Self {
        let sample_rate = if sample_rate.is_nan() {
            48_000.0
        } else {
            sample_rate.clamp(1_000.0, 768_000.0)
        };
        Self {
            sample_rate,
            tables: Wavetables::shared(),
            set,
            // Left and right of each voice.
            bank: FilterBank::new(2 * SLOTS),
            voices: vec![Voice::default(); SLOTS],
            first: 0,
            active: Vec::with_capacity(SLOTS),
            keys: Vec::with_capacity(notes::KEYS),
            ended: Vec::with_capacity(SLOTS),
            shared: SharedState::new(sample_rate),
            seed: 0,
            notes: 0,
            last_key: None,
            position: 0,
            effects: Effects::new(sample_rate),
            hushing: false,
            glide: None,
            mono: true,
            output: Output::default(),
        }
    }

    /// Makes it one of a batch, without a filter bank, and the `first`-th voice the first to be
    /// used. Every instrument's voices begin a page of memory: if all began with the same one, they
    /// would push each other out of the cache.
    pub(crate) fn join(&mut self, first: usize) {
        self.bank = FilterBank::default();
        self.first = first % SLOTS;
    }

    /// Sample rate in Hz.
    pub fn sample_rate(&self) -> f32 {
        self.sample_rate
    }

    /// Silences everything and returns to the state after `new`; the patch stays, at the end of
    /// its glide, and so does the seed.
    pub fn reset(&mut self) {
        self.active.clear();
        self.keys.clear();
        self.ended.clear();
        self.shared.reset();
        self.notes = 0;
        self.last_key = None;
        self.position = 0;
        self.effects.reset();
        self.hushing = false;
        if let Some(glide) = self.glide.take() {
            self.shared.apply(glide.to);
        }
    }

    /// Sets the seed of everything random in the notes to come, their phases and their noise: the
    /// n-th note after a reset depends on the seed and n. It is 0 at first.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Aims every parameter at `patch`; each glides there linearly, in normalised space, over
    /// `glide` seconds from the stream's current position, on the control grid. 0 (or less): notes
    /// to come have it at once, sounding ones within two control steps.
    pub fn set_patch(&mut self, patch: &Patch, glide: f32) {
        let samples = glide * self.sample_rate;
        if samples >= 1.0 {
            self.glide = Some(PatchGlide {
                from: self.shared.patch,
                to: *patch,
                start: [self.position; GLIDES],
                samples: [samples; GLIDES],
            });
        } else {
            self.glide = None;
            self.shared.apply(*patch);
        }
    }

    /// Aims the rows and the lean at `patch` that are not on their way there already: these glide
    /// as by [`Synth::set_patch`], within `glide` seconds, while the others go on in their own
    /// time.
    pub fn glide_to(&mut self, patch: &Patch, glide: f32) {
        let current = self.shared.patch;
        let start = self.position;
        let on_the_way = self.glide.get_or_insert(PatchGlide {
            from: current,
            to: current,
            start: [start; GLIDES],
            samples: [1.0; GLIDES],
        });
        let samples = (glide * self.sample_rate).max(1.0);
        for row in 0..COUNT {
            if patch.get(row) != on_the_way.to.get(row) {
                on_the_way.from.set(row, current.get(row));
                on_the_way.start[row] = start;
                on_the_way.samples[row] = samples;
            }
        }
        if patch.lean != on_the_way.to.lean {
            on_the_way.from.lean = current.lean;
            on_the_way.start[COUNT] = start;
            on_the_way.samples[COUNT] = samples;
        }
        on_the_way.to = *patch;
    }

    /// The patch sounding now, on its way to the one last set.
    pub fn current(&self) -> &Patch {
        &self.shared.patch
    }

    /// Sets the song's tempo and position, which synced and free-running LFOs and a synced delay
    /// follow. Between calls the song goes on by itself; after a reset it starts at 0 with 120
    /// beats per minute.
    pub fn set_transport(&mut self, transport: &Transport) {
        self.shared.set_transport(self.position, transport);
    }

    /// Longest time from the last note's end to silence, in seconds, with `patch` in the song's
    /// tempo.
    pub fn tail(&self, patch: &Patch) -> f32 {
        tail(patch, self.shared.tempo())
    }

    /// Renders a block. `left` and `right` have equal length (of unequal ones, the shorter counts)
    /// and are overwritten; `events` are in time order; their numbers are brought into range, and
    /// NaN counts as the value that changes nothing. Real-time safe.
    pub fn process(&mut self, left: &mut [f32], right: &mut [f32], events: &[Event]) {
        let len = left.len().min(right.len());
        let (left, right) = (&mut left[..len], &mut right[..len]);
        let mut done = 0;
        for event in events {
            let time = (event.time as usize).clamp(done, len);
            self.advance(&mut left[done..time], &mut right[done..time]);
            done = time;
            self.handle(&event.kind);
        }
        self.advance(&mut left[done..], &mut right[done..]);
    }

    /// Number of sounding notes, without those that fade out after being stolen or choked.
    pub fn active_voices(&self) -> usize {
        self.active
            .iter()
            .filter(|&&i| !self.voices[i].fading)
            .count()
    }

    /// Whether nothing sounds, and nothing will until the next note: no voice and no tail.
    pub fn is_silent(&self) -> bool {
        self.active.is_empty() && self.effects.are_silent()
    }

    /// Samples until the control grid's next line; 0 on a line whose step is not yet planned.
    fn to_grid(&self) -> usize {
        (CONTROL - (self.position % CONTROL as u64) as usize) % CONTROL
    }

    fn advance(&mut self, left: &mut [f32], right: &mut [f32]) {
        if self.rests() {
            self.rest(left.len());
            left.fill(0.0);
            right.fill(0.0);
            return;
        }
        // Taken out, as if they belonged to a batch.
        let mut bank = mem::take(&mut self.bank);
        let mut done = 0;
        while done < left.len() {
            let from = done;
            while done < left.len() && !self.output.is_full() {
                let len = self.ahead().min(left.len() - done);
                self.set.run_narrow(Step {
                    synths: std::slice::from_mut(self),
                    bank: &mut bank,
                    len,
                });
                done += len;
            }
            let (l, r) = self.output.take();
            left[from..done].copy_from_slice(l);
            right[from..done].copy_from_slice(r.unwrap_or(l));
        }
        self.bank = bank;
    }

    /// Returns whether the instrument is silent and only its clocks move.
    fn rests(&self) -> bool {
        let moves = self.glide.is_some() || self.hushing || !self.active.is_empty();
        !moves && self.effects.stay_idle(&self.shared.settings.effects)
    }

    /// Moves the clocks on by `len` samples, as [`Synth::play`] and [`Synth::mix`] do: an
    /// instrument that nobody plays costs next to nothing.
    fn rest(&mut self, len: usize) {
        let end = self.position + len as u64;
        while self.position < end {
            if self.to_grid() == 0 {
                self.shared.advance(self.position);
            }
            self.position = end.min(self.position + self.ahead() as u64);
        }
    }

    /// Samples to the control grid's next line; a whole step on a line.
    fn ahead(&self) -> usize {
        CONTROL - (self.position % CONTROL as u64) as usize
    }

    /// Plays the next `len` samples into the filter bank.
    #[inline(always)]
    fn play<V: Vector>(&mut self, v: V, len: usize, bank: &mut FilterBank) {
        let planned = self.to_grid() > 0;
        if !planned {
            self.control();
        }
        self.mono = true;
        for &i in &self.active {
            let voice = &mut self.voices[i];
            if !planned {
                voice.plan(CONTROL, &self.shared);
            }
            voice.play(v, self.tables, len, bank);
            self.mono &= voice.is_mono();
        }
    }

    /// Mixes the voices, sends them through the effects, and moves on.
    #[inline(always)]
    fn mix<V: Vector>(&mut self, v: V, len: usize, bank: &FilterBank) {
        let idle = self.effects.are_idle();
        let mut sides = [[0.0; CONTROL]; 2];
        let sides = &mut sides[..if idle && self.mono { 1 } else { 2 }];
        for &i in &self.active {
            self.voices[i].add_to(v, len, bank, sides);
        }
        if !idle && let [left, right] = &mut *sides {
            self.effects.process(&mut left[..len], &mut right[..len]);
        }
        self.output.add(sides, len);
        self.position += len as u64;
    }

    /// Samples on their way out.
    pub(crate) fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Advances the patch by a step of the control grid, and plans the effects' next step.
    #[inline(always)]
    fn control(&mut self) {
        if self.glide.is_some() {
            self.glide();
        }
        self.shared.advance(self.position);
        if self.active.iter().any(|&i| self.voices[i].is_idle()) {
            self.retire();
        }
        if self.hushing && !self.active.iter().any(|&i| self.voices[i].fading) {
            self.hushing = false;
            self.effects.reset();
        }
        let effects = &self.shared.settings.effects;
        self.effects.plan(effects, self.shared.tempo());
    }

    /// Moves the patch on by a step of its glide. Not inlined: its rows would be unrolled in every
    /// kernel, which costs minutes of compiling.
    #[inline(never)]
    fn glide(&mut self) {
        let Some(glide) = &self.glide else {
            return;
        };
        let now = self.position + CONTROL as u64;
        let time = |row: usize| (now - glide.start[row]) as f32 / glide.samples[row];
        let patch = glide.from.lerp_by_rows(&glide.to, time);
        if (0..GLIDES).all(|i| time(i) >= 1.0) {
            self.glide = None;
        }
        self.shared.apply(patch);
    }

    /// Forgets the voices that have ended.
    fn retire(&mut self) {
        let ended = &mut self.ended;
        self.active.retain(|&i| {
            let voice = &self.voices[i];
            if voice.is_idle() {
                notes::report_ended(ended, voice);
            }
            !voice.is_idle()
        });
    }
}
