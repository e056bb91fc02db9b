//! What a fit makes of columns that never change, and of rows without any value.

use arrow::array::ArrayRef;

use super::invariants::{Candidate, Invariants, LearntInvariants, unseen};
use super::selection::{ColumnSelection, FEWEST_ROWS};
use super::split::Split;
use crate::data::{CellValues, Column, DropReason, Schema, Table};
use crate::error::{Error, Place, Result};
use crate::train::Observer;

/// Told if there is nothing for a network to learn from.
pub(super) const NOTHING_VARIES: &str =
    "no column varies: rows are compared with what never changed, and with nothing else";

/// A column that never changes in normal rows.
pub(super) struct Unchanging {
    pub(super) column: Column,
    /// Constant or empty.
    pub(super) reason: DropReason,
}

impl ColumnSelection {
    /// Leaves out rows of which no column has a value: they neither train nor calibrate. Returns their number.
    ///
    /// # Errors
    /// [`Error::Data`] if few are left.
    pub(super) fn leave_out_empty(&mut self) -> Result<u64> {
        let mut empty = unseen(&self.table, &self.schema);
        for Unchanging { column, .. } in &self.unchanging {
            let Some(array) = self.raw.column(&column.name).filter(|_| !empty.is_empty()) else { continue };
            let cells = CellValues::of(column, array);
            empty.retain(|row| cells.get(*row as usize).is_none());
        }
        let left_out = without(&mut self.normal, &empty);
        if left_out > 0 && self.normal.len() < FEWEST_ROWS {
            let message = format!("expected at least {FEWEST_ROWS} rows with values to fit, got {}", self.normal.len());
            return Err(Error::data(Place::source(self.table.source()), message));
        }
        Ok(left_out)
    }

    /// Leaves out rows of which the network sees nothing. Returns their number.
    ///
    /// # Errors
    /// [`Error::Data`] if none are left to train, or to calibrate.
    pub(super) fn leave_out_unseen(&mut self, split: &mut Split) -> Result<u64> {
        let unseen = unseen(&self.table, &self.schema);
        let left_out = without(&mut self.normal, &unseen);
        for part in [&mut split.train, &mut split.validation, &mut split.calibration] {
            without(part, &unseen);
        }
        if split.train.is_empty() || split.calibration.is_empty() {
            let (train, calibration) = (split.train.len(), split.calibration.len());
            let message = format!(
                "expected rows with values to train and to calibrate, got {train} and {calibration}: the others are empty"
            );
            return Err(Error::data(Place::source(self.table.source()), message));
        }
        Ok(left_out)
    }

    /// What these rows keep in all columns that may be features.
    pub(super) fn invariants(&self, rows: &[u32]) -> LearntInvariants {
        let features = self.schema.columns.iter();
        let features = features.filter_map(|column| Some((column, self.table.column(&column.name)?)));
        let others = self.unchanged().filter(|(column, _)| self.schema.get(&column.name).is_none());
        LearntInvariants::of(&candidates(features.chain(others)), rows)
    }

    /// What these rows keep in the columns that never change. In series neither steps and channels, which take any value in
    /// between, nor their missing cells are compared.
    pub(super) fn constants(&self, rows: &[u32]) -> LearntInvariants {
        LearntInvariants::of(&candidates(self.unchanged()), rows).without_complete()
    }

    fn unchanged(&self) -> impl Iterator<Item = (&Column, &ArrayRef)> {
        let columns = self.unchanging.iter().map(|unchanging| &unchanging.column);
        columns.filter_map(|column| Some((column, self.raw.column(&column.name)?)))
    }

    /// Leaves to the network only what varies in the rows that were learnt from; if nothing does, all of it.
    ///
    /// # Errors
    /// [`Error::Data`] if every column is empty there.
    pub(super) fn keep_what_varies(&mut self, learnt: &LearntInvariants, observer: &dyn Observer) -> Result<()> {
        let (same, varied): (Vec<Column>, Vec<Column>) =
            self.schema.columns.iter().cloned().partition(|column| learnt.is_same(&column.name));
        let (empty, constant): (Vec<Column>, Vec<Column>) =
            same.into_iter().partition(|column| learnt.is_empty(&column.name));
        let (kept, gone) = match varied.is_empty() {
            true => (constant, empty),
            false => (varied, constant.into_iter().chain(empty).collect()),
        };
        if kept.is_empty() {
            let message = "no column is left to learn from: all cells of the rows that train are missing";
            return Err(Error::data(Place::source(self.table.source()), message));
        }
        if !self.nothing_varies && kept.iter().all(|column| learnt.is_same(&column.name)) {
            self.nothing_varies = true;
            self.note(vec![NOTHING_VARIES.to_owned()], observer);
        }
        let mut raw: Vec<(String, ArrayRef)> = self
            .raw
            .names()
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.raw.column(name)?.clone())))
            .collect();
        for column in gone {
            let array = self.table.expect_column(&column.name)?.clone();
            raw.push((column.name.clone(), array));
            let reason = if learnt.is_empty(&column.name) { DropReason::AllMissing } else { DropReason::Constant };
            self.unchanging.push(Unchanging { column, reason });
        }
        self.raw = Table::from_arrays(raw, self.table.source())?;
        self.schema = Schema { columns: kept };
        Ok(())
    }

    /// The invariants, once it is known which scores of held-out rows are ordinary.
    pub(super) fn calibrated(&self, learnt: LearntInvariants, ordinary: &[f64]) -> Invariants {
        let invariants = learnt.calibrated(ordinary);
        if self.nothing_varies { invariants.alone() } else { invariants }
    }
}

fn candidates<'a>(columns: impl Iterator<Item = (&'a Column, &'a ArrayRef)>) -> Vec<Candidate<'a>> {
    columns.map(|(column, array)| Candidate { column, array }).collect()
}

/// The note on rows without any value.
pub(super) fn empty_note(rows: u64) -> Option<String> {
    match rows {
        0 => None,
        1 => Some("1 row without any value, which neither trains nor calibrates".to_owned()),
        rows => Some(format!("{rows} rows without any value, which neither train nor calibrate")),
    }
}

/// Removes some rows, given in ascending order; returns the number of those that were there.
fn without(rows: &mut Vec<u32>, gone: &[u32]) -> u64 {
    let before = rows.len();
    if !gone.is_empty() {
        rows.retain(|row| gone.binary_search(row).is_err());
    }
    (before - rows.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_value_are_told() {
        let mut rows = vec![1, 3, 4, 8];
        assert_eq!((without(&mut rows, &[0, 3, 8]), rows), (2, vec![1, 4]));
        let told: Vec<Option<String>> = (0..3).map(empty_note).collect();
        assert_eq!(told[0], None);
        assert_eq!(told[2].as_deref(), Some("2 rows without any value, which neither train nor calibrate"));
    }
}
