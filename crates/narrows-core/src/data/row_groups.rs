//! The row groups of a Parquet file that are read: those of a shard in which a filter may match.
//!
//! A footer tells for each row group and column the least and the greatest value and the number of missing cells, or some
//! of these. They are taken for bounds and never for exact: texts may be cut off, and comparisons with NaN, with texts in an
//! older order or with times of 96 bits are not to be trusted, so these say nothing.

use std::ops::Range;

use arrow::datatypes::Schema as ArrowSchema;
use narrows_images::guarded;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::basic::Type;
use parquet::file::metadata::ParquetMetaData;

use super::condition::{CellTest, ColumnTest};
use super::filter::{Filter, is_called};
use super::literal::{Literal, StoredCell};
use super::outcomes::Outcomes;
use super::row_runs::RowRuns;
use super::stored_column::StoredColumn;

/// The row groups to read, and the runs of rows that they make; `None` if all are read.
pub(super) fn chosen(
    metadata: &ParquetMetaData,
    schema: &ArrowSchema,
    units: Option<&Range<usize>>,
    filter: Option<&Filter>,
) -> Option<(Vec<usize>, RowRuns)> {
    if units.is_none() && filter.is_none() {
        return None;
    }
    let n = metadata.num_row_groups();
    let bounds: Vec<(&str, ColumnBounds)> = filter.map_or_else(Vec::new, |filter| {
        let bounds = |column| Some((column, ColumnBounds::of(column, metadata, schema)?));
        filter.columns().into_iter().filter_map(bounds).collect()
    });
    let is_read = |group: usize| {
        units.is_none_or(|units| units.contains(&group))
            && filter.is_none_or(|filter| filter.may_match(|test| outcomes(test, &bounds, group)))
    };
    let groups: Vec<usize> = (0..n).filter(|group| is_read(*group)).collect();
    let rows = rows(metadata);
    let parts = rows.into_iter().enumerate().map(|(group, rows)| (rows, groups.binary_search(&group).is_ok()));
    let runs = RowRuns::of(parts.collect::<Vec<_>>());
    Some((groups, runs))
}

/// The numbers of rows of the row groups.
pub(super) fn rows(metadata: &ParquetMetaData) -> Vec<u64> {
    metadata.row_groups().iter().map(|group| group.num_rows().max(0) as u64).collect()
}

/// What the statistics of a column say, by row group.
struct ColumnBounds {
    least: StoredColumn,
    most: StoredColumn,
    /// Whether the bounds are those of cells as they are compared; else they say nothing.
    are_trusted: Vec<bool>,
    /// The number of missing cells, where it is known, and that of all.
    missing: Vec<(Option<u64>, u64)>,
}

impl ColumnBounds {
    fn of(column: &str, metadata: &ParquetMetaData, schema: &ArrowSchema) -> Option<ColumnBounds> {
        let name = schema.fields().iter().map(|field| field.name()).find(|name| is_called(name, column))?;
        let parquet_schema = metadata.file_metadata().schema_descr();
        let groups = metadata.row_groups();
        let read = || {
            let converter = StatisticsConverter::try_new(name, schema, parquet_schema).ok()?;
            let converter = converter.with_missing_null_counts_as_zero(false);
            let index = converter.parquet_column_index()?;
            let least = StoredColumn::typed(&converter.row_group_mins(groups).ok()?);
            let most = StoredColumn::typed(&converter.row_group_maxes(groups).ok()?);
            let counts = converter.row_group_null_counts(groups).ok()?;
            let is_trusted = |group: &parquet::file::metadata::RowGroupMetaData| {
                let is_old = group.column(index).statistics().is_none_or(|found| found.is_min_max_deprecated());
                !is_old && parquet_schema.column(index).physical_type() != Type::INT96
            };
            let are_trusted = groups.iter().map(is_trusted).collect();
            let missing = counts.iter().zip(rows(metadata)).collect();
            Some(ColumnBounds { least, most, are_trusted, missing })
        };
        guarded(read).ok().flatten()
    }

    /// The bounds of a row group, as far as they are known.
    fn of_group(&self, group: usize) -> (Option<StoredCell<'_>>, Option<StoredCell<'_>>) {
        let known = |column: &'_ StoredColumn| {
            let cell = column.cell(group);
            // NaN is neither less nor greater than anything.
            self.are_trusted[group] && !matches!(cell, StoredCell::Missing) && !is_nan(cell)
        };
        let (least, most) = (known(&self.least), known(&self.most));
        (least.then(|| self.least.cell(group)), most.then(|| self.most.cell(group)))
    }
}

fn is_nan(cell: StoredCell<'_>) -> bool {
    match cell {
        StoredCell::Real(x) => x.is_nan(),
        StoredCell::Single(x) => x.is_nan(),
        _ => false,
    }
}

/// What a test may give for the rows of a row group.
fn outcomes(test: &ColumnTest, bounds: &[(&str, ColumnBounds)], group: usize) -> Outcomes {
    let Some((_, bounds)) = bounds.iter().find(|(column, _)| *column == test.column) else { return Outcomes::ANY };
    let (missing, rows) = bounds.missing[group];
    let is_missing_test = test.test == CellTest::Missing;
    let for_missing = if is_missing_test { Outcomes::TRUE } else { Outcomes::UNKNOWN };
    if missing == Some(rows) {
        return for_missing;
    }
    let (least, most) = bounds.of_group(group);
    let is_text = matches!(bounds.least, StoredColumn::Text(_));
    if is_text && (is_missing_test || !test.test.values().iter().all(is_plain_text)) {
        // Words for missing cells, and numbers and dates in text, are not in the order of the text.
        return Outcomes::ANY;
    }
    let is_float = matches!(bounds.least, StoredColumn::Real(_) | StoredColumn::Single(_));
    let mut outcomes = test.test.between(least, most);
    if is_text {
        // A word for a missing cell is unknown, and bounds of texts may be shortened.
        outcomes = outcomes.or_else(Outcomes::UNKNOWN).or_else(Outcomes::FALSE);
    }
    // NaN is missing and not counted.
    if missing != Some(0) || is_float { outcomes.or_else(for_missing) } else { outcomes }
}

/// Whether cells of text are compared with a value as text only.
fn is_plain_text(value: &Literal) -> bool {
    matches!(value, Literal::Text { moment: None, .. })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
        UInt32Array, UInt64Array,
    };
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::properties::{EnabledStatistics, WriterProperties};

    use super::*;

    /// A file of these columns in row groups of two rows.
    fn file(columns: Vec<(&str, ArrayRef)>, statistics: EnabledStatistics) -> Vec<u8> {
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
        let batch = batch.unwrap();
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(2))
            .set_statistics_truncate_length(Some(3))
            .set_statistics_enabled(statistics);
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes
    }

    fn columns() -> Vec<(&'static str, ArrayRef)> {
        vec![
            ("n", Arc::new(Int64Array::from(vec![Some(1), Some(3), Some(4), None, None, None]))),
            ("u", Arc::new(UInt64Array::from(vec![1, 2, u64::MAX, u64::MAX - 1, 0, 0]))),
            ("v", Arc::new(UInt32Array::from(vec![1, 2, u32::MAX, u32::MAX - 1, 0, 0]))),
            ("x", Arc::new(Float64Array::from(vec![1.0, f64::NAN, f64::NAN, f64::NAN, -0.0, 0.0]))),
            ("word", Arc::new(StringArray::from(vec!["abcdef", "abczzz", "NA", "x", "10", "9"]))),
            ("day", Arc::new(Date32Array::from(vec![0, 1, 10, 11, 20, 21]))),
            ("at", Arc::new(TimestampNanosecondArray::from(vec![0, 1, 1000, 1001, 2000, 2001]))),
        ]
    }

    fn read(filter: &str, statistics: EnabledStatistics) -> Vec<usize> {
        let bytes = bytes::Bytes::from(file(columns(), statistics));
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        let filter: Filter = filter.parse().unwrap();
        chosen(builder.metadata(), builder.schema(), None, Some(&filter)).unwrap().0
    }

    fn check(filter: &str, expected: &[usize]) {
        assert_eq!(read(filter, EnabledStatistics::Chunk), expected, "{filter}");
        assert_eq!(read(filter, EnabledStatistics::None), [0, 1, 2], "{filter}");
    }

    #[test]
    fn row_groups_in_which_nothing_can_match_are_not_read() {
        check("n > 3", &[1]);
        check("not n > 3", &[0]);
        check("n != 4", &[0]);
        check("n is null", &[1, 2]);
        check("n is not null", &[0, 1]);
        check("n in (2, 9)", &[0]);
        check("n = 2 and u = 0", &[]);
        check("n = 2 or u = 0", &[0, 2]);
        check("unknown = 1", &[0, 1, 2]);
    }

    #[test]
    fn bounds_are_compared_by_their_types() {
        check("u > 5", &[1]);
        check("v > 5", &[1]);
        check("u >= 18446744073709551615", &[1]);
        check("day >= '1970-01-21'", &[2]);
        check("at > '1970-01-01T00:00:00.000001'", &[1, 2]);
        check("at < '1970-01-01T00:00:00.000001'", &[0]);
        // All cells of the second group are NaN: there are no bounds.
        check("x = 0", &[1, 2]);
        check("x is null", &[0, 1, 2]);
    }

    #[test]
    fn shortened_texts_and_texts_that_are_more_than_text_are_bounds_with_care() {
        check("word = 'abcxyz'", &[0, 1]);
        check("word > 'abc'", &[0, 1]);
        check("word < 'a'", &[1, 2]);
        check("word != 'abc'", &[0, 1, 2]);
        check("word = 'zz'", &[]);
        check("word = 10", &[0, 1, 2]);
        check("word is null", &[0, 1, 2]);
        check("word < '2024-01-01'", &[0, 1, 2]);
    }
}
