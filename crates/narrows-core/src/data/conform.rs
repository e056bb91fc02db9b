//! From raw cells to typed columns in the order of a schema.
//!
//! A column that already has its type is shared, not copied. A column of another type is an error, as a model applied
//! to columns of another meaning would return wrong scores. Single cells that are not written as in their column, such as
//! `off` among numbers, become missing and are counted.

use rayon::prelude::*;

use super::cells::Cells;
use super::date_format::KNOWN_DATES;
use super::names;
use super::pivot::Pivot;
use super::schema::{Column, Schema, listed};
use super::table::Table;
use super::unreadable::Unreadable;
use crate::error::{Error, Hint, Place, Result, nearest};

/// What was ignored when a table was conformed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conformed {
    /// Columns that are not in the schema and were removed.
    pub extra: Vec<String>,
    /// Cells that are not written as in their column and became missing.
    pub unreadable: Vec<Unreadable>,
}

impl Conformed {
    /// Refuses unreadable cells in this column, where each is needed.
    ///
    /// # Errors
    /// [`Error::Data`] with the first of them.
    pub(crate) fn require(&self, table: &Table, column: &str) -> Result<()> {
        let Some(unreadable) = self.unreadable.iter().find(|unreadable| unreadable.column == column) else {
            return Ok(());
        };
        let place = Place::cell(column, unreadable.first_row).of(table.source());
        let got = unreadable.examples.first().map_or("", String::as_str);
        let expected = match unreadable.expected.as_str() {
            "dates" => "a date such as 2024-03-12 or 2024-03-12T14:20:00Z",
            "numbers" => "a number",
            other => other,
        };
        let error = Error::data(place, format!("expected {expected}, got `{got}`"));
        let is_date = unreadable.expected.starts_with("dates");
        let more = if is_date { format!("; {KNOWN_DATES}") } else { String::new() };
        Err(error.with_hint(Hint::of(&format!("an empty cell means missing{more}"))))
    }
}

/// Converts the columns of `schema` to their types, in its order.
///
/// `Numeric` becomes `Float64`, `Boolean` becomes `Boolean`, `Category` and `Text` become `Utf8`, `Datetime` becomes
/// `Timestamp(Microsecond, "UTC")`; null means missing. Infinite numbers stay infinite.
///
/// # Errors
/// [`Error::Mismatch`] for missing columns and columns of another type, such as text of which no cell is a number.
///
/// ```
/// use narrows_core::data::{Table, conform, infer};
/// let table = Table::from_columns(vec![("x", vec![1.0, 2.0]), ("y", vec![3.0, 5.0])])?;
/// let schema = infer(&table)?.schema.select(&["y"])?;
/// let (typed, conformed) = conform(table, &schema)?;
/// assert_eq!(typed.names(), ["y"]);
/// assert_eq!(conformed.extra, ["x"]);
/// # Ok::<(), narrows_core::Error>(())
/// ```
pub fn conform(table: Table, schema: &Schema) -> Result<(Table, Conformed)> {
    let names = table.names();
    let missing: Vec<&str> = schema.names().into_iter().filter(|name| !names.contains(name)).collect();
    let extra: Vec<String> =
        names.iter().filter(|name| schema.get(name).is_none()).map(|name| (*name).to_owned()).collect();
    if !missing.is_empty() {
        return match names::matched(&table, &missing) {
            Some(table) => conform(table, schema),
            None => Err(lacking(&table, &missing, &extra)),
        };
    }
    let typed = |column: &Column| {
        let array = table.expect_column(&column.name)?;
        let mut unreadable = Vec::new();
        let array = Cells { table: &table, column }.typed(array, &mut unreadable)?;
        Ok(((column.name.clone(), array), unreadable))
    };
    // The first failing column in schema order is reported, independent of thread scheduling.
    let results: Vec<Result<_>> = schema.columns.par_iter().map(typed).collect();
    let mut columns = Vec::with_capacity(results.len());
    let mut conformed = Conformed { extra, unreadable: Vec::new() };
    for result in results {
        let (column, unreadable) = result?;
        columns.push(column);
        conformed.unreadable.extend(unreadable);
    }
    Ok((table.with_columns(columns), conformed))
}

fn lacking(table: &Table, missing: &[&str], extra: &[String]) -> Error {
    let plural = if missing.len() == 1 { "column" } else { "columns" };
    let error = Error::mismatch(format!("{}: {plural} {} missing", table.source(), listed(missing)));
    if let Some(hint) = Pivot::advice_for(table, missing) {
        return error.with_hint(hint);
    }
    let near: Vec<String> = missing
        .iter()
        .take(5)
        .filter_map(|name| nearest(name, extra.iter().map(String::as_str)).into_iter().next().map(|near| (name, near)))
        .map(|(name, near)| format!("`{name}` might be `{near}`"))
        .collect();
    if !near.is_empty() {
        return error.with_hint(near.join(", "));
    }
    let names = table.names();
    if names.is_empty() { error } else { error.with_hint(format!("the input has {}", listed(&names))) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int32Array, ListArray, StringArray};
    use arrow::datatypes::{DataType, Float64Type, Int32Type, TimestampMicrosecondType};

    use super::*;
    use crate::data::ColumnKind;

    fn words(cells: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
    }

    fn conformed(array: ArrayRef, kind: ColumnKind) -> Result<ArrayRef> {
        let table = Table::from_arrays(vec![("x".to_owned(), array)], "t.csv").unwrap();
        let schema = Schema { columns: vec![Column::new("x", kind)] };
        Ok(conform(table, &schema)?.0.column("x").unwrap().clone())
    }

    fn check_error(array: ArrayRef, kind: ColumnKind, expected: &str) {
        assert_eq!(conformed(array, kind).unwrap_err().to_string(), expected);
    }

    #[test]
    fn text_is_read_as_its_column_kind() {
        let numbers = conformed(words(&["1", " 2.5 ", "NaN", "", "-inf"]), ColumnKind::Numeric).unwrap();
        let numbers: Vec<Option<f64>> = numbers.as_primitive::<Float64Type>().iter().collect();
        assert_eq!(numbers, [Some(1.0), Some(2.5), None, None, Some(f64::NEG_INFINITY)]);
        let flags = conformed(words(&["yes", "F", "?", "1"]), ColumnKind::Boolean).unwrap();
        assert_eq!(flags.as_boolean(), &BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]));
        let days = conformed(words(&["1970-01-02", "null"]), ColumnKind::Datetime).unwrap();
        assert_eq!(days.as_primitive::<TimestampMicrosecondType>().value(0), 86_400_000_000);
        assert_eq!(days.null_count(), 1);
        let names = conformed(words(&[" tcp", "NA", "udp"]), ColumnKind::Category).unwrap();
        assert_eq!(names.as_string::<i32>(), &StringArray::from(vec![Some("tcp"), None, Some("udp")]));
    }

    #[test]
    fn typed_columns_are_shared_and_others_converted() {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
        let same = conformed(array.clone(), ColumnKind::Numeric).unwrap();
        assert_eq!(same.to_data().buffers()[0].as_ptr(), array.to_data().buffers()[0].as_ptr());
        let text = conformed(Arc::new(Float64Array::from(vec![7.0, 0.5])), ColumnKind::Text).unwrap();
        assert_eq!(text.as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["7", "0.5"]);
        let text = conformed(Arc::new(Int32Array::from(vec![7])), ColumnKind::Text).unwrap();
        assert_eq!(text.as_string::<i32>().value(0), "7");
        let none = conformed(Arc::new(arrow::array::NullArray::new(2)), ColumnKind::Numeric).unwrap();
        assert_eq!((none.data_type(), none.null_count()), (&DataType::Float64, 2));
    }

    #[test]
    fn a_column_of_another_type_is_refused() {
        use ColumnKind::{Boolean, Category, Datetime, Numeric};
        check_error(words(&["a", "b"]), Numeric, "t.csv: column `x`: expected numbers, got text such as `a`");
        check_error(
            Arc::new(BooleanArray::from(vec![true])),
            Numeric,
            "t.csv: column `x`: expected numbers, got true or false",
        );
        check_error(
            Arc::new(Float64Array::from(vec![2.0])),
            Boolean,
            "t.csv: column `x`: expected true or false, got numbers",
        );
        check_error(
            Arc::new(Float64Array::from(vec![2.0])),
            Category,
            "t.csv: column `x`: expected category names, got numbers",
        );
        check_error(
            words(&["12/03/2024", "x"]),
            Datetime,
            "t.csv: column `x`: expected dates, got text such as `12/03/2024`",
        );
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])]);
        assert!(conformed(Arc::new(list), Numeric).is_err());
    }

    #[test]
    fn missing_columns_are_named_with_near_ones() {
        let table = Table::from_columns(vec![("amuont", vec![1.0]), ("time", vec![2.0])]).unwrap();
        let column = |name: &str| Column::new(name, ColumnKind::Numeric);
        let reordered = Schema { columns: vec![column("time"), column("amuont")] };
        assert_eq!(conform(table.clone(), &reordered).unwrap().0.names(), ["time", "amuont"]);
        let error = conform(table, &Schema { columns: vec![column("amount")] }).unwrap_err();
        assert_eq!(error.to_string(), "columns: column `amount` missing");
        assert_eq!(error.hint_text().as_deref(), Some("`amount` might be `amuont`"));
    }
}
