//! The rows that a fit or a search uses: all of them, or of more than it takes a sample, read in bounded memory.

use narrows_core::data::{DataSummary, RowKey, RowSample, Source, Table};
use narrows_core::recipe::Data;
use narrows_core::{Passes, Recipe, Roles};

use crate::failure::Failure;
use crate::pipeline::{self, BATCH_ROWS};
use crate::reading::Reading;
use crate::talk::Talk;

/// The rows of a source, read anew for each round.
pub(crate) struct SourcePasses<'a>(pub(crate) &'a Source);

impl Passes for SourcePasses<'_> {
    fn pass(&self, each: &mut dyn FnMut(&Table) -> narrows_core::Result<()>) -> narrows_core::Result<()> {
        self.0.open(BATCH_ROWS, None)?.try_for_each(|table| each(&table?))
    }
}

/// Reads what `recipe` is fitted to. Points of series are never sampled.
pub(crate) fn read(source: &Source, recipe: &Recipe, roles: &Roles, talk: Talk) -> Result<Table, Failure> {
    if !matches!(recipe.data, Data::Table) {
        return pipeline::read_whole(source, talk);
    }
    let mut reader = pipeline::opened(source, talk)?;
    let sample = RowSample { rows: recipe.train.sample_rows, seed: recipe.seed };
    let mut summary = DataSummary::new(sample, RowKey::of(roles.sample_key.clone()));
    let mut reading = Reading::new(talk);
    summary.read(&mut reader, |rows, share| reading.add(rows, share))?;
    reading.finish();
    pipeline::tell_read(&reader, talk);
    // Without rows, the fit says what it lacks.
    if summary.n_rows() == 0 { Ok(reader.empty()) } else { Ok(summary.into_table()?) }
}
