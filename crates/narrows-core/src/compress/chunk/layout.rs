//! The layout of a chunk: its sections, and the numbers of its columns; shared by writer and reader.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use narrows_codec::Shape;

use super::super::coder::{ChunkCoder, ChunkForm, Feature};
use super::super::kept::Exception;
use super::super::manifest::{ColumnStorage, TableManifest};
use crate::codec::Lattice;
use crate::data::{ColumnKind, Table};
use crate::error::{Error, Result};

/// Number of sections of a chunk.
pub(super) const SECTIONS: usize = 10;
/// The same in version 1.
pub(super) const FIRST_SECTIONS: usize = 8;
pub(super) const CODES: usize = 0;
pub(super) const LEVELS: usize = 1;
pub(super) const GAPS: usize = 2;
pub(super) const NUMBERS: usize = 3;
pub(super) const EXCEPTIONS: usize = 4;
pub(super) const WORDS: usize = 5;
pub(super) const DICTIONARIES: usize = 6;
pub(super) const KEPT: usize = 7;
pub(super) const CORRECTIONS: usize = 8;
pub(super) const CHECK: usize = 9;
/// The sections of a chunk, by content.
pub(super) type Sections = [Vec<u8>; SECTIONS];

/// Bytes of codes, of residuals and of verbatim data; then of all numeric data.
pub(in crate::compress) fn sizes(sections: &Sections) -> [u64; 4] {
    let sum = |parts: &[usize]| parts.iter().map(|part| sections[*part].len() as u64).sum();
    [
        sum(&[CODES, LEVELS]),
        sum(&[GAPS, NUMBERS, WORDS, DICTIONARIES, CHECK]),
        sum(&[EXCEPTIONS, KEPT, CORRECTIONS]),
        sum(&[CODES, LEVELS, NUMBERS, EXCEPTIONS]),
    ]
}

/// The features that are not stored verbatim, in the order of the file's columns.
pub(super) fn of_features(places: &[ColumnStorage]) -> Vec<usize> {
    places.iter().filter_map(ColumnStorage::feature).map(|feature| feature as usize).collect()
}

/// The numbers on lattices: feature and lattice. Every such column has a lattice; readers check it.
pub(super) fn numbers(features: &[Feature<'_>], manifest: &TableManifest) -> Vec<(usize, Lattice)> {
    let number = |place: &ColumnStorage| {
        let (column, fidelity) = place.number(manifest.fidelity)?;
        Some((column, fidelity.lattice(features.get(column)?.span.as_ref()?)?))
    };
    manifest.columns.iter().filter_map(number).collect()
}

/// The rows with only kept columns and the positions of missing cells; other cells are zero, or any word.
pub(super) fn skeleton(
    coder: &ChunkCoder,
    places: &[ColumnStorage],
    table: &Table,
    rows: usize,
    gaps: &[i64],
    first_row: u64,
) -> Result<Table> {
    let features = coder.features();
    let rebuilt = of_features(places);
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for column in &coder.adapter.schema().columns {
        let at = rebuilt.iter().position(|feature| features[*feature].column.name == column.name);
        let array = match at {
            Some(i) if column.kind == ColumnKind::Numeric => {
                let cell = |row: usize| (gaps.is_empty() || gaps[row * rebuilt.len() + i] == 0).then_some(0.0);
                Arc::new((0..rows).map(cell).collect::<Float64Array>()) as ArrayRef
            }
            Some(_) => continue,
            None => table.expect_column(&column.name)?.clone(),
        };
        columns.push((column.name.clone(), array));
    }
    let skeleton = Table::from_arrays(columns, table.source())?;
    Ok(Table::new(skeleton.batch().clone(), table.source(), first_row))
}

/// The order in which numbers are written.
pub(super) struct RowOrder {
    pub(super) rows: Vec<u32>,
    /// Whether rows are consecutive in time.
    is_in_time: bool,
}

impl RowOrder {
    pub(super) fn of(coder: &ChunkCoder, form: &ChunkForm) -> RowOrder {
        match coder.adapter.order(form) {
            Some(rows) => RowOrder { rows, is_in_time: true },
            None => RowOrder { rows: (0..form.rows as u32).collect(), is_in_time: false },
        }
    }

    /// The shape of this many columns of numbers.
    pub(super) fn shape(&self, columns: usize) -> Shape {
        let rows = self.rows.len();
        if self.is_in_time { Shape::Series { points: rows, channels: columns } } else { Shape::Rows { rows, columns } }
    }
}

pub(super) fn levels_shape(coder: &ChunkCoder, places: &[i64]) -> Shape {
    let channels = coder.adapter.n_levels();
    Shape::Series { points: places.len().checked_div(channels).unwrap_or(0), channels }
}

pub(super) fn unround_levels(coder: &ChunkCoder, places: &[i64], level: i32) -> Vec<f32> {
    let steps = coder.level_steps(level);
    places.iter().enumerate().map(|(i, place)| (*place as f64 * steps[i % steps.len()]) as f32).collect()
}

/// The predicted cell indices, `[rows, numbers]` in this row order.
pub(super) fn guesses(
    features: &[Feature<'_>],
    numbers: &[(usize, Lattice)],
    order: &RowOrder,
    expected: &Table,
) -> Result<Vec<i64>> {
    let order = &order.rows;
    let mut guesses = vec![0; order.len() * numbers.len()];
    for (c, (feature, lattice)) in numbers.iter().enumerate() {
        let column = expected.expect_column(&features[*feature].column.name)?.as_primitive::<Float64Type>();
        for (i, row) in order.iter().enumerate() {
            guesses[i * numbers.len() + c] = lattice.guess(column.value(*row as usize));
        }
    }
    Ok(guesses)
}

/// The expected columns with predictions replaced by lattice numbers.
pub(super) fn rebuilt_numbers(
    features: &[Feature<'_>],
    numbers: &[(usize, Lattice)],
    order: &RowOrder,
    values: &[i64],
    exceptions: &[Exception],
    expected: &Table,
) -> Result<Table> {
    let order = &order.rows;
    let mut columns: Vec<Vec<f64>> = vec![vec![f64::NAN; order.len()]; numbers.len()];
    for (c, (_, lattice)) in numbers.iter().enumerate() {
        for (i, row) in order.iter().enumerate() {
            columns[c][*row as usize] = lattice.value(values[i * numbers.len() + c]);
        }
    }
    for Exception { place, value } in exceptions {
        let place = usize::try_from(*place).ok().filter(|place| *place < order.len() * numbers.len());
        let place = place.ok_or_else(|| Error::mismatch("a number kept by itself has no place in its chunk"))?;
        columns[place % numbers.len()][order[place / numbers.len()] as usize] = *value;
    }
    let mut columns: HashMap<&str, Vec<f64>> =
        numbers.iter().map(|(feature, _)| features[*feature].column.name.as_str()).zip(columns).collect();
    let arrays = expected.names().into_iter().map(|name| {
        let array = match columns.remove(name) {
            Some(values) => Arc::new(Float64Array::from(values)) as ArrayRef,
            None => expected.expect_column(name).expect("its own name").clone(),
        };
        (name.to_owned(), array)
    });
    Table::from_arrays(arrays.collect(), "expected")
}
