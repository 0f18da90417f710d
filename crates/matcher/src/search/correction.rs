//! Correction by re-synthesis: the synthesizer plays the inferred patch, the encoder hears the
//! render as it heard the reference, and the patch moves by the difference of the two answers. An
//! unsure encoder leans to the middle, but in both answers alike, so their difference shows the
//! error that remains. This is the paper's mirror (docs/method.md) closed through the real
//! synthesizer while listening, without a gradient.

use crate::model::{Inference, weighted_sum};
use synth::MATCHED_COUNT;

/// Share of a difference that one correction applies.
const GAIN: f32 = 0.7;

/// Correction of each matched parameter, normalised, after which the encoder should hear the render
/// as it hears the reference. `pairs` are the answers to windows of the reference and to the same
/// windows of the render: their mean difference is weighted by precision, `sigma` being the
/// standard deviations of the best windows. A few bad windows move little.
pub fn step(
    sigma: &[f32; MATCHED_COUNT],
    pairs: &[(Inference, Inference)],
) -> [f32; MATCHED_COUNT] {
    std::array::from_fn(|i| {
        let differences = pairs
            .iter()
            .map(|(heard, played)| (heard.sigma[i], heard.mean[i] - played.mean[i]));
        let (sum, total) = weighted_sum(sigma[i], differences);
        GAIN * sum / total.max(1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrections_of_a_biased_encoder_converge_to_the_truth() {
        // Answers 0.5 + 0.4 (h - 0.5) to a sound whose parameters are h.
        let answer = |h: f32| Inference::flat(0.5 + 0.4 * (h - 0.5), 0.2);
        let heard = answer(0.9);
        let mut h = heard.mean[0];
        for _ in 0..20 {
            h += step(&heard.sigma, &[(heard, answer(h))])[0];
        }
        assert!((h - 0.9).abs() < 0.01, "{h}");
    }

    #[test]
    fn unsure_windows_hardly_move_a_parameter() {
        let best = [0.05; MATCHED_COUNT];
        let moved = |sigma| {
            step(
                &best,
                &[(Inference::flat(0.8, sigma), Inference::flat(0.3, sigma))],
            )[0]
        };
        assert!((moved(0.05) - GAIN * 0.5).abs() < 1e-6);
        assert!(moved(0.28) < 0.02);
        assert_eq!(step(&best, &[]), [0.0; MATCHED_COUNT]);
    }
}
