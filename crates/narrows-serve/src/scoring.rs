//! Handlers that score: `infer` of the Open Inference Protocol, `score` and `explain` with bodies in file formats.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use narrows_core::output::{Columns, batch};
use narrows_core::score_table::ReasonForm;

use crate::answer::{Answer, AnswerForm, JSON_LENGTH};
use crate::app::{App, PathParams, SharedApp};
use crate::hold::Hold;
use crate::image_routes;
use crate::queue::{ScoredRows, Work};
use crate::refusal::Refusal;
use crate::rows_in::{self, BodyForm};
use crate::served::ServedModel;
use crate::tensor_answer::AskedAnswer;
use crate::tensors;

/// Reasons of a row where their number is not given.
pub(crate) const REASONS: usize = 3;
/// Most reasons of a row.
const MOST_REASONS: usize = 1000;

/// `infer`: tensors in, tensors out.
pub(crate) async fn infer(
    State(app): SharedApp,
    Path(path): PathParams,
    request: Request,
) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    if !model.reads_images() {
        model.tabular()?;
    }
    let received = app.receive(request).await?;
    let json_length = json_length(&received.parts.headers)?;
    if model.reads_images() {
        return image_routes::infer(&app, model, received, json_length).await;
    }
    // Said with the rows, and asked for once they are scored.
    let asked: Arc<OnceLock<AskedAnswer>> = Arc::default();
    let (bytes, max_rows, hold) = (received.bytes.clone(), app.limits.max_rows, received.row_limits(&app.limits).hold);
    let (read_model, read_asked) = (Arc::clone(&model), Arc::clone(&asked));
    let read = Box::new(move || {
        let request = tensors::Request::parse(&bytes, json_length)?;
        hold.check()?;
        let rows = request.rows(&read_model, max_rows)?;
        read_asked.get_or_init(|| AskedAnswer { id: request.id, outputs: request.outputs });
        Ok(rows)
    });
    let write_model = Arc::clone(&model);
    let write = Box::new(move |scored: &ScoredRows| {
        asked.get().ok_or_else(Refusal::failed)?.answer(&write_model, &scored.scores, &scored.warnings)
    });
    let work = Work::Rows { read, bytes: received.bytes.len(), reasons: 0, write };
    app.answer(&model, &received, work).await
}

/// The number of bytes of JSON, if tensors follow it.
fn json_length(headers: &HeaderMap) -> Result<Option<usize>, Refusal> {
    let Some(value) = headers.get(JSON_LENGTH) else { return Ok(None) };
    let length = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    length.map(Some).ok_or_else(|| {
        Refusal::bad(format!("Inference-Header-Content-Length: expected a number of bytes, got {value:?}"))
    })
}

/// `score`: rows in, rows out.
pub(crate) async fn score(
    State(app): SharedApp,
    Path(path): PathParams,
    request: Request,
) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    scored(&app, model, request, 0).await
}

/// `explain`: as `score`, with reasons.
pub(crate) async fn explain(
    State(app): SharedApp,
    Path(path): PathParams,
    request: Request,
) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    model.tabular()?;
    scored(&app, model, request, REASONS).await
}

async fn scored(
    app: &App,
    model: Arc<ServedModel>,
    request: Request,
    default_reasons: usize,
) -> Result<Response, Refusal> {
    if model.reads_images() {
        return image_routes::score(app, model, request).await;
    }
    model.tabular()?;
    let form = AnswerForm::accepted(request.headers())?;
    let body = BodyForm::of(request.headers())?;
    let received = app.receive(request).await?;
    let reasons = reasons(&received.query(&["explain"])?, default_reasons)?;
    let body = body.seen(&received.bytes);
    let (bytes, limits) = (received.bytes.clone(), received.row_limits(&app.limits));
    let (work_model, write_model, hold) = (Arc::clone(&model), Arc::clone(&model), Arc::clone(&limits.hold));
    let work = Work::Rows {
        bytes: bytes.len(),
        reasons,
        read: Box::new(move || rows_in::read(&bytes, body, &work_model, &limits)),
        write: Box::new(move |scored| table_answer(&write_model, scored, reasons, form, &hold)),
    };
    app.answer(&model, &received, work).await
}

/// The number of reasons, by the query.
pub(crate) fn reasons(query: &HashMap<String, String>, default: usize) -> Result<usize, Refusal> {
    let Some(text) = query.get("explain") else { return Ok(default) };
    let number = text.parse().ok().filter(|number| *number <= MOST_REASONS);
    number.ok_or_else(|| {
        Refusal::bad(format!("explain: expected a number of reasons up to {MOST_REASONS}, got `{text}`"))
    })
}

/// The columns that `narrows score` writes.
pub(crate) fn columns(model: &ServedModel, scored: &ScoredRows) -> Result<Columns, Refusal> {
    let tabular = model.tabular()?;
    let mut columns = scored.scores.columns_for(&scored.table, tabular.recipe().data.kind());
    let index = tabular.index_columns().into_iter();
    columns.extend(index.filter_map(|name| Some((name.clone(), scored.table.column(&name)?.clone()))));
    Ok(columns)
}

fn table_answer(
    model: &ServedModel,
    scored: &ScoredRows,
    reasons: usize,
    form: AnswerForm,
    hold: &Hold,
) -> Result<Answer, Refusal> {
    let mut columns = columns(model, scored)?;
    if reasons > 0 {
        // Text has no place for lists.
        let reason_form = if form == AnswerForm::Csv { ReasonForm::Text } else { ReasonForm::Objects };
        columns.extend(reason_form.columns(&scored.reasons, reasons));
    }
    Answer::table_while(form, &batch(columns), model.heading(&scored.warnings), || hold.check())
}
