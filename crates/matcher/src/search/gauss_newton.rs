//! Gauss-Newton steps towards a sound (Levenberg 1944, Marquardt 1963): the Jacobian of the
//! residual, from renders with each matched parameter moved a little, gives the point where the
//! residual would be smallest if it were linear. A search that only compares scores needs hundreds
//! of renders to learn as much.

use super::bounds::{Bounds, POINT, Point, point};
use super::coarse::Residual;
use super::evaluator::Evaluator;
use super::objective::Candidate;
use super::vectors::{add_scaled, product};
use crate::metric::mel::FLOOR_DB;
use ear::CHANNELS;
use std::ops::{Add, Range};
use synth::{Lean, MATCHED_COUNT, Patch};

/// Step of the finite differences, normalised: the residual is hardly linear in most parameters
/// beyond it.
const STEP: f64 = 0.005;
/// Dampings tried, relative to the Hessian's diagonal: from a step that trusts the linearization to
/// a short one down the gradient.
const DAMPINGS: [f64; 4] = [1e-3, 0.016, 0.06, 1.0];
/// Number of times that a step's weights are recomputed from the residual that the step predicts.
const REWEIGHTINGS: usize = 2;
/// Curvature, relative to the largest, that damping adds to every parameter: inaudible parameters
/// stay.
const MIN_CURVATURE: f64 = 1e-3;
/// Curvature of the prior that slopes are small: what one phrase tells of them is little.
const PRIOR: f64 = 0.1;
/// Number of rows of a Jacobian whose products are taken together: they fit into the cache.
const BLOCK: usize = 8 * CHANNELS;
/// Gain of a step below which the linearization is recomputed or, if it was new, the descent ends.
const MIN_GAIN: f32 = 5e-4;

/// Square root of the weight of spectrogram cells, with which the weighted sum of squares falls as
/// [`super::Score::objective`] rises: half a correlation of vectors of norm 1 is a quarter of their
/// squared distance.
const CELL_WEIGHT: f32 = 0.5;

/// Square roots of the weights of log-mel bands near these `residuals` in dB, with which squares
/// act as absolute differences (iteratively reweighted least squares).
fn band_weights(residuals: &[f32]) -> Vec<f32> {
    /// Lower limit of the absolute difference, in dB.
    const LEAST: f32 = 1.0;
    let count = residuals.len().max(1) as f32;
    let weight = |d: &f32| (0.25 / (FLOOR_DB * count * d.abs().max(LEAST))).sqrt();
    residuals.iter().map(weight).collect()
}

/// Most renders that a step of a search makes: the residual, its derivatives, and the steps tried.
pub const LONGEST_STEP: usize = 1 + MATCHED_COUNT + DAMPINGS.len();

/// A descent by Gauss-Newton steps. A Jacobian serves for several steps, corrected by the residual
/// of each (Broyden 1965), until a step gains little.
#[derive(Default)]
pub(super) struct GaussNewton {
    linearization: Option<Linearization>,
}

/// Result of one Gauss-Newton step.
pub(super) struct StepResult {
    /// Number of renders of the clip.
    pub(super) renders: usize,
    /// True if another step may gain.
    pub(super) gains: bool,
}

impl GaussNewton {
    /// Takes one step from `best`, and replaces it where the step is better.
    pub(super) fn step(
        &mut self,
        evaluator: &mut Evaluator<'_>,
        best: &mut Candidate,
    ) -> StepResult {
        let mut renders = 0;
        let linearization = match &mut self.linearization {
            Some(linearization) => linearization,
            none => {
                renders += 1;
                let patch = match evaluator.middle() {
                    Some(key) if best.patch.lean.is_none() => {
                        best.patch.leaning(Lean { key, ..Lean::NONE })
                    }
                    _ => best.patch,
                };
                let residual = evaluator.residuals(&[patch]).remove(0);
                none.insert(Linearization {
                    patch,
                    residual,
                    jacobian: Vec::new(),
                })
            }
        };
        let is_new = linearization.jacobian.is_empty();
        if is_new {
            renders += linearization.finite_differences(evaluator);
        }
        let steps = linearization.damped_steps(&evaluator.bounds);
        let residuals = evaluator.residuals(&steps);
        renders += residuals.len();
        let value = |residual: &Residual| evaluator.penalized(&residual.heard.score);
        let found = residuals
            .into_iter()
            .zip(steps)
            .max_by(|(a, _), (b, _)| value(a).total_cmp(&value(b)));
        let mut gain = 0.0;
        if let Some((residual, patch)) = found {
            gain = value(&residual) - evaluator.penalized(&best.score);
            if gain > 0.0 {
                let score = residual.heard.score;
                *best = Candidate { patch, score };
                linearization.broyden_update(patch, residual);
            }
        }
        let gains = gain >= MIN_GAIN;
        if !gains {
            // The Jacobian may be outdated: the next step recomputes it.
            linearization.jacobian.clear();
        }
        StepResult {
            renders,
            gains: gains || !is_new,
        }
    }
}

/// Residual and Jacobian at a patch.
struct Linearization {
    patch: Patch,
    residual: Residual,
    /// Derivatives of the residual, a column per matched parameter; empty until they are computed.
    jacobian: Vec<Vec<f32>>,
}

impl Linearization {
    /// Computes the Jacobian by one-sided differences, and returns the number of renders. Those of
    /// the values give the derivatives by the slopes too: at any time that is the one by the value,
    /// times the octaves of the note that sounds.
    fn finite_differences(&mut self, evaluator: &mut Evaluator<'_>) -> usize {
        let bounds = evaluator.bounds;
        let h = point(&self.patch);
        // A coordinate without room stays: its column is zero.
        let free = |i: &usize| {
            let [low, high] = bounds.ends(*i);
            high - low >= 2.0 * STEP
        };
        let values: Vec<usize> = (0..MATCHED_COUNT).filter(free).collect();
        let steps: Vec<f64> = (values.iter())
            .map(|&i| match h[i] + STEP > bounds.ends(i)[1] {
                true => -STEP,
                false => STEP,
            })
            .collect();
        let moved: Vec<Patch> = (values.iter().zip(&steps))
            .map(|(&i, step)| {
                let mut point = h;
                point[i] += step;
                bounds.leaning_patch_at(&self.patch, &point)
            })
            .collect();
        let residuals = evaluator.residuals(&moved);
        let here = &self.residual;
        let column = |moved: &Residual, step: f64| -> Vec<f32> {
            let by = 1.0 / step as f32;
            let values = moved.values.iter().zip(&here.values);
            values.map(|(moved, here)| by * (moved - here)).collect()
        };
        let mut jacobian = vec![vec![0.0; here.values.len()]; POINT];
        let lean = self.patch.lean;
        let octaves = |time: f64| lean.octaves(evaluator.key_at(time));
        for ((moved, &step), &i) in residuals.iter().zip(&steps).zip(&values) {
            jacobian[i] = column(moved, step);
            let slope = MATCHED_COUNT + i;
            if evaluator.middle().is_some() && free(&slope) {
                let reference = &evaluator.reference;
                let leaning = reference.between(&here.heard, &moved.heard, octaves);
                jacobian[slope] = column(&leaning, step);
            }
        }
        self.jacobian = jacobian;
        residuals.len()
    }

    /// Patches at which the linearized residual is smallest, one per damping.
    fn damped_steps(&self, bounds: &Bounds) -> [Patch; DAMPINGS.len()] {
        let (cells, bands) = self.residual.parts();
        let equations = |rows: Range<usize>, weights: &[f32]| {
            let columns = self.jacobian.iter().map(|c| &c[rows.clone()]);
            NormalEquations::new(columns, &self.residual.values[rows.clone()], weights)
        };
        let of_cells = equations(cells.clone(), &vec![CELL_WEIGHT; cells.len()]);
        let h = point(&self.patch);
        let weighted_at = |step: &[f64; POINT]| {
            let mut predicted = self.residual.values[bands.clone()].to_vec();
            for (column, &by) in self.jacobian.iter().zip(step) {
                add_scaled(&mut predicted, by as f32, &column[bands.clone()]);
            }
            let mut all = of_cells.clone() + equations(bands.clone(), &band_weights(&predicted));
            // Slopes of which nothing is known stay.
            let known = |i: &usize| self.jacobian[*i].iter().any(|&d| d != 0.0);
            for i in (MATCHED_COUNT..POINT).filter(known) {
                all.hessian[i][i] += PRIOR;
                all.gradient[i] += PRIOR * h[i];
            }
            all
        };
        let here = weighted_at(&[0.0; POINT]);
        DAMPINGS.map(|damping| {
            let mut step = here.step(&h, damping, bounds);
            for _ in 0..REWEIGHTINGS {
                step = weighted_at(&step).step(&h, damping, bounds);
            }
            let point: Point = std::array::from_fn(|i| h[i] + step[i]);
            bounds.leaning_patch_at(&self.patch, &point)
        })
    }

    /// Moves to `patch`, whose `residual` corrects the Jacobian along the step.
    fn broyden_update(&mut self, patch: Patch, residual: Residual) {
        let (from, to) = (point(&self.patch), point(&patch));
        let step: [f32; POINT] = std::array::from_fn(|i| (to[i] - from[i]) as f32);
        let length = step.iter().map(|s| s * s).sum::<f32>();
        let mut unpredicted = residual.values.clone();
        for (value, before) in unpredicted.iter_mut().zip(&self.residual.values) {
            *value -= before;
        }
        for (column, by) in self.jacobian.iter().zip(step) {
            add_scaled(&mut unpredicted, -by, column);
        }
        for (column, by) in self.jacobian.iter_mut().zip(step) {
            add_scaled(column, by / length, &unpredicted);
        }
        self.patch = patch;
        self.residual = residual;
    }
}

/// The normal equations of a weighted least-squares problem.
#[derive(Clone)]
struct NormalEquations {
    gradient: [f64; POINT],
    /// Approximation J^T W J of the Hessian.
    hessian: [[f64; POINT]; POINT],
}

impl NormalEquations {
    /// Builds the weighted normal equations from the Jacobian's columns, the residual, and the
    /// square roots of its weights.
    fn new<'c>(
        columns: impl Iterator<Item = &'c [f32]>,
        residual: &[f32],
        weights: &[f32],
    ) -> Self {
        let columns: Vec<&[f32]> = columns.collect();
        let mut equations = Self {
            gradient: [0.0; POINT],
            hessian: [[0.0; POINT]; POINT],
        };
        for first in (0..residual.len()).step_by(BLOCK) {
            let rows = first..(first + BLOCK).min(residual.len());
            let weights = &weights[rows.clone()];
            let weighted = |values: &[f32]| -> Vec<f32> {
                let values = values[rows.clone()].iter().zip(weights);
                values.map(|(value, weight)| value * weight).collect()
            };
            let residual = weighted(residual);
            let columns: Vec<Vec<f32>> = columns.iter().map(|column| weighted(column)).collect();
            for (i, column) in columns.iter().enumerate() {
                equations.gradient[i] += product(column, &residual);
                for (j, other) in columns[..=i].iter().enumerate() {
                    equations.hessian[i][j] += product(column, other);
                }
            }
        }
        for i in 0..POINT {
            for j in 0..i {
                equations.hessian[j][i] = equations.hessian[i][j];
            }
        }
        equations
    }

    /// Solves for the step from `h` with this damping, within `bounds`: a coordinate that would
    /// leave them stops at their border, and the others make up for it.
    fn step(&self, h: &[f64; POINT], damping: f64, bounds: &Bounds) -> [f64; POINT] {
        let largest = (0..POINT)
            .map(|i| self.hessian[i][i])
            .fold(f64::MIN_POSITIVE, f64::max);
        let mut fixed = [None; POINT];
        loop {
            let mut matrix = self.hessian;
            let mut right = self.gradient.map(|g| -g);
            for i in 0..POINT {
                matrix[i][i] += damping * (matrix[i][i] + MIN_CURVATURE * largest);
            }
            for i in 0..POINT {
                let Some(end) = fixed[i] else { continue };
                for j in 0..POINT {
                    right[j] -= matrix[j][i] * end;
                    matrix[j][i] = 0.0;
                    matrix[i][j] = 0.0;
                }
                matrix[i][i] = 1.0;
            }
            for i in 0..POINT {
                if let Some(end) = fixed[i] {
                    right[i] = end;
                }
            }
            let step = solve(&mut matrix, right);
            let mut all_within = true;
            for i in 0..POINT {
                let end = bounds.within(i, h[i], h[i] + step[i]) - h[i];
                if fixed[i].is_none() && (end - step[i]).abs() > 1e-9 {
                    fixed[i] = Some(end);
                    all_within = false;
                }
            }
            if all_within {
                return step;
            }
        }
    }
}

impl Add for NormalEquations {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        for i in 0..POINT {
            self.gradient[i] += other.gradient[i];
            for j in 0..POINT {
                self.hessian[i][j] += other.hessian[i][j];
            }
        }
        self
    }
}

/// Solves `matrix * x = right` for a symmetric positive definite matrix, by Cholesky's
/// decomposition.
fn solve<const N: usize>(matrix: &mut [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for i in 0..N {
        for j in 0..=i {
            let mut sum = matrix[i][j];
            for k in 0..j {
                sum -= matrix[i][k] * matrix[j][k];
            }
            matrix[i][j] = if i == j {
                // Rounding may make a barely positive pivot negative.
                sum.max(f64::MIN_POSITIVE).sqrt()
            } else {
                sum / matrix[j][j]
            };
        }
    }
    for i in 0..N {
        for k in 0..i {
            right[i] -= matrix[i][k] * right[k];
        }
        right[i] /= matrix[i][i];
    }
    for i in (0..N).rev() {
        for k in i + 1..N {
            right[i] -= matrix[k][i] * right[k];
        }
        right[i] /= matrix[i][i];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{Evaluator, ROUGH, Reference, Score};
    use synth::{Note, params};

    /// Equations with curvature 1 of each parameter, coupled with its neighbour.
    fn equations() -> NormalEquations {
        let mut hessian = [[0.0; POINT]; POINT];
        for i in 0..POINT {
            hessian[i][i] = 1.0;
            if i > 0 {
                (hessian[i][i - 1], hessian[i - 1][i]) = (0.3, 0.3);
            }
        }
        NormalEquations {
            gradient: std::array::from_fn(|i| 0.4 - 0.05 * i as f64),
            hessian,
        }
    }

    #[test]
    fn a_system_of_equations_is_solved() {
        let (matrix, right) = (equations().hessian, equations().gradient);
        let x = solve(&mut matrix.clone(), right);
        for i in 0..POINT {
            let product: f64 = (0..POINT).map(|j| matrix[i][j] * x[j]).sum();
            assert!((product - right[i]).abs() < 1e-12, "row {i}");
        }
    }

    #[test]
    fn a_step_follows_most_of_the_bands() {
        // Seven tenths of the bands are 2 dB above the reference, the others 6 dB below.
        let mut jacobian = vec![vec![0.0; 1_000]; POINT];
        jacobian[0] = vec![10.0; 1_000];
        let values: Vec<f32> = (0..1_000)
            .map(|i| if i % 10 < 7 { 2.0 } else { -6.0 })
            .collect();
        let patch = Patch::default().with_matched(&[0.5; MATCHED_COUNT]);
        let score = Score {
            likeness: 0.0,
            mel: 3.2,
        };
        let residual = Residual::of_bands(score, values);
        let here = Linearization {
            patch,
            residual,
            jacobian,
        };
        let by = 10.0 * (here.damped_steps(&Bounds::ALL)[0].matched()[0] - 0.5);
        // Their mean is 0.4 dB below; with the weights of the start, the step would be 1 dB.
        assert!((-2.0..-1.5).contains(&by), "{by} dB");
    }

    #[test]
    fn derivatives_by_slopes_come_from_those_by_values() {
        let note = |i: usize, key| Note {
            onset: 0.05 + 0.4 * i as f64,
            duration: 0.25,
            key,
            velocity: 0.8,
        };
        let notes: Vec<Note> = (0..5).map(|i| note(i, 48.0 + 4.0 * i as f32)).collect();
        let mut patch = Patch::default();
        patch.set_plain(params::FILTER_CUTOFF, 900.0);
        patch.set_plain(params::AMP_RELEASE, 0.02);
        let heard = synth::render_mono(&patch, &notes, 2.1, 16_000.0, 3);
        let reference = Reference::new(&heard, 16_000.0, &ear::EarConfig::default()).unwrap();
        let mut evaluator = Evaluator::new(&reference, ROUGH, &notes, 1).unwrap();
        let key = evaluator.middle().unwrap();
        let patch = Patch::default().leaning(Lean { key, ..Lean::NONE });
        let residual = evaluator.residuals(&[patch]).remove(0);
        let mut here = Linearization {
            patch,
            residual,
            jacobian: Vec::new(),
        };
        assert_eq!(here.finite_differences(&mut evaluator), MATCHED_COUNT);
        for row in [
            params::FILTER_CUTOFF,
            params::OSC_BALANCE,
            params::AMP_SUSTAIN,
        ] {
            let slope = MATCHED_COUNT + params::matched_index(row).unwrap();
            let mut at = point(&patch);
            at[slope] += STEP;
            let leaning = Bounds::ALL.leaning_patch_at(&patch, &at);
            let leaning = evaluator.residuals(&[leaning]).remove(0);
            let both = leaning.values.iter().zip(&here.residual.values);
            let rendered: Vec<f32> = both.map(|(a, b)| (a - b) / STEP as f32).collect();
            for part in <[_; 2]>::from(here.residual.parts()) {
                let (a, b) = (&rendered[part.clone()], &here.jacobian[slope][part]);
                let alike = product(a, b) / (product(a, a) * product(b, b)).sqrt();
                let size = (product(b, b) / product(a, a)).sqrt();
                assert!(
                    alike > 0.95 && (0.9..1.1).contains(&size),
                    "{row}: {alike} {size}"
                );
            }
        }
    }

    #[test]
    fn a_step_ends_at_the_minimum_within_the_cube() {
        let equations = equations();
        let h: Point = std::array::from_fn(|i| match i < MATCHED_COUNT {
            true => 0.1 + 0.03 * i as f64,
            false => 0.02 * (i - MATCHED_COUNT) as f64 - 0.3,
        });
        let step = equations.step(&h, 0.0, &Bounds::ALL);
        let mut at_border = 0;
        for i in 0..POINT {
            let [low, high] = Bounds::ALL.ends(i);
            let end = h[i] + step[i];
            assert!((low - 1e-9..=high + 1e-9).contains(&end), "{i}: {end}");
            let uphill: f64 = equations.gradient[i]
                + (0..POINT)
                    .map(|j| equations.hessian[i][j] * step[j])
                    .sum::<f64>();
            // At the minimum, or held by a border.
            if !(low + 1e-6..=high - 1e-6).contains(&end) {
                at_border += 1;
            } else {
                assert!(uphill.abs() < 1e-9, "{i}: {uphill}");
            }
        }
        assert!((1..POINT).contains(&at_border));
        let length = |step: [f64; POINT]| step.iter().map(|s| s * s).sum::<f64>();
        assert!(length(equations.step(&h, 4.0, &Bounds::ALL)) < 0.2 * length(step));
    }
}
