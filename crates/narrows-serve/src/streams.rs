//! The streams that are open, by model and id: how many there may be, who writes to which, and how they end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::options::ServeLimits;
use crate::refusal::Refusal;
use crate::served::ServedModel;
use crate::store::ModelStore;
use crate::stream_rows::StreamState;

/// Longest id of a stream.
pub(crate) const LONGEST_ID: usize = 128;
/// Streams of which is remembered that they were forgotten.
const REMEMBERED: usize = 1024;

/// Model and id.
type StreamKey = (String, String);

/// All streams.
#[derive(Debug)]
pub(crate) struct Streams {
    most: usize,
    idle: Duration,
    shelf: Mutex<StreamShelf>,
}

#[derive(Debug, Default)]
struct StreamShelf {
    open: BTreeMap<StreamKey, Arc<OpenStream>>,
    /// The last ones that were forgotten, so that a client is told.
    forgotten: VecDeque<StreamKey>,
}

/// A stream.
#[derive(Debug)]
pub(crate) struct OpenStream {
    key: StreamKey,
    state: Mutex<StreamState>,
    /// Whether a request writes to it.
    is_held: AtomicBool,
    used: Mutex<Instant>,
    deleted: watch::Sender<bool>,
}

/// The right to write to a stream, of one request at a time.
#[derive(Debug)]
pub(crate) struct StreamLease {
    pub(crate) stream: Arc<OpenStream>,
    /// What is to be told before the first row.
    pub(crate) warning: Option<String>,
}

impl OpenStream {
    pub(crate) fn state(&self) -> MutexGuard<'_, StreamState> {
        locked(&self.state)
    }

    /// Becomes true when the stream is deleted.
    pub(crate) fn deleted(&self) -> watch::Receiver<bool> {
        self.deleted.subscribe()
    }

    fn idle(&self) -> Duration {
        if self.is_held.load(Ordering::Acquire) { Duration::ZERO } else { locked(&self.used).elapsed() }
    }
}

impl Drop for StreamLease {
    fn drop(&mut self) {
        *locked(&self.stream.used) = Instant::now();
        self.stream.is_held.store(false, Ordering::Release);
    }
}

impl Streams {
    /// No streams.
    pub(crate) fn new(limits: ServeLimits) -> Streams {
        Streams { most: limits.streams, idle: limits.stream_idle, shelf: Mutex::default() }
    }

    /// The stream of this id to write to; a new one if there is none.
    pub(crate) fn begin(&self, model: &Arc<ServedModel>, id: &str) -> Result<StreamLease, Refusal> {
        if id.chars().count() > LONGEST_ID || id.chars().any(char::is_control) {
            let message = format!("the id of a stream: expected up to {LONGEST_ID} characters that can be seen");
            return Err(Refusal::bad(format!("{message}, got {}", id.chars().count())));
        }
        let key = (model.name.clone(), id.to_owned());
        let mut shelf = locked(&self.shelf);
        if let Some(stream) = shelf.open.get(&key) {
            if stream.is_held.swap(true, Ordering::AcqRel) {
                let message = format!("stream `{id}`: expected one request at a time, got another while one is open");
                let hint = "end that one, or DELETE the stream";
                return Err(Refusal::new(StatusCode::CONFLICT, format!("{message}; {hint}")));
            }
            return Ok(StreamLease { stream: Arc::clone(stream), warning: None });
        }
        if shelf.open.len() >= self.most {
            let message = format!("expected at most {} streams, got another, `{id}`", self.most);
            return Err(Refusal::busy(format!("{message}; DELETE those that are not needed any more")));
        }
        let stream = Arc::new(OpenStream {
            key: key.clone(),
            state: Mutex::new(StreamState::new(model)?),
            is_held: AtomicBool::new(true),
            used: Mutex::new(Instant::now()),
            deleted: watch::Sender::new(false),
        });
        let before = shelf.forgotten.len();
        shelf.forgotten.retain(|forgotten| *forgotten != key);
        let warning = (shelf.forgotten.len() < before).then(|| format!("stream `{id}` was forgotten; it starts anew"));
        shelf.open.insert(key, Arc::clone(&stream));
        Ok(StreamLease { stream, warning })
    }

    /// The stream of this id, to look at.
    pub(crate) fn get(&self, model: &ServedModel, id: &str) -> Result<Arc<OpenStream>, Refusal> {
        let key = (model.name.clone(), id.to_owned());
        let shelf = locked(&self.shelf);
        shelf.open.get(&key).cloned().ok_or_else(|| self.unknown(&shelf, &key))
    }

    /// Forgets a stream as a client asks; a request that writes to it ends.
    pub(crate) fn delete(&self, model: &ServedModel, id: &str) -> Result<Arc<OpenStream>, Refusal> {
        let key = (model.name.clone(), id.to_owned());
        let mut shelf = locked(&self.shelf);
        let Some(stream) = shelf.open.remove(&key) else { return Err(self.unknown(&shelf, &key)) };
        stream.deleted.send_replace(true);
        Ok(stream)
    }

    fn unknown(&self, shelf: &StreamShelf, key: &StreamKey) -> Refusal {
        let id = &key.1;
        let why = if shelf.forgotten.contains(key) {
            format!("one that had rows in the last {} s, got one that was forgotten, `{id}`", self.idle.as_secs())
        } else {
            format!("the id of one that POST has begun, got `{id}`")
        };
        Refusal::unknown(format!("stream: expected {why}"))
    }

    /// Forgets a stream whose state may be wrong, or whose model is gone.
    pub(crate) fn drop_stream(&self, stream: &Arc<OpenStream>) {
        let mut shelf = locked(&self.shelf);
        // Another of the same id may have begun.
        if shelf.open.get(&stream.key).is_some_and(|open| Arc::ptr_eq(open, stream)) {
            shelf.forget(&stream.key);
        }
    }

    /// Forgets streams that were idle for too long, and those of models that are gone. Each line tells of one.
    pub(crate) fn sweep(&self, store: &ModelStore) -> Vec<Value> {
        let mut shelf = locked(&self.shelf);
        let is_over = |stream: &OpenStream| {
            let is_held = stream.is_held.load(Ordering::Acquire);
            !is_held && (stream.idle() >= self.idle || store.get(&stream.key.0, None).is_err())
        };
        let over: Vec<StreamKey> =
            shelf.open.iter().filter(|(_, stream)| is_over(stream)).map(|(key, _)| key.clone()).collect();
        for key in &over {
            shelf.forget(key);
        }
        let line = |(model, id): &StreamKey| json!({"level": "info", "event": "stream_forgotten", "model": model, "stream": id});
        over.iter().map(line).collect()
    }
}

impl StreamShelf {
    fn forget(&mut self, key: &StreamKey) {
        if self.open.remove(key).is_some() {
            if self.forgotten.len() >= REMEMBERED {
                self.forgotten.pop_front();
            }
            self.forgotten.push_back(key.clone());
        }
    }
}

impl OpenStream {
    /// What is known of the stream.
    pub(crate) fn document(&self) -> Value {
        let mut document = self.state().document();
        document["id"] = json!(self.key.1);
        document["is_open"] = json!(self.is_held.load(Ordering::Acquire));
        document["idle_seconds"] = json!(self.idle().as_secs_f64());
        document
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
