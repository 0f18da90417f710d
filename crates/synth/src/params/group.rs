//! The groups of settings: rows of the table that are computed into settings together. A voice
//! whose parameters are modulated updates the groups of those parameters at every control step.

/// Writes the enum and the list of its variants.
macro_rules! groups {
    ($($(#[$doc:meta])* $group:ident,)*) => {
        /// Settings that the same rows decide, and that are updated together.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Group { $($(#[$doc])* $group),* }

        impl Group {
            /// Every group.
            const ALL: [Self; [$(Self::$group),*].len()] = [$(Self::$group),*];
        }
    };
}

groups! {
    /// Waveform of oscillator 1.
    Osc1Wave,
    /// Frequency of oscillator 1.
    Osc1Pitch,
    /// Waveform of oscillator 2.
    Osc2Wave,
    /// Frequency of oscillator 2.
    Osc2Pitch,
    /// Gains of the oscillators.
    Balance,
    /// Unison copies and their detuning.
    Unison,
    /// Settings that are a row's value, at most in another unit.
    Direct,
    /// Filters without their cutoffs.
    Filter,
    /// Cutoffs of both filters.
    Cutoffs,
    /// Envelope of the amplitude.
    AmpEnv,
    /// Envelope of the cutoff.
    FilterEnv,
    /// Both low-frequency oscillators.
    Lfos,
    /// Level of the instrument.
    Level,
    /// Play mode, voices and controller ranges; the same for all voices.
    Playing,
    /// Slots of the modulation matrix; the same for all voices.
    Matrix,
    /// Chorus, delay and reverb, which follow the sum of the voices.
    Effects,
}

impl Group {
    /// Whether its settings can differ from voice to voice.
    pub const fn is_per_voice(self) -> bool {
        !matches!(self, Self::Playing | Self::Matrix | Self::Effects)
    }
}

/// A set of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Groups(u32);

impl Groups {
    /// Every group.
    pub const ALL: Self = Self((1 << Group::ALL.len()) - 1);

    /// Adds a group to the set.
    #[inline(always)]
    pub fn insert(&mut self, group: Group) {
        self.0 |= 1 << group as u32;
    }

    /// The set's groups, in the order of the enum.
    #[inline(always)]
    pub fn iter(self) -> impl Iterator<Item = Group> {
        let has = move |group: &Group| self.0 >> *group as u32 & 1 == 1;
        Group::ALL.into_iter().filter(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_gives_back_what_was_inserted() {
        let mut groups = Groups::default();
        assert_eq!(groups.iter().count(), 0);
        for group in [Group::Lfos, Group::Osc1Wave, Group::Lfos] {
            groups.insert(group);
        }
        let both = [Group::Osc1Wave, Group::Lfos];
        assert_eq!(groups.iter().collect::<Vec<_>>(), both);
        assert_eq!(Groups::ALL.iter().collect::<Vec<_>>(), Group::ALL);
    }
}
