//! Exact nearest neighbours: how far a row lies from the `k`-th nearest row of a reference set.
//!
//! Ramaswamy, Rastogi and Shim 2000, "Efficient algorithms for mining outliers from large data sets". Used on raw rows
//! as a baseline and on codes as the `neighbour` score. Every pair is looked at: no tree, because trees lose to brute
//! force beyond a dozen columns, and nothing approximate, because an anomaly is just what an approximation misses.
//!
//! The squared differences themselves are summed, column after column, sixteen reference rows side by side. The
//! shorter formula `|a|^2 + |b|^2 - 2ab` loses all digits for near neighbours, and near neighbours are what we want.

use faer::traits::pulp::Arch;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::random::Stream;
use super::rows::{Rows, scored};
use crate::error::{Error, Place, Result};

/// The usual number of neighbours.
pub const DEFAULT_K: usize = 5;

/// Reference rows side by side in a panel.
const LANES: usize = 16;
/// Rows that share one reading of a panel.
const QUAD: usize = 4;
/// Rows given to a thread at a time.
const TILE: usize = 32;

/// A reference set and the number of neighbours that count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbours {
    /// The reference rows, row-major, shape `[m, width]`.
    pub reference: Vec<f32>,
    /// How many columns a row has.
    pub width: usize,
    /// Which neighbour's distance is the score: 1 is the nearest; at most `m`.
    pub k: usize,
}

impl Neighbours {
    /// Keeps at most `cap` of the rows of `x` (shape `[n, width]`), drawn by `seed`, in their order.
    ///
    /// A `k` above the number of rows kept becomes that number.
    ///
    /// # Errors
    /// Rows that are empty, of a wrong length or not finite; `k` or `cap` of 0.
    pub fn fit(x: &[f32], n: usize, width: usize, k: usize, cap: usize, seed: u64) -> Result<Neighbours> {
        let rows = Rows::new(x, n, width)?;
        for (field, value) in [("k", k), ("cap", cap)] {
            if value == 0 {
                return Err(Error::recipe(format!("neighbours.{field}"), "expected at least 1, got 0"));
            }
        }
        let kept = Stream::new(seed, 0).sample(n, cap);
        let reference = kept.iter().flat_map(|&i| &rows.values[i * width..(i + 1) * width]).copied().collect();
        Ok(Neighbours { reference, width, k: k.min(kept.len()) })
    }

    /// The same neighbours, if the parts fit together: to be called on what a file brought.
    ///
    /// # Errors
    /// Lengths that do not agree, numbers that are not finite, or a `k` out of range.
    pub fn checked(self) -> Result<Neighbours> {
        let m = self.reference.len().checked_div(self.width).unwrap_or(0);
        Rows::new(&self.reference, m, self.width)?;
        if !(1..=m).contains(&self.k) {
            let message = format!("neighbours: expected k from 1 to the {m} reference rows, got {}", self.k);
            return Err(Error::data(Place::default(), message));
        }
        Ok(self)
    }

    /// How many reference rows there are.
    pub fn n_references(&self) -> usize {
        self.reference.len() / self.width
    }

    /// The Euclidean distance of every row of `x` to its `k`-th nearest reference row, shape `[rows]`.
    ///
    /// A row that is itself in the reference set counts as its own nearest neighbour, at distance 0.
    ///
    /// # Panics
    /// If `x` is not whole rows.
    pub fn distance(&self, x: &[f32]) -> Vec<f64> {
        let worst =
            |nearest: &Nearest| nearest.found.last().map_or(f64::NAN, |(squared, _)| f64::from(*squared).sqrt());
        self.search(x).iter().map(worst).collect()
    }

    /// The indices of the `k` nearest reference rows, the nearest first; of equals, the earlier first.
    ///
    /// # Panics
    /// If `row` is not one row.
    pub fn nearest(&self, row: &[f32]) -> Vec<usize> {
        assert_eq!(row.len(), self.width, "one row is expected");
        self.search(row).iter().flat_map(|nearest| &nearest.found).map(|&(_, index)| index).collect()
    }

    fn search(&self, x: &[f32]) -> Vec<Nearest> {
        let rows: Vec<&[f32]> = scored(x, self.width).collect();
        let panels = self.panels();
        let tile = |rows: &[&[f32]]| Arch::new().dispatch(|| self.search_tile(rows, &panels));
        rows.par_chunks(TILE).flat_map_iter(tile).collect()
    }

    /// The reference rows, [`LANES`] at a time, column after column; the last panel is filled up with infinity.
    fn panels(&self) -> Vec<[f32; LANES]> {
        let mut panels = Vec::with_capacity(self.n_references().div_ceil(LANES) * self.width);
        for block in self.reference.chunks(LANES * self.width) {
            let column = |j: usize| {
                let mut lanes = [f32::INFINITY; LANES];
                lanes.iter_mut().zip(block.chunks_exact(self.width)).for_each(|(lane, row)| *lane = row[j]);
                lanes
            };
            panels.extend((0..self.width).map(column));
        }
        panels
    }

    #[inline(always)]
    fn search_tile(&self, rows: &[&[f32]], panels: &[[f32; LANES]]) -> Vec<Nearest> {
        let mut nearest: Vec<Nearest> = rows.iter().map(|_| Nearest::new(self.k)).collect();
        for (p, panel) in panels.chunks_exact(self.width).enumerate() {
            for (rows, nearest) in rows.chunks(QUAD).zip(nearest.chunks_mut(QUAD)) {
                // A short quad repeats its last row; what is computed for the repeat is dropped.
                let quad: [&[f32]; QUAD] = std::array::from_fn(|q| rows[q.min(rows.len() - 1)]);
                let squared = squared_distances(quad, panel);
                let real = LANES.min(self.n_references() - p * LANES);
                for (nearest, lanes) in nearest.iter_mut().zip(&squared) {
                    nearest.offer(p * LANES, &lanes[..real]);
                }
            }
        }
        nearest
    }
}

#[inline(always)]
fn squared_distances(rows: [&[f32]; QUAD], panel: &[[f32; LANES]]) -> [[f32; LANES]; QUAD] {
    let rows = rows.map(|row| &row[..panel.len()]);
    let mut sums = [[0.0_f32; LANES]; QUAD];
    for (j, lanes) in panel.iter().enumerate() {
        for (row, sums) in rows.iter().zip(&mut sums) {
            for (sum, lane) in sums.iter_mut().zip(lanes) {
                let difference = row[j] - lane;
                *sum += difference * difference;
            }
        }
    }
    sums
}

/// The best found so far for one row: squared distance and index, the nearest first.
struct Nearest {
    found: Vec<(f32, usize)>,
    k: usize,
}

impl Nearest {
    fn new(k: usize) -> Nearest {
        Nearest { found: Vec::with_capacity(k + 1), k }
    }

    #[inline(always)]
    fn offer(&mut self, first: usize, squared: &[f32]) {
        let worst = if self.found.len() < self.k { f32::INFINITY } else { self.found[self.k - 1].0 };
        // One look at all lanes: most panels hold nothing near.
        if self.found.len() < self.k || squared.iter().fold(false, |any, &s| any | (s < worst)) {
            for (l, &s) in squared.iter().enumerate() {
                let at = self.found.partition_point(|&(other, _)| other <= s);
                if at < self.k {
                    self.found.insert(at, (s, first + l));
                    self.found.truncate(self.k);
                }
            }
        }
    }
}
