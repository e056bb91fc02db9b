//! A Gaussian distribution fitted to rows, and the squared Mahalanobis distance to its mean.
//!
//! It is among the baselines, not in `detect`, because it is fitted on rows of features (raw columns, codes, code
//! and residual together) like PCA and nearest neighbours; `detect` handles scores only.
//!
//! The covariance is shrunk towards a multiple of the identity, `(1 - s) S + s mu I` with `mu` the mean variance, so
//! it is invertible with few rows or dependent columns. `s` is either given or estimated by
//! Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices", as scikit-learn's
//! `LedoitWolf`. The target treats columns alike: scale them first.

use faer::traits::pulp::{Arch, NullaryFnOnce};
use faer::{Mat, Side};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::covariance::lower_covariance;
use super::rows::{Rows, scored};
use crate::error::{Error, Place, Result};
use crate::range::Fraction;

/// Shrinkage of the covariance towards a multiple of the identity.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shrinkage {
    /// The optimal amount in expectation, estimated from the rows.
    #[default]
    LedoitWolf,
    /// This share; 0 is the plain covariance (divisor `n`).
    Fixed(Fraction),
}

/// A fitted Gaussian.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gaussian {
    /// The mean of every column, shape `[width]`.
    pub mean: Vec<f64>,
    /// The inverse of the covariance's lower Cholesky factor, row-major, shape `[width, width]`, zero above the diagonal.
    pub whitening: Vec<f64>,
    /// The shrinkage used.
    pub shrinkage: f64,
}

/// The smallest ridge, as a share of the mean variance, with which double precision factors a singular matrix.
const RIDGE: f64 = 1e-12;
/// Rows per thread at a time.
const TILE: usize = 64;

impl Gaussian {
    /// Fits on `x`, row-major, shape `[n, width]`.
    ///
    /// If the shrunk covariance is not invertible, a ridge of `1e-12` of the mean variance is added to its
    /// diagonal and multiplied by ten until it is. If all rows are equal, the covariance is the identity.
    ///
    /// # Errors
    /// If the rows are empty, of a wrong length or not finite.
    pub fn fit(x: &[f32], n: usize, width: usize, shrinkage: Shrinkage) -> Result<Gaussian> {
        let rows = Rows::new(x, n, width)?;
        let mean = rows.mean();
        let mut covariance = lower_covariance(rows, &mean);
        // Ledoit and Wolf divide by n, as in maximum likelihood.
        let to_ml = n.saturating_sub(1).max(1) as f64 / n as f64;
        let mu = (0..width).map(|j| covariance[(j, j)]).sum::<f64>() * to_ml / width as f64;
        let amount = match shrinkage {
            Shrinkage::Fixed(share) => share.get(),
            Shrinkage::LedoitWolf => {
                let entry = |i: usize, j: usize| (to_ml * covariance[(i, j)]).powi(2);
                let squares =
                    (0..width).map(|i| entry(i, i) + 2.0 * (0..i).map(|j| entry(i, j)).sum::<f64>()).sum::<f64>();
                ledoit_wolf(rows, &mean, squares, mu)
            }
        };
        for j in 0..width {
            for i in j..width {
                covariance[(i, j)] *= to_ml * (1.0 - amount);
            }
            covariance[(j, j)] += if mu > 0.0 { amount * mu } else { 1.0 };
        }
        let mut ridge = RIDGE * mu;
        let factor = loop {
            match covariance.llt(Side::Lower) {
                Ok(factor) => break factor,
                Err(_) if ridge.is_finite() && ridge > 0.0 => {
                    (0..width).for_each(|j| covariance[(j, j)] += ridge);
                    ridge *= 10.0;
                }
                Err(_) => return Err(Error::data(Place::default(), "gaussian: the covariance is not finite")),
            }
        };
        let mut inverse = Mat::<f64>::identity(width, width);
        factor.L().solve_lower_triangular_in_place(&mut inverse);
        let below = |at: usize| if at % width <= at / width { inverse[(at / width, at % width)] } else { 0.0 };
        let whitening = (0..width * width).map(below).collect();
        Ok(Gaussian { mean, whitening, shrinkage: amount })
    }

    /// Validates a Gaussian read from a file.
    ///
    /// # Errors
    /// If lengths do not agree, or numbers are not finite.
    pub fn checked(self) -> Result<Gaussian> {
        let width = self.mean.len();
        if width == 0 || width.checked_mul(width) != Some(self.whitening.len()) {
            let got = self.whitening.len();
            let message = format!("gaussian: expected a {width} x {width} matrix, got {got} numbers");
            return Err(Error::data(Place::default(), message));
        }
        if !self.mean.iter().chain(&self.whitening).all(|value| value.is_finite()) {
            return Err(Error::data(Place::default(), "gaussian: expected finite numbers, got others"));
        }
        Ok(self)
    }

    /// The squared Mahalanobis distance of every row of `x`, shape `[rows]`.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn squared_distance(&self, x: &[f32]) -> Vec<f64> {
        let width = self.mean.len();
        let mut distances = vec![0.0; scored(x, width).len()];
        distances.par_chunks_mut(TILE).zip(x.par_chunks(TILE * width)).for_each(|(distances, x)| {
            let mut centred = vec![0.0; width];
            for (row, distance) in x.chunks_exact(width).zip(distances) {
                for ((c, &x), m) in centred.iter_mut().zip(row).zip(&self.mean) {
                    *c = f64::from(x) - m;
                }
                *distance = Arch::new().dispatch(Whitened { centred: &centred, whitening: &self.whitening });
            }
        });
        distances
    }
}

/// The optimal shrinkage in expectation; `squares` is the sum of the squared entries of the covariance, `mu` its
/// mean diagonal entry. The names `beta` and `delta` are the paper's.
fn ledoit_wolf(rows: Rows<'_>, mean: &[f64], squares: f64, mu: f64) -> f64 {
    let (n, width) = (rows.n as f64, rows.width as f64);
    let fourth: f64 = rows
        .iter()
        .map(|row| row.iter().zip(mean).map(|(&x, m)| (f64::from(x) - m).powi(2)).sum::<f64>().powi(2))
        .sum();
    let delta = squares / width - mu * mu; // distance of the covariance from its target
    let beta = (fourth / n - squares) / (n * width); // expected error of the covariance
    if delta > 0.0 { (beta / delta).clamp(0.0, 1.0) } else { 1.0 }
}

/// The squared length of a whitened row, each product summed in 8 lanes and then over the lanes.
///
/// Compiled for each instruction set; the lanes fix the summation order, so all of them give the same numbers.
struct Whitened<'a> {
    centred: &'a [f64],
    whitening: &'a [f64],
}

impl NullaryFnOnce for Whitened<'_> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let mut squared = 0.0;
        for (i, row) in self.whitening.chunks_exact(self.centred.len()).enumerate() {
            let (a, a_rest) = row[..=i].as_chunks::<8>();
            let (b, b_rest) = self.centred[..=i].as_chunks::<8>();
            let mut lanes = [0.0_f64; 8];
            for (a, b) in a.iter().zip(b) {
                for l in 0..8 {
                    lanes[l] += a[l] * b[l];
                }
            }
            for (lane, (a, b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
                *lane += a * b;
            }
            squared += lanes.iter().sum::<f64>().powi(2);
        }
        squared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::{check_near, golden};
    use crate::range::lit;

    fn plain() -> Shrinkage {
        Shrinkage::Fixed(lit!(Fraction, 0.0))
    }

    #[test]
    fn distances_and_shrinkage_are_those_of_scikit_learn() {
        let golden = &golden("gaussian")[0];
        let (x, n, width, new) = (golden.rows("x"), golden.count("n"), golden.count("width"), golden.rows("new"));
        let wolf = Gaussian::fit(&x, n, width, Shrinkage::LedoitWolf).unwrap();
        check_near(&[wolf.shrinkage], &[golden.number("shrinkage")], 1e-8);
        check_near(&wolf.squared_distance(&new), &golden.numbers("ledoit_wolf"), 1e-8);
        let unshrunk = Gaussian::fit(&x, n, width, plain()).unwrap();
        check_near(&unshrunk.squared_distance(&new), &golden.numbers("plain"), 1e-8);
    }

    #[test]
    fn a_row_scores_the_same_alone_and_among_others() {
        let golden = &golden("gaussian")[0];
        let x = golden.rows("x").repeat(5);
        let gaussian = Gaussian::fit(&x, 150, 4, Shrinkage::default()).unwrap();
        for (row, distance) in x.chunks_exact(4).zip(gaussian.squared_distance(&x)) {
            assert_eq!(gaussian.squared_distance(row), [distance]);
        }
    }

    #[test]
    fn columns_that_depend_on_each_other_get_a_ridge_and_equal_rows_the_identity() {
        let copies: Vec<f32> = (0..20).flat_map(|i| [i as f32, i as f32, 0.0]).collect();
        let gaussian = Gaussian::fit(&copies, 20, 3, plain()).unwrap();
        let distance = gaussian.squared_distance(&[9.5, 9.5, 0.0, 9.0, 10.0, 0.0]);
        assert!(distance[0] < 1e-6 && distance[1] > 1e3 && distance[1].is_finite(), "{distance:?}");
        for shrinkage in [plain(), Shrinkage::LedoitWolf] {
            let one = Gaussian::fit(&[1.0, 2.0], 1, 2, shrinkage).unwrap();
            assert_eq!(one.squared_distance(&[1.0, 4.0]), [4.0]);
        }
    }

    #[test]
    fn what_cannot_be_fitted_or_read_is_refused() {
        assert!(Gaussian::fit(&[f32::NAN], 1, 1, plain()).is_err());
        let gaussian = Gaussian::fit(&[1.0, 2.0, 4.0], 3, 1, plain()).unwrap();
        assert!(gaussian.clone().checked().is_ok());
        let refused = |gaussian: Gaussian| gaussian.checked().unwrap_err().to_string();
        let empty = Gaussian { whitening: vec![], ..gaussian.clone() };
        assert_eq!(refused(empty), "input: gaussian: expected a 1 x 1 matrix, got 0 numbers");
        let infinite = Gaussian { mean: vec![f64::INFINITY], ..gaussian };
        assert_eq!(refused(infinite), "input: gaussian: expected finite numbers, got others");
    }
}
