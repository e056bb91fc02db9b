//! All metrics of one detector on one set of labelled rows, with intervals: a line of the report's table.

use serde::{Deserialize, Serialize};

use super::bootstrap::{self, Interval};
use super::metrics::Confusion;
use super::ranking::Ranking;
use crate::error::Result;

/// A metric and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The metric on these rows.
    pub value: f64,
    /// The lower end of its bootstrap interval.
    pub low: f64,
    /// The upper end of its bootstrap interval.
    pub high: f64,
}

/// How scores and a threshold fared on labelled rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Rows looked at.
    pub n_rows: u64,
    /// Rows labelled anomalies.
    pub n_anomalies: u64,
    /// Area under the ROC curve; none without rows of both kinds.
    pub auc_roc: Option<Estimate>,
    /// Average precision; none without rows of both kinds.
    pub auc_pr: Option<Estimate>,
    /// F1 at the threshold; none without rows of both kinds.
    pub f1: Option<Estimate>,
    /// The threshold.
    pub threshold: f64,
    /// What became of the rows at the threshold; its ratios need no other numbers.
    pub confusion: Confusion,
    /// Why metrics are missing, where they are.
    pub note: Option<String>,
}

impl Evaluation {
    /// Evaluates scores at a threshold; a label is true for an anomaly, `seed` draws the bootstrap.
    ///
    /// # Errors
    /// Lengths that differ, or a score of NaN. Labels of one kind are no error: metrics that need both are none.
    pub fn new(scores: &[f64], labels: &[bool], threshold: f64, seed: u64) -> Result<Evaluation> {
        let ranking = Ranking::new(scores, labels)?;
        let confusion = Confusion::at(scores, labels, threshold)?;
        let total = ranking.tally.totals();
        let mut evaluation = Evaluation {
            n_rows: total.anomalies + total.normals,
            n_anomalies: total.anomalies,
            auc_roc: None,
            auc_pr: None,
            f1: None,
            threshold,
            confusion,
            note: None,
        };
        match ranking.tally.needs_both("metrics") {
            Err(error) => evaluation.note = Some(error.to_string()),
            Ok(()) => {
                let flagged = ranking.flagged(threshold);
                let intervals = bootstrap::intervals(&ranking, flagged, seed);
                let estimate = |value: f64, (low, high): Interval| Some(Estimate { value, low, high });
                evaluation.auc_roc = estimate(ranking.tally.roc_auc(), intervals.roc_auc);
                evaluation.auc_pr = estimate(ranking.tally.average_precision(), intervals.average_precision);
                evaluation.f1 = estimate(ranking.tally.f1(flagged).unwrap_or(0.0), intervals.f1);
            }
        }
        Ok(evaluation)
    }
}
