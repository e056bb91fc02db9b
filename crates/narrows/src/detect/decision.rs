//! From a rule and scores to a threshold, with what can be promised of it.
//!
//! A promise is the greatest probability with which a new normal row, exchangeable with the calibration rows, scores
//! above the threshold. A threshold no lower than the `j`-th smallest of `n` calibration scores keeps it below
//! `(n + 1 - j) / (n + 1)`, whatever the model and the distribution.

use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, quantile};
use super::pot::Pareto;
use super::ranking::Ranking;
use super::threshold::Threshold;
use crate::error::{Error, Place, Result};

/// Tails of fewer scores are begun lower: below this a fit of two parameters means little.
const MIN_PEAKS: usize = 10;
/// Below so many calibration scores there is no tail to speak of.
const MIN_SCORES_FOR_TAIL: usize = 20;

/// A threshold and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// A row is an anomaly where its score is above this.
    pub threshold: f64,
    /// The rule that chose it.
    pub rule: Threshold,
    /// At most this share of normal rows will be flagged, on average over calibrations; none where nothing is promised.
    pub promised_rate: Option<f64>,
    /// What the user should know: the rule could not do all that was asked.
    pub warning: Option<String>,
}

impl Threshold {
    /// Chooses the threshold; `labelled` are scores of other rows with true for an anomaly, needed by `best_f1` alone.
    ///
    /// # Errors
    /// A rule without what it needs: held-out scores, training scores, labels of both kinds, a `pot` rate below
    /// `1 - tail`.
    pub fn decide(&self, calibration: &Calibration, labelled: Option<(&[f64], &[bool])>) -> Result<Decision> {
        let scores = calibration.scores.as_slice();
        let decision = |threshold: f64| Decision { threshold, rule: self.clone(), promised_rate: None, warning: None };
        let found = match self {
            Threshold::FalseAlarmRate { rate } => self.conformal(self.some("held-out", scores)?, rate.get()),
            Threshold::Quantile { q } => {
                let scores = self.some("held-out", scores)?;
                let rank = ((scores.len() - 1) as f64 * q.get()).floor() as usize + 1;
                Decision { promised_rate: Some(promise(scores, rank)), ..decision(at(scores, q.get())) }
            }
            Threshold::MeanStd { k } => {
                let scores = self.some("held-out", scores)?;
                let (mean, std) = mean_std(scores);
                decision(mean + k.get() * std)
            }
            Threshold::Max => {
                let scores = self.some("held-out", scores)?;
                Decision { promised_rate: Some(promise(scores, scores.len())), ..decision(scores[scores.len() - 1]) }
            }
            Threshold::Contamination { share } => {
                decision(at(self.some("training", &calibration.training)?, 1.0 - share.get()))
            }
            Threshold::Pot { rate, tail } => self.pot(self.some("held-out", scores)?, rate.get(), tail.get())?,
            Threshold::Fixed { value } => decision(value.get()),
            Threshold::BestF1 => {
                let (scores, labels) = labelled.ok_or_else(|| {
                    Error::recipe("threshold", "best_f1: expected labelled rows, got none")
                        .with_hint("name the column of labels, or choose another rule such as `false_alarm_rate=0.01`")
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

    /// The smallest score that keeps the promise, or the greatest score where none does.
    fn conformal(&self, rising: &[f64], rate: f64) -> Decision {
        let n = rising.len();
        // A rounding error must not cost a rank: 1000 * 0.9 is 900, whatever the last bit says.
        let rank = ((n + 1) as f64 * (1.0 - rate) - 1e-9).ceil().max(1.0) as usize;
        let needed = (1.0 / rate - 1e-9).ceil() - 1.0;
        let warning = (rank > n).then(|| {
            let best = promise(rising, n);
            format!(
                "a false-alarm rate of {rate} needs {needed} held-out rows, got {n}: only {best:.4} can be promised"
            )
        });
        let rank = rank.min(n);
        let promised_rate = Some(promise(rising, rank));
        Decision { threshold: rising[rank - 1], rule: self.clone(), promised_rate, warning }
    }

    fn pot(&self, rising: &[f64], rate: f64, tail: f64) -> Result<Decision> {
        // Compared with a rounding error's room, so that 0.02 is not below 1 - 0.98.
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
                "the tail was begun at the quantile {:.4} instead of {tail}: {n} held-out rows leave too few above that",
                1.0 - share
            ));
        }
        let share = excesses.len() as f64 / n as f64;
        let fitted = if n >= MIN_SCORES_FOR_TAIL && rate < share { Pareto::fit(&excesses) } else { None };
        let threshold = fitted.map(|pareto| level + pareto.exceeded_with(rate / share)).filter(|t| t.is_finite());
        Ok(match threshold {
            Some(threshold) => Decision { threshold, rule: self.clone(), promised_rate: None, warning },
            None => {
                let conformal = self.conformal(rising, rate);
                let reason = format!("no tail could be fitted to {} different scores out of {n}", distinct(&excesses));
                let rest = conformal.warning.map_or(String::new(), |more| format!("; {more}"));
                let warning = Some(format!("{reason}: the false-alarm rule was used instead{rest}"));
                Decision { warning, ..conformal }
            }
        })
    }
}

/// What a threshold no lower than the `rank`-th smallest score promises.
fn promise(rising: &[f64], rank: usize) -> f64 {
    (rising.len() + 1 - rank) as f64 / (rising.len() + 1) as f64
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
