//! The inputs of a graph for given data, as a runtime takes them.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType};

use super::OnnxInputs;
use super::cells::{MICROS, input_names};
use super::table::{OUTPUTS, columns_read};
use crate::data::{CellValue, CellValues, Column, ColumnKind, Table};
use crate::error::Result;
use crate::fitted::{Constant, TableAdapter};

/// A content that no constant has: a cell that is not written as in its column.
const FOREIGN: f64 = f64::INFINITY;

/// The values of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxFeed {
    /// The input's name.
    pub name: String,
    /// The dimensions.
    pub shape: Vec<usize>,
    /// The values, row-major.
    pub values: OnnxValues,
}

/// Values of an input.
#[derive(Debug, Clone, PartialEq)]
pub enum OnnxValues {
    /// 32-bit numbers.
    Floats(Vec<f32>),
    /// 64-bit numbers.
    Doubles(Vec<f64>),
    /// Texts.
    Texts(Vec<String>),
}

/// The inputs of the graph of a model of tables, or of its encoder.
pub(super) fn rows(adapter: &TableAdapter, table: &Table, inputs: OnnxInputs) -> Result<Vec<OnnxFeed>> {
    let rows = adapter.prepare(table)?;
    if inputs == OnnxInputs::Matrix {
        let shape = vec![rows.prepared.n, rows.prepared.width];
        let values = OnnxValues::Floats(rows.prepared.target);
        return Ok(vec![OnnxFeed { name: "rows".to_owned(), shape, values }]);
    }
    let (typed, n) = (&rows.typed, rows.prepared.n);
    let read = columns_read(adapter);
    let values = |column: &Column| match typed.column(&column.name) {
        Some(array) if adapter.schema.get(&column.name).is_some() => of_typed(column, array),
        _ => {
            let constant = adapter.invariants.as_ref().and_then(|invariants| invariants.constant(&column.name));
            compared(column, constant, table, n)
        }
    };
    let feed = |(column, name): (&Column, String)| OnnxFeed { name, shape: vec![n, 1], values: values(column) };
    Ok(read.columns.iter().zip(input_names(&read, &OUTPUTS)).map(feed).collect())
}

/// The cells of a typed column.
fn of_typed(column: &Column, array: &arrow::array::ArrayRef) -> OnnxValues {
    let known = |row: usize| array.is_valid(row);
    let numbers = |of: &dyn Fn(usize) -> f64| {
        OnnxValues::Doubles((0..array.len()).map(|row| if known(row) { of(row) } else { f64::NAN }).collect())
    };
    match column.kind {
        ColumnKind::Numeric => {
            let cells = array.as_primitive::<Float64Type>();
            numbers(&|row| cells.value(row))
        }
        ColumnKind::Boolean => {
            let cells = array.as_boolean();
            numbers(&|row| f64::from(u8::from(cells.value(row))))
        }
        ColumnKind::Datetime => {
            let cells = array.as_primitive::<TimestampMicrosecondType>();
            numbers(&|row| cells.value(row) as f64 / MICROS)
        }
        ColumnKind::Category | ColumnKind::Text => {
            let cells = array.as_string::<i32>();
            let word = |row: usize| if known(row) { cells.value(row).to_owned() } else { String::new() };
            OnnxValues::Texts((0..array.len()).map(word).collect())
        }
    }
}

/// The cells of a column that is only compared; one that the table lacks is as it always was.
fn compared(column: &Column, constant: Option<&Constant>, table: &Table, n: usize) -> OnnxValues {
    let cells = table.column(&column.name).map(|array| CellValues::of(column, array));
    let at = |row: usize| match &cells {
        Some(cells) => cells.get(row),
        None => constant.and_then(Constant::value).cloned(),
    };
    match column.kind {
        ColumnKind::Category | ColumnKind::Text => {
            OnnxValues::Texts((0..n).map(|row| at(row).map_or_else(String::new, |cell| cell.to_string())).collect())
        }
        ColumnKind::Numeric | ColumnKind::Boolean | ColumnKind::Datetime => {
            let number = |row: usize| match at(row) {
                None => f64::NAN,
                Some(CellValue::Number(x)) if column.kind == ColumnKind::Numeric => x,
                Some(CellValue::Flag(flag)) if column.kind == ColumnKind::Boolean => f64::from(u8::from(flag)),
                Some(CellValue::Moment(t)) if column.kind == ColumnKind::Datetime => t as f64 / MICROS,
                Some(_) => FOREIGN,
            };
            OnnxValues::Doubles((0..n).map(number).collect())
        }
    }
}
