//! Which dates of a table come after which, where dates are encoded for generation.

use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;

use super::instant::orders;
use super::{Prep, Scaling};
use crate::data::{Column, ColumnKind, Schema, Table};

/// For each of these columns the datetime column that it never comes before, where dates are encoded for generation.
pub(super) fn base_dates(table: &Table, chosen: &Schema, rows: &[u32], prep: &Prep) -> Vec<Option<String>> {
    let mut after = vec![None; chosen.columns.len()];
    if prep.scaling != Scaling::Shape {
        return after;
    }
    let mut places = Vec::new();
    let mut dates = Vec::new();
    for (i, Column { name, kind, .. }) in chosen.columns.iter().enumerate() {
        let array = table.column(name).and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
        if let (ColumnKind::Datetime, Some(array)) = (kind, array) {
            places.push(i);
            dates.push((name.as_str(), array));
        }
    }
    for (i, base) in places.iter().zip(orders(&dates, rows)) {
        after[*i] = base.map(|base| dates[base].0.to_owned());
    }
    after
}
