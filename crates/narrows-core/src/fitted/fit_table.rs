//! A fit to the rows of a table. It reads as the way of the data.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use super::adapter::{Adapter, TableAdapter};
use super::fit::Session;
use super::learning::{TrainedModel, TrainingData, learn, set_threshold_of_samples};
use super::roles::Roles;
use super::selection::{ColumnSelection, FeatureFilter};
use super::split::{Split, SplitPurpose};
use super::trial::TrialData;
use super::{Fitted, Scorer, generation_quality, summary};
use crate::codec::{Coding, Span};
use crate::data::{Column, Table};
use crate::error::Result;
use crate::model::Shape;
use crate::prep::{Pipeline, PrepReport, Prepared};
use crate::recipe::Recipe;
use crate::train::{Observer, TrainingEvent};
use narrows_engine::Threads;

/// A table whose rows are ready to be learnt from.
struct PreparedTable {
    input: ColumnSelection,
    split: Split,
    adapter: TableAdapter,
    prep: PrepReport,
    prepared: Prepared,
}

fn ready(
    recipe: &Recipe,
    table: Table,
    roles: &Roles,
    aim: SplitPurpose,
    observer: &dyn Observer,
) -> Result<PreparedTable> {
    let input = ColumnSelection::choose(table, roles, FeatureFilter::Any, Vec::new(), observer)?;
    let split = Split::aimed(&input.normal, recipe, aim);
    let features: Vec<String> = input.schema.names().into_iter().map(str::to_owned).collect();
    let (pipeline, prep) = Pipeline::fit(&input.table, &input.schema, &features, &split.train, &recipe.prep)?;
    let prepared = pipeline.transform(&input.table)?;
    let adapter = TableAdapter { schema: input.schema.clone(), pipeline, grains: Vec::new() };
    Ok(PreparedTable { input, split, adapter, prep, prepared })
}

/// What the trials of a search are made on.
pub(super) fn ground(
    recipe: &Recipe,
    table: Table,
    roles: &Roles,
    observer: &dyn Observer,
) -> Result<TrialData<'static>> {
    let PreparedTable { split, adapter, prepared, .. } = ready(recipe, table, roles, SplitPurpose::Search, observer)?;
    Ok(TrialData::of_rows(prepared, split, adapter.pipeline.blocks().to_vec(), Shape::Row))
}

pub(super) fn fit(recipe: &Recipe, table: Table, roles: &Roles, session: &Session<'_>) -> Result<Fitted> {
    let threads = &session.threads;
    let PreparedTable { input, split, mut adapter, prep, prepared } =
        ready(recipe, table, roles, SplitPurpose::Fit, session.observer)?;

    let blocks = adapter.pipeline.blocks();
    let material = TrainingData::of(recipe, &prepared, &split, blocks, adapter.slots(), Shape::Row);
    let TrainedModel { recipe, scorer, baselines, codes, quantiser, trainings, mut warnings } =
        learn(recipe, material, session)?;

    let noise = left_over(&scorer, &prepared.take(&split.calibration), threads);
    adapter.grains = adapter.pipeline.grains(&input.table, &split.train, &noise)?;

    let anomalous = scorer.score(&prepared.take(&input.anomalous), threads);
    let (calibration, decision) = set_threshold_of_samples(&recipe, &scorer, &prepared, &split, &anomalous, threads)?;
    warnings.extend(decision.warning.clone());
    warnings.iter().for_each(|warning| session.observer.on_event(TrainingEvent::Warned(warning)));

    let told = summary::ReportInputs {
        recipe: &recipe,
        scorer: &scorer,
        prepared: &prepared,
        split: &split,
        normal: &input.normal,
        anomalous: &input.anomalous,
        anomalous_scores: &anomalous,
        calibration: &calibration,
        decision: &decision,
        pca: &baselines.pca,
    };
    let report = summary::table(&told, &input, &adapter, &prep, trainings, warnings, threads)?;
    let coding = Some(Coding { quantiser, spans: spans(&input, &split) });
    let (adapter, density, online) = (Adapter::Table(adapter), codes.density, None);
    let mut fitted =
        Fitted { recipe, adapter, scorer, calibration, decision, online, baselines, density, coding, report };
    let found = (codes.report, codes.units);
    fitted.report.generation = Some(generation_quality::report(&fitted, found, &prepared, &split, threads)?);
    Ok(fitted)
}

/// The standard deviation of what the first member's reconstruction leaves over of each prepared value, `[width]`.
fn left_over(scorer: &Scorer, rows: &Prepared, threads: &Threads) -> Vec<f32> {
    let output = scorer.decode(&scorer.codes(rows, threads), rows.n, threads);
    let (mut squares, mut seen) = (vec![0.0_f64; rows.width], vec![0.0_f64; rows.width]);
    for (target, output) in rows.target.chunks_exact(rows.width).zip(output.chunks_exact(rows.width)) {
        for (i, (t, o)) in target.iter().zip(output).enumerate().filter(|(_, (t, _))| !t.is_nan()) {
            squares[i] += f64::from(t - o).powi(2);
            seen[i] += 1.0;
        }
    }
    squares.iter().zip(&seen).map(|(sum, seen)| (sum / seen.max(1.0)).sqrt() as f32).collect()
}

/// Where the numbers of each column lie in the training rows.
fn spans(input: &ColumnSelection, split: &Split) -> Vec<Option<Span>> {
    let of_column = |column: &Column| {
        let numbers = input.table.column(&column.name)?.as_primitive_opt::<Float64Type>()?;
        let trained = split.train.iter().map(|row| *row as usize).filter(|row| numbers.is_valid(*row));
        Span::of(trained.map(|row| numbers.value(row)))
    };
    input.schema.columns.iter().map(of_column).collect()
}
