//! All routes, each with what documents it: the router and the OpenAPI document are made from one list.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use axum::{Router, middleware};

use crate::app::App;
use crate::openapi::{self, BodyDoc, RouteDoc};
use crate::{access, pages, protocol, scoring};

/// A route and its documentation.
struct Route {
    doc: RouteDoc,
    handler: MethodRouter<Arc<App>>,
}

/// The routes, in the order of the documentation.
fn all() -> Vec<Route> {
    let route = |doc, handler| Route { doc, handler };
    let reads =
        |path, summary, handler| route(RouteDoc { path, is_post: false, summary, body: BodyDoc::None }, handler);
    let takes = |path, summary, body, handler| route(RouteDoc { path, is_post: true, summary, body }, handler);
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
        router = router.route(doc.path, handler);
    }
    router
        .fallback(protocol::unknown)
        .method_not_allowed_fallback(protocol::other_method)
        .layer(middleware::from_fn_with_state(Arc::clone(app), access::watch))
        .with_state(Arc::clone(app))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_and_every_schema_it_refers_to_is_there() {
        let routes = docs();
        let document = openapi::document(&routes, &["m".to_owned()]);
        assert_eq!(document["paths"].as_object().unwrap().len(), routes.len());
        let mut ids = std::collections::HashSet::new();
        for route in &routes {
            let method = if route.is_post { "post" } else { "get" };
            let operation = &document["paths"][route.path][method];
            assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{}", route.path);
        }
        let text = document.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
