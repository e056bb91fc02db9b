//! The recipe's part on detection: what is scored and where the line is drawn.

use serde::{Deserialize, Serialize};

use super::Threshold;
use crate::range::{Fraction, lit};

/// How a row is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Detect {
    /// What is scored.
    pub score: Score,
    /// How `mix` brings its two parts to one scale.
    pub mixing: Mixing,
    /// What a column's error counts.
    pub weighting: Weighting,
    /// Where the line is drawn.
    pub threshold: Threshold,
    /// Share of the rows that never train; threshold, p-values and scales come from them.
    pub calibration: Fraction,
    /// Most calibration rows.
    pub calibration_rows: usize,
    /// Most training rows kept for `neighbour` and `mix`; they become part of the model.
    pub references: usize,
}

impl Default for Detect {
    fn default() -> Self {
        Detect {
            score: Score::Residual,
            mixing: Mixing::Spread,
            weighting: Weighting::Equal,
            threshold: Threshold::default(),
            calibration: lit!(Fraction, 0.2),
            calibration_rows: 20_000,
            references: 5_000,
        }
    }
}

/// What is scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// The reconstruction error.
    Residual,
    /// The distance of the code to the fifth nearest training code.
    Neighbour,
    /// The Mahalanobis distance of residual and code together.
    Mahalanobis,
    /// The mean of the logarithms of the reconstruction error and of the distance to the fifth nearest training row,
    /// brought to one scale on the calibration rows.
    Mix,
}

/// How `mix` brings the logarithms of error and distance to one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixing {
    /// So that both spread alike over the calibration rows.
    Spread,
    /// The distance squared, as the error is: both in squares of prepared units. For windows of series, of which
    /// neighbours are alike, so that few calibration windows say little about spread.
    Squares,
}

/// What a column's error counts in the row's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weighting {
    /// As it is, in prepared units.
    Equal,
    /// Divided by the column's mean error on calibration rows: a column that is rebuilt well counts more.
    Calibrated,
}
