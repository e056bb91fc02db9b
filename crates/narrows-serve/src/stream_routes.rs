//! Streams over HTTP: rows as lines of JSON in, a line for each out, while the request is still being sent.
//!
//! Lines are scored by the threads that score everything else, a few at a time. When these are busy, or the client does
//! not read its answers, its body is not read on either.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use narrows_core::data::Format;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::answer::{Answer, AnswerForm};
use crate::app::{App, PathParams, SharedApp, check_encoding, query};
use crate::connections::Place;
use crate::protocol::{aside, reply};
use crate::queue::{Job, Work};
use crate::refusal::Refusal;
use crate::rows_in::BodyForm;
use crate::scoring::reasons;
use crate::served::ServedModel;
use crate::stream_rows::{LineCutter, StreamLine};
use crate::streams::StreamLease;

/// Lines scored at once, so that a stream does not keep a thread from other requests.
const LINES: usize = 64;
/// Bytes of answers sent at once, and how many such pieces wait for the client to read them.
const PIECE: usize = 64 << 10;
const PIECES: usize = 64;
/// How often it is looked whether the queue has room.
const LOOK: Duration = Duration::from_millis(10);
/// How long a server that stops waits for a body to go on.
const GRACE: Duration = Duration::from_secs(1);

/// Rows for a stream.
pub(crate) async fn write(
    State(app): SharedApp,
    Path(path): PathParams,
    request: Request,
) -> Result<Response, Refusal> {
    let model = app.model(&path)?;
    model.tabular()?;
    let (parts, body) = request.into_parts();
    check_types(&parts.headers)?;
    check_encoding(&parts.headers)?;
    let reasons = reasons(&query(&parts.uri, &["explain"])?, 0)?;
    if !app.queue.has_room() {
        return Err(Refusal::busy("the server is busy: expected fewer waiting requests; try again later"));
    }
    let lease = app.streams.begin(&model, id(&path))?;
    let (send, receive) = mpsc::channel(PIECES);
    let deleted = lease.stream.deleted();
    let place = parts.extensions.get::<Arc<Place>>().cloned();
    let writer = StreamWriter { app, name: model.name.clone(), lease, reasons, send, place };
    tokio::spawn(writer.run(body, deleted));
    let ndjson = HeaderValue::from_static(AnswerForm::Ndjson.content_type());
    Ok(([(header::CONTENT_TYPE, ndjson)], Body::new(AnswerLines(receive))).into_response())
}

/// Where a stream stands.
pub(crate) async fn read(State(app): SharedApp, Path(path): PathParams) -> Result<Response, Refusal> {
    let stream = app.streams.get(&*app.model(&path)?, id(&path))?;
    // Its rows may be being scored.
    Ok(reply(StatusCode::OK, &aside(move || stream.document()).await?))
}

/// Forgets a stream.
pub(crate) async fn forget(State(app): SharedApp, Path(path): PathParams) -> Result<Response, Refusal> {
    let stream = app.streams.delete(&*app.model(&path)?, id(&path))?;
    Ok(reply(StatusCode::OK, &aside(move || stream.document()).await?))
}

fn id(path: &std::collections::HashMap<String, String>) -> &str {
    path.get("id").map_or("", String::as_str)
}

/// Only lines of JSON can be read and written as they come.
fn check_types(headers: &HeaderMap) -> Result<(), Refusal> {
    if !matches!(BodyForm::of(headers)?, BodyForm::Untold | BodyForm::Table(Format::Ndjson)) {
        let message = "Content-Type: expected application/x-ndjson for a stream, got another";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    if matches!(AnswerForm::accepted(headers)?, AnswerForm::Json | AnswerForm::Ndjson) {
        return Ok(());
    }
    let message = "Accept: expected application/x-ndjson for a stream, got another";
    Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, message))
}

/// What answers a request that writes to a stream.
struct StreamWriter {
    app: Arc<App>,
    /// The name of the model.
    name: String,
    lease: StreamLease,
    reasons: usize,
    send: mpsc::Sender<Bytes>,
    /// That of its connection, which waits for its client between two rows.
    place: Option<Arc<Place>>,
}

/// Why no further line is read.
enum StreamEnd {
    /// The client has gone, or does not read.
    Silent,
    /// What the client is told.
    Told(String),
}

impl StreamWriter {
    async fn run(mut self, body: Body, deleted: tokio::sync::watch::Receiver<bool>) {
        let start = Instant::now();
        let end = match self.pump(body, deleted).await {
            Ok(()) | Err(StreamEnd::Silent) => None,
            Err(StreamEnd::Told(message)) => {
                let rows = self.lease.stream.state().rows();
                let message = format!("{message}; row {rows} and later ones were not read");
                let line = json!({"row": rows, "error": message});
                // The client may have gone.
                let _ = self.put(format!("{line}\n").into_bytes()).await;
                Some(message)
            }
        };
        let document = self.lease.stream.document();
        self.app.log.line(&json!({
            "time": jiff::Timestamp::now().to_string(),
            "level": "info",
            "event": "stream",
            "model": self.name,
            "stream": document["id"],
            "rows": document["rows"],
            "invalid_rows": document["invalid_rows"],
            "seconds": start.elapsed().as_secs_f64(),
            "error": end,
        }));
    }

    /// Reads the body to its end.
    async fn pump(&mut self, mut body: Body, mut deleted: tokio::sync::watch::Receiver<bool>) -> Result<(), StreamEnd> {
        if let Some(warning) = self.lease.warning.take() {
            self.warn(&warning).await?;
        }
        let mut stopped = self.app.stopped.clone();
        let mut cutter = LineCutter::default();
        loop {
            let is_stopping = *stopped.borrow();
            let patience = if is_stopping { GRACE } else { self.app.limits.stream_idle };
            let next = poll_fn(|context| Pin::new(&mut body).poll_frame(context));
            let frame = tokio::select! {
                frame = timeout(patience, next) => frame,
                _ = deleted.wait_for(|deleted| *deleted) => {
                    return Err(StreamEnd::Told("the stream was deleted".to_owned()));
                }
                _ = stopped.wait_for(|stopped| *stopped), if !is_stopping => continue,
                () = self.send.closed() => return Err(StreamEnd::Silent),
            };
            match frame {
                Ok(Some(Ok(frame))) => {
                    let Ok(bytes) = frame.into_data() else { continue };
                    self.place.iter().for_each(|place| place.wait());
                    let lines = cutter.push(&bytes);
                    self.score(lines).await?;
                }
                // What came before the connection broke was answered.
                Ok(Some(Err(_))) => return Err(StreamEnd::Silent),
                Ok(None) => return self.score(cutter.end().into_iter().collect()).await,
                Err(_) if is_stopping => return Err(StreamEnd::Told("the server stops".to_owned())),
                Err(_) => {
                    let seconds = patience.as_secs();
                    return Err(StreamEnd::Told(format!("expected a row within {seconds} s, got none")));
                }
            }
        }
    }

    /// Scores lines and sends their answers.
    async fn score(&mut self, lines: Vec<StreamLine>) -> Result<(), StreamEnd> {
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let some: Vec<StreamLine> = lines.by_ref().take(LINES).collect();
            let model = self.app.store.get(&self.name, None).map_err(|refusal| {
                self.app.streams.drop_stream(&self.lease.stream);
                StreamEnd::Told(format!("the model is not served any more: {}", refusal.message))
            })?;
            let version = self.lease.stream.state().version().to_owned();
            if version != model.version {
                let (now, rows) = (&model.version, self.lease.stream.state().rows());
                let warning = format!("the model has changed from version {version} to {now}; the stream starts anew");
                self.warn(&format!("{warning} with row {rows}")).await?;
            }
            let answer = self.computed(&model, some).await.map_err(|refusal| {
                if refusal.status != StatusCode::SERVICE_UNAVAILABLE {
                    // Something failed between two rows.
                    self.app.streams.drop_stream(&self.lease.stream);
                }
                StreamEnd::Told(refusal.message)
            })?;
            self.put(answer.into_bytes()).await?;
        }
        Ok(())
    }

    /// The answer of the threads that score.
    async fn computed(&self, model: &Arc<ServedModel>, lines: Vec<StreamLine>) -> Result<Answer, Refusal> {
        let until = Instant::now() + self.app.limits.timeout;
        while !self.app.queue.has_room() && Instant::now() < until {
            sleep(LOOK).await;
        }
        let (reply, answer) = oneshot::channel();
        let (stream, metrics, reasons) = (Arc::clone(&self.lease.stream), Arc::clone(&self.app.metrics), self.reasons);
        let next = Arc::clone(model);
        let work = Work::Other(Box::new(move || {
            let mut state = stream.state();
            if state.version() != next.version {
                state.renew(&next)?;
            }
            Ok(Answer::lines(state.answer(&lines, reasons, &metrics)?, lines.len()))
        }));
        self.app.queue.push(Job { model: Arc::clone(model), work, reply, since: Instant::now() })?;
        answer.await.map_err(|_| Refusal::failed())?
    }

    async fn warn(&self, warning: &str) -> Result<(), StreamEnd> {
        self.put(format!("{}\n", json!({"warning": warning})).into_bytes()).await
    }

    /// Sends bytes to the client, as fast as it reads.
    async fn put(&self, bytes: Vec<u8>) -> Result<(), StreamEnd> {
        let mut bytes = Bytes::from(bytes);
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            let sent = timeout(self.app.limits.timeout, self.send.send(piece)).await;
            sent.ok().and_then(Result::ok).ok_or(StreamEnd::Silent)?;
        }
        Ok(())
    }
}

/// The body of an answer that is being made.
struct AnswerLines(mpsc::Receiver<Bytes>);

impl HttpBody for AnswerLines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
