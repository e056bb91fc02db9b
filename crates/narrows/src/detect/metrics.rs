//! How well scores tell anomalies from normal rows: area under the ROC curve, average precision, and the counts at a
//! threshold with the ratios made of them.
//!
//! Written by hand because each is ten lines once rows are ranked, and because the handling of equal scores and of
//! missing classes is where libraries differ. The numbers are scikit-learn's, which the golden tests hold.

use serde::{Deserialize, Serialize};

use super::curve;
use super::ranking::Ranking;
use crate::error::{Error, Place, Result};

/// The probability that an anomaly scores higher than a normal row, equals counting half.
///
/// # Errors
/// Lengths that differ, a score of NaN, or labels of one kind only.
pub fn roc_auc(scores: &[f64], labels: &[bool]) -> Result<f64> {
    let ranking = Ranking::new(scores, labels)?;
    ranking.tally.needs_both("area under the ROC curve")?;
    Ok(ranking.tally.roc_auc())
}

/// The area under the curve of precision over recall, in steps: scikit-learn's `average_precision_score`.
///
/// # Errors
/// Lengths that differ, a score of NaN, or no anomaly among the labels.
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Result<f64> {
    let ranking = Ranking::new(scores, labels)?;
    ranking.tally.needs_anomalies("average precision")?;
    Ok(ranking.tally.average_precision())
}

/// Points `(false-alarm rate, recall)` from (0, 0) to (1, 1), at most 200.
///
/// # Errors
/// Lengths that differ, a score of NaN, or labels of one kind only.
pub fn roc_curve(scores: &[f64], labels: &[bool]) -> Result<Vec<(f64, f64)>> {
    let ranking = Ranking::new(scores, labels)?;
    ranking.tally.needs_both("ROC curve")?;
    Ok(curve::roc(&ranking.tally))
}

/// Points `(recall, precision)` from the highest threshold to the lowest, at most 200.
///
/// # Errors
/// Lengths that differ, a score of NaN, or no anomaly among the labels.
pub fn pr_curve(scores: &[f64], labels: &[bool]) -> Result<Vec<(f64, f64)>> {
    let ranking = Ranking::new(scores, labels)?;
    ranking.tally.needs_anomalies("precision-recall curve")?;
    Ok(curve::precision_recall(&ranking.tally))
}

/// What became of labelled rows at a threshold. Ratios without a denominator are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confusion {
    /// Anomalies that were flagged.
    pub true_positives: u64,
    /// Normal rows that were flagged.
    pub false_positives: u64,
    /// Normal rows that were not flagged.
    pub true_negatives: u64,
    /// Anomalies that were not flagged.
    pub false_negatives: u64,
}

impl Confusion {
    /// Counts, with a row flagged where its score is above `threshold`; a score of NaN is not.
    ///
    /// # Errors
    /// Lengths that differ.
    pub fn at(scores: &[f64], labels: &[bool], threshold: f64) -> Result<Confusion> {
        if scores.len() != labels.len() {
            let message = format!("expected a label for each of {} scores, got {} labels", scores.len(), labels.len());
            return Err(Error::data(Place::default(), message));
        }
        let mut confusion = Confusion::default();
        for (&score, label) in scores.iter().zip(labels) {
            let count = match (score > threshold, label) {
                (true, true) => &mut confusion.true_positives,
                (true, false) => &mut confusion.false_positives,
                (false, false) => &mut confusion.true_negatives,
                (false, true) => &mut confusion.false_negatives,
            };
            *count += 1;
        }
        Ok(confusion)
    }

    /// The share of anomalies among flagged rows.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// The share of anomalies that were flagged.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self) -> Option<f64> {
        f1(self.true_positives, self.false_positives, self.true_positives + self.false_negatives)
    }

    /// The share of normal rows that were flagged.
    pub fn false_alarm_rate(&self) -> Option<f64> {
        ratio(self.false_positives, self.false_positives + self.true_negatives)
    }

    /// The share of rows that were told right.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.true_positives + self.true_negatives, self.n_rows())
    }

    /// All rows.
    pub fn n_rows(&self) -> u64 {
        self.true_positives + self.false_positives + self.true_negatives + self.false_negatives
    }
}

/// F1 of so many anomalies and normal rows flagged out of all `anomalies`; none where nothing is flagged or missed.
pub(super) fn f1(true_positives: u64, false_positives: u64, anomalies: u64) -> Option<f64> {
    ratio(2 * true_positives, true_positives + false_positives + anomalies)
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
