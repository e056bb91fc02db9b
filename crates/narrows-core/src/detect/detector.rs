//! From contributions, rows and codes to one score: the logarithm of each component relative to calibration rows.
//!
//! residual      mean over members of ln(error / calibration median)
//! neighbour     ln(distance / calibration median), the distance of the code to the fifth nearest training code
//! mahalanobis   ln(squared distance / calibration median), of residual and code together
//! mix           local: mean of half the residual and of three terms of the prepared row beside those known
//!               (`baseline/neighbourhood.rs`), each divided by its spread on calibration rows; or of half the residual and
//!               the distance to the fifth nearest row, both in squares of prepared units
//!               global: mean of two distances to subsamples of the known rows (`baseline/overview.rs`), on the same scale;
//!               the score is the higher of local and weighted global, or one of both (`detect.scope`)
//!
//! Every ratio has a floor, the error or distance that the resolution of the data makes (`fitted/scoring/resolution.rs`),
//! so that rounding never decides.
//!
//! The score is the exponential: 1 is a typical row, 5 five times the error of a typical row. For tables whose rows differ
//! by orders of magnitude the logarithm is scaled first (`scale::exponent`). Higher scores are more anomalous;
//! `is_anomaly = score > threshold`.

use super::{ColumnScale, Distances, LogRatio, Proximity, Score, Weighting};
use crate::baseline::Gaussian;
use crate::error::Result;

/// The score components, fitted on calibration rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector {
    /// The score definition.
    pub score: Score,
    /// One per member.
    pub members: Vec<MemberScale>,
    /// Reference rows or codes of `neighbour` and `mix`.
    pub neighbours: Option<Proximity>,
    /// Reference distribution of `mahalanobis`.
    pub gaussian: Option<(Gaussian, LogRatio)>,
    /// Exponent of the score, above 0 and at most 1, see [`exponent`](super::scale::exponent).
    pub exponent: f64,
}

/// Typical errors of one member on calibration rows.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MemberScale {
    /// Typical error per column; all ones with equal weighting.
    pub columns: ColumnScale,
    /// Typical error of a row.
    pub ratio: LogRatio,
}

impl MemberScale {
    /// Fits on the contributions `[n, columns]` of calibration rows; `floors` are the contributions that the resolution of
    /// the data makes, `[columns]`.
    ///
    /// # Errors
    /// If there are no rows or an error is not finite.
    pub fn fit(contributions: &[f32], floors: &[f64], weighting: Weighting) -> Result<MemberScale> {
        let n_columns = floors.len();
        let columns = match weighting {
            Weighting::Equal => ColumnScale { scale: vec![1.0; n_columns] },
            Weighting::Calibrated => ColumnScale::fit(contributions, contributions.len() / n_columns, n_columns)?,
        };
        let floor =
            floors.iter().zip(&columns.scale).map(|(floor, scale)| floor / scale).sum::<f64>() / n_columns as f64;
        let ratio = LogRatio::fit(&columns.score(contributions), floor)?;
        Ok(MemberScale { columns, ratio })
    }

    /// ln(error / median) of one row's contributions.
    pub fn log_ratio(&self, contributions: &[f32]) -> f64 {
        let scale = &self.columns.scale;
        let sum: f64 = contributions.iter().zip(scale).map(|(c, s)| f64::from(*c) / s).sum();
        self.ratio.apply(sum / scale.len() as f64)
    }
}

impl Detector {
    /// Logarithms are clamped to plus and minus this, so that the exponential stays finite.
    pub(crate) const LIMIT: f64 = 80.0;

    /// The score from the components' logarithms.
    ///
    /// `distances` are those to the reference rows, and `squared` is that from the reference distribution.
    pub fn combine(&self, residual: f64, distances: Option<&Distances>, squared: Option<f64>) -> f64 {
        (self.exponent * self.log(residual, distances, squared)).clamp(-Self::LIMIT, Self::LIMIT).exp()
    }

    /// The logarithm of the score, before its exponent.
    pub(crate) fn log(&self, residual: f64, distances: Option<&Distances>, squared: Option<f64>) -> f64 {
        match (self.score, &self.neighbours, distances, &self.gaussian) {
            (Score::Neighbour, Some(proximity), Some(distances), _) => proximity.distance(distances),
            (Score::Mix, Some(proximity), Some(distances), _) => proximity.mix(residual, distances),
            (Score::Neighbour | Score::Mix, ..) => f64::NAN,
            (Score::Mahalanobis, _, _, Some((_, ratio))) => ratio.apply(squared.unwrap_or(f64::NAN)),
            _ => residual,
        }
    }

    /// Checks the dimensions of a detector read from a file.
    ///
    /// # Errors
    /// A description without the file name.
    pub fn check(&self, n_members: usize, n_columns: usize) -> Result<(), String> {
        if self.members.len() != n_members {
            return Err(format!("expected the scales of {n_members} members, got {}", self.members.len()));
        }
        if let Some(member) = self.members.iter().find(|member| member.columns.scale.len() != n_columns) {
            return Err(format!("expected scales of {n_columns} columns, got {}", member.columns.scale.len()));
        }
        let ratios = self.members.iter().map(|member| &member.ratio);
        if let Some(proximity) = &self.neighbours {
            proximity.check()?;
        }
        let terms = self.neighbours.iter().flat_map(Proximity::all_terms);
        let ratios = ratios.chain(terms.map(|term| &term.ratio));
        let mut ratios = ratios.chain(self.gaussian.as_ref().map(|(_, ratio)| ratio));
        if let Some(ratio) = ratios.find(|ratio| !ratio.is_sound()) {
            return Err(format!(
                "expected a finite median above 0, got {} with a floor of {}",
                ratio.median, ratio.floor
            ));
        }
        let mut scales = self.members.iter().flat_map(|member| member.columns.scale.iter().copied());
        if let Some(scale) = scales.find(|scale| !(scale.is_finite() && *scale > 0.0)) {
            return Err(format!("expected finite scales above 0, got {scale}"));
        }
        if !(self.exponent > 0.0 && self.exponent <= 1.0) {
            return Err(format!("expected an exponent above 0 and at most 1, got {}", self.exponent));
        }
        match self.score {
            Score::Neighbour | Score::Mix if self.neighbours.is_none() => {
                Err("the reference rows are missing".to_owned())
            }
            Score::Mahalanobis if self.gaussian.is_none() => {
                Err("the distribution of residuals and codes is missing".to_owned())
            }
            _ => Ok(()),
        }
    }
}
