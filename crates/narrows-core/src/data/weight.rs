//! How many bytes cells take once each has its own, which may be far more than in the file or in a dictionary.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;

use super::limits::BATCH_BYTES;

/// Bytes of a column's cells as plain text or numbers.
pub(super) fn bytes_of(column: &ArrayRef) -> u64 {
    match lengths_of(column) {
        Some(lengths) => lengths.iter().map(|length| *length as u64 + 8).sum(),
        None => column.to_data().get_slice_memory_size().unwrap_or(0) as u64,
    }
}

/// How many of the first `most` rows hold no more text than a batch may; at least one.
pub(super) fn rows_that_fit(batch: &RecordBatch, most: usize) -> usize {
    let mut sums = vec![0usize; most];
    for column in batch.columns() {
        if let Some(lengths) = lengths_of(column) {
            sums.iter_mut().zip(lengths).for_each(|(sum, length)| *sum += length);
        }
    }
    let mut bytes = 0;
    let fits = sums.iter().take_while(|sum| {
        bytes += **sum;
        bytes <= BATCH_BYTES
    });
    fits.count().clamp(1, most.max(1))
}

/// Bytes of each cell's text, for columns that share texts between cells.
fn lengths_of(column: &ArrayRef) -> Option<Vec<usize>> {
    match column.data_type() {
        DataType::Utf8View => Some(lengths(column)),
        DataType::Dictionary(..) => {
            let dictionary = column.as_any_dictionary_opt()?;
            let of = lengths(dictionary.values());
            // Keys of missing cells may be anything.
            let keys = if of.is_empty() { Vec::new() } else { dictionary.normalized_keys() };
            Some(keys.into_iter().map(|key| of.get(key).copied().unwrap_or(0)).collect())
        }
        _ => None,
    }
}

fn lengths(values: &ArrayRef) -> Vec<usize> {
    match values.data_type() {
        DataType::Utf8 => values.as_string::<i32>().offsets().lengths().collect(),
        DataType::LargeUtf8 => values.as_string::<i64>().offsets().lengths().collect(),
        // The lowest 32 bits of a view are its length.
        DataType::Utf8View => values.as_string_view().views().iter().map(|view| *view as u32 as usize).collect(),
        _ => vec![8; values.len()],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringDictionaryBuilder, StringViewArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn shared_texts_count_for_every_cell() {
        let long = "x".repeat(1 << 20);
        let mut words = StringDictionaryBuilder::<Int32Type>::new();
        (0..100).for_each(|_| words.append_value(&long));
        let words: ArrayRef = Arc::new(words.finish());
        let views: ArrayRef = Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(&long, 100)));
        for column in [words, views] {
            assert_eq!(bytes_of(&column), 100 * ((1 << 20) + 8));
            let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
            assert_eq!((rows_that_fit(&batch, 100), rows_that_fit(&batch, 10), rows_that_fit(&batch, 0)), (64, 10, 1));
        }
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.0; 100]));
        assert_eq!(bytes_of(&numbers.slice(0, 10)), 80);
    }
}
