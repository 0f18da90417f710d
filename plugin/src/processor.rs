//! One instance without its host: reference and events in, sound out.

use matcher::live::{AudioEnd, Limits, Settings, Target};
use std::time::Instant;
use synth::{COUNT, Ended, Event, Patch, Synth, Transport};

use crate::downmix::Downmix;
use crate::params::modulated;

/// Most samples pushed to the source at a time.
const CHUNK: usize = 1024;
/// Duration of the glide after a knob moves, in seconds.
const KNOB_GLIDE: f32 = 0.02;
/// Time constant of the output level, in seconds.
const LEVEL_TIME: f32 = 0.01;

/// A source of inferences that take effect at fixed positions of the reference's stream.
pub trait InferenceSource {
    /// Takes what the player has set, for the blocks pushed from now on.
    fn set(&mut self, settings: &Settings);
    /// Takes a block of the reference; the stream's position advances by its length.
    fn push(&mut self, mono: &[f32]);
    /// Waits for the inference due in the pushed block, at most until then. Offline only.
    fn wait(&mut self, until: Instant);
    /// The next inference due in the pushed block, with its offset there.
    fn next_due(&mut self) -> Option<(usize, Target)>;
    /// Starts a new stream.
    fn reset(&mut self);
}

impl InferenceSource for AudioEnd {
    fn set(&mut self, settings: &Settings) {
        AudioEnd::set(self, settings);
    }

    fn push(&mut self, mono: &[f32]) {
        AudioEnd::push(self, mono);
    }

    fn wait(&mut self, until: Instant) {
        AudioEnd::wait(self, until);
    }

    fn next_due(&mut self) -> Option<(usize, Target)> {
        AudioEnd::next_due(self)
    }

    fn reset(&mut self) {
        AudioEnd::reset(self);
    }
}

/// The settings of host and player for one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// Positions of the knobs, without the host's modulation.
    pub knobs: Patch,
    /// The host's modulation of all rows, normalised: it comes on top of what is matched.
    pub modulation: [f32; COUNT],
    /// Share of the way from the knob to the inferred value that matched parameters go, 0 to 1.
    pub amount: f32,
    /// Locks and allowed ranges.
    pub limits: Limits,
    /// Time from one inferred sound to the next, in seconds.
    pub glide: f32,
    /// Whether the listener receives the reference; if not, it receives silence.
    pub listen: bool,
    /// Whether better matches are searched while a sound goes on.
    pub search: bool,
    /// Whether the host says that it bounces: what is found then is not kept.
    pub bounce: bool,
    /// Linear gain of the output.
    pub gain: f32,
    /// Tempo and song position at the block's first sample.
    pub transport: Transport,
}

/// The synth with the inference it holds.
pub struct Processor<S> {
    source: S,
    synth: Synth,
    rate: f32,
    held: Option<Target>,
    /// Patch last given to the synth; `None` since the start, when the synth must not glide.
    target: Option<Patch>,
    downmix: Downmix,
    /// [`Controls::listen`] of the last block.
    listening: bool,
    /// Gain of the last sample; `None` before the first.
    gain: Option<f32>,
    mono: Box<[f32; CHUNK]>,
}

impl<S: InferenceSource> Processor<S> {
    /// Allocates everything. `rate` in Hz.
    pub fn new(rate: f32, source: S) -> Self {
        Self {
            source,
            synth: Synth::new(rate),
            rate,
            held: None,
            target: None,
            downmix: Downmix::new(rate),
            listening: true,
            gain: None,
            mono: Box::new([0.0; CHUNK]),
        }
    }

    /// Silences everything and starts a new stream; the held inference stays.
    pub fn reset(&mut self) {
        self.source.reset();
        self.synth.reset();
        self.target = None;
        self.downmix.reset();
        self.gain = None;
    }

    /// Notes that have ended since the last call.
    pub fn ended(&mut self) -> impl Iterator<Item = Ended> {
        self.synth.ended()
    }

    /// Number of voices that sound.
    pub fn voices(&self) -> usize {
        self.synth.active_voices()
    }

    /// Whether anything sounds, or will without further notes.
    pub fn sounds(&self) -> bool {
        !self.synth.is_silent()
    }

    /// Time from the last note's end to silence, in samples, with the patch that the synth plays or
    /// glides to.
    pub fn tail(&self) -> u32 {
        let patch = self.target.as_ref().unwrap_or(self.synth.current());
        // Formats take larger numbers for endless.
        const LONGEST: u32 = i32::MAX as u32 - 1;
        ((self.synth.tail(patch) * self.rate).ceil() as u32).min(LONGEST)
    }

    /// The inference now held.
    pub fn held(&self) -> Option<Target> {
        self.held
    }

    /// The patch that sounds, or that the synth glides to; `None` before the first block.
    pub fn sounding(&self) -> Option<&Patch> {
        self.target.as_ref()
    }

    /// Replaces the held inference.
    pub fn hold(&mut self, target: Option<Target>) {
        self.held = target;
    }

    /// Renders a block over `left` and `right`. `sidechain` is stereo, of the same length, or
    /// missing. `events` are in time order; their times are overwritten. Returns whether the held
    /// inference changed.
    ///
    /// Real-time safe, unless it may wait: offline, for inferences that are due, all in all until
    /// `wait_until`.
    pub fn process(
        &mut self,
        controls: &Controls,
        wait_until: Option<Instant>,
        sidechain: Option<[&[f32]; 2]>,
        left: &mut [f32],
        right: &mut [f32],
        mut events: &mut [Event],
    ) -> bool {
        let length = left.len();
        make_times_ascend(events, length);
        if controls.listen && !self.listening {
            // The silence pushed meanwhile is not part of the reference.
            self.source.reset();
        }
        self.listening = controls.listen;
        self.source.set(&Settings {
            knobs: controls.knobs,
            limits: controls.limits,
            search: controls.search && controls.amount > 0.0,
            offline: controls.bounce,
        });
        self.retarget(controls, KNOB_GLIDE);
        self.synth.set_transport(&controls.transport);
        if length == 0 {
            self.synth.process(left, right, events);
        }
        let mut moved = false;
        let mut start = 0;
        while start < length {
            let end = length.min(start + CHUNK);
            self.push(controls, sidechain, start, end);
            if let Some(until) = wait_until {
                self.source.wait(until);
            }
            let mut from = start;
            while let Some((offset, target)) = self.source.next_due() {
                if !controls.listen {
                    continue;
                }
                let to = (start + offset).clamp(from, end);
                events = self.render(&mut left[..to], &mut right[..to], from, events);
                from = to;
                self.held = Some(target);
                self.retarget(controls, controls.glide);
                moved = true;
            }
            events = self.render(&mut left[..end], &mut right[..end], from, events);
            start = end;
        }
        self.apply_gain(controls.gain, left, right);
        moved
    }

    /// Pushes samples `start..end` of the sidechain, as one channel. Silence while not listening.
    fn push(
        &mut self,
        controls: &Controls,
        sidechain: Option<[&[f32]; 2]>,
        start: usize,
        end: usize,
    ) {
        let mono = &mut self.mono[..end - start];
        match sidechain {
            Some([left, right]) if controls.listen => {
                self.downmix
                    .process(&left[start..end], &right[start..end], mono);
            }
            _ => mono.fill(0.0),
        }
        self.source.push(mono);
    }

    /// Lets what changed of the effective patch glide there within `glide` seconds.
    fn retarget(&mut self, controls: &Controls, glide: f32) {
        let target = match &self.held {
            Some(held) => held.effective(&controls.knobs, controls.amount, &controls.limits),
            None => controls.knobs,
        };
        let target = modulated(target, &controls.modulation);
        match self.target {
            None => self.synth.set_patch(&target, 0.0),
            Some(last) if last == target => return,
            // What glides to an inference goes on while a knob moves.
            Some(_) => self.synth.glide_to(&target, glide),
        }
        self.target = Some(target);
    }

    /// Renders from `start` to the end of the slices with the events due there; returns the later
    /// events.
    fn render<'e>(
        &mut self,
        left: &mut [f32],
        right: &mut [f32],
        start: usize,
        events: &'e mut [Event],
    ) -> &'e mut [Event] {
        let end = left.len();
        if start == end {
            return events;
        }
        let due = events.partition_point(|event| (event.time as usize) < end);
        let (now, later) = events.split_at_mut(due);
        for event in now.iter_mut() {
            event.time = event.time.saturating_sub(start as u32);
        }
        self.synth
            .process(&mut left[start..], &mut right[start..], now);
        later
    }

    /// Applies the output gain, smoothed from that of the last sample.
    fn apply_gain(&mut self, target: f32, left: &mut [f32], right: &mut [f32]) {
        let step = 1.0 - (-1.0 / (LEVEL_TIME * self.rate)).exp();
        let mut gain = self.gain.unwrap_or(target);
        if gain + step * (target - gain) == gain {
            // It has arrived, and stays what it is.
            left.iter_mut().chain(right).for_each(|x| *x *= gain);
            self.gain = Some(gain);
            return;
        }
        for (l, r) in left.iter_mut().zip(right) {
            gain += step * (target - gain);
            *l *= gain;
            *r *= gain;
        }
        self.gain = Some(gain);
    }
}

/// Raises and clamps times so that they ascend and lie in a block of `length` samples.
fn make_times_ascend(events: &mut [Event], length: usize) {
    let mut last = 0;
    for event in events {
        last = event.time.max(last).min(length.saturating_sub(1) as u32);
        event.time = last;
    }
}

#[cfg(test)]
mod tests;
