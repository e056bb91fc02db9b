//! The columns of new rows as the training file has them: all of them, in their order and types.
//!
//! The network draws the columns that it reads. Constants are repeated, missing as often as in training rows, and
//! identifiers are made anew in the form of the old ones. Text that has no form, columns that the user left out and labels
//! are not made, which the report says.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use narrows_engine::rng::{Purpose, Stream};
use serde::{Deserialize, Serialize};

use crate::data::{CellFormat, Column, ColumnKind, DropReason, Dropped, IdentifierForm, Schema, Spelling, Table};
use crate::error::Result;

/// Stream of [`Purpose::Sample`] for columns beside the network's.
const BESIDE: u64 = 3;
/// Rows that the share of missing cells of a constant is taken from.
const LOOKED_AT: usize = 10_000;
/// Most different codes that are drawn from those seen.
const MOST_CODES: usize = 10_000;

/// The columns of new rows, in file order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RowForm {
    columns: Vec<FormColumn>,
}

/// One column of new rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormColumn {
    name: String,
    spelling: Spelling,
    origin: CellOrigin,
}

/// Where the cells of a column come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CellOrigin {
    /// The network.
    Drawn,
    /// The only content, as text, with the share of missing cells; no content if all are missing.
    Constant { content: Option<String>, missing: f64 },
    /// New identifiers, with the share of missing cells.
    Identifier { form: IdentifierForm, missing: f64 },
    /// Codes of training rows, as often as there, with the number of rows.
    Codes { codes: Vec<(String, u64)>, missing: u64 },
}

/// The columns of a table as read, before it is known what the network reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowSketch {
    columns: Vec<(FormColumn, Option<Dropped>)>,
}

impl RowSketch {
    /// Of the columns of a table as read; `dropped` are no features, and `wanted` says which columns rows consist of.
    pub(crate) fn of(
        table: &Table,
        schema: &Schema,
        rows: &[u32],
        dropped: &[Dropped],
        wanted: impl Fn(&str) -> bool,
    ) -> Result<RowSketch> {
        let mut columns = Vec::new();
        for column in schema.columns.iter().filter(|column| wanted(&column.name)) {
            let array = table.expect_column(&column.name)?;
            let reason = dropped.iter().find(|dropped| dropped.column == column.name).map(|dropped| dropped.reason);
            let origin = match reason {
                None | Some(DropReason::Constant | DropReason::AllMissing) => Some(constant(column, array, rows)),
                Some(DropReason::Identifier) => identifier(column, array),
                Some(DropReason::TooManyLevels | DropReason::FreeText) => codes(column, array, rows),
                Some(DropReason::AsAsked | DropReason::NotNumeric) => None,
            };
            let left_out = match (&origin, reason) {
                (None, Some(reason)) => Some(Dropped { column: column.name.clone(), reason }),
                _ => None,
            };
            let spelling = Spelling::of(column, array);
            let origin = origin.unwrap_or(CellOrigin::Drawn);
            columns.push((FormColumn { name: column.name.clone(), spelling, origin }, left_out));
        }
        Ok(RowSketch { columns })
    }

    /// The form, and the columns that are not made; `read` are the columns of the network.
    pub(crate) fn form(&self, read: &Schema) -> (RowForm, Vec<Dropped>) {
        let (mut columns, mut left_out) = (Vec::new(), Vec::new());
        for (column, dropped) in &self.columns {
            match dropped {
                _ if read.get(&column.name).is_some() => {
                    columns.push(FormColumn { origin: CellOrigin::Drawn, ..column.clone() });
                }
                Some(dropped) => left_out.push(dropped.clone()),
                None => columns.push(column.clone()),
            }
        }
        (RowForm { columns }, left_out)
    }
}

impl RowForm {
    /// Drawn rows, the first of which is number `first` of the sequence given by `seed`, with all columns.
    ///
    /// # Errors
    /// If columns do not make a table.
    pub(crate) fn completed(&self, drawn: &Table, first: u64, seed: u64) -> Result<Table> {
        let n = drawn.n_rows();
        let mut columns: Vec<(String, ArrayRef)> = Vec::with_capacity(self.columns.len());
        for (place, column) in self.columns.iter().enumerate() {
            let array = match (&column.origin, drawn.column(&column.name)) {
                (_, Some(array)) => column.spelling.written(array),
                (CellOrigin::Drawn, None) => continue,
                (origin, None) => {
                    let cells: StringArray = (first..first + n as u64).map(|row| origin.at(row, place, seed)).collect();
                    column.spelled(cells)
                }
            };
            columns.push((column.name.clone(), array));
        }
        Table::from_arrays(columns, drawn.source())
    }

    /// The same rows with the network's columns alone, as the file writes them.
    ///
    /// # Errors
    /// If columns do not make a table.
    pub(crate) fn spelled(&self, drawn: &Table) -> Result<Table> {
        let spelling = |name: &str| self.columns.iter().find(|column| column.name == name).map(|c| &c.spelling);
        let column = |name: &str| {
            let array = drawn.expect_column(name)?;
            Ok((name.to_owned(), spelling(name).map_or_else(|| array.clone(), |spelling| spelling.written(array))))
        };
        Table::from_arrays(drawn.names().into_iter().map(column).collect::<Result<_>>()?, drawn.source())
    }

    /// Rejects a form that does not name the columns that the network reads, each once; for forms read from a file.
    pub(crate) fn is_sound(&self, read: &Schema) -> bool {
        let mut names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.sort_unstable();
        let is_once = names.windows(2).all(|pair| pair[0] != pair[1]);
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let is_sound = |column: &FormColumn| match &column.origin {
            CellOrigin::Drawn => read.get(&column.name).is_some(),
            CellOrigin::Constant { missing, .. } => is_share(*missing),
            CellOrigin::Identifier { form, missing } => form.is_sound() && is_share(*missing),
            CellOrigin::Codes { codes, missing } => {
                let rows = codes.iter().try_fold(*missing, |sum, (_, rows)| sum.checked_add(*rows));
                rows.is_some_and(|rows| rows > 0)
            }
        };
        let is_whole = read.columns.iter().all(|column| names.binary_search(&column.name.as_str()).is_ok());
        is_once && is_whole && self.columns.iter().all(is_sound)
    }
}

impl CellOrigin {
    /// The cell of a row, as text.
    fn at(&self, row: u64, place: usize, seed: u64) -> Option<String> {
        let mut stream = Stream::new(seed, Purpose::Sample, BESIDE + place as u64, row);
        let is_there = |missing: f64, stream: &mut Stream| f64::from(stream.uniform()) >= missing;
        match self {
            CellOrigin::Drawn => None,
            CellOrigin::Constant { content, missing } => content.clone().filter(|_| is_there(*missing, &mut stream)),
            CellOrigin::Identifier { form, missing } => is_there(*missing, &mut stream).then(|| form.at(row, seed)),
            CellOrigin::Codes { codes, missing } => {
                let rows: u64 = codes.iter().map(|(_, rows)| rows).sum();
                let mut left = f64::from(stream.uniform()) * (rows + missing) as f64;
                let drawn = codes.iter().find(|(_, rows)| {
                    left -= *rows as f64;
                    left < 0.0
                });
                drawn.map(|(code, _)| code.clone())
            }
        }
    }
}

impl FormColumn {
    /// Cells as text, in the type of the column.
    fn spelled(&self, cells: StringArray) -> ArrayRef {
        let cells: ArrayRef = Arc::new(cells);
        match &self.spelling {
            Spelling::Typed(_) => self.spelling.written(&cells),
            _ => cells,
        }
    }
}

/// The first content of these rows, which is the only one if the column turns out never to change.
fn constant(column: &Column, array: &ArrayRef, rows: &[u32]) -> CellOrigin {
    let known = |row: &&u32| is_known(column, array, **row as usize);
    let content = rows.iter().find(known).and_then(|row| text_of(&array.slice(*row as usize, 1)));
    let some = || rows.iter().step_by(rows.len().div_ceil(LOOKED_AT).max(1));
    let missing = some().filter(|row| !known(row)).count();
    CellOrigin::Constant { content, missing: missing as f64 / some().count().max(1) as f64 }
}

fn identifier(column: &Column, array: &ArrayRef) -> Option<CellOrigin> {
    let missing = (0..array.len()).filter(|row| !is_known(column, array, *row)).count();
    let form = IdentifierForm::of(array)?;
    Some(CellOrigin::Identifier { form, missing: missing as f64 / array.len().max(1) as f64 })
}

/// Codes, such as postal codes, of which there are too many to be learnt.
fn codes(column: &Column, array: &ArrayRef, rows: &[u32]) -> Option<CellOrigin> {
    let text = cast(array, &DataType::Utf8).ok()?;
    let text = text.as_string::<i32>();
    let mut counts: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    let mut missing = 0;
    for row in rows.iter().map(|row| *row as usize) {
        if is_known(column, array, row) {
            *counts.entry(text.value(row)).or_default() += 1;
            if counts.len() > MOST_CODES {
                return None;
            }
        } else {
            missing += 1;
        }
    }
    let is_code = |cell: &&str| cell.len() <= 16 && cell.bytes().any(|byte| byte.is_ascii_digit());
    // A text in every row would be given away rather than drawn.
    let is_shared = 2 * counts.len() as u64 <= counts.values().sum();
    let is_codes = column.format == Some(CellFormat::Code) || counts.keys().all(is_code);
    let codes = counts.iter().map(|(code, rows)| ((*code).to_owned(), *rows)).collect();
    (is_shared && is_codes && column.kind == ColumnKind::Text).then_some(CellOrigin::Codes { codes, missing })
}

fn is_known(column: &Column, array: &ArrayRef, row: usize) -> bool {
    let is_word = |text: &StringArray| column.is_missing(text.value(row).trim());
    array.is_valid(row) && !array.as_string_opt::<i32>().is_some_and(is_word)
}

fn text_of(cell: &ArrayRef) -> Option<String> {
    let text = cast(cell, &DataType::Utf8).ok()?;
    text.as_string::<i32>().iter().next().flatten().map(str::to_owned)
}
