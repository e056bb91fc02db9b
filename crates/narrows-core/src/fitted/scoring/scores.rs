//! Public score types.

use serde::Serialize;

use crate::data::Unreadable;
use crate::detect::Reason;
use crate::fitted::invariants::BrokenInvariants;

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

/// A remark on a score. Rows of tables have none but `Missing`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScoreFlag {
    /// No remark.
    #[default]
    None,
    /// No window ends here yet, or none covers the point: no score.
    WarmUp,
    /// Nothing was observed in this row or at this point: no score.
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
            // A changed constant needs no window.
            (0, true) => ScoreFlag::WarmUp,
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
    /// Invariants that rows break.
    pub broken: Vec<BrokenInvariants>,
    /// Columns that never changed in training rows and are not there to be compared.
    pub lacking: Vec<String>,
}

impl ScoreCounts {
    /// Adds the counts of further rows.
    pub fn add(&mut self, more: &ScoreCounts) {
        self.rows += more.rows;
        self.missing += more.missing;
        self.clipped += more.clipped;
        self.unseen_levels += more.unseen_levels;
        self.gaps += more.gaps;
        self.gap_points = self.gap_points.saturating_add(more.gap_points);
        self.unscored += more.unscored;
        self.unknown_series.extend(more.unknown_series.iter().cloned());
        self.infinite += more.infinite;
        Unreadable::merge(&mut self.unreadable, &more.unreadable);
        OutsideRange::merge(&mut self.outside, &more.outside);
        self.notes.extend(more.notes.iter().cloned());
        BrokenInvariants::merge(&mut self.broken, &more.broken);
        if self.lacking.is_empty() {
            self.lacking.clone_from(&more.lacking);
        }
        if self.extra_columns.is_empty() {
            self.extra_columns.clone_from(&more.extra_columns);
        }
    }

    /// What was filled, clipped, ignored or left out, as sentences without a full stop.
    pub fn notes(&self) -> Vec<String> {
        let counted = [
            (self.missing, "missing cells were filled and left out of the scores"),
            (self.infinite, "infinite cells"),
            (self.clipped, "extreme values were clipped"),
            (self.unseen_levels, "cells hold a category that training rows did not have"),
            (self.gap_points, "points are missing in gaps; they were filled and not scored"),
            (self.unscored, "rows have no score"),
        ];
        let mut notes: Vec<String> =
            counted.into_iter().filter(|(n, _)| *n > 0).map(|(n, words)| format!("{n} {words}")).collect();
        let listed = |names: &[String]| {
            let shown: Vec<String> = names.iter().take(20).map(|name| format!("`{name}`")).collect();
            let more = names.len() - shown.len();
            if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
        };
        if !self.unknown_series.is_empty() {
            notes.push(format!(
                "series without a scale of their own, since training had none: {}",
                listed(&self.unknown_series)
            ));
        }
        notes.extend(BrokenInvariants::notes(&self.broken));
        if !self.lacking.is_empty() {
            notes.push(format!(
                "columns that never changed in training are not there to be compared: {}",
                listed(&self.lacking)
            ));
        }
        notes.extend(self.unreadable.iter().map(|unreadable| format!("{unreadable}; taken as missing")));
        notes.extend(OutsideRange::beyond(&self.outside, self.rows));
        notes.extend(self.notes.iter().cloned());
        if !self.extra_columns.is_empty() {
            notes.push(format!("columns that the model does not use: {}", listed(&self.extra_columns)));
        }
        notes
    }
}

/// From this share of rows outside a training range on, scores say little.
const NEARLY_ALL: f64 = 0.95;
/// With fewer rows it may be coincidence.
const MANY_ROWS: u64 = 20;

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

impl OutsideRange {
    /// The columns of which nearly all of `rows` cells lie on one side of their training range, as sentences without a
    /// full stop: the model knows nothing of such rows.
    pub fn beyond(all: &[OutsideRange], rows: u64) -> Vec<String> {
        let words = |outside: &OutsideRange| {
            let side = |n: u64, side: &str| {
                let share = n as f64 / rows.max(1) as f64;
                let told = if n == rows { "all rows".to_owned() } else { format!("{:.0} % of rows", 100.0 * share) };
                (rows >= MANY_ROWS && share >= NEARLY_ALL)
                    .then(|| format!("{told} are {side} the training range of `{}`", outside.column))
            };
            side(outside.above, "above").or_else(|| side(outside.below, "below"))
        };
        all.iter().filter_map(words).collect()
    }

    /// Adds the cells of a later part of the same table to those before.
    pub fn merge(all: &mut Vec<OutsideRange>, more: &[OutsideRange]) {
        for outside in more {
            match all.iter_mut().find(|known| known.column == outside.column) {
                Some(known) => {
                    known.above += outside.above;
                    known.below += outside.below;
                }
                None => all.push(outside.clone()),
            }
        }
    }
}

/// Scores and, for each row, the top contributing columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The scores.
    pub scores: Scores,
    /// For each row, the columns with the largest share of its error, largest first.
    pub reasons: Vec<Vec<Reason>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_beyond_its_training_range_is_told() {
        let outside = [
            OutsideRange { column: "Time".to_owned(), above: 98, below: 0 },
            OutsideRange { column: "x".to_owned(), above: 1, below: 2 },
        ];
        assert!(OutsideRange::beyond(&outside, 15).is_empty(), "few rows");
        assert_eq!(OutsideRange::beyond(&outside, 98), ["all rows are above the training range of `Time`"]);
        assert_eq!(OutsideRange::beyond(&outside, 100), ["98 % of rows are above the training range of `Time`"]);
        assert!(OutsideRange::beyond(&outside, 200).is_empty());
    }

    #[test]
    fn counts_of_parts_are_added_and_told() {
        let part = |above| ScoreCounts {
            rows: 10,
            missing: 1,
            extra_columns: vec!["id".to_owned()],
            outside: vec![OutsideRange { column: "x".to_owned(), above, below: 0 }],
            unreadable: vec![Unreadable {
                column: "x".to_owned(),
                expected: "numbers".to_owned(),
                cells: 1,
                first_row: 10 * above,
                examples: vec![format!("off {above}")],
            }],
            ..ScoreCounts::default()
        };
        let mut counts = part(1);
        counts.add(&part(2));
        assert_eq!((counts.rows, counts.missing, counts.outside[0].above), (20, 2, 3));
        assert_eq!(
            counts.notes(),
            [
                "2 missing cells were filled and left out of the scores",
                "column `x`: 2 cells are not numbers, from row 10: `off 1`, `off 2`; taken as missing",
                "columns that the model does not use: `id`",
            ]
        );
    }
}
