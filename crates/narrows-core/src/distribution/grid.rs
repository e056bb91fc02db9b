//! Numbers as a grid of their quantiles, with exact counts at each: a distribution function known without error at its
//! grid, so that its distance to another one is never overestimated.

use serde::{Deserialize, Serialize};

/// Number of quantiles: the percentiles with minimum and maximum.
const QUANTILES: usize = 101;
/// Most numbers kept to tell a median.
const KEPT: usize = 4096;

/// Distinct quantiles of numbers, ascending, and how many of the numbers lie below and up to each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileGrid {
    /// The quantiles, ascending.
    pub values: Vec<f64>,
    /// Number of numbers below each.
    pub below: Vec<u64>,
    /// Number of numbers up to each, itself included.
    pub up_to: Vec<u64>,
}

impl QuantileGrid {
    /// The percentiles of ascending numbers.
    pub(crate) fn of(rising: &[f64]) -> QuantileGrid {
        let last = rising.len().saturating_sub(1);
        let at = |i: usize| rising[i * last / (QUANTILES - 1)];
        let quantiles = if rising.is_empty() { Vec::new() } else { (0..QUANTILES).map(at).collect() };
        QuantileGrid::at(rising, quantiles)
    }

    /// Every one of ascending numbers.
    pub(crate) fn whole(rising: &[f64]) -> QuantileGrid {
        QuantileGrid::at(rising, rising.to_vec())
    }

    fn at(rising: &[f64], mut values: Vec<f64>) -> QuantileGrid {
        values.dedup();
        let below = values.iter().map(|value| rising.partition_point(|x| x < value) as u64).collect();
        let up_to = values.iter().map(|value| rising.partition_point(|x| x <= value) as u64).collect();
        QuantileGrid { values, below, up_to }
    }

    /// Number of numbers.
    pub fn n(&self) -> u64 {
        self.up_to.last().copied().unwrap_or(0)
    }

    /// The `q`-quantile, one of the grid; `None` if there are no numbers.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = q * self.n() as f64;
        let place = self.up_to.partition_point(|up_to| (*up_to as f64) < rank);
        self.values.get(place.min(self.values.len().checked_sub(1)?)).copied()
    }

    /// The quartiles; `None` if there are no numbers.
    pub fn quartiles(&self) -> Option<[f64; 3]> {
        Some([self.quantile(0.25)?, self.quantile(0.5)?, self.quantile(0.75)?])
    }

    /// Number of numbers below `x`, interpolated between the values of the grid.
    fn below(&self, x: f64) -> f64 {
        let next = self.values.partition_point(|value| *value < x);
        let Some(value) = self.values.get(next) else { return self.n() as f64 };
        let below = self.below[next] as f64;
        let Some(last) = next.checked_sub(1) else { return below };
        let (from, counted) = (self.values[last], self.up_to[last] as f64);
        counted + (below - counted) * (x - from) / (value - from)
    }

    /// The first and the last value of the grid; of many, those beside them.
    fn central(&self) -> [Option<f64>; 2] {
        let beside = usize::from(self.values.len() > QUANTILES / 2);
        let last = self.values.len().checked_sub(1 + beside);
        [self.values.get(beside).copied(), last.and_then(|last| self.values.get(last).copied())]
    }

    /// The lowest and the highest number; `None` if there are no numbers.
    pub fn range(&self) -> Option<[f64; 2]> {
        Some([*self.values.first()?, *self.values.last()?])
    }

    /// A histogram of at most so many bins of equal width: their edges and their counts. The bins cover all but the lowest and
    /// highest hundredth of the numbers, which are counted in the first and the last; one bin if there is one value.
    pub fn histogram(&self, bins: usize) -> (Vec<f64>, Vec<u64>) {
        let [Some(low), Some(high)] = self.central() else { return (Vec::new(), Vec::new()) };
        if low >= high || bins < 2 {
            return (vec![low, high], vec![self.n()]);
        }
        let edges: Vec<f64> = (0..=bins).map(|i| low + (high - low) * (i as f64 / bins as f64)).collect();
        let mut before = 0;
        let mut counts: Vec<u64> = edges[1..bins]
            .iter()
            .map(|edge| {
                let below = self.below(*edge).round() as u64;
                let count = below.saturating_sub(before);
                before = before.max(below);
                count
            })
            .collect();
        counts.push(self.n().saturating_sub(before));
        (edges, counts)
    }

    pub(super) fn check(&self, present: u64) -> Result<(), String> {
        let QuantileGrid { values, below, up_to } = self;
        if values.len() > QUANTILES || below.len() != values.len() || up_to.len() != values.len() {
            return Err(format!("expected at most {QUANTILES} values with two counts each, got {}", values.len()));
        }
        if self.n() != present {
            return Err(format!("expected counts up to {present}, got {}", self.n()));
        }
        let is_rising = values.windows(2).all(|pair| pair[0] < pair[1]) && values.iter().all(|x| x.is_finite());
        let is_counted = below.iter().zip(up_to).all(|(below, up_to)| below < up_to);
        let is_even = up_to.iter().zip(below.iter().skip(1)).all(|(up_to, below)| up_to <= below);
        if is_rising && is_counted && is_even {
            return Ok(());
        }
        Err("expected ascending finite values with ascending counts, got others".to_owned())
    }
}

/// How other numbers lie on a grid: counts between and at its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GridCounts {
    /// Below the first value, at it, between it and the second, and so on.
    cells: Vec<u64>,
    pub(crate) n: u64,
}

impl GridCounts {
    pub(crate) fn new(grid: &QuantileGrid) -> GridCounts {
        GridCounts { cells: vec![0; 2 * grid.values.len() + 1], n: 0 }
    }

    pub(crate) fn add(&mut self, grid: &QuantileGrid, x: f64) {
        let below = grid.values.partition_point(|value| *value < x);
        let is_at = grid.values.get(below) == Some(&x);
        self.cells[2 * below + usize::from(is_at)] += 1;
        self.n += 1;
    }

    /// Of these numbers, how many lie below and up to each value of the grid.
    pub(crate) fn cumulative(&self) -> (Vec<u64>, Vec<u64>) {
        let mut sum = 0;
        let sums: Vec<u64> = self
            .cells
            .iter()
            .map(|cell| {
                sum += cell;
                sum
            })
            .collect();
        let pairs = sums.chunks_exact(2);
        (pairs.clone().map(|pair| pair[0]).collect(), pairs.map(|pair| pair[1]).collect())
    }
}

/// An even selection of a stream of numbers, of bounded size: all of them, then every second, every fourth and so on.
#[derive(Debug, Clone)]
pub(crate) struct Thinned {
    kept: Vec<f64>,
    step: usize,
    seen: usize,
}

impl Default for Thinned {
    fn default() -> Thinned {
        Thinned { kept: Vec::new(), step: 1, seen: 0 }
    }
}

impl Thinned {
    pub(crate) fn add(&mut self, x: f64) {
        if self.seen.is_multiple_of(self.step) {
            if self.kept.len() == KEPT {
                let mut place = 0;
                self.kept.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.step *= 2;
            }
            if self.seen.is_multiple_of(self.step) {
                self.kept.push(x);
            }
        }
        self.seen += 1;
    }

    /// Quartiles of the numbers kept.
    pub(crate) fn quartiles(&self) -> Option<[f64; 3]> {
        let mut rising = self.kept.clone();
        rising.sort_by(f64::total_cmp);
        QuantileGrid::whole(&rising).quartiles()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_every_number() {
        let even: Vec<f64> = (0..=1000).map(f64::from).collect();
        let (edges, counts) = QuantileGrid::of(&even).histogram(10);
        assert_eq!((edges.len(), counts.len(), counts.iter().sum::<u64>()), (11, 10, 1001));
        assert!(counts[1..9].iter().all(|count| (95..=101).contains(count)), "{counts:?}");
        assert_eq!(QuantileGrid::of(&[2.0; 5]).histogram(10), (vec![2.0, 2.0], vec![5]));
        assert_eq!(QuantileGrid::of(&[]).histogram(10), (vec![], vec![]));
        let (_, steps) = QuantileGrid::of(&[0.0, 0.0, 0.0, 1.0]).histogram(4);
        assert_eq!((steps[0], steps[3], steps.iter().sum::<u64>()), (3, 1, 4));
    }

    #[test]
    fn a_grid_knows_its_numbers_exactly_and_ties_are_one() {
        let rising: Vec<f64> = (0..1000).map(f64::from).collect();
        let grid = QuantileGrid::of(&rising);
        assert_eq!((grid.values.len(), grid.n(), grid.values[0], grid.values[100]), (101, 1000, 0.0, 999.0));
        assert!(grid.values.iter().zip(&grid.below).all(|(value, below)| *value == *below as f64));
        assert_eq!(grid.quantile(0.5), Some(499.0));
        assert!(grid.check(1000).is_ok() && grid.check(999).is_err());

        let few = QuantileGrid::of(&[1.0, 1.0, 1.0, 2.0]);
        assert_eq!((few.values, few.below, few.up_to), (vec![1.0, 2.0], vec![0, 3], vec![3, 4]));
        assert_eq!((QuantileGrid::of(&[]).n(), QuantileGrid::of(&[]).quantile(0.5)), (0, None));
    }

    #[test]
    fn a_forged_grid_is_refused() {
        let grid = QuantileGrid { values: vec![1.0, 2.0], below: vec![0, 1], up_to: vec![1, 2] };
        assert!(grid.check(2).is_ok());
        assert!(QuantileGrid { values: vec![2.0, 1.0], ..grid.clone() }.check(2).is_err());
        assert!(QuantileGrid { below: vec![0], ..grid.clone() }.check(2).is_err());
        assert!(QuantileGrid { below: vec![0, 0], ..grid.clone() }.check(2).is_err());
        assert!(QuantileGrid { values: vec![1.0, f64::INFINITY], ..grid }.check(2).is_err());
    }

    #[test]
    fn other_numbers_are_counted_between_and_at_the_values() {
        let grid = QuantileGrid::whole(&[1.0, 2.0]);
        let mut counts = GridCounts::new(&grid);
        [0.5, 1.0, 1.0, 1.5, 2.0, 7.0].iter().for_each(|x| counts.add(&grid, *x));
        assert_eq!(counts.cumulative(), (vec![1, 4], vec![3, 5]));
        assert_eq!(counts.n, 6);
    }

    #[test]
    fn a_stream_is_thinned_evenly() {
        let mut thinned = Thinned::default();
        (0..100_000).for_each(|i| thinned.add(f64::from(i)));
        assert!(thinned.kept.len() <= KEPT && thinned.kept.len() > KEPT / 2, "{}", thinned.kept.len());
        let [low, median, high] = thinned.quartiles().unwrap();
        let is_near = |x: f64, expected: f64| (x - expected).abs() < 100.0;
        assert!(is_near(low, 25_000.0) && is_near(median, 50_000.0) && is_near(high, 75_000.0));
    }
}
