//! State that all voices share: the patch and its settings, the MIDI controllers, the song and the
//! LFOs that run with it.

use crate::controllers::{ChannelControllers, Controllers};
use crate::lfo::Clock;
use crate::settings::Settings;
use crate::transport::{SongClock, Transport};
use crate::{CONTROL, Patch};

/// State that all voices share.
pub struct SharedState {
    /// The patch that sounds.
    pub patch: Patch,
    /// Settings of the patch.
    pub settings: Settings,
    /// Number of patches so far.
    pub version: u64,
    /// Controllers by MIDI channel.
    pub channels: [Controllers; 16],
    /// The free-running LFOs at the end of the step, and the tempo of all.
    pub clocks: [Clock; 2],
    song: SongClock,
    /// Cycles of the LFOs in a control step, where they are not synced.
    steps: [f64; 2],
}

impl SharedState {
    /// State at rest, with the init patch. `sample_rate` in Hz.
    pub fn new(sample_rate: f32) -> Self {
        let patch = Patch::default();
        let mut shared = Self {
            settings: Settings::new(&patch, sample_rate),
            version: 1,
            patch,
            channels: Default::default(),
            clocks: Default::default(),
            song: SongClock::default(),
            steps: [0.0; 2],
        };
        shared.count_steps();
        shared.reset();
        shared
    }

    /// Returns everything but the patch to rest.
    pub fn reset(&mut self) {
        self.channels = Default::default();
        self.song = SongClock::default();
        self.clocks = [Clock {
            tempo: self.song.tempo() as f32,
            turns: 0.0,
        }; 2];
    }

    /// Replaces the patch.
    pub fn apply(&mut self, patch: Patch) {
        if patch != self.patch {
            self.patch = patch;
            self.version += 1;
            self.settings = Settings::new(&patch, self.settings.sample_rate);
            self.count_steps();
        }
    }

    fn count_steps(&mut self) {
        let seconds = CONTROL as f64 / f64::from(self.settings.sample_rate);
        self.steps = self.settings.lfos.map(|lfo| f64::from(lfo.rate) * seconds);
    }

    /// Takes over the host's report of the song at `position`, as by [`SongClock::set`].
    pub fn set_transport(&mut self, position: u64, transport: &Transport) {
        self.song
            .set(position, transport, self.settings.sample_rate);
    }

    /// On the control grid at `position`: moves the LFOs that run for all voices on by a step.
    #[inline(always)]
    pub fn advance(&mut self, position: u64) {
        for n in 0..self.clocks.len() {
            let beats = self.settings.lfos[n].beats;
            let turns = if beats > 0.0 {
                let end = position + CONTROL as u64;
                self.song.beats(end, self.settings.sample_rate) / f64::from(beats)
            } else {
                self.clocks[n].turns + self.steps[n]
            };
            self.clocks[n] = Clock {
                tempo: self.song.tempo() as f32,
                turns,
            };
        }
    }

    /// Whether the sustain pedal holds a channel's notes.
    pub fn pedal(&self, channel: u8) -> bool {
        let zone = self.settings.mpe_bend_range.is_some();
        self.channels[channel as usize].pedal || (zone && self.channels[0].pedal)
    }

    /// Controllers that act on a channel's notes.
    #[inline(always)]
    pub fn controllers(&self, channel: u8) -> ChannelControllers {
        let own = &self.channels[channel as usize];
        let bend_range = self.settings.bend_range;
        match self.settings.mpe_bend_range {
            Some(range) if channel > 0 => {
                ChannelControllers::in_zone(own, &self.channels[0], [range, bend_range])
            }
            _ => ChannelControllers::new(own, bend_range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    #[test]
    fn a_zone_adds_its_master() {
        let mut shared = SharedState::new(48_000.0);
        shared.channels[0].bend = 0.5;
        shared.channels[3].bend = -0.25;
        shared.channels[0].pedal = true;
        assert_eq!(shared.controllers(3).semitones, -0.5);
        assert!(!shared.pedal(3));
        let mut patch = shared.patch;
        patch.set_plain(params::MPE, 1.0);
        shared.apply(patch);
        assert_eq!(shared.controllers(3).semitones, -12.0 + 1.0);
        assert_eq!(shared.controllers(0).semitones, 1.0);
        assert!(shared.pedal(3));
    }
}
