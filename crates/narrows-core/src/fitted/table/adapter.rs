//! Tables: a sample is a row, a feature a column.

use rayon::prelude::*;

use crate::compute::Compute;
use crate::data::{Conformed, Schema, Table, Unreadable};
use crate::detect::residual::Slots;
use crate::detect::{Direction, Reason, explain};
use crate::error::Result;
use crate::fitted::invariants::{Evidence, Invariants};
use crate::prep::{Cell, Grain, Pipeline, Prepared};

/// Converts rows of a table to samples.
#[derive(Debug, Clone, PartialEq)]
pub struct TableAdapter {
    /// The feature columns.
    pub(crate) schema: Schema,
    pub(crate) pipeline: Pipeline,
    /// Range and decimals of the numeric columns; empty in files before format 4.
    pub(crate) grains: Vec<Option<Grain>>,
    /// What all training rows kept; `None` in encoders, and in files before format 5, whose scores do not rest on what
    /// was observed either.
    pub(crate) invariants: Option<Invariants>,
}

/// Rows as typed columns and in prepared units.
pub(crate) struct PreparedRows {
    pub(crate) typed: Table,
    pub(crate) prepared: Prepared,
    /// Columns unknown to the model.
    pub(crate) extra_columns: Vec<String>,
    /// Cells that are not written as in their column.
    pub(crate) unreadable: Vec<Unreadable>,
}

impl TableAdapter {
    /// Raw rows as typed columns and in prepared units.
    pub(crate) fn prepare(&self, table: &Table) -> Result<PreparedRows> {
        let (typed, conformed) = crate::data::conform(table.clone(), &self.schema)?;
        let prepared = self.pipeline.transform(&typed)?;
        let Conformed { extra, unreadable } = conformed;
        Ok(PreparedRows { typed, prepared, extra_columns: extra, unreadable })
    }

    /// What the rows of a table, also given as typed columns, say of the invariants.
    pub(crate) fn evidence(&self, table: &Table, typed: &Table) -> Evidence {
        let of = |invariants: &Invariants| invariants.compared(typed, table, &self.schema);
        self.invariants.as_ref().map(of).unwrap_or_default()
    }

    /// The schema's column of each prepared value.
    pub(crate) fn slots(&self) -> Slots {
        let names = self.schema.names();
        let mut column_of = Vec::with_capacity(self.pipeline.width());
        for block in self.pipeline.blocks() {
            let column = names.iter().position(|name| *name == block.column).unwrap_or(0);
            column_of.extend(std::iter::repeat_n(column, block.range.len()));
        }
        let slots = Slots::new(column_of);
        if self.invariants.is_some() { slots.over_observed() } else { slots }
    }

    /// The `k` top contributing columns of each row, from `shares` `[n, columns]` and `expected` values, `[n, width]`.
    pub(crate) fn reasons(
        &self,
        samples: &PreparedRows,
        shares: &[f64],
        expected: &[f32],
        k: usize,
        compute: &Compute,
    ) -> Vec<Vec<Reason>> {
        let columns = self.schema.columns.len();
        let width = samples.prepared.width;
        let one = |row: usize| {
            let shares = &shares[row * columns..(row + 1) * columns];
            let expected = self.pipeline.inverse(&expected[row * width..(row + 1) * width]);
            let got = self.pipeline.original(&samples.typed, row);
            explain::top_k(shares, k)
                .into_iter()
                .map(|column| {
                    let name = &self.schema.columns[column].name;
                    let expected = cell(&expected, name);
                    let got = cell(&got, name);
                    Reason {
                        column: name.clone(),
                        share: shares[column],
                        direction: direction(&expected, &got),
                        expected: expected.to_string(),
                        got: got.to_string(),
                    }
                })
                .collect()
        };
        compute.install(|| (0..samples.prepared.n).into_par_iter().map(one).collect())
    }
}

fn cell(cells: &[(String, Cell)], column: &str) -> Cell {
    cells.iter().find(|(name, _)| name == column).map_or(Cell::Missing, |(_, cell)| cell.clone())
}

fn direction(expected: &Cell, got: &Cell) -> Direction {
    match (expected, got) {
        (Cell::Number(expected), Cell::Number(got)) if got > expected => Direction::Above,
        (Cell::Number(expected), Cell::Number(got)) if got < expected => Direction::Below,
        _ => Direction::Other,
    }
}
