//! The server: a thread for connections, threads that compute, and one that looks after the model files.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use narrows_core::Error;
use narrows_core::error::Place as SourcePlace;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::app::App;
use crate::connections::{Connections, Place};
use crate::hosts::Hosts;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::open_files;
use crate::options::{LogSink, ServeLimits, ServeOptions};
use crate::patient_stream::PatientStream;
use crate::queue::Queue;
use crate::routes::{aliases, router};
use crate::store::ModelStore;
use crate::streams::Streams;
use crate::upload_folder::UploadFolder;

/// Bytes of a request's head.
const HEAD_BYTES: usize = 64 << 10;
/// A pause after a connection could not be accepted, as when there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// How often it is told that connections cannot be accepted.
const QUIET: Duration = Duration::from_secs(10);
/// How long threads may take to end once nobody waits for their work any more.
const LAST: Duration = Duration::from_secs(3);
/// Bytes of answers that may wait for their clients, as a number of permits.
const ANSWER_UNIT: usize = 1 << 10;

/// A running server. Dropped, it stops without waiting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    app: Arc<App>,
    connections: Option<JoinHandle<()>>,
    /// Disconnected once all threads that compute have ended.
    workers: mpsc::Receiver<()>,
    reloading: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl Server {
    /// Loads the models and starts to listen. The process's limit of open files is raised to its hard limit, as each
    /// connection is one.
    ///
    /// # Errors
    /// If a model or the file of keys cannot be read, or the address cannot be listened on.
    ///
    /// ```
    /// use narrows_serve::{ServeOptions, Server};
    ///
    /// let options = ServeOptions { models: vec!["no such file.narrows".into()], port: 0, ..ServeOptions::default() };
    /// assert!(Server::start(options).is_err());
    /// ```
    pub fn start(options: ServeOptions) -> Result<Server, Error> {
        let ServeOptions { models, host, port, api_keys, allowed_hosts, limits, reload_every, compute, log, .. } =
            options;
        let opened = options.opened;
        let aliases = aliases(options.predict_route, options.health_route)?;
        let keys = api_keys.map(|path| Keys::read(&path)).transpose()?;
        let mut models = models;
        let uploads = options.uploads.map(|folder| uploads(folder, &mut models)).transpose()?;
        let store = Arc::new(ModelStore::open(models, uploads.is_some(), compute.clone())?);
        let listener = listen(&host, port)?;
        let address = listener.local_addr().map_err(|error| not_listening(&host, port, &error))?;
        let metrics = Arc::new(Metrics::new());
        metrics.models(&store);
        let queue = Arc::new(Queue::new(limits, Arc::clone(&metrics), log.clone()));
        let is_stopping = AtomicBool::new(false);
        // As many as can wait or be computed.
        let bodies = limits.queue.saturating_add(compute.n_threads()).min(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(bodies));
        let answers = bodies.saturating_mul(limits.max_body.div_ceil(ANSWER_UNIT)).min(u32::MAX as usize);
        let answers = Arc::new(Semaphore::new(answers.min(Semaphore::MAX_PERMITS)));
        let hosts = Hosts::of(address, &host, allowed_hosts);
        let (stop, stopped) = watch::channel(false);
        let streams = Streams::new(limits);
        let app = Arc::new(App {
            store,
            queue,
            metrics,
            limits,
            room,
            answers,
            keys,
            hosts,
            aliases,
            log,
            opened,
            streams,
            uploads: UploadFolder::new(uploads),
            is_stopping,
            stopped: stopped.clone(),
        });
        let (working, workers) = mpsc::channel();
        for _ in 0..compute.n_threads() {
            let (queue, working) = (Arc::clone(&app.queue), working.clone());
            thread::spawn(move || {
                queue.work();
                drop(working);
            });
        }
        drop(working);
        let service = router(&app);
        let log = app.log.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| not_listening(&host, port, &error))?;
        let most = limits.connections.min(open_files::room_for_connections());
        let open = Arc::new(Connections::new(most, Arc::clone(&app.metrics)));
        let connections = thread::spawn(move || {
            runtime.block_on(serve(listener, service, stopped, open, limits, log));
            runtime.shutdown_timeout(LAST);
        });
        let reloading = Some(reload(&app, reload_every));
        for model in app.store.all() {
            let line = json!({"level": "info", "event": "loaded", "model": model.name, "version": model.version});
            app.log.line(&line);
        }
        let listening = format!("http://{address}");
        app.log.line(&json!({"level": "info", "event": "listening", "address": listening}));
        Ok(Server { address, stop, app, connections: Some(connections), workers, reloading })
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names of the models.
    pub fn models(&self) -> Vec<String> {
        self.app.store.all().iter().map(|model| model.name.clone()).collect()
    }

    /// Stops accepting connections; requests that have begun are answered.
    pub fn stop(&self) {
        if !self.app.is_stopping.swap(true, Ordering::Relaxed) {
            self.app.log.line(&json!({"level": "info", "event": "stopping"}));
        }
        let _ = self.stop.send(true);
    }

    /// Waits until the server has ended: after [`stop`](Server::stop), as long as requests take, within
    /// [`ServeLimits::drain`]. What is being computed then is given up; threads that do not notice soon are left to the end
    /// of the process.
    pub fn wait(mut self) {
        if let Some(connections) = self.connections.take() {
            // A panic there is told by the thread itself.
            let _ = connections.join();
        }
        self.app.queue.close();
        if self.workers.recv_timeout(LAST) == Err(mpsc::RecvTimeoutError::Timeout) {
            let error = "a computation was cut off";
            self.app.log.line(&json!({"level": "error", "event": "drain", "error": error}));
        }
        if let Some((end, thread)) = self.reloading.take() {
            drop(end);
            let _ = thread.join();
        }
        self.app.log.line(&json!({"level": "info", "event": "stopped"}));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        self.app.queue.close();
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("store", &self.store).finish_non_exhaustive()
    }
}

/// The folder for uploads as it is named among those that are served, to which it is added otherwise.
fn uploads(folder: PathBuf, models: &mut Vec<PathBuf>) -> Result<PathBuf, Error> {
    if !folder.is_dir() {
        let message = "expected a folder for uploads, got none; create it first";
        return Err(Error::data(SourcePlace::source(folder.display().to_string()), message));
    }
    let real = |path: &PathBuf| std::fs::canonicalize(path).ok();
    if let Some(named) = models.iter().find(|named| real(named) == real(&folder)) {
        return Ok(named.clone());
    }
    models.push(folder.clone());
    Ok(folder)
}

fn listen(host: &str, port: u16) -> Result<TcpListener, Error> {
    let addresses: Vec<SocketAddr> = match (host, port).to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let message = format!("expected an address of this machine, got `{host}`: {error}");
            return Err(Error::recipe("host", message));
        }
    };
    let attempt = || {
        let listener = TcpListener::bind(&addresses[..])?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    attempt().map_err(|error: std::io::Error| not_listening(host, port, &error))
}

fn not_listening(host: &str, port: u16, error: &std::io::Error) -> Error {
    let message = format!("expected an address to listen on, got {host}:{port}: {error}");
    Error::recipe("port", message).with_hint("choose another port, or 0 for any that is free")
}

/// Looks at the model files until the sender is dropped.
fn reload(app: &Arc<App>, every: Duration) -> (mpsc::Sender<()>, JoinHandle<()>) {
    let (end, ended) = mpsc::channel::<()>();
    let app = Arc::clone(app);
    let thread = thread::spawn(move || {
        while ended.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
            let lines = app.store.refresh();
            for line in lines.iter().filter(|line| line["event"] == "reload") {
                app.metrics.reload_failed(line["model"].as_str().unwrap_or_default());
            }
            if !lines.is_empty() {
                app.metrics.models(&app.store);
            }
            lines.iter().for_each(|line| app.log.line(line));
            app.streams.sweep(&app.store).iter().for_each(|line| app.log.line(line));
        }
    });
    (end, thread)
}

/// Accepts connections until the server is stopped, then waits for those that are open.
async fn serve(
    listener: TcpListener,
    service: Router,
    mut stopped: watch::Receiver<bool>,
    connections: Arc<Connections>,
    limits: ServeLimits,
    log: LogSink,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return log.line(&json!({"level": "error", "event": "listen", "error": error.to_string()})),
    };
    let mut open = JoinSet::new();
    let mut told: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                open.spawn(connection(stream, service.clone(), connections.enter(), stopped.clone(), limits));
            }
            Err(error) => {
                // Most likely there are too many open files.
                connections.end_oldest();
                if told.is_none_or(|told| told.elapsed() > QUIET) {
                    told = Some(Instant::now());
                    log.line(&json!({"level": "error", "event": "accept", "error": error.to_string()}));
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all = async { while open.join_next().await.is_some() {} };
    if timeout(limits.drain, all).await.is_err() {
        log.line(&json!({"level": "error", "event": "drain", "error": "requests were cut off"}));
    }
}

/// Answers the requests of a connection.
async fn connection(
    stream: TcpStream,
    service: Router,
    place: Arc<Place>,
    mut stopped: watch::Receiver<bool>,
    limits: ServeLimits,
) {
    // Small answers are not held back to be sent with later ones.
    let _ = stream.set_nodelay(true);
    let stream = TokioIo::new(PatientStream::new(stream, limits.timeout));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(HEAD_BYTES);
    let service = TowerToHyperService::new(service);
    let placed = Arc::clone(&place);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Arc::clone(&placed));
        service.call(request)
    });
    let mut connection = std::pin::pin!(builder.serve_connection(stream, service));
    // What goes wrong here is between the client and its network.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = place.ended() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = place.ended() => {}
    }
}
