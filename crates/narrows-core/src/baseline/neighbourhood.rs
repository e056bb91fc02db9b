//! The neighbourhood of rows in a reference set: mean distances in two scalings of the columns, and the local density.
//!
//! A column that varies little about one value and rarely leaves it weighs much in units of its standard deviation and
//! little in units of its range; neither view is better for all data (Aggarwal 2017, "Outlier analysis", 2.3). The ratio
//! of a row's distance to those of its neighbours is a simplified local outlier factor (Schubert, Zimek and Kriegel 2014,
//! "Local outlier detection reconsidered").
//!
//! A row is not its own neighbour: of reference rows equal to it, one is left out. A table can therefore be scored with
//! the very rows that it was fitted to.

use rayon::prelude::*;

use super::Neighbours;
use super::neighbours::Found;
use super::rows::weighted;
use crate::error::Result;

/// Number of neighbours of a mean distance. Fewer tell anomalies better among clean rows, and worse if some of these are
/// anomalies; beside subsamples (`overview.rs`) they do not (`bench/one_class.py`, `bench/unsupervised.py`).
const NEAR: usize = 2;
/// Distances below this share of the median, or of a range, are alike as far as density goes.
const DENSEST: f64 = 1e-3;
const LEAST: f64 = 1e-6;

/// Reference rows, in two scalings.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbourhood {
    /// The rows as they are given.
    standard: Neighbours,
    /// The rows in units of the columns' ranges.
    ranged: Neighbours,
    /// `[width]`, the factors from the first to the second.
    weights: Vec<f32>,
    /// `[m]`, the distance of each reference row to the last of its neighbours, in units of ranges.
    reach: Vec<f64>,
    /// What is added to distances before they are compared, in units of ranges.
    floor: f64,
    /// Number of neighbours of a mean distance.
    near: usize,
}

/// What is measured of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearness {
    /// Mean distance to the nearest reference rows.
    pub standard: f64,
    /// The same in units of ranges.
    pub ranged: f64,
    /// Distance to a farther neighbour over the mean of those of the neighbours to theirs: above 1 where the row lies in
    /// a sparser region than they do.
    pub sparsity: f64,
}

impl Neighbourhood {
    /// Rank of the neighbour whose distance measures density.
    pub(crate) const WIDE: usize = 20;
    /// Neighbours looked for beyond that: the row itself, and one equal to it.
    pub(crate) const SPARE: usize = 2;

    /// Keeps at most `cap` of the rows of `x` (shape `[n, width]`), drawn by `seed`; `weights` bring columns to units of
    /// their ranges, and `floor` is the distance in these units that the resolution of the data makes. Returns the numbers
    /// of the rows kept, too, in ascending order.
    ///
    /// # Errors
    /// As [`Neighbours::fit`].
    pub fn fit(
        x: &[f32],
        n: usize,
        weights: Vec<f32>,
        floor: f64,
        cap: usize,
        seed: u64,
    ) -> Result<(Neighbourhood, Vec<usize>)> {
        let (standard, kept) = Neighbours::fit_kept(x, n, weights.len(), NEAR + Self::SPARE, cap, seed)?;
        let mut neighbourhood = Neighbourhood::of(standard, weights, Vec::new(), 0.0, NEAR);
        let found = neighbourhood.ranged.found(&neighbourhood.ranged.reference);
        neighbourhood.reach =
            found.iter().enumerate().map(|(row, found)| last(&others(found, Some(row), Self::WIDE))).collect();
        let mut reach = neighbourhood.reach.clone();
        let middle = reach.len() / 2;
        let median = *reach.select_nth_unstable_by(middle, f64::total_cmp).1;
        neighbourhood.floor = (DENSEST * median).max(floor).max(LEAST);
        Ok((neighbourhood, kept))
    }

    /// Reads one from a file.
    ///
    /// # Errors
    /// If lengths do not agree, or numbers are not finite.
    pub fn checked(
        reference: Vec<f32>,
        weights: Vec<f32>,
        reach: Vec<f64>,
        floor: f64,
        near: usize,
    ) -> Result<Neighbourhood, String> {
        let width = weights.len();
        let m = reference.len().checked_div(width).unwrap_or(0);
        if reach.len() != m || !reach.iter().all(|reach| reach.is_finite() && *reach >= 0.0) {
            return Err(format!("expected {m} finite distances of reference rows, got {reach:?}"));
        }
        if !weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0) {
            return Err(format!("expected finite weights of at least 0, got {weights:?}"));
        }
        if !(floor.is_finite() && floor > 0.0) {
            return Err(format!("expected a finite floor above 0, got {floor}"));
        }
        if !(1..=Self::WIDE).contains(&near) {
            return Err(format!("expected a mean over 1 to {} neighbours, got {near}", Self::WIDE));
        }
        let standard = Neighbours { reference, width, k: (near + Self::SPARE).min(m) };
        let standard = standard.checked().map_err(|error| error.to_string())?;
        Ok(Neighbourhood::of(standard, weights, reach, floor, near))
    }

    fn of(standard: Neighbours, weights: Vec<f32>, reach: Vec<f64>, floor: f64, near: usize) -> Neighbourhood {
        let k = (Self::WIDE + Self::SPARE).min(standard.n_references());
        let reference = weighted(&standard.reference, &weights);
        let ranged = Neighbours { reference, width: standard.width, k };
        Neighbourhood { standard, ranged, weights, reach, floor, near }
    }

    /// The reference rows as they were given, shape `[m, width]`.
    pub fn reference(&self) -> &[f32] {
        &self.standard.reference
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.standard.width
    }

    /// Number of reference rows.
    pub fn n_references(&self) -> usize {
        self.reach.len()
    }

    /// `[width]`, the factors that bring columns to units of their ranges.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// `[m]`, the distance of each reference row to the last of its neighbours, in units of ranges.
    pub fn reach(&self) -> &[f64] {
        &self.reach
    }

    /// What is added to distances before they are compared, in units of ranges.
    pub fn floor(&self) -> f64 {
        self.floor
    }

    /// Number of neighbours of a mean distance.
    pub fn near(&self) -> usize {
        self.near
    }

    /// Measures every row of `x`; `own` are the numbers of those that are reference rows themselves, which are left out
    /// for them, or empty.
    ///
    /// # Panics
    /// If `x` is not a whole number of rows.
    pub fn measure(&self, x: &[f32], own: &[Option<usize>]) -> Vec<Nearness> {
        let ranged = weighted(x, &self.weights);
        let (near, wide) = rayon::join(|| self.standard.found(x), || self.ranged.found(&ranged));
        let own = |row: usize| own.get(row).copied().flatten();
        let one = |(row, (near, wide)): (usize, (&Vec<Found>, &Vec<Found>))| {
            let (near, wide) = (others(near, own(row), self.near), others(wide, own(row), Self::WIDE));
            let around = wide.iter().map(|(_, index)| self.reach[*index]).sum::<f64>() / wide.len() as f64;
            Nearness {
                standard: mean(&near),
                ranged: mean(&wide[..wide.len().min(self.near)]),
                sparsity: (last(&wide) + self.floor) / (around + self.floor),
            }
        };
        near.par_iter().zip(&wide).enumerate().map(one).collect()
    }
}

/// The nearest `k` distances and their rows, without the row itself and, of those equal to it, one.
fn others(found: &[Found], own: Option<usize>, k: usize) -> Vec<(f64, usize)> {
    // A row with more equals than were looked for is among them, as good as any.
    let own = own.map(|own| found.iter().position(|(_, index)| *index == own).unwrap_or(0));
    let mut others: Vec<(f64, usize)> = found
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != own)
        .map(|(_, (squared, index))| (f64::from(*squared).sqrt(), *index))
        .collect();
    if others.len() > 1 && others[0].0 == 0.0 {
        others.remove(0);
    }
    others.truncate(k);
    if others.is_empty() {
        others.extend(found.first().map(|(squared, index)| (f64::from(*squared).sqrt(), *index)));
    }
    others
}

fn last(nearest: &[(f64, usize)]) -> f64 {
    nearest.last().map_or(f64::NAN, |(distance, _)| *distance)
}

fn mean(nearest: &[(f64, usize)]) -> f64 {
    nearest.iter().map(|(distance, _)| distance).sum::<f64>() / nearest.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(x: &[f32], weights: &[f32]) -> Neighbourhood {
        Neighbourhood::fit(x, x.len() / weights.len(), weights.to_vec(), 0.0, usize::MAX, 0).unwrap().0
    }

    #[test]
    fn distances_are_means_over_two_in_either_scaling() {
        let x: Vec<f32> = (0..100).flat_map(|i| [i as f32, 0.0]).collect();
        let found = fitted(&x, &[0.1, 1.0]).measure(&[-1.0, 0.0, 0.0, 3.0], &[])[..2].to_vec();
        assert!((found[0].standard - 1.5).abs() < 1e-6 && (found[0].ranged - 0.15).abs() < 1e-6, "{found:?}");
        let expected = (0..2).map(|i| (9.0 + 0.01 * f64::from(i * i)).sqrt()).sum::<f64>() / 2.0;
        assert!((found[1].ranged - expected).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn a_row_is_not_its_own_neighbour_nor_are_all_of_its_equals() {
        let mut x: Vec<f32> = (0..30).map(|i| (i * i) as f32).collect();
        let neighbourhood = fitted(&x, &[1.0]);
        let of = |neighbourhood: &Neighbourhood, x: f32, own: Option<usize>| neighbourhood.measure(&[x], &[own])[0];
        // 1 and 4 are nearest to 0.
        assert_eq!(of(&neighbourhood, 0.0, None).standard, 2.5);
        assert_eq!(of(&neighbourhood, 0.0, Some(0)), of(&neighbourhood, 0.0, None));
        // With an equal beside, one of both is left out, or both for the row itself.
        x.push(0.0);
        let neighbourhood = fitted(&x, &[1.0]);
        assert_eq!(of(&neighbourhood, 0.0, None).standard, 0.5);
        assert_eq!(of(&neighbourhood, 0.0, Some(30)).standard, 2.5);
        // Many equals have no distance.
        let equal = fitted(&[7.0; 60], &[1.0]);
        let nearness = of(&equal, 7.0, Some(50));
        assert_eq!((nearness.standard, nearness.sparsity), (0.0, 1.0));
    }

    #[test]
    fn a_row_beside_a_dense_cluster_is_sparse_and_one_in_a_wide_cluster_is_not() {
        let dense = (0..40).map(|i| 0.01 * i as f32);
        let wide = (0..40).map(|i| 100.0 + i as f32);
        let neighbourhood = fitted(&dense.chain(wide).collect::<Vec<f32>>(), &[1.0]);
        let found = neighbourhood.measure(&[0.8, 120.5], &[]);
        assert!(found[0].sparsity > 2.5 && (0.7..1.4).contains(&found[1].sparsity), "{found:?}");
        // Though it is nearer to its neighbours.
        assert!(found[0].standard < found[1].standard, "{found:?}");
    }

    #[test]
    fn steps_of_the_data_are_no_sparsity() {
        let x: Vec<f32> = (0..100).map(|i| 0.1 * (i % 2) as f32).collect();
        let (coarse, _) = Neighbourhood::fit(&x, 100, vec![1.0], 0.1, usize::MAX, 0).unwrap();
        assert_eq!(coarse.measure(&[0.2], &[])[0].sparsity.round(), 2.0);
        assert!(fitted(&x, &[1.0]).measure(&[0.2], &[])[0].sparsity > 1e4);
    }

    #[test]
    fn a_row_measures_the_same_alone_and_few_rows_are_enough() {
        let x: Vec<f32> = (0..90).map(|i| ((i * 37) % 61) as f32).collect();
        let neighbourhood = fitted(&x, &[0.5, 0.1, 3.0]);
        let all = neighbourhood.measure(&x, &[]);
        for (row, nearness) in x.chunks_exact(3).zip(&all) {
            assert_eq!(neighbourhood.measure(row, &[]), [*nearness]);
        }
        let lonely = fitted(&[1.0, 2.0], &[1.0, 1.0]);
        assert!(lonely.measure(&[1.0, 2.0, 4.0, 6.0], &[Some(0)]).iter().all(|n| n.sparsity.is_finite()));
    }

    #[test]
    fn what_is_read_is_checked() {
        let n = fitted(&(0..40).map(|i| i as f32).collect::<Vec<f32>>(), &[0.2]);
        let read = |weights: &[f32], reach: &[f64]| {
            Neighbourhood::checked(n.reference().to_vec(), weights.to_vec(), reach.to_vec(), n.floor(), n.near())
        };
        assert_eq!(read(n.weights(), n.reach()).unwrap(), n);
        assert!(read(n.weights(), &n.reach()[1..]).is_err());
        assert!(read(&[f32::NAN], n.reach()).is_err());
        assert!(read(&[], &[]).is_err());
    }
}
