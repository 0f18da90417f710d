//! The streaming ear: any block of samples in, whole frames out.

use crate::cochlea::{Cochlea, Stages};
use crate::config::{CHANNELS, EarConfig, Normalize};
use crate::design;
use crate::error::EarError;
use crate::normalize::RunningNormalizer;
use crate::pitch::{PitchFrame, PitchTracker, level_db};
use crate::resample::Resampler;
use simd::InstructionSet;

/// Time constant of the hair cell's membrane in ms.
const MEMBRANE_MS: f64 = 0.5;
/// Limit of the input (+120 dB re full scale): no state can overflow.
const LIMIT: f32 = 1e6;
/// Input below this (-400 dB re full scale) is taken as 0: no denormal enters.
const NEGLIGIBLE: f32 = 1e-20;

/// One frame: `spectrum` has [`CHANNELS`] values, lowest frequency first.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Leaky integrators at the frame's end; not negative.
    pub spectrum: &'a [f32; CHANNELS],
    /// RMS level in dBFS, at least -120.
    pub level_db: f32,
    /// Samples at the filters' rate, after normalisation.
    pub samples: &'a [f32],
    /// Pitch of the frame [`Ear::pitch_delay`] frames before this one; default when pitch tracking
    /// is off.
    pub pitch: PitchFrame,
}

/// A streaming ear for one mono signal.
///
/// Frames don't depend on how the samples are cut into blocks. A block with a NaN or infinite
/// sample is taken as silence and counted.
pub struct Ear {
    frame_rate: f64,
    input_rate: f64,
    filter_rate: f64,
    resampler: Option<Resampler>,
    inner: InnerEar,
    faults: u64,
}

/// The part that works at the filters' rate.
struct InnerEar {
    normalizer: Option<RunningNormalizer>,
    cochlea: Cochlea,
    pitch: Option<PitchTracker>,
    /// Samples of the frame being filled.
    samples: Vec<f32>,
    filled: usize,
    /// Number of samples to drop before the first frame.
    skip: usize,
    spectrum: [f32; CHANNELS],
}

impl Ear {
    /// Allocates everything for mono input at `input_rate` Hz (8,000 to 192,000). `pitch`: also
    /// track pitch. Fails for settings out of range, and for [`Normalize::Clip`], which needs the
    /// whole clip.
    pub fn new(config: &EarConfig, input_rate: f64, pitch: bool) -> Result<Self, EarError> {
        Self::with_instructions(config, input_rate, pitch, InstructionSet::best())
    }

    /// Creates an ear as [`Ear::new`] does, with chosen vector instructions, for tests and
    /// benchmarks. Instructions that this CPU lacks are an error.
    pub fn with_instructions(
        config: &EarConfig,
        input_rate: f64,
        pitch: bool,
        instructions: InstructionSet,
    ) -> Result<Self, EarError> {
        config.validate(input_rate)?;
        if config.normalize == Normalize::Clip {
            return Err(EarError::Config(
                "clip normalisation needs the whole clip: use running (or none) for live input"
                    .into(),
            ));
        }
        if !instructions.is_available() {
            return Err(EarError::Config(format!(
                "this CPU has no {instructions:?} instructions"
            )));
        }
        let filter_rate = config.filter_rate(input_rate);
        let frame_len = config.frame_len(input_rate);
        let per_ms = filter_rate / 1000.0;
        let stages = Stages {
            leak_samples: f64::from(config.tc_ms) * per_ms,
            membrane_samples: MEMBRANE_MS * per_ms,
            hair_cell: config.hair_cell,
        };
        let inner = InnerEar {
            normalizer: (config.normalize == Normalize::Running)
                .then(|| RunningNormalizer::new(filter_rate)),
            cochlea: Cochlea::new(
                design::filters(config.preset),
                stages,
                frame_len,
                instructions,
            ),
            pitch: pitch.then(|| PitchTracker::new(filter_rate, frame_len, instructions)),
            samples: vec![0.0; frame_len],
            filled: 0,
            skip: 0,
            spectrum: [0.0; CHANNELS],
        };
        Ok(Self {
            frame_rate: config.frame_rate(input_rate),
            input_rate,
            filter_rate,
            resampler: (filter_rate != input_rate)
                .then(|| Resampler::new(input_rate, filter_rate, instructions)),
            inner,
            faults: 0,
        })
    }

    /// Feeds any number of mono samples; calls `sink` for each finished frame. Real-time safe.
    pub fn process(&mut self, input: &[f32], mut sink: impl FnMut(Frame<'_>)) {
        let sound = input.iter().all(|x| x.is_finite());
        if !sound {
            self.faults += 1;
        }
        let sane = |x: f32| {
            if sound && x.abs() >= NEGLIGIBLE {
                x.clamp(-LIMIT, LIMIT)
            } else {
                0.0
            }
        };
        let inner = &mut self.inner;
        match &mut self.resampler {
            Some(resampler) => {
                for &x in input {
                    resampler.push(sane(x), |y| inner.push(y, &mut sink));
                }
            }
            None => input.iter().for_each(|&x| inner.push(sane(x), &mut sink)),
        }
    }

    /// Forgets all input; [`Ear::faults`] keeps counting.
    pub fn reset(&mut self) {
        if let Some(resampler) = &mut self.resampler {
            resampler.reset();
        }
        self.inner.reset();
    }

    /// Frames per second (125 by default).
    pub fn frame_rate(&self) -> f64 {
        self.frame_rate
    }

    /// Rate of the input in Hz.
    pub(crate) fn input_rate(&self) -> f64 {
        self.input_rate
    }

    /// Rate of the filters in Hz.
    pub(crate) fn filter_rate(&self) -> f64 {
        self.filter_rate
    }

    /// Samples at the filters' rate in a frame.
    pub(crate) fn frame_len(&self) -> usize {
        self.inner.samples.len()
    }

    /// Returns whether this ear tracks pitch.
    pub(crate) fn tracks_pitch(&self) -> bool {
        self.inner.pitch.is_some()
    }

    /// Number of input blocks taken as silence because of NaN or infinite samples.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// Delay of the resampler in seconds; 0 without one.
    pub fn delay(&self) -> f64 {
        self.resampler.as_ref().map_or(0, Resampler::delay) as f64 / self.filter_rate
    }

    /// Frames by which [`Frame::pitch`] is behind the spectrum: [`crate::PITCH_DELAY`] in frames,
    /// or 0 when pitch tracking is off. In a [`crate::Spectrogram`] the two belong together.
    pub fn pitch_delay(&self) -> usize {
        self.inner.pitch.as_ref().map_or(0, PitchTracker::delay)
    }

    /// Drops the resampler's delay from the start of the coming input: for clips, which can be
    /// followed by as much silence.
    pub(crate) fn skip_delay(&mut self) {
        self.inner.skip = self.resampler.as_ref().map_or(0, Resampler::delay);
    }
}

impl InnerEar {
    #[inline]
    fn push(&mut self, x: f32, sink: &mut impl FnMut(Frame<'_>)) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.samples[self.filled] = x;
        self.filled += 1;
        if self.filled == self.samples.len() {
            self.filled = 0;
            let level_db = level_db(&self.samples);
            let pitch = self
                .pitch
                .as_mut()
                .map(|p| p.frame(&self.samples, level_db))
                .unwrap_or_default();
            if let Some(normalizer) = &mut self.normalizer {
                normalizer.process(&mut self.samples);
            }
            self.cochlea.frame(&self.samples, &mut self.spectrum);
            sink(Frame {
                spectrum: &self.spectrum,
                level_db,
                samples: &self.samples,
                pitch,
            });
        }
    }

    fn reset(&mut self) {
        if let Some(normalizer) = &mut self.normalizer {
            normalizer.reset();
        }
        if let Some(pitch) = &mut self.pitch {
            pitch.reset();
        }
        self.cochlea.reset();
        self.filled = 0;
        self.skip = 0;
    }
}
