//! Scores as users see them, and the two verbs that make them.

use narrows_engine::Threads;

use super::Fitted;
use super::adapter::{Adapter, TableSamples};
use super::images::not_a_table;
use super::scorer::ScoreDetail;
use crate::data::Table;
use crate::detect::Reason;
use crate::error::Result;

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
    pub(super) fn of(covered: u32, score: f64, is_after_gap: bool) -> ScoreFlag {
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

impl Fitted {
    /// Scores rows.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] or [`crate::Error::Data`] where the table's columns do not fit the model's.
    pub fn score(&self, table: &Table, threads: &Threads) -> Result<Scores> {
        match &self.adapter {
            Adapter::Table(adapter) => {
                let samples = adapter.prepare(table)?;
                let scores = self.scorer.score(&samples.prepared, threads);
                Ok(self.verdicts(scores, counts_of(samples)))
            }
            Adapter::Series(adapter) => Ok(self.score_series(adapter, table, 0, threads)?.scores),
            Adapter::Images(_) => Err(not_a_table()),
        }
    }

    /// Scores rows and says why: the `k` columns with the largest share of each row's error, in their own units.
    ///
    /// # Errors
    /// As for [`Fitted::score`].
    pub fn explain(&self, table: &Table, k: usize, threads: &Threads) -> Result<Explained> {
        match &self.adapter {
            Adapter::Table(adapter) => {
                let samples = adapter.prepare(table)?;
                let judged = self.scorer.score_with(&samples.prepared, ScoreDetail::Shares, threads);
                let expected = self.scorer.expected(&samples.prepared, &judged.shares, threads);
                let reasons = adapter.reasons(&samples, &judged.shares, &expected, k, threads);
                Ok(Explained { scores: self.verdicts(judged.scores, counts_of(samples)), reasons })
            }
            Adapter::Series(adapter) => self.score_series(adapter, table, k, threads),
            Adapter::Images(_) => Err(not_a_table()),
        }
    }

    /// Scores as users see them; NaN stands for no score.
    pub(super) fn verdicts(&self, score: Vec<f64>, counts: ScoreCounts) -> Scores {
        Scores {
            p_value: score.iter().map(|s| self.calibration.p_value(*s)).collect(),
            is_anomaly: score.iter().map(|s| *s > self.decision.threshold).collect(),
            flag: vec![ScoreFlag::None; score.len()],
            counts,
            score,
        }
    }
}

fn counts_of(samples: TableSamples) -> ScoreCounts {
    let counts = &samples.prepared.counts;
    ScoreCounts {
        rows: samples.prepared.n as u64,
        missing: counts.missing,
        clipped: counts.clipped,
        unseen_levels: counts.unseen_levels,
        extra_columns: samples.extra_columns,
        ..ScoreCounts::default()
    }
}
