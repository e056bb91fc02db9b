//! Public score types.

use serde::Serialize;

use crate::data::Unreadable;
use crate::detect::Reason;

/// Scores of a table, in row order.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// 1 for a typical row; higher is more anomalous. NaN if there is no score, see `flag`.
    pub score: Vec<f64>,
    /// Conformal p-value: share of calibration rows that score as high, valid for new normal rows.
    pub p_value: Vec<f64>,
    /// score > threshold
    pub is_anomaly: Vec<bool>,
    /// Remarks on each score.
    pub flag: Vec<ScoreFlag>,
    /// Counts of filled, clipped and ignored values.
    pub counts: ScoreCounts,
}

/// A remark on a score. Only points of series have any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScoreFlag {
    /// No remark.
    #[default]
    None,
    /// No window ends here yet, or none covers the point: no score.
    WarmUp,
    /// Nothing was observed at this point: no score.
    Missing,
    /// The first point after a gap; the gap was filled for the network and is not scored.
    AfterGap,
    /// The row shares its point in time, and its score, with another row.
    Duplicate,
}

impl ScoreFlag {
    /// The flag of a point of a series, from the number of windows that cover it.
    pub(crate) fn of(covered: u32, score: f64, is_after_gap: bool) -> ScoreFlag {
        match (covered, score.is_nan()) {
            (0, _) => ScoreFlag::WarmUp,
            (_, true) => ScoreFlag::Missing,
            _ if is_after_gap => ScoreFlag::AfterGap,
            _ => ScoreFlag::None,
        }
    }

    /// The name in tables; `None` for no remark.
    pub fn word(self) -> Option<&'static str> {
        match self {
            ScoreFlag::None => None,
            ScoreFlag::WarmUp => Some("warm_up"),
            ScoreFlag::Missing => Some("missing"),
            ScoreFlag::AfterGap => Some("after_gap"),
            ScoreFlag::Duplicate => Some("duplicate"),
        }
    }
}

/// Counts of values filled, clipped or ignored during scoring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreCounts {
    /// Rows scored.
    pub rows: u64,
    /// Missing cells, filled for the network and excluded from the error.
    pub missing: u64,
    /// Cells that are not written as in their column; they count as missing.
    pub unreadable: Vec<Unreadable>,
    /// Cells beyond the clipping limit.
    pub clipped: u64,
    /// Cells with a level unseen in training.
    pub unseen_levels: u64,
    /// Columns unknown to the model.
    pub extra_columns: Vec<String>,
    /// Gaps in series: time ranges without rows, filled for the network and not scored.
    pub gaps: u64,
    /// Missing points in those gaps.
    pub gap_points: u64,
    /// Rows without a score: in the warm-up, or without observed values.
    pub unscored: u64,
    /// Series unknown to the model, if scales are per series: they get the common scale.
    pub unknown_series: Vec<String>,
    /// Infinite cells of series: anomalies if training had none, else missing.
    pub infinite: u64,
    /// Numeric columns with cells outside their training range.
    pub outside: Vec<OutsideRange>,
    /// What was found in the times of series, as text.
    pub notes: Vec<String>,
}

/// Cells of one numeric column outside its training range.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OutsideRange {
    /// The column.
    pub column: String,
    /// Rows above the largest training value.
    pub above: u64,
    /// Rows below the smallest training value.
    pub below: u64,
}

/// Scores and, for each row, the top contributing columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The scores.
    pub scores: Scores,
    /// For each row, the columns with the largest share of its error, largest first.
    pub reasons: Vec<Vec<Reason>>,
}
