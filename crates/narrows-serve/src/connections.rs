//! The open connections. There may be so many; a further one takes the place of that which has waited longest for its
//! client, so that silent clients, however many, keep nobody out.
//!
//! A connection waits for its client while a head or a body arrives, while an answer is being taken, and between requests.
//! It is not closed while the server works on a request: of those there are few, as the queue is bounded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::metrics::Metrics;

/// The open connections.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    open: Mutex<OpenConnections>,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct OpenConnections {
    count: usize,
    /// Those that wait for their clients, by the turn since which they do.
    waiting: BTreeMap<u64, Arc<Notify>>,
    next_turn: u64,
}

/// The place of one connection, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<Connections>,
    /// The turn of its waiting, if it waits.
    turn: Mutex<Option<u64>>,
    end: Arc<Notify>,
}

impl Connections {
    pub(crate) fn new(most: usize, metrics: Arc<Metrics>) -> Connections {
        Connections { most, open: Mutex::default(), metrics }
    }

    /// A place for a new connection, which waits for its client. Without room, another one has to end.
    pub(crate) fn enter(self: &Arc<Connections>) -> Arc<Place> {
        let end = Arc::new(Notify::new());
        let place = Arc::new(Place { connections: Arc::clone(self), turn: Mutex::new(None), end });
        let is_full = {
            let mut open = self.locked();
            open.count += 1;
            self.metrics.connections(open.count);
            open.count > self.most
        };
        if is_full {
            self.end_oldest();
        }
        place.wait();
        place
    }

    /// Ends the connection that has waited longest for its client.
    pub(crate) fn end_oldest(&self) {
        if let Some((_, end)) = self.locked().waiting.pop_first() {
            self.metrics.connection_ended();
            end.notify_one();
        }
    }

    fn locked(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// From now on the connection waits for its client, anew if it did.
    pub(crate) fn wait(&self) {
        let mut turn = self.turn();
        let mut open = self.connections.locked();
        if let Some(turn) = turn.take() {
            open.waiting.remove(&turn);
        }
        let now = open.next_turn;
        open.next_turn += 1;
        open.waiting.insert(now, Arc::clone(&self.end));
        *turn = Some(now);
    }

    /// From now on the client waits for the server.
    pub(crate) fn work(&self) {
        if let Some(turn) = self.turn().take() {
            self.connections.locked().waiting.remove(&turn);
        }
    }

    /// Returns when the connection has to end.
    pub(crate) async fn ended(&self) {
        self.end.notified().await;
    }

    fn turn(&self) -> MutexGuard<'_, Option<u64>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.work();
        let mut open = self.connections.locked();
        open.count -= 1;
        self.connections.metrics.connections(open.count);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn has_to_end(place: &Place) -> bool {
        pin!(place.ended()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn the_one_that_has_waited_longest_ends_and_those_that_work_do_not() {
        let connections = Arc::new(Connections::new(3, Arc::new(Metrics::new())));
        let places: Vec<_> = (0..3).map(|_| connections.enter()).collect();
        places[0].work();
        // Waits anew: its request has been answered.
        places[1].wait();
        let fourth = connections.enter();
        assert_eq!(places.iter().map(|place| has_to_end(place)).collect::<Vec<_>>(), [false, false, true]);
        drop(places);
        assert_eq!(connections.locked().count, 1);
        let _others: Vec<_> = (0..2).map(|_| connections.enter()).collect();
        assert!(!has_to_end(&fourth));
        let _last = connections.enter();
        assert!(has_to_end(&fourth));
    }
}
