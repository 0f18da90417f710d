//! Gauss-Newton steps towards a sound (Levenberg 1944, Marquardt 1963): the derivative of what is heard by
//! each matched parameter, from renders a little to the side, says where the difference would be smallest
//! if all were straight. A search that only compares scores needs hundreds of renders to learn as much.

use super::evaluator::{CELL_WEIGHT, Studio, View, band_weights, on_all, product};
use super::one_patch::Scored;
use super::{Score, Search, at};
use std::ops::{Add, Range};
use synth::{MATCHED_COUNT, Note, Patch};

/// How far to the side, normalised: what is heard of most parameters is no straight line for long.
const ASIDE: f64 = 0.005;
/// Dampings tried, relative to the curvature: from a step that trusts the straight line to a short one down
/// the slope.
const DAMPINGS: [f64; 4] = [1e-3, 0.016, 0.06, 1.0];
/// How often a step's weights are those of where it leads, as far as the straight lines say.
const REWEIGHTED: usize = 2;
/// Curvature, relative to the largest, that every parameter is given: what is not heard stays.
const FLAT: f64 = 1e-3;

/// Steps that gain less than this say that a new look to the sides is due, or that there is no way on.
const GAIN: f32 = 5e-4;

/// A descent. What was seen to the sides of one point serves for the next ones, corrected by what each step
/// brought (Broyden 1965), until a step gains little.
#[derive(Default)]
pub struct Newton {
    here: Option<Here>,
}

impl Newton {
    /// One step from `best`, which takes its place where it is better. Returns the renders it took, and whether
    /// there is a way on.
    pub fn step(
        &mut self,
        search: &mut Search<'_>,
        studio: &Studio<'_>,
        notes: &[Note],
        best: &mut Scored,
        first: &Score,
    ) -> (usize, bool) {
        let mut renders = 0;
        let here = match &mut self.here {
            Some(here) => here,
            none => {
                renders += 1;
                let patch = best.0;
                let mut views = views(search, studio, notes, &[patch]);
                none.insert(Here {
                    patch,
                    view: views.remove(0),
                    columns: Vec::new(),
                })
            }
        };
        let looks = here.columns.is_empty();
        if looks {
            renders += here.look(search, studio, notes);
        }
        let candidates = here.candidates();
        let views = views(search, studio, notes, &candidates);
        renders += views.len();
        let worth = |view: &View| view.score.worth(first);
        let found = views
            .into_iter()
            .zip(candidates)
            .max_by(|(a, _), (b, _)| worth(a).total_cmp(&worth(b)));
        let mut gain = 0.0;
        if let Some((view, patch)) = found {
            gain = worth(&view) - best.1.worth(first);
            if gain > 0.0 {
                *best = (patch, view.score);
                here.go(patch, view);
            }
        }
        let on = gain >= GAIN;
        if !on {
            // An old look may be what is wrong: then the next step begins with a new one.
            here.columns.clear();
        }
        (renders, on || !looks)
    }
}

fn views(
    search: &mut Search<'_>,
    studio: &Studio<'_>,
    notes: &[Note],
    patches: &[Patch],
) -> Vec<View> {
    on_all(&mut search.players, patches, |player, patches| {
        studio.views(player, notes, patches)
    })
}

/// Where a descent is.
struct Here {
    patch: Patch,
    view: View,
    /// Derivative of the view's difference by each parameter; empty where they have to be looked for.
    columns: Vec<Vec<f32>>,
}

impl Here {
    /// Looks to each side. Returns the renders it took.
    fn look(&mut self, search: &mut Search<'_>, studio: &Studio<'_>, notes: &[Note]) -> usize {
        let h = self.patch.matched().map(f64::from);
        let aside = h.map(|x| if x + ASIDE > 1.0 { -ASIDE } else { ASIDE });
        let sides: [Patch; MATCHED_COUNT] = std::array::from_fn(|i| {
            let mut point = h;
            point[i] += aside[i];
            at(&self.patch, &point)
        });
        let views = views(search, studio, notes, &sides);
        self.columns = views
            .iter()
            .zip(aside)
            .map(|(side, aside)| {
                let by = 1.0 / aside as f32;
                let cells = side.difference.iter().zip(&self.view.difference);
                cells.map(|(side, here)| by * (side - here)).collect()
            })
            .collect();
        views.len()
    }

    /// Where the difference would be smallest, for each damping.
    fn candidates(&self) -> [Patch; DAMPINGS.len()] {
        let (cells, bands) = self.view.parts();
        let slope = |rows: Range<usize>, weights: &[f32]| {
            let columns = self.columns.iter().map(|c| &c[rows.clone()]);
            Slope::new(columns, &self.view.difference[rows.clone()], weights)
        };
        let of_cells = slope(cells.clone(), &vec![CELL_WEIGHT; cells.len()]);
        let h = self.patch.matched().map(f64::from);
        let weighed_at = |step: &[f64; MATCHED_COUNT]| {
            let mut ahead = self.view.difference[bands.clone()].to_vec();
            for (column, &by) in self.columns.iter().zip(step) {
                add(&mut ahead, by as f32, &column[bands.clone()]);
            }
            of_cells.clone() + slope(bands.clone(), &band_weights(&ahead))
        };
        let here = weighed_at(&[0.0; MATCHED_COUNT]);
        DAMPINGS.map(|damping| {
            let mut step = here.step(&h, damping);
            for _ in 0..REWEIGHTED {
                step = weighed_at(&step).step(&h, damping);
            }
            let point: [f64; MATCHED_COUNT] = std::array::from_fn(|i| h[i] + step[i]);
            at(&self.patch, &point)
        })
    }

    /// Moves to another `patch`, whose `view` corrects the derivatives along the step.
    fn go(&mut self, patch: Patch, view: View) {
        let (from, to) = (self.patch.matched(), patch.matched());
        let step: [f32; MATCHED_COUNT] = std::array::from_fn(|i| to[i] - from[i]);
        let length = step.iter().map(|s| s * s).sum::<f32>();
        let mut surprise = view.difference.clone();
        for (s, before) in surprise.iter_mut().zip(&self.view.difference) {
            *s -= before;
        }
        for (column, by) in self.columns.iter().zip(step) {
            add(&mut surprise, -by, column);
        }
        for (column, by) in self.columns.iter_mut().zip(step) {
            add(column, by / length, &surprise);
        }
        (self.patch, self.view) = (patch, view);
    }
}

/// Adds `by` times `what`.
fn add(to: &mut [f32], by: f32, what: &[f32]) {
    to.iter_mut().zip(what).for_each(|(to, x)| *to += by * x);
}

/// The normal equations.
#[derive(Clone)]
struct Slope {
    gradient: [f64; MATCHED_COUNT],
    curvature: [[f64; MATCHED_COUNT]; MATCHED_COUNT],
}

impl Slope {
    /// Of rows of a view's difference, their derivatives by each parameter, and square roots of their weights.
    fn new<'c>(
        columns: impl Iterator<Item = &'c [f32]>,
        difference: &[f32],
        weights: &[f32],
    ) -> Self {
        let weighted =
            |rows: &[f32]| -> Vec<f32> { rows.iter().zip(weights).map(|(r, w)| r * w).collect() };
        let columns: Vec<Vec<f32>> = columns.map(weighted).collect();
        let rest = weighted(difference);
        let mut curvature = [[0.0; MATCHED_COUNT]; MATCHED_COUNT];
        for i in 0..MATCHED_COUNT {
            for j in 0..=i {
                curvature[i][j] = product(&columns[i], &columns[j]);
                curvature[j][i] = curvature[i][j];
            }
        }
        Self {
            gradient: std::array::from_fn(|i| product(&columns[i], &rest)),
            curvature,
        }
    }

    /// The step from `h` with this damping, within the unit cube: a coordinate that would leave it ends at
    /// its border, and the others make up for it.
    fn step(&self, h: &[f64; MATCHED_COUNT], damping: f64) -> [f64; MATCHED_COUNT] {
        let largest = (0..MATCHED_COUNT)
            .map(|i| self.curvature[i][i])
            .fold(f64::MIN_POSITIVE, f64::max);
        let mut fixed = [None; MATCHED_COUNT];
        loop {
            let mut matrix = self.curvature;
            let mut right = self.gradient.map(|g| -g);
            for i in 0..MATCHED_COUNT {
                matrix[i][i] += damping * (matrix[i][i] + FLAT * largest);
            }
            for i in 0..MATCHED_COUNT {
                let Some(end) = fixed[i] else { continue };
                for j in 0..MATCHED_COUNT {
                    right[j] -= matrix[j][i] * end;
                    matrix[j][i] = 0.0;
                    matrix[i][j] = 0.0;
                }
                matrix[i][i] = 1.0;
            }
            for i in 0..MATCHED_COUNT {
                if let Some(end) = fixed[i] {
                    right[i] = end;
                }
            }
            let step = solve(&mut matrix, right);
            let mut all_within = true;
            for i in 0..MATCHED_COUNT {
                let end = (h[i] + step[i]).clamp(0.0, 1.0) - h[i];
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

impl Add for Slope {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        for i in 0..MATCHED_COUNT {
            self.gradient[i] += other.gradient[i];
            for j in 0..MATCHED_COUNT {
                self.curvature[i][j] += other.curvature[i][j];
            }
        }
        self
    }
}

/// Solves `matrix * x = right` for a symmetric positive definite matrix, by Cholesky's decomposition.
fn solve<const N: usize>(matrix: &mut [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for i in 0..N {
        for j in 0..=i {
            let mut sum = matrix[i][j];
            for k in 0..j {
                sum -= matrix[i][k] * matrix[j][k];
            }
            matrix[i][j] = if i == j {
                // Rounding may take what is hardly positive below zero.
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

    /// Curvature 1 of each parameter, some of which go with their neighbour.
    fn slope() -> Slope {
        let mut curvature = [[0.0; MATCHED_COUNT]; MATCHED_COUNT];
        for i in 0..MATCHED_COUNT {
            curvature[i][i] = 1.0;
            if i > 0 {
                (curvature[i][i - 1], curvature[i - 1][i]) = (0.3, 0.3);
            }
        }
        Slope {
            gradient: std::array::from_fn(|i| 0.4 - 0.05 * i as f64),
            curvature,
        }
    }

    #[test]
    fn a_system_of_equations_is_solved() {
        let (matrix, right) = (slope().curvature, slope().gradient);
        let x = solve(&mut matrix.clone(), right);
        for i in 0..MATCHED_COUNT {
            let product: f64 = (0..MATCHED_COUNT).map(|j| matrix[i][j] * x[j]).sum();
            assert!((product - right[i]).abs() < 1e-12, "row {i}");
        }
    }

    #[test]
    fn a_step_goes_where_most_bands_want_to() {
        // Seven tenths of the bands are 2 dB above what is wanted, the others 6 dB below.
        let mut columns = vec![vec![0.0; 1_000]; MATCHED_COUNT];
        columns[0] = vec![10.0; 1_000];
        let difference: Vec<f32> = (0..1_000)
            .map(|i| if i % 10 < 7 { 2.0 } else { -6.0 })
            .collect();
        let patch = at(&Patch::default(), &[0.5; MATCHED_COUNT]);
        let score = Score {
            likeness: 0.0,
            mel: 3.2,
        };
        let view = View::of_bands(score, difference);
        let here = Here {
            patch,
            view,
            columns,
        };
        let by = 10.0 * (here.candidates()[0].matched()[0] - 0.5);
        // Their mean is .4 dB below; with the weights of where it begins, the step is 1 dB.
        assert!((-2.0..-1.5).contains(&by), "{by} dB");
    }

    #[test]
    fn a_step_ends_at_the_bottom_of_the_bowl_within_the_cube() {
        let slope = slope();
        let h: [f64; MATCHED_COUNT] = std::array::from_fn(|i| 0.1 + 0.03 * i as f64);
        let step = slope.step(&h, 0.0);
        let mut at_border = 0;
        for i in 0..MATCHED_COUNT {
            let end = h[i] + step[i];
            assert!((-1e-9..=1.0 + 1e-9).contains(&end), "{i}: {end}");
            let uphill: f64 = slope.gradient[i]
                + (0..MATCHED_COUNT)
                    .map(|j| slope.curvature[i][j] * step[j])
                    .sum::<f64>();
            // At the bottom, or held by a border.
            if !(1e-6..=1.0 - 1e-6).contains(&end) {
                at_border += 1;
            } else {
                assert!(uphill.abs() < 1e-9, "{i}: {uphill}");
            }
        }
        assert!((1..MATCHED_COUNT).contains(&at_border));
        let length = |step: [f64; MATCHED_COUNT]| step.iter().map(|s| s * s).sum::<f64>();
        assert!(length(slope.step(&h, 4.0)) < 0.2 * length(step));
    }
}
