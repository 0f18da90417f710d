//! One note: oscillators, mixer, filters and amplifier, steered once per control step.
//!
//! A step is *planned* (modulators evaluated at its end, everything audible ramped there) and then
//! rendered in pieces of any size. A note-on or note-off inside a step cuts the plan at that very
//! sample and plans the rest anew.

mod modulators;
mod note;

use crate::CONTROL;
use crate::common::Common;
use crate::filter::Filter;
use crate::filter::lanes::{Lanes, Place};
use crate::glide::Glide;
use crate::lfo::Lfo;
use crate::math::{Ramp, exp2, exp2s, inverse, split_mix};
use crate::matrix::{Sources, Sum, source};
use crate::offsets::Offsets;
use crate::oscillator::Samples;
use crate::params::SOURCES;
use crate::settings::Settings;
use crate::tones::{Block, Tones};
use crate::wavetable::Wavetables;
use modulators::Modulators;
use simd::Vector;
use wide::f32x4;

pub use note::NoteState;

/// Output gain: one note of the init patch at full velocity peaks at about -12 dBFS.
const GAIN: f32 = 0.2;

/// Of both oscillators, 2^-32 cycles a sample, for a pitch `ratio` times that of middle C.
#[inline(always)]
fn increments(ratio: f32, s: &Settings) -> [u32; 2] {
    s.osc.map(|osc| (ratio * osc.increment) as u32)
}

/// A voice's pitch.
#[derive(Clone, Copy, Debug, Default)]
struct Tuning {
    /// Above middle C.
    octaves: f32,
    /// [`Common::version`] of the patch that it holds for; 0: for no other step.
    version: u64,
    /// As by [`increments`].
    increments: [u32; 2],
}

/// One voice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Voice {
    /// The note it plays.
    pub note: NoteState,
    /// Whether the key is down.
    pub held: bool,
    /// Whether it is fading out after being stolen or choked.
    pub fading: bool,
    /// Number of the note since the last reset: smaller is older.
    pub number: u64,
    tones: Tones,
    tuning: Tuning,
    /// Left, right; the left one filters both while they are the same.
    filters: [Filter; 2],
    stereo: bool,
    /// Where its samples are in the filters' lanes.
    places: [Place; 2],
    /// Whether they are.
    ready: bool,
    gain: [Ramp; 2],
    modulators: Modulators,
    before: Modulators,
    planned: usize,
    done: usize,
    /// Whether it has not sounded yet.
    fresh: bool,
    /// Drawn for the note, -1 to 1.
    random: f32,
    /// From the host.
    offsets: Offsets,
    /// The settings of the planned step, if they are not everyone's.
    own: Settings,
    differs: bool,
}

impl Voice {
    /// Starts a note. `offset`: semitones to glide from; `seed`: phases, noise, everything random.
    pub fn start(&mut self, note: NoteState, number: u64, offset: f32, seed: u64, common: &Common) {
        *self = Self {
            note,
            held: true,
            number,
            fresh: true,
            ..Self::default()
        };
        self.draw(seed);
        let hands = common.hands(note.channel);
        let m = &mut self.modulators;
        m.amp.attack();
        m.filter.attack();
        m.velocity = note.velocity;
        (m.volume, m.pan) = (note.volume, note.pan);
        m.brightness = note.brightness + hands.controllers.brightness;
        (m.wheel, m.bend) = (hands.controllers.wheel, hands.controllers.bend);
        m.pressure = note.pressure.max(hands.controllers.pressure);
        let random = (seed >> 32) as u32;
        for (n, lfo) in m.lfos.iter_mut().enumerate() {
            let (settings, clock) = (&common.settings.lfos[n], &common.clocks[n]);
            *lfo = Lfo::new(random.wrapping_add(n as u32), settings, clock);
        }
        m.glide = Glide::new(offset, common.settings.glide);
        self.modulate(common);
        let s = if self.differs {
            &self.own
        } else {
            &common.settings
        };
        let ratio = exp2(self.octaves(hands.semitones, s));
        self.tones.start(increments(ratio, s), seed, s);
        self.filters[0].start(&s.filter);
    }

    /// Becomes another note without a break, gliding there in `glide` samples; `strike`: its envelopes
    /// begin anew from where they are.
    pub fn take(&mut self, note: NoteState, seed: u64, strike: bool, glide: f32) {
        let offset = self.note.key + self.modulators.glide.offset() - note.key;
        self.modulators.glide = Glide::new(offset, glide);
        // A note that is only moved to keeps the touch of the one before.
        let velocity = if strike {
            note.velocity
        } else {
            self.note.velocity
        };
        self.note = NoteState { velocity, ..note };
        self.held = true;
        self.offsets = Offsets::default();
        if strike {
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
    pub fn offset(&mut self, row: usize, offset: f32) {
        self.offsets.set(row, offset, self.fresh);
    }

    /// Lets the note go.
    pub fn release(&mut self) {
        self.held = false;
        self.modulators.amp.release();
        self.modulators.filter.release();
    }

    /// Fades it out within 4 ms.
    pub fn fade(&mut self) {
        self.held = false;
        self.fading = true;
        self.modulators.amp.fade();
    }

    /// Whether it has ended.
    pub fn is_idle(&self) -> bool {
        self.modulators.amp.is_idle()
    }

    /// Its loudness, for choosing which voice to steal.
    pub fn level(&self) -> f32 {
        self.modulators.amp.level() * self.note.volume
    }

    /// Finds out what the matrix and the host make of the settings.
    #[inline(always)]
    fn modulate(&mut self, common: &Common) {
        let s = &common.settings;
        self.differs = !(s.matrix.is_empty() && self.offsets.is_empty());
        if self.differs {
            let mut sum = Sum::default();
            self.offsets.add_to(&mut sum);
            s.matrix.add_to(&mut sum, &self.sources());
            self.own = s.moved(&common.patch, &sum);
        }
    }

    fn sources(&self) -> Sources {
        let m = &self.modulators;
        let mut sources = [0.0; SOURCES.len()];
        sources[source::VELOCITY] = m.velocity;
        sources[source::KEY] = ((self.note.key + m.glide.offset() - 60.0) / 60.0).clamp(-1.0, 1.0);
        sources[source::WHEEL] = m.wheel;
        sources[source::PRESSURE] = m.pressure;
        sources[source::BEND] = m.bend;
        sources[source::BRIGHTNESS] = (0.5 * m.brightness).clamp(-1.0, 1.0);
        sources[source::AMP] = m.amp.level();
        sources[source::FILTER] = m.filter.level();
        sources[source::LFO1] = m.lfos[0].level();
        sources[source::LFO2] = m.lfos[1].level();
        sources[source::RANDOM] = self.random;
        sources
    }

    /// Octaves above middle C; `bend` in semitones.
    #[inline(always)]
    fn octaves(&self, bend: f32, s: &Settings) -> f32 {
        let m = &self.modulators;
        let semitones = (self.note.key - 60.0)
            + self.note.tuning
            + bend
            + (s.tune + s.shift)
            + m.glide.offset()
            + m.lfos[0].level() * s.vibrato;
        semitones * (1.0 / 12.0)
    }

    /// Plans the next `len` samples. Inlined: the caller's instructions for vectors are better for
    /// single numbers too.
    #[inline(always)]
    pub fn plan(&mut self, len: usize, common: &Common) {
        let hands = common.hands(self.note.channel);
        if len == CONTROL {
            self.offsets.advance(common.settings.smoothing);
        }
        self.modulate(common);
        let s = if self.differs {
            &self.own
        } else {
            &common.settings
        };
        self.before = self.modulators;
        (self.planned, self.done) = (len, 0);
        self.modulators.advance(len, s, &self.note, &hands, common);
        let m = &self.modulators;
        let inverse_len = inverse(len);
        let lfo = m.lfos[0].level();

        let velocity = 1.0 - s.velocity * (1.0 - m.velocity * m.velocity);
        let tremolo = 1.0 - s.tremolo * m.lfos[0].depth() * 0.5 * (1.0 - lfo);
        let gain = GAIN * s.level * m.amp.level() * velocity * tremolo * m.volume * s.swell;
        // Equal power, 1 in the middle: sqrt is exact everywhere, unlike sin and cos.
        let pan = (m.pan + s.pan).clamp(-1.0, 1.0);
        self.gain[0].aim(gain * (1.0 - pan).sqrt(), inverse_len);
        self.gain[1].aim(gain * (1.0 + pan).sqrt(), inverse_len);
        if self.gain.iter().all(Ramp::is_silent) {
            return;
        }

        let octaves = self.octaves(hands.semitones, s);
        let tracked = s.key_track * octaves;
        let opened = s.env_octaves * m.filter.level()
            + s.velocity_octaves * (m.velocity - 1.0)
            + s.lfo_octaves * lfo
            + m.brightness;
        let powers = exp2s(f32x4::from([octaves, tracked, tracked + opened, 0.0]));
        let [ratio, high_pass, low_pass, _] = powers.to_array();

        let version = if self.differs { 0 } else { common.version };
        let same = version > 0 && self.tuning.version == version;
        // What stands still doesn't have to wait for the powers.
        if !same || self.tuning.octaves != octaves {
            self.tuning = Tuning {
                octaves,
                version,
                increments: increments(ratio, s),
            };
        }
        self.tones.plan(len, self.tuning.increments, s, same);

        let cutoffs = [s.cutoff * low_pass, s.high_pass * high_pass];
        let sides = if self.stereo { 2 } else { 1 };
        for filter in &mut self.filters[..sides] {
            filter.plan(inverse_len, &s.filter, cutoffs);
        }
    }

    /// Plans what is left of a step after a cut, or nothing.
    pub fn replan(&mut self, left: usize, common: &Common) {
        if left > 0 {
            self.plan(left, common);
        }
    }

    /// Cuts the planned step at the current sample and returns how much of it was left; the caller
    /// changes the note and plans that rest.
    pub fn cut(&mut self, common: &Common) -> usize {
        let left = self.planned - self.done;
        if left > 0 {
            let silent = self.is_silent();
            let hands = common.hands(self.note.channel);
            let s = if self.differs {
                &self.own
            } else {
                &common.settings
            };
            self.modulators = self.before;
            self.modulators
                .advance(self.done, s, &self.note, &hands, common);
            self.gain.iter_mut().for_each(|g| g.cut(self.done));
            if !silent {
                self.tones.cut(self.done);
                self.filters.iter_mut().for_each(|f| f.cut(self.done));
            }
        }
        left
    }

    fn is_silent(&self) -> bool {
        self.gain[0].is_silent() && self.gain[1].is_silent()
    }

    /// Plays the next `len` samples of the planned step into the filters' lanes.
    #[inline(always)]
    pub fn play<V: Vector>(&mut self, v: V, tables: &Wavetables, len: usize, lanes: &mut Lanes) {
        if self.is_silent() {
            return;
        }
        let mut block = Block::default();
        self.tones.play(v, tables, self.done, len, &mut block);
        if block.stereo && !self.stereo {
            // Until here both sides were the same.
            self.filters[1] = self.filters[0];
        }
        self.stereo = block.stereo;
        self.ready = true;
        let sides = if self.stereo { 2 } else { 1 };
        for side in 0..sides {
            let (filter, audio) = (&self.filters[side], &block.audio[side]);
            self.places[side] = lanes.push(filter, self.done, audio, block.modulator.as_ref());
        }
    }

    /// Whether what was played is the same on both sides, or nothing.
    #[inline(always)]
    pub fn is_mono(&self) -> bool {
        let [left, right] = &self.gain;
        let same = left.start == right.start && left.target == right.target;
        !self.ready || (same && !self.stereo)
    }

    /// Adds what was played and filtered to the left, and to the right if it is there, and moves on by
    /// `len`, that of [`Voice::play`]; what follows it is any number.
    #[inline(always)]
    pub fn add_to<V: Vector>(&mut self, v: V, len: usize, lanes: &Lanes, sides: &mut [Samples]) {
        if self.ready {
            let [left, right] = &mut self.filters;
            let mut audio = [lanes.pull(self.places[0], left); 2];
            if self.stereo {
                audio[1] = lanes.pull(self.places[1], right);
            }
            for (k, side) in sides.iter_mut().enumerate() {
                self.gain[k].mix_in(v, self.done, audio[k], side);
            }
            self.ready = false;
        }
        self.done += len;
        self.fresh = false;
    }
}
