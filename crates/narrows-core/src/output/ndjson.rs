//! Record batches as NDJSON. Missing cells and non-finite numbers are `null`.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type, UInt64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Serialize;

/// Appends the rows.
pub(super) fn rows(batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
    let schema = batch.schema_ref();
    let keys: Vec<Vec<u8>> = schema.fields().iter().map(|field| key(field.name())).collect();
    let options = FormatOptions::default();
    let formatters = batch
        .columns()
        .iter()
        .map(|array| ArrayFormatter::try_new(array.as_ref(), &options))
        .collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        out.push(b'{');
        for (i, array) in batch.columns().iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&keys[i]);
            cell(array.as_ref(), &formatters[i], row, out);
        }
        out.extend_from_slice(b"}\n");
    }
    Ok(())
}

fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    json(name, &mut key);
    key.push(b':');
    key
}

fn cell(array: &dyn Array, formatter: &ArrayFormatter<'_>, row: usize, out: &mut Vec<u8>) {
    if array.is_null(row) {
        return out.extend_from_slice(b"null");
    }
    match array.data_type() {
        DataType::Float64 => json(array.as_primitive::<Float64Type>().value(row), out),
        DataType::Float32 => json(array.as_primitive::<Float32Type>().value(row), out),
        DataType::UInt64 => json(array.as_primitive::<UInt64Type>().value(row), out),
        DataType::Int64 => json(array.as_primitive::<Int64Type>().value(row), out),
        DataType::Boolean => json(array.as_boolean().value(row), out),
        DataType::Utf8 => json(array.as_string::<i32>().value(row), out),
        DataType::List(_) => list(&array.as_list::<i32>().value(row), out),
        DataType::Struct(_) => object(array.as_struct(), row, out),
        kind if kind.is_integer() => out.extend_from_slice(formatter.value(row).to_string().as_bytes()),
        _ => json(formatter.value(row).to_string(), out),
    }
}

/// A nested list.
fn list(items: &ArrayRef, out: &mut Vec<u8>) {
    out.push(b'[');
    for i in 0..items.len() {
        if i > 0 {
            out.push(b',');
        }
        nested(items, i, out);
    }
    out.push(b']');
}

/// A nested object.
fn object(fields: &StructArray, row: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    for (i, (field, column)) in fields.fields().iter().zip(fields.columns()).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&key(field.name()));
        nested(column, row, out);
    }
    out.push(b'}');
}

/// A cell inside a list or an object; a type that has no text is `null`.
fn nested(array: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    match ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default()) {
        Ok(formatter) => cell(array.as_ref(), &formatter, row, out),
        Err(_) => out.extend_from_slice(b"null"),
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
