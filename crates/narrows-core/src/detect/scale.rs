//! Scaling errors by their values on calibration rows: columns, ensemble members, parts of a mix.
//!
//! Every scale has a floor or a fallback: without it, a perfect reconstruction of the calibration rows would turn any
//! deviation into an infinite score.

use serde::{Deserialize, Serialize};

use super::calibration::quantile;
use crate::error::{Error, Place, Result};

/// Typical contribution of each column; dividing by it weights columns equally.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnScale {
    /// Mean contribution on calibration rows, floored, shape `[columns]`; above 0.
    pub scale: Vec<f64>,
}

impl ColumnScale {
    /// The floor of a column's scale, as a share of the median scale.
    ///
    /// Contributions are squared errors, so this allows for a tenth of the typical error at best.
    pub const FLOOR: f64 = 0.01;

    /// Fits on the contributions of calibration rows, row-major, shape `[n, columns]`, non-negative.
    ///
    /// The median is over columns with positive scale. Without any, every scale is 1.
    ///
    /// # Errors
    /// If there are no rows or columns, the length is wrong, or a contribution is negative or not finite.
    pub fn fit(contributions: &[f32], n: usize, columns: usize) -> Result<ColumnScale> {
        if n == 0 || columns == 0 || n.checked_mul(columns) != Some(contributions.len()) {
            let got = contributions.len();
            let message = format!("column scale: expected {n} rows of {columns} contributions, at least 1, got {got}");
            return Err(Error::data(Place::default(), message));
        }
        if let Some(at) = contributions.iter().position(|&c| !(c.is_finite() && c >= 0.0)) {
            let place =
                Place { source: None, column: Some((at % columns).to_string()), row: Some((at / columns) as u64) };
            let message = format!("expected a finite contribution of at least 0, got {}", contributions[at]);
            return Err(Error::data(place, message));
        }
        let mut scale = vec![0.0; columns];
        for row in contributions.chunks_exact(columns) {
            scale.iter_mut().zip(row).for_each(|(sum, &c)| *sum += f64::from(c));
        }
        scale.iter_mut().for_each(|sum| *sum /= n as f64);
        let positive = sorted(scale.iter().copied().filter(|&s| s > 0.0).collect());
        let floor = quantile(&positive, 0.5).map_or(1.0, |median| (Self::FLOOR * median).max(f64::MIN_POSITIVE));
        scale.iter_mut().for_each(|s| *s = s.max(floor));
        Ok(ColumnScale { scale })
    }

    /// Contributions divided by the scale of their column, same shape.
    ///
    /// # Panics
    /// If `contributions` is not a whole number of rows.
    pub fn apply(&self, contributions: &[f32]) -> Vec<f64> {
        let row = |row: &[f32]| row.iter().zip(&self.scale).map(|(&c, s)| f64::from(c) / s).collect::<Vec<f64>>();
        self.rows(contributions).flat_map(row).collect()
    }

    /// The score of each row: its mean scaled contribution, about 1 for a typical row.
    ///
    /// # Panics
    /// If `contributions` is not a whole number of rows.
    pub fn score(&self, contributions: &[f32]) -> Vec<f64> {
        let sum = |row: &[f32]| row.iter().zip(&self.scale).map(|(&c, s)| f64::from(c) / s).sum::<f64>();
        self.rows(contributions).map(|row| sum(row) / self.scale.len() as f64).collect()
    }

    fn rows<'a>(&self, contributions: &'a [f32]) -> std::slice::ChunksExact<'a, f32> {
        let columns = self.scale.len();
        assert!(
            contributions.len().is_multiple_of(columns),
            "{} contributions are not a whole number of rows of {columns}",
            contributions.len()
        );
        contributions.chunks_exact(columns)
    }
}

/// Log ratio of an error to its calibration median: the scale on which ensemble members are averaged.
///
/// It is invariant to the scale of a member's errors, and a mean of logarithms is less sensitive to one outlying member
/// than a mean of errors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRatio {
    /// Median error on calibration rows; above 0.
    pub median: f64,
}

impl LogRatio {
    /// Floor of the ratio: a perfect row scores `ln(1e-6)`, about -13.8, instead of minus infinity.
    pub const FLOOR: f64 = 1e-6;

    /// Fits on the errors of calibration rows, non-negative.
    ///
    /// A median of 0 is replaced by the median of the positive errors, or by 1 without any.
    ///
    /// # Errors
    /// If there are no errors, or one is negative or not finite.
    pub fn fit(errors: &[f64]) -> Result<LogRatio> {
        let errors = calibration_values("log ratio", errors)?;
        if errors[0] < 0.0 {
            let message = format!("log ratio: expected errors of at least 0, got {}", errors[0]);
            return Err(Error::data(Place::default(), message));
        }
        let positive = &errors[errors.partition_point(|&error| error <= 0.0)..];
        let median = quantile(&errors, 0.5).filter(|&median| median > 0.0).or_else(|| quantile(positive, 0.5));
        Ok(LogRatio { median: median.unwrap_or(1.0) })
    }

    /// `ln(error / median)`, floored at `ln(LogRatio::FLOOR)`.
    pub fn apply(&self, error: f64) -> f64 {
        let ratio = error / self.median;
        // Not `max`, which would turn NaN into the floor.
        if ratio < Self::FLOOR { Self::FLOOR.ln() } else { ratio.ln() }
    }
}

/// Robust location and spread of a score on calibration rows: one scale for the parts of a mix.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardise {
    /// The median.
    pub median: f64,
    /// The spread, consistent with the standard deviation of a normal distribution; above 0.
    pub spread: f64,
}

impl Standardise {
    /// Fits on the scores of calibration rows.
    ///
    /// The spread is the median absolute deviation times 1.4826. If that is 0 (more than half of the scores equal), the
    /// interquartile range over 1.349 is used, then the standard deviation, then 1.
    ///
    /// # Errors
    /// If there are no scores, or one is not finite.
    pub fn fit(scores: &[f64]) -> Result<Standardise> {
        let scores = calibration_values("standardise", scores)?;
        let at = |q: f64| quantile(&scores, q).unwrap_or(f64::NAN);
        let median = at(0.5);
        let deviations = sorted(scores.iter().map(|score| (score - median).abs()).collect());
        let mad = || 1.482_602_218_505_602 * quantile(&deviations, 0.5).unwrap_or(f64::NAN);
        let iqr = || (at(0.75) - at(0.25)) / 1.348_979_500_392_163_4;
        let std = || {
            let n = scores.len() as f64;
            let mean = scores.iter().sum::<f64>() / n;
            (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / n).sqrt()
        };
        let usable = |spread: &f64| *spread > 0.0 && spread.is_finite();
        let spread =
            Some(mad()).filter(usable).or_else(|| Some(iqr()).filter(usable)).or_else(|| Some(std()).filter(usable));
        Ok(Standardise { median, spread: spread.unwrap_or(1.0) })
    }

    /// Distance from the median in units of the spread.
    pub fn apply(&self, score: f64) -> f64 {
        (score - self.median) / self.spread
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// Values in ascending order, at least one and all finite.
fn calibration_values(what: &str, values: &[f64]) -> Result<Vec<f64>> {
    if values.is_empty() {
        return Err(Error::data(Place::default(), format!("{what}: expected at least 1 calibration row, got none")));
    }
    if let Some(row) = values.iter().position(|value| !value.is_finite()) {
        let message = format!("{what}: expected a finite number, got {}", values[row]);
        return Err(Error::data(Place::default().at_row(row as u64), message));
    }
    Ok(sorted(values.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused<T: std::fmt::Debug>(result: Result<T>, message: &str) {
        assert_eq!(result.unwrap_err().to_string(), message);
    }

    #[test]
    fn every_column_weighs_the_same_after_scaling() {
        let contributions = [1.0, 100.0, 3.0, 300.0];
        let scale = ColumnScale::fit(&contributions, 2, 2).unwrap();
        assert_eq!(scale.scale, [2.0, 200.0]);
        assert_eq!(scale.apply(&contributions), [0.5, 0.5, 1.5, 1.5]);
        assert_eq!(scale.score(&contributions), [0.5, 1.5]);
    }

    #[test]
    fn a_column_rebuilt_perfectly_cannot_blow_up() {
        let scale = ColumnScale::fit(&[0.0, 4.0, 2.0, 1e-30], 1, 4).unwrap();
        assert_eq!(scale.scale, [0.02, 4.0, 2.0, 0.02]);
        assert_eq!(ColumnScale::fit(&[0.0, 0.0], 1, 2).unwrap().scale, [1.0, 1.0]);
        let tiny = ColumnScale::fit(&[f32::from_bits(1)], 1, 1).unwrap();
        assert!(tiny.score(&[f32::MAX])[0].is_finite());
    }

    #[test]
    fn a_log_ratio_is_zero_at_the_median_and_has_a_floor() {
        let ratio = LogRatio::fit(&[3.0, 1.0, 2.0]).unwrap();
        assert_eq!((ratio.median, ratio.apply(2.0)), (2.0, 0.0));
        assert_eq!(ratio.apply(0.0), LogRatio::FLOOR.ln());
        assert!(ratio.apply(f64::NAN).is_nan());
        assert_eq!(LogRatio::fit(&[0.0, 0.0, 5.0]).unwrap().median, 5.0);
        assert_eq!(LogRatio::fit(&[0.0]).unwrap().median, 1.0);
    }

    #[test]
    fn a_wild_row_moves_the_standard_scale_little() {
        let mut scores: Vec<f64> = (0..101).map(f64::from).collect();
        let calm = Standardise::fit(&scores).unwrap();
        assert_eq!(calm.median, 50.0);
        assert!((calm.spread - 25.0 * 1.482_602).abs() < 1e-4);
        scores[100] = 1e300;
        assert_eq!(Standardise::fit(&scores).unwrap(), calm);
        assert!((calm.apply(50.0 + calm.spread) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn scores_that_are_mostly_equal_have_a_spread_all_the_same() {
        let spread = |scores: &[f64]| Standardise::fit(scores).unwrap().spread;
        // The median absolute deviation is 0; quartiles are 1 and 2.
        assert!((spread(&[1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 9.0]) - 1.0 / 1.348_979_5).abs() < 1e-6);
        // Quartiles are equal too: the standard deviation stands in.
        assert_eq!(spread(&[1.0, 1.0, 1.0, 1.0, 6.0]), 2.0);
        assert_eq!(spread(&[7.0, 7.0]), 1.0);
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused() {
        let expected = "input: column scale: expected 2 rows of 2 contributions, at least 1, got 3";
        check_refused(ColumnScale::fit(&[1.0; 3], 2, 2), expected);
        check_refused(
            ColumnScale::fit(&[1.0, -1.0], 1, 2),
            "column `1`, row 0: expected a finite contribution of at least 0, got -1",
        );
        check_refused(LogRatio::fit(&[]), "input: log ratio: expected at least 1 calibration row, got none");
        check_refused(LogRatio::fit(&[1.0, -2.0]), "input: log ratio: expected errors of at least 0, got -2");
        check_refused(Standardise::fit(&[0.0, f64::NAN]), "row 1: standardise: expected a finite number, got NaN");
    }
}
