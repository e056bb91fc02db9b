//! The server: a thread for connections, threads that compute, and one that looks after the model files.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use narrows_core::Error;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::app::App;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::options::{LogSink, ServeLimits, ServeOptions};
use crate::queue::Queue;
use crate::routes::{aliases, router};
use crate::store::ModelStore;
use crate::streams::Streams;

/// How long the head of a request may take to arrive; also how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(20);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 64 << 10;
/// A pause after a connection could not be accepted, as when there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running server. Dropped, it stops without waiting.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    app: Arc<App>,
    connections: Option<JoinHandle<()>>,
    workers: Vec<JoinHandle<()>>,
    reloading: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl Server {
    /// Loads the models and starts to listen.
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
        let ServeOptions { models, host, port, api_keys, limits, reload_every, compute, log, .. } = options;
        let aliases = aliases(options.predict_route, options.health_route)?;
        let keys = api_keys.map(|path| Keys::read(&path)).transpose()?;
        let store = Arc::new(ModelStore::open(models, compute.clone())?);
        let listener = listen(&host, port)?;
        let address = listener.local_addr().map_err(|error| not_listening(&host, port, &error))?;
        let metrics = Arc::new(Metrics::new());
        metrics.models(&store.all());
        let queue = Arc::new(Queue::new(limits, Arc::clone(&metrics), log.clone()));
        let is_stopping = AtomicBool::new(false);
        // As many as can wait or be computed.
        let room = Arc::new(Semaphore::new((limits.queue + compute.n_threads()).min(Semaphore::MAX_PERMITS)));
        let (stop, stopped) = watch::channel(false);
        let streams = Streams::new(limits);
        let app = App {
            store,
            queue,
            metrics,
            limits,
            room,
            keys,
            aliases,
            log,
            streams,
            is_stopping,
            stopped: stopped.clone(),
        };
        let app = Arc::new(app);
        let workers = (0..compute.n_threads()).map(|_| {
            let queue = Arc::clone(&app.queue);
            thread::spawn(move || queue.work())
        });
        let workers = workers.collect();
        let service = router(&app);
        let log = app.log.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| not_listening(&host, port, &error))?;
        let connections = thread::spawn(move || {
            runtime.block_on(serve(listener, service, stopped, limits, log));
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

    /// Waits until the server has ended: after [`stop`](Server::stop), as long as requests take, within the limit.
    pub fn wait(mut self) {
        if let Some(connections) = self.connections.take() {
            // A panic there is told by the thread itself.
            let _ = connections.join();
        }
        self.app.queue.close();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
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
            if !lines.is_empty() {
                app.metrics.models(&app.store.all());
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
    limits: ServeLimits,
    log: LogSink,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return log.line(&json!({"level": "error", "event": "listen", "error": error.to_string()})),
    };
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut open = JoinSet::new();
    loop {
        // Further connections wait in the system's queue.
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            accepted = accepted => accepted,
            Some(_) = open.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = connection(stream, service.clone(), stopped.clone());
                open.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => {
                log.line(&json!({"level": "error", "event": "accept", "error": error.to_string()}));
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
async fn connection(stream: TcpStream, service: Router, mut stopped: watch::Receiver<bool>) {
    // Small answers are not held back to be sent with later ones.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = std::pin::pin!(connection);
    // What goes wrong here is between the client and its network.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
