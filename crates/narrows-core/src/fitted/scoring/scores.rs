//! Scores as users see them.

use crate::detect::Reason;

/// Scores of a table, in the order of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// 1 is an ordinary row; rises with anomaly. NaN where there is none, see `flag`.
    pub score: Vec<f64>,
    /// Share of calibration rows that score as high, counted so that it holds for fresh normal rows.
    pub p_value: Vec<f64>,
    /// score > threshold
    pub is_anomaly: Vec<bool>,
    /// What a reader of a row's score should know.
    pub flag: Vec<ScoreFlag>,
    /// What was filled or clipped on the way.
    pub counts: ScoreCounts,
}

/// What a reader of one score should know. Only points of series have any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScoreFlag {
    /// Nothing.
    #[default]
    None,
    /// No window ends here yet, or none covers the point: there is no score.
    WarmUp,
    /// Nothing was observed at this point: there is no score.
    Missing,
    /// The first point after a gap; the gap was filled for the network and is not judged.
    AfterGap,
}

impl ScoreFlag {
    /// Of a point of a series, from the number of windows that cover it.
    pub(crate) fn of(covered: u32, score: f64, is_after_gap: bool) -> ScoreFlag {
        match (covered, score.is_nan()) {
            (0, _) => ScoreFlag::WarmUp,
            (_, true) => ScoreFlag::Missing,
            _ if is_after_gap => ScoreFlag::AfterGap,
            _ => ScoreFlag::None,
        }
    }

    /// As written into tables; none for nothing.
    pub fn word(self) -> Option<&'static str> {
        match self {
            ScoreFlag::None => None,
            ScoreFlag::WarmUp => Some("warm_up"),
            ScoreFlag::Missing => Some("missing"),
            ScoreFlag::AfterGap => Some("after_gap"),
        }
    }
}

/// What was filled, clipped or ignored while scoring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreCounts {
    /// Rows scored.
    pub rows: u64,
    /// Missing cells, filled for the network and left out of the error.
    pub missing: u64,
    /// Cells beyond the clipping limit.
    pub clipped: u64,
    /// Cells of a level that training never saw.
    pub unseen_levels: u64,
    /// Columns the model does not know.
    pub extra_columns: Vec<String>,
    /// Gaps in series: stretches of time without rows, filled for the network and never judged.
    pub gaps: u64,
    /// Points that no row has, in those gaps.
    pub gap_points: u64,
    /// Rows without a score: warming up, or with nothing observed.
    pub unscored: u64,
    /// Series that the model does not know, where each known one has a scale of its own: scaled as all.
    pub unknown_series: Vec<String>,
}

/// Scores and, for each row, the columns to blame.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The scores.
    pub scores: Scores,
    /// For each row, the columns with the largest share of its error, largest first.
    pub reasons: Vec<Vec<Reason>>,
}
