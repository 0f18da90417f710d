//! One note: generators, filters and amplifier, steered once per control step.
//!
//! A step is *planned* (modulators evaluated at its end, everything audible ramped there) and then
//! rendered in pieces of any size. A note-on or note-off inside a step cuts the plan at that very
//! sample and plans the rest again.

mod modulators;
mod note;

use crate::filter::Filter;
use crate::filter::bank::{FilterBank, Slot};
use crate::generators::{Generators, SourceBlock};
use crate::glide::Glide;
use crate::lfo::Lfo;
use crate::math::{Ramp, exp2, exp2s, inverse, split_mix};
use crate::matrix::Sum;
use crate::note_modulation::NoteModulation;
use crate::params::Source;
use crate::settings::Settings;
use crate::shared::SharedState;
use crate::wavetable::Wavetables;
use crate::{CONTROL, Samples};
use modulators::Modulators;
use simd::Vector;
use wide::f32x4;

pub use note::NoteState;

/// Output gain: one note of the init patch at full velocity peaks at about -12 dBFS.
const GAIN: f32 = 0.2;

/// Phase increments of both oscillators, in 2^-32 cycles a sample, for a pitch `ratio` times that
/// of middle C.
#[inline(always)]
fn increments(ratio: f32, s: &Settings) -> [u32; 2] {
    s.osc.map(|osc| (ratio * osc.increment) as u32)
}

/// Pitch of a voice.
#[derive(Clone, Copy, Debug, Default)]
struct Tuning {
    /// Octaves above middle C.
    octaves: f32,
    /// [`SharedState::version`] of the patch that it holds for; 0: for no other step.
    version: u64,
    /// Phase increments of both oscillators, from [`increments`].
    increments: [u32; 2],
}

/// One voice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Voice {
    /// The note that the voice plays.
    pub note: NoteState,
    /// Whether the key is down.
    pub held: bool,
    /// Whether the sostenuto pedal caught the note.
    pub caught: bool,
    /// Whether the note is fading out after being stolen or choked.
    pub fading: bool,
    /// Number of the note since the last reset: smaller is older.
    pub number: u64,
    generators: Generators,
    tuning: Tuning,
    /// Filters of left and right; the left one serves both while the sides are the same.
    filters: [Filter; 2],
    stereo: bool,
    /// Slot of each side's samples in the filter bank, once they are there.
    slots: Option<[Slot; 2]>,
    gain: [Ramp; 2],
    modulators: Modulators,
    before: Modulators,
    planned: usize,
    done: usize,
    /// Whether the note has not sounded yet.
    fresh: bool,
    /// Random value of the note, -1 to 1.
    random: f32,
    /// The host's modulation of the note.
    modulation: NoteModulation,
    /// Settings of the planned step, where modulation makes them differ from the shared ones.
    own: Option<Settings>,
    /// [`SharedState::version`] of the patch of which they are, where its lean alone makes the
    /// difference; otherwise 0.
    own_version: u64,
}

impl Voice {
    /// Starts a note. `offset`: semitones to glide from; `seed`: phases, noise, everything random.
    pub fn start(
        &mut self,
        note: NoteState,
        number: u64,
        offset: f32,
        seed: u64,
        shared: &SharedState,
    ) {
        *self = Self {
            note,
            held: true,
            number,
            fresh: true,
            ..Self::default()
        };
        self.draw(seed);
        let controllers = shared.controllers(note.channel, None);
        let m = &mut self.modulators;
        m.amp.attack();
        m.filter.attack();
        m.velocity = note.velocity;
        m.volume = note.volume * controllers.gain;
        m.pan = note.pan + controllers.pan;
        m.brightness = note.brightness + controllers.brightness;
        (m.wheel, m.bend) = (controllers.wheel, controllers.bend);
        m.pressure = note.pressure.max(controllers.pressure);
        let random = (seed >> 32) as u32;
        for (n, lfo) in m.lfos.iter_mut().enumerate() {
            let (settings, clock) = (&shared.settings.lfos[n], &shared.clocks[n]);
            *lfo = Lfo::new(random.wrapping_add(n as u32), settings, clock);
        }
        m.glide = Glide::new(offset, shared.settings.glide);
        self.update_settings(shared);
        let s = self.own.as_ref().unwrap_or(&shared.settings);
        let ratio = exp2(self.octaves(controllers.semitones, s));
        self.generators.start(increments(ratio, s), seed, s);
        self.filters[0].start(&s.filter);
    }

    /// Becomes another note without a break, gliding there in `glide` samples; `retrigger`: its
    /// envelopes start their attack again from where they are.
    pub fn retarget(&mut self, note: NoteState, seed: u64, retrigger: bool, glide: f32) {
        let offset = self.note.key + self.modulators.glide.offset() - note.key;
        self.modulators.glide = Glide::new(offset, glide);
        // A note that is only moved to keeps the touch of the one before.
        let velocity = if retrigger {
            note.velocity
        } else {
            self.note.velocity
        };
        self.note = NoteState { velocity, ..note };
        if self.own_version > 0 {
            (self.own_version, self.tuning.version) = (0, 0);
        }
        self.held = true;
        self.caught = false;
        self.modulation = NoteModulation::default();
        if retrigger {
            self.draw(seed);
            self.modulators.amp.attack();
            self.modulators.filter.attack();
        }
    }

    fn draw(&mut self, seed: u64) {
        // Not from the stream that the phases come from: nothing of it may shift.
        let mut state = !seed;
        self.random = (split_mix(&mut state) >> 32) as i32 as f32 * (1.0 / 2_147_483_648.0);
    }

    /// Moves a parameter of this note by `offset`, in normalised space.
    pub fn modulate(&mut self, row: usize, offset: f32) {
        self.modulation.set(row, offset, self.fresh);
    }

    /// Lets the note go.
    pub fn release(&mut self) {
        self.held = false;
        self.caught = false;
        self.modulators.amp.release();
        self.modulators.filter.release();
    }

    /// Fades it out within 4 ms.
    pub fn fade(&mut self) {
        self.held = false;
        self.caught = false;
        self.fading = true;
        self.modulators.amp.fade();
    }

    /// Whether the note has ended.
    pub fn is_idle(&self) -> bool {
        self.modulators.amp.is_idle()
    }

    /// Whether the note was let go, by key and pedals.
    pub fn is_released(&self) -> bool {
        self.modulators.amp.is_released()
    }

    /// Loudness, for choosing which voice to steal.
    pub fn level(&self) -> f32 {
        self.modulators.amp.level() * self.note.volume
    }

    /// Computes the voice's own settings where the patch leans, or the matrix or the host
    /// modulates it.
    #[inline(always)]
    fn update_settings(&mut self, shared: &SharedState) {
        let s = &shared.settings;
        if s.matrix.is_empty() && self.modulation.is_empty() {
            if !shared.leans {
                self.own = None;
                self.own_version = 0;
            } else if self.own_version != shared.version {
                self.lean(shared);
            }
        } else {
            self.own_version = 0;
            let mut sum = Sum::default();
            if shared.leans {
                shared.patch.lean.add_to(self.note.key, &mut sum);
            }
            self.modulation.add_to(&mut sum);
            s.matrix.add_to(&mut sum, |source| self.source(source));
            self.own = Some(s.modulated(&shared.patch, &sum));
        }
    }

    /// Computes the settings of its key. Not inlined: the patch seldom changes.
    #[inline(never)]
    fn lean(&mut self, shared: &SharedState) {
        let mut sum = Sum::default();
        shared.patch.lean.add_to(self.note.key, &mut sum);
        self.own = Some(shared.settings.modulated(&shared.patch, &sum));
        self.own_version = shared.version;
    }

    /// Value of a source of the modulation matrix.
    #[inline(always)]
    fn source(&self, source: Source) -> f32 {
        let m = &self.modulators;
        match source {
            Source::Off => 0.0,
            Source::Velocity => m.velocity,
            Source::Key => ((self.note.key + m.glide.offset() - 60.0) / 60.0).clamp(-1.0, 1.0),
            Source::Wheel => m.wheel,
            Source::Pressure => m.pressure,
            Source::Bend => m.bend,
            Source::Brightness => (0.5 * m.brightness).clamp(-1.0, 1.0),
            Source::AmpEnvelope => m.amp.level(),
            Source::FilterEnvelope => m.filter.level(),
            Source::Lfo1 => m.lfos[0].level(),
            Source::Lfo2 => m.lfos[1].level(),
            Source::Random => self.random,
        }
    }

    /// Octaves above middle C; `bend` in semitones.
    #[inline(always)]
    fn octaves(&self, bend: f32, s: &Settings) -> f32 {
        let m = &self.modulators;
        let semitones = (self.note.key - 60.0)
            + self.note.tuning
            + bend
            + (s.tune + s.mod_pitch)
            + m.glide.offset()
            + m.lfos[0].level() * s.vibrato;
        semitones * (1.0 / 12.0)
    }

    /// Plans the next `len` samples. Inlined: the caller's instructions for vectors are better for
    /// single numbers too.
    #[inline(always)]
    pub fn plan(&mut self, len: usize, shared: &SharedState) {
        let controllers = shared.controllers(self.note.channel, self.note.left.as_ref());
        if len == CONTROL {
            self.modulation.advance(shared.settings.smoothing);
        }
        self.update_settings(shared);
        let s = self.own.as_ref().unwrap_or(&shared.settings);
        self.before = self.modulators;
        (self.planned, self.done) = (len, 0);
        self.modulators
            .advance(len, s, &self.note, &controllers, shared);
        let m = &self.modulators;
        let inverse_len = inverse(len);
        let lfo = m.lfos[0].level();

        let velocity = 1.0 - s.velocity * (1.0 - m.velocity * m.velocity);
        let tremolo = 1.0 - s.tremolo * m.lfos[0].depth() * 0.5 * (1.0 - lfo);
        let gain = GAIN * s.level * m.amp.level() * velocity * tremolo * m.volume * s.mod_gain;
        // Equal power, 1 in the middle: sqrt is exact everywhere, unlike sin and cos.
        let pan = (m.pan + s.mod_pan).clamp(-1.0, 1.0);
        self.gain[0].aim(gain * (1.0 - pan).sqrt(), inverse_len);
        self.gain[1].aim(gain * (1.0 + pan).sqrt(), inverse_len);
        if self.gain.iter().all(Ramp::is_silent) {
            return;
        }

        let octaves = self.octaves(controllers.semitones, s);
        let tracked = s.key_track * octaves;
        let opened = s.env_octaves * m.filter.level()
            + s.velocity_octaves * (m.velocity - 1.0)
            + s.lfo_octaves * lfo
            + m.brightness;
        let powers = exp2s(f32x4::from([octaves, tracked, tracked + opened, 0.0]));
        let [ratio, high_pass, low_pass, _] = powers.to_array();

        let version = match self.own {
            Some(_) => self.own_version,
            None => shared.version,
        };
        let same = version > 0 && self.tuning.version == version;
        // An unchanged pitch needs no new increments, and so doesn't wait for the powers.
        if !same || self.tuning.octaves != octaves {
            self.tuning = Tuning {
                octaves,
                version,
                increments: increments(ratio, s),
            };
        }
        self.generators.plan(len, self.tuning.increments, s, same);

        let cutoffs = [s.cutoff * low_pass, s.high_pass * high_pass];
        let sides = if self.stereo { 2 } else { 1 };
        for filter in &mut self.filters[..sides] {
            filter.plan(inverse_len, &s.filter, cutoffs);
        }
    }

    /// Plans the `left` samples of a step after a cut, if there are any.
    pub fn replan(&mut self, left: usize, shared: &SharedState) {
        if left > 0 {
            self.plan(left, shared);
        }
    }

    /// Cuts the planned step at the current sample and returns how much of it was left; the caller
    /// changes the note and plans that rest.
    pub fn cut(&mut self, shared: &SharedState) -> usize {
        let left = self.planned - self.done;
        if left > 0 {
            let silent = self.is_silent();
            let controllers = shared.controllers(self.note.channel, self.note.left.as_ref());
            let s = self.own.as_ref().unwrap_or(&shared.settings);
            self.modulators = self.before;
            self.modulators
                .advance(self.done, s, &self.note, &controllers, shared);
            self.gain.iter_mut().for_each(|g| g.cut(self.done));
            if !silent {
                self.generators.cut(self.done);
                self.filters.iter_mut().for_each(|f| f.cut(self.done));
            }
        }
        left
    }

    fn is_silent(&self) -> bool {
        self.gain[0].is_silent() && self.gain[1].is_silent()
    }

    /// Plays the next `len` samples of the planned step into the filter bank.
    #[inline(always)]
    pub fn play<V: Vector>(
        &mut self,
        v: V,
        tables: &Wavetables,
        len: usize,
        bank: &mut FilterBank,
    ) {
        if self.is_silent() {
            return;
        }
        let mut block = SourceBlock::default();
        self.generators.play(v, tables, self.done, len, &mut block);
        if block.stereo && !self.stereo {
            // Until here both sides were the same.
            self.filters[1] = self.filters[0];
        }
        self.stereo = block.stereo;
        let mut slots = [Slot::default(); 2];
        let sides = if self.stereo { 2 } else { 1 };
        for side in 0..sides {
            let (filter, audio) = (&self.filters[side], &block.audio[side]);
            slots[side] = bank.push(filter, self.done, audio, block.modulator.as_ref());
        }
        self.slots = Some(slots);
    }

    /// Whether both sides of what was played are the same, or nothing was played.
    #[inline(always)]
    pub fn is_mono(&self) -> bool {
        let [left, right] = &self.gain;
        let same = left.start == right.start && left.target == right.target;
        self.slots.is_none() || (same && !self.stereo)
    }

    /// Adds the played and filtered samples to the left and, if there is one, the right side, and
    /// moves on by `len`, that of [`Voice::play`]; samples past `len` are unspecified.
    #[inline(always)]
    pub fn add_to<V: Vector>(
        &mut self,
        v: V,
        len: usize,
        bank: &FilterBank,
        sides: &mut [Samples],
    ) {
        if let Some(slots) = self.slots.take() {
            let [left, right] = &mut self.filters;
            let mut audio = [bank.pull(slots[0], left); 2];
            if self.stereo {
                audio[1] = bank.pull(slots[1], right);
            }
            for (k, side) in sides.iter_mut().enumerate() {
                self.gain[k].mix_in(v, self.done, audio[k], side);
            }
        }
        self.done += len;
        self.fresh = false;
    }
}
