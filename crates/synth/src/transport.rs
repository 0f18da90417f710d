//! The host's song: tempo and position, which go on by themselves between the host's reports.

/// Tempo and position of the host's song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transport {
    /// Beats per minute.
    pub tempo: f64,
    /// Position of the song at the next sample, in beats; `None` if it stands still or is unknown.
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

/// The song's position as a function of the position in the stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SongClock {
    /// A position in samples since the last reset, and the song's position there in beats.
    anchor: (u64, f64),
    /// Beats per second.
    tempo: f64,
}

impl Default for SongClock {
    /// Starts at beat 0 with the default tempo.
    fn default() -> Self {
        Self {
            anchor: (0, 0.0),
            tempo: Transport::default().tempo / 60.0,
        }
    }
}

impl SongClock {
    /// Beats per second.
    pub fn tempo(&self) -> f64 {
        self.tempo
    }

    /// The song's position, in beats, at `position` samples of the stream.
    pub fn beats(&self, position: u64, sample_rate: f32) -> f64 {
        let (from, beats) = self.anchor;
        let seconds = (position as f64 - from as f64) / f64::from(sample_rate);
        beats + seconds * self.tempo
    }

    /// Takes over what the host reports at `position`. A report that confirms what was expected
    /// moves nothing, so that the sound doesn't depend on how often the host reports. A tempo that
    /// is not finite is ignored.
    pub fn set(&mut self, position: u64, transport: &Transport, sample_rate: f32) {
        let tempo = match transport.tempo {
            t if t.is_finite() => t.clamp(1.0, 999.0) / 60.0,
            _ => self.tempo,
        };
        let expected = self.beats(position, sample_rate);
        let beats = transport.beats.filter(|b| b.is_finite());
        let beats = beats.unwrap_or(expected).clamp(-1e9, 1e9);
        if tempo != self.tempo || (beats - expected).abs() > SAME {
            self.anchor = (position, beats);
            self.tempo = tempo;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_song_goes_on_by_itself_until_the_host_contradicts() {
        let rate = 48_000.0;
        let mut song = SongClock::default();
        let report = |tempo, beats| Transport { tempo, beats };
        song.set(100, &report(60.0, Some(8.0)), rate);
        assert_eq!(song.beats(48_100, rate), 9.0);
        let anchor = song.anchor;
        for (beats, moves) in [(Some(9.0 + 1e-5), false), (None, false), (Some(4.0), true)] {
            song.set(48_100, &report(60.0, beats), rate);
            assert_eq!(song.anchor != anchor, moves, "{beats:?}");
        }
        song.set(96_100, &report(120.0, None), rate);
        assert_eq!(song.beats(96_100 + 24_000, rate), 6.0);
        for tempo in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
            song.set(96_100, &report(tempo, Some(f64::NAN)), rate);
            assert!(song.beats(1 << 40, rate).is_finite());
        }
    }
}
