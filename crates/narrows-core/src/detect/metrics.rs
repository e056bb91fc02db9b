//! Detection metrics: area under the ROC curve, average precision, and the confusion matrix at a threshold.
//!
//!
//! Implemented here because each is a few lines on ranked rows, and because libraries differ in ties and missing classes.
//! The values equal scikit-learn's, which golden tests check.

use serde::{Deserialize, Serialize};

use super::curve;
use super::ranking::Ranking;
use crate::error::{Error, Place, Result};

/// Area under the ROC curve: the probability that an anomaly scores higher than a normal row, ties counting half.
///
/// # Errors
/// If lengths differ, a score is NaN, or there is only one class.
pub fn roc_auc(scores: &[f64], labels: &[bool]) -> Result<f64> {
    let ranking = Ranking::new(scores, labels)?;
    ranking.tally.needs_both("area under the ROC curve")?;
    Ok(ranking.tally.roc_auc())
}

/// Area under the stepwise precision-recall curve: scikit-learn's `average_precision_score`.
///
/// # Errors
/// If lengths differ, a score is NaN, or there are no anomalies.
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Result<f64> {
    let ranking = Ranking::new(scores, labels)?;
    ranking.tally.needs_anomalies("average precision")?;
    Ok(ranking.tally.average_precision())
}

/// Points `(false-alarm rate, recall)` from (0, 0) to (1, 1), at most 200.
///
/// # Errors
/// If lengths differ, a score is NaN, or there is only one class.
pub fn roc_curve(scores: &[f64], labels: &[bool]) -> Result<Vec<(f64, f64)>> {
    let ranking = Ranking::new(scores, labels)?;
    ranking.tally.needs_both("ROC curve")?;
    Ok(curve::roc(&ranking.tally))
}

/// Points `(recall, precision)` from the highest threshold to the lowest, at most 200.
///
/// # Errors
/// If lengths differ, a score is NaN, or there are no anomalies.
pub fn pr_curve(scores: &[f64], labels: &[bool]) -> Result<Vec<(f64, f64)>> {
    let ranking = Ranking::new(scores, labels)?;
    ranking.tally.needs_anomalies("precision-recall curve")?;
    Ok(curve::precision_recall(&ranking.tally))
}

/// Confusion matrix at a threshold. Ratios with denominator 0 are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confusion {
    /// Anomalies flagged (true positives).
    pub true_positives: u64,
    /// Normal rows flagged (false positives).
    pub false_positives: u64,
    /// Normal rows not flagged (true negatives).
    pub true_negatives: u64,
    /// Anomalies not flagged (false negatives).
    pub false_negatives: u64,
}

impl Confusion {
    /// Counts rows, flagged if their score is above `threshold`; NaN is not flagged.
    ///
    /// # Errors
    /// If lengths differ.
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

    /// Share of anomalies among flagged rows.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// Share of anomalies that are flagged.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> Option<f64> {
        f1(self.true_positives, self.false_positives, self.true_positives + self.false_negatives)
    }

    /// Share of normal rows that are flagged.
    pub fn false_alarm_rate(&self) -> Option<f64> {
        ratio(self.false_positives, self.false_positives + self.true_negatives)
    }

    /// Share of rows classified correctly.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.true_positives + self.true_negatives, self.n_rows())
    }

    /// All rows.
    pub fn n_rows(&self) -> u64 {
        self.true_positives + self.false_positives + self.true_negatives + self.false_negatives
    }
}

/// F1 of flagged anomalies and normal rows out of all `anomalies`; `None` with denominator 0.
pub(super) fn f1(true_positives: u64, false_positives: u64, anomalies: u64) -> Option<f64> {
    ratio(2 * true_positives, true_positives + false_positives + anomalies)
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::golden::{check_near, golden};

    #[test]
    fn areas_and_f1_are_those_of_scikit_learn() {
        for golden in golden("rankings") {
            let (scores, labels) = (golden.numbers("scores"), golden.labels("labels"));
            check_near(&[roc_auc(&scores, &labels).unwrap()], &[golden.number("roc_auc")], 1e-12);
            check_near(&[average_precision(&scores, &labels).unwrap()], &[golden.number("average_precision")], 1e-12);
            let confusion = Confusion::at(&scores, &labels, golden.number("threshold")).unwrap();
            check_near(&[confusion.f1().unwrap()], &[golden.number("f1_at_threshold")], 1e-12);
        }
    }

    #[test]
    fn the_best_threshold_has_the_best_f1() {
        for golden in golden("rankings") {
            let (scores, labels) = (golden.numbers("scores"), golden.labels("labels"));
            let threshold = Ranking::new(&scores, &labels).unwrap().best_f1("best_f1").unwrap();
            let confusion = Confusion::at(&scores, &labels, threshold).unwrap();
            check_near(&[confusion.f1().unwrap()], &[golden.number("best_f1")], 1e-12);
        }
    }

    #[test]
    fn ratios_are_of_the_right_counts() {
        let labels = [true, true, true, false, false, false, false, false];
        let scores = [9.0, 8.0, 1.0, 7.0, 2.0, 2.0, 3.0, f64::NAN];
        let confusion = Confusion::at(&scores, &labels, 5.0).unwrap();
        let expected = Confusion { true_positives: 2, false_positives: 1, true_negatives: 4, false_negatives: 1 };
        assert_eq!(confusion, expected);
        assert_eq!(confusion.precision(), Some(2.0 / 3.0));
        assert_eq!(confusion.recall(), Some(2.0 / 3.0));
        assert_eq!(confusion.f1(), Some(2.0 / 3.0));
        assert_eq!(confusion.false_alarm_rate(), Some(0.2));
        assert_eq!(confusion.accuracy(), Some(0.75));
    }

    #[test]
    fn a_score_equal_to_the_threshold_is_not_flagged() {
        assert_eq!(Confusion::at(&[1.0], &[true], 1.0).unwrap().false_negatives, 1);
    }

    #[test]
    fn ratios_without_a_denominator_are_none() {
        let confusion = Confusion::at(&[1.0], &[false], 2.0).unwrap();
        assert_eq!((confusion.precision(), confusion.recall(), confusion.f1()), (None, None, None));
        assert_eq!(Confusion::default().accuracy(), None);
        assert_eq!(Confusion::at(&[1.0], &[true], 2.0).unwrap().f1(), Some(0.0));
    }

    #[test]
    fn what_is_undefined_is_said_in_words() {
        let message = |result: Result<f64>| result.unwrap_err().to_string();
        assert_eq!(
            message(roc_auc(&[1.0, 2.0], &[false, false])),
            "input: area under the ROC curve: expected normal rows and anomalies, got 2 normal rows and 0 anomalies"
        );
        assert_eq!(
            message(average_precision(&[1.0], &[false])),
            "input: average precision: expected at least 1 anomaly among the labels, got 1 normal rows only"
        );
        assert_eq!(average_precision(&[1.0], &[true]).unwrap(), 1.0);
        assert_eq!(message(roc_auc(&[1.0], &[])), "input: expected a label for each of 1 scores, got 0 labels");
        assert_eq!(message(roc_auc(&[1.0, f64::NAN], &[true, false])), "row 1: expected a score, got NaN");
        assert!(Confusion::at(&[1.0], &[], 0.0).is_err());
        assert!(roc_curve(&[], &[]).is_err() && pr_curve(&[], &[]).is_err());
        assert_eq!(roc_curve(&[f64::INFINITY, 0.0], &[true, false]).unwrap().len(), 3);
    }
}
