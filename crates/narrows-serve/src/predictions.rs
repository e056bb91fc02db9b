//! `{"instances": [...]}` in, `{"predictions": [...]}` out: version 1 of KServe's protocol, with its models, and the
//! `/invocations` of MLflow and SageMaker.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use narrows_core::output::batch;
use narrows_core::score_table::ReasonForm;
use serde_json::{Value, json};

use crate::answer::{Answer, records};
use crate::app::{App, PathParams, Received, SharedApp};
use crate::image_in::{self, BODY, GivenImages};
use crate::image_routes::image_batch;
use crate::image_tensors;
use crate::protocol::reply;
use crate::queue::Work;
use crate::refusal::Refusal;
use crate::rows_in::{self, BodyForm};
use crate::scoring::{REASONS, columns};
use crate::served::ServedModel;
use crate::tensors;

/// The names of all models.
pub(crate) async fn models(State(app): SharedApp) -> Response {
    let names: Vec<String> = app.store.all().iter().map(|model| model.name.clone()).collect();
    reply(StatusCode::OK, &json!({"models": names}))
}

/// Whether a model answers.
pub(crate) async fn model(State(app): SharedApp, Path(path): PathParams) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    Ok(reply(StatusCode::OK, &json!({"name": model.name, "ready": app.is_ready()})))
}

/// `{model}:predict` and `{model}:explain`.
pub(crate) async fn call(State(app): SharedApp, Path(path): PathParams, request: Request) -> Result<Response, Refusal> {
    let called = path.get("model").map_or("", String::as_str);
    let (name, reasons) = match called.rsplit_once(':') {
        Some((name, "predict")) => (name, 0),
        Some((name, "explain")) => (name, REASONS),
        _ => {
            let name = called.split(':').next().unwrap_or(called);
            let message = format!("expected GET, or POST to `{name}:predict` or `{name}:explain`, got neither");
            let mut refused = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response();
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
            return Ok(refused);
        }
    };
    let model = app.store.get(name, None)?;
    if reasons > 0 {
        model.tabular()?;
    }
    let form = BodyForm::of(request.headers())?;
    let received = app.receive(request).await?;
    received.query(&[])?;
    predicted(&app, model, received, form, reasons).await
}

/// `/invocations`: for the only model, or for that named by `?model=`.
pub(crate) async fn invocations(State(app): SharedApp, request: Request) -> Result<Response, Refusal> {
    let form = BodyForm::of(request.headers())?;
    let received = app.receive(request).await?;
    let query = received.query(&["model"])?;
    let model = match (query.get("model"), &app.store.all()[..]) {
        (Some(name), _) => app.store.get(name, None)?,
        (None, [only]) => Arc::clone(only),
        (None, all) => {
            let names: Vec<&str> = all.iter().map(|model| model.name.as_str()).collect();
            let message = format!("the query: expected ?model= with one of {}, got none", names.join(", "));
            return Err(Refusal::bad(message));
        }
    };
    predicted(&app, model, received, form, 0).await
}

async fn predicted(
    app: &App,
    model: Arc<ServedModel>,
    received: Received,
    form: BodyForm,
    reasons: usize,
) -> Result<Response, Refusal> {
    let bytes = received.bytes.clone();
    if model.reads_images() {
        model.images()?;
        let (work_model, metrics, max_pixels) = (Arc::clone(&model), Arc::clone(&app.metrics), app.limits.max_pixels);
        let hold = received.row_limits(&app.limits).hold;
        let work = Work::Other(Box::new(move || {
            hold.start_large()?;
            let images = work_model.images()?;
            let given = given_images(&bytes, form, &work_model, max_pixels)?;
            let start = Instant::now();
            let scores = images.score(&given.images, false);
            metrics.scored(&work_model, &image_in::as_rows(&scores), start.elapsed());
            let rows = image_batch(&given.names, &scores);
            Ok(Answer::of_array("predictions", &records(&rows)?, scores.len()))
        }));
        return app.answer(&model, &received, work).await;
    }
    model.tabular()?;
    let limits = received.row_limits(&app.limits);
    let (read_model, write_model) = (Arc::clone(&model), Arc::clone(&model));
    let work = Work::Rows {
        bytes: bytes.len(),
        reasons,
        read: Box::new(move || rows_in::read_invocation(&bytes, form.seen(&bytes), &read_model, &limits)),
        write: Box::new(move |scored| {
            let mut columns = columns(&write_model, scored)?;
            if reasons > 0 {
                columns.extend(ReasonForm::Objects.columns(&scored.reasons, reasons));
            }
            let batch = batch(columns);
            Ok(Answer::of_array("predictions", &records(&batch)?, batch.num_rows()))
        }),
    };
    app.answer(&model, &received, work).await
}

/// One image, or instances `{"b64": "..."}`, as TensorFlow Serving has them, under any one name or none.
fn given_images(bytes: &Bytes, form: BodyForm, model: &ServedModel, max_pixels: u64) -> Result<GivenImages, Refusal> {
    let images = model.images()?;
    if form.seen(bytes) == BodyForm::Image {
        return GivenImages::one(bytes, BODY, images, max_pixels);
    }
    let document = tensors::json_of(bytes)?;
    let Some(Value::Array(instances)) = document.get("instances") else {
        return Err(Refusal::bad("instances: expected an array of {\"b64\": \"...\"}, got none"));
    };
    let decoded: Result<Vec<Vec<u8>>, String> = instances.iter().map(of_instance).collect();
    let encoded = decoded.map_err(|message| Refusal::bad(format!("instances: {message}")))?;
    image_tensors::read(&encoded, images, max_pixels)
}

fn of_instance(instance: &Value) -> Result<Vec<u8>, String> {
    let inner = match instance {
        Value::Object(fields) if fields.len() == 1 => fields.values().next().unwrap_or(instance),
        _ => instance,
    };
    image_tensors::of_base64(inner.get("b64").unwrap_or(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_may_be_wrapped_or_not() {
        for instance in [json!("AAE="), json!({"b64": "AAE="}), json!({"image": {"b64": "AAE="}})] {
            assert_eq!(of_instance(&instance), Ok(vec![0, 1]), "{instance}");
        }
        assert!(of_instance(&json!(7)).unwrap_err().contains("got `7`"));
    }
}
