//! The threshold and the held-out scores behind it: the only place that converts a score to a p-value and a verdict.

use super::scores::{ScoreCounts, ScoreFlag, Scores};
use crate::detect::{Calibration, Decision, Threshold};
use crate::error::Result;

/// A threshold with the calibration scores that it was set on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CalibratedThreshold {
    pub(crate) calibration: Calibration,
    pub(crate) decision: Decision,
}

impl CalibratedThreshold {
    /// Applies `rule` to held-out scores, without the share `contamination` of the highest.
    ///
    /// `blocks` is the number of independent blocks behind the held-out scores; `training` and `anomalous` are scores
    /// for the rules that need them.
    pub(crate) fn set(
        rule: &Threshold,
        contamination: f64,
        mut scores: Vec<f64>,
        blocks: Option<usize>,
        training: Vec<f64>,
        anomalous: &[f64],
    ) -> Result<CalibratedThreshold> {
        // The expected share of anomalies among the training rows applies to the held-out rows as well.
        if contamination > 0.0 {
            scores.sort_unstable_by(f64::total_cmp);
            scores.truncate(scores.len() - (contamination * scores.len() as f64).round() as usize);
        }
        let labelled = (!anomalous.is_empty()).then(|| {
            let labels: Vec<bool> = scores.iter().map(|_| false).chain(anomalous.iter().map(|_| true)).collect();
            ([scores.as_slice(), anomalous].concat(), labels)
        });
        let mut calibration = Calibration::new(scores, training)?;
        if let Some(blocks) = blocks {
            calibration = calibration.in_blocks(blocks);
        }
        let labelled = labelled.as_ref().map(|(scores, labels)| (scores.as_slice(), labels.as_slice()));
        let decision = rule.decide(&calibration, labelled)?;
        Ok(CalibratedThreshold { calibration, decision })
    }

    /// The same scores under another rule.
    ///
    /// # Errors
    /// If the rule needs labels, which a fitted model does not keep.
    pub(crate) fn with_rule(&self, rule: &Threshold) -> Result<CalibratedThreshold> {
        Ok(CalibratedThreshold { decision: rule.decide(&self.calibration, None)?, ..self.clone() })
    }

    /// The conformal p-value of a score; NaN for NaN.
    pub(crate) fn p_value(&self, score: f64) -> f64 {
        self.calibration.p_value(score)
    }

    /// Whether a score is above the threshold; false for NaN.
    pub(crate) fn is_anomaly(&self, score: f64) -> bool {
        self.decision.is_anomaly(score)
    }

    /// Scores with their p-values and verdicts; NaN is a missing score.
    pub(crate) fn scores(&self, score: Vec<f64>, counts: ScoreCounts) -> Scores {
        Scores {
            p_value: score.iter().map(|score| self.p_value(*score)).collect(),
            is_anomaly: score.iter().map(|score| self.is_anomaly(*score)).collect(),
            flag: score.iter().map(|score| if score.is_nan() { ScoreFlag::Missing } else { ScoreFlag::None }).collect(),
            counts,
            score,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibrated(contamination: f64, anomalous: &[f64]) -> CalibratedThreshold {
        let scores = (1..=100).map(f64::from).collect();
        CalibratedThreshold::set(&Threshold::Max, contamination, scores, None, Vec::new(), anomalous).unwrap()
    }

    #[test]
    fn a_score_equal_to_the_threshold_is_no_anomaly_and_no_score_is_none() {
        let scores = calibrated(0.0, &[]).scores(vec![100.0, 100.5, f64::NAN], ScoreCounts::default());
        assert_eq!(scores.is_anomaly, [false, true, false]);
        assert_eq!(scores.p_value[..2], [2.0 / 101.0, 1.0 / 101.0]);
        assert!(scores.p_value[2].is_nan());
    }

    #[test]
    fn the_expected_share_of_anomalies_is_left_out_of_the_calibration() {
        assert_eq!(calibrated(0.05, &[]).decision.threshold, 95.0);
        assert_eq!(calibrated(0.05, &[]).calibration.scores.len(), 95);
    }

    #[test]
    fn another_rule_uses_the_same_scores() {
        let calibrated = calibrated(0.0, &[]);
        let other = calibrated.with_rule(&"fixed=7".parse().unwrap()).unwrap();
        assert_eq!(other.decision.threshold, 7.0);
        assert_eq!(other.calibration, calibrated.calibration);
        assert!(calibrated.with_rule(&Threshold::BestF1).is_err(), "labels are not kept");
    }
}
