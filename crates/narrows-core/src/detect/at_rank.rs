//! Precision and recall of the rows with the highest scores: what a reader of the first `k` alarms finds.

use serde::{Deserialize, Serialize};

use super::ranking::Ranking;
use crate::error::Result;

/// Ranks that are evaluated if none are asked for, beside the number of anomalies.
const USUAL: [u64; 5] = [10, 20, 50, 100, 1000];

/// Precision and recall of the `k` rows with the highest scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RankPrecision {
    /// Number of rows.
    pub k: u64,
    /// Share of them that are anomalies.
    pub precision: f64,
    /// Share of all anomalies among them.
    pub recall: f64,
}

impl RankPrecision {
    /// The metrics at these ranks, ascending and without repetition; at the usual ones and at the number of anomalies if
    /// there are none. A rank beyond the last row is that of the last row.
    ///
    /// Rows of equal score on both sides of a rank count as many anomalies as they hold on average.
    ///
    /// # Errors
    /// If lengths differ, a score is NaN, or there are no anomalies.
    pub fn at(scores: &[f64], labels: &[bool], ranks: &[u64]) -> Result<Vec<RankPrecision>> {
        let ranking = Ranking::new(scores, labels)?;
        ranking.tally.needs_anomalies("precision at k")?;
        let total = ranking.tally.totals();
        let n = total.anomalies + total.normals;
        let mut ranks: Vec<u64> = match ranks {
            [] => USUAL.into_iter().filter(|k| *k < n).chain([total.anomalies]).collect(),
            ranks => ranks.iter().map(|k| (*k).clamp(1, n)).collect(),
        };
        ranks.sort_unstable();
        ranks.dedup();
        let found = |k: u64| {
            let (mut above, mut found) = (0, 0.0);
            for (anomalies, normals) in ranking.tally.anomalies.iter().zip(&ranking.tally.normals) {
                let group = anomalies + normals;
                let taken = group.min(k - above);
                found += *anomalies as f64 * taken as f64 / group as f64;
                above += taken;
                if above == k {
                    break;
                }
            }
            found
        };
        let at =
            |k: u64| RankPrecision { k, precision: found(k) / k as f64, recall: found(k) / total.anomalies as f64 };
        Ok(ranks.into_iter().map(at).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scores: &[f64], labels: &[bool], ranks: &[u64], expected: &[(u64, f64, f64)]) {
        let found = RankPrecision::at(scores, labels, ranks).unwrap();
        let found: Vec<(u64, f64, f64)> = found.iter().map(|at| (at.k, at.precision, at.recall)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_first_rows_are_counted() {
        let (scores, labels) = ([9.0, 8.0, 7.0, 6.0], [true, false, true, false]);
        check(&scores, &labels, &[1, 2, 3], &[(1, 1.0, 0.5), (2, 0.5, 0.5), (3, 2.0 / 3.0, 1.0)]);
        // Repeated and out of order, beyond the last row, and none at all: the number of anomalies.
        check(&scores, &labels, &[9, 1, 1], &[(1, 1.0, 0.5), (4, 0.5, 1.0)]);
        check(&scores, &labels, &[], &[(2, 0.5, 0.5)]);
    }

    #[test]
    fn ties_count_as_on_average() {
        check(&[5.0, 5.0, 5.0, 5.0], &[true, false, false, false], &[2], &[(2, 0.25, 0.5)]);
    }

    #[test]
    fn without_anomalies_there_is_none() {
        assert!(RankPrecision::at(&[1.0], &[false], &[1]).is_err());
    }
}
