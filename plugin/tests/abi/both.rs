//! An instance in a host of either format, for tests that say once what holds in both.

use serde_json::Value;

use crate::memory::Fenced;
use crate::{clap_host, vst3_host};

/// Inputs of a player.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// A key goes down.
    On { channel: u8, key: u8 },
    /// A key goes up.
    Off { channel: u8, key: u8 },
    /// A MIDI controller, 0 to 127.
    Controller { channel: u8, number: u8, value: u8 },
    /// Pitch bend, -1 to 1.
    Bend { channel: u8, value: f32 },
}

/// An instance in a host of either format.
pub trait Host {
    const NAME: &'static str;
    /// An instance that processes, at [`crate::RATE`] in blocks of at most [`crate::LONGEST`].
    fn new() -> Self;
    fn save(&self) -> Value;
    /// Whether the instance took the bytes for a state.
    fn load(&self, bytes: &[u8]) -> bool;
    /// Plays a block in which the parameters of these names take these normalised values, as a
    /// host's automation sets them.
    fn automate(&self, values: &[(&str, f64)]);
    /// Plays a block with what comes at these times; returns both sides.
    fn play(&self, frames: usize, inputs: &[(u32, Input)]) -> [Vec<f32>; 2];
    /// Plays `key` while `sound` comes in through both sides of the sidechain; returns the left
    /// side.
    fn hear(&self, sound: &[f32], key: u8) -> Vec<f32>;
    /// Switches off, and on again in this mode.
    fn restart(&self, offline: bool);
    /// Begins a new stream.
    fn reset(&self);
}

impl Host for clap_host::Plugin {
    const NAME: &'static str = "CLAP";

    fn new() -> Self {
        Self::started()
    }

    fn save(&self) -> Value {
        // In CLAP its length comes first.
        let bytes = self.state(usize::MAX);
        serde_json::from_slice(&bytes[8..]).expect("a state is JSON")
    }

    fn load(&self, bytes: &[u8]) -> bool {
        let length = bytes.len() as u64;
        clap_host::Plugin::load(self, &[&length.to_le_bytes(), bytes].concat())
    }

    fn automate(&self, values: &[(&str, f64)]) {
        let mut events = clap_host::Events::default();
        for (name, x) in values {
            let info = self.param(name);
            let plain = info.min_value + x * (info.max_value - info.min_value);
            events = events.param(0, info.id, plain);
        }
        self.block(64, &events);
    }

    fn play(&self, frames: usize, inputs: &[(u32, Input)]) -> [Vec<f32>; 2] {
        let mut events = clap_host::Events::default();
        for &(time, input) in inputs {
            events = events.midi(
                time,
                match input {
                    Input::On { channel, key } => [0x90 | channel, key, 114],
                    Input::Off { channel, key } => [0x80 | channel, key, 0],
                    Input::Controller {
                        channel,
                        number,
                        value,
                    } => [0xB0 | channel, number, value],
                    Input::Bend { channel, value } => {
                        let bits = (8192.0 * (1.0 + value)).round().clamp(0.0, 16_383.0) as u16;
                        [0xE0 | channel, (bits & 127) as u8, (bits >> 7) as u8]
                    }
                },
            );
        }
        let output = clap_host::Port::stereo(frames);
        self.process(&clap_host::Call {
            frames,
            output: Some(&output),
            events: &events,
            ..clap_host::Call::default()
        });
        [output.samples(0), output.samples(1)]
    }

    fn hear(&self, sound: &[f32], key: u8) -> Vec<f32> {
        let mut events = clap_host::Events::default().on(0, key.into());
        let mut played = Vec::new();
        for block in sound.chunks(crate::LONGEST) {
            let side = || Some(Fenced::of(block));
            let input = clap_host::Port::new(vec![side(), side()]);
            let output = clap_host::Port::stereo(block.len());
            self.process(&clap_host::Call {
                frames: block.len(),
                input: Some(&input),
                output: Some(&output),
                events: &std::mem::take(&mut events),
                ..clap_host::Call::default()
            });
            played.extend(output.samples(0));
        }
        played
    }

    fn restart(&self, offline: bool) {
        self.stop();
        self.set_mode(offline);
        self.start(crate::RATE);
    }

    fn reset(&self) {
        clap_host::Plugin::reset(self);
    }
}

impl Host for vst3_host::Plugin {
    const NAME: &'static str = "VST3";

    fn new() -> Self {
        Self::started()
    }

    fn save(&self) -> Value {
        let bytes = self.state(usize::MAX).expect("it is saved");
        serde_json::from_slice(&bytes).expect("a state is JSON")
    }

    fn load(&self, bytes: &[u8]) -> bool {
        vst3_host::Plugin::load(self, bytes, usize::MAX) == 0
    }

    fn automate(&self, values: &[(&str, f64)]) {
        let mut events = vst3_host::Events::default();
        for (name, x) in values {
            events = events.param(0, self.param(name), *x);
        }
        self.block(64, &events);
    }

    fn play(&self, frames: usize, inputs: &[(u32, Input)]) -> [Vec<f32>; 2] {
        let mut events = vst3_host::Events::default();
        for &(time, input) in inputs {
            let time = time as i32;
            events = match input {
                Input::On { channel, key } => events.note(time, channel.into(), key.into(), true),
                Input::Off { channel, key } => events.note(time, channel.into(), key.into(), false),
                Input::Controller {
                    channel,
                    number,
                    value,
                } => {
                    let id = vst3_host::controller(channel, number);
                    events.param(time, id, f64::from(value) / 127.0)
                }
                Input::Bend { channel, value } => {
                    let id = vst3_host::controller(channel, 129);
                    events.param(time, id, 0.5 + 0.5 * f64::from(value))
                }
            };
        }
        let output = vst3_host::Bus::stereo(frames);
        self.process(&vst3_host::Call {
            frames,
            output: Some(&output),
            events: Some(&events),
            ..vst3_host::Call::default()
        });
        [output.samples(0), output.samples(1)]
    }

    fn hear(&self, sound: &[f32], key: u8) -> Vec<f32> {
        let mut events = vst3_host::Events::default().on(0, key.into());
        let mut played = Vec::new();
        for block in sound.chunks(crate::LONGEST) {
            let side = || Some(Fenced::of(block));
            let input = vst3_host::Bus::new(vec![side(), side()]);
            let output = vst3_host::Bus::stereo(block.len());
            self.process(&vst3_host::Call {
                frames: block.len(),
                input: Some(&input),
                output: Some(&output),
                events: Some(&std::mem::take(&mut events)),
                ..vst3_host::Call::default()
            });
            played.extend(output.samples(0));
        }
        played
    }

    fn restart(&self, offline: bool) {
        self.stop();
        self.mode.set(match offline {
            true => vst3_host::OFFLINE,
            false => vst3_host::LIVE,
        });
        self.start(crate::RATE);
    }

    fn reset(&self) {
        self.stop();
        self.start(crate::RATE);
    }
}

/// A test for each format.
macro_rules! in_both_formats {
    ($($name:ident;)*) => {
        mod clap {
            $(#[test] fn $name() { super::$name::<crate::clap_host::Plugin>(); })*
        }
        mod vst3 {
            $(#[test] fn $name() { super::$name::<crate::vst3_host::Plugin>(); })*
        }
    };
}
pub(crate) use in_both_formats;
