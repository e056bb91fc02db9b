//! All metrics of one detector on one labelled data set, with confidence intervals.

use serde::{Deserialize, Serialize};

use super::bootstrap::{self, Interval};
use super::metrics::Confusion;
use super::ranking::Ranking;
use crate::error::Result;

/// A metric and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// Value on these rows.
    pub value: f64,
    /// Lower bound of the bootstrap interval.
    pub low: f64,
    /// Upper bound of the bootstrap interval.
    pub high: f64,
}

/// Metrics of scores and a threshold on labelled rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdMetrics {
    /// Number of rows.
    pub n_rows: u64,
    /// Number of labelled anomalies.
    pub n_anomalies: u64,
    /// Area under the ROC curve; `None` without both classes.
    pub auc_roc: Option<Estimate>,
    /// Average precision; `None` without both classes.
    pub auc_pr: Option<Estimate>,
    /// F1 at the threshold; `None` without both classes.
    pub f1: Option<Estimate>,
    /// The threshold.
    pub threshold: f64,
    /// Confusion matrix at the threshold.
    pub confusion: Confusion,
    /// Why metrics are missing, if any are.
    pub note: Option<String>,
}

impl ThresholdMetrics {
    /// Evaluates scores at a threshold; labels are true for anomalies, `seed` seeds the bootstrap.
    ///
    /// # Errors
    /// If lengths differ or a score is NaN. Labels of one class are no error: metrics that need both are `None`.
    pub fn new(scores: &[f64], labels: &[bool], threshold: f64, seed: u64) -> Result<ThresholdMetrics> {
        let ranking = Ranking::new(scores, labels)?;
        let confusion = Confusion::at(scores, labels, threshold)?;
        let total = ranking.tally.totals();
        let mut evaluation = ThresholdMetrics {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::random::Stream;
    use crate::detect::metrics::{average_precision, roc_auc};

    /// Scores with a true area under the ROC curve of 0.76: two normal distributions one standard deviation apart.
    fn drawn(n: usize, seed: u64) -> (Vec<f64>, Vec<bool>) {
        let mut stream = Stream::new(seed, 99);
        let labels: Vec<bool> = (0..n).map(|i| i % 5 == 0).collect();
        (labels.iter().map(|&label| stream.normal() + f64::from(u8::from(label))).collect(), labels)
    }

    #[test]
    fn values_are_those_of_the_metrics_and_lie_inside_their_intervals() {
        let (scores, labels) = drawn(300, 1);
        let evaluation = ThresholdMetrics::new(&scores, &labels, 1.0, 7).unwrap();
        let (roc, pr, f1) = (evaluation.auc_roc.unwrap(), evaluation.auc_pr.unwrap(), evaluation.f1.unwrap());
        assert_eq!(roc.value, roc_auc(&scores, &labels).unwrap());
        assert_eq!(pr.value, average_precision(&scores, &labels).unwrap());
        assert_eq!(Some(f1.value), evaluation.confusion.f1());
        for estimate in [roc, pr, f1] {
            assert!(estimate.low < estimate.value && estimate.value < estimate.high, "{estimate:?}");
        }
        assert_eq!((evaluation.n_rows, evaluation.n_anomalies, evaluation.note), (300, 60, None));
    }

    #[test]
    fn an_interval_depends_on_the_seed_alone() {
        let (scores, labels) = drawn(200, 2);
        let with = |threads: usize, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| ThresholdMetrics::new(&scores, &labels, 1.0, seed).unwrap())
        };
        assert_eq!(with(1, 3), with(4, 3));
        assert_ne!(with(1, 3).auc_roc, with(1, 4).auc_roc);
    }

    #[test]
    fn intervals_hold_the_truth_about_as_often_as_they_say() {
        let truth = 0.760_249_938_906_523_8; // the normal distribution function at 1 / sqrt(2)
        let n_data_sets = 200;
        let holds = (0..n_data_sets).filter(|&seed| {
            let (scores, labels) = drawn(200, seed);
            let estimate = ThresholdMetrics::new(&scores, &labels, 1.0, seed).unwrap().auc_roc.unwrap();
            (estimate.low..=estimate.high).contains(&truth)
        });
        let share = holds.count() as f64 / n_data_sets as f64;
        // Four standard errors, and two percentage points for the bias of percentile intervals at this size.
        assert!((share - 0.95).abs() < 0.02 + 4.0 * (0.95 * 0.05 / n_data_sets as f64).sqrt(), "{share}");
    }

    #[test]
    fn labels_of_one_kind_leave_a_note_and_the_counts() {
        let evaluation = ThresholdMetrics::new(&[1.0, 3.0], &[false, false], 2.0, 0).unwrap();
        assert_eq!((evaluation.auc_roc, evaluation.auc_pr, evaluation.f1), (None, None, None));
        assert_eq!(evaluation.confusion.false_alarm_rate(), Some(0.5));
        assert!(evaluation.note.unwrap().contains("got 2 normal rows and 0 anomalies"));
        assert!(ThresholdMetrics::new(&[], &[], 0.0, 0).unwrap().note.is_some());
        assert!(ThresholdMetrics::new(&[f64::NAN], &[true], 0.0, 0).is_err());
    }
}
