//! Exact nearest neighbours of rows in a reference set.
//!
//! Ramaswamy, Rastogi and Shim 2000, "Efficient algorithms for mining outliers from large data sets". Used on raw rows
//! as a baseline and on codes as the `neighbour` score. Brute force: trees are slower
//! beyond a dozen columns, and approximate search is least accurate for anomalies.
//!
//! Squared differences are summed directly, column by column. The shorter formula `|a|^2 + |b|^2 - 2ab`, a third of the
//! work for sixteen reference rows at once, loses all digits for near neighbours; with a bound of what it may have lost it
//! tells which rows can be among the nearest, and only these are measured directly.

use faer::traits::pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::random::Stream;
use super::rows::{Rows, scored};
use crate::error::{Error, Place, Result};

/// The default number of neighbours.
pub const DEFAULT_K: usize = 5;

/// Reference rows per panel.
pub(super) const LANES: usize = 16;
/// A column of so many rows.
pub(super) type Panel = [f32; LANES];
/// A squared distance and the index of its reference row.
pub(super) type Found = (f32, usize);

/// Rows that share one pass over a panel.
pub(super) const GROUP: usize = 8;
/// Rows per thread at a time.
pub(super) const TILE: usize = 32;

/// A reference set and the number of neighbours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbours {
    /// The reference rows, row-major, shape `[m, width]`.
    pub reference: Vec<f32>,
    /// Number of columns.
    pub width: usize,
    /// Rank of the neighbour whose distance is the score: 1 is the nearest; at most `m`.
    pub k: usize,
}

impl Neighbours {
    /// Keeps at most `cap` of the rows of `x` (shape `[n, width]`), drawn by `seed`, in their order.
    ///
    /// `k` is reduced to the number of rows kept.
    ///
    /// # Errors
    /// If the rows are empty, of a wrong length or not finite, or `k` or `cap` is 0.
    pub fn fit(x: &[f32], n: usize, width: usize, k: usize, cap: usize, seed: u64) -> Result<Neighbours> {
        Ok(Neighbours::fit_kept(x, n, width, k, cap, seed)?.0)
    }

    /// The same, with the numbers of the rows kept, in ascending order.
    pub(super) fn fit_kept(
        x: &[f32],
        n: usize,
        width: usize,
        k: usize,
        cap: usize,
        seed: u64,
    ) -> Result<(Neighbours, Vec<usize>)> {
        let rows = Rows::new(x, n, width)?;
        for (field, value) in [("k", k), ("cap", cap)] {
            if value == 0 {
                return Err(Error::recipe(format!("neighbours.{field}"), "expected at least 1, got 0"));
            }
        }
        let kept = Stream::new(seed, 0).sample(n, cap);
        let reference = kept.iter().flat_map(|&i| &rows.values[i * width..(i + 1) * width]).copied().collect();
        Ok((Neighbours { reference, width, k: k.min(kept.len()) }, kept))
    }

    /// Validates neighbours read from a file.
    ///
    /// # Errors
    /// If lengths do not agree, numbers are not finite, or `k` is out of range.
    pub fn checked(self) -> Result<Neighbours> {
        let m = self.reference.len().checked_div(self.width).unwrap_or(0);
        Rows::new(&self.reference, m, self.width)?;
        if !(1..=m).contains(&self.k) {
            let message = format!("neighbours: expected k from 1 to the {m} reference rows, got {}", self.k);
            return Err(Error::data(Place::default(), message));
        }
        Ok(self)
    }

    /// Number of reference rows.
    pub fn n_references(&self) -> usize {
        self.reference.len() / self.width
    }

    /// The Euclidean distance of every row of `x` to its `k`-th nearest reference row, shape `[rows]`.
    ///
    /// A row that is in the reference set is its own nearest neighbour, at distance 0.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn distance(&self, x: &[f32]) -> Vec<f64> {
        let worst = |found: &Vec<Found>| found.last().map_or(f64::NAN, |(squared, _)| f64::from(*squared).sqrt());
        self.found(x).iter().map(worst).collect()
    }

    /// The indices of the `k` nearest reference rows, nearest first; ties by index.
    ///
    /// # Panics
    /// If `row` is not one row.
    pub fn nearest(&self, row: &[f32]) -> Vec<usize> {
        assert_eq!(row.len(), self.width, "one row is expected");
        self.found(row).into_iter().flatten().map(|(_, index)| index).collect()
    }

    /// Squared distances and indices of the `k` nearest reference rows of every row of `x`, nearest first.
    pub(super) fn found(&self, x: &[f32]) -> Vec<Vec<Found>> {
        let rows: Vec<&[f32]> = scored(x, self.width).collect();
        let panels = in_panels(&self.reference, self.width, LANES, 0.0);
        let squares: Vec<f32> = self.reference.chunks_exact(self.width).map(squared_norm).collect();
        let squares = in_panels(&squares, 1, LANES, f32::INFINITY);
        let tile = |rows: &[&[f32]]| {
            let search = NeighbourSearch { neighbours: self, rows, panels: &panels, squares: &squares };
            Arch::new().dispatch(search)
        };
        rows.par_chunks(TILE).flat_map_iter(tile).collect()
    }
}

fn squared_norm(row: &[f32]) -> f32 {
    row.iter().map(|x| x * x).sum()
}

/// Rows in panels of `size` of at most [`LANES`], column-major: `width` panels after each other. Lanes without a row are
/// `empty`.
pub(super) fn in_panels(rows: &[f32], width: usize, size: usize, empty: f32) -> Vec<Panel> {
    let mut panels = Vec::with_capacity((rows.len() / width).div_ceil(size) * width);
    for block in rows.chunks(size * width) {
        let column = |j: usize| {
            let mut lanes = [empty; LANES];
            lanes.iter_mut().zip(block.chunks_exact(width)).for_each(|(lane, row)| *lane = row[j]);
            lanes
        };
        panels.extend((0..width).map(column));
    }
    panels
}

/// The search for one tile of rows, compiled for each instruction set.
///
/// A squared difference is multiplied and then added, never fused, so that the numbers are the same on all of them.
struct NeighbourSearch<'a> {
    neighbours: &'a Neighbours,
    rows: &'a [&'a [f32]],
    panels: &'a [Panel],
    /// The squared norms of the rows of each panel.
    squares: &'a [Panel],
}

impl WithSimd for NeighbourSearch<'_> {
    type Output = Vec<Vec<Found>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Vec<Found>> {
        let Neighbours { width, k, .. } = *self.neighbours;
        let mut bounds: Vec<RowBounds> = self.rows.iter().map(|row| RowBounds::new(row, self.squares.len())).collect();
        for (panel, squares) in self.panels.chunks_exact(width).zip(self.squares) {
            for (rows, bounds) in self.rows.chunks(GROUP).zip(bounds.chunks_mut(GROUP)) {
                let products = products(simd, grouped(rows), panel);
                bounds.iter_mut().zip(&products).for_each(|(bounds, products)| bounds.push(products, squares));
            }
        }
        let reference = &self.neighbours.reference;
        self.rows.iter().zip(bounds).map(|(row, bounds)| bounds.nearest(k, row, reference)).collect()
    }
}

/// The rows of a group. A short one repeats its last row; results of the repeats are dropped.
#[inline(always)]
pub(super) fn grouped<'a>(rows: &[&'a [f32]]) -> [&'a [f32]; GROUP] {
    let mut group = [rows[rows.len() - 1]; GROUP];
    group[..rows.len()].copy_from_slice(rows);
    group
}

/// The products of rows with the rows of a panel.
#[inline(always)]
fn products<S: Simd>(simd: S, rows: [&[f32]; GROUP], panel: &[Panel]) -> [Panel; GROUP] {
    sums(simd, rows, panel, |x, reference, sum| simd.mul_add_f32s(x, reference, sum))
}

/// The squared distances of rows to the rows of a panel.
#[inline(always)]
pub(super) fn squared_distances<S: Simd>(simd: S, rows: [&[f32]; GROUP], panel: &[Panel]) -> [Panel; GROUP] {
    sums(simd, rows, panel, |x, reference, sum| {
        let difference = simd.sub_f32s(x, reference);
        simd.add_f32s(sum, simd.mul_f32s(difference, difference))
    })
}

/// Sums over columns: `add` adds to a sum what a column gives.
#[inline(always)]
fn sums<S: Simd>(
    simd: S,
    rows: [&[f32]; GROUP],
    panel: &[Panel],
    add: impl Fn(S::f32s, S::f32s, S::f32s) -> S::f32s,
) -> [Panel; GROUP] {
    let width = panel.len();
    let rows = rows.map(|row| &row[..width]);
    let mut all = [[0.0_f32; LANES]; GROUP];
    // As many lanes at a time as the registers hold: 4, 8 or 16, or one by one.
    for from in (0..LANES).step_by(S::F32_LANES) {
        let mut sums = [simd.splat_f32s(0.0); GROUP];
        for (j, lanes) in panel.iter().enumerate() {
            let reference = S::as_simd_f32s(&lanes[from..from + S::F32_LANES]).0[0];
            for (row, sum) in rows.iter().zip(&mut sums) {
                *sum = add(simd.splat_f32s(row[j]), reference, *sum);
            }
        }
        for (sum, all) in sums.iter().zip(&mut all) {
            S::as_mut_simd_f32s(&mut all[from..from + S::F32_LANES]).0[0] = *sum;
        }
    }
    all
}

/// Bounds on the squared distances of one row to all reference rows.
struct RowBounds {
    /// The row's squared norm.
    square: f32,
    /// What may be lost of a sum of squared norms.
    error: f32,
    lowest: Vec<Panel>,
    /// The least upper bound of each lane over [`LANES`] panels.
    least: Vec<Panel>,
}

impl RowBounds {
    fn new(row: &[f32], n_panels: usize) -> RowBounds {
        // Two norms, twice a product of at most their mean, and the distance itself of at most twice their sum, each with
        // an error of at most one rounding for every column and operation.
        let error = 2.0 * (row.len() as f32 + 4.0) * f32::EPSILON;
        let least = vec![[f32::INFINITY; LANES]; n_panels.div_ceil(LANES)];
        RowBounds { square: squared_norm(row), error, lowest: Vec::with_capacity(n_panels), least }
    }

    #[inline(always)]
    fn push(&mut self, products: &Panel, squares: &Panel) {
        let least = &mut self.least[self.lowest.len() / LANES];
        let mut lowest = [0.0; LANES];
        for (lane, low) in lowest.iter_mut().enumerate() {
            let both = self.square + squares[lane];
            *low = both * (1.0 - self.error) - 2.0 * products[lane];
            let high = both * (1.0 + self.error) - 2.0 * products[lane];
            least[lane] = if high < least[lane] { high } else { least[lane] };
        }
        self.lowest.push(lowest);
    }

    /// The `k` nearest reference rows, nearest first; ties by index.
    #[inline(always)]
    fn nearest(self, k: usize, row: &[f32], reference: &[f32]) -> Vec<Found> {
        let n = reference.len() / row.len();
        // Each of these is of another row, so that `k` rows are no farther than the `k`-th of them.
        let mut least: Vec<f32> = self.least.into_iter().flatten().collect();
        let bound =
            if k <= least.len() { *least.select_nth_unstable_by(k - 1, f32::total_cmp).1 } else { f32::INFINITY };
        let mut found = Vec::with_capacity(2 * k);
        for (p, lowest) in self.lowest.iter().enumerate() {
            // NaN, of a row that is not a number, is as near as any.
            let can_be_near = |low: &f32| *low <= bound || low.is_nan();
            if lowest.iter().fold(false, |any, low| any | can_be_near(low)) {
                let near = (p * LANES..n).zip(lowest).filter(|(_, low)| can_be_near(low));
                found.extend(near.map(|(index, _)| (squared_distance(row, &reference[index * row.len()..]), index)));
            }
        }
        found.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        found.truncate(k);
        found
    }
}

/// The squared distance of a row to the first of some rows, summed as [`squared_distances`] sums.
fn squared_distance(row: &[f32], rows: &[f32]) -> f32 {
    row.iter().zip(rows).map(|(x, y)| (x - y) * (x - y)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::{check_near, golden};

    fn fitted() -> (Neighbours, Vec<f32>) {
        let golden = &golden("neighbours")[0];
        let (reference, width) = (golden.rows("reference"), golden.count("width"));
        let n = reference.len() / width;
        (Neighbours::fit(&reference, n, width, golden.count("k"), usize::MAX, 0).unwrap(), golden.rows("queries"))
    }

    #[test]
    fn distances_and_neighbours_are_those_of_scikit_learn() {
        let golden = &golden("neighbours")[0];
        let (neighbours, queries) = fitted();
        // Squares are summed in single precision.
        check_near(&neighbours.distance(&queries), &golden.numbers("distances"), 1e-6);
        let indices = queries.chunks_exact(neighbours.width).flat_map(|row| neighbours.nearest(row));
        check_near(&indices.map(|i| i as f64).collect::<Vec<_>>(), &golden.numbers("indices"), 0.0);
    }

    #[test]
    fn all_nearest_are_found_whatever_the_bounds_lose() {
        let mut stream = Stream::new(7, 0);
        // Clusters as narrow as rounding makes them, near to and far from zero, and rows of any size.
        for (width, size, spread) in [(1, 1e3, 1e-4), (3, 30.0, 1e-3), (29, 1.0, 1.0), (200, 100.0, 0.01)] {
            let mut value = |i: usize| (size * (i % 7) as f64 + spread * stream.normal()) as f32;
            let reference: Vec<f32> = (0..700).flat_map(|i| vec![i; width]).map(&mut value).collect();
            let x: Vec<f32> = (0..40).flat_map(|i| vec![i; width]).map(&mut value).collect();
            let neighbours = Neighbours::fit(&reference, 700, width, 6, usize::MAX, 0).unwrap();
            for (row, found) in x.chunks_exact(width).zip(neighbours.found(&x)) {
                let distance = |(i, other)| (squared_distance(row, other), i);
                let mut all: Vec<Found> = reference.chunks_exact(width).enumerate().map(distance).collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                assert_eq!(found, all[..6], "{width}");
            }
        }
    }

    #[test]
    fn a_row_scores_the_same_alone_and_among_others() {
        let (neighbours, queries) = fitted();
        let many = queries.repeat(13);
        for (row, distance) in many.chunks_exact(neighbours.width).zip(neighbours.distance(&many)) {
            assert_eq!(neighbours.distance(row), [distance]);
        }
    }

    #[test]
    fn equals_are_told_in_order_and_k_is_at_most_the_reference() {
        let neighbours = Neighbours::fit(&[1.0, 3.0, 1.0], 3, 1, 9, 9, 0).unwrap();
        assert_eq!((neighbours.k, neighbours.nearest(&[1.0])), (3, vec![0, 2, 1]));
        assert_eq!(neighbours.distance(&[0.0]), [3.0]);
        assert_eq!(neighbours.nearest(&[f32::NAN]).len(), 3);
        assert!(neighbours.distance(&[f32::NAN])[0].is_nan());
    }

    #[test]
    fn near_neighbours_far_from_zero_keep_their_digits() {
        let neighbours = Neighbours::fit(&[10_000.0, 20_000.0], 2, 1, 1, 9, 0).unwrap();
        assert_eq!(neighbours.distance(&[10_000.01]), [f64::from(10_000.01_f32 - 10_000.0)]);
    }

    #[test]
    fn a_cap_keeps_rows_in_order_by_seed() {
        let x: Vec<f32> = (0..100).map(|i| i as f32).collect();
        let kept = |seed| Neighbours::fit(&x, 100, 1, 1, 10, seed).unwrap().reference;
        assert_eq!((kept(1).len(), kept(1)), (10, kept(1)));
        assert!(kept(1) != kept(2) && kept(1).is_sorted());
    }

    #[test]
    fn what_cannot_be_fitted_or_read_is_refused() {
        let refused = |k, cap| Neighbours::fit(&[1.0], 1, 1, k, cap, 0).unwrap_err().to_string();
        assert_eq!(refused(0, 1), "neighbours.k: expected at least 1, got 0");
        assert_eq!(refused(1, 0), "neighbours.cap: expected at least 1, got 0");
        let (neighbours, _) = fitted();
        assert!(neighbours.clone().checked().is_ok());
        let message = Neighbours { k: 61, ..neighbours.clone() }.checked().unwrap_err().to_string();
        assert_eq!(message, "input: neighbours: expected k from 1 to the 60 reference rows, got 61");
        assert!(Neighbours { width: 0, ..neighbours.clone() }.checked().is_err());
        assert!(Neighbours { width: 7, ..neighbours }.checked().is_err());
    }
}
