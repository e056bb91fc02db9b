//! The four forms to which Arrow types are reduced: numbers, flags, moments, words.
//!
//! Files store the same content in many types (decimals, dictionaries, large and view strings, dates in days). A column
//! that already has its form is shared, not copied.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Float64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};

use crate::error::{Error, Place, Result};

/// The time zone of all datetimes in typed tables.
pub(crate) const ZONE: &str = "UTC";

/// A column in one of the four forms; null means missing.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// Numbers; never NaN, but possibly infinite.
    Numbers(Float64Array),
    /// Booleans.
    Flags(BooleanArray),
    /// Microseconds since 1970, UTC.
    Moments(TimestampMicrosecondArray),
    /// Unparsed text: missing tokens are still text.
    Words(StringArray),
}

impl Form {
    /// The form of `array`.
    ///
    /// # Errors
    /// [`Error::Data`] at `place` for a nested or binary type.
    pub(crate) fn of(array: &ArrayRef, place: &Place) -> Result<Form> {
        let wrong = |error: arrow::error::ArrowError| Error::data(place.clone(), error.to_string());
        Ok(match array.data_type() {
            DataType::Boolean => Form::Flags(array.as_boolean().clone()),
            DataType::Utf8 => Form::Words(array.as_string::<i32>().clone()),
            DataType::Null => Form::Words(new_null_array(&DataType::Utf8, array.len()).as_string::<i32>().clone()),
            DataType::LargeUtf8 | DataType::Utf8View => {
                Form::Words(cast(array, &DataType::Utf8).map_err(wrong)?.as_string::<i32>().clone())
            }
            DataType::Dictionary(_, values) => {
                return Form::of(&cast(array, values).map_err(wrong)?, place);
            }
            DataType::Float64 => Form::Numbers(nan_to_null(array.as_primitive::<Float64Type>())),
            kind if kind.is_numeric() => Form::Numbers(nan_to_null(
                cast(array, &DataType::Float64).map_err(wrong)?.as_primitive::<Float64Type>(),
            )),
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Form::Moments(moments(array)),
            other => {
                let message = format!("expected numbers, text, true or false, or dates, got the type {other}");
                return Err(Error::data(place.clone(), message).with_hint("exclude the column, or flatten it first"));
            }
        })
    }

    /// The column as an Arrow array.
    pub(crate) fn into_array(self) -> ArrayRef {
        match self {
            Form::Numbers(array) => Arc::new(array),
            Form::Flags(array) => Arc::new(array),
            Form::Moments(array) => Arc::new(array),
            Form::Words(array) => Arc::new(array),
        }
    }

    /// Description for messages, as in "got numbers".
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Form::Numbers(_) => "numbers",
            Form::Flags(_) => "true or false",
            Form::Moments(_) => "dates",
            Form::Words(_) => "text",
        }
    }
}

/// Whether [`Form::of`] supports the type.
pub(crate) fn is_readable(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_readable(values),
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => true,
        DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        other => other.is_numeric(),
    }
}

/// The same values with NaN marked as null; the values are shared.
fn nan_to_null(array: &Float64Array) -> Float64Array {
    if !array.values().iter().any(|x| x.is_nan()) {
        return array.clone();
    }
    let known = BooleanBuffer::collect_bool(array.len(), |i| array.is_valid(i) && !array.value(i).is_nan());
    Float64Array::new(array.values().clone(), Some(NullBuffer::new(known)))
}

/// Dates and timestamps of any unit in microseconds; overflow saturates.
fn moments(array: &ArrayRef) -> TimestampMicrosecondArray {
    const DAY: i64 = 86_400_000_000;
    let micros: TimestampMicrosecondArray = match array.data_type() {
        DataType::Date32 => array.as_primitive::<Date32Type>().unary(|days| i64::from(days) * DAY),
        DataType::Date64 => array.as_primitive::<Date64Type>().unary(|ms| ms.saturating_mul(1000)),
        DataType::Timestamp(TimeUnit::Second, _) => {
            array.as_primitive::<TimestampSecondType>().unary(|s| s.saturating_mul(1_000_000))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().unary(|ms| ms.saturating_mul(1000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().unary(|ns| ns.div_euclid(1000))
        }
        _ => array.as_primitive::<TimestampMicrosecondType>().clone(),
    };
    micros.with_timezone(ZONE)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, TimestampSecondArray};
    use arrow::array::{Decimal128Array, DictionaryArray, Int64Array, LargeStringArray, ListArray, StringViewArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn check(array: impl Array + 'static, expected: &str) {
        let array: ArrayRef = Arc::new(array);
        assert!(is_readable(array.data_type()));
        let form = Form::of(&array, &Place::default()).unwrap();
        let rows = (0..array.len()).map(|i| match &form {
            _ if form.clone().into_array().is_null(i) => "-".to_owned(),
            Form::Numbers(array) => array.value(i).to_string(),
            Form::Flags(array) => array.value(i).to_string(),
            Form::Moments(array) => array.value(i).to_string(),
            Form::Words(array) => array.value(i).to_owned(),
        });
        let text = format!("{}: {}", form.describe(), rows.collect::<Vec<_>>().join(" "));
        assert_eq!(text, expected);
    }

    #[test]
    fn every_way_of_storing_a_meaning_comes_to_one_form() {
        check(Int64Array::from(vec![Some(3), None]), "numbers: 3 -");
        check(Float64Array::from(vec![1.5, f64::NAN, f64::INFINITY]), "numbers: 1.5 - inf");
        let decimal = Decimal128Array::from(vec![1234]).with_precision_and_scale(10, 2).unwrap();
        check(decimal, "numbers: 12.34");
        check(BooleanArray::from(vec![true, false]), "true or false: true false");
        check(LargeStringArray::from(vec!["a"]), "text: a");
        check(StringViewArray::from(vec!["a", "a longer text than twelve"]), "text: a a longer text than twelve");
        let dictionary: DictionaryArray<Int32Type> = vec![Some("x"), None, Some("x")].into_iter().collect();
        check(dictionary, "text: x - x");
        check(Date32Array::from(vec![1]), "dates: 86400000000");
        check(TimestampSecondArray::from(vec![1]).with_timezone("+05:00"), "dates: 1000000");
        check(arrow::array::NullArray::new(2), "text: - -");
    }

    #[test]
    fn a_column_that_has_its_form_is_not_copied() {
        let array: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
        let Form::Numbers(numbers) = Form::of(&array, &Place::default()).unwrap() else { panic!("numbers") };
        assert_eq!(numbers.values().as_ptr(), array.as_primitive::<Float64Type>().values().as_ptr());
    }

    #[test]
    fn nested_types_are_refused_by_column() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])]);
        let error = Form::of(&(Arc::new(list) as ArrayRef), &Place::column("v")).unwrap_err();
        assert!(
            error.to_string().starts_with("column `v`: expected numbers, text, true or false, or dates, got the type")
        );
    }
}
