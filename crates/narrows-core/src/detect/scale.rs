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

/// Log ratio of an error to its calibration median: the scale on which ensemble members, and the terms of a score, are
/// averaged.
///
/// It is invariant to the scale of a member's errors, and a mean of logarithms is less sensitive to one outlying member
/// than a mean of errors. The floor, what rounding the data makes, is added on both sides of the ratio: errors below it
/// are alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRatio {
    /// Median error on calibration rows; above 0 unless there is a floor.
    pub median: f64,
    /// The error that the resolution of the data makes, at least 0; models before format 5 have none.
    #[serde(default)]
    pub floor: f64,
}

impl LogRatio {
    /// Least ratio: a perfect row scores `ln(1e-6)`, about -13.8, instead of minus infinity.
    pub const LEAST: f64 = 1e-6;

    /// Fits on the errors of calibration rows, non-negative, with the error that the resolution of the data makes.
    ///
    /// Without a floor, a median of 0 is replaced by the median of the positive errors, or by 1 without any.
    ///
    /// # Errors
    /// If there are no errors, or one is negative or not finite.
    pub fn fit(errors: &[f64], floor: f64) -> Result<LogRatio> {
        let errors = calibration_values("log ratio", errors)?;
        if errors[0] < 0.0 {
            let message = format!("log ratio: expected errors of at least 0, got {}", errors[0]);
            return Err(Error::data(Place::default(), message));
        }
        let positive = &errors[errors.partition_point(|&error| error <= 0.0)..];
        let median = quantile(&errors, 0.5).filter(|&median| median + floor > 0.0).or_else(|| quantile(positive, 0.5));
        Ok(LogRatio { median: median.unwrap_or(1.0), floor })
    }

    /// The error of a typical row: the median and the floor.
    pub fn typical(&self) -> f64 {
        self.median + self.floor
    }

    /// `ln((error + floor) / (median + floor))`, at least `ln(LogRatio::LEAST)`.
    pub fn apply(&self, error: f64) -> f64 {
        let ratio = (error + self.floor) / self.typical();
        // Not `max`, which would turn NaN into the least ratio.
        if ratio < Self::LEAST { Self::LEAST.ln() } else { ratio.ln() }
    }

    /// Whether errors can be divided by the typical one; for ratios read from a file.
    pub(crate) fn is_sound(&self) -> bool {
        self.median >= 0.0 && self.floor >= 0.0 && self.typical().is_finite() && self.typical() > 0.0
    }
}

/// What one unit of a term's log ratio is worth in log residuals, so that both have equal spreads on calibration rows.
///
/// A spread is an estimate, and that of nearly equal values is noise: the rate is at most [`MOST_EXCHANGED`] either way, and
/// [`SQUARED`] where either spread is none.
///
/// # Errors
/// If there are no values, or one is not finite.
pub fn exchange(residuals: &[f64], logs: &[f64]) -> Result<f64> {
    Ok(match (spread(residuals)?, spread(logs)?) {
        (Some(residual), Some(log)) => (residual / log).clamp(1.0 / MOST_EXCHANGED, MOST_EXCHANGED),
        _ => SQUARED,
    })
}

/// What one unit of a global term's log ratio is worth in the logarithm of the local score, so that both reach as far from
/// the median to the upper tenth of the calibration rows: that is where one may replace the other.
///
/// [`SQUARED`] where either reaches nowhere.
///
/// # Errors
/// If there are no values, or one is not finite.
pub fn upper_exchange(local: &[f64], logs: &[f64]) -> Result<f64> {
    let (local, log) = (upper_spread(local)?, upper_spread(logs)?);
    Ok(if local.min(log) >= LEAST_SPREAD { local / log } else { SQUARED })
}

/// The rate of exchange of squared errors and distances: both are then in squares of prepared units.
pub const SQUARED: f64 = 2.0;
/// The highest rate of exchange, and one over the lowest.
pub const MOST_EXCHANGED: f64 = 5.0;
/// Logarithms with less spread differ by less than a per cent: they are equal for all that a row says.
const LEAST_SPREAD: f64 = 0.01;

/// The exponent of scores with these logarithms on calibration rows: 1, or less where more than a tenth of them would score
/// above [`FAR_OFF`].
///
/// Errors of rows that are mostly alike, such as those of columns that are mostly zero, differ by orders of magnitude. The
/// exponent leaves the order of rows as it is, and 1 ordinary and 5 far off for any data.
///
/// # Errors
/// If there are no values, or one is not finite.
pub fn exponent(logs: &[f64]) -> Result<f64> {
    Ok((FAR_OFF.ln() / upper_spread(logs)?.max(f64::MIN_POSITIVE)).min(1.0))
}

/// A score that is far off: 1 is ordinary.
pub const FAR_OFF: f64 = 5.0;

/// The robust spread of logarithms, consistent with the standard deviation of a normal distribution: the median absolute
/// deviation times 1.4826, or the interquartile range over 1.349 if more than half of them are equal. `None` if most are.
fn spread(logs: &[f64]) -> Result<Option<f64>> {
    let logs = calibration_values("exchange", logs)?;
    let at = |q: f64| quantile(&logs, q).unwrap_or(f64::NAN);
    let deviations = sorted(logs.iter().map(|log| (log - at(0.5)).abs()).collect());
    let mad = 1.482_602_218_505_602 * quantile(&deviations, 0.5).unwrap_or(f64::NAN);
    let iqr = (at(0.75) - at(0.25)) / 1.348_979_500_392_163_4;
    Ok([mad, iqr].into_iter().find(|spread| *spread >= LEAST_SPREAD))
}

/// From the median of logarithms to their upper tenth.
fn upper_spread(logs: &[f64]) -> Result<f64> {
    let logs = calibration_values("spread", logs)?;
    let at = |q: f64| quantile(&logs, q).unwrap_or(f64::NAN);
    Ok(at(0.9) - at(0.5))
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
    fn a_log_ratio_is_zero_at_the_median_and_has_a_least() {
        let ratio = LogRatio::fit(&[3.0, 1.0, 2.0], 0.0).unwrap();
        assert_eq!((ratio.median, ratio.apply(2.0)), (2.0, 0.0));
        assert_eq!(ratio.apply(0.0), LogRatio::LEAST.ln());
        assert!(ratio.apply(f64::NAN).is_nan());
        assert_eq!(LogRatio::fit(&[0.0, 0.0, 5.0], 0.0).unwrap().median, 5.0);
        assert_eq!(LogRatio::fit(&[0.0], 0.0).unwrap().median, 1.0);
    }

    #[test]
    fn errors_below_the_floor_are_alike() {
        let ratio = LogRatio::fit(&[1e-30, 1e-9, 1e-4, 3e-4], 0.01).unwrap();
        assert!([0.0, 1e-30, 1e-9, 3e-4].iter().all(|error| ratio.apply(*error).abs() < 0.03), "{ratio:?}");
        assert!((ratio.apply(1.0) - 101.0_f64.ln()).abs() < 0.01);
        // Without an error the floor is the typical one.
        let exact = LogRatio::fit(&[0.0, 0.0, 5.0], 0.5).unwrap();
        assert_eq!((exact.typical(), exact.apply(0.0), exact.apply(5.0)), (0.5, 0.0, 11.0_f64.ln()));
        assert!(exact.is_sound() && !LogRatio { median: 0.0, floor: 0.0 }.is_sound());
        let old: LogRatio = serde_json::from_str(r#"{"median":2.0}"#).unwrap();
        assert_eq!(old, LogRatio { median: 2.0, floor: 0.0 });
    }

    #[test]
    fn an_exchange_makes_spreads_equal_within_bounds() {
        let logs = |size: f64| (0..101).map(|i| size * f64::from(i) / 100.0).collect::<Vec<f64>>();
        let check = |residuals: &[f64], terms: &[f64], expected: f64| {
            let rate = exchange(residuals, terms).unwrap();
            assert!((rate - expected).abs() < 1e-9, "{rate}, expected {expected}");
        };
        check(&logs(3.0), &logs(2.0), 1.5);
        check(&logs(1.0), &logs(0.1), MOST_EXCHANGED);
        check(&logs(0.1), &logs(1.0), 0.2);
        // A wild row moves it little.
        check(&[logs(3.0), vec![1e300]].concat(), &[logs(2.0), vec![1e300]].concat(), 1.5);
        // Nearly equal logarithms are noise, and so is the noise of equal ones.
        check(&logs(1.0), &logs(1e-9), SQUARED);
        check(&logs(1e-9), &logs(1.0), SQUARED);
        check(&[0.0], &[0.0], SQUARED);
        // More than half are equal: quartiles are 1 and 2.
        check(&[1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 9.0], &[1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 9.0], 1.0);
    }

    #[test]
    fn an_exponent_brings_scores_of_many_orders_of_magnitude_to_few() {
        let logs = |size: f64| (0..=100).map(|i| size * f64::from(i)).collect::<Vec<f64>>();
        assert_eq!(exponent(&logs(0.01)).unwrap(), 1.0);
        assert_eq!(exponent(&[0.0; 5]).unwrap(), 1.0);
        // From the median, 50, to the upper tenth, 90.
        assert!((exponent(&logs(1.0)).unwrap() * 40.0 - FAR_OFF.ln()).abs() < 1e-12);
        // A tail of less than a tenth is a tail.
        let mut tail = logs(0.0);
        tail[95..].fill(40.0);
        assert_eq!(exponent(&tail).unwrap(), 1.0);
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused() {
        let expected = "input: column scale: expected 2 rows of 2 contributions, at least 1, got 3";
        check_refused(ColumnScale::fit(&[1.0; 3], 2, 2), expected);
        check_refused(
            ColumnScale::fit(&[1.0, -1.0], 1, 2),
            "column `1`, row 0: expected a finite contribution of at least 0, got -1",
        );
        check_refused(LogRatio::fit(&[], 0.0), "input: log ratio: expected at least 1 calibration row, got none");
        check_refused(LogRatio::fit(&[1.0, -2.0], 0.0), "input: log ratio: expected errors of at least 0, got -2");
        check_refused(exchange(&[0.0, f64::NAN], &[0.0]), "row 1: exchange: expected a finite number, got NaN");
    }
}
