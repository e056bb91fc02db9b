//! The storage of a file's columns, chosen from its first rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};

use super::super::coder::{ChunkCoder, Feature, is_rebuilt};
use super::super::fidelity::Fidelity;
use super::super::manifest::{ColumnStorage, TableManifest};
use super::super::restore::{differing, is_restored, is_text, restored};
use super::super::stored::type_name;
use super::super::table_fidelity::TableFidelity;
use crate::data::{ColumnKind, Table, conform};
use crate::error::Result;

/// One in so many cells of a column may have to be corrected; with more, all are kept as they are.
const CORRECTED: usize = 8;

/// The header of a file that begins with these rows; its quantiser level is still to be chosen.
pub(in crate::compress) fn manifest(
    coder: &ChunkCoder,
    fidelity: &TableFidelity,
    table: &Table,
    is_text: bool,
) -> Result<TableManifest> {
    let (typed, _) = conform(table.clone(), coder.adapter.schema())?;
    let features = coder.features();
    let (mut columns, mut types) = (Vec::new(), Vec::new());
    for name in table.names() {
        let raw = table.expect_column(name)?;
        let feature = features.iter().position(|feature| feature.column.name == name);
        let place = feature.and_then(|at| place(at, &features[at], fidelity.of(name), raw, typed.column(name)?));
        let place = place.unwrap_or_else(|| {
            // Texts are kept as plain ones.
            let is_plain = !self::is_text(raw.data_type()) || *raw.data_type() == DataType::Utf8;
            (ColumnStorage::Kept, (!is_plain).then(|| raw.data_type()))
        });
        columns.push(match (place.0, fidelity.columns.get(name)) {
            (ColumnStorage::Numbers { column, .. }, Some(bound)) => ColumnStorage::Bounded { column, bound: *bound },
            (storage, _) => storage,
        });
        types.push(place.1.and_then(type_name).unwrap_or_default());
    }
    Ok(TableManifest { level: 0, fidelity: fidelity.others, columns, types, is_text })
}

/// How the model stores a column, and the type to restore; `None` if it is kept as it is.
fn place<'a>(
    at: usize,
    feature: &Feature<'_>,
    fidelity: Fidelity,
    raw: &'a ArrayRef,
    typed: &ArrayRef,
) -> Option<(ColumnStorage, Option<&'a DataType>)> {
    let (column, kind) = (at as u32, raw.data_type());
    if !is_rebuilt(feature.column.kind) {
        return None;
    }
    let is_number = feature.column.kind == ColumnKind::Numeric;
    if let Fidelity::Code(_) = fidelity {
        // Words that are read as numbers or flags come back as these.
        let is_restored = is_restored(kind) && is_text(kind) == (feature.column.kind == ColumnKind::Category);
        return Some((ColumnStorage::Code(column), is_restored.then_some(kind)));
    }
    if !is_number {
        let is_word = matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Boolean);
        let words = ColumnStorage::Words { column, flags: *kind == DataType::Boolean };
        return is_word.then_some((words, Some(kind)));
    }
    // A decimal of many digits exceeds the precision of a float.
    let is_decimal = matches!(kind, DataType::Decimal128(..) | DataType::Decimal256(..));
    if is_decimal || fidelity.lattice(feature.span.as_ref()?).is_none() {
        return None;
    }
    let numbers = ColumnStorage::Numbers { column, whole: false };
    if fidelity != Fidelity::Lossless {
        return Some((numbers, (is_restored(kind) && !is_text(kind)).then_some(kind)));
    }
    let back = as_restored(typed, kind)?;
    let is_near = differing(raw, &back).len() <= raw.len() / CORRECTED;
    is_near.then_some((numbers, Some(kind)))
}

/// A lossless column as a reader restores it from its numbers, before any correction; `None` if its type is not restored.
pub(super) fn as_restored(typed: &ArrayRef, kind: &DataType) -> Option<ArrayRef> {
    // Adding zero makes minus zero zero, as which it is stored.
    let number = |x: Option<f64>| x.filter(|x| !x.is_nan()).map(|x| x + 0.0);
    let numbers: Float64Array = typed.as_primitive::<Float64Type>().iter().map(number).collect();
    is_restored(kind).then(|| restored(&(Arc::new(numbers) as ArrayRef), kind).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, Decimal128Array, Int32Array, StringArray};

    use super::*;
    use crate::codec::Span;
    use crate::compress::fidelity::ErrorBound;
    use crate::data::Column;

    fn check(fidelity: Fidelity, array: impl Array + 'static, whole: bool, expected: Option<Option<&DataType>>) {
        let column = Column::new("x", ColumnKind::Numeric);
        let feature = Feature { column: &column, span: Some(Span { lowest: 0.0, highest: 9.0, whole }) };
        let raw: ArrayRef = Arc::new(array);
        let table = Table::from_arrays(vec![("x".to_owned(), raw.clone())], "t").unwrap();
        let schema = crate::data::Schema { columns: vec![column.clone()] };
        let typed = conform(table, &schema).unwrap().0.column("x").unwrap().clone();
        let place = place(0, &feature, fidelity, &raw, &typed);
        assert_eq!(place.map(|(_, kind)| kind), expected);
    }

    #[test]
    fn columns_are_restored_in_their_type_or_kept() {
        let bound = Fidelity::Within(ErrorBound::Absolute(0.5));
        let numbers = || Int32Array::from(vec![1, 2, 3]);
        let texts = |cells: [&str; 3]| StringArray::from(cells.to_vec());
        check(Fidelity::Lossless, numbers(), true, Some(Some(&DataType::Int32)));
        check(Fidelity::Lossless, numbers(), false, None);
        check(bound, numbers(), false, Some(Some(&DataType::Int32)));
        check(Fidelity::Lossless, texts(["1", "2", "30"]), true, Some(Some(&DataType::Utf8)));
        check(Fidelity::Lossless, texts(["1", "002", "30"]), true, None);
        check(bound, texts(["1", "002", "30"]), true, Some(None));
        check(bound, Decimal128Array::from(vec![1, 2]), true, None);
    }
}
