//! Detection settings of a recipe.

use serde::{Deserialize, Serialize};

use super::Threshold;
use crate::range::{Fraction, lit};

/// Detection settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Detect {
    /// Score definition.
    pub score: Score,
    /// Scaling of the parts of `mix`.
    pub mixing: Mixing,
    /// Weighting of columns.
    pub weighting: Weighting,
    /// Threshold rule.
    pub threshold: Threshold,
    /// Share of rows held out for calibration: threshold, p-values and scales are computed from them.
    pub calibration: Fraction,
    /// Maximum number of calibration rows.
    pub calibration_rows: usize,
    /// Maximum number of normal rows stored in the model for `neighbour` and `mix`.
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

/// Score definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Score {
    /// Reconstruction error.
    Residual,
    /// Distance of the code to the fifth nearest training code.
    Neighbour,
    /// Mahalanobis distance of residual and code together.
    Mahalanobis,
    /// Mean of half the log reconstruction error and of three log measures beside the known rows, scaled on the
    /// calibration rows: mean distances in two scalings of the columns, and the local density.
    Mix,
}

/// How `mix` scales the logarithms of error and distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixing {
    /// Equal spread on the calibration rows, of all parts.
    Spread,
    /// Half the residual and the squared distance to the fifth nearest row, both in squares of prepared units. For windows
    /// of series, which overlap, so that few calibration windows estimate spread badly.
    Squares,
}

/// Weight of a column's error in the row's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weighting {
    /// Unscaled, in prepared units.
    Equal,
    /// Divided by the column's mean error on calibration rows: well reconstructed columns weigh more.
    Calibrated,
}
