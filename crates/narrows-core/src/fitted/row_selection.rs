//! Which of the scored rows are kept, and in which order: all, the anomalies, the highest scores.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use arrow::datatypes::Float64Type;

/// Columns that hold scores: of rows, and of events.
const SCORES: [&str; 2] = ["score", "peak_score"];
/// The column that holds the decision.
const DECISION: &str = "is_anomaly";

/// Which of the scored rows are kept, and in which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowSelection {
    /// Keep only anomalies.
    pub only_anomalies: bool,
    /// The order, and how many.
    pub order: ScoreOrder,
}

/// The order of scored rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScoreOrder {
    /// The order of the input.
    #[default]
    Input,
    /// By falling score; equal scores in the order of the input. All rows are held in memory.
    ByScore,
    /// The same, and only this many.
    Highest(usize),
}

/// Selects from batches of scored rows as they come.
///
/// ```
/// use narrows_core::data::Table;
/// use narrows_core::score_table::{ScoreOrder, RowSelection, RowSelector};
///
/// let batch = |row: Vec<f64>, score: Vec<f64>| Table::from_columns(vec![("row", row), ("score", score)]);
/// let mut selector = RowSelector::new(RowSelection { order: ScoreOrder::Highest(2), ..RowSelection::default() });
/// assert!(selector.add(batch(vec![0.0, 1.0], vec![3.0, 9.0])?.batch().clone()).is_none());
/// assert!(selector.add(batch(vec![2.0, 3.0], vec![1.0, 7.0])?.batch().clone()).is_none());
/// let kept = Table::new(selector.finish().expect("rows were added"), "scores", 0);
/// assert_eq!(kept.batch(), batch(vec![1.0, 3.0], vec![9.0, 7.0])?.batch());
/// # Ok::<(), narrows_core::Error>(())
/// ```
#[derive(Debug)]
pub struct RowSelector {
    selection: RowSelection,
    waiting: Vec<RecordBatch>,
}

impl RowSelector {
    /// A selector of rows with a column `score`, or `peak_score`, and, for anomalies, `is_anomaly`.
    pub fn new(selection: RowSelection) -> RowSelector {
        RowSelector { selection, waiting: Vec::new() }
    }

    /// Adds rows; returns those that are known to be kept and in place. An empty batch still has the columns.
    pub fn add(&mut self, batch: RecordBatch) -> Option<RecordBatch> {
        let batch = if self.selection.only_anomalies { anomalies(&batch) } else { batch };
        match self.selection.order {
            ScoreOrder::Input => return Some(batch),
            ScoreOrder::ByScore => self.waiting.push(batch),
            ScoreOrder::Highest(n) => {
                self.waiting.push(batch);
                let rows: usize = self.waiting.iter().map(RecordBatch::num_rows).sum();
                // Sorted now and then, so that memory is bounded and each row is moved a few times only.
                if rows > 4 * n.max(1024) {
                    self.waiting = vec![highest(&self.waiting, n)];
                }
            }
        }
        None
    }

    /// The rows that were waiting for others; `None` if there are none to come.
    pub fn finish(self) -> Option<RecordBatch> {
        let n = match self.selection.order {
            ScoreOrder::Input => return None,
            ScoreOrder::ByScore => usize::MAX,
            ScoreOrder::Highest(n) => n,
        };
        (!self.waiting.is_empty()).then(|| highest(&self.waiting, n))
    }
}

/// The anomalies of a batch; all rows if they have no decision, as events.
fn anomalies(batch: &RecordBatch) -> RecordBatch {
    let Some(decisions) = batch.column_by_name(DECISION) else { return batch.clone() };
    // No decision is no anomaly.
    let chosen: BooleanArray = decisions.as_boolean().iter().map(|decision| Some(decision == Some(true))).collect();
    filter_record_batch(batch, &chosen).expect("a decision for each row")
}

/// The `n` rows with the highest scores, by falling score.
fn highest(batches: &[RecordBatch], n: usize) -> RecordBatch {
    let batch = concat_batches(batches[0].schema_ref(), batches).expect("batches of one schema");
    let scores =
        SCORES.iter().find_map(|name| batch.column_by_name(name)).map(|column| column.as_primitive::<Float64Type>());
    let Some(scores) = scores else { return batch };
    // Rows without a score come last.
    let score = |row: u32| if scores.is_null(row as usize) { f64::NEG_INFINITY } else { scores.value(row as usize) };
    let mut order: Vec<u32> = (0..batch.num_rows() as u32).collect();
    order.sort_by(|a, b| score(*b).total_cmp(&score(*a)));
    order.truncate(n);
    take_record_batch(&batch, &UInt32Array::from(order)).expect("rows of the batch")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, UInt64Array};

    use super::*;
    use crate::output::batch;

    /// Rows numbered from `first`, with these scores; above 5 they are anomalies.
    fn scored(first: u64, scores: &[Option<f64>]) -> RecordBatch {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("row", Arc::new(UInt64Array::from_iter_values(first..first + scores.len() as u64))),
            ("score", Arc::new(Float64Array::from(scores.to_vec()))),
            (DECISION, Arc::new(scores.iter().map(|score| score.map(|score| score > 5.0)).collect::<BooleanArray>())),
        ];
        batch(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect())
    }

    fn check(only_anomalies: bool, order: ScoreOrder, expected: &[u64]) {
        let mut selector = RowSelector::new(RowSelection { only_anomalies, order });
        let batches = [scored(0, &[Some(1.0), Some(9.0), None]), scored(3, &[Some(9.0), Some(7.0), Some(2.0)])];
        let mut found: Vec<RecordBatch> = batches.into_iter().filter_map(|batch| selector.add(batch)).collect();
        found.extend(selector.finish());
        let rows = found.iter().flat_map(|batch| {
            use arrow::datatypes::UInt64Type;
            batch.column(0).as_primitive::<UInt64Type>().values().to_vec()
        });
        assert_eq!(rows.collect::<Vec<_>>(), expected, "{only_anomalies} {order:?}");
        assert!(found.iter().all(|batch| batch.num_columns() == 3));
    }

    #[test]
    fn rows_are_kept_by_decision_and_by_score() {
        check(false, ScoreOrder::Input, &[0, 1, 2, 3, 4, 5]);
        check(true, ScoreOrder::Input, &[1, 3, 4]);
        check(false, ScoreOrder::ByScore, &[1, 3, 4, 5, 0, 2]);
        check(true, ScoreOrder::ByScore, &[1, 3, 4]);
        check(false, ScoreOrder::Highest(2), &[1, 3]);
        check(true, ScoreOrder::Highest(99), &[1, 3, 4]);
        check(false, ScoreOrder::Highest(0), &[]);
    }

    #[test]
    fn the_highest_of_many_batches_are_those_of_all_rows_in_bounded_memory() {
        let score = |i: u64| Some((i * 7919 % 100_003) as f64);
        let mut selector = RowSelector::new(RowSelection { order: ScoreOrder::Highest(5), ..RowSelection::default() });
        for first in (0..20_000).step_by(100) {
            selector.add(scored(first, &(first..first + 100).map(score).collect::<Vec<_>>()));
            assert!(selector.waiting.iter().map(RecordBatch::num_rows).sum::<usize>() <= 4 * 1024 + 100);
        }
        let kept = selector.finish().unwrap();
        let mut all: Vec<f64> = (0..20_000).filter_map(score).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        assert_eq!(kept.column(1).as_primitive::<Float64Type>().values().to_vec(), all[..5]);
    }
}
