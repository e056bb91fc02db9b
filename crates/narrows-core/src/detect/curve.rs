//! ROC and precision-recall curves for plots, thinned.
//!
//! Points are evenly spaced along the arc length rather than in the threshold: the ROC curve of a good detector has
//! almost all of its thresholds in the last, flat part.

use super::ranking::RankTally;

/// Maximum number of points.
const MOST: usize = 200;

/// Points `(false-alarm rate, recall)`, from (0, 0) to (1, 1).
pub(super) fn roc(tally: &RankTally) -> Vec<(f64, f64)> {
    let total = tally.totals();
    let point = |above: super::ranking::Above| {
        (above.normals as f64 / total.normals as f64, above.anomalies as f64 / total.anomalies as f64)
    };
    thinned(std::iter::once((0.0, 0.0)).chain(tally.cumulative().map(point)).collect())
}

/// Points `(recall, precision)`, from the highest threshold to the lowest.
pub(super) fn precision_recall(tally: &RankTally) -> Vec<(f64, f64)> {
    let total = tally.totals().anomalies as f64;
    let point = |above: super::ranking::Above| {
        (above.anomalies as f64 / total, above.anomalies as f64 / (above.anomalies + above.normals) as f64)
    };
    thinned(tally.cumulative().map(point).collect())
}

/// Keeps both ends and points at even steps of the arc length.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    if points.len() <= MOST {
        return points;
    }
    let step = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).abs() + (a.1 - b.1).abs();
    let whole: f64 = points.windows(2).map(|pair| step(pair[0], pair[1])).sum();
    let mut kept = vec![points[0]];
    let mut length = 0.0;
    for pair in points[..points.len() - 1].windows(2) {
        length += step(pair[0], pair[1]);
        if length >= whole * kept.len() as f64 / (MOST - 1) as f64 && kept.len() < MOST - 1 {
            kept.push(pair[1]);
        }
    }
    kept.push(points[points.len() - 1]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::ranking::Ranking;

    fn tally(n: usize) -> RankTally {
        let scores: Vec<f64> = (0..n).map(|i| ((i * 7919) % n) as f64).collect();
        let labels: Vec<bool> =
            scores.iter().enumerate().map(|(i, s)| s + 0.3 * (i % n) as f64 > 1.1 * n as f64).collect();
        Ranking::new(&scores, &labels).unwrap().tally
    }

    fn area(points: &[(f64, f64)]) -> f64 {
        points.windows(2).map(|p| (p[1].0 - p[0].0) * 0.5 * (p[0].1 + p[1].1)).sum()
    }

    #[test]
    fn a_thinned_roc_curve_keeps_its_ends_its_order_and_its_area() {
        let tally = tally(30_011);
        let points = roc(&tally);
        assert!((150..=MOST).contains(&points.len()), "{}", points.len());
        assert_eq!((points[0], *points.last().unwrap()), ((0.0, 0.0), (1.0, 1.0)));
        assert!(points.windows(2).all(|p| p[0].0 <= p[1].0 && p[0].1 <= p[1].1));
        assert!((area(&points) - tally.roc_auc()).abs() < 1e-3);
    }

    #[test]
    fn a_short_curve_keeps_every_point() {
        let ranking = Ranking::new(&[3.0, 2.0, 2.0, 1.0], &[true, false, true, false]).unwrap();
        assert_eq!(roc(&ranking.tally), [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        assert_eq!(precision_recall(&ranking.tally), [(0.5, 1.0), (1.0, 2.0 / 3.0), (1.0, 0.5)]);
    }

    #[test]
    fn a_thinned_precision_recall_curve_stays_within_bounds() {
        let points = precision_recall(&tally(30_011));
        assert!(points.len() <= MOST);
        assert_eq!(points.last().unwrap().0, 1.0);
    }
}
