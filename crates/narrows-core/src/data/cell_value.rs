//! Single cells as their column reads them, for comparing them with each other: exact, and never an error.
//!
//! [`conform`](super::conform()) makes a cell that is not written as in its column missing, and refuses a column of
//! another type. A column that never changed is there to be compared with, so here such a cell is the text it is.

use std::borrow::Cow;
use std::fmt;

use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use super::cell_format::CellFormat;
use super::form::Form;
use super::moment::Moment;
use super::schema::{Column, ColumnKind};
use super::token;
use crate::error::Place;

/// Whole numbers from here on are shown with an exponent.
const LONG: f64 = 1e15;

/// The content of a cell that is not missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CellValue<'a> {
    Number(f64),
    Flag(bool),
    /// Microseconds since 1970, UTC.
    Moment(i64),
    Word(Cow<'a, str>),
}

impl CellValue<'_> {
    /// Numbers are the same if they differ by no more than this share of the greater: text is often written with fewer
    /// digits.
    pub(crate) const SAME: f64 = 1e-9;

    /// Whether both are the same content; numbers up to rounding.
    pub(crate) fn is_same(&self, other: &CellValue<'_>) -> bool {
        match (self, other) {
            (CellValue::Number(a), CellValue::Number(b)) => {
                a == b || (a.is_finite() && b.is_finite() && (a - b).abs() <= Self::SAME * a.abs().max(b.abs()))
            }
            _ => self == other,
        }
    }

    pub(crate) fn into_owned(self) -> CellValue<'static> {
        match self {
            CellValue::Number(x) => CellValue::Number(x),
            CellValue::Flag(flag) => CellValue::Flag(flag),
            CellValue::Moment(t) => CellValue::Moment(t),
            CellValue::Word(word) => CellValue::Word(Cow::Owned(word.into_owned())),
        }
    }
}

impl fmt::Display for CellValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CellValue::Number(x) if x.abs() >= LONG && x.is_finite() => write!(f, "{x:e}"),
            CellValue::Number(x) => x.fmt(f),
            CellValue::Flag(flag) => flag.fmt(f),
            CellValue::Moment(t) => Moment::Instant(*t).fmt(f),
            CellValue::Word(word) => f.write_str(word),
        }
    }
}

/// The cells of a column, raw or typed.
pub(crate) struct CellValues<'a> {
    column: &'a Column,
    form: Form,
    /// Numbers that mean missing.
    missing: Vec<f64>,
}

impl<'a> CellValues<'a> {
    /// The cells of `array`, read as those of `column`; of a type that has no cells, such as lists, as text.
    pub(crate) fn of(column: &'a Column, array: &ArrayRef) -> CellValues<'a> {
        let place = Place::column(&column.name);
        let form = Form::of(array, &place).or_else(|error| {
            let text = cast(array, &DataType::Utf8).map_err(|_| error)?;
            Form::of(&text, &place)
        });
        // Content that no text can be made of is a word like any other: it is there, and the same everywhere.
        let form = form.unwrap_or_else(|_| Form::Words(unreadable(array)));
        CellValues { column, form, missing: column.missing_numbers() }
    }

    /// Whether no cell is missing, where that is known without looking at each.
    pub(crate) fn is_whole(&self) -> bool {
        match &self.form {
            Form::Numbers(array) => array.null_count() == 0 && self.missing.is_empty(),
            Form::Flags(array) => array.null_count() == 0,
            Form::Moments(array) => array.null_count() == 0,
            Form::Words(_) => false,
        }
    }

    /// The content of a cell; `None` if it is missing.
    pub(crate) fn get(&self, row: usize) -> Option<CellValue<'_>> {
        match &self.form {
            Form::Words(words) => words.is_valid(row).then(|| words.value(row).trim()).and_then(|text| self.text(text)),
            Form::Numbers(numbers) => {
                let x = numbers.is_valid(row).then(|| numbers.value(row)).filter(|x| !self.missing.contains(x))?;
                Some(self.number(x))
            }
            Form::Flags(flags) => flags.is_valid(row).then(|| match self.column.kind {
                ColumnKind::Numeric => CellValue::Number(f64::from(flags.value(row))),
                ColumnKind::Category | ColumnKind::Text => CellValue::Word(Cow::Owned(flags.value(row).to_string())),
                _ => CellValue::Flag(flags.value(row)),
            }),
            Form::Moments(moments) => moments.is_valid(row).then(|| CellValue::Moment(moments.value(row))),
        }
    }

    fn text<'t>(&self, text: &'t str) -> Option<CellValue<'t>> {
        if self.column.is_missing(text) {
            return None;
        }
        let read = match self.column.kind {
            ColumnKind::Numeric => match self.column.number(text) {
                Some(x) if x.is_nan() => return None,
                number => number.map(CellValue::Number),
            },
            ColumnKind::Boolean => match text {
                "1" => Some(CellValue::Flag(true)),
                "0" => Some(CellValue::Flag(false)),
                word => token::flag(word).map(CellValue::Flag),
            },
            ColumnKind::Datetime => self.column.instant(text).map(|instant| CellValue::Moment(instant.micros)),
            ColumnKind::Category | ColumnKind::Text => None,
        };
        Some(read.unwrap_or(CellValue::Word(Cow::Borrowed(text))))
    }

    fn number(&self, x: f64) -> CellValue<'static> {
        match self.column.kind {
            ColumnKind::Boolean if x == 0.0 || x == 1.0 => CellValue::Flag(x == 1.0),
            ColumnKind::Datetime => {
                let format = self.column.format.as_ref().and_then(CellFormat::date);
                format.and_then(|format| format.read_number(x)).map_or(CellValue::Number(x), CellValue::Moment)
            }
            ColumnKind::Category | ColumnKind::Text => CellValue::Word(Cow::Owned(x.to_string())),
            _ => CellValue::Number(x),
        }
    }
}

/// A word for every cell that is there.
fn unreadable(array: &ArrayRef) -> arrow::array::StringArray {
    let word = format!("a value of type {}", array.data_type());
    (0..array.len()).map(|row| array.is_valid(row).then_some(word.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Float64Array, Int32Array, ListArray, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn check(kind: ColumnKind, array: impl Array + 'static, expected: &[&str]) {
        let (column, array): (Column, ArrayRef) = (Column::new("x", kind), Arc::new(array));
        let cells = CellValues::of(&column, &array);
        let found: Vec<String> =
            (0..array.len()).map(|row| cells.get(row).map_or("-".to_owned(), |cell| cell.to_string())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn cells_are_what_their_column_says_and_else_the_text_they_are() {
        use ColumnKind::{Boolean, Category, Datetime, Numeric, Text};
        check(Numeric, StringArray::from(vec!["0", " 0.5 ", "", "FAILED", "nan"]), &["0", "0.5", "-", "FAILED", "-"]);
        check(Boolean, StringArray::from(vec!["no", "1", "?", "maybe"]), &["false", "true", "-", "maybe"]);
        check(Category, StringArray::from(vec![Some("ok"), None]), &["ok", "-"]);
        check(Datetime, StringArray::from(vec!["2024-03-12", "soon"]), &["2024-03-12T00:00:00Z", "soon"]);
        check(Boolean, Float64Array::from(vec![1.0, 7.0]), &["true", "7"]);
        check(Category, Int32Array::from(vec![7]), &["7"]);
        check(Numeric, BooleanArray::from(vec![true]), &["1"]);
        check(Text, ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)]), None]), &["[1]", "-"]);
    }

    #[test]
    fn numbers_are_the_same_up_to_rounding() {
        let same = |a, b| CellValue::Number(a).is_same(&CellValue::Number(b));
        assert!(same(0.1 + 0.2, 0.3) && same(-0.0, 0.0) && same(1e300, 1e300) && same(f64::INFINITY, f64::INFINITY));
        assert!(!same(0.3, 0.3001) && !same(0.0, 1e-300) && !same(1.0, f64::INFINITY));
        assert!(!CellValue::Number(1.0).is_same(&CellValue::Flag(true)));
    }

    #[test]
    fn contents_go_through_json() {
        for value in
            [CellValue::Number(0.1), CellValue::Flag(false), CellValue::Moment(-7), CellValue::Word("a".into())]
        {
            let text = serde_json::to_string(&value).unwrap();
            assert_eq!(serde_json::from_str::<CellValue<'static>>(&text).unwrap(), value, "{text}");
        }
        assert_eq!(CellValue::Number(1e20).to_string(), "1e20");
    }
}
