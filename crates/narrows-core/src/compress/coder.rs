//! Encoding of rows and their reconstruction from codes: one interface for tables, series in rows, and points.

use std::sync::Arc;

use crate::codec::{Coding, Span};
use crate::data::{Column, ColumnKind, SeriesSet, Table};
use crate::error::Result;
use crate::fitted::{Core, TabularAdapter, TabularKind, TabularModel};

/// An adapter for the compression of rows.
pub(super) trait ChunkAdapter: TabularAdapter {
    /// The columns that the model reconstructs, in its own order.
    fn columns(&self) -> Vec<&Column>;

    /// The codes of raw rows, which are also given as typed columns.
    fn encoded(&self, core: &Core, table: &Table, typed: &Table) -> Result<EncodedSamples>;

    /// Number of samples in rows of this form.
    fn n_samples(&self, form: &ChunkForm) -> usize;

    /// The form of rows without their values: kept columns and missing cells.
    fn form(&self, skeleton: &Table, rows: usize) -> Result<ChunkForm>;

    /// The reconstruction of rows of this form from decoded outputs: the columns, typed.
    fn expected(&self, form: &ChunkForm, outputs: Vec<f32>, levels: &[f32]) -> Result<Table>;

    /// Stored numbers per window level.
    fn n_levels(&self) -> usize {
        0
    }

    /// The quantiser steps of a window's levels, one per number, from a base step.
    fn level_steps(&self, _base: f64) -> Vec<f64> {
        Vec::new()
    }

    /// Row order with one series after the other; `None` if rows are not ordered in time.
    fn order(&self, _form: &ChunkForm) -> Option<Vec<u32>> {
        None
    }

    /// Fails if the code alone cannot reconstruct the data.
    fn check_code_alone(&self) -> Result<()> {
        Ok(())
    }
}

/// A table or series model as a coder of chunks.
#[derive(Clone)]
pub(super) struct ChunkCoder {
    pub(super) core: Arc<Core>,
    pub(super) adapter: Arc<dyn ChunkAdapter>,
}

/// The stored samples of a chunk.
pub(super) struct EncodedSamples {
    /// `[samples, code_size]`
    pub(super) codes: Vec<f32>,
    /// `[samples, levels]`: the level removed from each channel of a window.
    pub(super) levels: Vec<f32>,
}

/// A column that the model reconstructs.
pub(super) struct Feature<'a> {
    pub(super) column: &'a Column,
    pub(super) span: Option<Span>,
}

/// The form of rows: their number and order in time.
pub(super) struct ChunkForm {
    pub(super) rows: usize,
    pub(super) set: Option<SeriesSet>,
}

impl ChunkCoder {
    /// The coder of a model.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] if the model was fitted by a version without compression.
    pub(super) fn new(model: &dyn TabularModel) -> Result<ChunkCoder> {
        let kind = model.by_kind();
        let adapter: Arc<dyn ChunkAdapter> = match &kind {
            TabularKind::Table(model) => model.adapter.clone(),
            TabularKind::Series(model) => model.adapter.clone(),
        };
        let core = Arc::clone(kind.core());
        core.coding()?;
        Ok(ChunkCoder { core, adapter })
    }

    pub(super) fn coding(&self) -> &Coding {
        self.core.coding.as_ref().expect("checked when the coder was made")
    }

    /// The columns that the model reconstructs, in its own order, with their ranges in training.
    pub(super) fn features(&self) -> Vec<Feature<'_>> {
        let spans = &self.coding().spans;
        // The steps of a series in a row share the range of its only channel.
        let span = |i: usize| spans.get(i % spans.len().max(1)).copied().flatten();
        let columns = self.adapter.columns().into_iter().enumerate();
        columns.map(|(i, column)| Feature { column, span: span(i) }).collect()
    }

    /// Values per row: its cells and its code.
    pub(super) fn width(&self) -> usize {
        self.adapter.columns().len() + self.core.code_size()
    }

    /// The reconstruction of rows of this form from these samples: the features' columns, typed.
    pub(super) fn expected(&self, form: &ChunkForm, samples: &EncodedSamples) -> Result<Table> {
        self.adapter.expected(form, self.core.decode(&samples.codes), &samples.levels)
    }

    /// The quantiser steps of a window's levels, one per number.
    pub(super) fn level_steps(&self, level: i32) -> Vec<f64> {
        self.adapter.level_steps(f64::from(self.coding().quantiser.output_step) * 2.0_f64.powi(level))
    }
}

/// Whether a column of this kind can be reconstructed from the code.
pub(super) fn is_rebuilt(kind: ColumnKind) -> bool {
    match kind {
        ColumnKind::Numeric | ColumnKind::Boolean | ColumnKind::Category => true,
        // The network sees the time of day, week and year of a date, not the date.
        ColumnKind::Datetime | ColumnKind::Text => false,
    }
}
