//! Pages for people: the front page, a page for each model, their scripts, and the scores that these show.

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use narrows_core::data::{Column, ColumnKind};
use narrows_core::drift::{DriftMonitor, LEVEL};
use narrows_core::images::{Album, Store};
use narrows_core::report::ScoredData;
use narrows_core::report::html::{self, PageHost, ServedEntry};
use narrows_core::{ImageRoles, ScoredDataReporter};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::app::{PathParams, SharedApp};
use crate::image_in::GivenImages;
use crate::queue::{GivenRows, Work};
use crate::refusal::Refusal;
use crate::row_limits::RowLimits;
use crate::rows_in::{self, BodyForm};
use crate::served::ServedModel;

/// What a page may do: run our scripts, ask us, show images that it holds.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data: blob:; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// Longest name of a file that was dropped on a page, in characters.
const LONGEST_NAME: usize = 200;
/// Most bytes that an image on a page may take in memory.
const IMAGE_BYTES: u64 = 1 << 30;

/// The sign of the pages, for the tab of a browser.
pub(crate) async fn icon() -> Response {
    as_served("image/svg+xml", html::ICON)
}

/// The front page: all models.
pub(crate) async fn front(State(app): SharedApp) -> Result<Response, Refusal> {
    let entries: Vec<ServedEntry> = app.store.all().iter().map(|model| model.entry()).collect();
    Ok(page(html::render_models(&entries)?))
}

/// The page of a model.
pub(crate) async fn model(State(app): SharedApp, Path(path): PathParams) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    let rendered = tokio::task::spawn_blocking(move || {
        let opened = app.opened.as_ref().filter(|opened| opened.model == model.name);
        let data = opened.map(|opened| (&opened.found, &opened.data));
        model.model().living_html(PageHost::Server { model: &model.name }, data)
    });
    Ok(page(rendered.await.map_err(|_| Refusal::failed())??))
}

fn page(html: String) -> Response {
    as_served("text/html; charset=utf-8", html)
}

/// A script of the pages.
pub(crate) async fn script(Path(path): PathParams) -> Result<Response, Refusal> {
    let name = path.get("script").map_or("", String::as_str);
    let unknown = || Refusal::unknown(format!("expected a script of the pages, got `{name}`"));
    Ok(as_served("text/javascript; charset=utf-8", html::script(name).ok_or_else(unknown)?))
}

fn as_served(content_type: &'static str, body: impl IntoResponse) -> Response {
    let mut response = (StatusCode::OK, body).into_response();
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `report`: rows or an image in, what a page shows of them out.
pub(crate) async fn report(
    State(app): SharedApp,
    Path(path): PathParams,
    request: Request,
) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    let form = BodyForm::of(request.headers())?;
    let received = app.receive(request).await?;
    let query = received.query(&["name", "label", "normal"])?;
    let asked = Asked {
        name: query.get("name").map_or("the body", String::as_str).chars().take(LONGEST_NAME).collect(),
        label: query.get("label").cloned(),
        normal: query.get("normal").cloned(),
    };
    let (bytes, limits) = (received.bytes.clone(), received.row_limits(&app.limits));
    let max_pixels = app.limits.max_pixels;
    let (form, work_model) = (form.seen(&bytes), std::sync::Arc::clone(&model));
    let work = Work::Other(Box::new(move || {
        let data = match work_model.reads_images() {
            true => {
                limits.hold.start_large()?;
                of_image(&work_model, &bytes, max_pixels, &asked)?
            }
            false => of_rows(&work_model, &bytes, form, &limits, &asked)?,
        };
        let rows = usize::try_from(data.read).unwrap_or(usize::MAX);
        Ok(Answer::json(&json!(data), rows))
    }));
    app.answer(&model, &received, work).await
}

/// What a request asks about its rows.
struct Asked {
    name: String,
    label: Option<String>,
    normal: Option<String>,
}

fn of_rows(
    model: &ServedModel,
    bytes: &Bytes,
    form: BodyForm,
    limits: &RowLimits,
    asked: &Asked,
) -> Result<ScoredData, Refusal> {
    if asked.normal.is_some() && asked.label.is_none() {
        return Err(Refusal::bad("the query: expected ?label= with ?normal=, got none"));
    }
    let mut beside = ScoredDataReporter::new(model.tabular()?, "").reads().columns;
    beside.extend(asked.label.iter().map(|label| Column::new(label, ColumnKind::Text)));
    let GivenRows { table, warnings } = rows_in::read_with(bytes, form, model, beside, limits)?;
    let mut reporter = ScoredDataReporter::new(model.tabular_for(table.n_rows())?, asked.name.clone());
    if let Some(label) = &asked.label {
        reporter = reporter.labelled(label, asked.normal.as_deref());
    }
    let scores = reporter.add(&table)?;
    let (_, mut data) = reporter.finish()?;
    let mut notes = warnings;
    notes.append(&mut data.notes);
    data.notes = notes;
    data.drift = compared(model, &table, &scores)?;
    Ok(data)
}

/// The rows beside those of the fit.
fn compared(
    model: &ServedModel,
    table: &narrows_core::data::Table,
    scores: &narrows_core::Scores,
) -> Result<Option<Value>, Refusal> {
    let Ok(level) = LEVEL.try_into() else { return Ok(None) };
    let mut monitor = DriftMonitor::new(model.tabular()?, level);
    monitor.add_scored(table, scores)?;
    Ok(Some(json!(monitor.finish())))
}

fn of_image(model: &ServedModel, bytes: &Bytes, max_pixels: u64, asked: &Asked) -> Result<ScoredData, Refusal> {
    let images = model.images()?;
    let GivenImages { images: given, mut warnings, .. } = GivenImages::one(bytes, &asked.name, images, max_pixels)?;
    let album = Album::of(&asked.name, given.into_iter().map(|image| (asked.name.clone(), image)).collect());
    let album = album.map_err(narrows_core::Error::from)?;
    let store = Store::take(album, IMAGE_BYTES).map_err(narrows_core::Error::from)?;
    let mut data = images.scored_data(&store, &ImageRoles::default())?.1;
    warnings.append(&mut data.notes);
    data.notes = warnings;
    Ok(data)
}
