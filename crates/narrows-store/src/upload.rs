//! An object being written: in parts while the data comes, visible when all of them are there.
//!
//! What is not longer than a part is one request at the end. Otherwise the store keeps the parts of a multipart upload, which
//! must be given up if it is not finished, as they would be charged for: by dropping it, and when the process is about to end
//! by [`abandon_all`].

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use narrows_core::data::Upload;
use object_store::path::Path;
use object_store::{GetOptions, MultipartUpload, ObjectStoreExt, PutPayload};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;

use crate::address::{Address, Kind};
use crate::connection::Connection;
use crate::failure::{is_about_range, told};
use crate::runtime::{wait, wait_at_most};

/// Bytes of a part. Stores take up to 10,000 parts of at least 5 MiB; some want them equal.
const PART: usize = 8 << 20;
/// Bytes of a part of an object of more than [`FEW`] parts.
const LARGE_PART: usize = 64 << 20;
const FEW: usize = 2000;
/// Parts sent at a time, which bounds memory.
const AT_ONCE: usize = 4;
/// Time to give up an upload.
const GIVE_UP: Duration = Duration::from_secs(8);

static LIVE: std::sync::Mutex<Vec<Weak<Mutex<Parts>>>> = std::sync::Mutex::new(Vec::new());
static ABANDONED: AtomicBool = AtomicBool::new(false);
static ABANDON: Notify = Notify::const_new();

/// The parts of an upload that are at the store or on the way.
#[derive(Debug, Default)]
struct Parts {
    upload: Option<Box<dyn MultipartUpload>>,
    sent: JoinSet<object_store::Result<()>>,
}

/// An object that is there once it is finished.
pub(crate) struct RemoteUpload {
    address: Address,
    connection: Arc<Connection>,
    path: Path,
    buffer: Vec<u8>,
    n_parts: usize,
    parts: Arc<Mutex<Parts>>,
    is_finished: bool,
}

fn abandoned() -> io::Error {
    io::Error::other("the upload was given up")
}

/// The result of a request for an upload. Once all are given up the process is about to end: whoever writes waits for that, so
/// that it is not told as a failure.
fn settled<T>(result: io::Result<T>) -> io::Result<T> {
    while ABANDONED.load(Ordering::SeqCst) {
        std::thread::park();
    }
    result
}

impl RemoteUpload {
    /// Checks that the object can be written, as far as the store can tell without writing it.
    pub(crate) fn create(address: Address) -> io::Result<RemoteUpload> {
        if address.kind == Kind::Web {
            let message = "files on web servers can only be read: write to disk, s3://, gs:// or az://";
            return Err(io::Error::new(ErrorKind::Unsupported, message));
        }
        let (connection, path) = (Connection::to(&address)?, address.path()?);
        let parts = Arc::new(Mutex::new(Parts::default()));
        {
            let mut live = LIVE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            live.retain(|parts| parts.strong_count() > 0);
            live.push(Arc::downgrade(&parts));
        }
        let upload =
            RemoteUpload { address, connection, path, buffer: Vec::new(), n_parts: 0, parts, is_finished: false };
        upload.try_out()?;
        Ok(upload)
    }

    /// Begins an upload and gives it up; where a begin asks nothing of the store, looks for the object.
    fn try_out(&self) -> io::Result<()> {
        let (address, connection, path) = (self.address.clone(), Arc::clone(&self.connection), self.path.clone());
        let parts = Arc::clone(&self.parts);
        settled(wait(async move {
            let tried = match address.kind {
                Kind::Azure => {
                    let options = GetOptions { range: Some((0..1).into()), ..GetOptions::default() };
                    match connection.quick.get_opts(&path, options).await {
                        Err(object_store::Error::NotFound { source, .. })
                            if !source.to_string().contains("ContainerNotFound") =>
                        {
                            Ok(())
                        }
                        Err(error) if is_about_range(&error) => Ok(()),
                        found => found.map(drop),
                    }
                }
                _ => {
                    let mut parts = parts.lock().await;
                    if ABANDONED.load(Ordering::SeqCst) {
                        return Err(abandoned());
                    }
                    match connection.quick.put_multipart(&path).await {
                        Ok(upload) => parts.upload.insert(upload).abort().await.map(|()| parts.upload = None),
                        Err(error) => Err(error),
                    }
                }
            };
            tried.map_err(|error| told(&error, &address))
        }))
    }

    fn part_size(&self) -> usize {
        if self.n_parts < FEW { PART } else { LARGE_PART }
    }

    /// Sends what is buffered as a part, once there are few enough on the way.
    fn send(&mut self) -> io::Result<()> {
        let part = Bytes::from(std::mem::take(&mut self.buffer));
        self.n_parts += 1;
        let (address, connection, path) = (self.address.clone(), Arc::clone(&self.connection), self.path.clone());
        let parts = Arc::clone(&self.parts);
        settled(wait(async move {
            let mut parts = parts.lock().await;
            if ABANDONED.load(Ordering::SeqCst) {
                return Err(abandoned());
            }
            if parts.upload.is_none() {
                let upload = connection.patient.put_multipart(&path).await;
                parts.upload = Some(upload.map_err(|error| told(&error, &address))?);
            }
            parts.leave(AT_ONCE - 1, &address).await?;
            let Parts { upload, sent } = &mut *parts;
            if let Some(upload) = upload {
                sent.spawn(upload.put_part(PutPayload::from_bytes(part)));
            }
            Ok(())
        }))
    }
}

impl Parts {
    /// Waits until at most `count` parts are on the way.
    async fn leave(&mut self, count: usize, address: &Address) -> io::Result<()> {
        while self.sent.len() > count {
            let gone = ABANDON.notified();
            if ABANDONED.load(Ordering::SeqCst) {
                return Err(abandoned());
            }
            tokio::select! {
                done = self.sent.join_next() => match done {
                    Some(Ok(sent)) => sent.map_err(|error| told(&error, address))?,
                    Some(Err(error)) => return Err(io::Error::other(error)),
                    None => {}
                },
                () = gone => return Err(abandoned()),
            }
        }
        Ok(())
    }

    /// Takes back what was sent.
    async fn give_up(&mut self) {
        self.sent.shutdown().await;
        if let Some(mut upload) = self.upload.take() {
            // There is nobody to tell; the store's own rules remove what stays.
            let _ = upload.abort().await;
        }
    }
}

impl Write for RemoteUpload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.part_size() - self.buffer.len();
        let taken = bytes.len().min(room);
        self.buffer.extend_from_slice(&bytes[..taken]);
        if taken == room {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Upload for RemoteUpload {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.n_parts > 0 && !self.buffer.is_empty() {
            self.send()?;
        }
        let (address, connection, path) = (self.address.clone(), Arc::clone(&self.connection), self.path.clone());
        let (parts, rest) = (Arc::clone(&self.parts), std::mem::take(&mut self.buffer));
        settled(wait(async move {
            let mut parts = parts.lock().await;
            if ABANDONED.load(Ordering::SeqCst) {
                return Err(abandoned());
            }
            if parts.upload.is_none() {
                let put = connection.patient.put(&path, PutPayload::from(rest)).await;
                return put.map(drop).map_err(|error| told(&error, &address));
            }
            parts.leave(0, &address).await?;
            if let Some(upload) = &mut parts.upload {
                upload.complete().await.map_err(|error| told(&error, &address))?;
            }
            parts.upload = None;
            Ok(())
        }))?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for RemoteUpload {
    fn drop(&mut self) {
        if self.n_parts > 0 && !self.is_finished {
            let parts = Arc::clone(&self.parts);
            wait_at_most(GIVE_UP, async move { parts.lock().await.give_up().await });
        }
    }
}

/// Gives up all uploads; none begins afterwards.
pub(crate) fn abandon_all() {
    ABANDONED.store(true, Ordering::SeqCst);
    ABANDON.notify_waiters();
    let live = std::mem::take(&mut *LIVE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    let live: Vec<_> = live.iter().filter_map(Weak::upgrade).collect();
    if live.is_empty() {
        return;
    }
    wait_at_most(GIVE_UP, async move {
        for parts in live {
            parts.lock().await.give_up().await;
        }
    });
}
