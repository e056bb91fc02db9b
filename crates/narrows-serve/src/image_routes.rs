//! Handlers that take images: scores and heat maps, reconstructions, restorations.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use narrows_core::ImageScore;
use narrows_core::images::Photo;
use narrows_core::output::batch;
use narrows_core::score_table::image_rows;

use crate::answer::{Answer, AnswerForm};
use crate::app::{App, PathParams, Received, SharedApp};
use crate::image_in::{self, BODY, GivenImages};
use crate::image_out::{self, ImageForm, ScoreAnswer};
use crate::image_tensors;
use crate::metrics::Metrics;
use crate::queue::Work;
use crate::refusal::Refusal;
use crate::rows_in::{self, BodyForm};
use crate::served::ServedModel;
use crate::tensor_answer::AskedAnswer;
use crate::tensors;

/// Longest name of an image.
const LONGEST_NAME: usize = 256;

/// Scores of an image as a row, or its heat map.
pub(crate) async fn score(app: &App, model: Arc<ServedModel>, request: Request) -> Result<Response, Refusal> {
    model.images()?;
    let form = ScoreAnswer::accepted(request.headers())?;
    let received = app.receive(request).await?;
    let query = received.query(&["name", "explain"])?;
    if query.get("explain").is_some_and(|number| number != "0") {
        // Says what the model is.
        model.tabular()?;
    }
    let name = name_of(&query)?;
    let (bytes, max_pixels) = (received.bytes.clone(), app.limits.max_pixels);
    let (work_model, metrics) = (Arc::clone(&model), Arc::clone(&app.metrics));
    let hold = received.row_limits(&app.limits).hold;
    let work = Work::Other(Box::new(move || {
        hold.start_large()?;
        let given = GivenImages::one(&bytes, &name, work_model.images()?, max_pixels)?;
        match form {
            ScoreAnswer::Rows(form) => rows_answer(&work_model, &given, form, &metrics),
            ScoreAnswer::HeatMap => heat_map(&work_model, given, &metrics),
        }
    }));
    app.answer(&model, &received, work).await
}

/// The name of the image in messages and in the answer.
fn name_of(query: &HashMap<String, String>) -> Result<String, Refusal> {
    match query.get("name") {
        None => Ok(BODY.to_owned()),
        Some(name) if name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control) => Ok(name.clone()),
        Some(name) => {
            let message = format!("name: expected up to {LONGEST_NAME} characters that can be seen");
            Err(Refusal::bad(format!("{message}, got {}", name.chars().count())))
        }
    }
}

/// Scores of images that came as a tensor.
pub(crate) async fn infer(
    app: &App,
    model: Arc<ServedModel>,
    received: Received,
    json_length: Option<usize>,
) -> Result<Response, Refusal> {
    model.images()?;
    let (bytes, max_pixels) = (received.bytes.clone(), app.limits.max_pixels);
    let (work_model, metrics) = (Arc::clone(&model), Arc::clone(&app.metrics));
    let hold = received.row_limits(&app.limits).hold;
    let work = Work::Other(Box::new(move || {
        hold.start_large()?;
        let request = tensors::Request::parse(&bytes, json_length)?;
        let images = work_model.images()?;
        let given = image_tensors::images(&request, images, max_pixels)?;
        let start = Instant::now();
        let scores = image_in::as_rows(&images.score(&given.images, false));
        metrics.scored(&work_model, &scores, start.elapsed());
        let asked = AskedAnswer { id: request.id, outputs: request.outputs };
        asked.answer(&work_model, &scores, &given.warnings)
    }));
    app.answer(&model, &received, work).await
}

fn rows_answer(
    model: &ServedModel,
    given: &GivenImages,
    form: AnswerForm,
    metrics: &Metrics,
) -> Result<Answer, Refusal> {
    let start = Instant::now();
    let scores = model.images()?.score(&given.images, false);
    metrics.scored(model, &image_in::as_rows(&scores), start.elapsed());
    Answer::table(form, &image_batch(&given.names, &scores), model.heading(&given.warnings))
}

/// The columns that `narrows score` writes, with row numbers.
pub(crate) fn image_batch(names: &[String], scores: &[ImageScore]) -> RecordBatch {
    let rows = image_rows(names, scores);
    let schema = rows.schema();
    let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(0..scores.len() as u64));
    let named =
        schema.fields().iter().zip(rows.columns()).map(|(field, column)| (field.name().clone(), column.clone()));
    batch(std::iter::once(("row".to_owned(), numbers)).chain(named).collect())
}

/// As `narrows score` writes it.
fn heat_map(model: &ServedModel, given: GivenImages, metrics: &Metrics) -> Result<Answer, Refusal> {
    let start = Instant::now();
    let images = model.images()?;
    let scores = images.score(&given.images, true);
    metrics.scored(model, &image_in::as_rows(&scores), start.elapsed());
    let map = images.heat_map(&given.images[0], &scores[0]);
    let answer = image_out::answer(&Photo::from(map), ImageForm::Png, given.warnings)?;
    Ok(answer.of_rows(1))
}

/// The reconstruction of an image, or of rows.
pub(crate) async fn reconstruct(
    State(app): SharedApp,
    Path(path): PathParams,
    request: Request,
) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    if model.images().is_ok() {
        return changed(&app, model, request, Change::Reconstruct).await;
    }
    model.tabular().map_err(|_| model.is_not("a model of tables, series or images that reconstructs"))?;
    let form = AnswerForm::accepted(request.headers())?;
    let body = BodyForm::of(request.headers())?;
    let received = app.receive(request).await?;
    received.query(&[])?;
    let (bytes, limits) = (received.bytes.clone(), received.row_limits(&app.limits));
    let work_model = Arc::clone(&model);
    let work = Work::Other(Box::new(move || {
        let given = rows_in::read(&bytes, body.seen(&bytes), &work_model, &limits)?;
        let rebuilt = work_model.tabular_for(given.table.n_rows())?.reconstruct(&given.table)?;
        Answer::table(form, rebuilt.batch(), work_model.heading(&given.warnings))
    }));
    app.answer(&model, &received, work).await
}

/// An image without the corruption that the model was fitted to remove.
pub(crate) async fn restore(
    State(app): SharedApp,
    Path(path): PathParams,
    request: Request,
) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    changed(&app, model, request, Change::Restore).await
}

/// What is done to an image.
#[derive(Debug, Clone, Copy)]
enum Change {
    Reconstruct,
    Restore,
}

async fn changed(app: &App, model: Arc<ServedModel>, request: Request, change: Change) -> Result<Response, Refusal> {
    match change {
        Change::Reconstruct => model.images().map(drop)?,
        Change::Restore => model.check_restores()?,
    }
    let form = ImageForm::accepted(request.headers())?;
    if !matches!(BodyForm::of(request.headers())?, BodyForm::Image | BodyForm::Untold) {
        let message = "Content-Type: expected image/png or image/jpeg, got another";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let received = app.receive(request).await?;
    let name = name_of(&received.query(&["name"])?)?;
    let (bytes, max_pixels) = (received.bytes.clone(), app.limits.max_pixels);
    let work_model = Arc::clone(&model);
    let hold = received.row_limits(&app.limits).hold;
    let work = Work::Other(Box::new(move || {
        hold.start_large()?;
        let photo = image_in::photo(&bytes, &name, max_pixels)?;
        let mut warnings: Vec<String> = photo.lost.iter().map(|loss| format!("lost {loss}")).collect();
        let photo = match work_model.restorer() {
            Some(restorer) => photo.changed(None, |image| restorer.restore(image)),
            None => {
                let images = work_model.images()?;
                image_in::check_size(images, &photo.image, &name)?;
                // The alpha channel stays.
                warnings.extend(image_in::seen_otherwise(images, &Photo { alpha: None, ..photo.clone() }, &name));
                photo.changed(None, |image| images.reconstruct(image))
            }
        };
        image_out::answer(&photo, form, warnings)
    }));
    app.answer(&model, &received, work).await
}
