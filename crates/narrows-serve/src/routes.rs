//! All routes, each with what documents it: the router and the OpenAPI document are made from one list.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use axum::{Router, middleware};

use crate::app::App;
use crate::openapi::{self, BodyDoc};
use crate::{access, protocol, scoring};

/// A route and its documentation.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) is_post: bool,
    pub(crate) summary: &'static str,
    pub(crate) body: BodyDoc,
    handler: MethodRouter<Arc<App>>,
}

/// The routes, in the order of the documentation.
pub(crate) fn all() -> Vec<Route> {
    let reads = |path, summary, handler| Route { path, is_post: false, summary, body: BodyDoc::None, handler };
    let takes = |path, summary, body, handler| Route { path, is_post: true, summary, body, handler };
    vec![
        reads("/v2", "Name, version and extensions of the server", get(protocol::server)),
        reads("/v2/health/live", "Whether the process answers", get(protocol::live)),
        reads("/v2/health/ready", "Whether requests are answered", get(protocol::ready)),
        reads("/v2/models", "All models", get(protocol::models)),
        reads("/v2/models/{model}", "Inputs and outputs of a model", get(protocol::metadata)),
        reads("/v2/models/{model}/ready", "Whether a model answers", get(protocol::model_ready)),
        takes("/v2/models/{model}/infer", "Scores of tensors", BodyDoc::Tensors, post(scoring::infer)),
        takes("/v2/models/{model}/score", "Scores of rows or of an image", BodyDoc::Rows, post(scoring::score)),
        takes("/v2/models/{model}/explain", "Scores of rows with reasons", BodyDoc::Rows, post(scoring::explain)),
        reads("/v2/models/{model}/versions/{version}", "Inputs and outputs of a version", get(protocol::metadata)),
        reads("/v2/models/{model}/versions/{version}/ready", "Whether a version answers", get(protocol::model_ready)),
        takes(
            "/v2/models/{model}/versions/{version}/infer",
            "Scores of tensors by a version",
            BodyDoc::Tensors,
            post(scoring::infer),
        ),
        takes("/v2/repository/index", "The models of the repository", BodyDoc::Filter, post(protocol::index)),
        takes(
            "/invocations",
            "Predictions, as of MLflow and SageMaker",
            BodyDoc::Invocation,
            post(scoring::invocations),
        ),
        reads("/ping", "Whether requests are answered, as of SageMaker", get(protocol::ready)),
        reads("/health", "Whether requests are answered", get(protocol::ready)),
        reads("/version", "The version of the server", get(protocol::version)),
        reads("/metrics", "Metrics for Prometheus", get(protocol::metrics)),
        reads("/openapi.json", "This document", get(document)),
    ]
}

async fn document() -> Response {
    protocol::reply(StatusCode::OK, &openapi::document(&all()))
}

/// The router of a server.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new().route("/v2/", get(protocol::server));
    for Route { path, handler, .. } in all() {
        router = router.route(path, handler);
    }
    router
        .fallback(protocol::unknown)
        .method_not_allowed_fallback(protocol::other_method)
        .layer(middleware::from_fn_with_state(Arc::clone(app), access::watch))
        .with_state(Arc::clone(app))
}
