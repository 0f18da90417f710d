//! MIDI controllers by channel, and how a zone's master channel joins those of its notes (MPE).

/// Controllers of one MIDI channel.
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

/// Controllers that act on the notes of a channel: its own and, in a zone, the master's.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChannelControllers {
    /// Both channels' controllers together.
    pub values: Controllers,
    /// Pitch bend, semitones.
    pub semitones: f32,
}

impl ChannelControllers {
    /// Controllers of a channel outside a zone, or of the master channel; `range`: semitones at
    /// full bend.
    #[inline(always)]
    pub fn new(own: &Controllers, range: f32) -> Self {
        Self {
            values: *own,
            semitones: own.bend * range,
        }
    }

    /// Controllers of a channel and of its zone's master; `ranges`: semitones at full bend of each.
    #[inline(always)]
    pub fn in_zone(own: &Controllers, master: &Controllers, ranges: [f32; 2]) -> Self {
        Self {
            values: Controllers {
                bend: (own.bend + master.bend).clamp(-1.0, 1.0),
                wheel: own.wheel.max(master.wheel),
                pressure: own.pressure.max(master.pressure),
                brightness: own.brightness + master.brightness,
                pedal: own.pedal,
            },
            semitones: own.bend * ranges[0] + master.bend * ranges[1],
        }
    }
}
