//! Columns of any Arrow type brought to types that text formats write: dictionaries and runs as their values, times of a
//! named zone as ISO 8601 with their offset, lists and structs as JSON. Every type that can be read can be written.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Int64Array, OffsetSizeTrait, RecordBatch, StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::ArrayFormatter;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ndjson;

/// A column as text formats take it.
#[derive(Debug)]
pub(super) enum Plain {
    /// Numbers, flags, texts, and what Arrow has a text for.
    Cells(ArrayRef),
    /// A JSON value per row; null where the row has none.
    Json(StringArray),
}

impl Plain {
    /// The columns of a batch.
    pub(super) fn of_batch(batch: &RecordBatch) -> Result<Vec<Plain>, ArrowError> {
        batch.columns().iter().map(Plain::of).collect()
    }

    /// A column.
    ///
    /// # Errors
    /// For unions, which have no text.
    pub(super) fn of(array: &ArrayRef) -> Result<Plain, ArrowError> {
        Ok(match array.data_type() {
            DataType::Dictionary(_, values) => return Plain::of(&cast(array, values)?),
            DataType::RunEndEncoded(_, values) => return Plain::of(&cast(array, values.data_type())?),
            DataType::Float16 => Plain::Cells(cast(array, &DataType::Float32)?),
            DataType::LargeUtf8 | DataType::Utf8View => Plain::Cells(cast(array, &DataType::Utf8)?),
            // Arrow knows the text of fixed offsets.
            DataType::Timestamp(unit, Some(zone)) if !zone.starts_with(['+', '-']) => {
                Plain::Cells(Arc::new(moments(array, *unit, zone)?))
            }
            DataType::List(_)
            | DataType::LargeList(_)
            | DataType::ListView(_)
            | DataType::LargeListView(_)
            | DataType::FixedSizeList(..)
            | DataType::Struct(_)
            | DataType::Map(..) => Plain::Json(nested(array)?),
            DataType::Union(..) => {
                return Err(ArrowError::NotYetImplemented(format!("text of the type {}", array.data_type())));
            }
            _ => Plain::Cells(array.clone()),
        })
    }
}

/// The text of a cell; of a date or time beyond the years that a calendar has, its number.
pub(super) fn text_of(array: &dyn Array, formatter: &ArrayFormatter<'_>, row: usize) -> String {
    formatter.value(row).try_to_string().unwrap_or_else(|_| {
        let number = cast(&array.slice(row, 1), &DataType::Int64);
        number.map_or_else(|_| String::new(), |number| number.as_primitive::<Int64Type>().value(0).to_string())
    })
}

/// Instants in local time with the offset of each, such as `2024-07-01T12:00:00+02:00`; in UTC if the zone is unknown.
fn moments(array: &ArrayRef, unit: TimeUnit, zone: &str) -> Result<StringArray, ArrowError> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let ticks = cast(array, &DataType::Int64)?;
    let ticks: &Int64Array = ticks.as_primitive();
    let per_tick = match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1000,
        TimeUnit::Nanosecond => 1,
    };
    let text = |tick: i64| match Timestamp::from_nanosecond(i128::from(tick) * per_tick) {
        Ok(instant) => {
            let local = instant.to_zoned(zone.clone());
            match local.offset().seconds() {
                0 => format!("{}Z", local.datetime()),
                offset => format!("{}{}", local.datetime(), offset_text(offset)),
            }
        }
        Err(_) => tick.to_string(),
    };
    Ok(ticks.iter().map(|tick| tick.map(text)).collect())
}

fn offset_text(seconds: i32) -> String {
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    let text = format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    match seconds % 60 {
        0 => text,
        // Local mean times of the 19th century.
        seconds => format!("{text}:{seconds:02}"),
    }
}

/// A nested column as JSON.
fn nested(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    Ok(match array.data_type() {
        DataType::List(_) => list::<i32>(array)?,
        DataType::LargeList(_) => list::<i64>(array)?,
        DataType::ListView(item) => list::<i32>(&cast(array, &DataType::List(item.clone()))?)?,
        DataType::LargeListView(item) => list::<i64>(&cast(array, &DataType::LargeList(item.clone()))?)?,
        DataType::FixedSizeList(..) => {
            let array: &FixedSizeListArray = array.as_fixed_size_list();
            let (items, length) = (values(array.values())?, array.value_length() as usize);
            let row = |row: usize| array.is_valid(row).then(|| joined('[', &items[row * length..][..length], ']'));
            (0..array.len()).map(row).collect()
        }
        DataType::Map(..) => {
            let array = array.as_map();
            let keys = values(array.keys())?;
            let entries = keys.iter().zip(values(array.values())?).map(|(key, value)| {
                // JSON has texts as keys only.
                let key = if key.starts_with('"') { Cow::from(key) } else { Cow::from(format!("\"{key}\"")) };
                format!("{key}:{value}")
            });
            let entries: Vec<String> = entries.collect();
            let row = |row: usize| {
                let (from, to) = (array.value_offsets()[row] as usize, array.value_offsets()[row + 1] as usize);
                array.is_valid(row).then(|| joined('{', &entries[from..to], '}'))
            };
            (0..array.len()).map(row).collect()
        }
        _ => {
            let array = array.as_struct();
            let columns = array.columns().iter().map(values).collect::<Result<Vec<_>, _>>()?;
            let keys: Vec<String> = array.column_names().into_iter().map(ndjson::quoted).collect();
            let row = |row: usize| {
                let fields = keys.iter().zip(&columns).map(|(key, column)| format!("{key}:{}", column[row]));
                array.is_valid(row).then(|| joined('{', &fields.collect::<Vec<_>>(), '}'))
            };
            (0..array.len()).map(row).collect()
        }
    })
}

fn list<O: OffsetSizeTrait>(array: &ArrayRef) -> Result<StringArray, ArrowError> {
    let array = array.as_list::<O>();
    let offsets = array.value_offsets();
    // A slice of a column has the values of the whole column.
    let (first, last) = (offsets[0].as_usize(), offsets[array.len()].as_usize());
    let items = values(&array.values().slice(first, last - first))?;
    let row = |row: usize| {
        let (from, to) = (offsets[row].as_usize() - first, offsets[row + 1].as_usize() - first);
        array.is_valid(row).then(|| joined('[', &items[from..to], ']'))
    };
    Ok((0..array.len()).map(row).collect())
}

/// The JSON value of every cell.
fn values(array: &ArrayRef) -> Result<Vec<String>, ArrowError> {
    let plain = Plain::of(array)?;
    let cells = ndjson::JsonCells::of(&plain)?;
    Ok((0..array.len())
        .map(|row| {
            let mut out = Vec::new();
            cells.write(row, &mut out);
            String::from_utf8(out).expect("JSON is UTF-8")
        })
        .collect())
}

fn joined(open: char, items: &[String], close: char) -> String {
    format!("{open}{}{close}", items.join(","))
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        BinaryArray, Date32Array, Decimal128Array, DictionaryArray, DurationSecondArray, Float64Array, ListArray,
        StructArray, Time32SecondArray, TimestampMicrosecondArray, TimestampSecondArray,
    };
    use arrow::datatypes::{Field, Int32Type};

    use super::super::TableWriter;
    use super::*;
    use crate::data::Format;

    fn as_text(array: impl Array + 'static, format: Format) -> String {
        let batch = RecordBatch::try_from_iter([("c", Arc::new(array) as ArrayRef)]).unwrap();
        let mut bytes = Vec::new();
        let mut writer = TableWriter::new(&mut bytes, format).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn check(array: impl Array + Clone + 'static, csv: &str, ndjson: &str) {
        let kind = array.data_type().clone();
        assert_eq!(as_text(array.clone(), Format::Csv), format!("c\n{csv}\n"), "{kind}");
        let expected: String = ndjson.lines().map(|cell| format!("{{\"c\":{cell}}}\n")).collect();
        assert_eq!(as_text(array, Format::Ndjson), expected, "{kind}");
    }

    #[test]
    fn times_of_a_named_zone_have_the_offset_of_their_day() {
        // A winter day and a summer day.
        let days = || TimestampSecondArray::from(vec![1_704_067_200, 1_719_792_000]);
        let check = |zone: &str, expected: [&str; 2]| {
            let quoted = expected.map(|text| format!("\"{text}\"")).join("\n");
            check(days().with_timezone(zone), &expected.join("\n"), &quoted);
        };
        check("UTC", ["2024-01-01T00:00:00Z", "2024-07-01T00:00:00Z"]);
        check("Europe/Berlin", ["2024-01-01T01:00:00+01:00", "2024-07-01T02:00:00+02:00"]);
        check("America/St_Johns", ["2023-12-31T20:30:00-03:30", "2024-06-30T21:30:00-02:30"]);
        check("No/Such_Zone", ["2024-01-01T00:00:00Z", "2024-07-01T00:00:00Z"]);
        let array = TimestampMicrosecondArray::from(vec![Some(1_500_000), None]).with_timezone("UTC");
        assert_eq!(as_text(array, Format::Csv), "c\n1970-01-01T00:00:01.5Z\n\"\"\n");
    }

    #[test]
    fn every_type_has_a_text() {
        let decimal = Decimal128Array::from(vec![1234, -5]).with_precision_and_scale(10, 2).unwrap();
        check(decimal, "12.34\n-0.05", "12.34\n-0.05");
        check(Date32Array::from(vec![1]), "1970-01-02", "\"1970-01-02\"");
        check(Time32SecondArray::from(vec![45_296]), "12:34:56", "\"12:34:56\"");
        check(DurationSecondArray::from(vec![90]), "PT90S", "\"PT90S\"");
        check(BinaryArray::from_vec(vec![b"\x0a\xff"]), "0aff", "\"0aff\"");
        let words: DictionaryArray<Int32Type> = vec![Some("x"), Some("y")].into_iter().collect();
        check(words, "x\ny", "\"x\"\n\"y\"");
        // A time that no calendar has is its number.
        check(TimestampSecondArray::from(vec![i64::MAX]), &i64::MAX.to_string(), &format!("\"{}\"", i64::MAX));
        check(
            TimestampSecondArray::from(vec![i64::MAX]).with_timezone("UTC"),
            &i64::MAX.to_string(),
            &format!("\"{}\"", i64::MAX),
        );
    }

    #[test]
    fn nested_values_are_json() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(0)]),
            Some(vec![Some(1), None]),
            None,
            Some(Vec::new()),
        ]);
        check(list.slice(1, 3), "\"[1,null]\"\n\"\"\n[]", "[1,null]\nnull\n[]");
        let field = |name: &str, array: ArrayRef| (Arc::new(Field::new(name, array.data_type().clone(), true)), array);
        let inner = StructArray::from(vec![
            field("a \"b\"", Arc::new(Float64Array::from(vec![1.5, f64::NAN]))),
            field("t", Arc::new(TimestampSecondArray::from(vec![0, 1]).with_timezone("UTC"))),
        ]);
        let first = "{\"a \\\"b\\\"\":1.5,\"t\":\"1970-01-01T00:00:00Z\"}";
        let second = "{\"a \\\"b\\\"\":null,\"t\":\"1970-01-01T00:00:01Z\"}";
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        check(inner, &format!("{}\n{}", quoted(first), quoted(second)), &format!("{first}\n{second}"));
    }
}
