//! Principal component analysis: the optimal linear autoencoder, and the baseline reported with every model.
//!
//! Pearson 1901; Hotelling 1933. A row's error is the mean squared difference from its projection on the first `k`
//! axes. Fitting is in double precision, scoring in single precision with a fixed summation order, so that a row's
//! error is independent of other rows.

use faer::traits::pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::principal_axes::principal_axes;
use super::rows::{Rows, scored};
use crate::error::{Error, Place, Result};
use crate::range::Rate;

/// Number of components to keep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Components {
    /// This number, at least 1; fewer if the rows have a lower rank.
    Count(usize),
    /// The smallest number that explains this share of the variance.
    Variance(Rate),
}

/// A fitted PCA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pca {
    /// The mean of every column, shape `[width]`.
    pub mean: Vec<f32>,
    /// Unit axes by descending variance, row-major, shape `[k, width]`; in each the largest entry is positive.
    pub components: Vec<f32>,
    /// The variance along each axis, shape `[k]`.
    pub explained_variance: Vec<f64>,
    /// Total variance of all columns.
    pub total_variance: f64,
}

/// Rows per thread at a time.
const TILE: usize = 64;

impl Pca {
    /// Fits on `x`, row-major, shape `[n, width]`.
    ///
    /// `seed` matters only if both `n` and `width` exceed 2000: the axes are then found by randomised iteration.
    ///
    /// # Errors
    /// If the rows are empty, of a wrong length or not finite, or the number of components is 0.
    pub fn fit(x: &[f32], n: usize, width: usize, components: Components, seed: u64) -> Result<Pca> {
        if components == Components::Count(0) {
            return Err(Error::recipe("components", "expected at least 1 component, got 0"));
        }
        let rows = Rows::new(x, n, width)?;
        let mean = rows.mean();
        let axes = principal_axes(rows, &mean, components, seed)?;
        Ok(Pca {
            mean: mean.iter().map(|&m| m as f32).collect(),
            components: axes.vectors.iter().map(|&v| v as f32).collect(),
            explained_variance: axes.variances,
            total_variance: axes.total,
        })
    }

    /// Validates a PCA read from a file.
    ///
    /// # Errors
    /// If lengths do not agree, or numbers are not finite.
    pub fn checked(self) -> Result<Pca> {
        let (width, k) = (self.mean.len(), self.n_components());
        let fits = width > 0 && k.checked_mul(width) == Some(self.components.len());
        if !fits {
            let got = self.components.len();
            let message = format!("pca: expected {k} components of {width} numbers, got {got} numbers");
            return Err(Error::data(Place::default(), message));
        }
        if !self.mean.iter().chain(&self.components).all(|value| value.is_finite()) {
            return Err(Error::data(Place::default(), "pca: expected finite numbers, got others"));
        }
        Ok(self)
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.mean.len()
    }

    /// Number of components; 0 if all rows were equal.
    pub fn n_components(&self) -> usize {
        self.explained_variance.len()
    }

    /// The same with at most the first `k` components.
    pub fn first(&self, k: usize) -> Pca {
        let k = k.min(self.n_components());
        Pca {
            components: self.components[..k * self.width()].to_vec(),
            explained_variance: self.explained_variance[..k].to_vec(),
            ..self.clone()
        }
    }

    /// The explained variance ratio of the kept components; 1 if there was no variance.
    pub fn explained_share(&self) -> f64 {
        if self.total_variance > 0.0 { self.explained_variance.iter().sum::<f64>() / self.total_variance } else { 1.0 }
    }

    /// The mean squared error of every row, shape `[rows]`.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn error(&self, x: &[f32]) -> Vec<f64> {
        let mut errors = vec![0.0; scored(x, self.width()).len()];
        errors.par_chunks_mut(TILE).zip(x.par_chunks(TILE * self.width())).for_each(|(errors, x)| {
            let (mut code, mut rebuilt) = (vec![0.0; self.n_components()], vec![0.0; self.width()]);
            for (row, error) in x.chunks_exact(self.width()).zip(errors) {
                self.encode_row(row, &mut rebuilt, &mut code);
                self.decode_row(&code, &mut rebuilt);
                let squares = row.iter().zip(&rebuilt).map(|(a, b)| f64::from(a - b).powi(2));
                *error = squares.sum::<f64>() / self.width() as f64;
            }
        });
        errors
    }

    /// The code of every row, row-major, shape `[rows, k]`.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn encode(&self, x: &[f32]) -> Vec<f32> {
        let k = self.n_components();
        let mut codes = vec![0.0; scored(x, self.width()).len() * k];
        // Without components there are no codes, and chunks of length 0 would panic.
        let tile = TILE * k.max(1);
        codes.par_chunks_mut(tile).zip(x.par_chunks(TILE * self.width())).for_each(|(codes, x)| {
            let mut centred = vec![0.0; self.width()];
            for (row, code) in x.chunks_exact(self.width()).zip(codes.chunks_exact_mut(k)) {
                self.encode_row(row, &mut centred, code);
            }
        });
        codes
    }

    /// The reconstructed rows, row-major, shape `[rows, width]`; without components, the mean.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn rebuilt(&self, x: &[f32]) -> Vec<f32> {
        match self.n_components() {
            0 => scored(x, self.width()).flat_map(|_| self.mean.iter().copied()).collect(),
            _ => self.decode(&self.encode(x)),
        }
    }

    /// The rows reconstructed from codes of shape `[rows, k]`, row-major, shape `[rows, width]`.
    ///
    /// # Panics
    /// If `codes` is not a whole number of codes, or if there are no components.
    pub fn decode(&self, codes: &[f32]) -> Vec<f32> {
        let k = self.n_components();
        let mut rows = vec![0.0; scored(codes, k).len() * self.width()];
        rows.par_chunks_mut(TILE * self.width()).zip(codes.par_chunks(TILE * k)).for_each(|(rows, codes)| {
            for (row, code) in rows.chunks_exact_mut(self.width()).zip(codes.chunks_exact(k)) {
                self.decode_row(code, row);
            }
        });
        rows
    }

    fn encode_row(&self, row: &[f32], centred: &mut [f32], code: &mut [f32]) {
        centred.iter_mut().zip(row).zip(&self.mean).for_each(|((c, x), m)| *c = x - m);
        Arch::new().dispatch(Project { centred, axes: &self.components, code });
    }

    fn decode_row(&self, code: &[f32], row: &mut [f32]) {
        row.copy_from_slice(&self.mean);
        Arch::new().dispatch(Rebuild { code, axes: &self.components, row });
    }
}

/// The product of a row with every axis, summed in 16 lanes and then over the lanes.
///
/// Compiled for each instruction set; the lanes fix the summation order, so all of them give the same numbers.
struct Project<'a> {
    centred: &'a [f32],
    axes: &'a [f32],
    code: &'a mut [f32],
}

impl NullaryFnOnce for Project<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (row, row_rest) = self.centred.as_chunks::<16>();
        for (z, axis) in self.code.iter_mut().zip(self.axes.chunks_exact(self.centred.len())) {
            let (axis, axis_rest) = axis.as_chunks::<16>();
            let mut lanes = [0.0_f32; 16];
            for (x, a) in row.iter().zip(axis) {
                for l in 0..16 {
                    lanes[l] += x[l] * a[l];
                }
            }
            for (lane, (x, a)) in lanes.iter_mut().zip(row_rest.iter().zip(axis_rest)) {
                *lane += x * a;
            }
            *z = lanes.iter().sum();
        }
    }
}

/// Adds every axis to a row, weighted by the code.
struct Rebuild<'a> {
    code: &'a [f32],
    axes: &'a [f32],
    row: &'a mut [f32],
}

impl NullaryFnOnce for Rebuild<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (z, axis) in self.code.iter().zip(self.axes.chunks_exact(self.row.len())) {
            for (x, a) in self.row.iter_mut().zip(axis) {
                *x += z * a;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::{check_near, golden};
    use crate::range::lit;

    /// Codes and errors are summed in single precision.
    const SINGLE: f64 = 1e-5;

    fn wide(x: &[f32]) -> Vec<f64> {
        x.iter().map(|&v| f64::from(v)).collect()
    }

    #[test]
    fn axes_codes_and_errors_are_those_of_scikit_learn() {
        for golden in golden("pcas") {
            let (n, width, k) = (golden.count("n"), golden.count("width"), golden.count("k"));
            let pca = Pca::fit(&golden.rows("x"), n, width, Components::Count(k), 0).unwrap();
            check_near(&pca.explained_variance, &golden.numbers("explained_variance"), 1e-8);
            check_near(&[pca.explained_share()], &[golden.number("explained_share")], 1e-8);
            check_near(&wide(&pca.components), &golden.numbers("components"), SINGLE);
            let new = golden.rows("new");
            check_near(&wide(&pca.encode(&new)), &golden.numbers("codes"), SINGLE);
            check_near(&pca.error(&new), &golden.numbers("error"), SINGLE);
        }
    }

    #[test]
    fn a_row_scores_the_same_alone_and_among_others() {
        let golden = &golden("pcas")[1];
        let (n, width) = (golden.count("n"), golden.count("width"));
        let x = golden.rows("x").repeat(40);
        let pca = Pca::fit(&x, 40 * n, width, Components::Variance(lit!(Rate, 0.9)), 0).unwrap();
        let together = pca.error(&x);
        for (row, error) in x.chunks_exact(width).zip(&together) {
            assert_eq!(pca.error(row), [*error]);
        }
        assert_eq!(pca, Pca::fit(&x, 40 * n, width, Components::Variance(lit!(Rate, 0.9)), 0).unwrap());
    }

    #[test]
    fn all_components_rebuild_the_rows() {
        let golden = &golden("pcas")[0];
        let (x, n, width) = (golden.rows("x"), golden.count("n"), golden.count("width"));
        let pca = Pca::fit(&x, n, width, Components::Count(999), 0).unwrap();
        assert_eq!(pca.n_components(), width);
        check_near(&wide(&pca.decode(&pca.encode(&x))), &wide(&x), SINGLE);
    }

    #[test]
    fn the_first_components_are_those_of_a_smaller_fit() {
        let golden = &golden("pcas")[0];
        let (x, n, width) = (golden.rows("x"), golden.count("n"), golden.count("width"));
        let fit = |k| Pca::fit(&x, n, width, Components::Count(k), 0).unwrap();
        assert_eq!(fit(width).first(2), fit(2));
        assert_eq!(fit(2).first(9), fit(2));
    }

    #[test]
    fn equal_rows_and_a_single_row_have_no_components_and_no_error() {
        for n in [1, 3] {
            let pca = Pca::fit(&[1.0, -2.0].repeat(n), n, 2, Components::Count(2), 0).unwrap();
            assert_eq!((pca.n_components(), pca.explained_share()), (0, 1.0));
            assert_eq!(pca.error(&[1.0, -2.0, 1.0, 0.0]), [0.0, 2.0]);
            assert!(pca.encode(&[1.0, -2.0]).is_empty());
            assert!(pca.checked().is_ok());
        }
    }

    #[test]
    fn what_cannot_be_fitted_or_read_is_refused() {
        let error = Pca::fit(&[1.0], 1, 1, Components::Count(0), 0).unwrap_err();
        assert_eq!(error.to_string(), "components: expected at least 1 component, got 0");
        assert!(Pca::fit(&[1.0, f32::NAN], 2, 1, Components::Count(1), 0).is_err());
        let pca = Pca::fit(&[1.0, 2.0, 3.0, 5.0], 2, 2, Components::Count(1), 0).unwrap();
        let short = Pca { components: vec![1.0], ..pca.clone() };
        let message = "input: pca: expected 1 components of 2 numbers, got 1 numbers";
        assert_eq!(short.checked().unwrap_err().to_string(), message);
        let infinite = Pca { mean: vec![0.0, f32::INFINITY], ..pca.clone() };
        assert_eq!(infinite.checked().unwrap_err().to_string(), "input: pca: expected finite numbers, got others");
        let json = serde_json::to_string(&pca).unwrap();
        assert_eq!(serde_json::from_str::<Pca>(&json).unwrap(), pca);
    }

    #[test]
    fn equal_rows_are_rebuilt_by_their_mean() {
        let x = [1.0, 2.0].repeat(5);
        let pca = Pca::fit(&x, 5, 2, Components::Count(1), 0).unwrap();
        assert_eq!((pca.n_components(), pca.rebuilt(&x)), (0, x));
    }
}
