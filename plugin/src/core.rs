//! One instance without its host: reference in, events in, sound out.

use matcher::live::AudioEnd;
use matcher::live::Target;
use synth::{Ended, Event, MATCHED_COUNT, Patch, Synth, Transport};

/// Samples handed to the listener at a time.
const CHUNK: usize = 1024;
/// Time from one position of a knob to the next, in seconds.
const KNOB_GLIDE: f32 = 0.02;
/// Time constant of the output level, in seconds.
const LEVEL_TIME: f32 = 0.01;

/// Where the inferences come from, and when each takes effect.
pub trait Reference {
    /// Hands a block of the reference over; the clock moves on by its length.
    fn push(&mut self, mono: &[f32]);
    /// Offline only: waits for the inference due in the pushed block.
    fn wait(&mut self);
    /// The next inference due in the pushed block, with its offset there.
    fn next_due(&mut self) -> Option<(usize, Target)>;
    /// Starts a new stream.
    fn reset(&mut self);
}

impl Reference for AudioEnd {
    fn push(&mut self, mono: &[f32]) {
        AudioEnd::push(self, mono);
    }

    fn wait(&mut self) {
        AudioEnd::wait(self);
    }

    fn next_due(&mut self) -> Option<(usize, Target)> {
        AudioEnd::next_due(self)
    }

    fn reset(&mut self) {
        AudioEnd::reset(self);
    }
}

/// What the host and the player ask for, read once a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// Where the knobs stand.
    pub knobs: Patch,
    /// How far the matched ones follow, 0 to 1.
    pub amount: f32,
    /// Which of them don't, in the order of [`synth::MATCHED`].
    pub locks: [bool; MATCHED_COUNT],
    /// Time from one inferred sound to the next, in seconds.
    pub glide: f32,
    /// Whether the reference is heard.
    pub listen: bool,
    /// Linear gain of the output.
    pub gain: f32,
    /// The song at the block's first sample.
    pub transport: Transport,
}

/// The instrument with what it holds of the reference.
pub struct Core<R> {
    reference: R,
    synth: Synth,
    rate: f32,
    held: Option<Target>,
    /// What the synth was last told; `None`: nothing since the start, so it must not glide.
    aim: Option<Patch>,
    /// Samples left of the glide to the held inference.
    gliding: usize,
    /// Whether the last block was listened to.
    listening: bool,
    /// Gain of the last sample; `None` before the first.
    gain: Option<f32>,
    mono: Box<[f32; CHUNK]>,
}

impl<R: Reference> Core<R> {
    /// Allocates everything. `rate` in Hz.
    pub fn new(rate: f32, reference: R) -> Self {
        Self {
            reference,
            synth: Synth::new(rate),
            rate,
            held: None,
            aim: None,
            gliding: 0,
            listening: true,
            gain: None,
            mono: Box::new([0.0; CHUNK]),
        }
    }

    /// Silences everything and starts a new stream; what is held stays.
    pub fn reset(&mut self) {
        self.reference.reset();
        self.synth.reset();
        self.aim = None;
        self.gliding = 0;
        self.gain = None;
    }

    /// The notes that have ended since this was last asked.
    pub fn ended(&mut self) -> impl Iterator<Item = Ended> {
        self.synth.ended()
    }

    /// The inference now held.
    pub fn held(&self) -> Option<Target> {
        self.held
    }

    /// Replaces what is held.
    pub fn hold(&mut self, target: Option<Target>) {
        self.held = target;
    }

    /// Renders a block over `left` and `right`. `sidechain` is stereo, of the same length, or missing. `events`
    /// are in time order; their times are used up. Returns whether what is held changed.
    ///
    /// Real-time safe unless `offline`.
    pub fn process(
        &mut self,
        controls: &Controls,
        offline: bool,
        sidechain: Option<[&[f32]; 2]>,
        left: &mut [f32],
        right: &mut [f32],
        mut events: &mut [Event],
    ) -> bool {
        let length = left.len();
        keep_order(events, length);
        if controls.listen && !self.listening {
            // The silence handed over meanwhile is not part of what is heard from here on.
            self.reference.reset();
        }
        self.listening = controls.listen;
        self.aim(controls, KNOB_GLIDE);
        self.synth.set_transport(&controls.transport);
        if length == 0 {
            self.synth.process(left, right, events);
        }
        let mut moved = false;
        let mut start = 0;
        while start < length {
            let end = length.min(start + CHUNK);
            self.listen(controls, sidechain, start, end);
            if offline {
                self.reference.wait();
            }
            let mut from = start;
            while let Some((offset, target)) = self.reference.next_due() {
                if !controls.listen {
                    continue;
                }
                let to = (start + offset).clamp(from, end);
                events = self.render(&mut left[..to], &mut right[..to], from, events);
                from = to;
                self.held = Some(target);
                self.gliding = (controls.glide * self.rate) as usize;
                self.aim(controls, controls.glide);
                moved = true;
            }
            events = self.render(&mut left[..end], &mut right[..end], from, events);
            start = end;
        }
        self.level(controls.gain, left, right);
        moved
    }

    /// Hands samples `start..end` of the sidechain to the listener: the sum of both channels (a mono source
    /// fills only the left one), silence when the reference is not to be heard.
    fn listen(
        &mut self,
        controls: &Controls,
        sidechain: Option<[&[f32]; 2]>,
        start: usize,
        end: usize,
    ) {
        let mono = &mut self.mono[..end - start];
        match sidechain {
            Some([left, right]) if controls.listen => {
                for ((mono, l), r) in mono
                    .iter_mut()
                    .zip(&left[start..end])
                    .zip(&right[start..end])
                {
                    *mono = l + r;
                }
            }
            _ => mono.fill(0.0),
        }
        self.reference.push(mono);
    }

    /// Tells the synth where to go, if that changed, and to be there in `glide` seconds.
    fn aim(&mut self, controls: &Controls, glide: f32) {
        let target = match &self.held {
            Some(held) => held.effective(&controls.knobs, controls.amount, &controls.locks),
            None => controls.knobs,
        };
        let glide = match self.aim {
            None => 0.0,
            Some(aim) if aim == target => return,
            // A knob that moves meanwhile must not cut a glide to the inferred sound short.
            Some(_) => glide.max(self.gliding as f32 / self.rate),
        };
        self.synth.set_patch(&target, glide);
        self.aim = Some(target);
    }

    /// Renders from `start` to the end of the slices with the events due there; returns those that are left.
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
        self.gliding = self.gliding.saturating_sub(end - start);
        later
    }

    /// Applies the output level, gliding from the last block's.
    fn level(&mut self, target: f32, left: &mut [f32], right: &mut [f32]) {
        let step = 1.0 - (-1.0 / (LEVEL_TIME * self.rate)).exp();
        let mut gain = self.gain.unwrap_or(target);
        for (l, r) in left.iter_mut().zip(right) {
            gain += step * (target - gain);
            *l *= gain;
            *r *= gain;
        }
        self.gain = Some(gain);
    }
}

/// Makes times ascend within the block, whatever the host sent.
fn keep_order(events: &mut [Event], length: usize) {
    let mut last = 0;
    for event in events {
        last = event.time.max(last).min(length.saturating_sub(1) as u32);
        event.time = last;
    }
}

#[cfg(test)]
mod tests;
