//! A fit to the rows of a table. It reads as the way of the data.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use super::fit::Session;
use super::ground::Ground;
use super::input::{Input, Wanted};
use super::intake::{Intake, TableIntake};
use super::learn::{Learnt, Material, draw_line_of_samples, learn};
use super::roles::Roles;
use super::split::{Aim, Split};
use super::{Fitted, Judge, generation, summary};
use crate::codec::{Coding, Span};
use crate::data::{Column, Table};
use crate::error::Result;
use crate::model::Shape;
use crate::prep::{Pipeline, PrepReport, Prepared};
use crate::recipe::Recipe;
use crate::train::{Event, Observer};
use narrows_engine::Threads;

/// A table whose rows are ready to be learnt from.
struct Ready {
    input: Input,
    split: Split,
    intake: TableIntake,
    prep: PrepReport,
    prepared: Prepared,
}

fn ready(recipe: &Recipe, table: Table, roles: &Roles, aim: Aim, observer: &dyn Observer) -> Result<Ready> {
    let input = Input::choose(table, roles, Wanted::Any, Vec::new(), observer)?;
    let split = Split::aimed(&input.normal, recipe, aim);
    let features: Vec<String> = input.schema.names().into_iter().map(str::to_owned).collect();
    let (pipeline, prep) = Pipeline::fit(&input.table, &input.schema, &features, &split.train, &recipe.prep)?;
    let prepared = pipeline.transform(&input.table)?;
    let intake = TableIntake { schema: input.schema.clone(), pipeline, grains: Vec::new() };
    Ok(Ready { input, split, intake, prep, prepared })
}

/// What the trials of a search are made on.
pub(super) fn ground(recipe: &Recipe, table: Table, roles: &Roles, observer: &dyn Observer) -> Result<Ground<'static>> {
    let Ready { split, intake, prepared, .. } = ready(recipe, table, roles, Aim::Search, observer)?;
    Ok(Ground::of_rows(prepared, split, intake.pipeline.blocks().to_vec(), Shape::Row))
}

pub(super) fn fit(recipe: &Recipe, table: Table, roles: &Roles, session: &Session<'_>) -> Result<Fitted> {
    let threads = &session.threads;
    let Ready { input, split, mut intake, prep, prepared } = ready(recipe, table, roles, Aim::Fit, session.observer)?;

    let blocks = intake.pipeline.blocks();
    let material = Material::of(recipe, &prepared, &split, blocks, intake.slots(), Shape::Row);
    let Learnt { recipe, judge, baselines, codes, quantiser, trainings, mut warnings } =
        learn(recipe, material, session)?;

    let noise = left_over(&judge, &prepared.take(&split.calibration), threads);
    intake.grains = intake.pipeline.grains(&input.table, &split.train, &noise)?;

    let anomalous = judge.score(&prepared.take(&input.anomalous), threads);
    let (calibration, decision) = draw_line_of_samples(&recipe, &judge, &prepared, &split, &anomalous, threads)?;
    warnings.extend(decision.warning.clone());
    warnings.iter().for_each(|warning| session.observer.on_event(Event::Warned(warning)));

    let told = summary::Told {
        recipe: &recipe,
        judge: &judge,
        prepared: &prepared,
        split: &split,
        normal: &input.normal,
        anomalous: &input.anomalous,
        anomalous_scores: &anomalous,
        calibration: &calibration,
        decision: &decision,
        pca: &baselines.pca,
    };
    let report = summary::table(&told, &input, &intake, &prep, trainings, warnings, threads)?;
    let coding = Some(Coding { quantiser, spans: spans(&input, &split) });
    let (intake, density, online) = (Intake::Table(intake), codes.density, None);
    let mut fitted =
        Fitted { recipe, intake, judge, calibration, decision, online, baselines, density, coding, report };
    let found = (codes.report, codes.units);
    fitted.report.generation = Some(generation::report(&fitted, found, &prepared, &split, threads)?);
    Ok(fitted)
}

/// The standard deviation of what the first member's reconstruction leaves over of each prepared value, `[width]`.
fn left_over(judge: &Judge, rows: &Prepared, threads: &Threads) -> Vec<f32> {
    let output = judge.decode(&judge.codes(rows, threads), rows.n, threads);
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
fn spans(input: &Input, split: &Split) -> Vec<Option<Span>> {
    let of_column = |column: &Column| {
        let numbers = input.table.column(&column.name)?.as_primitive_opt::<Float64Type>()?;
        let trained = split.train.iter().map(|row| *row as usize).filter(|row| numbers.is_valid(*row));
        Span::of(trained.map(|row| numbers.value(row)))
    };
    input.schema.columns.iter().map(of_column).collect()
}
