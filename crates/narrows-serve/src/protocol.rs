//! Handlers that tell: health, metadata, the repository of models, metrics.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::app::{PathParams, SharedApp};
use crate::metrics::METRICS_TYPE;
use crate::refusal::Refusal;
use crate::schema;
use crate::store::ListedModel;
use crate::tensors::json_of;

/// The version of the server.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A JSON answer.
pub(crate) fn reply(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// The server's metadata.
pub(crate) async fn server() -> Response {
    let extensions =
        ["binary_tensor_data", "model_configuration", "model_repository", "statistics", "score", "explain", "stream"];
    reply(StatusCode::OK, &json!({"name": "narrows", "version": VERSION, "extensions": extensions}))
}

/// Whether the process answers.
pub(crate) async fn live() -> Response {
    reply(StatusCode::OK, &json!({"live": true}))
}

/// Whether requests are answered.
pub(crate) async fn ready(State(app): SharedApp) -> Response {
    let is_ready = app.is_ready();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    reply(status, &json!({"live": true, "ready": is_ready}))
}

/// The version alone.
pub(crate) async fn version() -> Response {
    reply(StatusCode::OK, &json!({"name": "narrows", "version": VERSION}))
}

/// All models, also those whose files cannot be loaded.
pub(crate) async fn models(State(app): SharedApp) -> Response {
    let entry = |listed: ListedModel| {
        json!({
            "name": listed.name,
            "version": listed.version(),
            "kind": listed.model.as_ref().map(|model| model.kind()),
            "state": listed.state(),
            "reason": listed.reason(),
        })
    };
    let models: Vec<Value> = app.store.listed().into_iter().map(entry).collect();
    reply(StatusCode::OK, &json!({"models": models}))
}

/// A model's metadata.
pub(crate) async fn metadata(State(app): SharedApp, Path(path): PathParams) -> Result<Response, Refusal> {
    Ok(reply(StatusCode::OK, &app.model(&path)?.metadata()))
}

/// The rows that a model has scored beside those of its fit.
pub(crate) async fn drift(State(app): SharedApp, Path(path): PathParams) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    let compared = aside(move || {
        let mut document = model.drift_document()?;
        document["model_name"] = json!(model.name);
        document["model_version"] = json!(model.version);
        Ok::<_, Refusal>(document)
    });
    Ok(reply(StatusCode::OK, &compared.await??))
}

/// The JSON Schema of a row.
pub(crate) async fn row_schema(State(app): SharedApp, Path(path): PathParams) -> Result<Response, Refusal> {
    let text = schema::of_row(&*app.model(&path)?)?.to_string();
    Ok(([(header::CONTENT_TYPE, "application/schema+json")], text).into_response())
}

/// Whether a model answers.
pub(crate) async fn model_ready(State(app): SharedApp, Path(path): PathParams) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    Ok(reply(StatusCode::OK, &json!({"name": model.name, "ready": app.is_ready()})))
}

/// A model's configuration, as Triton's clients read it.
pub(crate) async fn config(State(app): SharedApp, Path(path): PathParams) -> Result<Response, Refusal> {
    Ok(reply(StatusCode::OK, &app.model(&path)?.config()))
}

/// What a model was asked, as Triton's clients read it.
pub(crate) async fn statistics(State(app): SharedApp, Path(path): PathParams) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    let document = model.statistics.document(&model.name, &model.version);
    Ok(reply(StatusCode::OK, &json!({"model_stats": [document]})))
}

/// The repository of models; with `{"ready": true}`, those alone that can be asked.
pub(crate) async fn index(State(app): SharedApp, request: Request) -> Result<Response, Refusal> {
    let received = app.receive(request).await?;
    let given = match received.bytes.trim_ascii() {
        b"" => Value::Null,
        bytes => json_of(bytes)?,
    };
    let ready = match &given {
        Value::Null => false,
        Value::Object(fields) => match fields.get("ready") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(ready)) => *ready,
            Some(other) => return Err(Refusal::bad(format!("ready: expected true or false, got {other}"))),
        },
        _ => return Err(Refusal::bad("the body: expected an object, or nothing, got another value")),
    };
    let models = app.store.listed().into_iter().filter(|listed| !ready || listed.model.is_some());
    let entry = |listed: ListedModel| {
        let (version, state, reason) = (listed.version(), listed.state(), listed.reason());
        json!({"name": listed.name, "version": version, "state": state, "reason": reason})
    };
    let models: Vec<Value> = models.map(entry).collect();
    Ok(reply(StatusCode::OK, &json!(models)))
}

/// Metrics for Prometheus.
pub(crate) async fn metrics(State(app): SharedApp) -> Result<Response, Refusal> {
    let text = aside(move || {
        app.metrics.drift(&app.store.all());
        app.metrics.text()
    });
    Ok(([(header::CONTENT_TYPE, METRICS_TYPE)], text.await?).into_response())
}

/// Computes beside the connections, which comparing many rows would hold up.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::failed())
}

/// An address that nothing is at.
pub(crate) async fn unknown(request: Request) -> Refusal {
    let path = request.uri().path();
    Refusal::unknown(format!("expected a path that /openapi.json lists, got `{path}`"))
}

/// A method that an address does not have.
pub(crate) async fn other_method(request: Request) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let message = format!("{path}: expected another method, got {method}; /openapi.json lists the methods");
    let mut response = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response();
    // Of version 1, addresses with and without a verb behind a colon are one to the router.
    if let Some(name) = path.strip_prefix("/v1/models/") {
        let methods = if name.contains(':') { "POST" } else { "GET,HEAD" };
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    }
    response
}
