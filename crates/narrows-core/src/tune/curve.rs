//! Reconstruction error by code size, with PCA as baseline, and the elbow of the curve.

use serde::{Deserialize, Serialize};

/// An elbow below this share of the total decrease is rounding error.
const STRAIGHT: f64 = 1e-6;

/// Error by code size, with all other settings as in the recipe that was found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CodeSizeCurve {
    /// By ascending size.
    pub points: Vec<Point>,
    /// The elbow of the curve, with sizes in the logarithm (Kneedle).
    pub elbow: Option<usize>,
    /// Share of the training steps used for each point.
    pub share: f64,
}

/// One code size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Number of code units.
    pub code_size: usize,
    /// Share of held-out variance that the network leaves unexplained; `None` if training failed.
    pub unexplained: Option<f64>,
    /// The same for PCA with as many components.
    pub pca_unexplained: f64,
    /// The search criterion.
    pub cost: Option<f64>,
}

impl CodeSizeCurve {
    pub(super) fn new(points: Vec<Point>, share: f64) -> CodeSizeCurve {
        let seen: Vec<(usize, f64)> = points.iter().filter_map(|p| Some((p.code_size, p.unexplained?))).collect();
        // Where no network explains more than a constant does, the curve is of trainings that failed.
        let seen = if seen.iter().any(|(_, unexplained)| *unexplained < 1.0) { seen } else { Vec::new() };
        CodeSizeCurve { elbow: elbow(&seen), points, share }
    }
}

/// Code sizes of a curve for samples of `width` values: powers of two below it, the widest code below it up to
/// `widest`, and `own`, the size that was found.
pub(super) fn sizes(width: usize, widest: usize, own: usize) -> Vec<usize> {
    let most = width.saturating_sub(1).clamp(1, widest);
    let mut sizes: Vec<usize> = (0..=most.ilog2()).map(|i| 1 << i).collect();
    if most.ilog2() > 0 && most - (1 << most.ilog2()) >= 1 << (most.ilog2() - 1) {
        sizes.push(most);
    }
    sizes.extend((own < width).then_some(own));
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// The elbow of a decreasing curve of (size, error): the point farthest below the chord from its first point to its
/// last, with sizes in the logarithm ("Kneedle", Satopaa et al. 2011).
///
/// Errors are first made monotone, as a wider code can represent all that a narrower one can. `None` for fewer than
/// three sizes, or if nothing decreases.
pub(super) fn elbow(points: &[(usize, f64)]) -> Option<usize> {
    let mut least = f64::INFINITY;
    let fallen: Vec<(f64, f64)> = points
        .iter()
        .map(|(size, error)| {
            least = least.min(*error);
            ((*size as f64).log2(), least)
        })
        .collect();
    let ((x0, y0), (x1, y1)) = (*fallen.first()?, *fallen.last()?);
    if points.len() < 3 || y0 <= y1 || x1 <= x0 {
        return None;
    }
    let below = |(x, y): (f64, f64)| (y0 - y) / (y0 - y1) - (x - x0) / (x1 - x0);
    let mut best = (0, 0.0);
    for (i, point) in fallen.iter().enumerate() {
        if below(*point) > best.1 {
            best = (i, below(*point));
        }
    }
    (best.1 > STRAIGHT).then(|| points[best.0].0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(points: &[(usize, f64)], expected: Option<usize>) {
        assert_eq!(elbow(points), expected, "{points:?}");
    }

    #[test]
    fn the_elbow_is_where_the_curve_stops_falling() {
        check(&[(1, 0.8), (2, 0.5), (4, 0.05), (8, 0.04), (16, 0.03)], Some(4));
        check(&[(1, 0.3), (2, 0.02), (4, 0.019), (8, 0.018)], Some(2));
        check(&[(1, 0.8), (2, 0.5), (4, 0.05), (8, 0.3), (16, 0.03)], Some(4));
    }

    #[test]
    fn straight_rising_and_short_curves_have_none() {
        check(&[(1, 0.8), (2, 0.6), (4, 0.4), (8, 0.2)], None);
        check(&[(1, 0.1), (2, 0.2), (4, 0.3)], None);
        check(&[(1, 0.9), (2, 0.1)], None);
        check(&[], None);
    }

    #[test]
    fn trainings_that_explain_nothing_have_no_elbow() {
        let curve = |errors: [f64; 4]| {
            let point = |(i, error): (usize, f64)| Point {
                code_size: 1 << i,
                unexplained: Some(error),
                pca_unexplained: 0.1,
                cost: Some(error),
            };
            CodeSizeCurve::new(errors.into_iter().enumerate().map(point).collect(), 1.0).elbow
        };
        assert_eq!(curve([0.9, 0.2, 0.19, 0.18]), Some(2));
        assert_eq!(curve([1.9, 1.2, 1.19, 1.18]), None);
    }

    #[test]
    fn sizes_are_powers_of_two_below_the_width_and_the_one_found() {
        assert_eq!(sizes(20, 256, 5), [1, 2, 4, 5, 8, 16]);
        assert_eq!(sizes(14, 256, 4), [1, 2, 4, 8, 13]);
        assert_eq!(sizes(1, 256, 1), [1]);
        assert_eq!(sizes(2, 256, 1), [1]);
        assert_eq!(sizes(3, 256, 256), [1, 2]);
        assert_eq!(sizes(5000, 256, 100), [1, 2, 4, 8, 16, 32, 64, 100, 128, 256]);
    }
}
