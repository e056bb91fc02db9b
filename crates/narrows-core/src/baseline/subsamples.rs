//! Distances to the nearest of few known rows, over many small random subsamples of them.
//!
//! A cluster of anomalies is as near to itself as normal rows are to theirs, so the nearest of all known rows tell nothing
//! of it. Of a handful of rows drawn at random most are normal, and the cluster is as far from them as any other anomaly.
//! Sugiyama and Borgwardt 2013, "Rapid distance-based outlier detection via sampling"; Bandaragoda et al. 2018,
//! "Isolation-based anomaly detection using nearest-neighbor ensembles".
//!
//! A row is not its own neighbour: if the nearest row of a subsample equals it, the second nearest counts.

use faer::traits::pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::neighbours::{GROUP, LANES, Panel, TILE, grouped, in_panels, squared_distances};
use super::random::Stream;
use super::rows::scored;

/// Number of subsamples.
const SUBSAMPLES: usize = 64;
/// Known rows for each row of a subsample, at least, if there are fewer than [`LANES`] times as many.
const THINNED: usize = 2;

/// The numbers of known rows in each subsample, shape `[subsamples, size]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    members: Vec<u32>,
    size: usize,
}

/// Subsamples of known rows in one scaling.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Subsamples {
    /// The rows, a panel of each column for each subsample.
    panels: Vec<Panel>,
    width: usize,
}

impl Draw {
    /// Draws from `m` known rows.
    pub(super) fn new(m: usize, seed: u64) -> Draw {
        let size = (m / THINNED).clamp(1, LANES);
        let draw = |key: usize| Stream::new(seed, 1 + key as u64).sample(m, size);
        Draw { members: (0..SUBSAMPLES).flat_map(draw).map(|row| row as u32).collect(), size }
    }

    /// Reads one from a file; `m` is the number of known rows.
    ///
    /// # Errors
    /// If there is no row, a subsample is too large, or a number is not that of a known row.
    pub(super) fn checked(members: Vec<u32>, size: usize, m: usize) -> Result<Draw, String> {
        if !(1..=LANES).contains(&size) || members.is_empty() || !members.len().is_multiple_of(size) {
            let n = members.len();
            return Err(format!("expected subsamples of 1 to {LANES} rows, got {n} rows in subsamples of {size}"));
        }
        match members.iter().find(|member| **member as usize >= m) {
            Some(member) => Err(format!("expected subsamples of the {m} known rows, got the number {member}")),
            None => Ok(Draw { members, size }),
        }
    }

    /// The numbers of the rows, one subsample after the other.
    pub fn members(&self) -> &[u32] {
        &self.members
    }

    /// Number of rows of a subsample.
    pub fn size(&self) -> usize {
        self.size
    }
}

impl Subsamples {
    /// The drawn ones of the rows `known`, shape `[m, width]`.
    pub(super) fn of(known: &[f32], width: usize, draw: &Draw) -> Subsamples {
        let row = |member: &u32| &known[*member as usize * width..(*member as usize + 1) * width];
        let rows: Vec<f32> = draw.members.iter().flat_map(row).copied().collect();
        Subsamples { panels: in_panels(&rows, width, draw.size, f32::INFINITY), width }
    }

    /// The rows, one subsample of `size` rows after the other, shape `[subsamples * size, width]`.
    pub(super) fn rows(&self, size: usize) -> Vec<f32> {
        let panels = self.panels.chunks_exact(self.width);
        panels.flat_map(|panel| (0..size).flat_map(|lane| panel.iter().map(move |lanes| lanes[lane]))).collect()
    }

    /// The mean, over subsamples, of the distance of each row of `x` to the nearest row.
    pub(super) fn distance(&self, x: &[f32]) -> Vec<f64> {
        let subsamples = (self.panels.len() / self.width) as f64;
        self.sums(x).into_iter().map(|sum| sum / subsamples).collect()
    }

    /// The sums of these distances.
    fn sums(&self, x: &[f32]) -> Vec<f64> {
        let rows: Vec<&[f32]> = scored(x, self.width).collect();
        let tile = |rows: &[&[f32]]| Arch::new().dispatch(SubsampleSearch { subsamples: self, rows });
        rows.par_chunks(TILE).flat_map_iter(tile).collect()
    }
}

/// The search for one tile of rows, compiled for each instruction set.
struct SubsampleSearch<'a> {
    subsamples: &'a Subsamples,
    rows: &'a [&'a [f32]],
}

impl WithSimd for SubsampleSearch<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let Subsamples { panels, width } = self.subsamples;
        let mut sums = vec![0.0; self.rows.len()];
        for panel in panels.chunks_exact(*width) {
            for (rows, sums) in self.rows.chunks(GROUP).zip(sums.chunks_mut(GROUP)) {
                let squared = squared_distances(simd, grouped(rows), panel);
                sums.iter_mut().zip(&squared).for_each(|(sum, lanes)| *sum += f64::from(nearest_other(lanes)).sqrt());
            }
        }
        sums
    }
}

/// The least of the squared distances, or the second if that is 0 and there are two.
#[inline(always)]
fn nearest_other(squared: &[f32; LANES]) -> f32 {
    // Halves, so that lanes are compared side by side.
    let mut half = *squared;
    for n in [8, 4, 2, 1] {
        for lane in 0..n {
            half[lane] = if half[lane + n] < half[lane] { half[lane + n] } else { half[lane] };
        }
    }
    let least = half[0];
    if least > 0.0 {
        return least;
    }
    let mut equals = 0;
    let mut second = f32::INFINITY;
    for s in squared {
        if *s > 0.0 {
            second = if *s < second { *s } else { second };
        } else {
            equals += 1;
        }
    }
    if equals > 1 || second == f32::INFINITY { 0.0 } else { second }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows at 0 to 99, and a cluster of a few at 1,000.
    fn with_cluster() -> Vec<f32> {
        (0..100).map(|i| i as f32).chain((0..4).map(|i| 1000.0 + 0.1 * i as f32)).collect()
    }

    fn fitted(known: &[f32]) -> Subsamples {
        Subsamples::of(known, 1, &Draw::new(known.len(), 3))
    }

    #[test]
    fn a_cluster_of_a_few_rows_is_far_from_most_subsamples() {
        let known = with_cluster();
        let found = fitted(&known).distance(&known);
        let farthest = found[..100].iter().copied().fold(0.0, f64::max);
        assert!(found[100..].iter().all(|distance| *distance > 3.0 * farthest), "{found:?}");
    }

    #[test]
    fn the_distance_is_the_mean_over_subsamples_without_the_row_itself() {
        let (known, width) = ([0.0, 0.0, 3.0, 4.0, 6.0, 8.0], 2);
        let draw = Draw::checked(vec![0, 1, 1, 2], 2, 3).unwrap();
        let subsamples = Subsamples::of(&known, width, &draw);
        let check = |x: [f32; 2], expected: f64| {
            let found = subsamples.distance(&x)[0];
            assert!((found - expected).abs() < 1e-6 * expected, "{found}, expected {expected}");
        };
        // Itself is left out of the first, and 5 and 10 are nearest in the second.
        check([0.0, 0.0], 5.0);
        check([9.0, 12.0], 7.5);
        // Of both, the other.
        check([3.0, 4.0], 5.0);
    }

    #[test]
    fn equal_rows_have_no_distance_and_few_rows_are_enough() {
        assert_eq!(fitted(&[2.0; 40]).distance(&[2.0, 3.0]), [0.0, 1.0]);
        for m in 1..5 {
            let known: Vec<f32> = (0..m).map(|i| i as f32).collect();
            assert!(fitted(&known).distance(&[0.0, 7.0]).iter().all(|d| d.is_finite()), "{m}");
        }
    }

    #[test]
    fn a_row_measures_the_same_alone_and_among_others() {
        let x: Vec<f32> = (0..90).map(|i| ((i * 37) % 61) as f32).collect();
        let subsamples = Subsamples::of(&x, 3, &Draw::new(30, 1));
        for (row, distance) in x.chunks_exact(3).zip(subsamples.distance(&x)) {
            assert_eq!(subsamples.distance(row), [distance]);
        }
    }

    #[test]
    fn what_is_read_is_checked() {
        let draw = Draw::new(100, 0);
        assert_eq!((draw.size(), draw.members().len()), (LANES, SUBSAMPLES * LANES));
        assert_eq!(Draw::checked(draw.members().to_vec(), draw.size(), 100).unwrap(), draw);
        assert!(Draw::checked(draw.members().to_vec(), draw.size(), 50).is_err(), "numbers up to 99");
        assert!(Draw::checked(Vec::new(), 4, 50).is_err());
        assert!(Draw::checked(vec![0; 17], 17, 50).is_err());
        assert!(Draw::checked(vec![0; 5], 2, 50).is_err());
    }
}
