//! Detection settings of a recipe.

use serde::{Deserialize, Serialize};

use super::Threshold;
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::range::{Contamination, Fraction, lit};

/// Detection settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Detect {
    /// Score definition.
    pub score: Score,
    /// Scaling of the parts of `mix`.
    pub mixing: Mixing,
    /// Which anomalies `mix` tells. Auto: both, and global ones alone if `train.contamination` is above 0.
    pub scope: Choice<Scope>,
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
            scope: Choice::Auto,
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
    /// For images: distance of local patches to those of the training images, in the whitened code of a linear autoencoder
    /// and without the lighting (Roth et al. 2022, "Towards total recall in industrial anomaly detection"); beside it, for
    /// images that are seen whole, the reconstruction error: the higher counts. Images of fewer than 48 pixels a side have
    /// the reconstruction error alone.
    Patches,
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

/// The anomalies that `mix` tells (Schubert, Zimek and Kriegel 2014, "Local outlier detection reconsidered").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Rows that differ from the known rows nearest to them. A cluster of anomalies among the rows of the fit hides itself.
    Local,
    /// Rows that are far from most known rows, clustered or not.
    Global,
    /// The higher of both scores, where the global one is weighted.
    Both,
}

impl Detect {
    /// The anomalies that the score tells, if it is a `mix` that can tell either; `contamination` is that of the rows of
    /// the fit.
    pub(crate) fn scope(&self, contamination: &Choice<Contamination>) -> Option<Scope> {
        let is_mix = self.score == Score::Mix && self.mixing == Mixing::Spread;
        let is_dirty = matches!(contamination, Choice::Given(share) if share.get() > 0.0);
        is_mix.then(|| self.scope.or_else(|| if is_dirty { Scope::Global } else { Scope::Both }))
    }

    /// Checks constraints between fields.
    pub(crate) fn check(&self) -> Result<()> {
        if self.scope != Choice::Auto && self.scope(&Choice::Auto).is_none() {
            let message = "expected auto, unless detect.score is `mix` and detect.mixing is `spread`";
            return Err(Error::recipe("detect.scope", message));
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_tells_global_anomalies_alone_where_rows_are_contaminated() {
        let share = |share: f64| Choice::Given(Contamination::try_from(share).unwrap());
        let mut detect = Detect { score: Score::Mix, ..Detect::default() };
        assert_eq!(detect.scope(&Choice::Auto), Some(Scope::Both));
        assert_eq!(detect.scope(&share(0.0)), Some(Scope::Both));
        assert_eq!(detect.scope(&share(0.02)), Some(Scope::Global));
        detect.scope = Choice::Given(Scope::Local);
        assert_eq!(detect.scope(&share(0.02)), Some(Scope::Local));
        assert!(detect.check().is_ok());
        detect.mixing = Mixing::Squares;
        assert_eq!(detect.scope(&share(0.02)), None);
        let refused = detect.check().unwrap_err().to_string();
        assert!(refused.starts_with("detect.scope: expected auto"), "{refused}");
        assert!(Detect { scope: Choice::Auto, ..detect }.check().is_ok());
    }
}
