//! Principal component analysis: the best linear autoencoder, and so the baseline that is always printed beside ours.
//!
//! Pearson 1901; Hotelling 1933. A row's error is the mean squared difference from its projection on the first `k`
//! axes. Fitting is in double precision, scoring in single precision with a fixed order of sums, so that a row's
//! error depends on no other row.

use faer::traits::pulp::Arch;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::principal_axes::principal_axes;
use super::rows::{Rows, scored};
use crate::error::{Error, Place, Result};
use crate::range::Rate;

/// How many components to keep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Components {
    /// So many, at least 1; fewer where the rows span fewer directions.
    Count(usize),
    /// The fewest that explain this share of the variance.
    Variance(Rate),
}

/// A fitted PCA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pca {
    /// The mean of every column, shape `[width]`.
    pub mean: Vec<f32>,
    /// Unit axes, the strongest first, row-major, shape `[k, width]`; in each the largest entry is positive.
    pub components: Vec<f32>,
    /// The variance along each axis, shape `[k]`.
    pub explained_variance: Vec<f64>,
    /// The variance of all columns together.
    pub total_variance: f64,
}

/// Rows given to a thread at a time.
const TILE: usize = 64;

impl Pca {
    /// Fits on `x`, row-major, shape `[n, width]`.
    ///
    /// `seed` matters only where both `n` and `width` exceed 2000: the axes are then found by seeded iteration.
    ///
    /// # Errors
    /// Rows that are empty, of a wrong length or not finite; a count of 0 components.
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

    /// The same PCA, if its parts fit together: to be called on what a file brought.
    ///
    /// # Errors
    /// Lengths that do not agree, or numbers that are not finite.
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

    /// How many columns a row has.
    pub fn width(&self) -> usize {
        self.mean.len()
    }

    /// How many components were kept; 0 where all rows were equal.
    pub fn n_components(&self) -> usize {
        self.explained_variance.len()
    }

    /// The share of the variance that the kept components explain; 1 where there was none to explain.
    pub fn explained_share(&self) -> f64 {
        if self.total_variance > 0.0 { self.explained_variance.iter().sum::<f64>() / self.total_variance } else { 1.0 }
    }

    /// The mean squared error of every row, shape `[rows]`.
    ///
    /// # Panics
    /// If `x` is not whole rows.
    pub fn error(&self, x: &[f32]) -> Vec<f64> {
        self.per_row(x, 1, |row, code, rebuilt, out| {
            self.encode_row(row, code);
            self.decode_row(code, rebuilt);
            out[0] =
                row.iter().zip(rebuilt.iter()).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / row.len() as f64;
        })
    }

    /// The code of every row, row-major, shape `[rows, k]`.
    ///
    /// # Panics
    /// If `x` is not whole rows.
    pub fn encode(&self, x: &[f32]) -> Vec<f32> {
        self.per_row(x, self.n_components(), |row, _, _, out| self.encode_row(row, out))
    }

    /// The rows rebuilt from codes of shape `[rows, k]`, row-major, shape `[rows, width]`.
    ///
    /// # Panics
    /// If `codes` is not whole codes, or if there are no components and so no telling how many rows.
    pub fn decode(&self, codes: &[f32]) -> Vec<f32> {
        let mut rows = vec![0.0; codes.len() / self.n_components().max(1) * self.width()];
        let codes = scored(codes, self.n_components());
        rows.par_chunks_mut(self.width()).zip(codes.collect::<Vec<_>>()).for_each(|(row, code)| {
            Arch::new().dispatch(|| self.decode_row(code, row));
        });
        rows
    }

    /// Calls `make(row, code scratch, row scratch, out)` for every row, `out` of `width_out` numbers.
    fn per_row<T: Default + Clone + Send>(
        &self,
        x: &[f32],
        width_out: usize,
        make: impl Fn(&[f32], &mut [f32], &mut [f32], &mut [T]) + Sync,
    ) -> Vec<T> {
        let n = scored(x, self.width()).len();
        let mut out = vec![T::default(); n * width_out];
        if width_out == 0 {
            return out;
        }
        let tiles = out.par_chunks_mut(TILE * width_out).zip(x.par_chunks(TILE * self.width()));
        tiles.for_each(|(out, x)| {
            let (mut code, mut rebuilt) = (vec![0.0; self.n_components()], vec![0.0; self.width()]);
            // Without this the loops below are compiled for the oldest processor. The order of the sums is fixed by
            // their lanes, so the numbers are the same on every processor.
            Arch::new().dispatch(|| {
                for (row, out) in x.chunks_exact(self.width()).zip(out.chunks_exact_mut(width_out)) {
                    make(row, &mut code, &mut rebuilt, out);
                }
            });
        });
        out
    }

    #[inline(always)]
    fn encode_row(&self, row: &[f32], code: &mut [f32]) {
        for (z, axis) in code.iter_mut().zip(self.components.chunks_exact(self.width())) {
            *z = centred_dot(row, &self.mean, axis);
        }
    }

    #[inline(always)]
    fn decode_row(&self, code: &[f32], row: &mut [f32]) {
        row.copy_from_slice(&self.mean);
        for (z, axis) in code.iter().zip(self.components.chunks_exact(self.width())) {
            row.iter_mut().zip(axis).for_each(|(x, a)| *x += z * a);
        }
    }
}

/// The product of `row - mean` with `axis`, summed in 16 lanes and then over the lanes.
#[inline(always)]
fn centred_dot(row: &[f32], mean: &[f32], axis: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let (rows, row_rest) = row.as_chunks::<16>();
    let (means, mean_rest) = mean.as_chunks::<16>();
    let (axes, axis_rest) = axis.as_chunks::<16>();
    for ((x, m), a) in rows.iter().zip(means).zip(axes) {
        for l in 0..16 {
            lanes[l] += (x[l] - m[l]) * a[l];
        }
    }
    for (l, ((x, m), a)) in row_rest.iter().zip(mean_rest).zip(axis_rest).enumerate() {
        lanes[l] += (x - m) * a;
    }
    lanes.iter().sum()
}
