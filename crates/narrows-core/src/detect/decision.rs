//! From a threshold rule and scores to a threshold and its guarantee.
//!
//! The guaranteed rate bounds the probability that a new normal row, exchangeable with the calibration rows, scores
//! above the threshold. A threshold of at least the `j`-th smallest of `n` calibration scores gives the bound
//! `(n + 1 - j) / (n + 1)`, whatever the model and the distribution.

use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, quantile};
use super::pot::Pareto;
use super::ranking::Ranking;
use super::set_aside::SetAside;
use super::threshold::Threshold;
use crate::error::{Error, Place, Result};

/// With fewer peaks the tail starts at a lower level, since a fit of two parameters needs some.
const MIN_PEAKS: usize = 10;
/// With fewer calibration scores no tail is fitted.
const MIN_SCORES_FOR_TAIL: usize = 20;

/// A threshold and its origin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Rows with higher scores are anomalies.
    pub threshold: f64,
    /// The rule that set it.
    pub rule: Threshold,
    /// Upper bound on the share of normal rows flagged, on average over calibrations; `None` without a guarantee.
    pub promised_rate: Option<f64>,
    /// Where the rule could not be applied as requested.
    pub warning: Option<String>,
    /// Held-out scores that are not among those it was applied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<SetAside>,
}

impl Decision {
    /// Whether a score is above the threshold: the only place where the two are compared. NaN, no score, is not.
    pub fn is_anomaly(&self, score: f64) -> bool {
        score > self.threshold
    }
}

impl Threshold {
    /// Sets the threshold. `labelled` are scores of other rows with true for an anomaly, needed by `best_f1` only.
    ///
    /// # Errors
    /// If the rule lacks what it needs: held-out scores, training scores, labels of both classes, or a `pot` rate below
    /// `1 - tail`.
    pub fn decide(&self, calibration: &Calibration, labelled: Option<(&[f64], &[bool])>) -> Result<Decision> {
        let scores = calibration.scores.as_slice();
        let decision = |threshold: f64| self.decision(threshold, None, None);
        let found = match self {
            Threshold::FalseAlarmRate { rate } => {
                self.some("held-out", scores)?;
                self.conformal(calibration, rate.get())
            }
            Threshold::Quantile { q } => {
                let scores = self.some("held-out", scores)?;
                let rank = ((scores.len() - 1) as f64 * q.get()).floor() as usize + 1;
                Decision { promised_rate: Some(guaranteed_rate(calibration, rank)), ..decision(at(scores, q.get())) }
            }
            Threshold::MeanStd { k } => {
                let scores = self.some("held-out", scores)?;
                let (mean, std) = mean_std(scores);
                decision(mean + k.get() * std)
            }
            Threshold::Max => {
                let scores = self.some("held-out", scores)?;
                Decision {
                    promised_rate: Some(guaranteed_rate(calibration, scores.len())),
                    ..decision(scores[scores.len() - 1])
                }
            }
            Threshold::Contamination { share } => {
                decision(at(self.some("training", &calibration.training)?, 1.0 - share.get()))
            }
            Threshold::Pot { rate, tail } => {
                self.some("held-out", scores)?;
                self.pot(calibration, rate.get(), tail.get())?
            }
            Threshold::Fixed { value } => decision(value.get()),
            Threshold::BestF1 => {
                let (scores, labels) = labelled.ok_or_else(|| {
                    Error::recipe("threshold", "best_f1: expected labelled rows, got none")
                        .with_hint("name the label column, or choose another rule such as `false_alarm_rate=0.01`")
                })?;
                decision(Ranking::new(scores, labels)?.best_f1("best_f1")?)
            }
        };
        if found.threshold.is_finite() {
            Ok(found)
        } else {
            let message = format!("threshold {self}: expected a finite threshold, got {}", found.threshold);
            Err(Error::data(Place::default(), message))
        }
    }

    fn some<'a>(&self, which: &str, scores: &'a [f64]) -> Result<&'a [f64]> {
        if scores.is_empty() {
            let message = format!("threshold {self}: expected at least 1 {which} score, got none");
            return Err(
                Error::data(Place::default(), message).with_hint("give more rows, or a threshold with `fixed=`")
            );
        }
        Ok(scores)
    }

    /// The smallest score with the guarantee, or the greatest score if none has it.
    fn conformal(&self, calibration: &Calibration, rate: f64) -> Decision {
        let rising = calibration.scores.as_slice();
        let (n, blocks) = (rising.len() as f64, calibration.blocks as f64);
        // Rounding errors must not change the rank: 1000 * 0.9 is 900.
        let rank = (n - n / blocks * (rate * (blocks + 1.0) - 1.0) - 1e-9).ceil().max(1.0);
        let needed = (1.0 / rate - 1e-9).ceil() - 1.0;
        let warning = (rank > n).then(|| {
            let best = guaranteed_rate(calibration, rising.len());
            let units =
                if calibration.blocks < rising.len() { "independent held-out windows" } else { "held-out rows" };
            format!(
                "a false-alarm rate of {rate} needs {needed} {units}, got {blocks}: only {best:.4} can be guaranteed"
            )
        });
        let rank = rank.min(n) as usize;
        let promised_rate = Some(guaranteed_rate(calibration, rank));
        self.decision(rising[rank - 1], promised_rate, warning)
    }

    fn decision(&self, threshold: f64, promised_rate: Option<f64>, warning: Option<String>) -> Decision {
        Decision { threshold, rule: self.clone(), promised_rate, warning, set_aside: None }
    }

    fn pot(&self, calibration: &Calibration, rate: f64, tail: f64) -> Result<Decision> {
        let rising = calibration.scores.as_slice();
        // With a tolerance, so that 0.02 is not below 1 - 0.98.
        if rate >= 1.0 - tail - 1e-12 {
            let message = format!("pot: expected a rate below 1 - tail = {:.6}, got {rate}", 1.0 - tail);
            let hint = format!("lower the tail, or choose `false_alarm_rate={rate}`");
            return Err(Error::recipe("threshold", message).with_hint(hint));
        }
        let n = rising.len();
        let mut warning = None;
        let mut level = at(rising, tail);
        let peaks = |level: f64| rising.iter().map(|score| score - level).filter(|&y| y > 0.0).collect::<Vec<f64>>();
        let mut excesses = peaks(level);
        if excesses.len() < MIN_PEAKS && n >= MIN_SCORES_FOR_TAIL {
            level = rising[n - MIN_PEAKS - 1];
            excesses = peaks(level);
            let share = excesses.len() as f64 / n as f64;
            warning = Some(format!(
                "the tail starts at the quantile {:.4} instead of {tail}: {n} held-out rows leave too few scores above it",
                1.0 - share
            ));
        }
        let share = excesses.len() as f64 / n as f64;
        let fitted = if n >= MIN_SCORES_FOR_TAIL && rate < share { Pareto::fit(&excesses) } else { None };
        let threshold = fitted.map(|pareto| level + pareto.exceeded_with(rate / share)).filter(|t| t.is_finite());
        Ok(match threshold {
            Some(threshold) => self.decision(threshold, None, warning),
            None => {
                let conformal = self.conformal(calibration, rate);
                let reason = format!("no tail could be fitted to {} distinct scores out of {n}", distinct(&excesses));
                let rest = conformal.warning.map_or(String::new(), |more| format!("; {more}"));
                let warning = Some(format!("{reason}: the false-alarm rule was used instead{rest}"));
                Decision { warning, ..conformal }
            }
        })
    }
}

/// The rate guaranteed by a threshold of at least the `rank`-th smallest score.
fn guaranteed_rate(calibration: &Calibration, rank: usize) -> f64 {
    let (n, blocks) = (calibration.scores.len(), calibration.blocks);
    let above = (n - rank) as f64;
    if blocks == n {
        (above + 1.0) / (n as f64 + 1.0)
    } else {
        (1.0 + above / n as f64 * blocks as f64) / (blocks as f64 + 1.0)
    }
}

fn at(rising: &[f64], q: f64) -> f64 {
    quantile(rising, q).unwrap_or(f64::NAN)
}

fn distinct(falling_or_rising: &[f64]) -> usize {
    falling_or_rising.chunk_by(|a, b| a == b).count()
}

/// The mean and the standard deviation (divisor `n`).
fn mean_std(scores: &[f64]) -> (f64, f64) {
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let variance = scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::baseline::golden::check_near;
    use crate::baseline::random::Stream;

    fn calibration(scores: &[f64]) -> Calibration {
        Calibration::new(scores.to_vec(), vec![]).unwrap()
    }

    fn hundred() -> Calibration {
        let scores: Vec<f64> = (1..=100).map(f64::from).collect();
        Calibration::new(scores.clone(), scores.iter().map(|s| s / 10.0).collect()).unwrap()
    }

    fn check_decision(rule: &str, calibration: &Calibration, threshold: f64, promised: Option<f64>, warning: &str) {
        let rule: Threshold = rule.parse().unwrap();
        let decision = rule.decide(calibration, None).unwrap();
        check_near(&[decision.threshold], &[threshold], 1e-12);
        assert_eq!(decision.promised_rate, promised);
        assert_eq!(decision.warning.as_deref().unwrap_or(""), warning);
        assert_eq!(decision.rule, rule);
    }

    fn check_refused(rule: &str, calibration: &Calibration, message: &str) {
        assert_eq!(rule.parse::<Threshold>().unwrap().decide(calibration, None).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_false_alarm_rate_is_a_rank() {
        // ceil(101 * 0.95) = 96
        check_decision("false_alarm_rate=0.05", &hundred(), 96.0, Some(5.0 / 101.0), "");
        // ceil(10 * 0.9) = 9: no rank is lost to rounding
        check_decision("false_alarm_rate=0.1", &calibration(&[1., 2., 3., 4., 5., 6., 7., 8., 9.]), 9.0, Some(0.1), "");
        check_decision("false_alarm_rate=0.99", &calibration(&[1.0, 2.0]), 1.0, Some(2.0 / 3.0), "");
    }

    #[test]
    fn a_rate_that_needs_more_rows_says_how_many() {
        let few = calibration(&[3.0, 1.0, 2.0]);
        let warning = "a false-alarm rate of 0.01 needs 99 held-out rows, got 3: only 0.2500 can be guaranteed";
        check_decision("false_alarm_rate=0.01", &few, 3.0, Some(0.25), warning);
        let enough: Vec<f64> = (0..99).map(f64::from).collect();
        check_decision("false_alarm_rate=0.01", &calibration(&enough), 98.0, Some(0.01), "");
    }

    #[test]
    fn plain_rules_are_what_they_say() {
        check_decision("quantile=0.9", &hundred(), 90.1, Some(11.0 / 101.0), "");
        check_decision("max", &hundred(), 100.0, Some(1.0 / 101.0), "");
        check_decision("mean_std=2", &hundred(), 50.5 + 2.0 * (9999.0_f64 / 12.0).sqrt(), None, "");
        check_decision("fixed=-3", &Calibration::default(), -3.0, None, "");
    }

    #[test]
    fn contamination_flags_its_share_of_the_training_rows() {
        for share in [0.0, 0.05, 0.1, 0.37] {
            let rule = Threshold::Contamination { share: share.try_into().unwrap() };
            let threshold = rule.decide(&hundred(), None).unwrap().threshold;
            let flagged = hundred().training.iter().filter(|&&score| score > threshold).count();
            assert_eq!(flagged, (100.0 * share) as usize);
        }
    }

    #[test]
    fn best_f1_sees_labels() {
        let decide = |scores: &[f64], labels: &[bool]| Threshold::BestF1.decide(&hundred(), Some((scores, labels)));
        assert_eq!(decide(&[1.0, 2.0, 4.0, 5.0], &[false, false, true, true]).unwrap().threshold, 3.0);
        let all = decide(&[1.0, 1.0], &[true, true]).unwrap().threshold;
        assert!(all < 1.0 && all > 0.999);
        let message = "input: best_f1: expected at least 1 anomaly among the labels, got 2 normal rows only";
        assert_eq!(decide(&[1.0, 2.0], &[false, false]).unwrap_err().to_string(), message);
        let ulp = 1.0_f64.next_up();
        assert_eq!(decide(&[1.0, ulp], &[false, true]).unwrap().threshold, 1.0);
    }

    #[test]
    fn a_rule_without_what_it_needs_is_refused() {
        let none = Calibration::default();
        for rule in ["false_alarm_rate=0.01", "quantile=0.9", "mean_std=3", "max", "pot=0.001"] {
            check_refused(
                rule,
                &none,
                &format!("input: threshold {rule}: expected at least 1 held-out score, got none"),
            );
        }
        let message = "input: threshold contamination=0.1: expected at least 1 training score, got none";
        check_refused("contamination=0.1", &none, message);
        check_refused("best_f1", &none, "threshold: best_f1: expected labelled rows, got none");
        let message = "threshold: pot: expected a rate below 1 - tail = 0.020000, got 0.02";
        check_refused("pot=0.02", &hundred(), message);
        let message = "input: threshold mean_std=3: expected a finite threshold, got inf";
        check_refused("mean_std=3", &calibration(&[f64::MAX, f64::MAX]), message);
    }

    #[test]
    fn pot_finds_rare_quantiles_that_were_never_seen() {
        // Exponential scores: the quantile exceeded with 1e-4 is ln(1e4) = 9.21. Counting cannot know it from 5000.
        let rule: Threshold = "pot=0.0001".parse().unwrap();
        let thresholds: Vec<f64> = (0..40)
            .map(|key| {
                let mut stream = Stream::new(17, key);
                let scores = (0..5000).map(|_| -(1.0 - stream.uniform()).ln()).collect::<Vec<f64>>();
                let decision = rule.decide(&calibration(&scores), None).unwrap();
                assert_eq!((decision.promised_rate, decision.warning), (None, None));
                decision.threshold
            })
            .collect();
        let mean = thresholds.iter().sum::<f64>() / 40.0;
        assert!((mean - 1e4_f64.ln()).abs() < 0.6, "{mean}");
    }

    #[test]
    fn pot_without_a_tail_falls_back_and_says_so() {
        let warning =
            "the tail starts at the quantile 0.9000 instead of 0.98: 100 held-out rows leave too few scores above it";
        let decision = "pot=0.001".parse::<Threshold>().unwrap().decide(&hundred(), None).unwrap();
        assert_eq!(decision.warning.as_deref(), Some(warning));
        assert!(decision.threshold > 99.0 && decision.threshold < 130.0);
        let equal = calibration(&[2.0; 200]);
        let decision = "pot=0.01".parse::<Threshold>().unwrap().decide(&equal, None).unwrap();
        let warning = "no tail could be fitted to 0 distinct scores out of 200: the false-alarm rule was used instead";
        assert_eq!((decision.threshold, decision.warning.as_deref()), (2.0, Some(warning)));
        assert_eq!(decision.promised_rate, Some(2.0 / 201.0));
        let few = "pot=0.01".parse::<Threshold>().unwrap().decide(&calibration(&[1.0, 5.0]), None).unwrap();
        assert_eq!((few.threshold, few.promised_rate), (5.0, Some(1.0 / 3.0)));
        assert!(few.warning.unwrap().contains("needs 99 held-out rows, got 2"));
    }

    #[test]
    fn false_alarms_are_as_rare_as_promised_on_average_over_calibrations() {
        // 400 calibrations of 60 rows, 200 new rows each, scores of a skewed distribution.
        let (n_calibrations, n_new) = (400_u64, 200_u64);
        for rate in [0.05, 0.1, 0.3] {
            let rule = Threshold::FalseAlarmRate { rate: rate.try_into().unwrap() };
            let (mut alarms, mut promised) = (Vec::new(), 0.0);
            for key in 0..n_calibrations {
                let mut stream = Stream::new(23, key);
                let scores: Vec<f64> = (0..60).map(|_| stream.normal().exp()).collect();
                let decision = rule.decide(&calibration(&scores), None).unwrap();
                promised = decision.promised_rate.unwrap();
                let above = (0..n_new).filter(|_| stream.normal().exp() > decision.threshold).count();
                alarms.push(above as f64 / n_new as f64);
            }
            let n = n_calibrations as f64;
            let mean = alarms.iter().sum::<f64>() / n;
            let error = (alarms.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / n / n).sqrt();
            assert!(promised <= rate && (mean - promised).abs() < 1.96 * error, "{rate}: {mean} {promised} {error}");
        }
    }

    fn rates() -> impl Strategy<Value = f64> {
        0.001..0.999_f64
    }

    proptest! {
        #[test]
        fn a_row_is_flagged_where_its_p_value_is_within_the_promise(
            scores in prop::collection::vec(-5..5_i32, 1..60), score in -6..6_i32, rate in rates(),
        ) {
            // Integers, which give many ties.
            let calibration = calibration(&scores.iter().map(|&s| f64::from(s)).collect::<Vec<_>>());
            let decision = Threshold::FalseAlarmRate { rate: rate.try_into().unwrap() }.decide(&calibration, None).unwrap();
            let promised = decision.promised_rate.unwrap();
            let score = f64::from(score);
            prop_assert_eq!(score > decision.threshold, calibration.p_value(score) <= promised + 1e-12);
            prop_assert!(promised <= rate + 1e-9 || decision.warning.is_some());
        }

        #[test]
        fn a_stricter_rule_never_has_a_lower_threshold(
            scores in prop::collection::vec(-1e3..1e3_f64, 1..200), a in rates(), b in rates(),
        ) {
            let calibration = Calibration::new(scores.clone(), scores).unwrap();
            let (low, high) = (a.min(b), a.max(b));
            let at = |rule: Threshold| rule.decide(&calibration, None).unwrap().threshold;
            let rate = |r: f64| at(Threshold::FalseAlarmRate { rate: r.try_into().unwrap() });
            prop_assert!(rate(low) >= rate(high));
            let quantile = |q: f64| at(Threshold::Quantile { q: q.try_into().unwrap() });
            prop_assert!(quantile(low) <= quantile(high));
            let share = |s: f64| at(Threshold::Contamination { share: (s / 2.0).try_into().unwrap() });
            prop_assert!(share(low) >= share(high));
            let k = |k: f64| at(Threshold::MeanStd { k: k.try_into().unwrap() });
            prop_assert!(k(low) <= k(high));
            let tail = 0.5.try_into().unwrap();
            let pot = |r: f64| at(Threshold::Pot { rate: (r / 2.1).try_into().unwrap(), tail });
            prop_assert!(pot(low) >= pot(high) - 1e-9);
            prop_assert!(at(Threshold::Max) >= quantile(high));
        }

        #[test]
        fn a_p_value_falls_as_the_score_rises(
            scores in prop::collection::vec(-1e3..1e3_f64, 0..100), a in -2e3..2e3_f64, b in -2e3..2e3_f64,
        ) {
            let calibration = calibration(&scores);
            prop_assert!(calibration.p_value(a.min(b)) >= calibration.p_value(a.max(b)));
            prop_assert!((0.0..=1.0).contains(&calibration.p_value(a)) && calibration.p_value(a) > 0.0);
        }
    }
}
