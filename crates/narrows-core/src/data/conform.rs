//! From raw cells to typed columns in the order of a schema.
//!
//! A column that already has its type is shared, not copied. A column of another type is an error, as a model applied
//! to columns of another meaning would return wrong scores. Single cells that are not written as in their column, such as
//! `off` among numbers, become missing and are counted.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, BooleanBuilder, Float64Array, Float64Builder, StringArray, StringBuilder,
    TimestampMicrosecondArray, TimestampMicrosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use rayon::prelude::*;

use super::cell_format::CellFormat;
use super::date_format::KNOWN_DATES;
use super::form::{Form, ZONE};
use super::schema::{Column, ColumnKind, Schema, listed};
use super::table::Table;
use super::token;
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
    /// Refuses unreadable cells in this column, for a column in which each is needed.
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
        Err(error.with_hint(Hint::of(&format!("an empty cell means missing; {KNOWN_DATES}"))))
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
        return Err(lacking(&table, &missing, &extra));
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
    fn typed(&self, array: &ArrayRef, unreadable: &mut Vec<Unreadable>) -> Result<ArrayRef> {
        let form = Form::of(array, &Place::column(&self.column.name).of(self.table.source()))?;
        let format = self.column.format.as_ref();
        match (self.column.kind, form) {
            (ColumnKind::Numeric, Form::Numbers(array)) => Ok(self.without_missing(array)),
            (ColumnKind::Numeric, Form::Words(words)) => self.numbers(&words, unreadable),
            (ColumnKind::Boolean, Form::Flags(array)) => Ok(Arc::new(array)),
            (ColumnKind::Boolean, Form::Words(words)) => self.flags(&words, unreadable),
            (ColumnKind::Boolean, Form::Numbers(numbers)) => self.flags_of_numbers(&numbers),
            (ColumnKind::Datetime, Form::Moments(array)) => Ok(Arc::new(array)),
            (ColumnKind::Datetime, Form::Words(words)) => self.moments(&words, unreadable),
            (ColumnKind::Datetime, Form::Numbers(numbers)) if format.is_some() => {
                self.moments_of_numbers(&numbers, unreadable)
            }
            (ColumnKind::Category | ColumnKind::Text, Form::Words(words)) => Ok(self.names(words)),
            // JSON has no integers: 7 becomes `7` as in a table, not `7.0`.
            (kind, Form::Numbers(numbers))
                if (kind == ColumnKind::Text && array.data_type().is_floating())
                    || (kind == ColumnKind::Category && format == Some(&CellFormat::Code)) =>
            {
                let names: StringArray = numbers.iter().map(|x| x.map(|x| x.to_string())).collect();
                Ok(if kind == ColumnKind::Category { self.names(names) } else { Arc::new(names) })
            }
            // Text is never a feature, so any content is accepted; a code may be stored in any type.
            (kind, _) if kind == ColumnKind::Text || (kind == ColumnKind::Category && format.is_some()) => {
                cast(array, &DataType::Utf8).map_err(|error| Error::data(self.place(0), error.to_string()))
            }
            // An empty column has no type that could mismatch.
            (_, form) if form.clone().into_array().null_count() == self.table.n_rows() => Ok(self.all_missing()),
            (_, form) => Err(self.retyped(form.describe())),
        }
    }

    /// Calls `add` with the value of each cell, `None` if it is missing; counts cells that are neither a value nor missing.
    fn each<T>(
        &self,
        words: &StringArray,
        unreadable: &mut Vec<Unreadable>,
        read: impl Fn(&str) -> Option<T>,
        mut add: impl FnMut(Option<T>),
    ) -> Result<()> {
        let mut found: Option<Unreadable> = None;
        let mut has_value = false;
        for (row, cell) in words.iter().enumerate() {
            let text = cell.unwrap_or_default().trim();
            // A number may mean missing, such as -9999.
            let is_named = self.column.missing.iter().any(|word| word.eq_ignore_ascii_case(text));
            let value = if is_named { None } else { read(text) };
            has_value |= value.is_some();
            if value.is_none() && !is_named && !token::is_missing(text) {
                let first_row = self.table.first_row() + row as u64;
                found.get_or_insert_with(|| Unreadable::new(self.column, first_row)).push(text);
            }
            add(value);
        }
        let Some(found) = found else { return Ok(()) };
        // Later batches may lie within an outage; the first one tells whether the column has the right meaning.
        if !has_value && words.len() > 1 && self.table.first_row() == 0 {
            let got = found.examples.first().map_or("", String::as_str);
            return Err(self.retyped(&format!("text such as `{got}`")));
        }
        unreadable.push(found);
        Ok(())
    }

    /// The numbers, less those that mean missing; shared if there are none.
    fn without_missing(&self, numbers: Float64Array) -> ArrayRef {
        let missing = self.column.missing_numbers();
        if missing.is_empty() || !numbers.iter().flatten().any(|x| missing.contains(&x)) {
            return Arc::new(numbers);
        }
        Arc::new(numbers.iter().map(|x| x.filter(|x| !missing.contains(x))).collect::<Float64Array>())
    }

    fn numbers(&self, words: &StringArray, unreadable: &mut Vec<Unreadable>) -> Result<ArrayRef> {
        let mut builder = Float64Builder::with_capacity(words.len());
        self.each(
            words,
            unreadable,
            |text| self.column.number(text),
            |x| match x {
                Some(x) if !x.is_nan() => builder.append_value(x),
                _ => builder.append_null(),
            },
        )?;
        Ok(Arc::new(builder.finish()))
    }

    fn flags(&self, words: &StringArray, unreadable: &mut Vec<Unreadable>) -> Result<ArrayRef> {
        let read = |text: &str| match text {
            "1" => Some(true),
            "0" => Some(false),
            word => token::flag(word),
        };
        let mut builder = BooleanBuilder::with_capacity(words.len());
        self.each(words, unreadable, read, |flag| builder.append_option(flag))?;
        Ok(Arc::new(builder.finish()))
    }

    fn flags_of_numbers(&self, numbers: &Float64Array) -> Result<ArrayRef> {
        if numbers.iter().flatten().any(|x| x != 0.0 && x != 1.0) {
            return Err(self.retyped("numbers"));
        }
        Ok(Arc::new(numbers.iter().map(|x| x.map(|x| x == 1.0)).collect::<BooleanArray>()))
    }

    fn moments(&self, words: &StringArray, unreadable: &mut Vec<Unreadable>) -> Result<ArrayRef> {
        let mut builder = TimestampMicrosecondBuilder::with_capacity(words.len());
        let read = |text: &str| self.column.instant(text);
        self.each(words, unreadable, read, |instant| builder.append_option(instant.map(|instant| instant.micros)))?;
        Ok(Arc::new(builder.finish().with_timezone(ZONE)))
    }

    /// Dates written as numbers.
    fn moments_of_numbers(&self, numbers: &Float64Array, unreadable: &mut Vec<Unreadable>) -> Result<ArrayRef> {
        let format = self.column.format.as_ref().and_then(CellFormat::date);
        let mut found: Option<Unreadable> = None;
        let read = |(row, x): (usize, Option<f64>)| {
            let moment = format.and_then(|format| format.read_number(x?));
            if let (Some(x), None) = (x, moment) {
                let first_row = self.table.first_row() + row as u64;
                found.get_or_insert_with(|| Unreadable::new(self.column, first_row)).push(&x.to_string());
            }
            moment
        };
        let moments: TimestampMicrosecondArray = numbers.iter().enumerate().map(read).collect();
        if found.is_some() && moments.null_count() == moments.len() && self.table.first_row() == 0 {
            return Err(self.retyped("numbers"));
        }
        unreadable.extend(found);
        Ok(Arc::new(moments.with_timezone(ZONE)))
    }

    /// The trimmed strings with missing words as null; shared if unchanged.
    fn names(&self, words: StringArray) -> ArrayRef {
        let is_clean = |cell: &str| cell.trim().len() == cell.len() && !self.column.is_missing(cell);
        if words.iter().flatten().all(is_clean) {
            return Arc::new(words);
        }
        let mut builder = StringBuilder::with_capacity(words.len(), words.value_data().len());
        for cell in &words {
            builder.append_option(cell.map(str::trim).filter(|text| !self.column.is_missing(text)));
        }
        Arc::new(builder.finish())
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
        Place::cell(&self.column.name, self.table.first_row() + row as u64).of(self.table.source())
    }

    fn retyped(&self, got: &str) -> Error {
        let (source, name) = (self.table.source(), &self.column.name);
        let error =
            Error::mismatch(format!("{source}: column `{name}`: expected {}, got {got}", self.column.describe()));
        error.with_hint("the column had another type in the training data")
    }
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

    fn of_column(cells: &[&str], column: Column, first_row: u64) -> (ArrayRef, Vec<Unreadable>) {
        let table = Table::from_arrays(vec![("x".to_owned(), words(cells))], "t.csv").unwrap();
        let table = Table::new(table.batch().clone(), "t.csv", first_row);
        let (typed, conformed) = conform(table, &Schema { columns: vec![column] }).unwrap();
        (typed.column("x").unwrap().clone(), conformed.unreadable)
    }

    #[test]
    fn cells_that_do_not_fit_are_missing_and_counted() {
        use ColumnKind::{Boolean, Datetime, Numeric};
        for (cells, kind, expected) in [
            (["1", "abc", "1,000"], Numeric, "column `x`: 2 cells are not numbers, from row 101: `abc`, `1,000`"),
            (["yes", "maybe", "no"], Boolean, "column `x`: 1 cell is not true or false, in row 101: `maybe`"),
            (["2024-01-01", "12/03/2024", ""], Datetime, "column `x`: 1 cell is not dates, in row 101: `12/03/2024`"),
        ] {
            let (array, unreadable) = of_column(&cells, Column::new("x", kind), 100);
            assert!(array.is_null(1) && array.is_valid(0));
            assert_eq!(unreadable.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
        }
        // A batch in the middle of a file may lie within an outage.
        let (array, unreadable) = of_column(&["off", "off"], Column::new("x", Numeric), 100);
        assert_eq!((array.null_count(), unreadable[0].cells), (2, 2));
        let known = Column { missing: vec!["off".to_owned()], ..Column::new("x", Numeric) };
        assert_eq!(of_column(&["off", "Off"], known, 0).1, []);
        let coded = Column { missing: vec!["-9999".to_owned()], ..Column::new("x", Numeric) };
        assert_eq!(of_column(&["-9999", "1"], coded.clone(), 0).0.null_count(), 1);
        let table = Table::from_columns(vec![("x", vec![-9999.0, 1.0])]).unwrap();
        let (typed, _) = conform(table, &Schema { columns: vec![coded] }).unwrap();
        assert_eq!(typed.column("x").unwrap().null_count(), 1);
    }

    #[test]
    fn cells_are_read_as_the_column_is_written() {
        let format = |format: &str| serde_json::from_str::<CellFormat>(format).unwrap();
        let column = |kind, text: &str| Column { format: Some(format(text)), ..Column::new("x", kind) };
        let comma = column(ColumnKind::Numeric, r#"{"number":{"decimal":"comma","suffix":"%"}}"#);
        let (numbers, unreadable) = of_column(&["1,5 %", "2", "3.5", "n/a"], comma, 0);
        let numbers: Vec<Option<f64>> = numbers.as_primitive::<Float64Type>().iter().collect();
        assert_eq!(numbers, [Some(1.5), Some(2.0), None, None]);
        assert_eq!(
            unreadable[0].to_string(),
            "column `x`: 1 cell is not numbers with decimal comma, in `%`, in row 2: `3.5`"
        );
        let day = column(ColumnKind::Datetime, r#"{"date":"day_first"}"#);
        let (days, _) = of_column(&["02.01.1970", "1970-01-02"], day, 0);
        assert_eq!(days.as_primitive::<TimestampMicrosecondType>().values(), &[86_400_000_000; 2]);
        let epoch = Schema { columns: vec![column(ColumnKind::Datetime, r#"{"date":"epoch_s"}"#)] };
        let table = Table::from_columns(vec![("x", vec![86_400.0, f64::NAN])]).unwrap();
        let (days, _) = conform(table.clone(), &epoch).unwrap();
        assert_eq!(days.column("x").unwrap().as_primitive::<TimestampMicrosecondType>().value(0), 86_400_000_000);
        let code = Schema { columns: vec![column(ColumnKind::Category, r#""code""#)] };
        let (codes, _) = conform(table, &code).unwrap();
        assert_eq!(codes.column("x").unwrap().as_string::<i32>().iter().collect::<Vec<_>>(), [Some("86400"), None]);
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
