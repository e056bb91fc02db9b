//! From contributions, rows and codes to one score: the logarithm of each component relative to calibration rows.
//!
//! residual      mean over members of ln(error / calibration median)
//! neighbour     ln(distance / calibration median), the distance of the code to the fifth nearest training code
//! mahalanobis   ln(squared distance / calibration median), of residual and code together
//! mix           mean of half the residual and of three terms of the prepared row beside those known
//!               (`baseline/neighbourhood.rs`), each divided by its spread on calibration rows; or of half the residual and
//!               the distance to the fifth nearest row, both in squares of prepared units
//!
//! Every ratio has a floor, the error or distance that the resolution of the data makes (`fitted/scoring/resolution.rs`),
//! so that rounding never decides.
//!
//! The score is the exponential: 1 is a typical row, 5 five times the error of a typical row. For tables whose rows differ
//! by orders of magnitude the logarithm is scaled first (`scale::exponent`). Higher scores are more anomalous;
//! `is_anomaly = score > threshold`.

use super::scale::{SQUARED, exchange};
use super::{ColumnScale, LogRatio, Score, Weighting};
use crate::baseline::{Gaussian, Nearness, Neighbourhood, Neighbours};
use crate::error::Result;

/// Logarithms are clamped to ±80, so that the exponential stays finite.
const LIMIT: f64 = 80.0;

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

/// Typical distances to a set of reference rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Proximity {
    /// The reference rows.
    pub index: References,
    /// The terms, in the order in which the references measure them.
    pub terms: Vec<DistanceTerm>,
    /// The weight of the residual in a `mix`, where that of each term is 1; at least 0.
    pub residual: f64,
}

/// Reference rows, by what is measured of a row beside them.
#[derive(Debug, Clone, PartialEq)]
pub enum References {
    /// The distance to the k-th nearest.
    Kth(Neighbours),
    /// Mean distances in two views, and the local density.
    Views(Neighbourhood),
}

/// One of the distances in a score.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistanceTerm {
    /// Typical distance.
    pub ratio: LogRatio,
    /// What a unit of the log distance is worth in log residuals, see [`exchange`].
    pub exchange: f64,
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

impl DistanceTerm {
    /// Fits on the distances and the log residuals of calibration rows; `floor` is the distance that the resolution of the
    /// data makes.
    ///
    /// # Errors
    /// If there are no rows or a distance is not finite.
    pub fn fit(distances: &[f64], floor: f64, residuals: &[f64]) -> Result<DistanceTerm> {
        let ratio = LogRatio::fit(distances, floor)?;
        let logs: Vec<f64> = distances.iter().map(|d| ratio.apply(*d)).collect();
        Ok(DistanceTerm { ratio, exchange: exchange(residuals, &logs)? })
    }

    /// The same, in squares of prepared units: ln d^2 = 2 ln d.
    pub fn squared(self) -> DistanceTerm {
        DistanceTerm { exchange: SQUARED, ..self }
    }
}

impl Nearness {
    /// As the terms of a score.
    fn terms(self) -> Vec<f64> {
        vec![self.standard, self.ranged, self.sparsity]
    }
}

impl References {
    /// The distances of each row of `x`, one per term; see [`Neighbourhood::measure`] for `own`.
    pub fn measure(&self, x: &[f32], own: &[Option<usize>]) -> Vec<Vec<f64>> {
        match self {
            References::Kth(neighbours) => neighbours.distance(x).into_iter().map(|distance| vec![distance]).collect(),
            References::Views(views) => views.measure(x, own).into_iter().map(Nearness::terms).collect(),
        }
    }

    /// The rows, shape `[m, width]`.
    pub fn rows(&self) -> &[f32] {
        match self {
            References::Kth(neighbours) => &neighbours.reference,
            References::Views(views) => views.reference(),
        }
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        match self {
            References::Kth(neighbours) => neighbours.width,
            References::Views(views) => views.width(),
        }
    }

    /// Number of distances that are measured of a row.
    pub fn n_terms(&self) -> usize {
        match self {
            References::Kth(_) => 1,
            References::Views(_) => 3,
        }
    }
}

impl Proximity {
    /// The weight of the residual by which rows and windows were ranked best (`bench/one_class.py`, `bench/series.py`).
    pub(crate) const RESIDUAL: f64 = 0.5;

    /// The mean of the log residual and the distances' log ratios, weighted.
    fn mix(&self, residual: f64, distances: &[f64]) -> f64 {
        let weight = self.residual;
        let terms =
            self.terms.iter().zip(distances).map(|(term, distance)| term.exchange * term.ratio.apply(*distance));
        (weight * residual + terms.sum::<f64>()) / (weight + self.terms.len() as f64)
    }
}

impl Detector {
    /// The score from the components' logarithms.
    ///
    /// `distances` are those to the reference rows, one per term, and `squared` is that from the reference distribution.
    pub fn combine(&self, residual: f64, distances: Option<&[f64]>, squared: Option<f64>) -> f64 {
        (self.exponent * self.log(residual, distances, squared)).clamp(-LIMIT, LIMIT).exp()
    }

    /// The logarithm of the score, before its exponent.
    pub(crate) fn log(&self, residual: f64, distances: Option<&[f64]>, squared: Option<f64>) -> f64 {
        let distances = distances.unwrap_or(&[f64::NAN]);
        match (self.score, &self.neighbours, &self.gaussian) {
            (Score::Neighbour, Some(proximity), _) => proximity.terms[0].ratio.apply(distances[0]),
            (Score::Mix, Some(proximity), _) => proximity.mix(residual, distances),
            (Score::Mahalanobis, _, Some((_, ratio))) => ratio.apply(squared.unwrap_or(f64::NAN)),
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
        if let Some(Proximity { index, terms, residual }) = &self.neighbours {
            if terms.len() != index.n_terms() {
                return Err(format!("expected {} terms of distances, got {}", index.n_terms(), terms.len()));
            }
            if !(residual.is_finite() && *residual >= 0.0) {
                return Err(format!("expected a finite weight of the residual of at least 0, got {residual}"));
            }
        }
        let terms = self.neighbours.iter().flat_map(|proximity| &proximity.terms);
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
