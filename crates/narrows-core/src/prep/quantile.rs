//! Quantile transform to a normal distribution, piecewise linear.
//!
//! Beyond the training range the curve is extrapolated with its mean slope, so that, unlike with plain ranks, more
//! extreme values have more extreme scores.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::range::Positive;

/// Maximum number of knots.
const KNOTS: usize = 256;

/// An increasing curve from values to normal scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredCurve")]
pub(crate) struct QuantileCurve {
    x: Vec<f64>,
    z: Vec<f64>,
    /// Slope beyond the ends.
    slope: f64,
}

/// The unvalidated content of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredCurve {
    x: Vec<f64>,
    z: Vec<f64>,
    slope: Positive,
}

impl TryFrom<StoredCurve> for QuantileCurve {
    type Error = String;

    fn try_from(StoredCurve { x, z, slope }: StoredCurve) -> Result<QuantileCurve, String> {
        let rises = |knots: &[f64]| knots.is_sorted_by(|a, b| a < b);
        if x.is_empty() || x.len() != z.len() || !rises(&x) || !z.is_sorted() {
            return Err(format!(
                "expected a curve through rising knots, got {} values and {} scores",
                x.len(),
                z.len()
            ));
        }
        Ok(QuantileCurve { x, z, slope: slope.get() })
    }
}

impl QuantileCurve {
    /// The curve of finite values in ascending order.
    pub(crate) fn fit(sorted: &[f64]) -> QuantileCurve {
        let normal = Normal::standard();
        let n = sorted.len() as f64;
        let (mut x, mut z): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        let mut start = 0;
        let mut next_knot = 0.0;
        while start < sorted.len() {
            let length = sorted[start..].iter().take_while(|value| **value == sorted[start]).count();
            let end = start + length;
            // Ties get their mean rank.
            let rank = (start + end) as f64 / 2.0 / n;
            if rank >= next_knot || end == sorted.len() {
                x.push(sorted[start]);
                z.push(normal.inverse_cdf(rank));
                next_knot = rank + 1.0 / KNOTS as f64;
            }
            start = end;
        }
        if x.is_empty() {
            (x, z) = (vec![0.0], vec![0.0]);
        }
        let last = x.len() - 1;
        let slope = (z[last] - z[0]) / (x[last] - x[0]);
        QuantileCurve { x, z, slope: if slope.is_normal() && slope > 0.0 { slope } else { 1.0 } }
    }

    /// The score of a value.
    pub(crate) fn forward(&self, x: f64) -> f64 {
        follow(&self.x, &self.z, x, self.slope)
    }

    /// The value of a score.
    pub(crate) fn inverse(&self, z: f64) -> f64 {
        follow(&self.z, &self.x, z, 1.0 / self.slope)
    }
}

fn follow(from: &[f64], to: &[f64], at: f64, slope: f64) -> f64 {
    let last = from.len() - 1;
    if at <= from[0] {
        return to[0] + (at - from[0]) * slope;
    }
    if at >= from[last] {
        return to[last] + (at - from[last]) * slope;
    }
    let above = from.partition_point(|knot| *knot <= at);
    let (a, b) = (above - 1, above);
    let part = (at - from[a]) / (from[b] - from[a]);
    to[a] + part * (to[b] - to[a])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_become_normal_scores_and_come_back() {
        let values: Vec<f64> = (0..10_000).map(|i| f64::from(i).powi(3)).collect();
        let curve = QuantileCurve::fit(&values);
        assert!(curve.x.len() <= KNOTS + 2);
        assert!(curve.forward(values[5000]).abs() < 0.01);
        assert!((curve.forward(values[8413]) - 1.0).abs() < 0.02);
        for x in [values[0], values[17], values[9999], -5e9, 1e13] {
            assert!((curve.inverse(curve.forward(x)) - x).abs() <= 1e-6 * x.abs().max(1.0), "{x}");
        }
        assert!(curve.forward(2e12) > curve.forward(1e12));
    }

    #[test]
    fn one_value_and_none_give_a_curve_too() {
        assert_eq!(QuantileCurve::fit(&[3.0, 3.0]).forward(3.0), 0.0);
        assert_eq!(QuantileCurve::fit(&[]).forward(2.0), 2.0);
    }
}
