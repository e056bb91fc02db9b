//! Dictionaries of texts in an Arrow file: a file has one dictionary a column, to which later batches may only add words.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

/// The words of every dictionary so far.
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    /// By column.
    columns: HashMap<usize, Dictionary>,
}

#[derive(Debug, Default)]
struct Dictionary {
    all: Vec<String>,
    place_of: HashMap<String, i64>,
}

impl Dictionaries {
    /// The same rows with dictionaries that begin with those of the batches before.
    pub(super) fn grown(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let column = |(i, array): (usize, &ArrayRef)| match array.data_type() {
            DataType::Dictionary(_, values) if is_text(values) => self.columns.entry(i).or_default().grown(array),
            _ => Ok(array.clone()),
        };
        let columns = batch.columns().iter().enumerate().map(column).collect::<Result<Vec<_>, _>>()?;
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(batch.schema(), columns, &options)
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

impl Dictionary {
    fn grown(&mut self, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let texts = cast(array, &DataType::Utf8)?;
        let mut place = |word: &str| match self.place_of.get(word) {
            Some(place) => *place,
            None => {
                let place = self.all.len() as i64;
                self.all.push(word.to_owned());
                self.place_of.insert(word.to_owned(), place);
                place
            }
        };
        let keys: Int64Array = texts.as_string::<i32>().iter().map(|word| word.map(&mut place)).collect();
        let words = Arc::new(StringArray::from_iter_values(&self.all)) as ArrayRef;
        cast(&(Arc::new(DictionaryArray::try_new(keys, words)?) as ArrayRef), array.data_type())
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Int8Type;

    use super::*;

    #[test]
    fn later_batches_add_words_to_those_before() {
        let mut dictionaries = Dictionaries::default();
        let mut grown = |words: Vec<Option<&str>>| {
            let array: DictionaryArray<Int8Type> = words.into_iter().collect();
            let array: ArrayRef = Arc::new(array);
            let batch = RecordBatch::try_from_iter([("word", array.clone())]).unwrap();
            let grown = dictionaries.grown(&batch).unwrap().column(0).clone();
            assert_eq!(&cast(&grown, &DataType::Utf8).unwrap(), &cast(&array, &DataType::Utf8).unwrap());
            let values = cast(grown.as_dictionary::<Int8Type>().values(), &DataType::Utf8).unwrap();
            values.as_string::<i32>().iter().flatten().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(grown(vec![Some("a"), None, Some("b")]), ["a", "b"]);
        assert_eq!(grown(vec![Some("c"), Some("b")]), ["a", "b", "c"]);
        assert_eq!(grown(vec![None]), ["a", "b", "c"]);
    }
}
