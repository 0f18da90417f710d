//! Whole clips: their spectrogram and how it is computed.

use crate::config::{CHANNELS, EarConfig, Normalize};
use crate::ear::Ear;
use crate::error::EarError;
use crate::pitch::PitchFrame;

/// Samples processed at a time; a NaN silences this much of a clip.
const BLOCK: usize = 1024;

/// A whole spectrogram, frames x [`CHANNELS`], row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spectrogram {
    /// `frames x CHANNELS` values, lowest channel first.
    pub data: Vec<f32>,
    /// Pitch of each frame; empty when pitch tracking was off.
    pub pitch: Vec<PitchFrame>,
    /// Frames per second.
    pub frame_rate: f64,
}

impl Spectrogram {
    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.data.len() / CHANNELS
    }

    /// Frame `i`, lowest channel first. Panics past the last frame.
    pub fn frame(&self, i: usize) -> &[f32] {
        &self.data[i * CHANNELS..][..CHANNELS]
    }
}

/// The spectrogram of a whole mono clip at `rate` Hz, with pitch if `pitch`.
///
/// The delays of resampler and pitch tracker are compensated: frame i ends at (i+1) frame periods,
/// and pitch i is that of frame i. The last frame is completed with silence. Fails for settings out
/// of range.
pub fn spectrogram(
    config: &EarConfig,
    samples: &[f32],
    rate: f64,
    pitch: bool,
) -> Result<Spectrogram, EarError> {
    let clip = config.normalize == Normalize::Clip;
    let live = EarConfig {
        normalize: if clip {
            Normalize::None
        } else {
            config.normalize
        },
        ..*config
    };
    let mut ear = Ear::new(&live, rate, pitch)?;
    let mut out = Spectrogram::default();
    if clip {
        let (mean, scale) = moments(samples);
        let normalized: Vec<f32> = samples.iter().map(|x| (x - mean) * scale).collect();
        ear.hear(&normalized, &mut out);
    } else {
        ear.hear(samples, &mut out);
    }
    Ok(out)
}

impl Ear {
    /// Computes the spectrogram of a whole clip into `out`, as [`spectrogram`] does except for clip
    /// normalisation: for many clips of one rate. Resets first; `out` is overwritten and keeps its
    /// allocation.
    pub fn hear(&mut self, samples: &[f32], out: &mut Spectrogram) {
        self.reset();
        self.skip_delay();
        let length = samples.len() as f64 * self.filter_rate() / self.input_rate();
        // The tolerance keeps a rounded-up division from adding a frame of silence.
        let frames = (length / self.frame_len() as f64 - 1e-9).ceil() as usize;
        let pitch = self.tracks_pitch();
        out.data.clear();
        out.pitch.clear();
        out.data.reserve(frames * CHANNELS);
        out.pitch.reserve(if pitch { frames } else { 0 });
        out.frame_rate = self.frame_rate();
        // Pitches come this many frames late.
        let mut early = self.pitch_delay();
        let mut hear = |block: &[f32]| {
            self.process(block, |frame| {
                if out.data.len() < frames * CHANNELS {
                    out.data.extend_from_slice(frame.spectrum);
                }
                if early > 0 {
                    early -= 1;
                } else if pitch && out.pitch.len() < frames {
                    out.pitch.push(frame.pitch);
                }
            });
            out.data.len() < frames * CHANNELS || (pitch && out.pitch.len() < frames)
        };
        for block in samples.chunks(BLOCK) {
            hear(block);
        }
        while frames > 0 && hear(&[0.0; BLOCK]) {}
    }
}

/// Mean and reciprocal deviation (n - 1) of the finite samples; a constant clip has scale 0.
fn moments(samples: &[f32]) -> (f32, f32) {
    let finite = || {
        samples
            .iter()
            .filter(|x| x.is_finite())
            .map(|&x| f64::from(x))
    };
    let n = finite().count() as f64;
    if n < 2.0 {
        return (0.0, 0.0);
    }
    let mean = finite().sum::<f64>() / n;
    let deviation = (finite().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    // Rounding leaves a constant clip a deviation of about its mean's last bit.
    let constant = deviation <= 1e-9 * mean.abs().max(f64::MIN_POSITIVE);
    (
        mean as f32,
        if constant {
            0.0
        } else {
            (1.0 / deviation) as f32
        },
    )
}
