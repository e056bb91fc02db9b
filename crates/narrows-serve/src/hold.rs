//! What a request holds while it is answered: the attention of its client, and room for what takes much memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::Metrics;
use crate::refusal::Refusal;

/// Shared by the connection of a request and the thread that computes its answer.
#[derive(Debug)]
pub(crate) struct Hold {
    /// Nobody waits for the answer any more: the client has gone, or its time is over.
    is_over: AtomicBool,
    /// Room for large bodies, of all requests.
    room: Arc<Semaphore>,
    taken: Mutex<Option<OwnedSemaphorePermit>>,
    metrics: Arc<Metrics>,
}

impl Hold {
    pub(crate) fn new(room: Arc<Semaphore>, metrics: Arc<Metrics>) -> Hold {
        Hold { is_over: AtomicBool::new(false), room, taken: Mutex::new(None), metrics }
    }

    /// An error if nobody waits for the answer: work on it ends.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if self.is_over.load(Ordering::Relaxed) { Err(Refusal::given_up()) } else { Ok(()) }
    }

    /// Begins work that takes much memory, however small the body is.
    pub(crate) fn start_large(&self) -> Result<(), Refusal> {
        self.check()?;
        self.take_room()
    }

    /// Takes room for a large body, or for a small one that unfolds to much, unless the request has it already.
    pub(crate) fn take_room(&self) -> Result<(), Refusal> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.is_none() {
            let permit = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
                self.metrics.shed();
                Refusal::busy("the server is busy: expected fewer large requests at once; try again later")
            })?;
            *taken = Some(permit);
        }
        Ok(())
    }
}

/// The connection's side: dropped with the handler of the request, whether that ends, runs out of time or is cut off.
#[derive(Debug)]
pub(crate) struct Attention(Arc<Hold>);

impl Attention {
    pub(crate) fn new(hold: Hold) -> Attention {
        Attention(Arc::new(hold))
    }

    /// The other side.
    pub(crate) fn hold(&self) -> &Arc<Hold> {
        &self.0
    }
}

impl Drop for Attention {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends_with_the_attention_and_room_is_given_back_with_the_last_hold() {
        let room = Arc::new(Semaphore::new(1));
        let hold = || Hold::new(Arc::clone(&room), Arc::new(Metrics::new()));
        let (first, second) = (Attention::new(hold()), Attention::new(hold()));
        let work = Arc::clone(first.hold());
        assert!(work.take_room().is_ok() && work.take_room().is_ok() && work.check().is_ok());
        assert!(second.hold().take_room().unwrap_err().message.contains("busy"));
        drop(first);
        assert!(work.check().is_err() && second.hold().take_room().is_err());
        drop(work);
        assert!(second.hold().take_room().is_ok());
    }
}
