//! One note: oscillators, mixer, filters and amplifier, steered once per control step.
//!
//! A step is *planned* (modulators evaluated at its end, everything audible ramped there) and then
//! rendered in pieces of any size. A note-on or note-off inside a step cuts the plan at that very
//! sample and plans the rest anew.

use crate::CONTROL;
use crate::envelope::Envelope;
use crate::filter::Filter;
use crate::filter::lanes::Channel;
use crate::glide::Glide;
use crate::lfo::Lfo;
use crate::math::{Ramp, exp2};
use crate::settings::Settings;
use crate::tones::{Block, Tones};
use crate::wavetable::Wavetables;

/// Output gain: one note of the init patch at full velocity peaks at about -12 dBFS.
const GAIN: f32 = 0.2;

/// A note's name and expression.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoteState {
    /// Host's id or -1.
    pub id: i32,
    /// MIDI channel.
    pub channel: u8,
    /// MIDI pitch.
    pub key: f32,
    /// 0 to 1.
    pub velocity: f32,
    /// Tuning expression, semitones.
    pub tuning: f32,
    /// Gain expression.
    pub volume: f32,
    /// -1 to 1.
    pub pan: f32,
    /// Octaves of cutoff.
    pub brightness: f32,
}

/// What moves by itself; a copy is kept to return to when a step is cut.
#[derive(Clone, Copy, Debug, Default)]
struct Modulators {
    amp: Envelope,
    filter: Envelope,
    lfo: Lfo,
    glide: Glide,
    volume: f32,
    pan: f32,
    brightness: f32,
}

impl Modulators {
    fn advance(&mut self, samples: usize, s: &Settings, note: &NoteState) {
        let n = samples as f32;
        self.amp.advance(n, &s.amp);
        self.filter.advance(n, &s.filter_env);
        self.lfo.advance(n / s.sample_rate, s.lfo_rate);
        self.glide.advance(n);
        if samples == CONTROL {
            self.volume = note.volume + (self.volume - note.volume) * s.smoothing;
            self.pan = note.pan + (self.pan - note.pan) * s.smoothing;
            self.brightness = note.brightness + (self.brightness - note.brightness) * s.smoothing;
        }
    }
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
    /// Left, right; the left one filters both while they are the same.
    filters: [Filter; 2],
    stereo: bool,
    /// The samples on their way from the sources to the output.
    block: Block,
    /// How many of them there are.
    ready: usize,
    gain: [Ramp; 2],
    modulators: Modulators,
    before: Modulators,
    planned: usize,
    done: usize,
}

impl Voice {
    /// Starts a note. `offset`: semitones to glide from; `bend`: semitones; `seed`: phases, noise.
    pub fn start(
        &mut self,
        note: NoteState,
        number: u64,
        offset: f32,
        bend: f32,
        seed: u64,
        s: &Settings,
    ) {
        *self = Self {
            note,
            held: true,
            number,
            ..Self::default()
        };
        let m = &mut self.modulators;
        m.amp.attack();
        m.filter.attack();
        m.glide = Glide::new(offset, s.glide);
        (m.volume, m.pan, m.brightness) = (note.volume, note.pan, note.brightness);
        let increments = self.increments(self.pitch(bend, s), s);
        self.tones.start(increments, seed, s);
        self.filters[0].start(&s.filter);
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

    fn pitch(&self, bend: f32, s: &Settings) -> f32 {
        let m = &self.modulators;
        let (lfo, depth) = m.lfo.value(s.lfo_delay);
        self.note.key
            + self.note.tuning
            + bend
            + s.tune
            + m.glide.offset()
            + lfo * depth * s.vibrato
    }

    /// Phase increments of both oscillators, 2^-32 cycles a sample.
    fn increments(&self, pitch: f32, s: &Settings) -> [u32; 2] {
        let base = exp2((pitch - 69.0) / 12.0) * (440.0 * 4_294_967_296.0 / s.sample_rate);
        s.osc.map(|osc| (base * osc.ratio) as u32)
    }

    /// Plans the next `len` samples. `bend` in semitones.
    pub fn plan(&mut self, len: usize, bend: f32, s: &Settings) {
        self.before = self.modulators;
        (self.planned, self.done) = (len, 0);
        self.modulators.advance(len, s, &self.note);
        let m = &self.modulators;
        let inverse_len = 1.0 / len as f32;
        let (lfo, depth) = m.lfo.value(s.lfo_delay);
        let lfo = lfo * depth;

        let velocity = 1.0 - s.velocity * (1.0 - self.note.velocity * self.note.velocity);
        let tremolo = 1.0 - s.tremolo * depth * 0.5 * (1.0 - lfo);
        let gain = GAIN * s.level * m.amp.level() * velocity * tremolo * m.volume;
        // Equal power, 1 in the middle: sqrt is exact everywhere, unlike sin and cos.
        self.gain[0].aim(gain * (1.0 - m.pan).sqrt(), inverse_len);
        self.gain[1].aim(gain * (1.0 + m.pan).sqrt(), inverse_len);
        if self.is_silent() {
            return;
        }

        let pitch = self.pitch(bend, s);
        let increments = self.increments(pitch, s);
        self.tones.plan(len, increments, s);

        let key = exp2(s.key_track * (pitch - 60.0) / 12.0) / s.sample_rate;
        let octaves = s.env_octaves * m.filter.level()
            + s.velocity_octaves * (self.note.velocity - 1.0)
            + s.lfo_octaves * lfo
            + m.brightness;
        let cutoffs = [s.cutoff * key * exp2(octaves), s.high_pass * key];
        let sides = if self.stereo { 2 } else { 1 };
        for filter in &mut self.filters[..sides] {
            filter.plan(inverse_len, &s.filter, cutoffs[0], cutoffs[1]);
        }
    }

    /// Cuts the planned step at the current sample and returns how much of it was left; the caller
    /// changes the note and plans that rest.
    pub fn cut(&mut self, s: &Settings) -> usize {
        let left = self.planned - self.done;
        if left > 0 {
            let silent = self.is_silent();
            self.modulators = self.before;
            self.modulators.advance(self.done, s, &self.note);
            self.gain.iter_mut().for_each(|g| g.cut(self.done));
            if !silent {
                self.tones.cut(self.done);
                self.filters.iter_mut().for_each(Filter::cut);
            }
        }
        left
    }

    fn is_silent(&self) -> bool {
        self.gain[0].is_silent() && self.gain[1].is_silent()
    }

    /// Plays the next `len` samples of the planned step, up to the filters.
    pub fn play(&mut self, tables: &Wavetables, len: usize) {
        if self.is_silent() {
            return;
        }
        // The whole step is the common case: a constant length lets its loops unroll.
        if len == CONTROL {
            self.tones.play(tables, self.done, CONTROL, &mut self.block);
        } else {
            self.tones.play(tables, self.done, len, &mut self.block);
        }
        if self.block.stereo && !self.stereo {
            // Until here both sides were the same.
            self.filters[1] = self.filters[0];
        }
        self.stereo = self.block.stereo;
        self.ready = len;
    }

    /// What [`Voice::play`] played, to be filtered.
    pub fn channels(&mut self) -> impl Iterator<Item = Channel<'_>> {
        let count = match (self.ready, self.stereo) {
            (0, _) => 0,
            (_, false) => 1,
            (_, true) => 2,
        };
        let modulates = self.tones.modulates_cutoff();
        let Block {
            audio, modulator, ..
        } = &mut self.block;
        let modulator = modulates.then_some(&*modulator);
        let sides = self.filters.iter_mut().zip(audio).take(count);
        sides.map(move |(filter, audio)| Channel {
            filter,
            audio,
            modulator,
        })
    }

    /// Adds what was played and filtered, and moves on. Equal lengths, those of [`Voice::play`].
    pub fn add_to(&mut self, left: &mut [f32], right: &mut [f32]) {
        if self.ready > 0 {
            let audio = &self.block.audio;
            self.gain[0].mix(self.done, &audio[0], left);
            self.gain[1].mix(self.done, &audio[self.stereo as usize], right);
            self.ready = 0;
        }
        self.done += left.len();
    }
}
