//! What all voices share: the patch, the MIDI controllers and the host's song.

use crate::lfo::Clock;
use crate::settings::Settings;
use crate::{CONTROL, Patch};

/// The song, as the host tells of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transport {
    /// Beats per minute.
    pub tempo: f64,
    /// Where the song is at the next sample, in beats; `None`: it stands still, or nobody knows.
    pub beats: Option<f64>,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            tempo: 120.0,
            beats: None,
        }
    }
}

/// Positions closer than this are the same, beats: hosts round.
const SAME: f64 = 1e-3;

/// A channel's controllers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Controllers {
    /// Pitch bend, -1 to 1.
    pub bend: f32,
    /// Modulation wheel, 0 to 1.
    pub wheel: f32,
    /// Channel pressure, 0 to 1.
    pub pressure: f32,
    /// Octaves by which brightness moves the cutoff.
    pub brightness: f32,
    /// Whether the sustain pedal is down.
    pub pedal: bool,
}

/// What a voice hears of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hands {
    /// The channel's own and, in a zone, the master's together.
    pub controllers: Controllers,
    /// Pitch bend, semitones.
    pub semitones: f32,
}

/// What all voices share.
pub struct Common {
    /// What sounds.
    pub patch: Patch,
    /// The same, digested.
    pub settings: Settings,
    /// Counts the patches there were.
    pub version: u64,
    /// By MIDI channel.
    pub channels: [Controllers; 16],
    /// The free-running LFOs at the end of the step, and the tempo of all.
    pub clocks: [Clock; 2],
    /// A position in samples since the last reset, and the song's there, beats.
    anchor: (u64, f64),
    /// Beats per second.
    tempo: f64,
    /// Cycles of the LFOs in a control step, where they are not synced.
    steps: [f64; 2],
}

impl Common {
    /// At rest, with the init patch.
    pub fn new(sample_rate: f32) -> Self {
        let patch = Patch::default();
        let mut common = Self {
            settings: Settings::new(&patch, sample_rate),
            version: 1,
            patch,
            channels: Default::default(),
            clocks: Default::default(),
            anchor: (0, 0.0),
            tempo: 0.0,
            steps: [0.0; 2],
        };
        common.count_steps();
        common.reset();
        common
    }

    /// Forgets all but the patch.
    pub fn reset(&mut self) {
        self.channels = Default::default();
        self.tempo = Transport::default().tempo / 60.0;
        self.anchor = (0, 0.0);
        self.clocks = [Clock {
            tempo: self.tempo as f32,
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

    /// The song's position at `position`, beats.
    fn beats(&self, position: u64) -> f64 {
        let (from, beats) = self.anchor;
        let seconds = (position as f64 - from as f64) / f64::from(self.settings.sample_rate);
        beats + seconds * self.tempo
    }

    /// Takes over what the host says at `position`. Where it only confirms what was expected nothing
    /// moves, so that the sound doesn't depend on how often it speaks.
    pub fn set_transport(&mut self, position: u64, transport: &Transport) {
        let tempo = match transport.tempo {
            t if t.is_finite() => t.clamp(1.0, 999.0) / 60.0,
            _ => self.tempo,
        };
        let expected = self.beats(position);
        let beats = transport.beats.filter(|b| b.is_finite());
        let beats = beats.unwrap_or(expected).clamp(-1e9, 1e9);
        if tempo != self.tempo || (beats - expected).abs() > SAME {
            self.anchor = (position, beats);
            self.tempo = tempo;
        }
    }

    /// On the control grid at `position`: moves the LFOs that run for all voices on by a step.
    #[inline(always)]
    pub fn advance(&mut self, position: u64) {
        for n in 0..self.clocks.len() {
            let beats = self.settings.lfos[n].beats;
            let turns = if beats > 0.0 {
                self.beats(position + CONTROL as u64) / f64::from(beats)
            } else {
                self.clocks[n].turns + self.steps[n]
            };
            self.clocks[n] = Clock {
                tempo: self.tempo as f32,
                turns,
            };
        }
    }

    /// Whether the sustain pedal holds a channel's notes.
    pub fn pedal(&self, channel: u8) -> bool {
        let zone = self.settings.mpe_bend_range.is_some();
        self.channels[channel as usize].pedal || (zone && self.channels[0].pedal)
    }

    /// What a channel's notes hear.
    #[inline(always)]
    pub fn hands(&self, channel: u8) -> Hands {
        let own = self.channels[channel as usize];
        match self.settings.mpe_bend_range {
            Some(range) if channel > 0 => {
                let master = &self.channels[0];
                Hands {
                    controllers: Controllers {
                        bend: (own.bend + master.bend).clamp(-1.0, 1.0),
                        wheel: own.wheel.max(master.wheel),
                        pressure: own.pressure.max(master.pressure),
                        brightness: own.brightness + master.brightness,
                        pedal: own.pedal,
                    },
                    semitones: own.bend * range + master.bend * self.settings.bend_range,
                }
            }
            _ => Hands {
                controllers: own,
                semitones: own.bend * self.settings.bend_range,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;

    #[test]
    fn the_song_goes_on_by_itself_until_the_host_contradicts() {
        let mut common = Common::new(48_000.0);
        common.set_transport(
            100,
            &Transport {
                tempo: 60.0,
                beats: Some(8.0),
            },
        );
        assert_eq!(common.beats(48_100), 9.0);
        let anchor = common.anchor;
        for (beats, moves) in [(Some(9.0 + 1e-5), false), (None, false), (Some(4.0), true)] {
            common.set_transport(48_100, &Transport { tempo: 60.0, beats });
            assert_eq!(common.anchor != anchor, moves, "{beats:?}");
        }
        common.set_transport(
            96_100,
            &Transport {
                tempo: 120.0,
                beats: None,
            },
        );
        assert_eq!(common.beats(96_100 + 24_000), 6.0);
        for tempo in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
            common.set_transport(
                96_100,
                &Transport {
                    tempo,
                    beats: Some(f64::NAN),
                },
            );
            assert!(common.beats(1 << 40).is_finite());
        }
    }

    #[test]
    fn a_zone_adds_its_master() {
        let mut common = Common::new(48_000.0);
        common.channels[0].bend = 0.5;
        common.channels[3].bend = -0.25;
        common.channels[0].pedal = true;
        assert_eq!(common.hands(3).semitones, -0.5);
        assert!(!common.pedal(3));
        let mut patch = common.patch;
        patch.set_plain(params::MPE, 1.0);
        common.apply(patch);
        assert_eq!(common.hands(3).semitones, -12.0 + 1.0);
        assert_eq!(common.hands(0).semitones, 1.0);
        assert!(common.pedal(3));
    }
}
