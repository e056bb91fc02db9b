//! What happens around every request: its id, its key, its line in the log, its metrics, and the headers of its answer.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::{AnswerNote, App};
use crate::connections::Place;
use crate::refusal::Refusal;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken over.
const LONGEST_ID: usize = 128;
/// Longest path in the log.
const LONGEST_PATH: usize = 256;
/// Longest text of a library's refusal that is passed on.
const LONGEST_TEXT: usize = 4096;

/// Routes that need no key: what watches a server has none.
const OPEN: [&str; 4] = ["/v2/health/live", "/v2/health/ready", "/health", "/ping"];

/// Headers of every answer: nothing in it is to be run, framed, guessed or kept.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The method as a label: clients can make up others.
fn known(method: &Method) -> &str {
    let usual = [Method::GET, Method::POST, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if usual.contains(method) { method.as_str() } else { "other" }
}

/// Answers a request by the routes behind it.
pub(crate) async fn watch(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let _in_flight = app.metrics.begin();
    let id = id_of(request.headers());
    let method = request.method().clone();
    let path: String = request.uri().path().chars().take(LONGEST_PATH).collect();
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("unmatched", MatchedPath::as_str).to_owned();
    let place = request.extensions().get::<Arc<Place>>().cloned();
    if let (Some(place), true) = (&place, request.body().is_end_stream()) {
        place.work();
    }
    let is_open = OPEN.contains(&route.as_str()) || app.aliases.health.as_ref() == Some(&route);
    let is_admitted = is_open || app.keys.as_ref().is_none_or(|keys| keys.admit(request.headers()));
    let mut response = match app.hosts.check(request.headers(), request.uri()) {
        Err(refusal) => refusal.into_response(),
        Ok(()) if !is_admitted => without_key(),
        Ok(()) => as_json(next.run(request).await).await,
    };
    if let Some(place) = place {
        place.wait();
    }
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        // A page has a policy of its own.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.insert(REQUEST_ID, id.clone());
    if response.status().is_client_error() && !method.is_safe() {
        // The body may not have been read: what follows on this connection would be taken for a request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let (status, took) = (response.status().as_u16(), start.elapsed());
    app.metrics.answered(&route, known(&method), status, took);
    let mut line = json!({
        "time": jiff::Timestamp::now().to_string(),
        "level": if status >= 500 { "error" } else { "info" },
        "event": "request",
        "id": id.to_str().unwrap_or_default(),
        "method": method.as_str(),
        "path": path,
        "status": status,
        "seconds": took.as_secs_f64(),
    });
    if let Some(AnswerNote { model, rows, bytes }) = response.extensions().get() {
        line["model"] = json!(model);
        line["rows"] = json!(rows);
        line["bytes"] = json!(bytes);
    }
    app.log.line(&line);
    response
}

fn without_key() -> Response {
    let message = "expected an API key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`, got none that is known";
    let mut response = Refusal::new(StatusCode::UNAUTHORIZED, message).into_response();
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer, Basic realm=\"narrows: the key is the password\", charset=\"UTF-8\""),
    );
    response
}

/// The id that the client gave, or a new one.
fn id_of(headers: &HeaderMap) -> HeaderValue {
    static RUN: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| RandomState::new().build_hasher().finish());
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let is_plain = |value: &&HeaderValue| {
        (1..=LONGEST_ID).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    headers.get(REQUEST_ID).filter(is_plain).cloned().unwrap_or_else(|| {
        let id = format!("{:016x}-{:x}", *RUN, COUNT.fetch_add(1, Ordering::Relaxed));
        HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("-"))
    })
}

/// A refusal by a library below, in the form of ours.
async fn as_json(response: Response) -> Response {
    let status = response.status();
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json");
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, LONGEST_TEXT).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let reason = status.canonical_reason().unwrap_or("refused").to_lowercase();
    let message = if text.is_empty() { reason } else { format!("{reason}: {text}") };
    let mut refused = Refusal::new(status, message).into_response();
    if let Some(allow) = parts.headers.get(header::ALLOW) {
        refused.headers_mut().insert(header::ALLOW, allow.clone());
    }
    let (ours, body) = refused.into_parts();
    Response::from_parts(ours, Body::new(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_over_if_it_is_plain() {
        let of = |text: &str| id_of(&HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(text).unwrap())]));
        assert_eq!(of("abc-1"), "abc-1");
        assert_ne!(of(&"x".repeat(200)), "x".repeat(200));
        assert_ne!(of("a b"), "a b");
        assert_ne!(id_of(&HeaderMap::new()), id_of(&HeaderMap::new()));
    }
}
