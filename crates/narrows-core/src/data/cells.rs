//! The cells of one column, converted to its kind.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, BooleanBuilder, Float64Array, Float64Builder, StringArray, StringBuilder,
    TimestampMicrosecondArray, TimestampMicrosecondBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::cell_format::CellFormat;
use super::form::{Form, ZONE};
use super::schema::{Column, ColumnKind};
use super::table::Table;
use super::token;
use super::unreadable::Unreadable;
use crate::error::{Error, Place, Result};

/// A column being converted.
pub(super) struct Cells<'a> {
    pub(super) table: &'a Table,
    pub(super) column: &'a Column,
}

impl Cells<'_> {
    /// The cells as their type; those that are not written as in the column are counted and missing.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a column of another type.
    pub(super) fn typed(&self, array: &ArrayRef, unreadable: &mut Vec<Unreadable>) -> Result<ArrayRef> {
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
                let first_row = self.table.row_number(row);
                found.get_or_insert_with(|| Unreadable::new(self.column, first_row)).push(text);
            }
            add(value);
        }
        let Some(found) = found else { return Ok(()) };
        // Later batches may lie within an outage; the first one tells whether the column has the right meaning.
        if !has_value && words.len() > 1 && self.table.is_start() {
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
                let first_row = self.table.row_number(row);
                found.get_or_insert_with(|| Unreadable::new(self.column, first_row)).push(&x.to_string());
            }
            moment
        };
        let moments: TimestampMicrosecondArray = numbers.iter().enumerate().map(read).collect();
        if found.is_some() && moments.null_count() == moments.len() && self.table.is_start() {
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
        Place::cell(&self.column.name, self.table.row_number(row)).of(self.table.source())
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
    use arrow::array::AsArray;
    use arrow::datatypes::{Float64Type, TimestampMicrosecondType};

    use super::*;
    use crate::data::{Schema, conform};

    fn words(cells: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
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
}
