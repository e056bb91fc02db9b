//! All routes, each with what documents it: the router and the OpenAPI document are made from one list.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post, put};
use axum::{Router, middleware};
use narrows_core::Error;
use narrows_core::error::Place;

use crate::app::{Aliases, App};
use crate::openapi::{self, BodyDoc, RouteDoc};
use crate::{access, image_routes, pages, predictions, protocol, repository, scoring, stream_routes};

/// A route and its documentation.
struct Route {
    doc: RouteDoc,
    /// `None` if another route answers it.
    handler: Option<MethodRouter<Arc<App>>>,
}

const FILE: &str = "/v2/repository/models/{model}";
const STREAM: &str = "/v2/models/{model}/stream/{id}";

/// The routes, in the order of the documentation.
fn all() -> Vec<Route> {
    let route = |doc, handler| Route { doc, handler: Some(handler) };
    let reads = |path, summary, handler| route(RouteDoc { path, method: "get", summary, body: BodyDoc::None }, handler);
    let takes = |path, summary, body, handler| route(RouteDoc { path, method: "post", summary, body }, handler);
    let deletes =
        |path, summary, handler| route(RouteDoc { path, method: "delete", summary, body: BodyDoc::None }, handler);
    vec![
        reads("/v2", "Name, version and extensions of the server", get(protocol::server)),
        reads("/v2/health/live", "Whether the process answers", get(protocol::live)),
        reads("/v2/health/ready", "Whether requests are answered", get(protocol::ready)),
        reads("/v2/models", "All models", get(protocol::models)),
        reads("/v2/models/{model}", "Inputs and outputs of a model", get(protocol::metadata)),
        reads("/v2/models/{model}/ready", "Whether a model answers", get(protocol::model_ready)),
        reads("/v2/models/{model}/config", "Configuration of a model, as of Triton", get(protocol::config)),
        reads("/v2/models/{model}/stats", "What a model was asked, as of Triton", get(protocol::statistics)),
        takes("/v2/models/{model}/infer", "Scores of tensors", BodyDoc::Tensors, post(scoring::infer)),
        takes("/v2/models/{model}/score", "Scores of rows or of an image", BodyDoc::Rows, post(scoring::score)),
        takes("/v2/models/{model}/explain", "Scores of rows with reasons", BodyDoc::Rows, post(scoring::explain)),
        takes(
            "/v2/models/{model}/report",
            "What a page shows of rows or of an image",
            BodyDoc::Shown,
            post(pages::report),
        ),
        takes(
            "/v2/models/{model}/reconstruct",
            "The reconstruction of an image or of rows",
            BodyDoc::Change,
            post(image_routes::reconstruct),
        ),
        takes(
            "/v2/models/{model}/restore",
            "An image without the corruption that the model removes",
            BodyDoc::Change,
            post(image_routes::restore),
        ),
        takes(STREAM, "Scores of rows as they arrive", BodyDoc::Lines, post(stream_routes::write)),
        reads("/v2/models/{model}/schema", "JSON Schema of a row", get(protocol::row_schema)),
        reads(STREAM, "Where a stream stands", get(stream_routes::read)),
        deletes(STREAM, "Forgets a stream", delete(stream_routes::forget)),
        reads("/v2/models/{model}/drift", "Rows scored beside those of the fit", get(protocol::drift)),
        reads("/v2/models/{model}/versions/{version}", "Inputs and outputs of a version", get(protocol::metadata)),
        reads("/v2/models/{model}/versions/{version}/config", "Configuration of a version", get(protocol::config)),
        reads("/v2/models/{model}/versions/{version}/stats", "What a version was asked", get(protocol::statistics)),
        reads("/v2/models/{model}/versions/{version}/ready", "Whether a version answers", get(protocol::model_ready)),
        takes(
            "/v2/models/{model}/versions/{version}/infer",
            "Scores of tensors by a version",
            BodyDoc::Tensors,
            post(scoring::infer),
        ),
        takes("/v2/repository/index", "The models of the repository", BodyDoc::Filter, post(protocol::index)),
        route(
            RouteDoc { path: FILE, method: "put", summary: "Uploads a model file", body: BodyDoc::File },
            put(repository::upload),
        ),
        deletes(FILE, "Deletes a model that was uploaded", delete(repository::delete)),
        takes("/v2/repository/models/{model}/load", "Loads a model again", BodyDoc::Command, post(repository::load)),
        takes(
            "/v2/repository/models/{model}/unload",
            "Serves a model no more",
            BodyDoc::Command,
            post(repository::unload),
        ),
        reads("/v1/models", "The names of all models, as of KServe's version 1", get(predictions::models)),
        reads("/v1/models/{model}", "Whether a model answers", get(predictions::model)),
        takes("/v1/models/{model}:predict", "Predictions", BodyDoc::Invocation, post(predictions::call)),
        Route {
            doc: RouteDoc {
                path: "/v1/models/{model}:explain",
                method: "post",
                summary: "Predictions with reasons",
                body: BodyDoc::Invocation,
            },
            handler: None,
        },
        takes(
            "/invocations",
            "Predictions, as of MLflow and SageMaker",
            BodyDoc::Invocation,
            post(predictions::invocations),
        ),
        reads("/ping", "Whether requests are answered, as of SageMaker", get(protocol::ready)),
        reads("/health", "Whether requests are answered", get(protocol::ready)),
        reads("/version", "The version of the server", get(protocol::version)),
        reads("/metrics", "Metrics for Prometheus", get(protocol::metrics)),
        reads("/openapi.json", "This document", get(document)),
    ]
}

fn docs() -> Vec<RouteDoc> {
    all().into_iter().map(|route| route.doc).collect()
}

async fn document(State(app): State<Arc<App>>) -> Response {
    let models: Vec<String> = app.store.all().iter().map(|model| model.name.clone()).collect();
    protocol::reply(StatusCode::OK, &openapi::document(&docs(), &models))
}

/// The router of a server.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new()
        .route("/v2/", get(protocol::server))
        .route("/", get(pages::front))
        .route("/models/{model}", get(pages::model))
        .route("/favicon.ico", get(pages::icon))
        .route("/ui/{script}", get(pages::script));
    for Route { doc, handler } in all() {
        // What stands behind a colon is read by the handler.
        let path = doc.path.split(':').next().unwrap_or(doc.path);
        if let Some(handler) = handler {
            router = router.route(path, handler);
        }
    }
    let Aliases { predict, health } = &app.aliases;
    if let Some(path) = predict {
        router = router.route(path, post(predictions::invocations));
    }
    if let Some(path) = health {
        router = router.route(path, get(protocol::ready));
    }
    router
        .fallback(protocol::unknown)
        .method_not_allowed_fallback(protocol::other_method)
        .layer(middleware::from_fn_with_state(Arc::clone(app), access::watch))
        .with_state(Arc::clone(app))
}

/// The paths that a hosting platform asks for, as far as they are not there anyway.
pub(crate) fn aliases(predict: Option<String>, health: Option<String>) -> Result<Aliases, Error> {
    let checked = |path: Option<String>, method: &str| match path {
        Some(path) if docs().iter().any(|doc| doc.path == path && doc.method == method) => Ok(None),
        Some(path) if !path.starts_with('/') || path.contains(['{', '}', '*', '?', '#']) => {
            let message = format!("expected a path such as /predict, got `{path}`");
            Err(Error::data(Place::source("a route of the platform"), message))
        }
        path => Ok(path),
    };
    Ok(Aliases { predict: checked(predict, "post")?, health: checked(health, "get")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_and_every_schema_it_refers_to_is_there() {
        let routes = docs();
        let document = openapi::document(&routes, &["m".to_owned()]);
        let operations = document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len());
        assert_eq!(operations.sum::<usize>(), routes.len());
        let mut ids = std::collections::HashSet::new();
        for route in &routes {
            let operation = &document["paths"][route.path][route.method];
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{}", route.path);
        }
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
