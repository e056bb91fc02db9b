//! Batches of named columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};

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

/// A column of counts or row numbers: signed, as Spark and others have no unsigned integers.
pub fn counts(values: impl IntoIterator<Item = Option<u64>>) -> ArrayRef {
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Arc::new(values.into_iter().map(|value| value.map(signed)).collect::<Int64Array>())
}
