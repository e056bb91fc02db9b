//! Record batches as delimited text, written by hand as this is the hot path of `score`: cells are appended to one byte
//! buffer, without a string per cell.
//!
//! Numbers are written with the fewest digits that parse to the same number; missing cells are empty, and an empty text
//! is `""`, which distinguishes them.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    UInt64Array,
};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::plain::{Plain, text_of};

/// Format of delimited text.
#[derive(Debug, Clone, Copy)]
pub(super) struct DelimitedText {
    /// The delimiter.
    pub(super) delimiter: u8,
}

impl DelimitedText {
    /// Appends the header line.
    pub(super) fn header<'a>(self, names: impl IntoIterator<Item = &'a str>, out: &mut Vec<u8>) {
        for (i, name) in names.into_iter().enumerate() {
            if i > 0 {
                out.push(self.delimiter);
            }
            self.text(name, out);
        }
        out.push(b'\n');
    }

    /// Appends the rows.
    pub(super) fn rows(self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let columns = Plain::of_batch(batch)?;
        let columns = columns.iter().map(CellArray::of).collect::<Result<Vec<_>, _>>()?;
        let lonely = columns.len() == 1;
        for row in 0..batch.num_rows() {
            let line = out.len();
            for (i, cells) in columns.iter().enumerate() {
                if i > 0 {
                    out.push(self.delimiter);
                }
                self.cell(cells, row, out);
            }
            // Readers skip empty lines, so a single missing cell must be visible.
            if lonely && out.len() == line {
                out.extend_from_slice(b"\"\"");
            }
            out.push(b'\n');
        }
        Ok(())
    }

    fn cell(self, cells: &CellArray<'_>, row: usize, out: &mut Vec<u8>) {
        match cells {
            CellArray::Float(array) if array.is_valid(row) => number(array.value(row), out),
            CellArray::Single(array) if array.is_valid(row) => number(array.value(row), out),
            CellArray::Natural(array) if array.is_valid(row) => integer(array.value(row), out),
            CellArray::Integer(array) if array.is_valid(row) => integer(array.value(row), out),
            CellArray::Flag(array) if array.is_valid(row) => {
                out.extend_from_slice(if array.value(row) { b"true" } else { b"false" })
            }
            CellArray::Text(array) if array.is_valid(row) => self.text(array.value(row), out),
            CellArray::Other(array, formatter) if array.is_valid(row) => {
                self.text(&text_of(array.as_ref(), formatter, row), out)
            }
            _ => {}
        }
    }

    fn text(self, text: &str, out: &mut Vec<u8>) {
        let special = |byte: u8| byte == self.delimiter || matches!(byte, b'"' | b'\n' | b'\r');
        let edged = text.starts_with(' ') || text.ends_with(' ');
        if !text.is_empty() && !edged && !text.bytes().any(special) {
            out.extend_from_slice(text.as_bytes());
            return;
        }
        out.push(b'"');
        for byte in text.bytes() {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
}

/// A downcast column: types are resolved per batch rather than per cell.
enum CellArray<'a> {
    Float(&'a Float64Array),
    Single(&'a Float32Array),
    Natural(&'a UInt64Array),
    Integer(&'a Int64Array),
    Flag(&'a BooleanArray),
    Text(&'a StringArray),
    Other(&'a ArrayRef, ArrayFormatter<'a>),
}

impl<'a> CellArray<'a> {
    fn of(plain: &'a Plain) -> Result<CellArray<'a>, ArrowError> {
        const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(false);
        let array = match plain {
            Plain::Cells(array) => array,
            Plain::Json(array) => return Ok(CellArray::Text(array)),
        };
        Ok(match array.data_type() {
            DataType::Float64 => CellArray::Float(array.as_primitive::<Float64Type>()),
            DataType::Float32 => CellArray::Single(array.as_primitive::<Float32Type>()),
            DataType::UInt64 => CellArray::Natural(array.as_primitive::<UInt64Type>()),
            DataType::Int64 => CellArray::Integer(array.as_primitive::<Int64Type>()),
            DataType::Boolean => CellArray::Flag(array.as_boolean()),
            DataType::Utf8 => CellArray::Text(array.as_string()),
            _ => CellArray::Other(array, ArrayFormatter::try_new(array.as_ref(), &OPTIONS)?),
        })
    }
}

/// The shortest text of a number; infinity as `inf`, NaN as nothing.
fn number<T: Into<f64> + serde::Serialize + Copy>(value: T, out: &mut Vec<u8>) {
    let wide: f64 = value.into();
    if !wide.is_finite() {
        let text: &[u8] = if wide.is_nan() {
            b""
        } else if wide > 0.0 {
            b"inf"
        } else {
            b"-inf"
        };
        out.extend_from_slice(text);
        return;
    }
    integer(value, out);
    // `3.0` is written as `3`.
    if out.ends_with(b".0") {
        out.truncate(out.len() - 2);
    }
}

fn integer(value: impl serde::Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &value).expect("a number is written to memory");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{TimestampSecondArray, new_null_array};
    use arrow::datatypes::{Field, Schema};

    use super::*;

    fn check(columns: Vec<ArrayRef>, expected: &str) {
        let fields: Vec<Field> = columns
            .iter()
            .enumerate()
            .map(|(i, array)| Field::new(format!("c{i}"), array.data_type().clone(), true))
            .collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        let mut out = Vec::new();
        DelimitedText { delimiter: b',' }.rows(&batch, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn numbers_are_short_and_read_back_the_same() {
        let values = [0.1, 3.0, -2.5e-7, 1e300, 123_456.789, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.0 / 3.0];
        check(
            vec![Arc::new(Float64Array::from(values.to_vec()))],
            "0.1\n3\n-2.5e-7\n1e+300\n123456.789\n\"\"\ninf\n-inf\n0.3333333333333333\n",
        );
    }

    #[test]
    fn cells_of_every_type_stand_side_by_side() {
        check(
            vec![
                Arc::new(UInt64Array::from(vec![0, 1])),
                Arc::new(Int64Array::from(vec![Some(-5), None])),
                Arc::new(BooleanArray::from(vec![true, false])),
                Arc::new(StringArray::from(vec![Some("a"), None])),
                Arc::new(TimestampSecondArray::from(vec![1_772_409_600, 0])),
                Arc::new(Float32Array::from(vec![0.1, 2.0])),
            ],
            "0,-5,true,a,2026-03-02T00:00:00,0.1\n1,,false,,1970-01-01T00:00:00,2\n",
        );
    }

    #[test]
    fn text_is_quoted_where_it_must_be() {
        check(
            vec![
                Arc::new(StringArray::from(vec!["a,b", "say \"x\"", "two\nlines", "", " edge"])),
                new_null_array(&DataType::Int64, 5),
            ],
            "\"a,b\",\n\"say \"\"x\"\"\",\n\"two\nlines\",\n\"\",\n\" edge\",\n",
        );
    }

    #[test]
    fn names_are_quoted_too() {
        let mut out = Vec::new();
        DelimitedText { delimiter: b'\t' }.header(["a\tb", "c"], &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "\"a\tb\"\tc\n");
    }
}
