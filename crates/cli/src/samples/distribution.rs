//! The distribution that training samples are drawn from. What has no name here (a room's combs, a
//! microphone's waves, the gaps between notes) is in the code that draws it.

use crate::settings;

settings! {
    /// Settings of what is drawn: patches and melodies of our own synthesizer, their surroundings,
    /// the augmentation of what is heard, and the windows of foreign clips.
    pub struct Distribution {
        /// Share of patches that are uniform in normalised space; the others lean to how
        /// instruments are.
        uniform: f64 = 0.5, 0.0..=1.0;
        /// Probability that an instrument lacks noise, sub, vibrato and the like, each.
        absent: f64 = 0.55, 0.0..=1.0;
        /// Factor on the same, normalised, where an instrument has them.
        softer: f64 = 0.7, 0.0..=1.0;
        /// Factor on an instrument's attacks and resonance, normalised.
        shorter: f64 = 0.75, 0.0..=1.0;
        /// Lowest key played, MIDI.
        lowest_key: u64 = 36, 12..=127;
        /// Highest key played, MIDI.
        highest_key: u64 = 96, 12..=127;
        /// Share of windows at a melody's beginning.
        opening: f64 = 0.3, 0.0..=1.0;
        /// Share of windows 1 to 3 s after a melody's beginning.
        late: f64 = 0.15, 0.0..=1.0;
        /// Shortest note, seconds.
        shortest: f64 = 0.08, 0.02..=1.0;
        /// Longest note of most melodies, seconds.
        longest: f64 = 1.5, 0.02..=10.0;
        /// Share of slow melodies.
        slow: f64 = 0.15, 0.0..=1.0;
        /// Longest note of a slow melody, seconds.
        slowest: f64 = 5.0, 0.02..=10.0;
        /// Share of melodies that are up to half a semitone out of tune.
        detuned: f64 = 0.3, 0.0..=1.0;
        /// Lowest velocity.
        softest: f64 = 0.3, 0.01..=0.99;
        /// Greatest leap from note to note, semitones.
        leap: u64 = 9, 0..=60;
        /// Share of own samples heard in a room, doubled, or over another note.
        surrounded: f64 = 0.3, 0.0..=1.0;
        /// Own samples kept to be drawn once more, 23 kB each.
        replay: u64 = 50_000, 1..=10_000_000;
        /// Share of windows heard without augmentation.
        untouched: f64 = 0.4, 0.0..=1.0;
        /// Share of augmented windows heard through a microphone.
        response: f64 = 0.6, 0.0..=1.0;
        /// Greatest tilt of a microphone's response over the ear's range, dB.
        tilt_db: f64 = 12.0, 0.1..=60.0;
        /// Share of augmented windows with noise.
        noise: f64 = 0.6, 0.0..=1.0;
        /// Loudest noise, dB below the peak.
        noise_db: f64 = 10.0, -40.0..=59.0;
        /// Share of the noises that may be as loud as 20 dB above the peak.
        drowned: f64 = 0.05, 0.0..=1.0;
        /// Share of augmented windows whose beginning is silent.
        cut: f64 = 0.15, 0.0..=1.0;
        /// Share of foreign windows mirrored as they are, neither tilted nor transposed.
        unvaried: f64 = 0.5, 0.0..=1.0;
        /// Greatest transposition of a foreign window, channels of half a semitone.
        transpose: u64 = 6, 0..=24;
        /// Most frames of 8 ms that a foreign window begins before its clip.
        early: u64 = 112, 0..=127;
        /// Most frames of 8 ms from a foreign window to the one that its answer is mirrored on.
        ahead: u64 = 150, 0..=1000;
    }
}

impl Distribution {
    /// Checks what single ranges can't; the error says what was expected and what came.
    pub fn check(&self) -> Result<(), String> {
        let ordered = |low: (&str, f64), high: (&str, f64)| match low.1 < high.1 {
            true => Ok(()),
            false => Err(format!(
                "{} must be below {}, got {} and {}",
                low.0, high.0, low.1, high.1
            )),
        };
        let Self {
            lowest_key,
            highest_key,
            shortest,
            longest,
            slowest,
            ..
        } = *self;
        ordered(
            ("lowest_key", lowest_key as f64),
            ("highest_key", highest_key as f64),
        )?;
        ordered(("shortest", shortest), ("longest", longest))?;
        ordered(("shortest", shortest), ("slowest", slowest))?;
        match self.opening + self.late <= 1.0 {
            true => Ok(()),
            false => Err(format!(
                "opening and late are shares of the same windows, together at most 1, got {} and {}",
                self.opening, self.late
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_is_refused() {
        let default = Distribution::default();
        assert_eq!(default.check(), Ok(()));
        let high = Distribution {
            lowest_key: 100,
            ..default
        };
        assert!(high.check().unwrap_err().contains("lowest_key"));
        let much = Distribution {
            opening: 0.9,
            ..default
        };
        assert!(much.check().unwrap_err().contains("0.9"));
    }
}
