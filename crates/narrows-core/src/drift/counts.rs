//! Tests of counts: chi-squared for categories, Fisher's for missing cells, and the beta-binomial for rows above a
//! threshold.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use statrs::function::beta::ln_beta;
use statrs::function::factorial::ln_binomial;

/// Least expected count of a cell; rarer ones are counted together (Cochran 1954).
const LEAST_EXPECTED: f64 = 5.0;
/// Terms of a sum that are smaller, relative to it, are left out.
const NEGLIGIBLE: f64 = 1e-18;

/// The p-value of Pearson's test that pairs of counts, of training and of new rows, are from one distribution; rare cells
/// are counted together. `None` if fewer than two cells remain.
pub(super) fn chi_squared(cells: &[(f64, f64)]) -> Option<f64> {
    let total = |of: fn(&(f64, f64)) -> f64| cells.iter().map(of).sum::<f64>();
    let (n, m) = (total(|cell| cell.0), total(|cell| cell.1));
    if n <= 0.0 || m <= 0.0 {
        return None;
    }
    let least_share = LEAST_EXPECTED / n.min(m);
    let share = |cell: &(f64, f64)| (cell.0 + cell.1) / (n + m);
    let mut by_size: Vec<(f64, f64)> = cells.iter().copied().filter(|cell| cell.0 + cell.1 > 0.0).collect();
    by_size.sort_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)));
    // The rarest are joined until their sum is frequent enough.
    let mut pooled = (0.0, 0.0);
    let mut kept = Vec::with_capacity(by_size.len());
    for cell in by_size {
        if share(&cell) < least_share || (share(&pooled) > 0.0 && share(&pooled) < least_share) {
            pooled = (pooled.0 + cell.0, pooled.1 + cell.1);
        } else {
            kept.push(cell);
        }
    }
    kept.extend((share(&pooled) > 0.0).then_some(pooled));
    let freedom = kept.len().checked_sub(1).filter(|freedom| *freedom > 0)?;
    let statistic = kept.iter().fold(0.0, |sum, (a, b)| {
        let (of_n, of_m) = ((a + b) * n / (n + m), (a + b) * m / (n + m));
        sum + (a - of_n).powi(2) / of_n + (b - of_m).powi(2) / of_m
    });
    Some(ChiSquared::new(freedom as f64).ok()?.sf(statistic))
}

/// Fisher's exact two-sided p-value, twice the smaller side, that `missing` of `rows` are as many as `new_missing` of
/// `new_rows`. `None` if no cell is missing, or all are.
pub(super) fn fisher(missing: u64, rows: u64, new_missing: u64, new_rows: u64) -> Option<f64> {
    let (all, all_missing) = (rows + new_rows, missing + new_missing);
    if all_missing == 0 || all_missing == all || rows == 0 || new_rows == 0 {
        return None;
    }
    let (lowest, highest) = (all_missing.saturating_sub(rows), all_missing.min(new_rows));
    let first = (ln_binomial(all_missing, new_missing) + ln_binomial(all - all_missing, new_rows - new_missing)
        - ln_binomial(all, new_rows))
    .exp();
    let [k, m, present] = [all_missing as f64, new_rows as f64, (all - all_missing) as f64];
    // The share of x + 1 among draws, relative to that of x.
    let ratio = |x: f64| (k - x) * (m - x) / ((x + 1.0) * (present - m + x + 1.0));
    let up = tail(first, (new_missing..highest).map(|x| ratio(x as f64)));
    let down = tail(first, (lowest..new_missing).rev().map(|x| 1.0 / ratio(x as f64)));
    Some((2.0 * up.min(down)).min(1.0))
}

/// The probability that `above` or more of `m` new scores are greater than a threshold that `known_above` of `n`
/// calibration scores are greater than, if all are exchangeable: the threshold is taken for the next smaller one of them.
pub(super) fn above_threshold(above: u64, m: u64, known_above: f64, n: f64) -> f64 {
    if above == 0 || m == 0 {
        return 1.0;
    }
    let (a, b) = (known_above + 1.0, (n - known_above).max(1.0));
    let log = |k: u64| ln_binomial(m, k) + ln_beta(k as f64 + a, (m - k) as f64 + b) - ln_beta(a, b);
    let last = m as f64;
    let ratio = |k: f64| (last - k) / (k + 1.0) * (k + a) / (b + last - k - 1.0);
    if above as f64 > last * a / (a + b) {
        return tail(log(above).exp(), (above..m).map(|k| ratio(k as f64))).min(1.0);
    }
    (1.0 - tail(log(above - 1).exp(), (0..above - 1).rev().map(|k| 1.0 / ratio(k as f64)))).clamp(0.0, 1.0)
}

/// The sum of `first` and of the terms after it, each of which is a ratio times the one before.
fn tail(first: f64, ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut term) = (first, first);
    for ratio in ratios {
        term *= ratio;
        sum += term;
        if term < NEGLIGIBLE * sum {
            break;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-8 * expected, "expected {expected}, got {found}");
    }

    #[test]
    fn chi_squared_is_scipys() {
        // scipy.stats.chi2_contingency([[40, 30, 30], [20, 40, 60]], correction=False).pvalue
        check(chi_squared(&[(40.0, 20.0), (30.0, 40.0), (30.0, 60.0)]).unwrap(), 0.0002729152620592747);
        // scipy.stats.chi2_contingency([[400, 300, 30, 7], [420, 360, 10, 20]], correction=False).pvalue
        let cells = [(400.0, 420.0), (300.0, 360.0), (30.0, 10.0), (7.0, 20.0)];
        check(chi_squared(&cells).unwrap(), 0.0003008850758613601);
    }

    #[test]
    fn rare_cells_are_counted_together() {
        let rare = [(1.0, 2.0), (2.0, 1.0), (1.0, 3.0), (2.0, 3.0), (400.0, 380.0)];
        check(chi_squared(&rare).unwrap(), chi_squared(&[(6.0, 9.0), (400.0, 380.0)]).unwrap());
        assert_eq!(chi_squared(&[(400.0, 380.0)]), None);
        assert_eq!(chi_squared(&[(400.0, 0.0), (3.0, 0.0)]), None);
        assert_eq!(chi_squared(&[]), None);
    }

    #[test]
    fn missing_cells_have_twice_scipys_smaller_side() {
        // 2 * min(scipy.stats.fisher_exact(t, side).pvalue for side in ("less", "greater"))
        // for t in [[0, 1000], [5, 95]], [[20, 480], [10, 490]], [[300, 4700], [100, 900]], [[1, 9], [11, 3]]
        check(fisher(0, 1000, 5, 100).unwrap(), 2.0 * 5.661015424159783e-06);
        check(fisher(20, 500, 10, 500).unwrap(), 2.0 * 0.04684562737793661);
        check(fisher(300, 5000, 100, 1000).unwrap(), 2.0 * 6.992789308434973e-06);
        check(fisher(1, 10, 11, 14).unwrap(), 2.0 * 0.0013797280926100418);
        assert_eq!((fisher(0, 10, 0, 10), fisher(10, 10, 10, 10), fisher(0, 0, 3, 10)), (None, None, None));
        assert!(fisher(0, 5_000_000, 1_000_000, 2_000_000).unwrap() < 1e-300);
    }

    #[test]
    fn rows_above_a_threshold_are_beta_binomial() {
        // scipy.stats.betabinom.sf(above - 1, m, known_above + 1, n - known_above)
        check(above_threshold(30, 1000, 10.0, 1000.0), 0.0010041667813484034);
        check(above_threshold(20, 500, 0.0, 100.0), 0.024445340060358145);
        check(above_threshold(1500, 100_000, 20.0, 2000.0), 0.035606907009045896);
        // scipy.stats.betabinom.sf(2, 1000, 11, 990)
        check(above_threshold(3, 1000, 10.0, 1000.0), 0.9889783200249365);
        assert_eq!((above_threshold(0, 100, 3.0, 100.0), above_threshold(0, 0, 3.0, 100.0)), (1.0, 1.0));
        assert!((0.0..=1.0).contains(&above_threshold(100, 100, 0.0, 0.0)));
    }
}
