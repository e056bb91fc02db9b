//! Readers of an object from its start: in chunks that are fetched ahead, or as one answer.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::Mutex;

use crate::failure::told;
use crate::place::ObjectPlace;
use crate::runtime::{result, start, wait};

/// Bytes of a chunk. Each is a request with retries of its own, so a long transfer survives a short failure.
const CHUNK: u64 = 8 << 20;
/// Chunks fetched ahead, which bounds memory.
const AHEAD: usize = 3;
/// Time after which a server that sends nothing has stopped.
const STALL: Duration = Duration::from_secs(60);

/// Reads chunk by chunk.
pub(crate) struct ChunkRead {
    place: Arc<ObjectPlace>,
    current: Bytes,
    waiting: VecDeque<Receiver<io::Result<Bytes>>>,
    /// Where the next chunk to ask for starts.
    next: u64,
}

impl ChunkRead {
    /// After `head`, which is here. Nothing else is fetched until that is read.
    pub(crate) fn new(place: Arc<ObjectPlace>, head: Bytes) -> ChunkRead {
        ChunkRead { next: head.len() as u64, place, current: head, waiting: VecDeque::new() }
    }

    fn ask(&mut self) -> io::Result<()> {
        while self.waiting.len() < AHEAD && self.next < self.place.size {
            let range = self.next..(self.next + CHUNK).min(self.place.size);
            self.next = range.end;
            let place = Arc::clone(&self.place);
            self.waiting.push_back(start(async move {
                let bytes = place.fetch(range.clone()).await?;
                match bytes.len() as u64 == range.end - range.start {
                    true => Ok(bytes),
                    false => Err(io::Error::new(ErrorKind::UnexpectedEof, "the server sent fewer bytes than it has")),
                }
            })?);
        }
        Ok(())
    }
}

impl Read for ChunkRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.current.is_empty() {
            self.ask()?;
            let Some(chunk) = self.waiting.pop_front() else { return Ok(0) };
            self.current = result(&chunk)?;
            self.ask()?;
        }
        Ok(taken(&mut self.current, buffer))
    }
}

/// Reads one answer.
pub(crate) struct WholeRead {
    place: Arc<ObjectPlace>,
    answer: Arc<Mutex<BoxStream<'static, object_store::Result<Bytes>>>>,
    current: Bytes,
    read: u64,
}

impl WholeRead {
    pub(crate) fn new(place: Arc<ObjectPlace>) -> io::Result<WholeRead> {
        let shared = Arc::clone(&place);
        let answer = wait(async move { shared.whole().await })?;
        Ok(WholeRead { place, answer: Arc::new(Mutex::new(answer)), current: Bytes::new(), read: 0 })
    }

    /// What comes next; empty at the end.
    fn next(&self) -> io::Result<Bytes> {
        let (place, answer) = (Arc::clone(&self.place), Arc::clone(&self.answer));
        wait(async move {
            let mut answer = answer.lock().await;
            match tokio::time::timeout(STALL, answer.next()).await {
                Ok(None) => Ok(Bytes::new()),
                Ok(Some(bytes)) => bytes.map_err(|error| told(&error, &place.address)),
                Err(_) => Err(io::Error::new(ErrorKind::TimedOut, "the server has stopped sending")),
            }
        })
    }
}

impl Read for WholeRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.current.is_empty() && self.read < self.place.size {
            self.current = self.next()?;
            self.read += self.current.len() as u64;
            if self.current.is_empty() {
                return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server sent fewer bytes than it has"));
            }
        }
        Ok(taken(&mut self.current, buffer))
    }
}

fn taken(from: &mut Bytes, buffer: &mut [u8]) -> usize {
    let count = from.len().min(buffer.len());
    buffer[..count].copy_from_slice(&from[..count]);
    from.advance(count);
    count
}
