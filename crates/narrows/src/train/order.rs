//! The order in which rows come.

use narrows_engine::rng::{Purpose, Stream};

/// The training rows in the order of one epoch.
pub(super) struct Order {
    rows: Vec<u32>,
    shuffled: Vec<u32>,
    epoch: Option<u64>,
}

impl Order {
    pub(super) fn new(rows: &[u32]) -> Order {
        Order { rows: rows.to_vec(), shuffled: rows.to_vec(), epoch: None }
    }

    /// Rows of the step at `position` of `epoch`; a fresh shuffle for each epoch, known from its number alone.
    pub(super) fn step(&mut self, seed: u64, epoch: u64, position: usize, batch: usize) -> &[u32] {
        if self.epoch != Some(epoch) {
            self.shuffled.copy_from_slice(&self.rows);
            Stream::new(seed, Purpose::Shuffle, epoch, 0).shuffle(&mut self.shuffled);
            self.epoch = Some(epoch);
        }
        let start = position * batch;
        &self.shuffled[start..(start + batch).min(self.shuffled.len())]
    }
}
