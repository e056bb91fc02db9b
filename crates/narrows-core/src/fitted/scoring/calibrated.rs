//! The threshold and the held-out scores behind it: the only place that converts a score to a p-value and a verdict.

use super::scores::{ScoreCounts, ScoreFlag, Scores};
use crate::choice::Choice;
use crate::detect::set_aside::KeptScores;
use crate::detect::{Calibration, Decision, SetAsideBy, Threshold};
use crate::error::Result;
use crate::range::Contamination;
use crate::report::TrimmedThreshold;

/// The share of the calibration scores that might be of anomalies.
const TRIMMED: f64 = 0.01;

/// A threshold with the calibration scores that it was set on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CalibratedThreshold {
    pub(crate) calibration: Calibration,
    pub(crate) decision: Decision,
}

/// The scores that a threshold is set on.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldOutScores<'a> {
    /// Scores of rows that never train, of points in the order of time.
    pub(crate) scores: Vec<f64>,
    /// The number of independent blocks behind them, if fewer.
    pub(crate) blocks: Option<usize>,
    /// Scores of training rows, for the rule that needs them.
    pub(crate) training: Vec<f64>,
    /// Scores of rows labelled anomalous, for the rule that needs them.
    pub(crate) anomalous: &'a [f64],
    /// Whether a label says that the held-out rows are normal.
    pub(crate) is_labelled: bool,
}

impl CalibratedThreshold {
    /// Applies `rule` to held-out scores, without anomalies among them: the given share, or those set off by a gap unless a
    /// label says that there are none.
    pub(crate) fn set(
        rule: &Threshold,
        contamination: &Choice<Contamination>,
        held_out: HeldOutScores<'_>,
    ) -> Result<CalibratedThreshold> {
        let HeldOutScores { scores, blocks, training, anomalous, is_labelled } = held_out;
        let KeptScores { scores, blocks, set_aside } = if is_labelled && *contamination == Choice::Auto {
            KeptScores::all(scores, blocks)
        } else {
            KeptScores::without_anomalies(scores, blocks, contamination)
        };
        let labelled = (!anomalous.is_empty()).then(|| {
            let labels: Vec<bool> = scores.iter().map(|_| false).chain(anomalous.iter().map(|_| true)).collect();
            ([scores.as_slice(), anomalous].concat(), labels)
        });
        let mut calibration = Calibration::new(scores, training)?;
        if let Some(blocks) = blocks {
            calibration = calibration.in_blocks(blocks);
        }
        let labelled = labelled.as_ref().map(|(scores, labels)| (scores.as_slice(), labels.as_slice()));
        let decision = Decision { set_aside, ..rule.decide(&calibration, labelled)? };
        Ok(CalibratedThreshold { calibration, decision })
    }

    /// The same scores under another rule.
    ///
    /// # Errors
    /// If the rule needs labels, which a fitted model does not keep.
    pub(crate) fn with_rule(&self, rule: &Threshold) -> Result<CalibratedThreshold> {
        let decision = rule.decide(&self.calibration, None)?;
        Ok(CalibratedThreshold {
            decision: Decision { set_aside: self.decision.set_aside, ..decision },
            ..self.clone()
        })
    }

    /// The threshold without the highest hundredth of the calibration scores; `None` if the rule does not depend on them, or
    /// they are not of single rows.
    pub(crate) fn trimmed(&self) -> Option<TrimmedThreshold> {
        let scores = &self.calibration.scores;
        let left_out = (scores.len() as f64 * TRIMMED).round() as usize;
        if left_out == 0 || self.calibration.blocks < scores.len() {
            return None;
        }
        let kept =
            Calibration::new(scores[..scores.len() - left_out].to_vec(), self.calibration.training.clone()).ok()?;
        let decision = self.decision.rule.decide(&kept, None).ok()?;
        let flagged = |decision: &Decision| scores.iter().filter(|score| decision.is_anomaly(**score)).count();
        let more = flagged(&decision).checked_sub(flagged(&self.decision)).filter(|more| *more > 0)?;
        Some(TrimmedThreshold {
            left_out: left_out as u64,
            threshold: decision.threshold,
            flagged_more: more as f64 / scores.len() as f64,
        })
    }

    /// What a user of the threshold should know.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let set_aside = self.decision.set_aside.filter(|set_aside| set_aside.by == SetAsideBy::Gap);
        self.decision.warning.clone().into_iter().chain(set_aside.map(|set_aside| set_aside.describe())).collect()
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

    fn set(contamination: &Choice<Contamination>, is_labelled: bool, absurd: f64) -> CalibratedThreshold {
        let scores = (1..=100).map(|i| if i == 100 { absurd } else { 1.0 + 0.01 * f64::from(i) }).collect();
        let held_out = HeldOutScores { scores, is_labelled, ..HeldOutScores::default() };
        CalibratedThreshold::set(&Threshold::Max, contamination, held_out).unwrap()
    }

    fn calibrated(share: f64) -> CalibratedThreshold {
        let scores = (1..=100).map(f64::from).collect();
        let share = Choice::Given(Contamination::try_from(share).unwrap());
        let held_out = HeldOutScores { scores, ..HeldOutScores::default() };
        CalibratedThreshold::set(&Threshold::Max, &share, held_out).unwrap()
    }

    #[test]
    fn a_score_equal_to_the_threshold_is_no_anomaly_and_no_score_is_none() {
        let scores = calibrated(0.0).scores(vec![100.0, 100.5, f64::NAN], ScoreCounts::default());
        assert_eq!(scores.is_anomaly, [false, true, false]);
        assert_eq!(scores.p_value[..2], [2.0 / 101.0, 1.0 / 101.0]);
        assert!(scores.p_value[2].is_nan());
    }

    #[test]
    fn the_expected_share_of_anomalies_is_left_out_of_the_calibration() {
        assert_eq!(calibrated(0.05).decision.threshold, 95.0);
        assert_eq!(calibrated(0.05).calibration.scores.len(), 95);
    }

    #[test]
    fn the_threshold_without_the_highest_scores_is_told() {
        let scores: Vec<f64> = (1..=1000).map(f64::from).collect();
        let set = |rule: &str, blocks: Option<usize>| {
            let held_out =
                HeldOutScores { scores: scores.clone(), blocks, is_labelled: true, ..HeldOutScores::default() };
            CalibratedThreshold::set(&rule.parse().unwrap(), &Choice::Auto, held_out).unwrap()
        };
        let found = set("false_alarm_rate=0.02", None).trimmed().unwrap();
        // Of 990 the 971st, where it was the 981st of 1,000.
        assert_eq!((found.left_out, found.threshold), (10, 972.0));
        assert!((found.flagged_more - 0.009).abs() < 1e-9, "{found:?}");
        assert_eq!(set("fixed=7", None).trimmed(), None);
        assert_eq!(set("max", Some(30)).trimmed(), None);
    }

    #[test]
    fn another_rule_uses_the_same_scores() {
        let calibrated = calibrated(0.0);
        let other = calibrated.with_rule(&"fixed=7".parse().unwrap()).unwrap();
        assert_eq!(other.decision.threshold, 7.0);
        assert_eq!(other.calibration, calibrated.calibration);
        assert!(calibrated.with_rule(&Threshold::BestF1).is_err(), "labels are not kept");
    }

    #[test]
    fn a_gap_is_found_and_told_unless_a_label_says_that_all_is_normal() {
        let found = set(&Choice::Auto, false, 1e6);
        assert_eq!(found.decision.threshold, 1.99);
        assert_eq!(found.decision.set_aside.map(|set_aside| (set_aside.count, set_aside.of)), Some((1, 100)));
        assert!(found.warnings()[0].contains("1 of 100 held-out scores is far above the others"), "{found:?}");
        // p-values rest on the same scores as the threshold.
        assert_eq!(found.p_value(1e5), 1.0 / 100.0);
        let other = found.with_rule(&"fixed=7".parse().unwrap()).unwrap();
        assert_eq!(other.decision.set_aside, found.decision.set_aside);

        let labelled = set(&Choice::Auto, true, 1e6);
        assert_eq!((labelled.decision.threshold, labelled.warnings().len()), (1e6, 0));
        assert_eq!(set(&Choice::Auto, false, 2.0).decision.set_aside, None);
    }
}
