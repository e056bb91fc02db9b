//! Record batches as NDJSON. Missing cells and non-finite numbers are `null`.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Serialize;

use super::plain::{Plain, text_of};

/// Appends the rows.
pub(super) fn rows(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
    let schema = batch.schema_ref();
    let keys: Vec<String> = schema.fields().iter().map(|field| format!("{}:", quoted(field.name()))).collect();
    let columns = Plain::of_batch(batch)?;
    let columns = columns.iter().map(JsonCells::of).collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        out.push(b'{');
        for (i, (key, cells)) in keys.iter().zip(&columns).enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key.as_bytes());
            cells.write(row, out);
        }
        out.extend_from_slice(b"}\n");
    }
    Ok(())
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is written to memory")
}

/// A column whose cells are written as JSON.
pub(super) enum JsonCells<'a> {
    Cells(&'a ArrayRef, ArrayFormatter<'a>),
    Json(&'a StringArray),
}

impl<'a> JsonCells<'a> {
    pub(super) fn of(plain: &'a Plain) -> Result<JsonCells<'a>, ArrowError> {
        const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(false);
        Ok(match plain {
            Plain::Cells(array) => JsonCells::Cells(array, ArrayFormatter::try_new(array.as_ref(), &OPTIONS)?),
            Plain::Json(array) => JsonCells::Json(array),
        })
    }

    /// Appends the cell of a row.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            JsonCells::Json(array) if array.is_valid(row) => out.extend_from_slice(array.value(row).as_bytes()),
            JsonCells::Cells(array, formatter) if array.is_valid(row) => cell(array.as_ref(), formatter, row, out),
            _ => out.extend_from_slice(b"null"),
        }
    }
}

fn cell(array: &dyn Array, formatter: &ArrayFormatter<'_>, row: usize, out: &mut Vec<u8>) {
    match array.data_type() {
        DataType::Float64 => json(array.as_primitive::<Float64Type>().value(row), out),
        DataType::Float32 => json(array.as_primitive::<Float32Type>().value(row), out),
        DataType::UInt64 => json(array.as_primitive::<UInt64Type>().value(row), out),
        DataType::Int64 => json(array.as_primitive::<Int64Type>().value(row), out),
        DataType::Boolean => json(array.as_boolean().value(row), out),
        DataType::Utf8 => json(array.as_string::<i32>().value(row), out),
        // Integers and decimals.
        kind if kind.is_numeric() => out.extend_from_slice(text_of(array, formatter, row).as_bytes()),
        _ => json(text_of(array, formatter, row), out),
    }
}

fn json(value: impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, &value).expect("a plain value is written to memory");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Float64Array, Int32Array, StringArray};

    use super::*;

    #[test]
    fn a_row_is_an_object() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("score", Arc::new(Float64Array::from(vec![Some(1.5), Some(f64::INFINITY)]))),
            ("n", Arc::new(Int32Array::from(vec![Some(7), None]))),
            ("flag", Arc::new(BooleanArray::from(vec![true, false]))),
            ("a \"name\"", Arc::new(StringArray::from(vec!["x\n", "y"]))),
        ];
        let mut out = Vec::new();
        rows(&RecordBatch::try_from_iter(columns).unwrap(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected = "{\"score\":1.5,\"n\":7,\"flag\":true,\"a \\\"name\\\"\":\"x\\n\"}\n\
                        {\"score\":null,\"n\":null,\"flag\":false,\"a \\\"name\\\"\":\"y\"}\n";
        assert_eq!(text, expected);
    }
}
