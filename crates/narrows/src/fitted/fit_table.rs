//! A fit to the rows of a table. It reads as the way of the data.

use super::fit::Session;
use super::ground::Ground;
use super::input::{Input, Wanted};
use super::intake::{Intake, TableIntake};
use super::learn::{Learnt, Material, draw_line_of_samples, learn};
use super::roles::Roles;
use super::split::{Aim, Split};
use super::{Fitted, summary};
use crate::data::Table;
use crate::error::Result;
use crate::model::Shape;
use crate::prep::{Pipeline, PrepReport, Prepared};
use crate::recipe::Recipe;
use crate::train::{Event, Observer};

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
    let intake = TableIntake { schema: input.schema.clone(), pipeline };
    Ok(Ready { input, split, intake, prep, prepared })
}

/// What the trials of a search are made on.
pub(super) fn ground(recipe: &Recipe, table: Table, roles: &Roles, observer: &dyn Observer) -> Result<Ground<'static>> {
    let Ready { split, intake, prepared, .. } = ready(recipe, table, roles, Aim::Search, observer)?;
    Ok(Ground::of_rows(prepared, split, intake.pipeline.blocks().to_vec(), Shape::Row))
}

pub(super) fn fit(recipe: &Recipe, table: Table, roles: &Roles, session: &Session<'_>) -> Result<Fitted> {
    let threads = &session.threads;
    let Ready { input, split, intake, prep, prepared } = ready(recipe, table, roles, Aim::Fit, session.observer)?;

    let blocks = intake.pipeline.blocks();
    let material = Material::of(recipe, &prepared, &split, blocks, intake.slots(), Shape::Row);
    let Learnt { recipe, judge, baselines, density, trainings, mut warnings } = learn(recipe, material, session)?;

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
    let intake = Intake::Table(intake);
    Ok(Fitted { recipe, intake, judge, calibration, decision, online: None, baselines, density, report })
}
