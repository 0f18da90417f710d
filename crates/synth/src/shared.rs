//! State that all voices share: the patch and its settings, the MIDI controllers, the song and the
//! LFOs that run with it.

use crate::controllers::{ChannelControllers, Controllers};
use crate::lfo::Clock;
use crate::settings::Settings;
use crate::transport::{SongClock, Transport};
use crate::zones::Zones;
use crate::{CONTROL, Patch};

/// State that all voices share.
pub struct SharedState {
    /// The patch that sounds.
    pub patch: Patch,
    /// Settings of the patch.
    pub settings: Settings,
    /// True where the patch sounds different from key to key.
    pub leans: bool,
    /// Number of patches so far.
    pub version: u64,
    /// Controllers by MIDI channel.
    pub channels: [Controllers; 16],
    zones: Zones,
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
            leans: false,
            version: 1,
            patch,
            channels: Default::default(),
            zones: Zones::default(),
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
        self.zones = Zones::new(self.settings.mpe);
        self.song = SongClock::default();
        self.clocks = [Clock {
            tempo: self.tempo(),
            turns: 0.0,
        }; 2];
    }

    /// The song's tempo, beats per second.
    pub fn tempo(&self) -> f32 {
        self.song.tempo() as f32
    }

    /// Replaces the patch.
    pub fn apply(&mut self, patch: Patch) {
        if patch != self.patch {
            self.patch = patch;
            self.leans = !patch.lean.is_none();
            self.version += 1;
            let settings = Settings::new(&patch, self.settings.sample_rate);
            let before = std::mem::replace(&mut self.settings, settings);
            self.count_steps();
            self.follow_knobs(&before);
        }
    }

    /// A knob that is turned has the last word over messages of MIDI.
    fn follow_knobs(&mut self, before: &Settings) {
        let now = &self.settings;
        if before.mpe != now.mpe {
            self.zones = Zones::new(now.mpe);
        }
        if before.bend_ranges != now.bend_ranges {
            self.channels.iter_mut().for_each(|c| c.bend_range = None);
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

    /// Advances the LFOs that run for all voices by a step of the control grid, at `position`.
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
                tempo: self.tempo(),
                turns,
            };
        }
    }

    /// Whether the sustain pedal holds a channel's notes.
    pub fn pedal(&self, channel: u8) -> bool {
        self.both(channel).iter().any(|c| c.pedal)
    }

    /// Whether the sostenuto pedal is down for a channel's notes.
    pub fn sostenuto(&self, channel: u8) -> bool {
        self.both(channel).iter().any(|c| c.sostenuto)
    }

    /// Controllers of a channel and of its zone's master, or twice its own.
    fn both(&self, channel: u8) -> [&Controllers; 2] {
        [channel, self.zones.master(channel)].map(|c| &self.channels[c as usize])
    }

    /// Whether an event of channel `of` is for the notes of `channel`: it is the same one, or its
    /// zone's master.
    pub fn reaches(&self, of: u8, channel: u8) -> bool {
        of == channel || of == self.zones.master(channel)
    }

    /// Whether a channel is its own notes' alone, in the zone of another (MPE).
    pub fn is_member(&self, channel: u8) -> bool {
        self.zones.master(channel) != channel
    }

    /// Follows a controller that chooses or sets a registered parameter.
    pub fn enter(&mut self, channel: u8, controller: u8, value: u8) {
        let own = &mut self.channels[channel as usize];
        let before = own.bend_range;
        if let Some(members) = own.enter(controller, value) {
            if self.zones.configure(channel, members) {
                // What MPE says a new zone begins with.
                for c in 0..16 {
                    let range = if self.is_member(c) { 48.0 } else { 2.0 };
                    if self.reaches(channel, c) {
                        self.channels[c as usize].bend_range = (members > 0).then_some(range);
                    }
                }
            }
        } else if own.bend_range != before {
            // One member's range is that of all.
            let (range, zone) = (own.bend_range, self.zones);
            if self.is_member(channel) {
                let fellow = |c: u8| zone.master(c) != c && zone.master(c) == zone.master(channel);
                (0..16)
                    .filter(|&c| fellow(c))
                    .for_each(|c| self.channels[c as usize].bend_range = range);
            }
        }
    }

    /// Controllers that act on a note of `channel`; `left` are its channel's when it was let go,
    /// where those that the channel has now are other notes'.
    #[inline(always)]
    pub fn controllers(&self, channel: u8, left: Option<&Controllers>) -> ChannelControllers {
        let own = left.unwrap_or(&self.channels[channel as usize]);
        let range =
            |c: &Controllers, n: usize| c.bend_range.unwrap_or(self.settings.bend_ranges[n]);
        match self.zones.master(channel) {
            master if master != channel => {
                let master = &self.channels[master as usize];
                ChannelControllers::in_zone(own, master, [range(own, 1), range(master, 0)])
            }
            _ => ChannelControllers::new(own, range(own, 0)),
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
        assert_eq!(shared.controllers(3, None).semitones, -0.5);
        assert!(!shared.pedal(3));
        let mut patch = shared.patch;
        patch.set_plain(params::MPE, 1.0);
        shared.apply(patch);
        assert_eq!(shared.controllers(3, None).semitones, -12.0 + 1.0);
        assert_eq!(shared.controllers(0, None).semitones, 1.0);
        assert!(shared.pedal(3));
    }

    fn set(shared: &mut SharedState, channel: u8, parameter: u8, value: u8) {
        for (controller, value) in [(101, 0), (100, parameter), (6, value)] {
            shared.enter(channel, controller, value);
        }
    }

    /// A member's bend range is every member's, a master's is its own, and a knob that is turned
    /// has the last word.
    #[test]
    fn bend_ranges_are_the_channels_own_or_the_members() {
        let mut shared = SharedState::new(48_000.0);
        shared.channels.iter_mut().for_each(|c| c.bend = 1.0);
        set(&mut shared, 3, 0, 12);
        let semitones = |shared: &SharedState, c| shared.controllers(c, None).semitones;
        assert_eq!(semitones(&shared, 3), 12.0);
        assert_eq!(semitones(&shared, 4), 2.0);
        let mut patch = shared.patch;
        patch.set_plain(params::BEND_RANGE, 5.0);
        shared.apply(patch);
        assert!((semitones(&shared, 3) - 5.0).abs() < 1e-4);
        patch.set_plain(params::MPE, 1.0);
        shared.apply(patch);
        set(&mut shared, 0, 0, 7);
        set(&mut shared, 3, 0, 24);
        assert_eq!(semitones(&shared, 9), 24.0 + 7.0);
        assert_eq!(semitones(&shared, 0), 7.0);
    }

    /// A zone by message.
    #[test]
    fn zones_are_configured_by_message() {
        let mut shared = SharedState::new(48_000.0);
        shared.channels.iter_mut().for_each(|c| c.bend = 1.0);
        set(&mut shared, 0, 6, 3);
        let members = |s: &SharedState| (0..16).filter(|&c| s.is_member(c)).collect::<Vec<_>>();
        assert_eq!(members(&shared), [1, 2, 3]);
        assert_eq!(shared.controllers(3, None).semitones, 48.0 + 2.0);
        assert_eq!(shared.controllers(4, None).semitones, 2.0);
        set(&mut shared, 15, 6, 12);
        assert_eq!(
            members(&shared),
            [1, 2].into_iter().chain(3..15).collect::<Vec<_>>()
        );
        assert!(shared.reaches(0, 2) && shared.reaches(15, 3) && !shared.reaches(0, 3));
        // Only the ends' channels are masters.
        set(&mut shared, 7, 6, 3);
        set(&mut shared, 15, 6, 0);
        set(&mut shared, 0, 6, 0);
        assert!(members(&shared).is_empty());
        let mut patch = shared.patch;
        patch.set_plain(params::MPE, 1.0);
        shared.apply(patch);
        assert_eq!(members(&shared).len(), 15);
        shared.reset();
        assert_eq!(members(&shared).len(), 15);
    }
}
