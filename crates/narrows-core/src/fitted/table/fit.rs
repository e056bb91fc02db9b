//! Fit to the rows of a table: prepare, learn, assemble.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use super::TableModel;
use super::adapter::TableAdapter;
use super::{order, summary};
use crate::codec::Span;
use crate::data::{Column, Table};
use crate::error::Result;
use crate::fitted::assemble::{Assembly, assemble};
use crate::fitted::learning::{TrainingData, learn};
use crate::fitted::roles::Roles;
use crate::fitted::scoring::Scorer;
use crate::fitted::selection::{ColumnSelection, FeatureFilter};
use crate::fitted::session::Session;
use crate::fitted::split::{Split, SplitPurpose};
use crate::fitted::trial::TrialData;
use crate::model::Shape;
use crate::prep::{Pipeline, PrepReport, Prepared};
use crate::recipe::Recipe;
use crate::train::Observer;

/// A table with rows prepared for training.
struct PreparedTable {
    selection: ColumnSelection,
    split: Split,
    adapter: TableAdapter,
    prep: PrepReport,
    prepared: Prepared,
}

fn prepare(
    recipe: &Recipe,
    table: Table,
    roles: &Roles,
    purpose: SplitPurpose,
    observer: &dyn Observer,
) -> Result<PreparedTable> {
    let mut selection = ColumnSelection::choose(table, roles, FeatureFilter::Any, Vec::new(), observer)?;
    selection.note(order::notes(&selection.table, &selection.schema), observer);
    let split = Split::for_purpose(&selection.normal, recipe, purpose);
    let features: Vec<String> = selection.schema.names().into_iter().map(str::to_owned).collect();
    let (pipeline, prep) = Pipeline::fit(&selection.table, &selection.schema, &features, &split.train, &recipe.prep)?;
    let prepared = pipeline.transform(&selection.table)?;
    let adapter = TableAdapter { schema: selection.schema.clone(), pipeline, grains: Vec::new() };
    Ok(PreparedTable { selection, split, adapter, prep, prepared })
}

/// The samples that the trials of a search train on.
pub(in crate::fitted) fn trial_data(
    recipe: &Recipe,
    table: Table,
    roles: &Roles,
    observer: &dyn Observer,
) -> Result<TrialData> {
    let PreparedTable { split, adapter, prepared, .. } = prepare(recipe, table, roles, SplitPurpose::Search, observer)?;
    Ok(TrialData::of_rows(prepared, split, adapter.pipeline.blocks().to_vec(), Shape::Row))
}

pub(in crate::fitted) fn fit(
    recipe: &Recipe,
    table: Table,
    roles: &Roles,
    session: &Session<'_>,
) -> Result<TableModel> {
    let PreparedTable { selection, split, mut adapter, prep, prepared } =
        prepare(recipe, table, roles, SplitPurpose::Fit, session.observer)?;

    let blocks = adapter.pipeline.blocks();
    let data = TrainingData::of(recipe, &prepared, &split, blocks, adapter.slots(), Shape::Row);
    let trained = learn(recipe, data, session)?;
    let noise = residual_deviation(&trained.scorer, &prepared.take(&split.calibration));
    adapter.grains = adapter.pipeline.grains(&selection.table, &split.train, &noise)?;
    let anomalous_scores = trained.scorer.score(&prepared.take(&selection.anomalous));
    let threshold = trained.sample_threshold(&prepared, &split, &anomalous_scores)?;

    let assembly = Assembly {
        adapter,
        trained,
        threshold,
        stream_threshold: None,
        prepared: &prepared,
        split: &split,
        normal: &selection.normal,
        anomalous: &selection.anomalous,
        anomalous_scores: &anomalous_scores,
        spans: spans(&selection, &split),
    };
    assemble(assembly, session, |inputs, held_out, adapter| {
        Ok(summary::describe(inputs, held_out, &selection, adapter, &prep))
    })
}

/// The standard deviation of the first member's residual of each prepared value, `[width]`.
fn residual_deviation(scorer: &Scorer, rows: &Prepared) -> Vec<f32> {
    let output = scorer.ensemble.decode(&scorer.ensemble.codes(&rows.input));
    let (mut squares, mut seen) = (vec![0.0_f64; rows.width], vec![0.0_f64; rows.width]);
    for (target, output) in rows.target.chunks_exact(rows.width).zip(output.chunks_exact(rows.width)) {
        for (i, (t, o)) in target.iter().zip(output).enumerate().filter(|(_, (t, _))| !t.is_nan()) {
            squares[i] += f64::from(t - o).powi(2);
            seen[i] += 1.0;
        }
    }
    squares.iter().zip(&seen).map(|(sum, seen)| (sum / seen.max(1.0)).sqrt() as f32).collect()
}

/// The range of each numeric column in the training rows.
fn spans(input: &ColumnSelection, split: &Split) -> Vec<Option<Span>> {
    let of_column = |column: &Column| {
        let numbers = input.table.column(&column.name)?.as_primitive_opt::<Float64Type>()?;
        let trained = split.train.iter().map(|row| *row as usize).filter(|row| numbers.is_valid(*row));
        Span::of(trained.map(|row| numbers.value(row)))
    };
    input.schema.columns.iter().map(of_column).collect()
}
