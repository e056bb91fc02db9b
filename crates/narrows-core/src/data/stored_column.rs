//! A column as its file stores it, cell by cell, without the rounding that the four forms of columns bring.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int64Array, StringArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type, TimeUnit, UInt64Type};

use super::literal::StoredCell;

/// A column that gives its cells.
pub(super) enum StoredColumn {
    Whole(Int64Array),
    Unsigned(UInt64Array),
    Real(Float64Array),
    Single(Float32Array),
    Flags(BooleanArray),
    /// Points in time and the nanoseconds of their unit.
    Moments(Int64Array, i128),
    Text(StringArray),
    /// Cells of a text table, and whether its file has decimal commas where nothing else tells.
    Written(StringArray, bool),
    /// Cells that no filter can ask about.
    Other,
}

const SECOND: i128 = 1_000_000_000;

impl StoredColumn {
    /// A column of a file with types.
    pub(super) fn typed(array: &ArrayRef) -> StoredColumn {
        let as_type = |kind: &DataType| cast(array, kind).ok();
        let moments = |array: Option<ArrayRef>, nanos: i128| match array {
            Some(array) => StoredColumn::Moments(array.as_primitive::<Int64Type>().clone(), nanos),
            None => StoredColumn::Other,
        };
        match array.data_type() {
            DataType::Dictionary(_, values) => {
                as_type(values).map_or(StoredColumn::Other, |array| StoredColumn::typed(&array))
            }
            DataType::Boolean => StoredColumn::Flags(array.as_boolean().clone()),
            DataType::Utf8 => StoredColumn::Text(array.as_string::<i32>().clone()),
            DataType::LargeUtf8 | DataType::Utf8View => match as_type(&DataType::Utf8) {
                Some(array) => StoredColumn::Text(array.as_string::<i32>().clone()),
                None => StoredColumn::Other,
            },
            DataType::UInt64 => StoredColumn::Unsigned(array.as_primitive::<UInt64Type>().clone()),
            kind if kind.is_integer() => match as_type(&DataType::Int64) {
                Some(array) => StoredColumn::Whole(array.as_primitive::<Int64Type>().clone()),
                None => StoredColumn::Other,
            },
            DataType::Float16 | DataType::Float32 => match as_type(&DataType::Float32) {
                Some(array) => StoredColumn::Single(array.as_primitive::<Float32Type>().clone()),
                None => StoredColumn::Other,
            },
            kind if kind.is_numeric() => match as_type(&DataType::Float64) {
                Some(array) => StoredColumn::Real(array.as_primitive::<Float64Type>().clone()),
                None => StoredColumn::Other,
            },
            DataType::Date32 => {
                let days = as_type(&DataType::Int32).and_then(|array| cast(&array, &DataType::Int64).ok());
                moments(days, 86_400 * SECOND)
            }
            DataType::Date64 => moments(as_type(&DataType::Int64), SECOND / 1000),
            DataType::Timestamp(unit, _) => {
                let nanos = match unit {
                    TimeUnit::Second => SECOND,
                    TimeUnit::Millisecond => SECOND / 1000,
                    TimeUnit::Microsecond => 1000,
                    TimeUnit::Nanosecond => 1,
                };
                moments(as_type(&DataType::Int64), nanos)
            }
            _ => StoredColumn::Other,
        }
    }

    /// A column of a text table, whose cells are text; others are as in a file with types.
    pub(super) fn written(array: &ArrayRef, has_commas: bool) -> StoredColumn {
        match StoredColumn::typed(array) {
            StoredColumn::Text(text) => StoredColumn::Written(text, has_commas),
            other => other,
        }
    }

    /// The cell of a row.
    pub(super) fn cell(&self, row: usize) -> StoredCell<'_> {
        fn known<T: Array>(array: &T, row: usize) -> Option<&T> {
            array.is_valid(row).then_some(array)
        }
        let cell = match self {
            StoredColumn::Whole(array) => known(array, row).map(|array| StoredCell::Whole(array.value(row).into())),
            StoredColumn::Unsigned(array) => known(array, row).map(|array| StoredCell::Whole(array.value(row).into())),
            StoredColumn::Real(array) => known(array, row).map(|array| StoredCell::Real(array.value(row))),
            StoredColumn::Single(array) => known(array, row).map(|array| StoredCell::Single(array.value(row))),
            StoredColumn::Flags(array) => known(array, row).map(|array| StoredCell::Flag(array.value(row))),
            StoredColumn::Moments(array, nanos) => {
                known(array, row).map(|array| StoredCell::Moment(i128::from(array.value(row)) * nanos))
            }
            StoredColumn::Text(array) => known(array, row).map(|array| StoredCell::Text(array.value(row))),
            StoredColumn::Written(array, has_commas) => {
                known(array, row).map(|array| StoredCell::Written(array.value(row), *has_commas))
            }
            StoredColumn::Other => None,
        };
        cell.unwrap_or(StoredCell::Missing)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Date32Array, Date64Array, Decimal128Array, DictionaryArray, Int8Array, NullArray, StringViewArray,
        TimestampMillisecondArray,
    };
    use arrow::datatypes::Int32Type;

    use super::*;

    fn check(array: impl Array + 'static, expected: &[StoredCell<'_>]) {
        let column = StoredColumn::typed(&(Arc::new(array) as ArrayRef));
        let cells: Vec<StoredCell<'_>> = (0..expected.len()).map(|row| column.cell(row)).collect();
        assert_eq!(cells, expected);
    }

    #[test]
    fn cells_keep_what_their_types_hold() {
        let missing = StoredCell::Missing;
        check(Int8Array::from(vec![Some(-3), None]), &[StoredCell::Whole(-3), missing]);
        check(UInt64Array::from(vec![u64::MAX]), &[StoredCell::Whole(u64::MAX.into())]);
        check(Float32Array::from(vec![0.1]), &[StoredCell::Single(0.1)]);
        let money = Decimal128Array::from(vec![1250]).with_precision_and_scale(10, 2).unwrap();
        check(money, &[StoredCell::Real(12.5)]);
        check(BooleanArray::from(vec![true]), &[StoredCell::Flag(true)]);
        check(StringViewArray::from(vec![Some("a"), None]), &[StoredCell::Text("a"), missing]);
        let words: DictionaryArray<Int32Type> = vec![Some("x"), None].into_iter().collect();
        check(words, &[StoredCell::Text("x"), missing]);
        let day = 86_400 * SECOND;
        check(Date32Array::from(vec![-1]), &[StoredCell::Moment(-day)]);
        check(Date64Array::from(vec![86_400_000]), &[StoredCell::Moment(day)]);
        let far = TimestampMillisecondArray::from(vec![i64::MAX]).with_timezone("+01:00");
        check(far, &[StoredCell::Moment(i128::from(i64::MAX) * 1_000_000)]);
        check(NullArray::new(1), &[missing]);
    }

    #[test]
    fn cells_of_text_tables_are_as_written() {
        let words = Arc::new(StringArray::from(vec![" 1,5"])) as ArrayRef;
        assert_eq!(StoredColumn::written(&words, true).cell(0), StoredCell::Written(" 1,5", true));
    }
}
