//! Likeness, mel distance and pitch agreement: the metrics shown to players and used by search,
//! tests and reports.

use ear::{CHANNELS, Spectrogram};

/// Largest shift in seconds between two sounds that still count as the same (docs/metrics.md).
const MAX_SHIFT: f64 = 0.040;
/// Largest deviation of agreeing pitches, in cents.
const SAME_PITCH: f32 = 50.0;

/// Likeness of two spectrograms of the same frame rate: the largest Pearson correlation over all
/// cells within +-40 ms of shift; a spectrogram that begins later or ends earlier is padded with
/// silence. -1 to 1; one side constant = 0, both silent = 1.
pub fn likeness(a: &Spectrogram, b: &Spectrogram) -> f32 {
    let silent = |s: &Spectrogram| s.data.iter().all(|&v| v == 0.0);
    if silent(a) && silent(b) {
        return 1.0;
    }
    let constant = |s: &Spectrogram| s.data.iter().all(|&v| v == s.data[0]);
    if constant(a) || constant(b) {
        return 0.0;
    }
    aligned(a, b).1 as f32
}

/// Finds the delay of `b` in frames, within +-40 ms, at which the two correlate best, and that
/// correlation.
pub(crate) fn aligned(a: &Spectrogram, b: &Spectrogram) -> (isize, f64) {
    let most = (MAX_SHIFT * a.frame_rate).round() as isize;
    let moments = (sums(&a.data, &a.data), sums(&b.data, &b.data));
    (-most..=most)
        .map(|shift| (shift, correlation(a, b, moments, shift)))
        .fold((0, f64::NEG_INFINITY), |best, at| {
            if at.1 > best.1 { at } else { best }
        })
}

/// Pearson correlation of `a` and of `b` delayed by `shift` frames, over all frames that either
/// covers; `moments` are their sums and sums of squares. 0 where it is undefined.
fn correlation(
    a: &Spectrogram,
    b: &Spectrogram,
    moments: ((f64, f64), (f64, f64)),
    shift: isize,
) -> f64 {
    let (a_first, b_first) = (shift.min(0).unsigned_abs(), shift.max(0) as usize);
    let frames = (a_first + a.frames()).max(b_first + b.frames());
    // Frames that both cover.
    let start = a_first.max(b_first);
    let end = (a_first + a.frames()).min(b_first + b.frames()).max(start);
    let cells = |first: usize| (start - first) * CHANNELS..(end - first) * CHANNELS;
    let product = match end > start {
        true => sums(&a.data[cells(a_first)], &b.data[cells(b_first)]).1,
        false => 0.0,
    };
    let n = (frames * CHANNELS) as f64;
    let ((sum_a, square_a), (sum_b, square_b)) = moments;
    let variances = (square_a - sum_a * sum_a / n) * (square_b - sum_b * sum_b / n);
    // Not positive only when rounding or an overflow left nothing to compare.
    if variances > 0.0 && variances.is_finite() {
        return (product - sum_a * sum_b / n) / variances.sqrt();
    }
    0.0
}

/// Sum of `x`, and sum of products of `x` and `y`. Rows are summed in f32, eight lanes wide, and
/// added up in f64.
fn sums(x: &[f32], y: &[f32]) -> (f64, f64) {
    let (mut sum, mut product) = (0.0f64, 0.0f64);
    for (x, y) in x.chunks_exact(CHANNELS).zip(y.chunks_exact(CHANNELS)) {
        let (mut s, mut p) = ([0.0f32; 8], [0.0f32; 8]);
        for (x, y) in x.chunks_exact(8).zip(y.chunks_exact(8)) {
            for i in 0..8 {
                s[i] += x[i];
                p[i] += x[i] * y[i];
            }
        }
        sum += s.iter().map(|&v| v as f64).sum::<f64>();
        product += p.iter().map(|&v| v as f64).sum::<f64>();
    }
    (sum, product)
}

/// Share of the frames voiced in `reference` where `other` is voiced too and within 50 cents; 0 to
/// 1, and 1 when `reference` has no voiced frame. Both need their pitch tracked.
pub fn pitch_agreement(reference: &Spectrogram, other: &Spectrogram) -> f32 {
    let (mut voiced, mut agree) = (0u32, 0u32);
    for (i, want) in reference.pitch.iter().enumerate().filter(|(_, p)| p.voiced) {
        voiced += 1;
        agree += other.pitch.get(i).is_some_and(|have| {
            have.voiced && (1200.0 * (have.hz / want.hz).log2()).abs() <= SAME_PITCH
        }) as u32;
    }
    if voiced == 0 {
        1.0
    } else {
        agree as f32 / voiced as f32
    }
}

/// Multi-scale log-mel distance in dB of two mono signals at the same `rate` in Hz: full band, each
/// peak-normalised; the shorter is padded with silence. See [`super::mel`].
pub fn mel_distance(a: &[f32], b: &[f32], rate: f64) -> f32 {
    let mel = crate::metric::mel::Mel::new(rate);
    mel.profile(a).distance(&mel.profile(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ear::PitchFrame;
    use rand::{Rng, SeedableRng};

    fn spectrogram(data: Vec<f32>) -> Spectrogram {
        Spectrogram {
            data,
            pitch: Vec::new(),
            frame_rate: 125.0,
        }
    }

    fn noise(frames: usize, seed: u64) -> Spectrogram {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
        spectrogram(
            (0..frames * CHANNELS)
                .map(|_| rng.random::<f32>().powi(4))
                .collect(),
        )
    }

    /// `s` after `frames` frames of silence.
    fn late(s: &Spectrogram, frames: usize) -> Spectrogram {
        let mut data = vec![0.0; frames * CHANNELS];
        data.extend(&s.data);
        spectrogram(data)
    }

    /// Pearson correlation, by its definition.
    fn pearson(x: &[f32], y: &[f32]) -> f64 {
        let mean = |v: &[f32]| v.iter().map(|&v| v as f64).sum::<f64>() / v.len() as f64;
        let (mx, my) = (mean(x), mean(y));
        let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
        for (&x, &y) in x.iter().zip(y) {
            let (x, y) = (x as f64 - mx, y as f64 - my);
            (xy, xx, yy) = (xy + x * y, xx + x * x, yy + y * y);
        }
        xy / (xx * yy).sqrt()
    }

    #[test]
    fn likeness_to_itself_is_one_at_any_level() {
        let a = noise(100, 1);
        let louder = spectrogram(a.data.iter().map(|v| 37.0 * v).collect());
        assert!((likeness(&a, &a) - 1.0).abs() < 1e-6);
        assert!((likeness(&a, &louder) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn agrees_with_the_definition_at_every_shift() {
        let (a, b) = (noise(60, 2), noise(47, 3));
        let mut best = f64::NEG_INFINITY;
        for shift in -5isize..=5 {
            // Both placed on 70 frames and cut to those that either covers.
            let lay = |s: &Spectrogram, first: usize| {
                let mut data = vec![0.0; 70 * CHANNELS];
                data[first * CHANNELS..][..s.data.len()].copy_from_slice(&s.data);
                data
            };
            let (x, y) = (lay(&a, 5), lay(&b, (5 + shift) as usize));
            let begin = 5 + shift.min(0);
            let end = 65.max(5 + shift + 47);
            let range = begin as usize * CHANNELS..end as usize * CHANNELS;
            let expected = pearson(&x[range.clone()], &y[range]);
            let moments = (sums(&a.data, &a.data), sums(&b.data, &b.data));
            assert!(
                (correlation(&a, &b, moments, shift) - expected).abs() < 1e-6,
                "shift {shift}"
            );
            best = best.max(expected);
        }
        assert!((likeness(&a, &b) as f64 - best).abs() < 1e-6);
    }

    #[test]
    fn shifts_up_to_40_ms_are_forgiven_and_no_more() {
        let a = noise(200, 4);
        for frames in 1..=5 {
            assert!(likeness(&a, &late(&a, frames)) > 0.95, "{frames}");
            assert!(likeness(&late(&a, frames), &a) > 0.95, "{frames}");
        }
        assert!(likeness(&a, &late(&a, 6)) < 0.2);
    }

    #[test]
    fn likeness_is_symmetric() {
        let (a, b) = (noise(50, 5), noise(80, 6));
        assert!((likeness(&a, &b) - likeness(&b, &a)).abs() < 1e-5);
    }

    #[test]
    fn constants_and_silence_have_defined_likeness() {
        let a = noise(30, 7);
        let silence = spectrogram(vec![0.0; 30 * CHANNELS]);
        let constant = spectrogram(vec![0.3; 30 * CHANNELS]);
        let empty = spectrogram(Vec::new());
        assert_eq!(likeness(&a, &silence), 0.0);
        assert_eq!(likeness(&silence, &a), 0.0);
        assert_eq!(likeness(&a, &constant), 0.0);
        assert_eq!(likeness(&constant, &silence), 0.0);
        assert_eq!(likeness(&silence, &silence), 1.0);
        assert_eq!(likeness(&silence, &empty), 1.0);
        assert_eq!(likeness(&empty, &empty), 1.0);
        assert_eq!(likeness(&a, &empty), 0.0);
        let mut broken = a.clone();
        broken.data[5] = f32::NAN;
        assert_eq!(likeness(&a, &broken), 0.0);
    }

    #[test]
    fn pitch_agreement_counts_the_references_voiced_frames() {
        let frame = |hz, voiced| PitchFrame {
            hz,
            voiced,
            ..PitchFrame::default()
        };
        let with = |pitch: Vec<PitchFrame>| Spectrogram {
            data: Vec::new(),
            pitch,
            frame_rate: 125.0,
        };
        let reference = with(
            vec![frame(440.0, true); 8]
                .into_iter()
                .chain([frame(0.0, false)])
                .collect(),
        );
        let cents = |c: f32| 440.0 * 2f32.powf(c / 1200.0);
        let other = with(vec![
            frame(440.0, true),
            frame(cents(49.0), true),
            frame(cents(-49.0), true),
            frame(cents(51.0), true),
            frame(880.0, true),
            frame(440.0, false),
            // The rest is missing.
        ]);
        assert_eq!(pitch_agreement(&reference, &other), 3.0 / 8.0);
        assert_eq!(pitch_agreement(&with(vec![]), &other), 1.0);
    }
}
