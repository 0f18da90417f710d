//! Separable covariance-matrix-adaptation evolution strategy, after Ros and Hansen, "A Simple
//! Modification in CMA-ES Achieving Linear Time and Space Complexity" (2008), with the default
//! parameters of Hansen's tutorial (2016). Minimises over the unit cube; samples beyond it are
//! reflected.
//!
//! The separable form learns the scales of the search's about 25 coordinates about ten times sooner
//! than the full one, and a search here has a few hundred evaluations.

use rand::Rng;

/// State of a search over `mean.len()` coordinates.
pub struct SepCma {
    mean: Vec<f64>,
    /// Overall step, and relative variances of the coordinates.
    step: f64,
    variance: Vec<f64>,
    step_path: Vec<f64>,
    path: Vec<f64>,
    weights: Vec<f64>,
    lambda: usize,
    generation: i32,
    rates: Rates,
}

/// Learning rates, from the dimension and the weights.
struct Rates {
    mu_eff: f64,
    step_path: f64,
    damping: f64,
    path: f64,
    rank_one: f64,
    rank_mu: f64,
    /// Expected length of a standard normal vector.
    chi: f64,
}

/// A sampled point, and the step that led to it.
pub struct Sample {
    /// Coordinates in the unit cube.
    pub point: Vec<f64>,
    /// Step from the mean: (point - mean) / step.
    offset: Vec<f64>,
}

/// Draws a standard normal number, by Box and Muller.
fn normal(rng: &mut impl Rng) -> f64 {
    let u: f64 = 1.0 - rng.random::<f64>();
    let v: f64 = rng.random();
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// Reflects `x` at the borders of `[0, 1]`.
fn reflect(x: f64) -> f64 {
    let x = x.rem_euclid(2.0);
    if x > 1.0 { 2.0 - x } else { x }
}

impl SepCma {
    /// Starts a search at `mean` with the standard deviations `spread`, none of them 0.
    pub fn new(mean: &[f64], spread: &[f64]) -> Self {
        let default = 4 + (3.0 * (mean.len() as f64).ln()) as usize;
        // Rounded up to whole vectors, in which candidates are rendered.
        Self::with_population(mean, spread, default.next_multiple_of(8))
    }

    /// Starts a search like [`SepCma::new`] with generations of `lambda` points, at least 4.
    pub fn with_population(mean: &[f64], spread: &[f64], lambda: usize) -> Self {
        let n = mean.len() as f64;
        let mu = lambda / 2;
        let raw: Vec<f64> = (1..=mu)
            .map(|i| (mu as f64 + 0.5).ln() - (i as f64).ln())
            .collect();
        let sum: f64 = raw.iter().sum();
        let weights: Vec<f64> = raw.iter().map(|w| w / sum).collect();
        let mu_eff = 1.0 / weights.iter().map(|w| w * w).sum::<f64>();
        let step_path = (mu_eff + 2.0) / (n + mu_eff + 5.0);
        // The separable form can afford larger rates, as it has fewer numbers to learn.
        let faster = (n + 2.0) / 3.0;
        let rank_one = (faster * 2.0 / ((n + 1.3).powi(2) + mu_eff)).min(1.0);
        let rank_mu = faster * 2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((n + 2.0).powi(2) + mu_eff);
        let rates = Rates {
            mu_eff,
            step_path,
            damping: 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + step_path,
            path: (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n),
            rank_one,
            rank_mu: rank_mu.min(1.0 - rank_one),
            chi: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
        };
        Self {
            mean: mean.to_vec(),
            step: 1.0,
            variance: spread.iter().map(|s| s * s).collect(),
            step_path: vec![0.0; mean.len()],
            path: vec![0.0; mean.len()],
            weights,
            lambda,
            generation: 0,
            rates,
        }
    }

    /// Number of points in a generation.
    pub fn population(&self) -> usize {
        self.lambda
    }

    /// Samples a generation to evaluate.
    pub fn ask(&self, rng: &mut impl Rng) -> Vec<Sample> {
        let coordinate = |i: usize, rng: &mut _| {
            reflect(self.mean[i] + self.step * self.variance[i].sqrt() * normal(rng))
        };
        (0..self.lambda)
            .map(|_| {
                let point: Vec<f64> = (0..self.mean.len()).map(|i| coordinate(i, rng)).collect();
                let offset = point
                    .iter()
                    .zip(&self.mean)
                    .map(|(p, m)| (p - m) / self.step)
                    .collect();
                Sample { point, offset }
            })
            .collect()
    }

    /// Learns from a generation and its costs; NaN counts as the worst cost.
    pub fn tell(&mut self, samples: &[Sample], costs: &[f64]) {
        let mut order: Vec<usize> = (0..samples.len()).collect();
        let cost = |i: usize| {
            if costs[i].is_nan() {
                f64::INFINITY
            } else {
                costs[i]
            }
        };
        order.sort_by(|&a, &b| cost(a).total_cmp(&cost(b)));
        let best: Vec<&Sample> = order
            .iter()
            .take(self.weights.len())
            .map(|&i| &samples[i])
            .collect();
        let r = &self.rates;
        let n = self.mean.len();
        self.generation += 1;

        let mut mean_offset = vec![0.0; n];
        for (w, s) in self.weights.iter().zip(&best) {
            mean_offset
                .iter_mut()
                .zip(&s.offset)
                .for_each(|(m, o)| *m += w * o);
        }
        let grow = (r.step_path * (2.0 - r.step_path) * r.mu_eff).sqrt();
        for i in 0..n {
            self.mean[i] += self.step * mean_offset[i];
            let whitened = mean_offset[i] / self.variance[i].sqrt();
            self.step_path[i] = (1.0 - r.step_path) * self.step_path[i] + grow * whitened;
        }
        let length = self.step_path.iter().map(|p| p * p).sum::<f64>().sqrt();
        let settled = (1.0 - (1.0 - r.step_path).powi(2 * self.generation)).sqrt();
        // The path is stalled while the step grows fast.
        let on = length / settled < (1.4 + 2.0 / (n as f64 + 1.0)) * r.chi;
        let grow = if on {
            (r.path * (2.0 - r.path) * r.mu_eff).sqrt()
        } else {
            0.0
        };
        let lost = if on { 0.0 } else { r.path * (2.0 - r.path) };
        for i in 0..n {
            self.path[i] = (1.0 - r.path) * self.path[i] + grow * mean_offset[i];
            let spread: f64 = self
                .weights
                .iter()
                .zip(&best)
                .map(|(w, s)| w * s.offset[i] * s.offset[i])
                .sum();
            let one = self.path[i] * self.path[i] + lost * self.variance[i];
            self.variance[i] = (1.0 - r.rank_one - r.rank_mu) * self.variance[i]
                + r.rank_one * one
                + r.rank_mu * spread;
            self.variance[i] = self.variance[i].max(1e-12);
        }
        // In a cube of side 1 a larger step is blind.
        self.step =
            (self.step * ((r.step_path / r.damping) * (length / r.chi - 1.0)).exp()).min(10.0);
    }

    /// The largest standard deviation of a coordinate.
    pub fn width(&self) -> f64 {
        self.step * self.variance.iter().fold(0.0f64, |m, v| m.max(*v)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn minimise(cost: impl Fn(&[f64]) -> f64, generations: usize, seed: u64) -> f64 {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
        let mut search = SepCma::new(&[0.5; 20], &[0.2; 20]);
        let mut best = f64::INFINITY;
        for _ in 0..generations {
            let samples = search.ask(&mut rng);
            let costs: Vec<f64> = samples.iter().map(|s| cost(&s.point)).collect();
            best = costs.iter().fold(best, |m, &c| m.min(c));
            search.tell(&samples, &costs);
        }
        best
    }

    #[test]
    fn finds_the_bottom_of_an_ill_scaled_bowl() {
        for seed in 0..5 {
            let bowl = |x: &[f64]| -> f64 {
                x.iter()
                    .enumerate()
                    .map(|(i, v)| 10f64.powf(i as f64 / 5.0) * (v - 0.3).powi(2))
                    .sum()
            };
            let start = bowl(&[0.5; 20]);
            let found = minimise(bowl, 400, seed);
            assert!(found < 1e-7 * start, "seed {seed}: {found} from {start}");
        }
    }

    #[test]
    fn finds_a_bottom_at_the_border() {
        let corner = |x: &[f64]| -> f64 { x.iter().map(|v| v * v).sum() };
        let found = minimise(corner, 400, 1);
        assert!(found < 1e-5, "{found}");
    }

    #[test]
    fn survives_costs_that_are_nan() {
        let holes = |x: &[f64]| {
            if x[0] > 0.5 {
                f64::NAN
            } else {
                x.iter().map(|v| (v - 0.4).powi(2)).sum()
            }
        };
        assert!(minimise(holes, 300, 2) < 1e-4);
        assert!(minimise(|_| f64::NAN, 50, 3).is_infinite());
    }

    #[test]
    fn samples_stay_in_the_cube() {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(4);
        let search = SepCma::new(&[0.0, 1.0, 0.5], &[3.0, 3.0, 0.1]);
        for _ in 0..200 {
            for sample in search.ask(&mut rng) {
                assert!(sample.point.iter().all(|x| (0.0..=1.0).contains(x)));
            }
        }
    }
}
