//! Columns in the types that they had: a model reconstructs numbers, flags and words.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

/// Whether [`restored`] makes numbers, flags or words of this type.
pub(super) fn is_restored(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_restored(values),
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            false
        }
        kind => kind.is_numeric() || *kind == DataType::Boolean || is_text(kind),
    }
}

/// Whether cells are text.
pub(super) fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_text(values),
        kind => matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}

/// Numbers, flags or words as a column of another type. Numbers are rounded to whole ones and clamped to the range of
/// the type, where it is of whole numbers.
///
/// # Errors
/// A description of the problem if the type cannot hold such cells.
pub(super) fn restored(array: &ArrayRef, kind: &DataType) -> Result<ArrayRef, String> {
    if array.data_type() == kind {
        return Ok(array.clone());
    }
    let as_it_is = |array: &ArrayRef| cast(array, kind).map_err(|error| error.to_string());
    let Some(numbers) = array.as_primitive_opt::<Float64Type>() else { return as_it_is(array) };
    macro_rules! whole {
        ($type:ty) => {
            // The conversion saturates.
            Arc::new(numbers.unary::<_, $type>(|x| x.round() as _)) as ArrayRef
        };
    }
    Ok(match kind {
        DataType::Int8 => whole!(Int8Type),
        DataType::Int16 => whole!(Int16Type),
        DataType::Int32 => whole!(Int32Type),
        DataType::Int64 => whole!(Int64Type),
        DataType::UInt8 => whole!(UInt8Type),
        DataType::UInt16 => whole!(UInt16Type),
        DataType::UInt32 => whole!(UInt32Type),
        DataType::UInt64 => whole!(UInt64Type),
        DataType::Dictionary(_, values) => as_it_is(&restored(array, values)?)?,
        kind if is_text(kind) => as_it_is(&(Arc::new(spelled(numbers)) as ArrayRef))?,
        _ => as_it_is(array)?,
    })
}

/// Numbers as text: whole ones of at most 15 digits without a fraction, others in the fewest digits that give the number.
fn spelled(numbers: &Float64Array) -> StringArray {
    let spell = |x: f64| if x.fract() == 0.0 && x.abs() < 1e15 { (x as i64).to_string() } else { x.to_string() };
    numbers.iter().map(|x| x.map(spell)).collect()
}

/// The rows whose cells differ to the bit, or in being null, in two columns of one type and length.
pub(super) fn differing(was: &ArrayRef, is: &ArrayRef) -> Vec<u32> {
    if was == is {
        return Vec::new();
    }
    (0..was.len()).filter(|row| was.slice(*row, 1) != is.slice(*row, 1)).map(|row| row as u32).collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Float32Array, Int8Array, LargeStringArray, UInt64Array};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn check(numbers: &[Option<f64>], wanted: impl Array + 'static) {
        let numbers: ArrayRef = Arc::new(numbers.iter().copied().collect::<Float64Array>());
        assert!(is_restored(wanted.data_type()));
        assert_eq!(&restored(&numbers, wanted.data_type()).unwrap(), &(Arc::new(wanted) as ArrayRef));
    }

    #[test]
    fn numbers_take_the_type_that_their_column_had() {
        check(&[Some(2.6), None, Some(-400.0)], Int8Array::from(vec![Some(3), None, Some(-128)]));
        check(&[Some(-1.0), Some(1e30)], UInt64Array::from(vec![0, u64::MAX]));
        check(&[Some(0.1), None], Float32Array::from(vec![Some(0.1), None]));
        let texts = vec![Some("7"), None, Some("0.5"), Some("-1230000"), Some("10000000000000000000000")];
        check(&[Some(7.0), None, Some(0.5), Some(-1.23e6), Some(1e22)], LargeStringArray::from(texts));
        let words: DictionaryArray<Int32Type> = vec!["1", "2", "1"].into_iter().collect();
        check(&[Some(1.0), Some(2.0), Some(1.0)], words);
        assert!(!is_restored(&DataType::Decimal128(10, 2)) && !is_restored(&DataType::Binary));
    }

    #[test]
    fn cells_differ_to_the_bit() {
        let array = |cells: Vec<Option<f64>>| Arc::new(Float64Array::from(cells)) as ArrayRef;
        let was = array(vec![Some(0.0), Some(f64::NAN), None, Some(f64::NAN), Some(2.0)]);
        let is = array(vec![Some(-0.0), Some(f64::NAN), None, None, Some(2.0)]);
        assert_eq!(differing(&was, &is), [0, 3]);
        assert!(differing(&was, &was).is_empty());
    }
}
