//! The checksum of what a code alone decodes to: it tells of a machine that decodes to something else.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use super::super::coder::Feature;
use super::super::manifest::ColumnStorage;
use crate::data::Table;
use crate::error::Result;

/// The CRC-32 of the decoded columns that are stored by their code; `None` if there are none.
pub(super) fn checksum(places: &[ColumnStorage], features: &[Feature<'_>], decoded: &Table) -> Result<Option<u32>> {
    let mut hasher = crc32fast::Hasher::new();
    let mut is_empty = true;
    for place in places {
        let ColumnStorage::Code(column) = place else { continue };
        is_empty = false;
        let array = decoded.expect_column(&features[*column as usize].column.name)?;
        if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
            let bits = |row: usize| if numbers.is_valid(row) { numbers.value(row).to_bits() } else { u64::MAX };
            (0..numbers.len()).for_each(|row| hasher.update(&bits(row).to_le_bytes()));
        } else if let Some(flags) = array.as_boolean_opt() {
            flags.iter().for_each(|flag| hasher.update(&[flag.map_or(2, u8::from)]));
        } else if let Some(words) = array.as_string_opt::<i32>() {
            for word in words {
                hasher.update(word.unwrap_or_default().as_bytes());
                hasher.update(&[0xff, u8::from(word.is_some())]);
            }
        }
    }
    Ok((!is_empty).then(|| hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray};

    use super::*;
    use crate::data::{Column, ColumnKind};

    fn of(array: impl Array + 'static) -> Option<u32> {
        let column = Column::new("x", ColumnKind::Numeric);
        let features = [Feature { column: &column, span: None }];
        let table = Table::from_arrays(vec![("x".to_owned(), Arc::new(array) as ArrayRef)], "t").unwrap();
        checksum(&[ColumnStorage::Kept, ColumnStorage::Code(0)], &features, &table).unwrap()
    }

    #[test]
    fn another_cell_is_another_checksum() {
        let numbers = |x: f64| of(Float64Array::from(vec![Some(1.0), None, Some(x)]));
        assert_eq!(numbers(2.0), numbers(2.0));
        assert_ne!(numbers(2.0), numbers(2.0_f64.next_up()));
        assert_ne!(of(BooleanArray::from(vec![true, false])), of(BooleanArray::from(vec![true, true])));
        assert_ne!(of(StringArray::from(vec!["a", "bc"])), of(StringArray::from(vec!["ab", "c"])));
        let table = Table::from_columns(vec![("x", vec![1.0])]).unwrap();
        assert_eq!(checksum(&[ColumnStorage::Kept], &[], &table).unwrap(), None);
    }
}
