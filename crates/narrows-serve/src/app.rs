//! What all handlers share: models, queue, metrics, limits; and the way of a request through them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::body::{Bytes, HttpBody, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::timeout;

use crate::connections::Place;
use crate::hold::{Attention, Hold};
use crate::hosts::Hosts;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::options::{LogSink, OpenedData, ServeLimits};
use crate::queue::{Job, Queue, SMALL, Work, time_left};
use crate::refusal::Refusal;
use crate::row_limits::RowLimits;
use crate::served::ServedModel;
use crate::store::ModelStore;
use crate::streams::Streams;
use crate::upload_folder::UploadFolder;

/// The state of a server.
pub(crate) struct App {
    pub(crate) store: Arc<ModelStore>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: ServeLimits,
    /// Room for bodies that are not small, so that memory is bounded however many clients send at once.
    pub(crate) room: Arc<Semaphore>,
    /// Room for answers that have not been taken yet, in KiB.
    pub(crate) answers: Arc<Semaphore>,
    pub(crate) keys: Option<Keys>,
    pub(crate) aliases: Aliases,
    pub(crate) hosts: Hosts,
    pub(crate) log: LogSink,
    /// Data that the page of a model shows from the start.
    pub(crate) opened: Option<OpenedData>,
    pub(crate) streams: Streams,
    pub(crate) uploads: UploadFolder,
    /// Whether the server has been told to stop.
    pub(crate) is_stopping: AtomicBool,
    /// Becomes true then.
    pub(crate) stopped: watch::Receiver<bool>,
}

/// Paths that a hosting platform asks for.
#[derive(Debug, Default)]
pub(crate) struct Aliases {
    /// Another path of `/invocations`.
    pub(crate) predict: Option<String>,
    /// Another path of `/health`.
    pub(crate) health: Option<String>,
}

/// The state, as handlers get it.
pub(crate) type SharedApp = State<Arc<App>>;
/// The parameters in a path, as handlers get them.
pub(crate) type PathParams = Path<HashMap<String, String>>;

/// What an answer tells the log.
#[derive(Debug, Clone)]
pub(crate) struct AnswerNote {
    pub(crate) model: String,
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

/// A request whose body has arrived.
pub(crate) struct Received {
    pub(crate) parts: Parts,
    pub(crate) bytes: Bytes,
    since: Instant,
    /// Dropped with the handler.
    attention: Attention,
}

impl App {
    /// Whether requests are answered.
    pub(crate) fn is_ready(&self) -> bool {
        !self.is_stopping.load(Ordering::Relaxed)
    }

    /// Reads the body of a request, within the limits.
    pub(crate) async fn receive(&self, request: Request) -> Result<Received, Refusal> {
        let since = Instant::now();
        let (parts, body) = request.into_parts();
        let most = self.limits.max_body;
        let too_large = || Refusal::too_large(format!("the body: expected at most {most} bytes, got more"));
        let size = body.size_hint().upper();
        if size.is_some_and(|size| size > most as u64) {
            return Err(too_large());
        }
        check_encoding(&parts.headers)?;
        let attention = Attention::new(Hold::new(Arc::clone(&self.room), Arc::clone(&self.metrics)));
        let is_small = size.is_some_and(|size| size <= SMALL as u64);
        if !is_small {
            attention.hold().take_room()?;
        }
        match timeout(self.limits.timeout, to_bytes(body, most)).await {
            Ok(Ok(bytes)) => {
                if let Some(place) = parts.extensions.get::<Arc<Place>>() {
                    place.work();
                }
                Ok(Received { parts, bytes, since, attention })
            }
            Ok(Err(error)) => {
                let is_limit =
                    std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("limit"));
                Err(if is_limit { too_large() } else { Refusal::bad(format!("the body: cannot be read: {error}")) })
            }
            Err(_) => {
                let message =
                    format!("the body: expected within {} s, got only a part", self.limits.timeout.as_secs_f64());
                Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, message))
            }
        }
    }

    /// Queues work and waits for its answer.
    pub(crate) async fn answer(
        &self,
        model: &Arc<ServedModel>,
        received: &Received,
        work: Work,
    ) -> Result<Response, Refusal> {
        let answered = self.computed(model, received, work).await;
        let tally = if answered.is_ok() { &model.statistics.success } else { &model.statistics.fail };
        tally.add(received.since.elapsed());
        answered
    }

    async fn computed(&self, model: &Arc<ServedModel>, received: &Received, work: Work) -> Result<Response, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Job { model: Arc::clone(model), work, reply, since: Instant::now() })?;
        let answer = match timeout(time_left(received.since, &self.limits), answer).await {
            Ok(Ok(answer)) => answer?,
            // The thread lost the request by a panic.
            Ok(Err(_)) => return Err(Refusal::failed()),
            Err(_) => {
                let seconds = self.limits.timeout.as_secs_f64();
                return Err(Refusal::busy(format!("expected an answer within {seconds} s, got none; send fewer rows")));
            }
        };
        let note = AnswerNote { model: model.name.clone(), rows: answer.rows, bytes: received.bytes.len() };
        let kibibytes = u32::try_from(answer.length().div_ceil(1 << 10)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.answers).try_acquire_many_owned(kibibytes).map_err(|_| {
            self.metrics.shed();
            Refusal::busy("the server is busy: expected fewer large answers to be taken at once; try again later")
        })?;
        let mut response = answer.until_taken(room);
        response.extensions_mut().insert(note);
        Ok(response)
    }

    /// The model of a path, and of its version if it has one.
    pub(crate) fn model(&self, path: &HashMap<String, String>) -> Result<Arc<ServedModel>, Refusal> {
        let name = path.get("model").map_or("", String::as_str);
        self.store.get(name, path.get("version").map(String::as_str))
    }
}

impl Received {
    /// What its rows may ask for.
    pub(crate) fn row_limits(&self, limits: &ServeLimits) -> RowLimits {
        RowLimits { rows: limits.max_rows, body: limits.max_body, hold: Arc::clone(self.attention.hold()) }
    }

    /// The parameters of the query, all of which must be among `known`.
    pub(crate) fn query(&self, known: &[&str]) -> Result<HashMap<String, String>, Refusal> {
        query(&self.parts.uri, known)
    }
}

/// The parameters of a query, all of which must be among `known`.
pub(crate) fn query(uri: &Uri, known: &[&str]) -> Result<HashMap<String, String>, Refusal> {
    let Query(query) = Query::<HashMap<String, String>>::try_from_uri(uri)
        .map_err(|error| Refusal::bad(format!("the query: cannot be read: {error}")))?;
    match query.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => {
            let expected = if known.is_empty() { "nothing".to_owned() } else { known.join(" or ") };
            Err(Refusal::bad(format!("the query: expected {expected}, got `{name}`")))
        }
        None => Ok(query),
    }
}

/// Bodies are taken as they are.
pub(crate) fn check_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    match encoding.filter(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        Some(encoding) => {
            let message = format!("Content-Encoding: expected none, got `{encoding}`; send the body as it is");
            Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
        }
        None => Ok(()),
    }
}
