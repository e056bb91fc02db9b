//! Rows to codes, and codes to what is expected of rows: one interface for tables, rows that are series, and points.

use std::sync::Arc;

use crate::codec::{Coding, Span};
use crate::data::{Column, ColumnKind, SeriesSet, Table};
use crate::error::Result;
use crate::fitted::{Core, TabularAdapter, TabularKind, TabularModel};

/// What a kind of data brings to the compression of its rows.
pub(super) trait ChunkAdapter: TabularAdapter {
    /// The columns that the model reconstructs, in its own order.
    fn columns(&self) -> Vec<&Column>;

    /// The codes of raw rows, which are there as typed columns, too.
    fn encoded(&self, core: &Core, table: &Table, typed: &Table) -> Result<EncodedSamples>;

    /// Samples that rows of this form are cut into.
    fn n_samples(&self, form: &ChunkForm) -> usize;

    /// The form of rows of which everything is known but the values: kept columns, and which cells are missing.
    fn form(&self, skeleton: &Table, rows: usize) -> Result<ChunkForm>;

    /// The reconstruction of rows of this form from decoded outputs: the columns, typed.
    fn expected(&self, form: &ChunkForm, outputs: Vec<f32>, levels: &[f32]) -> Result<Table>;

    /// Numbers that are stored of a window's levels.
    fn n_levels(&self) -> usize {
        0
    }

    /// The steps that a window's levels are rounded to, from a base step, one a number.
    fn level_steps(&self, _base: f64) -> Vec<f64> {
        Vec::new()
    }

    /// The rows one series after the other; none where rows do not follow each other in time.
    fn order(&self, _form: &ChunkForm) -> Option<Vec<u32>> {
        None
    }

    /// Refuses what a code alone cannot bring back.
    fn check_code_alone(&self) -> Result<()> {
        Ok(())
    }
}

/// A model of tables or series, and what a chunk of rows becomes in it.
#[derive(Clone)]
pub(super) struct ChunkCoder {
    pub(super) core: Arc<Core>,
    pub(super) adapter: Arc<dyn ChunkAdapter>,
}

/// What is stored of a chunk's samples.
pub(super) struct EncodedSamples {
    /// `[samples, code_size]`
    pub(super) codes: Vec<f32>,
    /// `[samples, levels]`: what was taken from each channel of a window.
    pub(super) levels: Vec<f32>,
}

/// A column that the model reconstructs.
pub(super) struct Feature<'a> {
    pub(super) column: &'a Column,
    pub(super) span: Option<Span>,
}

/// Of rows: how many, and how they lie in time.
pub(super) struct ChunkForm {
    pub(super) rows: usize,
    pub(super) set: Option<SeriesSet>,
}

impl ChunkCoder {
    /// The coder of a model.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] where the model was fitted by a version that did not compress.
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
        // The steps of a row that is a series share the range of its only channel.
        let span = |i: usize| spans.get(i % spans.len().max(1)).copied().flatten();
        let columns = self.adapter.columns().into_iter().enumerate();
        columns.map(|(i, column)| Feature { column, span: span(i) }).collect()
    }

    /// Values that a row takes: its cells and its code.
    pub(super) fn width(&self) -> usize {
        self.adapter.columns().len() + self.core.code_size()
    }

    /// The reconstruction of rows of this form from these samples: the features' columns, typed.
    pub(super) fn expected(&self, form: &ChunkForm, samples: &EncodedSamples) -> Result<Table> {
        self.adapter.expected(form, self.core.decode(&samples.codes), &samples.levels)
    }

    /// The steps that a window's levels are rounded to, one a number.
    pub(super) fn level_steps(&self, level: i32) -> Vec<f64> {
        self.adapter.level_steps(f64::from(self.coding().quantiser.output_step) * 2.0_f64.powi(level))
    }
}

/// Whether a column of this kind can be rebuilt from the code.
pub(super) fn is_rebuilt(kind: ColumnKind) -> bool {
    match kind {
        ColumnKind::Numeric | ColumnKind::Boolean | ColumnKind::Category => true,
        // Of a date the network sees its place in the day, the week and the year, not the date.
        ColumnKind::Datetime | ColumnKind::Text => false,
    }
}
