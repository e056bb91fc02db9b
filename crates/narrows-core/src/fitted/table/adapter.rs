//! Tables: a sample is a row, a feature a column.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::data::{Conformed, Schema, Table, Unreadable};
use crate::detect::residual::Slots;
use crate::detect::{Direction, Reason, explain};
use crate::error::Result;
use crate::fitted::generation::RowForm;
use crate::fitted::invariants::{Evidence, Invariants};
use crate::fitted::scoring::{Scorer, Yardstick};
use crate::prep::{Cell, Grain, Pipeline, Prepared, ResidualNoise, Spreads};

/// Converts rows of a table to samples.
#[derive(Debug, Clone, PartialEq)]
pub struct TableAdapter {
    /// The feature columns.
    pub(crate) schema: Schema,
    pub(crate) pipeline: Pipeline,
    /// Range and decimals of the numeric columns; empty in files before format 4.
    pub(crate) grains: Vec<Option<Grain>>,
    /// The noise of decoded numbers, if they are encoded for generation.
    pub(crate) noise: Option<ResidualNoise>,
    /// The columns of new rows; `None` in encoders and in files of older versions, whose rows have the schema's columns.
    pub(crate) form: Option<RowForm>,
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

    /// The `k` columns of each row that are farthest from what is expected of them, given the `shares` of the columns
    /// in the score, `[n, columns]`.
    pub(crate) fn reasons(
        &self,
        scorer: &Scorer,
        samples: &PreparedRows,
        shares: &[f64],
        k: usize,
    ) -> Vec<Vec<Reason>> {
        let (columns, width) = (self.schema.columns.len(), samples.prepared.width);
        let attribution = scorer.attribution(&samples.prepared, shares, &TableYardstick::of(self));
        let one = |row: usize| {
            let shares = &attribution.shares[row * columns..(row + 1) * columns];
            let expected =
                self.pipeline.held_cells(&attribution.expected[row * width..(row + 1) * width], &self.grains);
            let got = self.pipeline.original(&samples.typed, row);
            let reason = |column: usize| {
                let name = &self.schema.columns[column].name;
                reason(name, shares[column], &cell(&expected, name), &cell(&got, name))
            };
            // What is told in the same words is as expected.
            let reasons = explain::top_k(shares, columns).into_iter().map(reason);
            reasons.filter(|reason| reason.expected != reason.got).take(k).collect()
        };
        scorer.ensemble.compute().install(|| (0..samples.prepared.n).into_par_iter().map(one).collect())
    }
}

/// Distances in units of the columns' spreads, from values that the columns can hold.
struct TableYardstick<'a> {
    adapter: &'a TableAdapter,
    spreads: Cow<'a, Spreads>,
    slots: Slots,
}

impl TableYardstick<'_> {
    fn of(adapter: &TableAdapter) -> TableYardstick<'_> {
        TableYardstick { adapter, spreads: adapter.pipeline.spreads(), slots: adapter.slots() }
    }
}

impl Yardstick for TableYardstick<'_> {
    fn measure(&self, target: &[f32], expected: &mut [f32], distances: &mut [f64]) {
        self.adapter.pipeline.hold(expected, &self.adapter.grains);
        distances.fill(0.0);
        for block in self.adapter.pipeline.blocks() {
            distances[self.slots.column(block.range.start)] += self.spreads.distance(block, target, expected);
        }
    }
}

fn cell(cells: &[(String, Cell)], column: &str) -> Cell {
    cells.iter().find(|(name, _)| name == column).map_or(Cell::Missing, |(_, cell)| cell.clone())
}

fn reason(column: &str, share: f64, expected: &Cell, got: &Cell) -> Reason {
    let (told, is) = (expected.to_string(), got.to_string());
    match (expected, got) {
        // Told to more digits where the usual ones do not tell them apart.
        (Cell::Number(expected), Cell::Number(got)) if told == is => Reason::number(column, share, *expected, *got),
        (Cell::Number(expected), Cell::Number(got)) => {
            let direction = if got > expected { Direction::Above } else { Direction::Below };
            Reason { column: column.to_owned(), share, expected: told, got: is, direction }
        }
        _ => Reason::category(column, share, told, is),
    }
}
