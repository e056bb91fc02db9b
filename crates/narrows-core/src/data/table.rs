//! A table: named columns in an Arrow record batch, with source and row numbers.
//!
//! Arrow is used in memory because the file formats and front ends support it (Parquet, IPC, Python data frames) and
//! because columns are shared, not copied, when rows are sliced or columns selected.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{Field, Schema as ArrowSchema, SchemaRef};

use super::form::Form;
use super::population::Population;
use super::schema::{listed, unknown_column};
use super::weight::bytes_of;
use crate::error::{Error, Place, Result};

/// The key of a schema's metadata under which a reader of text notes the delimiter.
pub(super) const DELIMITER: &str = "delimiter";

/// Rows of named columns, raw as read or typed by [`conform`](super::conform()).
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    batch: RecordBatch,
    source: Arc<str>,
    first_row: u64,
    /// The numbers of the rows in the whole data, if they do not follow from the first.
    numbers: Option<Arc<[u64]>>,
    /// Whether what its columns mean cannot be judged by these rows.
    is_part: bool,
    /// The rows that these are a sample of.
    population: Option<Arc<Population>>,
}

impl Table {
    /// A table over `batch`; `first_row` is the number of its first row in the whole data.
    pub fn new(batch: RecordBatch, source: impl Into<String>, first_row: u64) -> Table {
        Table { batch, source: source.into().into(), first_row, numbers: None, is_part: false, population: None }
    }

    /// A table of numbers; NaN means missing.
    ///
    /// # Errors
    /// [`Error::Data`] if columns differ in length or a name occurs twice.
    pub fn from_columns<S: Into<String>>(columns: Vec<(S, Vec<f64>)>) -> Result<Table> {
        let arrays = columns.into_iter().map(|(name, values)| {
            let cells = values.into_iter().map(|x| (!x.is_nan()).then_some(x));
            (name.into(), Arc::new(Float64Array::from_iter(cells)) as ArrayRef)
        });
        Table::from_arrays(arrays.collect(), "columns")
    }

    /// A table of Arrow columns.
    ///
    /// # Errors
    /// [`Error::Data`] if columns differ in length or a name occurs twice.
    pub fn from_arrays(columns: Vec<(String, ArrayRef)>, source: &str) -> Result<Table> {
        let rows = columns.first().map_or(0, |(_, array)| array.len());
        let mut names = HashSet::with_capacity(columns.len());
        for (name, array) in &columns {
            if array.len() != rows {
                let message = format!("expected {rows} rows like the first column, got {}", array.len());
                return Err(Error::data(Place::column(name).of(source), message));
            }
            if !names.insert(name.as_str()) {
                return Err(Error::data(Place::column(name).of(source), "the name occurs more than once"));
            }
        }
        drop(names);
        Ok(Table::new(batch_of(columns, rows), source, 0))
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// The column names, in order.
    pub fn names(&self) -> Vec<&str> {
        self.batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect()
    }

    /// The underlying Arrow record batch.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Bytes of the cells once each has its own.
    pub(crate) fn bytes(&self) -> u64 {
        self.batch.columns().iter().map(bytes_of).sum()
    }

    /// The number of the first row in the whole data, from 0.
    pub fn first_row(&self) -> u64 {
        self.first_row
    }

    /// The number of row `i` in the whole data, from 0; rows of a sample do not follow each other.
    pub fn row_number(&self, i: usize) -> u64 {
        let number = self.numbers.as_ref().and_then(|numbers| numbers.get(i)).copied();
        number.unwrap_or(self.first_row + i as u64)
    }

    /// Whether the rows are a sample, so that their numbers do not follow each other.
    pub fn is_sample(&self) -> bool {
        self.numbers.is_some()
    }

    /// The numbers of all rows in the whole data.
    pub fn row_numbers(&self) -> Vec<u64> {
        (0..self.n_rows()).map(|i| self.row_number(i)).collect()
    }

    /// The rows as a part of something larger: a column without any cell of its kind is not taken for another column, so that
    /// what becomes of a row does not depend on the rows beside it.
    #[must_use]
    pub fn as_part(self) -> Table {
        Table { is_part: true, ..self }
    }

    /// Whether a column may be judged by the cells of these rows: they are the first of their data, and no part.
    pub(super) fn is_start(&self) -> bool {
        self.first_row == 0 && !self.is_part
    }

    /// The table with the numbers of its rows, which [`take`](Table::take) then keeps.
    pub(super) fn numbered(&self) -> Table {
        Table { numbers: Some(self.row_numbers().into()), ..self.clone() }
    }

    /// The rows with these indices, each with its number in the whole data.
    pub(crate) fn numbered_rows(&self, rows: &[u32]) -> Table {
        self.numbered().take(rows)
    }

    /// The rows as those from this number on in the whole data.
    #[must_use]
    pub fn starting_at(self, first_row: u64) -> Table {
        Table { first_row, numbers: None, ..self }
    }

    /// The rows under these numbers.
    pub(super) fn with_numbers(self, numbers: Vec<u64>) -> Table {
        let first_row = numbers.first().copied().unwrap_or(self.first_row);
        Table { first_row, numbers: Some(numbers.into()), ..self }
    }

    /// The table without the numbers of its rows, if they follow from the first.
    pub(super) fn renumbered(self) -> Table {
        let follow = |numbers: &Arc<[u64]>| numbers.iter().zip(self.first_row..).all(|(number, next)| *number == next);
        let numbers = self.numbers.clone().filter(|numbers| !follow(numbers));
        Table { numbers, ..self }
    }

    /// The rows numbered from 0, in an order that is not that of their data.
    pub(super) fn in_new_order(self) -> Table {
        Table { numbers: None, first_row: 0, ..self }
    }

    /// The rows as a sample of these.
    pub(crate) fn sampled_from(self, population: Population) -> Table {
        Table { population: Some(Arc::new(population)), ..self }
    }

    /// The rows that these are a sample of, drawn to fit a model.
    pub fn population(&self) -> Option<&Population> {
        self.population.as_deref()
    }

    /// All but the rows and their numbers.
    fn shell(&self) -> Table {
        Table { batch: RecordBatch::new_empty(Arc::new(ArrowSchema::empty())), numbers: None, ..self.clone() }
    }

    /// The file, or `stdin`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the fields of its file are separated by semicolons.
    pub(crate) fn has_semicolons(&self) -> bool {
        self.batch.schema_ref().metadata().get(DELIMITER).is_some_and(|delimiter| delimiter == ";")
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&ArrayRef> {
        self.batch.column_by_name(name)
    }

    /// The column called `name`, or an error that suggests similar names.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if there is no such column.
    pub fn expect_column(&self, name: &str) -> Result<&ArrayRef> {
        self.column(name).ok_or_else(|| unknown_column(name, &self.names()))
    }

    /// The rows with these indices, in this order.
    ///
    /// # Panics
    /// If an index is not below [`n_rows`](Table::n_rows).
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Table {
        assert!(rows.iter().all(|row| (*row as usize) < self.n_rows()), "row index out of bounds");
        let batch = if self.batch.num_columns() == 0 {
            batch_of(Vec::new(), rows.len())
        } else {
            take_record_batch(&self.batch, &UInt32Array::from(rows.to_vec())).expect("indices are in range")
        };
        let numbers =
            self.numbers.as_ref().map(|numbers| rows.iter().map(|row| numbers[*row as usize]).collect::<Arc<[u64]>>());
        let first_row = numbers.as_ref().and_then(|numbers| numbers.first()).copied().unwrap_or(self.first_row);
        Table { batch, first_row, numbers, ..self.shell() }
    }

    /// `length` rows from row `offset`, without copying.
    ///
    /// # Panics
    /// If the range is out of bounds.
    #[must_use]
    pub fn slice(&self, offset: usize, length: usize) -> Table {
        let batch = self.batch.slice(offset, length);
        let numbers = self.numbers.as_ref().map(|numbers| Arc::from(&numbers[offset..offset + length]));
        let first_row = if length > 0 { self.row_number(offset) } else { self.first_row + offset as u64 };
        Table { batch, first_row, numbers, ..self.shell() }
    }

    /// These columns, in this order, without copying.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for an unknown name, with similar names as a hint.
    pub fn select<S: AsRef<str>>(&self, names: &[S]) -> Result<Table> {
        let pick = |name: &S| {
            let array = self.expect_column(name.as_ref())?;
            Ok((name.as_ref().to_owned(), array.clone()))
        };
        Ok(self.with_columns(names.iter().map(pick).collect::<Result<_>>()?))
    }

    /// All other columns, without copying; unknown names are ignored.
    #[must_use]
    pub fn without<S: AsRef<str>>(&self, names: &[S]) -> Table {
        let kept = self.names().into_iter().zip(self.batch.columns());
        let kept = kept.filter(|(name, _)| !names.iter().any(|without| without.as_ref() == *name));
        self.with_columns(kept.map(|(name, array)| (name.to_owned(), array.clone())).collect())
    }

    /// Concatenates tables; columns are matched by name, in the order of the first table.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the columns differ; [`Error::Data`] if column types are incompatible
    /// (integers and floats are compatible, numbers and text are not).
    pub fn concat(tables: &[Table]) -> Result<Table> {
        let Some(first) = tables.first() else {
            return Err(Error::data(Place::default(), "expected at least one table, got none"));
        };
        if tables.iter().all(|table| table.batch.schema_ref() == first.batch.schema_ref()) {
            let batches = tables.iter().map(|table| table.batch.clone()).collect();
            return first.joined(first.batch.schema_ref(), batches, numbers_of(tables));
        }
        let names = first.names();
        let mut aligned = Vec::with_capacity(tables.len());
        for table in tables {
            if table.names().len() != names.len() {
                return Err(different_columns(&names, &table.names(), table.source()));
            }
            aligned.push(table.select(&names).map_err(|_| different_columns(&names, &table.names(), table.source()))?);
        }
        for (i, name) in names.iter().enumerate() {
            if aligned.iter().all(|table| table.batch.column(i).data_type() == first.batch.column(i).data_type()) {
                continue;
            }
            for table in &mut aligned {
                let array = Form::of(table.batch.column(i), &Place::column(*name).of(table.source()))?.into_array();
                *table = table.replaced(i, array);
            }
            let expected = aligned[0].batch.column(i).data_type().clone();
            if let Some(other) = aligned.iter().find(|table| *table.batch.column(i).data_type() != expected) {
                let place = Place::column(*name).of(other.source()).at_row(other.first_row);
                let got = other.batch.column(i).data_type();
                return Err(Error::data(place, format!("expected {expected} as in {}, got {got}", first.source())));
            }
        }
        let schema = aligned[0].batch.schema();
        first.joined(&schema, aligned.into_iter().map(|table| table.batch).collect(), numbers_of(tables))
    }

    /// The same rows under other columns.
    pub(crate) fn with_columns(&self, columns: Vec<(String, ArrayRef)>) -> Table {
        let batch = batch_of(columns, self.n_rows());
        let metadata = self.batch.schema_ref().metadata();
        let batch = match metadata.is_empty() {
            true => batch,
            false => {
                let schema = ArrowSchema::clone(batch.schema_ref()).with_metadata(metadata.clone());
                batch.with_schema(Arc::new(schema)).expect("the same fields")
            }
        };
        Table { batch, numbers: self.numbers.clone(), ..self.shell() }
    }

    fn replaced(&self, index: usize, array: ArrayRef) -> Table {
        let columns = self.names().into_iter().zip(self.batch.columns()).enumerate();
        let columns = columns.map(|(i, (name, old))| (name.to_owned(), if i == index { &array } else { old }.clone()));
        self.with_columns(columns.collect())
    }

    fn joined(&self, schema: &SchemaRef, batches: Vec<RecordBatch>, numbers: Option<Arc<[u64]>>) -> Result<Table> {
        let batch = match batches.len() {
            1 => batches.into_iter().next().expect("one batch"),
            _ => concat_batches(schema, &batches)
                .map_err(|error| Error::data(Place::source(self.source()), error.to_string()))?,
        };
        Ok(Table { batch, numbers, ..self.shell() })
    }
}

/// The numbers of the rows of several tables, if they do not follow from the first.
fn numbers_of(tables: &[Table]) -> Option<Arc<[u64]>> {
    let is_sample = tables.iter().any(|table| table.numbers.is_some());
    is_sample.then(|| tables.iter().flat_map(Table::row_numbers).collect())
}

/// The error for a file with other columns than the previous files.
pub(crate) fn different_columns(expected: &[&str], got: &[&str], source: &str) -> Error {
    let missing: Vec<&str> = expected.iter().filter(|name| !got.contains(name)).copied().collect();
    let extra: Vec<&str> = got.iter().filter(|name| !expected.contains(name)).copied().collect();
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("lacks {}", listed(&missing)));
    }
    if !extra.is_empty() {
        parts.push(format!("has {} in addition", listed(&extra)));
    }
    if parts.is_empty() {
        parts.push(format!("has {} columns", got.len()));
    }
    let message = format!("{source}: expected the columns of the first file, but it {}", parts.join(" and "));
    Error::mismatch(message).with_hint("files read together must have the same columns; read them one by one")
}

fn batch_of(columns: Vec<(String, ArrayRef)>, rows: usize) -> RecordBatch {
    let field = |(name, array): &(String, ArrayRef)| Field::new(name, array.data_type().clone(), true);
    let schema = ArrowSchema::new(columns.iter().map(field).collect::<Vec<_>>());
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(schema), arrays, &options).expect("columns of equal length")
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};

    use super::*;

    fn numbers() -> Table {
        Table::from_columns(vec![("a", vec![1.0, f64::NAN, 3.0]), ("b", vec![4.0, 5.0, 6.0])]).unwrap()
    }

    fn with_array(name: &str, array: ArrayRef) -> Table {
        Table::from_arrays(vec![(name.to_owned(), array)], "t").unwrap()
    }

    #[test]
    fn nan_is_missing_and_rows_and_columns_can_be_chosen() {
        let table = numbers();
        assert_eq!((table.n_rows(), table.names()), (3, vec!["a", "b"]));
        assert!(table.column("a").unwrap().is_null(1));
        assert_eq!(table.take(&[2, 0]).column("b").unwrap().to_data().buffers()[0].typed_data::<f64>(), [6.0, 4.0]);
        assert_eq!(table.without(&["a"]).names(), ["b"]);
        assert_eq!(table.select(&["b", "a"]).unwrap().names(), ["b", "a"]);
        assert_eq!(table.slice(1, 2).first_row(), 1);
        assert_eq!(table.without(&["a", "b"]).take(&[1]).n_rows(), 1);
        assert!(table.select(&["c"]).is_err());
    }

    #[test]
    fn uneven_columns_and_double_names_are_refused() {
        let uneven = Table::from_columns(vec![("a", vec![1.0]), ("b", vec![])]).unwrap_err();
        assert_eq!(uneven.to_string(), "columns, column `b`: expected 1 rows like the first column, got 0");
        let double = Table::from_columns(vec![("a", vec![1.0]), ("a", vec![2.0])]).unwrap_err();
        assert_eq!(double.to_string(), "columns, column `a`: the name occurs more than once");
    }

    #[test]
    fn tables_join_by_name_and_integers_join_floats() {
        let floats = with_array("x", Arc::new(Float64Array::from(vec![1.5])));
        let whole = with_array("x", Arc::new(Int64Array::from(vec![2])));
        let words = with_array("x", Arc::new(StringArray::from(vec!["q"])));
        assert_eq!(Table::concat(&[floats.clone(), whole]).unwrap().n_rows(), 2);
        let error = Table::concat(&[floats, words]).unwrap_err();
        assert_eq!(error.to_string(), "t, column `x`, row 0: expected Float64 as in t, got Utf8");
        let joined = Table::concat(&[numbers(), numbers().select(&["b", "a"]).unwrap()]).unwrap();
        assert_eq!((joined.n_rows(), joined.names()), (6, vec!["a", "b"]));
        let error = Table::concat(&[numbers(), numbers().without(&["a"])]).unwrap_err();
        assert_eq!(error.to_string(), "columns: expected the columns of the first file, but it lacks `a`");
    }
}
