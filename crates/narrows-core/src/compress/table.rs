//! Rows of a table as samples of a compressed file.

use super::coder::{ChunkAdapter, ChunkForm, EncodedSamples};
use crate::data::{Column, Table};
use crate::error::Result;
use crate::fitted::{Core, TableAdapter};
use crate::prep::BlockKind;

impl ChunkAdapter for TableAdapter {
    fn columns(&self) -> Vec<&Column> {
        self.schema.columns.iter().collect()
    }

    fn encoded(&self, core: &Core, _table: &Table, typed: &Table) -> Result<EncodedSamples> {
        Ok(EncodedSamples { codes: core.codes(&self.pipeline.transform(typed)?), levels: Vec::new() })
    }

    fn n_samples(&self, form: &ChunkForm) -> usize {
        form.rows
    }

    fn form(&self, _skeleton: &Table, rows: usize) -> Result<ChunkForm> {
        Ok(ChunkForm { rows, set: None })
    }

    fn expected(&self, form: &ChunkForm, mut outputs: Vec<f32>, _levels: &[f32]) -> Result<Table> {
        observe(self, &mut outputs);
        self.pipeline.inverse_table(&outputs, form.rows)
    }
}

/// Missing cells are stored separately from the code, so the network's prediction of them is ignored.
fn observe(adapter: &TableAdapter, output: &mut [f32]) {
    let width = adapter.pipeline.width();
    for block in adapter.pipeline.blocks().iter().filter(|block| block.kind == BlockKind::Missing) {
        output.chunks_exact_mut(width).for_each(|row| row[block.range.clone()].fill(0.0));
    }
}
