//! Polyphony: voices, events, parameter glides, and the output stage.
//!
//! Control steps lie on a fixed grid of the stream since the last reset, so that what is heard
//! depends on when things happen, never on how the stream is cut into blocks.

use crate::event::{Event, EventKind};
use crate::filter::lanes::{Channel, Lanes};
use crate::math::split_mix;
use crate::settings::Settings;
use crate::simd::InstructionSet;
use crate::voice::{NoteState, Voice};
use crate::wavetable::Wavetables;
use crate::{CONTROL, Patch};

/// Voices that may sound at once, fading ones included: as many again as notes.
const SLOTS: usize = 2 * Synth::MAX_VOICES;

/// The instrument.
pub struct Synth {
    sample_rate: f32,
    tables: &'static Wavetables,
    lanes: Lanes,
    voices: Vec<Voice>,
    /// Indices of the sounding voices, in order of their start.
    active: Vec<usize>,
    bend: [f32; 16],
    pedal: [bool; 16],
    seed: u64,
    notes: u64,
    last_key: Option<f32>,
    /// Samples since the last reset.
    position: u64,
    current: Patch,
    settings: Settings,
    glide: Option<PatchGlide>,
}

/// A patch on its way.
struct PatchGlide {
    from: Patch,
    to: Patch,
    start: u64,
    samples: f32,
}

impl Synth {
    /// Largest number of simultaneous notes; the notes they displace fade out beside them.
    pub const MAX_VOICES: usize = 16;

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
        let current = Patch::default();
        Self {
            sample_rate,
            tables: Wavetables::shared(),
            lanes: Lanes::new(set),
            voices: vec![Voice::default(); SLOTS],
            active: Vec::with_capacity(SLOTS),
            bend: [0.0; 16],
            pedal: [false; 16],
            seed: 0,
            notes: 0,
            last_key: None,
            position: 0,
            settings: Settings::new(&current, sample_rate),
            current,
            glide: None,
        }
    }

    /// Hz.
    pub fn sample_rate(&self) -> f32 {
        self.sample_rate
    }

    /// Silences everything and returns to the state after `new`; the patch stays, at the end of
    /// its glide, and so does the seed.
    pub fn reset(&mut self) {
        self.active.clear();
        self.bend = [0.0; 16];
        self.pedal = [false; 16];
        self.notes = 0;
        self.last_key = None;
        self.position = 0;
        if let Some(glide) = self.glide.take() {
            self.apply(glide.to);
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
            let (from, to, start) = (self.current, *patch, self.position);
            self.glide = Some(PatchGlide {
                from,
                to,
                start,
                samples,
            });
        } else {
            self.glide = None;
            self.apply(*patch);
        }
    }

    /// The patch sounding now, on its way to the one last set.
    pub fn current(&self) -> &Patch {
        &self.current
    }

    fn apply(&mut self, patch: Patch) {
        if patch != self.current {
            self.current = patch;
            self.settings = Settings::new(&patch, self.sample_rate);
        }
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
            let end = left.len().min(done + self.ahead());
            self.play(end - done);
            let channels = self.voices.iter_mut().flat_map(Voice::channels);
            self.lanes.process(end - done, channels);
            self.add_to(&mut left[done..end], &mut right[done..end]);
            done = end;
        }
    }

    /// Samples to the control grid's next line; a whole step on a line.
    pub(crate) fn ahead(&self) -> usize {
        CONTROL - (self.position % CONTROL as u64) as usize
    }

    /// Plays the next `len` samples, at most [`Synth::ahead`], up to the filters.
    pub(crate) fn play(&mut self, len: usize) {
        if self.to_grid() == 0 {
            self.control();
        }
        for &i in &self.active {
            self.voices[i].play(self.tables, len);
        }
    }

    /// What is to be filtered of what was played.
    pub(crate) fn channels(&mut self) -> impl Iterator<Item = Channel<'_>> {
        self.voices.iter_mut().flat_map(Voice::channels)
    }

    /// Adds what was played and filtered, and moves on. Equal lengths, those of [`Synth::play`].
    pub(crate) fn add_to(&mut self, left: &mut [f32], right: &mut [f32]) {
        for &i in &self.active {
            self.voices[i].add_to(left, right);
        }
        self.position += left.len() as u64;
    }

    /// On the grid: moves the patch on and plans every voice's next step.
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
            self.apply(patch);
        }
        self.active.retain(|&i| !self.voices[i].is_idle());
        for &i in &self.active {
            let voice = &mut self.voices[i];
            let bend = self.bend[voice.note.channel as usize] * self.settings.bend_range;
            voice.plan(CONTROL, bend, &self.settings);
        }
    }

    /// Changes a voice at the current sample.
    fn change(&mut self, index: usize, change: impl FnOnce(&mut Voice)) {
        let voice = &mut self.voices[index];
        let left = voice.cut(&self.settings);
        change(voice);
        if left > 0 {
            let bend = self.bend[voice.note.channel as usize] * self.settings.bend_range;
            voice.plan(left, bend, &self.settings);
        }
    }

    /// Changes every sounding voice that `which` selects.
    fn change_all(&mut self, which: impl Fn(&Voice) -> bool, change: impl Fn(&mut Voice)) {
        for n in 0..self.active.len() {
            let i = self.active[n];
            if which(&self.voices[i]) {
                self.change(i, &change);
            }
        }
    }

    /// Does what an event says, at the current sample.
    pub(crate) fn handle(&mut self, event: &EventKind) {
        use EventKind::*;
        let named = |id: i32, channel: u8, key: f32| {
            move |v: &Voice| {
                !v.fading
                    && if id >= 0 && v.note.id >= 0 {
                        v.note.id == id
                    } else {
                        v.note.channel == channel & 15 && (v.note.key - key).abs() < 1e-3
                    }
            }
        };
        match *event {
            NoteOn {
                id,
                channel,
                key,
                velocity,
            } if key.is_finite() && velocity.is_finite() => {
                self.note_on(
                    id,
                    channel & 15,
                    key.clamp(-24.0, 160.0),
                    velocity.clamp(0.0, 1.0),
                );
            }
            NoteOff { id, channel, key } => {
                let which = named(id, channel, key);
                let pedal = self.pedal;
                self.change_all(
                    |v| v.held && which(v),
                    |v| {
                        if pedal[v.note.channel as usize] {
                            v.held = false
                        } else {
                            v.release()
                        }
                    },
                );
            }
            Choke { id, channel, key } => self.change_all(named(id, channel, key), Voice::fade),
            PitchBend { channel, value } if value.is_finite() => {
                self.bend[channel as usize & 15] = value.clamp(-1.0, 1.0);
            }
            Sustain { channel, down } => {
                let channel = channel & 15;
                self.pedal[channel as usize] = down;
                if !down {
                    self.change_all(|v| v.note.channel == channel && !v.held, Voice::release);
                }
            }
            AllNotesOff => self.change_all(|_| true, Voice::release),
            AllSoundOff => self.change_all(|_| true, Voice::fade),
            Tuning {
                id,
                channel,
                key,
                semitones,
            } if semitones.is_finite() => {
                self.express(named(id, channel, key), |n| {
                    n.tuning = semitones.clamp(-120.0, 120.0)
                });
            }
            Volume {
                id,
                channel,
                key,
                gain,
            } if gain.is_finite() => {
                self.express(named(id, channel, key), |n| n.volume = gain.clamp(0.0, 4.0));
            }
            Pan {
                id,
                channel,
                key,
                pan,
            } if pan.is_finite() => {
                self.express(named(id, channel, key), |n| n.pan = pan.clamp(-1.0, 1.0));
            }
            Brightness {
                id,
                channel,
                key,
                value,
            } if value.is_finite() => {
                let octaves = 4.0 * (value.clamp(0.0, 1.0) - 0.5);
                self.express(named(id, channel, key), |n| n.brightness = octaves);
            }
            _ => {}
        }
    }

    /// Expressions are smoothed, so they may wait for the next grid line.
    fn express(&mut self, which: impl Fn(&Voice) -> bool, set: impl Fn(&mut NoteState)) {
        for &i in &self.active {
            if which(&self.voices[i]) {
                set(&mut self.voices[i].note);
            }
        }
    }

    fn note_on(&mut self, id: i32, channel: u8, key: f32, velocity: f32) {
        // A key struck again lets its earlier note go.
        self.change_all(
            |v| !v.fading && v.note.channel == channel && v.note.key == key && v.note.id == id,
            Voice::release,
        );
        if self.active_voices() >= Self::MAX_VOICES
            && let Some(victim) = self.victim()
        {
            self.change(victim, Voice::fade);
        }
        let slot = match (0..SLOTS).find(|i| !self.active.contains(i)) {
            Some(free) => {
                self.active.push(free);
                free
            }
            // More steals within one fade than slots: the oldest fade is cut off.
            None => self.active[0],
        };
        let offset = self.last_key.map_or(0.0, |last| last - key);
        self.last_key = Some(key);
        let mut seed = self.seed ^ self.notes.wrapping_mul(0xD134_2543_DE82_EF95);
        let seed = split_mix(&mut seed);
        let note = NoteState {
            id,
            channel,
            key,
            velocity,
            tuning: 0.0,
            volume: 1.0,
            pan: 0.0,
            brightness: 0.0,
        };
        let bend = self.bend[channel as usize] * self.settings.bend_range;
        self.voices[slot].start(note, self.notes, offset, bend, seed, &self.settings);
        self.notes += 1;
        let left = self.to_grid();
        if left > 0 {
            self.voices[slot].plan(left, bend, &self.settings);
        }
    }

    /// The note to displace: the quietest released one, else the oldest.
    fn victim(&self) -> Option<usize> {
        let candidates = self
            .active
            .iter()
            .copied()
            .filter(|&i| !self.voices[i].fading);
        candidates.min_by(|&a, &b| {
            let [a, b] = [&self.voices[a], &self.voices[b]];
            let by_level = if a.held {
                std::cmp::Ordering::Equal
            } else {
                a.level().total_cmp(&b.level())
            };
            a.held
                .cmp(&b.held)
                .then(by_level)
                .then(a.number.cmp(&b.number))
        })
    }
}

/// Bit-transparent up to -1 dBFS, then bends towards 0 dBFS with a continuous slope.
pub(crate) fn safety_clip(samples: &mut [f32]) {
    const KNEE: f32 = 0.891_250_9;
    const ROOM: f32 = 1.0 - KNEE;
    // Without a branch per sample this test is a few vector operations.
    if samples.iter().fold(false, |any, x| any | (x.abs() > KNEE)) {
        for x in samples {
            let over = (x.abs() - KNEE) / ROOM;
            if over > 0.0 {
                *x = (KNEE + ROOM * over / (1.0 + over)).copysign(*x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clip_is_transparent_below_its_knee_and_bounded_above() {
        let input: Vec<f32> = (-4_000..=4_000).map(|i| i as f32 * 1e-3).collect();
        let mut output = input.clone();
        safety_clip(&mut output);
        for (x, y) in input.iter().zip(&output) {
            assert!(
                y.abs() < 1.0 && (x.abs() > 0.8912 || x == y),
                "{x} becomes {y}"
            );
        }
        assert!(
            output
                .windows(2)
                .all(|w| w[1] > w[0] && w[1] - w[0] < 1.001e-3)
        );
    }
}
