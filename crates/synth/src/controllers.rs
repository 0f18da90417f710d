//! MIDI controllers by channel, and how a zone's master channel joins those of its notes (MPE).

/// Number of no registered parameter, in two parts of seven bits.
const NO_PARAMETER: [u8; 2] = [127, 127];

/// Controllers of one MIDI channel.
#[derive(Clone, Copy, Debug)]
pub struct Controllers {
    /// Pitch bend, -1 to 1.
    pub bend: f32,
    /// Modulation wheel, 0 to 1.
    pub wheel: f32,
    /// Channel pressure, 0 to 1.
    pub pressure: f32,
    /// Octaves by which brightness moves the cutoff.
    pub brightness: f32,
    /// Volume and expression, 0 to 1.
    pub volume: f32,
    pub expression: f32,
    /// Pan, -1 left to 1 right.
    pub pan: f32,
    /// Whether the sustain and the sostenuto pedal are down.
    pub pedal: bool,
    pub sostenuto: bool,
    /// Semitones at full bend, where a message said so.
    pub bend_range: Option<f32>,
    /// Number of the registered parameter that data entries set, its upper and lower seven bits.
    parameter: [u8; 2],
}

impl Default for Controllers {
    fn default() -> Self {
        Self {
            bend: 0.0,
            wheel: 0.0,
            pressure: 0.0,
            brightness: 0.0,
            volume: 1.0,
            expression: 1.0,
            pan: 0.0,
            pedal: false,
            sostenuto: false,
            bend_range: None,
            parameter: NO_PARAMETER,
        }
    }
}

impl Controllers {
    /// Returns them to rest as MIDI says (RP-015); the pedals are left to the caller.
    pub fn reset(&mut self) {
        *self = Self {
            brightness: self.brightness,
            volume: self.volume,
            pan: self.pan,
            pedal: self.pedal,
            sostenuto: self.sostenuto,
            bend_range: self.bend_range,
            ..Self::default()
        };
    }

    /// Follows a controller of [`crate::EventKind::DataEntry`]. Returns the number of members that
    /// an MPE zone is to have, if that is what it sets.
    pub fn enter(&mut self, controller: u8, value: u8) -> Option<u8> {
        const BEND_RANGE: [u8; 2] = [0, 0];
        const MPE_ZONE: [u8; 2] = [0, 6];
        match (controller, self.parameter) {
            (101, [_, low]) => self.parameter = [value, low],
            (100, [high, _]) => self.parameter = [high, value],
            // Parameters of some maker, of which none is known.
            (98 | 99, _) => self.parameter = NO_PARAMETER,
            (6, BEND_RANGE) => self.bend_range = Some(f32::from(value)),
            (38, BEND_RANGE) => {
                let semitones = self.bend_range.unwrap_or_default().floor();
                self.bend_range = Some(semitones + 0.01 * f32::from(value.min(99)));
            }
            (6, MPE_ZONE) => return Some(value.min(15)),
            _ => {}
        }
        None
    }

    /// Linear gain.
    fn gain(&self) -> f32 {
        let x = self.volume * self.expression;
        x * x
    }
}

/// Controllers that act on the notes of a channel: its own and, in a zone, the master's.
#[derive(Clone, Copy, Debug)]
pub struct ChannelControllers {
    /// Pitch bend of both channels, -1 to 1.
    pub bend: f32,
    /// Pitch bend, semitones.
    pub semitones: f32,
    /// Modulation wheel, 0 to 1.
    pub wheel: f32,
    /// Pressure, 0 to 1.
    pub pressure: f32,
    /// Octaves by which brightness moves the cutoff.
    pub brightness: f32,
    /// Linear gain of volume and expression.
    pub gain: f32,
    /// Pan, -1 to 1 each, added up.
    pub pan: f32,
}

impl ChannelControllers {
    /// Controllers of a channel outside a zone, or of the master channel; `range`: semitones at
    /// full bend.
    #[inline(always)]
    pub fn new(own: &Controllers, range: f32) -> Self {
        Self {
            bend: own.bend,
            semitones: own.bend * range,
            wheel: own.wheel,
            pressure: own.pressure,
            brightness: own.brightness,
            gain: own.gain(),
            pan: own.pan,
        }
    }

    /// Controllers of a channel and of its zone's master; `ranges`: semitones at full bend of each.
    #[inline(always)]
    pub fn in_zone(own: &Controllers, master: &Controllers, ranges: [f32; 2]) -> Self {
        Self {
            bend: (own.bend + master.bend).clamp(-1.0, 1.0),
            semitones: own.bend * ranges[0] + master.bend * ranges[1],
            wheel: own.wheel.max(master.wheel),
            pressure: own.pressure.max(master.pressure),
            brightness: own.brightness + master.brightness,
            gain: own.gain() * master.gain(),
            pan: own.pan + master.pan,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bend_range_is_entered_in_semitones_and_cents() {
        let mut channel = Controllers::default();
        // Nothing is chosen.
        assert_eq!(channel.enter(6, 12), None);
        assert_eq!(channel.bend_range, None);
        for (controller, value) in [(101, 0), (100, 0), (6, 12), (38, 50)] {
            assert_eq!(channel.enter(controller, value), None);
        }
        assert_eq!(channel.bend_range, Some(12.5));
        // Tuning, a maker's parameter, none.
        for choice in [
            [(101, 0), (100, 1)],
            [(99, 0), (98, 0)],
            [(101, 127), (100, 127)],
        ] {
            for (controller, value) in choice.into_iter().chain([(6, 7)]) {
                channel.enter(controller, value);
            }
            assert_eq!(channel.bend_range, Some(12.5), "{choice:?}");
        }
        channel.enter(101, 0);
        channel.enter(100, 6);
        assert_eq!(channel.enter(6, 3), Some(3));
    }

    /// RP-015: what "reset all controllers" leaves alone.
    #[test]
    fn a_reset_keeps_volume_pan_and_brightness() {
        let mut channel = Controllers {
            bend: 0.5,
            wheel: 0.5,
            pressure: 0.5,
            brightness: 0.5,
            volume: 0.5,
            expression: 0.5,
            pan: 0.5,
            bend_range: Some(7.0),
            ..Controllers::default()
        };
        channel.reset();
        assert_eq!(
            (channel.bend, channel.wheel, channel.pressure),
            (0.0, 0.0, 0.0)
        );
        assert_eq!(
            (channel.brightness, channel.volume, channel.pan),
            (0.5, 0.5, 0.5)
        );
        assert_eq!((channel.expression, channel.bend_range), (1.0, Some(7.0)));
    }
}
