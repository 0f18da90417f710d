//! Means and shares with 95 % intervals.

use serde::Serialize;

/// Two-sided 95 % quantile of the standard normal distribution.
const Z: f64 = 1.959_964;

/// A mean and how far its 95 % interval reaches to each side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mean {
    /// Arithmetic mean.
    pub mean: f64,
    /// Half the width of its 95 % interval by Student's t; `None` of fewer than two values.
    pub plus_minus: Option<f64>,
    /// Number of values.
    pub count: usize,
}

impl Mean {
    /// The mean of `values`; `None` of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let error = (squares / (n - 1.0) / n).sqrt();
        Some(Self {
            mean,
            plus_minus: (values.len() > 1).then(|| student(n - 1.0) * error),
            count: values.len(),
        })
    }
}

/// Two-sided 95 % quantile of Student's t with `freedom` degrees of freedom: the exact ones of 1
/// and 2, else the expansion of Abramowitz and Stegun 26.7.5, which is within 0.5 %.
fn student(freedom: f64) -> f64 {
    match freedom {
        f if f < 1.5 => 12.706,
        f if f < 2.5 => 4.303,
        f => {
            let terms = [
                Z,
                (Z.powi(3) + Z) / 4.0,
                (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0,
                (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0,
                (79.0 * Z.powi(9) + 776.0 * Z.powi(7) + 1_482.0 * Z.powi(5)
                    - 1_920.0 * Z.powi(3)
                    - 945.0 * Z)
                    / 92_160.0,
            ];
            terms.iter().rev().fold(0.0, |sum, term| sum / f + term)
        }
    }
}

/// A share of successes and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// Successes.
    pub count: usize,
    /// Trials, at least 1.
    pub of: usize,
    /// Lower end of the interval (Wilson 1927), 0 to 1.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Share {
    /// The share of `count` in `of`; `None` of no trials.
    pub fn of(count: usize, of: usize) -> Option<Self> {
        if of == 0 {
            return None;
        }
        let (n, share) = (of as f64, count as f64 / of as f64);
        let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let spread =
            Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        Some(Self {
            count,
            of,
            low: (middle - spread).max(0.0),
            high: (middle + spread).min(1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        for (freedom, quantile) in [
            (1.0, 12.706),
            (2.0, 4.303),
            (3.0, 3.182),
            (4.0, 2.776),
            (9.0, 2.262),
            (99.0, 1.984),
        ] {
            let t = student(freedom);
            assert!((t / quantile - 1.0).abs() < 0.005, "{freedom}: {t}");
        }
        // Mean 3, standard deviation sqrt(2.5), of five.
        let mean = Mean::of(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((mean.mean, mean.count), (3.0, 5));
        assert!((mean.plus_minus.unwrap() - 1.963).abs() < 0.01, "{mean:?}");
        assert_eq!(Mean::of(&[7.0]).unwrap().plus_minus, None);
        assert_eq!(Mean::of(&[]), None);
    }

    #[test]
    fn shares_have_wilsons_intervals() {
        // Worked in Agresti and Coull (1998): 9 of 10.
        let share = Share::of(9, 10).unwrap();
        assert!((share.low - 0.596).abs() < 0.001 && (share.high - 0.982).abs() < 0.001);
        let all = Share::of(8, 8).unwrap();
        assert!(all.low > 0.6 && all.low < 0.7 && all.high == 1.0);
        assert_eq!(Share::of(0, 0), None);
    }
}
