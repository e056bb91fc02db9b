//! What a server is started with: models, address, keys and limits.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use narrows_core::Compute;
use narrows_core::report::{NewDataReport, ScoredData};

/// How a server is started.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Model files, and folders of files `*.narrows`. The name of a model is that of its file without the extension.
    pub models: Vec<PathBuf>,
    /// The address to listen on. Other machines are only served if it is not a loopback address.
    pub host: String,
    /// The port; 0 is any that is free.
    pub port: u16,
    /// A file of keys, one a line; without it no key is needed.
    pub api_keys: Option<PathBuf>,
    /// A folder that callers with a key may upload models to, and delete them from. It is served, too.
    pub uploads: Option<PathBuf>,
    /// Another path of `/invocations`, if a hosting platform asks for one.
    pub predict_route: Option<String>,
    /// Another path of `/health`.
    pub health_route: Option<String>,
    /// Names of this server beside its address, where only this machine is listened to: a web page can make a browser ask
    /// this machine under a name of its own, so requests for other names are refused.
    pub allowed_hosts: Vec<String>,
    /// What a request may ask for.
    pub limits: ServeLimits,
    /// How often the model files are looked at for changes.
    pub reload_every: Duration,
    /// The threads to compute with.
    pub compute: Compute,
    /// Where the lines of the log go, a JSON object each.
    pub log: LogSink,
    /// Data that the page of a model shows from the start.
    pub opened: Option<OpenedData>,
}

impl Default for ServeOptions {
    /// No models, the loopback address, port 8080, all cores, no log.
    fn default() -> ServeOptions {
        ServeOptions {
            models: Vec::new(),
            host: "127.0.0.1".to_owned(),
            port: 8080,
            api_keys: None,
            uploads: None,
            predict_route: None,
            health_route: None,
            allowed_hosts: Vec::new(),
            limits: ServeLimits::default(),
            reload_every: Duration::from_secs(2),
            compute: Compute::all_cores(),
            log: LogSink::none(),
            opened: None,
        }
    }
}

/// Data that the page of a model shows from the start.
#[derive(Debug, Clone)]
pub struct OpenedData {
    /// The model whose page it is.
    pub model: String,
    /// The findings in the data.
    pub found: NewDataReport,
    /// Its rows.
    pub data: ScoredData,
}

/// Limits on requests, on what waits, and on what is gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeLimits {
    /// Bytes of a body, also once it is unfolded if it is compressed.
    pub max_body: usize,
    /// Rows of a request.
    pub max_rows: usize,
    /// Pixels of the images of a request.
    pub max_pixels: u64,
    /// Requests that may wait for a thread; further ones are refused at once.
    pub queue: usize,
    /// Time for the body to arrive and for the answer to be computed, together.
    pub timeout: Duration,
    /// Rows that small requests are gathered to.
    pub batch_rows: usize,
    /// How long a small request may wait for others to be gathered with. With zero, those that wait anyway are.
    pub max_delay: Duration,
    /// Open connections, within what the process may have open. A further one takes the place of that which has waited
    /// longest for its client.
    pub connections: usize,
    /// Time for the head of a request to arrive; also how long a connection may be idle.
    pub head: Duration,
    /// Time for requests to end once the server is stopped; after it they are cut off.
    pub drain: Duration,
    /// Streams that may be open; further ones are refused.
    pub streams: usize,
    /// Time without a row after which a stream is forgotten.
    pub stream_idle: Duration,
}

impl Default for ServeLimits {
    /// 32 MiB, a million rows, 16 million pixels, 64 waiting, 30 seconds, 1024 rows gathered without delay, 16,384
    /// connections, 10 seconds for a head, 30 to end, 64 streams, forgotten after an hour.
    fn default() -> ServeLimits {
        ServeLimits {
            max_body: 32 << 20,
            max_rows: 1_000_000,
            max_pixels: 1 << 24,
            queue: 64,
            timeout: Duration::from_secs(30),
            batch_rows: 1024,
            max_delay: Duration::ZERO,
            connections: 16_384,
            head: Duration::from_secs(10),
            drain: Duration::from_secs(30),
            streams: 64,
            stream_idle: Duration::from_secs(3600),
        }
    }
}

/// How many times the largest body its rows may take in memory: compressed bodies are small.
const UNFOLDED: usize = 16;

/// Bytes in memory that the rows of a body may take, where bodies may have so many.
pub(crate) fn in_memory(body: usize) -> usize {
    body.saturating_mul(UNFOLDED)
}

/// A receiver of log lines.
#[derive(Clone)]
pub struct LogSink(Arc<dyn Fn(&str) + Send + Sync>);

impl LogSink {
    /// Lines go to a function, without the end of the line.
    pub fn new(write: impl Fn(&str) + Send + Sync + 'static) -> LogSink {
        LogSink(Arc::new(write))
    }

    /// Lines go nowhere.
    pub fn none() -> LogSink {
        LogSink::new(|_| ())
    }

    /// Writes a line.
    pub(crate) fn line(&self, line: &serde_json::Value) {
        (self.0)(&line.to_string());
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSink")
    }
}
