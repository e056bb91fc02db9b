//! One score of a point from that of its windows and that of what is around it.

use serde::{Deserialize, Serialize};

/// The two scores of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PointScore {
    /// Of the windows that cover it.
    pub(super) whole: f64,
    /// Of what is around it in them.
    pub(super) around: f64,
}

impl PointScore {
    /// No score.
    pub(super) const NONE: PointScore = PointScore { whole: f64::NAN, around: f64::NAN };

    /// Both raised to `least`.
    pub(super) fn raised(self, least: f64) -> PointScore {
        PointScore { whole: self.whole.max(least), around: self.around.max(least) }
    }
}

/// How the two scores of a point are joined.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Judgement {
    /// What is around the point alone: what a threshold is set on, of a stream, and of older models.
    #[default]
    Around,
    /// The score of the windows, on the side of this ceiling on which the one around the point is.
    Whole {
        /// The threshold that was set on scores around points.
        ceiling: f64,
    },
}

impl Judgement {
    /// By windows, above `threshold` where the score around the point is.
    pub(super) fn split_at(threshold: f64) -> Judgement {
        let judgement = Judgement::Whole { ceiling: threshold };
        if judgement.is_valid() { judgement } else { Judgement::Around }
    }

    /// One score of the two.
    pub(super) fn score(self, PointScore { whole, around }: PointScore) -> f64 {
        match self {
            Judgement::Around => around,
            Judgement::Whole { ceiling } if around > ceiling => whole.max(ceiling.next_up()),
            Judgement::Whole { ceiling } => below(whole, ceiling),
        }
    }

    /// Whether it can be of a model.
    pub(super) fn is_valid(self) -> bool {
        !matches!(self, Judgement::Whole { ceiling } if !ceiling.is_finite() || ceiling < 0.0)
    }
}

/// As it is up to half the ceiling, and beyond that ever closer to it, in the same order.
fn below(score: f64, ceiling: f64) -> f64 {
    if score > ceiling / 2.0 { ceiling * (1.0 - ceiling / (4.0 * score)) } else { score }
}

/// Points with one score each.
pub(super) fn joined(points: &[PointScore], judgement: Judgement) -> Vec<f64> {
    points.iter().map(|parts| judgement.score(*parts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_above_the_threshold_where_the_score_around_it_is() {
        let judgement = Judgement::split_at(4.0);
        let score = |whole: f64, around: f64| judgement.score(PointScore { whole, around });
        assert_eq!([score(9.0, 5.0), score(5.0, 9.0)], [9.0, 5.0]);
        assert!(score(3.0, 9.0) > 4.0 && score(3.0, 9.0) < 4.001);
        assert_eq!([score(1.5, 3.0), score(2.0, 0.1)], [1.5, 2.0]);
        assert_eq!([score(4.0, 1.0), score(16.0, 1.0)], [3.0, 3.75]);
        assert!(score(1e30, 4.0) <= 4.0 && score(f64::INFINITY, 0.0) <= 4.0);
        assert!(score(f64::NAN, f64::NAN).is_nan());
        let point = PointScore { whole: 3.0, around: 0.0 };
        assert_eq!(Judgement::split_at(0.0).score(point), 0.0);
        assert_eq!(Judgement::Around.score(point.raised(2.0)), 2.0);
    }

    #[test]
    fn a_ceiling_is_a_number() {
        assert_eq!(Judgement::split_at(2.0), Judgement::Whole { ceiling: 2.0 });
        assert_eq!(Judgement::split_at(f64::INFINITY), Judgement::Around);
        assert!(![-1.0, f64::NAN, f64::INFINITY].iter().any(|t| Judgement::Whole { ceiling: *t }.is_valid()));
    }
}
