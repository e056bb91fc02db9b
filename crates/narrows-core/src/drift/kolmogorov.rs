//! The two-sample test of Kolmogorov and Smirnov: exact for small samples, else by the limit distribution.
//!
//! With equal values in the samples, or a distance that is known on a grid only, p-values are too high rather than too low.

use crate::distribution::{GridCounts, QuantileGrid};

/// Greatest product of both sizes for which paths are counted.
const EXACT: u64 = 1_000_000;

/// Least p-value that is taken from counting.
const LEAST_EXACT: f64 = 1e-10;

/// The greatest difference of the distribution functions at the values of the grid.
pub(super) fn distance(known: &QuantileGrid, new: &GridCounts) -> f64 {
    let (n, m) = (known.n().max(1) as f64, new.n.max(1) as f64);
    let (below, up_to) = new.cumulative();
    let known = known.below.iter().chain(&known.up_to);
    let gaps = known.zip(below.iter().chain(&up_to)).map(|(a, b)| (*a as f64 / n - *b as f64 / m).abs());
    gaps.fold(0.0, f64::max)
}

/// The probability of this distance or a greater one between samples of `n` and `m` of one continuous distribution.
pub(super) fn p_value(distance: f64, n: u64, m: u64) -> f64 {
    if n == 0 || m == 0 {
        return 1.0;
    }
    let exact = (n.saturating_mul(m) <= EXACT).then(|| exact(distance, n, m));
    // The exact one is a difference from 1, of which nothing remains where it is small.
    exact.filter(|p| *p > LEAST_EXACT).unwrap_or_else(|| limit(distance, n, m)).clamp(0.0, 1.0)
}

/// Counts the orders of both samples whose distance is smaller, as shares: a path on a lattice that keeps near the diagonal.
fn exact(distance: f64, n: u64, m: u64) -> f64 {
    let (n, m) = (n.min(m) as usize, n.max(m) as usize);
    let (rows, columns) = (n as f64, m as f64);
    // Half a step of the lattice below the distance, against rounding.
    let bound = (0.5 + (distance * rows * columns - 1e-7).floor()) / (rows * columns);
    let is_far = |i: usize, j: usize| (i as f64 / rows - j as f64 / columns).abs() > bound;
    let mut inside: Vec<f64> = (0..=m).map(|j| if is_far(0, j) { 0.0 } else { 1.0 }).collect();
    for i in 1..=n {
        let weight = i as f64 / (i + m) as f64;
        inside[0] = if is_far(i, 0) { 0.0 } else { weight * inside[0] };
        for j in 1..=m {
            inside[j] = if is_far(i, j) { 0.0 } else { weight * inside[j] + inside[j - 1] };
        }
    }
    1.0 - inside[m]
}

/// Kolmogorov's distribution of the distance times the root of the effective size, with Stephens' correction (1970) for
/// finite samples.
fn limit(distance: f64, n: u64, m: u64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    let root = (n * m / (n + m)).sqrt();
    kolmogorov((root + 0.12 + 0.11 / root) * distance)
}

/// The probability that the supremum of a Brownian bridge is greater.
fn kolmogorov(x: f64) -> f64 {
    // Below, it is 1 in double precision, and the series converges slowly.
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| f64::from(2 * (k % 2) - 1) * (-2.0 * f64::from(k * k) * x * x).exp();
    2.0 * (1..=100).map(term).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance * expected, "expected {expected}, got {found}");
    }

    #[test]
    fn the_limit_distribution_is_scipys() {
        // [scipy.special.kolmogorov(x) for x in (0.5, 1.0, 1.5, 2.0, 3.0)]
        let known = [
            (0.5, 0.9639452436648751),
            (1.0, 0.26999967167735456),
            (1.5, 0.022217962616525127),
            (2.0, 0.0006709252557796953),
            (3.0, 3.045995948942526e-08),
        ];
        known.iter().for_each(|(x, expected)| check(kolmogorov(*x), *expected, 1e-12));
        assert_eq!(kolmogorov(0.0), 1.0);
    }

    #[test]
    fn small_samples_have_scipys_exact_p_values() {
        // n, m, d: a = np.arange(n) / n; b = np.arange(m) / m + d + 1e-4
        // r = scipy.stats.ks_2samp(a, b, method="exact"); r.statistic, r.pvalue
        for (n, m, distance, expected) in [
            (10, 10, 0.5, 0.16782134274394334),
            (30, 50, 1.0 / 3.0, 0.024586717379623063),
            (100, 37, 0.21, 0.1552630691350223),
            (200, 300, 0.155, 0.0057556086682506126),
            (1000, 1000, 0.081, 0.0028179208242694134),
        ] {
            check(p_value(distance, n, m), expected, 1e-9);
            check(p_value(distance, m, n), expected, 1e-9);
        }
        assert_eq!(p_value(0.0, 10, 10), 1.0);
        assert!(p_value(1.0, 10, 10) > 0.0 && p_value(1.0, 10, 10) < 2e-5);
        assert_eq!(p_value(0.5, 0, 10), 1.0);
    }

    #[test]
    fn large_samples_come_near_the_exact_p_value() {
        // As above, exact.
        check(p_value(0.0402, 5000, 2000), 0.019324012151647706, 0.02);
        check(p_value(0.03005, 20_000, 3000), 0.017625027021751897, 0.02);
    }

    #[test]
    fn the_distance_is_that_of_the_samples() {
        let grid = QuantileGrid::whole(&[1.0, 2.0, 3.0, 4.0]);
        let mut new = GridCounts::new(&grid);
        [2.5, 3.5, 4.5, 5.5].iter().for_each(|x| new.add(&grid, *x));
        // scipy.stats.ks_2samp([1, 2, 3, 4], [2.5, 3.5, 4.5, 5.5]).statistic
        assert_eq!(distance(&grid, &new), 0.5);
        let mut below = GridCounts::new(&grid);
        [0.0, 0.5].iter().for_each(|x| below.add(&grid, *x));
        assert_eq!(distance(&grid, &below), 1.0);
    }
}
