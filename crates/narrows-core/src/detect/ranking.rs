//! Labelled rows in descending order of score, grouped by ties: the input of every threshold-free metric.
//!
//! No threshold can separate rows of equal score, so they form one group. A [`RankTally`] holds the numbers of anomalies
//! and normal rows per group; bootstrap resampling changes only the tally, so scores are sorted
//! once.

use super::metrics::f1;
use crate::error::{Error, Place, Result};

/// Distinct scores, descending, with the counts of each.
pub(super) struct Ranking {
    /// Distinct scores, descending.
    pub(super) scores: Vec<f64>,
    /// Counts of each score.
    pub(super) tally: RankTally,
}

/// Numbers of anomalies and normal rows in each group of equal scores, highest score first.
#[derive(Clone, Default)]
pub(super) struct RankTally {
    pub(super) anomalies: Vec<u64>,
    pub(super) normals: Vec<u64>,
}

/// Numbers of anomalies and normal rows at or above a group.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) struct Above {
    pub(super) anomalies: u64,
    pub(super) normals: u64,
}

impl Ranking {
    /// Ranks `scores`; labels are true for anomalies.
    ///
    /// # Errors
    /// If lengths differ or a score is NaN.
    pub(super) fn new(scores: &[f64], labels: &[bool]) -> Result<Ranking> {
        if scores.len() != labels.len() {
            let message = format!("expected a label for each of {} scores, got {} labels", scores.len(), labels.len());
            return Err(Error::data(Place::default(), message));
        }
        if let Some(row) = scores.iter().position(|score| score.is_nan()) {
            return Err(Error::data(Place::default().at_row(row as u64), "expected a score, got NaN"));
        }
        let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut ranking = Ranking { scores: vec![], tally: RankTally::default() };
        for group in rows.chunk_by(|a, b| a.0 == b.0) {
            let anomalies = group.iter().filter(|(_, label)| *label).count() as u64;
            ranking.scores.push(group[0].0);
            ranking.tally.anomalies.push(anomalies);
            ranking.tally.normals.push(group.len() as u64 - anomalies);
        }
        Ok(ranking)
    }

    /// Number of groups above `threshold`.
    pub(super) fn flagged(&self, threshold: f64) -> usize {
        self.scores.partition_point(|&score| score > threshold)
    }

    /// The highest threshold with the best F1, halfway between the last flagged score and the next.
    ///
    /// # Errors
    /// If there are no anomalies.
    pub(super) fn best_f1(&self, what: &str) -> Result<f64> {
        self.tally.needs_anomalies(what)?;
        let total = self.tally.totals();
        let mut best = (0, f64::NEG_INFINITY);
        for (group, above) in self.tally.cumulative().enumerate() {
            let value = f1(above.anomalies, above.normals, total.anomalies).unwrap_or(0.0);
            if value > best.1 {
                best = (group, value);
            }
        }
        let last = self.scores[best.0];
        let Some(&next) = self.scores.get(best.0 + 1) else { return Ok(last.next_down()) };
        let middle = next + 0.5 * (last - next);
        Ok(if middle < last { middle } else { next })
    }
}

impl RankTally {
    /// Cumulative counts, from the highest group down.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = Above> + '_ {
        self.anomalies.iter().zip(&self.normals).scan(Above::default(), |above, (anomalies, normals)| {
            above.anomalies += anomalies;
            above.normals += normals;
            Some(*above)
        })
    }

    /// Total counts.
    pub(super) fn totals(&self) -> Above {
        Above { anomalies: self.anomalies.iter().sum(), normals: self.normals.iter().sum() }
    }

    /// The probability that an anomaly scores higher than a normal row, ties counting half (Mann and Whitney).
    pub(super) fn roc_auc(&self) -> f64 {
        let total = self.totals();
        let mut above = 0_u128;
        let mut twice = 0_u128;
        for (&anomalies, &normals) in self.anomalies.iter().zip(&self.normals) {
            twice += u128::from(normals) * (2 * above + u128::from(anomalies));
            above += u128::from(anomalies);
        }
        twice as f64 / (2.0 * total.anomalies as f64 * total.normals as f64)
    }

    /// Mean precision over the anomalies, each at its own score as the threshold: scikit-learn's definition.
    pub(super) fn average_precision(&self) -> f64 {
        let total = self.totals().anomalies as f64;
        let steps = self.cumulative().zip(&self.anomalies);
        let sum: f64 = steps
            .map(|(above, &anomalies)| {
                anomalies as f64 * above.anomalies as f64 / (above.anomalies + above.normals).max(1) as f64
            })
            .sum();
        sum / total
    }

    /// F1 if the first `flagged` groups are flagged.
    pub(super) fn f1(&self, flagged: usize) -> Option<f64> {
        let anomalies = self.anomalies[..flagged].iter().sum();
        let normals = self.normals[..flagged].iter().sum();
        f1(anomalies, normals, self.totals().anomalies)
    }

    pub(super) fn needs_both(&self, what: &str) -> Result<()> {
        let Above { anomalies, normals } = self.totals();
        if anomalies > 0 && normals > 0 {
            return Ok(());
        }
        let message =
            format!("{what}: expected normal rows and anomalies, got {normals} normal rows and {anomalies} anomalies");
        Err(Error::data(Place::default(), message))
    }

    pub(super) fn needs_anomalies(&self, what: &str) -> Result<()> {
        let Above { anomalies, normals } = self.totals();
        if anomalies > 0 {
            return Ok(());
        }
        let message = format!("{what}: expected at least 1 anomaly among the labels, got {normals} normal rows only");
        Err(Error::data(Place::default(), message))
    }
}
