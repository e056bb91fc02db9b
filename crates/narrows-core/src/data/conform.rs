//! From raw cells to typed columns in the order of a schema.
//!
//! A column that already has its type is shared, not copied. Values that do not fit are errors with column and row:
//! a model applied to columns of another meaning would return wrong scores.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, BooleanBuilder, Float64Array, Float64Builder, StringArray, StringBuilder,
    TimestampMicrosecondArray, TimestampMicrosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use rayon::prelude::*;

use super::form::{Form, ZONE};
use super::names;
use super::pivot::Pivot;
use super::schema::{Column, ColumnKind, Schema, listed};
use super::table::Table;
use super::token;
use crate::error::{Error, Place, Result, nearest};

/// What was ignored when a table was conformed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conformed {
    /// Columns that are not in the schema and were removed.
    pub extra: Vec<String>,
}

/// Converts the columns of `schema` to their types, in its order.
///
/// `Numeric` becomes `Float64`, `Boolean` becomes `Boolean`, `Category` and `Text` become `Utf8`, `Datetime` becomes
/// `Timestamp(Microsecond, "UTC")`; null means missing. Infinite numbers stay infinite.
///
/// # Errors
/// [`Error::Mismatch`] for missing columns and columns of another type; [`Error::Data`] for cells that cannot be
/// read as its column's kind.
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
        Ok((column.name.clone(), Cells { table: &table, column }.typed(array)?))
    };
    // The first failing column in schema order is reported, independent of thread scheduling.
    let results: Vec<Result<(String, ArrayRef)>> = schema.columns.par_iter().map(typed).collect();
    let columns = results.into_iter().collect::<Result<Vec<_>>>()?;
    Ok((table.with_columns(columns), Conformed { extra }))
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
    error.with_hint(format!("the input has {}", listed(&table.names())))
}

/// A column being converted.
struct Cells<'a> {
    table: &'a Table,
    column: &'a Column,
}

impl Cells<'_> {
    fn typed(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let form = Form::of(array, &Place::column(&self.column.name).of(self.table.source()))?;
        match (self.column.kind, form) {
            (ColumnKind::Numeric, Form::Numbers(array)) => Ok(Arc::new(array)),
            (ColumnKind::Numeric, Form::Words(words)) => self.numbers(&words),
            (ColumnKind::Boolean, Form::Flags(array)) => Ok(Arc::new(array)),
            (ColumnKind::Boolean, Form::Words(words)) => self.flags(&words),
            (ColumnKind::Boolean, Form::Numbers(numbers)) => self.flags_of_numbers(&numbers),
            (ColumnKind::Datetime, Form::Moments(array)) => Ok(Arc::new(array)),
            (ColumnKind::Datetime, Form::Words(words)) => self.moments(&words),
            (ColumnKind::Category | ColumnKind::Text, Form::Words(words)) => Ok(names(words)),
            // JSON has no integers: 7 becomes `7` as in a table, not `7.0`.
            (ColumnKind::Text, Form::Numbers(numbers)) if array.data_type().is_floating() => {
                Ok(Arc::new(numbers.iter().map(|x| x.map(|x| x.to_string())).collect::<StringArray>()))
            }
            // Text is never a feature, so any content is accepted.
            (ColumnKind::Text, _) => {
                cast(array, &DataType::Utf8).map_err(|error| Error::data(self.place(0), error.to_string()))
            }
            // An empty column has no type that could mismatch.
            (_, form) if form.clone().into_array().null_count() == self.table.n_rows() => Ok(self.all_missing()),
            (_, form) => Err(self.retyped(form.describe())),
        }
    }

    fn numbers(&self, words: &StringArray) -> Result<ArrayRef> {
        let mut builder = Float64Builder::with_capacity(words.len());
        for (row, cell) in words.iter().enumerate() {
            let text = cell.unwrap_or_default().trim();
            match token::number(text) {
                Some(x) if !x.is_nan() => builder.append_value(x),
                Some(_) => builder.append_null(),
                None if token::is_missing(text) => builder.append_null(),
                None => return Err(self.unreadable(words, row, |text| token::number(text).is_some())),
            }
        }
        Ok(Arc::new(builder.finish()))
    }

    fn flags(&self, words: &StringArray) -> Result<ArrayRef> {
        let read = |text: &str| match text {
            "1" => Some(true),
            "0" => Some(false),
            word => token::flag(word),
        };
        let mut builder = BooleanBuilder::with_capacity(words.len());
        for (row, cell) in words.iter().enumerate() {
            let text = cell.unwrap_or_default().trim();
            match read(text) {
                Some(flag) => builder.append_value(flag),
                None if token::is_missing(text) => builder.append_null(),
                None => return Err(self.unreadable(words, row, |text| read(text).is_some())),
            }
        }
        Ok(Arc::new(builder.finish()))
    }

    fn flags_of_numbers(&self, numbers: &Float64Array) -> Result<ArrayRef> {
        if numbers.iter().flatten().any(|x| x != 0.0 && x != 1.0) {
            return Err(self.retyped("numbers"));
        }
        Ok(Arc::new(numbers.iter().map(|x| x.map(|x| x == 1.0)).collect::<BooleanArray>()))
    }

    fn moments(&self, words: &StringArray) -> Result<ArrayRef> {
        let mut builder = TimestampMicrosecondBuilder::with_capacity(words.len());
        for (row, cell) in words.iter().enumerate() {
            let text = cell.unwrap_or_default().trim();
            match token::moment(text) {
                Some(t) => builder.append_value(t),
                None if token::is_missing(text) => builder.append_null(),
                None => return Err(self.unreadable(words, row, |text| token::moment(text).is_some())),
            }
        }
        Ok(Arc::new(builder.finish().with_timezone(ZONE)))
    }

    fn all_missing(&self) -> ArrayRef {
        let rows = self.table.n_rows();
        match self.column.kind {
            ColumnKind::Numeric => Arc::new(Float64Array::new_null(rows)),
            ColumnKind::Boolean => Arc::new(BooleanArray::new_null(rows)),
            ColumnKind::Datetime => Arc::new(TimestampMicrosecondArray::new_null(rows).with_timezone(ZONE)),
            ColumnKind::Category | ColumnKind::Text => Arc::new(StringArray::new_null(rows)),
        }
    }

    fn place(&self, row: usize) -> Place {
        Place::cell(&self.column.name, self.table.row_number(row)).of(self.table.source())
    }

    /// The error for the cell at `row`, or for the whole column if no cell can be read.
    fn unreadable(&self, words: &StringArray, row: usize, is_readable: impl Fn(&str) -> bool) -> Error {
        let got: String = words.value(row).trim().chars().take(40).collect();
        if words.len() > 1 && !words.iter().flatten().any(|cell| is_readable(cell.trim())) {
            return self.retyped(&format!("text such as `{got}`"));
        }
        let expected = match self.column.kind {
            ColumnKind::Numeric => "a number",
            ColumnKind::Boolean => "true or false",
            ColumnKind::Datetime => "a date such as 2024-03-12 or 2024-03-12T14:20:00Z",
            ColumnKind::Category | ColumnKind::Text => "text",
        };
        let error = Error::data(self.place(row), format!("expected {expected}, got `{got}`"));
        error.with_hint("an empty cell means missing")
    }

    fn retyped(&self, got: &str) -> Error {
        let (source, name) = (self.table.source(), &self.column.name);
        let error =
            Error::mismatch(format!("{source}: column `{name}`: expected {}, got {got}", self.column.kind.describe()));
        error.with_hint("the column had another type in the training data")
    }
}

/// The trimmed strings with missing tokens as null; shared if unchanged.
fn names(words: StringArray) -> ArrayRef {
    let is_clean = |cell: &str| cell.trim().len() == cell.len() && !token::is_missing(cell);
    if words.iter().flatten().all(is_clean) {
        return Arc::new(words);
    }
    let mut builder = StringBuilder::with_capacity(words.len(), words.value_data().len());
    for cell in &words {
        builder.append_option(cell.map(str::trim).filter(|text| !token::is_missing(text)));
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int32Array, ListArray};
    use arrow::datatypes::{Float64Type, Int32Type, TimestampMicrosecondType};

    use super::*;

    fn words(cells: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
    }

    fn conformed(array: ArrayRef, kind: ColumnKind) -> Result<ArrayRef> {
        let table = Table::from_arrays(vec![("x".to_owned(), array)], "t.csv").unwrap();
        let schema = Schema { columns: vec![Column { name: "x".to_owned(), kind }] };
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
    fn what_does_not_fit_is_told_by_column_and_row() {
        use ColumnKind::{Boolean, Category, Datetime, Numeric};
        let abc = "t.csv, column `x`, row 1: expected a number, got `abc`";
        check_error(words(&["1", "abc"]), Numeric, abc);
        check_error(words(&["1,000", "2"]), Numeric, "t.csv, column `x`, row 0: expected a number, got `1,000`");
        check_error(words(&["a", "b"]), Numeric, "t.csv: column `x`: expected numbers, got text such as `a`");
        check_error(words(&["yes", "maybe"]), Boolean, "t.csv, column `x`, row 1: expected true or false, got `maybe`");
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
            words(&["2024-01-01", "12/03/2024"]),
            Datetime,
            "t.csv, column `x`, row 1: expected a date such as 2024-03-12 or 2024-03-12T14:20:00Z, got `12/03/2024`",
        );
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])]);
        assert!(conformed(Arc::new(list), Numeric).is_err());
    }

    #[test]
    fn rows_are_counted_over_all_batches() {
        let table = Table::from_arrays(vec![("x".to_owned(), words(&["1", "2", "abc"]))], "t.csv").unwrap();
        let late = Table::new(table.batch().clone(), "t.csv", 100);
        let schema = Schema { columns: vec![Column { name: "x".to_owned(), kind: ColumnKind::Numeric }] };
        assert!(conform(late, &schema).unwrap_err().to_string().contains("row 102"));
    }

    #[test]
    fn missing_columns_are_named_with_near_ones() {
        let table = Table::from_columns(vec![("amuont", vec![1.0]), ("time", vec![2.0])]).unwrap();
        let column = |name: &str| Column { name: name.to_owned(), kind: ColumnKind::Numeric };
        let reordered = Schema { columns: vec![column("time"), column("amuont")] };
        assert_eq!(conform(table.clone(), &reordered).unwrap().0.names(), ["time", "amuont"]);
        let error = conform(table, &Schema { columns: vec![column("amount")] }).unwrap_err();
        assert_eq!(error.to_string(), "columns: column `amount` missing");
        assert_eq!(error.hint_text().as_deref(), Some("`amount` might be `amuont`"));
    }
}
