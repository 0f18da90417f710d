//! Inference from a whole clip: all its windows through an encoder, and their inferences combined.

use super::correction;
use crate::model::{
    Encoder, EncoderError, HOP_FRAMES, INPUT_LEN, Inference, MAX_BATCH, quantize_window,
    weighted_sum,
};
use ear::{CHANNELS, Spectrogram};
use synth::{MATCHED_COUNT, Patch};

/// Level below the clip's peak, in dB, under which a window is skipped: normalised to its own peak
/// it would show the clip's noise.
const QUIET_DB: f32 = 40.0;

/// Largest number of [`ClipInference::patches`]: the patch of the whole clip and those of 16
/// windows.
pub(super) const MAX_PATCHES: usize = 1 + 16;

/// Inferences of the matched parameters from a clip's windows.
#[derive(Clone, Debug)]
pub struct ClipInference {
    /// Mean over the windows (the first ones begin in the silence before the clip, as in the live
    /// loop), weighted by precision; the standard deviations are those of the best window of each
    /// parameter.
    pub whole: Inference,
    /// Inference of each window, in order of time.
    pub windows: Vec<Inference>,
    /// Frame before which each window ends.
    pub ends: Vec<usize>,
}

impl ClipInference {
    /// Returns the patch of the whole clip, then those of some of its windows, evenly spaced in
    /// time.
    pub fn patches(&self) -> Vec<Patch> {
        let count = (MAX_PATCHES - 1).min(self.windows.len());
        let windows = (0..count).map(|i| &self.windows[i * self.windows.len() / count]);
        let patch = |inference: &Inference| Patch::default().with_matched(&inference.mean);
        std::iter::once(&self.whole)
            .chain(windows)
            .map(patch)
            .collect()
    }

    /// Corrects `patch` by re-synthesis, towards a patch from whose sound `encoder` infers the same
    /// as from the clip; see `correction.rs`. `played` is the spectrogram of `patch` with the
    /// clip's notes. Fails where `encoder` does.
    pub fn corrected(
        &self,
        patch: &Patch,
        played: &Spectrogram,
        encoder: &mut impl Encoder,
    ) -> Result<Patch, EncoderError> {
        /// Largest number of windows compared.
        const WINDOWS: usize = 12;
        let every = self.ends.len().div_ceil(WINDOWS).max(1);
        let ends: Vec<usize> = self.ends.iter().copied().step_by(every).collect();
        let answers = ask(encoder, &inputs(played, &ends))?;
        let heard = self.windows.iter().copied().step_by(every);
        let pairs: Vec<_> = heard.zip(answers).collect();
        let step = correction::step(&self.whole.sigma, &pairs);
        let h = patch.matched();
        Ok(patch.with_matched(&std::array::from_fn(|i| h[i] + step[i])))
    }
}

/// Asks `encoder` about all but the quiet windows of a clip. `None` when the clip is silent or
/// empty. Fails where `encoder` does.
pub fn infer_clip(
    heard: &Spectrogram,
    encoder: &mut impl Encoder,
) -> Result<Option<ClipInference>, EncoderError> {
    let ends = ends(heard);
    let windows = ask(encoder, &inputs(heard, &ends))?;
    Ok(combine(&windows).map(|whole| ClipInference {
        whole,
        windows,
        ends,
    }))
}

fn ask(encoder: &mut impl Encoder, inputs: &[u8]) -> Result<Vec<Inference>, EncoderError> {
    let mut windows = Vec::new();
    for batch in inputs.chunks(MAX_BATCH * INPUT_LEN) {
        windows.extend(encoder.infer(batch)?);
    }
    Ok(windows)
}

/// Frames before which the windows of a clip end, at every [`HOP_FRAMES`]-th frame and at the last;
/// quiet windows are left out.
fn ends(heard: &Spectrogram) -> Vec<usize> {
    let frames = heard.frames();
    let peak = |cells: &[f32]| cells.iter().fold(0.0f32, |m, &v| m.max(v));
    let quiet = peak(&heard.data) * 10f32.powf(-QUIET_DB / 20.0);
    (1..=frames.div_ceil(HOP_FRAMES))
        .map(|n| (n * HOP_FRAMES).min(frames))
        .filter(|&end| peak(newest(&heard.data, end)) > quiet)
        .collect()
}

/// Quantised windows of a clip that end before the frames `ends`, one after the other.
fn inputs(heard: &Spectrogram, ends: &[usize]) -> Vec<u8> {
    let mut inputs = vec![0; ends.len() * INPUT_LEN];
    for (&end, input) in ends.iter().zip(inputs.chunks_exact_mut(INPUT_LEN)) {
        quantize_newest(newest(&heard.data, end), input);
    }
    inputs
}

/// Cells of the window that ends before frame `end`, fewer at the clip's beginning.
fn newest(cells: &[f32], end: usize) -> &[f32] {
    let end = (end * CHANNELS).min(cells.len());
    &cells[end.saturating_sub(INPUT_LEN)..end]
}

/// Quantises a window of `cells`, with silence before them where they are too few.
fn quantize_newest(cells: &[f32], input: &mut [u8]) {
    let mut window = vec![0.0; INPUT_LEN];
    window[INPUT_LEN - cells.len()..].copy_from_slice(cells);
    quantize_window(&window, input);
}

/// Mean of inferences, weighted by precision; `None` if there are none.
fn combine(seen: &[Inference]) -> Option<Inference> {
    let mut combined = *seen.first()?;
    for i in 0..MATCHED_COUNT {
        combined.sigma[i] = seen.iter().fold(f32::MAX, |m, s| m.min(s.sigma[i]));
        let windows = seen.iter().map(|s| (s.sigma[i], s.mean[i]));
        let (sum, total) = weighted_sum(combined.sigma[i], windows);
        combined.mean[i] = sum / total;
    }
    Some(combined)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WINDOW_FRAMES;

    /// Encoder whose mean is the share of a window's frames that hold sound, and which is surer of
    /// larger ones.
    struct Filled;
    impl Encoder for Filled {
        fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
            assert!(windows.len() <= MAX_BATCH * INPUT_LEN);
            let answer = |w: &[u8]| {
                let filled =
                    w.chunks(CHANNELS).filter(|f| f[0] > 0).count() as f32 / WINDOW_FRAMES as f32;
                Inference {
                    mean: [filled; MATCHED_COUNT],
                    sigma: [0.2 / filled; MATCHED_COUNT],
                }
            };
            Ok(windows.chunks(INPUT_LEN).map(answer).collect())
        }
    }

    fn heard(levels: impl Iterator<Item = f32>) -> Spectrogram {
        let data = levels.flat_map(|l| [l; CHANNELS]).collect();
        Spectrogram {
            data,
            pitch: Vec::new(),
            frame_rate: 125.0,
        }
    }

    #[test]
    fn windows_begin_in_silence_and_reach_the_end() {
        let clip = heard((0..132).map(|_| 1.0));
        let inputs = inputs(&clip, &ends(&clip));
        let filled: Vec<usize> = inputs
            .chunks(INPUT_LEN)
            .map(|w| {
                w.chunks(CHANNELS)
                    .filter(|f| f.iter().all(|&b| b == 255))
                    .count()
            })
            .collect();
        let expected: Vec<usize> = (1..=27).map(|n| (5 * n).min(132).min(128)).collect();
        assert_eq!(filled, expected);
        // The newest frames are the last rows.
        assert!(inputs[..INPUT_LEN - 5 * CHANNELS].iter().all(|&b| b == 0));
    }

    #[test]
    fn quiet_windows_are_left_out() {
        let clip = heard((0..400).map(|i| if i < 100 { 1.0 } else { 0.001 }));
        // Windows that end up to 127 frames after the sound still hold some of it.
        assert_eq!(ends(&clip).len(), (100 + 127) / 5);
    }

    #[test]
    fn better_windows_weigh_more() {
        let clip = heard((0..375).map(|_| 1.0));
        let mean = infer_clip(&clip, &mut Filled).unwrap().unwrap().whole.mean[0];
        // The plain mean over windows is 0.83.
        assert!(mean > 0.95, "{mean}");
    }

    #[test]
    fn silence_gives_no_inference() {
        assert!(
            infer_clip(&heard((0..200).map(|_| 0.0)), &mut Filled)
                .unwrap()
                .is_none()
        );
        assert!(
            infer_clip(&heard(std::iter::empty()), &mut Filled)
                .unwrap()
                .is_none()
        );
    }
}
