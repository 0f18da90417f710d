//! The output limiter: keeps the output within full scale.

/// Amplitude at which limiting sets in: -1 dBFS.
const KNEE: f32 = 0.891_250_9;
const ROOM: f32 = 1.0 - KNEE;
/// Amplitude from which on everything is full scale, infinities included.
const MOST: f32 = 1e6;

/// Whether [`safety_clip`] leaves the samples as they are.
#[inline(always)]
pub fn is_safe(samples: &[f32]) -> bool {
    // Without a branch per sample this test is a few vector operations; NaN fails it.
    let mut safe = true;
    for x in samples {
        safe &= x.abs() <= KNEE;
    }
    safe
}

/// Limits samples to full scale: bit-transparent up to -1 dBFS, then bending towards 0 dBFS with a
/// continuous slope. NaN becomes silence.
pub fn safety_clip(samples: &mut [f32]) {
    for x in samples {
        let over = ((x.abs() - KNEE) / ROOM).min(MOST);
        if x.is_nan() {
            *x = 0.0;
        } else if over > 0.0 {
            *x = (KNEE + ROOM * over / (1.0 + over)).copysign(*x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clip_is_transparent_below_its_knee_and_bounded_above() {
        let input: Vec<f32> = (-4_000..=4_000).map(|i| i as f32 * 1e-3).collect();
        let mut output = input.clone();
        safety_clip(&mut output);
        for (x, y) in input.iter().zip(&output) {
            assert!(
                y.abs() < 1.0 && (x.abs() > 0.8912 || x.to_bits() == y.to_bits()),
                "{x} becomes {y}"
            );
        }
        assert!(
            output
                .windows(2)
                .all(|w| w[1] > w[0] && w[1] - w[0] < 1.001e-3)
        );
    }

    #[test]
    fn every_float_below_the_knee_keeps_its_bits() {
        // A stride coprime to all powers of two visits every exponent and many mantissas.
        let input: Vec<f32> = (0..u32::MAX)
            .step_by(65_537)
            .map(f32::from_bits)
            .filter(|x| x.abs() <= KNEE)
            .collect();
        let mut output = input.clone();
        // One loud sample takes the whole block through the slow path.
        output.push(2.0);
        safety_clip(&mut output);
        assert!(output.pop().unwrap() < 1.0);
        for (x, y) in input.iter().zip(&output) {
            assert_eq!(x.to_bits(), y.to_bits(), "{x} becomes {y}");
        }
    }

    #[test]
    fn what_is_no_number_is_made_one() {
        let mut x = [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            f32::MIN,
            0.5,
        ];
        safety_clip(&mut x);
        assert_eq!((x[0], x[5]), (0.0, 0.5));
        assert!(x.iter().all(|x| x.abs() <= 1.0), "{x:?}");
        assert!(x[1] > 0.999 && x[2] < -0.999 && x[1] == x[3] && x[2] == x[4]);
    }
}
