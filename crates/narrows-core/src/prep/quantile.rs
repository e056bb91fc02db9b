//! Quantile transform to a normal distribution, piecewise linear.
//!
//! Beyond the training range the curve is extrapolated with its mean slope, so that, unlike with plain ranks, more
//! extreme values have more extreme scores.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use crate::range::Positive;

/// Maximum number of knots.
const KNOTS: usize = 256;
/// Step of the ranks between knots of [`of_cuts`](QuantileCurve::of_cuts) relative to the normal density.
const TAIL_STEP: f64 = 0.04;

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
        QuantileCurve::through(x, z)
    }

    fn through(mut x: Vec<f64>, mut z: Vec<f64>) -> QuantileCurve {
        if x.is_empty() {
            (x, z) = (vec![0.0], vec![0.0]);
        }
        let last = x.len() - 1;
        let slope = (z[last] - z[0]) / (x[last] - x[0]);
        QuantileCurve { x, z, slope: if slope.is_normal() && slope > 0.0 { slope } else { 1.0 } }
    }

    /// The same with knots also half-way between values, so that the value nearest to an inverse has the share of the
    /// scores that it has of the rows, and with closer knots in the tails.
    pub(crate) fn of_cuts(sorted: &[f64]) -> QuantileCurve {
        let normal = Normal::standard();
        let n = sorted.len() as f64;
        let (mut x, mut z): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        let (mut start, mut next_knot) = (0, 0.0);
        let mut push = |value: f64, rank: f64, is_last: bool| {
            if (rank >= next_knot || is_last) && x.last().is_none_or(|last| *last < value) {
                let score = normal.inverse_cdf(rank);
                x.push(value);
                z.push(score);
                // Half-way between two knots there is as much as a fine histogram has a bin, and less in the tails.
                next_knot = rank + (1.0 / KNOTS as f64).min(TAIL_STEP * (-0.5 * score * score).exp());
            }
        };
        while start < sorted.len() {
            let end = start + sorted[start..].iter().take_while(|value| **value == sorted[start]).count();
            push(sorted[start], (start + end) as f64 / 2.0 / n, end == sorted.len());
            if end < sorted.len() {
                push(sorted[start] / 2.0 + sorted[end] / 2.0, end as f64 / n, false);
            }
            start = end;
        }
        QuantileCurve::through(x, z)
    }

    /// The values of the knots, rising.
    pub(crate) fn knots(&self) -> &[f64] {
        &self.x
    }

    /// The segments between the knots, and before the first and after the last of them: the value and the score at which
    /// each starts, and by how much they rise in it, as `[value, rise of the value, score, rise of the score]`.
    pub(crate) fn segments(&self) -> Vec<[f64; 4]> {
        let last = self.x.len() - 1;
        let between = (0..last).map(|i| [self.x[i], self.x[i + 1] - self.x[i], self.z[i], self.z[i + 1] - self.z[i]]);
        let beyond = |end: usize| [self.x[end], 1.0, self.z[end], self.slope];
        std::iter::once(beyond(0)).chain(between).chain([beyond(last)]).collect()
    }

    /// The curve from scores to values.
    pub(crate) fn turned(&self) -> QuantileCurve {
        QuantileCurve { x: self.z.clone(), z: self.x.clone(), slope: 1.0 / self.slope }
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
    fn segments_are_the_curve() {
        for values in [&[3.0][..], &[-1.0, 0.0, 4.0, 5.0]] {
            let curve = QuantileCurve::fit(values);
            for x in [-9.0, -1.0, -0.5, 0.0, 3.0, 4.9, 5.0, 70.0] {
                let past = curve.knots().iter().filter(|knot| x >= **knot).count();
                let [from, width, start, rise] = curve.segments()[past];
                assert!((start + (x - from) / width * rise - curve.forward(x)).abs() < 1e-12, "{x}");
            }
        }
    }

    #[test]
    fn one_value_and_none_give_a_curve_too() {
        assert_eq!(QuantileCurve::fit(&[3.0, 3.0]).forward(3.0), 0.0);
        assert_eq!(QuantileCurve::fit(&[]).forward(2.0), 2.0);
    }
}
