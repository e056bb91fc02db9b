//! Batches of named columns.

use arrow::array::{ArrayRef, RecordBatch};

/// Columns of equal length, each with its name.
pub type Columns = Vec<(String, ArrayRef)>;

/// A batch of columns.
///
/// # Panics
/// If they are not of equal length, or there are none.
pub fn batch(columns: Columns) -> RecordBatch {
    // Always nullable: a later batch of the same table may have missing cells.
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("columns of equal length")
}
