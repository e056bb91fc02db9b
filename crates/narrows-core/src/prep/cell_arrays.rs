//! Cells of many rows as columns, and columns of cells as arrays.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray, TimestampMicrosecondArray};

use super::cell::Cell;
use crate::data::ColumnKind;

/// The cells of rows of `n` columns, by column.
pub(super) fn by_column(rows: Vec<Vec<Cell>>, n: usize) -> Vec<Vec<Cell>> {
    let mut columns: Vec<Vec<Cell>> = (0..n).map(|_| Vec::with_capacity(rows.len())).collect();
    rows.into_iter().for_each(|row| columns.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell)));
    columns
}

/// Dates as points in time; other cells are missing.
pub(super) fn instants(cells: impl Iterator<Item = Cell>) -> ArrayRef {
    let instant = |cell| if let Cell::Instant(t) = cell { Some(t) } else { None };
    Arc::new(cells.map(instant).collect::<TimestampMicrosecondArray>())
}

/// Cells of a kind; dates as text of their parts.
pub(super) fn array_of(kind: ColumnKind, cells: impl Iterator<Item = Cell>) -> ArrayRef {
    match kind {
        ColumnKind::Numeric => Arc::new(
            cells.map(|cell| if let Cell::Number(x) = cell { Some(x) } else { None }).collect::<Float64Array>(),
        ),
        ColumnKind::Boolean => Arc::new(
            cells.map(|cell| if let Cell::Flag(flag) = cell { Some(flag) } else { None }).collect::<BooleanArray>(),
        ),
        _ => Arc::new(
            cells
                .map(|cell| if let Cell::Missing = cell { None } else { Some(cell.to_string()) })
                .collect::<StringArray>(),
        ),
    }
}
