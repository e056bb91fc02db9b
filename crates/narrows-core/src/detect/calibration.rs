//! Calibration scores: the held-out scores that thresholds and p-values are computed from.
//!
//! Split-conformal inference (Papadopoulos et al. 2002; Vovk, Gammerman and Shafer 2005): if a new row is exchangeable
//! with the calibration rows, its rank among their scores is uniformly distributed, whatever the model. This gives a
//! guaranteed false-alarm rate. Training scores are stored for rules defined on them, but give no guarantee, as a model
//! fits the rows it was trained on too well.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Place, Result};

/// Training scores are thinned to this number, which preserves their quantiles.
pub const TRAINING_KEPT: usize = 20_000;

/// Scores of calibration rows and of training rows, both ascending.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct Calibration {
    /// Calibration scores, ascending.
    pub scores: Vec<f64>,
    /// Training scores, ascending, evenly thinned to [`TRAINING_KEPT`].
    pub training: Vec<f64>,
    /// Number of independent blocks behind the calibration scores: the number of scores, except for points of series,
    /// where neighbours share windows.
    pub blocks: usize,
}

/// The unvalidated content of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    scores: Vec<f64>,
    training: Vec<f64>,
    #[serde(default)]
    blocks: Option<usize>,
}

impl TryFrom<Stored> for Calibration {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Calibration> {
        let calibration = Calibration::new(stored.scores, stored.training)?;
        Ok(match stored.blocks {
            Some(blocks) => calibration.in_blocks(blocks),
            None => calibration,
        })
    }
}

impl Calibration {
    /// Sorts both lists and thins the training scores.
    ///
    /// # Errors
    /// If a score is not finite.
    pub fn new(scores: Vec<f64>, training: Vec<f64>) -> Result<Calibration> {
        Ok(Calibration {
            blocks: scores.len(),
            scores: sorted("calibration score", scores)?,
            training: thinned(sorted("training score", training)?),
        })
    }

    /// The same scores with only `blocks` independent blocks.
    ///
    /// One random point per block gives `blocks` scores exchangeable with a point of a new block; averaging over such draws
    /// uses every score, with the weight of one block for each rank.
    #[must_use]
    pub fn in_blocks(self, blocks: usize) -> Calibration {
        Calibration { blocks: blocks.clamp(usize::from(!self.scores.is_empty()), self.scores.len()), ..self }
    }

    /// The conformal p-value `(1 + #{calibration >= score}) / (n + 1)`.
    ///
    /// In (0, 1]; the minimum is `1 / (n + 1)`. With fewer blocks than scores, n is the number of blocks and the count is
    /// scaled accordingly. The p-value of NaN is NaN.
    pub fn p_value(&self, score: f64) -> f64 {
        if score.is_nan() {
            return f64::NAN;
        }
        let n = self.scores.len();
        let not_below = n - self.scores.partition_point(|&calibration| calibration < score);
        if self.blocks == n {
            return (1 + not_below) as f64 / (n + 1) as f64;
        }
        (1.0 + not_below as f64 / n as f64 * self.blocks as f64) / (self.blocks + 1) as f64
    }

    /// The median calibration score; `None` without calibration rows.
    pub fn median(&self) -> Option<f64> {
        quantile(&self.scores, 0.5)
    }

    /// The `q`-quantile of the calibration scores with linear interpolation, as in NumPy.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        quantile(&self.scores, q)
    }
}

/// The `q`-quantile of ascending numbers with linear interpolation; `None` if there are none.
pub(super) fn quantile(rising: &[f64], q: f64) -> Option<f64> {
    let last = rising.len().checked_sub(1)?;
    let position = last as f64 * q.clamp(0.0, 1.0);
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    Some(rising[below] + (position - below as f64) * (rising[above] - rising[below]))
}

fn sorted(what: &str, mut scores: Vec<f64>) -> Result<Vec<f64>> {
    if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
        let message = format!("expected a finite {what}, got {}", scores[row]);
        return Err(Error::data(Place::default().at_row(row as u64), message));
    }
    scores.sort_by(f64::total_cmp);
    Ok(scores)
}

fn thinned(rising: Vec<f64>) -> Vec<f64> {
    if rising.len() <= TRAINING_KEPT {
        return rising;
    }
    let last = rising.len() - 1;
    (0..TRAINING_KEPT).map(|i| rising[(i as u128 * last as u128 / (TRAINING_KEPT as u128 - 1)) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration(scores: &[f64]) -> Calibration {
        Calibration::new(scores.to_vec(), vec![]).unwrap()
    }

    fn check_p_value(scores: &[f64], score: f64, expected: f64) {
        assert_eq!(calibration(scores).p_value(score), expected);
    }

    #[test]
    fn a_p_value_counts_equals_and_itself() {
        check_p_value(&[1.0, 2.0, 2.0, 3.0], 2.0, 4.0 / 5.0);
        check_p_value(&[1.0, 2.0, 2.0, 3.0], 3.5, 1.0 / 5.0);
        check_p_value(&[1.0, 2.0, 2.0, 3.0], 0.0, 1.0);
        check_p_value(&[], 9.0, 1.0);
        check_p_value(&[1.0], f64::INFINITY, 0.5);
        assert!(calibration(&[1.0]).p_value(f64::NAN).is_nan());
    }

    #[test]
    fn scores_of_few_pieces_count_as_few() {
        let all = calibration(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let two = all.clone().in_blocks(2);
        assert_eq!(two.p_value(9.0), 1.0 / 3.0);
        assert_eq!(two.p_value(5.0), (1.0 + 0.5 * 2.0) / 3.0);
        assert_eq!((all.clone().in_blocks(100), all.clone().in_blocks(0).blocks), (all, 1));
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        let calibration = calibration(&[4.0, 1.0, 2.0, 3.0]);
        assert_eq!(calibration.scores, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(calibration.median(), Some(2.5));
        assert_eq!(calibration.quantile(0.9), Some(3.7));
        assert_eq!(calibration.quantile(1.0), Some(4.0));
        assert_eq!(Calibration::default().median(), None);
    }

    #[test]
    fn thinning_keeps_the_ends_and_the_quantiles() {
        let n = 3 * TRAINING_KEPT;
        let training: Vec<f64> = (0..n).rev().map(|i| i as f64 / (n - 1) as f64).collect();
        let kept = Calibration::new(vec![], training).unwrap().training;
        assert_eq!((kept.len(), kept[0], kept[TRAINING_KEPT - 1]), (TRAINING_KEPT, 0.0, 1.0));
        assert!((quantile(&kept, 0.9).unwrap() - 0.9).abs() < 1e-4);
    }

    #[test]
    fn a_score_that_is_not_finite_is_refused_by_its_row() {
        let error = Calibration::new(vec![1.0, f64::NAN], vec![]).unwrap_err();
        assert_eq!(error.to_string(), "row 1: expected a finite calibration score, got NaN");
        let error = Calibration::new(vec![], vec![f64::INFINITY]).unwrap_err();
        assert_eq!(error.to_string(), "row 0: expected a finite training score, got inf");
    }

    #[test]
    fn what_a_file_brings_is_put_in_order_or_refused() {
        let read = |text: &str| serde_json::from_str::<Calibration>(text);
        assert_eq!(read(r#"{"scores": [2.0, 1.0], "training": []}"#).unwrap().scores, [1.0, 2.0]);
        assert!(read(r#"{"scores": [null], "training": []}"#).is_err());
        assert!(read(r#"{"scores": [], "training": [], "more": 1}"#).is_err());
    }
}
