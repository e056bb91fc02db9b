//! Feature attribution of a score, in the units of the data.
//!
//! The share of a column is its part of the row's squared distance from what is told as expected, so the shares of a row
//! sum to 1. A broken invariant is no error of a reconstruction and has no share; it comes first. A share shows where a
//! row departs from the model, not the cause: a column may stand out because another one, which the model infers it
//! from, is wrong.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Direction of the deviation from the expected value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Greater than expected.
    Above,
    /// Less than expected.
    Below,
    /// Neither: a category, a missing value, or a number equal to the expected one.
    Other,
    /// An invariant that all training rows kept is broken.
    Broken,
}

/// The contribution of one column to a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Column name.
    pub column: String,
    /// Share of the row's squared distance from what is expected, in [0, 1]; 0 for a broken invariant.
    pub share: f64,
    /// Reconstructed value, in the column's units; for a broken invariant, what all training rows kept, as in "always ok
    /// in 400 training rows".
    pub expected: String,
    /// Observed value.
    pub got: String,
    /// Direction of the deviation.
    pub direction: Direction,
}

impl Reason {
    /// The reason for a numeric column, both values with the same number of decimals.
    pub fn number(column: impl Into<String>, share: f64, expected: f64, got: f64) -> Reason {
        let direction = match got.partial_cmp(&expected) {
            Some(std::cmp::Ordering::Greater) => Direction::Above,
            Some(std::cmp::Ordering::Less) => Direction::Below,
            _ => Direction::Other,
        };
        let write = format_alike(expected, got);
        Reason { column: column.into(), share, expected: write(expected), got: write(got), direction }
    }

    /// The reason for a categorical column.
    pub fn category(
        column: impl Into<String>,
        share: f64,
        expected: impl Into<String>,
        got: impl Into<String>,
    ) -> Reason {
        let (column, expected, got) = (column.into(), expected.into(), got.into());
        Reason { column, share, expected, got, direction: Direction::Other }
    }

    /// The reason for a column that breaks an invariant; `kept` says what all training rows kept.
    pub fn broken(column: impl Into<String>, kept: impl Into<String>, got: impl Into<String>) -> Reason {
        let (column, expected, got) = (column.into(), kept.into(), got.into());
        Reason { column, share: 0.0, expected, got, direction: Direction::Broken }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.direction == Direction::Broken {
            return write!(f, "`{}`: {}, got {}", self.column, self.expected, self.got);
        }
        let about = if self.direction == Direction::Other { "" } else { "about " };
        let percent = 100.0 * self.share;
        let share = if percent > 0.0 && percent < 1.0 { "below 1 %".to_owned() } else { format!("{percent:.0} %") };
        write!(f, "`{}`: expected {about}{}, got {} (share {share})", self.column, self.expected, self.got)
    }
}

/// Formats two numbers with just enough decimals to distinguish them.
fn format_alike(a: f64, b: f64) -> impl Fn(f64) -> String {
    let greatest = a.abs().max(b.abs());
    let apart = (a - b).abs();
    let finite = greatest.is_finite();
    // Two digits of the difference, at least three of the greater number.
    let digits = |x: f64, wanted: f64| if x > 0.0 && finite { wanted - 1.0 - x.log10().floor() } else { 0.0 };
    let decimals = digits(apart, 2.0).max(digits(greatest, 3.0)).max(0.0);
    let plain = greatest < 1e9 && decimals <= 9.0;
    let whole = finite && greatest < 1e9 && a.fract() == 0.0 && b.fract() == 0.0;
    // At least two decimals, if any.
    let decimals = if whole { 0 } else { decimals.clamp(2.0, 9.0) as usize };
    move |x: f64| if plain || whole || !x.is_finite() { format!("{x:.decimals$}") } else { format!("{x:.3e}") }
}

/// Each contribution divided by the sum; all 0 if the sum is 0.
///
/// Negative and NaN contributions count as 0; infinite ones share the total equally.
pub fn shares(contributions: &[f64]) -> Vec<f64> {
    let infinite = contributions.contains(&f64::INFINITY);
    let part = |&x: &f64| match infinite {
        true if x == f64::INFINITY => 1.0,
        true => 0.0,
        false if x > 0.0 => x,
        false => 0.0,
    };
    let greatest = contributions.iter().map(part).fold(0.0, f64::max);
    if greatest == 0.0 {
        return vec![0.0; contributions.len()];
    }
    // Divided by the maximum first, so that the sum cannot overflow.
    let sum: f64 = contributions.iter().map(|x| part(x) / greatest).sum();
    contributions.iter().map(|x| part(x) / greatest / sum).collect()
}

/// The indices of the `k` largest shares above 0, largest first; ties in column order.
pub fn top_k(shares: &[f64], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..shares.len()).filter(|&i| shares[i] > 0.0).collect();
    order.sort_by(|&a, &b| shares[b].total_cmp(&shares[a]));
    order.truncate(k);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(expected: f64, got: f64, text: &str) {
        assert_eq!(
            Reason::number("amount", 0.714, expected, got).to_string(),
            format!("`amount`: {text} (share 71 %)")
        );
    }

    #[test]
    fn numbers_are_told_to_sensible_decimals() {
        check_text(41.2, 980.0, "expected about 41.20, got 980.00");
        check_text(3.0, 12.0, "expected about 3, got 12");
        check_text(0.00123, 0.0045, "expected about 0.00123, got 0.00450");
        check_text(1_234_567.891, 1_234_570.0, "expected about 1234567.89, got 1234570.00");
        check_text(1e-20, 3e12, "expected about 1.000e-20, got 3.000e12");
        check_text(1.5, f64::NAN, "expected 1.50, got NaN");
        check_text(100.001, 100.0012, "expected about 100.00100, got 100.00120");
    }

    #[test]
    fn a_category_is_told_without_about_and_a_small_share_as_such() {
        let reason = Reason::category("country", 0.004, "DE", "XX");
        assert_eq!(reason.to_string(), "`country`: expected DE, got XX (share below 1 %)");
        let reason = Reason::broken("raid", "always ok in 400 training rows", "FAILED");
        assert_eq!(reason.to_string(), "`raid`: always ok in 400 training rows, got FAILED");
        assert_eq!(Reason::number("a", 1.0, 1.0, 1.0).direction, Direction::Other);
        assert_eq!(Reason::number("a", 1.0, 1.0, 0.5).direction, Direction::Below);
    }

    #[test]
    fn shares_sum_to_one_or_are_all_zero() {
        assert_eq!(shares(&[1.0, 3.0, 0.0, -5.0, f64::NAN]), [0.25, 0.75, 0.0, 0.0, 0.0]);
        assert_eq!(shares(&[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(shares(&[1.0, f64::INFINITY, f64::INFINITY]), [0.0, 0.5, 0.5]);
        assert_eq!(shares(&[f64::MAX, f64::MAX]), [0.5, 0.5]);
        assert_eq!(shares(&[f64::from_bits(1); 2]), [0.5, 0.5]);
        assert!(shares(&[]).is_empty());
    }

    #[test]
    fn equals_keep_the_order_of_the_columns() {
        assert_eq!(top_k(&[0.2, 0.3, 0.2, 0.3, 0.0], 3), [1, 3, 0]);
        assert_eq!(top_k(&[0.2, 0.0], 5), [0]);
    }
}
