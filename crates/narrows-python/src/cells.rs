//! Columns from NumPy arrays and lists, and back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt64Type};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

/// What NumPy writes for a time that is missing.
const NOT_A_TIME: i64 = i64::MIN;

/// A column from a 1-D array of numbers, booleans or `datetime64[us]`, or from a list of texts or of flags, and `None`.
pub(crate) fn column(name: &str, values: &Bound<'_, PyAny>) -> PyResult<ArrayRef> {
    if let Ok(values) = values.extract::<PyReadonlyArray1<'_, f64>>() {
        let cells = values.as_array().iter().map(|x| (!x.is_nan()).then_some(*x)).collect::<Float64Array>();
        return Ok(Arc::new(cells));
    }
    if let Ok(values) = values.extract::<PyReadonlyArray1<'_, f32>>() {
        let cells = values.as_array().iter().map(|x| (!x.is_nan()).then_some(*x)).collect::<Float32Array>();
        return Ok(Arc::new(cells));
    }
    if let Ok(values) = values.extract::<PyReadonlyArray1<'_, i64>>() {
        return Ok(Arc::new(values.as_array().iter().copied().collect::<Int64Array>()));
    }
    if let Ok(values) = values.extract::<PyReadonlyArray1<'_, bool>>() {
        return Ok(Arc::new(values.as_array().iter().map(|x| Some(*x)).collect::<BooleanArray>()));
    }
    if values.hasattr("dtype")? && values.getattr("dtype")?.getattr("kind")?.extract::<String>()? == "M" {
        let numbers = values.call_method1("astype", ("datetime64[us]",))?.call_method1("view", ("int64",))?;
        let numbers = numbers.extract::<PyReadonlyArray1<'_, i64>>()?;
        let cells = numbers.as_array().iter().map(|x| (*x != NOT_A_TIME).then_some(*x)).collect::<Vec<_>>();
        return Ok(Arc::new(TimestampMicrosecondArray::from(cells)));
    }
    if let Ok(flags) = values.extract::<Vec<Option<bool>>>() {
        return Ok(Arc::new(BooleanArray::from(flags)));
    }
    let texts: Vec<Option<String>> = values.extract().map_err(|_| {
        let got = values.get_type().name().map_or_else(|_| "another type".to_owned(), |name| name.to_string());
        PyTypeError::new_err(format!(
            "column `{name}`: expected an array of numbers, booleans or times, or a list of texts or flags, got {got}"
        ))
    })?;
    Ok(Arc::new(StringArray::from(texts)))
}

/// What a column holds.
pub(crate) fn kind(array: &ArrayRef) -> &'static str {
    match array.data_type() {
        DataType::Boolean => "bool",
        kind if kind.is_integer() => "int",
        DataType::Decimal128(..) | DataType::Decimal256(..) => "float",
        kind if kind.is_floating() => "float",
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => "time",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        DataType::Dictionary(_, values)
            if matches!(**values, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) =>
        {
            "text"
        }
        _ => "other",
    }
}

fn converted(array: &ArrayRef, to: &DataType) -> PyResult<ArrayRef> {
    cast(array, to).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Numbers, missing ones as NaN.
pub(crate) fn numbers(name: &str, array: &ArrayRef) -> PyResult<Vec<f64>> {
    if !matches!(kind(array), "bool" | "int" | "float") && array.null_count() < array.len() {
        let message = format!("column `{name}`: expected numbers, got the type {}", array.data_type());
        return Err(PyTypeError::new_err(message));
    }
    let array = converted(array, &DataType::Float64)?;
    let numbers = array.as_primitive::<Float64Type>();
    Ok(numbers.iter().map(|x| x.unwrap_or(f64::NAN)).collect())
}

/// Whole numbers with all their digits, and which of them are missing; `None` for a column of another kind.
pub(crate) fn integers<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Option<(Bound<'py, PyAny>, Vec<bool>)>> {
    if kind(array) != "int" {
        return Ok(None);
    }
    let missing = (0..array.len()).map(|i| array.is_null(i)).collect();
    let values = if *array.data_type() == DataType::UInt64 {
        let cells = array.as_primitive::<UInt64Type>().iter().map(Option::unwrap_or_default).collect::<Vec<u64>>();
        PyArray1::from_vec(py, cells).into_any()
    } else {
        let array = converted(array, &DataType::Int64)?;
        let cells = array.as_primitive::<Int64Type>().iter().map(Option::unwrap_or_default).collect::<Vec<i64>>();
        PyArray1::from_vec(py, cells).into_any()
    };
    Ok(Some((values, missing)))
}

/// The time zone of a column of times.
pub(crate) fn zone(array: &ArrayRef) -> Option<String> {
    match array.data_type() {
        DataType::Timestamp(_, zone) => zone.as_ref().map(ToString::to_string),
        _ => None,
    }
}

/// A column as an array of its type, or as a list.
pub(crate) fn values<'py>(py: Python<'py>, name: &str, array: &ArrayRef) -> PyResult<Bound<'py, PyAny>> {
    let is_whole = array.null_count() == 0;
    match kind(array) {
        "bool" if is_whole => {
            Ok(PyArray1::from_vec(py, array.as_boolean().values().iter().collect::<Vec<_>>()).into_any())
        }
        "int" if is_whole && *array.data_type() != DataType::UInt64 => {
            let array = converted(array, &DataType::Int64)?;
            Ok(PyArray1::from_slice(py, array.as_primitive::<Int64Type>().values()).into_any())
        }
        "int" if is_whole => Ok(PyArray1::from_slice(py, array.as_primitive::<UInt64Type>().values()).into_any()),
        "int" | "float" => Ok(PyArray1::from_vec(py, numbers(name, array)?).into_any()),
        "time" => {
            let array = converted(array, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            let times = array.as_primitive::<TimestampMicrosecondType>();
            let times = times.iter().map(|time| time.unwrap_or(NOT_A_TIME)).collect::<Vec<_>>();
            PyArray1::from_vec(py, times).call_method1("view", ("datetime64[us]",))
        }
        "bool" => Ok(PyList::new(py, array.as_boolean().iter())?.into_any()),
        "text" => {
            let array = converted(array, &DataType::Utf8)?;
            Ok(PyList::new(py, array.as_string::<i32>().iter())?.into_any())
        }
        _ => {
            let texts = match array.data_type() {
                DataType::Null => new_null_array(&DataType::Utf8, array.len()),
                _ => converted(array, &DataType::Utf8)?,
            };
            Ok(PyList::new(py, texts.as_string::<i32>().iter())?.into_any())
        }
    }
}
